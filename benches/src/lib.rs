//! What the benchmarks share: the packets, the peers, the floor, and the way to drive and time them.
//!
//! Run `cargo bench -p mqtt-assay-benches`, or regenerate the table of `README.md` with
//! `cargo run --release -p mqtt-assay-benches --bin table`.

#[cfg(feature = "peers")]
pub mod contender;
pub mod drive;
pub mod floor;
pub mod packets;
pub mod sessions;
pub mod simulation;
pub mod time;
