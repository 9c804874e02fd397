//! Corners that a table of bytes cannot show: one decoder and packets of several versions, limits, and what the
//! encoder does with values that have no encoding.

use mqtt_assay_codec::raw::{self, Builder};
use mqtt_assay_codec::{
    Connack, Connect, Decoder, Offence, Packet, PacketId, Property, PropertyList, Publish, Qos, ReasonCode,
    Receiver, RetainHandling, Subscribe, SubscriptionList, SubscriptionOptions, TopicFilterList, Unencodable,
    Unsubscribe, Version, Will,
};

const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

fn connect(version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    Packet::Connect(Connect::new(version, "c")).encode(version, &mut bytes).unwrap();
    bytes
}

fn with_long_length(bytes: &[u8]) -> Vec<u8> {
    raw::packet_with_length(bytes[0], &[bytes[1] | 0x80, 0], &bytes[2..])
}

/// Whatever the decoder was made for, a CONNECT is judged by the version that it names: the length in more bytes
/// than needed is wrong in 5.0 only [5.0/MQTT-1.5.5-1], the flags of the fixed header in 3.1.1 and 5.0.
#[test]
fn a_connect_is_judged_by_its_own_version() {
    for decoder in VERSIONS.map(|version| Decoder::new(version, Receiver::Server)) {
        for version in VERSIONS {
            let bytes = connect(version);
            assert!(decoder.next(&bytes).is_ok(), "{decoder:?} {version}");

            let long = with_long_length(&bytes);
            let long = decoder.next(&long);
            match version {
                Version::V5 => {
                    let refused = long.unwrap_err();
                    assert_eq!(
                        (refused.offence, refused.offset, refused.version),
                        (Offence::RemainingLengthNotMinimal, 1, Version::V5)
                    );
                }
                _ => assert!(long.unwrap().is_some(), "{decoder:?} {version}"),
            }

            let mut flagged = bytes;
            flagged[0] |= 0b1000;
            match (version, decoder.next(&flagged)) {
                (Version::V3_1, found) => assert!(found.unwrap().is_some()),
                (_, found) => {
                    let refused = found.unwrap_err();
                    assert_eq!((refused.offence, refused.version), (Offence::FixedHeaderFlags, version));
                }
            }
        }
    }
}

/// Strings that are cut are not cut inside a character: the list would end there.
#[test]
fn cuts_long_text_between_characters() {
    let long = "ä".repeat(40_000);
    let mut properties = PropertyList::new();
    properties.push(Property::ReasonString(&long)).push(Property::UserProperty((&long, &long)));
    let cut = &long[..65_534];
    assert_eq!(properties.view().iter().count(), 2);
    assert_eq!(properties.view().reason_string(), Some(cut));
    assert_eq!(properties.view().user_property(), Some((cut, cut)));

    let mut filters = TopicFilterList::one(&long);
    filters.push("b");
    assert_eq!(filters.view().iter().collect::<Vec<_>>(), [cut, "b"]);
    let mut subscriptions = SubscriptionList::one(&long, SubscriptionOptions::default());
    subscriptions.push("b", SubscriptionOptions::default());
    assert_eq!(subscriptions.view().iter().map(|s| s.filter).collect::<Vec<_>>(), [cut, "b"]);
}

#[test]
fn cuts_a_subscription_identifier_at_what_four_bytes_hold() {
    let list = PropertyList::new().with(Property::SubscriptionIdentifier(u32::MAX));
    assert_eq!(list.view().as_bytes(), [0x0B, 0xFF, 0xFF, 0xFF, 0x7F]);
    assert_eq!(list.view().subscription_identifier(), Some(268_435_455));
}

/// What a version lacks is left out. [3.1.1/MQTT-3.8.3-4]
#[test]
fn leaves_out_what_older_versions_lack() {
    let id = PacketId::new(7).unwrap();
    let options = SubscriptionOptions {
        qos: Qos::AtLeastOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::DoNotSend,
    };
    let list = SubscriptionList::one("a", options);
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: id,
        properties: Default::default(),
        subscriptions: list.view(),
    });
    let mut bytes = Vec::new();
    subscribe.encode(Version::V3_1_1, &mut bytes).unwrap();
    assert_eq!(bytes, b"\x82\x06\x00\x07\x00\x01a\x01");

    let present = Packet::Connack(Connack::new(true, ReasonCode::SUCCESS));
    for (version, expected) in
        [(Version::V3_1, &b"\x20\x02\x00\x00"[..]), (Version::V3_1_1, b"\x20\x02\x01\x00")]
    {
        bytes.clear();
        present.encode(version, &mut bytes).unwrap();
        assert_eq!(bytes, expected);
    }
}

/// Nothing is written of a packet that has no encoding.
#[test]
fn refuses_what_no_packet_can_hold() {
    let long = "x".repeat(65_536);
    let will = Connect { will: Some(Will::new(&long, b"")), ..Connect::new(Version::V5, "c") };
    let payload = Connect { will: Some(Will::new("w", long.as_bytes())), ..Connect::new(Version::V5, "c") };
    let id = PacketId::new(7);
    let password = Connect { password: Some(b"p"), ..Connect::new(Version::V3_1_1, "c") };
    let qos1 = Publish { qos: Qos::AtLeastOnce, ..Publish::new("a", b"") };
    let mut bytes = vec![0xAB];
    for (packet, expected) in [
        (Packet::Connect(Connect::new(Version::V5, &long)), Unencodable::FieldTooLong),
        (Packet::Connect(will), Unencodable::FieldTooLong),
        (Packet::Connect(payload), Unencodable::FieldTooLong),
        (Packet::Connect(password), Unencodable::PasswordWithoutUserName),
        (Packet::Publish(Publish::new(&long, b"")), Unencodable::FieldTooLong),
        (Packet::Publish(qos1), Unencodable::PacketIdentifier),
        (Packet::Publish(Publish { packet_id: id, ..Publish::new("a", b"") }), Unencodable::PacketIdentifier),
    ] {
        assert_eq!(packet.encode(Version::V5, &mut bytes), Err(expected));
        assert_eq!(bytes, [0xAB]);
    }
}

/// The longest fields and the longest lists, and one byte too many. [3.1.1/MQTT-4.7.3-3] [5.0/MQTT-4.7.3-3]
#[test]
fn takes_the_longest_fields() {
    let longest = "x".repeat(65_535);
    let will = Will { payload: longest.as_bytes(), ..Will::new(&longest, b"") };
    for version in VERSIONS {
        let packet = Packet::Connect(Connect {
            will: Some(will),
            user_name: Some(&longest),
            password: Some(longest.as_bytes()),
            ..Connect::new(version, &longest)
        });
        let mut bytes = Vec::new();
        packet.encode(version, &mut bytes).unwrap();
        let decoder = Decoder::new(version, Receiver::Server);
        assert_eq!(decoder.next(&bytes), Ok(Some((packet, bytes.len()))));
    }
}

/// A hundred thousand filters and User Properties are read in one pass, and iterated in one.
#[test]
fn takes_long_lists() {
    let mut filters = TopicFilterList::new();
    let mut properties = PropertyList::new();
    for _ in 0..100_000 {
        filters.push("a/+/b");
        properties.push(Property::UserProperty(("n", "v")));
    }
    let packet = Packet::Unsubscribe(Unsubscribe {
        packet_id: PacketId::MAX,
        properties: properties.view(),
        filters: filters.view(),
    });
    let mut bytes = Vec::new();
    packet.encode(Version::V5, &mut bytes).unwrap();
    let decoder = Decoder::new(Version::V5, Receiver::Server);
    assert_eq!(decoder.next(&bytes), Ok(Some((packet, bytes.len()))));
    assert_eq!(filters.view().iter().count(), 100_000);
    assert_eq!(properties.view().user_properties().count(), 100_000);
}

/// The limit counts the fixed header, and is enforced before the content is there. [5.0 §3.2.2.3.6]
#[test]
fn enforces_the_limit_before_buffering() {
    for version in VERSIONS {
        let decoder = Decoder { max_packet_size: 10, ..Decoder::new(version, Receiver::Client) };
        let fits = Builder::new(0x30).string(b"t").no_properties(version);
        let fits = fits.bytes(&b"payload"[if version == Version::V5 { 3 } else { 2 }..]).finish();
        assert_eq!(fits.len(), 10);
        assert!(decoder.next(&fits).unwrap().is_some());
        let refused = decoder.next(b"\x30\x09").unwrap_err();
        assert_eq!((refused.offence, refused.offset), (Offence::PacketTooLarge, 1));
        // Two bytes of the length are enough to know.
        assert_eq!(decoder.next(b"\x30\xFF"), Ok(None));
        assert_eq!(decoder.next(b"\x30\xFF\xFF\xFF\x7F").unwrap_err().offence, Offence::PacketTooLarge);
    }
}
