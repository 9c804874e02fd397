//! No Application Message is handed to a subscriber more often than it was published, whatever the network did.
//! QoS 0: at most once. [3.1.1/MQTT-4.3.1-1] [5.0/MQTT-4.3.1-1]
//! QoS 2: exactly once, across reconnections too. [3.1.1/MQTT-4.3.3-2] [5.0/MQTT-4.3.3-10]
//! A Will is published once [3.1.1/MQTT-3.1.2-10] [5.0/MQTT-3.1.2-10]; a subscription that is replaced counts no more
//! [3.1.1/MQTT-3.8.4-3] [5.0/MQTT-3.8.4-3].
//!
//! Frees     a copy for each of several overlapping subscriptions [5.0/MQTT-3.3.4-2] [3.1.1 §3.3.5]; one for each
//!           Shared Subscription; one for each SUBSCRIBE, of a retained message; at QoS 1, and where less than the
//!           published QoS 1 is granted, any number [3.1.1 §4.3.2] [5.0 §4.3.2, §3.8.4]; the Server's own repetition
//!           of a PUBLISH, with DUP.
//! Unknown   when two messages have the same topic and payload; after the broker has lost its memory; when the
//!           publisher has lost its session, and publishes the message anew.

use super::doubt::doubt;
use super::ledger::{DeliveryNo, Ledger, Message, MessageNo, SessionNo, Subscription, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::Qos;
use std::collections::BTreeMap;

const AT_QOS_0: Cites = Cites { v3_1_1: &["MQTT-4.3.1-1"], v5: &["MQTT-4.3.1-1"] };
const AT_QOS_2: Cites = Cites { v3_1_1: &["MQTT-4.3.3-2"], v5: &["MQTT-4.3.3-10"] };
const WILL: Cites = Cites { v3_1_1: &["MQTT-3.1.2-10"], v5: &["MQTT-3.1.2-10"] };
const REPLACED: Cites = Cites { v3_1_1: &["MQTT-3.8.4-3"], v5: &["MQTT-3.8.4-3"] };

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
        // A repetition is another rule's, and so is what must not come as a retained message.
        if delivery.dup
            || matches!(delivery.turn, Turn::Again(_))
            || delivery.retain && !may_be_retained(ledger, no)
        {
            return;
        }
        let counted = self.copies.entry((delivery.session, number)).or_default();
        *counted += 1;
        let copies = *counted;
        if copies == 1 || message.qos == Qos::AtLeastOnce && !message.is_will() {
            return;
        }
        let allowed = self::copies(ledger, no);
        // Who has no subscription may have none of them: that is another rule's.
        if allowed == 0 || copies <= allowed {
            return;
        }
        if ledger.forgotten().is_some() {
            return found.unknown("the broker may have forgotten what it had passed on");
        }
        if refused_before(ledger, delivery.session, number) {
            return found.unknown("the client has refused it");
        }
        if let Some(why) = doubt(ledger, delivery) {
            return found.unknown(why);
        }
        let shared = |asked: &Subscription| asked.shared && asked.matches(&message.topic);
        if message.retain && ledger[delivery.session].subscriptions.iter().any(shared) {
            return found.unknown("a Shared Subscription may have brought it as a retained message");
        }
        let cites = match message.qos {
            _ if self.replaced(ledger, no) => REPLACED,
            _ if message.is_will() => WILL,
            Qos::AtMostOnce => AT_QOS_0,
            _ => AT_QOS_2,
        };
        found.accuse(
            cites,
            ledger.version_of(delivery.session),
            format!("{} no more than {} times", shown(message), copies - 1),
            "it comes once more, as a message of its own",
        );
    }
}

impl ExactlyOnce {
    /// Whether one of the subscriptions has taken the place of another, which seems to be there still: whatever came
    /// by it since came more often than it should.
    fn replaced(&self, ledger: &Ledger, no: DeliveryNo) -> bool {
        let session = ledger[no].session;
        let list = &ledger[session].subscriptions;
        let mut causes = ledger.causes().iter().map(|cause| &list[cause.subscription]);
        let Some(new) = causes.find(|subscription| subscription.replaces.is_some()) else { return false };
        let range = (session, MessageNo(0))..=(session, MessageNo(usize::MAX));
        let since = self.copies.range(range).filter(|((_, number), _)| {
            let message = &ledger[*number];
            let by = message.possible.is_some_and(|sent| new.granted.is_some_and(|(made, _)| sent > made));
            by && message.attempts.len() == 1 && new.matches(&message.topic)
        });
        // QoS 2 might be doubled everywhere.
        let now = ledger.now.saturating_sub(ledger.bounds.promptness);
        let once = |(number, copies): (&MessageNo, &usize)| {
            let message = &ledger[*number];
            message.qos == Qos::ExactlyOnce && *copies == 1 && message.seen.is_some_and(|seen| seen < now)
        };
        let mut others = self.copies.iter().any(|((_, number), copies)| once((number, copies)));
        let mut all = true;
        for ((_, number), copies) in since {
            all &= *copies > 1;
            others |= ledger[*number].qos < Qos::ExactlyOnce && !ledger[*number].is_will();
        }
        all && others
    }
}

/// Whether a delivery with RETAIN may be what it seems.
fn may_be_retained(ledger: &Ledger, no: DeliveryNo) -> bool {
    let list = &ledger[ledger[no].session].subscriptions;
    let message = ledger[no].message.map(|message| &ledger[message]);
    message.is_some_and(|message| message.retain)
        && ledger
            .causes()
            .iter()
            .any(|cause| cause.retained || list[cause.subscription].options.retain_as_published)
}

fn shown(message: &Message) -> String {
    let kind = if message.is_will() { "the Will" } else { "the message" };
    format!("{kind} on {} published at QoS {}", message.topic, message.qos)
}

/// How many copies of the present delivery's message its session may get; 0: none that this history explains.
pub(super) fn copies(ledger: &Ledger, no: DeliveryNo) -> usize {
    ledger[no].message.map_or(0, |message| {
        subscriptions(ledger, ledger[no].session) * publications(ledger, &ledger[message])
    })
}

/// How many copies one publication may cause in the session: one for each filter that matches, and one for each
/// SUBSCRIBE that may bring it as a retained message.
fn subscriptions(ledger: &Ledger, session: SessionNo) -> usize {
    let (causes, list) = (ledger.causes(), &ledger[session].subscriptions);
    let live = causes.iter().enumerate().filter(|(place, cause)| {
        let filter = &list[cause.subscription].filter;
        !causes[..*place].iter().any(|before| list[before.subscription].filter == *filter)
    });
    live.count() + causes.iter().filter(|cause| cause.retained).count()
}

fn refused_before(ledger: &Ledger, session: SessionNo, message: MessageNo) -> bool {
    ledger[session]
        .inbound
        .values()
        .any(|inbound| inbound.refused && ledger[inbound.last].message == Some(message))
}

/// How often the publisher has published it, as the Server may see it.
pub(super) fn publications(ledger: &Ledger, message: &Message) -> usize {
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
