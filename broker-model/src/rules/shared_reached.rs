//! A message that the Server has taken on reaches a member of every Shared Subscription that it matches.
//! [5.0/U5-SHR-2] Whoever leaves [5.0/U5-SHR-6], whatever other ShareNames there are [5.0/U5-SHR-4], and whatever was
//! unsubscribed that was not this filter, whole and exact [5.0/MQTT-3.10.4-1] [5.0/U5-SHR-7]. Nor is it lost while its
//! member is away [5.0/MQTT-4.5.0-1].
//!
//! Frees     which member it is, also one that is away; what a member that has left, or whose session may be gone,
//!           may have taken with it; QoS 0; topics that begin with `$`.
//! Unknown   when two messages have the same topic and payload; unless every possible member was there long enough and
//!           has acknowledged everything.

use super::doubt::hands_over;
use super::ledger::{Ledger, MessageNo, SessionNo, Wait};
use super::{Cites, Fact, Findings, Rule, Seen};
use core::time::Duration;
use mqtt_assay_codec::{Packet, Qos, Version};
use std::collections::BTreeMap;
use std::sync::Arc;

const ONE_MEMBER: Cites = Cites { v3_1_1: &[], v5: &["U5-SHR-2"] };
const LOST: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.5.0-1"] };
const OTHER_NAME: Cites = Cites { v3_1_1: &[], v5: &["U5-SHR-4"] };
const OTHERS_STAY: Cites = Cites { v3_1_1: &[], v5: &["U5-SHR-6"] };
const WHOLE_FILTER: Cites = Cites { v3_1_1: &[], v5: &["U5-SHR-7", "MQTT-3.10.4-1"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct SharedReached {
    /// Somebody has subscribed to a shared filter.
    any: bool,
    /// Messages that nobody got by a shared filter yet, and since when they are due.
    due: BTreeMap<(Arc<str>, MessageNo), Duration>,
}

impl Rule for SharedReached {
    fn name(&self) -> &'static str {
        "shared_reached"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Sent(Packet::Subscribe(subscribe)) => {
                self.any |= subscribe.subscriptions.iter().any(|asked| asked.filter.starts_with("$share/"));
            }
            Fact::Received(Packet::Puback(_) | Packet::Pubcomp(_), _) if self.any => {
                if let Some(message) = ledger.answered_message() {
                    self.taken_on(message, ledger, found);
                }
            }
            Fact::Delivered(_, no) if !self.due.is_empty() => {
                let Some(message) = ledger[no].message else {
                    self.due.retain(|(_, due), _| !hands_over(&ledger[no], *due, &ledger[*due]));
                    return;
                };
                let list = &ledger[ledger[no].session].subscriptions;
                for cause in ledger.causes() {
                    let filter = Arc::clone(&list[cause.subscription].filter);
                    if self.due.remove(&(filter, message)).is_some() {
                        found.decided();
                    }
                }
            }
            Fact::Finished => self.settle(ledger, found),
            _ => {}
        }
    }
}

impl SharedReached {
    fn taken_on(&mut self, number: MessageNo, ledger: &Ledger, found: &mut Findings) {
        let message = &ledger[number];
        let (Some(sent), Some(since)) = (message.possible, message.passed_on()) else { return };
        if message.refused || message.topic.starts_with('$') {
            return;
        }
        for (_, session) in ledger.sessions() {
            if !session.certainly(sent, since) {
                continue;
            }
            for subscription in &session.subscriptions {
                let granted = subscription.granted.is_some_and(|(_, qos)| qos > Qos::AtMostOnce);
                if !subscription.shared
                    || !granted
                    || !subscription.certainly(sent, since)
                    || !subscription.matches(&message.topic)
                {
                    continue;
                }
                if message.ambiguous {
                    found.unknown("two messages have the same topic and payload");
                } else if !got(ledger, &subscription.filter, number) {
                    self.due.entry((Arc::clone(&subscription.filter), number)).or_insert(since);
                }
            }
        }
    }

    fn settle(&mut self, ledger: &Ledger, found: &mut Findings) {
        for ((filter, number), since) in core::mem::take(&mut self.due) {
            match lost(ledger, &filter, number, since) {
                Ok(_) if !ledger.may_publish(number) => {
                    found.unknown("the publisher may not be allowed to publish so");
                }
                Ok(member) => found.accuse_of(
                    ledger.client_of(member),
                    cites(ledger, &filter, number),
                    Version::V5,
                    format!("PUBLISH {} to a member of {filter}", ledger[number].topic),
                    "the Server has acknowledged the message, and no member has got it",
                ),
                Err(why) => found.unknown(why),
            }
        }
    }
}

/// Whether somebody got the message, perhaps by this filter.
fn got(ledger: &Ledger, filter: &str, number: MessageNo) -> bool {
    let message = &ledger[number];
    let sent = message.possible.unwrap_or_default();
    ledger.deliveries().skip(ledger.deliveries_before(sent)).any(|(_, delivery)| {
        let list = &ledger[delivery.session].subscriptions;
        hands_over(delivery, number, message) && list.iter().any(|own| *own.filter == *filter)
    })
}

/// A member, if every session that may be one was there long enough and has not got the message.
fn lost(
    ledger: &Ledger,
    filter: &str,
    number: MessageNo,
    since: Duration,
) -> Result<SessionNo, &'static str> {
    let sent = ledger[number].possible.unwrap_or_default();
    let mut member = None;
    for (no, session) in ledger.sessions() {
        let mut own = session.subscriptions.iter().filter(|own| *own.filter == *filter).peekable();
        if own.peek().is_none() || session.certainly_gone.is_some_and(|at| at < sent) {
            continue;
        }
        let mut possible = own.filter(|own| own.possibly(sent, ledger.now)).peekable();
        if possible.peek().is_none() {
            continue;
        }
        if possible
            .any(|own| own.ending.is_some() || own.granted.is_none_or(|(_, qos)| qos == Qos::AtMostOnce))
        {
            return Err("a member may have taken the message with it");
        }
        match ledger.overdue(no, number, sent.max(session.begun), since.max(session.begun)) {
            Wait::Overdue => member = Some(no),
            Wait::Unknown(why) => return Err(why),
            Wait::NotYet => return Err("a possible member was not there long enough"),
        }
    }
    member.ok_or("all members may have left")
}

/// The statement that the situation points to.
fn cites(ledger: &Ledger, filter: &str, number: MessageNo) -> Cites {
    let members = || {
        ledger.sessions().filter_map(|(_, session)| {
            session.subscriptions.iter().find(|own| *own.filter == *filter).map(|own| (session, own))
        })
    };
    let by_filter_alone = members().any(|(session, own)| {
        session.unsubscribes.iter().any(|(at, other)| *other == own.matches && *at > own.asked)
    });
    let sent = ledger[number].possible.unwrap_or_default();
    let matches = members().next().map(|(_, own)| &own.matches);
    let other_name = ledger.deliveries().skip(ledger.deliveries_before(sent)).any(|(_, delivery)| {
        let list = &ledger[delivery.session].subscriptions;
        let same = |own: &super::ledger::Subscription| {
            own.shared && Some(&own.matches) == matches && *own.filter != *filter
        };
        delivery.message == Some(number) && list.iter().any(same)
    });
    let passed = ledger[number].passed_on().unwrap_or(sent);
    let away = members().filter(|(_, own)| own.possibly(sent, passed)).all(|(session, _)| {
        !session.connections.iter().map(|no| &ledger[*no]).any(|connection| {
            connection.answered.is_some_and(|answered| answered.at < sent)
                && connection.ended.is_none_or(|end| end.at > passed)
        })
    });
    let left = members().any(|(session, own)| {
        own.ended.is_some() || session.possibly_gone.is_some() || session.certainly_gone.is_some()
    });
    if by_filter_alone {
        WHOLE_FILTER
    } else if other_name {
        OTHER_NAME
    } else if away {
        LOST
    } else if left {
        OTHERS_STAY
    } else {
        ONE_MEMBER
    }
}
