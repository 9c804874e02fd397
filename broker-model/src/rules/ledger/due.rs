//! Whether what a session is to get is overdue, and whether it is clear what is in a session.

use super::{ConnectionNo, Ledger, Message, MessageNo, Origin, SessionNo};
use core::time::Duration;
use mqtt_assay_codec::Version;

/// How it stands with a message that is due to a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// The client was not there long enough to get it.
    NotYet,
    /// It need not come, or nobody knows whether it must, and why.
    Unknown(&'static str),
    /// It should have come.
    Overdue,
}

impl Ledger {
    /// How it stands with a message that is due to a session since `due`, if the session has all that was in it at
    /// `from`. To be asked when a connection ends and when the history does.
    pub fn overdue(&self, session: SessionNo, message: MessageNo, from: Duration, due: Duration) -> Wait {
        let no = self.last_connection(session);
        let (state, message, connection) = (&self[session], &self[message], &self[no]);
        let Some(free) = connection.served_since() else { return Wait::NotYet };
        // What the client has acknowledged last may have made room.
        let since = due.max(free).max(connection.acknowledged.unwrap_or_default());
        let until = since + self.bounds.promptness;
        if !state.certainly(from, until) {
            Wait::Unknown("the session may be gone")
        } else if !self.waited(no, since) {
            Wait::NotYet
        } else if message.possibly_expired().is_some_and(|at| at <= until) {
            Wait::Unknown("the message may have expired")
        } else if !connection.unanswered.is_empty()
            || state.inbound.values().any(|inbound| inbound.is_open(no))
        {
            Wait::Unknown("the client has not acknowledged what came before")
        } else if self.may_be_acknowledged_unread(session, message) {
            Wait::Unknown("the client may have acknowledged it before it left, unread")
        } else if self.may_have_been_too_large(session, message) {
            Wait::Unknown("the message may be too large for the client")
        } else if connection.offended.is_some() {
            Wait::Unknown("the client has broken the rules")
        } else {
            Wait::Overdue
        }
    }

    /// Whether the client has sent an acknowledgement of nothing that it had read, and left: it may have been taken for
    /// that of the message.
    fn may_be_acknowledged_unread(&self, session: SessionNo, message: &Message) -> bool {
        let left = self[session].connections.iter().map(|no| &self[*no]).filter(|one| one.ended.is_some());
        left.flat_map(|one| one.astray.values()).any(|at| message.possible.is_none_or(|sent| sent <= *at))
    }

    /// Whether the message may have been too large for the client on any connection on which it may have been sent:
    /// then it counts as delivered. [5.0/MQTT-3.1.2-25]
    fn may_have_been_too_large(&self, session: SessionNo, message: &Message) -> bool {
        let connections = &self[session].connections;
        // The one before may have been open for the Server, too.
        let before = connections.iter().rposition(|no| {
            self[*no].answered.is_some_and(|answered| message.possible.is_some_and(|sent| answered.at < sent))
        });
        connections[before.unwrap_or(0)..].iter().any(|no| self[*no].may_be_too_large(message))
    }

    /// Whether the publisher has kept the rules and may publish to the message's topic, as far as is known: before 5.0 a Server answers for
    /// a message that is not allowed as for any other, and drops it [3.1.1/MQTT-3.3.5-2]. That something of the
    /// client's was passed on from this topic shows it.
    pub fn may_publish(&self, no: MessageNo) -> bool {
        let message = &self[no];
        if !self.is_sound(no) {
            return false;
        }
        let told = match message.origin {
            Origin::Published(connection) => self[connection].version == Version::V5,
            Origin::Will(_) => true,
        };
        told || self.messages.iter().any(|other| {
            other.seen.is_some() && other.publisher == message.publisher && other.topic == message.topic
        })
    }

    /// Whether the publisher has kept the rules, in the whole of its session, of which all is known. Who uses a Packet
    /// Identifier twice, for one, may have its message taken for another, then or later.
    pub fn is_sound(&self, no: MessageNo) -> bool {
        let kept = |no: &ConnectionNo| self[*no].offended.is_none();
        self[no].attempts.iter().all(|attempt| match self[attempt.connection].session {
            Some(session) => self[session].is_clear() && self[session].connections.iter().all(kept),
            None => kept(&attempt.connection),
        })
    }

    /// Whether the history tells all that ever was in a session: it began in the history, no crash has changed it,
    /// and its client has sent nothing that a Server may understand in its own way.
    pub fn is_clear(&self, session: SessionNo) -> bool {
        let state = &self[session];
        state.is_clear() && state.connections.iter().all(|no| self[*no].offended.is_none())
    }
}
