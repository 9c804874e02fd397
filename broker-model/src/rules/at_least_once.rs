//! A message that the Server has taken on reaches every session that was subscribed to it, if not now, then when
//! its Client returns.
//! [3.1.1/MQTT-4.5.0-1] [5.0/MQTT-4.5.0-1]; to a Client that was away: [3.1.1/MQTT-3.1.2-5]; and whatever else has
//! lost it: see `loss`.
//!
//! Frees     what was published at QoS 0 or is subscribed at QoS 0; messages that have expired or may be too large;
//!           No Local; topics that begin with `$`, which a Server may keep for itself [3.1.1 §4.7.2] [5.0 §4.7.2];
//!           Shared Subscriptions, which are another rule's; sessions that may be gone.
//! Unknown   when two messages have the same topic and payload; when the client was not there long enough, or does
//!           not acknowledge and its Receive Maximum is used up; after the broker has lost its memory.

use super::doubt::{came, hands_over};
use super::ledger::{ConnectionNo, Ledger, MessageNo, SessionNo, Wait};
use super::loss::{self, Lost};
use super::{Fact, Findings, Rule, Seen};
use core::time::Duration;
use mqtt_assay_codec::{Packet, Qos};
use std::collections::BTreeMap;

/// What is due to a session.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// Since when.
    since: Duration,
    /// By which of its subscriptions.
    subscription: usize,
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
            Fact::Delivered(_, no) => match ledger[no].message {
                Some(message) => {
                    if self.due.remove(&(ledger[no].session, message)).is_some() {
                        found.decided();
                    }
                }
                None => self.due.retain(|(session, message), _| {
                    *session != ledger[no].session || !hands_over(&ledger[no], *message, &ledger[*message])
                }),
            },
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
        if message.refused || message.topic.starts_with('$') {
            return;
        }
        for (session_no, session) in ledger.sessions() {
            if !session.certainly(sent, since) {
                continue;
            }
            let wanted = session.subscriptions.iter().position(|subscription| {
                let own = subscription.options.no_local && message.publisher == session.client_id;
                let granted = subscription.granted.is_some_and(|(_, qos)| qos > Qos::AtMostOnce);
                granted
                    && !subscription.shared
                    && !own
                    && subscription.certainly(sent, since)
                    && subscription.matches(&message.topic)
            });
            let Some(subscription) = wanted else { continue };
            if message.ambiguous {
                found.unknown("two messages have the same topic and payload");
                continue;
            }
            // It may have come before the answer.
            if came(ledger, session_no, number, sent) {
                found.decided();
                continue;
            }
            let there = ledger.present_connection(session_no);
            self.due.insert((session_no, number), Due { since, subscription, there });
        }
    }

    fn settle(&mut self, due: Vec<((SessionNo, MessageNo), Due)>, ledger: &Ledger, found: &mut Findings) {
        for (key, due) in due {
            let (session, number) = key;
            let message = &ledger[number];
            match ledger.overdue(session, number, message.possible.unwrap_or_default(), due.since) {
                Wait::NotYet => continue,
                Wait::Unknown(why) => found.unknown(why),
                Wait::Overdue if !ledger.may_publish(number) => {
                    found.unknown("the publisher may not be allowed to publish so");
                }
                Wait::Overdue => {
                    let lost =
                        Lost { session, message: number, subscription: due.subscription, there: due.there };
                    let (cites, version) = loss::cites(ledger, lost);
                    found.accuse_of(
                        ledger.client_of(session),
                        cites,
                        version,
                        format!(
                            "PUBLISH {} to {}, which is subscribed",
                            message.topic, ledger[session].client_id
                        ),
                        "the Server has acknowledged the message, and it has not come",
                    );
                }
            }
            self.due.remove(&key);
        }
    }
}
