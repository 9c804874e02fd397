//! What happens to the network and to the broker's host.

use super::{BROKER, Simulation};

/// A fault, or its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing of this client's passes, either way, until it is released: an outage that connections survive.
    Hold(String),
    /// What was held arrives, in order.
    Release(String),
    /// What is under way to and from this client is lost, and everything after it: its connections are dead for
    /// ever, and neither end is told. New ones are refused at once.
    Partition(String),
    /// New connections of this client come through again.
    Repair(String),
    /// The broker's software ends; its system closes the connections, orderly unless bytes were not read.
    Crash,
    /// The broker's host loses its power: no client is told. Those that write to it later, once it is up again, are
    /// answered with a reset.
    PowerCut,
    /// The broker starts again. A request to connect that came in the meantime is refused now.
    Bounce(Memory),
}

/// What a broker that starts again has of its sessions and retained messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Memory {
    /// Everything up to the crash, as if each change had reached the disk at once. It takes the connections that it
    /// had for lost then, and so publishes their Wills. [3.1.1/MQTT-3.1.2-8] [5.0/MQTT-3.1.2-8]
    Kept,
    /// Nothing.
    Lost,
}

/// Whether anything passes between a client and the broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Link {
    Up,
    Held,
    Partitioned,
}

impl Simulation {
    /// Lets a fault happen, or end, before the next step.
    pub fn fault(&mut self, fault: &Fault) {
        match fault {
            Fault::Hold(client) => self.set_link(client, Link::Held),
            Fault::Partition(client) => self.set_link(client, Link::Partitioned),
            Fault::Release(client) | Fault::Repair(client) => self.set_link(client, Link::Up),
            Fault::Crash => self.sim.crash(BROKER),
            Fault::PowerCut => {
                // What the dying software would still say is lost with what is under way.
                for host in self.hosts.clients.values() {
                    self.sim.partition(host.name.as_str(), BROKER);
                }
                self.sim.crash(BROKER);
                for host in self.hosts.clients.values() {
                    match host.link {
                        Link::Up => self.sim.repair(host.name.as_str(), BROKER),
                        Link::Held => self.sim.hold(host.name.as_str(), BROKER),
                        Link::Partitioned => {}
                    }
                }
            }
            Fault::Bounce(memory) => {
                match memory {
                    Memory::Kept => self.machine.borrow().restart(self.elapsed()),
                    Memory::Lost => drop(self.machine.replace(self.conditions.machine())),
                }
                self.sim.bounce(BROKER);
            }
        }
    }
}
