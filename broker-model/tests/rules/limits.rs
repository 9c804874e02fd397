//! Limits: Receive Maximum, Maximum Packet Size, Topic Aliases, Keep Alive, and what the Server has announced.

use super::support::*;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::history::{ClientNo, How};
use mqtt_assay_broker_model::script::{Action, Connect, Send};
use mqtt_assay_codec::{Property, PropertyList, Qos, ReasonCode, Version};

fn limited(version: Version, property: Property<'_>) -> Connect {
    let mut connect = resuming(version);
    if version == Version::V5 {
        connect.properties.push(property);
    }
    connect
}

fn narrow(version: Version) -> Story {
    let mut story = Story::new(version);
    let a = story.client("a");
    let b = story.client_with("b", |client| {
        client.connect = limited(version, Property::ReceiveMaximum(2));
        client.acknowledges = false;
    });
    story.subscribe(b, "t", Qos::ExactlyOnce);
    for payload in ["1", "2", "3", "4", "5"] {
        story.publish(a, "t", payload, Qos::ExactlyOnce).settle(a);
    }
    story.wait(0.5);
    // PUBREC and PUBCOMP in turns.
    for _ in 0..8 {
        story.act(b, Action::Acknowledge(ReasonCode::SUCCESS)).wait(0.5);
    }
    story.patience();
    story
}

#[test]
fn no_more_than_receive_maximum_is_under_way() {
    sound(narrow);
    catches("receive_maximum", Mutant::ReceiveMaximumIgnored, narrow);
    catches("receive_maximum", Mutant::QuotaReturnedAtPubrec, narrow);
    let narrower = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let b = story.silent_resumer("b");
        story.subscribe(b, "t", Qos::AtLeastOnce);
        for payload in ["1", "2", "3"] {
            story.publish(a, "t", payload, Qos::AtLeastOnce).settle(a);
        }
        story.wait(0.5).cut(b, How::Reset);
        story.connect_with(b, limited(version, Property::ReceiveMaximum(1))).patience();
        story
    };
    sound(narrower);
    catches("receive_maximum", Mutant::ReceiveMaximumIgnoredOnResume, narrower);
}

#[test]
fn no_packet_is_too_large() {
    let small = |version| {
        let mut story = Story::new(version);
        story.policy.deny_subscribe = vec!["secret".into()];
        let a = story.client("a");
        let b = story.client_with("b", |client| {
            client.connect = limited(version, Property::MaximumPacketSize(150));
        });
        story.subscribe_to(b, &[("t", Qos::AtLeastOnce), ("secret", Qos::AtLeastOnce)]);
        story.publish(a, "t", &"x".repeat(200), Qos::AtLeastOnce).settle(a);
        story.publish(b, "u", "1", Qos::ExactlyOnce).settle(b).unsubscribe(b, &["secret"]).patience();
        story
    };
    sound(small);
    for mutant in [
        Mutant::MaximumPacketSizeIgnored,
        Mutant::ReasonStringExceedsMaximum,
        Mutant::UserPropertyExceedsMaximum,
        Mutant::OversizedMessageDisconnects,
    ] {
        catches("maximum_packet_size", mutant, small);
    }
}

#[test]
fn the_servers_aliases_are_those_that_the_client_allows() {
    for maximum in [0, 1] {
        let aliased = |version| {
            let mut story = Story::new(version);
            let a = story.client("a");
            let b = story.client_with("b", |client| {
                client.connect = limited(version, Property::TopicAliasMaximum(maximum));
            });
            story.subscribe(b, "#", Qos::AtLeastOnce);
            for topic in ["t", "u", "v", "t"] {
                story.publish(a, topic, "1", Qos::AtLeastOnce).settle(a);
            }
            story.patience();
            story
        };
        sound(aliased);
        let mutant = if maximum == 0 { Mutant::TopicAliasUnasked } else { Mutant::TopicAliasBeyondMaximum };
        catches("topic_alias", mutant, aliased);
    }
}

fn alias(version: Version, alias: u16) -> PropertyList {
    match version {
        Version::V5 => PropertyList::new().with(Property::TopicAlias(alias)),
        _ => PropertyList::new(),
    }
}

#[test]
fn the_clients_aliases_mean_what_it_says() {
    let remapped = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let b = story.client("b");
        story.subscribe(b, "#", Qos::AtLeastOnce);
        story.publish_with(a, "old", "1", Qos::AtLeastOnce, alias(version, 16)).settle(a);
        story.publish_with(a, "new", "2", Qos::AtLeastOnce, alias(version, 16)).settle(a).patience();
        story
    };
    sound(remapped);
    catches("topic_alias", Mutant::TopicAliasMaximumRefused, remapped);
    catches("topic_alias", Mutant::TopicAliasNotRemapped, remapped);
    let carried = |version| {
        let mut story = Story::new(version);
        let a = story.resumer("a");
        let b = story.client("b");
        story.subscribe(b, "#", Qos::AtLeastOnce);
        story.publish_with(a, "old", "1", Qos::AtLeastOnce, alias(version, 1)).settle(a);
        story.cut(a, How::Reset).connect(a);
        let topic = if version == Version::V5 { "" } else { "new" };
        story.publish_with(a, topic, "2", Qos::AtLeastOnce, alias(version, 1)).patience();
        story
    };
    sound(carried);
    catches("topic_alias", Mutant::TopicAliasSurvivesConnection, carried);
    catches("error_answered", Mutant::UnknownTopicAliasAccepted, carried);
    let above = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.publish_with(a, "t", "1", Qos::AtLeastOnce, alias(version, 17)).patience();
        story
    };
    sound(above);
    catches("error_answered", Mutant::TopicAliasAboveMaximumAccepted, above);
}

#[test]
fn the_silent_are_disconnected() {
    let silent = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect.keep_alive = 2);
        let b = story.client("b");
        story.subscribe(a, "t", Qos::AtMostOnce);
        for round in 0..20 {
            // What the Server sends, and the beginning of a packet, do not count.
            story
                .publish(b, "t", &round.to_string(), Qos::AtMostOnce)
                .raw(a, b"\x30\x7F"[round.min(1)..].get(..1).unwrap_or_default());
            story.wait(1.0);
        }
        story
    };
    sound(silent);
    for mutant in
        [Mutant::KeepAliveIgnored, Mutant::KeepAliveRenewedByServer, Mutant::KeepAliveRenewedByAnyByte]
    {
        catches("keep_alive", mutant, silent);
    }
    let long = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect.keep_alive = 10);
        story.ping(a).wait(30.0).raw(a, b"\xC0\x00").patience();
        story
    };
    sound(long);
    catches("keep_alive", Mutant::KeepAliveTripled, long);
    let heard = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect.keep_alive = 2);
        for round in 0..10 {
            story.publish(a, "t", &round.to_string(), Qos::AtLeastOnce).settle(a).wait(1.0);
        }
        story
    };
    sound(heard);
    catches_in(Version::V5, "keep_alive", Mutant::KeepAliveRenewedByPingreqOnly, heard);
    let imposed = |version| {
        let mut story = Story::new(version);
        story.policy.server_keep_alive = Some(2);
        let a = story.client("a");
        story.ping(a).wait(20.0);
        story
    };
    let _ = imposed;
    catches_in(Version::V5, "keep_alive", Mutant::KeepAliveIgnored, imposed);
}

#[test]
fn a_server_keeps_to_what_it_has_announced() {
    let will = |version: Version| {
        let mut story = Story::new(version);
        story.policy.max_qos = Qos::AtMostOnce;
        story.policy.retain_available = false;
        let a = story.client_with("a", |client| {
            client.connect.will = Some(mqtt_assay_broker_model::script::Will {
                topic: "w".into(),
                payload: b"gone".to_vec(),
                qos: Qos::AtLeastOnce,
                retain: false,
                properties: PropertyList::new(),
            });
        });
        let b = story.client_with("b", |client| {
            client.connect.will = Some(mqtt_assay_broker_model::script::Will {
                topic: "w".into(),
                payload: b"gone".to_vec(),
                qos: Qos::AtMostOnce,
                retain: true,
                properties: PropertyList::new(),
            });
        });
        story.connect(a).connect(b).patience();
        story
    };
    sound(will);
    catches("announced", Mutant::WillQosAboveMaximumAccepted, will);
    catches("announced", Mutant::WillRetainUnavailableAccepted, will);
    let publishing = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.publish(a, "t", "1", Qos::ExactlyOnce).settle(a).patience();
        story
    };
    catches("announced", Mutant::MaximumQosNotAnnounced, publishing);
    let subscribing = |version| {
        let mut story = Story::new(version);
        story.policy.max_qos = Qos::AtMostOnce;
        let a = story.client("a");
        story.subscribe(a, "t", Qos::ExactlyOnce).patience();
        story
    };
    sound(subscribing);
    catches("announced", Mutant::SubscribeAboveMaximumQosRefused, subscribing);
    let wild = |version| {
        let mut story = Story::new(version);
        story.policy.wildcard_subscription_available = false;
        let a = story.client("a");
        story.subscribe(a, "t/#", Qos::ExactlyOnce).patience();
        story
    };
    sound(wild);
    catches_in(Version::V5, "error_answered", Mutant::WildcardUnavailableGranted, wild);
}

#[test]
fn a_server_takes_no_more_than_it_has_said() {
    let flood = |version| {
        let mut story = Story::new(version);
        story.policy.receive_maximum = 2;
        let a = story.client("a");
        let mut bytes = Vec::new();
        for id in 1..=3 {
            let publish: &[u8] = if version == Version::V5 {
                b"\x34\x06\x00\x01t\x00\x00\x00"
            } else {
                b"\x34\x05\x00\x01t\x00\x00"
            };
            let start = bytes.len();
            bytes.extend_from_slice(publish);
            bytes[start + 6] = id;
        }
        story.raw(a, &bytes).patience();
        story
    };
    sound(flood);
    catches("announced", Mutant::ServerReceiveMaximumNotEnforced, flood);
    let large = |version| {
        let mut story = Story::new(version);
        story.policy.max_packet_size = 100;
        let a = story.client("a");
        story.publish(a, "t", &"x".repeat(200), Qos::AtLeastOnce).patience();
        story
    };
    sound(large);
    catches_in(Version::V5, "error_answered", Mutant::ServerMaximumPacketSizeNotEnforced, large);
}

#[test]
fn two_clients_are_told_apart() {
    // Nothing of one client's window counts for another's.
    let both = |version| {
        let mut story = narrow(version);
        let c = story.client("c");
        story.subscribe(c, "t", Qos::AtMostOnce).publish(ClientNo(0), "t", "6", Qos::AtLeastOnce);
        story.send(c, Send::Pingreq).patience();
        story
    };
    sound(both);
}
