//! Packets that break exactly one rule, as data, and the pieces to make others.
//!
//! The encoder cannot write a malformed packet's every form: this module can. [`cases`] holds named packets for
//! each [`Offence`] and each place within a packet where it can occur; [`Builder`] and the functions beside it
//! put bytes together without judging them.
//!
//! ```
//! use mqtt_assay_codec::raw::{self, Builder, Stage};
//! use mqtt_assay_codec::{Decoder, Offence, Receiver, Version};
//!
//! // A PUBLISH whose topic says that it is longer than the packet.
//! let bytes = Builder::new(0x30).u16(9).bytes(b"a/b").finish();
//! let decoder = Decoder::new(Version::V5, Receiver::Server);
//! assert_eq!(decoder.next(&bytes).unwrap_err().offence, Offence::Truncated);
//!
//! for case in raw::cases(Version::V5, Receiver::Server) {
//!     assert_eq!(decoder.next(&case.bytes).unwrap_err().offence, case.offence, "{}", case.name);
//!     assert_eq!(case.stage == Stage::Opening, case.bytes[0] >> 4 == 1);
//! }
//! ```

mod ack;
mod connect;
mod framing;
mod property;
mod subscribe;
mod text;

use crate::encode;
use crate::malformed::Offence;
use crate::types::{PacketType, Receiver, Version};
use alloc::string::String;
use alloc::vec::Vec;

/// A packet that breaks one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// What is broken and where, in words joined by `-` and `/`; unique within a version and a receiver.
    pub name: String,
    /// The rule that is broken.
    pub offence: Offence,
    /// The version whose rule it is.
    pub version: Version,
    /// Who is to receive the packet.
    pub receiver: Receiver,
    /// When the packet has to be sent.
    pub stage: Stage,
    /// The packet, its fixed header included.
    pub bytes: Vec<u8>,
}

/// At which point of a Network Connection a packet breaks its own rule only, and not also those of the order of
/// packets. [3.1.1/MQTT-3.1.0-1] [3.1.1/MQTT-3.2.0-1] [5.0/MQTT-3.1.0-1] [5.0/MQTT-3.2.0-1]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// As the first packet of its direction: it is, or stands for, the CONNECT or the CONNACK.
    Opening,
    /// After CONNECT and a CONNACK that accepts.
    Connected,
}

/// Every case of one version and one direction, in a fixed order.
///
/// A packet above a size limit is not among them, since the limit is the connection's: see [`too_large`].
pub fn cases(version: Version, receiver: Receiver) -> Vec<Case> {
    let mut cases = Cases { version, receiver, cases: Vec::new() };
    framing::add(&mut cases);
    text::add(&mut cases);
    if version == Version::V5 {
        property::add(&mut cases);
    }
    match receiver {
        Receiver::Server => {
            connect::add_connect(&mut cases);
            subscribe::add(&mut cases);
        }
        Receiver::Client => connect::add_connack(&mut cases),
    }
    ack::add(&mut cases);
    cases.cases
}

/// A short valid packet of each type that travels in this direction: what the cases are made from.
pub fn valid(version: Version, receiver: Receiver) -> Vec<Vec<u8>> {
    let cases = Cases { version, receiver, cases: Vec::new() };
    cases
        .types()
        .map(|packet_type| cases.valid(packet_type))
        .map(|(first, body)| packet(first, &body))
        .collect()
}

/// The smallest QoS 0 PUBLISH that is larger than `max_packet_size`, which counts the whole packet.
/// [5.0 §3.2.2.3.6]
///
/// All of it is there: nothing but its size is wrong. `None` if no packet is as large as that.
pub fn too_large(version: Version, receiver: Receiver, max_packet_size: u32) -> Option<Case> {
    let mut body = Vec::from(PUBLISH_TOPIC);
    if version == Version::V5 {
        body.push(0);
    }
    // A fixed header has 2 to 5 bytes; where it grows by one there is a size that no packet has.
    let first_guess = (max_packet_size as usize).saturating_sub(5).max(body.len());
    let size = |length: u32| 1 + encode::variable_byte_integer_length(length) + length as usize;
    let length = (u32::try_from(first_guess).ok()?..=crate::MAX_REMAINING_LENGTH)
        .find(|&length| size(length) > max_packet_size as usize)?;
    body.resize(length as usize, b'x');
    Some(Case {
        name: "packet-too-large/publish".into(),
        offence: Offence::PacketTooLarge,
        version,
        receiver,
        stage: Stage::Connected,
        bytes: packet(0x30, &body),
    })
}

const PUBLISH_TOPIC: &[u8] = b"\x00\x01t";

/// A packet of this first byte and content, with the right Remaining Length.
///
/// # Panics
///
/// If the content is longer than a Remaining Length can tell.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    packet_with_length(first, &variable(u32::try_from(body.len()).expect("a body below 4 GiB")), body)
}

/// A packet whose Remaining Length is whatever `length` holds.
pub fn packet_with_length(first: u8, length: &[u8], body: &[u8]) -> Vec<u8> {
    [&[first], length, body].concat()
}

/// A two-byte length and the bytes: a UTF-8 Encoded String, well-formed or not, or Binary Data.
///
/// # Panics
///
/// If there are more than 65,535 bytes.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("at most 65,535 bytes");
    [&length.to_be_bytes(), bytes].concat()
}

/// A Variable Byte Integer in the fewest bytes. [5.0 §1.5.5]
///
/// # Panics
///
/// Above 268,435,455.
pub fn variable(value: u32) -> Vec<u8> {
    assert!(value <= crate::MAX_REMAINING_LENGTH, "a Variable Byte Integer holds at most 268,435,455");
    let mut bytes = Vec::new();
    encode::variable_byte_integer(value, &mut bytes);
    bytes
}

/// A property: identifier and encoded value, neither judged.
pub fn property(id: u8, value: &[u8]) -> Vec<u8> {
    [&[id], value].concat()
}

/// A property list: the right Property Length and the pieces.
///
/// # Panics
///
/// If the pieces are longer than a Property Length can tell.
pub fn properties(pieces: &[&[u8]]) -> Vec<u8> {
    let content = pieces.concat();
    let mut bytes = variable(u32::try_from(content.len()).expect("properties below 4 GiB"));
    bytes.extend_from_slice(&content);
    bytes
}

/// Puts a packet together, piece by piece, judging nothing.
#[derive(Clone, Debug)]
pub struct Builder {
    first: u8,
    length: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl Builder {
    /// A packet of this first byte: type and flags.
    pub const fn new(first: u8) -> Self {
        Builder { first, length: None, body: Vec::new() }
    }

    /// These bytes stand where the Remaining Length belongs; without this call it is right.
    #[must_use]
    pub fn remaining_length(mut self, bytes: &[u8]) -> Self {
        self.length = Some(bytes.to_vec());
        self
    }

    /// Bytes as they are.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.body.extend_from_slice(bytes);
        self
    }

    /// One byte.
    #[must_use]
    pub fn u8(self, value: u8) -> Self {
        self.bytes(&[value])
    }

    /// A Two Byte Integer; a Packet Identifier, which may be 0 here.
    #[must_use]
    pub fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// A Four Byte Integer.
    #[must_use]
    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// A Variable Byte Integer in the fewest bytes: see [`variable`].
    #[must_use]
    pub fn variable(self, value: u32) -> Self {
        self.bytes(&variable(value))
    }

    /// A length and the bytes: see [`string`].
    #[must_use]
    pub fn string(self, bytes: &[u8]) -> Self {
        self.bytes(&string(bytes))
    }

    /// A Property Length and the properties behind it: see [`properties`].
    #[must_use]
    pub fn properties(self, pieces: &[&[u8]]) -> Self {
        self.bytes(&properties(pieces))
    }

    /// An empty property list in 5.0; nothing in a version without properties.
    #[must_use]
    pub fn no_properties(self, version: Version) -> Self {
        if version == Version::V5 { self.u8(0) } else { self }
    }

    /// The packet.
    pub fn finish(&self) -> Vec<u8> {
        match &self.length {
            Some(length) => packet_with_length(self.first, length, &self.body),
            None => packet(self.first, &self.body),
        }
    }
}

/// The cases of one version and direction, while they are collected.
struct Cases {
    version: Version,
    receiver: Receiver,
    cases: Vec<Case>,
}

impl Cases {
    fn add(&mut self, name: impl Into<String>, offence: Offence, bytes: Vec<u8>) {
        let stage = match (bytes[0] >> 4, self.receiver) {
            (1, Receiver::Server) | (2, Receiver::Client) => Stage::Opening,
            _ => Stage::Connected,
        };
        let (version, receiver) = (self.version, self.receiver);
        self.cases.push(Case { name: name.into(), offence, version, receiver, stage, bytes });
    }

    fn v5(&self) -> bool {
        self.version == Version::V5
    }

    fn to_server(&self) -> bool {
        self.receiver == Receiver::Server
    }

    /// The packets that travel in this direction.
    fn types(&self) -> impl Iterator<Item = PacketType> + use<> {
        let (version, receiver) = (self.version, self.receiver);
        PacketType::ALL.into_iter().filter(move |&packet| travels(packet, version, receiver))
    }

    /// A short valid packet of this type, without its properties in the types that may leave them out.
    fn valid(&self, packet: PacketType) -> (u8, Vec<u8>) {
        use PacketType as T;
        let version = self.version;
        let first = first(packet);
        let with_id = || Builder::new(first).u16(7).no_properties(version);
        let builder = match packet {
            T::Connect => Builder::new(first)
                .string(version.protocol_name().as_bytes())
                .u8(version.level())
                .bytes(&[0b10, 0, 60])
                .no_properties(version)
                .string(b"client"),
            T::Connack => Builder::new(first).bytes(&[0, 0]).no_properties(version),
            T::Publish => Builder::new(first).bytes(PUBLISH_TOPIC).no_properties(version).bytes(b"payload"),
            T::Puback | T::Pubrec | T::Pubrel | T::Pubcomp => Builder::new(first).u16(7),
            T::Subscribe => with_id().string(b"a/b").u8(1),
            T::Suback => with_id().u8(1),
            T::Unsubscribe => with_id().string(b"a/b"),
            T::Unsuback if version == Version::V5 => with_id().u8(0),
            T::Unsuback => with_id(),
            T::Pingreq | T::Pingresp | T::Disconnect => Builder::new(first),
            T::Auth => Builder::new(first).u8(0x18).properties(&[&method()]),
        };
        (first, builder.body)
    }
}

/// The first byte with the flags that the type asks for.
fn first(packet: PacketType) -> u8 {
    let flags = match packet {
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
        _ => 0,
    };
    (packet as u8) << 4 | flags
}

/// The type's name as it stands in the names of cases.
fn word(packet: PacketType) -> String {
    packet.name().to_ascii_lowercase()
}

/// An Authentication Method, which every AUTH needs.
fn method() -> Vec<u8> {
    property(0x15, &string(b"m"))
}

pub(crate) fn travels(packet: PacketType, version: Version, receiver: Receiver) -> bool {
    use PacketType as T;
    match packet {
        T::Connect | T::Subscribe | T::Unsubscribe | T::Pingreq => receiver == Receiver::Server,
        T::Connack | T::Suback | T::Unsuback | T::Pingresp => receiver == Receiver::Client,
        T::Disconnect => version == Version::V5 || receiver == Receiver::Server,
        T::Auth => version == Version::V5,
        T::Publish | T::Puback | T::Pubrec | T::Pubrel | T::Pubcomp => true,
    }
}
