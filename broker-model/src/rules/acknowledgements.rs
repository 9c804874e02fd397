//! What a Client publishes and releases is answered, each packet with its own answer.
//! PUBLISH by its QoS [3.1.1/MQTT-3.3.4-1] [5.0/MQTT-3.3.4-1]: PUBACK [3.1.1/MQTT-4.3.2-2] [5.0/MQTT-4.3.2-4], PUBREC
//! [3.1.1/MQTT-4.3.3-2] [5.0/MQTT-4.3.3-8], again if it is repeated [5.0/MQTT-4.3.3-10]; PUBREL with PUBCOMP
//! [3.1.1/MQTT-4.3.3-2] [5.0/MQTT-4.3.3-11], though the message has expired [5.0/MQTT-4.3.3-13]; with the Packet Identifier
//! of what is answered [3.1.1/MQTT-2.3.1-6] [5.0/MQTT-2.2.1-5]. What a Client may not publish is answered all the same, or
//! the connection ends [3.1.1/MQTT-3.3.5-2].
//!
//! Frees     any Reason Code; the order of answers; closing in place of an answer; an answer on the next connection of the
//!           session.
//! Unknown   when the connection did not last; when a DISCONNECT came, or the Client has broken a rule.

use super::ledger::{ConnectionNo, Ledger, Message, SessionNo};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use core::time::Duration;
use mqtt_assay_codec::{Packet, PacketId, PacketType, Qos, Version};
use std::collections::BTreeMap;

const WRONG_ID: Cites = Cites { v3_1_1: &["MQTT-2.3.1-6"], v5: &["MQTT-2.2.1-5"] };
const WRONG_PUBCOMP: Cites = Cites { v3_1_1: &["MQTT-4.3.3-2"], v5: &["MQTT-2.2.1-5"] };
const BY_QOS: Cites = Cites { v3_1_1: &["MQTT-3.3.4-1"], v5: &["MQTT-3.3.4-1"] };
const PUBACK: Cites =
    Cites { v3_1_1: &["MQTT-3.3.4-1", "MQTT-4.3.2-2"], v5: &["MQTT-3.3.4-1", "MQTT-4.3.2-4"] };
const PUBREC: Cites =
    Cites { v3_1_1: &["MQTT-3.3.4-1", "MQTT-4.3.3-2"], v5: &["MQTT-3.3.4-1", "MQTT-4.3.3-8"] };
const PUBREC_AGAIN: Cites =
    Cites { v3_1_1: &["MQTT-3.3.4-1", "MQTT-4.3.3-2"], v5: &["MQTT-3.3.4-1", "MQTT-4.3.3-10"] };
const PUBCOMP: Cites = Cites { v3_1_1: &["MQTT-4.3.3-2"], v5: &["MQTT-4.3.3-11"] };
const PUBCOMP_EXPIRED: Cites = Cites { v3_1_1: &["MQTT-4.3.3-2"], v5: &["MQTT-4.3.3-11", "MQTT-4.3.3-13"] };
const REFUSED: Cites = Cites { v3_1_1: &["MQTT-3.3.5-2", "MQTT-3.3.4-1"], v5: &[] };

/// Packets of one kind and identifier that wait for their answers.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// When the oldest was sent.
    since: Duration,
    /// How many they are.
    count: u32,
}

/// The packet that is due, and for which identifier.
type Answer = (PacketType, PacketId);

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Acknowledgements {
    due: BTreeMap<(ConnectionNo, Answer), Due>,
    /// What was due when a connection ended: it may come on the next one.
    left: BTreeMap<(SessionNo, Answer), u32>,
}

impl Rule for Acknowledgements {
    fn name(&self) -> &'static str {
        "acknowledgements"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Sent(packet), Some(no)) => {
                let answer = match packet {
                    Packet::Publish(publish) => match (publish.qos, publish.packet_id) {
                        (Qos::AtLeastOnce, Some(id)) => (PacketType::Puback, id),
                        (Qos::ExactlyOnce, Some(id)) => (PacketType::Pubrec, id),
                        _ => return,
                    },
                    Packet::Pubrel(ack) => (PacketType::Pubcomp, ack.packet_id),
                    _ => return,
                };
                self.due.entry((no, answer)).or_insert(Due { since: ledger.now, count: 0 }).count += 1;
            }
            (Fact::Received(packet, _), Some(no)) => {
                let answer = match packet {
                    Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack) => {
                        (packet.packet_type(), ack.packet_id)
                    }
                    _ => return,
                };
                self.answered(no, answer, ledger, found);
            }
            (Fact::Ended(..) | Fact::Finished, _) => {
                for no in closing(seen, ledger) {
                    self.closed(no, ledger, found);
                }
            }
            _ => {}
        }
    }
}

impl Acknowledgements {
    fn answered(&mut self, no: ConnectionNo, answer: Answer, ledger: &Ledger, found: &mut Findings) {
        if let Some(due) = self.due.get_mut(&(no, answer)) {
            due.count -= 1;
            if due.count == 0 {
                self.due.remove(&(no, answer));
            }
            return found.decided();
        }
        let connection = &ledger[no];
        let Some(session) = connection.session else { return };
        if let Some(left) = self.left.get_mut(&(session, answer)).filter(|left| **left > 0) {
            *left -= 1;
            return;
        }
        if connection.offended.is_some() || ledger[session].foreign {
            return found.unknown("what the Client sent before is not known well enough");
        }
        let (packet, id) = answer;
        let waits = |packet, id| self.due.contains_key(&(no, (packet, id)));
        let others = self.due.range(on(no)).any(|((_, (waits, _)), _)| *waits == packet);
        let (cites, expected) = match packet {
            PacketType::Pubcomp => (WRONG_PUBCOMP, "PUBCOMP for a PUBREL that was sent"),
            PacketType::Puback if waits(PacketType::Pubrec, id) => (PUBREC, "PUBREC for a QoS 2 PUBLISH"),
            PacketType::Pubrec if waits(PacketType::Puback, id) => (PUBACK, "PUBACK for a QoS 1 PUBLISH"),
            _ if others => (WRONG_ID, "the Packet Identifier of a PUBLISH that was sent"),
            _ => (BY_QOS, "no answer, as no PUBLISH waits for this one"),
        };
        found.accuse(cites, connection.version, expected, format!("{packet} {id}"));
    }

    /// Nothing more comes on this connection.
    fn closed(&mut self, no: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
        let connection = &ledger[no];
        while let Some((&(_, answer), &due)) = self.due.range(on(no)).next() {
            self.due.remove(&(no, answer));
            let Some(session) = connection.session else { continue };
            let (packet, id) = answer;
            if ledger.waited_in_peace(no, due.since) {
                let outbound = ledger[session].outbound.get(&id);
                let message = outbound.map(|message| &ledger[*message]);
                let cites = missing(packet, message, due.since, connection.version, ledger);
                let expected = format!("{packet} {id}, or the connection's end");
                found.accuse_of(connection.client, cites, connection.version, expected, "neither has come");
                continue;
            } else {
                found.unknown("the connection did not last");
            }
            *self.left.entry((session, answer)).or_default() += due.count;
        }
    }
}

/// All that is due on a connection.
fn on(no: ConnectionNo) -> core::ops::Range<(ConnectionNo, Answer)> {
    let first = (PacketType::Connect, PacketId::MIN);
    (no, first)..(ConnectionNo(no.0 + 1), first)
}

/// What is broken if the answer to a message's PUBLISH or PUBREL is missing.
fn missing(
    packet: PacketType,
    message: Option<&Message>,
    since: Duration,
    version: Version,
    ledger: &Ledger,
) -> Cites {
    let expired = |message: &Message| message.possibly_expired().is_some_and(|at| at < since);
    let repeated = |message: &Message| message.attempts.len() > 1;
    match packet {
        PacketType::Pubcomp if message.is_some_and(expired) => PUBCOMP_EXPIRED,
        PacketType::Pubcomp => PUBCOMP,
        PacketType::Pubrec if message.is_some_and(repeated) => PUBREC_AGAIN,
        _ if version == Version::V3_1_1 && message.is_some_and(|message| may_be_refused(message, ledger)) => {
            REFUSED
        }
        PacketType::Pubrec => PUBREC,
        _ => PUBACK,
    }
}

/// Whether the Server answers for messages on other topics, and for none on this one.
fn may_be_refused(message: &Message, ledger: &Ledger) -> bool {
    let mut accepted = ledger.messages().map(|(_, other)| other).filter(|other| other.accepted.is_some());
    let mut others = false;
    accepted.all(|other| {
        others = true;
        other.topic != message.topic
    }) && others
}
