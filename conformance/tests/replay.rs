//! `replay`: scripts over real connections, judged as in the simulation.

mod support;

use mqtt_assay::replay::replay;
use mqtt_assay::serve::{Edge, Served};
use mqtt_assay::setup::Setup;
use mqtt_assay::target::{Target, Transport};
use mqtt_assay_broker_model::script::Script;
use mqtt_assay_broker_model::workload::Draw;
use mqtt_assay_fuzz_engine::generate::Generator;
use mqtt_assay_fuzz_engine::mutate::mutate;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

const NO_LOCAL: &str = "tests/scripts/no_local.script";
const ROUGH: &str = "tests/scripts/rough.script";

/// What the command prints to either stream.
fn printed(arguments: &[&str], code: i32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the command runs");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{text}");
    text
}

#[test]
fn the_reference_broker_meets_what_scripts_expect() {
    for script in [NO_LOCAL, ROUGH, "tests/scripts/will_after_power_cut.script"] {
        let text = printed(&["replay", script], 0);
        assert!(
            text.contains("→  SUBSCRIBE") && text.contains("0 accusations, 0 expectations not met.  Exit 0."),
            "{text}"
        );
    }
}

#[test]
fn who_never_saw_a_takeover_is_not_missed_by_it() {
    let text = printed(&["replay", "tests/scripts/held_takeover.script", "--promptness", "0.5"], 0);
    assert!(text.contains("·  hold") && text.contains("  0 accusations,"), "{text}");
}

#[test]
fn a_broken_broker_is_accused_and_the_command_shows_it_again() {
    let text = printed(&["replay", NO_LOCAL, "reference", "--mutant", "no_local_ignored"], 1);
    for part in [
        "✗ no_local   5.0/MQTT-3.8.3-3",
        "← here",
        "✗ step 6",
        "1 accusations, 1 expectations not met.  Exit 1.",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let replay =
        text.lines().find_map(|line| line.trim().strip_prefix("replay     mqtt-assay ")).expect("a replay");
    let again = printed(&replay.split(' ').collect::<Vec<_>>(), 1);
    assert!(again.contains("✗ no_local   5.0/MQTT-3.8.3-3"), "{again}");
}

#[test]
fn what_the_simulation_stores_can_be_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    let mutant = ["--mutant", "subscribe_flags_accepted"];
    printed(&[&["simulate", "--seeds", "0..300", "--save", path], &mutant[..]].concat(), 1);
    let mut scripts: Vec<_> =
        std::fs::read_dir(path).expect("a folder").map(|file| file.expect("a file").path()).collect();
    scripts.sort_unstable();
    let script = scripts.first().and_then(|script| script.to_str()).expect("a script");
    let text = printed(&[&["replay", script, "reference"], &mutant[..]].concat(), 1);
    assert!(text.contains("closes_on_error") || text.contains("error_answered"), "{text}");
    let sound = printed(&["replay", script], 0);
    assert!(sound.contains(" 0 accusations"), "{sound}");
}

#[test]
fn what_cannot_be_played_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let crash = file("crash.script", "client a\nat 1 s broker crash\n");
    assert!(printed(&["replay", &crash], 2).contains("crashes or restarts the broker"));
    let wrong = file("wrong.script", "client a\nb > PINGREQ\n");
    assert!(printed(&["replay", &wrong], 2).contains("line 2, column 1"));
    assert!(printed(&["replay", "no-such.script"], 2).contains("cannot read the script no-such.script"));
    assert!(printed(&["replay", NO_LOCAL, "mqtt://h", "--ca", "x"], 2).contains("--ca is for TLS"));
    // A port that was free a moment ago.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
    let said = printed(&["replay", NO_LOCAL, &format!("mqtt://127.0.0.1:{port}")], 2);
    assert!(said.contains(&format!("cannot connect to 127.0.0.1:{port}")), "{said}");
    let nothing = file("nothing.script", "client a  clean_start=1\na cut fin\n");
    printed(&["replay", &nothing], 0);
    let silent = file("silent.script", "client a  clean_start=1\na open\n");
    assert!(printed(&["replay", &silent], 3).contains("Exit 3."));
}

#[tokio::test]
async fn scripts_run_over_websocket_as_over_tcp() {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let edge = Edge { address, tls: None, websocket: Some("/mqtt".to_owned()) };
    let broker = Served::listen(Setup::Full, edge, None).await.expect("it is served");
    let transport = Transport { tls: None, websocket: Some("/mqtt".to_owned()) };
    let target = support::reached(broker.address(), transport);
    for path in [NO_LOCAL, ROUGH] {
        let text = std::fs::read_to_string(path).expect("a script");
        let script: Script = text.parse().expect("a script");
        let outcome = replay(script, &target).await.expect("it can be reached");
        assert_eq!(outcome.played.failures, [], "{path}");
        assert_eq!(outcome.verdicts.accusations, [], "{path}");
    }
}

/// Whatever a fuzzer does to the served broker, over real sockets, no rule accuses it.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_cases_are_no_fault_of_the_brokers() {
    let generator = Generator { workload_percent: 0, closing: Duration::ZERO, ..Generator::default() };
    let mut draw = Draw::new(7);
    let mut plays = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let (first, second) = (generator.case(&mut draw), generator.case(&mut draw));
        let case = mutate(&first, &second, &generator, &mut draw);
        plays.spawn(async move {
            let outcome = replay(case.script().clone(), &Target::Reference { mutant: None }).await;
            (case, outcome.expect("it is served"))
        });
    }
    let mut packets = 0;
    while let Some(played) = plays.join_next().await {
        let (case, outcome) = played.expect("no play panics");
        packets += outcome.played.history.packets();
        assert_eq!(outcome.verdicts.accusations, [], "{case}");
    }
    assert!(packets > 500, "{packets} packets");
}
