//! What rules ask of the ledger.

use super::message::may_be_taken;
use super::{
    Connection, ConnectionNo, Delivery, DeliveryNo, Ledger, Message, MessageNo, Request, Session, SessionNo,
};
use crate::history::ClientNo;
use core::time::Duration;
use mqtt_assay_codec::{PacketId, Version};
use std::sync::Arc;

impl Ledger {
    /// All connections in the order in which they were asked for.
    pub fn connections(&self) -> impl Iterator<Item = (ConnectionNo, &Connection)> {
        self.connections.iter().enumerate().map(|(place, connection)| (ConnectionNo(place), connection))
    }

    /// All sessions in the order in which they began.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionNo, &Session)> {
        self.sessions.iter().enumerate().map(|(place, session)| (SessionNo(place), session))
    }

    /// All messages in the order in which they were published, or left as Wills.
    pub fn messages(&self) -> impl Iterator<Item = (MessageNo, &Message)> {
        self.messages.iter().enumerate().map(|(place, message)| (MessageNo(place), message))
    }

    /// All deliveries in the order in which they were received.
    pub fn deliveries(&self) -> impl Iterator<Item = (DeliveryNo, &Delivery)> {
        self.deliveries.iter().enumerate().map(|(place, delivery)| (DeliveryNo(place), delivery))
    }

    /// The messages with RETAIN that were published to a topic, in the order in which they were first sent; Wills
    /// stand by their CONNECT.
    pub fn retained(&self, topic: &str) -> &[MessageNo] {
        self.retained.get(topic).map_or(&[], Vec::as_slice)
    }

    /// All topics to which messages with RETAIN were published, or left as Wills.
    pub fn retained_topics(&self) -> impl Iterator<Item = (&Arc<str>, &[MessageNo])> {
        self.retained.iter().map(|(topic, messages)| (topic, messages.as_slice()))
    }

    /// The last session of a Client Identifier.
    pub fn session_of(&self, client_id: &str) -> Option<SessionNo> {
        self.by_client_id.get(client_id).copied()
    }

    /// Whether several users have said CONNECT with this Client Identifier: a Server may keep them apart.
    pub fn has_several_users(&self, client_id: &str) -> bool {
        self.users.get(client_id).is_some_and(|(_, several)| *several)
    }

    /// The session's last connection.
    pub fn last_connection(&self, session: SessionNo) -> ConnectionNo {
        // A session has at least the connection that began it.
        self[session].connections.last().copied().unwrap_or(ConnectionNo(0))
    }

    /// The session's connection, if it is served.
    pub fn present_connection(&self, session: SessionNo) -> Option<ConnectionNo> {
        let last = self.last_connection(session);
        self[last].is_served().then_some(last)
    }

    /// The version in which a session is held: that of its last connection.
    pub fn version_of(&self, session: SessionNo) -> Version {
        self[self.last_connection(session)].version
    }

    /// The client at a session's last connection.
    pub fn client_of(&self, session: SessionNo) -> ClientNo {
        self[self.last_connection(session)].client
    }

    /// The client's message that the present packet, a PUBACK, PUBREC or PUBCOMP, acknowledges or refuses.
    pub fn answered_message(&self) -> Option<MessageNo> {
        self.answered
    }

    /// The client's SUBSCRIBE or UNSUBSCRIBE that the present packet, a SUBACK or UNSUBACK, answers.
    pub fn answered_request(&self) -> Option<&Request> {
        self.answered_request.as_ref()
    }

    /// Whether a malformed PUBLISH may be what came with this topic and payload, as far as those are kept.
    pub fn may_be_malformed(&self, topic: &str, payload: &[u8]) -> bool {
        self.muddles.iter().any(|bytes| may_be_taken(bytes, topic, payload))
    }

    /// Whether the client has acknowledged what it had not read under this Packet Identifier of the Server's.
    pub fn is_astray(&self, session: SessionNo, id: PacketId) -> bool {
        self[session].connections.iter().any(|no| self[*no].astray.contains_key(&id))
    }

    /// How many deliveries came before this time.
    pub fn deliveries_before(&self, at: Duration) -> usize {
        self.deliveries.partition_point(|delivery| delivery.at < at)
    }

    /// The broker may have lost what it stored before this time.
    pub fn forgotten(&self) -> Option<Duration> {
        self.forgotten
    }

    /// When the broker crashed last.
    pub fn last_crash(&self) -> Option<Duration> {
        self.last_crash
    }

    /// Whether the broker has crashed and not started again.
    pub fn is_down(&self) -> bool {
        self.crashed.is_some()
    }

    /// Whether something due at `since` was waited for long enough on this connection: see
    /// [`Connection::waited`].
    pub fn waited(&self, connection: ConnectionNo, since: Duration) -> bool {
        self[connection].waited(since, self.bounds.promptness, self.now)
    }

    /// Whether something due at `since` was waited for long enough on this connection, accepted or not.
    pub fn waited_open(&self, connection: ConnectionNo, since: Duration) -> bool {
        self[connection].waited_open(since, self.bounds.promptness, self.now)
    }

    /// Whether something due at `since` was waited for long enough on this connection while nothing was wrong with it:
    /// see [`Connection::waited_in_peace`].
    pub fn waited_in_peace(&self, connection: ConnectionNo, since: Duration) -> bool {
        self[connection].waited_in_peace(since, self.bounds.promptness, self.now)
    }

    /// Whether what came before a delivery is known to belong to the same session as it: the same connection, or one
    /// of a session of which all is known.
    pub fn is_continued(&self, delivery: &Delivery, before: DeliveryNo) -> bool {
        let same = self[before].connection == delivery.connection;
        let forgotten = self.forgotten.is_some_and(|at| at > self[before].at);
        same || !forgotten && self[delivery.session].is_clear()
    }
}
