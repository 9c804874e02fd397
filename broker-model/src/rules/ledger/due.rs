//! Whether what a session is to get is overdue, and whether it is clear what is in a session.

use super::{Ledger, Message, MessageNo, SessionNo};
use core::time::Duration;

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
        } else if !connection.unanswered.is_empty() {
            Wait::Unknown("the client has not acknowledged what came before")
        } else if self.may_have_been_too_large(session, message) {
            Wait::Unknown("the message may be too large for the client")
        } else if connection.offended.is_some() {
            Wait::Unknown("the client has broken the rules")
        } else {
            Wait::Overdue
        }
    }

    /// Whether the message may have been too large for the client on any connection on which it may have been sent:
    /// then it counts as delivered. [5.0/MQTT-3.1.2-25]
    fn may_have_been_too_large(&self, session: SessionNo, message: &Message) -> bool {
        self[session].connections.iter().map(|no| &self[*no]).any(|connection| {
            connection.ended.is_none_or(|end| message.possible.is_none_or(|sent| end.at >= sent))
                && connection.may_be_too_large(message)
        })
    }

    /// Whether the history tells all that ever was in a session: it began in the history, no crash has changed it,
    /// and its client has sent nothing that a Server may understand in its own way.
    pub fn is_clear(&self, session: SessionNo) -> bool {
        let state = &self[session];
        state.is_clear() && state.connections.iter().all(|no| self[*no].offended.is_none())
    }
}
