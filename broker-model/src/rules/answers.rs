//! Requests are answered.
//! SUBSCRIBE with one SUBACK [3.1.1/MQTT-3.8.4-1] [5.0/MQTT-3.8.4-1] [3.1.1/MQTT-3.8.4-4] [5.0/MQTT-3.8.4-5], UNSUBSCRIBE with one
//! UNSUBACK [3.1.1/MQTT-3.10.4-4] [5.0/MQTT-3.10.4-4] [3.1.1/MQTT-3.10.4-6] [5.0/MQTT-3.10.4-6], even if it ends nothing
//! [3.1.1/MQTT-3.10.4-5] [5.0/MQTT-3.10.4-5], each with the Packet Identifier of the request [3.1.1/MQTT-3.8.4-2]
//! [5.0/MQTT-3.8.4-2] [3.1.1/MQTT-2.3.1-7] [5.0/MQTT-2.2.1-6]; PINGREQ with PINGRESP [3.1.1/MQTT-3.12.4-1]
//! [5.0/MQTT-3.12.4-1]. A send quota that is used up delays none of them [5.0/MQTT-3.3.4-10] [5.0/MQTT-4.9.0-3]. What came
//! behind CONNECT without waiting for CONNACK is answered like the rest [3.1.1/U3-CON-3] [5.0/U5-CON-2].
//!
//! Frees     the order of answers; closing in place of an answer.
//! Unknown   when the connection did not last; when a DISCONNECT came, or the Client has broken a rule.

use super::ledger::{Connection, ConnectionNo, Ledger};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use core::time::Duration;
use mqtt_assay_codec::{Packet, PacketId, PacketType};
use std::collections::{BTreeMap, BTreeSet};

const SUBACK: Cites = Cites { v3_1_1: &["MQTT-3.8.4-1"], v5: &["MQTT-3.8.4-1"] };
const UNSUBACK: Cites = Cites { v3_1_1: &["MQTT-3.10.4-4"], v5: &["MQTT-3.10.4-4"] };
const UNSUBACK_FOR_NOTHING: Cites =
    Cites { v3_1_1: &["MQTT-3.10.4-4", "MQTT-3.10.4-5"], v5: &["MQTT-3.10.4-4", "MQTT-3.10.4-5"] };
const PINGRESP: Cites = Cites { v3_1_1: &["MQTT-3.12.4-1"], v5: &["MQTT-3.12.4-1"] };
const PIPELINED: Cites = Cites { v3_1_1: &["U3-CON-3"], v5: &["U5-CON-2"] };
const WITHOUT_QUOTA: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.4-10", "MQTT-4.9.0-3"] };
const SUBACK_ID: Cites =
    Cites { v3_1_1: &["MQTT-2.3.1-7", "MQTT-3.8.4-2"], v5: &["MQTT-2.2.1-6", "MQTT-3.8.4-2"] };
const UNSUBACK_ID: Cites = Cites { v3_1_1: &["MQTT-2.3.1-7"], v5: &["MQTT-2.2.1-6"] };
const ONE_SUBACK: Cites = Cites { v3_1_1: &["MQTT-3.8.4-4"], v5: &["MQTT-3.8.4-5"] };
const ONE_UNSUBACK: Cites = Cites { v3_1_1: &["MQTT-3.10.4-6"], v5: &["MQTT-3.10.4-6"] };

/// The last answer on a connection, if it was a SUBACK or UNSUBACK.
type Last = (PacketType, PacketId);

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Answers {
    /// The answer that came last on each connection.
    last: BTreeMap<ConnectionNo, Last>,
    /// Kinds of packets that this broker has answered at all.
    answers: BTreeSet<PacketType>,
}

impl Rule for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Received(Packet::Suback(answer), _), Some(no)) => {
                self.answered(no, PacketType::Suback, answer.packet_id, ledger, found);
            }
            (Fact::Received(Packet::Unsuback(answer), _), Some(no)) => {
                self.answered(no, PacketType::Unsuback, answer.packet_id, ledger, found);
            }
            (Fact::Received(Packet::Pingresp, _), Some(_)) => {
                self.answers.insert(PacketType::Pingresp);
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

impl Answers {
    fn answered(
        &mut self,
        no: ConnectionNo,
        packet: PacketType,
        id: PacketId,
        ledger: &Ledger,
        found: &mut Findings,
    ) {
        let last = self.last.insert(no, (packet, id));
        if ledger.answered_request().is_some() {
            self.answers.insert(packet);
            return found.decided();
        }
        let connection = &ledger[no];
        if connection.offended.is_some() {
            return found.unknown("the Client has broken a rule");
        }
        let subscribes = packet == PacketType::Suback;
        let (cites, expected) = match (last == Some((packet, id)), subscribes) {
            (true, true) => (ONE_SUBACK, "one SUBACK for all filters"),
            (true, false) => (ONE_UNSUBACK, "one UNSUBACK for all filters"),
            (false, true) => (SUBACK_ID, "the Packet Identifier of a SUBSCRIBE that was sent"),
            (false, false) => (UNSUBACK_ID, "the Packet Identifier of an UNSUBSCRIBE that was sent"),
        };
        found.accuse(cites, connection.version, expected, format!("{packet} {id}"));
    }

    /// Nothing more comes on this connection.
    fn closed(&mut self, no: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
        self.last.remove(&no);
        let connection = &ledger[no];
        if connection.session.is_none() {
            return;
        }
        for (id, request) in &connection.requests {
            let (packet, cites) = if request.subscribes {
                (PacketType::Suback, SUBACK)
            } else if request.subscriptions.iter().all(Option::is_none) {
                (PacketType::Unsuback, UNSUBACK_FOR_NOTHING)
            } else {
                (PacketType::Unsuback, UNSUBACK)
            };
            self.missing(no, (packet, Some(*id), request.at), cites, ledger, found);
        }
        if let Some(since) = connection.pings.front() {
            self.missing(no, (PacketType::Pingresp, None, *since), PINGRESP, ledger, found);
        }
    }

    fn missing(
        &self,
        no: ConnectionNo,
        (packet, id, since): (PacketType, Option<PacketId>, Duration),
        cites: Cites,
        ledger: &Ledger,
        found: &mut Findings,
    ) {
        let connection = &ledger[no];
        if !ledger.waited_in_peace(no, since) {
            return found.unknown("the connection did not last");
        }
        let cites = if connection.answered.is_some_and(|answered| since < answered.at) {
            PIPELINED
        } else if self.answers.contains(&packet) && is_without_quota(connection) {
            WITHOUT_QUOTA
        } else {
            cites
        };
        let id = id.map_or(String::new(), |id| format!(" {id}"));
        let expected = format!("{packet}{id}, or the connection's end");
        found.accuse_of(connection.client, cites, connection.version, expected, "neither has come");
    }
}

/// Whether the Client has as many messages unanswered as its Receive Maximum allows.
fn is_without_quota(connection: &Connection) -> bool {
    let limit = connection.asked.as_ref().map_or(u16::MAX, |asked| asked.receive_maximum);
    connection.unanswered.len() >= usize::from(limit)
}
