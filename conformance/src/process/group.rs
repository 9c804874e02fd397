//! The process group of a broker: what is told to end, with all that it has started.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::process::Child;

/// The groups that live, for an end in haste.
static LIVING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn living() -> MutexGuard<'static, BTreeSet<i32>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills every broker that was started: the process is about to end without ado.
pub(crate) fn kill_all() {
    for leader in std::mem::take(&mut *living()) {
        signal(leader, true);
    }
}

/// The group whose leader the broker is.
#[derive(Debug)]
pub(super) struct Group {
    leader: Option<i32>,
}

impl Group {
    pub(super) fn of(child: &Child) -> Group {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        living().extend(leader);
        Group { leader }
    }

    /// Tells all to end.
    pub(super) fn terminate(&self) {
        if let Some(leader) = self.leader {
            signal(leader, false);
        }
    }

    /// Ends all, once: afterwards the number may become somebody else's.
    pub(super) fn kill(&mut self) {
        if let Some(leader) = self.leader.take() {
            living().remove(&leader);
            signal(leader, true);
        }
    }
}

#[cfg(unix)]
fn signal(leader: i32, kill: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(leader) = Pid::from_raw(leader) {
        // A group that is gone needs no signal.
        let _ = kill_process_group(leader, if kill { Signal::KILL } else { Signal::TERM });
    }
}

/// Without process groups the child alone is ended, when it is dropped.
#[cfg(not(unix))]
fn signal(_: i32, _: bool) {}
