//! Answers: to PUBLISH, PUBREL, SUBSCRIBE, UNSUBSCRIBE and PINGREQ.

use super::support::*;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::history::How;
use mqtt_assay_broker_model::script::{Action, Send};
use mqtt_assay_codec::{PacketType, Property, PropertyList, Qos, ReasonCode, SubscriptionOptions, Version};

fn publishing(version: Version) -> Story {
    let mut story = Story::new(version);
    let a = story.client("a");
    let b = story.client("b");
    story.subscribe(b, "t", Qos::ExactlyOnce);
    for (payload, qos) in [("0", Qos::AtMostOnce), ("1", Qos::AtLeastOnce), ("2", Qos::ExactlyOnce)] {
        story.publish(a, "t", payload, qos).settle(a).wait(0.5);
    }
    story.ping(b).patience();
    story
}

#[test]
fn what_is_published_is_acknowledged() {
    sound(publishing);
    for mutant in [
        Mutant::PubackMissing,
        Mutant::PubackWrongId,
        Mutant::PubrecMissing,
        Mutant::PubrecWrongId,
        Mutant::PubcompMissing,
        Mutant::PubcompWrongId,
        Mutant::Qos0Acknowledged,
        Mutant::Qos2AnsweredWithPuback,
    ] {
        catches("acknowledgements", mutant, publishing);
    }
    catches("no_matching_subscribers", Mutant::NoMatchingSubscribersAlways, publishing);
}

#[test]
fn a_stray_pubrel_is_answered() {
    let stray = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.ack(a, PacketType::Pubrel, 9, ReasonCode::SUCCESS).patience();
        story
    };
    sound(stray);
    catches("acknowledgements", Mutant::PubrelOfUnknownIdIgnored, stray);
}

#[test]
fn a_repeated_publish_is_answered_again() {
    let repeated = |version| {
        let mut story = Story::new(version);
        let a = story.resumer("a");
        // It is gone before the PUBREC comes, and sends the PUBLISH again when it returns.
        story.publish(a, "t", "2", Qos::ExactlyOnce).cut(a, How::Fin).connect(a).settle(a).patience();
        story
    };
    sound(repeated);
    catches("acknowledgements", Mutant::Qos2DuplicateUnanswered, repeated);
}

#[test]
fn an_expired_message_is_completed() {
    let expiring = |version| {
        let mut story = Story::new(version);
        let a = story.resumer("a");
        let properties = match version {
            Version::V5 => PropertyList::new().with(Property::MessageExpiryInterval(1)),
            _ => PropertyList::new(),
        };
        // Received before the cut, released long after.
        story.publish_with(a, "t", "2", Qos::ExactlyOnce, properties).cut(a, How::Fin).wait(3.0);
        story.connect(a).settle(a).patience();
        story
    };
    sound(expiring);
    catches("acknowledgements", Mutant::ExpiredQos2NotCompleted, expiring);
}

#[test]
fn who_may_not_publish_is_answered_or_closed() {
    for close in [false, true] {
        let denied = |version| {
            let mut story = Story::new(version);
            story.policy.deny_publish = vec!["secret".into()];
            story.policy.close_on_denied_publish = close;
            let a = story.client("a");
            story.publish(a, "open", "1", Qos::AtLeastOnce).settle(a);
            story.publish(a, "secret", "2", Qos::AtLeastOnce).patience();
            story
        };
        sound(denied);
        if !close {
            catches("acknowledgements", Mutant::DeniedPublishUnacknowledged, denied);
        }
    }
}

fn subscribing(version: Version) -> Story {
    let mut story = Story::new(version);
    let a = story.client("a");
    story.subscribe_to(a, &[("low", Qos::AtMostOnce), ("high", Qos::ExactlyOnce)]);
    story.subscribe_to(a, &[("one", Qos::AtLeastOnce)]);
    story.unsubscribe(a, &["low", "none"]).unsubscribe(a, &["none"]).ping(a).patience();
    story
}

#[test]
fn requests_are_answered() {
    sound(subscribing);
    for mutant in [
        Mutant::SubackMissing,
        Mutant::SubackWrongId,
        Mutant::SubackForEachFilter,
        Mutant::UnsubackMissing,
        Mutant::UnsubackMissingForUnknownFilter,
        Mutant::UnsubackWrongId,
        Mutant::PingrespMissing,
    ] {
        catches("answers", mutant, subscribing);
    }
    catches_in(Version::V5, "answers", Mutant::UnsubackForEachFilter, subscribing);
    for mutant in [
        Mutant::SubackCodesReversed,
        Mutant::SubackCodesShort,
        Mutant::UnsubackCodesReversed,
        Mutant::UnsubackCodesShort,
    ] {
        catches("answer_codes", mutant, subscribing);
    }
    // Before 5.0 UNSUBACK has no codes: two of them look like answers to two requests.
    catches("answers", Mutant::UnsubackForEachFilter, subscribing);
}

#[test]
fn one_filter_of_an_unsubscribe_is_like_the_other() {
    let both = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.subscribe_to(a, &[("one", Qos::AtMostOnce), ("two", Qos::AtMostOnce)]);
        // The same filter twice: the second finds nothing.
        story.unsubscribe(a, &["one", "two", "one"]).patience();
        story
    };
    sound(both);
    catches_in(Version::V5, "answer_codes", Mutant::UnsubscribeOnlyFirstFilter, both);
}

#[test]
fn what_comes_behind_connect_is_answered() {
    let pipelined = |version: Version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let connect: &[u8] = match version {
            Version::V5 => b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a",
            _ => b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x00\x00\x01a",
        };
        let subscribe: &[u8] = match version {
            Version::V5 => b"\x82\x07\x00\x07\x00\x00\x01t\x00",
            _ => b"\x82\x06\x00\x07\x00\x01t\x00",
        };
        story.act(a, Action::Open).wait(0.5);
        story.raw(a, &[connect, subscribe].concat()).patience();
        story
    };
    sound(pipelined);
    catches("answers", Mutant::PipelinedPacketsDropped, pipelined);
}

#[test]
fn a_full_window_delays_no_other_packet() {
    let full = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| {
            client.acknowledges = false;
            if version == Version::V5 {
                client.connect.properties = PropertyList::new().with(Property::ReceiveMaximum(1));
            }
        });
        let b = story.client("b");
        story.subscribe(a, "t", Qos::AtLeastOnce).ping(a).publish(b, "t", "1", Qos::AtLeastOnce).wait(0.5);
        let filters = vec![("u".into(), SubscriptionOptions::qos(Qos::AtMostOnce))];
        story.send(a, Send::Subscribe { id: None, filters, properties: PropertyList::new() });
        story.send(a, Send::Pingreq).patience();
        story
    };
    sound(full);
    catches("answers", Mutant::ReceiveMaximumBlocksOtherPackets, full);
}

#[test]
fn who_leaves_is_owed_nothing() {
    let leaving = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        for round in 0..4 {
            story.connect(a);
            story.publish(a, "t", &round.to_string(), Qos::ExactlyOnce);
            story.send(a, Send::Pingreq);
            let how = [How::Fin, How::Reset, How::Silently][round % 3];
            if round == 3 {
                story.disconnect(a)
            } else {
                story.cut(a, how)
            };
        }
        story.patience();
        story
    };
    sound(leaving);
}
