//! Sessions: what survives a connection, in which order, and for how long.

mod common;

use common::*;
use mqtt_assay_codec::{Connect, Disconnect, Packet, Property, PropertyList, Publish, ReasonCode, Version};

fn expiry(seconds: u32) -> PropertyList {
    PropertyList::new().with(Property::SessionExpiryInterval(seconds))
}

#[test]
fn a_session_keeps_subscriptions_and_messages() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        let (b, present) = w.resume(version, "b");
        assert!(!present);
        w.subscribe(b, "t/+", QOS2);
        w.cut(b);
        for (payload, qos) in [("0", QOS0), ("1", QOS1), ("2", QOS2), ("3", QOS1)] {
            w.publish(a, "t/x", payload, qos);
        }
        let (b, present) = w.resume(version, "b");
        assert!(present);
        let expected = [message("t/x", "1", QOS1), message("t/x", "2", QOS2), message("t/x", "3", QOS1)];
        assert_eq!(w.messages(b), expected);
        w.publish(a, "t/y", "live", QOS1);
        assert_eq!(w.messages(b), [message("t/y", "live", QOS1)]);
    }
}

#[test]
fn clean_start_discards() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        let (b, _) = w.resume(version, "b");
        w.subscribe(b, "t", QOS1);
        w.cut(b);
        w.publish(a, "t", "x", QOS1);
        let (b, present) = w.connect_with(&Connect::new(version, "b"));
        assert!(!present);
        w.publish(a, "t", "y", QOS1);
        w.expect_nothing(b);
        // And that session ends with its connection.
        w.disconnect(b);
        assert!(!w.resume(version, "b").1);
    }
}

#[test]
fn unacknowledged_packets_are_sent_again_with_their_ids_in_order() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        let (b, _) = w.resume(version, "b");
        w.subscribe(b, "t", QOS2);
        for (payload, qos) in [("1", QOS1), ("2", QOS2), ("3", QOS2), ("4", QOS1), ("5", QOS2)] {
            w.publish(a, "t", payload, qos);
        }
        let ids: Vec<u16> = (0..5).map(|_| w.expect_publish(b).1).collect();
        // 1 is acknowledged, 3 is released and not completed.
        w.ack(b, Packet::Puback, ids[0], ReasonCode::SUCCESS);
        w.ack(b, Packet::Pubrec, ids[2], ReasonCode::SUCCESS);
        assert_eq!(w.all(b), [Got::Pubrel(ids[2], 0)]);
        w.cut(b);
        w.publish(a, "t", "6", QOS1);
        let (b, _) = w.resume(version, "b");
        assert_eq!(w.next(b), Some(Got::Pubrel(ids[2], 0)));
        assert_eq!(w.expect_publish(b).0, message("t", "2", QOS2).dup());
        let (four, id, _) = w.expect_publish(b);
        assert_eq!((four, id), (message("t", "4", QOS1).dup(), ids[3]));
        assert_eq!(w.expect_publish(b).0, message("t", "5", QOS2).dup());
        let (six, id, _) = w.expect_publish(b);
        assert_eq!(six, message("t", "6", QOS1));
        assert!(!ids[1..].contains(&id));
        w.expect_nothing(b);
    }
}

#[test]
fn a_received_qos_2_message_is_remembered_across_connections() {
    for version in BOTH {
        let mut w = World::new();
        let b = w.connect(version, "b");
        w.subscribe(b, "t", QOS2);
        let (a, _) = w.resume(version, "a");
        w.send(a, &Packet::Publish(publish("t", "x", QOS2)));
        w.cut(a);
        let (a, _) = w.resume(version, "a");
        w.send(a, &Packet::Publish(Publish { dup: true, ..publish("t", "x", QOS2) }));
        w.ack(a, Packet::Pubrel, 9, ReasonCode::SUCCESS);
        assert_eq!(w.all(a), [Got::Pubrec(9, 0), Got::Pubcomp(9, 0)]);
        assert_eq!(w.messages(b).len(), 1);
    }
}

#[test]
fn a_refused_delivery_is_not_sent_again() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let (b, _) = w.resume(Version::V5, "b");
    w.subscribe(b, "t", QOS2);
    w.publish(a, "t", "1", QOS1);
    w.publish(a, "t", "2", QOS2);
    let (one, two) = (w.expect_publish(b).1, w.expect_publish(b).1);
    w.ack(b, Packet::Puback, one, ReasonCode(0x80));
    w.ack(b, Packet::Pubrec, two, ReasonCode(0x83));
    w.expect_nothing(b);
    w.cut(b);
    let (b, _) = w.resume(Version::V5, "b");
    w.expect_nothing(b);
}

#[test]
fn sessions_end_when_their_interval_is_over() {
    let mut w = World::new();
    for (seconds, wait, expected) in [(0, 0.0, false), (2, 1.5, true), (2, 2.1, false), (u32::MAX, 1e9, true)]
    {
        let connect = |w: &mut World, clean_start| {
            let list = expiry(seconds);
            let properties = list.view();
            let (b, present) = w.connect_with(&Connect {
                properties,
                clean_start,
                keep_alive: 0,
                ..Connect::new(Version::V5, "b")
            });
            (b, present)
        };
        let (b, _) = connect(&mut w, true);
        w.wait(5.0);
        w.cut(b);
        w.wait(wait);
        assert_eq!(connect(&mut w, false).1, expected, "{seconds} {wait}");
    }
}

#[test]
fn disconnect_changes_the_interval_but_cannot_raise_it_from_0() {
    let goodbye = |w: &mut World, b: Client, seconds| {
        let list = expiry(seconds);
        w.send(b, &Packet::Disconnect(Disconnect { reason: ReasonCode::SUCCESS, properties: list.view() }));
    };
    let connect = |w: &mut World, seconds| {
        let list = expiry(seconds);
        w.connect_with(&Connect {
            properties: list.view(),
            clean_start: false,
            ..Connect::new(Version::V5, "b")
        })
    };
    let mut w = World::new();
    let (b, _) = connect(&mut w, 60);
    goodbye(&mut w, b, 0);
    assert_eq!(w.expect_close(b), None);
    let (b, present) = connect(&mut w, 1);
    assert!(!present);
    goodbye(&mut w, b, 60);
    w.wait(30.0);
    let (b, present) = connect(&mut w, 0);
    assert!(present);
    goodbye(&mut w, b, 60);
    assert_eq!(w.expect_close(b), Some(0x82));
}

#[test]
fn the_granted_interval_is_announced() {
    let policy = mqtt_assay_broker_model::Policy { max_session_expiry: 10, ..Default::default() };
    let mut w = World::with(policy);
    let list = expiry(60);
    let b = w.try_connect(&Connect { properties: list.view(), ..Connect::new(Version::V5, "b") });
    let Some(Got::Connack { properties, .. }) = w.next(b) else { panic!("no CONNACK") };
    assert_eq!(properties.view().session_expiry_interval(), Some(10));
}

#[test]
fn retained_messages_outlive_sessions() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        w.retain(a, "t", "x", QOS1);
        w.disconnect(a);
        let b = w.connect(version, "b");
        w.subscribe(b, "t", QOS1);
        assert_eq!(w.messages(b), [message("t", "x", QOS1).retain()]);
    }
}

#[test]
fn a_takeover_hands_the_session_on() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        let (old, _) = w.resume(version, "b");
        w.subscribe(old, "t", QOS1);
        w.publish(a, "t", "x", QOS1);
        let (_, id, _) = w.expect_publish(old);
        let (new, present) = w.resume(version, "b");
        assert!(present);
        let (shown, again, _) = w.expect_publish(new);
        assert_eq!((shown, again), (message("t", "x", QOS1).dup(), id));
    }
}

#[test]
fn the_queue_is_limited() {
    use mqtt_assay_broker_model::{Policy, QueueFull};
    for (queue_full, kept) in [(QueueFull::DropNewest, ["1", "2"]), (QueueFull::DropOldest, ["2", "3"])] {
        let mut w = World::with(Policy { max_queued_messages: 2, queue_full, ..Policy::default() });
        let a = w.connect(Version::V5, "a");
        let (b, _) = w.resume(Version::V5, "b");
        w.subscribe(b, "t", QOS1);
        w.cut(b);
        for payload in ["1", "2", "3"] {
            w.publish(a, "t", payload, QOS1);
        }
        let (b, _) = w.resume(Version::V5, "b");
        let payloads: Vec<String> = w.messages(b).into_iter().map(|shown| shown.payload).collect();
        assert_eq!(payloads, kept);
    }
}
