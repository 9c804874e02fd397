//! QoS 1 and 2, as sender and as receiver.

use super::common::*;
use super::{Machine, Way, snapshot, word};
use mqtt_assay_broker_model::{Policy, Qos2Delivery};
use mqtt_assay_codec::{Ack, Packet, Publish, Qos, ReasonCode, Version};

/// The client of the exchange, and one at the other end of the topic.
struct Pair {
    subject: Client,
    other: Client,
    version: Version,
    qos: Qos,
    id: u16,
}

fn begin(version: Version, qos: Qos, policy: Policy) -> (World, Pair) {
    let mut w = World::with(policy);
    let other = w.connect(version, "other");
    let (subject, _) = w.resume(version, "subject");
    w.subscribe(subject, "to/subject", QOS2);
    w.subscribe(other, "from/subject", QOS2);
    (w, Pair { subject, other, version, qos, id: 0 })
}

fn outputs(w: &mut World, pair: &mut Pair) -> Vec<String> {
    let mut words = Vec::new();
    for got in w.all(pair.subject) {
        if let Got::Publish { id, .. } = &got {
            pair.id = *id;
        }
        words.push(word(&got));
    }
    for got in w.all(pair.other) {
        if let Got::Publish { payload, qos, id, .. } = got {
            words.push(format!("passes \"{}\" on", String::from_utf8_lossy(&payload)));
            w.acknowledge(pair.other, qos, id);
        } else if let Got::Pubrel(id, _) = got {
            w.ack(pair.other, Packet::Pubcomp, id, ReasonCode::SUCCESS);
        }
    }
    words.retain(|word| !word.starts_with("CONNACK"));
    words
}

fn ack(w: &mut World, pair: &Pair, packet: fn(Ack<'static>) -> Packet<'static>, code: ReasonCode) {
    w.ack(pair.subject, packet, pair.id.max(1), code);
}

fn resume(w: &mut World, pair: &mut Pair) {
    w.cut(pair.subject);
    pair.subject = w.resume(pair.version, "subject").0;
}

fn discard(w: &mut World, pair: &mut Pair) {
    w.cut(pair.subject);
    pair.subject = w.connect(pair.version, "subject");
}

fn message_is_due(w: &mut World, pair: &mut Pair) {
    w.publish(pair.other, "to/subject", "m", pair.qos);
    outputs(w, pair);
}

/// The Server as sender.
fn sender(version: Version, qos: Qos) -> String {
    let begin: fn() -> (World, Pair) = match (version, qos) {
        (Version::V5, Qos::ExactlyOnce) => || begin(Version::V5, QOS2, Policy::default()),
        (Version::V5, _) => || begin(Version::V5, QOS1, Policy::default()),
        (_, Qos::ExactlyOnce) => || begin(Version::V3_1_1, QOS2, Policy::default()),
        _ => || begin(Version::V3_1_1, QOS1, Policy::default()),
    };
    let mut states: Vec<(&'static str, Way<Pair>)> =
        vec![("idle", |_, _| {}), ("PUBLISH is unacknowledged", message_is_due)];
    let mut inputs: Vec<(&'static str, Way<Pair>)> = vec![
        ("PUBACK", |w, pair| ack(w, pair, Packet::Puback, ReasonCode::SUCCESS)),
        ("PUBREC", |w, pair| ack(w, pair, Packet::Pubrec, ReasonCode::SUCCESS)),
        ("PUBCOMP", |w, pair| ack(w, pair, Packet::Pubcomp, ReasonCode::SUCCESS)),
        ("connection lost, resumed", resume),
        ("connection lost, session discarded", discard),
    ];
    if qos == Qos::ExactlyOnce {
        states.push(("PUBREL is unacknowledged", |w, pair| {
            message_is_due(w, pair);
            ack(w, pair, Packet::Pubrec, ReasonCode::SUCCESS);
        }));
    }
    if version == Version::V5 {
        inputs.push(("PUBACK 0x83", |w, pair| {
            ack(w, pair, Packet::Puback, ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR);
        }));
        inputs.push(("PUBREC 0x83", |w, pair| {
            ack(w, pair, Packet::Pubrec, ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR);
        }));
    }
    let title = match (version, qos) {
        (Version::V5, Qos::ExactlyOnce) => "5.0: the Server sends at QoS 2 (4.3.3)",
        (Version::V5, _) => "5.0: the Server sends at QoS 1 (4.3.2)",
        (_, Qos::ExactlyOnce) => "3.1.1: the Server sends at QoS 2 (4.3.3)",
        _ => "3.1.1: the Server sends at QoS 1 (4.3.2)",
    };
    let probe: fn(&mut World, &mut Pair) -> &'static str = |w, pair| {
        resume(w, pair);
        match w.all(pair.subject).as_slice() {
            [] => "idle",
            [Got::Publish { dup: true, .. }] => "PUBLISH is unacknowledged",
            [Got::Pubrel(..)] => "PUBREL is unacknowledged",
            other => panic!("no state of a sender: {other:?}"),
        }
    };
    Machine { title, begin, states, inputs, outputs, probe }.picture()
}

const ID: u16 = 9;

fn publish_again(w: &mut World, pair: &mut Pair, payload: &str, dup: bool) {
    let packet_id = Some(packet_id(ID));
    let publish =
        Publish { dup, qos: pair.qos, packet_id, ..Publish::new("from/subject", payload.as_bytes()) };
    w.send(pair.subject, &Packet::Publish(publish));
}

/// The Server as receiver, by one of its two methods at QoS 2.
fn receiver(version: Version, qos: Qos, method: Qos2Delivery) -> String {
    macro_rules! begin {
        ($version:expr, $qos:expr, $method:expr) => {
            || begin($version, $qos, Policy { qos2_delivery: $method, ..Policy::default() })
        };
    }
    use Qos2Delivery::{AtPublish, AtRelease};
    let (title, begin): (_, fn() -> (World, Pair)) = match (version, qos, method) {
        (Version::V5, Qos::ExactlyOnce, AtPublish) => (
            "5.0: the Server receives at QoS 2 and passes on at PUBLISH (4.3.3)",
            begin!(Version::V5, QOS2, AtPublish),
        ),
        (Version::V5, Qos::ExactlyOnce, AtRelease) => (
            "5.0: the Server receives at QoS 2 and passes on at PUBREL (4.3.3)",
            begin!(Version::V5, QOS2, AtRelease),
        ),
        (Version::V5, ..) => {
            ("5.0: the Server receives at QoS 1 (4.3.2)", begin!(Version::V5, QOS1, AtPublish))
        }
        (_, Qos::ExactlyOnce, AtPublish) => (
            "3.1.1: the Server receives at QoS 2 and passes on at PUBLISH (4.3.3, method B)",
            begin!(Version::V3_1_1, QOS2, AtPublish),
        ),
        (_, Qos::ExactlyOnce, AtRelease) => (
            "3.1.1: the Server receives at QoS 2 and passes on at PUBREL (4.3.3, method A)",
            begin!(Version::V3_1_1, QOS2, AtRelease),
        ),
        _ => ("3.1.1: the Server receives at QoS 1 (4.3.2)", begin!(Version::V3_1_1, QOS1, AtPublish)),
    };
    let mut states: Vec<(&'static str, Way<Pair>)> = vec![("idle", |_, _| {})];
    if qos == Qos::ExactlyOnce {
        states.push(("received", |w, pair| publish_again(w, pair, "m", false)));
    }
    let mut inputs: Vec<(&'static str, Way<Pair>)> = vec![
        ("PUBLISH \"m\"", |w, pair| publish_again(w, pair, "m", false)),
        ("PUBLISH \"m\" dup=1", |w, pair| publish_again(w, pair, "m", true)),
        ("connection lost, resumed", resume),
        ("connection lost, session discarded", discard),
    ];
    if qos == Qos::ExactlyOnce {
        inputs.insert(2, ("PUBREL", |w, pair| w.ack(pair.subject, Packet::Pubrel, ID, ReasonCode::SUCCESS)));
    }
    // A new message under the same identifier is passed on only if the identifier is free.
    let probe: fn(&mut World, &mut Pair) -> &'static str = |w, pair| {
        outputs(w, pair);
        publish_again(w, pair, "probe", false);
        w.ack(pair.subject, Packet::Pubrel, ID, ReasonCode::SUCCESS);
        let passed = outputs(w, pair).iter().any(|word| word == "passes \"probe\" on");
        if passed { "idle" } else { "received" }
    };
    Machine { title, begin, states, inputs, outputs, probe }.picture()
}

#[test]
fn the_server_as_sender() {
    let pictures: Vec<_> =
        BOTH.iter().flat_map(|&version| [QOS1, QOS2].map(|qos| sender(version, qos))).collect();
    snapshot("machine_sender", &pictures);
}

#[test]
fn the_server_as_receiver() {
    use Qos2Delivery::{AtPublish, AtRelease};
    let kinds = [(QOS1, AtPublish), (QOS2, AtPublish), (QOS2, AtRelease)];
    let pictures: Vec<_> =
        BOTH.iter().flat_map(|&version| kinds.map(|(qos, method)| receiver(version, qos, method))).collect();
    snapshot("machine_receiver", &pictures);
}
