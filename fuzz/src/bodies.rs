//! The targets that need nothing but the codec. The codec's own tests run them over the committed corpora.
//!
//! The first byte of an input chooses the version and the direction; a byte stream follows.

use mqtt_assay_codec::{Decoder, Malformed, Offence, Packet, Receiver, Version, describe, frame, topic};

/// The decoder that the first byte of an input chooses, and the stream behind it.
pub fn open(data: &[u8]) -> Option<(Decoder, &[u8])> {
    let (&choice, stream) = data.split_first()?;
    let version = match choice % 3 {
        0 => Version::V5,
        1 => Version::V3_1_1,
        _ => Version::V3_1,
    };
    let receiver = if choice / 3 % 2 == 0 { Receiver::Server } else { Receiver::Client };
    Some((Decoder::new(version, receiver), stream))
}

/// Reads a stream, looks at every field of every packet, and tells each in a line.
pub fn decode(data: &[u8]) {
    let Some((decoder, mut stream)) = open(data) else { return };
    loop {
        match decoder.next(stream) {
            Ok(Some((packet, length))) => {
                assert!((2..=stream.len()).contains(&length), "a packet of {length} bytes");
                look(&packet, decoder.version);
                stream = &stream[length..];
            }
            Ok(None) => {
                let split = frame::split(stream, u32::MAX, decoder.version);
                assert!(matches!(split, Ok(frame::Split::Missing(1..))), "{split:?}");
                return;
            }
            Err(refused) => {
                // A field that runs past the end may be blamed where the packet ends.
                assert!(refused.offset as usize <= stream.len(), "{refused}");
                assert!(!refused.to_string().is_empty());
                return;
            }
        }
    }
}

fn look(packet: &Packet<'_>, version: Version) {
    let line = describe::line(packet, version);
    assert!(line.starts_with(packet.packet_type().name()));
    assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    if let Some(properties) = packet.properties() {
        let again: mqtt_assay_codec::PropertyList = properties.iter().collect();
        assert_eq!(again.view(), properties);
    }
    match packet {
        Packet::Publish(publish) => {
            let empty = publish.topic.is_empty() && version == Version::V5;
            assert!(empty || topic::check_name(publish.topic).is_ok());
        }
        Packet::Subscribe(subscribe) => {
            assert!(subscribe.subscriptions.iter().count() > 0);
            for subscription in subscribe.subscriptions.iter() {
                assert_eq!(topic::check_filter(subscription.filter, version), Ok(()));
            }
        }
        Packet::Unsubscribe(unsubscribe) => {
            assert!(unsubscribe.filters.iter().count() > 0);
            for filter in unsubscribe.filters.iter() {
                assert_eq!(topic::check_filter(filter, version), Ok(()));
            }
        }
        _ => {}
    }
}

/// What is decoded and encoded again is the same packet, and never longer than it was.
pub fn round_trip(data: &[u8]) {
    let Some((decoder, mut stream)) = open(data) else { return };
    while let Ok(Some((packet, length))) = decoder.next(stream) {
        let mut canonical = vec![0xAB];
        packet.encode(decoder.version, &mut canonical).expect("what was decoded can be encoded");
        let canonical = &canonical[1..];
        assert!(canonical.len() <= length, "{packet:?}");
        assert_eq!(decoder.next(canonical), Ok(Some((packet, canonical.len()))));
        // With room for all of it, some packets are written in another way.
        let mut again = Vec::with_capacity(length + 64);
        packet.encode(decoder.version, &mut again).expect("what was encoded can be encoded");
        assert_eq!(again, canonical);
        stream = &stream[length..];
    }
}

/// Whatever the chunks of a stream, it holds the same packets and ends with the same offence.
///
/// The byte behind the first chooses the chunks.
pub fn split(data: &[u8]) {
    let Some((decoder, rest)) = open(data) else { return };
    let Some((&seed, stream)) = rest.split_first() else { return };
    let whole = ends(decoder, stream);
    let mut state = u32::from(seed) + 1;
    let (mut buffer, mut rest) = (Vec::new(), stream);
    let (mut found, mut read) = (Vec::new(), 0);
    let mut refused = None;
    while !rest.is_empty() && refused.is_none() {
        // A small linear congruence: chunks of 1 to 16 bytes.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (chunk, later) = rest.split_at((1 + (state >> 28) as usize).min(rest.len()));
        buffer.extend_from_slice(chunk);
        rest = later;
        let (lengths, end) = ends(decoder, &buffer);
        buffer.drain(..lengths.last().copied().unwrap_or(0));
        found.extend(lengths.iter().map(|length| read + length));
        read += lengths.last().copied().unwrap_or(0);
        refused = end;
    }
    assert_eq!((found, refused), whole);
}

/// Where each packet of the stream ends, and the offence behind the last.
fn ends(decoder: Decoder, stream: &[u8]) -> (Vec<usize>, Option<Malformed>) {
    let (mut ends, mut at) = (Vec::new(), 0);
    loop {
        match decoder.next(&stream[at..]) {
            Ok(Some((_, length))) => {
                at += length;
                ends.push(at);
            }
            Ok(None) => return (ends, None),
            Err(refused) => return (ends, Some(refused)),
        }
    }
}

/// Topic Filters and Topic Names, against rules written down a second time.
///
/// The filter stands before the first line feed of the input, the name behind it.
pub fn topic_match(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let Some((filter, name)) = text.split_once('\n') else { return };
    for version in [Version::V3_1_1, Version::V5] {
        let found = topic::check_filter(filter, version);
        // U+0000 is the string's matter, and reported there.
        assert_eq!(found.is_ok(), is_filter(filter, version), "{filter:?} {found:?}");
        if let Err((offence, at)) = found {
            assert!(at <= filter.len() && offence != Offence::NulInUtf8);
        }
    }
    assert_eq!(topic::check_name(name).is_ok(), is_name(name), "{name:?}");
    let ordinary = is_filter(filter, Version::V3_1_1);
    if ordinary && is_name(name) {
        assert_eq!(topic::matches(filter, name), matches(filter, name), "{filter:?} {name:?}");
    }
    if let (true, Some(shared)) = (is_filter(filter, Version::V5), topic::shared(filter)) {
        assert_eq!(format!("$share/{}/{}", shared.share_name, shared.filter), filter);
        assert!(is_filter(shared.filter, Version::V3_1_1));
    }
}

/// [3.1.1 §4.7.1, §4.7.3] [5.0 §4.7.0, §4.7.3]
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['+', '#', '\0'])
}

/// Each level is `#`, and then the last, or `+`, or without wildcards. [3.1.1 §4.7.1] [5.0 §4.7.1] In 5.0 a filter
/// whose first level is `$share` has a ShareName and a filter behind it. [5.0 §4.8.2]
fn is_filter(filter: &str, version: Version) -> bool {
    if let (Version::V5, Some(rest)) = (version, filter.strip_prefix("$share/")) {
        let Some((share_name, filter)) = rest.split_once('/') else { return false };
        return !share_name.is_empty()
            && !share_name.contains(['+', '#'])
            && is_filter(filter, Version::V3_1_1);
    }
    let levels: Vec<&str> = filter.split('/').collect();
    let last = levels.len() - 1;
    let good = |(at, level): (usize, &&str)| match *level {
        "#" => at == last,
        "+" => true,
        other => !other.contains(['+', '#']),
    };
    !filter.is_empty() && levels.iter().enumerate().all(good)
}

/// Level by level, as the sections on wildcards tell it. [3.1.1 §4.7.1, §4.7.2] [5.0 §4.7.1, §4.7.2]
fn matches(filter: &str, name: &str) -> bool {
    let filter: Vec<&str> = filter.split('/').collect();
    let name: Vec<&str> = name.split('/').collect();
    if name[0].starts_with('$') && matches!(filter[0], "+" | "#") {
        return false;
    }
    for (at, level) in filter.iter().enumerate() {
        match (*level, name.get(at)) {
            // The parent level and everything below it.
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (level, Some(other)) if level == *other => {}
            _ => return false,
        }
    }
    filter.len() == name.len()
}
