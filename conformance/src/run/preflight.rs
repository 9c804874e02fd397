//! Before the checks: can the broker be reached, which versions does it accept, what does it announce?

use super::SetUp;
use crate::check::Check;
use crate::net::{Address, Caller, tls};
use crate::outcome::Direction;
use crate::story::{Abilities, Attempt, Credentials, Stop, World};
use crate::target::{Target, TcpTarget};
use mqtt_assay_codec::{Connack, Packet, ReasonCode, Version, describe};
use std::time::Duration;
use tokio::time::Instant;

/// The versions that a run checks if the user names none; 3.1 only if there is something to check.
const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

/// What the preflight found.
pub(super) struct Found {
    /// The accepted versions with what the broker announces in each.
    pub(super) abilities: Vec<(Version, Abilities)>,
    /// Lines for the report.
    pub(super) remarks: Vec<String>,
}

/// How long a broker that was just started may take, once its port is open, until a connection comes about: some try whether
/// they can have the port, or listen before they serve.
const SETTLING: Duration = Duration::from_secs(3);

/// So often it is tried at least: on a busy machine a single try may take as long as that, and more.
const TRIES: usize = 3;

/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Turns host and port into one address that can be connected to, with the layers that the target wants. A broker that was
/// `just_started` is tried for some time.
pub(crate) async fn resolve(tcp: &TcpTarget, just_started: bool) -> Result<Address, SetUp> {
    let mut patience = Settling::begin();
    loop {
        match resolve_at_once(tcp).await {
            Err(SetUp::Broker(_)) if just_started && patience.lasts() => tokio::time::sleep(PAUSE).await,
            resolved => return resolved,
        }
    }
}

/// The patience with a broker that was just started.
struct Settling {
    until: Instant,
    tries: usize,
}

impl Settling {
    fn begin() -> Self {
        Settling { until: Instant::now() + SETTLING, tries: 0 }
    }

    /// Whether there is another try after one that failed.
    fn lasts(&mut self) -> bool {
        self.tries += 1;
        self.tries < TRIES || Instant::now() < self.until
    }
}

/// Waits until a broker that was just started takes a connection with all its layers; for some time.
pub(super) async fn settle(address: &Address) {
    let mut patience = Settling::begin();
    let caller = Caller { client: "preflight", connection: 0 };
    while address.open(caller, super::PATIENCE).await.is_err() && patience.lasts() {
        tokio::time::sleep(PAUSE).await;
    }
}

async fn resolve_at_once(tcp: &TcpTarget) -> Result<Address, SetUp> {
    let tls = match &tcp.transport.tls {
        Some(tls) => Some(tls::client(tls, &tcp.host).map_err(|error| SetUp::Broker(error.to_string()))?),
        None => None,
    };
    let mut last = None;
    let found = tokio::net::lookup_host((tcp.host.as_str(), tcp.port)).await;
    for address in found.map_err(|error| {
        SetUp::Broker(format!(
            "cannot resolve the host name {:?} ({error}): check the target's spelling",
            tcp.host
        ))
    })? {
        let mut broker = Address::tcp(address);
        if let Some(tls) = &tls {
            broker = broker.within_tls(tls.clone());
        }
        if let Some(path) = &tcp.transport.websocket {
            broker = broker.within_websocket(tcp.authority(), path.clone());
        }
        let caller = Caller { client: "preflight", connection: 0 };
        match broker.open(caller, super::PATIENCE).await {
            Ok(_) => return Ok(broker),
            Err(error) => {
                let advice = broker.advice(Some(&error));
                last = Some((address, error, advice));
            }
        }
    }
    Err(SetUp::Broker(match last {
        Some((address, error, advice)) => {
            let advice = advice.unwrap_or("is the broker running, and is this its port?");
            format!("cannot connect to {address}: {error}; {advice}")
        }
        None => format!("the host name {:?} has no address", tcp.host),
    }))
}

/// Connects once in each version: those that were asked for, or all of which there are checks.
pub(super) async fn run(
    target: &Target,
    address: &Address,
    credentials: &Credentials,
    asked: &[Version],
    checks: &[&'static Check],
    seed: u64,
) -> Result<Found, SetUp> {
    let has_checks = |version| checks.iter().any(|check| check.versions().any(|own| own == version));
    let mut versions = if asked.is_empty() { VERSIONS.to_vec() } else { asked.to_vec() };
    versions.retain(|version| !asked.is_empty() || *version != Version::V3_1 || has_checks(*version));
    let mut found = Found { abilities: Vec::new(), remarks: Vec::new() };
    let mut refusals = Vec::new();
    // Side by side: a broker that is silent is waited for once.
    let greetings = versions.iter().map(|version| greet(address, credentials, *version, seed));
    let answers = futures_util::future::join_all(greetings).await;
    for (version, answer) in versions.into_iter().zip(answers) {
        match answer {
            Ok((abilities, remarks)) => {
                found.abilities.push((version, abilities));
                found.remarks.extend(remarks);
            }
            Err(why) => refusals.push((version, why)),
        }
    }
    if found.abilities.is_empty() || (!asked.is_empty() && !refusals.is_empty()) {
        let said: Vec<String> =
            refusals.iter().map(|(version, why)| format!("to MQTT {version} {why}")).collect();
        let advice = address.advice(None).unwrap_or(
            "give credentials with --user and --password if it wants them, or other versions with --mqtt",
        );
        return Err(SetUp::Broker(format!(
            "{target} does not accept a plain CONNECT: {}; {advice}",
            said.join(", ")
        )));
    }
    for (version, why) in refusals {
        found.remarks.push(format!("MQTT {version} is not checked: to its CONNECT {why}"));
    }
    Ok(found)
}

/// One CONNECT; the error completes the sentence "to MQTT 5.0 it …".
async fn greet(
    address: &Address,
    credentials: &Credentials,
    version: Version,
    seed: u64,
) -> Result<(Abilities, Vec<String>), String> {
    let plain = Abilities::of(&Connack::new(false, ReasonCode::SUCCESS));
    let world =
        World::new(address.clone(), credentials.clone(), version, plain, seed, "preflight", super::PATIENCE);
    let attempt = match world.client("preflight").attempt().await {
        Ok(attempt) => attempt,
        Err(_) if version == Version::V5 && refused_as_of_old(&world) => {
            return Err(
                "it answers as a Server of MQTT 3.1.1 that does not know the version: CONNACK 0x01".into()
            );
        }
        // A CONNACK that is wrong is a broker's, and a matter for the checks.
        Err(stop) if answered_with_connack(&world) => {
            let remark = format!("to MQTT {version} it answers a wrong CONNACK: {}", stop.0.observed);
            return Ok((Abilities::of(&Connack::new(false, ReasonCode::SUCCESS)), vec![remark]));
        }
        Err(stop) => return Err(words(&stop)),
    };
    match attempt {
        Attempt::Accepted(mut client) => {
            let abilities = Abilities::of(&client.connack());
            let connack = Packet::Connack(client.connack());
            let remarks = vec![format!("to MQTT {version} it answers {}", describe::line(&connack, version))];
            client.disconnect().await;
            Ok((abilities, remarks))
        }
        refused @ Attempt::Refused(..) => Err(format!("it answers {}", refused.line())),
        Attempt::Ended(..) => Err("it ends the connection without CONNACK".into()),
    }
}

/// Whether the answer begins a CONNACK.
fn answered_with_connack(world: &World) -> bool {
    answer(world).first() == Some(&0x20)
}

/// Whether the answer is the refusal that a Server owes which speaks 3.1.1 only: it cannot know the form of later
/// versions. [3.1.1/MQTT-3.1.2-2]
fn refused_as_of_old(world: &World) -> bool {
    answer(world) == [0x20, 0x02, 0x00, 0x01]
}

/// The first bytes that came.
fn answer(world: &World) -> Vec<u8> {
    let first = world.history.log().into_iter().find(|entry| entry.direction == Direction::Received);
    first.map(|entry| entry.bytes.to_vec()).unwrap_or_default()
}

fn words(stop: &Stop) -> String {
    format!("it does not answer as a broker ({})", stop.0.observed)
}
