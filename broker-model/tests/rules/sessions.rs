//! Sessions: resumed, discarded, gone; Client Identifiers and takeover.

use super::support::*;
use core::time::Duration;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::history::{Fault, How, Memory};
use mqtt_assay_broker_model::script::{Connect, Network, Send};
use mqtt_assay_codec::{Property, PropertyList, Qos, ReasonCode, Version};

fn expiring(version: Version, seconds: u32) -> Connect {
    let mut properties = PropertyList::new();
    if version == Version::V5 {
        properties.push(Property::SessionExpiryInterval(seconds));
    }
    Connect { clean_start: false, properties, ..Connect::default() }
}

fn clean() -> Connect {
    Connect { clean_start: true, ..Connect::default() }
}

fn returning(version: Version) -> Story {
    let mut story = Story::new(version);
    let a = story.resumer("a");
    story.subscribe(a, "t", Qos::AtLeastOnce).disconnect(a).wait(2.0);
    story.connect(a).cut(a, How::Reset).connect(a).patience();
    story.connect_with(a, clean()).disconnect(a).patience();
    story
}

#[test]
fn a_session_is_resumed_where_it_must_be() {
    sound(returning);
    for mutant in [
        Mutant::SessionPresentNever,
        Mutant::SessionPresentAlways,
        Mutant::SessionNotResumed,
        Mutant::SessionNotDiscardedOnCleanStart,
        Mutant::SessionExpiresAtOnce,
    ] {
        catches("session_present", mutant, returning);
    }
}

#[test]
fn a_session_that_is_over_is_not_resumed() {
    let over = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect = expiring(version, 2));
        story.disconnect(a).wait(15.0).connect(a).patience();
        // Before 5.0 a session ends with its connection, or never.
        story.connect_with(a, clean()).disconnect(a).wait(15.0).connect(a).patience();
        story
    };
    sound(over);
    catches("session_present", Mutant::SessionNotExpired, over);
    catches("session_present", Mutant::CleanSessionKept, over);

    let changed = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect = expiring(version, 3600));
        story.cut(a, How::Reset).connect_with(a, expiring(version, 1)).disconnect(a).wait(15.0);
        story.connect(a).patience();
        story
    };
    sound(changed);
    catches("session_present", Mutant::SessionExpiryOfFirstConnectionKept, changed);

    let goodbye = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect = expiring(version, 3600));
        let mut properties = PropertyList::new();
        if version == Version::V5 {
            properties.push(Property::SessionExpiryInterval(0));
        }
        story.send(a, Send::Disconnect { reason: ReasonCode::SUCCESS, properties }).wait(15.0);
        story.connect(a).patience();
        story
    };
    sound(goodbye);
    catches("session_present", Mutant::SessionExpiryInDisconnectIgnored, goodbye);
}

/// A Client leaves a session, and one with another identifier asks for its own.
fn left_and_asked_for(version: Version, left: &'static str, asked_for: &'static str) -> Story {
    let mut story = Story::new(version);
    let a = story.client_with("a", |client| {
        client.connect = Connect { client_id: Some(left.into()), ..resuming(version) };
    });
    story.ping(a).disconnect(a).wait(1.0);
    story.connect_with(a, Connect { client_id: Some(asked_for.into()), ..resuming(version) }).patience();
    story
}

#[test]
fn a_session_of_another_spelling_is_another() {
    let capitals = |version| left_and_asked_for(version, "name", "NAME");
    sound(capitals);
    catches("session_present", Mutant::ClientIdCaseFolded, capitals);
    let wide = |version| left_and_asked_for(version, "name", "n\u{FF41}me");
    sound(wide);
    catches("session_present", Mutant::ClientIdWidthsFolded, wide);
}

#[test]
fn client_identifiers_are_accepted_refused_and_given() {
    let named = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect.client_id = Some("a".repeat(23)));
        story.ping(a).patience();
        story
    };
    sound(named);
    catches("client_identifier", Mutant::ClientIdOf23BytesRefused, named);

    let unnamed = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect.client_id = Some(String::new()));
        let b = story.client_with("b", |client| client.connect.client_id = Some(String::new()));
        story.ping(a).ping(b).patience();
        story
    };
    sound(unnamed);
    catches_in(Version::V5, "client_identifier", Mutant::AssignedClientIdNotUnique, unnamed);
    catches("client_identifier", Mutant::AssignedClientIdNotReturned, unnamed);

    let nameless = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| {
            client.connect = Connect { client_id: Some(String::new()), ..resuming(version) };
        });
        story.connect(a).patience();
        story
    };
    sound(nameless);
    catches("client_identifier", Mutant::EmptyClientIdAcceptedWithoutCleanSession, nameless);
    catches("client_identifier", Mutant::EmptyClientIdRefusedSilently, nameless);
    catches("client_identifier", Mutant::ClientIdRefusedWithWrongCode, nameless);
}

fn shared_name(version: Version) -> Story {
    let mut story = Story::new(version);
    let one = |client: &mut mqtt_assay_broker_model::script::Client| {
        client.connect = Connect { client_id: Some("shared".into()), ..resuming(version) };
    };
    let a = story.client_with("a", one);
    let b = story.client_with("b", one);
    story.ping(a);
    story.connect(b).ping(b).patience();
    story
}

#[test]
fn who_connects_with_a_name_takes_it_over() {
    sound(shared_name);
    catches("takeover", Mutant::TakeoverLeavesOldConnection, shared_name);
    catches("takeover", Mutant::TakeoverWithoutDisconnect, shared_name);
    catches("takeover", Mutant::TakeoverRefused, shared_name);
    catches("takeover", Mutant::DisconnectCodeNormal, shared_name);
}

#[test]
fn two_who_contend_for_a_name_accuse_nobody() {
    let contend = |version| {
        let mut story = shared_name(version);
        let (a, b) =
            (mqtt_assay_broker_model::history::ClientNo(0), mqtt_assay_broker_model::history::ClientNo(1));
        for _ in 0..5 {
            for client in [a, b] {
                let connect = mqtt_assay_broker_model::script::Action::Connect(None);
                story.act(client, connect);
            }
            story.wait(0.05);
        }
        story.act(a, mqtt_assay_broker_model::script::Action::Connect(Some(clean()))).patience();
        story
    };
    sound(contend);
}

#[test]
fn a_broker_that_forgets_is_not_accused() {
    let crash = |memory| {
        move |version| {
            let mut story = returning(version);
            let a = mqtt_assay_broker_model::history::ClientNo(0);
            story.connect(a).wait(1.0);
            story
                .broker(Fault::Crash)
                .wait(1.0)
                .broker(Fault::Restart(memory))
                .wait(1.0)
                .connect(a)
                .patience();
            story
        }
    };
    sound(crash(Memory::Kept));
    sound(crash(Memory::Lost));
    let network = Network { delay_max: Duration::from_millis(20), ..Network::default() };
    let history = play(&crash(Memory::Unknown)(Version::V5), None, network, 1);
    assert!(judged(&history).accusations.is_empty());
}
