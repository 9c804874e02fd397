//! A new subscription is sent the retained message of every topic that it matches, by its Retain Handling.
//! [3.1.1/MQTT-3.3.1-6] [5.0/MQTT-3.3.1-9] [5.0/MQTT-3.3.1-10]; again when it is replaced [3.1.1/MQTT-3.8.4-3]
//! [5.0/MQTT-3.8.4-4]; a Will with Will Retain too [3.1.1/MQTT-3.1.2-17] [5.0/MQTT-3.1.2-15]; whatever was published
//! without RETAIN since [3.1.1/MQTT-3.3.1-12] [5.0/MQTT-3.3.1-8], whatever has become of the publisher's session
//! [3.1.1/MQTT-3.1.2-7] [5.0/U5-SES-2], and of every filter of the SUBSCRIBE [3.1.1/MQTT-3.8.4-4]
//! [5.0/MQTT-3.8.4-5].
//!
//! Frees     messages at QoS 0, which may be dropped at any time [3.1.1/MQTT-3.3.1-7] [5.0 §3.3.1.3]; a Server
//!           without retained messages; Shared Subscriptions; topics that begin with `$`; No Local.
//! Unknown   whether a Server retains anything, if no 5.0 CONNACK says so and no retained message came; when it is not
//!           certain which message was the last; after the broker has lost its memory; when the client was not there
//!           long enough, or does not acknowledge.

use super::doubt::hands_over;
use super::ledger::{Ledger, Message, MessageNo, SessionNo, Subscription, Wait};
use super::{Cites, Fact, Findings, Rule, Seen, loss};
use core::time::Duration;
use mqtt_assay_codec::{Packet, Qos, RetainHandling, Version, topic};

const SENT: Cites = Cites { v3_1_1: &["MQTT-3.3.1-6"], v5: &["MQTT-3.3.1-9"] };
const SENT_IF_NEW: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.1-10"] };
const SENT_AGAIN: Cites = Cites { v3_1_1: &["MQTT-3.8.4-3"], v5: &["MQTT-3.8.4-4"] };
const WILL: Cites = Cites { v3_1_1: &["MQTT-3.1.2-17"], v5: &["MQTT-3.1.2-15"] };
const KEPT: Cites = Cites { v3_1_1: &["MQTT-3.3.1-12"], v5: &["MQTT-3.3.1-8"] };
const NO_SESSION_STATE: Cites = Cites { v3_1_1: &["MQTT-3.1.2-7"], v5: &["U5-SES-2"] };
const LATER_FILTER: Cites = Cites { v3_1_1: &["MQTT-3.8.4-4"], v5: &["MQTT-3.8.4-5"] };

/// A retained message that a subscription is to get.
#[derive(Clone, Copy, Debug)]
struct Due {
    session: SessionNo,
    subscription: usize,
    message: MessageNo,
    since: Duration,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct RetainedSent {
    due: Vec<Due>,
    /// Whether the Server has said that it retains messages, or that it does not. Before 5.0 it cannot say so.
    available: Option<bool>,
    /// A message came that was retained: some are.
    stores: bool,
}

impl Rule for RetainedSent {
    fn name(&self) -> &'static str {
        "retained_sent"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Received(Packet::Suback(_), _) => self.granted(seen, ledger, found),
            Fact::Received(Packet::Connack(_), _) => {
                let answered = seen.connection.and_then(|no| ledger[no].answered);
                let new = seen.connection.is_some_and(|no| ledger[no].version == Version::V5);
                if let Some(answered) = answered.filter(|answered| new && answered.accepts()) {
                    self.available = Some(answered.retain_available);
                }
            }
            Fact::Delivered(publish, no) => {
                let mut causes = ledger.causes().iter();
                self.stores |= publish.retain && causes.any(|cause| cause.retained && !cause.live);
                let delivery = &ledger[no];
                if !self.due.is_empty() {
                    self.due.retain(|due| {
                        // Another message in its place is another rule's.
                        let instead = publish.retain && ledger[due.message].topic == delivery.topic;
                        let came = hands_over(delivery, due.message, &ledger[due.message]) || instead;
                        let met = came && delivery.session == due.session;
                        if met {
                            found.decided();
                        }
                        !met
                    });
                }
            }
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

impl RetainedSent {
    fn granted(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Some(session_no) = seen.connection.and_then(|no| ledger[no].session) else { return };
        let session = &ledger[session_no];
        for (place, subscription) in session.subscriptions.iter().enumerate().rev() {
            let Some((at, _)) = subscription.granted.filter(|(at, _)| *at == ledger.now) else { continue };
            let sends = match subscription.options.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => subscription.replaces.is_none(),
                RetainHandling::DoNotSend => false,
            };
            if !sends || subscription.shared || self.available == Some(false) || !ledger.is_clear(session_no)
            {
                continue;
            }
            for (topic, messages) in ledger.retained_topics() {
                if topic.starts_with('$') || !subscription.matches(topic) {
                    continue;
                }
                let Some(number) = last(ledger, messages, subscription.asked, at) else {
                    found.unknown("it is not certain which message was retained last");
                    continue;
                };
                let message = &ledger[number];
                let own = subscription.options.no_local && message.publisher == session.client_id;
                if message.payload.is_empty() || message.qos == Qos::AtMostOnce || own || message.ambiguous {
                    continue;
                }
                // It may have come before SUBACK.
                let before = ledger.deliveries_before(subscription.asked);
                let came = ledger.deliveries().skip(before).any(|(_, delivery)| {
                    delivery.session == session_no
                        && (hands_over(delivery, number, message)
                            || delivery.retain && delivery.topic == *topic)
                });
                if came {
                    found.decided();
                } else {
                    let due = Due { session: session_no, subscription: place, message: number, since: at };
                    self.due.push(due);
                }
            }
        }
    }

    fn settle(&mut self, of: Option<SessionNo>, ledger: &Ledger, found: &mut Findings) {
        let (stores, available) = (self.stores, self.available);
        self.due.retain(|due| {
            if of.is_some_and(|of| of != due.session) {
                return true;
            }
            let subscription = &ledger[due.session].subscriptions[due.subscription];
            match ledger.overdue(due.session, due.message, subscription.asked, due.since) {
                Wait::NotYet if of.is_none() => {
                    found.unknown("the client was not there long enough to get it");
                }
                Wait::NotYet => {
                    // What is sent at QoS 0 does not wait for the client.
                    return subscription.granted.is_some_and(|(_, qos)| qos > Qos::AtMostOnce);
                }
                Wait::Unknown(why) => found.unknown(why),
                Wait::Overdue if !ledger.may_publish(due.message) => {
                    found.unknown("the publisher may not be allowed to publish so");
                }
                Wait::Overdue if available == Some(false) || !stores && available.is_none() => {
                    found.unknown("the Server may retain nothing, and cannot say so");
                }
                Wait::Overdue => {
                    let message = &ledger[due.message];
                    found.accuse_of(
                        ledger.client_of(due.session),
                        cites(ledger, due, subscription, message, stores),
                        ledger.version_of(due.session),
                        format!("the retained message on {} for {}", message.topic, subscription.filter),
                        "SUBACK has come, and the retained message has not",
                    );
                }
            }
            false
        });
    }
}

/// The message that was the last of a topic all the time from `from` to `to`, for certain.
fn last(ledger: &Ledger, messages: &[MessageNo], from: Duration, to: Duration) -> Option<MessageNo> {
    let stored = |no: &MessageNo| {
        let message = &ledger[*no];
        let done = message.processed().filter(|done| *done <= from)?;
        let remembered = ledger.forgotten().is_none_or(|forgotten| forgotten < done);
        (!message.refused && remembered).then_some((done, *no))
    };
    let (_, last) = messages.iter().filter_map(stored).max()?;
    let settled = messages.iter().all(|other| {
        let message = &ledger[*other];
        *other == last
            || message.refused
            || message.possible.is_none_or(|sent| sent > to)
            || ledger.follows(last, *other)
    });
    let expires = ledger[last].possibly_expired().is_some_and(|at| at <= to + ledger.bounds.promptness);
    (settled && !expires).then_some(last)
}

/// The statement that the situation points to; `stores`: the Server has sent something that was retained.
fn cites(ledger: &Ledger, due: &Due, subscription: &Subscription, message: &Message, stores: bool) -> Cites {
    let mut reasons = Vec::new();
    let known =
        ledger.deliveries().any(|(_, delivery)| delivery.retain && delivery.message == Some(due.message));
    let never = loss::last_by(ledger, due.session, subscription).is_none();
    if subscription.place > 0 && never && stores && !topic::has_wildcard(&subscription.matches) {
        reasons.push(LATER_FILTER);
    }
    if message.is_will() {
        reasons.push(WILL);
    }
    let stored = message.processed().unwrap_or_default();
    let passed_by = |other: &Message| {
        let since = other.possible.is_some_and(|sent| sent > message.possible.unwrap_or_default());
        !other.retain && other.topic == message.topic && since && {
            other.possible.is_some_and(|sent| sent < due.since)
        }
    };
    if known && ledger.messages().any(|(_, other)| passed_by(other)) {
        reasons.push(KEPT);
    }
    let gone = ledger.sessions().any(|(_, session)| {
        let gone = session.possibly_gone.or(session.certainly_gone);
        session.client_id == message.publisher && gone.is_some_and(|at| at >= stored && at < due.since)
    });
    if known && gone {
        reasons.push(NO_SESSION_STATE);
    }
    let came_by = |other: &dyn Fn(&Subscription) -> bool| {
        ledger.deliveries().filter(|(_, delivery)| delivery.retain).any(|(_, delivery)| {
            let list = ledger[delivery.session].subscriptions.iter();
            let mut asked = list.filter(|own| own.asked < delivery.at && own.matches(&delivery.topic));
            asked.all(other)
        })
    };
    if topic::has_wildcard(&subscription.matches) && !came_by(&|own| topic::has_wildcard(&own.matches)) {
        reasons.push(SENT);
    }
    let again = subscription.replaces.is_some() && known && !came_by(&|own| own.replaces.is_some());
    if again {
        reasons.push(SENT_AGAIN);
    }
    if let [only] = reasons.as_slice() {
        return *only;
    }
    match subscription.options.retain_handling {
        RetainHandling::SendIfNew => SENT_IF_NEW,
        _ if again => SENT_AGAIN,
        _ => SENT,
    }
}
