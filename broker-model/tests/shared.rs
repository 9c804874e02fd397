//! Shared Subscriptions, 5.0.

mod common;

use common::*;
use mqtt_assay_codec::{Connect, Packet, ReasonCode, Version};

const V5: Version = Version::V5;

fn payloads(w: &mut World, client: Client) -> Vec<String> {
    w.messages(client).into_iter().map(|shown| shown.payload).collect()
}

#[test]
fn each_message_goes_to_one_member_in_turn() {
    let mut w = World::new();
    let p = w.connect(V5, "p");
    let members = ["a", "b", "c"].map(|id| w.connect(V5, id));
    for member in members {
        w.subscribe(member, "$share/g/t/+", QOS1);
    }
    // Another share and a plain subscription get their own copies.
    let (other, plain) = (w.connect(V5, "other"), w.connect(V5, "plain"));
    w.subscribe(other, "$share/h/t/+", QOS1);
    w.subscribe(plain, "t/x", QOS1);
    for payload in ["0", "1", "2", "3", "4", "5"] {
        w.publish(p, "t/x", payload, QOS1);
    }
    let shares = members.map(|member| payloads(&mut w, member));
    assert_eq!(shares, [["0", "3"], ["1", "4"], ["2", "5"]]);
    assert_eq!(payloads(&mut w, other).len(), 6);
    assert_eq!(payloads(&mut w, plain).len(), 6);
}

#[test]
fn members_have_their_own_qos_and_identifier() {
    let mut w = World::new();
    let p = w.connect(V5, "p");
    let (a, b) = (w.connect(V5, "a"), w.connect(V5, "b"));
    w.subscribe_identified(a, "$share/g/t", QOS0, 1);
    w.subscribe_identified(b, "$share/g/t", QOS2, 2);
    w.publish(p, "t", "1", QOS2);
    w.publish(p, "t", "2", QOS2);
    for (client, qos, identifier) in [(a, QOS0, 1), (b, QOS2, 2)] {
        let (shown, _, properties) = w.expect_publish(client);
        assert_eq!(shown.qos, qos);
        assert_eq!(properties.view().subscription_identifier(), Some(identifier));
    }
}

#[test]
fn a_share_survives_its_first_member_and_ends_with_its_last() {
    let mut w = World::new();
    let p = w.connect(V5, "p");
    let (a, b) = (w.connect(V5, "a"), w.connect(V5, "b"));
    w.subscribe(a, "$share/g/t", QOS1);
    w.subscribe(a, "$share/g/t", QOS1);
    w.subscribe(b, "$share/g/t", QOS1);
    assert_eq!(w.unsubscribe(a, "t"), [0x11]);
    assert_eq!(w.unsubscribe(a, "$share/g/t"), [0]);
    w.publish(p, "t", "1", QOS1);
    assert_eq!(payloads(&mut w, b), ["1"]);
    w.expect_nothing(a);
    w.disconnect(b);
    assert_eq!(w.publish(p, "t", "2", QOS1), 0x10);
}

#[test]
fn members_that_are_away_are_passed_over() {
    let mut w = World::new();
    let p = w.connect(V5, "p");
    let (a, _) = w.resume(V5, "a");
    let (b, _) = w.resume(V5, "b");
    w.subscribe(a, "$share/g/t", QOS1);
    w.subscribe(b, "$share/g/t", QOS1);
    w.cut(a);
    w.publish(p, "t", "1", QOS1);
    w.publish(p, "t", "2", QOS1);
    assert_eq!(payloads(&mut w, b), ["1", "2"]);
    w.cut(b);
    w.publish(p, "t", "3", QOS1);
    w.publish(p, "t", "4", QOS1);
    let (a, b) = (w.resume(V5, "a").0, w.resume(V5, "b").0);
    let mut both = payloads(&mut w, a);
    both.extend(payloads(&mut w, b));
    both.sort();
    assert_eq!(both, ["3", "4"]);
}

#[test]
fn what_a_lost_member_left_goes_to_the_others_but_not_started_qos_2() {
    let mut w = World::new();
    let p = w.connect(V5, "p");
    let (a, b) = (w.connect(V5, "a"), w.connect(V5, "b"));
    w.subscribe(a, "$share/g/t", QOS2);
    w.publish(p, "t", "one", QOS1);
    w.publish(p, "t", "two", QOS2);
    w.subscribe(b, "$share/g/t", QOS2);
    assert_eq!(w.all(a).len(), 2);
    // The session of `a` ends with its connection.
    w.cut(a);
    assert_eq!(payloads(&mut w, b), ["one"]);
}

#[test]
fn a_started_qos_2_delivery_is_completed_to_its_member() {
    let mut w = World::new();
    let p = w.connect(V5, "p");
    let (a, _) = w.resume(V5, "a");
    let b = w.connect(V5, "b");
    w.subscribe(a, "$share/g/t", QOS2);
    w.publish(p, "t", "x", QOS2);
    w.subscribe(b, "$share/g/t", QOS2);
    let (_, id, _) = w.expect_publish(a);
    w.cut(a);
    w.expect_nothing(b);
    let (a, _) = w.resume(V5, "a");
    let (shown, again, _) = w.expect_publish(a);
    assert_eq!((shown, again), (message("t", "x", QOS2).dup(), id));
    // And if the session ends instead, nobody gets it.
    w.connect_with(&Connect::new(V5, "a"));
    w.expect_nothing(b);
}

#[test]
fn what_a_member_refuses_is_discarded() {
    let mut w = World::new();
    let p = w.connect(V5, "p");
    let (a, b) = (w.connect(V5, "a"), w.connect(V5, "b"));
    w.subscribe(a, "$share/g/t", QOS2);
    w.publish(p, "t", "1", QOS1);
    w.publish(p, "t", "2", QOS2);
    w.subscribe(b, "$share/g/t", QOS2);
    let (one, two) = (w.expect_publish(a).1, w.expect_publish(a).1);
    w.ack(a, Packet::Puback, one, ReasonCode(0x83));
    w.ack(a, Packet::Pubrec, two, ReasonCode(0x83));
    w.cut(a);
    w.expect_nothing(b);
}

#[test]
fn a_share_of_everything_excludes_dollar_topics() {
    let mut w = World::new();
    let a = w.connect(V5, "a");
    w.subscribe(a, "$share/g/#", QOS0);
    w.publish(a, "$x", "no", QOS0);
    w.publish(a, "x", "yes", QOS0);
    assert_eq!(payloads(&mut w, a), ["yes"]);
}
