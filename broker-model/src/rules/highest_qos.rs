//! Where several subscriptions of a client match, the message comes at the highest QoS that is granted among them.
//! [3.1.1/MQTT-3.3.5-1] [5.0/MQTT-3.3.4-2]
//!
//! Frees     further copies at the QoS of the other subscriptions, in any order; what was published at QoS 0.
//! Unknown   when two messages have the same topic and payload; when the client was not there long enough, or does
//!           not acknowledge.

use super::ledger::{DeliveryNo, Ledger, MessageNo, SessionNo, Turn, Wait};
use super::{Cites, Fact, Findings, Rule, Seen};
use core::time::Duration;
use mqtt_assay_codec::Qos;
use std::collections::BTreeMap;

const HIGHEST: Cites = Cites { v3_1_1: &["MQTT-3.3.5-1"], v5: &["MQTT-3.3.4-2"] };

/// A copy came at a lower QoS: another is due at this one.
#[derive(Clone, Copy, Debug)]
struct Due {
    qos: Qos,
    since: Duration,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct HighestQos {
    due: BTreeMap<(SessionNo, MessageNo), Due>,
}

impl Rule for HighestQos {
    fn name(&self) -> &'static str {
        "highest_qos"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Delivered(_, no) if ledger.causes().len() > 1 => self.delivered(no, ledger, found),
            Fact::Ended(..) if !self.due.is_empty() => {
                if let Some(session) = seen.connection.and_then(|no| ledger[no].session) {
                    self.settle(Some(session), ledger, found);
                }
            }
            Fact::Finished => self.settle(None, ledger, found),
            _ => {}
        }
    }
}

impl HighestQos {
    fn delivered(&mut self, no: DeliveryNo, ledger: &Ledger, found: &mut Findings) {
        let delivery = &ledger[no];
        let Some(number) = delivery.message else { return };
        let message = &ledger[number];
        if message.ambiguous || message.qos == Qos::AtMostOnce || matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        let (session, Some(sent)) = (&ledger[delivery.session], message.possible) else { return };
        let passed = message.processed().map_or(delivery.at, |at| at.min(delivery.at));
        let granted = ledger.causes().iter().filter_map(|cause| {
            let subscription = &session.subscriptions[cause.subscription];
            let own = subscription.options.no_local && message.publisher == session.client_id;
            let counts = !subscription.shared && !own && subscription.certainly(sent, passed);
            subscription.granted.filter(|_| counts).map(|(_, qos)| qos)
        });
        let Some(highest) = granted.max().map(|highest| highest.min(message.qos)) else { return };
        // A QoS that none of them explains is another rule's.
        let explained = ledger.causes().iter().any(|cause| {
            let granted = session.subscriptions[cause.subscription].granted;
            granted.is_some_and(|(_, granted)| granted.min(message.qos) == delivery.qos)
        });
        if !explained {
            return;
        }
        let key = (delivery.session, number);
        if delivery.qos >= highest {
            self.due.remove(&key);
            return found.decided();
        }
        let since = ledger.deliveries().skip(ledger.deliveries_before(sent));
        let came = since.map(|(_, other)| other).any(|other| {
            other.session == delivery.session && other.message == Some(number) && other.qos >= highest
        });
        if !came && ledger.is_clear(delivery.session) {
            self.due.entry(key).or_insert(Due { qos: highest, since: delivery.at });
        }
    }

    fn settle(&mut self, of: Option<SessionNo>, ledger: &Ledger, found: &mut Findings) {
        self.due.retain(|(session, number), due| {
            if of.is_some_and(|of| of != *session) {
                return true;
            }
            let message = &ledger[*number];
            match ledger.overdue(*session, *number, message.possible.unwrap_or_default(), due.since) {
                Wait::NotYet => return of.is_some(),
                Wait::Unknown(why) => found.unknown(why),
                Wait::Overdue => found.accuse_of(
                    ledger.client_of(*session),
                    HIGHEST,
                    ledger.version_of(*session),
                    format!("a copy of the message on {} at QoS {}", message.topic, due.qos),
                    "it came at a lower QoS only",
                ),
            }
            false
        });
    }
}
