//! Deliveries: identifiers, DUP, release, repetition, order.

use super::support::*;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::history::{ClientNo, How};
use mqtt_assay_broker_model::script::{Action, Send};
use mqtt_assay_codec::{PacketType, Property, PropertyList, Qos, ReasonCode, Version};

/// Several messages under way to a client that acknowledges at the end.
fn under_way(version: Version) -> Story {
    let mut story = Story::new(version);
    let a = story.client("a");
    let b = story.silent_resumer("b");
    story.subscribe(b, "t", Qos::ExactlyOnce);
    for (payload, qos) in [
        ("0", Qos::AtMostOnce),
        ("1", Qos::AtLeastOnce),
        ("2", Qos::ExactlyOnce),
        ("3", Qos::AtLeastOnce),
        ("4", Qos::ExactlyOnce),
        ("5", Qos::ExactlyOnce),
    ] {
        story.publish(a, "t", payload, qos).settle(a);
    }
    story.wait(0.5);
    story
}

const B: ClientNo = ClientNo(1);

fn acknowledged(version: Version) -> Story {
    let mut story = under_way(version);
    story.act(B, Action::Acknowledge(ReasonCode::SUCCESS)).wait(0.5);
    story.act(B, Action::Acknowledge(ReasonCode::SUCCESS)).ping(B).patience();
    story
}

/// The client is away for a while before it acknowledges.
fn returned(version: Version) -> Story {
    let mut story = under_way(version);
    story.cut(B, How::Reset).connect(B).patience();
    story.act(B, Action::Acknowledge(ReasonCode::SUCCESS)).wait(0.5);
    story.act(B, Action::Acknowledge(ReasonCode::SUCCESS)).ping(B).patience();
    story
}

#[test]
fn identifiers_are_unused_and_kept() {
    sound(acknowledged);
    sound(returned);
    catches("packet_identifiers", Mutant::PacketIdReused, acknowledged);
    catches("packet_identifiers", Mutant::PacketIdAtQos0, acknowledged);
    catches("packet_identifiers", Mutant::PacketIdChangedOnRedelivery, returned);
    // Also where the QoS 0 message has properties.
    let with_property = |version| {
        let mut story = acknowledged(version);
        let mut properties = PropertyList::new();
        if version == Version::V5 {
            properties.push(Property::UserProperty(("name", "value")));
        }
        story.publish_with(ClientNo(0), "t", "p", Qos::AtMostOnce, properties).patience();
        story
    };
    catches("packet_identifiers", Mutant::PacketIdAtQos0, with_property);
}

#[test]
fn both_directions_have_identifiers_of_their_own() {
    let crossed = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let b = story.client_with("b", |client| client.acknowledges = false);
        story.subscribe(b, "t", Qos::ExactlyOnce);
        story.publish(a, "t", "1", Qos::ExactlyOnce).settle(a).wait(0.5);
        let mut own = publish("u", "2", Qos::ExactlyOnce, PropertyList::new());
        if let Send::Publish { id, .. } = &mut own {
            *id = Some(1);
        }
        story.send(b, own).settle(b).patience();
        story
    };
    sound(crossed);
    catches_in(Version::V5, "packet_identifiers", Mutant::PacketIdsSharedByDirections, crossed);
}

#[test]
fn dup_is_set_on_what_comes_again_and_only_there() {
    catches("dup", Mutant::DupOnFirstDelivery, acknowledged);
    catches("dup", Mutant::DupMissingOnRedelivery, returned);
    let repeated = |version| {
        let mut story = Story::new(version);
        let a = story.resumer("a");
        let b = story.client("b");
        story.subscribe(b, "t", Qos::ExactlyOnce);
        let mut again = publish("t", "1", Qos::AtLeastOnce, PropertyList::new());
        if let Send::Publish { dup, .. } = &mut again {
            *dup = true;
        }
        story.send(a, again).settle(a).patience();
        story
    };
    sound(repeated);
    catches("dup", Mutant::DupPropagated, repeated);
}

#[test]
fn pubrec_is_answered_with_pubrel() {
    sound(acknowledged);
    catches("release", Mutant::PubrelMissing, acknowledged);
    catches("release", Mutant::PubrelWrongId, acknowledged);
    // PUBRECs in another order than the identifiers.
    let disordered = |version| {
        let mut story = under_way(version);
        story.ack(B, PacketType::Puback, 1, ReasonCode::SUCCESS);
        story.ack(B, PacketType::Puback, 3, ReasonCode::SUCCESS);
        for id in [5, 2, 4] {
            story.ack(B, PacketType::Pubrec, id, ReasonCode::SUCCESS);
        }
        story.wait(0.5).act(B, Action::Acknowledge(ReasonCode::SUCCESS)).patience();
        story
    };
    sound(disordered);
    catches("release", Mutant::PubrelsInOrderOfIds, disordered);
    // A PUBREC for nothing may be answered, or not.
    let stray = |version| {
        let mut story = under_way(version);
        story.ack(B, PacketType::Pubrec, 77, ReasonCode::SUCCESS).ping(B).patience();
        story
    };
    sound(stray);
}

/// PUBREL has come, PUBCOMP is still to be sent, and the client is away for a while.
fn released(version: Version) -> Story {
    let mut story = under_way(version);
    story.act(B, Action::Acknowledge(ReasonCode::SUCCESS)).ping(B).wait(0.5);
    story.cut(B, How::Reset).connect(B).patience();
    story.act(B, Action::Acknowledge(ReasonCode::SUCCESS)).ping(B).patience();
    story
}

#[test]
fn what_is_unacknowledged_comes_again() {
    sound(returned);
    sound(released);
    catches("redelivery", Mutant::InflightLostOnResume, returned);
    catches("redelivery", Mutant::Qos1ForgottenWhenSent, returned);
    catches("redelivery", Mutant::Qos2ForgottenWhenSent, returned);
    catches("redelivery", Mutant::PubrelNotResent, released);
    catches("release", Mutant::PublishResentAfterPubrel, released);
    let unsubscribed = |version| {
        let mut story = under_way(version);
        story.unsubscribe(B, &["t"]).cut(B, How::Reset).connect(B).patience();
        story
    };
    sound(unsubscribed);
    catches("redelivery", Mutant::UnsubscribeAbortsDelivery, unsubscribed);
    let expired = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let b = story.silent_resumer("b");
        let mut properties = PropertyList::new();
        if version == Version::V5 {
            properties.push(Property::MessageExpiryInterval(1));
        }
        story.subscribe(b, "t", Qos::ExactlyOnce);
        story.publish_with(a, "t", "2", Qos::ExactlyOnce, properties).settle(a).wait(0.5);
        story.cut(b, How::Reset).wait(3.0).connect(b).patience();
        story
    };
    sound(expired);
    catches("redelivery", Mutant::ExpiryAppliedAfterPublish, expired);
}

#[test]
fn what_is_acknowledged_does_not_come_again() {
    // The PINGRESP shows that the Server has read the acknowledgements.
    let done = |version| {
        let mut story = acknowledged(version);
        story.cut(B, How::Reset).connect(B).patience();
        story
    };
    sound(done);
    catches("sent_again", Mutant::FinalAcknowledgementIgnored, done);
    let refused = |version| {
        let mut story = under_way(version);
        let code = if version == Version::V5 {
            ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR
        } else {
            ReasonCode::SUCCESS
        };
        story.act(B, Action::Acknowledge(code)).ping(B).wait(0.5);
        story.cut(B, How::Reset).connect(B).patience();
        story
    };
    sound(refused);
    catches("sent_again", Mutant::RefusedDeliveryResent, refused);
    let waiting = |version| {
        let mut story = under_way(version);
        story.ping(B).patience();
        story
    };
    sound(waiting);
    catches("sent_again", Mutant::ResentOnLiveConnection, waiting);
}

#[test]
fn messages_come_in_order() {
    sound(returned);
    catches("order", Mutant::OrderReversedOnResume, returned);
    let queued = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let b = story.resumer("b");
        story.subscribe(b, "t", Qos::ExactlyOnce).cut(b, How::Reset);
        for payload in ["1", "2", "3"] {
            story.publish(a, "t", payload, Qos::AtLeastOnce).settle(a);
            story.publish(a, "t", &(payload.to_owned() + "+"), Qos::ExactlyOnce);
        }
        story.settle(a).connect(b).patience();
        story
    };
    sound(queued);
    catches("order", Mutant::QueueOrderReversed, queued);
}
