//! How the embedded broker is set up: most checks want it with all its abilities, some want limits, users or
//! forbidden topics. What it is set up with is told by its profile, as the user tells it of other brokers.

use mqtt_assay_broker_model::{Credential, DollarTopics, Policy};
use mqtt_assay_codec::Qos;
use std::time::Duration;

/// The topic that nobody may publish to on a guarded broker.
const DENIED_TOPIC: &str = "mqtt-assay/denied";

/// A guarded broker closes connections without CONNECT after this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A set-up of the embedded broker. Brokers of others are set up as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Debug)]
pub enum Setup {
    /// All abilities, nothing forbidden.
    #[default]
    Full,
    /// It checks passwords, forbids a topic, keeps Clients from using `$`-topics among themselves, and does not wait
    /// long for a CONNECT.
    Guarded,
    /// QoS 1 at most, no retained messages, no wildcards, no Subscription Identifiers, no Shared Subscriptions.
    Limited,
}

impl Setup {
    /// Every set-up.
    pub const ALL: [Setup; 3] = [Setup::Full, Setup::Guarded, Setup::Limited];

    /// What the embedded broker is told to do.
    pub(crate) fn policy(self) -> Policy {
        // The broker uses its right to refuse long Client Identifiers, so that there is a refusal to be judged.
        // [3.1.1/MQTT-3.1.3-9] [5.0/MQTT-3.1.3-8]
        let full = Policy { max_client_id_bytes: 100, ..Policy::default() };
        match self {
            Setup::Full => full,
            Setup::Guarded => Policy {
                credentials: vec![Credential { user_name: "assay".into(), password: b"right".to_vec() }],
                deny_publish: vec![DENIED_TOPIC.into()],
                dollar_topics: DollarTopics::Drop,
                connect_timeout: Some(CONNECT_TIMEOUT),
                ..full
            },
            Setup::Limited => Policy {
                max_qos: Qos::AtLeastOnce,
                retain_available: false,
                wildcard_subscription_available: false,
                subscription_identifier_available: false,
                shared_subscription_available: false,
                ..full
            },
        }
    }

    /// What a user would tell of it.
    pub fn profile(self) -> Profile {
        match self {
            Setup::Full | Setup::Limited => Profile::default(),
            Setup::Guarded => Profile {
                denied_topic: Some(DENIED_TOPIC.into()),
                checks_passwords: true,
                wrong_credentials: None,
                connect_timeout: Some(CONNECT_TIMEOUT),
            },
        }
    }
}

/// What the user tells of a broker that no packet tells.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Profile {
    /// A topic that the run's user may not publish to.
    pub denied_topic: Option<String>,
    /// Whether the broker refuses unknown users and wrong passwords.
    pub checks_passwords: bool,
    /// A pair of user name and password that it must refuse, beside those of the checks' own invention.
    pub wrong_credentials: Option<(String, String)>,
    /// The time after which it closes a connection that has sent no CONNECT.
    pub connect_timeout: Option<Duration>,
}
