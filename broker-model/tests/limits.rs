//! Receive Maximum, Maximum Packet Size, Topic Alias, Request Problem Information: 5.0.

mod common;

use common::*;
use mqtt_assay_broker_model::Policy;
use mqtt_assay_codec::{Connect, Packet, PacketId, Property, PropertyList, Publish, ReasonCode, Version};

fn connect(w: &mut World, client_id: &str, clean_start: bool, properties: &[Property<'_>]) -> Client {
    let mut list: PropertyList = properties.iter().copied().collect();
    list.push(Property::SessionExpiryInterval(u32::MAX));
    let connect = Connect { clean_start, properties: list.view(), ..Connect::new(Version::V5, client_id) };
    w.connect_with(&connect).0
}

#[test]
fn the_clients_receive_maximum_is_kept_and_blocks_nothing_else() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let b = connect(&mut w, "b", true, &[Property::ReceiveMaximum(2)]);
    w.subscribe(b, "t", QOS2);
    for payload in ["1", "2", "3", "4"] {
        w.publish(a, "t", payload, QOS2);
    }
    let (one, two) = (w.expect_publish(b).1, w.expect_publish(b).1);
    w.expect_nothing(b);
    w.send(b, &Packet::Pingreq);
    assert_eq!(w.all(b), [Got::Pingresp]);
    // PUBREC leaves the quota as it is, PUBCOMP and a refusal raise it.
    w.ack(b, Packet::Pubrec, one, ReasonCode::SUCCESS);
    assert_eq!(w.all(b), [Got::Pubrel(one, 0)]);
    w.ack(b, Packet::Pubcomp, one, ReasonCode::SUCCESS);
    assert_eq!(w.expect_publish(b).0.payload, "3");
    w.ack(b, Packet::Pubrec, two, ReasonCode(0x80));
    assert_eq!(w.expect_publish(b).0.payload, "4");
    // Acknowledgements of nothing raise nothing.
    w.publish(a, "t", "5", QOS1);
    w.ack(b, Packet::Puback, 999, ReasonCode::SUCCESS);
    w.ack(b, Packet::Pubcomp, one, ReasonCode::SUCCESS);
    w.expect_nothing(b);
}

#[test]
fn a_smaller_receive_maximum_holds_back_what_is_sent_again() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let b = connect(&mut w, "b", true, &[]);
    w.subscribe(b, "t", QOS1);
    for payload in ["1", "2", "3"] {
        w.publish(a, "t", payload, QOS1);
    }
    assert_eq!(w.all(b).len(), 3);
    w.cut(b);
    let b = connect(&mut w, "b", false, &[Property::ReceiveMaximum(1)]);
    for payload in ["1", "2", "3"] {
        let (shown, id, _) = w.expect_publish(b);
        assert_eq!(shown, message("t", payload, QOS1).dup());
        w.expect_nothing(b);
        w.acknowledge(b, QOS1, id);
    }
}

#[test]
fn what_waits_for_the_quota_expires() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let b = connect(&mut w, "b", true, &[Property::ReceiveMaximum(1)]);
    w.subscribe(b, "t", QOS1);
    let expiry = PropertyList::new().with(Property::MessageExpiryInterval(1));
    w.publish(a, "t", "1", QOS1);
    w.publish_packet(a, Publish { properties: expiry.view(), ..publish("t", "2", QOS1) });
    w.publish(a, "t", "3", QOS1);
    let (_, id, _) = w.expect_publish(b);
    w.wait(2.0);
    w.acknowledge(b, QOS1, id);
    assert_eq!(w.expect_publish(b).0.payload, "3");
}

#[test]
fn the_servers_receive_maximum_is_enforced() {
    let mut w = World::with(Policy { receive_maximum: 2, ..Policy::default() });
    let a = w.connect(Version::V5, "a");
    let send = |w: &mut World, id: u16, qos| {
        let packet_id = PacketId::new(id);
        w.send(a, &Packet::Publish(Publish { packet_id, ..publish("t", "x", qos) }));
    };
    send(&mut w, 1, QOS2);
    send(&mut w, 2, QOS2);
    send(&mut w, 2, QOS2);
    w.ack(a, Packet::Pubrel, 1, ReasonCode::SUCCESS);
    send(&mut w, 3, QOS1);
    assert_eq!(w.all(a).len(), 5);
    send(&mut w, 4, QOS2);
    assert!(matches!(w.next(a), Some(Got::Pubrec(4, _))));
    send(&mut w, 5, QOS1);
    assert_eq!(w.expect_close(a), Some(0x93));
}

#[test]
fn a_message_too_large_for_the_client_is_passed_over() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let b = connect(&mut w, "b", true, &[Property::MaximumPacketSize(40), Property::ReceiveMaximum(1)]);
    w.subscribe(b, "t", QOS2);
    // Fixed header 2, topic 3, id 2, Property Length 1: 32 bytes of payload are left.
    let (fits, exceeds) = ("x".repeat(32), "x".repeat(33));
    w.publish(a, "t", &exceeds, QOS1);
    w.publish(a, "t", &exceeds, QOS2);
    w.publish(a, "t", &fits, QOS1);
    let (shown, id, _) = w.expect_publish(b);
    assert_eq!(shown.payload, fits);
    w.acknowledge(b, QOS1, id);
    w.cut(b);
    w.publish(a, "t", &exceeds, QOS1);
    let b = connect(&mut w, "b", false, &[]);
    // What was passed over before does not come back; what waited is measured now.
    assert_eq!(w.messages(b), [message("t", &exceeds, QOS1)]);
}

#[test]
fn the_servers_maximum_packet_size_is_enforced_from_the_header() {
    let mut w = World::with(Policy { max_packet_size: 100, ..Policy::default() });
    let a = w.connect(Version::V5, "a");
    w.bytes(a, b"\x30\x63");
    assert_eq!(w.expect_close(a), Some(0x95));
    let old = w.connect(Version::V3_1_1, "old");
    w.bytes(old, b"\x30\x63");
    assert_eq!(w.expect_close(old), None);
}

#[test]
fn a_reason_string_gives_way_to_the_maximum_packet_size() {
    for (maximum, explained) in [(100, true), (10, false)] {
        let mut w = World::with(Policy { deny_publish: vec!["t".into()], ..Policy::default() });
        let a = connect(&mut w, "a", true, &[Property::MaximumPacketSize(maximum)]);
        w.publish(a, "t", "x", QOS1);
        assert_eq!(w.sent[&a.id].last().is_some_and(|length| *length > 5), explained);
    }
}

#[test]
fn an_answer_that_cannot_fit_ends_the_connection() {
    let mut w = World::new();
    let a = connect(&mut w, "a", true, &[Property::MaximumPacketSize(6)]);
    let list = mqtt_assay_codec::SubscriptionList::one("t", Default::default());
    let mut two = list.clone();
    two.push("u", Default::default());
    let (properties, subscriptions) = (mqtt_assay_codec::Properties::NONE, two.view());
    let packet_id = packet_id(1);
    w.send(a, &Packet::Subscribe(mqtt_assay_codec::Subscribe { packet_id, properties, subscriptions }));
    assert_eq!(w.expect_close(a), Some(0x95));
}

#[test]
fn problem_information_is_left_out_on_request() {
    for (wanted, length) in [(true, 5), (false, 5)] {
        let mut w = World::with(Policy { deny_publish: vec!["t".into()], ..Policy::default() });
        let a = connect(&mut w, "a", true, &[Property::RequestProblemInformation(wanted)]);
        w.publish(a, "t", "x", QOS1);
        let sent = *w.sent[&a.id].last().expect("a PUBACK");
        assert_eq!(sent > length, wanted);
    }
}

#[test]
fn incoming_aliases() {
    let mut w = World::new();
    let (a, b) = (w.connect(Version::V5, "a"), w.connect(Version::V5, "b"));
    w.subscribe(b, "#", QOS0);
    let alias = |w: &mut World, topic, alias| {
        let list = PropertyList::new().with(Property::TopicAlias(alias));
        w.send(a, &Packet::Publish(Publish { properties: list.view(), ..Publish::new(topic, b"x") }));
    };
    for (topic, number) in [("t", 1), ("", 1), ("u", 1), ("", 1), ("v", 16)] {
        alias(&mut w, topic, number);
    }
    let topics: Vec<String> = w.messages(b).into_iter().map(|shown| shown.topic).collect();
    assert_eq!(topics, ["t", "t", "u", "u", "v"]);
    alias(&mut w, "t", 17);
    assert_eq!(w.expect_close(a), Some(0x94));
}

#[test]
fn an_alias_is_not_carried_to_the_next_connection() {
    let mut w = World::new();
    let list = PropertyList::new().with(Property::TopicAlias(1));
    let (a, _) = w.resume(Version::V5, "a");
    w.send(a, &Packet::Publish(Publish { properties: list.view(), ..Publish::new("t", b"x") }));
    w.cut(a);
    let (a, _) = w.resume(Version::V5, "a");
    w.send(a, &Packet::Publish(Publish { properties: list.view(), ..Publish::new("", b"x") }));
    assert_eq!(w.expect_close(a), Some(0x82));
}

#[test]
fn outgoing_aliases_keep_to_the_clients_maximum() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let b = connect(&mut w, "b", true, &[Property::TopicAliasMaximum(2)]);
    let c = w.connect(Version::V5, "c");
    w.subscribe(b, "#", QOS0);
    w.subscribe(c, "#", QOS0);
    for topic in ["t", "u", "v", "t", "u", "v"] {
        w.publish(a, topic, "x", QOS0);
    }
    let seen: Vec<(String, Option<u16>)> = (0..6)
        .map(|_| w.expect_publish(b))
        .map(|(shown, _, properties)| (shown.topic, properties.view().topic_alias()))
        .collect();
    let expected = [("t", Some(1)), ("u", Some(2)), ("v", None), ("", Some(1)), ("", Some(2)), ("v", None)];
    assert_eq!(seen, expected.map(|(topic, alias)| (topic.to_owned(), alias)));
    assert!((0..6).all(|_| w.expect_publish(c).2.view().topic_alias().is_none()));
}
