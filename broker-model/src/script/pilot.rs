//! A client as the specification wants it: answers, ends its exchanges, sends again what is unacknowledged.
//!
//! The script says what it sends; what follows from that it does of its own accord, unless the script does it.

use super::wire::{acknowledgement, encode};
use super::{Client, Connect, Send};
use mqtt_assay_codec::{
    Ack, Decoder, Packet, PacketId, PacketType, Publish, Qos, ReasonCode, Receiver, Version,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// There is none.
    Away,
    /// Asked for.
    Opening,
    /// There, and CONNECT is not accepted (or not sent).
    Greeting,
    /// CONNACK has accepted it.
    Served,
}

/// A message on its way to the Server.
#[derive(Clone, Debug)]
struct Outgoing {
    /// The PUBLISH, to be sent again with DUP.
    bytes: Vec<u8>,
    /// PUBREC has come: PUBCOMP is due.
    released: bool,
    /// A Topic Alias stands for its topic: the packet would mean nothing on another connection. What has become of it
    /// nobody knows then, and its identifier stays in use.
    aliased: bool,
}

/// An acknowledgement that the client owes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Owed {
    packet: PacketType,
    id: PacketId,
}

/// The client's part of the Session State. [3.1.1 §4.1] [5.0 §4.1]
///
/// Clients of one Client Identifier are one Client with one state, whichever of them is connected.
#[derive(Default, Debug)]
pub(super) struct State {
    /// Its messages that are not acknowledged to the end, in the order of sending.
    outgoing: Vec<(PacketId, Outgoing)>,
    /// QoS 2 messages received and not released.
    received: BTreeSet<PacketId>,
}

impl State {
    fn clear(&mut self) {
        self.outgoing.clear();
        self.received.clear();
    }

    /// An exchange is over: one that PUBREC has released, or not yet. What is still under way from an older connection
    /// may answer what had the identifier before.
    fn finish(&mut self, of: PacketId, released: bool) {
        self.outgoing.retain(|(id, message)| *id != of || message.released != released);
    }
}

/// One client of a script.
#[derive(Debug)]
pub(super) struct Pilot {
    pub(super) phase: Phase,
    /// Number of its present, or last, connection.
    pub(super) connection: u32,
    version: Version,
    acknowledges: bool,
    /// What the CONNECT of the present connection says; `None`: the connection is opened without one.
    pub(super) connect: Option<Connect>,
    /// What waits for CONNACK or for the Server's Receive Maximum.
    waiting: VecDeque<(Send, Vec<usize>)>,
    /// Identifiers of the messages that were first sent, or sent again, on the present connection.
    sent: BTreeSet<PacketId>,
    /// SUBSCRIBEs and UNSUBSCRIBEs without an answer.
    requests: BTreeSet<PacketId>,
    pub(super) pings: u32,
    owed: Vec<Owed>,
    server_receive_maximum: u16,
    /// Topics behind the Server's Topic Aliases.
    pub(super) aliases: BTreeMap<u16, String>,
    /// What is to be written, each as one or more segments.
    pub(super) writes: VecDeque<(Vec<u8>, Vec<usize>)>,
    /// The client has said DISCONNECT: it closes when that is written.
    pub(super) leaves: bool,
}

impl Pilot {
    pub(super) fn new(client: &Client) -> Self {
        Pilot {
            phase: Phase::Away,
            connection: 0,
            version: client.version,
            acknowledges: client.acknowledges,
            connect: None,
            waiting: VecDeque::new(),
            sent: BTreeSet::new(),
            requests: BTreeSet::new(),
            pings: 0,
            owed: Vec::new(),
            server_receive_maximum: u16::MAX,
            aliases: BTreeMap::new(),
            writes: VecDeque::new(),
            leaves: false,
        }
    }

    /// Begins a new connection; gives its number.
    pub(super) fn begin(&mut self, connect: Option<Connect>) -> u32 {
        self.leave();
        self.phase = Phase::Opening;
        self.connection += 1;
        self.connect = connect;
        self.connection
    }

    /// The network connection is there.
    pub(super) fn opened(&mut self, state: &mut State, name: &str) {
        self.phase = Phase::Greeting;
        if let Some(connect) = self.connect.clone() {
            if connect.clean_start {
                state.clear();
            }
            self.write_connect(&connect, name);
        }
        self.pump(state, name);
    }

    /// The connection is gone, and what belongs to it.
    pub(super) fn leave(&mut self) {
        self.phase = Phase::Away;
        self.waiting.clear();
        self.sent.clear();
        self.requests.clear();
        self.pings = 0;
        self.owed.clear();
        self.aliases.clear();
        self.writes.clear();
        self.leaves = false;
    }

    /// How many messages are still to be answered on the present connection.
    fn under_way(&self, state: &State) -> usize {
        let lost = |id: &PacketId, message: &Outgoing| {
            message.aliased && !message.released && !self.sent.contains(id)
        };
        state.outgoing.iter().filter(|(id, message)| !lost(id, message)).count()
    }

    /// Whether all that the client has sent is answered.
    pub(super) fn settled(&self, state: &State) -> bool {
        self.phase == Phase::Away
            || self.phase == Phase::Served
                && self.waiting.is_empty()
                && self.under_way(state) == 0
                && self.requests.is_empty()
                && self.pings == 0
    }

    /// Sends, or lets wait for CONNACK; `false` if there is no connection.
    pub(super) fn send(&mut self, state: &mut State, send: &Send, split: &[usize], name: &str) -> bool {
        if self.phase == Phase::Away {
            return false;
        }
        self.waiting.push_back((send.clone(), split.to_vec()));
        self.pump(state, name);
        true
    }

    /// Whether a packet need not wait for CONNACK: it breaks the rules, or there was no CONNECT to be answered.
    fn is_hasty(&self, send: &Send) -> bool {
        self.connect.is_none() || matches!(send, Send::Raw(_) | Send::Broken(_) | Send::Connect(_))
    }

    /// Whether the packet that waits longest exceeds the Server's Receive Maximum. [5.0/MQTT-3.3.4-7]
    fn is_blocked(&self, state: &State) -> bool {
        let full = self.under_way(state) >= usize::from(self.server_receive_maximum);
        let counted = |send: &Send| matches!(send, Send::Publish { qos, .. } if *qos > Qos::AtMostOnce);
        full && self.waiting.front().is_some_and(|(send, _)| counted(send))
    }

    /// Sends what may be sent, in order; before CONNACK only what need not wait for it, past what does.
    fn pump(&mut self, state: &mut State, name: &str) {
        loop {
            let hasty = || self.waiting.iter().position(|(send, _)| self.is_hasty(send));
            let place = match self.phase {
                Phase::Away | Phase::Opening => None,
                Phase::Greeting => hasty(),
                Phase::Served if self.is_blocked(state) => hasty(),
                Phase::Served => Some(0),
            };
            let Some((send, split)) = place.and_then(|place| self.waiting.remove(place)) else { return };
            self.write(state, &send, &split, name);
        }
    }

    /// A packet of the Server's.
    pub(super) fn receive(&mut self, state: &mut State, packet: &Packet<'_>, name: &str) {
        match packet {
            // Before 5.0, too, only 0x00 accepts.
            Packet::Connack(connack)
                if self.phase == Phase::Greeting && connack.code == ReasonCode::SUCCESS =>
            {
                self.phase = Phase::Served;
                self.server_receive_maximum = connack.properties.receive_maximum().unwrap_or(u16::MAX);
                if connack.session_present {
                    self.resend(state);
                } else {
                    // [5.0/MQTT-3.2.2-5] What was sent behind the CONNECT belongs to the new session.
                    state.received.clear();
                    state.outgoing.retain(|(id, _)| self.sent.contains(id));
                }
            }
            Packet::Publish(publish) => self.delivered(state, publish),
            Packet::Puback(ack) => state.finish(ack.packet_id, false),
            Packet::Pubrec(ack) if !ack.reason.is_success() => state.finish(ack.packet_id, false),
            Packet::Pubrec(ack) => {
                if let Some((_, message)) = state.outgoing.iter_mut().find(|(id, _)| *id == ack.packet_id) {
                    message.released = true;
                }
                self.write_ack(PacketType::Pubrel, ack.packet_id, ReasonCode::SUCCESS);
            }
            Packet::Pubcomp(ack) => state.finish(ack.packet_id, true),
            Packet::Pubrel(ack) => {
                state.received.remove(&ack.packet_id);
                self.owe(PacketType::Pubcomp, ack.packet_id);
            }
            Packet::Suback(answer) => {
                self.requests.remove(&answer.packet_id);
            }
            Packet::Unsuback(answer) => {
                self.requests.remove(&answer.packet_id);
            }
            Packet::Pingresp => self.pings = self.pings.saturating_sub(1),
            _ => {}
        }
        self.pump(state, name);
    }

    fn delivered(&mut self, state: &mut State, publish: &Publish<'_>) {
        if let Some(alias) = publish.properties.topic_alias()
            && !publish.topic.is_empty()
        {
            self.aliases.insert(alias, publish.topic.to_owned());
        }
        match (publish.qos, publish.packet_id) {
            (Qos::AtLeastOnce, Some(id)) => self.owe(PacketType::Puback, id),
            (Qos::ExactlyOnce, Some(id)) => {
                state.received.insert(id);
                self.owe(PacketType::Pubrec, id);
            }
            _ => {}
        }
    }

    fn owe(&mut self, packet: PacketType, id: PacketId) {
        if self.acknowledges {
            self.write_ack(packet, id, ReasonCode::SUCCESS);
        } else {
            self.owed.push(Owed { packet, id });
        }
    }

    /// Sends all acknowledgements that are due.
    pub(super) fn acknowledge(&mut self, reason: ReasonCode) {
        for owed in core::mem::take(&mut self.owed) {
            let reason = if owed.packet == PacketType::Pubcomp { ReasonCode::SUCCESS } else { reason };
            self.write_ack(owed.packet, owed.id, reason);
        }
    }

    /// A resumed session: what is unacknowledged goes out again, in its order. [3.1.1/MQTT-4.4.0-1]
    /// [5.0/MQTT-4.4.0-1]
    fn resend(&mut self, state: &State) {
        for (id, message) in state.outgoing.clone() {
            // What was sent behind the CONNECT is under way.
            let under_way = self.sent.contains(&id);
            if message.released {
                self.write_ack(PacketType::Pubrel, id, ReasonCode::SUCCESS);
                self.sent.insert(id);
            } else if !under_way && !message.aliased {
                self.sent.insert(id);
                let mut bytes = message.bytes;
                bytes[0] |= 0b1000;
                self.writes.push_back((bytes, Vec::new()));
            }
        }
    }

    /// The lowest identifier that is not in use: it comes back soon, which a Server has to bear.
    fn free_id(&self, state: &State) -> PacketId {
        let used = |id: &PacketId| {
            self.requests.contains(id) || state.outgoing.iter().any(|(outgoing, _)| outgoing == id)
        };
        (1..=u16::MAX).filter_map(PacketId::new).find(|id| !used(id)).unwrap_or(PacketId::MIN)
    }

    fn write_ack(&mut self, packet: PacketType, id: PacketId, reason: ReasonCode) {
        let packet = acknowledgement(packet, Ack::new(id, reason));
        if let Some(bytes) = encode(&packet, self.version) {
            self.writes.push_back((bytes, Vec::new()));
        }
    }

    fn write_connect(&mut self, connect: &Connect, name: &str) {
        if let Some(bytes) = connect.encode(self.version, name) {
            self.writes.push_back((bytes, Vec::new()));
        }
    }

    fn write(&mut self, state: &mut State, send: &Send, split: &[usize], name: &str) {
        let packet_id = send.packet_id().unwrap_or_else(|| self.free_id(state));
        let bytes = send.encode(self.version, name, packet_id);
        match send {
            Send::Publish { qos, topic, .. } if *qos > Qos::AtMostOnce => {
                if let Some(bytes) = bytes.clone() {
                    state.outgoing.retain(|(used, _)| *used != packet_id);
                    let aliased = topic.is_empty();
                    state.outgoing.push((packet_id, Outgoing { bytes, released: false, aliased }));
                    self.sent.insert(packet_id);
                }
            }
            Send::Ack { packet, id, .. } => {
                self.owed.retain(|owed| (owed.packet, owed.id.get()) != (*packet, *id));
            }
            Send::Subscribe { .. } | Send::Unsubscribe { .. } => {
                self.requests.insert(packet_id);
            }
            Send::Pingreq => self.pings += 1,
            Send::Disconnect { .. } => self.leaves = true,
            _ => {}
        }
        // One that the encoder refuses is left out, as no packet has that form.
        if let Some(bytes) = bytes {
            self.writes.push_back((bytes, split.to_vec()));
        }
    }

    /// Reads a packet of the Server's; `None` if it is malformed.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Option<Packet<'a>> {
        let decoder = Decoder::new(self.version, Receiver::Client);
        decoder.next(bytes).ok().flatten().map(|(packet, _)| packet)
    }
}
