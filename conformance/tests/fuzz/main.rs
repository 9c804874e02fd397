//! Campaigns over real sockets: they find the faults of broken brokers, and of the sound one nothing.

mod command;
mod edges;
mod mutants;
mod process;
#[path = "../support/mod.rs"]
mod support;

use mqtt_assay::campaign::{self, Options, Record, Summary, finding_schema, summary_schema};
use mqtt_assay::process::Recipe;
use mqtt_assay::replay::replay_schema;
use mqtt_assay::serve::Fault;
use mqtt_assay::target::Target;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// The command itself.
const PROGRAM: &str = env!("CARGO_BIN_EXE_mqtt-assay");

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A port that nobody listens on at the moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// A campaign against the embedded broker, with bounds that fit a broker which is known to be quick.
fn options(out: &Path, fault: Option<Fault>) -> Options {
    Options {
        seed: 5,
        connections: 24,
        promptness: Duration::from_millis(700),
        hang: Duration::from_secs(2),
        minimising: Duration::from_secs(3),
        broker: " reference".to_owned(),
        nonce: u64::from(std::process::id()) << 16,
        ..Options::new(Target::Reference { mutant: fault }, out.to_owned())
    }
}

/// Runs without anybody watching or stopping.
async fn hunt(options: &Options) -> Summary {
    let (_keep, stop) = tokio::sync::watch::channel(false);
    campaign::run(options, stop, &mut |_| {}).await.expect("it begins")
}

fn records(out: &Path) -> Vec<Record> {
    let found = std::fs::read_dir(out.join("findings")).expect("findings");
    let mut records: Vec<Record> = found
        .map(|entry| {
            let text = std::fs::read_to_string(entry.expect("one").path().join("finding.json"));
            serde_json::from_str(&text.expect("its record")).expect("a record")
        })
        .collect();
    records.sort_by(|one, other| one.name.cmp(&other.name));
    records
}

/// A broker that a campaign starts by these words, on a port of its own.
fn recipe(spawn: &[&str]) -> Recipe {
    Recipe {
        spawn: spawn.iter().map(|word| (*word).to_owned()).collect(),
        stop: None,
        kill: None,
        restart: None,
        environment: Vec::new(),
        folder: None,
        host: "127.0.0.1".to_owned(),
        port: free_port(),
        patience: Duration::from_secs(20),
    }
}

/// The words that start a broker of ours, whose process goes wrong when a client publishes and then unsubscribes.
fn planted(how: &str) -> [String; 6] {
    let plant = format!("{how}:publish,unsubscribe");
    [PROGRAM, "serve", "--listen", "127.0.0.1:{port}", "--plant", &plant].map(str::to_owned)
}

#[test]
fn schemas_are_not_stale() {
    for (name, now) in [
        ("schema/fuzz-1.schema.json", summary_schema()),
        ("schema/fuzz-finding-1.schema.json", finding_schema()),
        ("schema/replay-1.schema.json", replay_schema()),
    ] {
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(name, &now).expect("the schema is written");
        }
        let kept = std::fs::read_to_string(name).unwrap_or_default();
        assert_eq!(kept, now, "{name} is stale: UPDATE_SCHEMAS=1 cargo test -p mqtt-assay schemas");
    }
}
