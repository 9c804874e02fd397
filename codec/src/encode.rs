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
pub(crate) const fn variable_byte_integer_length(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// Writes at most what four bytes can hold.
pub(crate) fn variable_byte_integer(value: u32, to: &mut Vec<u8>) {
    let mut value = value.min(MAX_REMAINING_LENGTH);
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// A two-byte length and the bytes, cut at what the length can tell: callers check first.
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
pub(crate) fn field(bytes: &[u8]) -> Result<usize, Unencodable> {
    if bytes.len() > usize::from(u16::MAX) { Err(Unencodable::FieldTooLong) } else { Ok(2 + bytes.len()) }
}

/// Length of a property list with its Property Length; 0 before 5.0.
pub(crate) fn properties_length(bytes: &[u8], version: Version) -> usize {
    if version == Version::V5 {
        variable_byte_integer_length(u32::try_from(bytes.len()).unwrap_or(u32::MAX)) + bytes.len()
    } else {
        0
    }
}

pub(crate) fn properties(bytes: &[u8], version: Version, to: &mut Vec<u8>) {
    if version == Version::V5 {
        variable_byte_integer(bytes.len() as u32, to);
        to.extend_from_slice(bytes);
    }
}

/// Writes the fixed header for `length` bytes that the caller writes next.
pub(crate) fn header(first: u8, length: usize, to: &mut Vec<u8>) -> Result<(), Unencodable> {
    let remaining = u32::try_from(length).ok().filter(|&l| l <= MAX_REMAINING_LENGTH);
    let remaining = remaining.ok_or(Unencodable::PacketTooLong)?;
    to.reserve(5 + length);
    to.push(first);
    variable_byte_integer(remaining, to);
    Ok(())
}
