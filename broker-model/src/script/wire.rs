//! What a script sends, as bytes.

use super::broken::broken;
use super::{Connect, Send};
use mqtt_assay_codec::{
    Ack, Auth, Connect as ConnectPacket, Disconnect, Packet, PacketId, PacketType, Publish, Qos, Subscribe,
    SubscriptionList, TopicFilterList, Unsubscribe, Version, Will as WillPacket,
};

/// One packet; nothing if the encoder refuses it, as no packet has that form.
pub(super) fn encode(packet: &Packet<'_>, version: Version) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).ok()?;
    Some(bytes)
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
pub(super) fn acknowledgement(packet: PacketType, ack: Ack<'_>) -> Packet<'_> {
    match packet {
        PacketType::Puback => Packet::Puback(ack),
        PacketType::Pubrec => Packet::Pubrec(ack),
        PacketType::Pubrel => Packet::Pubrel(ack),
        _ => Packet::Pubcomp(ack),
    }
}

impl Connect {
    /// The CONNECT of a client of this name; nothing if no packet has that form.
    pub fn encode(&self, version: Version, name: &str) -> Option<Vec<u8>> {
        let packet = ConnectPacket {
            version,
            clean_start: self.clean_start,
            keep_alive: self.keep_alive,
            user_name: self.user_name.as_deref(),
            password: self.password.as_deref(),
            properties: self.properties.view(),
            will: self.will.as_ref().map(|will| WillPacket {
                topic: &will.topic,
                payload: &will.payload,
                qos: will.qos,
                retain: will.retain,
                properties: will.properties.view(),
            }),
            ..ConnectPacket::new(version, self.client_id.as_deref().unwrap_or(name))
        };
        encode(&Packet::Connect(packet), version)
    }
}

impl Send {
    /// The Packet Identifier that the script gives it.
    pub fn packet_id(&self) -> Option<PacketId> {
        match self {
            Send::Publish { id, .. } | Send::Subscribe { id, .. } | Send::Unsubscribe { id, .. } => {
                id.and_then(PacketId::new)
            }
            Send::Ack { id, .. } => PacketId::new(*id),
            _ => None,
        }
    }

    /// Its bytes, from a client of this name; `packet_id` is the Packet Identifier if the script gives it none.
    /// Nothing if no packet has that form.
    pub fn encode(&self, version: Version, name: &str, packet_id: PacketId) -> Option<Vec<u8>> {
        let packet_id = self.packet_id().unwrap_or(packet_id);
        match self {
            Send::Publish { topic, payload, qos, retain, dup, properties, .. } => {
                let publish = Publish {
                    dup: *dup,
                    qos: *qos,
                    retain: *retain,
                    topic,
                    packet_id: (*qos > Qos::AtMostOnce).then_some(packet_id),
                    properties: properties.view(),
                    payload,
                };
                encode(&Packet::Publish(publish), version)
            }
            Send::Ack { packet, id, reason, properties } => {
                let ack = Ack { properties: properties.view(), ..Ack::new(PacketId::new(*id)?, *reason) };
                encode(&acknowledgement(*packet, ack), version)
            }
            Send::Subscribe { filters, properties, .. } => {
                let mut list = SubscriptionList::new();
                for (filter, options) in filters {
                    list.push(filter, *options);
                }
                let packet =
                    Subscribe { packet_id, properties: properties.view(), subscriptions: list.view() };
                encode(&Packet::Subscribe(packet), version)
            }
            Send::Unsubscribe { filters, properties, .. } => {
                let mut list = TopicFilterList::new();
                for filter in filters {
                    list.push(filter);
                }
                let packet = Unsubscribe { packet_id, properties: properties.view(), filters: list.view() };
                encode(&Packet::Unsubscribe(packet), version)
            }
            Send::Pingreq => encode(&Packet::Pingreq, version),
            Send::Disconnect { reason, properties } => {
                let disconnect = Disconnect { properties: properties.view(), ..Disconnect::new(*reason) };
                encode(&Packet::Disconnect(disconnect), version)
            }
            Send::Auth { reason, properties } => {
                encode(&Packet::Auth(Auth { reason: *reason, properties: properties.view() }), version)
            }
            Send::Connect(connect) => connect.encode(version, name),
            Send::Raw(bytes) => Some(bytes.clone()),
            Send::Broken(name) => broken(version, name).map(<[u8]>::to_vec),
        }
    }
}
