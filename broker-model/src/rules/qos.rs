//! A message is delivered at the lower of the QoS that it was published with and the QoS that was granted.
//! [3.1.1/MQTT-3.8.4-6] [5.0/MQTT-3.8.4-8]; granted is what SUBACK says [3.1.1/MQTT-3.8.4-5] [5.0/MQTT-3.8.4-7], to
//! this member of a Shared Subscription [5.0/MQTT-4.8.2-3], by the subscription that was made last
//! [3.1.1/MQTT-3.8.4-3] [5.0/MQTT-3.8.4-3].
//!
//! Frees     the QoS of any subscription that matches, where several do: a copy for each, or one for all.
//! Unknown   when two messages have the same topic and payload; before SUBACK has come.

use super::ledger::{Ledger, Message, Session, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::Qos;

const LOWER_OF_BOTH: Cites = Cites { v3_1_1: &["MQTT-3.8.4-6"], v5: &["MQTT-3.8.4-8"] };
const NOT_AS_SUBACK_SAYS: Cites = Cites { v3_1_1: &["MQTT-3.8.4-5"], v5: &["MQTT-3.8.4-7"] };
const MEMBER: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.8.2-3"] };
const REPLACED: Cites = Cites { v3_1_1: &["MQTT-3.8.4-3"], v5: &["MQTT-3.8.4-3"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct DeliveredQos;

impl Rule for DeliveredQos {
    fn name(&self) -> &'static str {
        "qos"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(publish, no) = seen.fact else { return };
        let delivery = &ledger[no];
        let Some(message) = delivery.message.map(|message| &ledger[message]) else { return };
        if message.ambiguous || matches!(delivery.turn, Turn::Again(_)) || ledger.causes().is_empty() {
            return;
        }
        let session = &ledger[delivery.session];
        let mut pending = false;
        for cause in ledger.causes() {
            match session.subscriptions[cause.subscription].granted {
                Some((_, granted)) if granted.min(message.qos) == publish.qos => return found.decided(),
                Some(_) => {}
                None => pending = true,
            }
        }
        if pending || !ledger.is_clear(delivery.session) {
            return found.unknown("not all is known of the session's subscriptions");
        }
        found.accuse(
            cites(ledger, session, message, publish.qos),
            ledger.version_of(delivery.session),
            format!("{}, published at QoS {}, at {}", message.topic, message.qos, granted(ledger, session)),
            format!("QoS {}", publish.qos),
        );
    }
}

fn granted(ledger: &Ledger, session: &Session) -> String {
    let mut text = "QoS".to_owned();
    for cause in ledger.causes() {
        if let Some((_, qos)) = session.subscriptions[cause.subscription].granted {
            text += &format!(" {qos}");
        }
    }
    text + " at most, as granted"
}

fn cites(ledger: &Ledger, session: &Session, message: &Message, qos: Qos) -> Cites {
    let list = &session.subscriptions;
    let mut causes = ledger.causes().iter().map(|cause| &list[cause.subscription]);
    let explains = |granted: Qos| granted.min(message.qos) == qos;
    let old = |subscription: &super::ledger::Subscription| {
        let old = subscription.replaces.and_then(|old| list[old].granted);
        old.is_some_and(|(_, granted)| explains(granted))
    };
    if causes.clone().all(|subscription| subscription.shared) {
        MEMBER
    } else if causes.clone().any(old) {
        REPLACED
    } else if causes.any(|subscription| {
        let lower = subscription.granted.is_some_and(|(_, granted)| granted < subscription.options.qos);
        lower && explains(subscription.options.qos)
    }) {
        NOT_AS_SUBACK_SAYS
    } else {
        LOWER_OF_BOTH
    }
}
