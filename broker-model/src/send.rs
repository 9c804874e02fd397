//! Sending: the Client's Maximum Packet Size, and why something was refused.

use crate::broker::{Broker, ConnectionId, Output};
use crate::mutant::Mutant;
use crate::will::Ending;
use mqtt_assay_codec::{
    Ack, Disconnect, Packet, PacketId, PacketType, Properties, Property, PropertyList, ReasonCode,
    Unencodable, Version,
};

impl Broker {
    /// Queues the bytes of one packet.
    pub(crate) fn transmit(&mut self, to: ConnectionId, bytes: Vec<u8>) {
        if let Some(connection) = self.connections.get_mut(&to) {
            if self.fault.is(Mutant::KeepAliveRenewedByServer) {
                connection.last_heard = self.now;
            }
            self.outputs.push_back(Output::Send(to, bytes));
        }
    }

    /// Sends an answer. `code` decides whether it explains itself; Reason String and User Property are left out
    /// if the packet would exceed the Client's Maximum Packet Size. [5.0/MQTT-3.2.2-19] [5.0/MQTT-3.4.2-2]
    /// [5.0/MQTT-3.5.2-2] [5.0/MQTT-3.6.2-2] [5.0/MQTT-3.7.2-2] [5.0/MQTT-3.9.2-1] [5.0/MQTT-3.11.2-1]
    /// [5.0/MQTT-3.14.2-3] [5.0/MQTT-3.15.2-2], and the same for User Properties.
    ///
    /// An answer that does not fit at all ends the connection: it may be neither sent nor left out.
    pub(crate) fn answer(
        &mut self,
        to: ConnectionId,
        packet: PacketType,
        code: ReasonCode,
        required: &PropertyList,
        encode: impl Fn(Properties<'_>, Version, &mut Vec<u8>) -> Result<(), Unencodable>,
    ) {
        let Some(connection) = self.connections.get(&to) else {
            return;
        };
        let (version, maximum) = (connection.version, connection.maximum_packet_size as usize);
        // Request Problem Information 0 does not bind these two. [5.0/MQTT-3.1.2-29]
        let allowed = connection.problem_information
            || matches!(packet, PacketType::Connack | PacketType::Disconnect)
            || self.fault.is(Mutant::ProblemInformationUnasked);
        let mut bytes = Vec::new();
        if version == Version::V5 && allowed {
            let explained = self.explained(code, required);
            if let Some(explained) = explained {
                let fits = encode(explained.view(), version, &mut bytes).is_ok() && bytes.len() <= maximum;
                let heedless = self.fault.is(Mutant::ReasonStringExceedsMaximum)
                    || self.fault.is(Mutant::UserPropertyExceedsMaximum);
                if fits || heedless {
                    return self.transmit(to, bytes);
                }
                bytes.clear();
            }
        }
        if encode(required.view(), version, &mut bytes).is_ok() && bytes.len() <= maximum {
            self.transmit(to, bytes);
        } else if packet != PacketType::Disconnect {
            // Where CONNACK does not fit, nothing else may come in its place. [5.0/MQTT-3.2.0-1] [5.0/MQTT-3.14.0-1]
            if packet == PacketType::Connack
                && let Some(connection) = self.connections.get_mut(&to)
            {
                connection.maximum_packet_size = 0;
            }
            self.doomed.push_back(to);
        }
    }

    /// The required properties and an explanation, if there is one to give.
    fn explained(&self, code: ReasonCode, required: &PropertyList) -> Option<PropertyList> {
        let refuses = !code.is_success();
        let reason = match code.name() {
            _ if self.fault.is(Mutant::ReasonStringExceedsMaximum) => Some("reason ".repeat(43)),
            Some(name) if refuses && self.policy.reason_strings => Some(name.to_owned()),
            _ => None,
        };
        let pair = match &self.policy.diagnostic {
            _ if self.fault.is(Mutant::UserPropertyExceedsMaximum) => {
                Some(("detail".into(), "x".repeat(290)))
            }
            Some(pair) if refuses => Some(pair.clone()),
            _ => None,
        };
        if reason.is_none() && pair.is_none() {
            return None;
        }
        let mut list = required.clone();
        if let Some(reason) = &reason {
            list.push(Property::ReasonString(reason));
        }
        if let Some((name, value)) = &pair {
            list.push(Property::UserProperty((name, value)));
        }
        Some(list)
    }

    /// Sends PUBACK, PUBREC, PUBREL or PUBCOMP.
    pub(crate) fn acknowledge(
        &mut self,
        to: ConnectionId,
        packet: PacketType,
        id: PacketId,
        code: ReasonCode,
    ) {
        let (unlisted, wrong_id) = match packet {
            PacketType::Puback => (Mutant::PubackCodeUnlisted, Mutant::PubackWrongId),
            PacketType::Pubrec => (Mutant::PubrecCodeUnlisted, Mutant::PubrecWrongId),
            PacketType::Pubrel => (Mutant::PubrelCodeUnlisted, Mutant::PubrelWrongId),
            _ => (Mutant::PubcompCodeUnlisted, Mutant::PubcompWrongId),
        };
        let reason = if self.fault.is(unlisted) { ReasonCode(0x01) } else { code };
        let packet_id = if self.fault.is(wrong_id) { other_id(id) } else { id };
        let flags_wrong = self.fault.is(Mutant::PubrelFlagsWrong) && packet == PacketType::Pubrel;
        self.answer(to, packet, reason, &PropertyList::new(), |properties, version, to| {
            let ack = Ack { packet_id, reason, properties };
            let all = match packet {
                PacketType::Puback => Packet::Puback(ack),
                PacketType::Pubrec => Packet::Pubrec(ack),
                PacketType::Pubrel => Packet::Pubrel(ack),
                _ => Packet::Pubcomp(ack),
            };
            all.encode(version, to)?;
            if flags_wrong && let Some(first) = to.first_mut() {
                *first &= 0xF0;
            }
            Ok(())
        });
    }

    /// Ends a connection, in 5.0 with DISCONNECT first, unless CONNACK has not been sent.
    /// [5.0/MQTT-3.14.0-1] [5.0/MQTT-4.13.2-1]
    pub(crate) fn disconnect(&mut self, id: ConnectionId, code: ReasonCode, ending: Ending) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let silent = ending == Ending::TakenOver && self.fault.is(Mutant::TakeoverWithoutDisconnect);
        if connection.session().is_some() && connection.version == Version::V5 && !silent {
            let mut properties = PropertyList::new();
            if self.fault.is(Mutant::DisconnectWithSessionExpiry) {
                properties.push(Property::SessionExpiryInterval(60));
            }
            let reason = match self.fault.0 {
                Some(Mutant::DisconnectCodeUnlisted) => ReasonCode(0x01),
                Some(Mutant::DisconnectCodeNormal) => ReasonCode::SUCCESS,
                _ => code,
            };
            self.answer(id, PacketType::Disconnect, code, &properties, |properties, version, to| {
                Packet::Disconnect(Disconnect { reason, properties }).encode(version, to)
            });
            if self.fault.is(Mutant::SendsAfterDisconnect) {
                self.transmit(id, vec![0xD0, 0]);
            }
        }
        if !(ending == Ending::Error && self.fault.is(Mutant::ProtocolErrorKeptOpen)) {
            self.close(id, ending);
        }
    }
}

/// Another Packet Identifier, for faulty brokers.
pub(crate) fn other_id(id: PacketId) -> PacketId {
    id.checked_add(1).unwrap_or(PacketId::MIN)
}
