//! The control packets: one file each, with its wire picture, its view and its encoder.

mod ack;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod suback;
mod subscribe;
mod unsuback;
mod unsubscribe;

pub use ack::Ack;
pub use auth::Auth;
pub use connack::Connack;
pub use connect::{Connect, Will};
pub use disconnect::Disconnect;
pub use publish::Publish;
pub use suback::Suback;
pub use subscribe::{
    RetainHandling, Subscribe, Subscription, SubscriptionList, SubscriptionOptions, Subscriptions,
};
pub use unsuback::Unsuback;
pub use unsubscribe::{TopicFilterList, TopicFilters, Unsubscribe};

use crate::encode::{Unencodable, header};
use crate::frame::{self, Frame, Split};
use crate::malformed::{Malformed, Offence};
use crate::reader::Reader;
use crate::types::{PacketId, PacketType, Receiver, Version};
use alloc::vec::Vec;

/// A control packet, borrowed from the bytes it was read from or from the fields it will be written from.
/// [3.1.1 §3] [5.0 §3]
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Packet<'a> {
    /// CONNECT [3.1.1 §3.1] [5.0 §3.1]
    Connect(Connect<'a>),
    /// CONNACK [3.1.1 §3.2] [5.0 §3.2]
    Connack(Connack<'a>),
    /// PUBLISH [3.1.1 §3.3] [5.0 §3.3]
    Publish(Publish<'a>),
    /// PUBACK [3.1.1 §3.4] [5.0 §3.4]
    Puback(Ack<'a>),
    /// PUBREC [3.1.1 §3.5] [5.0 §3.5]
    Pubrec(Ack<'a>),
    /// PUBREL [3.1.1 §3.6] [5.0 §3.6]
    Pubrel(Ack<'a>),
    /// PUBCOMP [3.1.1 §3.7] [5.0 §3.7]
    Pubcomp(Ack<'a>),
    /// SUBSCRIBE [3.1.1 §3.8] [5.0 §3.8]
    Subscribe(Subscribe<'a>),
    /// SUBACK [3.1.1 §3.9] [5.0 §3.9]
    Suback(Suback<'a>),
    /// UNSUBSCRIBE [3.1.1 §3.10] [5.0 §3.10]
    Unsubscribe(Unsubscribe<'a>),
    /// UNSUBACK [3.1.1 §3.11] [5.0 §3.11]
    Unsuback(Unsuback<'a>),
    /// PINGREQ: nothing but a fixed header. [3.1.1 §3.12] [5.0 §3.12]
    Pingreq,
    /// PINGRESP: nothing but a fixed header. [3.1.1 §3.13] [5.0 §3.13]
    Pingresp,
    /// DISCONNECT [3.1.1 §3.14] [5.0 §3.14]
    Disconnect(Disconnect<'a>),
    /// AUTH, 5.0 only. [5.0 §3.15]
    Auth(Auth<'a>),
}

impl<'a> Packet<'a> {
    /// The packet's type.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Packet::Connect(_) => PacketType::Connect,
            Packet::Connack(_) => PacketType::Connack,
            Packet::Publish(_) => PacketType::Publish,
            Packet::Puback(_) => PacketType::Puback,
            Packet::Pubrec(_) => PacketType::Pubrec,
            Packet::Pubrel(_) => PacketType::Pubrel,
            Packet::Pubcomp(_) => PacketType::Pubcomp,
            Packet::Subscribe(_) => PacketType::Subscribe,
            Packet::Suback(_) => PacketType::Suback,
            Packet::Unsubscribe(_) => PacketType::Unsubscribe,
            Packet::Unsuback(_) => PacketType::Unsuback,
            Packet::Pingreq => PacketType::Pingreq,
            Packet::Pingresp => PacketType::Pingresp,
            Packet::Disconnect(_) => PacketType::Disconnect,
            Packet::Auth(_) => PacketType::Auth,
        }
    }

    /// The Packet Identifier, in the packets that have one.
    pub const fn packet_id(&self) -> Option<PacketId> {
        match self {
            Packet::Publish(p) => p.packet_id,
            Packet::Puback(p) | Packet::Pubrec(p) | Packet::Pubrel(p) | Packet::Pubcomp(p) => {
                Some(p.packet_id)
            }
            Packet::Subscribe(p) => Some(p.packet_id),
            Packet::Suback(p) => Some(p.packet_id),
            Packet::Unsubscribe(p) => Some(p.packet_id),
            Packet::Unsuback(p) => Some(p.packet_id),
            _ => None,
        }
    }

    /// The property list, in the packets that have one; empty before 5.0.
    pub const fn properties(&self) -> Option<crate::Properties<'a>> {
        match self {
            Packet::Connect(p) => Some(p.properties),
            Packet::Connack(p) => Some(p.properties),
            Packet::Publish(p) => Some(p.properties),
            Packet::Puback(p) | Packet::Pubrec(p) | Packet::Pubrel(p) | Packet::Pubcomp(p) => {
                Some(p.properties)
            }
            Packet::Subscribe(p) => Some(p.properties),
            Packet::Suback(p) => Some(p.properties),
            Packet::Unsubscribe(p) => Some(p.properties),
            Packet::Unsuback(p) => Some(p.properties),
            Packet::Disconnect(p) => Some(p.properties),
            Packet::Auth(p) => Some(p.properties),
            Packet::Pingreq | Packet::Pingresp => None,
        }
    }

    /// Appends the packet's encoding in `version` to `to`. A CONNECT is encoded in its own version.
    ///
    /// Before 5.0 there are no properties and most reason codes have no place: they are left out.
    ///
    /// # Errors
    ///
    /// What no packet can hold; then nothing was appended.
    #[inline]
    pub fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        // Most packets are of this type: no jump through a table for them.
        match self {
            Packet::Publish(p) => p.encode(version, to),
            _ => self.encode_other(version, to),
        }
    }

    fn encode_other(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        let v5_only = || Err(Unencodable::NotInVersion(self.packet_type(), version));
        match self {
            Packet::Connect(p) => p.encode(to),
            Packet::Connack(p) => p.encode(version, to),
            Packet::Publish(p) => p.encode(version, to),
            Packet::Puback(p) => p.encode(PacketType::Puback, version, to),
            Packet::Pubrec(p) => p.encode(PacketType::Pubrec, version, to),
            Packet::Pubrel(p) => p.encode(PacketType::Pubrel, version, to),
            Packet::Pubcomp(p) => p.encode(PacketType::Pubcomp, version, to),
            Packet::Subscribe(p) => p.encode(version, to),
            Packet::Suback(p) => p.encode(version, to),
            Packet::Unsubscribe(p) => p.encode(version, to),
            Packet::Unsuback(p) => p.encode(version, to),
            Packet::Pingreq => header(0xC0, 0, to),
            Packet::Pingresp => header(0xD0, 0, to),
            Packet::Disconnect(p) => p.encode(version, to),
            Packet::Auth(_) if version != Version::V5 => v5_only(),
            Packet::Auth(p) => p.encode(to),
        }
    }
}

/// Reads packets of one version in one direction. [3.1.1 §2.2.1] [5.0 §2.1.2]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoder {
    /// The version that the connection speaks. CONNECT brings its own.
    pub version: Version,
    /// Who receives the bytes.
    pub receiver: Receiver,
    /// Largest packet that is accepted, fixed header included. [5.0 §3.2.2.3.6]
    pub max_packet_size: u32,
}

impl Decoder {
    /// A decoder without a limit but the protocol's own.
    pub const fn new(version: Version, receiver: Receiver) -> Self {
        Decoder { version, receiver, max_packet_size: u32::MAX }
    }

    /// The first packet in `bytes` and its length, or `None` if it is not all there yet.
    ///
    /// # Errors
    ///
    /// The first offence found. The stream has no next packet after it.
    pub fn next<'a>(&self, bytes: &'a [u8]) -> Result<Option<(Packet<'a>, usize)>, Malformed> {
        let frame = match frame::split(bytes, self.max_packet_size, self.version)? {
            Split::Whole(frame) => frame,
            Split::Missing(_) => return Ok(None),
        };
        let length = frame.bytes().len();
        self.decode_as(frame, |packet| Some((packet, length)))
    }

    /// Reads the packet in a whole frame.
    ///
    /// # Errors
    ///
    /// The first offence found.
    pub fn decode<'a>(&self, frame: Frame<'a>) -> Result<Packet<'a>, Malformed> {
        self.decode_as(frame, |packet| packet)
    }

    /// Reads a packet, of which `wrap` makes what the caller returns: so each packet is written once, where the
    /// caller wants it. A Result that is passed on is a copy of the largest packet's size.
    #[inline(always)]
    fn decode_as<'a, T>(&self, frame: Frame<'a>, wrap: impl Fn(Packet<'a>) -> T) -> Result<T, Malformed> {
        // Most packets are of this type. It travels both ways, and each of its flags has a meaning.
        if frame.first() >> 4 == PacketType::Publish as u8 {
            let r = &mut self.reader(frame);
            return ended(Publish::decode(frame.first(), r), r, |p| wrap(Packet::Publish(p)));
        }
        self.decode_other(frame, wrap)
    }

    #[inline(always)]
    fn reader<'a>(&self, frame: Frame<'a>) -> Reader<'a> {
        Reader::new(frame.body(), frame.header_length(), self.version, self.receiver)
    }

    fn decode_other<'a, T>(&self, frame: Frame<'a>, wrap: impl Fn(Packet<'a>) -> T) -> Result<T, Malformed> {
        let first = frame.first();
        let offence = |offence| Malformed::new(offence, 0, self.version);
        let Some(packet) = PacketType::from_u8(first >> 4) else {
            return Err(offence(Offence::ReservedPacketType));
        };
        self.check_direction(packet).map_err(offence)?;
        // CONNECT names its own version, and is judged by it: its decoder checks the flags.
        if packet != PacketType::Connect {
            check_flags(packet, first & 0x0F, self.version).map_err(offence)?;
        }
        // Each type has a reader of its own: one that all share would stay in memory.
        macro_rules! read {
            ($variant:ident: $r:ident => $decoded:expr) => {{
                let $r = &mut self.reader(frame);
                ended($decoded, $r, |p| wrap(Packet::$variant(p)))
            }};
            ($variant:ident) => {
                ended(Ok(()), &self.reader(frame), |()| wrap(Packet::$variant))
            };
        }
        match packet {
            PacketType::Connect => read!(Connect: r => Connect::decode(first, r)),
            PacketType::Connack => read!(Connack: r => Connack::decode(r)),
            PacketType::Publish => read!(Publish: r => Publish::decode(first, r)),
            PacketType::Puback => read!(Puback: r => Ack::decode(packet, r)),
            PacketType::Pubrec => read!(Pubrec: r => Ack::decode(packet, r)),
            PacketType::Pubrel => read!(Pubrel: r => Ack::decode(packet, r)),
            PacketType::Pubcomp => read!(Pubcomp: r => Ack::decode(packet, r)),
            PacketType::Subscribe => read!(Subscribe: r => Subscribe::decode(r)),
            PacketType::Suback => read!(Suback: r => Suback::decode(r)),
            PacketType::Unsubscribe => read!(Unsubscribe: r => Unsubscribe::decode(r)),
            PacketType::Unsuback => read!(Unsuback: r => Unsuback::decode(r)),
            PacketType::Pingreq => read!(Pingreq),
            PacketType::Pingresp => read!(Pingresp),
            PacketType::Disconnect => read!(Disconnect: r => Disconnect::decode(r)),
            PacketType::Auth => read!(Auth: r => Auth::decode(r)),
        }
    }

    /// Some packets travel one way only. [3.1.1 §2.2.1] [5.0 §2.1.2]
    fn check_direction(&self, packet: PacketType) -> Result<(), Offence> {
        match (packet, self.receiver) {
            (PacketType::Auth, _) if self.version != Version::V5 => Err(Offence::ReservedPacketType),
            (
                PacketType::Connack | PacketType::Suback | PacketType::Unsuback | PacketType::Pingresp,
                Receiver::Server,
            ) => Err(Offence::ServerPacketFromClient),
            (
                PacketType::Connect | PacketType::Subscribe | PacketType::Unsubscribe | PacketType::Pingreq,
                Receiver::Client,
            ) => Err(Offence::ClientPacketFromServer),
            (PacketType::Disconnect, Receiver::Client) if self.version != Version::V5 => {
                Err(Offence::ClientPacketFromServer)
            }
            _ => Ok(()),
        }
    }
}

/// What was decoded, if nothing is left behind it.
#[inline(always)]
fn ended<P, T>(
    decoded: Result<P, Malformed>,
    r: &Reader<'_>,
    wrap: impl FnOnce(P) -> T,
) -> Result<T, Malformed> {
    match decoded {
        Ok(packet) if r.is_empty() => Ok(wrap(packet)),
        Ok(_) => Err(r.offence(Offence::TrailingBytes, r.at())),
        Err(malformed) => Err(malformed),
    }
}

/// The reserved flags of the fixed header. [3.1.1 §2.2.2] [5.0 §2.1.3]
fn check_flags(packet: PacketType, flags: u8, version: Version) -> Result<(), Offence> {
    // 3.1 uses DUP and QoS 1 in SUBSCRIBE, UNSUBSCRIBE and PUBREL, and gives the other bits no meaning.
    if packet == PacketType::Publish || version == Version::V3_1 {
        return Ok(());
    }
    let expected = match packet {
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
        _ => 0,
    };
    if flags == expected {
        return Ok(());
    }
    Err(match packet {
        PacketType::Pubrel => Offence::PubrelFlags,
        PacketType::Subscribe => Offence::SubscribeFlags,
        PacketType::Unsubscribe => Offence::UnsubscribeFlags,
        PacketType::Disconnect => Offence::DisconnectFlags,
        PacketType::Auth => Offence::AuthFlags,
        _ => Offence::FixedHeaderFlags,
    })
}
