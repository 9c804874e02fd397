//! UTF-8 Encoded Strings: well-formed, without U+0000. [3.1.1 §1.5.3] [5.0 §1.5.4]

use crate::malformed::Offence;
use crate::unchecked;

/// Checks a string; the error carries the offset of the first offending byte.
#[inline(always)]
pub(crate) fn string(bytes: &[u8]) -> Result<&str, (Offence, usize)> {
    match unchecked::ascii(bytes, nul) {
        Some(text) => Ok(text),
        None => closer_look(bytes, None),
    }
}

/// Checks a string that may hold no wildcard; `wildcard` is the offence if it does.
#[inline(always)]
pub(crate) fn topic_name(bytes: &[u8], wildcard: Offence) -> Result<&str, (Offence, usize)> {
    match unchecked::ascii(bytes, |word| nul(word) | wildcards(word)) {
        Some(text) => Ok(text),
        None => closer_look(bytes, Some(wildcard)),
    }
}

/// Checks a string that is not plain ASCII, or holds a byte that may be an offence.
#[inline(never)]
fn closer_look(bytes: &[u8], wildcard: Option<Offence>) -> Result<&str, (Offence, usize)> {
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        // U+D800..U+DFFF would be ED A0..BF xx.
        match bytes.get(at..at + 2) {
            Some([0xED, 0xA0..=0xBF]) => (Offence::SurrogateInUtf8, at),
            _ => (Offence::IllFormedUtf8, at),
        }
    })?;
    let found = bytes.iter().enumerate().find_map(|(at, byte)| match byte {
        0 => Some((Offence::NulInUtf8, at)),
        b'+' | b'#' => wildcard.map(|offence| (offence, at)),
        _ => None,
    });
    found.map_or(Ok(text), Err)
}

const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// The bits in which `+` and `#` differ, and those that they share.
const DIFFER: u64 = u64::from_ne_bytes([b'+' ^ b'#'; 8]);
const SHARED: u64 = u64::from_ne_bytes([b'+' & b'#'; 8]);

/// Sets the high bit of a byte if the word is ASCII and holds U+0000.
#[inline(always)]
const fn nul(word: u64) -> u64 {
    word.wrapping_sub(LOW)
}

/// Sets the high bit of a byte if the word is ASCII and holds a wildcard.
#[inline(always)]
const fn wildcards(word: u64) -> u64 {
    nul(word & !DIFFER ^ SHARED)
}

/// Bit 7 of each byte of any `word` that is a wildcard. It may also mark a byte above a true hit, never miss one.
#[inline(always)]
pub(crate) const fn wildcard_marks(word: u64) -> u64 {
    let x = word & !DIFFER ^ SHARED;
    nul(x) & !x & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// What a plain search finds first: ill-formed text, else a byte that may not be there.
    fn plainly(bytes: &[u8], refused: &[u8]) -> Result<(), usize> {
        core::str::from_utf8(bytes).map_err(|error| error.valid_up_to())?;
        bytes.iter().position(|byte| refused.contains(byte)).map_or(Ok(()), Err)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 10 } else { 1_000 }))]

        #[test]
        fn finds_what_a_plain_search_finds(bytes in proptest::collection::vec(byte(), 0..40)) {
            prop_assert_eq!(string(&bytes).map(|_| ()).map_err(|(_, at)| at), plainly(&bytes, b"\0"));
            let name = topic_name(&bytes, Offence::TopicNameWildcard);
            prop_assert_eq!(name.map(|_| ()).map_err(|(_, at)| at), plainly(&bytes, b"\0+#"));
        }

        #[test]
        fn marks_every_wildcard(bytes in any::<[u8; 8]>(), at in 0..8usize, plus in any::<bool>()) {
            let mut bytes = bytes;
            bytes[at] = if plus { b'+' } else { b'#' };
            let marks = wildcard_marks(u64::from_le_bytes(bytes));
            let missed: Vec<_> = (0..8)
                .filter(|at| matches!(bytes[*at], b'+' | b'#') && marks >> (8 * at + 7) & 1 == 0)
                .collect();
            prop_assert!(missed.is_empty(), "{:02x?}: {:?}", bytes, missed);
        }
    }

    /// Mostly harmless, with neighbours of what is looked for, and sometimes beyond ASCII.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![
            20 => Just(b'a'),
            4 => prop::sample::select(&[1, b'"', b'$', b'*', b',', 0x7F][..]),
            1 => any::<u8>(),
            1 => prop::sample::select(&[0, b'+', b'#'][..]),
        ]
    }

    #[test]
    fn finds_a_byte_wherever_it_is() {
        for length in 1..40 {
            let mut bytes = alloc::vec![b'a'; length];
            for at in 0..length {
                for (byte, offence) in [
                    (0, Offence::NulInUtf8),
                    (b'+', Offence::TopicNameWildcard),
                    (b'#', Offence::TopicNameWildcard),
                    (0x80, Offence::IllFormedUtf8),
                ] {
                    bytes[at] = byte;
                    assert_eq!(topic_name(&bytes, Offence::TopicNameWildcard), Err((offence, at)));
                }
                bytes[at] = b'a';
            }
        }
    }

    #[test]
    fn tells_surrogates_from_other_ill_formed_text() {
        assert_eq!(string(b"ab\xED\xA0\x80"), Err((Offence::SurrogateInUtf8, 2)));
        assert_eq!(string(b"ab\xC0\xAF"), Err((Offence::IllFormedUtf8, 2)));
        assert_eq!(string(b"ab\x00"), Err((Offence::NulInUtf8, 2)));
    }

    /// U+FEFF is a character like any other. [3.1.1/MQTT-1.5.3-3] [5.0/MQTT-1.5.4-3]
    #[test]
    fn keeps_a_byte_order_mark() {
        assert_eq!(string(b"\xEF\xBB\xBFa"), Ok("\u{FEFF}a"));
    }
}
