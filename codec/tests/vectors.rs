//! The table of vectors in `tests/vectors/`: bytes, and what a strict decoder makes of them.
//!
//! Each row says which version and direction it is for, and either `accept` (and then encoding gives the same
//! bytes again; `accept~` marks a form that is allowed but not the one that the encoder chooses) or the offence,
//! its byte offset, the statement and the Reason Code. Statements that a row shows besides stand in brackets.

use mqtt_assay_codec::{Decoder, Malformed, Offence, Receiver, Version};
use std::collections::{BTreeMap, BTreeSet};

const TABLES: [(&str, &str); 8] = [
    ("connect", include_str!("vectors/connect.txt")),
    ("framing", include_str!("vectors/framing.txt")),
    ("properties", include_str!("vectors/properties.txt")),
    ("properties-to-client", include_str!("vectors/properties-to-client.txt")),
    ("properties-to-server", include_str!("vectors/properties-to-server.txt")),
    ("publish", include_str!("vectors/publish.txt")),
    ("strings", include_str!("vectors/strings.txt")),
    ("subscribe", include_str!("vectors/subscribe.txt")),
];

struct Vector {
    place: String,
    version: Version,
    receiver: Receiver,
    bytes: Vec<u8>,
    expected: Expected,
    statements: Vec<String>,
}

#[derive(PartialEq)]
enum Expected {
    Accept { canonical: bool },
    Refuse { offence: Offence, offset: u32, reason: u8 },
}

fn vectors() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for (table, text) in TABLES {
        for (index, line) in text.lines().enumerate() {
            if !line.is_empty() && !line.starts_with('#') {
                vectors.push(parse(line, format!("{table}.txt:{}", index + 1)));
            }
        }
    }
    vectors
}

fn parse(line: &str, place: String) -> Vector {
    let columns: Vec<&str> = line.split(" | ").collect();
    let [version, receiver, bytes, expected, what] = columns[..] else { panic!("{place}: five columns") };
    let version = match version {
        "3.1" => Version::V3_1,
        "3.1.1" => Version::V3_1_1,
        "5.0" => Version::V5,
        other => panic!("{place}: version {other}"),
    };
    let receiver = match receiver {
        "server" => Receiver::Server,
        "client" => Receiver::Client,
        other => panic!("{place}: receiver {other}"),
    };
    let mut statements: Vec<String> = match what.rsplit_once(" [") {
        Some((_, ids)) => ids.trim_end_matches(']').split(' ').map(str::to_owned).collect(),
        None => Vec::new(),
    };
    let words: Vec<&str> = expected.split(' ').collect();
    let expected = match words[..] {
        ["accept"] => Expected::Accept { canonical: true },
        ["accept~"] => Expected::Accept { canonical: false },
        [name, offset, statement, reason] => {
            let found = Offence::ALL.iter().find(|offence| format!("{offence:?}") == name);
            let &offence = found.unwrap_or_else(|| panic!("{place}: offence {name}"));
            assert_eq!(offence.statement(version).unwrap_or("-"), statement, "{place}: statement");
            statements.push(statement.to_owned());
            let offset = offset.trim_start_matches('@').parse().expect("a number");
            let reason = u8::from_str_radix(reason.trim_start_matches("0x"), 16).expect("a Reason Code");
            Expected::Refuse { offence, offset, reason }
        }
        _ => panic!("{place}: {expected}"),
    };
    Vector { bytes: bytes_of(bytes, &place), place, version, receiver, expected, statements }
}

/// `30 05 "text" ff*16`: hex, text, and repeated bytes.
fn bytes_of(mut notation: &str, place: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        notation = notation.trim_start();
        if notation.is_empty() {
            return bytes;
        }
        if let Some(rest) = notation.strip_prefix('"') {
            let (text, rest) = rest.split_once('"').unwrap_or_else(|| panic!("{place}: closing quote"));
            bytes.extend_from_slice(text.as_bytes());
            notation = rest;
            continue;
        }
        let (word, rest) = notation.split_once(' ').unwrap_or((notation, ""));
        let (byte, times) = word.split_once('*').unwrap_or((word, "1"));
        let byte = u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{place}: {word}"));
        bytes.extend(std::iter::repeat_n(byte, times.parse().expect("a count")));
        notation = rest;
    }
}

fn say(found: &Result<Option<(mqtt_assay_codec::Packet<'_>, usize)>, Malformed>) -> String {
    match found {
        Ok(Some((packet, length))) => format!("accepted {} of {length} bytes", packet.packet_type()),
        Ok(None) => "incomplete".to_owned(),
        Err(refused) => format!("{:?} @{}", refused.offence, refused.offset),
    }
}

#[test]
fn each_vector_is_judged_as_the_table_says() {
    let mut wrong = Vec::new();
    for vector in vectors() {
        let found = Decoder::new(vector.version, vector.receiver).next(&vector.bytes);
        let right = match (&found, &vector.expected) {
            (Ok(Some((packet, length))), Expected::Accept { canonical }) => {
                let mut again = Vec::new();
                packet.encode(vector.version, &mut again).expect("what was decoded can be encoded");
                *length == vector.bytes.len() && (again == vector.bytes) == *canonical
            }
            (Err(refused), Expected::Refuse { offence, offset, reason }) => {
                let found = (refused.offence, refused.offset, refused.reason().0, refused.version);
                found == (*offence, *offset, *reason, vector.version)
            }
            _ => false,
        };
        if !right {
            wrong.push(format!("{}: {}", vector.place, say(&found)));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// As the specification's statement says in each version: an offence that a version knows has a row there.
#[test]
fn each_offence_has_a_vector_in_each_version_that_knows_it() {
    let mut found = BTreeMap::<Offence, BTreeSet<Version>>::new();
    for vector in vectors() {
        if let Expected::Refuse { offence, .. } = vector.expected {
            found.entry(offence).or_default().insert(vector.version);
        }
    }
    for &offence in Offence::ALL {
        // The limit is the connection's: tests/corners.rs has it.
        if offence == Offence::PacketTooLarge {
            continue;
        }
        for version in [Version::V3_1_1, Version::V5] {
            let has = found.get(&offence).is_some_and(|versions| versions.contains(&version));
            assert_eq!(has, offence.statement(version).is_some(), "{offence:?} in {version}");
        }
    }
}

/// The headings of `vectors/statements.txt`, and the statements under each.
fn statements() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut sections = Vec::new();
    for line in include_str!("vectors/statements.txt").lines() {
        if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.push((heading, Vec::new()));
        } else if !line.starts_with('#') {
            let words = line.split_whitespace();
            match sections.last_mut() {
                Some((_, ids)) => ids.extend(words),
                None => assert_eq!(words.count(), 0, "above the first heading: {line}"),
            }
        }
    }
    sections
}

#[test]
fn each_statement_that_binds_the_codec_is_named_by_a_vector() {
    let mut named = BTreeSet::new();
    for vector in vectors() {
        let statements = vector.statements.into_iter().filter(|id| id != "-");
        named.extend(statements.map(|id| format!("{}/{id}", vector.version)));
    }
    let sections = statements();
    let (heading, binding) = &sections[0];
    assert_eq!(*heading, "vectors");
    let missing: Vec<&&str> = binding.iter().filter(|id| !named.contains(**id)).collect();
    assert!(missing.is_empty(), "without a vector: {missing:?}");
    let unlisted: Vec<&String> = named.iter().filter(|id| !binding.contains(&id.as_str())).collect();
    assert!(unlisted.is_empty(), "named, but not listed: {unlisted:?}");
}

/// All of the numbered statements, and all of ours, stand in the list once: what is not shown by a vector has a reason.
#[test]
fn each_statement_is_listed_once() {
    let (mut seen, mut counts) = (BTreeSet::new(), BTreeMap::<(&str, bool), usize>::new());
    for (heading, ids) in statements() {
        assert!(!ids.is_empty(), "nothing under {heading:?}");
        for id in ids {
            assert!(seen.insert(id), "{id} stands twice");
            let (version, id) = id.split_once('/').unwrap_or_else(|| panic!("{id}: of which version?"));
            *counts.entry((version, id.starts_with("MQTT-"))).or_default() += 1;
        }
    }
    let found: Vec<_> = counts.into_iter().collect();
    assert_eq!(
        found,
        [(("3.1.1", false), 33), (("3.1.1", true), 141), (("5.0", false), 116), (("5.0", true), 251)]
    );
}

/// An offence breaks a statement that the list knows as one of the codec's.
#[test]
fn each_statement_of_an_offence_is_listed() {
    let sections = statements();
    for &offence in Offence::ALL {
        for version in [Version::V3_1_1, Version::V5] {
            let Some(id) = offence.statement(version) else { continue };
            let id = format!("{version}/{id}");
            let section = sections.iter().find(|(_, ids)| ids.contains(&id.as_str())).map(|(name, _)| *name);
            // The limit is the connection's: tests/corners.rs has it.
            assert!(section == Some("vectors") || offence == Offence::PacketTooLarge, "{id}: {section:?}");
        }
    }
}

#[test]
fn there_are_enough_vectors() {
    let vectors = vectors();
    let accepted = vectors.iter().filter(|v| matches!(v.expected, Expected::Accept { .. })).count();
    assert!(
        vectors.len() - accepted >= 400 && accepted >= 400,
        "{} vectors, {accepted} accepted",
        vectors.len()
    );
}

/// A table that holds a row twice was not read by its author.
#[test]
fn no_vector_stands_twice() {
    let mut seen = BTreeMap::new();
    for vector in vectors() {
        let key = (vector.version, vector.receiver, vector.bytes);
        if let Some(first) = seen.insert(key, vector.place.clone()) {
            panic!("{first} and {} are the same", vector.place);
        }
    }
}

/// No prefix of a vector is another packet, and none is refused where the whole is accepted.
#[test]
fn no_prefix_of_a_vector_is_a_packet() {
    for vector in vectors() {
        if vector.bytes.len() > 1_000 {
            continue;
        }
        let decoder = Decoder::new(vector.version, vector.receiver);
        for length in 0..vector.bytes.len() {
            match decoder.next(&vector.bytes[..length]) {
                Ok(None) => {}
                Err(_) if matches!(vector.expected, Expected::Refuse { .. }) => {}
                other => panic!("{}, first {length} bytes: {}", vector.place, say(&other)),
            }
        }
    }
}
