//! What a new subscription is sent as the retained message of a topic is the last one that was published there with
//! RETAIN and a payload, and only as its Retain Handling has it.
//!
//! Replaced by a later one [3.1.1/MQTT-3.3.1-5] [5.0/MQTT-3.3.1-5], also by one at QoS 0 [3.1.1/MQTT-3.3.1-7];
//! removed by an empty one [3.1.1/MQTT-3.3.1-10] [5.0/MQTT-3.3.1-6], which is not stored itself
//! [3.1.1/MQTT-3.3.1-11] [5.0/MQTT-3.3.1-7]; nothing is stored without RETAIN [3.1.1/MQTT-3.3.1-12]
//! [5.0/MQTT-3.3.1-8] or Will Retain [3.1.1/MQTT-3.1.2-16] [5.0/MQTT-3.1.2-14]; nothing is sent to a subscription
//! that was there [5.0/MQTT-3.3.1-10], wants nothing [5.0/MQTT-3.3.1-11] or is shared [5.0/U5-SHR-3].
//!
//! Frees     whatever was possibly retained when the SUBSCRIBE was handled, in whatever order what was published on
//!           several connections came; a message that may have come live, and keeps its flag.
//! Unknown   which of two messages with the same topic and payload it is; after a crash that may have brought an older state back; where a live copy may have the wrong flag;
//!           what another member of a share may have had live, where this one has it as published.

use super::exactly_once::publications;
use super::ledger::{Cause, Delivery, DeliveryNo, Ledger, MessageNo, Session, SessionNo, Subscription, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use core::time::Duration;
use mqtt_assay_codec::{Qos, RetainHandling};

const REPLACED: Cites = Cites { v3_1_1: &["MQTT-3.3.1-5"], v5: &["MQTT-3.3.1-5"] };
const REPLACED_AT_QOS_0: Cites = Cites { v3_1_1: &["MQTT-3.3.1-7"], v5: &["MQTT-3.3.1-5"] };
const CLEARED: Cites = Cites { v3_1_1: &["MQTT-3.3.1-10"], v5: &["MQTT-3.3.1-6"] };
const EMPTY: Cites = Cites { v3_1_1: &["MQTT-3.3.1-11"], v5: &["MQTT-3.3.1-7"] };
const NOT_RETAINED: Cites = Cites { v3_1_1: &["MQTT-3.3.1-12"], v5: &["MQTT-3.3.1-8"] };
const WILL_NOT_RETAINED: Cites = Cites { v3_1_1: &["MQTT-3.1.2-16"], v5: &["MQTT-3.1.2-14"] };
const NOT_NEW: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.1-10"] };
const NOT_WANTED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.1-11"] };
const SHARED: Cites = Cites { v3_1_1: &[], v5: &["U5-SHR-3"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct RetainedStored;

impl Rule for RetainedStored {
    fn name(&self) -> &'static str {
        "retained_stored"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(publish, no) = seen.fact else { return };
        if !publish.retain {
            return;
        }
        let delivery = &ledger[no];
        let Some(number) = delivery.message else { return };
        if matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        let session = &ledger[delivery.session];
        let sent = ledger[number].possible.unwrap_or_default();
        // Since when a cause may bring it with RETAIN.
        let brings = |cause: &Cause| {
            let subscription = &session.subscriptions[cause.subscription];
            let as_published = cause.live
                && subscription.options.retain_as_published
                && ledger.same_as(number).any(|message| ledger[message].retain);
            if as_published {
                Some(sent)
            } else {
                (cause.retained && sends(session, subscription)).then_some(subscription.asked.max(sent))
            }
        };
        // Each of them brings it once, or once for each PUBLISH.
        let since: Vec<_> = ledger.causes().iter().filter_map(brings).collect();
        let causes = since.len() * publications(ledger, &ledger[number]);
        let since = since.into_iter().min().unwrap_or(sent);
        let brought_before = came_before(ledger, no, number, since).filter(|copy| copy.retain).count();
        if causes > 0 && (delivery.dup || causes > brought_before) {
            return found.decided();
        }
        if causes > 0 && ledger[number].ambiguous {
            return found.unknown("two messages have the same topic and payload");
        }
        if ledger.may_be_malformed(&delivery.topic, publish.payload) {
            return found.unknown("a malformed PUBLISH may have been retained");
        }
        let Some(subscription) = newest(ledger, session, number) else { return };
        if !ledger.is_clear(delivery.session) {
            return found.unknown("not all is known of the session's subscriptions");
        }
        let live = ledger.causes().iter().filter(|cause| cause.live).count();
        if came_before(ledger, no, number, sent).count() < live {
            return found.unknown("a live copy may have the wrong flag");
        }
        let mut asked = ledger.causes().iter().map(|cause| &session.subscriptions[cause.subscription]);
        if asked.any(|asked| asked.shared && passed_on(ledger, delivery.session, asked, number)) {
            return found.unknown("another member may have had the message live");
        }
        let Some((cites, expected)) = reason(ledger, session, subscription, number) else { return };
        let mut asked = ledger.causes().iter().map(|cause| &session.subscriptions[cause.subscription]);
        if [NOT_WANTED, NOT_NEW].contains(&cites) && asked.any(|asked| asked.shared) {
            return found.unknown("a Shared Subscription may have brought it");
        }
        found.accuse(
            cites,
            ledger.version_of(delivery.session),
            expected,
            format!("PUBLISH {} with RETAIN, of {} bytes", delivery.topic, publish.payload.len()),
        );
    }
}

/// Whether a SUBSCRIBE brings retained messages, as far as is known.
fn sends(session: &Session, subscription: &Subscription) -> bool {
    match subscription.options.retain_handling {
        RetainHandling::Send => true,
        RetainHandling::SendIfNew => !existed(session, subscription),
        RetainHandling::DoNotSend => false,
    }
}

/// Whether the session had a subscription with this filter for certain when it was made.
fn existed(session: &Session, subscription: &Subscription) -> bool {
    subscription.replaces.map(|old| &session.subscriptions[old]).is_some_and(|old| {
        old.granted.is_some_and(|(at, _)| at <= subscription.asked) && old.ending == Some(subscription.asked)
    })
}

/// The newest of the subscriptions that were asked for since the message was sent.
fn newest<'a>(ledger: &Ledger, session: &'a Session, number: MessageNo) -> Option<&'a Subscription> {
    let sent = ledger.same_as(number).filter_map(|message| ledger[message].possible).min()?;
    let asked = ledger.causes().iter().map(|cause| &session.subscriptions[cause.subscription]);
    // One that is shared only if there is no other.
    let since = asked.filter(|subscription| subscription.asked >= sent);
    since.max_by_key(|subscription| (!subscription.shared, subscription.asked))
}

/// The copies of the message that came to the session since, and before the present one.
fn came_before(
    ledger: &Ledger,
    no: DeliveryNo,
    number: MessageNo,
    since: Duration,
) -> impl Iterator<Item = &Delivery> {
    let earlier =
        ledger.deliveries().skip(ledger.deliveries_before(since)).take_while(move |(other, _)| *other < no);
    let session = ledger[no].session;
    let same = earlier
        .map(|(_, other)| other)
        .filter(move |other| other.session == session && other.message == Some(number));
    same.filter(|other| !matches!(other.turn, Turn::Again(_)))
}

/// Whether a message that came with RETAIN may have been for another member of the share, and have been given to this
/// one, who has it as published, when the other was lost.
fn passed_on(ledger: &Ledger, own: SessionNo, subscription: &Subscription, number: MessageNo) -> bool {
    let possible = |session: &Session| {
        let sent = ledger.same_as(number).map(|message| &ledger[message]).filter(|message| message.retain);
        let moments = sent.filter_map(|message| Some((message.possible?, message.passed_on())));
        let others = session.subscriptions.iter().filter(|other| other.filter == subscription.filter);
        let mut held = moments.flat_map(|moment| others.clone().map(move |other| (moment, other)));
        held.any(|((sent, passed), other)| other.possibly(sent, passed.unwrap_or(ledger.now)))
    };
    subscription.options.retain_as_published
        && ledger.sessions().any(|(no, session)| no != own && possible(session))
}

/// Why the message must not be sent because of this subscription.
fn reason(
    ledger: &Ledger,
    session: &Session,
    subscription: &Subscription,
    number: MessageNo,
) -> Option<(Cites, &'static str)> {
    let same = || ledger.same_as(number).map(|message| &ledger[message]);
    if subscription.shared {
        return Some((SHARED, "no retained message to a Shared Subscription"));
    }
    if ledger[number].payload.is_empty() {
        return Some((EMPTY, "no retained message without payload"));
    }
    if !same().any(|message| message.retain) {
        if ledger.forgotten().is_some() {
            return None;
        }
        return Some(match same().all(super::ledger::Message::is_will) {
            true => (WILL_NOT_RETAINED, "no Will as a retained message that was left without Will Retain"),
            false => (NOT_RETAINED, "no retained message but what was published with RETAIN"),
        });
    }
    if let Some(later) = ledger.superseded(number, subscription.asked) {
        let later = &ledger[later];
        return Some(if later.payload.is_empty() {
            (CLEARED, "no retained message: it was removed")
        } else if later.qos == Qos::AtMostOnce {
            (
                REPLACED_AT_QOS_0,
                "no other retained message than the one at QoS 0 that was published last, if any",
            )
        } else {
            (REPLACED, "the retained message that was published last")
        });
    }
    match subscription.options.retain_handling {
        RetainHandling::DoNotSend => Some((NOT_WANTED, "no retained message: Retain Handling 2")),
        RetainHandling::SendIfNew if existed(session, subscription) => {
            Some((NOT_NEW, "no retained message: Retain Handling 1, and the subscription was there"))
        }
        _ => None,
    }
}
