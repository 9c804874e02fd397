//! Retained messages.

mod common;

use common::*;
use mqtt_assay_codec::{
    Properties, Property, PropertyList, Publish, RetainHandling, SubscriptionOptions, Version,
};

#[test]
fn the_last_one_reaches_new_subscriptions_with_retain() {
    for version in BOTH {
        let mut w = World::new();
        let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
        w.retain(a, "t/x", "old", QOS1);
        w.retain(a, "t/x", "new", QOS0);
        w.retain(a, "t/y", "y", QOS2);
        w.subscribe(b, "t/#", QOS1);
        let expected = [message("t/x", "new", QOS0).retain(), message("t/y", "y", QOS1).retain()];
        assert_eq!(w.messages(b), expected);
        // The same filter again: they come again. Then live, without the flag.
        w.subscribe(b, "t/#", QOS1);
        assert_eq!(w.messages(b).len(), 2);
        w.retain(a, "t/x", "live", QOS1);
        assert_eq!(w.messages(b), [message("t/x", "live", QOS1)]);
    }
}

#[test]
fn an_empty_one_is_delivered_and_removes() {
    for version in BOTH {
        let mut w = World::new();
        let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
        w.retain(a, "t", "x", QOS1);
        w.subscribe(b, "#", QOS1);
        assert_eq!(w.messages(b).len(), 1);
        w.publish(a, "t", "not retained", QOS1);
        w.publish(a, "t", "", QOS1);
        w.retain(a, "t", "", QOS1);
        w.retain(a, "u", "", QOS1);
        assert_eq!(w.messages(b).len(), 4);
        let c = w.connect(version, "c");
        w.subscribe(c, "#", QOS1);
        w.expect_nothing(c);
    }
}

#[test]
fn a_message_without_retain_leaves_it_alone() {
    for version in BOTH {
        let mut w = World::new();
        let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
        w.retain(a, "t", "kept", QOS1);
        w.publish(a, "t", "other", QOS1);
        w.publish(a, "t", "", QOS1);
        w.subscribe(b, "t", QOS1);
        assert_eq!(w.messages(b), [message("t", "kept", QOS1).retain()]);
    }
}

#[test]
fn retain_handling() {
    for (retain_handling, first, again) in
        [(RetainHandling::Send, 1, 1), (RetainHandling::SendIfNew, 1, 0), (RetainHandling::DoNotSend, 0, 0)]
    {
        let mut w = World::new();
        let (a, b) = (w.connect(Version::V5, "a"), w.connect(Version::V5, "b"));
        w.retain(a, "t", "x", QOS1);
        let options = SubscriptionOptions { retain_handling, ..SubscriptionOptions::qos(QOS1) };
        w.subscribe_with(b, "t", options, Properties::NONE);
        assert_eq!(w.messages(b).len(), first);
        w.subscribe_with(b, "t", options, Properties::NONE);
        assert_eq!(w.messages(b).len(), again);
        w.unsubscribe(b, "t");
        w.subscribe_with(b, "t", options, Properties::NONE);
        assert_eq!(w.messages(b).len(), first);
    }
}

#[test]
fn retain_as_published() {
    let mut w = World::new();
    let (a, b) = (w.connect(Version::V5, "a"), w.connect(Version::V5, "b"));
    let options = SubscriptionOptions { retain_as_published: true, ..SubscriptionOptions::qos(QOS1) };
    w.subscribe_with(b, "t", options, Properties::NONE);
    w.retain(a, "t", "1", QOS1);
    w.publish(a, "t", "2", QOS1);
    assert_eq!(w.messages(b), [message("t", "1", QOS1).retain(), message("t", "2", QOS1)]);
}

#[test]
fn it_expires_and_tells_what_is_left() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    let expiry = PropertyList::new().with(Property::MessageExpiryInterval(10));
    let retained = Publish { retain: true, properties: expiry.view(), ..publish("t", "x", QOS1) };
    w.publish_packet(a, retained);
    w.wait(4.0);
    let b = w.connect(Version::V5, "b");
    w.subscribe(b, "t", QOS0);
    assert_eq!(w.expect_publish(b).2.view().message_expiry_interval(), Some(6));
    w.wait(6.0);
    w.subscribe(b, "t", QOS0);
    w.expect_nothing(b);
}

#[test]
fn shared_subscriptions_get_none() {
    let mut w = World::new();
    let (a, b) = (w.connect(Version::V5, "a"), w.connect(Version::V5, "b"));
    w.retain(a, "t", "x", QOS1);
    w.subscribe(b, "$share/g/t", QOS1);
    w.expect_nothing(b);
}

#[test]
fn their_number_is_limited() {
    let policy = mqtt_assay_broker_model::Policy { max_retained_messages: 1, ..Default::default() };
    let mut w = World::with(policy);
    let a = w.connect(Version::V5, "a");
    w.retain(a, "t", "1", QOS1);
    assert_eq!(w.retain(a, "u", "x", QOS1), 0x97);
    assert_eq!(w.retain(a, "t", "2", QOS1), 0x10);
}

#[test]
fn without_retain_the_flag_is_an_error_in_5() {
    let policy = || mqtt_assay_broker_model::Policy { retain_available: false, ..Default::default() };
    let mut w = World::with(policy());
    let a = w.connect(Version::V5, "a");
    w.send(a, &mqtt_assay_codec::Packet::Publish(Publish { retain: true, ..publish("t", "x", QOS0) }));
    assert_eq!(w.expect_close(a), Some(0x9A));
    let a = w.connect(Version::V3_1_1, "a");
    w.retain(a, "t", "x", QOS1);
    w.subscribe(a, "t", QOS1);
    w.expect_nothing(a);
}
