//! Plays the pairs, side by side.

use super::{Kill, Row, Tie, beside};
use crate::check::{Check, Cite};
use crate::net::shape::Shape;
use crate::net::sim::Conditions;
use crate::outcome::CheckResult;
use crate::report::accused;
use crate::run::simulated;
use crate::verdict::Verdict;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_codec::Version;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// Names and latencies derive from it; the matrix is the same for every run.
const SEED: u64 = 7;

/// Coarse steps: what waits for an answer that does not come waits for few of them.
const TICK: Duration = Duration::from_millis(10);

/// Every pair of mutant and check, `jobs` at a time; the rows stand in the order of the mutants.
pub fn play(
    mutants: &[Mutant],
    checks: &[&'static Check],
    jobs: usize,
    stop: &AtomicBool,
    mut progress: impl FnMut(&Row),
) -> Vec<Row> {
    let pairs: Vec<(&'static Check, Version)> =
        checks.iter().flat_map(|check| check.versions().map(move |version| (*check, version))).collect();
    let empty = |&mutant: &Mutant| Row {
        mutant,
        played: 0,
        kills: Vec::new(),
        inconclusive: 0,
        troubles: BTreeSet::new(),
        complete: false,
    };
    let mut rows: Vec<Row> = mutants.iter().map(empty).collect();
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

fn row(mutant: Mutant, pairs: &[(&'static Check, Version)], stop: &AtomicBool) -> Row {
    let conditions = Conditions {
        seed: SEED,
        tick: TICK,
        client_shape: Shape::PLAIN,
        broker_shape: Shape::PLAIN,
        mutant: Some(mutant),
        ..Conditions::default()
    };
    let mut row = Row {
        mutant,
        played: 0,
        kills: Vec::new(),
        inconclusive: 0,
        troubles: BTreeSet::new(),
        complete: false,
    };
    for (check, version) in pairs {
        if stop.load(Ordering::Relaxed) {
            return row;
        }
        match simulated(check, *version, &conditions) {
            Ok(result) => {
                row.played += 1;
                match result.verdict {
                    Verdict::Violates | Verdict::Deviates => row.kills.push(kill(mutant, &result)),
                    Verdict::Inconclusive => row.inconclusive += 1,
                    Verdict::Conforms | Verdict::Choice | Verdict::NotTested | Verdict::Unsupported => {}
                }
            }
            Err(trouble) => {
                row.troubles.insert(format!("{version}: {trouble}"));
            }
        }
    }
    row.complete = true;
    row
}

fn kill(mutant: Mutant, result: &CheckResult) -> Kill {
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
