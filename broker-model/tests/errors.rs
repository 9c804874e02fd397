//! Packets that break the rules, AUTH, and goodbyes.

mod common;

use common::*;
use mqtt_assay_broker_model::{Policy, auth};
use mqtt_assay_codec::{Auth, Connect, Disconnect, Packet, Property, PropertyList, ReasonCode, Version};

#[test]
fn malformed_packets_end_the_connection_and_touch_nobody_else() {
    for (bytes, code) in [
        (&b"\x36\x06\x00\x01t\x00\x01\x00"[..], 0x81),
        (b"\x60\x02\x00\x01", 0x81),
        (b"\x80\x06\x00\x01\x00\x01t\x00", 0x81),
        (b"\xa0\x05\x00\x01\x00\x01t", 0x81),
        (b"\x82\x02\x00\x01", 0x81),
        (b"\x30\x04\x00\x02a#", 0x90),
        (b"\xc1\x00", 0x81),
        (b"\xc0\x01\x00", 0x81),
        (b"\x00\x00", 0x81),
        (b"\xd0\x00", 0x82),
        (b"\x20\x02\x00\x00", 0x82),
        (b"\xe1\x00", 0x81),
        (b"\xf1\x00", 0x81),
        (b"\x30\xff\xff\xff\xff", 0x81),
    ] {
        for version in BOTH {
            let mut w = World::new();
            let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
            w.bytes(a, bytes);
            assert_eq!(w.expect_close(a), (version == Version::V5).then_some(code), "{bytes:02x?}");
            w.send(b, &Packet::Pingreq);
            assert_eq!(w.all(b), [Got::Pingresp]);
        }
    }
}

#[test]
fn nothing_behind_an_error_or_goodbye_is_looked_at() {
    for version in BOTH {
        for end in [&b"\xe0\x00"[..], b"\xc1\x00"] {
            let mut w = World::new();
            let (a, b) = (w.connect(version, "a"), w.connect(version, "b"));
            w.subscribe(b, "t", QOS0);
            let mut bytes = end.to_vec();
            Packet::Publish(publish("t", "x", QOS0)).encode(version, &mut bytes).unwrap();
            w.bytes(a, &bytes);
            assert_eq!(w.all(a).last(), Some(&Got::Closed));
            // The id is gone: whatever comes is ignored.
            w.bytes(a, b"\xc0\x00");
            w.cut(a);
            w.expect_nothing(a);
            w.expect_nothing(b);
        }
    }
}

fn with_method(w: &mut World, method: &str) -> Client {
    let list = PropertyList::new()
        .with(Property::AuthenticationMethod(method))
        .with(Property::SessionExpiryInterval(60));
    w.try_connect(&Connect { properties: list.view(), ..Connect::new(Version::V5, "a") })
}

fn challenge(w: &mut World, client: Client) -> Vec<u8> {
    match w.next(client) {
        Some(Got::Auth(0x18, properties)) => {
            let properties = properties.view();
            assert_eq!(properties.authentication_method(), Some(auth::METHOD));
            properties.authentication_data().expect("a nonce").to_vec()
        }
        other => panic!("no challenge: {other:?}"),
    }
}

fn reply(w: &mut World, client: Client, reason: u8, method: &str, data: &[u8]) {
    let list = PropertyList::new()
        .with(Property::AuthenticationMethod(method))
        .with(Property::AuthenticationData(data));
    w.send(client, &Packet::Auth(Auth { reason: ReasonCode(reason), properties: list.view() }));
}

fn authenticated(w: &mut World) -> Client {
    let a = with_method(w, auth::METHOD);
    let nonce = challenge(w, a);
    reply(w, a, 0x18, auth::METHOD, &auth::answer(&nonce, b"assay"));
    match w.next(a) {
        Some(Got::Connack { code: 0, properties, .. }) => {
            assert_eq!(properties.view().authentication_method(), Some(auth::METHOD));
        }
        other => panic!("no CONNACK: {other:?}"),
    }
    a
}

#[test]
fn a_challenge_is_answered_rightly_or_wrongly() {
    let mut w = World::new();
    authenticated(&mut w);
    for (reason, method, right, code) in
        [(0x18, auth::METHOD, false, 0x87), (0x19, auth::METHOD, true, 0x82), (0x18, "other", true, 0x82)]
    {
        let mut w = World::new();
        let a = with_method(&mut w, auth::METHOD);
        let nonce = challenge(&mut w, a);
        let secret: &[u8] = if right { b"assay" } else { b"guess" };
        reply(&mut w, a, reason, method, &auth::answer(&nonce, secret));
        assert!(matches!(w.next(a), Some(Got::Connack { code: got, .. }) if got == code));
        assert_eq!(w.expect_close(a), None);
    }
}

#[test]
fn only_auth_and_disconnect_may_come_before_connack() {
    let mut w = World::new();
    let a = with_method(&mut w, auth::METHOD);
    challenge(&mut w, a);
    w.send(a, &Packet::Pingreq);
    assert!(matches!(w.next(a), Some(Got::Connack { code: 0x82, .. })));
    assert_eq!(w.expect_close(a), None);
    let b = with_method(&mut w, auth::METHOD);
    challenge(&mut w, b);
    w.send(b, &Packet::Disconnect(Disconnect::new(ReasonCode::SUCCESS)));
    assert_eq!(w.all(b), [Got::Closed]);
    let c = with_method(&mut w, auth::METHOD);
    challenge(&mut w, c);
    w.wait(10.1);
    assert_eq!(w.all(c), [Got::Closed]);
}

#[test]
fn an_unknown_method_is_refused() {
    for (policy, method) in [
        (Policy::default(), "SCRAM-SHA-1"),
        (Policy { challenge_secret: None, ..Policy::default() }, auth::METHOD),
    ] {
        let mut w = World::with(policy);
        let a = with_method(&mut w, method);
        assert!(matches!(w.next(a), Some(Got::Connack { code: 0x8C, .. })));
        assert_eq!(w.expect_close(a), None);
    }
}

#[test]
fn re_authentication_succeeds_or_disconnects() {
    for (secret, method, ok) in
        [(&b"assay"[..], auth::METHOD, true), (b"guess", auth::METHOD, false), (b"assay", "other", false)]
    {
        let mut w = World::new();
        let a = authenticated(&mut w);
        reply(&mut w, a, 0x19, method, b"");
        if method == "other" {
            assert_eq!(w.expect_close(a), Some(0x82));
            continue;
        }
        let nonce = challenge(&mut w, a);
        // Other packets go on meanwhile.
        w.send(a, &Packet::Pingreq);
        assert_eq!(w.next(a), Some(Got::Pingresp));
        reply(&mut w, a, 0x18, method, &auth::answer(&nonce, secret));
        match ok {
            true => assert!(matches!(w.next(a), Some(Got::Auth(0, _)))),
            false => assert_eq!(w.expect_close(a), Some(0x87)),
        }
    }
}

#[test]
fn auth_without_a_method_in_connect_is_an_error() {
    let mut w = World::new();
    let a = w.connect(Version::V5, "a");
    reply(&mut w, a, 0x19, auth::METHOD, b"");
    assert_eq!(w.expect_close(a), Some(0x82));
}
