//! A message goes to one member of each Shared Subscription. [5.0/U5-SHR-2]
//! A QoS 2 delivery that has begun stays with its Client, if it disconnects [5.0/MQTT-4.8.2-4] or its session ends
//! [5.0/MQTT-4.8.2-5]; what a member refuses is not offered to another [5.0/MQTT-4.8.2-6].
//!
//! Frees     which member it is; another member if the first was lost before it had acknowledged QoS 1, or may have
//!           been; one message for each PUBLISH of the publisher's at QoS 1.
//! Unknown   when two messages have the same topic and payload; what may have come by another subscription.

use super::exactly_once::publications;
use super::ledger::{ConnectionNo, DeliveryNo, Ledger, MessageNo, Turn};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use core::time::Duration;
use mqtt_assay_codec::{Qos, Version};
use std::collections::BTreeMap;
use std::sync::Arc;

const ONE_MEMBER: Cites = Cites { v3_1_1: &[], v5: &["U5-SHR-2"] };
const MOVED_ON_DISCONNECT: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.8.2-4"] };
const MOVED_ON_SESSION_END: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.8.2-5"] };
const REFUSAL_MOVED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.8.2-6"] };

/// Two members got the message: a violation, if the first was there all the time.
#[derive(Clone, Copy, Debug)]
struct Twice {
    /// The first member's connection.
    first: ConnectionNo,
    /// When the second got it.
    at: Duration,
    second: DeliveryNo,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct SharedOnce {
    /// Who got each message by each Shared Subscription, the first of each member.
    holders: BTreeMap<(Arc<str>, MessageNo), Vec<DeliveryNo>>,
    twice: Vec<Twice>,
}

impl Rule for SharedOnce {
    fn name(&self) -> &'static str {
        "shared_once"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Delivered(_, no) => self.delivered(no, ledger, found),
            Fact::Ended(..) | Fact::Finished if !self.twice.is_empty() => {
                for closed in closing(seen, ledger) {
                    self.settle(closed, ledger, found);
                }
            }
            _ => {}
        }
    }
}

impl SharedOnce {
    fn delivered(&mut self, no: DeliveryNo, ledger: &Ledger, found: &mut Findings) {
        let delivery = &ledger[no];
        let list = &ledger[delivery.session].subscriptions;
        let mut filters = ledger.causes().iter().map(|cause| &list[cause.subscription]);
        let Some(first) = filters.next().filter(|first| first.shared) else { return };
        // It must have come by this one.
        if !filters.all(|other| other.filter == first.filter) || matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        let Some(number) = delivery.message else { return };
        let message = &ledger[number];
        // A retained message must not come at all: that is another rule's.
        if delivery.retain && !(message.retain && first.options.retain_as_published) {
            return;
        }
        if message.ambiguous {
            return found.unknown("two messages have the same topic and payload");
        }
        let holders = self.holders.entry((Arc::clone(&first.filter), number)).or_default();
        // Its client may have begun a new session.
        let own = &ledger[delivery.session].client_id;
        if holders.iter().any(|holder| ledger[ledger[*holder].session].client_id == *own) {
            return;
        }
        let before = holders.len();
        holders.push(no);
        if before < publications(ledger, message) {
            return found.decided();
        }
        if ledger.forgotten().is_some() || !ledger.is_clear(delivery.session) {
            return found.unknown("the broker may have forgotten to whom it was given");
        }
        for &holder in &holders[..before] {
            if let Some(cites) = moved(ledger, holder, no) {
                accuse(ledger, holder, no, cites, found);
            } else if ledger[ledger[holder].connection].ended.is_none() {
                let first = ledger[holder].connection;
                self.twice.push(Twice { first, at: delivery.at, second: no });
            } else {
                found.unknown("the first member was lost");
            }
        }
    }

    /// The first member's connection is over: was it there when the second member got the message?
    fn settle(&mut self, closed: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
        self.twice.retain(|twice| {
            if twice.first != closed {
                return true;
            }
            if ledger.waited(closed, twice.at) {
                let second = &ledger[twice.second];
                found.accuse_of(
                    ledger[closed].client,
                    ONE_MEMBER,
                    Version::V5,
                    format!("PUBLISH {} to one member", second.topic),
                    format!("{} gets it too", ledger[second.session].client_id),
                );
            } else {
                found.unknown("the first member may have been lost");
            }
            false
        });
    }
}

/// What a member got that another had got before, though it must not: the first has refused it, or has begun QoS 2.
fn moved(ledger: &Ledger, first: DeliveryNo, second: DeliveryNo) -> Option<Cites> {
    let (first_no, first, second) = (first, &ledger[first], &ledger[second]);
    let session = &ledger[first.session];
    let inbound =
        first.id.and_then(|id| session.inbound.get(&id)).filter(|inbound| inbound.first <= first_no);
    if inbound.is_some_and(|inbound| inbound.refused && inbound.last >= first_no) {
        return Some(REFUSAL_MOVED);
    }
    ledger[first.connection].ended?;
    if first.qos != Qos::ExactlyOnce || !ledger.is_clear(first.session) {
        return None;
    }
    let gone = session.possibly_gone.is_some_and(|at| at <= second.at);
    Some(if gone { MOVED_ON_SESSION_END } else { MOVED_ON_DISCONNECT })
}

fn accuse(ledger: &Ledger, first: DeliveryNo, second: DeliveryNo, cites: Cites, found: &mut Findings) {
    let (first, second) = (&ledger[first], &ledger[second]);
    let owner = &ledger[first.session].client_id;
    let after = if cites == REFUSAL_MOVED { "which has refused it" } else { "to which it was given first" };
    found.accuse(
        cites,
        Version::V5,
        format!("PUBLISH {} to nobody but {owner}, {after}", second.topic),
        format!("{} gets it", ledger[second.session].client_id),
    );
}
