//! The only unsafe code of this crate. Each of its two uses was measured (see `benches/README.md`); safe Rust has
//! neither: text whose bytes were looked at, and a small packet written with one look at the room for it.
//!
//! What is unsafe is decided by what stands in this file alone, and the tests below run under Miri.
#![allow(unsafe_code, reason = "see above: measured, and checked by Miri")]

use alloc::vec::Vec;

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

/// A packet of the shape that matters: a field, a few bytes, and two runs of bytes without a length of their own.
pub(crate) struct Small<'a> {
    /// The first byte of the fixed header.
    pub(crate) first: u8,
    /// Written behind its two-byte length.
    pub(crate) field: &'a [u8],
    /// The bytes behind the field, the first one lowest.
    pub(crate) word: u64,
    /// How many of them there are.
    pub(crate) word_length: usize,
    /// What follows them.
    pub(crate) bytes: &'a [u8],
    /// What ends the packet.
    pub(crate) payload: &'a [u8],
}

/// Runs of fewer bytes are copied without a call.
const SHORT: usize = 128;

/// Beyond the packet, so that a whole word may be stored wherever some of its bytes are due.
const SLACK: usize = 8;

impl Small<'_> {
    /// Appends the packet. If it is none of the small ones, or there is no room for it, nothing was appended, and the
    /// answer is `false`.
    #[inline(always)]
    pub(crate) fn append(self, to: &mut Vec<u8>) -> bool {
        let Small { first, field, word, word_length, bytes, payload } = self;
        if (field.len() | bytes.len()) >= SHORT || word_length > SLACK {
            return false;
        }
        // No overflow: only the payload may be long, and no slice is longer than half of what a usize can tell.
        let remaining = 2 + field.len() + word_length + bytes.len() + payload.len();
        // What a Remaining Length of two bytes can tell; with a fixed header of at most three.
        if remaining >= 1 << 14 || to.capacity() - to.len() < 3 + remaining + SLACK {
            return false;
        }
        let (header, header_length) = if remaining < 0x80 {
            (u64::from(first) | (remaining as u64) << 8, 2)
        } else {
            (u64::from(first) | ((remaining + (remaining & 0x3F80)) as u64 | 0x80) << 8, 3)
        };
        let start = to.len();
        // SAFETY: there is room for the fixed header, `remaining` bytes and a word behind the bytes that are there.
        // Below, `at` moves by the header's length and by each part of `remaining`, and each write begins at it:
        // whole words, of which no more than `SLACK` bytes are in excess, and as many bytes as `at` moves by. So all is
        // written within the room, and when `at` has reached the new length, all bytes below it are written. The
        // sources are no part of the room: they are borrowed while `to` is borrowed for writing. Nothing in between
        // can panic, so nobody sees the length before the bytes are there.
        unsafe {
            to.set_len(start + header_length + remaining);
            let mut at = to.as_mut_ptr().add(start);
            at.cast::<[u8; 8]>().write(header.to_le_bytes());
            at = at.add(header_length);
            at.cast::<[u8; 2]>().write((field.len() as u16).to_be_bytes());
            at = at.add(2);
            copy_short(field, at);
            at = at.add(field.len());
            at.cast::<[u8; 8]>().write(word.to_le_bytes());
            at = at.add(word_length);
            if !bytes.is_empty() {
                copy_short(bytes, at);
                at = at.add(bytes.len());
            }
            if payload.len() < SHORT {
                copy_short(payload, at);
            } else {
                at.copy_from_nonoverlapping(payload.as_ptr(), payload.len());
            }
        }
        true
    }
}

/// Copies fewer than [`SHORT`] bytes in blocks, of which the last ones overlap those before them.
///
/// # Safety
///
/// `to` must be good for writing as many bytes, and apart from `bytes`.
#[inline(always)]
unsafe fn copy_short(bytes: &[u8], to: *mut u8) {
    let (from, n) = (bytes.as_ptr(), bytes.len());
    macro_rules! copy {
        ($size:literal at $($at:expr),+) => {{
            $(to.add($at).cast::<[u8; $size]>().write(from.add($at).cast::<[u8; $size]>().read());)+
        }};
    }
    // SAFETY: in each branch, every block ends at or before the `n` bytes that both sides have, and together they
    // cover them. An array of bytes may stand at any address.
    unsafe {
        if n > 32 {
            copy!(16 at 0, 16);
            if n > 64 {
                copy!(16 at 32, 48);
                if n > 96 {
                    copy!(16 at 64, 80);
                }
            }
            copy!(16 at n - 32, n - 16);
        } else if n >= 16 {
            copy!(16 at n - 16, 0);
        } else if n >= 8 {
            copy!(8 at 0, n - 8);
        } else if n >= 4 {
            copy!(4 at 0, n - 4);
        } else if n > 0 {
            copy!(1 at 0, n / 2, n - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;
    use alloc::vec;

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

    #[test]
    fn copies_every_short_length() {
        for length in 0..SHORT {
            let bytes = exact(length);
            let mut to = vec![0; length + 2];
            // SAFETY: `to` has room for the bytes behind its first one.
            unsafe { copy_short(&bytes, to.as_mut_ptr().add(1)) };
            assert_eq!((to[0], &to[1..=length], to[length + 1]), (0, &bytes[..], 0));
        }
    }

    /// What [`Small::append`] writes, written plainly.
    fn plainly(packet: &Small<'_>) -> Vec<u8> {
        let remaining =
            2 + packet.field.len() + packet.word_length + packet.bytes.len() + packet.payload.len();
        let mut bytes = vec![packet.first];
        crate::encode::variable_byte_integer(remaining as u32, &mut bytes);
        bytes.extend((packet.field.len() as u16).to_be_bytes());
        bytes.extend(packet.field);
        bytes.extend(&packet.word.to_le_bytes()[..packet.word_length]);
        bytes.extend(packet.bytes);
        bytes.extend(packet.payload);
        bytes
    }

    const LENGTHS: [usize; 16] = [0, 1, 3, 4, 7, 8, 15, 16, 31, 32, 33, 64, 65, 96, 97, 127];

    #[test]
    fn appends_what_plain_writing_appends_within_just_enough_room() {
        let long = exact(300);
        let (mut before, mut payloads) = (vec![], LENGTHS.to_vec());
        payloads.extend([128, 129, 300]);
        for (index, field) in LENGTHS.into_iter().enumerate() {
            for payload in &payloads {
                let packet = Small {
                    first: 0x3D,
                    field: &exact(field),
                    word: 0x1122_3344_5566_7788,
                    word_length: index % 8,
                    bytes: &exact(LENGTHS[(index * 7 + payload) % LENGTHS.len()]),
                    payload: &long[..*payload],
                };
                let expected = plainly(&packet);
                let mut to = Vec::with_capacity(before.len() + 1 + expected.len() + SLACK);
                to.extend_from_slice(&before);
                assert!(packet.append(&mut to));
                assert_eq!(to, [&before[..], &expected[..]].concat());
                before = to.split_off(to.len() / 2);
            }
        }
    }

    #[test]
    fn leaves_alone_what_is_not_small_and_what_has_no_room() {
        let long = vec![b'x'; 1 << 14];
        let small = Small { first: 0x30, field: b"a", word: 0, word_length: 1, bytes: b"", payload: b"on" };
        assert!(!small.append(&mut Vec::with_capacity(6)));
        for (field, word_length, bytes, payload) in
            [(128, 0, 0, 0), (0, 9, 0, 0), (0, 0, 128, 0), (0, 0, 0, (1 << 14) - 2)]
        {
            let packet = Small {
                first: 0x30,
                field: &long[..field],
                word: 0,
                word_length,
                bytes: &long[..bytes],
                payload: &long[..payload],
            };
            let mut to = Vec::with_capacity(1 << 15);
            assert!(!packet.append(&mut to));
            assert!(to.is_empty());
        }
    }
}
