//! What a Server may do, though the reference broker does not: histories made by hand, in which nobody is accused.

use super::support::bounds;
use core::time::Duration;
use mqtt_assay_broker_model::history::{ClientNo, History, How, Recorder, Side};
use mqtt_assay_broker_model::rules::{Verdicts, judge};
use mqtt_assay_codec::{
    Ack, Connack, Connect, Disconnect, Packet, PacketId, Properties, Property, PropertyList, Publish, Qos,
    ReasonCode, Suback, Subscribe, SubscriptionList, SubscriptionOptions, TopicFilterList, Unsuback,
    Unsubscribe, Version, Will,
};

const A: ClientNo = ClientNo(0);
const B: ClientNo = ClientNo(1);
const C: ClientNo = ClientNo(2);

/// A history in the making: a second passes between any two lines.
struct Hand {
    recorder: Recorder,
    version: Version,
    seconds: u64,
}

impl Hand {
    fn new(version: Version) -> Hand {
        Hand { recorder: Recorder::new(["a", "b", "c"]), version, seconds: 0 }
    }

    fn now(&mut self) -> Duration {
        self.seconds += 1;
        Duration::from_secs(self.seconds)
    }

    fn bytes(&self, packet: &Packet<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        bytes
    }

    fn says(&mut self, client: ClientNo, packet: &Packet<'_>) {
        let (now, bytes) = (self.now(), self.bytes(packet));
        self.recorder.wrote(now, client, 1, &bytes);
    }

    fn writes(&mut self, client: ClientNo, bytes: &[u8]) {
        let now = self.now();
        self.recorder.wrote(now, client, 1, bytes);
    }

    fn hears(&mut self, client: ClientNo, packet: &Packet<'_>) {
        let (now, bytes) = (self.now(), self.bytes(packet));
        self.recorder.read(now, client, 1, &bytes);
    }

    fn connects(&mut self, client: ClientNo, change: impl FnOnce(&mut Connect<'_>)) {
        let now = self.now();
        self.recorder.attempted(now, client, 1, self.version);
        self.recorder.answered(now, client, 1, true);
        let mut connect = Connect::new(self.version, ["a", "b", "c"][client.index()]);
        connect.clean_start = true;
        change(&mut connect);
        self.says(client, &Packet::Connect(connect));
        let (session_present, code) = (false, ReasonCode::SUCCESS);
        self.hears(client, &Packet::Connack(Connack { session_present, code, properties: Properties::NONE }));
    }

    fn subscribes(&mut self, client: ClientNo, filter: &str, qos: Qos) {
        let mut list = SubscriptionList::new();
        list.push(filter, SubscriptionOptions::qos(qos));
        let packet_id = PacketId::MIN;
        let subscribe = Subscribe { packet_id, properties: Properties::NONE, subscriptions: list.view() };
        self.says(client, &Packet::Subscribe(subscribe));
        let codes = &[qos.as_u8()];
        self.hears(client, &Packet::Suback(Suback { packet_id, properties: Properties::NONE, codes }));
    }

    fn unsubscribes(&mut self, client: ClientNo, filter: &str) {
        let mut list = TopicFilterList::new();
        list.push(filter);
        let packet_id = PacketId::MIN;
        let unsubscribe = Unsubscribe { packet_id, properties: Properties::NONE, filters: list.view() };
        self.says(client, &Packet::Unsubscribe(unsubscribe));
        let codes = if self.version == Version::V5 { &[0][..] } else { &[] };
        self.hears(client, &Packet::Unsuback(Unsuback { packet_id, properties: Properties::NONE, codes }));
    }

    fn publishes(&mut self, client: ClientNo, publish: Publish<'_>) {
        self.says(client, &Packet::Publish(publish));
        if let Some(id) = publish.packet_id {
            self.hears(client, &Packet::Puback(Ack::new(id, ReasonCode::SUCCESS)));
        }
    }

    fn gets(&mut self, client: ClientNo, publish: Publish<'_>) {
        self.hears(client, &Packet::Publish(publish));
        if let Some(id) = publish.packet_id {
            self.says(client, &Packet::Puback(Ack::new(id, ReasonCode::SUCCESS)));
        }
    }

    fn ends(&mut self, client: ClientNo, side: Side, how: How) {
        let now = self.now();
        self.recorder.ended(now, client, 1, side, how);
    }

    fn history(mut self) -> History {
        self.seconds += 60;
        let now = self.now();
        self.recorder.finish(now)
    }

    fn judged(self) -> Verdicts {
        judge(&self.history(), bounds())
    }

    #[track_caller]
    fn bears(self) {
        let found = self.judged();
        assert!(found.accusations.is_empty(), "{:#?}", found.accusations);
    }
}

/// At QoS 1, the identifier being 1.
fn at_qos_1<'a>(topic: &'a str, payload: &'a [u8], properties: Properties<'a>) -> Publish<'a> {
    let (qos, packet_id) = (Qos::AtLeastOnce, Some(PacketId::MIN));
    Publish { dup: false, qos, retain: false, topic, packet_id, properties, payload }
}

fn plain<'a>(topic: &'a str, payload: &'a [u8]) -> Publish<'a> {
    at_qos_1(topic, payload, Properties::NONE)
}

const BOTH: [Version; 2] = [Version::V3_1_1, Version::V5];

/// An UNSUBSCRIBE with a bad filter: that there was no such subscription is no acceptance.
#[test]
fn a_bad_filter_has_no_subscription() {
    let answered = |code: ReasonCode| {
        let mut hand = Hand::new(Version::V5);
        hand.connects(A, |_| {});
        hand.writes(A, b"\xa2\x0e\x00\x01\x00\x00\x09$share/g/");
        let codes = &[code.0];
        let unsuback = Unsuback { packet_id: PacketId::MIN, properties: Properties::NONE, codes };
        hand.hears(A, &Packet::Unsuback(unsuback));
        hand.judged()
    };
    let rules = |found: &Verdicts| {
        let broken = found.accusations.iter().filter(|accusation| !accusation.deviates);
        broken.map(|accusation| accusation.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&answered(ReasonCode::NO_SUBSCRIPTION_EXISTED)), [""; 0]);
    assert_eq!(rules(&answered(ReasonCode::SUCCESS)), ["error_answered"]);
}

/// A malformed CONNECT that is accepted is one mistake, and what follows on its CONNACK none.
#[test]
fn what_follows_on_a_wrong_connack_is_not_first() {
    let mut hand = Hand::new(Version::V5);
    let now = hand.now();
    hand.recorder.attempted(now, A, 1, Version::V5);
    hand.recorder.answered(now, A, 1, true);
    // Authentication Data without Authentication Method.
    hand.writes(A, b"\x10\x12\x00\x04MQTT\x05\x02\x00\x00\x04\x16\x00\x01x\x00\x01a");
    let code = ReasonCode::SUCCESS;
    let connack = Connack { session_present: false, code, properties: Properties::NONE };
    hand.hears(A, &Packet::Connack(connack));
    hand.hears(A, &Packet::Pingresp);
    let rules: Vec<_> = hand.judged().accusations.iter().map(|found| found.rule).collect();
    // Each answer to what must not be answered is accused, and by no other rule.
    assert!(!rules.is_empty() && rules.iter().all(|rule| *rule == "closes_on_error"), "{rules:?}");
}

#[test]
fn what_was_on_its_way_may_come_after_unsuback() {
    for version in BOTH {
        let mut hand = Hand::new(version);
        hand.connects(A, |_| {});
        hand.connects(B, |_| {});
        hand.subscribes(B, "t", Qos::AtLeastOnce);
        hand.publishes(A, plain("t", b"1"));
        hand.unsubscribes(B, "t");
        hand.gets(B, plain("t", b"1"));
        hand.bears();
        // What is published after UNSUBACK is another matter.
        let mut hand = Hand::new(version);
        hand.connects(A, |_| {});
        hand.connects(B, |_| {});
        hand.subscribes(B, "t", Qos::AtLeastOnce);
        hand.unsubscribes(B, "t");
        hand.publishes(A, plain("t", b"1"));
        hand.gets(B, plain("t", b"1"));
        assert_eq!(hand.judged().accusations[0].statements, ["MQTT-3.10.4-2"]);
    }
}

#[test]
fn what_crosses_a_subscription_may_come_or_not() {
    for version in BOTH {
        for comes in [false, true] {
            let mut hand = Hand::new(version);
            hand.connects(A, |_| {});
            hand.connects(B, |_| {});
            hand.says(A, &Packet::Publish(plain("t", b"1")));
            hand.subscribes(B, "t", Qos::AtLeastOnce);
            hand.hears(A, &Packet::Puback(Ack::new(PacketId::MIN, ReasonCode::SUCCESS)));
            if comes {
                hand.gets(B, plain("t", b"1"));
            }
            hand.bears();
        }
    }
}

#[test]
fn before_5_a_message_that_is_not_allowed_is_acknowledged_and_dropped() {
    let lost = |version| {
        let mut hand = Hand::new(version);
        hand.connects(A, |_| {});
        hand.connects(B, |_| {});
        hand.subscribes(B, "t", Qos::AtLeastOnce);
        hand.publishes(A, plain("t", b"1"));
        hand
    };
    lost(Version::V3_1_1).bears();
    assert_eq!(lost(Version::V5).judged().accusations.len(), 1);
    // What came before shows that it is allowed.
    let mut hand = lost(Version::V3_1_1);
    hand.publishes(A, plain("t", b"2"));
    hand.gets(B, plain("t", b"2"));
    assert_eq!(hand.judged().accusations[0].statements, ["MQTT-4.5.0-1"]);
}

#[test]
fn properties_may_be_moved_added_and_left_out_where_they_say_nothing() {
    let sent = PropertyList::new()
        .with(Property::PayloadFormatIndicator(0))
        .with(Property::UserProperty(("a", "1")))
        .with(Property::ContentType("c"))
        .with(Property::UserProperty(("b", "2")));
    let came = PropertyList::new()
        .with(Property::ContentType("c"))
        .with(Property::UserProperty(("via", "server")))
        .with(Property::UserProperty(("a", "1")))
        .with(Property::UserProperty(("b", "2")));
    let mut hand = Hand::new(Version::V5);
    hand.connects(A, |_| {});
    hand.connects(B, |_| {});
    hand.subscribes(B, "t", Qos::AtLeastOnce);
    hand.publishes(A, at_qos_1("t", b"1", sent.view()));
    hand.gets(B, at_qos_1("t", b"1", came.view()));
    hand.bears();
}

#[test]
fn an_expiry_interval_may_be_rounded() {
    let expiry = |seconds| PropertyList::new().with(Property::MessageExpiryInterval(seconds));
    // One second lies between the lines.
    for (left, sound) in [(100, true), (98, true), (97, true), (95, false), (101, false)] {
        let (sent, came) = (expiry(100), expiry(left));
        let mut hand = Hand::new(Version::V5);
        hand.connects(A, |_| {});
        hand.connects(B, |_| {});
        hand.subscribes(B, "t", Qos::AtLeastOnce);
        hand.publishes(A, at_qos_1("t", b"1", sent.view()));
        hand.gets(B, at_qos_1("t", b"1", came.view()));
        assert_eq!(hand.judged().accusations.is_empty(), sound, "{left}");
    }
}

#[test]
fn a_retained_message_at_qos_0_may_be_dropped() {
    for version in BOTH {
        let mut hand = Hand::new(version);
        hand.connects(A, |_| {});
        hand.connects(B, |_| {});
        let retained = Publish { qos: Qos::AtMostOnce, packet_id: None, retain: true, ..plain("t", b"1") };
        hand.publishes(A, retained);
        hand.says(A, &Packet::Pingreq);
        hand.hears(A, &Packet::Pingresp);
        hand.subscribes(B, "t", Qos::AtLeastOnce);
        hand.bears();
    }
}

fn will() -> Will<'static> {
    let (qos, retain) = (Qos::AtLeastOnce, false);
    Will { topic: "w", payload: b"gone", qos, retain, properties: Properties::NONE }
}

#[test]
fn a_reset_may_destroy_a_disconnect() {
    for version in BOTH {
        for (how, sound) in [(How::Reset, true), (How::Fin, false)] {
            for comes in [false, true] {
                let mut hand = Hand::new(version);
                hand.connects(B, |_| {});
                hand.subscribes(B, "w", Qos::AtLeastOnce);
                hand.connects(A, |connect| connect.will = Some(will()));
                hand.says(A, &Packet::Disconnect(Disconnect::new(ReasonCode::SUCCESS)));
                hand.ends(A, Side::Client, how);
                if comes {
                    hand.gets(B, plain("w", b"gone"));
                }
                assert_eq!(hand.judged().accusations.is_empty(), sound || !comes, "{how:?}");
            }
        }
    }
}

#[test]
fn who_dies_in_silence_may_not_be_missed() {
    for version in BOTH {
        for (keep_alive, sound) in [(0, true), (2, false)] {
            let mut hand = Hand::new(version);
            hand.connects(B, |_| {});
            hand.subscribes(B, "w", Qos::AtLeastOnce);
            hand.connects(A, |connect| {
                connect.will = Some(will());
                connect.keep_alive = keep_alive;
            });
            hand.ends(A, Side::Client, How::Silently);
            assert_eq!(hand.judged().accusations.is_empty(), sound, "{keep_alive}");
        }
    }
}

#[test]
fn what_a_lost_member_has_not_acknowledged_may_go_to_another() {
    for (lost, sound) in [(true, true), (false, false)] {
        let mut hand = Hand::new(Version::V5);
        for client in [A, B, C] {
            hand.connects(client, |_| {});
        }
        hand.subscribes(B, "$share/g/t", Qos::AtLeastOnce);
        hand.subscribes(C, "$share/g/t", Qos::AtLeastOnce);
        hand.publishes(A, plain("t", b"1"));
        hand.hears(B, &Packet::Publish(plain("t", b"1")));
        if lost {
            hand.ends(B, Side::Client, How::Reset);
        }
        hand.gets(C, plain("t", b"1"));
        assert_eq!(hand.judged().accusations.is_empty(), sound, "{lost}");
    }
}

#[test]
fn in_an_open_world_others_publish_too() {
    for version in BOTH {
        let mut hand = Hand::new(version);
        hand.connects(A, |_| {});
        hand.connects(B, |_| {});
        hand.subscribes(B, "t", Qos::AtLeastOnce);
        hand.publishes(A, plain("t", b"1"));
        hand.gets(B, plain("t", b"1"));
        hand.gets(B, plain("t", b"from somebody else"));
        let history = hand.history();
        assert_eq!(judge(&history, bounds()).accusations[0].statements, ["MQTT-4.5.0-1"]);
        let mut open = bounds();
        open.closed_world = false;
        assert!(judge(&history, open).accusations.is_empty());
    }
}
