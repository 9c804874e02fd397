//! Session state, and how a session begins and ends. [3.1.1 §4.1] [5.0 §4.1]

use crate::alias;
use crate::broker::{Broker, ConnectionId};
use crate::expiry;
use crate::inflight::{Delivery, Inflight, Stage};
use crate::message::Message;
use crate::mutant::Mutant;
use crate::router::Filter;
use crate::timers::Wake;
use crate::will::Will;
use core::time::Duration;
use mqtt_assay_codec::{PacketId, Qos, Version};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Names a session for as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SessionId(pub(crate) u64);

/// A QoS 2 message that the Client has sent and not yet released.
#[derive(Debug)]
pub(crate) struct Received {
    /// The message, if it is passed on at the PUBREL.
    pub(crate) held: Option<Message>,
    /// Only a faulty broker looks at this after the PUBLISH. [5.0/MQTT-4.3.3-13]
    pub(crate) expires_at: Option<Duration>,
}

/// A Will that waits for its delay. [5.0 §3.1.3.2.2]
#[derive(Debug)]
pub(crate) struct PendingWill {
    pub(crate) will: Will,
    pub(crate) due: Duration,
}

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client_id: Arc<str>,
    /// The version of the last connection.
    pub(crate) version: Version,
    pub(crate) connection: Option<ConnectionId>,
    /// Session Expiry Interval in seconds.
    pub(crate) expiry_interval: u32,
    /// When it ends, while the Client is away.
    pub(crate) expires_at: Option<Duration>,
    /// Its Topic Filters as they were subscribed; whether each is a shared one goes by the version then.
    pub(crate) filters: BTreeMap<Arc<str>, Version>,
    /// What waits for the Client or for its Receive Maximum.
    pub(crate) queue: VecDeque<Delivery>,
    pub(crate) inflight: Inflight,
    /// What a resumed session has still to send again, in order.
    pub(crate) resend: VecDeque<PacketId>,
    pub(crate) received: BTreeMap<PacketId, Received>,
    pub(crate) will: Option<PendingWill>,
    /// The time that the broker's timers have for this session.
    pub(crate) wake: Option<Duration>,
    /// What only faulty brokers remember.
    pub(crate) relics: Relics,
}

/// State that a session does not have: faulty brokers keep it.
#[derive(Default, Debug)]
pub(crate) struct Relics {
    pub(crate) last_will: Option<Will>,
    pub(crate) aliases: BTreeMap<u16, Arc<str>>,
    pub(crate) own_aliases: alias::Outgoing,
    pub(crate) used_ids: BTreeMap<PacketId, ()>,
    pub(crate) receive_maximum: Option<u16>,
}

impl Session {
    pub(crate) fn new(client_id: Arc<str>, version: Version) -> Self {
        Session {
            client_id,
            version,
            connection: None,
            expiry_interval: 0,
            expires_at: None,
            filters: BTreeMap::new(),
            queue: VecDeque::new(),
            inflight: Inflight::default(),
            resend: VecDeque::new(),
            received: BTreeMap::new(),
            will: None,
            wake: None,
            relics: Relics::default(),
        }
    }
}

/// All sessions, by number and by Client Identifier. [3.1.1/MQTT-3.1.3-2] [5.0/MQTT-3.1.3-2]
#[derive(Default, Debug)]
pub(crate) struct Sessions {
    by_id: BTreeMap<SessionId, Session>,
    by_client: BTreeMap<Arc<str>, SessionId>,
    last: u64,
}

impl Sessions {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn of(&self, client_id: &str) -> Option<SessionId> {
        self.by_client.get(client_id).copied()
    }

    pub(crate) fn insert(&mut self, session: Session) -> SessionId {
        self.last += 1;
        let id = SessionId(self.last);
        self.by_client.insert(session.client_id.clone(), id);
        self.by_id.insert(id, session);
        id
    }

    fn remove(&mut self, id: SessionId) -> Option<Session> {
        let session = self.by_id.remove(&id)?;
        if self.by_client.get(&session.client_id) == Some(&id) {
            self.by_client.remove(&session.client_id);
        }
        Some(session)
    }
}

impl Broker {
    /// The session's connection is gone: the session ends now, or later, or stays for ever.
    pub(crate) fn leave_session(&mut self, id: SessionId) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.connection = None;
        session.inflight.connection_lost();
        session.resend.clear();
        let mut interval = session.expiry_interval;
        if interval == 0 && self.fault.is(Mutant::CleanSessionKept) {
            interval = expiry::NEVER;
        }
        if interval == 0 && session.will.is_some() && self.fault.is(Mutant::WillPublishedLate) {
            interval = 10;
        }
        // An interval of 0 ends the session with its connection. [5.0 §3.1.2.11.2] [3.1.1/MQTT-3.1.2-6]
        if interval == 0 || self.fault.is(Mutant::SessionExpiresAtOnce) {
            self.end_session(id);
            return;
        }
        session.expires_at = expiry::after(now, interval);
        if self.fault.is(Mutant::SessionNotExpired) {
            session.expires_at = None;
        }
        if self.fault.is(Mutant::SharedQos2MovedOnDisconnect) {
            self.move_started_qos2(id);
        }
        self.schedule_session(id);
    }

    /// Sets the session's timer to the earlier of its end and its Will.
    pub(crate) fn schedule_session(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            let due = session.will.as_ref().map(|will| will.due);
            let at = [due, session.expires_at].into_iter().flatten().min();
            self.timers.set(Wake::Session(id), &mut session.wake, at);
        }
    }

    /// The session's time has come: for its Will, its end, or both.
    pub(crate) fn wake_session(&mut self, id: SessionId) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.wake = None;
        if let Some(pending) = session.will.take_if(|will| will.due <= now) {
            self.wills.push_back(pending.will);
        }
        if session.expires_at.is_some_and(|at| at <= now) {
            // [5.0/MQTT-4.1.0-2]
            self.end_session(id);
        } else {
            self.schedule_session(id);
        }
    }

    /// Ends a session: its Will waits no longer, its Shared Subscriptions' messages go to the other members.
    /// [5.0/MQTT-3.1.2-8] [5.0 §4.8.2]
    pub(crate) fn end_session(&mut self, id: SessionId) {
        let Some(mut session) = self.sessions.remove(id) else {
            return;
        };
        self.timers.set(Wake::Session(id), &mut session.wake, None);
        for (filter, version) in &session.filters {
            self.router.unsubscribe(Filter::new(filter, *version), id, self.fault);
        }
        if let Some(pending) = session.will.take()
            && !self.fault.is(Mutant::WillDelayNotCutBySessionEnd)
        {
            self.wills.push_back(pending.will);
        }
        if self.fault.is(Mutant::RetainedDeletedWithSession) {
            self.retained.forget_publisher(&session.client_id);
        }
        for sent in session.inflight.drain() {
            // A started QoS 2 delivery is for this Client only. [5.0/MQTT-4.8.2-5]
            let qos2 = sent.delivery.qos == Qos::ExactlyOnce;
            let lost = !qos2 && self.fault.is(Mutant::SharedQos1LostOnSessionEnd);
            if !qos2 && !lost
                || sent.stage == Stage::Publish && self.fault.is(Mutant::SharedQos2MovedOnSessionEnd)
            {
                self.share_again(sent.delivery);
            }
        }
        for delivery in session.queue {
            self.share_again(delivery);
        }
    }

    fn move_started_qos2(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let started = session.inflight.unacknowledged().into_iter().filter(|id| {
            let delivery = session.inflight.get(*id).map(|sent| &sent.delivery);
            delivery.is_some_and(|delivery| delivery.share.is_some() && delivery.qos == Qos::ExactlyOnce)
        });
        let started: Vec<_> = started.collect();
        let moved: Vec<_> = started.into_iter().filter_map(|id| session.inflight.finish(id)).collect();
        for sent in moved {
            self.share_again(sent.delivery);
        }
    }
}
