//! The cursor over a frame: every read checks the end and remembers where it stands.

use crate::malformed::{Malformed, Offence};
use crate::text;
use crate::types::{PacketId, Receiver, Version};

#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// What is left, up to where this reader must stop.
    rest: &'a [u8],
    /// Offset of the end of `rest` in the frame: all offsets are told from it, so that a read moves one thing only.
    end: usize,
    pub(crate) version: Version,
    pub(crate) receiver: Receiver,
}

impl<'a> Reader<'a> {
    /// Reads `rest`, which begins at offset `at` of its frame.
    #[inline]
    pub(crate) fn new(rest: &'a [u8], at: usize, version: Version, receiver: Receiver) -> Self {
        Reader { rest, end: at + rest.len(), version, receiver }
    }

    #[inline(always)]
    pub(crate) fn at(&self) -> usize {
        self.end - self.rest.len()
    }

    /// How many bytes are left.
    #[inline(always)]
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline(always)]
    pub(crate) fn offence(&self, offence: Offence, offset: usize) -> Malformed {
        Malformed::new(offence, offset, self.version)
    }

    /// What [`Self::rest`] would give.
    #[inline(always)]
    pub(crate) fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// Everything that is left.
    #[inline(always)]
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// A reader over the next `length` bytes, which this one skips.
    #[inline(always)]
    pub(crate) fn sub(&mut self, length: usize, missing: Offence) -> Result<Reader<'a>, Malformed> {
        let Some((sub, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.offence(missing, self.at()));
        };
        self.rest = rest;
        Ok(Reader { rest: sub, end: self.end - rest.len(), ..*self })
    }

    /// The next `N` bytes.
    #[inline(always)]
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        match self.rest.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(self.offence(Offence::Truncated, self.at())),
        }
    }

    #[inline(always)]
    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.take().map(u8::from_be_bytes)
    }

    #[inline(always)]
    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_be_bytes)
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_be_bytes)
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
        let at = self.at();
        PacketId::new(self.u16()?).ok_or_else(|| self.offence(zero, at))
    }

    /// A Variable Byte Integer in the fewest bytes. [5.0/MQTT-1.5.5-1]
    #[inline(always)]
    pub(crate) fn variable_byte_integer(&mut self) -> Result<u32, Malformed> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(u32::from(byte))
            }
            _ => {
                // A copy, so that this reader need not be in memory.
                let (value, rest) = self.long_variable_byte_integer()?;
                self.rest = rest;
                Ok(value)
            }
        }
    }

    /// The value of one of more than one byte, and what is left behind it.
    fn long_variable_byte_integer(mut self) -> Result<(u32, &'a [u8]), Malformed> {
        let start = self.at();
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(self.offence(Offence::VariableByteIntegerNotMinimal, start));
                }
                return Ok((value, self.rest));
            }
        }
        Err(self.offence(Offence::VariableByteIntegerTooLong, start))
    }

    /// Binary Data: a two-byte length and that many bytes. [5.0 §1.5.6]
    #[inline(always)]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.at();
        let length = usize::from(self.u16()?);
        match self.rest.split_at_checked(length) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.offence(Offence::Truncated, start)),
        }
    }

    /// A UTF-8 Encoded String. [3.1.1 §1.5.3] [5.0 §1.5.4]
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at() + 2;
        let bytes = self.binary()?;
        text::string(bytes).map_err(|(offence, at)| self.offence(offence, start + at))
    }

    /// A Topic Name: a UTF-8 Encoded String without wildcards; it may be empty here.
    #[inline(always)]
    pub(crate) fn topic_name(&mut self, wildcard: Offence) -> Result<&'a str, Malformed> {
        let start = self.at() + 2;
        let bytes = self.binary()?;
        text::topic_name(bytes, wildcard).map_err(|(offence, at)| self.offence(offence, start + at))
    }

    /// Nothing may be left.
    #[inline]
    pub(crate) fn end(&self, offence: Offence) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(self.offence(offence, self.at())) }
    }
}
