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

/// More members got the message than it was published times: a violation, if so many that got it before were there
/// all the time, so that none had to be given theirs.
#[derive(Clone, Debug)]
struct Excess {
    /// What those got before that are still there, each with what is broken if they were not lost.
    open: Vec<(DeliveryNo, Cites)>,
    /// How many of the others had it to the end, and how many must have had it.
    stayed: usize,
    needed: usize,
    /// When the last one got it.
    at: Duration,
    last: DeliveryNo,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct SharedOnce {
    /// Who got each message by each Shared Subscription, the first of each member.
    holders: BTreeMap<(Arc<str>, MessageNo), Vec<DeliveryNo>>,
    excess: Vec<Excess>,
}

impl Rule for SharedOnce {
    fn name(&self) -> &'static str {
        "shared_once"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Delivered(_, no) => self.delivered(no, ledger, found),
            Fact::Ended(..) | Fact::Finished if !self.excess.is_empty() => {
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
        let needed = publications(ledger, message);
        if before < needed {
            return found.decided();
        }
        if ledger.forgotten().is_some() || !ledger.is_clear(delivery.session) {
            return found.unknown("the broker may have forgotten to whom it was given");
        }
        let (mut stayed, mut open) = (0, Vec::new());
        let mut broken = None;
        // To a session with other subscriptions it may have come by them.
        let known = |holder: &&DeliveryNo| ledger.is_clear(ledger[**holder].session);
        for &holder in holders[..before].iter().filter(known) {
            let refusal = refusal(ledger, holder);
            let here = ledger[ledger[holder].connection].ended.is_none();
            let known = refusal.is_some_and(|(on, at)| ledger[on].has_heard(at)).then_some(REFUSAL_MOVED);
            if let Some(cites) = known.or_else(|| moved(ledger, holder, no)) {
                stayed += 1;
                broken = Some((holder, cites));
            } else if here {
                open.push((holder, if refusal.is_some() { REFUSAL_MOVED } else { ONE_MEMBER }));
            }
        }
        match broken {
            Some((holder, cites)) if stayed >= needed => accuse(ledger, holder, no, cites, found),
            _ if stayed + open.len() >= needed => {
                self.excess.push(Excess { open, stayed, needed, at: delivery.at, last: no });
            }
            _ => found.unknown("the first member was lost"),
        }
    }

    /// A member's connection is over: was it there when the last one got the message?
    fn settle(&mut self, closed: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
        self.excess.retain_mut(|excess| {
            let place = excess.open.iter().position(|(holder, _)| ledger[*holder].connection == closed);
            let Some(place) = place else { return true };
            let (holder, cites) = excess.open.remove(place);
            excess.stayed += usize::from(ledger.waited(closed, excess.at));
            if excess.stayed >= excess.needed {
                accuse(ledger, holder, excess.last, cites, found);
            } else if excess.stayed + excess.open.len() < excess.needed {
                found.unknown("the first member may have been lost");
            } else {
                return true;
            }
            false
        });
    }
}

/// The refusal of a delivery: on which connection, when.
fn refusal(ledger: &Ledger, no: DeliveryNo) -> Option<(ConnectionNo, Duration)> {
    let inbound = ledger[no].id.and_then(|id| ledger[ledger[no].session].inbound.get(&id))?;
    inbound.ended.filter(|_| inbound.refused && inbound.first <= no && inbound.last >= no)
}

/// What a member got that another had got before, and had begun to receive at QoS 2.
fn moved(ledger: &Ledger, first: DeliveryNo, second: DeliveryNo) -> Option<Cites> {
    let (first, second) = (&ledger[first], &ledger[second]);
    ledger[first.connection].ended?;
    if first.qos != Qos::ExactlyOnce || !ledger.is_clear(first.session) {
        return None;
    }
    let gone = ledger[first.session].possibly_gone.is_some_and(|at| at <= second.at);
    Some(if gone { MOVED_ON_SESSION_END } else { MOVED_ON_DISCONNECT })
}

fn accuse(ledger: &Ledger, first: DeliveryNo, second: DeliveryNo, cites: Cites, found: &mut Findings) {
    let (first, second) = (&ledger[first], &ledger[second]);
    let owner = &ledger[first.session].client_id;
    let expected = match cites {
        ONE_MEMBER => format!("PUBLISH {} to one member", second.topic),
        REFUSAL_MOVED => {
            format!("PUBLISH {} to nobody but {owner}, which has refused it", second.topic)
        }
        _ => format!("PUBLISH {} to nobody but {owner}, to which it was given first", second.topic),
    };
    let other = &ledger[second.session].client_id;
    let observed =
        if cites == ONE_MEMBER { format!("{other} gets it too") } else { format!("{other} gets it") };
    let at = ledger[second.connection].client;
    found.accuse_of(at, cites, Version::V5, expected, observed);
}
