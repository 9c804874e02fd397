//! The harness of the stories: fake Clients that speak through the codec, and a clock that is cranked by hand.
#![allow(dead_code, unreachable_pub)] // Each story uses its own part of the harness.

use core::time::Duration;
use mqtt_assay_broker_model::{Broker, ConnectionId, Input, Mutant, Output, Policy};
use mqtt_assay_codec::{
    Ack, Connack, Connect, Decoder, Disconnect, Packet, PacketId, Properties, Property, PropertyList,
    Publish, Qos, ReasonCode, Receiver, Subscribe, SubscriptionList, SubscriptionOptions, TopicFilterList,
    Unsubscribe, Version,
};
use std::collections::{BTreeMap, VecDeque};

pub const BOTH: [Version; 2] = [Version::V3_1_1, Version::V5];
pub const QOS0: Qos = Qos::AtMostOnce;
pub const QOS1: Qos = Qos::AtLeastOnce;
pub const QOS2: Qos = Qos::ExactlyOnce;

/// A Client's end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    pub id: ConnectionId,
    pub version: Version,
}

/// What a Client received, owned.
#[derive(Clone, PartialEq, Debug)]
pub enum Got {
    Connack {
        present: bool,
        code: u8,
        properties: PropertyList,
    },
    Publish {
        topic: String,
        payload: Vec<u8>,
        qos: Qos,
        retain: bool,
        dup: bool,
        id: u16,
        properties: PropertyList,
    },
    Puback(u16, u8),
    Pubrec(u16, u8),
    Pubrel(u16, u8),
    Pubcomp(u16, u8),
    Suback(u16, Vec<u8>),
    Unsuback(u16, Vec<u8>),
    Pingresp,
    Disconnect(u8),
    Auth(u8, PropertyList),
    Closed,
}

/// A broker and its clock.
pub struct World {
    pub broker: Broker,
    pub now: Duration,
    next: u64,
    versions: BTreeMap<ConnectionId, Version>,
    inboxes: BTreeMap<ConnectionId, VecDeque<Got>>,
    /// Bytes that no strict decoder takes are kept apart for stories about mutants.
    pub ill_formed: Vec<Vec<u8>>,
    pub sent: BTreeMap<ConnectionId, Vec<usize>>,
}

pub fn packet_id(id: u16) -> PacketId {
    PacketId::new(id).expect("not 0")
}

pub fn message(topic: &str, payload: &str, qos: Qos) -> Shown {
    Shown { topic: topic.into(), payload: payload.into(), qos, retain: false, dup: false }
}

/// The parts of a PUBLISH that stories compare.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    pub topic: String,
    pub payload: String,
    pub qos: Qos,
    pub retain: bool,
    pub dup: bool,
}

impl Shown {
    pub fn retain(self) -> Shown {
        Shown { retain: true, ..self }
    }

    pub fn dup(self) -> Shown {
        Shown { dup: true, ..self }
    }
}

impl World {
    pub fn new() -> World {
        World::with(Policy::default())
    }

    pub fn with(policy: Policy) -> World {
        World {
            broker: Broker::new(policy, 7),
            now: Duration::ZERO,
            next: 0,
            versions: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            ill_formed: Vec::new(),
            sent: BTreeMap::new(),
        }
    }

    pub fn mutant(mutant: Mutant) -> World {
        let mut world = World::new();
        world.broker = Broker::new(Policy::default(), 7).with_mutant(mutant);
        world
    }

    /// Feeds the broker and sorts what it puts out.
    pub fn drive(&mut self, input: Input<'_>) {
        self.broker.handle(self.now, input);
        while let Some(output) = self.broker.poll() {
            match output {
                Output::Send(id, bytes) => {
                    assert!(!self.inbox(id).contains(&Got::Closed), "sent after close");
                    let decoder = Decoder::new(self.versions[&id], Receiver::Client);
                    let mut at = 0;
                    while at < bytes.len() {
                        let Ok(Some((packet, length))) = decoder.next(&bytes[at..]) else {
                            self.ill_formed.push(bytes[at..].to_vec());
                            break;
                        };
                        at += length;
                        let got = own(&packet);
                        self.sent.entry(id).or_default().push(length);
                        self.inbox(id).push_back(got);
                    }
                }
                Output::Close(id) => self.inbox(id).push_back(Got::Closed),
            }
        }
    }

    fn inbox(&mut self, id: ConnectionId) -> &mut VecDeque<Got> {
        self.inboxes.entry(id).or_default()
    }

    /// Lets time pass, with a Timer at each deadline.
    pub fn wait(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while let Some(at) = self.broker.deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.drive(Input::Timer);
        }
        self.now = end;
    }

    pub fn open(&mut self, version: Version) -> Client {
        self.next += 1;
        let id = ConnectionId(self.next);
        self.versions.insert(id, version);
        self.drive(Input::Opened(id));
        Client { id, version }
    }

    pub fn bytes(&mut self, client: Client, bytes: &[u8]) {
        self.drive(Input::Received(client.id, bytes));
    }

    pub fn send(&mut self, client: Client, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(client.version, &mut bytes).expect("encodes");
        self.bytes(client, &bytes);
    }

    /// Opens a connection and sends CONNECT; what comes back stays in the inbox.
    pub fn try_connect(&mut self, connect: &Connect<'_>) -> Client {
        let client = self.open(connect.version);
        self.send(client, &Packet::Connect(*connect));
        client
    }

    /// Connects and takes the CONNACK: the Client, and Session Present.
    pub fn connect_with(&mut self, connect: &Connect<'_>) -> (Client, bool) {
        let client = self.try_connect(connect);
        match self.next(client) {
            Some(Got::Connack { present, code: 0, .. }) => (client, present),
            other => panic!("no CONNACK that accepts: {other:?}"),
        }
    }

    /// Connects for this connection only.
    pub fn connect(&mut self, version: Version, client_id: &str) -> Client {
        self.connect_with(&Connect::new(version, client_id)).0
    }

    /// Connects to a session that outlives its connection.
    pub fn resume(&mut self, version: Version, client_id: &str) -> (Client, bool) {
        let properties = PropertyList::new().with(Property::SessionExpiryInterval(u32::MAX));
        let properties = if version == Version::V5 { properties.view() } else { Properties::NONE };
        self.connect_with(&Connect { clean_start: false, properties, ..Connect::new(version, client_id) })
    }

    /// The network connection is lost.
    pub fn cut(&mut self, client: Client) {
        self.drive(Input::Closed(client.id));
    }

    pub fn disconnect(&mut self, client: Client) {
        self.send(client, &Packet::Disconnect(Disconnect::new(ReasonCode::SUCCESS)));
        assert_eq!(self.next(client), Some(Got::Closed));
    }

    pub fn next(&mut self, client: Client) -> Option<Got> {
        self.inbox(client.id).pop_front()
    }

    /// Takes the answer to a PUBLISH; deliveries to the publisher itself may have come before it.
    fn take_answer(&mut self, client: Client) -> Option<Got> {
        let inbox = self.inbox(client.id);
        let place = inbox.iter().position(|got| !matches!(got, Got::Publish { .. }))?;
        inbox.remove(place)
    }

    pub fn all(&mut self, client: Client) -> Vec<Got> {
        self.inbox(client.id).drain(..).collect()
    }

    /// Subscribes and takes the SUBACK: its codes.
    pub fn subscribe_with(
        &mut self,
        client: Client,
        filter: &str,
        options: SubscriptionOptions,
        properties: Properties<'_>,
    ) -> Vec<u8> {
        let list = SubscriptionList::one(filter, options);
        let subscribe = Subscribe { packet_id: packet_id(77), properties, subscriptions: list.view() };
        self.send(client, &Packet::Subscribe(subscribe));
        match self.next(client) {
            Some(Got::Suback(77, codes)) => codes,
            other => panic!("no SUBACK: {other:?}"),
        }
    }

    pub fn subscribe(&mut self, client: Client, filter: &str, qos: Qos) {
        let codes = self.subscribe_with(client, filter, SubscriptionOptions::qos(qos), Properties::NONE);
        assert_eq!(codes, [qos.as_u8()]);
    }

    pub fn subscribe_identified(&mut self, client: Client, filter: &str, qos: Qos, identifier: u32) {
        let properties = PropertyList::new().with(Property::SubscriptionIdentifier(identifier));
        self.subscribe_with(client, filter, SubscriptionOptions::qos(qos), properties.view());
    }

    pub fn unsubscribe(&mut self, client: Client, filter: &str) -> Vec<u8> {
        let list = TopicFilterList::one(filter);
        let unsubscribe =
            Unsubscribe { packet_id: packet_id(78), properties: Properties::NONE, filters: list.view() };
        self.send(client, &Packet::Unsubscribe(unsubscribe));
        match self.next(client) {
            Some(Got::Unsuback(78, codes)) => codes,
            other => panic!("no UNSUBACK: {other:?}"),
        }
    }

    /// Publishes and finishes the exchange: the code of PUBACK or PUBREC.
    pub fn publish_packet(&mut self, client: Client, publish: Publish<'_>) -> u8 {
        let id = publish.packet_id.map_or(0, PacketId::get);
        self.send(client, &Packet::Publish(publish));
        match publish.qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => match self.take_answer(client) {
                Some(Got::Puback(got, code)) if got == id => code,
                other => panic!("no PUBACK: {other:?}"),
            },
            Qos::ExactlyOnce => {
                let code = match self.take_answer(client) {
                    Some(Got::Pubrec(got, code)) if got == id => code,
                    other => panic!("no PUBREC: {other:?}"),
                };
                if code < 0x80 {
                    self.send(client, &Packet::Pubrel(Ack::new(packet_id(id), ReasonCode::SUCCESS)));
                    assert_eq!(self.take_answer(client), Some(Got::Pubcomp(id, 0)));
                }
                code
            }
        }
    }

    pub fn publish(&mut self, client: Client, topic: &str, payload: &str, qos: Qos) -> u8 {
        self.publish_packet(client, publish(topic, payload, qos))
    }

    pub fn retain(&mut self, client: Client, topic: &str, payload: &str, qos: Qos) -> u8 {
        self.publish_packet(client, Publish { retain: true, ..publish(topic, payload, qos) })
    }

    /// All messages that wait in the inbox, acknowledged to their end.
    pub fn messages(&mut self, client: Client) -> Vec<Shown> {
        let mut found = Vec::new();
        while let Some(got) = self.next(client) {
            match got {
                Got::Publish { topic, payload, qos, retain, dup, id, .. } => {
                    let payload = String::from_utf8(payload).expect("text");
                    found.push(Shown { topic, payload, qos, retain, dup });
                    self.acknowledge(client, qos, id);
                }
                Got::Pubrel(id, _) => {
                    self.send(client, &Packet::Pubcomp(Ack::new(packet_id(id), ReasonCode::SUCCESS)));
                }
                other => panic!("not a message: {other:?}"),
            }
        }
        found
    }

    pub fn acknowledge(&mut self, client: Client, qos: Qos, id: u16) {
        match qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.ack(client, Packet::Puback, id, ReasonCode::SUCCESS),
            Qos::ExactlyOnce => self.ack(client, Packet::Pubrec, id, ReasonCode::SUCCESS),
        }
    }

    pub fn ack(
        &mut self,
        client: Client,
        packet: fn(Ack<'static>) -> Packet<'static>,
        id: u16,
        code: ReasonCode,
    ) {
        self.send(client, &packet(Ack::new(packet_id(id), code)));
    }

    /// The next thing must be a PUBLISH: what it shows, its Packet Identifier, its properties.
    pub fn expect_publish(&mut self, client: Client) -> (Shown, u16, PropertyList) {
        match self.next(client) {
            Some(Got::Publish { topic, payload, qos, retain, dup, id, properties }) => {
                let payload = String::from_utf8(payload).expect("text");
                (Shown { topic, payload, qos, retain, dup }, id, properties)
            }
            other => panic!("not a PUBLISH: {other:?}"),
        }
    }

    pub fn expect_nothing(&mut self, client: Client) {
        assert_eq!(self.all(client), []);
    }

    /// The connection must end: the code of DISCONNECT, if one came.
    pub fn expect_close(&mut self, client: Client) -> Option<u8> {
        match (self.next(client), client.version) {
            (Some(Got::Closed), _) => None,
            (Some(Got::Disconnect(code)), Version::V5) => {
                assert_eq!(self.next(client), Some(Got::Closed));
                Some(code)
            }
            other => panic!("not closed: {other:?}"),
        }
    }
}

/// A PUBLISH; above QoS 0 with Packet Identifier 9.
pub fn publish<'a>(topic: &'a str, payload: &'a str, qos: Qos) -> Publish<'a> {
    let packet_id = (qos != QOS0).then(|| packet_id(9));
    Publish { qos, packet_id, ..Publish::new(topic, payload.as_bytes()) }
}

fn own(packet: &Packet<'_>) -> Got {
    match packet {
        Packet::Connack(Connack { session_present, code, properties }) => {
            Got::Connack { present: *session_present, code: code.0, properties: (*properties).into() }
        }
        Packet::Publish(p) => Got::Publish {
            topic: p.topic.into(),
            payload: p.payload.into(),
            qos: p.qos,
            retain: p.retain,
            dup: p.dup,
            id: p.packet_id.map_or(0, PacketId::get),
            properties: p.properties.into(),
        },
        Packet::Puback(a) => Got::Puback(a.packet_id.get(), a.reason.0),
        Packet::Pubrec(a) => Got::Pubrec(a.packet_id.get(), a.reason.0),
        Packet::Pubrel(a) => Got::Pubrel(a.packet_id.get(), a.reason.0),
        Packet::Pubcomp(a) => Got::Pubcomp(a.packet_id.get(), a.reason.0),
        Packet::Suback(s) => Got::Suback(s.packet_id.get(), s.codes.into()),
        Packet::Unsuback(u) => Got::Unsuback(u.packet_id.get(), u.codes.into()),
        Packet::Pingresp => Got::Pingresp,
        Packet::Disconnect(d) => Got::Disconnect(d.reason.0),
        Packet::Auth(a) => Got::Auth(a.reason.0, a.properties.into()),
        other => panic!("a Server does not send {}", other.packet_type()),
    }
}
