//! Clients that break the rules: the connection ends, nothing is accepted, and nobody else is disturbed.

use super::support::*;
use core::time::Duration;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::history::{ClientNo, Event, History, What};
use mqtt_assay_broker_model::rules::judge;
use mqtt_assay_broker_model::script::{Action, Network, Send};
use mqtt_assay_codec::raw::{self, Stage};
use mqtt_assay_codec::{PacketType, Property, PropertyList, Qos, ReasonCode, Receiver, Version};

/// One client sends a broken packet, another sees what is passed on.
fn breach(version: Version, stage: Stage, name: &str) -> Story {
    let mut story = Story::new(version);
    let a = story.client("a");
    let b = story.client("b");
    story.subscribe(b, "#", Qos::AtLeastOnce);
    if stage == Stage::Opening {
        story.act(a, Action::Open).wait(0.5);
    }
    story.broken(a, name).patience().ping(b).wait(0.5);
    story
}

#[test]
fn the_reference_broker_is_not_accused_of_what_others_break() {
    for version in BOTH {
        for case in raw::cases(version, Receiver::Server) {
            let story = breach(version, case.stage, &case.name);
            let history = play(&story, None, Network::default(), 1);
            let found = judge(&history, bounds());
            assert!(found.accusations.is_empty(), "{} {:#?}", case.name, found.accusations);
        }
    }
}

/// Mutants that accept a broken packet, and the beginning of a case's name that shows it.
const ACCEPTING: &[(Mutant, &str)] = &[
    (Mutant::ConnectReservedFlagAccepted, "connect-flags/reserved"),
    (Mutant::ConnectWillQos3Accepted, "connect-flags/will-qos-3"),
    (Mutant::ConnectWillBitsWithoutWillAccepted, "connect-flags/will-"),
    (Mutant::ConnectPasswordWithoutUserNameAccepted, "connect-flags/password"),
    (Mutant::ConnectMissingFieldsAccepted, "connect-missing/"),
    (Mutant::ConnectTrailingBytesAccepted, "connect-trailing-bytes/"),
    (Mutant::ConnectBadStringAccepted, "ill-formed-utf8/connect"),
    (Mutant::ConnectBadPropertyAccepted, "property"),
    (Mutant::ConnectTruncatedAccepted, "truncated/connect"),
    (Mutant::ProtocolNameIgnored, "protocol-name/"),
    (Mutant::ProtocolLevelIgnored, "protocol-level/"),
    (Mutant::ProtocolLevelRefusedWithWrongCode, "protocol-level/"),
    (Mutant::MalformedConnectAnswered, "connect-flags/reserved"),
    (Mutant::MalformedConnectKeptOpen, "connect-flags/reserved"),
    (Mutant::FixedHeaderFlagsAccepted, "flags/pingreq"),
    (Mutant::PubrelFlagsAccepted, "flags/pubrel"),
    (Mutant::SubscribeFlagsAccepted, "flags/subscribe"),
    (Mutant::UnsubscribeFlagsAccepted, "flags/unsubscribe"),
    (Mutant::Qos3Accepted, "flags/publish-qos-3"),
    (Mutant::DupAtQos0Accepted, "flags/publish-dup"),
    (Mutant::IllFormedUtf8Accepted, "ill-formed-utf8/"),
    (Mutant::NulInStringAccepted, "u+0000/"),
    (Mutant::PacketIdZeroAccepted, "packet-identifier-zero/"),
    (Mutant::EmptySubscribeAccepted, "no-filter/subscribe"),
    (Mutant::EmptyUnsubscribeAccepted, "no-filter/unsubscribe"),
    (Mutant::SubscribeReservedBitsAccepted, "subscription-options/reserved"),
    (Mutant::SubscribeQos3Accepted, "subscription-options/qos-3"),
    (Mutant::RetainHandling3Accepted, "subscription-options/retain-handling-3"),
    (Mutant::NoLocalOnSharedAccepted, "no-local-on-shared/"),
    (Mutant::TrailingBytesAccepted, "trailing-bytes/"),
    (Mutant::TruncatedPacketAccepted, "truncated/"),
    (Mutant::ReservedPacketTypeIgnored, "reserved-type/"),
    (Mutant::ServerPacketIgnored, "direction/"),
    (Mutant::PaddedLengthAccepted, "remaining-length-not-minimal/pingreq"),
    (Mutant::BadPropertyAccepted, "property"),
    (Mutant::PropertyLengthMissingAccepted, "property-length/"),
    (Mutant::ResponseTopicWildcardAccepted, "wildcard/publish-response-topic"),
    (Mutant::SubscriptionIdFromClientAccepted, "property"),
    (Mutant::TopicAliasZeroAccepted, "property"),
    (Mutant::AckCodeUnlistedAccepted, "code/pub"),
    (Mutant::BadFilterGranted, "filter/subscribe"),
    (Mutant::EmptyFilterGranted, "filter/subscribe-filter-empty"),
    (Mutant::BadShareFilterGranted, "shared-filter/"),
    (Mutant::WildcardTopicDelivered, "wildcard/publish-topic"),
    (Mutant::EmptyTopicAccepted, "empty-topic/"),
    (Mutant::ProtocolErrorKeptOpen, "no-filter/"),
];

#[test]
fn what_must_be_refused_is_not_accepted() {
    let mut missed = Vec::new();
    for version in BOTH {
        let cases = raw::cases(version, Receiver::Server);
        for &(mutant, prefix) in ACCEPTING {
            let mut cases = cases.iter().filter(|case| case.name.starts_with(prefix));
            let caught = cases.any(|case| {
                let story = breach(version, case.stage, &case.name);
                let history = play(&story, Some(mutant), Network::default(), 1);
                let found = judge(&history, bounds());
                found.accusations.iter().any(|one| {
                    let rule = ["error_answered", "closes_on_error", "last_packet"].contains(&one.rule);
                    rule && one.statements.iter().any(|id| breaks(mutant, one.version).any(|own| own == *id))
                })
            });
            if !caught && breaks(mutant, version).next().is_some() {
                missed.push((mutant, version));
            }
        }
    }
    assert_eq!(missed, [], "not caught");
}

#[test]
fn connect_comes_once_and_first() {
    let twice = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        story.send(a, Send::Connect(Default::default())).patience();
        story
    };
    sound(twice);
    catches("closes_on_error", Mutant::SecondConnectAccepted, twice);
    catches("closes_on_error", Mutant::SecondConnectIgnored, twice);
    let early = |version: Version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let b = story.client("b");
        story.subscribe(b, "#", Qos::AtMostOnce);
        story.act(a, Action::Open).wait(0.5);
        let publish: &[u8] =
            if version == Version::V5 { b"\x30\x06\x00\x01t\x00hi" } else { b"\x30\x05\x00\x01thi" };
        story.raw(a, publish).patience();
        story
    };
    sound(early);
    // A broker before CONNECT does not know the version: it takes the packet for one of 3.1.1.
    catches_in(Version::V3_1_1, "error_answered", Mutant::PublishBeforeConnectDistributed, early);
    let unasked = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let properties = PropertyList::new().with(Property::AuthenticationMethod("M"));
        story.send(a, Send::Auth { reason: ReasonCode::RE_AUTHENTICATE, properties }).patience();
        story
    };
    sound(unasked);
    catches("closes_on_error", Mutant::AuthFromClientIgnored, unasked);
}

/// What one client has seen on its first connection, each event at this second.
fn seen(events: &[(u64, What<'_>)]) -> History {
    let mut history = History::new(["a"]);
    for &(seconds, what) in events {
        let at = Duration::from_secs(seconds);
        history.record(Event { at, client: ClientNo(0), connection: 1, what });
    }
    history
}

#[test]
fn a_bad_filter_may_be_refused_in_suback() {
    let history = seen(&[
        (0, What::Attempted(Version::V3_1_1)),
        (0, What::Opened),
        (0, What::Sent(b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x00\x00\x01a")),
        (0, What::Received(b"\x20\x02\x00\x00")),
        (1, What::Sent(b"\x82\x07\x00\x07\x00\x02a#\x00")),
        (1, What::Received(b"\x90\x03\x00\x07\x80")),
        (20, What::Finished),
    ]);
    let found = judged(&history);
    assert_eq!(found.accusations, []);
}

/// Bridges set bit 7 of the protocol level, and a Server may support that; a level that is no revision's it does not.
#[test]
fn the_level_of_a_bridge_may_be_supported() {
    for (level, rule) in
        [(0x84, None), (0x85, None), (0x06, Some("closes_on_error")), (0x86, Some("closes_on_error"))]
    {
        let connect = [&b"\x10\x0D\x00\x04MQTT"[..], &[level, 2, 0, 0, 0, 1, b'a']].concat();
        let history = seen(&[
            (0, What::Attempted(Version::V3_1_1)),
            (0, What::Opened),
            (0, What::Sent(&connect)),
            (0, What::Received(b"\x20\x02\x00\x00")),
            (20, What::Finished),
        ]);
        let found = judged(&history);
        let rules: Vec<&str> = found.accusations.iter().map(|accusation| accusation.rule).collect();
        assert_eq!(rules.first().copied(), rule, "{level:#04x}: {:#?}", found.accusations);
    }
}

#[test]
fn others_go_on() {
    let crowd = |version| {
        let mut story = Story::new(version);
        let clients = ["a", "b", "c", "d"].map(|name| story.client(name));
        story.ping(clients[3]).broken(clients[0], "no-filter/subscribe").patience();
        for client in &clients[1..] {
            story.ping(*client);
        }
        story
    };
    sound(crowd);
    catches("bystanders", Mutant::ErrorEndsAllConnections, crowd);
}

#[test]
fn what_is_allowed_is_no_mistake() {
    let two = |version: Version, change: &dyn Fn(&mut Story, ClientNo)| {
        let mut story = Story::new(version);
        for name in ["a", "b"] {
            let client = story.client(name);
            change(&mut story, client);
        }
        story.patience();
        story
    };
    let disordered = |version| {
        two(version, &|story, client| {
            let mut properties = PropertyList::new();
            if version == Version::V5 {
                properties.push(Property::UserProperty(("n", "v")));
                properties.push(Property::ContentType("text"));
            }
            story.publish_with(client, "t", "1", Qos::AtLeastOnce, properties).settle(client);
        })
    };
    sound(disordered);
    catches("refused_features", Mutant::PropertyOrderDemanded, disordered);
    let short = |version| {
        two(version, &|story, client| {
            story.ack(client, PacketType::Pubrel, 3, ReasonCode::SUCCESS).wait(0.5).ping(client);
        })
    };
    sound(short);
    catches("refused_features", Mutant::ShortAcknowledgementRefused, short);
    let keep_alive = |version| {
        let mut story = Story::new(version);
        let a = story.client("a");
        let b = story.client_with("b", |client| client.connect.keep_alive = 60);
        let c = story.client("c");
        for client in [a, b, c] {
            story.act(client, Action::Connect(None)).wait(0.5);
        }
        story.patience();
        story
    };
    sound(keep_alive);
    catches("refused_features", Mutant::KeepAliveZeroRefused, keep_alive);
    let password = |version| {
        let mut story = Story::new(version);
        let password = (version == Version::V5).then(|| b"secret".to_vec());
        let a = story.client_with("a", |client| client.connect.password = password);
        story.act(a, Action::Connect(None)).patience();
        story
    };
    sound(password);
    catches("refused_features", Mutant::PasswordAloneRefusedAsMalformed, password);
}
