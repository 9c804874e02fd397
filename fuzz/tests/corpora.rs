//! The committed corpora of the targets that run the broker, without libFuzzer.

use mqtt_assay_fuzz::broker;
use std::path::Path;

/// Runs a target over its corpus; gives the number of inputs.
fn run(target: &str, body: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("a corpus").map(|entry| entry.expect("an input").path()).collect();
    paths.sort_unstable();
    for path in &paths {
        body(&std::fs::read(path).expect("an input"));
    }
    paths.len()
}

#[test]
fn any_bytes_are_answered_by_well_formed_packets() {
    assert!(run("broker_bytes", broker::broker_bytes) > 50);
}

#[test]
fn no_rule_accuses_the_broker_whatever_the_script() {
    assert!(run("broker_script", broker::broker_script) > 50);
}

#[test]
fn an_input_is_a_script_or_the_way_to_one() {
    let text = b"client a  clean_start=1\na > PINGREQ\n";
    assert_eq!(broker::case(text).expect("a case").script().steps.len(), 1);
    let seeded = |bytes: &[u8]| broker::case(bytes).map(|case| case.to_string());
    assert_eq!(seeded(&[1; 20]), seeded(&[1; 20]));
    assert_ne!(seeded(&[1; 20]), seeded(&[2; 20]));
}
