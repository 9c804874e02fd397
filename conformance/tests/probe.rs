//! `mqtt-assay probe`: what is found on brokers that keep to what they announce, and on those that do not.

mod support;

use mqtt_assay::probe::{Options, Outcome, Probed, probe};
use mqtt_assay::profile::{BrokerProfile, Item};
use mqtt_assay::serve::{Edge, Fault, Served};
use mqtt_assay::setup::Setup;
use mqtt_assay::target::{Target, TcpTarget, Transport};
use mqtt_assay::verdict::Verdict;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::mosquitto::Mosquitto;

fn options(broker: Probed) -> Options {
    let profile = BrokerProfile::default();
    Options { broker, profile, process: None, seed: 7, patience: Duration::from_secs(2) }
}

async fn reference(setup: Setup, mutant: Option<&str>) -> Outcome {
    let fault = mutant.map(|name| Fault::from_name(name).expect("a mutant of this name"));
    probe(&options(Probed::Reference(setup, fault))).await.expect("the reference broker can be probed")
}

/// Each contradiction in a line.
fn contradictions(outcome: &Outcome) -> Vec<String> {
    let line =
        |c: &mqtt_assay::probe::Contradiction| format!("{}: {}; {}", c.statement, c.announced, c.found);
    outcome.contradictions.iter().map(line).collect()
}

fn found<T: Copy>(item: Option<&Item<T>>) -> (Option<T>, Option<T>) {
    item.map_or((None, None), |item| (item.announced, item.found))
}

fn tcp(address: SocketAddr) -> TcpTarget {
    match support::tcp(address) {
        Target::Tcp(tcp) => tcp,
        Target::Reference { .. } => unreachable!("an address is no reference"),
    }
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_broker_does_what_it_announces() {
    let outcome = reference(Setup::Full, None).await;
    assert_eq!(contradictions(&outcome), Vec::<String>::new());
    let five = &outcome.profile.abilities["5.0"];
    assert_eq!(found(five.maximum_qos.as_ref()), (Some(2), Some(2)));
    for ability in [&five.retain, &five.wildcards, &five.subscription_identifiers, &five.shared_subscriptions]
    {
        assert_eq!(found(ability.as_ref()), (Some(true), Some(true)));
    }
    let limits = &outcome.profile.limits["5.0"];
    assert_eq!(found(limits.receive_maximum.as_ref()), (Some(100), Some(100)));
    assert_eq!(found(limits.topic_alias_maximum.as_ref()), (Some(16), Some(16)));
    assert_eq!(found(limits.maximum_packet_size.as_ref()), (Some(8 << 20), Some(8 << 20)));
    let versions: Vec<&str> = outcome.profile.abilities.keys().map(String::as_str).collect();
    assert_eq!(versions, ["3.1", "3.1.1", "5.0"]);
    assert_eq!(outcome.profile.credentials.anonymous, Some(true));
    assert!(!outcome.profile.credentials.checks_passwords);
    let text = outcome.profile.text();
    assert_eq!(BrokerProfile::read(&text).map(|again| again.text().len() < text.len()), Ok(true));
    snapshot("probe_reference", &text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_that_are_announced_are_found() {
    let outcome = reference(Setup::Limited, None).await;
    assert_eq!(contradictions(&outcome), Vec::<String>::new());
    let five = &outcome.profile.abilities["5.0"];
    assert_eq!(found(five.maximum_qos.as_ref()), (Some(1), Some(1)));
    for ability in [&five.retain, &five.wildcards, &five.subscription_identifiers, &five.shared_subscriptions]
    {
        assert_eq!(found(ability.as_ref()), (Some(false), Some(false)));
    }
    let guarded = reference(Setup::Guarded, None).await;
    assert_eq!(contradictions(&guarded), Vec::<String>::new());
    assert!(guarded.profile.credentials.checks_passwords);
    let five = &guarded.profile.abilities["5.0"];
    assert_eq!(found(five.dollar_topics.as_ref()), (None, Some(false)));
}

/// Each of these announces one thing and does another, and is told by the statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contradictions_are_told_by_their_statements() {
    let cases = [
        (Setup::Limited, "publish_above_maximum_qos_accepted", "5.0/U5-CON-10"),
        (Setup::Limited, "maximum_qos_not_announced", "5.0/MQTT-3.2.2-9"),
        (Setup::Limited, "retain_unavailable_accepted", "5.0/U5-CON-11"),
        (Setup::Limited, "wildcard_unavailable_granted", "5.0/U5-CON-12"),
        (Setup::Full, "retained_lost", "5.0/U5-CON-13"),
        (Setup::Full, "server_receive_maximum_not_enforced", "5.0/U5-PUB-13"),
        (Setup::Full, "server_maximum_packet_size_not_enforced", "5.0/U5-CON-9"),
        (Setup::Full, "topic_alias_maximum_refused", "5.0/MQTT-3.3.2-12"),
        (Setup::Full, "topic_alias_above_maximum_accepted", "5.0/MQTT-4.13.1-1"),
    ];
    let outcomes = futures_util::future::join_all(
        cases.map(|(setup, mutant, _)| Box::pin(reference(setup, Some(mutant)))),
    )
    .await;
    for ((_, mutant, statement), outcome) in cases.into_iter().zip(outcomes) {
        let lines = contradictions(&outcome);
        assert!(lines.iter().any(|line| line.starts_with(statement)), "{mutant}: {lines:#?}");
        assert!(lines.iter().all(|line| line.starts_with(statement)), "{mutant}: {lines:#?}");
        assert!(outcome.contradictions.iter().all(|c| !c.log.is_empty()), "{mutant}");
    }
}

/// The pair that a profile calls wrong is tried by the check, and by the probe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_pair_must_be_refused() {
    let broker = Served::set_up(Setup::Guarded, None).await.expect("a free loopback port");
    for (password, verdict, told) in [("wrong", Verdict::Conforms, 0), ("right", Verdict::Violates, 1)] {
        let mut run = support::options(support::tcp(broker.address()), Duration::from_secs(5));
        run.checks = vec![support::check("connect/wrong_password_is_refused")];
        run.profile.checks_passwords = true;
        run.profile.wrong_credentials = Some(("assay".to_owned(), password.to_owned()));
        let run = support::quietly(&run).await.expect("the run begins");
        assert!(run.results.iter().all(|result| result.verdict == verdict), "{password}");

        let mut options = options(Probed::At(vec![tcp(broker.address())]));
        options.profile.credentials.wrong_user = Some("assay".to_owned());
        options.profile.credentials.wrong_password = Some(password.to_owned());
        let outcome = probe(&options).await.expect("the broker can be probed");
        let lines = contradictions(&outcome);
        assert_eq!(
            lines.iter().filter(|line| line.starts_with("5.0/MQTT-3.1.4-2")).count(),
            told,
            "{lines:#?}"
        );
        assert_eq!(lines.len(), told, "{lines:#?}");
        assert_eq!(outcome.profile.credentials.checks_passwords, told == 0);
    }
}

/// The other addresses are compared with the first; one that is not there is told, and does not stop the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_is_tried() {
    let first = Served::start(None).await.expect("a free loopback port");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let edge = Edge { address, tls: None, websocket: Some("/mqtt".to_owned()) };
    let second = Served::listen(Setup::Full, edge, None).await.expect("a free loopback port");
    let ws = Transport { tls: None, websocket: Some("/mqtt".to_owned()) };
    let nowhere =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let addresses = vec![
        tcp(first.address()),
        TcpTarget { transport: ws, ..tcp(second.address()) },
        TcpTarget { transport: Transport { tls: Some(Default::default()), websocket: None }, ..tcp(nowhere) },
    ];
    let outcome = probe(&options(Probed::At(addresses))).await.expect("the first address answers");
    let remarks = outcome.remarks.join("\n");
    assert!(remarks.contains("over ws: it accepts the same versions, and announces the same"), "{remarks}");
    assert!(remarks.contains("over tls: cannot connect"), "{remarks}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_profile_of_mosquitto_is_the_reviewed_one() {
    let Some(broker) = Mosquitto::start("probe") else { return };
    let outcome =
        probe(&options(Probed::At(vec![tcp(broker.address)]))).await.expect("mosquitto can be probed");
    if broker.version != "2.0.11" {
        eprintln!("Mosquitto {} is not 2.0.11: its profile is not compared", broker.version);
        return;
    }
    let seen = [outcome.remarks.join("\n"), contradictions(&outcome).join("\n"), outcome.profile.text()];
    snapshot("probe_mosquitto_2_0_11", &seen.join("\n\n"));
}

fn mqtt_assay(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
        .args(arguments)
        .env_remove("MQTT_ASSAY_PASSWORD")
        .output()
        .expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// What `probe` writes is a target for `check`, and can be probed again.
#[test]
fn a_written_profile_is_a_target() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broker.toml");
    let file = path.to_str().expect("a path in UTF-8");
    let command = format!("{} serve --listen 127.0.0.1:{{port}}", env!("CARGO_BIN_EXE_mqtt-assay"));
    let (code, shown, said) = mqtt_assay(&["probe", "--spawn", &command, "--out", file]);
    assert_eq!((code, said.as_str()), (Some(0), ""), "{shown}");
    assert_eq!(shown, "Nothing contradicts what the broker announces.  Exit 0.\n");
    let text = std::fs::read_to_string(&path).expect("the profile is written");
    assert!(text.contains("tcp = \"mqtt://127.0.0.1:{port}\"") && text.contains("spawn = "), "{text}");
    let (code, shown, said) = mqtt_assay(&["check", file, "--only", "ping/", "--seed", "7"]);
    assert_eq!(code, Some(0), "{shown}{said}");
    // Only the port differs, which the first line has.
    let (code, again, said) = mqtt_assay(&["probe", file]);
    assert_eq!(code, Some(0), "{said}");
    let body = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    assert_eq!(body(&again), body(&text));
}

/// Files that a profile names beside itself are found again, wherever the new profile lies.
#[test]
fn paths_stay_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("ca.pem"), key.cert.pem()).expect("a certificate is written");
    std::fs::write(file("key.pem"), key.signing_key.serialize_pem()).expect("a key is written");
    let serve = format!("{} serve --listen mqtts://127.0.0.1:{{port}}", env!("CARGO_BIN_EXE_mqtt-assay"));
    let profile = format!(
        "[addresses]\ntls = 'mqtts://127.0.0.1:{{port}}'\n[tls]\nca = 'ca.pem'\n[process]\nspawn = '{serve} --cert {0}/ca.pem \
         --key {0}/key.pem'\n",
        folder.path().display()
    );
    std::fs::write(file("broker.toml"), profile).expect("a profile is written");
    std::fs::create_dir(file("deep")).expect("a folder");
    let (old, new) = (file("broker.toml"), file("deep/broker.toml"));
    let (old, new) = (old.to_str().expect("UTF-8"), new.to_str().expect("UTF-8"));
    let (code, shown, said) = mqtt_assay(&["probe", old, "--out", new]);
    assert_eq!(code, Some(0), "{shown}{said}");
    let (code, shown, said) = mqtt_assay(&["check", new, "--only", "ping/", "--seed", "7"]);
    assert_eq!(code, Some(0), "{shown}{said}");
}

#[test]
fn a_contradiction_is_shown_with_its_packets() {
    let (code, shown, said) =
        mqtt_assay(&["probe", "reference", "--mutant", "topic_alias_above_maximum_accepted"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(shown.contains("# ! 5.0/MQTT-4.13.1-1: CONNACK has Topic Alias Maximum 16"), "{shown}");
    for expected in ["✗ 5.0/MQTT-4.13.1-1", "announced  CONNACK", "topic_alias=17", "←  PUBACK", "Exit 1."]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn wrong_usage_is_one_sentence() {
    for (arguments, hint) in [
        (&["probe"][..], "--spawn"),
        (&["probe", "reference", "--mutant", "websocket_text_taken"], "WebSocket"),
        (&["probe", "mqtt://host", "--out", "/no/such/folder/x.toml"], "cannot write the profile"),
        (&["probe", "no-such-profile.toml"], "cannot read the profile"),
        (&["probe", "127.0.0.1:1", "--timeout", "0"], "seconds"),
    ] {
        let (code, shown, said) = mqtt_assay(arguments);
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{arguments:?}: {said}");
        assert!(said.contains(hint) && shown.is_empty(), "{arguments:?}: {said}");
    }
}
