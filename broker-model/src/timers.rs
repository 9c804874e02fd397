//! When the broker has to be woken, and for whom.

use crate::broker::ConnectionId;
use crate::session::SessionId;
use core::time::Duration;
use std::collections::BTreeSet;

/// Whose time has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Wake {
    Connection(ConnectionId),
    Session(SessionId),
}

/// At most one entry for each connection and session, which keeps its own copy of the time (`slot`).
#[derive(Default, Debug)]
pub(crate) struct Timers {
    set: BTreeSet<(Duration, Wake)>,
}

impl Timers {
    /// Moves the entry of `who` from `slot` to `at`.
    pub(crate) fn set(&mut self, who: Wake, slot: &mut Option<Duration>, at: Option<Duration>) {
        if *slot == at {
            return;
        }
        if let Some(old) = *slot {
            self.set.remove(&(old, who));
        }
        if let Some(at) = at {
            self.set.insert((at, who));
        }
        *slot = at;
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.set.first().map(|&(at, _)| at)
    }

    /// Takes the earliest entry that is due.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<Wake> {
        let &(at, who) = self.set.first()?;
        if at > now {
            return None;
        }
        self.set.pop_first();
        Some(who)
    }
}
