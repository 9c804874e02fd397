//! What every encoder shares: lengths, strings, and the refusal to write what no packet can hold.

use crate::types::{MAX_REMAINING_LENGTH, PacketType, Version};
use alloc::vec::Vec;
use core::fmt;

/// A packet that has no encoding. Nothing was written to the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unencodable {
    /// A string or binary field is longer than 65,535 bytes.
    FieldTooLong,
    /// The packet's content is longer than 268,435,455 bytes.
    PacketTooLong,
    /// The version has no such packet.
    NotInVersion(PacketType, Version),
    /// A QoS 1 or 2 PUBLISH lacks its Packet Identifier, or a QoS 0 one has it.
    PacketIdentifier,
    /// A 3.1.1 or 3.1 CONNECT has a password without a user name.
    PasswordWithoutUserName,
}

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unencodable::FieldTooLong => f.write_str("a string or binary field is longer than 65,535 bytes"),
            Unencodable::PacketTooLong => f.write_str("the packet is longer than 268,435,455 bytes"),
            Unencodable::NotInVersion(packet, version) => write!(f, "MQTT {version} has no {packet}"),
            Unencodable::PacketIdentifier => {
                f.write_str("a PUBLISH has a Packet Identifier exactly if its QoS is 1 or 2")
            }
            Unencodable::PasswordWithoutUserName => f.write_str("before 5.0 a password needs a user name"),
        }
    }
}

impl core::error::Error for Unencodable {}

/// Bytes of a Variable Byte Integer. [5.0 §1.5.5]
#[inline]
pub(crate) const fn variable_byte_integer_length(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// A Variable Byte Integer of at most what four bytes can hold, its first byte lowest, and its length.
#[inline(always)]
pub(crate) const fn variable_byte_integer_word(value: usize) -> (u64, usize) {
    if value < 0x80 {
        (value as u64, 1)
    } else if value < 0x4000 {
        ((value & 0x7F | 0x80 | value >> 7 << 8) as u64, 2)
    } else {
        long_variable_byte_integer_word(value)
    }
}

const fn long_variable_byte_integer_word(value: usize) -> (u64, usize) {
    let value =
        if value > MAX_REMAINING_LENGTH as usize { MAX_REMAINING_LENGTH as u64 } else { value as u64 };
    // All bytes but the last say that another follows.
    let word = value & 0x7F | (value & 0x3F80) << 1 | (value & 0x1F_C000) << 2 | 0x8080;
    let last = value >> 21;
    if last == 0 { (word, 3) } else { (word | 0x80_0000 | last << 24, 4) }
}

/// Writes at most what four bytes can hold.
#[inline]
pub(crate) fn variable_byte_integer(value: u32, to: &mut Vec<u8>) {
    let (word, length) = variable_byte_integer_word(value as usize);
    put(word, length, to);
}

/// Appends the lowest `length` bytes of a word, lowest first: one store of eight, of which the rest is taken back.
#[inline(always)]
pub(crate) fn put(word: u64, length: usize, to: &mut Vec<u8>) {
    let end = to.len() + length;
    to.extend_from_slice(&word.to_le_bytes());
    to.truncate(end);
}

/// A two-byte length and the bytes, cut at what the length can tell: callers check first.
#[inline]
pub(crate) fn binary(bytes: &[u8], to: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(&bytes[..usize::from(length)]);
}

/// A two-byte length and the text, cut before the first character that the length cannot tell.
pub(crate) fn text(text: &str, to: &mut Vec<u8>) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    binary(&text.as_bytes()[..end], to);
}

/// Length of a field with its two-byte prefix.
#[inline]
pub(crate) fn field(bytes: &[u8]) -> Result<usize, Unencodable> {
    if bytes.len() > usize::from(u16::MAX) { Err(Unencodable::FieldTooLong) } else { Ok(2 + bytes.len()) }
}

/// Length of a property list with its Property Length; 0 before 5.0.
#[inline]
pub(crate) fn properties_length(bytes: &[u8], version: Version) -> usize {
    if version == Version::V5 {
        variable_byte_integer_length(u32::try_from(bytes.len()).unwrap_or(u32::MAX)) + bytes.len()
    } else {
        0
    }
}

#[inline]
pub(crate) fn properties(bytes: &[u8], version: Version, to: &mut Vec<u8>) {
    if version == Version::V5 {
        variable_byte_integer(bytes.len() as u32, to);
        to.extend_from_slice(bytes);
    }
}

/// Writes the fixed header for `length` bytes that the caller writes next.
#[inline]
pub(crate) fn header(first: u8, length: usize, to: &mut Vec<u8>) -> Result<(), Unencodable> {
    let (word, bytes) = header_word(first, length)?;
    to.reserve(ROOM + length);
    put(word, bytes, to);
    Ok(())
}

/// The fixed header and the two-byte length of the field behind it.
#[inline(always)]
pub(crate) fn header_and_length(
    first: u8,
    length: usize,
    field: &[u8],
    to: &mut Vec<u8>,
) -> Result<(), Unencodable> {
    let (word, bytes) = header_word(first, length)?;
    to.reserve(ROOM + length);
    put(word | u64::from((field.len() as u16).swap_bytes()) << (8 * bytes), bytes + 2, to);
    Ok(())
}

/// A fixed header is at most five bytes, and [`put`] needs room for eight wherever the packet ends.
const ROOM: usize = 16;

#[inline(always)]
fn header_word(first: u8, length: usize) -> Result<(u64, usize), Unencodable> {
    if length > MAX_REMAINING_LENGTH as usize {
        return Err(Unencodable::PacketTooLong);
    }
    let (word, bytes) = variable_byte_integer_word(length);
    Ok((word << 8 | u64::from(first), 1 + bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_variable_byte_integers_as_the_specification_shows() {
        for (value, expected) in [
            (0, &[0x00][..]),
            (127, &[0x7F]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xFF, 0x7F]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xFF, 0xFF, 0x7F]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
            (u32::MAX, &[0xFF, 0xFF, 0xFF, 0x7F]),
        ] {
            let mut bytes = Vec::new();
            variable_byte_integer(value, &mut bytes);
            assert_eq!(bytes, expected, "{value}");
        }
    }
}
