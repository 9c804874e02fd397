//! A message that the Server has taken on reaches every session that was subscribed to it, if not now, then when
//! its Client returns.
//! [3.1.1/MQTT-4.5.0-1] [5.0/MQTT-4.5.0-1]; to a Client that was away: [3.1.1/MQTT-3.1.2-5] [5.0/MQTT-3.1.2-5]
//!
//! Frees     what was published at QoS 0 or is subscribed at QoS 0; messages that have expired or may be too large;
//!           No Local; Shared Subscriptions, which are another rule's; sessions that may be gone.
//! Unknown   when two messages have the same topic and payload; when the client was not there long enough, or does
//!           not acknowledge and its Receive Maximum is used up; after the broker has lost its memory.

use super::ledger::{ConnectionNo, Ledger, MessageNo, SessionNo};
use super::{Cites, Fact, Findings, Rule, Seen};
use core::time::Duration;
use mqtt_assay_codec::{Packet, Qos};
use std::collections::BTreeMap;

const HERE: Cites = Cites { v3_1_1: &["MQTT-4.5.0-1"], v5: &["MQTT-4.5.0-1"] };
const AWAY: Cites =
    Cites { v3_1_1: &["MQTT-3.1.2-5", "MQTT-4.5.0-1"], v5: &["MQTT-3.1.2-5", "MQTT-4.5.0-1"] };

/// What is due to a session.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// Since when.
    since: Duration,
    /// The connection on which the client was when the message was taken on; `None`: it was away.
    there: Option<ConnectionNo>,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct AtLeastOnce {
    due: BTreeMap<(SessionNo, MessageNo), Due>,
}

impl Rule for AtLeastOnce {
    fn name(&self) -> &'static str {
        "at_least_once"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Received(Packet::Puback(_) | Packet::Pubcomp(_), _) => {
                if let Some(message) = ledger.answered_message() {
                    self.taken_on(message, ledger, found);
                }
            }
            Fact::Delivered(_, no) => {
                if let Some(message) = ledger[no].message
                    && self.due.remove(&(ledger[no].session, message)).is_some()
                {
                    found.decided();
                }
            }
            Fact::Ended(..) => {
                if let Some(session) = seen.connection.and_then(|no| ledger[no].session) {
                    let range = (session, MessageNo(0))..=(session, MessageNo(usize::MAX));
                    let due: Vec<_> = self.due.range(range).map(|(key, due)| (*key, *due)).collect();
                    self.settle(due, ledger, found);
                }
            }
            Fact::Finished => {
                let due: Vec<_> = self.due.iter().map(|(key, due)| (*key, *due)).collect();
                self.settle(due, ledger, found);
                for _ in &self.due {
                    found.unknown("the client was not there long enough to get it");
                }
            }
            _ => {}
        }
    }
}

impl AtLeastOnce {
    /// The Server has answered for a message: it is due to all who were subscribed from its sending until now.
    fn taken_on(&mut self, number: MessageNo, ledger: &Ledger, found: &mut Findings) {
        let message = &ledger[number];
        let (Some(sent), Some(since)) = (message.possible, message.passed_on()) else { return };
        if message.refused {
            return;
        }
        for (session_no, session) in ledger.sessions() {
            let wanted = session.certain(&message.topic, sent, since).any(|subscription| {
                let own = subscription.options.no_local && message.publisher == session.client_id;
                let granted = subscription.granted.is_some_and(|(_, qos)| qos > Qos::AtMostOnce);
                !subscription.shared && !own && granted
            });
            if !wanted {
                continue;
            }
            if message.ambiguous {
                found.unknown("two messages have the same topic and payload");
                continue;
            }
            let came = |delivery: &super::ledger::Delivery| {
                delivery.session == session_no && delivery.message == Some(number)
            };
            // It may have come before the answer.
            if ledger.deliveries().skip(ledger.deliveries_before(sent)).any(|(_, delivery)| came(delivery)) {
                found.decided();
                continue;
            }
            let there = ledger.present_connection(session_no);
            self.due.insert((session_no, number), Due { since, there });
        }
    }

    fn settle(&mut self, due: Vec<((SessionNo, MessageNo), Due)>, ledger: &Ledger, found: &mut Findings) {
        for (key, due) in due {
            let (session_no, number) = key;
            let (session, message) = (&ledger[session_no], &ledger[number]);
            let no = ledger.last_connection(session_no);
            let connection = &ledger[no];
            let Some(free) = connection.served_since() else { continue };
            // What the client has acknowledged last may have made room.
            let since = due.since.max(free).max(connection.acknowledged.unwrap_or_default());
            let until = since + ledger.bounds.promptness;
            if !session.certainly(message.possible.unwrap_or_default(), until) {
                self.due.remove(&key);
                found.unknown("the session may be gone");
                continue;
            }
            if !ledger.waited(no, since) {
                continue;
            }
            self.due.remove(&key);
            if message.possibly_expired().is_some_and(|at| at <= until) {
                found.unknown("the message may have expired");
            } else if !connection.unanswered.is_empty() {
                found.unknown("the client has not acknowledged what came before");
            } else if connection.may_be_too_large(message) {
                found.unknown("the message may be too large for the client");
            } else {
                let cites = if due.there == Some(no) { HERE } else { AWAY };
                found.accuse_of(
                    connection.client,
                    cites,
                    connection.version,
                    format!("PUBLISH {} to {}, which is subscribed", message.topic, session.client_id),
                    "the Server has acknowledged the message, and it has not come",
                );
            }
        }
    }
}
