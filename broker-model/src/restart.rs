//! The broker after its process has ended without warning.

use crate::broker::Broker;
use crate::will::Ending;
use core::time::Duration;

impl Broker {
    /// The broker that is started at `now` after this one has ended without warning. With `kept`, all that it
    /// stored is there again: sessions and their state, retained messages, and the Wills of those that were
    /// connected, which are due now, since the Server noticed nothing before. [5.0 §3.1.2.5] [3.1.1 §3.1.2.5]
    #[must_use]
    pub fn restarted(mut self, now: Duration, kept: bool) -> Broker {
        self.outputs.clear();
        if !kept {
            let seed = self.random.next();
            return Broker { fault: self.fault, now, ..Broker::new(self.policy, seed) };
        }
        self.now = self.now.max(now);
        let lost: Vec<_> = self.connections.keys().copied().collect();
        for id in lost {
            self.end_connection(id, Ending::Lost);
        }
        self.settle();
        self.outputs.clear();
        self
    }
}
