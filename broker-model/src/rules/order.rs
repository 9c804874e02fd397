//! Messages of one publisher, topic and QoS reach a Client in the order in which the Server received them, and again in
//! the order in which they came first. [3.1.1/MQTT-4.6.0-6] [5.0/MQTT-4.6.0-5]
//!
//! Frees     what comes on a connection that was taken over; retained messages, Wills and Shared Subscriptions; later
//!           copies of a message; repetitions, in which the sequence begins again; different topics, publishers or QoS.
//! Unknown   when it is not known which message the Server received first: neither was answered before the other was
//!           sent, nor came both on one connection, each once. At QoS 2 the PUBRELs must be in the same order, since the
//!           Server may pass a message on then. When the session may have a Shared Subscription that is not known.

use super::ledger::{ConnectionNo, Delivery, DeliveryNo, Ledger, Message, MessageNo, SessionNo, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::Qos;
use std::collections::BTreeMap;
use std::sync::Arc;

const ORDER: Cites = Cites { v3_1_1: &["MQTT-4.6.0-6"], v5: &["MQTT-4.6.0-5"] };

/// Topic, publisher and QoS of what is delivered.
type Stream = (Arc<str>, Arc<str>, Qos);

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Order {
    /// The message that was sent last, of those that came in each stream.
    newest: BTreeMap<(SessionNo, Stream), MessageNo>,
    /// The first delivery of what was repeated last, in each stream.
    repeated: BTreeMap<(ConnectionNo, Stream), DeliveryNo>,
}

impl Rule for Order {
    fn name(&self) -> &'static str {
        "order"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(_, no) = seen.fact else { return };
        let delivery = &ledger[no];
        let Some(number) = delivery.message else { return };
        let message = &ledger[number];
        if message.retain || message.ambiguous || message.is_will() || delivery.late {
            return;
        }
        let stream = || (Arc::clone(&message.topic), Arc::clone(&message.publisher), delivery.qos);
        match delivery.turn {
            Turn::Again(before)
                if ledger[before].connection != delivery.connection
                    && ledger.is_continued(delivery, before) =>
            {
                let first = delivery.id.and_then(|id| ledger[delivery.session].inbound.get(&id));
                if let Some(first) = first.map(|inbound| inbound.first) {
                    self.again((delivery.connection, stream()), first, ledger, found);
                }
            }
            Turn::Again(_) => {}
            Turn::First | Turn::Instead(_) => {
                let session = &ledger[delivery.session];
                if ledger.causes().iter().any(|cause| session.subscriptions[cause.subscription].shared) {
                    return;
                }
                let newest = self.newest.entry((delivery.session, stream())).or_insert(number);
                if *newest <= number {
                    *newest = number;
                    return found.decided();
                }
                first(no, delivery, *newest, ledger, found);
            }
        }
    }
}

impl Order {
    fn again(
        &mut self,
        stream: (ConnectionNo, Stream),
        first: DeliveryNo,
        ledger: &Ledger,
        found: &mut Findings,
    ) {
        let last = self.repeated.entry(stream).or_insert(first);
        if *last <= first {
            *last = first;
            return found.decided();
        }
        let delivery = &ledger[first];
        let expected = format!("messages to {} again in the order in which they came first", delivery.topic);
        let (one, other) = (named(delivery, ledger), named(&ledger[*last], ledger));
        let observed = format!("{one} behind {other}");
        found.accuse(ORDER, ledger.version_of(delivery.session), expected, observed);
    }
}

/// A message comes for the first time, behind one that was sent later.
fn first(no: DeliveryNo, delivery: &Delivery, later: MessageNo, ledger: &Ledger, found: &mut Findings) {
    let Some(number) = delivery.message else { return };
    let message = &ledger[number];
    let copy = |(other, before): (DeliveryNo, &Delivery)| {
        other != no
            && before.session == delivery.session
            && before.message == Some(number)
            && before.qos == delivery.qos
    };
    let sent = message.possible.unwrap_or_default();
    if ledger.deliveries().skip(ledger.deliveries_before(sent)).any(copy) {
        return;
    }
    if !precedes(number, later, ledger) {
        return found.unknown("the Server may have received them in this order");
    }
    if !ledger.is_clear(delivery.session) {
        return found.unknown("not all is known of the session's subscriptions");
    }
    let shown = |message: &Message| String::from_utf8_lossy(&message.payload).into_owned();
    let expected = format!("{:?} before {:?} on {}", shown(message), shown(&ledger[later]), message.topic);
    found.accuse(ORDER, ledger.version_of(delivery.session), expected, "the later one first");
}

/// Whether the Server has certainly received a message, and may have passed it on, before another.
fn precedes(earlier: MessageNo, later: MessageNo, ledger: &Ledger) -> bool {
    let (a, b) = (&ledger[earlier], &ledger[later]);
    let ([one], [other]) = (a.attempts.as_slice(), b.attempts.as_slice()) else { return false };
    if a.qos != b.qos {
        return false;
    }
    if a.passed_on().is_some_and(|at| at <= other.at) {
        return true;
    }
    let in_order = one.connection == other.connection && one.at < other.at;
    match (a.released, b.released) {
        _ if a.qos < Qos::ExactlyOnce => in_order,
        (Some((one, at)), Some((other, later))) => in_order && one == other && at < later,
        _ => false,
    }
}

fn named(delivery: &Delivery, ledger: &Ledger) -> String {
    delivery
        .message
        .map_or(String::new(), |message| format!("{:?}", String::from_utf8_lossy(&ledger[message].payload)))
}
