//! PUBLISH, both ways. [3.1.1 §3.3] [5.0 §3.3]
//!
//! ```text
//!   3x  remaining length         x: dup · qos (2) · retain
//!   topic name                   2 + n
//!   packet identifier            2      if QoS > 0
//!   properties                   5.0 only
//!   payload                      the rest
//! ```

use crate::encode::{Unencodable, binary, field, header, properties, properties_length};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties, PropertyId};
use crate::reader::Reader;
use crate::types::{PacketId, PacketType, Qos, Version};
use crate::unchecked::Small;
use alloc::vec::Vec;

/// A PUBLISH packet. [3.1.1 §3.3] [5.0 §3.3]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Publish<'a> {
    /// DUP: this packet may be a re-delivery.
    pub dup: bool,
    /// QoS.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name; empty only in 5.0, where a Topic Alias stands for it.
    pub topic: &'a str,
    /// Packet Identifier: present exactly if the QoS is above 0.
    pub packet_id: Option<PacketId>,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
    /// The Application Message's payload; it may be empty.
    pub payload: &'a [u8],
}

impl<'a> Publish<'a> {
    /// A QoS 0 PUBLISH, not retained.
    pub const fn new(topic: &'a str, payload: &'a [u8]) -> Self {
        Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: false,
            topic,
            packet_id: None,
            properties: Properties::NONE,
            payload,
        }
    }

    #[inline(always)]
    pub(super) fn decode(first: u8, r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let Some(qos) = Qos::from_u8(first >> 1 & 0b11) else {
            return Err(r.offence(Offence::PublishQos3, 0));
        };
        let dup = first & 0b1000 != 0;
        // 3.1 says nothing of DUP at QoS 0.
        if dup && qos == Qos::AtMostOnce && r.version != Version::V3_1 {
            return Err(r.offence(Offence::PublishDupAtQos0, 0));
        }
        let topic_at = r.at();
        let topic = r.topic_name(Offence::TopicNameWildcard)?;
        if topic.is_empty() && r.version != Version::V5 {
            return Err(r.offence(Offence::TopicNameEmpty, topic_at));
        }
        let packet_id = if qos == Qos::AtMostOnce { None } else { Some(r.packet_id()?) };
        let (properties, aliased) = match r.version {
            Version::V5 => {
                let (properties, present) = Properties::decode(r, Place::Packet(PacketType::Publish))?;
                (properties, present.has(PropertyId::TopicAlias))
            }
            _ => (Properties::NONE, false),
        };
        if topic.is_empty() && !aliased {
            return Err(r.offence(Offence::PublishTopicMissing, topic_at));
        }
        let payload = r.rest();
        Ok(Publish { dup, qos, retain: first & 1 != 0, topic, packet_id, properties, payload })
    }

    #[inline]
    pub(super) fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        let first = 0x30 | u8::from(self.dup) << 3 | self.qos.as_u8() << 1 | u8::from(self.retain);
        let (word, word_length) = match (self.qos, self.packet_id) {
            (Qos::AtMostOnce, None) => (0, 0),
            (Qos::AtLeastOnce | Qos::ExactlyOnce, Some(id)) => (u64::from(id.get().swap_bytes()), 2),
            _ => return Err(Unencodable::PacketIdentifier),
        };
        let (field, payload) = (self.topic.as_bytes(), self.payload);
        // Behind the topic: the Packet Identifier, and in 5.0 the Property Length; of a short list it is one byte.
        let appended = if version == Version::V5 {
            let list = self.properties.as_bytes();
            let word = word | (list.len() as u64) << (8 * word_length);
            Small { first, field, word, word_length: word_length + 1, bytes: list, payload }.append(to)
        } else {
            Small { first, field, word, word_length, bytes: &[], payload }.append(to)
        };
        if appended { Ok(()) } else { self.encode_any(first, version, to) }
    }

    /// Of any size, and with room made for it.
    #[cold]
    fn encode_any(&self, first: u8, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        let (topic, list) = (self.topic.as_bytes(), self.properties.as_bytes());
        let id_length = if self.packet_id.is_some() { 2 } else { 0 };
        let length = field(topic)? + id_length + properties_length(list, version) + self.payload.len();
        header(first, length, to)?;
        binary(topic, to);
        if let Some(id) = self.packet_id {
            to.extend_from_slice(&id.get().to_be_bytes());
        }
        properties(list, version, to);
        to.extend_from_slice(self.payload);
        Ok(())
    }
}
