//! A packet of the broker, kept with its bytes.

use super::Stop;
use mqtt_assay_codec::{
    Decoder, Packet, PacketId, PacketType, Publish, ReasonCode, Receiver, Version, describe,
};

/// A packet that the broker sent: the frame's bytes, viewed on demand.
#[derive(Clone, Debug)]
pub struct Received {
    bytes: Vec<u8>,
    version: Version,
    packet_type: PacketType,
    /// The Topic Name of a PUBLISH, a Topic Alias resolved.
    topic: String,
    /// Index of its log entry.
    pub(crate) index: Option<usize>,
}

impl Received {
    /// Keeps a frame that was decoded before.
    pub(crate) fn new(
        bytes: Vec<u8>,
        version: Version,
        packet_type: PacketType,
        index: Option<usize>,
    ) -> Self {
        Received { bytes, version, packet_type, topic: String::new(), index }
    }

    /// Names the topic of a PUBLISH, which the packet itself may give by its alias only.
    pub(crate) fn set_topic(&mut self, topic: String) {
        self.topic = topic;
    }

    /// The packet.
    pub fn packet(&self) -> Packet<'_> {
        match Decoder::new(self.version, Receiver::Client).next(&self.bytes) {
            Ok(Some((packet, _))) => packet,
            // Only frames that were decoded before are kept.
            _ => Packet::Pingresp,
        }
    }

    /// Its type.
    pub fn packet_type(&self) -> PacketType {
        self.packet_type
    }

    /// The PUBLISH, if it is one.
    pub fn publish(&self) -> Option<Publish<'_>> {
        match self.packet() {
            Packet::Publish(publish) => Some(publish),
            _ => None,
        }
    }

    /// The Topic Name of a PUBLISH, a Topic Alias resolved; empty for other packets.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The payload of a PUBLISH; empty for other packets.
    pub fn payload(&self) -> &[u8] {
        self.publish().map_or(&[], |p| p.payload)
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The packet in one line.
    pub fn line(&self) -> String {
        describe::line(&self.packet(), self.version)
    }
}

impl Received {
    /// Its Packet Identifier; a packet without one leaves the story without footing.
    pub fn id(&self) -> Result<PacketId, Stop> {
        self.packet().packet_id().ok_or_else(|| {
            Stop::inconclusive(format!("a packet with a Packet Identifier was expected: {}", self.line()))
        })
    }

    /// The Reason Code of a PUBACK, PUBREC, PUBREL or PUBCOMP; Success before 5.0 and for other packets.
    pub fn reason(&self) -> ReasonCode {
        match self.packet() {
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
                ack.reason
            }
            _ => ReasonCode::SUCCESS,
        }
    }

    /// The codes of a SUBACK or UNSUBACK; empty for other packets, and for an UNSUBACK before 5.0.
    pub fn codes(&self) -> &[u8] {
        match self.packet() {
            Packet::Suback(ack) => ack.codes,
            Packet::Unsuback(ack) => ack.codes,
            _ => &[],
        }
    }
}
