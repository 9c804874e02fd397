//! The one line that people read of a packet: what it says, and what it does not let through.

use mqtt_assay_codec::raw::{self, Builder};
use mqtt_assay_codec::{
    Ack, Connack, Connect, Decoder, Disconnect, Packet, PacketId, Property, PropertyList, Publish, Qos,
    ReasonCode, Receiver, Version, Will, describe,
};
use proptest::prelude::*;

fn id() -> PacketId {
    PacketId::new(7).unwrap()
}

#[track_caller]
fn assert_line(packet: &Packet<'_>, version: Version, expected: &str) {
    assert_eq!(describe::line(packet, version), expected);
}

/// The line of a packet that is read from these bytes.
#[track_caller]
fn assert_read(version: Version, receiver: Receiver, bytes: &[u8], expected: &str) {
    let (packet, _) = Decoder::new(version, receiver).next(bytes).unwrap().unwrap();
    assert_line(&packet, version, expected);
}

#[test]
fn tells_each_packet_in_one_line() {
    let v5 = Version::V5;
    let will_properties = PropertyList::new().with(Property::WillDelayInterval(5));
    let connect = Connect {
        will: Some(Will {
            qos: Qos::AtLeastOnce,
            properties: will_properties.view(),
            ..Will::new("w/1", b"gone")
        }),
        user_name: Some("ann"),
        password: Some(b"secret"),
        ..Connect::new(v5, "lamp")
    };
    assert_line(
        &Packet::Connect(connect),
        v5,
        "CONNECT client_id=lamp clean_start=1 keep_alive=60 user_name=ann password=(6 bytes) \
         will=w/1 \"gone\" will_qos=1 will_retain=0 will_delay_interval=5",
    );
    let old = Packet::Connect(Connect::new(Version::V3_1_1, ""));
    assert_line(&old, v5, "CONNECT client_id=\"\" clean_start=1 keep_alive=60 (MQTT 3.1.1)");
    let refused = Packet::Connack(Connack::new(false, ReasonCode::NOT_AUTHORIZED));
    assert_line(&refused, v5, "CONNACK 0x87 (Not authorized) session_present=0");
    let refused = Packet::Connack(Connack::new(false, ReasonCode(5)));
    assert_line(&refused, Version::V3_1_1, "CONNACK 0x05 (not authorized) session_present=0");
    let publish = Publish {
        qos: Qos::ExactlyOnce,
        dup: true,
        retain: true,
        packet_id: Some(id()),
        ..Publish::new("a/b", b"on \xFF\"\n")
    };
    let line = "PUBLISH a/b \"on \\xff\\\"\\u{a}\" qos=2 id=7 dup=1 retain=1";
    assert_line(&Packet::Publish(publish), v5, line);
    assert_line(&Packet::Pubrel(Ack::new(id(), ReasonCode::SUCCESS)), v5, "PUBREL id=7");
    let missing = Packet::Pubrel(Ack::new(id(), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND));
    assert_line(&missing, v5, "PUBREL id=7 0x92 (Packet Identifier not found)");
    assert_line(&Packet::Pingreq, v5, "PINGREQ");
    assert_line(&Packet::Disconnect(Disconnect::default()), Version::V3_1_1, "DISCONNECT");
    assert_line(&Packet::Disconnect(Disconnect::default()), v5, "DISCONNECT 0x00");

    let server = Receiver::Server;
    assert_read(
        v5,
        server,
        b"\x82\x09\x00\x07\x00\x00\x03a/+\x2E",
        "SUBSCRIBE id=7 a/+ qos=2 no_local=1 retain_as_published=1 retain_handling=2",
    );
    assert_read(v5, server, b"\xA2\x09\x00\x07\x00\x00\x01a\x00\x01#", "UNSUBSCRIBE id=7 a #");
    let client = Receiver::Client;
    assert_read(
        v5,
        client,
        b"\x90\x06\x00\x07\x00\x00\x02\x8F",
        "SUBACK id=7 0x00 0x02 0x8F (Topic Filter invalid)",
    );
    assert_read(Version::V3_1_1, client, b"\x90\x04\x00\x07\x01\x80", "SUBACK id=7 0x01 0x80 (Failure)");
    assert_read(v5, client, b"\xB0\x05\x00\x07\x00\x00\x11", "UNSUBACK id=7 0x00 0x11");
    assert_read(
        v5,
        client,
        b"\xF0\x06\x18\x04\x15\x00\x01m",
        "AUTH 0x18 (Continue authentication) authentication_method=\"m\"",
    );
}

#[test]
fn cuts_what_is_long() {
    let long = "ä".repeat(100);
    let publish = Packet::Publish(Publish::new("t", long.as_bytes()));
    let shown = "ä".repeat(24);
    assert_line(&publish, Version::V5, &format!("PUBLISH t \"{shown}\"… (200 bytes) qos=0"));
    // The cut falls inside a character, which is left out.
    let odd = format!("x{long}");
    let shown = format!("x{}", "ä".repeat(23));
    let publish = Packet::Publish(Publish::new("t", odd.as_bytes()));
    assert_line(&publish, Version::V5, &format!("PUBLISH t \"{shown}\"… (201 bytes) qos=0"));

    let mut many = Builder::new(0x82).u16(7);
    for _ in 0..100 {
        many = many.string(b"a").u8(0);
    }
    let line = format!("SUBSCRIBE id=7{} … (100 filters)", " a qos=0".repeat(12));
    assert_read(Version::V3_1_1, Receiver::Server, &many.finish(), &line);
    assert_eq!(describe::hex(b"\x00\xFF\x10", 2), "00 ff … +1");
    assert_eq!(describe::hex(b"", 2), "");
}

/// Nothing that moves a terminal's cursor, colours it, or hides. Spaces and `…` are the only characters of the
/// line that do not come from names and digits.
fn is_harmless(line: &str) -> bool {
    line.chars().all(|c| !c.is_control() && !matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}'))
}

const HOSTILE: &[&str] = &[
    "\u{1b}[2J\u{1b}[31mowned",
    "\u{9b}31m",
    "a\r\nPUBLISH x",
    "a\u{8}\u{8}b",
    "\u{202E}txt.exe",
    "\u{2066}a\u{2069}",
    "a\u{200B}b",
    "\u{FEFF}a",
    "\u{AD}a",
    "\u{E0041}a",
    "\u{2028}a",
    "\u{7F}",
];

#[test]
fn lets_no_hostile_text_through() {
    for text in HOSTILE {
        let mut properties = PropertyList::new();
        properties
            .push(Property::UserProperty((text, text)))
            .push(Property::ReasonString(text))
            .push(Property::ContentType(text))
            .push(Property::ResponseTopic(text))
            .push(Property::CorrelationData(text.as_bytes()))
            .push(Property::AuthenticationMethod(text));
        let connect = Connect {
            will: Some(Will { properties: properties.view(), ..Will::new(text, text.as_bytes()) }),
            user_name: Some(text),
            properties: properties.view(),
            ..Connect::new(Version::V5, text)
        };
        let publish = Publish { properties: properties.view(), ..Publish::new(text, text.as_bytes()) };
        for packet in [Packet::Connect(connect), Packet::Publish(publish)] {
            let line = describe::line(&packet, Version::V5);
            assert!(is_harmless(&line), "{line:?}");
        }
        let filter = raw::string(text.as_bytes());
        for bytes in [
            Builder::new(0x82).u16(7).u8(0).bytes(&filter).u8(0).finish(),
            Builder::new(0xA2).u16(7).u8(0).bytes(&filter).finish(),
        ] {
            let (packet, _) = Decoder::new(Version::V5, Receiver::Server).next(&bytes).unwrap().unwrap();
            let line = describe::line(&packet, Version::V5);
            assert!(is_harmless(&line), "{line:?}");
        }
    }
}

/// Text in quotes cannot end them.
#[test]
fn keeps_quotes_closed() {
    let publish = Packet::Publish(Publish::new("a\" qos=2", b"x\" qos=2 \\"));
    assert_line(&publish, Version::V5, r#"PUBLISH "a\" qos=2" "x\" qos=2 \\" qos=0"#);
}

proptest! {
    #[test]
    fn any_topic_and_payload_make_a_harmless_line(topic in any::<String>(), payload in any::<Vec<u8>>()) {
        let line = describe::line(&Packet::Publish(Publish::new(&topic, &payload)), Version::V5);
        prop_assert!(is_harmless(&line), "{:?}", line);
        prop_assert!(line.len() < 2_000);
    }
}
