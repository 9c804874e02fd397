//! Which mutants the rules catch, and within how many seeds.

use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::rules::Accusation;
use mqtt_assay_broker_model::simulate::Setup;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// How a mutant fared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// A rule has accused it of a statement that it breaks.
    Caught {
        /// Seeds tried, this one included.
        seeds: u64,
        /// The rule.
        rule: &'static str,
        /// The statement, with its version.
        statement: String,
    },
    /// A rule has accused it of a statement that must fall with its own.
    FallsWith {
        /// Seeds tried, this one included.
        seeds: u64,
        /// The rule.
        rule: &'static str,
        /// The statement, with its version.
        statement: String,
        /// Why that falls, too.
        why: &'static str,
    },
    /// Rules cannot see it, for this reason.
    Beyond(&'static str),
    /// No rule has accused it of what it breaks.
    Missed {
        /// What it was accused of, if anything.
        accused: Option<String>,
    },
    /// The run has ended before.
    NotTried,
}

/// A mutant and its fate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The mutant.
    pub mutant: Mutant,
    /// How it fared.
    pub fate: Fate,
}

/// Tries each mutant on up to so many seeds; the proofs stand in the order of the mutants.
pub fn prove_rules(
    mutants: &[Mutant],
    seeds: u64,
    jobs: usize,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Proof),
) -> Vec<Proof> {
    let mut proofs: Vec<Proof> =
        mutants.iter().map(|&mutant| Proof { mutant, fate: Fate::NotTried }).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (results, received) = mpsc::channel();
        for _ in 0..jobs.max(1) {
            let (results, next) = (results.clone(), &next);
            scope.spawn(move || {
                while let Some(place) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < mutants.len())
                {
                    let fate = try_seeds(mutants[place], seeds, stop);
                    if results.send((place, fate)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        for (place, fate) in received {
            proofs[place].fate = fate;
            progress(&proofs[place]);
        }
    });
    proofs
}

fn try_seeds(mutant: Mutant, seeds: u64, stop: &AtomicBool) -> Fate {
    if let Some(reason) = mutant.beyond_rules() {
        return Fate::Beyond(reason);
    }
    let setup = Setup { mutant: Some(mutant), ..Setup::default() };
    let mut accused = None;
    for seed in 0..seeds {
        if stop.load(Ordering::Relaxed) {
            return Fate::NotTried;
        }
        let verdicts = setup.run(seed).verdicts;
        for accusation in &verdicts.accusations {
            if let Some(fate) = fate(mutant, accusation, seed + 1) {
                return fate;
            }
        }
        if accused.is_none() {
            accused = verdicts
                .accusations
                .first()
                .map(|found| format!("{} of {}/{}", found.rule, found.version, found.statements.join(", ")));
        }
    }
    Fate::Missed { accused }
}

fn fate(mutant: Mutant, accusation: &Accusation, seeds: u64) -> Option<Fate> {
    let rule = accusation.rule;
    let named = |id: &&'static str| format!("{}/{id}", accusation.version);
    if let Some(statement) =
        accusation.statements.iter().map(named).find(|id| mutant.breaks().contains(&id.as_str()))
    {
        return Some(Fate::Caught { seeds, rule, statement });
    }
    accusation.statements.iter().find_map(|id| {
        let statement = named(id);
        let why = mutant.falls_with(&statement)?;
        Some(Fate::FallsWith { seeds, rule, statement, why })
    })
}
