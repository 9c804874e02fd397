//! Many generated scripts against the reference broker, on all cores, and what the rules accuse.

mod prove;
mod shown;

pub use prove::{Fate, Proof, prove_rules};
pub(crate) use shown::{Shown, in_words, shown};
pub use shown::{Style, packets, write_finding};

use crate::net::sim;
use mqtt_assay_broker_model::history::Digest;
use mqtt_assay_broker_model::rules::{self, Accusation, Bounds, Unknown};
use mqtt_assay_broker_model::script::Script;
use mqtt_assay_broker_model::shrink::shrink;
use mqtt_assay_broker_model::simulate::{Outcome, Setup};
use mqtt_assay_broker_model::workload::Workload;
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

/// Seeds that a thread takes at a time.
const SEEDS_AT_ONCE: u64 = 16;

/// Which accusations are one finding: rule, version, first statement.
pub type Shape = (&'static str, Version, &'static str);

/// What moves the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Carrier {
    /// The event heap: the state machine alone, no sockets, no tasks.
    #[default]
    Direct,
    /// The simulated network, on which the broker is served as on a real one.
    Turmoil,
}

impl Carrier {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Carrier::Direct => "direct",
            Carrier::Turmoil => "turmoil",
        }
    }

    /// How many scripts a finding may cost on its way to a small one: on the network each costs a hundred times more.
    const fn shrink_tries(self) -> usize {
        match self {
            Carrier::Direct => 3_000,
            Carrier::Turmoil => 150,
        }
    }
}

/// Who plays, and over what.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Stage {
    /// Scripts and broker.
    pub setup: Setup,
    /// What moves the bytes. The served broker has its own policy: that of the set-up is for the event heap.
    pub carrier: Carrier,
}

impl Stage {
    /// Plays and judges a script.
    ///
    /// # Errors
    ///
    /// The simulated network cannot begin or go on.
    pub fn run_script(&self, script: Script, bounds: Bounds) -> Result<Outcome, sim::Trouble> {
        if self.carrier == Carrier::Direct {
            return Ok(self.setup.run_script(script, bounds));
        }
        let played = sim::play(script, self.setup.mutant)?;
        let verdicts = rules::judge(&played.history, bounds);
        Ok(Outcome { played, verdicts })
    }
}

/// What was found in one seed's script.
struct Played {
    seed: u64,
    packets: u64,
    decided: u64,
    unknown: BTreeMap<Unknown, u64>,
    accused: Vec<Shape>,
    digest: u64,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Scripts played.
    pub scripts: u64,
    /// Packets seen by their clients.
    pub packets: u64,
    /// Different accusations.
    pub findings: usize,
}

/// One accusation, and the smallest script that leads to it.
#[derive(Clone, Debug)]
pub struct SimulationFinding {
    /// The lowest seed whose script shows it.
    pub seed: u64,
    /// How many generated scripts show it; 0 if the script was given.
    pub scripts: u64,
    /// What is left of the script.
    pub script: Script,
    /// The accusation, as the small script leads to it.
    pub accusation: Accusation,
    /// What was played.
    pub outcome: Outcome,
}

/// What a run has found.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    /// How many scripts were played.
    pub scripts: u64,
    /// Packets that clients sent or received.
    pub packets: u64,
    /// Cases that the rules decided for the broker.
    pub decided: u64,
    /// Cases that the rules could not decide.
    pub unknown: BTreeMap<Unknown, u64>,
    /// By shape, in the order of the shapes: the same whatever thread was first.
    pub findings: Vec<SimulationFinding>,
    /// A fingerprint of all histories, whatever order they were played in: the same for the same seeds, on every
    /// machine.
    pub digest: u64,
    /// The user has ended it.
    pub interrupted: bool,
}

/// Plays the scripts of these seeds on so many threads, until `stop`.
///
/// # Errors
///
/// The simulated network cannot begin or go on.
pub fn run(
    stage: &Stage,
    seeds: Range<u64>,
    jobs: usize,
    stop: &AtomicBool,
    mut progress: impl FnMut(Progress),
) -> Result<Simulation, sim::Trouble> {
    let next = AtomicU64::new(seeds.start);
    let mut simulation = Simulation::default();
    let mut trouble = None;
    let mut shapes: BTreeMap<Shape, (u64, u64)> = BTreeMap::new();
    std::thread::scope(|scope| {
        let (results, received) = mpsc::sync_channel(256);
        for _ in 0..jobs.max(1) {
            let (results, next, seeds) = (results.clone(), &next, seeds.clone());
            scope.spawn(move || {
                loop {
                    let from = next.fetch_add(SEEDS_AT_ONCE, Ordering::Relaxed);
                    for seed in from..(from + SEEDS_AT_ONCE).min(seeds.end) {
                        if stop.load(Ordering::Relaxed) || results.send(play(stage, seed)).is_err() {
                            return;
                        }
                    }
                    if from + SEEDS_AT_ONCE >= seeds.end {
                        return;
                    }
                }
            });
        }
        drop(results);
        for played in received {
            let played = match played {
                Ok(played) => played,
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    trouble.get_or_insert(error);
                    continue;
                }
            };
            simulation.scripts += 1;
            simulation.packets += played.packets;
            simulation.decided += played.decided;
            simulation.digest = simulation.digest.wrapping_add(played.digest);
            for (unknown, count) in played.unknown {
                *simulation.unknown.entry(unknown).or_default() += count;
            }
            for shape in played.accused {
                let (first, scripts) = shapes.entry(shape).or_insert((played.seed, 0));
                *first = played.seed.min(*first);
                *scripts += 1;
            }
            let (scripts, packets) = (simulation.scripts, simulation.packets);
            progress(Progress { scripts, packets, findings: shapes.len() });
        }
    });
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    simulation.interrupted = stop.load(Ordering::Relaxed);
    for (shape, (seed, scripts)) in shapes {
        if let Some(finding) = found(stage, stage.setup.workload.script(seed), Workload::BOUNDS, shape)? {
            simulation.findings.push(SimulationFinding { seed, scripts, ..finding });
        }
    }
    Ok(simulation)
}

fn play(stage: &Stage, seed: u64) -> Result<Played, sim::Trouble> {
    let outcome = stage.run_script(stage.setup.workload.script(seed), Workload::BOUNDS)?;
    let mut accused: Vec<Shape> = outcome.verdicts.accusations.iter().map(Accusation::shape).collect();
    accused.sort_unstable();
    accused.dedup();
    let mut digest = Digest::default();
    digest.add(&seed.to_le_bytes());
    digest.add(&outcome.played.history.digest().number().to_le_bytes());
    Ok(Played {
        digest: digest.number(),
        seed,
        packets: outcome.played.history.packets() as u64,
        decided: outcome.verdicts.decided,
        unknown: outcome.verdicts.unknown,
        accused,
    })
}

/// The finding of this shape in a script, made small; `None` if the script does not lead to it.
///
/// # Errors
///
/// The simulated network cannot begin or go on.
pub fn found(
    stage: &Stage,
    script: Script,
    bounds: Bounds,
    shape: Shape,
) -> Result<Option<SimulationFinding>, sim::Trouble> {
    let accusation = |outcome: &Outcome| {
        outcome.verdicts.accusations.iter().find(|accusation| accusation.shape() == shape).cloned()
    };
    if accusation(&stage.run_script(script.clone(), bounds)?).is_none() {
        return Ok(None);
    }
    let seed = script.seed;
    // A script that the network cannot play shows nothing.
    let script = shrink(script, stage.carrier.shrink_tries(), |script| {
        stage.run_script(script.clone(), bounds).is_ok_and(|outcome| accusation(&outcome).is_some())
    });
    let outcome = stage.run_script(script.clone(), bounds)?;
    let found = accusation(&outcome);
    Ok(found.map(|accusation| SimulationFinding { seed, scripts: 1, script, accusation, outcome }))
}
