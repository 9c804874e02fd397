//! The reference broker passes every check on a simulated network, whose streams come in pieces of all sizes; the
//! same seed gives the same packets at the same times; a mutant is caught there, too.

mod support;

use mqtt_assay::check::Check;
use mqtt_assay::net::shape::Shape;
use mqtt_assay::net::sim::Conditions;
use mqtt_assay::outcome::CheckResult;
use mqtt_assay::run::simulated;
use mqtt_assay::serve::Fault;
use mqtt_assay::verdict::Verdict;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_codec::Version;
use std::process::{Command, Stdio};
use std::time::Duration;

const SEED: u64 = 7;

/// Set for the second run.
const SECOND: &str = "MQTT_ASSAY_SECOND_RUN";

fn simulate(check: &'static Check, version: Version, mutant: Option<Mutant>) -> CheckResult {
    let conditions = Conditions { seed: SEED, mutant: mutant.map(Fault::Model), ..Conditions::default() };
    simulated(check, version, &conditions)
        .unwrap_or_else(|trouble| panic!("{} {version}: {trouble}", check.name))
}

/// Every check in both versions, on the reference broker.
fn catalogue() -> impl Iterator<Item = CheckResult> {
    mqtt_assay::checks::all()
        .into_iter()
        .flat_map(|check| check.versions().map(move |version| simulate(check, version, None)))
}

fn digest(result: &CheckResult) -> String {
    format!("{:016x} {} {}", result.digest(), result.version, result.check.name)
}

/// The second run is another process: what would differ between processes, the addresses of the memory for one,
/// differs then.
#[test]
fn every_check_conforms_and_the_same_seed_gives_the_same_packets() {
    const NAME: &str = "every_check_conforms_and_the_same_seed_gives_the_same_packets";
    const MARK: &str = "digest ";
    if std::env::var_os(SECOND).is_some() {
        catalogue().for_each(|result| println!("{MARK}{}", digest(&result)));
        return;
    }
    let second = Command::new(std::env::current_exe().expect("this test has a binary"))
        .args(["--exact", NAME, "--nocapture"])
        .env(SECOND, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this binary runs");
    let first: Vec<CheckResult> = catalogue().collect();
    let complaints: Vec<String> =
        first.iter().filter(|r| r.verdict != support::expected(r.check, false)).map(support::line).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));

    let output = second.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let second = String::from_utf8(output.stdout).expect("text");
    let second: Vec<&str> = second.lines().filter_map(|line| line.strip_prefix(MARK)).collect();
    let first: Vec<String> = first.iter().map(digest).collect();
    let differ: Vec<&String> = first.iter().filter(|line| !second.contains(&line.as_str())).collect();
    assert!(differ.is_empty() && first.len() == second.len(), "the second run differs: {differ:#?}");
}

/// Longer than any answer takes on a network without latency, the courtesy before a PINGREQ included; shorter than any
/// timer.
const IDLE: Duration = Duration::from_millis(200);

/// What the checks declare is the time that no run can save: here, where answers take next to none, nobody waits longer,
/// and what waits does so for as long as it says.
#[test]
fn checks_wait_as_long_as_they_declare() {
    let conditions = Conditions {
        seed: SEED,
        latency_min: Duration::from_millis(1),
        latency_max: Duration::from_millis(1),
        client_shape: Shape::PLAIN,
        broker_shape: Shape::PLAIN,
        ..Conditions::default()
    };
    let mut wrong = Vec::new();
    for check in mqtt_assay::checks::all() {
        let declared = check.timers(&check.setup.profile());
        for version in check.versions() {
            let result = simulated(check, version, &conditions).expect("the build is fit for it");
            // The packets of a table are not in the log: a timer among them would be waited for in every case.
            let cases = Duration::from_millis(5 * result.cases as u64);
            let waited = idle(&result).saturating_sub(cases);
            if waited > declared + IDLE || waited + IDLE < declared {
                wrong.push(format!("{version} {} waits {waited:?} and declares {declared:?}", check.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The time in which nothing came and nothing was sent.
fn idle(result: &CheckResult) -> Duration {
    let times: Vec<Duration> = result.log.iter().map(|entry| entry.at).chain([result.elapsed]).collect();
    times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).filter(|gap| *gap > IDLE).sum()
}

#[test]
fn another_seed_gives_other_packets() {
    let check = support::check("ping/pingreq_is_answered");
    let of = |seed| {
        let conditions = Conditions { seed, ..Conditions::default() };
        simulated(check, Version::V5, &conditions).expect("the build is fit for it").digest()
    };
    assert_ne!(of(1), of(2));
}

/// Faults of the broker are seen there as they are over sockets; the proof of every check is `prove.rs`.
#[test]
fn mutants_are_caught() {
    for (name, version) in [
        ("ping/pingreq_is_answered", Version::V3_1_1),
        ("keep_alive/silent_client_is_disconnected", Version::V3_1_1),
        ("expiry/interval_counts_down", Version::V5),
        ("shared/each_message_goes_to_one_member", Version::V5),
        ("ordering/live_messages_keep_their_order", Version::V5),
        ("malformed/reserved_flags", Version::V5),
    ] {
        let check = support::check(name);
        let mutant = Mutant::from_name(check.proved[0]).expect("tidy.rs sees to it");
        let result = simulate(check, version, Some(mutant));
        assert!(
            matches!(result.verdict, Verdict::Violates | Verdict::Deviates),
            "{}: {}",
            mutant.name(),
            support::line(&result)
        );
    }
}
