//! Against a broker of somebody else's: the verdicts on Debian's Mosquitto are those that were reviewed.

mod support;

use mqtt_assay::check::Need;
use mqtt_assay::run::Options;
use mqtt_assay::target::Transport;
use mqtt_assay::verdict::Verdict;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::mosquitto::{Mosquitto, required};

/// The version whose verdicts were read against the specification, one by one.
const REVIEWED: &str = "2.0.11";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_verdicts_on_mosquitto_are_the_reviewed_ones() {
    let Some(broker) = Mosquitto::start("verdicts") else { return };
    let options = support::options(support::tcp(broker.address), Duration::from_secs(5));
    let Some(lines) = verdicts(&broker, &options).await else { return };
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("mosquitto_2_0_11", lines.join("\n")));
}

/// Mosquitto keeps the statements about WebSocket, except that it takes text frames for MQTT.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_verdicts_on_its_websocket_are_the_reviewed_ones() {
    let Some(broker) = Mosquitto::start_websocket("websocket") else { return };
    let transport = Transport { tls: None, websocket: Some("/mqtt".to_owned()) };
    let mut options = support::options(support::reached(broker.address, transport), Duration::from_secs(5));
    options.checks.retain(|check| check.needs.contains(&Need::WebSocket));
    let Some(lines) = verdicts(&broker, &options).await else { return };
    assert_eq!(
        lines,
        [
            "violates 3.1.1 websocket/text_frame_ends_the_connection",
            "violates 5.0 websocket/text_frame_ends_the_connection"
        ]
    );
}

/// What is not conforming, a line for each; `None` (told on standard error) if this is not the reviewed version.
async fn verdicts(broker: &Mosquitto, options: &Options) -> Option<Vec<String>> {
    let run = support::quietly(options).await.expect("mosquitto accepts CONNECT");
    assert_eq!(run.results.len(), run.planned);
    let unclear: Vec<String> =
        run.results.iter().filter(|r| r.verdict == Verdict::Inconclusive).map(support::line).collect();
    assert!(unclear.is_empty(), "inconclusive:\n{}", unclear.join("\n"));
    if broker.version != REVIEWED {
        eprintln!("Mosquitto {} is not {REVIEWED}: its verdicts are not compared", broker.version);
        return None;
    }
    let mut lines: Vec<String> = run
        .results
        .iter()
        .filter(|r| r.verdict != Verdict::Conforms)
        .map(|r| format!("{} {} {}", r.verdict, r.version, r.check.name))
        .collect();
    lines.sort();
    Some(lines)
}

/// Mosquitto's own clients get on with the reference broker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_clients_speak_with_the_reference_broker() {
    let (Some(publisher), Some(subscriber)) = (required("mosquitto_pub"), required("mosquitto_sub")) else {
        return;
    };
    let broker = mqtt_assay::serve::Served::start(None).await.expect("a free loopback port");
    let port = broker.address().port().to_string();
    tokio::task::spawn_blocking(move || {
        for version in ["mqttv31", "mqttv311", "mqttv5"] {
            for qos in ["0", "1", "2"] {
                let common = ["-h", "127.0.0.1", "-p", &port, "-V", version, "-q", qos];
                let topic = format!("lamps/{version}/{qos}");
                // Retained, so that the subscriber may come later.
                let sent = Command::new(&publisher)
                    .args(common)
                    .args(["-r", "-t", &topic, "-m", "on"])
                    .output()
                    .expect("mosquitto_pub runs");
                assert!(sent.status.success(), "{version} QoS {qos}: {sent:?}");
                let got = Command::new(&subscriber)
                    .args(common)
                    .args(["-t", &topic, "-C", "1", "-W", "10", "-F", "%q %r %p"])
                    .output()
                    .expect("mosquitto_sub runs");
                assert_eq!(String::from_utf8_lossy(&got.stdout).trim(), format!("{qos} 1 on"), "{version}");
            }
        }
    })
    .await
    .expect("no assertion failed");
}
