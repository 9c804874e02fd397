//! Stories as plain data: clients, what they send, what they expect, what is done to the network and the broker.
//!
//! A [`Script`] says what happens, not over which carrier: a player acts it out, on the event heap,
//! in a simulated network, or against a broker on a socket. Generators and fuzzers make scripts; scripts shrink,
//! print and replay.

mod broken;
mod pattern;
mod pilot;
mod player;
pub mod text;
mod wire;

pub use broken::{broken_groups, broken_packets};
pub use player::{Failure, Order, Played, Player, Told};

use crate::history::{ClientNo, Fault, How};
use core::time::Duration;
use mqtt_assay_codec::{PacketType, PropertyList, Qos, ReasonCode, SubscriptionOptions, Version};

/// How long an expectation waits if it does not say so itself.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A story with several clients.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Script {
    /// Decides everything random: delays, cuts of the byte streams.
    pub seed: u64,
    /// What the network does of its own accord, where the carrier is a simulated one.
    pub network: Network,
    /// Who takes part; a client's place is its [`ClientNo`].
    pub clients: Vec<Client>,
    /// What happens, in order: each step begins when the one before is done.
    pub steps: Vec<Step>,
    /// Faults that come at their own times, whatever the steps are at.
    pub schedule: Vec<Timed>,
}

/// What a simulated network does of its own accord.
///
/// Order is kept within a connection and free between connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Network {
    /// Shortest time that bytes take from one side to the other.
    pub delay_min: Duration,
    /// Longest time that bytes take from one side to the other.
    pub delay_max: Duration,
    /// In how many of 100 cases a chunk is split in two.
    pub split_percent: u8,
    /// In how many of 100 cases a chunk waits for the next one and is merged with it.
    pub merge_percent: u8,
}

/// A fault at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timed {
    /// Since the script's beginning.
    pub at: Duration,
    /// Whose connection it hits; [`ClientNo::NOBODY`] for the broker.
    pub client: ClientNo,
    /// What is done.
    pub fault: Timely,
}

/// The faults that a schedule can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timely {
    /// Something that may heal.
    Fault(Fault),
    /// The connection ends.
    Cut(How),
}

/// Who takes part in a script.
#[derive(Clone, PartialEq, Debug)]
pub struct Client {
    /// What the script calls it: a letter, then letters, digits, `_`.
    pub name: String,
    /// The version that it speaks.
    pub version: Version,
    /// How it connects, if a step does not say so.
    pub connect: Connect,
    /// Whether it acknowledges what it receives of its own accord.
    pub acknowledges: bool,
}

/// The content of a CONNECT.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Connect {
    /// Client Identifier; `None`: the client's name.
    pub client_id: Option<String>,
    /// Clean Start; Clean Session before 5.0.
    pub clean_start: bool,
    /// In seconds; 0 switches it off.
    pub keep_alive: u16,
    /// User Name.
    pub user_name: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
    /// The Will.
    pub will: Option<Will>,
    /// 5.0 only.
    pub properties: PropertyList,
}

/// A Will.
#[derive(Clone, PartialEq, Debug)]
pub struct Will {
    /// Will Topic.
    pub topic: String,
    /// Will Payload.
    pub payload: Vec<u8>,
    /// Will QoS.
    pub qos: Qos,
    /// Will Retain.
    pub retain: bool,
    /// Will Properties, 5.0 only.
    pub properties: PropertyList,
}

/// One step.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// A client does or expects something.
    Client(ClientNo, Action),
    /// Time passes.
    Wait(Duration),
    /// The broker's process ends, or starts again. Only [`Fault::Crash`] and [`Fault::Restart`].
    Broker(Fault),
}

/// What a client does or expects.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Opens a network connection, says CONNECT, and does not wait: what it is to send next waits for CONNACK.
    /// `None`: as the client's own line says. An older connection of the client is left as it is, and no longer
    /// its own.
    Connect(Option<Connect>),
    /// Opens a network connection and says nothing.
    Open,
    /// Sends a packet; the sizes cut its bytes into segments, the last takes the rest.
    Send(Send, Vec<usize>),
    /// Waits for a packet that one of the patterns fits, and takes it; others that came before are left.
    Expect {
        /// What is allowed.
        any_of: Vec<Pattern>,
        /// How long; `None`: [`PATIENCE`].
        within: Option<Duration>,
    },
    /// Of the packets that have come and were not taken, none fits.
    Absent(Pattern),
    /// PINGREQ, and waits for PINGRESP.
    Barrier,
    /// Waits until all that the client has sent is answered.
    Settle,
    /// Acknowledges all that was received and not yet acknowledged, in order, with this Reason Code: PUBACK or
    /// PUBREC, and PUBCOMP (always 0x00) for a PUBREL.
    Acknowledge(ReasonCode),
    /// The client stops reading, or goes on; the network holds back, or delivers. Not [`Fault::Crash`] and
    /// [`Fault::Restart`].
    Fault(Fault),
    /// Ends the connection without DISCONNECT.
    Cut(How),
    /// Ends the client's direction (FIN) and leaves the Server's open. When a Server takes that for the connection's
    /// end nothing tells: to the judges the connection is half-open from here on, and what comes is not looked at.
    HalfClose,
}

/// What a client sends.
#[derive(Clone, PartialEq, Debug)]
pub enum Send {
    /// PUBLISH. The client ends its exchange of its own accord, and sends it again when the session is resumed.
    Publish {
        /// Topic Name; may be empty where a Topic Alias stands for it.
        topic: String,
        /// The payload.
        payload: Vec<u8>,
        /// QoS.
        qos: Qos,
        /// RETAIN.
        retain: bool,
        /// DUP.
        dup: bool,
        /// Packet Identifier; `None`: a free one.
        id: Option<u16>,
        /// 5.0 only.
        properties: PropertyList,
    },
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack {
        /// Which of them.
        packet: PacketType,
        /// Packet Identifier.
        id: u16,
        /// Reason Code, 5.0 only.
        reason: ReasonCode,
        /// 5.0 only.
        properties: PropertyList,
    },
    /// SUBSCRIBE.
    Subscribe {
        /// Packet Identifier; `None`: a free one.
        id: Option<u16>,
        /// Topic Filters with their options.
        filters: Vec<(String, SubscriptionOptions)>,
        /// 5.0 only.
        properties: PropertyList,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        /// Packet Identifier; `None`: a free one.
        id: Option<u16>,
        /// Topic Filters.
        filters: Vec<String>,
        /// 5.0 only.
        properties: PropertyList,
    },
    /// PINGREQ.
    Pingreq,
    /// DISCONNECT; the client then closes the connection.
    Disconnect {
        /// Reason Code, 5.0 only.
        reason: ReasonCode,
        /// 5.0 only.
        properties: PropertyList,
    },
    /// AUTH, 5.0 only.
    Auth {
        /// Reason Code.
        reason: ReasonCode,
        /// Properties.
        properties: PropertyList,
    },
    /// CONNECT, on the connection that is there.
    Connect(Connect),
    /// These bytes.
    Raw(Vec<u8>),
    /// The packet of this name in [`mqtt_assay_codec::raw::cases`] for a Server: it breaks one rule.
    Broken(String),
}

/// A description of packets; what is `None` may be anything.
#[derive(Clone, PartialEq, Debug)]
pub enum Pattern {
    /// CONNACK.
    Connack {
        /// Connect Reason Code or Return Code.
        code: Option<u8>,
        /// Session Present.
        session_present: Option<bool>,
    },
    /// PUBLISH.
    Publish {
        /// Topic Name, an alias resolved.
        topic: Option<String>,
        /// The payload.
        payload: Option<Vec<u8>>,
        /// QoS.
        qos: Option<Qos>,
        /// RETAIN.
        retain: Option<bool>,
        /// DUP.
        dup: Option<bool>,
        /// Packet Identifier.
        id: Option<u16>,
    },
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack {
        /// Which of them.
        packet: PacketType,
        /// Packet Identifier.
        id: Option<u16>,
        /// Reason Code; 0x00 where the packet carries none.
        reason: Option<u8>,
    },
    /// SUBACK.
    Suback {
        /// Packet Identifier.
        id: Option<u16>,
        /// All codes.
        codes: Option<Vec<u8>>,
    },
    /// UNSUBACK.
    Unsuback {
        /// Packet Identifier.
        id: Option<u16>,
        /// All codes; before 5.0 there are none.
        codes: Option<Vec<u8>>,
    },
    /// PINGRESP.
    Pingresp,
    /// DISCONNECT.
    Disconnect {
        /// Reason Code.
        reason: Option<u8>,
    },
    /// AUTH.
    Auth {
        /// Reason Code.
        reason: Option<u8>,
    },
    /// The connection's end.
    Closed,
}

impl Client {
    /// Its Client Identifier. Clients that have it in common are one Client to the Server, and take over from each
    /// other.
    pub fn identifier(&self) -> &str {
        self.connect.client_id.as_deref().unwrap_or(&self.name)
    }
}

impl Script {
    /// The client of this name.
    pub fn client(&self, name: &str) -> Option<ClientNo> {
        let place = self.clients.iter().position(|client| client.name == name)?;
        u16::try_from(place).ok().map(ClientNo)
    }

    /// Whether the client is connected before the first step: no step of its own says when it connects first.
    pub fn connects_first(&self, client: ClientNo) -> bool {
        let first = self.steps.iter().find_map(|step| match step {
            Step::Client(of, action) if *of == client => Some(action),
            _ => None,
        });
        !matches!(first, Some(Action::Connect(_) | Action::Open))
    }
}
