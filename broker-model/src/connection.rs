//! One network connection: how far it is, and what its CONNECT has settled.

use crate::alias;
use crate::auth::Nonce;
use crate::broker::{Broker, ConnectionId};
use crate::flow::Receiving;
use crate::mutant::Mutant;
use crate::session::SessionId;
use crate::timers::Wake;
use crate::will::{Ending, Will};
use core::time::Duration;
use mqtt_assay_codec::{ReasonCode, Version};

/// How far a connection is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Nothing but CONNECT may come.
    AwaitingConnect,
    /// An AUTH was sent and its answer is due; the CONNECT's bytes wait. [5.0 §4.12]
    Authenticating(Vec<u8>),
    /// CONNACK has accepted.
    Serving(SessionId),
    /// CONNACK has refused, and a faulty broker goes on reading. [5.0/MQTT-3.1.4-6]
    Refused,
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) phase: Phase,
    /// 3.1.1 until CONNECT has named another.
    pub(crate) version: Version,
    /// The beginning of a packet whose rest is still to come.
    pub(crate) input: Vec<u8>,
    pub(crate) opened: Duration,
    /// When the last whole packet came.
    pub(crate) last_heard: Duration,
    /// How long the Client may be silent: one and a half times the Keep Alive.
    pub(crate) patience: Option<Duration>,
    /// The time that the broker's timers have for this connection.
    pub(crate) wake: Option<Duration>,
    /// The Client's Maximum Packet Size. [5.0/MQTT-3.1.2-24]
    pub(crate) maximum_packet_size: u32,
    /// The Client's Receive Maximum. [5.0/MQTT-3.3.4-9]
    pub(crate) receive_maximum: u16,
    /// The Client's Request Problem Information. [5.0/MQTT-3.1.2-29]
    pub(crate) problem_information: bool,
    /// Session Expiry Interval of the CONNECT. [5.0 §3.14.2.2.2]
    pub(crate) connect_expiry: u32,
    pub(crate) receiving: Receiving,
    pub(crate) incoming_aliases: alias::Incoming,
    pub(crate) outgoing_aliases: alias::Outgoing,
    pub(crate) will: Option<Will>,
    /// Authentication Method of the CONNECT. [5.0/MQTT-4.12.0-5]
    pub(crate) method: Option<String>,
    /// The challenge that waits for its answer.
    pub(crate) nonce: Option<Nonce>,
    /// QoS 1 and 2 PUBLISHes sent so far.
    pub(crate) publishes: usize,
}

impl Connection {
    fn new(now: Duration) -> Self {
        Connection {
            phase: Phase::AwaitingConnect,
            version: Version::V3_1_1,
            input: Vec::new(),
            opened: now,
            last_heard: now,
            patience: None,
            wake: None,
            maximum_packet_size: u32::MAX,
            receive_maximum: u16::MAX,
            problem_information: true,
            connect_expiry: 0,
            receiving: Receiving::default(),
            incoming_aliases: alias::Incoming::default(),
            outgoing_aliases: alias::Outgoing::default(),
            will: None,
            method: None,
            nonce: None,
            publishes: 0,
        }
    }

    pub(crate) fn session(&self) -> Option<SessionId> {
        match self.phase {
            Phase::Serving(session) => Some(session),
            _ => None,
        }
    }
}

impl Broker {
    pub(crate) fn open(&mut self, id: ConnectionId) {
        self.end_connection(id, Ending::Lost);
        self.connections.insert(id, Connection::new(self.now));
        self.schedule_connection(id);
    }

    /// Sets the connection's timer: for the CONNECT at first, then for the Keep Alive.
    pub(crate) fn schedule_connection(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let at = match connection.phase {
            Phase::Serving(_) if self.fault.is(Mutant::KeepAliveIgnored) => None,
            Phase::Serving(_) => connection.patience.map(|p| connection.last_heard.saturating_add(p)),
            _ if self.fault.is(Mutant::ConnectTimeoutIgnored) => None,
            _ => self.policy.connect_timeout.map(|limit| connection.opened.saturating_add(limit)),
        };
        self.timers.set(Wake::Connection(id), &mut connection.wake, at);
    }

    /// The connection's time has come, unless it was heard of meanwhile.
    pub(crate) fn wake_connection(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.wake = None;
        let serving = connection.session().is_some();
        // The timer is not moved with every packet, but when it fires.
        if serving && connection.patience.is_some_and(|p| connection.last_heard.saturating_add(p) > self.now)
        {
            self.schedule_connection(id);
        } else if serving {
            // [3.1.1/MQTT-3.1.2-24] [5.0/MQTT-3.1.2-22]
            self.disconnect(id, ReasonCode::KEEP_ALIVE_TIMEOUT, Ending::KeepAlive);
        } else {
            self.close(id, Ending::Error);
        }
    }

    /// Closes the connection after what was sent.
    pub(crate) fn close(&mut self, id: ConnectionId, ending: Ending) {
        if self.connections.contains_key(&id) {
            self.outputs.push_back(crate::Output::Close(id));
            self.end_connection(id, ending);
        }
    }

    /// The connection is no more: its Will and its session are seen to.
    pub(crate) fn end_connection(&mut self, id: ConnectionId, ending: Ending) {
        let Some(mut connection) = self.connections.remove(&id) else {
            return;
        };
        self.timers.set(Wake::Connection(id), &mut connection.wake, None);
        let Some(session) = connection.session() else {
            return;
        };
        let current = self.sessions.get(session).is_some_and(|s| s.connection == Some(id));
        if self.fault.is(Mutant::TopicAliasSurvivesConnection)
            && let Some(state) = self.sessions.get_mut(session)
        {
            state.relics.aliases = connection.incoming_aliases.topics;
        }
        if self.fault.is(Mutant::ServerTopicAliasesSurviveConnection)
            && let Some(state) = self.sessions.get_mut(session)
        {
            state.relics.own_aliases = core::mem::take(&mut connection.outgoing_aliases);
        }
        if let Some(will) = connection.will {
            self.settle_will(session, will, ending);
        }
        if current {
            self.leave_session(session);
        }
    }
}
