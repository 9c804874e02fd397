//! What the integration tests share.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod hostile;
pub(crate) mod mosquitto;
pub(crate) mod scripted;

use mqtt_assay::check::{Check, Need};
use mqtt_assay::outcome::{CheckResult, Run};
use mqtt_assay::run::{Options, SetUp, run};
use mqtt_assay::target::{Target, TcpTarget, Transport};
use mqtt_assay::verdict::Verdict;
use std::net::SocketAddr;
use std::time::Duration;

/// A plain TCP target without credentials.
pub(crate) fn tcp(address: SocketAddr) -> Target {
    reached(address, Transport::default())
}

/// A target without credentials.
pub(crate) fn reached(address: SocketAddr, transport: Transport) -> Target {
    Target::Tcp(TcpTarget {
        host: address.ip().to_string(),
        port: address.port(),
        transport,
        user_name: None,
        password: None,
    })
}

/// Every check, both versions, a short patience for brokers that are known to be quick.
pub(crate) fn options(target: Target, patience: Duration) -> Options {
    Options {
        target,
        profile: mqtt_assay::setup::Profile::default(),
        process: None,
        versions: Vec::new(),
        checks: mqtt_assay::checks::all(),
        jobs: 64,
        seed: 7,
        // Generous: on a busy machine thousands of handshakes take their time.
        deadline: Duration::from_secs(120),
        patience,
        capture: false,
    }
}

/// Runs without anybody watching or stopping.
pub(crate) async fn quietly(options: &Options) -> Result<Run, SetUp> {
    let (_keep, stop) = tokio::sync::watch::channel(false);
    run(options, stop, &mut |_| {}).await
}

/// One line per result that is not as the reference broker's should be, for assertions that tell what is wrong.
pub(crate) fn complaints(run: &Run) -> Vec<String> {
    let websocket = ["ws://", "wss://"].iter().any(|scheme| run.target.starts_with(scheme));
    run.results.iter().filter(|r| r.verdict != expected(r.check, websocket)).map(line).collect()
}

/// What a check of the reference broker comes to: one about WebSocket is tested only there, and one about several copies
/// of a message not at all, for it sends one.
pub(crate) fn expected(check: &Check, websocket: bool) -> Verdict {
    let elsewhere = check.needs.contains(&Need::WebSocket) && !websocket;
    let of_others = check.name == "subscription_id/each_copy_carries_its_own";
    if elsewhere || of_others { Verdict::NotTested } else { Verdict::Conforms }
}

/// A result in one line.
pub(crate) fn line(result: &CheckResult) -> String {
    let found: Vec<String> = result
        .findings
        .iter()
        .map(|f| format!("{}: expected {:?}, observed {:?}", f.verdict, f.expected, f.observed))
        .collect();
    format!("{} {} {}: {}", result.check.name, result.version, result.verdict, found.join("; "))
}

/// The check of this name.
pub(crate) fn check(name: &str) -> &'static Check {
    mqtt_assay::checks::all().into_iter().find(|c| c.name == name).expect("a check of this name")
}
