//! Mutants show: each of these differs from the reference broker in the story that is told to both.

mod common;

use common::*;
use core::time::Duration;
use mqtt_assay_broker_model::{Broker, ConnectionId, Input, Mutant, Output, Policy, auth};
use mqtt_assay_codec::{Qos, Version};

/// A raw story: who sends which bytes; time passes between the lines.
enum Line {
    Open(u64),
    Say(u64, Vec<u8>),
    Cut(u64),
    Wait(u64),
}

fn tell(broker: Broker, story: &[Line]) -> Vec<(Duration, Output)> {
    let mut broker = broker;
    let mut now = Duration::ZERO;
    let mut log = Vec::new();
    for line in story {
        if let Line::Wait(millis) = line {
            let end = now + Duration::from_millis(*millis);
            while let Some(at) = broker.deadline().filter(|at| *at <= end) {
                now = at.max(now);
                broker.handle(now, Input::Timer);
                log.extend(core::iter::from_fn(|| broker.poll()).map(|output| (now, output)));
            }
            now = end;
            continue;
        }
        match line {
            Line::Open(id) => broker.handle(now, Input::Opened(ConnectionId(*id))),
            Line::Say(id, bytes) => broker.handle(now, Input::Received(ConnectionId(*id), bytes)),
            Line::Cut(id) => broker.handle(now, Input::Closed(ConnectionId(*id))),
            Line::Wait(_) => {}
        }
        log.extend(core::iter::from_fn(|| broker.poll()).map(|output| (now, output)));
    }
    log
}

fn connect(id: u64, version: Version, client: &str, clean: bool, properties: &[u8]) -> [Line; 2] {
    let mut body =
        if version == Version::V5 { b"\x00\x04MQTT\x05".to_vec() } else { b"\x00\x04MQTT\x04".to_vec() };
    body.push(if clean { 2 } else { 0 });
    body.extend_from_slice(&[0, 0]);
    if version == Version::V5 {
        body.push(properties.len() as u8);
        body.extend_from_slice(properties);
    }
    body.extend_from_slice(&[0, client.len() as u8]);
    body.extend_from_slice(client.as_bytes());
    [Line::Open(id), Line::Say(id, frame(0x10, &body))]
}

fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, body.len() as u8];
    bytes.extend_from_slice(body);
    bytes
}

#[track_caller]
fn differ(policy: &Policy, story: &[Line], mutants: &[Mutant]) {
    let reference = tell(Broker::new(policy.clone(), 1), story);
    for &mutant in mutants {
        let told = tell(Broker::new(policy.clone(), 1).with_mutant(mutant), story);
        assert_ne!(told, reference, "{}", mutant.name());
    }
}

/// What follows a sound CONNECT; a subscriber of everything looks on.
#[track_caller]
fn lenient(version: Version, bytes: &[u8], mutant: Mutant) {
    let mut story = Vec::from(connect(1, version, "watcher", true, b""));
    let everything: &[u8] =
        if version == Version::V5 { b"\x00\x01\x00\x00\x01#\x00" } else { b"\x00\x01\x00\x01#\x00" };
    story.push(Line::Say(1, frame(0x82, everything)));
    story.extend(connect(2, version, "lax", true, b""));
    story.push(Line::Say(2, bytes.to_vec()));
    story.push(Line::Say(2, vec![0xC0, 0]));
    let reference = tell(Broker::new(Policy::default(), 1), &story);
    let told = tell(Broker::new(Policy::default(), 1).with_mutant(mutant), &story);
    assert_ne!(told, reference, "{}", mutant.name());
    // The mutant answers or distributes: it does more than leave the connection open.
    let pong = Output::Send(ConnectionId(2), vec![0xD0, 0]);
    let after: Vec<&Output> = told.iter().skip(3).map(|(_, output)| output).filter(|o| **o != pong).collect();
    // Some packets have no answer, or one like that of the PINGREQ.
    let unanswered = matches!(bytes[0] >> 4, 0 | 12..=15);
    assert!(unanswered || !after.is_empty(), "{}", mutant.name());
    assert!(unanswered || !after.contains(&&Output::Close(ConnectionId(2))), "{} {told:?}", mutant.name());
}

#[test]
fn lenient_mutants_handle_what_is_malformed() {
    use Mutant::*;
    let (old, new) = (Version::V3_1_1, Version::V5);
    for (version, bytes, mutant) in [
        (old, &b"\x36\x06\x00\x01t\x00\x01x"[..], Qos3Accepted),
        (new, b"\x36\x07\x00\x01t\x00\x01\x00x", Qos3Accepted),
        (old, b"\x38\x04\x00\x01tx", DupAtQos0Accepted),
        (old, b"\x60\x02\x00\x01", PubrelFlagsAccepted),
        (old, b"\x80\x06\x00\x01\x00\x01t\x00", SubscribeFlagsAccepted),
        (old, b"\xA0\x05\x00\x01\x00\x01t", UnsubscribeFlagsAccepted),
        (new, b"\xE1\x00", DisconnectFlagsAccepted),
        (old, b"\xC1\x00", FixedHeaderFlagsAccepted),
        (old, b"\x30\x04\x00\x01\xFFx", IllFormedUtf8Accepted),
        (old, b"\x30\x04\x00\x01\x00x", NulInStringAccepted),
        (old, b"\x32\x06\x00\x01t\x00\x00x", PacketIdZeroAccepted),
        (old, b"\x82\x06\x00\x00\x00\x01t\x00", PacketIdZeroAccepted),
        (old, b"\x82\x02\x00\x01", EmptySubscribeAccepted),
        (new, b"\x82\x03\x00\x01\x00", EmptySubscribeAccepted),
        (old, b"\xA2\x02\x00\x01", EmptyUnsubscribeAccepted),
        (old, b"\x82\x06\x00\x01\x00\x01t\x04", SubscribeReservedBitsAccepted),
        (new, b"\x82\x07\x00\x01\x00\x00\x01t\xC0", SubscribeReservedBitsAccepted),
        (old, b"\x82\x06\x00\x01\x00\x01t\x03", SubscribeQos3Accepted),
        (new, b"\x82\x07\x00\x01\x00\x00\x01t\x03", SubscribeQos3Accepted),
        (new, b"\x82\x07\x00\x01\x00\x00\x01t\x30", RetainHandling3Accepted),
        (new, b"\x82\x10\x00\x01\x00\x00\x0a$share/g/t\x04", NoLocalOnSharedAccepted),
        (old, b"\x62\x03\x00\x01\x00", TrailingBytesAccepted),
        (old, b"\x32\x04\x00\x01t\x00", TruncatedPacketAccepted),
        (old, b"\x82\x06\x00\x01\x00\x05t\x00", TruncatedPacketAccepted),
        (new, b"\x33\x0a\x00\x01t\x00\x01\x02\x7F\x00xx", BadPropertyAccepted),
        (new, b"\x82\x09\x00\x01\x02\x0B\x00\x00\x01t\x00", BadPropertyAccepted),
        (new, b"\x82\x02\x00\x01", PropertyLengthMissingAccepted),
        (new, b"\x30\x0a\x00\x01t\x05\x08\x00\x02a#x", ResponseTopicWildcardAccepted),
        (new, b"\x30\x07\x00\x01t\x02\x0B\x05x", SubscriptionIdFromClientAccepted),
        (new, b"\x30\x08\x00\x01t\x03\x23\x00\x00x", TopicAliasZeroAccepted),
        (old, b"\x82\x07\x00\x01\x00\x02a#\x00", BadFilterGranted),
        (old, b"\x82\x08\x00\x01\x00\x03a+b\x00", BadFilterGranted),
        (old, b"\x82\x05\x00\x01\x00\x00\x00", EmptyFilterGranted),
        (new, b"\x82\x0f\x00\x01\x00\x00\x09$share//t\x01", BadShareFilterGranted),
        (new, b"\x82\x0e\x00\x01\x00\x00\x08$share/g\x01", BadShareFilterGranted),
        (new, b"\x82\x0f\x00\x01\x00\x00\x09$share/g/\x01", BadShareFilterGranted),
        (new, b"\x82\x10\x00\x01\x00\x00\x0a$share/+/t\x01", BadShareFilterGranted),
        (new, b"\x82\x0d\x00\x01\x00\x00\x07$share/\x01", BadShareFilterGranted),
        (old, b"\x30\x05\x00\x02a#x", WildcardTopicDelivered),
        (old, b"\x30\x03\x00\x00x", EmptyTopicAccepted),
        (new, b"\x30\x04\x00\x00\x00x", EmptyTopicAccepted),
        (old, b"\x00\x00", ReservedPacketTypeIgnored),
        (old, b"\xD0\x00", ServerPacketIgnored),
        (new, b"\x30\x84\x00\x00\x01t\x00", PaddedLengthAccepted),
        (new, b"\x30\x06\x00\x01t\x80\x00x", PaddedLengthAccepted),
        (new, b"\x62\x03\x00\x01\x80", AckCodeUnlistedAccepted),
    ] {
        lenient(version, bytes, mutant);
    }
}

#[test]
fn lenient_mutants_accept_malformed_connects() {
    use Mutant::*;
    for (bytes, mutant) in [
        (&b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x00\x00\x01a"[..], ConnectReservedFlagAccepted),
        (b"\x10\x0e\x00\x04MQTT\x05\x03\x00\x00\x00\x00\x01a", ConnectReservedFlagAccepted),
        (b"\x10\x13\x00\x04MQTT\x04\x1E\x00\x00\x00\x01a\x00\x01w\x00\x01x", ConnectWillQos3Accepted),
        (b"\x10\x0d\x00\x04MQTT\x04\x0A\x00\x00\x00\x01a", ConnectWillBitsWithoutWillAccepted),
        (b"\x10\x0d\x00\x04MQTT\x04\x22\x00\x00\x00\x01a", ConnectWillBitsWithoutWillAccepted),
        (b"\x10\x10\x00\x04MQTT\x04\x42\x00\x00\x00\x01a\x00\x01p", ConnectPasswordWithoutUserNameAccepted),
        (b"\x10\x0a\x00\x04MQTT\x04\x02\x00\x00", ConnectMissingFieldsAccepted),
        (b"\x10\x0d\x00\x04MQTT\x04\xC2\x00\x00\x00\x01a", ConnectMissingFieldsAccepted),
        (b"\x10\x0e\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x01a", ConnectMissingFieldsAccepted),
        (b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x01a\x00\x01u", ConnectTrailingBytesAccepted),
        (b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01\xFF", ConnectBadStringAccepted),
        (b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01\x00", ConnectBadStringAccepted),
        (b"\x10\x11\x00\x04MQTT\x05\x02\x00\x00\x03\x21\x00\x00\x00\x01a", ConnectBadPropertyAccepted),
        (b"\x10\x10\x00\x04MQTT\x05\x02\x00\x00\x02\x7F\x00\x00\x01a", ConnectBadPropertyAccepted),
        (b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x05a", ConnectTruncatedAccepted),
        (b"\x10\x0d\x00\x04MQTX\x04\x02\x00\x00\x00\x01a", ProtocolNameIgnored),
        (b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x00\x00\x01a", ProtocolLevelIgnored),
        (b"\x11\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a", FixedHeaderFlagsAccepted),
    ] {
        let story = [Line::Open(1), Line::Say(1, bytes.to_vec())];
        let told = tell(Broker::new(Policy::default(), 1).with_mutant(mutant), &story);
        let accepted = told
            .iter()
            .any(|(_, output)| matches!(output, Output::Send(_, bytes) if bytes[0] == 0x20 && bytes[3] == 0));
        assert!(accepted, "{} {told:?}", mutant.name());
        let closed = [Line::Open(1), Line::Say(1, bytes.to_vec())];
        let reference = tell(Broker::new(Policy::default(), 1), &closed);
        assert_eq!(reference.last().map(|(_, o)| o), Some(&Output::Close(ConnectionId(1))));
    }
    for (bytes, mutants) in [
        (
            &b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x00\x00\x01a"[..],
            &[ProtocolLevelRefusedSilently, ProtocolLevelRefusedWithWrongCode, MalformedConnectKeptOpen][..],
        ),
        (b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x00\x00\x01a", &[MalformedConnectAnswered]),
        (b"\xc0\x00", &[PingreqBeforeConnectAnswered]),
    ] {
        differ(&Policy::default(), &[Line::Open(1), Line::Say(1, bytes.to_vec())], mutants);
    }
    differ(&Policy::default(), &[Line::Open(1), Line::Wait(20_000)], &[ConnectTimeoutIgnored]);
}

/// A subscriber of `t` at QoS 2 with a Receive Maximum of 1 and a session, a publisher, two messages.
fn delivery(version: Version, tail: Vec<Line>) -> Vec<Line> {
    let v5 = version == Version::V5;
    let lasting: &[u8] = b"\x11\x00\x00\x00\x3c\x21\x00\x01";
    let mut story = Vec::from(connect(1, version, "s", false, lasting));
    story.push(Line::Say(
        1,
        frame(0x82, if v5 { b"\x00\x01\x00\x00\x01t\x02" } else { b"\x00\x01\x00\x01t\x02" }),
    ));
    story.extend(connect(2, version, "p", true, b""));
    for id in [1, 2] {
        let mut body = vec![0, 1, b't', 0, id];
        if v5 {
            body.push(0);
        }
        story.push(Line::Say(2, frame(0x34, &body)));
        story.push(Line::Say(2, vec![0x62, 2, 0, id]));
    }
    story.extend(tail);
    story
}

fn again(version: Version) -> Vec<Line> {
    let mut lines = vec![Line::Cut(1)];
    lines.extend(connect(3, version, "s", false, b"\x11\x00\x00\x00\x3c"));
    lines
}

#[test]
fn deliveries_go_wrong() {
    use Mutant::*;
    for version in BOTH {
        let released = |mut tail: Vec<Line>| {
            tail.insert(0, Line::Say(1, vec![0x50, 2, 0, 1]));
            delivery(version, tail)
        };
        let none = Policy::default();
        differ(&none, &released(Vec::new()), &[PubrelMissing, PubrelWrongId, PubrelFlagsWrong]);
        differ(&none, &released(again(version)), &[PubrelNotResent, PublishResentAfterPubrel]);
        differ(
            &none,
            &delivery(version, again(version)),
            &[
                DupMissingOnRedelivery,
                PacketIdChangedOnRedelivery,
                InflightLostOnResume,
                Qos2ForgottenWhenSent,
            ],
        );
        let once_more = vec![Line::Say(
            2,
            frame(0x34, if version == Version::V5 { b"\x00\x01t\x00\x01\x00" } else { b"\x00\x01t\x00\x01" }),
        )];
        differ(
            &none,
            &delivery(version, [again(version), once_more].into_iter().flatten().collect()),
            &[Qos2IdNotReleased],
        );
    }
    let v5 = |tail| delivery(Version::V5, tail);
    let none = Policy::default();
    let say = |bytes: &[u8]| Line::Say(1, bytes.to_vec());
    differ(&none, &v5(vec![say(&[0x50, 2, 0, 1])]), &[QuotaReturnedAtPubrec]);
    differ(&none, &v5(vec![say(&[0x50, 2, 0, 1]), say(&[0x70, 2, 0, 1])]), &[QuotaNotReturned]);
    differ(&none, &v5(Vec::new()), &[ReceiveMaximumIgnored, ReceiveMaximumLessOne]);
    differ(&none, &v5(vec![say(&[0xC0, 0])]), &[ReceiveMaximumBlocksOtherPackets, ResentOnLiveConnection]);
    let refused = [vec![say(&[0x50, 3, 0, 1, 0x80])], again(Version::V5)].into_iter().flatten().collect();
    differ(&none, &v5(refused), &[RefusedDeliveryResent, RefusedDeliveryReleased]);
    let resubscribe = vec![say(b"\x82\x07\x00\x05\x00\x00\x01t\x02"), say(&[0x50, 3, 0, 1, 0x80])];
    differ(&none, &v5(resubscribe), &[ResubscribeDropsQueue]);
}

#[test]
fn messages_expire_or_not() {
    let mut story = Vec::from(connect(1, Version::V5, "s", false, b"\x11\x00\x00\x00\x3c"));
    story.push(Line::Say(1, frame(0x82, b"\x00\x01\x00\x00\x01t\x02")));
    story.extend(connect(2, Version::V5, "p", true, b""));
    story.push(Line::Cut(1));
    story.push(Line::Say(2, frame(0x32, b"\x00\x01t\x00\x01\x05\x02\x00\x00\x00\x02x")));
    let early = [Line::Wait(1_000), Line::Wait(0)];
    let late = [Line::Wait(3_000), Line::Wait(0)];
    let with = |mut story: Vec<Line>, wait: [Line; 2]| {
        story.extend(wait);
        story.extend(connect(3, Version::V5, "s", false, b""));
        story
    };
    let copy = |lines: &[Line]| -> Vec<Line> {
        lines
            .iter()
            .map(|line| match line {
                Line::Open(id) => Line::Open(*id),
                Line::Say(id, bytes) => Line::Say(*id, bytes.clone()),
                Line::Cut(id) => Line::Cut(*id),
                Line::Wait(millis) => Line::Wait(*millis),
            })
            .collect()
    };
    let none = Policy::default();
    differ(
        &none,
        &with(copy(&story), early),
        &[Mutant::MessageExpiryNotDecremented, Mutant::MessageExpiryLost],
    );
    differ(&none, &with(story, late), &[Mutant::MessageExpiryIgnored]);
}

#[test]
fn authentication_goes_wrong() {
    use Mutant::*;
    let mut method = vec![0x15, 0, auth::METHOD.len() as u8];
    method.extend_from_slice(auth::METHOD.as_bytes());
    let asks = Vec::from(connect(1, Version::V5, "a", true, &method));
    let none = Policy::default();
    differ(&none, &asks, &[AuthContinueWithWrongCode, AuthCodeUnlisted]);
    let reply = |reason: u8, method: &[u8], data: &[u8]| {
        let mut properties = method.to_vec();
        properties.extend_from_slice(&[0x16, 0, data.len() as u8]);
        properties.extend_from_slice(data);
        let mut body = vec![reason, properties.len() as u8];
        body.extend_from_slice(&properties);
        Line::Say(1, frame(0xF0, &body))
    };
    let Some((_, Output::Send(_, sent))) = tell(Broker::new(Policy::default(), 1), &asks).pop() else {
        panic!("no challenge");
    };
    let right = auth::answer(&sent[sent.len() - 8..], b"assay");
    let dialogue = |lines: Vec<Line>| {
        let mut story = Vec::from(connect(1, Version::V5, "a", true, &method));
        story.extend(lines);
        story
    };
    differ(&none, &dialogue(vec![reply(0x18, &method, &right)]), &[AuthenticationMethodMissing]);
    differ(
        &none,
        &dialogue(vec![reply(0x18, &method, b"wrong")]),
        &[AuthWrongAnswerAccepted, RefusedConnectKeptOpen],
    );
    differ(&none, &dialogue(vec![reply(0x19, &method, &right)]), &[AuthWrongReasonAccepted]);
    differ(&none, &dialogue(vec![Line::Say(1, vec![0xC0, 0])]), &[PacketDuringAuthenticationServed]);
    let other = b"\x15\x00\x01x";
    let accepted = || reply(0x18, &method, &right);
    differ(&none, &dialogue(vec![accepted(), reply(0x19, other, b"")]), &[ReauthenticationMethodChanged]);
    let failed = vec![accepted(), reply(0x19, &method, b""), reply(0x18, &method, b"wrong")];
    differ(&none, &dialogue(failed), &[ReauthenticationFailureKeptOpen]);
    let mut plain = Vec::from(connect(1, Version::V5, "a", true, b""));
    differ(&none, &plain, &[AuthUnsolicited, AuthenticationMethodUnasked, ResponseInformationUnasked]);
    plain.push(reply(0x19, &method, b""));
    differ(&none, &plain, &[AuthFromClientIgnored]);
    differ(&none, &connect(1, Version::V5, "a", true, other), &[UnknownMethodAccepted]);
}

#[test]
fn policies_bring_out_the_rest() {
    use Mutant::*;
    let will = |flags: u8, version: u8| {
        let mut body = b"\x00\x04MQTT".to_vec();
        body.extend_from_slice(&[version, flags, 0, 0]);
        body.extend_from_slice(if version == 5 {
            b"\x00\x00\x01a\x00\x00\x01w\x00\x01x"
        } else {
            b"\x00\x01a\x00\x01w\x00\x01x"
        });
        [Line::Open(1), Line::Say(1, frame(0x10, &body))]
    };
    let limited = Policy { max_qos: Qos::AtLeastOnce, retain_available: false, ..Policy::default() };
    differ(&limited, &will(0x16, 5), &[WillQosAboveMaximumAccepted]);
    differ(&limited, &will(0x26, 5), &[WillRetainUnavailableAccepted]);
    differ(&limited, &connect(1, Version::V5, "a", true, b""), &[MaximumQosNotAnnounced]);
    let mut subscribes = Vec::from(connect(1, Version::V5, "a", true, b""));
    subscribes.push(Line::Say(1, frame(0x82, b"\x00\x01\x00\x00\x01t\x02")));
    differ(&limited, &subscribes, &[SubscribeAboveMaximumQosRefused]);
    let closed = Policy { anonymous: false, ..Policy::default() };
    differ(&closed, &connect(1, Version::V3_1_1, "a", true, b""), &[CredentialsIgnored, ConnackCodeUnlisted]);
    let denied = Policy { deny_publish: vec!["t".into()], ..Policy::default() };
    let mut publishes = Vec::from(connect(1, Version::V3_1_1, "a", true, b""));
    publishes.push(Line::Say(1, frame(0x32, b"\x00\x01t\x00\x01x")));
    differ(&denied, &publishes, &[DeniedPublishUnacknowledged]);
    let mut refused = Vec::from(connect(1, Version::V5, "a", true, b"\x17\x00"));
    refused.push(Line::Say(1, frame(0x34, b"\x00\x01t\x00\x01\x00x")));
    refused.push(Line::Say(1, frame(0x34, b"\x00\x01t\x00\x01\x00x")));
    differ(&denied, &refused, &[RefusedQos2IdKept, ProblemInformationUnasked]);
    let plain = Policy { wildcard_subscription_available: false, ..Policy::default() };
    let mut wild = Vec::from(connect(1, Version::V3_1_1, "a", true, b""));
    wild.push(Line::Say(1, frame(0x82, b"\x00\x01\x00\x01#\x00")));
    differ(&plain, &wild, &[WildcardUnavailableGranted]);
}

/// What a rule can accuse of, a mutant breaks: the rules' own sources are read, since only they know what they cite.
#[test]
fn every_statement_of_a_rule_has_its_mutant() {
    let broken: Vec<&str> = Mutant::ALL.iter().flat_map(|mutant| mutant.breaks()).copied().collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules");
    let mut cited = 0;
    for entry in std::fs::read_dir(folder).expect("the rules are there") {
        let path = entry.expect("it can be listed").path();
        let Ok(source) = std::fs::read_to_string(&path) else { continue };
        for cites in source.split("v3_1_1: &[").skip(1) {
            let Some((old, rest)) = cites.split_once("v5: &[") else { continue };
            let (old, new) = (old.split(']').next(), rest.split(']').next());
            let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
            for (version, list) in [("3.1.1", old), ("5.0", new)] {
                for id in list.split('"').skip(1).step_by(2) {
                    let statement = format!("{version}/{id}");
                    assert!(broken.contains(&statement.as_str()), "{statement}, cited in {}", path.display());
                    cited += 1;
                }
            }
        }
    }
    assert!(cited > 200, "{cited}");
}
