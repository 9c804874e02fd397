//! What the specifications leave open, each as a field with its default.

use core::time::Duration;
use mqtt_assay_codec::{Qos, Version};

/// A pair of user name and password that may connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// User Name.
    pub user_name: String,
    /// Password.
    pub password: Vec<u8>,
}

/// What becomes of a message whose topic begins with `$`. [3.1.1 §4.7.2] [5.0 §4.7.2]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DollarTopics {
    /// It is routed like any other; a leading wildcard does not match it. [5.0/MQTT-4.7.2-1]
    #[default]
    Accept,
    /// It is acknowledged and dropped.
    Drop,
    /// 5.0: refused with 0x90 (QoS 0: dropped); before: acknowledged and dropped.
    Refuse,
}

/// How many copies overlapping subscriptions of one Client cause. [3.1.1 §3.3.5] [5.0 §3.3.4]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overlap {
    /// One copy: the highest QoS, all Subscription Identifiers, RETAIN if any asks for Retain As Published.
    #[default]
    OneCopy,
    /// One copy for each matching subscription, each with its own QoS and Subscription Identifier.
    CopyPerSubscription,
}

/// When a QoS 2 message is passed on: the two methods of 4.3.3. [3.1.1 §4.3.3] [5.0 §4.3.3]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Qos2Delivery {
    /// At the PUBLISH: only the Packet Identifier waits for PUBREL (method B).
    #[default]
    AtPublish,
    /// At the PUBREL: the message waits for it (method A).
    AtRelease,
}

/// Which message gives way when a session's queue is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QueueFull {
    /// The new message is dropped.
    #[default]
    DropNewest,
    /// The message that waited longest is dropped.
    DropOldest,
}

/// The choices of one broker.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// The versions that are served. Default: 3.1, 3.1.1 and 5.0.
    pub versions: Vec<Version>,
    /// How long a connection may take to its accepted CONNECT; `None`: for ever. Default: 10 s.
    /// [3.1.1 §3.1.4] [5.0 §3.1.4]
    pub connect_timeout: Option<Duration>,
    /// Whether an empty Client Identifier is given one. Default: yes. [5.0/MQTT-3.1.3-6]
    pub assign_client_ids: bool,
    /// Longest Client Identifier that is accepted, at least 23. Default: 65,535. [5.0/MQTT-3.1.3-5]
    pub max_client_id_bytes: usize,
    /// Who may connect, besides anonymous Clients. Default: nobody.
    pub credentials: Vec<Credential>,
    /// Whether a Client without User Name and Password may connect. Default: yes.
    pub anonymous: bool,
    /// Topic Filters: nobody may publish to a topic that one of them matches. Default: none.
    pub deny_publish: Vec<String>,
    /// Topic Filters: nobody may subscribe to exactly one of these. Default: none.
    pub deny_subscribe: Vec<String>,
    /// In 3.1.1, whether a message that is not allowed closes the connection; otherwise it is acknowledged
    /// and dropped. Default: no. [3.1.1/MQTT-3.3.5-2]
    pub close_on_denied_publish: bool,
    /// The secret of the challenge method; `None`: no enhanced authentication. Default: `assay`. [5.0 §4.12]
    pub challenge_secret: Option<Vec<u8>>,
    /// What a Client that asks for Response Information gets. Default: `mqtt-assay/`. [5.0 §3.2.2.3.15]
    pub response_information: Option<String>,
    /// Whether answers that refuse say why in a Reason String. Default: yes.
    pub reason_strings: bool,
    /// A User Property on every answer that refuses. Default: none.
    pub diagnostic: Option<(String, String)>,

    /// The Keep Alive that is imposed in place of the Client's. Default: none. [5.0 §3.2.2.3.14]
    pub server_keep_alive: Option<u16>,
    /// Longest Session Expiry Interval that is granted, in seconds. Default: no limit. [5.0 §3.2.2.3.2]
    pub max_session_expiry: u32,
    /// How long a session of Clean Session 0 is kept before 5.0, in seconds; 0xFFFFFFFF: for ever, the default.
    pub session_expiry_before_5: u32,
    /// Maximum QoS of a PUBLISH and of a Will. Default: 2. [5.0 §3.2.2.3.4]
    pub max_qos: Qos,
    /// Highest QoS that is granted to a subscription. Default: 2. [3.1.1 §3.8.4] [5.0 §3.8.4]
    pub max_granted_qos: Qos,
    /// Whether retained messages are kept. Default: yes. [5.0 §3.2.2.3.5]
    pub retain_available: bool,
    /// Whether a retained QoS 0 message is stored. Default: yes. [3.1.1 §3.3.1.3] [5.0 §3.3.1.3]
    pub store_retained_qos0: bool,
    /// Default: yes. [5.0 §3.2.2.3.11]
    pub wildcard_subscription_available: bool,
    /// Default: yes. [5.0 §3.2.2.3.12]
    pub subscription_identifier_available: bool,
    /// Default: yes. [5.0 §3.2.2.3.13]
    pub shared_subscription_available: bool,
    /// Receive Maximum that is announced and enforced. Default: 100. [5.0 §3.2.2.3.3]
    pub receive_maximum: u16,
    /// Largest packet that is accepted; announced in 5.0. Default: 8 MiB. [5.0 §3.2.2.3.6]
    pub max_packet_size: u32,
    /// Topic Alias Maximum that is announced and enforced. Default: 16. [5.0 §3.2.2.3.8]
    pub topic_alias_maximum: u16,
    /// How many of the aliases that a Client allows are used towards it. Default: 16.
    pub outgoing_topic_aliases: u16,

    /// Default: accept.
    pub dollar_topics: DollarTopics,
    /// Default: one copy.
    pub overlap: Overlap,
    /// Default: at the PUBLISH.
    pub qos2_delivery: Qos2Delivery,
    /// Whether QoS 0 messages wait for a Client that is away. Default: no. [3.1.1 §3.1.2.4] [5.0 §4.1]
    pub queue_qos0: bool,
    /// Whether PUBACK and PUBREC tell with 0x10 that nobody subscribes. Default: yes. [5.0 §3.4.2.1]
    pub report_no_matching_subscribers: bool,
    /// Whether a payload that is said to be UTF-8 is checked. Default: yes. [5.0 §3.3.2.3.2]
    pub check_payload_format: bool,

    /// Default: 10,000.
    pub max_sessions: usize,
    /// Messages that may wait in one session. Default: 10,000.
    pub max_queued_messages: usize,
    /// Default: drop the newest.
    pub queue_full: QueueFull,
    /// Unacknowledged QoS 1 and 2 messages to one Client, at least 1. Default: 1,024.
    pub max_inflight: u16,
    /// Default: 10,000.
    pub max_retained_messages: usize,
    /// Subscriptions of one session. Default: 1,000.
    pub max_subscriptions: usize,
    /// Levels of a Topic Filter. Default: 1,024.
    pub max_filter_levels: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            versions: vec![Version::V3_1, Version::V3_1_1, Version::V5],
            connect_timeout: Some(Duration::from_secs(10)),
            assign_client_ids: true,
            max_client_id_bytes: 65_535,
            credentials: Vec::new(),
            anonymous: true,
            deny_publish: Vec::new(),
            deny_subscribe: Vec::new(),
            close_on_denied_publish: false,
            challenge_secret: Some(b"assay".to_vec()),
            response_information: Some("mqtt-assay/".into()),
            reason_strings: true,
            diagnostic: None,
            server_keep_alive: None,
            max_session_expiry: u32::MAX,
            session_expiry_before_5: u32::MAX,
            max_qos: Qos::ExactlyOnce,
            max_granted_qos: Qos::ExactlyOnce,
            retain_available: true,
            store_retained_qos0: true,
            wildcard_subscription_available: true,
            subscription_identifier_available: true,
            shared_subscription_available: true,
            receive_maximum: 100,
            max_packet_size: 8 * 1024 * 1024,
            topic_alias_maximum: 16,
            outgoing_topic_aliases: 16,
            dollar_topics: DollarTopics::Accept,
            overlap: Overlap::OneCopy,
            qos2_delivery: Qos2Delivery::AtPublish,
            queue_qos0: false,
            report_no_matching_subscribers: true,
            check_payload_format: true,
            max_sessions: 10_000,
            max_queued_messages: 10_000,
            queue_full: QueueFull::DropNewest,
            max_inflight: 1_024,
            max_retained_messages: 10_000,
            max_subscriptions: 1_000,
            max_filter_levels: 1_024,
        }
    }
}
