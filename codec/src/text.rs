//! UTF-8 Encoded Strings: well-formed, without U+0000. [3.1.1 §1.5.3] [5.0 §1.5.4]

use crate::malformed::Offence;

/// Checks a string; the error carries the offset of the first offending byte. `known` is the same string if it was
/// found to be well-formed before.
#[inline(always)]
pub(crate) fn string<'a>(bytes: &'a [u8], known: Option<&'a str>) -> Result<&'a str, (Offence, usize)> {
    match known.map_or_else(|| core::str::from_utf8(bytes), Ok) {
        Ok(text) if !holds(bytes, |word| has(word, 0)) => Ok(text),
        _ => Err(offence_in(bytes, None)),
    }
}

/// Checks a string that may hold no wildcard; `wildcard` is the offence if it does.
#[inline(always)]
pub(crate) fn topic_name<'a>(
    bytes: &'a [u8],
    known: Option<&'a str>,
    wildcard: Offence,
) -> Result<&'a str, (Offence, usize)> {
    match known.map_or_else(|| core::str::from_utf8(bytes), Ok) {
        Ok(text) if !holds(bytes, |word| has(word, 0) | has(word, b'+') | has(word, b'#')) => Ok(text),
        _ => Err(offence_in(bytes, Some(wildcard))),
    }
}

/// What is wrong with a string that failed a check: ill-formed text first, else the first byte that may not be there.
#[cold]
fn offence_in(bytes: &[u8], wildcard: Option<Offence>) -> (Offence, usize) {
    if let Err(error) = core::str::from_utf8(bytes) {
        let at = error.valid_up_to();
        // U+D800..U+DFFF would be ED A0..BF xx.
        return match bytes.get(at..at + 2) {
            Some([0xED, 0xA0..=0xBF]) => (Offence::SurrogateInUtf8, at),
            _ => (Offence::IllFormedUtf8, at),
        };
    }
    let found = bytes.iter().enumerate().find_map(|(at, byte)| match byte {
        0 => Some((Offence::NulInUtf8, at)),
        b'+' | b'#' => wildcard.map(|offence| (offence, at)),
        _ => None,
    });
    found.unwrap_or((Offence::IllFormedUtf8, 0))
}

const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Bit 7 of each byte of `word` that is `byte`. It may also mark a byte above a true hit, never miss one.
#[inline]
pub(crate) const fn has(word: u64, byte: u8) -> u64 {
    let x = word ^ u64::from_ne_bytes([byte; 8]);
    x.wrapping_sub(LOW) & !x & HIGH
}

/// Whether `test` finds anything, eight bytes at a time. The last word overlaps the one before it, so that no byte
/// is looked at alone.
#[inline(always)]
pub(crate) fn holds(bytes: &[u8], test: impl Fn(u64) -> u64) -> bool {
    let mut found = 0;
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        found |= test(u64::from_ne_bytes(*word));
    }
    if !tail.is_empty() {
        found |= test(match bytes.last_chunk::<8>() {
            Some(word) => u64::from_ne_bytes(*word),
            None => short(bytes),
        });
    }
    found != 0
}

/// Up to seven bytes as a word: the first ones, the last ones and the middle, which overlap, and a byte between them
/// that no test looks for.
#[inline]
fn short(bytes: &[u8]) -> u64 {
    const FILL: u64 = u64::from_ne_bytes([b'a'; 8]);
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_ne_bytes(*first)) << 32 | u64::from(u32::from_ne_bytes(*last));
    }
    bytes.iter().fold(FILL, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(bytes in proptest::collection::vec(any_byte(), 0..40)) {
            let test = |word| has(word, 0) | has(word, b'+') | has(word, b'#');
            prop_assert_eq!(holds(&bytes, test), bytes.iter().any(|b| matches!(b, 0 | b'+' | b'#')));
        }
    }

    /// Mostly harmless, with neighbours of what is looked for.
    fn any_byte() -> impl Strategy<Value = u8> {
        prop_oneof![4 => Just(b'a'), 1 => Just(1), 1 => any::<u8>(), 1 => prop::sample::select(&[0, b'+', b'#'][..])]
    }

    #[test]
    fn tells_surrogates_from_other_ill_formed_text() {
        assert_eq!(string(b"ab\xED\xA0\x80", None), Err((Offence::SurrogateInUtf8, 2)));
        assert_eq!(string(b"ab\xC0\xAF", None), Err((Offence::IllFormedUtf8, 2)));
        assert_eq!(string(b"ab\x00", None), Err((Offence::NulInUtf8, 2)));
    }

    /// U+FEFF is a character like any other. [3.1.1/MQTT-1.5.3-3] [5.0/MQTT-1.5.4-3]
    #[test]
    fn keeps_a_byte_order_mark() {
        assert_eq!(string(b"\xEF\xBB\xBFa", None), Ok("\u{FEFF}a"));
    }
}
