//! Every check is proved: each mutant that it names makes it accuse, in at least one version, and with nothing
//! but a mutant changed, the reference broker passes it (see `reference.rs`).

mod support;

use mqtt_assay::check::Check;
use mqtt_assay::serve::Fault;
use mqtt_assay::target::Target;
use mqtt_assay::verdict::Verdict;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;

/// Mutants whose checks run at the same time.
const SIDE_BY_SIDE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_catches_its_mutants() {
    let mut by_mutant: BTreeMap<&str, Vec<&'static Check>> = BTreeMap::new();
    for check in mqtt_assay::checks::all() {
        assert!(!check.proved.is_empty(), "{} names no mutant", check.name);
        for mutant in check.proved {
            by_mutant.entry(mutant).or_default().push(check);
        }
    }
    let mut failures = Vec::new();
    let mut tasks = JoinSet::new();
    for (name, checks) in by_mutant {
        let Some(mutant) = Fault::from_name(name) else {
            failures.push(format!("there is no mutant {name}, named by {checks:?}"));
            continue;
        };
        if tasks.len() == SIDE_BY_SIDE
            && let Some(done) = tasks.join_next().await
        {
            failures.extend(done.expect("a proof does not panic"));
        }
        tasks.spawn(prove(mutant, checks));
    }
    while let Some(done) = tasks.join_next().await {
        failures.extend(done.expect("a proof does not panic"));
    }
    failures.sort();
    assert!(failures.is_empty(), "{} proofs fail:\n{}", failures.len(), failures.join("\n"));
}

/// What is wrong with the proofs by one mutant.
async fn prove(mutant: Fault, checks: Vec<&'static Check>) -> Vec<String> {
    let mut options =
        support::options(Target::Reference { mutant: Some(mutant) }, Duration::from_millis(1500));
    options.checks.clone_from(&checks);
    let run = match support::quietly(&options).await {
        Ok(run) => run,
        Err(error) => return vec![format!("{}: the run does not begin: {error}", mutant.name())],
    };
    checks
        .iter()
        .filter(|check| {
            !run.results.iter().any(|r| {
                r.check.name == check.name && matches!(r.verdict, Verdict::Violates | Verdict::Deviates)
            })
        })
        .map(|check| {
            let seen: Vec<String> =
                run.results.iter().filter(|r| r.check.name == check.name).map(support::line).collect();
            format!("{} does not catch {}: {}", check.name, mutant.name(), seen.join(" | "))
        })
        .collect()
}
