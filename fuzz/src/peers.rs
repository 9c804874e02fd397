//! The independent codecs, behind one function each.

use flowsdk::mqtt_serde::control_packet::MqttPacket;
use flowsdk::mqtt_serde::parser::ParseOk;
use mqtt_assay_codec::Version;

/// An independent codec.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Peer {
    /// flowsdk with its feature `strict-protocol-compliance`.
    Flowsdk,
    /// mqtt-proto.
    MqttProto,
}

impl Peer {
    /// Both.
    pub const ALL: [Peer; 2] = [Peer::Flowsdk, Peer::MqttProto];

    /// Whether the peer takes these bytes as one whole packet; else what it says.
    ///
    /// # Errors
    ///
    /// What the peer says of the bytes.
    pub fn accepts(self, frame: &[u8], version: Version) -> Result<(), String> {
        match (self, version) {
            (Peer::Flowsdk, Version::V5) => flowsdk(MqttPacket::from_bytes_v5(frame), frame),
            (Peer::Flowsdk, _) => flowsdk(MqttPacket::from_bytes_v3(frame), frame),
            (Peer::MqttProto, Version::V5) => mqtt_proto(mqtt_proto::v5::Packet::decode(frame)),
            (Peer::MqttProto, _) => mqtt_proto(mqtt_proto::v3::Packet::decode(frame)),
        }
    }
}

fn flowsdk<E: core::fmt::Debug>(found: Result<ParseOk, E>, frame: &[u8]) -> Result<(), String> {
    match found {
        Ok(ParseOk::Packet(_, length)) if length == frame.len() => Ok(()),
        Ok(ParseOk::Packet(_, length)) => Err(format!("takes {length} of {} bytes", frame.len())),
        Ok(_) => Err("wants more".into()),
        Err(error) => Err(format!("{error:?}")),
    }
}

fn mqtt_proto<P, E: core::fmt::Debug>(found: Result<Option<P>, E>) -> Result<(), String> {
    match found {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err("wants more".into()),
        Err(error) => Err(format!("{error:?}")),
    }
}
