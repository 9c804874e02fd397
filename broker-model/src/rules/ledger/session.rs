//! Sessions and their subscriptions: what certainly, and what possibly, was in force.

use super::{ConnectionNo, DeliveryNo, MessageNo};
use core::time::Duration;
use mqtt_assay_codec::{PacketId, Qos, SubscriptionOptions, Version, topic};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A subscription that a session has, had, or asked for.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The Topic Filter as it was subscribed; with `$share/…` if it is shared.
    pub filter: Arc<str>,
    /// The part of the filter that topics are matched with.
    pub matches: Arc<str>,
    /// Whether it is a Shared Subscription. [5.0 §4.8.2]
    pub shared: bool,
    /// What was asked for.
    pub options: SubscriptionOptions,
    /// Subscription Identifier. [5.0 §3.8.2.1.2]
    pub identifier: Option<u32>,
    /// The connection on which the SUBSCRIBE was sent.
    pub on: ConnectionNo,
    /// Its place among the filters of the SUBSCRIBE.
    pub place: usize,
    /// When the SUBSCRIBE was sent.
    pub asked: Duration,
    /// The session had a subscription of this filter that this one replaces, if it was still there.
    pub replaces: Option<usize>,
    /// When SUBACK granted it, and which QoS.
    pub granted: Option<(Duration, Qos)>,
    /// When SUBACK refused it.
    pub refused: Option<Duration>,
    /// When the UNSUBSCRIBE, or the SUBSCRIBE that replaces it, was sent: from then on it may have ended.
    pub ending: Option<Duration>,
    /// When UNSUBACK, or the SUBACK of what replaces it, came: it has ended.
    pub ended: Option<Duration>,
    /// It was ended by an UNSUBSCRIBE, not replaced: the filter's place there.
    pub unsubscribed: Option<usize>,
}

impl Subscription {
    /// Whether a topic matches its filter. [3.1.1 §4.7] [5.0 §4.7]
    pub fn matches(&self, topic: &str) -> bool {
        topic::matches(&self.matches, topic)
    }

    /// By this time it was made, if that was before `at`; else `at`.
    pub fn made(&self, at: Duration) -> Duration {
        self.granted.map_or(at, |(granted, _)| granted.min(at))
    }

    /// Whether it was in force at every moment from `from` to `to`.
    pub fn certainly(&self, from: Duration, to: Duration) -> bool {
        self.granted.is_some_and(|(at, _)| at <= from) && self.ending.is_none_or(|at| at > to)
    }

    /// Whether it may have been in force at some moment from `from` to `to`.
    pub fn possibly(&self, from: Duration, to: Duration) -> bool {
        self.asked <= to && self.refused.is_none() && self.ended.is_none_or(|at| at >= from)
    }
}

/// What came last with a Packet Identifier of the Server's.
#[derive(Clone, Copy, Debug)]
pub struct Inbound {
    /// The first delivery of the exchange.
    pub first: DeliveryNo,
    /// The delivery that came last.
    pub last: DeliveryNo,
    /// QoS of the PUBLISH.
    pub qos: Qos,
    /// When the client sent PUBACK or PUBREC.
    pub answered: Option<Duration>,
    /// The answer refused the message. [5.0 §4.3]
    pub refused: bool,
    /// When PUBREL came.
    pub released: Option<Duration>,
    /// On which connection PUBREL came last.
    pub released_on: Option<ConnectionNo>,
    /// When the client sent PUBCOMP.
    pub completed: Option<Duration>,
    /// The client's last packet of the exchange, PUBACK, PUBCOMP or a PUBREC that refuses: on which connection, when.
    pub ended: Option<(ConnectionNo, Duration)>,
}

impl Inbound {
    /// Whether the client owes its last packet of the exchange, on its present connection or at all.
    pub fn is_open(&self, present: ConnectionNo) -> bool {
        let again = self.released_on == Some(present);
        self.ended.is_none_or(|(on, _)| again && on != present)
    }

    /// Whether the client has ended the exchange for its part: the Server may use the identifier again.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }
}

/// A session, from the CONNACK that began it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Client Identifier, an assigned one included.
    pub client_id: Arc<str>,
    /// Version of the connection that began it.
    pub version: Version,
    /// The CONNECT that began it was sent at this time.
    pub begun: Duration,
    /// It existed before this history knew of it: nothing is known of what was in it.
    pub foreign: bool,
    /// Session Expiry Interval in seconds, as CONNECT and CONNACK agreed last.
    pub expiry: u32,
    /// The interval that a DISCONNECT asked for, or the same; least and most, where several did.
    pub(super) expiry_asked: (u32, u32),
    /// Its connections, in order.
    pub connections: Vec<ConnectionNo>,
    /// Every subscription that it has or had.
    pub subscriptions: Vec<Subscription>,
    /// Every filter of an UNSUBSCRIBE, and when that was sent.
    pub unsubscribes: Vec<(Duration, Arc<str>)>,
    /// By Packet Identifier of the Server's: what came last with it.
    pub inbound: BTreeMap<PacketId, Inbound>,
    /// By Packet Identifier of the client's: its message that is not finished.
    pub outbound: BTreeMap<PacketId, MessageNo>,
    /// From this time on it may be gone.
    pub possibly_gone: Option<Duration>,
    /// From this time on it is gone.
    pub certainly_gone: Option<Duration>,
    /// The broker has lost its memory, or may have, at this time: what was before is not certain any more.
    pub doubtful: Option<Duration>,
}

impl Session {
    pub(super) fn new(client_id: Arc<str>, version: Version, begun: Duration, foreign: bool) -> Self {
        Session {
            client_id,
            version,
            begun,
            foreign,
            expiry: 0,
            expiry_asked: (0, 0),
            connections: Vec::new(),
            subscriptions: Vec::new(),
            unsubscribes: Vec::new(),
            inbound: BTreeMap::new(),
            outbound: BTreeMap::new(),
            possibly_gone: None,
            certainly_gone: None,
            doubtful: None,
        }
    }

    /// Whether it certainly existed until `to`, with all that was in it, and nothing before `from` is in doubt.
    pub fn certainly(&self, from: Duration, to: Duration) -> bool {
        !self.foreign
            && self.possibly_gone.is_none_or(|at| at > to)
            && self.certainly_gone.is_none_or(|at| at > to)
            && self.doubtful.is_none_or(|at| at < from)
    }

    /// From now on nothing is certain of what was in it: its subscriptions may have ended.
    pub(super) fn doubt(&mut self, now: Duration) {
        self.doubtful = Some(now);
        for subscription in &mut self.subscriptions {
            subscription.ending.get_or_insert(now);
        }
    }

    /// Whether the history tells all that was ever in it.
    pub fn is_clear(&self) -> bool {
        !self.foreign && self.doubtful.is_none()
    }

    /// A subscription is over, and those that it replaced are with it.
    pub(super) fn end(&mut self, subscription: usize, at: Duration) {
        let mut next = Some(subscription);
        while let Some(place) = next {
            self.subscriptions[place].ended.get_or_insert(at);
            next = self.subscriptions[place].replaces;
        }
    }

    /// Its subscriptions that match a topic and may have been in force at some moment from `from` to `to`.
    pub fn possible<'a>(
        &'a self,
        topic: &'a str,
        from: Duration,
        to: Duration,
    ) -> impl Iterator<Item = &'a Subscription> {
        self.subscriptions.iter().filter(move |s| s.possibly(from, to) && s.matches(topic))
    }

    /// Its subscriptions that match a topic and were in force at every moment from `from` to `to`.
    pub fn certain<'a>(
        &'a self,
        topic: &'a str,
        from: Duration,
        to: Duration,
    ) -> impl Iterator<Item = &'a Subscription> {
        let exists = self.certainly(from, to);
        // What was subscribed before the session became doubtful may not be in it any more.
        let known = |s: &&Subscription| {
            self.doubtful.is_none_or(|doubt| s.granted.is_some_and(|(granted, _)| granted > doubt))
        };
        self.subscriptions
            .iter()
            .filter(move |s| exists && s.certainly(from, to) && s.matches(topic))
            .filter(known)
    }
}
