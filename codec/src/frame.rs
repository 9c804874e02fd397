//! Splitting a byte stream into frames: fixed header plus Remaining Length. [3.1.1 §2.2] [5.0 §2.1]

use crate::malformed::{Malformed, Offence};
use crate::types::{PacketType, Version};

/// One whole packet's bytes, its content not looked at yet. [3.1.1 §2] [5.0 §2.1]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    bytes: &'a [u8],
    header: u8,
}

/// What the front of a byte stream holds. [3.1.1 §2.2.3] [5.0 §2.1.4]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Split<'a> {
    /// A whole frame; the next one begins after its bytes.
    Whole(Frame<'a>),
    /// At least this many more bytes are needed.
    Missing(usize),
}

impl<'a> Frame<'a> {
    /// The first byte: packet type and flags.
    #[inline]
    pub fn first(&self) -> u8 {
        self.bytes[0]
    }

    /// All bytes, from the fixed header's first.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Length of the fixed header: 2 to 5 bytes.
    #[inline]
    pub fn header_length(&self) -> usize {
        usize::from(self.header)
    }

    /// What follows the fixed header.
    #[inline]
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[usize::from(self.header)..]
    }
}

/// Takes one frame from the front of `bytes`.
///
/// `max_packet_size` counts the whole packet, fixed header included, and is enforced as soon as the header is
/// there: nothing of an oversized packet needs to be buffered. [5.0 §3.2.2.3.6]
///
/// # Errors
///
/// A Remaining Length of more than four bytes, or (5.0, but for CONNECT) in more bytes than needed, or a packet
/// above the limit.
#[inline]
pub fn split(bytes: &[u8], max_packet_size: u32, version: Version) -> Result<Split<'_>, Malformed> {
    let mut remaining = 0u32;
    let mut at = 1;
    loop {
        let Some(&byte) = bytes.get(at) else {
            return Ok(Split::Missing(at + 1 - bytes.len()));
        };
        remaining |= u32::from(byte & 0x7F) << (7 * (at - 1));
        at += 1;
        if byte < 0x80 {
            // 3.1.1 does not ask for the shortest form. [5.0/MQTT-1.5.5-1] A CONNECT says in its content which
            // version it is of: its decoder looks again.
            if byte == 0 && at > 2 && version == Version::V5 && bytes[0] >> 4 != PacketType::Connect as u8 {
                return Err(Malformed::new(Offence::RemainingLengthNotMinimal, 1, version));
            }
            break;
        }
        if at == 5 {
            return Err(Malformed::new(Offence::RemainingLengthTooLong, 1, version));
        }
    }
    let length = at + remaining as usize;
    if length > max_packet_size as usize {
        return Err(Malformed::new(Offence::PacketTooLarge, 1, version));
    }
    match bytes.get(..length) {
        Some(frame) => Ok(Split::Whole(Frame { bytes: frame, header: at as u8 })),
        None => Ok(Split::Missing(length - bytes.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offence(bytes: &[u8], version: Version) -> Option<Offence> {
        split(bytes, u32::MAX, version).err().map(|m| m.offence)
    }

    #[test]
    fn says_how_much_is_missing() {
        assert_eq!(split(b"", 100, Version::V5), Ok(Split::Missing(2)));
        assert_eq!(split(b"\x30", 100, Version::V5), Ok(Split::Missing(1)));
        assert_eq!(split(b"\x30\x05ab", 100, Version::V5), Ok(Split::Missing(3)));
    }

    #[test]
    fn reads_lengths_of_one_to_four_bytes() {
        for (header, remaining) in [
            (&b"\x30\x7F"[..], 127),
            (b"\x30\x80\x01", 128),
            (b"\x30\xFF\x7F", 16_383),
            (b"\x30\x80\x80\x01", 16_384),
            (b"\x30\xFF\xFF\x7F", 2_097_151),
            (b"\x30\x80\x80\x80\x01", 2_097_152),
            (b"\x30\xFF\xFF\xFF\x7F", 268_435_455),
        ] {
            assert_eq!(split(header, u32::MAX, Version::V5), Ok(Split::Missing(remaining)), "{header:02x?}");
        }
    }

    #[test]
    fn refuses_lengths_too_long_or_not_minimal() {
        for version in [Version::V3_1_1, Version::V5] {
            assert_eq!(offence(b"\x30\xFF\xFF\xFF\xFF", version), Some(Offence::RemainingLengthTooLong));
            assert_eq!(offence(b"\x30\x80\x80\x80\x80\x01", version), Some(Offence::RemainingLengthTooLong));
        }
        assert_eq!(offence(b"\xC0\x80\x00", Version::V5), Some(Offence::RemainingLengthNotMinimal));
        assert_eq!(offence(b"\xC0\x80\x00", Version::V3_1_1), None);
        assert_eq!(offence(b"\xC0\x00", Version::V5), None);
    }

    #[test]
    fn enforces_the_limit_from_the_header_alone() {
        assert_eq!(split(b"\x30\x62", 100, Version::V5), Ok(Split::Missing(98)));
        let refused = split(b"\x30\x63", 100, Version::V5).unwrap_err();
        assert_eq!((refused.offence, refused.offset), (Offence::PacketTooLarge, 1));
    }
}
