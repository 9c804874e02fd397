//! The only unsafe code of this crate: text whose bytes were looked at. It was measured (see `benches/README.md`), and
//! safe Rust has no other way to a `&str` than a second look.
//!
//! What is unsafe is decided by what stands in this file alone, and the tests below run under Miri.
#![allow(unsafe_code, reason = "see above: measured, and checked by Miri")]

const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// The bytes as text, if all are ASCII and `test` finds nothing in them: it sets a high bit in a word of eight bytes
/// that holds what it looks for.
#[inline(always)]
pub(crate) fn ascii(bytes: &[u8], test: impl Fn(u64) -> u64) -> Option<&str> {
    let mut found = 0;
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_ne_bytes(*word);
        found |= word | test(word);
    }
    if !tail.is_empty() {
        // It overlaps the word before it, so that no byte is looked at alone.
        let word = match bytes.last_chunk::<8>() {
            Some(word) => u64::from_ne_bytes(*word),
            None => short(bytes),
        };
        found |= word | test(word);
    }
    if found & HIGH != 0 {
        return None;
    }
    // SAFETY: each byte was part of a word, and no word had a high bit set: all bytes are ASCII, which is UTF-8.
    Some(unsafe { core::str::from_utf8_unchecked(bytes) })
}

/// Up to seven bytes as a word: the first four and the last four, which overlap, or all of them below a letter.
#[inline(always)]
fn short(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_ne_bytes(*first)) << 32 | u64::from(u32::from_ne_bytes(*last));
    }
    const FILL: u64 = u64::from_ne_bytes([b'a'; 8]);
    bytes.iter().fold(FILL, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;

    /// A slice of exactly these bytes: Miri sees a look beyond it.
    fn exact(length: usize) -> Box<[u8]> {
        (0..length).map(|i| b'a' + (i % 26) as u8).collect()
    }

    #[test]
    fn takes_ascii_of_any_length_and_nothing_else() {
        for length in 0..40 {
            let mut bytes = exact(length);
            assert_eq!(ascii(&bytes, |_| 0), core::str::from_utf8(&bytes).ok());
            for at in 0..length {
                let was = bytes[at];
                for beyond in [0x80, 0xC3, 0xFF] {
                    bytes[at] = beyond;
                    assert_eq!(ascii(&bytes, |_| 0), None, "{at} of {length}");
                }
                bytes[at] = was;
            }
        }
    }
}
