//! The project's own small generator, with a pinned algorithm: a seed in a report must mean the same next year.

use crate::digest::Digest;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The stream of `seed` that belongs to `name`: adding a name moves no other stream.
    pub(crate) fn named(seed: u64, name: &str) -> Self {
        Rng(seed ^ Digest::new().with(name.as_bytes()).value())
    }

    /// The next 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of the numbers below `limit`, which is not zero.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // The bias of a remainder is of no account here.
        (self.next_u64() % limit as u64) as usize
    }

    /// A word of lower-case letters and digits that starts with a letter.
    pub(crate) fn word(&mut self, length: usize) -> String {
        const SIGNS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..length)
            .map(|index| {
                let signs = if index == 0 { 26 } else { 36 };
                char::from(SIGNS[self.below(signs)])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A changed algorithm would change what old seeds mean.
    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut rng = Rng::named(7, "publish/example");
        assert_eq!(rng.word(8), "cpeoxx8j");
        assert_ne!(Rng::named(7, "a").next_u64(), Rng::named(7, "b").next_u64());
    }
}
