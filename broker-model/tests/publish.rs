//! Messages from Client to Client, QoS by QoS, on live connections.

mod common;

use common::*;
use mqtt_assay_codec::{Packet, Properties, Property, PropertyList, Publish, ReasonCode, Version};

#[test]
fn each_qos_arrives_at_the_lower_of_published_and_granted() {
    for version in BOTH {
        for published in [QOS0, QOS1, QOS2] {
            for granted in [QOS0, QOS1, QOS2] {
                let mut w = World::new();
                let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
                w.subscribe(b, "t", granted);
                assert_eq!(w.publish(a, "t", "x", published), 0);
                assert_eq!(w.messages(b), [message("t", "x", published.min(granted))]);
                w.expect_nothing(a);
            }
        }
    }
}

#[test]
fn a_repeated_qos_2_publish_is_delivered_once() {
    for version in BOTH {
        let mut w = World::new();
        let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
        w.subscribe(b, "t", QOS2);
        w.send(a, &Packet::Publish(publish("t", "x", QOS2)));
        w.send(a, &Packet::Publish(Publish { dup: true, ..publish("t", "x", QOS2) }));
        assert_eq!(w.all(a), [Got::Pubrec(9, 0), Got::Pubrec(9, 0)]);
        w.ack(a, Packet::Pubrel, 9, ReasonCode::SUCCESS);
        assert_eq!(w.all(a), [Got::Pubcomp(9, 0)]);
        assert_eq!(w.messages(b).len(), 1);
        // The id is free again: the next message is a new one, whatever DUP says.
        w.publish_packet(a, Publish { dup: true, ..publish("t", "y", QOS2) });
        assert_eq!(w.messages(b), [message("t", "y", QOS2)]);
    }
}

#[test]
fn pubrel_of_an_unknown_id_is_answered() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        w.ack(a, Packet::Pubrel, 5, ReasonCode::SUCCESS);
        let code = if version == Version::V5 { 0x92 } else { 0 };
        assert_eq!(w.all(a), [Got::Pubcomp(5, code)]);
    }
}

#[test]
fn pubrec_of_an_unknown_id_gets_pubrel_0x92_in_5() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    w.ack(a, Packet::Pubrec, 5, ReasonCode::SUCCESS);
    assert_eq!(w.all(a), [Got::Pubrel(5, 0x92)]);
}

#[test]
fn a_qos_1_id_is_free_after_puback() {
    for version in BOTH {
        let mut w = World::new();
        let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
        w.subscribe(b, "t", QOS1);
        w.publish(a, "t", "1", QOS1);
        w.publish_packet(a, Publish { dup: true, ..publish("t", "2", QOS1) });
        assert_eq!(w.messages(b), [message("t", "1", QOS1), message("t", "2", QOS1)]);
    }
}

#[test]
fn nobody_subscribes_is_told_in_5() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    assert_eq!(w.publish(a, "t", "x", QOS1), 0x10);
    assert_eq!(w.publish(a, "t", "x", QOS2), 0x10);
    w.subscribe(a, "t", QOS0);
    assert_eq!(w.publish_packet(a, publish("u", "x", QOS1)), 0x10);
}

#[test]
fn packet_ids_of_deliveries_are_distinct() {
    for version in BOTH {
        let mut w = World::new();
        let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
        w.subscribe(b, "t", QOS2);
        for _ in 0..20 {
            w.publish(a, "t", "x", QOS2);
        }
        let mut ids: Vec<u16> = (0..20).map(|_| w.expect_publish(b).1).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 20);
        assert!(!ids.contains(&0));
    }
}

#[test]
fn properties_travel_unaltered_and_in_order() {
    let mut w = World::new();
    let (a, b) = (w.connect(Version::V5, "a"), w.connect(Version::V5, "b"));
    let old = w.connect(Version::V3_1_1, "old");
    w.subscribe(b, "t", QOS1);
    w.subscribe(old, "t", QOS1);
    let properties = PropertyList::new()
        .with(Property::UserProperty(("k", "2")))
        .with(Property::ContentType("text"))
        .with(Property::CorrelationData(&[0, 1]))
        .with(Property::UserProperty(("k", "1")))
        .with(Property::ResponseTopic("r/t"))
        .with(Property::PayloadFormatIndicator(0))
        .with(Property::UserProperty(("k", "2")));
    w.publish_packet(a, Publish { properties: properties.view(), ..publish("t", "x", QOS1) });
    assert_eq!(w.expect_publish(b).2, properties);
    assert_eq!(w.expect_publish(old).2.view(), Properties::NONE);
}

#[test]
fn message_expiry_counts_down_and_drops() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let (b, _) = w.resume(Version::V5, "b");
    w.subscribe(b, "t", QOS1);
    let expiring = |seconds| PropertyList::new().with(Property::MessageExpiryInterval(seconds));
    let (long, short) = (expiring(100), expiring(1));
    w.publish_packet(a, Publish { properties: long.view(), ..publish("t", "live", QOS1) });
    assert_eq!(w.expect_publish(b).2, long);
    w.ack(b, Packet::Puback, 1, ReasonCode::SUCCESS);
    w.cut(b);
    w.publish_packet(a, Publish { properties: long.view(), ..publish("t", "long", QOS1) });
    w.publish_packet(a, Publish { properties: short.view(), ..publish("t", "short", QOS1) });
    w.wait(3.0);
    let (b, present) = w.resume(Version::V5, "b");
    assert!(present);
    let (shown, _, properties) = w.expect_publish(b);
    assert_eq!((shown.payload.as_str(), properties), ("long", expiring(97)));
    w.expect_nothing(b);
}

#[test]
fn denied_topics_are_refused_by_version() {
    let policy =
        mqtt_assay_broker_model::Policy { deny_publish: vec!["secret/#".into()], ..Default::default() };
    let mut w = World::with(policy);
    let (new, old) = (w.connect(Version::V5, "new"), w.connect(Version::V3_1_1, "old"));
    w.subscribe(old, "#", QOS2);
    assert_eq!(w.publish(new, "secret/x", "x", QOS1), 0x87);
    assert_eq!(w.publish(new, "secret/x", "x", QOS2), 0x87);
    // The id of a refused QoS 2 message is free at once.
    assert_eq!(w.publish(new, "open", "y", QOS2), 0);
    assert_eq!(w.messages(old), [message("open", "y", QOS2)]);
    assert_eq!(w.publish(old, "secret", "x", QOS1), 0);
    w.expect_nothing(old);
}

#[test]
fn method_a_delivers_at_the_pubrel() {
    let policy = mqtt_assay_broker_model::Policy {
        qos2_delivery: mqtt_assay_broker_model::Qos2Delivery::AtRelease,
        ..Default::default()
    };
    let mut w = World::with(policy);
    let (a, b) = (w.connect(Version::V5, "a"), w.connect(Version::V5, "b"));
    w.subscribe(b, "t", QOS2);
    w.send(a, &Packet::Publish(publish("t", "x", QOS2)));
    assert_eq!(w.all(a), [Got::Pubrec(9, 0)]);
    w.expect_nothing(b);
    w.ack(a, Packet::Pubrel, 9, ReasonCode::SUCCESS);
    assert_eq!(w.messages(b), [message("t", "x", QOS2)]);
}
