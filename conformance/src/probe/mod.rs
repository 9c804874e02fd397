//! Finds out what a broker can do and how much it takes: what it announces, and what comes of trying it.
//!
//! What differs between the two is told as a contradiction, with the statement that it concerns and the packets. To be
//! fair, it is told only of what a broker takes although it announces not to, of what it refuses with the very Reason
//! Code that says so although it announces to have it, and of what it takes without doing it.

mod abilities;
mod access;
mod limits;
mod trial;

use crate::check::Cite;
use crate::net::Address;
use crate::outcome::LogEntry;
use crate::process::{Process, Recipe};
use crate::profile::BrokerProfile;
use crate::run::{SetUp, resolve};
use crate::serve::{Fault, Served};
use crate::setup::Setup;
use crate::story::{Abilities, Attempt, Credentials, World};
use crate::target::TcpTarget;
use mqtt_assay_codec::{Connack, Packet, PropertyList, ReasonCode, Version, describe};
use std::net::Ipv4Addr;
use std::time::Duration;
use trial::Trial;

/// In the order of their age.
const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

/// What to probe, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The broker.
    pub broker: Probed,
    /// What is known of it already; the result is a copy with what was found.
    pub profile: BrokerProfile,
    /// How the broker is started, if it shall be.
    pub process: Option<Recipe>,
    /// Names are drawn from it.
    pub seed: u64,
    /// How long an answer may take for which the specification sets no bound.
    pub patience: Duration,
}

/// The broker to be probed.
#[derive(Clone, Debug)]
pub enum Probed {
    /// The embedded one, perhaps broken on purpose.
    Reference(Setup, Option<Fault>),
    /// One that listens here; all is tried at the first address, and the others are compared with it.
    At(Vec<TcpTarget>),
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The profile.
    pub profile: BrokerProfile,
    /// What the broker announces and does not keep to, or what is wrong in its packets.
    pub contradictions: Vec<Contradiction>,
    /// What else was seen, a line each: the answer in each version, and at each address.
    pub remarks: Vec<String>,
}

/// What is announced, and what is found instead.
#[derive(Clone, PartialEq, Debug)]
pub struct Contradiction {
    /// The statement that it concerns.
    pub statement: Cite,
    /// What the broker announces, or what the specification allows.
    pub announced: String,
    /// What it does.
    pub found: String,
    /// The packets, as proof.
    pub log: Vec<LogEntry>,
}

/// Probes a broker.
///
/// # Errors
///
/// The broker cannot be started or reached, or accepts no CONNECT.
pub async fn probe(options: &Options) -> Result<Outcome, SetUp> {
    let process = match &options.process {
        Some(recipe) => {
            Some(Process::start(recipe, false).await.map_err(|trouble| SetUp::Broker(trouble.to_string()))?)
        }
        None => None,
    };
    let outcome = probe_running(options).await;
    match (outcome, process) {
        (Err(trouble), Some(process)) => Err(process.end_after(trouble).await),
        (Ok(outcome), Some(mut process)) => match process.has_died().await {
            Some(death) => Err(SetUp::Broker(format!(
                "the broker died while it was probed, and `mqtt-assay check` finds out of what: {death}"
            ))),
            None => {
                process.end().await;
                Ok(outcome)
            }
        },
        (outcome, None) => outcome,
    }
}

async fn probe_running(options: &Options) -> Result<Outcome, SetUp> {
    // The embedded broker lives as long as it is probed.
    let mut served = None;
    let (mut addresses, credentials) = match &options.broker {
        Probed::Reference(setup, fault) => {
            let broker = Served::set_up(*setup, *fault)
                .await
                .map_err(|error| SetUp::Broker(format!("cannot serve the reference broker: {error}")))?;
            let address = Address::tcp((Ipv4Addr::LOCALHOST, broker.address().port()).into());
            served = Some(broker);
            (vec![("tcp", Ok(address))], Credentials::default())
        }
        Probed::At(all) => {
            let mut addresses = Vec::new();
            for tcp in all {
                let over = match tcp.transport.scheme() {
                    "mqtts" => "tls",
                    "mqtt" => "tcp",
                    scheme => scheme,
                };
                addresses.push((over, resolve(tcp, options.process.is_some()).await));
            }
            let first = all.first();
            let part = |part: fn(&TcpTarget) -> &Option<String>| first.and_then(|tcp| part(tcp).clone());
            let credentials =
                Credentials { user_name: part(|tcp| &tcp.user_name), password: part(|tcp| &tcp.password) };
            (addresses, credentials)
        }
    };
    if addresses.is_empty() {
        return Err(SetUp::Broker("there is no address to probe".to_owned()));
    }
    let address = addresses.remove(0).1?;
    let world = |address: &Address, version| {
        let plain = Abilities::of(&Connack::new(false, ReasonCode::SUCCESS));
        let (address, credentials) = (address.clone(), credentials.clone());
        World::new(address, credentials, version, plain, options.seed, "probe", options.patience)
    };
    let mut outcome =
        Outcome { profile: options.profile.clone(), contradictions: Vec::new(), remarks: Vec::new() };
    let mut accepted = Vec::new();
    for version in VERSIONS {
        let world = world(&address, version);
        let (line, connack) = greet(&world).await;
        outcome.remarks.push(format!("to MQTT {version} it answers {line}"));
        let Some(properties) = connack else { continue };
        accepted.push((version, line));
        let mut trial = Trial { base: &world, announced: &properties, found: &mut outcome.contradictions };
        // Boxed: every trial's story lies in these futures.
        let abilities = Box::pin(abilities::all(&mut trial)).await;
        let qos = abilities.maximum_qos.as_ref().and_then(|item| item.found).unwrap_or(0);
        let limits = Box::pin(limits::all(&mut trial, qos)).await;
        outcome.profile.abilities.insert(version.to_string(), abilities);
        outcome.profile.limits.insert(version.to_string(), limits);
    }
    let Some((newest, _)) = accepted.last() else {
        return Err(SetUp::Broker(format!(
            "the broker accepts no CONNECT: {}; give credentials with --user and --password if it wants them",
            outcome.remarks.join(", ")
        )));
    };
    access::find(&world(&address, *newest), &mut outcome).await;
    for (over, other) in addresses {
        let remark = match other {
            Ok(other) => {
                let mut lines = Vec::new();
                for version in VERSIONS {
                    let line = greet(&world(&other, version)).await.0;
                    match accepted.iter().find(|(known, _)| *known == version) {
                        Some((_, known)) if *known == line => {}
                        None if !line.starts_with("CONNACK 0x00") => {}
                        _ => lines.push(format!("to MQTT {version} it answers {line}")),
                    }
                }
                let same = "it accepts the same versions, and announces the same".to_owned();
                if lines.is_empty() { same } else { lines.join(", ") }
            }
            Err(trouble) => trouble.to_string(),
        };
        outcome.remarks.push(format!("over {over}: {remark}"));
    }
    drop(served);
    Ok(outcome)
}

/// One CONNECT: the answer in words, and what the CONNACK announces if it accepts.
async fn greet(world: &World) -> (String, Option<PropertyList>) {
    match world.client("hello").attempt().await {
        Ok(Attempt::Accepted(mut client)) => {
            let connack = client.connack();
            let properties: PropertyList = connack.properties.iter().collect();
            let line = describe::line(&Packet::Connack(connack), world.version());
            client.disconnect().await;
            (line, Some(properties))
        }
        Ok(refused) => (refused.line(), None),
        Err(stop) => (format!("nothing that a broker answers ({})", stop.0.observed), None),
    }
}
