//! A simulated network in virtual time: the served broker on one host, clients on others, and faults between them.
//!
//! One seed decides everything: latencies, the order in which packets of different connections arrive, how streams
//! are cut and merged. What is left to chance nowhere in the broker and the clients comes out the same each time.
//!
//! turmoil moves the bytes. What it does not simulate: loss and retransmission (an outage that heals is a hold, one
//! that does not is a partition), byte windows (a sender blocks after 1,024 segments), resets on demand.

mod faults;
mod hosts;
mod play;
mod tcp;

pub use faults::{Fault, Memory};
pub use hosts::{Close, Command, Event, Told};
pub use play::play;

use super::Address;
use super::shape::Shape;
use crate::rng::Rng;
use crate::serve::{self, Machine};
use crate::setup::Setup;
use hosts::Hosts;
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, SystemTime};
use turmoil::Sim;

/// The broker's host.
const BROKER: &str = "broker";

/// So many segments of one connection may be under way, per direction.
const SEGMENTS: usize = 1024;

/// No simulation takes so long: everything that waits has a limit of its own.
const FOR_EVER: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What a simulation is like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conditions {
    /// Everything that is drawn derives from it.
    pub seed: u64,
    /// The network moves in steps of this length. A long one costs less, and is latency.
    pub tick: Duration,
    /// A segment takes at least so long, in whole milliseconds.
    pub latency_min: Duration,
    /// No segment takes longer.
    pub latency_max: Duration,
    /// What becomes of the streams on the clients' side.
    pub client_shape: Shape,
    /// What becomes of the streams on the broker's side.
    pub broker_shape: Shape,
    /// How the broker is set up.
    pub setup: Setup,
    /// A fault that the served broker has; those of a transport above TCP change nothing here.
    pub mutant: Option<serve::Fault>,
}

impl Default for Conditions {
    /// A quick network that cuts and merges what it carries.
    fn default() -> Self {
        Conditions {
            seed: 0,
            tick: Duration::from_millis(1),
            latency_min: Duration::from_millis(1),
            latency_max: Duration::from_millis(10),
            client_shape: Shape::MIXED,
            broker_shape: Shape::MIXED,
            setup: Setup::Full,
            mutant: None,
        }
    }
}

/// A simulation cannot begin, or go on.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The build makes no two runs alike.
    #[error(
        "this build cannot simulate: the same seed would not give the same run; build it with \
         RUSTFLAGS=\"--cfg tokio_unstable\" (.cargo/config.toml says so, and RUSTFLAGS in the environment replaces it)"
    )]
    Unseeded,
    /// The served broker is not fit for the check.
    #[error("{0}")]
    Broker(String),
    /// The simulation stopped.
    #[error("the simulation stopped after {:.3} s: {why}", after.as_secs_f64())]
    Stopped {
        /// Virtual time.
        after: Duration,
        /// What the simulator says.
        why: String,
    },
}

/// A network with a served broker. It is driven step by step from outside, or by a story that runs on it.
pub struct Simulation {
    sim: Sim<'static>,
    conditions: Conditions,
    /// What the broker's host serves the next time it starts.
    machine: Rc<RefCell<Machine>>,
    hosts: Hosts,
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulation").field("conditions", &self.conditions).finish_non_exhaustive()
    }
}

impl Simulation {
    /// A network on which the broker serves, at time zero.
    ///
    /// # Errors
    ///
    /// The build leaves something to chance.
    pub fn new(conditions: Conditions) -> Result<Self, Trouble> {
        if !cfg!(tokio_unstable) {
            return Err(Trouble::Unseeded);
        }
        let mut sim = turmoil::Builder::new()
            .rng_seed(conditions.seed_for("network"))
            .epoch(SystemTime::UNIX_EPOCH)
            .simulation_duration(FOR_EVER)
            .tick_duration(conditions.tick)
            .min_message_latency(conditions.latency_min)
            .max_message_latency(conditions.latency_max.max(conditions.latency_min))
            // A lost segment would stall its connection for ever: there is no retransmission.
            .fail_rate(0.0)
            .tcp_capacity(SEGMENTS)
            .build();
        let machine = Rc::new(RefCell::new(conditions.machine()));
        let (shape, seed) = (conditions.broker_shape, conditions.seed_for("broker's streams"));
        let next = Rc::clone(&machine);
        sim.host(BROKER, move || {
            let machine = next.borrow().clone();
            async move {
                serve::serve(tcp::Accepting::bind(shape, seed).await?, machine).await;
                Ok(())
            }
        });
        let hosts = Hosts::new(conditions.client_shape, conditions.seed_for("clients' streams"));
        Ok(Simulation { sim, conditions, machine, hosts })
    }

    /// Virtual time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.sim.elapsed()
    }

    /// Runs a story to its end: all its connections come from one host.
    pub(crate) fn play<F>(mut self, story: impl FnOnce(Address) -> F) -> Result<F::Output, Trouble>
    where
        F: Future<Output: 'static> + 'static,
    {
        let (shape, seed) = (self.conditions.client_shape, self.conditions.seed_for("clients' streams"));
        let story = story(Address::new(tcp::Simulated::default()).shaped(shape, seed));
        let ending = Rc::new(RefCell::new(None));
        let end = Rc::clone(&ending);
        self.sim.client("story", async move {
            let output = story.await;
            end.replace(Some(output));
            Ok(())
        });
        self.sim.run().map_err(|error| self.stopped(error.to_string()))?;
        let output = ending.take();
        output.ok_or_else(|| self.stopped("the story has no end".to_owned()))
    }

    fn stopped(&self, why: String) -> Trouble {
        Trouble::Stopped { after: self.elapsed(), why }
    }
}

impl Conditions {
    fn seed_for(&self, what: &str) -> u64 {
        Rng::named(self.seed, what).next_u64()
    }

    fn machine(&self) -> Machine {
        Machine::new(self.setup, self.mutant, self.seed_for("broker"))
    }
}
