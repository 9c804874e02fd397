//! The broker: bytes and time in, bytes out.

use crate::connection::{Connection, Phase};
use crate::mutant::{Fault, Mutant};
use crate::policy::Policy;
use crate::random::Random;
use crate::retained::Retained;
use crate::router::Router;
use crate::session::{SessionId, Sessions};
use crate::timers::{Timers, Wake};
use crate::will::{Ending, Will};
use core::time::Duration;
use mqtt_assay_codec::{
    Decoder, Frame, Malformed, Packet, PacketType, Qos, ReasonCode, Receiver, Split, Version, frame,
};
use std::collections::{BTreeMap, VecDeque};

/// Names a network connection; chosen by the caller, unique for each connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub u64);

/// What happens to the broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input<'a> {
    /// A network connection was accepted.
    Opened(ConnectionId),
    /// Bytes came, cut anywhere.
    Received(ConnectionId, &'a [u8]),
    /// The network connection ended: the peer closed or reset it.
    Closed(ConnectionId),
    /// The time that [`Broker::deadline`] named has passed.
    Timer,
}

/// What the broker wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send these bytes: whole packets, in order.
    Send(ConnectionId, Vec<u8>),
    /// Close the connection when everything sent before is flushed. The broker has forgotten the id.
    Close(ConnectionId),
}

/// A reference broker, or a [`Mutant`] of it.
///
/// Each call of [`handle`](Broker::handle) is followed by calls of [`poll`](Broker::poll) until that gives
/// `None`; when [`deadline`](Broker::deadline) passes, [`Input::Timer`] is due.
#[derive(Debug)]
pub struct Broker {
    pub(crate) policy: Policy,
    pub(crate) fault: Fault,
    pub(crate) now: Duration,
    pub(crate) random: Random,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) sessions: Sessions,
    pub(crate) router: Router,
    pub(crate) retained: Retained,
    pub(crate) timers: Timers,
    /// Wills that are due and not yet published.
    pub(crate) wills: VecDeque<Will>,
    /// Connections to which a packet could not be sent.
    pub(crate) doomed: VecDeque<ConnectionId>,
    /// Messages distributed so far.
    pub(crate) distributed: u64,
    pub(crate) outputs: VecDeque<Output>,
}

impl Broker {
    /// A broker without connections and sessions. Nonces and assigned Client Identifiers derive from the seed.
    pub fn new(policy: Policy, seed: u64) -> Broker {
        Broker {
            policy,
            fault: Fault::default(),
            now: Duration::ZERO,
            random: Random::new(seed),
            connections: BTreeMap::new(),
            sessions: Sessions::default(),
            router: Router::default(),
            retained: Retained::default(),
            timers: Timers::default(),
            wills: VecDeque::new(),
            doomed: VecDeque::new(),
            distributed: 0,
            outputs: VecDeque::new(),
        }
    }

    /// The same broker with one fault.
    #[must_use]
    pub fn with_mutant(mut self, mutant: Mutant) -> Broker {
        self.fault = Fault(Some(mutant));
        // There must be something that it could announce.
        if self.fault.is(Mutant::MaximumQosNotAnnounced) {
            self.policy.max_qos = self.policy.max_qos.min(Qos::AtLeastOnce);
        }
        self
    }

    /// Takes in what happens at `now`, a time since an arbitrary start that never goes back.
    pub fn handle(&mut self, now: Duration, input: Input<'_>) {
        self.now = self.now.max(now);
        // What was due before comes first, whether or not the caller has reported the time.
        while let Some(wake) = self.timers.pop(self.now) {
            match wake {
                Wake::Connection(id) => self.wake_connection(id),
                Wake::Session(id) => self.wake_session(id),
            }
            self.settle();
        }
        match input {
            Input::Opened(id) => self.open(id),
            Input::Received(id, bytes) => self.receive(id, bytes),
            Input::Closed(id) => self.end_connection(id, Ending::Lost),
            Input::Timer => {}
        }
        self.settle();
    }

    /// The next thing to do.
    #[must_use]
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timer`] is due.
    pub fn deadline(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// Does what earlier steps have left behind, so that none of them has to call itself.
    pub(crate) fn settle(&mut self) {
        loop {
            self.publish_wills();
            match self.doomed.pop_front() {
                Some(id) => self.disconnect(id, ReasonCode::PACKET_TOO_LARGE, Ending::Error),
                None if self.wills.is_empty() => return,
                None => {}
            }
        }
    }

    fn receive(&mut self, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if self.fault.is(Mutant::KeepAliveRenewedByAnyByte) {
            connection.last_heard = self.now;
        }
        let mut input = core::mem::take(&mut connection.input);
        if input.is_empty() {
            let used = self.consume(id, bytes);
            input.extend_from_slice(&bytes[used..]);
        } else {
            input.extend_from_slice(bytes);
            let used = self.consume(id, &input);
            input.drain(..used);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            if connection.phase == Phase::Refused {
                return self.close(id, Ending::Error);
            }
            // What stays is less than one packet, and so less than Maximum Packet Size.
            connection.input = input;
        }
    }

    /// Handles the whole packets at the front of `bytes`; gives their length.
    fn consume(&mut self, id: ConnectionId, bytes: &[u8]) -> usize {
        let mut at = 0;
        // Once the connection is closed, nothing behind is looked at. [3.1.1/MQTT-3.1.4-5] [5.0/MQTT-3.1.4-6]
        while let Some(connection) = self.connections.get(&id) {
            let first = connection.phase == Phase::AwaitingConnect;
            let limit = match self.fault.0 {
                Some(Mutant::ServerMaximumPacketSizeNotEnforced) => u32::MAX,
                _ => self.policy.max_packet_size,
            };
            let lenient = self.fault.is(Mutant::PaddedLengthAccepted);
            let version = if lenient { Version::V3_1_1 } else { connection.version };
            match frame::split(&bytes[at..], limit, version) {
                Ok(Split::Missing(_)) => break,
                Ok(Split::Whole(frame)) => {
                    at += frame.bytes().len();
                    if frame.bytes().len() > 16_386 && self.fault.is(Mutant::LongRemainingLengthRefused) {
                        self.close(id, Ending::Error);
                        break;
                    }
                    self.frame(id, frame);
                    self.settle();
                    if first && self.fault.is(Mutant::PipelinedPacketsDropped) {
                        return bytes.len();
                    }
                }
                Err(malformed) => {
                    // The stream has no next packet.
                    self.refuse_packet(id, malformed);
                    return bytes.len();
                }
            }
        }
        at
    }

    fn frame(&mut self, id: ConnectionId, frame: Frame<'_>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let version = connection.version;
        if connection.phase == Phase::AwaitingConnect && frame.first() >> 4 != PacketType::Connect as u8 {
            return self.not_connect(id, frame);
        }
        if !self.fault.is(Mutant::KeepAliveRenewedByPingreqOnly) || frame.first() == 0xC0 {
            connection.last_heard = self.now;
        }
        let decoder = Decoder::new(version, Receiver::Server);
        match decoder.decode(frame) {
            Ok(packet) => self.packet(id, &packet, frame),
            Err(malformed) => match self.mend(decoder, frame, malformed) {
                None => self.refuse_packet(id, malformed),
                Some(bytes) => {
                    if let Ok(Some((packet, length))) = decoder.next(&bytes)
                        && let Ok(Split::Whole(frame)) = frame::split(&bytes[..length], u32::MAX, version)
                    {
                        self.packet(id, &packet, frame);
                    }
                }
            },
        }
    }

    /// The first packet must be CONNECT: another is not answered. [5.0/MQTT-3.1.0-1] [5.0/MQTT-3.14.0-1]
    fn not_connect(&mut self, id: ConnectionId, frame: Frame<'_>) {
        match Decoder::new(Version::V3_1_1, Receiver::Server).decode(frame) {
            Ok(Packet::Pingreq) if self.fault.is(Mutant::PingreqBeforeConnectAnswered) => {
                self.transmit(id, vec![0xD0, 0]);
            }
            Ok(Packet::Publish(publish)) if self.fault.is(Mutant::PublishBeforeConnectDistributed) => {
                self.distribute_unconnected(&publish);
            }
            _ => self.close(id, Ending::Error),
        }
    }

    /// A packet that breaks the rules of its form: the connection is closed. [3.1.1/MQTT-4.8.0-1]
    /// [5.0/MQTT-4.13.1-1]
    fn refuse_packet(&mut self, id: ConnectionId, malformed: Malformed) {
        if self.fault.is(Mutant::ErrorEndsAllConnections) {
            self.doomed.extend(self.connections.keys().copied());
        }
        match self.connections.get(&id).map(|connection| &connection.phase) {
            Some(Phase::Serving(_)) => {
                // A DISCONNECT cannot say what a CONNACK would of a second CONNECT. [5.0/MQTT-3.14.2-1]
                let code = match malformed.reason() {
                    ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => ReasonCode::PROTOCOL_ERROR,
                    code => code,
                };
                self.disconnect(id, code, Ending::Error);
            }
            Some(Phase::Authenticating(_)) => self.refuse(id, malformed.reason()),
            Some(Phase::AwaitingConnect) => self.refuse_malformed_connect(id, malformed),
            Some(Phase::Refused) | None => {}
        }
    }

    fn packet(&mut self, id: ConnectionId, packet: &Packet<'_>, frame: Frame<'_>) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if self.fault.is(Mutant::PropertyOrderDemanded)
            && packet.properties().is_some_and(|list| !list.iter().is_sorted_by_key(|property| property.id()))
        {
            return self.close(id, Ending::Error);
        }
        // A fixed header, a Packet Identifier, and no more.
        if self.fault.is(Mutant::ShortAcknowledgementRefused)
            && matches!(
                packet,
                Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubrel(_) | Packet::Pubcomp(_)
            )
            && connection.version == Version::V5
            && frame.bytes().len() == 4
        {
            return self.close(id, Ending::Error);
        }
        match (&connection.phase, packet) {
            (Phase::AwaitingConnect, Packet::Connect(connect)) => self.connect(id, connect, frame),
            (Phase::AwaitingConnect, _) => self.close(id, Ending::Error),
            (Phase::Authenticating(_), _) => self.packet_while_authenticating(id, packet),
            (Phase::Refused, Packet::Publish(publish)) => self.distribute_unconnected(publish),
            (Phase::Refused, _) => {}
            (&Phase::Serving(session), _) => self.serve(id, session, packet),
        }
    }

    /// Until CONNACK only AUTH and DISCONNECT may come. [5.0/MQTT-3.1.2-30]
    fn packet_while_authenticating(&mut self, id: ConnectionId, packet: &Packet<'_>) {
        match packet {
            Packet::Auth(auth) => self.auth(id, auth),
            Packet::Disconnect(_) => self.close(id, Ending::Normal),
            Packet::Pingreq if self.fault.is(Mutant::PacketDuringAuthenticationServed) => {
                self.transmit(id, vec![0xD0, 0]);
            }
            _ => self.refuse(id, ReasonCode::PROTOCOL_ERROR),
        }
    }

    fn serve(&mut self, id: ConnectionId, session: SessionId, packet: &Packet<'_>) {
        if self.fault.is(Mutant::ReceiveMaximumBlocksOtherPackets)
            && self.out_of_quota(id, session)
            && matches!(packet, Packet::Pingreq | Packet::Subscribe(_) | Packet::Unsubscribe(_))
        {
            return;
        }
        match packet {
            Packet::Connect(connect) => self.second_connect(id, connect),
            Packet::Publish(publish) => self.publish(id, session, publish),
            Packet::Puback(ack) => self.puback(session, ack),
            Packet::Pubrec(ack) => self.pubrec(id, session, ack),
            Packet::Pubrel(ack) => self.pubrel(id, session, ack),
            Packet::Pubcomp(ack) => self.pubcomp(session, ack),
            Packet::Subscribe(subscribe) => self.subscribe(id, session, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(id, session, unsubscribe),
            Packet::Pingreq => self.pingreq(id, session),
            Packet::Disconnect(disconnect) => self.client_disconnects(id, session, disconnect),
            Packet::Auth(auth) => self.auth(id, auth),
            // The decoder lets none of these through.
            Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp => {
                self.disconnect(id, ReasonCode::PROTOCOL_ERROR, Ending::Error);
            }
        }
    }

    /// [3.1.1/MQTT-3.12.4-1] [5.0/MQTT-3.12.4-1]
    fn pingreq(&mut self, id: ConnectionId, session: SessionId) {
        match self.fault.0 {
            Some(Mutant::PingrespMissing) => return,
            Some(Mutant::SessionExpiresWhileConnected) => self.forget_subscriptions(session),
            Some(Mutant::ResentOnLiveConnection) => self.begin_resend(session),
            _ => {}
        }
        let padded = self.fault.is(Mutant::LengthPadded);
        self.transmit(id, if padded { vec![0xD0, 0x80, 0] } else { vec![0xD0, 0] });
    }
}
