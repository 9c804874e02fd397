//! Application Messages that clients published or left as Wills, and their deliveries.

use super::{ConnectionNo, SessionNo};
use core::time::Duration;
use mqtt_assay_codec::{PacketId, Property, PropertyId, PropertyList, Publish, Qos};
use std::sync::Arc;

/// Where a message comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A PUBLISH of this connection.
    Published(ConnectionNo),
    /// The Will of this connection.
    Will(ConnectionNo),
}

/// One PUBLISH packet with the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// On which connection.
    pub connection: ConnectionNo,
    /// When.
    pub at: Duration,
    /// Place of its event in the history: the order of sending.
    pub event: usize,
    /// Its Packet Identifier, above QoS 0.
    pub id: Option<PacketId>,
    /// DUP.
    pub dup: bool,
}

/// A message. What marks it is its topic and its payload together.
#[derive(Clone, Debug)]
pub struct Message {
    /// Topic Name, an alias resolved.
    pub topic: Arc<str>,
    /// The payload.
    pub payload: Vec<u8>,
    /// Where it comes from.
    pub origin: Origin,
    /// The publisher's Client Identifier.
    pub publisher: Arc<str>,
    /// QoS that it was published with.
    pub qos: Qos,
    /// RETAIN that it was published with.
    pub retain: bool,
    /// All properties of the PUBLISH, or the Will Properties.
    pub properties: PropertyList,
    /// Message Expiry Interval in seconds.
    pub expiry: Option<u32>,
    /// Another message of this history has the same topic and payload: a delivery does not tell them apart.
    pub ambiguous: bool,
    /// The PUBLISHes that carried it, in order; none for a Will.
    pub attempts: Vec<Attempt>,
    /// From this time on the Server may have it: the first attempt, or the earliest end of a Will's connection.
    pub possible: Option<Duration>,
    /// By this time the Server has taken it on: PUBACK, PUBREC (5.0: that do not refuse).
    pub accepted: Option<Duration>,
    /// QoS 2: the first PUBREL: on which connection, and when it was sent.
    pub released: Option<(ConnectionNo, Duration)>,
    /// When it was first sent, a delivery of the Server's to its publisher was under way with the same Packet
    /// Identifier.
    pub crossed: bool,
    /// QoS 2: when PUBCOMP came. By then the Server has passed it on. [3.1.1 §4.3.3] [5.0 §4.3.3]
    pub completed: Option<Duration>,
    /// QoS 0: when the Server answered what the publisher had sent behind it on the same connection.
    pub followed: Option<Duration>,
    /// When anybody received it first.
    pub seen: Option<Duration>,
    /// The Server has refused it. [5.0 §4.3]
    pub refused: bool,
}

impl Message {
    /// Whether a PUBLISH with its Packet Identifier is taken for one more attempt to send it.
    pub(super) fn is_repeated_by(&self, topic: &str, publish: &Publish<'_>) -> bool {
        *self.topic == *topic && self.payload == publish.payload && self.qos == publish.qos
    }

    /// Whether such an attempt leaves the message as it was. A client may break this: the Server may then have either.
    pub(super) fn is_alike(&self, publish: &Publish<'_>) -> bool {
        // An alias belongs to the connection, not to the message. [5.0 §3.3.2.3.4]
        let lasting = |property: &Property<'_>| property.id() != PropertyId::TopicAlias;
        let own = self.properties.view();
        self.retain == publish.retain
            && own.iter().filter(lasting).eq(publish.properties.iter().filter(lasting))
    }

    /// Whether these bytes, which are no PUBLISH, may be taken for one with its topic and payload.
    pub(super) fn may_be_in(&self, bytes: &[u8]) -> bool {
        may_be_taken(bytes, &self.topic, &self.payload)
    }

    /// Whether it is a Will.
    pub fn is_will(&self) -> bool {
        matches!(self.origin, Origin::Will(_))
    }

    /// By this time the Server must have passed it on to those who are subscribed: PUBACK, or PUBCOMP at QoS 2,
    /// whichever of its two methods the Server uses. `None` for QoS 0 and for Wills.
    pub fn passed_on(&self) -> Option<Duration> {
        match self.qos {
            Qos::AtMostOnce => None,
            Qos::AtLeastOnce => self.accepted,
            Qos::ExactlyOnce => self.completed,
        }
    }

    /// By this time the Server has done with it what it does with a message: it has passed it on, as an answer or
    /// the first delivery shows, and stored it if it is to be retained. `None` if nothing shows it.
    pub fn processed(&self) -> Option<Duration> {
        [self.passed_on(), self.followed, self.seen].into_iter().flatten().min()
    }

    /// By this time the Server has done that for the last time: of a message that was sent several times each may
    /// count. [3.1.1 §4.3.2] [5.0/MQTT-4.3.2-5]
    pub fn done(&self) -> Option<Duration> {
        if self.attempts.len() > 1 { self.passed_on() } else { self.processed() }
    }

    /// The earliest time at which its Message Expiry Interval may be over, if it has one. [5.0 §3.3.2.3.3]
    pub fn possibly_expired(&self) -> Option<Duration> {
        let seconds = self.expiry?;
        Some(self.possible? + Duration::from_secs(u64::from(seconds)))
    }
}

/// Whether a PUBLISH begins an exchange or repeats one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// A message comes for the first time, or once more under its own identifier.
    First,
    /// The Server repeats a PUBLISH that this client has received, with the same Packet Identifier.
    Again(DeliveryNo),
    /// Another message comes with the Packet Identifier of this delivery, whose exchange the client has not ended.
    Instead(DeliveryNo),
}

use super::DeliveryNo;

/// A PUBLISH that a client received.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Place of its event in the history.
    pub event: usize,
    /// When.
    pub at: Duration,
    /// On which connection.
    pub connection: ConnectionNo,
    /// In which session.
    pub session: SessionNo,
    /// Topic Name, an alias resolved; empty if the alias is unknown.
    pub topic: Arc<str>,
    /// The message; `None` if nobody of this history published it.
    pub message: Option<super::MessageNo>,
    /// The payload, if nobody of this history published it.
    pub stranger: Option<Vec<u8>>,
    /// QoS.
    pub qos: Qos,
    /// DUP.
    pub dup: bool,
    /// RETAIN.
    pub retain: bool,
    /// Packet Identifier.
    pub id: Option<PacketId>,
    /// Subscription Identifiers, in order.
    pub identifiers: Vec<u32>,
    /// First or again.
    pub turn: Turn,
    /// It came on a connection that another had taken the session from: it was sent before what has come there.
    pub late: bool,
}

/// Whether these bytes, which are no PUBLISH, may be taken for one with this topic and payload.
pub(super) fn may_be_taken(bytes: &[u8], topic: &str, payload: &[u8]) -> bool {
    bytes.ends_with(payload) && is_within(topic.as_bytes(), bytes)
}

/// Whether the bytes contain these in one piece.
pub(in crate::rules) fn is_within(part: &[u8], bytes: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}
