//! The capture of a run (pcapng), as Wireshark reads it.

use crate::support;
use mqtt_assay::outcome::{Direction, Run};
use mqtt_assay::replay::replay;
use mqtt_assay::report::capture;
use mqtt_assay::report::pcapng::{Connection, Event, MQTT_PORT, What, Writer, client_address};
use mqtt_assay::run::Options;
use mqtt_assay::serve::{Edge, Fault, Served, ServerTls};
use mqtt_assay::setup::Setup;
use mqtt_assay::target::{Target, Tls, Transport};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Whether tshark is there; where `MQTT_ASSAY_REQUIRE_TSHARK` is set, it must be.
fn has_tshark() -> bool {
    let found = Command::new("tshark").arg("--version").output().is_ok();
    if !found {
        let skipped = "tshark is not installed: the tests that read captures are SKIPPED";
        assert!(std::env::var_os("MQTT_ASSAY_REQUIRE_TSHARK").is_none(), "{skipped}");
        eprintln!("{skipped}");
    }
    found
}

/// These fields of each packet that passes the filter.
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-Y", filter, "-T", "fields", "-E", "aggregator=;"]);
    let output = command.args(fields.iter().flat_map(|field| ["-e", field])).output().expect("tshark runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).expect("fields in UTF-8");
    lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

async fn captured(target: Target, patterns: &[&str], file: &Path) -> Run {
    let mut options = Options { capture: true, ..support::options(target, Duration::from_secs(5)) };
    options.checks.retain(|check| patterns.iter().any(|pattern| check.name.starts_with(pattern)));
    assert!(!options.checks.is_empty());
    let run = support::quietly(&options).await.expect("the run begins");
    let file = std::fs::File::create(file).expect("a file");
    let cut = capture::write(std::io::BufWriter::new(file), &run).expect("it can be written");
    assert_eq!(cut, 0);
    run
}

/// The types of MQTT packets that each side sent in a check, as its log tells them.
fn logged(run: &Run, check: &str) -> Vec<String> {
    let result = run.results.iter().find(|result| result.check.name == check).expect("a result");
    let entries = result.log.iter().filter(|entry| entry.direction != Direction::Note);
    entries.map(|entry| (entry.bytes[0] >> 4).to_string()).collect()
}

/// What is well-formed is read as that, in the order of the log, over plain TCP as within TLS and WebSocket; what a
/// check makes malformed is so on the client's side only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wireshark_reads_what_was_said() {
    if !has_tshark() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert_file, cert.pem()).expect("a file");
    std::fs::write(&key_file, signing_key.serialize_pem()).expect("a file");
    let wss = Edge {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        tls: Some(ServerTls { cert: cert_file, key: key_file, client_ca: None }),
        websocket: Some("/mqtt".to_owned()),
    };
    let broker = Served::listen(Setup::Full, wss, None).await.expect("a broker");
    let transport = Transport {
        tls: Some(Tls { insecure: true, ..Tls::default() }),
        websocket: Some("/mqtt".to_owned()),
    };
    let file = folder.path().join("run.pcapng");
    let told = "publish/dup_is_not_passed_on";
    for target in [Target::Reference { mutant: None }, support::reached(broker.address(), transport)] {
        let run = captured(target, &["publish/", "will/", "malformed/truncated"], &file).await;
        let malformed =
            tshark(&file, "_ws.malformed || tcp.analysis.flags", &["tcp.dstport", "frame.comment"]);
        assert!(!malformed.is_empty());
        for packet in malformed {
            assert!(packet[0] == "1883" && packet[1].starts_with("malformed/truncated"), "{packet:?}");
        }
        let filter = format!(
            "mqtt && frame.comment contains \"{told} (3.1.1)\" && !(frame.comment contains \"janitor\")"
        );
        let types = tshark(&file, &filter, &["mqtt.msgtype"]);
        let types: Vec<String> = types.into_iter().map(|fields| fields[0].clone()).collect();
        assert_eq!(types, logged(&run, told), "{}", run.target);
        // Every connection that was opened is there, each with a statement in its comments.
        let opened = tshark(&file, "tcp.flags.syn == 1 && tcp.flags.ack == 0", &["frame.comment"]);
        let taped: usize = run.results.iter().map(|result| result.tape.len()).sum();
        assert_eq!(opened.len(), taped);
        assert!(
            opened.iter().all(|packet| packet[0]
                .split_once(", client ")
                .is_some_and(|(_, cited)| cited.contains('/')))
        );
    }
}

/// The packet that shows a breach has a comment that says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_are_comments() {
    if !has_tshark() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.pcapng");
    let fault = Fault::from_name("retained_flag_cleared").expect("a mutant");
    captured(Target::Reference { mutant: Some(fault) }, &["retained/reaches_new_subscription"], &file).await;
    let shown =
        tshark(&file, "frame.comment contains \"violates\"", &["mqtt.msgtype", "mqtt.retain", "tcp.srcport"]);
    assert!(!shown.is_empty());
    for packet in shown {
        assert_eq!(packet, ["3", "0", "1883"]);
    }
}

/// A packet that is larger than any TCP segment is whole again in Wireshark, on IPv6 as on IPv4, and so is the end.
#[test]
fn long_packets_are_put_together() {
    if !has_tshark() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("long.pcapng");
    let payload = 200_000;
    let length = [0x30, 0xc5, 0x9a, 0x0c, 0, 3, b'a', b'/', b'b'];
    let publish: Vec<u8> = [&length[..], &vec![b'x'; payload]].concat();
    let mut connections = Vec::new();
    for (number, broker) in ["127.0.0.1", "::1", "192.0.2.1"].into_iter().enumerate() {
        let broker = SocketAddr::new(broker.parse().expect("an address"), MQTT_PORT);
        let event = |at, what| Event { at: Duration::from_millis(at), what, comment: None };
        let events = vec![
            event(1, What::Sent(publish.clone())),
            event(2, What::Received(publish.clone())),
            event(3, What::End { by_broker: number == 0, reset: number == 1 }),
        ];
        let (client, opened) = (client_address(number, broker.ip()), Duration::ZERO);
        connections.push(Connection { client, broker, opened, about: "a long packet".to_owned(), events });
    }
    let mut writer = Writer::new(Vec::new(), "long").expect("it can be written");
    writer.write(&connections).expect("it can be written");
    std::fs::write(&file, writer.into_inner()).expect("a file");
    let read = tshark(&file, "mqtt", &["mqtt.topic", "mqtt.len", "frame.comment"]);
    let expected = ["a/b".to_owned(), (payload + 5).to_string(), "a long packet".to_owned()];
    assert_eq!(read, vec![expected.to_vec(); 6]);
    assert_eq!(
        tshark(&file, "tcp.analysis.flags || _ws.malformed", &["frame.number"]),
        Vec::<Vec<String>>::new()
    );
    assert_eq!(tshark(&file, "tcp.flags.reset == 1", &["tcp.dstport"]), [["1883"]]);
    assert_eq!(tshark(&file, "tcp.flags.fin == 1", &["tcp.srcport"]), [["1883"], ["49154"]]);
}

/// A play of a script is captured like a check: what a rule accuses has a comment, and both sides are well-formed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_play_of_a_script_is_captured_too() {
    if !has_tshark() {
        return;
    }
    let script = std::fs::read_to_string("tests/scripts/no_local.script").expect("a script");
    let broken = Target::Reference { mutant: Fault::from_name("no_local_ignored") };
    let outcome = replay(script.parse().expect("a script"), &broken).await.expect("it is served");
    let history = &outcome.played.history;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("capture.pcapng");
    let out = std::fs::File::create(&file).expect("a file");
    capture::write_play(out, history, "a play", outcome.verdicts.accusations.first()).expect("it is written");
    // The accused PUBLISH, by the broker, and nothing else.
    let accused =
        tshark(&file, "frame.comment contains \"5.0/MQTT-3.8.3-3\"", &["mqtt.msgtype", "tcp.srcport"]);
    // What came in the same read stands in the same frame.
    let [frame] = accused.as_slice() else { panic!("{accused:?}") };
    assert!(frame[0].split(';').any(|kind| kind == "3") && frame[1] == "1883", "{accused:?}");
    assert_eq!(
        tshark(&file, "tcp.analysis.flags || _ws.malformed", &["frame.number"]),
        Vec::<Vec<String>>::new()
    );
    let packets: usize =
        tshark(&file, "mqtt", &["mqtt.msgtype"]).iter().map(|types| types[0].split(';').count()).sum();
    assert_eq!(history.packets(), packets);
}
