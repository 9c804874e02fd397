//! The floor for decoding: a strict walk that visits every field of a packet from a Client, checks it as the
//! specification asks (text, wildcards, filter syntax, property table, repetition and values), and builds nothing.
//!
//! It knows only what the measured packets need to be checked in full; a packet of another type fails. It says yes
//! or no, never why or where, and makes no text: what it costs is what the bytes themselves cost.

use mqtt_assay_codec::Version;

/// Walks over the packet at the front of `bytes`: its length, or `None` if it is incomplete or not well formed.
pub fn walk(bytes: &[u8], v5: bool) -> Option<usize> {
    let first = *bytes.first()?;
    let (remaining, header) = variable_byte_integer(bytes.get(1..)?)?;
    let length = 1 + header + remaining;
    let body = bytes.get(1 + header..length)?;
    match (first >> 4, first & 0x0F) {
        (3, flags) => publish(flags, body, v5)?,
        (1, 0) => connect(body)?,
        (8, 2) => subscribe(body, v5)?,
        (10, 2) => unsubscribe(body, v5)?,
        (4, 0) | (6, 2) if body.len() == 2 => identifier(body).map(|_| ())?,
        (12, 0) if body.is_empty() => {}
        _ => return None,
    }
    Some(length)
}

/// [`walk`] for a version.
pub fn walker(version: Version) -> impl Fn(&[u8]) -> Option<usize> {
    let v5 = version == Version::V5;
    move |bytes| walk(bytes, v5)
}

fn publish(flags: u8, body: &[u8], v5: bool) -> Option<()> {
    let qos = flags >> 1 & 3;
    if qos == 3 || (flags & 8 != 0 && qos == 0) {
        return None;
    }
    let (topic, mut rest) = field(body)?;
    topic_name(topic)?;
    if qos > 0 {
        rest = identifier(rest)?;
    }
    let mut alias = false;
    if v5 {
        let (list, _) = property_list(rest)?;
        alias = properties(list, PUBLISH)? & 1 << 0x23 != 0;
    }
    (!topic.is_empty() || alias).then_some(())
}

fn connect(body: &[u8]) -> Option<()> {
    let (name, rest) = field(body)?;
    let (&[level, flags, _, _], mut rest) = rest.split_first_chunk::<4>()?;
    let v5 = match (name, level) {
        (b"MQTT", 5) => true,
        (b"MQTT", 4) => false,
        _ => return None,
    };
    let (will, will_qos) = (flags & 4 != 0, flags >> 3 & 3);
    if flags & 1 != 0 || will_qos == 3 || (!will && flags & 0b11_1000 != 0) {
        return None;
    }
    if !v5 && flags & 0xC0 == 0x40 {
        return None;
    }
    if v5 {
        let (list, after) = property_list(rest)?;
        let seen = properties(list, CONNECT)?;
        if seen & (1 << 0x15 | 1 << 0x16) == 1 << 0x16 {
            return None;
        }
        rest = after;
    }
    let (id, after) = field(rest)?;
    text(id)?;
    rest = after;
    if will {
        if v5 {
            let (list, after) = property_list(rest)?;
            properties(list, WILL)?;
            rest = after;
        }
        let (topic, after) = field(rest)?;
        topic_name(topic)?;
        if topic.is_empty() {
            return None;
        }
        (_, rest) = field(after)?;
    }
    if flags & 0x80 != 0 {
        let (user, after) = field(rest)?;
        text(user)?;
        rest = after;
    }
    if flags & 0x40 != 0 {
        (_, rest) = field(rest)?;
    }
    rest.is_empty().then_some(())
}

fn subscribe(body: &[u8], v5: bool) -> Option<()> {
    let mut rest = identifier(body)?;
    if v5 {
        let (list, after) = property_list(rest)?;
        properties(list, SUBSCRIBE)?;
        rest = after;
    }
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (filter, after) = field(rest)?;
        topic_filter(filter, v5)?;
        let (&options, after) = after.split_first()?;
        if options & 3 == 3 || options & if v5 { 0xC0 } else { 0xFC } != 0 || options & 0x30 == 0x30 {
            return None;
        }
        if options & 4 != 0 && filter.starts_with(b"$share/") {
            return None;
        }
        rest = after;
    }
    Some(())
}

fn unsubscribe(body: &[u8], v5: bool) -> Option<()> {
    let mut rest = identifier(body)?;
    if v5 {
        let (list, after) = property_list(rest)?;
        properties(list, 0)?;
        rest = after;
    }
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (filter, after) = field(rest)?;
        topic_filter(filter, v5)?;
        rest = after;
    }
    Some(())
}

/// Where properties may stand, one bit for each place; User Properties stand everywhere.
const PUBLISH: u8 = 1;
const WILL: u8 = 2;
const CONNECT: u8 = 4;
const SUBSCRIBE: u8 = 8;

/// The checks of a property list; the set of the identifiers in it.
fn properties(mut list: &[u8], place: u8) -> Option<u64> {
    let mut seen = 0u64;
    while let Some((&id, value)) = list.split_first() {
        let places = match id {
            0x01 | 0x02 | 0x03 | 0x08 | 0x09 => PUBLISH | WILL,
            0x0B => SUBSCRIBE,
            0x11 | 0x15 | 0x16 | 0x17 | 0x19 | 0x21 | 0x22 | 0x27 => CONNECT,
            0x18 => WILL,
            0x23 => PUBLISH,
            0x26 => place,
            _ => return None,
        };
        if id != 0x26 && (places & place == 0 || seen & 1 << id != 0) {
            return None;
        }
        seen |= 1 << id;
        list = match id {
            0x01 | 0x17 | 0x19 => {
                let (&byte, after) = value.split_first()?;
                (byte <= 1).then_some(after)?
            }
            0x02 | 0x11 | 0x18 => value.get(4..)?,
            0x27 => value.split_first_chunk::<4>().filter(|(max, _)| **max != [0; 4])?.1,
            0x21 | 0x23 => value.split_first_chunk::<2>().filter(|(value, _)| **value != [0; 2])?.1,
            0x22 => value.get(2..)?,
            0x0B => {
                let (subscription, length) = minimal_variable_byte_integer(value)?;
                (subscription > 0).then_some(&value[length..])?
            }
            0x09 | 0x16 => field(value)?.1,
            0x08 => {
                let (topic, after) = field(value)?;
                topic_name(topic)?;
                (!topic.is_empty()).then_some(after)?
            }
            0x26 => {
                let (name, after) = field(value)?;
                text(name)?;
                let (value, after) = field(after)?;
                text(value)?;
                after
            }
            _ => {
                let (value, after) = field(value)?;
                text(value)?;
                after
            }
        };
    }
    Some(seen)
}

fn property_list(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, prefix) = minimal_variable_byte_integer(rest)?;
    rest.get(prefix..)?.split_at_checked(length)
}

fn identifier(rest: &[u8]) -> Option<&[u8]> {
    let (id, rest) = rest.split_first_chunk::<2>()?;
    (*id != [0, 0]).then_some(rest)
}

fn field(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = rest.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn variable_byte_integer(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate().take(4) {
        value |= usize::from(byte & 0x7F) << (7 * at);
        if byte < 0x80 {
            return Some((value, at + 1));
        }
    }
    None
}

fn minimal_variable_byte_integer(bytes: &[u8]) -> Option<(usize, usize)> {
    variable_byte_integer(bytes).filter(|&(_, length)| length == 1 || bytes[length - 1] != 0)
}

const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Text without U+0000: eight bytes at a time as long as it is ASCII.
fn text(bytes: &[u8]) -> Option<()> {
    match look(bytes, |word| word.wrapping_sub(LOW)) {
        0 => Some(()),
        _ => slow_text(bytes, b""),
    }
}

/// Text without U+0000 and wildcards.
fn topic_name(bytes: &[u8]) -> Option<()> {
    // The wildcards differ in one bit.
    let wild = |word: u64| word & !each(b'+' ^ b'#') ^ each(b'+' & b'#');
    match look(bytes, |word| word.wrapping_sub(LOW) | wild(word).wrapping_sub(LOW)) {
        0 => Some(()),
        _ => slow_text(bytes, b"+#"),
    }
}

fn topic_filter(bytes: &[u8], v5: bool) -> Option<()> {
    if bytes.is_empty() {
        return None;
    }
    text(bytes)?;
    if let (true, Some(shared)) = (v5, bytes.strip_prefix(b"$share/")) {
        let end = shared.iter().position(|b| *b == b'/')?;
        let (name, filter) = (&shared[..end], &shared[end + 1..]);
        if name.is_empty() || filter.is_empty() || name.iter().any(|b| matches!(b, b'+' | b'#')) {
            return None;
        }
        return levels(filter);
    }
    levels(bytes)
}

/// A wildcard is a whole level, and `#` the last.
fn levels(bytes: &[u8]) -> Option<()> {
    let wild = |word: u64| (zero(word ^ each(b'+')) | zero(word ^ each(b'#'))) & HIGH;
    let check = |at: usize| {
        let starts = at == 0 || bytes[at - 1] == b'/';
        let ends = at + 1 == bytes.len() || (bytes[at] == b'+' && bytes[at + 1] == b'/');
        starts && ends
    };
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // Little end first: the lowest bit that is set belongs to the first hit, and the one after a hit may be
        // wrong, so it is looked at again.
        let mut hits = wild(u64::from_le_bytes(*word));
        while hits != 0 {
            let at = index * 8 + hits.trailing_zeros() as usize / 8;
            if matches!(bytes[at], b'+' | b'#') && !check(at) {
                return None;
            }
            hits &= hits - 1;
        }
    }
    let start = bytes.len() - tail.len();
    (start..bytes.len()).all(|at| !matches!(bytes[at], b'+' | b'#') || check(at)).then_some(())
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The high bit of each byte that is 0, and sometimes of the byte above one.
const fn zero(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word
}

/// Whether `test` sets a high bit in any word, or a byte is beyond ASCII. The last word overlaps the one before.
#[inline(always)]
fn look(bytes: &[u8], test: impl Fn(u64) -> u64) -> u64 {
    let mut found = 0;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_ne_bytes(*word);
        found |= word | test(word);
        rest = after;
    }
    if !rest.is_empty() {
        let word = match bytes.last_chunk::<8>() {
            Some(word) => u64::from_ne_bytes(*word),
            None => {
                let mut word = [b'a'; 8];
                word[..rest.len()].copy_from_slice(rest);
                u64::from_ne_bytes(word)
            }
        };
        found |= word | test(word);
    }
    found & HIGH
}

#[cold]
fn slow_text(bytes: &[u8], without: &[u8]) -> Option<()> {
    std::str::from_utf8(bytes).ok()?;
    (!bytes.iter().any(|byte| *byte == 0 || without.contains(byte))).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packets;
    use mqtt_assay_codec::{Decoder, Receiver};

    /// The floor would be no floor if it let through what a strict codec refuses.
    #[test]
    fn agrees_with_the_codec_on_every_change_of_one_byte() {
        for case in packets::single() {
            let decoder = Decoder::new(case.version, Receiver::Server);
            let mut bytes = case.bytes;
            let types: &[u8] = &[0x10, 0x30, 0x40, 0x62, 0x82, 0xA2, 0xC0];
            for at in 0..bytes.len().min(500) {
                let was = bytes[at];
                for byte in 0..=255 {
                    bytes[at] = byte;
                    // The walk knows neither other types nor MQTT 3.1.
                    if !types.iter().any(|first| first >> 4 == bytes[0] >> 4) {
                        continue;
                    }
                    let codec = decoder.next(&bytes).ok().flatten().map(|(_, length)| length);
                    let walked = walk(&bytes, case.version == Version::V5);
                    assert_eq!(walked, codec, "{}: byte {at} = {byte:02x}", case.name);
                }
                bytes[at] = was;
            }
        }
    }
}
