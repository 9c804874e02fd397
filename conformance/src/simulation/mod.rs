//! Many generated scripts against the reference broker, on all cores, and what the rules accuse.

mod prove;
mod shown;

pub use prove::{Fate, Proof, prove_rules};
pub use shown::{Style, packets, write_finding};

use mqtt_assay_broker_model::rules::{Accusation, Bounds, Unknown};
use mqtt_assay_broker_model::script::Script;
use mqtt_assay_broker_model::shrink::shrink;
use mqtt_assay_broker_model::simulate::{Outcome, Setup};
use mqtt_assay_broker_model::workload::Workload;
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

/// How many scripts a finding may cost on its way to a small one.
const SHRINK_TRIES: usize = 3_000;
/// Seeds that a thread takes at a time.
const SEEDS_AT_ONCE: u64 = 16;

/// Which accusations are one finding: rule, version, first statement.
pub type Shape = (&'static str, Version, &'static str);

/// What was found in one seed's script.
struct Played {
    seed: u64,
    packets: u64,
    decided: u64,
    unknown: BTreeMap<Unknown, u64>,
    accused: Vec<Shape>,
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
    /// How many scripts show it.
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
    /// The user has ended it.
    pub interrupted: bool,
}

/// Plays the scripts of these seeds on so many threads, until `stop`.
pub fn run(
    setup: &Setup,
    seeds: Range<u64>,
    jobs: usize,
    stop: &AtomicBool,
    mut progress: impl FnMut(Progress),
) -> Simulation {
    let next = AtomicU64::new(seeds.start);
    let mut simulation = Simulation::default();
    let mut shapes: BTreeMap<Shape, (u64, u64)> = BTreeMap::new();
    std::thread::scope(|scope| {
        let (results, received) = mpsc::sync_channel(256);
        for _ in 0..jobs.max(1) {
            let (results, next, seeds) = (results.clone(), &next, seeds.clone());
            scope.spawn(move || {
                loop {
                    let from = next.fetch_add(SEEDS_AT_ONCE, Ordering::Relaxed);
                    for seed in from..(from + SEEDS_AT_ONCE).min(seeds.end) {
                        if stop.load(Ordering::Relaxed) || results.send(play(setup, seed)).is_err() {
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
            simulation.scripts += 1;
            simulation.packets += played.packets;
            simulation.decided += played.decided;
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
    simulation.interrupted = stop.load(Ordering::Relaxed);
    for (shape, (seed, scripts)) in shapes {
        if let Some(finding) = found(setup, setup.workload.script(seed), Workload::BOUNDS, shape) {
            simulation.findings.push(SimulationFinding { seed, scripts, ..finding });
        }
    }
    simulation
}

fn play(setup: &Setup, seed: u64) -> Played {
    let outcome = setup.run(seed);
    let mut accused: Vec<Shape> = outcome.verdicts.accusations.iter().map(Accusation::shape).collect();
    accused.sort_unstable();
    accused.dedup();
    Played {
        seed,
        packets: outcome.played.history.packets() as u64,
        decided: outcome.verdicts.decided,
        unknown: outcome.verdicts.unknown,
        accused,
    }
}

/// The finding of this shape in a script, made small; `None` if the script does not lead to it.
pub fn found(setup: &Setup, script: Script, bounds: Bounds, shape: Shape) -> Option<SimulationFinding> {
    let accuses = |script: &Script| {
        let outcome = setup.run_script(script.clone(), bounds);
        outcome.verdicts.accusations.iter().any(|accusation| accusation.shape() == shape)
    };
    if !accuses(&script) {
        return None;
    }
    let seed = script.seed;
    let script = shrink(script, SHRINK_TRIES, accuses);
    let outcome = setup.run_script(script.clone(), bounds);
    let accusation = outcome.verdicts.accusations.iter().find(|found| found.shape() == shape)?.clone();
    Some(SimulationFinding { seed, scripts: 1, script, accusation, outcome })
}
