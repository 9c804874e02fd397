//! The kill matrix is as the snapshot says: every mutant, and which checks catch it by which statements.
//!
//! The whole takes minutes. This plays a part of it at each test run, another command all:
//!
//! ```text
//! cargo test --release -p mqtt-assay --test matrix -- --ignored
//! ```
//!
//! With `INSTA_UPDATE=always` before it, that writes the snapshot, which must be done for every new mutant and check.

use mqtt_assay::check::Check;
use mqtt_assay::matrix::{self, Row, Summary, Tie};
use mqtt_assay::serve::Fault;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

/// Every so-many-th mutant is played in each test run.
const STRIDE: usize = 47;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots")
}

fn play(mutants: &[Fault], checks: &[&'static Check]) -> Vec<Row> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    matrix::play(mutants, checks, jobs, &AtomicBool::new(false), |_| {})
}

/// The snapshot's paragraphs, by mutant.
fn paragraphs() -> BTreeMap<String, String> {
    let snapshot = std::fs::read_to_string(folder().join("kill_matrix.snap")).expect("the snapshot is there");
    let text = snapshot.splitn(3, "---\n").nth(2).expect("a header and a text");
    let rows = text.split("\n\n").next().expect("a text has a beginning");
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut name = "";
    for line in rows.lines() {
        if !line.starts_with(' ') {
            name = line;
        }
        let paragraph = found.entry(name.to_owned()).or_default();
        paragraph.push_str(line);
        paragraph.push('\n');
    }
    found
}

#[test]
#[ignore = "takes minutes; see above"]
fn the_whole_matrix_is_as_the_snapshot_says() {
    let checks = mqtt_assay::checks::all();
    let rows = play(&Fault::all().collect::<Vec<_>>(), &checks);
    let summary = Summary::of(&rows, &checks);
    let text = matrix::text::rows(&rows) + &matrix::text::holes(&summary);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("kill_matrix", text));
    assert!(summary.unexplained.is_empty() && summary.idle.is_empty(), "see the end of the snapshot");
}

#[test]
fn a_part_of_the_matrix_is_as_the_snapshot_says() {
    // Those of the transport take real time: `prove.rs` plays them.
    let models = Fault::all().filter(|fault| matches!(fault, Fault::Model(_)));
    let mutants: Vec<Fault> = models.step_by(STRIDE).collect();
    let written = paragraphs();
    for row in play(&mutants, &mqtt_assay::checks::all()) {
        let name = row.mutant.name();
        let now = matrix::text::rows(std::slice::from_ref(&row));
        assert_eq!(
            Some(&now),
            written.get(name),
            "the snapshot is stale; the head of this file tells what to do"
        );
        assert!(row.complete && row.kills.iter().all(|kill| kill.tie != Tie::Unexplained), "{name}");
    }
}

/// What the checks claim of themselves, the matrix shows.
#[test]
fn the_snapshot_has_every_mutant_and_every_proof() {
    let written = paragraphs();
    let missing: Vec<&str> =
        Fault::all().map(Fault::name).filter(|name| !written.contains_key(*name)).collect();
    assert!(missing.is_empty() && written.len() == Fault::all().count(), "not as the table: {missing:?}");
    let mut unproved = Vec::new();
    for check in mqtt_assay::checks::all() {
        for mutant in check.proved {
            let caught = written[*mutant]
                .lines()
                .any(|line| line.trim_start().split("   ").next() == Some(check.name));
            if !caught {
                unproved.push(format!("{} by {mutant}", check.name));
            }
        }
    }
    assert!(unproved.is_empty(), "the matrix does not show these proofs: {unproved:#?}");
}

fn prove(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
        .args([&["prove", "--quiet"], arguments].concat())
        .output()
        .expect("the command runs");
    let said = String::from_utf8(output.stdout).expect("text") + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn the_command_tells_what_is_caught_and_what_is_not() {
    let (code, said) = prove(&["--mutant", "pingresp_missing", "--only", "ping/"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ping/pingreq_is_answered   violates in 3.1.1, violates in 5.0"), "{said}");
    assert!(said.contains("1 mutants caught, 0 not caught"), "{said}");

    // No check of PINGREQ sees this one: that is a hole only if every check has tried.
    let (code, said) = prove(&["--mutant", "no_local_ignored", "--only", "ping/"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no_local_ignored\n    NOT CAUGHT"), "{said}");

    let (code, said) = prove(&["--only", "no/such/check"]);
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    let (code, said) = prove(&["--only", "ping/", "--rules"]);
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
}

/// A check that catches none of all mutants is a hole, also if it is the only one.
#[test]
fn a_check_that_catches_nothing_is_told() {
    let check = mqtt_assay::checks::all().into_iter().find(|check| check.name == "ping/pingreq_is_answered");
    let checks = [check.expect("it is there")];
    let mutant = |name| Fault::from_name(name).expect("a mutant");
    let rows = play(&[mutant("no_local_ignored")], &checks);
    let summary = Summary::of(&rows, &checks);
    assert_eq!((summary.caught, summary.missed.len(), summary.idle.len()), (0, 1, 1));
    let told = matrix::text::holes(&summary);
    assert!(told.contains("Caught by no check:\n  no_local_ignored: the broker "), "{told}");
    assert!(told.contains("Checks that catch no mutant:\n  ping/pingreq_is_answered\n"), "{told}");
    let rows = play(&[mutant("pingresp_missing")], &checks);
    let summary = Summary::of(&rows, &checks);
    assert_eq!((summary.caught, summary.missed.len(), summary.idle.len()), (1, 0, 0));
}

#[test]
fn the_matrix_as_json_is_as_its_schema_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("matrix.json").to_str().expect("text").to_owned();
    let (code, said) = prove(&["--mutant", "pingresp_missing", "--only", "ping/", "--json", &path]);
    assert_eq!(code, Some(0), "{said}");
    let text = std::fs::read_to_string(&path).expect("it was written");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let schema: serde_json::Value = serde_json::from_str(&matrix::json::schema()).expect("JSON");
    assert!(jsonschema::validator_for(&schema).expect("a schema").is_valid(&value));
    assert_eq!(value["mutants"][0]["kills"][0]["accused"][0], "3.1.1/MQTT-3.12.4-1");
    assert_eq!((&value["caught"], &value["unexplained"]), (&1.into(), &0.into()));
    let (code, said) = prove(&["--mutant", "pingresp_missing", "--only", "ping/", "--json", "-"]);
    assert!(code == Some(0) && serde_json::from_str::<serde_json::Value>(&said).is_ok(), "{said}");
}
