//! How connections begin and end.

use super::support::*;
use mqtt_assay_broker_model::history::{ClientNo, How, What};
use mqtt_assay_broker_model::script::{Action, Network, Send};
use mqtt_assay_broker_model::{Mutant, auth};
use mqtt_assay_codec::{Auth, Packet, Property, PropertyList, Qos, ReasonCode, Version};

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

    sound(|version| authenticated(version, 0xF0));
    catches("authentication", Mutant::AuthenticationMethodMissing, |version| authenticated(version, 0xF0));
    sound(|version| authenticated(version, 0xF1));
    catches("closes_on_error", Mutant::AuthFlagsAccepted, |version| authenticated(version, 0xF1));
}

/// The client gives the right answer to the challenge, in an AUTH with this first byte.
fn authenticated(version: Version, first: u8) -> Story {
    let challenged = || {
        let mut story = Story::new(version);
        let a = story.client_with("a", |client| {
            if version == Version::V5 {
                let method = Property::AuthenticationMethod(auth::METHOD);
                client.connect.properties = PropertyList::new().with(method);
            }
        });
        story.act(a, Action::Connect(None)).wait(0.5);
        story
    };
    let mut story = challenged();
    if version != Version::V5 {
        return story;
    }
    // The nonce goes by the broker's seed: one play shows it to the next.
    let shown = play(&story, None, Network::default(), 1);
    let nonce = shown.iter().find_map(|event| match event.what {
        What::Received(bytes) if bytes[0] == 0xF0 => bytes.last_chunk::<8>().copied(),
        _ => None,
    });
    let answer = auth::answer(&nonce.unwrap(), b"assay");
    let properties = PropertyList::new()
        .with(Property::AuthenticationMethod(auth::METHOD))
        .with(Property::AuthenticationData(&answer));
    let mut bytes = Vec::new();
    let reason = ReasonCode::CONTINUE_AUTHENTICATION;
    let packet = Packet::Auth(Auth { reason, properties: properties.view() });
    packet.encode(version, &mut bytes).unwrap();
    bytes[0] = first;
    story.raw(ClientNo(0), &bytes).patience();
    story
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
