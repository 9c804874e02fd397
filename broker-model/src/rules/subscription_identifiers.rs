//! A message comes with the Subscription Identifiers of the subscriptions that caused it, as the client gave them last.
//! None is missing [5.0/MQTT-3.3.4-3], and none is invented [5.0/U5-PUB-11] or out of date [5.0/MQTT-3.8.4-3].
//! One copy for several subscriptions carries all of theirs [5.0/MQTT-3.3.4-4]; of several copies each carries its
//! own [5.0/MQTT-3.3.4-5].
//!
//! Frees     one copy or several, in any order; identifiers in any order; the old identifiers in a repetition
//!           [5.0 §3.8.4]; which of the subscriptions a copy is for that may have been in force.
//! Unknown   when two messages have the same topic and payload; how many copies are to come, if the message was sent
//!           at QoS 0, or was retained, or may come by a Shared Subscription too.

use super::doubt::doubt;
use super::exactly_once::publications;
use super::ledger::{Delivery, DeliveryNo, Ledger, Message, MessageNo, Session, SessionNo, Turn, Wait};
use super::{Cites, Fact, Findings, Rule, Seen};
use core::time::Duration;
use mqtt_assay_codec::{Qos, Version};
use std::collections::BTreeMap;

const MISSING: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.4-3"] };
const INVENTED: Cites = Cites { v3_1_1: &[], v5: &["U5-PUB-11"] };
const REPLACED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.8.4-3"] };
const ALL_OF_ONE_COPY: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.4-4"] };
const EACH_ITS_OWN: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.4-5"] };

/// The copies of a message for several subscriptions of a session.
#[derive(Debug)]
struct Copies {
    first: DeliveryNo,
    since: Duration,
    count: usize,
    /// Identifiers of the subscriptions, in order.
    due: Vec<u32>,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct SubscriptionIdentifiers {
    copies: BTreeMap<(SessionNo, MessageNo), Copies>,
}

impl Rule for SubscriptionIdentifiers {
    fn name(&self) -> &'static str {
        "subscription_identifiers"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Delivered(_, no) => self.delivered(no, ledger, found),
            Fact::Ended(..) if !self.copies.is_empty() => {
                if let Some(session) = seen.connection.and_then(|no| ledger[no].session) {
                    self.settle(Some(session), ledger, found);
                }
            }
            Fact::Finished => self.settle(None, ledger, found),
            _ => {}
        }
    }
}

impl SubscriptionIdentifiers {
    fn delivered(&mut self, no: DeliveryNo, ledger: &Ledger, found: &mut Findings) {
        let delivery = &ledger[no];
        let Some(number) = delivery.message else { return };
        if matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        // Whatever else is known of it, it is one more.
        if let Some(copies) = self.copies.get_mut(&(delivery.session, number)) {
            copies.count += 1;
        }
        let (session, message) = (&ledger[delivery.session], &ledger[number]);
        let identified = ledger
            .causes()
            .iter()
            .any(|cause| session.subscriptions[cause.subscription].identifier.is_some());
        if !identified && delivery.identifiers.is_empty()
            || message.ambiguous
            || ledger[delivery.connection].version != Version::V5
            || ledger.causes().is_empty()
        {
            return;
        }
        if !ledger.is_clear(delivery.session) {
            return found.unknown("not all is known of the session's subscriptions");
        }
        match self.flaw(no, delivery, session, message, ledger) {
            None => found.decided(),
            Some((cites, _)) if cites != REPLACED && served_wrongly(ledger, delivery) => {
                found.unknown("a subscription may be served that must not be");
            }
            Some(_) if doubt(ledger, delivery).is_some() => {
                found.unknown("a subscription may be served that must not be");
            }
            Some((cites, expected)) => found.accuse(
                cites,
                Version::V5,
                format!("PUBLISH {} with {expected}", delivery.topic),
                format!("Subscription Identifiers {:?}", delivery.identifiers),
            ),
        }
    }

    fn flaw(
        &mut self,
        no: DeliveryNo,
        delivery: &Delivery,
        session: &Session,
        message: &Message,
        ledger: &Ledger,
    ) -> Option<(Cites, String)> {
        let causes = || ledger.causes().iter().map(|cause| &session.subscriptions[cause.subscription]);
        let of_causes: Vec<_> = causes().map(|subscription| subscription.identifier).collect();
        let strange = |id: &&u32| !of_causes.contains(&Some(**id));
        if let Some(id) = delivery.identifiers.iter().find(strange) {
            let mut old = session.subscriptions.iter().filter(|old| old.matches(&delivery.topic));
            let replaced = old.any(|old| old.identifier == Some(*id));
            return match replaced {
                // A repetition may carry the old one.
                true if delivery.dup => None,
                true => Some((REPLACED, format!("identifiers of {of_causes:?}"))),
                false => Some((INVENTED, format!("identifiers of {of_causes:?}"))),
            };
        }
        if delivery.identifiers.is_empty() && of_causes.iter().all(Option::is_some) {
            return Some((MISSING, format!("identifiers of {of_causes:?}")));
        }
        if ledger.causes().len() > 1 {
            return self.copy(no, delivery, session, message, ledger);
        }
        None
    }

    /// A copy of a message that several subscriptions match.
    fn copy(
        &mut self,
        no: DeliveryNo,
        delivery: &Delivery,
        session: &Session,
        message: &Message,
        ledger: &Ledger,
    ) -> Option<(Cites, String)> {
        let sent = message.possible?;
        let passed = message.processed().map_or(delivery.at, |at| at.min(delivery.at));
        let own = message.publisher == session.client_id;
        let countable = ledger.causes().iter().all(|cause| {
            let subscription = &session.subscriptions[cause.subscription];
            let granted = subscription.granted.is_some_and(|(_, qos)| qos > Qos::AtMostOnce);
            let options = &subscription.options;
            let certain = granted && subscription.certainly(sent, passed);
            let other_way = cause.retained || subscription.shared || own && options.no_local;
            certain && !other_way
        });
        // QoS 2 alone might be doubled for another reason.
        if !countable || message.qos != Qos::AtLeastOnce || publications(ledger, message) > 1 {
            return None;
        }
        let key = (delivery.session, delivery.message?);
        let copies = self.copies.entry(key).or_insert_with(|| {
            let causes = ledger.causes().iter();
            let mut due: Vec<_> =
                causes.filter_map(|cause| session.subscriptions[cause.subscription].identifier).collect();
            due.sort_unstable();
            Copies { first: no, since: delivery.at, count: 1, due }
        });
        let several = |no: DeliveryNo| ledger[no].identifiers.len() > 1;
        (copies.count > 1 && (several(no) || several(copies.first))).then(|| {
            (EACH_ITS_OWN, "the identifier of its own subscription only: it is one of several copies".into())
        })
    }

    /// Where no other copy is to come, the one must carry all identifiers.
    fn settle(&mut self, of: Option<SessionNo>, ledger: &Ledger, found: &mut Findings) {
        self.copies.retain(|(session, number), copies| {
            if of.is_some_and(|of| of != *session) {
                return true;
            }
            let mut carried = ledger[copies.first].identifiers.clone();
            carried.sort_unstable();
            if copies.count > 1 || carried == copies.due {
                return of.is_some();
            }
            let message = &ledger[*number];
            match ledger.overdue(*session, *number, message.possible.unwrap_or_default(), copies.since) {
                Wait::NotYet => return of.is_some(),
                // Another copy may have been lost: what comes later is not the only one.
                Wait::Unknown(why) => {
                    found.unknown(why);
                    copies.count += 1;
                    return of.is_some();
                }
                Wait::Overdue
                    if doubt(ledger, &ledger[copies.first]).is_some()
                        || served_wrongly(ledger, &ledger[copies.first]) =>
                {
                    found.unknown("a subscription may be served that must not be");
                }
                Wait::Overdue => found.accuse_of(
                    ledger.client_of(*session),
                    if carried.is_empty() { MISSING } else { ALL_OF_ONE_COPY },
                    Version::V5,
                    format!("the one copy of {} with the identifiers {:?}", message.topic, copies.due),
                    format!("Subscription Identifiers {:?}", ledger[copies.first].identifiers),
                ),
            }
            false
        });
    }
}

/// Whether a subscription that was replaced may be in force still, and have had another identifier.
fn served_wrongly(ledger: &Ledger, delivery: &Delivery) -> bool {
    let list = &ledger[delivery.session].subscriptions;
    list.iter()
        .filter(|new| new.matches(&delivery.topic))
        .any(|new| new.replaces.is_some_and(|old| list[old].identifier != new.identifier))
}
