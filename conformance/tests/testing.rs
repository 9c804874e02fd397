//! The checks as test cases. This file is what a broker's own `tests/mqtt.rs` looks like, for the reference broker, and
//! runs itself as such to see what comes of it.

use libtest_mimic::{Arguments, Trial};
use mqtt_assay::serve::{Edge, Fault, Served};
use mqtt_assay::setup::Setup;
use mqtt_assay::testing::{ACCEPT_VARIABLE, Suite};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, ExitCode, Output};

/// Set for the run that is looked at.
const AS_SUITE: &str = "MQTT_ASSAY_TEST_AS_SUITE";
/// The mutant that it serves, and its baseline.
const MUTANT: &str = "MQTT_ASSAY_TEST_MUTANT";
const BASELINE: &str = "MQTT_ASSAY_TEST_BASELINE";

fn main() -> ExitCode {
    if std::env::var_os(AS_SUITE).is_some() {
        let mut suite = Suite::in_process(serve);
        if let Ok(file) = std::env::var(BASELINE) {
            suite = suite.baseline(file);
        }
        return suite.main();
    }
    let test = |name: &str, run: fn()| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    };
    let tests = vec![
        test(
            "cases_are_named_and_chosen_by_version_and_check",
            cases_are_named_and_chosen_by_version_and_check,
        ),
        test("a_breach_fails_its_case_with_the_packets", a_breach_fails_its_case_with_the_packets),
        test(
            "what_cannot_be_tested_is_ignored_with_its_reason",
            what_cannot_be_tested_is_ignored_with_its_reason,
        ),
        test("a_baseline_hides_what_it_knows", a_baseline_hides_what_it_knows),
        test("a_baseline_must_be_up_to_date", a_baseline_must_be_up_to_date),
        test("a_baseline_is_written_when_asked_for", a_baseline_is_written_when_asked_for),
        test(
            "a_broker_that_does_not_start_is_told_in_one_sentence",
            a_broker_that_does_not_start_is_told_in_one_sentence,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

/// Serves the broker on this port until the process ends.
fn serve(port: u16) {
    let fault =
        std::env::var(MUTANT).ok().map(|name| Fault::from_name(&name).expect("no mutant has this name"));
    let edge = Edge { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ..Edge::loopback(fault) };
    let runtime = tokio::runtime::Runtime::new().expect("the system gives threads");
    runtime.block_on(async {
        let _served = Served::listen(Setup::Full, edge, fault).await.expect("the port is free");
        std::future::pending::<()>().await;
    });
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let own = std::env::current_exe().expect("a test knows its file");
    let mut command = Command::new(own);
    command.args(arguments).env(AS_SUITE, "1").env("MQTT_ASSAY_SEED", "7");
    command.envs(variables.iter().copied()).output().expect("it runs again")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether a line begins and ends so: the harness fills with spaces between.
fn has_line(text: &str, begin: &str, end: &str) -> bool {
    text.lines().any(|line| line.starts_with(begin) && line.ends_with(end))
}

fn cases_are_named_and_chosen_by_version_and_check() {
    let listed = out(&run(&["--list"], &[]));
    let checks = mqtt_assay::checks::all();
    assert!(listed.lines().count() > checks.len(), "{listed}");
    for line in
        ["3.1.1::retained/reaches_new_subscription: test", "5.0::retained/reaches_new_subscription: test"]
    {
        assert!(listed.lines().any(|other| other == line), "{line} is not in\n{listed}");
    }
    assert!(!listed.contains("3.1::"), "{listed}");

    let output = run(&["5.0::retained/", "--skip", "wildcard"], &[]);
    let text = out(&output);
    assert!(output.status.success(), "{text}");
    assert!(has_line(&text, "test 5.0::retained/reaches_new_subscription", "... ok"), "{text}");
    assert!(!text.contains("3.1.1::") && !text.contains("wildcard"), "{text}");
}

fn a_breach_fails_its_case_with_the_packets() {
    let output = run(&["retained/reaches_new_subscription"], &[(MUTANT, "retained_flag_cleared")]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(101), "{text}");
    for part in [
        "test 3.1.1::retained/reaches_new_subscription ... FAILED",
        "expected   PUBLISH",
        "← here",
        "replay     MQTT_ASSAY_SEED=7 cargo test -- --exact 5.0::retained/reaches_new_subscription",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

fn what_cannot_be_tested_is_ignored_with_its_reason() {
    let output = run(&["5.0::websocket/"], &[]);
    let text = out(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("... ignored (not tested: "), "{text}");
}

/// A baseline that knows one failure.
fn baseline() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("known.toml");
    let known =
        "[[known]]\ncheck = \"retained/reaches_new_subscription\"\nverdict = \"violates\"\nreason = \"#1\"\n";
    std::fs::write(&file, known).expect("a file is written");
    (folder, file.to_str().expect("a path in UTF-8").to_owned())
}

fn a_baseline_hides_what_it_knows() {
    let (_folder, file) = baseline();
    let mutant = (MUTANT, "retained_flag_cleared");
    let output = run(&["retained/reaches_new_subscription"], &[mutant, (BASELINE, &file)]);
    assert!(output.status.success(), "{}", out(&output));
}

fn a_baseline_must_be_up_to_date() {
    let (_folder, file) = baseline();
    let output = run(&["baseline::"], &[(BASELINE, &file)]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(101), "{text}");
    assert!(text.contains("line 1") && text.contains("retained/reaches_new_subscription"), "{text}");

    let output = run(&[], &[(BASELINE, "/nowhere/known.toml")]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(error, "error: there is no baseline /nowhere/known.toml; --accept writes one\n");
}

fn a_baseline_is_written_when_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("known.toml").display().to_string();
    let broken = (MUTANT, "retained_flag_cleared");
    let accepted = run(&[], &[broken, (BASELINE, &file), (ACCEPT_VARIABLE, "1")]);
    let text = out(&accepted);
    assert_eq!(accepted.status.code(), Some(0), "{text}");
    let known = std::fs::read_to_string(&file).expect("it was written");
    let entries = known.matches("[[known]]").count();
    assert!(entries > 1 && text.contains(&format!("{file} knows {entries} failures now")), "{text}");
    assert!(known.contains("check = \"retained/reaches_new_subscription\""), "{known}");
    // What it has written is what it is content with.
    let again = run(&[], &[broken, (BASELINE, &file)]);
    assert_eq!(again.status.code(), Some(0), "{}", out(&again));

    let without = run(&[], &[(ACCEPT_VARIABLE, "1")]);
    assert_eq!(without.status.code(), Some(2));
    let error = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(error.contains("the suite has no baseline to write"), "{error}");
}

fn a_broker_that_does_not_start_is_told_in_one_sentence() {
    let output = run(&["5.0::ping/"], &[(MUTANT, "none_such")]);
    assert_eq!(output.status.code(), Some(2), "{}", out(&output));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("error: the broker ended before it listened on 127.0.0.1:"), "{error}");
}
