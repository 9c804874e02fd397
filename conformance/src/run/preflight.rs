//! Before the checks: can the broker be reached, which versions does it accept, what does it announce?

use super::SetUp;
use crate::net::{Address, Caller, tls};
use crate::outcome::Direction;
use crate::story::{Abilities, Attempt, Credentials, Stop, World};
use crate::target::{Target, TcpTarget};
use mqtt_assay_codec::{Connack, Packet, ReasonCode, Version, describe};

/// The versions that a run checks if the user names none.
const VERSIONS: [Version; 2] = [Version::V3_1_1, Version::V5];

/// What the preflight found.
pub(super) struct Found {
    /// The accepted versions with what the broker announces in each.
    pub(super) abilities: Vec<(Version, Abilities)>,
    /// Lines for the report.
    pub(super) remarks: Vec<String>,
}

/// Turns host and port into one address that can be connected to, with the layers that the target wants.
pub(crate) async fn resolve(tcp: &TcpTarget) -> Result<Address, SetUp> {
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

/// Connects once in each version.
pub(super) async fn run(
    target: &Target,
    address: &Address,
    credentials: &Credentials,
    asked: &[Version],
    seed: u64,
) -> Result<Found, SetUp> {
    let versions = if asked.is_empty() { &VERSIONS[..] } else { asked };
    let mut found = Found { abilities: Vec::new(), remarks: Vec::new() };
    let mut refusals = Vec::new();
    for &version in versions {
        match greet(address, credentials, version, seed).await {
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
        found.remarks.push(format!("MQTT {version} is not checked: the broker answers {why}"));
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

/// Whether the first bytes of the answer begin a CONNACK.
fn answered_with_connack(world: &World) -> bool {
    let log = world.history.log();
    let first = log.iter().find(|entry| entry.direction == Direction::Received);
    first.is_some_and(|entry| entry.bytes.first() == Some(&0x20))
}

fn words(stop: &Stop) -> String {
    format!("it does not answer as a broker ({})", stop.0.observed)
}
