//! Shared Subscriptions: each message goes to one member. [5.0 §4.8.2]

use crate::mutant::{Fault, Mutant};
use crate::router::Subscription;
use crate::session::SessionId;
use std::sync::Arc;

/// The members of one ShareName and filter, in the order in which they joined.
#[derive(Debug)]
pub(crate) struct Share {
    /// The whole shared filter.
    pub(crate) filter: Arc<str>,
    members: Vec<(SessionId, Subscription)>,
    /// Whose turn is next.
    turn: usize,
}

impl Share {
    pub(crate) fn new(filter: &str) -> Self {
        Share { filter: filter.into(), members: Vec::new(), turn: 0 }
    }

    /// A session joins, or replaces its subscription, which is returned: it never counts twice.
    pub(crate) fn join(
        &mut self,
        session: SessionId,
        new: Subscription,
        fault: Fault,
    ) -> Option<Subscription> {
        match self.members.iter_mut().find(|(id, _)| *id == session) {
            Some((_, old)) if !fault.is(Mutant::SharedJoinedTwice) => Some(core::mem::replace(old, new)),
            _ => {
                self.members.push((session, new));
                None
            }
        }
    }

    /// A session leaves; tells whether it was a member.
    pub(crate) fn leave(&mut self, session: SessionId, fault: Fault) -> bool {
        let Some(place) = self.members.iter().position(|(id, _)| *id == session) else {
            return false;
        };
        self.members.remove(place);
        if place < self.turn {
            self.turn -= 1;
        }
        if place == 0 && fault.is(Mutant::SharedLostWhenFirstLeaves) {
            self.members.clear();
        }
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn members(&self) -> &[(SessionId, Subscription)] {
        &self.members
    }

    /// The member that gets the next message: round robin among those that `ready` prefers, else among all.
    /// The criterion is the Server's own. [5.0 §4.8.2]
    pub(crate) fn choose(&mut self, ready: impl Fn(SessionId) -> bool) -> Option<(SessionId, Subscription)> {
        let count = self.members.len();
        let in_turn = |offset| (self.turn + offset) % count;
        let place = (0..count).map(in_turn).find(|&place| ready(self.members[place].0));
        let place = place.or_else(|| (count > 0).then(|| in_turn(0)))?;
        self.turn = place + 1;
        Some(self.members[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::SubscriptionOptions;

    const ANY: Subscription = Subscription {
        options: SubscriptionOptions::qos(mqtt_assay_codec::Qos::AtMostOnce),
        identifier: None,
    };

    #[test]
    fn members_take_turns_and_those_away_are_skipped() {
        let mut share = Share::new("$share/g/t");
        for id in 1..=3 {
            assert_eq!(share.join(SessionId(id), ANY, Fault::default()), None);
        }
        let mut turn = |away: u64| share.choose(|id| id.0 != away).map(|(id, _)| id.0);
        assert_eq!([turn(0), turn(0), turn(0), turn(0)], [Some(1), Some(2), Some(3), Some(1)]);
        assert_eq!([turn(2), turn(2)], [Some(3), Some(1)]);
        assert_eq!(share.choose(|_| false).map(|(id, _)| id.0), Some(2));
    }

    #[test]
    fn a_session_counts_once() {
        let mut share = Share::new("$share/g/t");
        share.join(SessionId(1), ANY, Fault::default());
        assert_eq!(share.join(SessionId(1), ANY, Fault::default()), Some(ANY));
        assert!(share.leave(SessionId(1), Fault::default()));
        assert!(share.is_empty());
        assert_eq!(share.choose(|_| true), None);
    }
}
