//! CONNECT and CONNACK: accepted, refused, taken over, timed out.

mod common;

use common::*;
use mqtt_assay_broker_model::{Credential, Policy};
use mqtt_assay_codec::{Connect, Packet, Property, PropertyList, Publish, Qos, Version, Will};

fn v5(properties: &PropertyList) -> Connect<'_> {
    Connect { properties: properties.view(), ..Connect::new(Version::V5, "c") }
}

fn connack(w: &mut World, client: Client) -> (u8, PropertyList) {
    match w.next(client) {
        Some(Got::Connack { code, properties, .. }) => (code, properties),
        other => panic!("no CONNACK: {other:?}"),
    }
}

#[test]
fn three_versions_are_served() {
    for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
        let mut w = World::new();
        let a = w.connect(version, "a");
        w.send(a, &Packet::Pingreq);
        assert_eq!(w.all(a), [Got::Pingresp]);
    }
}

#[test]
fn an_unknown_level_gets_return_code_1() {
    let mut w = World::new();
    let a = w.open(Version::V3_1_1);
    w.bytes(a, b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x00\x00\x01a");
    assert_eq!(connack(&mut w, a).0, 1);
    assert_eq!(w.expect_close(a), None);
}

#[test]
fn a_broker_of_5_alone_answers_3_1_1_with_0x84() {
    let mut w = World::with(Policy { versions: vec![Version::V5], ..Policy::default() });
    let a = w.open(Version::V5);
    w.bytes(a, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a");
    assert_eq!(connack(&mut w, a).0, 0x84);
    assert_eq!(w.expect_close(a), None);
}

#[test]
fn malformed_connects_are_closed_in_silence_before_5_and_with_connack_in_5() {
    for (bytes, code) in [
        (&b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x00\x00\x01a"[..], None),
        (b"\x10\x0e\x00\x04MQTT\x05\x03\x00\x00\x00\x00\x01a", Some(0x81)),
        (b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01\xff", Some(0x81)),
        (b"\x10\x13\x00\x04MQTT\x05\x02\x00\x00\x05\x11\x00\x00\x00\x01\x00\x01a", None),
        (b"\x10\x0d\x00\x04MQTX\x04\x02\x00\x00\x00\x01a", None),
        (b"\x30\x03\x00\x01a", None),
        (b"\xc0\x00", None),
        (b"\xff\xff\xff\xff\xff", None),
    ] {
        let v5 = bytes.get(8) == Some(&5);
        let mut w = World::new();
        let a = w.open(if v5 { Version::V5 } else { Version::V3_1_1 });
        w.bytes(a, bytes);
        match (code, bytes.len()) {
            (_, 21) => assert_eq!(connack(&mut w, a).0, 0),
            (Some(code), _) => {
                assert_eq!(connack(&mut w, a).0, code);
                assert_eq!(w.expect_close(a), None);
            }
            (None, _) => assert_eq!(w.all(a), [Got::Closed], "{bytes:02x?}"),
        }
    }
}

#[test]
fn a_second_connect_ends_the_connection() {
    for version in BOTH {
        let mut w = World::new();
        let a = w.connect(version, "a");
        w.send(a, &Packet::Connect(Connect::new(version, "a")));
        assert_eq!(w.expect_close(a), (version == Version::V5).then_some(0x82));
    }
}

#[test]
fn packets_behind_connect_are_served_and_those_behind_a_refused_one_are_not() {
    for version in BOTH {
        let policy = Policy { anonymous: false, ..Policy::default() };
        for (mut w, accepted) in [(World::new(), true), (World::with(policy), false)] {
            let a = w.open(version);
            let mut bytes = Vec::new();
            Packet::Connect(Connect::new(version, "a")).encode(version, &mut bytes).unwrap();
            let retained = Publish { retain: true, ..publish("t", "x", Qos::AtLeastOnce) };
            Packet::Publish(retained).encode(version, &mut bytes).unwrap();
            // One byte at a time: the stream may be cut anywhere.
            for byte in bytes {
                w.bytes(a, &[byte]);
            }
            let code = match (accepted, version) {
                (true, _) => 0,
                (_, Version::V5) => 0x87,
                _ => 5,
            };
            assert_eq!(connack(&mut w, a).0, code);
            match accepted {
                true => assert!(matches!(w.next(a), Some(Got::Puback(9, _)))),
                false => assert_eq!(w.all(a), [Got::Closed]),
            }
        }
    }
}

#[test]
fn users_are_checked() {
    let policy = || Policy {
        anonymous: false,
        credentials: vec![Credential { user_name: "u".into(), password: b"p".to_vec() }],
        ..Policy::default()
    };
    for version in BOTH {
        for (password, code) in [(&b"p"[..], 0), (b"q", if version == Version::V5 { 0x86 } else { 4 })] {
            let mut w = World::with(policy());
            let a = w.try_connect(&Connect {
                user_name: Some("u"),
                password: Some(password),
                ..Connect::new(version, "a")
            });
            assert_eq!(connack(&mut w, a).0, code);
        }
    }
}

#[test]
fn an_empty_client_id_is_assigned_or_refused() {
    let mut w = World::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let a = w.try_connect(&Connect { clean_start: false, ..Connect::new(Version::V5, "") });
        let (code, properties) = connack(&mut w, a);
        assert_eq!(code, 0);
        ids.push(properties.view().assigned_client_identifier().expect("an id").to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    // 3.1.1: with Clean Session only.
    w.connect(Version::V3_1_1, "");
    let a = w.try_connect(&Connect { clean_start: false, ..Connect::new(Version::V3_1_1, "") });
    assert_eq!(connack(&mut w, a).0, 2);
    assert_eq!(w.expect_close(a), None);
    // 3.1: never.
    let a = w.try_connect(&Connect::new(Version::V3_1, ""));
    assert_eq!(connack(&mut w, a).0, 2);
}

#[test]
fn an_assigned_id_leads_back_to_its_session() {
    let mut w = World::new();
    let expiry = PropertyList::new().with(Property::SessionExpiryInterval(60));
    let connect = Connect { client_id: "", ..v5(&expiry) };
    let a = w.try_connect(&connect);
    let (_, properties) = connack(&mut w, a);
    let id = properties.view().assigned_client_identifier().expect("an id").to_owned();
    w.disconnect(a);
    let (_, present) = w.connect_with(&Connect { client_id: &id, clean_start: false, ..connect });
    assert!(present);
}

#[test]
fn the_newer_connection_takes_over() {
    for version in BOTH {
        let mut w = World::new();
        let old = w.connect(version, "a");
        let new = w.connect(version, "a");
        assert_eq!(w.expect_close(old), (version == Version::V5).then_some(0x8E));
        w.send(new, &Packet::Pingreq);
        assert_eq!(w.all(new), [Got::Pingresp]);
    }
}

#[test]
fn silence_ends_a_connection_after_one_and_a_half_keep_alives() {
    for version in BOTH {
        let mut w = World::new();
        let (a, _) = w.connect_with(&Connect { keep_alive: 2, ..Connect::new(version, "a") });
        w.wait(2.9);
        w.send(a, &Packet::Pingreq);
        w.wait(2.9);
        assert_eq!(w.all(a), [Got::Pingresp]);
        w.wait(0.2);
        assert_eq!(w.expect_close(a), (version == Version::V5).then_some(0x8D));
        let (b, _) = w.connect_with(&Connect { keep_alive: 0, ..Connect::new(version, "b") });
        w.wait(1_000_000.0);
        w.expect_nothing(b);
    }
}

#[test]
fn a_server_keep_alive_is_announced_and_holds() {
    let mut w = World::with(Policy { server_keep_alive: Some(4), ..Policy::default() });
    let a = w.try_connect(&Connect { keep_alive: 0, ..Connect::new(Version::V5, "a") });
    assert_eq!(connack(&mut w, a).1.view().server_keep_alive(), Some(4));
    w.wait(6.1);
    assert_eq!(w.expect_close(a), Some(0x8D));
}

#[test]
fn a_connection_without_connect_is_closed() {
    let mut w = World::new();
    let a = w.open(Version::V5);
    w.bytes(a, b"\x10\x20\x00\x04MQ");
    w.wait(9.9);
    w.expect_nothing(a);
    w.wait(0.2);
    assert_eq!(w.all(a), [Got::Closed]);
}

#[test]
fn limits_are_announced_and_wills_beyond_them_refused() {
    let mut w = World::with(Policy {
        max_qos: Qos::AtLeastOnce,
        retain_available: false,
        wildcard_subscription_available: false,
        subscription_identifier_available: false,
        shared_subscription_available: false,
        ..Policy::default()
    });
    let a = w.try_connect(&Connect::new(Version::V5, "a"));
    let (_, announced) = connack(&mut w, a);
    let announced = announced.view();
    assert_eq!(announced.maximum_qos(), Some(1));
    assert_eq!(announced.retain_available(), Some(false));
    assert_eq!(announced.wildcard_subscription_available(), Some(false));
    assert_eq!(announced.subscription_identifier_available(), Some(false));
    assert_eq!(announced.shared_subscription_available(), Some(false));
    let mut refused = |will: Will<'_>| {
        let b = w.try_connect(&Connect { will: Some(will), ..Connect::new(Version::V5, "b") });
        let code = connack(&mut w, b).0;
        assert_eq!(w.expect_close(b), None);
        code
    };
    assert_eq!(refused(Will { qos: Qos::ExactlyOnce, ..Will::new("w", b"") }), 0x9B);
    assert_eq!(refused(Will { retain: true, ..Will::new("w", b"") }), 0x9A);
}

#[test]
fn response_information_is_sent_on_request_only() {
    for (asked, given) in [(None, None), (Some(false), None), (Some(true), Some("mqtt-assay/"))] {
        let mut w = World::new();
        let properties: PropertyList = asked.map(Property::RequestResponseInformation).into_iter().collect();
        let a = w.try_connect(&v5(&properties));
        assert_eq!(connack(&mut w, a).1.view().response_information(), given);
    }
}

#[test]
fn connack_keeps_within_a_small_maximum_packet_size() {
    let mut w = World::new();
    let properties = PropertyList::new().with(Property::MaximumPacketSize(8));
    let a = w.try_connect(&v5(&properties));
    let (code, announced) = connack(&mut w, a);
    assert_eq!((code, announced.is_empty()), (0, true));
    // What was not announced does not hold: no alias may be used.
    w.bytes(a, b"\x30\x08\x00\x01t\x03\x23\x00\x01x");
    assert_eq!(w.expect_close(a), Some(0x94));
}

#[test]
fn the_number_of_sessions_is_limited() {
    for (version, code) in [(Version::V3_1_1, 3), (Version::V5, 0x97)] {
        let mut w = World::with(Policy { max_sessions: 1, ..Policy::default() });
        w.connect(version, "a");
        let b = w.try_connect(&Connect::new(version, "b"));
        assert_eq!(connack(&mut w, b).0, code);
        w.connect(version, "a");
    }
}
