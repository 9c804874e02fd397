//! No Application Message is handed to a subscriber more often than it was published, whatever the network did.
//! QoS 0: at most once. [3.1.1/MQTT-4.3.1-1] [5.0/MQTT-4.3.1-1]
//! QoS 2: exactly once, across reconnections too. [3.1.1/MQTT-4.3.3-2] [5.0/MQTT-4.3.3-10]
//!
//! Frees     a copy for each of several overlapping subscriptions [5.0/MQTT-3.3.4-2] [3.1.1 §3.3.5]; one for each
//!           Shared Subscription; one for each SUBSCRIBE, of a retained message; at QoS 1 one for each PUBLISH of the
//!           publisher's; the Server's own repetition of a PUBLISH, with DUP and the same Packet Identifier.
//! Unknown   when two messages have the same topic and payload; after the broker has lost its memory; when the
//!           publisher has lost its session, and publishes the message anew.

use super::ledger::{DeliveryNo, Ledger, Message, MessageNo, SessionNo, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::Qos;
use std::collections::BTreeMap;

const AT_QOS_0: Cites = Cites { v3_1_1: &["MQTT-4.3.1-1"], v5: &["MQTT-4.3.1-1"] };
const AT_QOS_1: Cites = Cites { v3_1_1: &["MQTT-4.3.2-1"], v5: &["MQTT-4.3.2-1"] };
const AT_QOS_2: Cites = Cites { v3_1_1: &["MQTT-4.3.3-2"], v5: &["MQTT-4.3.3-10"] };
const WILL: Cites = Cites { v3_1_1: &["MQTT-3.1.2-10"], v5: &["MQTT-3.1.2-10"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct ExactlyOnce {
    /// How often each message came to each session, repetitions not counted.
    copies: BTreeMap<(SessionNo, MessageNo), usize>,
}

impl Rule for ExactlyOnce {
    fn name(&self) -> &'static str {
        "exactly_once"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(_, no) = seen.fact else { return };
        let delivery = &ledger[no];
        let Some(number) = delivery.message else { return };
        let message = &ledger[number];
        if message.ambiguous {
            return found.unknown("two messages have the same topic and payload");
        }
        if is_repetition(ledger, no) {
            return;
        }
        let copies = self.copies.entry((delivery.session, number)).or_default();
        *copies += 1;
        let allowed = subscriptions(ledger, no, message) * publications(ledger, message);
        if *copies <= allowed {
            return;
        }
        // Who has no subscription may have none of them: that is another rule's.
        if allowed == 0 {
            return;
        }
        if ledger.forgotten().is_some() {
            return found.unknown("the broker may have forgotten what it had passed on");
        }
        let cites = match message.qos {
            _ if message.is_will() => WILL,
            Qos::AtMostOnce => AT_QOS_0,
            Qos::AtLeastOnce => AT_QOS_1,
            Qos::ExactlyOnce => AT_QOS_2,
        };
        found.accuse(
            cites,
            ledger.version_of(delivery.session),
            format!("{} at most {allowed} times", shown(message)),
            format!("it comes once more, {copies} times in all"),
        );
    }
}

fn shown(message: &Message) -> String {
    format!("the message on {} published at QoS {}", message.topic, message.qos)
}

/// Whether the client takes the PUBLISH for one that it has already.
fn is_repetition(ledger: &Ledger, no: DeliveryNo) -> bool {
    matches!(ledger[no].turn, Turn::Again(_))
}

/// How many copies one publication may cause in the delivery's session.
fn subscriptions(ledger: &Ledger, no: DeliveryNo, message: &Message) -> usize {
    let delivery = &ledger[no];
    let session = &ledger[delivery.session];
    let from = message.possible.unwrap_or(session.begun);
    let mut live = 0;
    let mut asked = 0;
    for subscription in &session.subscriptions {
        if !subscription.matches(&message.topic) {
            continue;
        }
        let possible = subscription.possibly(from, delivery.at);
        // What replaces a subscription takes its place.
        live += usize::from(possible && subscription.replaces.is_none());
        // Each SUBSCRIBE may bring the retained message.
        asked += usize::from(possible && message.retain && !subscription.shared);
    }
    live + asked
}

/// How often the publisher has published it, as the Server may see it.
fn publications(ledger: &Ledger, message: &Message) -> usize {
    match message.qos {
        // The Server may take each PUBLISH for a message of its own. [3.1.1 §4.3.2] [5.0/MQTT-4.3.2-5]
        Qos::AtLeastOnce => message.attempts.len().max(1),
        Qos::AtMostOnce => 1,
        Qos::ExactlyOnce => {
            let session = |attempt: &super::ledger::Attempt| ledger[attempt.connection].session;
            let mut sessions: Vec<_> = message.attempts.iter().map(session).collect();
            sessions.dedup();
            sessions.len().max(1)
        }
    }
}
