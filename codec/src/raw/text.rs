//! Strings, Topic Names and Topic Filters, in each place that holds one.

use super::{Builder, Cases, method, property, string};
use crate::malformed::Offence;
use crate::types::Version;
use alloc::format;
use alloc::vec::Vec;

/// Ill-formed UTF-8, by the way in which it is.
const ILL_FORMED: &[(&str, &[u8])] = &[
    ("lone-continuation", b"a\x80"),
    ("cut-two-bytes", b"a\xC3"),
    ("cut-three-bytes", b"a\xE2\x82"),
    ("cut-four-bytes", b"a\xF0\x9F\x98"),
    ("overlong-nul", b"a\xC0\x80"),
    ("overlong-slash-in-two", b"a\xC0\xAF"),
    ("overlong-slash-in-three", b"a\xE0\x80\xAF"),
    ("overlong-slash-in-four", b"a\xF0\x80\x80\xAF"),
    ("above-10ffff", b"a\xF4\x90\x80\x80"),
    ("byte-f5", b"a\xF5\x80\x80\x80"),
    ("byte-ff", b"a\xFF"),
    ("latin-1", b"a\xE9b"),
];

const SURROGATES: &[(&str, &[u8])] =
    &[("high", b"a\xED\xA0\x80"), ("low", b"a\xED\xBF\xBF"), ("pair", b"a\xED\xA0\xBD\xED\xB8\x80")];

const NULS: &[(&str, &[u8])] =
    &[("alone", b"\x00"), ("first", b"\x00a"), ("inside", b"a\x00b"), ("last", b"a\x00")];

/// What a place that holds a string holds there.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Text,
    UserProperty,
    TopicName,
    WillTopic,
    ResponseTopic,
    Filter,
}

struct Spot {
    name: &'static str,
    holds: Holds,
    /// The packet's first byte, and what stands before and behind the string.
    first: u8,
    before: Vec<u8>,
    behind: Vec<u8>,
    /// In a property list: the string's packet is `before`, Property Length, identifier (and name), string,
    /// `behind`.
    property: Option<Vec<u8>>,
}

impl Spot {
    fn with(&self, text: &[u8]) -> Vec<u8> {
        self.with_field(&string(text))
    }

    fn with_field(&self, field: &[u8]) -> Vec<u8> {
        let builder = Builder::new(self.first).bytes(&self.before);
        let builder = match &self.property {
            // A User Property's name is followed by an empty value unless the value itself is tried.
            Some(id) if id == &[0x26] => builder.properties(&[id, field, &string(b"v")]),
            Some(id) => builder.properties(&[id, field]),
            None => builder.bytes(field),
        };
        builder.bytes(&self.behind).finish()
    }
}

pub(super) fn add(cases: &mut Cases) {
    for spot in spots(cases) {
        let (ill_formed, surrogate, nul) = match spot.holds {
            // A statement of its own binds the strings of the pair. [5.0/MQTT-1.5.7-1]
            Holds::UserProperty => (
                Offence::UserPropertyIllFormed,
                Offence::UserPropertyIllFormed,
                Offence::UserPropertyIllFormed,
            ),
            _ => (Offence::IllFormedUtf8, Offence::SurrogateInUtf8, Offence::NulInUtf8),
        };
        for (prefix, offence, samples) in [
            ("ill-formed-utf8", ill_formed, ILL_FORMED),
            ("surrogate", surrogate, SURROGATES),
            ("u+0000", nul, NULS),
        ] {
            for (name, text) in samples {
                cases.add(format!("{prefix}/{}-{name}", spot.name), offence, spot.with(text));
            }
        }
        topics(cases, &spot);
        if spot.property.is_none() && spot.behind.is_empty() {
            // The string's length tells of one byte more than the packet has.
            let name = format!("truncated/{}", spot.name);
            cases.add(name, Offence::Truncated, spot.with_field(b"\x00\x04abc"));
            let name = format!("truncated/{}-by-far", spot.name);
            cases.add(name, Offence::Truncated, spot.with_field(b"\xFF\xFFabc"));
        }
    }
}

fn topics(cases: &mut Cases, spot: &Spot) {
    let wildcard = match spot.holds {
        Holds::TopicName => Offence::TopicNameWildcard,
        Holds::WillTopic => Offence::WillTopicWildcard,
        Holds::ResponseTopic => Offence::ResponseTopicWildcard,
        Holds::Filter => return filters(cases, spot),
        Holds::Text | Holds::UserProperty => return,
    };
    for (name, text) in [
        ("hash", "a/#"),
        ("hash-alone", "#"),
        ("hash-inside", "a#b"),
        ("plus", "a/+/b"),
        ("plus-alone", "+"),
        ("plus-inside", "a+b"),
    ] {
        cases.add(format!("wildcard/{}-{name}", spot.name), wildcard, spot.with(text.as_bytes()));
    }
    let empty = match (spot.holds, cases.version) {
        (Holds::TopicName, Version::V5) => Offence::PublishTopicMissing,
        (Holds::WillTopic, _) => Offence::WillTopicEmpty,
        _ => Offence::TopicNameEmpty,
    };
    cases.add(format!("empty-topic/{}", spot.name), empty, spot.with(b""));
}

fn filters(cases: &mut Cases, spot: &Spot) {
    use Offence as O;
    let mut add = |name: &str, offence, filter: &str| {
        cases.add(format!("filter/{}-{name}", spot.name), offence, spot.with(filter.as_bytes()));
    };
    add("empty", O::TopicFilterEmpty, "");
    add("hash-after-text", O::TopicFilterMultiLevel, "sport/tennis#");
    add("hash-not-last", O::TopicFilterMultiLevel, "sport/tennis/#/ranking");
    add("hash-first-of-two", O::TopicFilterMultiLevel, "#/sport");
    add("hash-twice", O::TopicFilterMultiLevel, "##");
    add("hash-before-separator", O::TopicFilterMultiLevel, "sport/#/");
    add("hash-before-text", O::TopicFilterMultiLevel, "#sport");
    add("hash-after-plus", O::TopicFilterSingleLevel, "+#");
    add("plus-after-text", O::TopicFilterSingleLevel, "sport+");
    add("plus-before-text", O::TopicFilterSingleLevel, "+sport");
    add("plus-inside", O::TopicFilterSingleLevel, "sport/a+b/c");
    add("plus-twice", O::TopicFilterSingleLevel, "sport/++");
    add("plus-after-text-in-level", O::TopicFilterSingleLevel, "sport/a+/c");
    if cases.v5() {
        let mut add = |name: &str, offence, filter: &str| {
            cases.add(format!("shared-filter/{}-{name}", spot.name), offence, spot.with(filter.as_bytes()));
        };
        add("nothing", O::ShareNameEmpty, "$share/");
        add("no-share-name", O::ShareNameEmpty, "$share//a");
        add("no-share-name-empty-levels", O::ShareNameEmpty, "$share///");
        add("plus-share-name", O::ShareNameWildcard, "$share/+/a");
        add("plus-in-share-name", O::ShareNameWildcard, "$share/g+/a");
        add("hash-share-name", O::ShareNameWildcard, "$share/#/a");
        add("hash-in-share-name", O::ShareNameWildcard, "$share/g#h/a");
        add("no-separator", O::SharedFilterMissing, "$share/g");
        add("no-filter", O::SharedFilterMissing, "$share/g/");
        add("hash-not-last", O::TopicFilterMultiLevel, "$share/g/#/a");
        add("hash-after-text", O::TopicFilterMultiLevel, "$share/g/a#");
        add("plus-after-text", O::TopicFilterSingleLevel, "$share/g/a+");
    }
}

fn spots(cases: &Cases) -> Vec<Spot> {
    let version = cases.version;
    let list: &[u8] = if cases.v5() { &[0] } else { &[] };
    let mut spots = Vec::new();
    let mut spot = |name, holds, first, before: &[&[u8]], behind: &[&[u8]]| {
        spots.push(Spot {
            name,
            holds,
            first,
            before: before.concat(),
            behind: behind.concat(),
            property: None,
        });
    };
    let connect = |flags: u8| {
        Builder::new(0)
            .string(version.protocol_name().as_bytes())
            .u8(version.level())
            .bytes(&[flags, 0, 60])
            .body
    };
    let id = string(b"client");
    let topic = string(b"w");
    spot("publish-topic", Holds::TopicName, 0x30, &[], &[list, b"payload"]);
    if cases.to_server() {
        spot("connect-client-id", Holds::Text, 0x10, &[&connect(0b10), list], &[]);
        spot("connect-will-topic", Holds::WillTopic, 0x10, &[&connect(0b110), list, &id, list], &[&topic]);
        spot("connect-user-name", Holds::Text, 0x10, &[&connect(0b1000_0010), list, &id], &[]);
        spot("subscribe-filter", Holds::Filter, 0x82, &[&[0, 7], list], &[&[1]]);
        spot("subscribe-second-filter", Holds::Filter, 0x82, &[&[0, 7], list, &topic, &[1]], &[&[1]]);
        spot("unsubscribe-filter", Holds::Filter, 0xA2, &[&[0, 7], list], &[]);
        spot("unsubscribe-second-filter", Holds::Filter, 0xA2, &[&[0, 7], list, &topic], &[]);
    }
    if !cases.v5() {
        return spots;
    }
    let mut spot = |name, holds, id: &[u8], first, before: &[&[u8]], behind: &[&[u8]]| {
        let property = Some(id.to_vec());
        spots.push(Spot { name, holds, first, before: before.concat(), behind: behind.concat(), property });
    };
    let user_value = property(0x26, &string(b"n"));
    spot("publish-content-type", Holds::Text, &[0x03], 0x30, &[&topic], &[b"payload"]);
    spot("publish-response-topic", Holds::ResponseTopic, &[0x08], 0x30, &[&topic], &[b"payload"]);
    spot("publish-user-property-name", Holds::UserProperty, &[0x26], 0x30, &[&topic], &[b"payload"]);
    spot("publish-user-property-value", Holds::UserProperty, &user_value, 0x30, &[&topic], &[b"payload"]);
    spot("puback-reason-string", Holds::Text, &[0x1F], 0x40, &[&[0, 7, 0]], &[]);
    spot("pubrec-reason-string", Holds::Text, &[0x1F], 0x50, &[&[0, 7, 0]], &[]);
    spot("pubrel-reason-string", Holds::Text, &[0x1F], 0x62, &[&[0, 7, 0]], &[]);
    spot("pubcomp-reason-string", Holds::Text, &[0x1F], 0x70, &[&[0, 7, 0]], &[]);
    spot("puback-user-property-value", Holds::UserProperty, &user_value, 0x40, &[&[0, 7, 0]], &[]);
    spot("disconnect-reason-string", Holds::Text, &[0x1F], 0xE0, &[&[0]], &[]);
    spot("disconnect-user-property-name", Holds::UserProperty, &[0x26], 0xE0, &[&[0]], &[]);
    spot("auth-method", Holds::Text, &[0x15], 0xF0, &[&[0x18]], &[]);
    let reason = [&method()[..], &[0x1F]].concat();
    spot("auth-reason-string", Holds::Text, &reason, 0xF0, &[&[0x18]], &[]);
    if cases.to_server() {
        let payload = string(b"gone");
        let (plain, will) = (connect(0b10), [&connect(0b110)[..], &[0], &id].concat());
        spot("connect-authentication-method", Holds::Text, &[0x15], 0x10, &[&plain], &[&id]);
        spot("connect-user-property-name", Holds::UserProperty, &[0x26], 0x10, &[&plain], &[&id]);
        spot("connect-user-property-value", Holds::UserProperty, &user_value, 0x10, &[&plain], &[&id]);
        spot("will-content-type", Holds::Text, &[0x03], 0x10, &[&will], &[&topic, &payload]);
        spot("will-response-topic", Holds::ResponseTopic, &[0x08], 0x10, &[&will], &[&topic, &payload]);
        spot(
            "will-user-property-value",
            Holds::UserProperty,
            &user_value,
            0x10,
            &[&will],
            &[&topic, &payload],
        );
        spot(
            "subscribe-user-property-value",
            Holds::UserProperty,
            &user_value,
            0x82,
            &[&[0, 7]],
            &[&topic, &[1]],
        );
        spot(
            "unsubscribe-user-property-value",
            Holds::UserProperty,
            &user_value,
            0xA2,
            &[&[0, 7]],
            &[&topic],
        );
    } else {
        for (name, id) in [
            ("connack-assigned-client-id", 0x12),
            ("connack-authentication-method", 0x15),
            ("connack-response-information", 0x1A),
            ("connack-server-reference", 0x1C),
            ("connack-reason-string", 0x1F),
        ] {
            spot(name, Holds::Text, &[id], 0x20, &[&[0, 0]], &[]);
        }
        spot("connack-user-property-value", Holds::UserProperty, &user_value, 0x20, &[&[0, 0]], &[]);
        spot("suback-reason-string", Holds::Text, &[0x1F], 0x90, &[&[0, 7]], &[&[0]]);
        spot("unsuback-reason-string", Holds::Text, &[0x1F], 0xB0, &[&[0, 7]], &[&[0]]);
        spot("disconnect-server-reference", Holds::Text, &[0x1C], 0xE0, &[&[0x9C]], &[]);
    }
    spots
}
