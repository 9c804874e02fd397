//! The cursor over a frame: every read checks the end and remembers where it stands.

use crate::malformed::{Malformed, Offence};
use crate::text;
use crate::types::{PacketId, Receiver, Version};

#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// The frame from its first byte up to where this reader must stop.
    bytes: &'a [u8],
    at: usize,
    /// A part of `bytes` that is known to be well-formed UTF-8, and where it begins.
    text: &'a str,
    text_at: usize,
    pub(crate) version: Version,
    pub(crate) receiver: Receiver,
}

impl<'a> Reader<'a> {
    /// Reads `frame`, whose first byte is the fixed header's, from offset `at`.
    #[inline]
    pub(crate) fn new(frame: &'a [u8], at: usize, version: Version, receiver: Receiver) -> Self {
        Reader { bytes: frame, at, text: "", text_at: 0, version, receiver }
    }

    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    #[inline]
    pub(crate) fn offence(&self, offence: Offence, offset: usize) -> Malformed {
        Malformed::new(offence, offset, self.version)
    }

    /// Everything that is left.
    #[inline]
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// A reader over the next `length` bytes, which this one skips.
    #[inline(always)]
    pub(crate) fn sub(&mut self, length: usize, missing: Offence) -> Result<Reader<'a>, Malformed> {
        let start = self.at;
        match start.checked_add(length) {
            Some(end) if end <= self.bytes.len() => {
                self.at = end;
                Ok(Reader { bytes: &self.bytes[..end], at: start, ..*self })
            }
            _ => Err(self.offence(missing, start)),
        }
    }

    #[inline(always)]
    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.offence(Offence::Truncated, self.at))?;
        self.at += 1;
        Ok(byte)
    }

    #[inline(always)]
    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        match self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<2>) {
            Some(bytes) => {
                self.at += 2;
                Ok(u16::from_be_bytes(*bytes))
            }
            None => Err(self.offence(Offence::Truncated, self.at)),
        }
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        match self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<4>) {
            Some(bytes) => {
                self.at += 4;
                Ok(u32::from_be_bytes(*bytes))
            }
            None => Err(self.offence(Offence::Truncated, self.at)),
        }
    }

    /// The Packet Identifier that a new packet of the sender's chooses.
    #[inline(always)]
    pub(crate) fn packet_id(&mut self) -> Result<PacketId, Malformed> {
        let zero = match self.receiver {
            Receiver::Server => Offence::PacketIdentifierZero,
            Receiver::Client => Offence::PacketIdentifierZeroFromServer,
        };
        self.packet_id_or(zero)
    }

    /// A Packet Identifier; `zero` is the offence if it is 0.
    #[inline(always)]
    pub(crate) fn packet_id_or(&mut self, zero: Offence) -> Result<PacketId, Malformed> {
        let at = self.at;
        PacketId::new(self.u16()?).ok_or_else(|| self.offence(zero, at))
    }

    /// A Variable Byte Integer in the fewest bytes. [5.0/MQTT-1.5.5-1]
    #[inline(always)]
    pub(crate) fn variable_byte_integer(&mut self) -> Result<u32, Malformed> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u32::from(byte))
            }
            _ => {
                // A copy, so that this reader need not be in memory.
                let (value, at) = self.long_variable_byte_integer()?;
                self.at = at;
                Ok(value)
            }
        }
    }

    /// The value of one of more than one byte, and where it ends.
    fn long_variable_byte_integer(mut self) -> Result<(u32, usize), Malformed> {
        let start = self.at;
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(self.offence(Offence::VariableByteIntegerNotMinimal, start));
                }
                return Ok((value, self.at));
            }
        }
        Err(self.offence(Offence::VariableByteIntegerTooLong, start))
    }

    /// Binary Data: a two-byte length and that many bytes. [5.0 §1.5.6]
    #[inline(always)]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.at;
        let length = usize::from(self.u16()?);
        match self.bytes.get(self.at..self.at + length) {
            Some(bytes) => {
                self.at += length;
                Ok(bytes)
            }
            None => Err(self.offence(Offence::Truncated, start)),
        }
    }

    /// Looks at all that is left at once, for packets with many strings and little else: checking a long text is
    /// cheap, beginning and ending many short ones is not. If something in it is no text, each string is checked
    /// when it is read.
    #[inline]
    pub(crate) fn expect_text(&mut self) {
        if let Some(Ok(text)) = self.bytes.get(self.at..).map(core::str::from_utf8) {
            (self.text, self.text_at) = (text, self.at);
        }
    }

    /// The bytes from `start` to where the reader stands, if they are known to be text.
    #[inline(always)]
    fn known(&self, start: usize) -> Option<&'a str> {
        self.text.get(start.wrapping_sub(self.text_at)..self.at.wrapping_sub(self.text_at))
    }

    /// A UTF-8 Encoded String. [3.1.1 §1.5.3] [5.0 §1.5.4]
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at + 2;
        let bytes = self.binary()?;
        text::string(bytes, self.known(start)).map_err(|(offence, at)| self.offence(offence, start + at))
    }

    /// A Topic Name: a UTF-8 Encoded String without wildcards; it may be empty here.
    #[inline(always)]
    pub(crate) fn topic_name(&mut self, wildcard: Offence) -> Result<&'a str, Malformed> {
        let start = self.at + 2;
        let bytes = self.binary()?;
        text::topic_name(bytes, self.known(start), wildcard)
            .map_err(|(offence, at)| self.offence(offence, start + at))
    }

    /// Nothing may be left.
    #[inline]
    pub(crate) fn end(&self, offence: Offence) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(self.offence(offence, self.at)) }
    }
}
