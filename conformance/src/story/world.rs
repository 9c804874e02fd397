//! The World of a story: names, versions, abilities, deadlines, and what was found on the way.

use super::connect::{Attempt, ConnectBuilder};
use super::history::{History, What};
use super::tape::Tape;
use super::{Client, Stop, Story};
use crate::check::{Check, Cite, Need};
use crate::net::Address;
use crate::outcome::Finding;
use crate::rng::Rng;
use crate::setup::Profile;
use crate::statement;
use crate::verdict::Verdict;
use mqtt_assay_codec::{Connack, Qos, Version};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The client that asks whether the broker still serves anybody.
pub(crate) const AFTERWARDS: &str = "afterwards";

/// What the broker announced in its CONNACK before the checks began. [5.0 §3.2.2.3]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Abilities {
    /// Maximum QoS.
    pub maximum_qos: Qos,
    /// Retain Available.
    pub retain: bool,
    /// Wildcard Subscription Available.
    pub wildcards: bool,
    /// Subscription Identifier Available.
    pub subscription_identifiers: bool,
    /// Shared Subscription Available.
    pub shared_subscriptions: bool,
    /// Topic Alias Maximum.
    pub topic_alias_maximum: u16,
    /// Receive Maximum.
    pub receive_maximum: u16,
    /// Maximum Packet Size.
    pub maximum_packet_size: Option<u32>,
    /// Server Keep Alive, in seconds.
    pub server_keep_alive: Option<u16>,
    /// What no packet tells, but the user.
    pub profile: Profile,
}

impl Abilities {
    /// Absent properties mean full support. [5.0 §3.2.2.3]
    pub fn of(connack: &Connack<'_>) -> Self {
        let p = &connack.properties;
        Abilities {
            maximum_qos: p.maximum_qos().and_then(Qos::from_u8).unwrap_or(Qos::ExactlyOnce),
            retain: p.retain_available().unwrap_or(true),
            wildcards: p.wildcard_subscription_available().unwrap_or(true),
            subscription_identifiers: p.subscription_identifier_available().unwrap_or(true),
            shared_subscriptions: p.shared_subscription_available().unwrap_or(true),
            topic_alias_maximum: p.topic_alias_maximum().unwrap_or(0),
            receive_maximum: p.receive_maximum().unwrap_or(u16::MAX),
            maximum_packet_size: p.maximum_packet_size(),
            server_keep_alive: p.server_keep_alive(),
            profile: Profile::default(),
        }
    }

    /// Whether the broker announced that it lacks this, or nothing says that it is set up so.
    pub fn lack(&self, need: Need) -> bool {
        match need {
            Need::Retain => !self.retain,
            Need::Qos1 => self.maximum_qos < Qos::AtLeastOnce,
            Need::Qos2 => self.maximum_qos < Qos::ExactlyOnce,
            Need::Wildcards => !self.wildcards,
            Need::SubscriptionIdentifiers => !self.subscription_identifiers,
            Need::SharedSubscriptions => !self.shared_subscriptions,
            Need::TopicAliases => self.topic_alias_maximum == 0,
            Need::LimitedQos => self.maximum_qos == Qos::ExactlyOnce,
            Need::NoRetain => self.retain,
            Need::DeniedTopic => self.profile.denied_topic.is_none(),
            Need::Passwords => !self.profile.checks_passwords,
            Need::ConnectTimeout => self.profile.connect_timeout.is_none(),
            // Not announced: it shows in the target.
            Need::WebSocket => false,
        }
    }
}

/// As whom clients connect.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Credentials {
    pub(crate) user_name: Option<String>,
    pub(crate) password: Option<String>,
}

/// State that a story may have left in the broker.
#[derive(Default, Debug)]
pub(crate) struct Leftovers {
    pub(crate) sessions: BTreeSet<String>,
    pub(crate) retained: BTreeSet<String>,
}

/// Where a story takes place: a broker, a version, names that no other check uses.
#[derive(Debug)]
pub struct World {
    pub(crate) address: Address,
    pub(crate) credentials: Credentials,
    pub(crate) version: Version,
    pub(crate) abilities: Abilities,
    pub(crate) history: History,
    /// How long an answer without a bound in the specification may take.
    pub(crate) patience: Duration,
    tag: String,
    findings: Mutex<Vec<Finding>>,
    notes: Mutex<Vec<String>>,
    leftovers: Mutex<Leftovers>,
    connections: Mutex<Vec<(String, u32)>>,
    cases: AtomicUsize,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(
        address: Address,
        credentials: Credentials,
        version: Version,
        abilities: Abilities,
        seed: u64,
        name: &str,
        patience: Duration,
    ) -> Self {
        World {
            history: History::new(credentials.password.as_deref()),
            address,
            credentials,
            version,
            abilities,
            patience,
            tag: Rng::named(seed, &format!("{version} {name}")).word(8),
            findings: Mutex::default(),
            notes: Mutex::default(),
            leftovers: Mutex::default(),
            connections: Mutex::default(),
            cases: AtomicUsize::new(0),
        }
    }

    /// The same place, with its connections' whole bytes kept on a tape.
    pub(crate) fn taped(mut self, tape: Tape) -> Self {
        self.history.put_on(tape);
        self
    }

    /// The same place with a log and findings of its own.
    pub(crate) fn fork(&self) -> World {
        World {
            address: self.address.clone(),
            credentials: self.credentials.clone(),
            version: self.version,
            abilities: self.abilities.clone(),
            history: self.history.fork(),
            patience: self.patience,
            tag: self.tag.clone(),
            findings: Mutex::default(),
            notes: Mutex::default(),
            leftovers: Mutex::default(),
            connections: Mutex::default(),
            cases: AtomicUsize::new(0),
        }
    }

    /// So many cases of a table have been judged.
    pub(crate) fn count_cases(&self, judged: usize) {
        self.cases.fetch_add(judged, Ordering::Relaxed);
    }

    /// How many cases of tables have been judged.
    pub(crate) fn cases(&self) -> usize {
        self.cases.load(Ordering::Relaxed)
    }

    /// The version that this run of the story speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether this run of the story speaks 5.0.
    pub fn is_v5(&self) -> bool {
        self.version == Version::V5
    }

    /// What the broker announced.
    pub fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    /// How long an answer may take for which the specification sets no bound.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// A topic of this story's own: `{tag}/name`.
    pub fn topic(&self, name: &str) -> String {
        format!("{}/{name}", self.tag)
    }

    /// The Client Identifier of a client of this story: letters and digits, 23 bytes at most, so that every
    /// broker must take it. [3.1.1/MQTT-3.1.3-5] [5.0/MQTT-3.1.3-5]
    pub fn client_id(&self, name: &str) -> String {
        let mut id = format!("{}{name}", self.tag);
        id.retain(|c| c.is_ascii_alphanumeric());
        id.truncate(23);
        id
    }

    /// Opens a connection and says CONNECT with nothing optional; a refusal ends the story.
    pub async fn connect(&self, name: &str) -> Result<Client<'_>, Stop> {
        self.client(name).connect().await
    }

    /// As [`World::connect`], and shows with a PINGREQ that the connection is served: for stories whose point is
    /// that the broker ends it, which a broker that ends every connection must not pass.
    pub async fn connect_alive(&self, name: &str) -> Result<Client<'_>, Stop> {
        let mut client = self.connect(name).await?;
        client.ping().await?;
        Ok(client)
    }

    /// A client to be connected with options.
    pub fn client(&self, name: &str) -> ConnectBuilder<'_> {
        ConnectBuilder::new(self, name)
    }

    /// Opens a network connection and says nothing on it.
    pub async fn open(&self, name: &str) -> Result<Client<'_>, Stop> {
        Client::open(self, name, self.client_id(name)).await
    }

    /// Lets a timer of the specification pass. Nothing else may wait: use a barrier.
    pub async fn let_pass(&self, time: Duration, timer: &str) {
        self.history.record(
            "-",
            0,
            self.version,
            What::Note(format!("{:.1} s pass ({timer})", time.as_secs_f64())),
        );
        tokio::time::sleep(time).await;
    }

    /// Records what the broker does where the specification leaves the choice.
    pub fn note(&self, what: impl Into<String>) {
        locked(&self.notes).push(what.into());
    }

    /// A recommendation is not followed; the story goes on.
    pub fn deviates(
        &self,
        statement: Option<Cite>,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) {
        self.find(Finding {
            verdict: Verdict::Deviates,
            statement,
            expected: expected.into(),
            observed: observed.into(),
            at: None,
        });
    }

    /// A statement of the running version.
    pub fn cite(&self, id: &'static str) -> Cite {
        Cite { version: self.version, id }
    }

    pub(crate) fn find(&self, mut finding: Finding) {
        // What is judged on every packet cites 3.1.1, most of whose statements have no counterpart in 3.1.
        if self.version == Version::V3_1 {
            finding.statement = finding.statement.map(|cite| match statement::of(cite) {
                Some(_) => cite,
                None => self.cite("M31-FMT-1"),
            });
        }
        const FINDINGS_MAX: usize = 100;
        let mut findings = locked(&self.findings);
        if findings.len() < FINDINGS_MAX && !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    pub(crate) fn leave_session(&self, client_id: &str) {
        locked(&self.leftovers).sessions.insert(client_id.to_owned());
    }

    pub(crate) fn leave_retained(&self, topic: &str) {
        locked(&self.leftovers).retained.insert(topic.to_owned());
    }

    /// The number of this client's next connection, from 1.
    pub(crate) fn next_connection(&self, client: &str) -> u32 {
        let mut connections = locked(&self.connections);
        match connections.iter_mut().find(|(name, _)| name == client) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                connections.push((client.to_owned(), 1));
                1
            }
        }
    }

    /// Everything found, weightiest first, and the notes.
    pub(crate) fn take_findings(&self) -> (Vec<Finding>, Vec<String>) {
        let mut findings = std::mem::take(&mut *locked(&self.findings));
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
        (findings, std::mem::take(&mut *locked(&self.notes)))
    }

    /// Runs a check here, unless the run lacks what the check needs, or the broker says that it does.
    pub(crate) async fn play(&self, check: &Check) -> Story {
        if check.needs.contains(&Need::WebSocket) && self.address.offering(&[]).is_none() {
            return Err(self.without_websocket());
        }
        if let Some(need) = check.needs.iter().find(|need| self.abilities.lack(**need)) {
            return Err(match need.is_set_up() {
                true => Stop::not_tested(need.name()),
                false => Stop::unsupported(format!("the broker announces that it has no {}", need.name())),
            });
        }
        (check.run)(self).await
    }

    /// Whether the broker still answers a plain CONNECT, be it with a refusal or a wrong packet.
    pub(crate) async fn is_served(&self) -> bool {
        match self.client(AFTERWARDS).attempt().await {
            Ok(Attempt::Accepted(mut client)) => {
                client.disconnect().await;
                true
            }
            Ok(Attempt::Refused(..)) => true,
            Ok(Attempt::Ended(..)) => false,
            Err(stop) => stop.verdict() != Verdict::Inconclusive,
        }
    }

    /// Ends the sessions and clears the retained messages that the story left; best effort.
    pub(crate) async fn clean_up(&self) {
        let leftovers = std::mem::take(&mut *locked(&self.leftovers));
        for id in leftovers.sessions {
            if let Ok(mut client) = self.client("janitor").client_id(&id).connect().await {
                client.disconnect().await;
            }
        }
        if leftovers.retained.is_empty() {
            return;
        }
        if let Ok(mut client) = self.connect("janitor").await {
            for topic in leftovers.retained {
                // At QoS 0, and none awaited: there are brokers that never answer for some topics.
                let _ = client.publish(&topic, b"").retain().send().await;
            }
            let _ = client.ping().await;
            client.disconnect().await;
        }
    }
}
