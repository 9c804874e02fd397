//! A message is delivered at the lower of the QoS that it was published with and the QoS that was granted.
//! [3.1.1/MQTT-3.8.4-6] [5.0/MQTT-3.8.4-8]; granted is what SUBACK says [3.1.1/MQTT-3.8.4-5] [5.0/MQTT-3.8.4-7], to
//! this member of a Shared Subscription [5.0/MQTT-4.8.2-3], by the subscription that was made last
//! [3.1.1/MQTT-3.8.4-3] [5.0/MQTT-3.8.4-3].
//!
//! Frees     the QoS of any subscription that matches, where several do: a copy for each, or one for all.
//! Unknown   when two messages have the same topic and payload; before SUBACK has come.

use super::doubt::doubt;
use super::ledger::{Delivery, Ledger, Message, Session, Subscription, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::Qos;

const LOWER_OF_BOTH: Cites = Cites { v3_1_1: &["MQTT-3.8.4-6"], v5: &["MQTT-3.8.4-8"] };
const NOT_AS_SUBACK_SAYS: Cites = Cites { v3_1_1: &["MQTT-3.8.4-5"], v5: &["MQTT-3.8.4-7"] };
const MEMBER: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.8.2-3"] };
const REPLACED: Cites = Cites { v3_1_1: &["MQTT-3.8.4-3"], v5: &["MQTT-3.8.4-3"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct DeliveredQos {
    /// It was wrong where no subscription had been replaced.
    anywhere: bool,
}

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
        if pending {
            return found.unknown("SUBACK has not come");
        }
        if let Some(why) = doubt(ledger, delivery) {
            return found.unknown(why);
        }
        let list = &session.subscriptions;
        self.anywhere |= ledger.causes().iter().all(|cause| list[cause.subscription].replaces.is_none());
        found.accuse(
            cites(ledger, delivery, message, !self.anywhere),
            ledger.version_of(delivery.session),
            format!("{}, published at QoS {}, at {}", message.topic, message.qos, granted(ledger, session)),
            format!("QoS {}", publish.qos),
        );
    }
}

/// Whether the one that a subscription has replaced seems to be in force: the QoS is that of the old one, and so is
/// that of all that came since, or a copy came by the new one too.
fn serves_old(ledger: &Ledger, delivery: &Delivery, message: &Message, new: &Subscription) -> bool {
    let list = &ledger[delivery.session].subscriptions;
    let old = new.replaces.and_then(|old| list[old].granted);
    let (Some((_, old)), Some((made, _))) = (old, new.granted) else { return false };
    if old.min(message.qos) != delivery.qos {
        return false;
    }
    let since = ledger.deliveries().skip(ledger.deliveries_before(made)).map(|(_, delivery)| delivery);
    let by = since.filter(|other| other.session == delivery.session && new.matches(&other.topic));
    let (mut all, mut copies) = (true, 0);
    for other in by {
        copies += usize::from(other.message == delivery.message);
        // What was sent before may come by the old one.
        let message = other.message.map(|message| &ledger[message]);
        all &= message.is_some_and(|message| {
            message.possible.is_none_or(|sent| sent < made) || other.qos == old.min(message.qos)
        });
    }
    all || copies > 1
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

/// `replaced`: only where a subscription was replaced the QoS was wrong.
fn cites(ledger: &Ledger, delivery: &Delivery, message: &Message, replaced: bool) -> Cites {
    let list = &ledger[delivery.session].subscriptions;
    let mut causes = ledger.causes().iter().map(|cause| &list[cause.subscription]);
    let explains = |granted: Qos| granted.min(message.qos) == delivery.qos;
    // Another member of the same Shared Subscription was granted this QoS.
    let another = |subscription: &Subscription| {
        let mut all = ledger.sessions().flat_map(|(_, session)| &session.subscriptions);
        let same = |other: &Subscription| other.filter == subscription.filter;
        all.any(|other| same(other) && other.granted.is_some_and(|(_, granted)| explains(granted)))
    };
    if causes.clone().all(|subscription| subscription.shared && another(subscription)) {
        MEMBER
    } else if causes.clone().any(|subscription| {
        let lower = subscription.granted.is_some_and(|(_, granted)| granted < subscription.options.qos);
        lower && explains(subscription.options.qos)
    }) {
        NOT_AS_SUBACK_SAYS
    } else if replaced && causes.any(|subscription| serves_old(ledger, delivery, message, subscription)) {
        REPLACED
    } else {
        LOWER_OF_BOTH
    }
}
