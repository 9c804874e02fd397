//! Generated scripts against the reference broker, or a mutant of it, judged by all rules.

use crate::broker::Broker;
use crate::direct;
use crate::mutant::Mutant;
use crate::policy::Policy;
use crate::rules::{self, Bounds, Verdicts};
use crate::script::{Played, Script};
use crate::workload::{self, Workload};

/// What is simulated: everything but the seed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Setup {
    /// Which scripts.
    pub workload: Workload,
    /// The broker's choices; `None`: the seed chooses.
    pub policy: Option<Policy>,
    /// Its fault, if it is to have one.
    pub mutant: Option<Mutant>,
}

/// What came of one script.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was played.
    pub played: Played,
    /// What the rules say of it.
    pub verdicts: Verdicts,
}

impl Setup {
    /// The broker of this seed.
    pub fn broker(&self, seed: u64) -> Broker {
        let policy = self.policy.clone().unwrap_or_else(|| workload::policy(seed));
        let broker = Broker::new(policy, seed);
        match self.mutant {
            Some(mutant) => broker.with_mutant(mutant),
            None => broker,
        }
    }

    /// Plays and judges the script of this seed.
    pub fn run(&self, seed: u64) -> Outcome {
        self.run_script(self.workload.script(seed), Workload::BOUNDS)
    }

    /// Plays and judges a script.
    pub fn run_script(&self, script: Script, bounds: Bounds) -> Outcome {
        let broker = self.broker(script.seed);
        let played = direct::play(script, broker);
        let verdicts = rules::judge(&played.history, bounds);
        Outcome { played, verdicts }
    }
}
