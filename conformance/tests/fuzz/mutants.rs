//! Broken brokers are found, by the statements that they break; and of the sound one nothing is.

use super::{folder, hunt, options, records};
use mqtt_assay::campaign::{CONNECTIONS, Ended, Options};
use mqtt_assay::serve::Fault;
use std::time::Duration;

/// Hunts a mutant in a few parts, until it is found by one of the statements that it breaks. What else it is
/// accused of on the way must be true of it, too, and is a consequence: who answers with another Packet Identifier does
/// not answer. As for `--time`, what is looked into afterwards does not count.
async fn is_found(name: &str, connections: usize, parts: u32, part_time: Duration) -> Result<(), String> {
    let fault = Fault::from_name(name).ok_or_else(|| format!("there is no mutant {name}"))?;
    let out = folder();
    let mut last = None;
    for part in 1..=parts {
        let own = Options { connections, ..options(out.path(), Some(fault)) };
        let summary = hunt(&Options { time: Some(part_time), findings: None, resume: part > 1, ..own }).await;
        let sure = summary.findings.iter().filter(|found| found.reproduced == Some(true));
        let mut statements = sure.flat_map(|found| &found.statements);
        if statements.any(|id| fault.breaks().contains(&id.as_str())) {
            return Ok(());
        }
        last = Some(summary);
    }
    let told = last.map(|summary| format!("not in {} cases; {:?}", summary.cases, summary.findings));
    Err(format!("{name}: {}", told.unwrap_or_default()))
}

/// Hunts mutants, some side by side; all that are not found, or by a wrong statement, fail the test.
async fn all_are_found(
    names: &[&'static str],
    side_by_side: usize,
    connections: usize,
    parts: u32,
    part_time: Duration,
) {
    let mut wrong = Vec::new();
    for some in names.chunks(side_by_side) {
        let hunts = some.iter().map(|name| tokio::spawn(is_found(name, connections, parts, part_time)));
        let hunts: Vec<_> = hunts.collect();
        for hunt in hunts {
            wrong.extend(hunt.await.expect("no campaign panics").err());
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Those of the list below that show soonest.
const MUTANTS: &[&str] = &["no_local_ignored", "retained_flag_cleared", "dup_on_first_delivery"];

#[tokio::test(flavor = "multi_thread")]
async fn mutants_are_found_with_the_right_statement() {
    // How many cases fit into a second is the machine's matter, and this is no test of it: patience costs nothing where
    // the mutant is found.
    all_are_found(MUTANTS, 3, 24, 16, Duration::from_secs(8)).await;
}

/// The first 32 were picked from all parts of the table before any of them was hunted; the last three came later.
const MORE_MUTANTS: &[&str] = &[
    "no_local_ignored",
    "retained_flag_cleared",
    "pubrel_flags_accepted",
    "subscribe_flags_accepted",
    "trailing_bytes_accepted",
    "bad_filter_granted",
    "subscribe_qos_3_accepted",
    "puback_wrong_id",
    "suback_code_unlisted",
    "unsuback_missing",
    "session_present_always",
    "pubrel_missing",
    "connect_reserved_flag_accepted",
    "protocol_name_ignored",
    "second_connect_accepted",
    "pubrec_wrong_id",
    "qos_0_acknowledged",
    "dup_on_first_delivery",
    "pubrel_flags_wrong",
    "retained_not_cleared",
    "retain_flag_on_live",
    "retain_as_published_ignored",
    "will_never_published",
    "will_published_on_normal_disconnect",
    "suback_codes_reversed",
    "only_first_filter_subscribed",
    "hash_excludes_parent",
    "bad_share_filter_granted",
    "empty_topic_accepted",
    "ill_formed_utf8_accepted",
    "packet_id_zero_accepted",
    "topic_alias_zero_accepted",
    "unsuback_wrong_id",
    "unsuback_code_unlisted",
    "pubcomp_wrong_id",
];

/// Minutes of work: `cargo test -p mqtt-assay --test fuzz -- --ignored`; `MQTT_ASSAY_MUTANTS` names some of them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn thirty_mutants_are_found_within_a_minute_each() {
    // One at a time, with as many connections as the command has unless it is told otherwise.
    let chosen = std::env::var("MQTT_ASSAY_MUTANTS");
    let is_chosen =
        |name: &&&str| chosen.as_ref().map_or(true, |names| names.split(',').any(|one| one == **name));
    let names: Vec<&'static str> = MORE_MUTANTS.iter().filter(is_chosen).copied().collect();
    assert!(!names.is_empty(), "none of the list is chosen");
    all_are_found(&names, 1, CONNECTIONS, 4, Duration::from_secs(15)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_nothing_is_wrong() {
    let out = folder();
    // Bounds in keeping with a machine that has other tests to run.
    let promptness = Duration::from_secs(2);
    let options = Options {
        cases: Some(160),
        connections: 64,
        promptness,
        hang: Duration::from_secs(5),
        ..options(out.path(), None)
    };
    let summary = hunt(&options).await;
    assert_eq!(summary.findings, [], "{:#?}", records(out.path()));
    assert_eq!((summary.cases, summary.ended), (160, Ended::Done));
    assert!(summary.signatures > 100 && summary.packets > 1_000, "{summary:?}");
}
