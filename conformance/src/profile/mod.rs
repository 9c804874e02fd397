//! The profile of a broker: what no packet tells of it, and what `mqtt-assay probe` has found, as a TOML file.
//!
//! ```toml
//! [broker]
//! name = "Mosquitto"
//! denied_topic = "secret/topic"
//! connect_timeout = 10
//!
//! [addresses]
//! tcp = "mqtt://127.0.0.1:{port}"
//!
//! [credentials]
//! user = "alice"
//! password = "right"
//! checks_passwords = true
//!
//! [process]
//! spawn = "mosquitto -p {port}"
//! ```

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::Wrong;

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What stands for the port in addresses and commands, where a free one is chosen.
pub const PORT: &str = "{port}";

/// A profile, as the file has it.
#[derive(Clone, PartialEq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerProfile {
    /// What it is, and what it does that no packet tells.
    pub broker: About,
    /// Where it listens.
    pub addresses: Addresses,
    /// How TLS is spoken with it.
    pub tls: TlsFiles,
    /// As whom to connect, and as whom not.
    pub credentials: Credentials,
    /// Enhanced authentication.
    pub authentication: Authentication,
    /// What it can do in each version that it accepts: `3.1`, `3.1.1`, `5.0`.
    #[serde(deserialize_with = "read::by_version")]
    pub abilities: BTreeMap<String, Abilities>,
    /// How much it takes in each version that it accepts.
    #[serde(deserialize_with = "read::by_version")]
    pub limits: BTreeMap<String, Limits>,
    /// How to start, stop, kill and restart it.
    pub process: Commands,
}

/// What the broker is.
#[derive(Clone, PartialEq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Anything else.
    pub note: Option<String>,
    /// A topic that the run's user may not publish to.
    #[serde(deserialize_with = "read::topic")]
    pub denied_topic: Option<String>,
    /// The time after which it closes a connection that has sent no CONNECT, in seconds.
    #[serde(deserialize_with = "read::seconds")]
    pub connect_timeout: Option<Duration>,
}

impl About {
    /// The name with the version, if it has a name: `Mosquitto 2.0.11`.
    pub fn title(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        Some(self.version.as_ref().map_or_else(|| name.clone(), |version| format!("{name} {version}")))
    }
}

/// What lies between TCP and MQTT at an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum Over {
    /// Nothing: `mqtt://`.
    Tcp,
    /// TLS: `mqtts://`.
    Tls,
    /// WebSocket: `ws://`.
    Ws,
    /// WebSocket within TLS: `wss://`.
    Wss,
}

impl Over {
    /// In the order in which a profile's addresses are tried.
    pub const ALL: [Over; 4] = [Over::Tcp, Over::Tls, Over::Ws, Over::Wss];

    /// The key in the profile, and the value of `--over`.
    pub const fn name(self) -> &'static str {
        match self {
            Over::Tcp => "tcp",
            Over::Tls => "tls",
            Over::Ws => "ws",
            Over::Wss => "wss",
        }
    }

    /// Whether TLS is spoken there.
    pub const fn speaks_tls(self) -> bool {
        matches!(self, Over::Tls | Over::Wss)
    }
}

/// The URLs at which the broker listens. `{port}` stands for a port that is chosen when the broker is started.
#[derive(Clone, PartialEq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    /// `mqtt://HOST[:PORT]`
    #[serde(deserialize_with = "read::tcp")]
    pub tcp: Option<String>,
    /// `mqtts://HOST[:PORT]`
    #[serde(deserialize_with = "read::tls")]
    pub tls: Option<String>,
    /// `ws://HOST[:PORT][/PATH]`
    #[serde(deserialize_with = "read::ws")]
    pub ws: Option<String>,
    /// `wss://HOST[:PORT][/PATH]`
    #[serde(deserialize_with = "read::wss")]
    pub wss: Option<String>,
}

impl Addresses {
    /// The URL of one transport.
    pub fn get(&self, over: Over) -> Option<&str> {
        match over {
            Over::Tcp => self.tcp.as_deref(),
            Over::Tls => self.tls.as_deref(),
            Over::Ws => self.ws.as_deref(),
            Over::Wss => self.wss.as_deref(),
        }
    }

    /// Those that are given, in order.
    pub fn all(&self) -> impl Iterator<Item = (Over, &str)> {
        Over::ALL.into_iter().filter_map(|over| Some((over, self.get(over)?)))
    }
}

/// The files of TLS, in PEM form; relative ones lie beside the profile.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsFiles {
    /// The authorities to trust; without it those that the system trusts.
    pub ca: Option<PathBuf>,
    /// A client certificate.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// The name to ask for and to expect in the certificate.
    pub server_name: Option<String>,
    /// Whether every certificate of the broker is accepted.
    pub insecure: bool,
}

/// Right and wrong credentials.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// The user name to connect with.
    pub user: Option<String>,
    /// Its password; better put into the environment variable `MQTT_ASSAY_PASSWORD`.
    pub password: Option<String>,
    /// A user name that must be refused with `wrong_password`.
    pub wrong_user: Option<String>,
    /// The password that makes it wrong.
    pub wrong_password: Option<String>,
    /// Whether unknown users and wrong passwords are refused.
    pub checks_passwords: bool,
    /// Whether Clients without User Name are let in.
    pub anonymous: Option<bool>,
}

/// Enhanced authentication. It is recorded only: the checks speak a method of their own. [5.0 §4.12]
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Authentication {
    /// The Authentication Method that the broker supports.
    pub method: Option<String>,
    /// How it is answered, in words.
    pub note: Option<String>,
}

/// One ability or limit, as the broker says and as it shows.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item<T> {
    /// What CONNACK says, by its presence or its absence. [5.0 §3.2.2.3]
    pub announced: Option<T>,
    /// What came of trying it.
    pub found: Option<T>,
    /// How both were found: a comment in the file.
    #[serde(skip)]
    pub how: String,
}

/// What a broker can do in one version.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Abilities {
    /// Maximum QoS.
    pub maximum_qos: Option<Item<u8>>,
    /// Retained messages.
    pub retain: Option<Item<bool>>,
    /// Topic Filters with wildcards.
    pub wildcards: Option<Item<bool>>,
    /// Subscription Identifiers.
    pub subscription_identifiers: Option<Item<bool>>,
    /// Shared Subscriptions.
    pub shared_subscriptions: Option<Item<bool>>,
    /// Whether Clients may exchange messages on topics that begin with `$`.
    pub dollar_topics: Option<Item<bool>>,
    /// Whether an empty Client Identifier is taken, and another one assigned.
    pub assigned_client_identifiers: Option<Item<bool>>,
}

/// How much a broker takes in one version.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Receive Maximum: how many PUBLISH packets above QoS 0 may be unacknowledged.
    pub receive_maximum: Option<Item<u32>>,
    /// Maximum Packet Size, in bytes.
    pub maximum_packet_size: Option<Item<u32>>,
    /// Topic Alias Maximum.
    pub topic_alias_maximum: Option<Item<u32>>,
    /// Server Keep Alive, in seconds, for a Client that asks for 60.
    pub server_keep_alive: Option<Item<u32>>,
    /// Session Expiry Interval, in seconds, for a Client that asks for the longest that ends.
    pub session_expiry: Option<Item<u32>>,
    /// The longest Client Identifier that was accepted, in bytes.
    pub client_identifier: Option<Item<u32>>,
}

/// Commands, in the spelling of a shell (without its variables and pipes), run in the profile's folder.
///
/// `{port}` stands for the port, `{pid}` for the process that `spawn` has started.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Starts the broker, and stays in the foreground.
    pub spawn: Option<String>,
    /// Stops it in order; without it, SIGTERM does.
    pub stop: Option<String>,
    /// Kills it if it does not stop; without it, SIGKILL does.
    pub kill: Option<String>,
    /// Starts it again after its death; without it, `spawn` does.
    pub restart: Option<String>,
    /// How long it may take until it listens, in seconds.
    #[serde(deserialize_with = "read::seconds")]
    pub start_timeout: Option<Duration>,
}
