//! Plays the pairs, side by side.

use super::{Kill, Row, Tie, beside};
use crate::check::{Check, Cite};
use crate::net::shape::Shape;
use crate::net::sim::Conditions;
use crate::outcome::CheckResult;
use crate::report::accused;
use crate::run::{Options, PATIENCE, Progress, SetUp, run, simulated};
use crate::serve::Fault;
use crate::setup::Profile;
use crate::target::Target;
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::watch;

/// Names and latencies derive from it; the matrix is the same for every run.
const SEED: u64 = 7;

/// Checks side by side, and the most that one may take, on real sockets.
const JOBS: usize = 32;
const DEADLINE: Duration = Duration::from_secs(20);

/// Coarse steps: what waits for an answer that does not come waits for few of them.
const TICK: Duration = Duration::from_millis(10);

/// Every pair of mutant and check, `jobs` at a time; the rows stand in the order of the mutants.
pub fn play(
    mutants: &[Fault],
    checks: &[&'static Check],
    jobs: usize,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Row),
) -> Vec<Row> {
    let pairs: Vec<(&'static Check, Version)> =
        checks.iter().flat_map(|check| check.versions().map(move |version| (*check, version))).collect();
    let mut rows: Vec<Row> = mutants.iter().copied().map(Row::empty).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (results, received) = mpsc::channel();
        for _ in 0..jobs.max(1) {
            let (results, next, pairs) = (results.clone(), &next, &pairs);
            scope.spawn(move || {
                while let Some(place) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < mutants.len())
                {
                    let row = row(mutants[place], pairs, stop);
                    if results.send((place, row)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        for (place, row) in received {
            progress(&row);
            rows[place] = row;
        }
    });
    rows
}

fn row(fault: Fault, pairs: &[(&'static Check, Version)], stop: &AtomicBool) -> Row {
    match fault {
        Fault::Model(_) | Fault::Packets(_) => in_simulation(fault, pairs, stop),
        Fault::Edge(_) => on_sockets(fault, pairs, stop),
    }
}

fn in_simulation(fault: Fault, pairs: &[(&'static Check, Version)], stop: &AtomicBool) -> Row {
    let conditions = Conditions {
        seed: SEED,
        tick: TICK,
        client_shape: Shape::PLAIN,
        broker_shape: Shape::PLAIN,
        mutant: Some(fault),
        ..Conditions::default()
    };
    let mut row = Row::empty(fault);
    for (check, version) in pairs {
        if stop.load(Ordering::Relaxed) {
            return row;
        }
        match simulated(check, *version, &conditions) {
            Ok(result) => row.add(&result),
            Err(trouble) => {
                row.troubles.insert(format!("{version}: {trouble}"));
            }
        }
    }
    row.complete = true;
    row
}

/// One run of all checks over loopback, as a user runs them.
fn on_sockets(fault: Fault, pairs: &[(&'static Check, Version)], stop: &AtomicBool) -> Row {
    let mut row = Row::empty(fault);
    let mut checks: Vec<&'static Check> = pairs.iter().map(|(check, _)| *check).collect();
    checks.dedup_by_key(|check| check.name);
    let options = Options {
        target: Target::Reference { mutant: Some(fault) },
        profile: Profile::default(),
        process: None,
        versions: Vec::new(),
        checks,
        jobs: JOBS,
        seed: SEED,
        deadline: DEADLINE,
        patience: PATIENCE,
        capture: false,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            row.troubles.insert(format!("no runtime: {error}"));
            return row;
        }
    };
    let (ask, asked) = watch::channel(false);
    let mut watched = |_: Progress<'_>| {
        if stop.load(Ordering::Relaxed) {
            // The run may have ended.
            let _ = ask.send(true);
        }
    };
    match runtime.block_on(run(&options, asked, &mut watched)) {
        Ok(run) => {
            row.complete = !run.interrupted;
            run.results.iter().for_each(|result| row.add(result));
        }
        Err(SetUp::Broker(trouble)) => {
            row.complete = true;
            row.troubles.insert(trouble);
        }
        Err(SetUp::Interrupted) => {}
    }
    row
}

impl Row {
    fn empty(mutant: Fault) -> Row {
        let (kills, troubles) = (Vec::new(), BTreeSet::new());
        Row { mutant, played: 0, kills, inconclusive: 0, troubles, complete: false }
    }

    fn add(&mut self, result: &CheckResult) {
        self.played += 1;
        match result.verdict {
            Verdict::Violates | Verdict::Deviates => self.kills.push(kill(self.mutant, result)),
            Verdict::Inconclusive => self.inconclusive += 1,
            Verdict::Conforms | Verdict::Choice | Verdict::NotTested | Verdict::Unsupported => {}
        }
    }
}

fn kill(mutant: Fault, result: &CheckResult) -> Kill {
    let mut found: BTreeSet<Cite> = BTreeSet::new();
    for verdict in [Verdict::Violates, Verdict::Deviates] {
        if result.findings.iter().any(|finding| finding.verdict == verdict) {
            found.extend(accused(result, verdict));
        }
    }
    let own = result
        .check
        .cites(result.version)
        .chain(found.iter().copied())
        .any(|cite| mutant.breaks().contains(&cite.to_string().as_str()));
    let tie = match beside::reason(mutant, result.check) {
        _ if own => Tie::Own,
        Some(reason) => Tie::Beside(reason),
        None => Tie::Unexplained,
    };
    Kill { check: result.check, version: result.version, verdict: result.verdict, accused: found, tie }
}
