//! What the Server cannot do it announces, and what it has not announced it does.
//! A Will above the Maximum QoS, or retained where nothing is, is refused with its CONNECT [5.0/MQTT-3.2.2-12]
//! [5.0/MQTT-3.2.2-13]. A Server that does not take a QoS has said so [5.0/MQTT-3.2.2-9], and takes SUBSCRIBEs that ask for it all
//! the same [5.0/MQTT-3.2.2-10]. It takes no more messages at one time than it has said [5.0/U5-PUB-13] [5.0/MQTT-4.13.1-1].
//!
//! Frees     granting less.
//! Unknown   nothing.

use super::ledger::{Connection, ConnectionNo};
use super::{Cites, Fact, Findings, Ledger, Rule, Seen, closing};
use mqtt_assay_codec::{Packet, PacketId, Qos, ReasonCode, Version};
use std::collections::{BTreeMap, BTreeSet};

const WILL_QOS: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.2.2-12"] };
const WILL_RETAIN: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.2.2-13"] };
const MAXIMUM_QOS: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.2.2-9"] };
const SUBSCRIBE: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.2.2-10"] };
const RECEIVE_MAXIMUM: Cites = Cites { v3_1_1: &[], v5: &["U5-PUB-13", "MQTT-4.13.1-1"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Announced {
    /// What the Server has received and not completed, where the client has broken a rule.
    received: BTreeMap<ConnectionNo, BTreeSet<PacketId>>,
}

impl Rule for Announced {
    fn name(&self) -> &'static str {
        "announced"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        if matches!(seen.fact, Fact::Ended(..)) && !self.received.is_empty() {
            for no in closing(seen, ledger) {
                self.received.remove(&no);
            }
        }
        let (Fact::Received(packet, _), Some(no)) = (seen.fact, seen.connection) else { return };
        let connection = &ledger[no];
        if connection.version != Version::V5 {
            return;
        }
        match packet {
            Packet::Connack(_) => connected(connection, ledger, found),
            Packet::Disconnect(disconnect) if disconnect.reason == ReasonCode::QOS_NOT_SUPPORTED => {
                not_supported(connection, ledger, found);
            }
            Packet::Pubrec(ack) if ack.reason.is_success() => {
                self.received(no, ack.packet_id, connection, found);
            }
            // What is completed leaves its place.
            Packet::Pubcomp(ack) => {
                if let Some(ids) = self.received.get_mut(&no) {
                    ids.remove(&ack.packet_id);
                }
            }
            _ => {}
        }
    }
}

impl Announced {
    fn received(&mut self, no: ConnectionNo, id: PacketId, connection: &Connection, found: &mut Findings) {
        let ids = self.received.entry(no).or_default();
        ids.insert(id);
        let limit = connection.answered.map_or(u16::MAX, |answered| answered.receive_maximum);
        if ids.len() > usize::from(limit) {
            let expected = format!("at most {limit} messages at one time, the Server's Receive Maximum");
            found.accuse(RECEIVE_MAXIMUM, Version::V5, expected, format!("PUBREC for {}", ids.len()));
            ids.clear();
        }
    }
}

fn connected(connection: &Connection, ledger: &Ledger, found: &mut Findings) {
    let (Some(asked), Some(answered)) = (&connection.asked, connection.answered) else { return };
    let Some(will) = asked.will.filter(|_| answered.accepts()).map(|will| &ledger[will.message]) else {
        return;
    };
    if will.qos > answered.maximum_qos {
        let expected = format!("a Will of QoS {} to be refused", will.qos);
        let observed = format!("it is accepted, with Maximum QoS {}", answered.maximum_qos);
        found.accuse(WILL_QOS, Version::V5, expected, observed);
    }
    if will.retain && !answered.retain_available {
        let observed = "it is accepted, though nothing is retained";
        found.accuse(WILL_RETAIN, Version::V5, "a Will with Will Retain to be refused", observed);
    }
}

/// DISCONNECT 0x9B: something had too high a QoS.
fn not_supported(connection: &Connection, ledger: &Ledger, found: &mut Findings) {
    let (Some(answered), Some(session)) = (connection.answered, connection.session) else { return };
    if connection.offended.is_some() {
        return found.decided();
    }
    let subscribed = connection.requests.values().filter(|request| request.subscribes).any(|request| {
        let asked =
            |place: &Option<usize>| place.map(|place| ledger[session].subscriptions[place].options.qos);
        request.subscriptions.iter().filter_map(asked).any(|qos| qos > answered.maximum_qos)
    });
    if subscribed {
        let expected = "SUBACK for a SUBSCRIBE above the Maximum QoS";
        found.accuse(SUBSCRIBE, Version::V5, expected, "DISCONNECT 0x9b");
    } else if answered.maximum_qos == Qos::ExactlyOnce {
        let expected = "every QoS to be taken, as CONNACK has announced no Maximum QoS";
        found.accuse(MAXIMUM_QOS, Version::V5, expected, "DISCONNECT 0x9b");
    }
}
