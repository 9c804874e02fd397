//! A hash with a pinned algorithm: it must mean the same next year, and on every machine.

/// FNV-1a, 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) fn new() -> Self {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    #[must_use]
    pub(crate) fn with(self, bytes: &[u8]) -> Self {
        Digest(
            bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    /// With a field of varying length, told apart from its neighbours.
    #[must_use]
    pub(crate) fn with_field(self, bytes: &[u8]) -> Self {
        self.with(&(bytes.len() as u64).to_be_bytes()).with(bytes)
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}
