use super::support::*;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_codec::{Property, PropertyList, Qos, Version};

fn traffic(version: Version) -> Story {
    let mut story = Story::new(version);
    let a = story.client("a");
    let b = story.client("b");
    story.subscribe_to(b, &[("t", Qos::ExactlyOnce), ("u", Qos::AtMostOnce)]);
    for (payload, qos) in [("0", Qos::AtMostOnce), ("1", Qos::AtLeastOnce), ("2", Qos::ExactlyOnce)] {
        story.publish(a, "t", payload, qos).settle(a);
    }
    story.wait(1.0).unsubscribe(b, &["u"]).ping(b).disconnect(b).patience();
    story
}

#[test]
fn ordinary_traffic_is_well_formed() {
    sound(traffic);
}

#[test]
fn malformed_packets_are_seen() {
    for mutant in [
        Mutant::ConnackFlagsSet,
        Mutant::PacketIdZero,
        Mutant::QosBitsBothSet,
        Mutant::DupAtQos0,
        Mutant::PubrelFlagsWrong,
        Mutant::LengthPadded,
        Mutant::PubackCodeUnlisted,
        Mutant::PubrecCodeUnlisted,
        Mutant::PubrelCodeUnlisted,
        Mutant::PubcompCodeUnlisted,
        Mutant::SubackCodeUnlisted,
        Mutant::UnsubackCodeUnlisted,
        Mutant::SubackWithoutPropertyLength,
    ] {
        catches("well_formed", mutant, traffic);
    }
}

#[test]
fn malformed_refusals_are_seen() {
    // An empty Client Identifier, and no clean session.
    let refused = |version| {
        let mut story = Story::new(version);
        story.policy.assign_client_ids = false;
        let a = story.client_with("a", |client| client.connect.client_id = Some(String::new()));
        story.connect(a).patience();
        story
    };
    sound(refused);
    for mutant in [Mutant::ConnackCodeUnlisted, Mutant::ConnackRefusalWithSessionPresent] {
        catches("well_formed", mutant, refused);
    }
}

#[test]
fn malformed_goodbyes_are_seen() {
    let offended = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.broken(a, "subscription-options/qos-3").patience();
        story
    };
    sound(offended);
    for mutant in [Mutant::DisconnectCodeUnlisted, Mutant::DisconnectWithSessionExpiry] {
        catches("well_formed", mutant, offended);
    }
    let authenticates = |version| {
        let mut story = Story::new(version);
        let method = mqtt_assay_broker_model::auth::METHOD;
        let a = story.client_with("a", |client| {
            client.connect.properties = PropertyList::new().with(Property::AuthenticationMethod(method));
        });
        story.connect(a).patience();
        story
    };
    catches("well_formed", Mutant::AuthCodeUnlisted, authenticates);
}
