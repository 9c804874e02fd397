//! Whether a packet is one of those that a pattern describes.

use super::Pattern;
use mqtt_assay_codec::{Decoder, Packet, PacketId, Receiver, Version};

fn fits<T: PartialEq>(wanted: &Option<T>, found: &T) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted == found)
}

fn fits_id(wanted: Option<u16>, found: Option<PacketId>) -> bool {
    wanted.is_none_or(|wanted| found.is_some_and(|id| id.get() == wanted))
}

impl Pattern {
    /// Whether it describes this packet of a Server's, whose topic is `topic` if an alias stands in its place.
    pub fn fits(&self, bytes: &[u8], topic: Option<&str>, version: Version) -> bool {
        let decoder = Decoder::new(version, Receiver::Client);
        let Ok(Some((packet, _))) = decoder.next(bytes) else {
            return false;
        };
        match (self, &packet) {
            (Pattern::Connack { code, session_present }, Packet::Connack(p)) => {
                fits(code, &p.code.0) && fits(session_present, &p.session_present)
            }
            (Pattern::Publish { topic: wanted, payload, qos, retain, dup, id }, Packet::Publish(p)) => {
                wanted.as_deref().is_none_or(|wanted| wanted == topic.unwrap_or(p.topic))
                    && payload.as_deref().is_none_or(|payload| payload == p.payload)
                    && fits(qos, &p.qos)
                    && fits(retain, &p.retain)
                    && fits(dup, &p.dup)
                    && fits_id(*id, p.packet_id)
            }
            (
                Pattern::Ack { packet: wanted, id, reason },
                Packet::Puback(p) | Packet::Pubrec(p) | Packet::Pubrel(p) | Packet::Pubcomp(p),
            ) => {
                *wanted == packet.packet_type()
                    && fits_id(*id, Some(p.packet_id))
                    && fits(reason, &p.reason.0)
            }
            (Pattern::Suback { id, codes }, Packet::Suback(p)) => {
                fits_id(*id, Some(p.packet_id)) && codes.as_deref().is_none_or(|codes| codes == p.codes)
            }
            (Pattern::Unsuback { id, codes }, Packet::Unsuback(p)) => {
                fits_id(*id, Some(p.packet_id)) && codes.as_deref().is_none_or(|codes| codes == p.codes)
            }
            (Pattern::Pingresp, Packet::Pingresp) => true,
            (Pattern::Disconnect { reason }, Packet::Disconnect(p)) => fits(reason, &p.reason.0),
            (Pattern::Auth { reason }, Packet::Auth(p)) => fits(reason, &p.reason.0),
            _ => false,
        }
    }
}
