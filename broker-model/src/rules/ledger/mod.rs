//! The ledger: a history in the specification's terms, as far as the clients could see.

mod cause;
mod connection;
mod due;
mod message;
mod query;
mod receive;
mod send;
mod session;
mod will;

pub use cause::Cause;
pub use connection::{Answered, Asked, AskedWill, Connection, End, Existed, NEVER, Request};
pub use due::Wait;
pub(super) use message::is_within;
pub use message::{Attempt, Delivery, Message, Origin, Turn};
pub use session::{Inbound, Session, Subscription};
pub use will::WillDue;

use super::{Bounds, Fact, Seen};
use crate::history::{ClientNo, Event, Fault, How, Memory, Side, What};
use core::time::Duration;
use mqtt_assay_codec::{Decoder, Packet, PacketType, Receiver, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub usize);
    )*};
}

numbers! {
    /// Names a connection: its place in the order in which they were asked for.
    ConnectionNo;
    /// Names a session: its place in the order in which they began.
    SessionNo;
    /// Names a message: its place in the order in which they were published, or left as a Will.
    MessageNo;
    /// Names a delivery: its place in the order in which they were received.
    DeliveryNo;
}

/// How much longer than its client the Server may see a silence last, since packets are under way.
const UNDER_WAY: Duration = Duration::from_secs(1);
/// So many malformed PUBLISHes are kept.
const MUDDLES_MAX: usize = 1_000;

/// A packet that was sent before CONNACK: it belongs to a session that is not known yet.
#[derive(Debug)]
struct Early {
    event: usize,
    at: Duration,
    bytes: Vec<u8>,
    /// The message of a PUBLISH: the Server may pass it on before its CONNACK is read.
    message: Option<MessageNo>,
}

/// What the clients of a history know, event by event.
#[derive(Debug)]
pub struct Ledger {
    /// What the broker is held to.
    pub bounds: Bounds,
    /// Time of the present event. No two events have the same: those that happened at one time are told apart by
    /// nanoseconds, in the order of the history, so that "before" means "recorded before".
    pub now: Duration,
    connections: Vec<Connection>,
    /// Each client's last connection.
    last: Vec<Option<ConnectionNo>>,
    sessions: Vec<Session>,
    /// The last session of each Client Identifier.
    by_client_id: BTreeMap<Arc<str>, SessionNo>,
    messages: Vec<Message>,
    by_mark: BTreeMap<u64, Vec<MessageNo>>,
    deliveries: Vec<Delivery>,
    /// Messages with RETAIN, by topic, in the order in which they were first sent; Wills among them by their
    /// CONNECT.
    retained: BTreeMap<Arc<str>, Vec<MessageNo>>,
    topics: BTreeSet<Arc<str>>,
    early: BTreeMap<ConnectionNo, Vec<Early>>,
    /// What may have caused the present delivery.
    causes: Vec<Cause>,
    /// Connections whose CONNECT the Server may still have to handle.
    greeting: Vec<ConnectionNo>,
    /// By Client Identifier: the first User Name, and whether there was another.
    users: BTreeMap<Arc<str>, (Arc<str>, bool)>,
    /// The client's message that the present packet acknowledges.
    answered: Option<MessageNo>,
    /// The SUBSCRIBE or UNSUBSCRIBE that the present packet answers.
    answered_request: Option<Request>,
    crashed: Option<Duration>,
    /// When it crashed last.
    last_crash: Option<Duration>,
    forgotten: Option<Duration>,
    /// A CONNECT that is none was accepted: in whose session, nobody knows.
    stranger: bool,
    /// What was sent as a PUBLISH and is none: a Server may have taken it for one.
    muddles: Vec<Vec<u8>>,
}

impl core::ops::Index<ConnectionNo> for Ledger {
    type Output = Connection;
    fn index(&self, no: ConnectionNo) -> &Connection {
        &self.connections[no.0]
    }
}

impl core::ops::Index<SessionNo> for Ledger {
    type Output = Session;
    fn index(&self, no: SessionNo) -> &Session {
        &self.sessions[no.0]
    }
}

impl core::ops::Index<MessageNo> for Ledger {
    type Output = Message;
    fn index(&self, no: MessageNo) -> &Message {
        &self.messages[no.0]
    }
}

impl core::ops::Index<DeliveryNo> for Ledger {
    type Output = Delivery;
    fn index(&self, no: DeliveryNo) -> &Delivery {
        &self.deliveries[no.0]
    }
}

impl Ledger {
    pub(super) fn new(bounds: Bounds) -> Self {
        Ledger {
            bounds,
            now: Duration::ZERO,
            connections: Vec::new(),
            last: Vec::new(),
            sessions: Vec::new(),
            by_client_id: BTreeMap::new(),
            messages: Vec::new(),
            by_mark: BTreeMap::new(),
            deliveries: Vec::new(),
            retained: BTreeMap::new(),
            topics: BTreeSet::new(),
            early: BTreeMap::new(),
            causes: Vec::new(),
            greeting: Vec::new(),
            users: BTreeMap::new(),
            answered: None,
            answered_request: None,
            crashed: None,
            last_crash: None,
            forgotten: None,
            stranger: false,
            muddles: Vec::new(),
        }
    }

    fn offend(&mut self, connection: ConnectionNo) {
        let now = self.now;
        self.connections[connection.0].offended.get_or_insert(now);
    }

    fn intern(&mut self, topic: &str) -> Arc<str> {
        if let Some(known) = self.topics.get(topic) {
            return Arc::clone(known);
        }
        let new: Arc<str> = topic.into();
        self.topics.insert(Arc::clone(&new));
        new
    }

    fn connection_no(&self, client: ClientNo, number: u32) -> Option<ConnectionNo> {
        let last = (*self.last.get(client.index())?)?;
        if self[last].number == number {
            return Some(last);
        }
        self.connections
            .iter()
            .rposition(|connection| connection.client == client && connection.number == number)
            .map(ConnectionNo)
    }

    /// Takes in an event, then shows it to the judges.
    pub(super) fn observe(
        &mut self,
        index: usize,
        event: &Event<'_>,
        mut judge: impl FnMut(&Seen<'_>, &Ledger),
    ) {
        let after = self.now + Duration::from_nanos(1);
        self.now = event.at.max(after);
        self.answered = None;
        self.answered_request = None;
        let (at, client) = (self.now, event.client);
        if let What::Attempted(version) = event.what {
            self.attempted(client, event.connection, version);
        }
        let connection = self.connection_no(client, event.connection);
        let length = match event.what {
            What::Sent(bytes) | What::Received(bytes) | What::Unframed(bytes) => bytes.len(),
            _ => 0,
        };
        let mut show = |fact: Fact<'_>, ledger: &Ledger| {
            judge(&Seen { event: index, at: event.at, client, connection, length, fact }, ledger);
        };
        match (event.what, connection) {
            (What::Finished, _) => show(Fact::Finished, self),
            (What::Waited(_), _) => show(Fact::Waited, self),
            (What::Fault(fault), _) => {
                self.fault(connection, fault);
                show(Fact::Fault(fault), self);
            }
            (_, None) | (What::Wrote(_) | What::Read(_), _) => {}
            (What::Attempted(_), _) => show(Fact::Attempted, self),
            (What::Opened, Some(no)) => {
                let connection = &mut self.connections[no.0];
                connection.opened = Some(at);
                // One that a crashed broker had accepted is about to end; a client may have stopped to read before.
                let free = self.crashed.is_none() && !connection.held && !connection.stalled;
                connection.free_since = free.then_some(at);
                show(Fact::Opened, self);
            }
            (What::Failed, Some(no)) => {
                self.connections[no.0].ended = Some(End { at, side: Side::Server, how: How::Reset });
                show(Fact::Failed, self);
            }
            (What::Ended(side, how), Some(no)) => {
                self.ended(no, End { at, side, how });
                show(Fact::Ended(side, how), self);
            }
            (What::Sent(bytes), Some(no)) => {
                let decoder = Decoder::new(self[no].version, Receiver::Server);
                let connection = &mut self.connections[no.0];
                connection.unfinished = connection.unfinished.saturating_sub(bytes.len());
                connection.sends(at);
                match decoder.next(bytes) {
                    Ok(Some((packet, length))) => {
                        let limit = self[no].answered.and_then(|answered| answered.maximum_packet_size);
                        // [5.0/MQTT-3.2.2-15]
                        if limit.is_some_and(|limit| length > limit as usize) {
                            self.offend(no);
                        }
                        self.sent(no, index, &packet, bytes);
                        show(Fact::Sent(&packet), self);
                    }
                    Err(malformed) => {
                        self.offend(no);
                        self.muddle(bytes);
                        show(Fact::SentMalformed(malformed, bytes), self);
                    }
                    // The recorder's frames are whole.
                    Ok(None) => {}
                }
            }
            (What::Received(bytes) | What::Unframed(bytes), Some(no)) => {
                let decoder = Decoder::new(self[no].version, Receiver::Client);
                self.connections[no.0].last_received = Some(at);
                match decoder.next(bytes) {
                    Ok(Some((packet, length))) => {
                        let delivery = self.received(no, index, &packet);
                        match (&packet, delivery) {
                            (Packet::Publish(publish), Some(delivery)) => {
                                show(Fact::Delivered(publish, delivery), self);
                            }
                            _ => show(Fact::Received(&packet, length), self),
                        }
                    }
                    Err(malformed) => show(Fact::ReceivedMalformed(malformed, bytes), self),
                    Ok(None) => {}
                }
            }
        }
    }

    /// Of a message that may be in a PUBLISH that is none, a delivery may be that of the other.
    fn muddle(&mut self, bytes: &[u8]) {
        if bytes.first().is_none_or(|first| first >> 4 != PacketType::Publish as u8)
            || self.muddles.len() >= MUDDLES_MAX
        {
            return;
        }
        for message in &mut self.messages {
            message.ambiguous |= message.may_be_in(bytes);
        }
        self.muddles.push(bytes.to_vec());
    }

    /// The client has written so many bytes: what they are the packets tell, of which they may be a part only.
    pub(super) fn wrote(&mut self, client: ClientNo, number: u32, length: usize) {
        if let Some(no) = self.connection_no(client, number) {
            self.connections[no.0].unfinished += length;
        }
    }

    fn attempted(&mut self, client: ClientNo, number: u32, version: Version) {
        if client == ClientNo::NOBODY {
            return;
        }
        let no = ConnectionNo(self.connections.len());
        self.connections.push(Connection::new(client, number, version));
        if self.last.len() <= client.index() {
            self.last.resize(client.index() + 1, None);
        }
        self.last[client.index()] = Some(no);
    }

    fn fault(&mut self, connection: Option<ConnectionNo>, fault: Fault) {
        let (now, promptness) = (self.now, self.bounds.promptness);
        match (fault, connection) {
            (Fault::Hold, Some(no)) => {
                self.connections[no.0].held = true;
                self.holds_the_end(no);
            }
            (Fault::Release, Some(no)) => self.connections[no.0].held = false,
            (Fault::Stall, Some(no)) => self.connections[no.0].stalled = true,
            (Fault::Unstall, Some(no)) => self.connections[no.0].stalled = false,
            (Fault::Crash, _) => {
                self.crashed = Some(now);
                self.last_crash = Some(now);
                for connection in self.connections.iter_mut().filter(|connection| connection.is_open()) {
                    connection.free_since = None;
                }
            }
            (Fault::Restart(memory), _) => self.restarted(memory),
            _ => {}
        }
        if let Some(no) = connection {
            let connection = &mut self.connections[no.0];
            let free = !connection.held && !connection.stalled && connection.is_open();
            if !free {
                // What came shortly after the last hindrance may be older than that.
                if connection.free_since.is_some_and(|free| free + promptness < now)
                    || connection.hindered_since.is_none()
                {
                    connection.hindered_since = Some(now);
                }
                connection.free_since = None;
            } else if connection.free_since.is_none() && self.crashed.is_none() {
                connection.free_since = Some(now);
            }
        }
    }

    /// The network holds back a client's end that is under way: when the Server notices it is not known any more.
    fn holds_the_end(&mut self, no: ConnectionNo) {
        let connection = &self[no];
        let under_way = |end: &End| end.side == Side::Client && end.at + self.bounds.promptness >= self.now;
        if let (Some(session), true) = (connection.session, connection.ended.as_ref().is_some_and(under_way))
            && self[session].connections.last() == Some(&no)
        {
            self.sessions[session.0].certainly_gone = None;
        }
    }

    fn restarted(&mut self, memory: Memory) {
        let crashed = self.crashed.take().unwrap_or(self.now);
        if memory != Memory::Kept {
            self.forgotten = Some(self.now);
        }
        let (now, promptness) = (self.now, self.bounds.promptness);
        for session in &mut self.sessions {
            if session.certainly_gone.is_some_and(|at| at < crashed) {
                continue;
            }
            // Where a broker keeps sessions, it may count their time from its start.
            let most = Duration::from_secs(u64::from(session.expiry.max(session.expiry_asked.1)));
            session.certainly_gone = session.certainly_gone.map(|at| at.max(now + most + promptness));
            if memory == Memory::Kept && session.expiry > 0 {
                continue;
            }
            session.possibly_gone = Some(session.possibly_gone.map_or(crashed, |at| at.min(crashed)));
            if memory != Memory::Kept {
                session.doubt(now);
            }
        }
    }

    /// The connection's end, and what it means for its session.
    fn ended(&mut self, no: ConnectionNo, end: End) {
        let promptness = self.bounds.promptness;
        let connection = &mut self.connections[no.0];
        if connection.ended.is_some() {
            return;
        }
        connection.ended = Some(end);
        let Some(session) = connection.session else { return self.left_unanswered(no) };
        // The Server may have ended it as soon as it had sent what came last, or had a DISCONNECT; also where the
        // client did the same without seeing that.
        let mut earliest = match end.side {
            Side::Server => connection.silent_since(end.at, promptness),
            Side::Client => connection.unseen_since(end.at, promptness),
        };
        if let Some((at, _)) = connection.client_disconnect {
            earliest = earliest.min(at);
        }
        let noticed = match (end.side, end.how) {
            (Side::Server, _) => Some(end.at),
            (Side::Client, How::Silently) => None,
            // What is held back is noticed when it is released, if it is.
            (Side::Client, _) => connection.free_since.map(|_| end.at + promptness),
        };
        // What a client says before it closes in good order, the Server has read when it notices the end; if it has
        // not closed the connection before, for want of packets.
        let told = connection.client_disconnect.is_some()
            && end == End { side: Side::Client, how: How::Fin, ..end }
            && connection.offended.is_none()
            && !connection.may_have_timed_out(UNDER_WAY);
        let session = &mut self.sessions[session.0];
        if session.connections.last() != Some(&no) {
            return;
        }
        let seconds = |interval: u32| Duration::from_secs(u64::from(interval));
        // A Server may grant less than it is asked for, here as in CONNACK.
        let (asked_least, asked_most) = session.expiry_asked;
        let least = session.expiry.min(asked_least);
        let most = if told { asked_most } else { session.expiry.max(asked_most) };
        // Brokers that count in whole seconds may be one early.
        let possibly = match least {
            NEVER => None,
            0 => Some(earliest),
            _ => Some(earliest + seconds(least - 1)),
        };
        let certainly = match (noticed, most) {
            (None, _) | (_, NEVER) => None,
            (Some(at), _) => Some(at + seconds(most) + promptness),
        };
        // Another connection may have ended it before.
        let earlier = |a: Option<Duration>, b: Option<Duration>| a.into_iter().chain(b).min();
        session.possibly_gone = earlier(session.possibly_gone, possibly);
        session.certainly_gone = earlier(session.certainly_gone, certainly);
    }

    /// A connection has ended before its CONNACK came: the Server may have accepted it, and with it the Session
    /// Expiry Interval that it asks for.
    fn left_unanswered(&mut self, no: ConnectionNo) {
        let connection = &self[no];
        let Some(asked) = connection.asked.as_ref().filter(|_| connection.answered.is_none()) else { return };
        let Some(old) = self.session_of(&asked.client_id) else { return };
        let gone = match (connection.client_disconnect, asked.session_expiry) {
            // A DISCONNECT may have changed the interval.
            (Some((at, _)), _) => at,
            (None, NEVER) => return,
            (None, interval) => asked.at + Duration::from_secs(u64::from(interval.saturating_sub(1))),
        };
        let old = &mut self.sessions[old.0];
        old.possibly_gone = Some(old.possibly_gone.map_or(gone, |at| at.min(gone)));
    }

    /// A fingerprint of topic and payload, eight bytes at a time.
    fn mark(topic: &str, payload: &[u8]) -> u64 {
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        let mut add = |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
        for part in [topic.as_bytes(), payload] {
            add(part.len() as u64);
            for chunk in part.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                add(u64::from_le_bytes(word));
            }
        }
        hash
    }

    /// The messages of this topic and payload.
    pub fn marked(&self, topic: &str, payload: &[u8]) -> Option<MessageNo> {
        let same = self.by_mark.get(&Self::mark(topic, payload))?;
        same.iter().copied().find(|no| *self[*no].topic == *topic && self[*no].payload == payload)
    }

    /// A message that nobody may get: a delivery is not one of it.
    fn disown(&mut self, no: MessageNo) {
        let message = &self.messages[no.0];
        if message.attempts.len() > 1 {
            return;
        }
        if let Some(same) = self.by_mark.get_mut(&Self::mark(&message.topic, &message.payload)) {
            same.retain(|other| *other != no);
        }
        if let Some(retained) = self.retained.get_mut(&message.topic) {
            retained.retain(|other| *other != no);
        }
    }

    /// Enters a message; if one with the same mark is there, a delivery will not tell them apart.
    fn enter(&mut self, mut message: Message) -> MessageNo {
        let no = MessageNo(self.messages.len());
        if let Some(same) = self.marked(&message.topic, &message.payload) {
            message.ambiguous = true;
            self.messages[same.0].ambiguous = true;
        }
        message.ambiguous |= self.muddles.iter().any(|bytes| message.may_be_in(bytes));
        if message.retain {
            self.retained.entry(Arc::clone(&message.topic)).or_default().push(no);
        }
        self.by_mark.entry(Self::mark(&message.topic, &message.payload)).or_default().push(no);
        self.messages.push(message);
        no
    }
}
