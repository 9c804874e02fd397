//! Whatever comes in: no panic, and every packet that goes out is well-formed.

use core::time::Duration;
use mqtt_assay_broker_model::{Broker, ConnectionId, Input, Mutant, Output, Overlap, Policy, Qos2Delivery};
use mqtt_assay_codec::{
    Ack, Connect, Decoder, Disconnect, Packet, PacketId, Properties, Property, PropertyList, Publish, Qos,
    ReasonCode, Receiver, RetainHandling, Subscribe, SubscriptionList, SubscriptionOptions, TopicFilterList,
    Unsubscribe, Version, Will,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One step of a random script: connections are numbered 0 to 3.
#[derive(Clone, Debug)]
enum Step {
    Connect {
        on: u64,
        version: Version,
        client: u8,
        clean: bool,
        will: bool,
        small: bool,
        aliases: bool,
    },
    Publish {
        on: u64,
        topic: u8,
        qos: Qos,
        retain: bool,
        dup: bool,
        id: u16,
        alias: Option<u16>,
        expiry: bool,
    },
    Subscribe {
        on: u64,
        filter: u8,
        qos: Qos,
        options: u8,
        identifier: bool,
    },
    Unsubscribe {
        on: u64,
        filter: u8,
    },
    Ack {
        on: u64,
        kind: u8,
        id: u16,
        code: u8,
    },
    Ping {
        on: u64,
    },
    Disconnect {
        on: u64,
        code: u8,
    },
    Cut {
        on: u64,
    },
    Wait {
        millis: u64,
    },
    Bytes {
        on: u64,
        bytes: Vec<u8>,
    },
}

const TOPICS: [&str; 6] = ["a", "a/b", "/", "$x/a", "b", "a/b/c"];
const FILTERS: [&str; 10] =
    ["a", "a/#", "+/b", "#", "$share/g/a", "$share/g/#", "$share/h/a/b", "$x/#", "+", "b"];

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V3_1), Just(Version::V3_1_1), Just(Version::V5), Just(Version::V5)]
}

fn qos() -> impl Strategy<Value = Qos> {
    prop_oneof![Just(Qos::AtMostOnce), Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)]
}

fn step() -> impl Strategy<Value = Step> {
    let on = 0..4u64;
    prop_oneof![
        4 => (on.clone(), version(), 0..3u8, any::<[bool; 4]>()).prop_map(|(on, version, client, flags)| {
            let [clean, will, small, aliases] = flags;
            Step::Connect { on, version, client, clean, will, small, aliases }
        }),
        6 => (on.clone(), 0..6u8, qos(), any::<[bool; 3]>(), 1..5u16, proptest::option::weighted(0.2, 0..3u16))
            .prop_map(|(on, topic, qos, [retain, dup, expiry], id, alias)| {
                Step::Publish { on, topic, qos, retain, dup, id, alias, expiry }
            }),
        4 => (on.clone(), 0..10u8, qos(), any::<u8>(), any::<bool>())
            .prop_map(|(on, filter, qos, options, identifier)| Step::Subscribe { on, filter, qos, options, identifier }),
        1 => (on.clone(), 0..10u8).prop_map(|(on, filter)| Step::Unsubscribe { on, filter }),
        6 => (on.clone(), 0..4u8, 1..4u16, prop_oneof![4 => Just(0u8), 1 => Just(0x80), 1 => Just(0x92)])
            .prop_map(|(on, kind, id, code)| Step::Ack { on, kind, id, code }),
        2 => on.clone().prop_map(|on| Step::Ping { on }),
        1 => (on.clone(), prop_oneof![Just(0u8), Just(4)]).prop_map(|(on, code)| Step::Disconnect { on, code }),
        1 => on.clone().prop_map(|on| Step::Cut { on }),
        2 => (0..1_500u64).prop_map(|millis| Step::Wait { millis }),
        1 => (Just(3u64), proptest::collection::vec(any::<u8>(), 0..12)).prop_map(|(on, bytes)| Step::Bytes { on, bytes }),
    ]
}

struct Fuzz {
    broker: Broker,
    now: Duration,
    last: u64,
    open: BTreeMap<u64, (ConnectionId, Version)>,
    /// A faulty broker may send what it likes.
    strict: bool,
}

impl Fuzz {
    fn new(broker: Broker, strict: bool) -> Fuzz {
        Fuzz { broker, now: Duration::ZERO, last: 0, open: BTreeMap::new(), strict }
    }

    fn input(&mut self, input: Input<'_>) {
        self.broker.handle(self.now, input);
        while let Some(output) = self.broker.poll() {
            match output {
                Output::Send(id, bytes) => {
                    let found = self.open.iter().find(|(_, (open, _))| *open == id);
                    let Some((_, &(_, version))) = found else {
                        assert!(!self.strict, "sent to a connection that is gone");
                        continue;
                    };
                    let decoder = Decoder::new(version, Receiver::Client);
                    let whole = decoder.next(&bytes).map(|next| next.map(|(_, length)| length));
                    assert!(!self.strict || whole == Ok(Some(bytes.len())), "{whole:?} {bytes:02x?}");
                }
                Output::Close(id) => self.open.retain(|_, (open, _)| *open != id),
            }
        }
    }

    fn send(&mut self, on: u64, packet: &Packet<'_>) {
        if let Some(&(id, version)) = self.open.get(&on) {
            let mut bytes = Vec::new();
            if packet.encode(version, &mut bytes).is_ok() {
                self.input(Input::Received(id, &bytes));
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Connect { on, version, client, clean, will, small, aliases } => {
                if let Some((id, _)) = self.open.remove(&on) {
                    self.input(Input::Closed(id));
                }
                self.last += 1;
                let id = ConnectionId(self.last);
                self.open.insert(on, (id, version));
                self.input(Input::Opened(id));
                let mut properties = PropertyList::new();
                properties.push(Property::SessionExpiryInterval(2));
                if small {
                    properties.push(Property::MaximumPacketSize(24));
                    properties.push(Property::ReceiveMaximum(1));
                }
                if aliases {
                    properties.push(Property::TopicAliasMaximum(2));
                }
                let delay = PropertyList::new().with(Property::WillDelayInterval(1));
                let v5 = version == Version::V5;
                let client_id = ["", "x", "y"][usize::from(client)];
                let connect = Connect {
                    clean_start: clean,
                    keep_alive: 4,
                    properties: if v5 { properties.view() } else { Properties::NONE },
                    will: will.then_some(Will {
                        qos: Qos::AtLeastOnce,
                        retain: small,
                        properties: if v5 { delay.view() } else { Properties::NONE },
                        ..Will::new("a/b", b"gone")
                    }),
                    ..Connect::new(version, client_id)
                };
                self.send(on, &Packet::Connect(connect));
            }
            Step::Publish { on, topic, qos, retain, dup, id, alias, expiry } => {
                let mut properties = PropertyList::new();
                if let Some(alias) = alias {
                    properties.push(Property::TopicAlias(alias));
                }
                if expiry {
                    properties.push(Property::MessageExpiryInterval(1));
                }
                let above = qos != Qos::AtMostOnce;
                self.send(
                    on,
                    &Packet::Publish(Publish {
                        dup: dup && above,
                        qos,
                        retain,
                        topic: TOPICS[usize::from(topic)],
                        packet_id: PacketId::new(id).filter(|_| above),
                        properties: properties.view(),
                        payload: if dup && retain { b"" } else { b"pay\0load" },
                    }),
                );
            }
            Step::Subscribe { on, filter, qos, options, identifier } => {
                let shared = FILTERS[usize::from(filter)].starts_with("$share");
                let v5 = self.open.get(&on).is_some_and(|(_, version)| *version == Version::V5);
                let all = SubscriptionOptions {
                    qos,
                    no_local: options & 1 != 0 && !shared,
                    retain_as_published: options & 2 != 0,
                    retain_handling: [
                        RetainHandling::Send,
                        RetainHandling::SendIfNew,
                        RetainHandling::DoNotSend,
                    ][usize::from(options) % 3],
                };
                let list = SubscriptionList::one(
                    FILTERS[usize::from(filter)],
                    if v5 { all } else { SubscriptionOptions::qos(qos) },
                );
                let mut properties = PropertyList::new();
                if identifier {
                    properties.push(Property::SubscriptionIdentifier(u32::from(options) + 1));
                }
                let (packet_id, subscriptions) = (PacketId::MAX, list.view());
                self.send(
                    on,
                    &Packet::Subscribe(Subscribe { packet_id, properties: properties.view(), subscriptions }),
                );
            }
            Step::Unsubscribe { on, filter } => {
                let list = TopicFilterList::one(FILTERS[usize::from(filter)]);
                let (packet_id, properties, filters) = (PacketId::MAX, Properties::NONE, list.view());
                self.send(on, &Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters }));
            }
            Step::Ack { on, kind, id, code } => {
                let Some(id) = PacketId::new(id) else { return };
                let code = match (kind, code) {
                    (0 | 1, 0x92) | (2 | 3, 0x80) => 0,
                    (_, code) => code,
                };
                let ack = Ack::new(id, ReasonCode(code));
                let packet = match kind {
                    0 => Packet::Puback(ack),
                    1 => Packet::Pubrec(ack),
                    2 => Packet::Pubrel(ack),
                    _ => Packet::Pubcomp(ack),
                };
                self.send(on, &packet);
            }
            Step::Ping { on } => self.send(on, &Packet::Pingreq),
            Step::Disconnect { on, code } => {
                self.send(on, &Packet::Disconnect(Disconnect::new(ReasonCode(code))));
            }
            Step::Cut { on } => {
                if let Some((id, _)) = self.open.remove(&on) {
                    self.input(Input::Closed(id));
                }
            }
            Step::Wait { millis } => {
                let end = self.now + Duration::from_millis(millis);
                while let Some(at) = self.broker.deadline().filter(|at| *at <= end) {
                    self.now = at.max(self.now);
                    self.input(Input::Timer);
                }
                self.now = end;
            }
            Step::Bytes { on, ref bytes } => {
                if let Some(&(id, _)) = self.open.get(&on) {
                    self.input(Input::Received(id, bytes));
                }
            }
        }
    }
}

fn policy(kind: u8) -> Policy {
    match kind {
        0 => Policy::default(),
        1 => Policy {
            overlap: Overlap::CopyPerSubscription,
            qos2_delivery: Qos2Delivery::AtRelease,
            queue_qos0: true,
            receive_maximum: 2,
            ..Policy::default()
        },
        _ => Policy {
            max_queued_messages: 2,
            max_inflight: 1,
            max_retained_messages: 1,
            max_subscriptions: 2,
            max_sessions: 2,
            max_packet_size: 60,
            max_qos: Qos::AtLeastOnce,
            retain_available: false,
            topic_alias_maximum: 1,
            diagnostic: Some(("why".into(), "not".into())),
            ..Policy::default()
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn scripts_of_valid_packets_get_well_formed_answers(
        kind in 0..3u8,
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let mut fuzz = Fuzz::new(Broker::new(policy(kind), 1), true);
        for step in &steps {
            fuzz.step(step);
        }
    }

    #[test]
    fn no_mutant_panics(
        index in 0..Mutant::ALL.len(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let broker = Broker::new(Policy::default(), 1).with_mutant(Mutant::ALL[index]);
        let mut fuzz = Fuzz::new(broker, false);
        for step in &steps {
            fuzz.step(step);
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(
        version in version(),
        index in proptest::option::of(0..Mutant::ALL.len()),
        chunks in proptest::collection::vec((0..16u8, proptest::collection::vec(any::<u8>(), 0..30)), 1..20),
    ) {
        let mut broker = Broker::new(Policy::default(), 1);
        if let Some(index) = index {
            broker = broker.with_mutant(Mutant::ALL[index]);
        }
        let mut fuzz = Fuzz::new(broker, index.is_none());
        for (kind, body) in chunks {
            if fuzz.open.is_empty() {
                fuzz.step(&Step::Connect {
                    on: 0, version, client: 1, clean: false, will: true, small: false, aliases: true,
                });
            }
            // A frame with a fitting length, so that the content is looked at.
            let mut bytes = vec![kind << 4 | body.first().copied().unwrap_or(2) & 0x0F, body.len() as u8];
            bytes.extend_from_slice(&body);
            fuzz.step(&Step::Bytes { on: 0, bytes });
        }
    }
}

/// Each mutant handles a near miss of each packet without panic: a bit flipped anywhere.
#[test]
fn mutants_stand_near_misses() {
    let mut packets: Vec<(Version, Vec<u8>)> = Vec::new();
    for version in [Version::V3_1_1, Version::V5] {
        let list = PropertyList::new().with(Property::UserProperty(("a", "b")));
        let properties = if version == Version::V5 { list.view() } else { Properties::NONE };
        let subscriptions = SubscriptionList::one("$share/g/t", SubscriptionOptions::qos(Qos::AtLeastOnce));
        let filters = TopicFilterList::one("a/+");
        for packet in [
            Packet::Connect(Connect {
                properties,
                will: Some(Will::new("w", b"x")),
                ..Connect::new(version, "c")
            }),
            Packet::Publish(Publish {
                properties,
                qos: Qos::ExactlyOnce,
                packet_id: Some(PacketId::MIN),
                ..Publish::new("t", b"x")
            }),
            Packet::Subscribe(Subscribe {
                packet_id: PacketId::MIN,
                properties,
                subscriptions: subscriptions.view(),
            }),
            Packet::Unsubscribe(Unsubscribe {
                packet_id: PacketId::MIN,
                properties,
                filters: filters.view(),
            }),
            Packet::Disconnect(Disconnect { reason: ReasonCode(4), properties }),
            Packet::Pubrel(Ack { packet_id: PacketId::MIN, reason: ReasonCode::SUCCESS, properties }),
        ] {
            let mut bytes = Vec::new();
            packet.encode(version, &mut bytes).unwrap();
            packets.push((version, bytes));
        }
    }
    for &mutant in Mutant::ALL {
        for (version, bytes) in &packets {
            for bit in 0..bytes.len() * 8 {
                let mut bytes = bytes.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let mut fuzz = Fuzz::new(Broker::new(Policy::default(), 1).with_mutant(mutant), false);
                if bytes[0] >> 4 == 1 {
                    fuzz.open.insert(0, (ConnectionId(9), *version));
                    fuzz.input(Input::Opened(ConnectionId(9)));
                } else {
                    fuzz.step(&Step::Connect {
                        on: 0,
                        version: *version,
                        client: 1,
                        clean: true,
                        will: false,
                        small: false,
                        aliases: false,
                    });
                }
                fuzz.step(&Step::Bytes { on: 0, bytes });
            }
        }
    }
}
