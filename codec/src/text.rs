//! UTF-8 Encoded Strings: well-formed, without U+0000. [3.1.1 §1.5.3] [5.0 §1.5.4]

use crate::malformed::Offence;

/// Checks a string; the error carries the offset of the first offending byte.
pub(crate) fn string(bytes: &[u8]) -> Result<&str, (Offence, usize)> {
    let text = core::str::from_utf8(bytes).map_err(|error| ill_formed(bytes, error.valid_up_to()))?;
    match find::<0, 0, 0>(bytes) {
        None => Ok(text),
        Some(at) => Err((Offence::NulInUtf8, at)),
    }
}

/// Checks a string that may hold no wildcard; `wildcard` is the offence if it does.
pub(crate) fn topic_name(bytes: &[u8], wildcard: Offence) -> Result<&str, (Offence, usize)> {
    let text = core::str::from_utf8(bytes).map_err(|error| ill_formed(bytes, error.valid_up_to()))?;
    match find::<0, b'+', b'#'>(bytes) {
        None => Ok(text),
        Some(at) if bytes[at] == 0 => Err((Offence::NulInUtf8, at)),
        Some(at) => Err((wildcard, at)),
    }
}

fn ill_formed(bytes: &[u8], at: usize) -> (Offence, usize) {
    // U+D800..U+DFFF would be ED A0..BF xx.
    match bytes.get(at..at + 2) {
        Some([0xED, 0xA0..=0xBF]) => (Offence::SurrogateInUtf8, at),
        _ => (Offence::IllFormedUtf8, at),
    }
}

/// Offset of the first byte that is one of the three, looking at eight bytes at a time.
fn find<const A: u8, const B: u8, const C: u8>(bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // The classic test for a zero byte in a word; it may name a byte above a true hit, never miss one.
    let holds = |word: u64, byte: u8| {
        let x = word ^ u64::from_ne_bytes([byte; 8]);
        x.wrapping_sub(LOW) & !x & HIGH
    };
    let is_one = |byte: &u8| *byte == A || *byte == B || *byte == C;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, chunk) in words.iter().enumerate() {
        let word = u64::from_ne_bytes(*chunk);
        if holds(word, A) | holds(word, B) | holds(word, C) != 0 {
            return chunk.iter().position(is_one).map(|at| index * 8 + at);
        }
    }
    tail.iter().position(is_one).map(|at| bytes.len() - tail.len() + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(b'+'), Just(b'#'), any::<u8>()], 0..40)) {
            let plain = bytes.iter().position(|b| matches!(b, 0 | b'+' | b'#'));
            prop_assert_eq!(find::<0, b'+', b'#'>(&bytes), plain);
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
