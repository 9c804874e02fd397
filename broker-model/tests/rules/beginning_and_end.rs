//! How connections begin and end.

use super::support::*;
use core::time::Duration;
use mqtt_assay_broker_model::history::{ClientNo, Event, History, How, Side, What};
use mqtt_assay_broker_model::script::{Action, Send};
use mqtt_assay_broker_model::{Mutant, auth};
use mqtt_assay_codec::{Property, PropertyList, Qos, ReasonCode, Version};

fn ordinary(version: Version) -> Story {
    let mut story = Story::new(version);
    let a = story.resumer("a");
    let b = story.client("b");
    story.subscribe(a, "t", Qos::AtLeastOnce).cut(a, How::Reset);
    story.publish(b, "t", "queued", Qos::AtLeastOnce).settle(b);
    story.connect(a).ping(a).patience().disconnect(a).disconnect(b).patience();
    story
}

#[test]
fn connack_comes_first_and_once() {
    sound(ordinary);
    catches("connack_first", Mutant::ConnackTwice, ordinary);
    catches("connack_first", Mutant::ConnackMissing, ordinary);
    catches("connack_first", Mutant::ConnackAfterQueuedMessages, ordinary);
}

#[test]
fn nothing_but_connack_answers_before_it() {
    let early = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.act(a, Action::Open).wait(0.5).raw(a, b"\xC0\x00").patience();
        story
    };
    sound(early);
    catches("connack_first", Mutant::PingreqBeforeConnectAnswered, early);
    let refused = |version| {
        let mut story = Story::new(version);
        story.policy.anonymous = false;
        let a = story.client("a");
        story.connect(a).patience();
        story
    };
    sound(refused);
    catches("connack_first", Mutant::DisconnectBeforeConnack, refused);
    catches("last_packet", Mutant::RefusedConnectKeptOpen, refused);
    let long = |version| {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| client.connect.client_id = Some("x".repeat(24)));
        story.connect(a).patience();
        story
    };
    sound(long);
    catches("last_packet", Mutant::LongClientIdRefusedAndKeptOpen, long);
}

#[test]
fn the_end_is_the_end() {
    let goodbye = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        // As bytes, so that the client waits for the Server to close.
        story.raw(a, b"\xE0\x00").patience();
        story
    };
    sound(goodbye);
    catches("last_packet", Mutant::ClientDisconnectKeptOpen, goodbye);
    let silent = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.act(a, Action::Open).wait(70.0);
        story
    };
    sound(silent);
    catches("last_packet", Mutant::ConnectTimeoutIgnored, silent);
    let offended = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.broken(a, "subscription-options/qos-3").patience();
        story
    };
    catches("last_packet", Mutant::SendsAfterDisconnect, offended);
    catches_in(Version::V5, "last_packet", Mutant::ProtocolErrorKeptOpen, offended);
}

#[test]
fn authentication_is_the_clients_choice() {
    let plain = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.ping(a).patience();
        story
    };
    sound(plain);
    catches("authentication", Mutant::AuthUnsolicited, plain);
    catches("authentication", Mutant::AuthenticationMethodUnasked, plain);
    catches("unasked", Mutant::ResponseInformationUnasked, plain);

    let with_method = |method: &'static str| {
        move |version| {
            let mut story = Story::new(version);
            let properties = match version {
                Version::V5 => PropertyList::new().with(Property::AuthenticationMethod(method)),
                _ => PropertyList::new(),
            };
            let a = story.client_with("a", |client| client.connect.properties = properties);
            // The first nonce of the seed is not known here: XOR with an empty secret is the nonce itself.
            story.policy.challenge_secret = Some(Vec::new());
            story.act(a, Action::Connect(None)).wait(0.5);
            story.raw(a, b"\xC0\x00").patience();
            story
        }
    };
    sound(with_method(auth::METHOD));
    catches("authentication", Mutant::AuthContinueWithWrongCode, with_method(auth::METHOD));
    catches("connack_first", Mutant::PacketDuringAuthenticationServed, with_method(auth::METHOD));
    sound(with_method("UNKNOWN"));
    catches("authentication", Mutant::UnknownMethodAccepted, with_method("UNKNOWN"));

    let answered = |version| {
        let mut story = with_method(auth::METHOD)(version);
        let a = ClientNo(0);
        story.script.steps.truncate(2);
        let properties = PropertyList::new()
            .with(Property::AuthenticationMethod(auth::METHOD))
            .with(Property::AuthenticationData(b"wrong"));
        story.send(a, Send::Auth { reason: ReasonCode::CONTINUE_AUTHENTICATION, properties }).patience();
        story
    };
    sound(answered);
    // It takes any answer.
    catches_unlisted("authentication", Mutant::AuthenticationMethodMissing);
}

/// The client answers the challenge rightly, and CONNACK names no method.
fn catches_unlisted(rule: &str, mutant: Mutant) {
    let mut history = History::new(["a"]);
    let mut note = |millis, what| {
        let at = Duration::from_millis(millis);
        history.record(Event { at, client: ClientNo(0), connection: 1, what });
    };
    let properties = PropertyList::new().with(Property::AuthenticationMethod("M"));
    let connect = mqtt_assay_codec::Connect {
        properties: properties.view(),
        ..mqtt_assay_codec::Connect::new(Version::V5, "a")
    };
    let mut bytes = Vec::new();
    mqtt_assay_codec::Packet::Connect(connect).encode(Version::V5, &mut bytes).unwrap();
    note(0, What::Attempted(Version::V5));
    note(0, What::Opened);
    note(0, What::Sent(&bytes));
    note(1, What::Received(b"\xF0\x06\x18\x04\x15\x00\x01M"));
    note(2, What::Sent(b"\xF0\x06\x18\x04\x15\x00\x01M"));
    note(3, What::Received(b"\x20\x03\x00\x00\x00"));
    note(4, What::Ended(Side::Client, How::Fin));
    note(5, What::Finished);
    let found = judged(&history);
    let statements: Vec<_> = found.accusations.iter().map(|found| (found.rule, found.statements)).collect();
    assert_eq!(statements, [(rule, &["MQTT-4.12.0-5"][..])]);
    assert!(mutant.breaks().contains(&"5.0/MQTT-4.12.0-5"));
}

#[test]
fn problem_information_is_not_sent_to_those_who_want_none() {
    let declined = |version| {
        let mut story = Story::new(version);
        story.policy.deny_subscribe = vec!["secret".into()];
        let properties = match version {
            Version::V5 => PropertyList::new().with(Property::RequestProblemInformation(false)),
            _ => PropertyList::new(),
        };
        let a = story.client_with("a", |client| client.connect.properties = properties);
        story.subscribe(a, "secret", Qos::AtMostOnce).patience();
        story
    };
    sound(declined);
    catches("unasked", Mutant::ProblemInformationUnasked, declined);
}

#[test]
fn a_refused_client_sends_nothing_more() {
    let mut story = Story::new(Version::V3_1_1);
    story.policy.anonymous = false;
    let a = story.client("a");
    story.act(a, Action::Connect(None)).send(a, Send::Pingreq).wait(1.0);
    let history = play(&story, None, Default::default(), 1);
    let sent = history.iter().filter(|event| matches!(event.what, What::Sent(_))).count();
    assert_eq!(sent, 1, "CONNECT alone");
}
