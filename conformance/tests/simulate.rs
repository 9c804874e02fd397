//! `simulate` and `prove --rules`: what they find, how they say it, and that a seed means the same everywhere.

use std::path::Path;
use std::process::{Command, Output};

const SCRIPT: &str = "tests/scripts/will_after_power_cut.script";

fn mqtt_assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the command runs")
}

fn printed(arguments: &[&str], code: i32) -> String {
    let output = mqtt_assay(arguments);
    let text = String::from_utf8(output.stdout).expect("text");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{text}\n{said}");
    text
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The line with the fingerprint of all histories.
fn histories(text: &str) -> String {
    text.lines().find(|line| line.starts_with("histories ")).expect("the line is there").to_owned()
}

#[test]
fn the_reference_broker_is_not_accused() {
    let text = printed(&["simulate", "--seeds", "0..4000"], 0);
    assert!(text.contains("4000 scripts") && text.contains("No rule accuses the broker."), "{text}");
}

#[test]
fn the_served_broker_is_not_accused() {
    let text = printed(&["simulate", "--carrier", "turmoil", "--seeds", "0..40"], 0);
    assert!(text.contains("40 scripts") && text.contains("No rule accuses the broker."), "{text}");
}

/// In two processes, on however many threads; and, since the snapshot is one for all, in every build and on every
/// machine.
#[test]
fn a_seed_means_the_same_everywhere() {
    let direct = histories(&printed(&["simulate", "--seeds", "0..300"], 0));
    assert_eq!(histories(&printed(&["simulate", "--seeds", "0..300", "--jobs", "1"], 0)), direct);
    let turmoil = ["simulate", "--carrier", "turmoil", "--seeds", "0..12"];
    let simulated = histories(&printed(&turmoil, 0));
    assert_eq!(histories(&printed(&turmoil, 0)), simulated);
    snapshot("simulate_histories", &format!("direct   0..300  {direct}\nturmoil  0..12   {simulated}"));
}

#[test]
fn a_script_that_is_met() {
    let text = printed(&["simulate", "--script", SCRIPT, "--verbose"], 0);
    snapshot("simulate_script", &text);
}

#[test]
fn a_script_that_finds_something() {
    let text = printed(&["simulate", "--script", SCRIPT, "--mutant", "will_never_published"], 1);
    snapshot("simulate_finding", &text);
}

/// What was found is shown by the shortest script that leads to it: it can be read at a glance.
#[test]
fn findings_are_small() {
    let text = printed(&["simulate", "--seeds", "0..60", "--mutant", "retained_flag_cleared"], 1);
    let script: Vec<_> = text
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("mqtt "))
        .take_while(|line| !line.contains("opens a connection"))
        .collect();
    let steps = script.iter().filter(|line| line.contains(" > ") || line.contains("wait ")).count();
    assert!((1..=10).contains(&steps), "{}", script.join("\n"));
}

/// A script outlives the generator that made it.
#[test]
fn findings_are_stored() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("findings");
    let folder_text = folder.to_str().expect("text");
    let seeds = ["simulate", "--seeds", "0..60", "--mutant", "retained_flag_cleared"];
    let text = printed(&[&seeds[..], &["--save", folder_text]].concat(), 1);
    let replay =
        text.lines().find_map(|line| line.trim().strip_prefix("replay     mqtt-assay ")).expect("a replay");
    let again = printed(&replay.split(' ').collect::<Vec<_>>(), 1);
    let finding = again.lines().next().expect("a finding").split("   ").take(2).collect::<Vec<_>>();
    assert!(text.contains(&finding.join("   ")), "{text}\n{again}");
}

#[test]
fn mutants_are_caught_by_rules() {
    let text = printed(
        &["prove", "--rules", "--quiet", "--mutant", "puback_missing", "--mutant", "no_local_ignored"],
        0,
    );
    assert!(text.contains("MQTT-3.8.3-3"), "{text}");
    assert!(text.contains("2 mutants caught by rules, 0 not caught"), "{text}");
}

#[test]
fn what_cannot_be_done_is_refused() {
    for (arguments, code, hint) in [
        (&["simulate", "--seeds", "many"][..], 2, "0..1000"),
        (&["simulate", "--seeds", "9..9"], 3, "no seed"),
        (&["simulate", "--profile", "hurricane"], 2, "calm, lossy and storm"),
        (&["simulate", "--carrier", "pigeon"], 2, "direct and turmoil"),
        (&["simulate", "--mqtt", "4"], 2, "3.1.1 and 5"),
        (&["simulate", "--script", "no/such/file"], 2, "cannot read"),
        (&["simulate", "--script", "Cargo.toml"], 2, "is not a script"),
        (&["simulate", "--script", SCRIPT, "--seeds", "0..1"], 2, "--seeds"),
    ] {
        let output = mqtt_assay(arguments);
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(hint), "{arguments:?}: {said}");
    }
}
