//! Strategies for property tests: valid packets of every version and direction, and near misses.
//!
//! Only with the feature `generate`, which needs `std` through proptest.
//!
//! ```
//! use mqtt_assay_codec::{Decoder, Receiver, Version, generate};
//! use proptest::prelude::*;
//!
//! proptest!(|(bytes in generate::bytes(Version::V5, Receiver::Server))| {
//!     let decoder = Decoder::new(Version::V5, Receiver::Server);
//!     prop_assert!(decoder.next(&bytes).unwrap().is_some());
//! });
//! ```

mod packet;
mod text;

pub use packet::{Owned, OwnedConnect, OwnedPublish, OwnedWill, packet};
pub use text::{text, topic_filter, topic_name};

use crate::raw;
use crate::types::{Receiver, Version};
use alloc::vec::Vec;
use proptest::prelude::*;

/// Any version.
pub fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V3_1), Just(Version::V3_1_1), Just(Version::V5)]
}

/// Either direction.
pub fn receiver() -> impl Strategy<Value = Receiver> {
    prop_oneof![Just(Receiver::Server), Just(Receiver::Client)]
}

/// The encoding of a valid packet.
///
/// # Panics
///
/// Never: what is generated can be encoded.
pub fn bytes(version: Version, receiver: Receiver) -> impl Strategy<Value = Vec<u8>> {
    packet(version, receiver).prop_map(move |owned| {
        let mut bytes = Vec::new();
        owned.packet().encode(version, &mut bytes).expect("a packet that can be encoded");
        bytes
    })
}

/// Bytes that are nearly a packet: one that breaks exactly one rule, or a valid one with a byte changed, put in,
/// taken out, or with its end cut off. Some of them are valid all the same.
pub fn near_miss(version: Version, receiver: Receiver) -> impl Strategy<Value = Vec<u8>> {
    let broken: Vec<Vec<u8>> = raw::cases(version, receiver).into_iter().map(|case| case.bytes).collect();
    let mutation = (any::<prop::sample::Index>(), any::<u8>(), 0..4);
    let mutated = (bytes(version, receiver), mutation).prop_map(|(mut bytes, (index, byte, kind))| {
        let at = index.index(bytes.len());
        match kind {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        bytes
    });
    prop_oneof![prop::sample::select(broken), mutated]
}
