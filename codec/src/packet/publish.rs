//! PUBLISH, both ways. [3.1.1 §3.3] [5.0 §3.3]
//!
//! ```text
//!   3x  remaining length         x: dup · qos (2) · retain
//!   topic name                   2 + n
//!   packet identifier            2      if QoS > 0
//!   properties                   5.0 only
//!   payload                      the rest
//! ```

use crate::encode::{Unencodable, field, header_and_length, put, variable_byte_integer_word};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties, PropertyId};
use crate::reader::Reader;
use crate::types::{PacketId, PacketType, Qos, Version};
use alloc::vec::Vec;

/// A PUBLISH packet.
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

    pub(super) fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        if self.packet_id.is_some() != (self.qos != Qos::AtMostOnce) {
            return Err(Unencodable::PacketIdentifier);
        }
        let first = 0x30 | u8::from(self.dup) << 3 | self.qos.as_u8() << 1 | u8::from(self.retain);
        let properties = if version == Version::V5 { self.properties.as_bytes() } else { &[] };
        // What stands between the topic and the properties: the Packet Identifier and the Property Length.
        let (mut between, mut bytes) =
            if version == Version::V5 { variable_byte_integer_word(properties.len()) } else { (0, 0) };
        if let Some(id) = self.packet_id {
            between = between << 16 | u64::from(id.get().swap_bytes());
            bytes += 2;
        }
        let topic = self.topic.as_bytes();
        let length = field(topic)? + bytes + properties.len() + self.payload.len();
        header_and_length(first, length, topic, to)?;
        to.extend_from_slice(topic);
        if bytes > 0 {
            put(between, bytes, to);
        }
        if !properties.is_empty() {
            to.extend_from_slice(properties);
        }
        to.extend_from_slice(self.payload);
        Ok(())
    }
}
