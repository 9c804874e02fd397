//! Subscriptions: granted, replaced, overlapping, removed; topics and wildcards.

mod common;

use common::*;
use mqtt_assay_broker_model::{Overlap, Policy};
use mqtt_assay_codec::{
    Packet, Properties, Property, PropertyList, Qos, Subscribe, SubscriptionList, SubscriptionOptions,
    TopicFilterList, Unsubscribe, Version,
};

fn identifiers(properties: &PropertyList) -> Vec<u32> {
    let mut found: Vec<u32> = properties.view().subscription_identifiers().collect();
    found.sort_unstable();
    found
}

#[test]
fn one_suback_answers_all_filters_in_order() {
    for version in BOTH {
        let mut w = World::with(Policy { deny_subscribe: vec!["no".into()], ..Policy::default() });
        let a = w.connect(version, "a");
        let mut list = SubscriptionList::new();
        for (filter, qos) in [("x", QOS2), ("no", QOS1), ("y", QOS0), ("x", QOS1)] {
            list.push(filter, SubscriptionOptions::qos(qos));
        }
        let (properties, subscriptions) = (Properties::NONE, list.view());
        w.send(a, &Packet::Subscribe(Subscribe { packet_id: packet_id(300), properties, subscriptions }));
        let refused = if version == Version::V5 { 0x87 } else { 0x80 };
        assert_eq!(w.all(a), [Got::Suback(300, vec![2, refused, 0, 1])]);
        // The later options count.
        w.publish(a, "x", "1", QOS2);
        assert_eq!(w.messages(a), [message("x", "1", QOS1)]);
        w.publish(a, "no", "1", QOS1);
        w.expect_nothing(a);
    }
}

#[test]
fn unsubscribe_compares_character_by_character() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        w.subscribe(a, "t/+", QOS1);
        w.subscribe(a, "t/a", QOS1);
        let mut list = TopicFilterList::new();
        list.push("t/#").push("T/a").push("t/+").push("t/+");
        let (properties, filters) = (Properties::NONE, list.view());
        w.send(a, &Packet::Unsubscribe(Unsubscribe { packet_id: packet_id(5), properties, filters }));
        let codes = if version == Version::V5 { vec![0x11, 0x11, 0, 0x11] } else { vec![] };
        assert_eq!(w.all(a), [Got::Unsuback(5, codes)]);
        w.publish(a, "t/b", "gone", QOS1);
        w.publish(a, "t/a", "here", QOS1);
        assert_eq!(w.messages(a), [message("t/a", "here", QOS1)]);
    }
}

#[test]
fn started_deliveries_are_completed_after_unsubscribe() {
    for version in BOTH {
        let mut w = World::new();
        let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
        w.subscribe(b, "t", QOS2);
        w.publish(a, "t", "x", QOS2);
        let (_, id, _) = w.expect_publish(b);
        w.unsubscribe(b, "t");
        w.ack(b, Packet::Pubrec, id, mqtt_assay_codec::ReasonCode::SUCCESS);
        assert_eq!(w.all(b), [Got::Pubrel(id, 0)]);
    }
}

#[test]
fn overlapping_subscriptions_give_one_copy_at_the_highest_qos() {
    for version in BOTH {
        let mut w = World::new();
        let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
        for (filter, qos) in [("t/+", QOS0), ("t/#", QOS2), ("t/a", QOS1)] {
            w.subscribe(b, filter, qos);
        }
        w.publish(a, "t/a", "x", QOS2);
        assert_eq!(w.messages(b), [message("t/a", "x", QOS2)]);
    }
}

#[test]
fn or_a_copy_for_each() {
    let mut w = World::with(Policy { overlap: Overlap::CopyPerSubscription, ..Policy::default() });
    let (a, b) = (w.connect(Version::V5, "a"), w.connect(Version::V5, "b"));
    w.subscribe_identified(b, "t/+", QOS0, 1);
    w.subscribe_identified(b, "t/#", QOS2, 2);
    w.publish(a, "t/a", "x", QOS1);
    let (one, two) = (w.expect_publish(b), w.expect_publish(b));
    let mut copies = [(one.0.qos, identifiers(&one.2)), (two.0.qos, identifiers(&two.2))];
    copies.sort();
    assert_eq!(copies, [(QOS0, vec![1]), (QOS1, vec![2])]);
}

#[test]
fn subscription_identifiers_go_with_the_message_and_with_the_session() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let (b, _) = w.resume(Version::V5, "b");
    w.subscribe_identified(b, "t/+", QOS1, 7);
    w.subscribe_identified(b, "t/#", QOS1, 268_435_455);
    w.subscribe(b, "+/a", QOS1);
    w.cut(b);
    w.publish(a, "t/a", "x", QOS1);
    let (b, _) = w.resume(Version::V5, "b");
    let (_, id, properties) = w.expect_publish(b);
    assert_eq!(identifiers(&properties), [7, 268_435_455]);
    w.acknowledge(b, QOS1, id);
    // Replaced without an identifier: it has none.
    w.subscribe(b, "t/+", QOS1);
    w.unsubscribe(b, "t/#");
    w.publish(a, "t/a", "x", QOS1);
    assert!(identifiers(&w.expect_publish(b).2).is_empty());
}

#[test]
fn no_local_keeps_own_messages_away() {
    let mut w = World::new();
    let (a, _) = w.resume(Version::V5, "a");
    let b = w.connect(Version::V5, "b");
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::qos(QOS1) };
    w.subscribe_with(a, "t", options, Properties::NONE);
    w.publish(a, "t", "own", QOS1);
    w.publish(b, "t", "other", QOS1);
    assert_eq!(w.messages(a), [message("t", "other", QOS1)]);
    w.cut(a);
    let (a, _) = w.resume(Version::V5, "a");
    w.publish(a, "t", "own", QOS1);
    w.expect_nothing(a);
}

#[test]
fn wildcards() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        for (filter, topics) in [
            ("#", &["a", "/", "a/b", "//"][..]),
            ("+", &["a", "sport"]),
            ("+/+", &["/", "a/b", "sport/"]),
            ("/+", &["/", "/a"]),
            ("sport/#", &["sport", "sport/", "sport/a/b"]),
            ("sport/+", &["sport/"]),
            ("$x/#", &["$x/y", "$x"]),
            ("$x/+", &["$x/y"]),
        ] {
            w.subscribe(a, filter, QOS0);
            for topic in ["a", "/", "a/b", "//", "sport", "sport/", "sport/a/b", "/a", "$x/y", "$x"] {
                w.publish(a, topic, "x", QOS0);
                let expected: &[Shown] = if topics.contains(&topic)
                    || filter == "#" && !topic.starts_with('$')
                    || filter == "+" && !topic.contains(['/', '$'])
                    || filter == "+/+" && topic == "/a"
                {
                    &[message(topic, "x", QOS0)]
                } else {
                    &[]
                };
                assert_eq!(w.messages(a), expected, "{filter} {topic}");
            }
            w.unsubscribe(a, filter);
        }
    }
}

#[test]
fn topics_are_compared_byte_for_byte() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        w.subscribe(a, "\u{FEFF}a", QOS0);
        w.subscribe(a, "\u{E5}", QOS0);
        for topic in ["a", "\u{FEFF}A", "a\u{30A}", "\u{FEFF}a/"] {
            w.publish(a, topic, "x", QOS0);
        }
        w.expect_nothing(a);
        w.publish(a, "\u{FEFF}a", "x", QOS0);
        w.publish(a, "\u{E5}", "x", QOS0);
        assert_eq!(w.messages(a).len(), 2);
    }
}

#[test]
fn what_is_not_available_is_refused_by_version() {
    let policy = || Policy {
        wildcard_subscription_available: false,
        shared_subscription_available: false,
        subscription_identifier_available: false,
        max_qos: Qos::AtLeastOnce,
        ..Policy::default()
    };
    for (filter, identifier, code) in [("a/+", None, 0xA2), ("$share/g/a", None, 0x9E), ("a", Some(1), 0xA1)]
    {
        let mut w = World::with(policy());
        let a = w.connect(Version::V5, "a");
        let properties: PropertyList = identifier.map(Property::SubscriptionIdentifier).into_iter().collect();
        let list = SubscriptionList::one(filter, SubscriptionOptions::qos(QOS1));
        let (properties, subscriptions) = (properties.view(), list.view());
        w.send(a, &Packet::Subscribe(Subscribe { packet_id: packet_id(5), properties, subscriptions }));
        assert_eq!(w.expect_close(a), Some(code));
    }
    let mut w = World::with(policy());
    let old = w.connect(Version::V3_1_1, "old");
    let any = SubscriptionOptions::qos(QOS2);
    assert_eq!(w.subscribe_with(old, "a/#", any, Properties::NONE), [0x80]);
    // Maximum QoS limits what is granted and refuses nothing.
    assert_eq!(w.subscribe_with(old, "a", any, Properties::NONE), [1]);
}

#[test]
fn subscriptions_are_limited() {
    let mut w = World::with(Policy { max_subscriptions: 1, max_filter_levels: 3, ..Policy::default() });
    let a = w.connect(Version::V5, "a");
    w.subscribe(a, "a", QOS1);
    let any = SubscriptionOptions::qos(QOS1);
    assert_eq!(w.subscribe_with(a, "b", any, Properties::NONE), [0x97]);
    assert_eq!(w.subscribe_with(a, "a", any, Properties::NONE), [1]);
    w.unsubscribe(a, "a");
    assert_eq!(w.subscribe_with(a, "a/b/c/d", any, Properties::NONE), [0x97]);
}

#[test]
fn shared_filters_are_ordinary_in_3_1_1() {
    let mut w = World::new();
    let a = w.connect(Version::V3_1_1, "a");
    w.subscribe(a, "$share/g/t", QOS0);
    w.publish(a, "t", "x", QOS0);
    w.expect_nothing(a);
    w.publish(a, "$share/g/t", "x", QOS0);
    assert_eq!(w.messages(a).len(), 1);
}
