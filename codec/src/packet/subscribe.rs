//! SUBSCRIBE, Client to Server. [3.1.1 §3.8] [5.0 §3.8]
//!
//! ```text
//!   82  remaining length
//!   packet identifier            2
//!   properties                   5.0 only
//!   { topic filter               2 + n
//!     options                    1      0 (2) · retain handling (2) · retain as published · no local · qos (2) }
//!                                       one or more; before 5.0 the upper six bits of options are 0
//! ```

use crate::encode::{Unencodable, header, properties, properties_length, text};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties};
use crate::reader::Reader;
use crate::topic;
use crate::types::{PacketId, PacketType, Qos, Receiver, Version};
use alloc::vec::Vec;
use core::fmt;

/// A SUBSCRIBE packet. [3.1.1 §3.8] [5.0 §3.8]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Subscribe<'a> {
    /// Packet Identifier, which SUBACK repeats.
    pub packet_id: PacketId,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
    /// The Topic Filters with their options, in order.
    pub subscriptions: Subscriptions<'a>,
}

/// One Topic Filter and its options. [3.1.1 §3.8.3] [5.0 §3.8.3]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subscription<'a> {
    /// Topic Filter; in 5.0 it may be a shared one.
    pub filter: &'a str,
    /// Subscription Options.
    pub options: SubscriptionOptions,
}

/// Subscription Options; before 5.0 only the QoS. [5.0 §3.8.3.1]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct SubscriptionOptions {
    /// Maximum QoS that the Server may use towards the Client.
    pub qos: Qos,
    /// No Local: what the Client itself publishes does not come back.
    pub no_local: bool,
    /// Retain As Published: forwarded messages keep their RETAIN flag.
    pub retain_as_published: bool,
    /// Retain Handling: whether retained messages are sent at subscribe.
    pub retain_handling: RetainHandling,
}

/// Retain Handling. [5.0 §3.8.3.1]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum RetainHandling {
    /// 0: send retained messages at subscribe.
    #[default]
    Send = 0,
    /// 1: send them only if the subscription did not exist.
    SendIfNew = 1,
    /// 2: do not send them.
    DoNotSend = 2,
}

impl SubscriptionOptions {
    /// Options with this QoS and all else 0.
    pub const fn qos(qos: Qos) -> Self {
        SubscriptionOptions {
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
        }
    }

    /// The options byte.
    pub const fn as_u8(self) -> u8 {
        self.qos as u8
            | (self.no_local as u8) << 2
            | (self.retain_as_published as u8) << 3
            | (self.retain_handling as u8) << 4
    }

    const fn from_u8(byte: u8, version: Version) -> Result<Self, Offence> {
        let reserved = if matches!(version, Version::V5) { 0b1100_0000 } else { 0b1111_1100 };
        if byte & reserved != 0 {
            return Err(Offence::SubscriptionReservedBits);
        }
        let Some(qos) = Qos::from_u8(byte & 0b11) else {
            return Err(Offence::SubscriptionQos3);
        };
        let retain_handling = match byte >> 4 {
            0 => RetainHandling::Send,
            1 => RetainHandling::SendIfNew,
            2 => RetainHandling::DoNotSend,
            _ => return Err(Offence::RetainHandling3),
        };
        Ok(SubscriptionOptions {
            qos,
            no_local: byte & 0b100 != 0,
            retain_as_published: byte & 0b1000 != 0,
            retain_handling,
        })
    }
}

/// The validated list of a SUBSCRIBE: filters and options, iterated on demand. [3.1.1 §3.8.3] [5.0 §3.8.3]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Subscriptions<'a> {
    bytes: &'a [u8],
}

impl<'a> Subscriptions<'a> {
    /// The filters with their options, in the order of the packet.
    pub fn iter(&self) -> impl Iterator<Item = Subscription<'a>> + use<'a> {
        let mut reader = Reader::new(self.bytes, 0, Version::V5, Receiver::Server);
        core::iter::from_fn(move || {
            // Validated before: a failure cannot happen, and would end the list.
            let filter = reader.string().ok()?;
            let options = SubscriptionOptions::from_u8(reader.u8().ok()?, Version::V5).ok()?;
            Some(Subscription { filter, options })
        })
    }
}

impl fmt::Debug for Subscriptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The list of a SUBSCRIBE under construction. [3.1.1 §3.8.3] [5.0 §3.8.3]
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SubscriptionList {
    bytes: Vec<u8>,
}

impl SubscriptionList {
    /// An empty list.
    pub const fn new() -> Self {
        SubscriptionList { bytes: Vec::new() }
    }

    /// A list of one filter.
    pub fn one(filter: &str, options: SubscriptionOptions) -> Self {
        let mut list = SubscriptionList::new();
        list.push(filter, options);
        list
    }

    /// Appends a filter; it is cut at 65,535 bytes, the most that its length can tell, not inside a character.
    pub fn push(&mut self, filter: &str, options: SubscriptionOptions) -> &mut Self {
        text(filter, &mut self.bytes);
        self.bytes.push(options.as_u8());
        self
    }

    /// The list as the packet carries it.
    pub fn view(&self) -> Subscriptions<'_> {
        Subscriptions { bytes: &self.bytes }
    }
}

impl<'a> Subscribe<'a> {
    #[inline(always)]
    pub(super) fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let packet_id = r.packet_id()?;
        let properties = match r.version {
            Version::V5 => Properties::decode(r, Place::Packet(PacketType::Subscribe))?.0,
            _ => Properties::NONE,
        };
        if r.is_empty() {
            return Err(r.offence(Offence::SubscribeEmpty, r.at()));
        }
        let mut list = *r;
        while !r.is_empty() {
            let filter = topic_filter(r)?;
            let at = r.at();
            let options = SubscriptionOptions::from_u8(r.u8()?, r.version).map_err(|o| r.offence(o, at))?;
            if options.no_local && filter.starts_with("$share/") {
                return Err(r.offence(Offence::NoLocalOnShared, at));
            }
        }
        Ok(Subscribe { packet_id, properties, subscriptions: Subscriptions { bytes: list.rest() } })
    }

    pub(super) fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        if version != Version::V5 {
            return self.encode_qos_only(to);
        }
        let list = self.subscriptions.bytes;
        header(0x82, 2 + properties_length(self.properties.as_bytes(), version) + list.len(), to)?;
        to.extend_from_slice(&self.packet_id.get().to_be_bytes());
        properties(self.properties.as_bytes(), version, to);
        to.extend_from_slice(list);
        Ok(())
    }
}

impl Subscribe<'_> {
    /// Before 5.0 the options are the QoS and nothing else. [3.1.1/MQTT-3.8.3-4]
    fn encode_qos_only(&self, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        let list = self.subscriptions.bytes;
        header(0x82, 2 + list.len(), to)?;
        to.extend_from_slice(&self.packet_id.get().to_be_bytes());
        let start = to.len();
        to.extend_from_slice(list);
        let mut rest = &mut to[start..];
        while let Some((length, after)) = rest.split_first_chunk_mut::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((options, after)) = after.get_mut(length..).and_then(<[u8]>::split_first_mut) else {
                break;
            };
            *options &= 0b11;
            rest = after;
        }
        Ok(())
    }
}

/// A Topic Filter of the right form. [3.1.1 §4.7] [5.0 §4.7, §4.8.2]
pub(super) fn topic_filter<'a>(r: &mut Reader<'a>) -> Result<&'a str, Malformed> {
    let start = r.at();
    let filter = r.string()?;
    topic::check_filter(filter, r.version).map_err(|(offence, at)| match offence {
        Offence::TopicFilterEmpty => r.offence(offence, start),
        _ => r.offence(offence, start + 2 + at),
    })?;
    Ok(filter)
}
