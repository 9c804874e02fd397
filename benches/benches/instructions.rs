//! Instructions per hundred packets, counted by callgrind: the same on a busy machine as on an idle one.
//!
//! The numbers below are the baseline, taken with Rust 1.95.0 on x86-64. A path that executes over three percent more
//! instructions fails; one that executes far fewer deserves a new baseline. `README.md` tells when and how to take one.
#![allow(missing_docs, reason = "the harness's macros make undocumented items")]

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use mqtt_assay_benches::packets;
use mqtt_assay_codec::{Decoder, Receiver};
use std::hint::black_box;

const PACKETS: usize = 100;

fn at_most(baseline: u64) -> LibraryBenchmarkConfig {
    let limit = baseline + baseline * 3 / 100;
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, limit)]));
    config
}

/// The packet in this column of the table, and a decoder for it.
fn input(column: usize) -> (Decoder, Vec<u8>) {
    let case = packets::single().swap_remove(column);
    (Decoder::new(case.version, Receiver::Server), case.bytes)
}

/// Also a buffer with room for all that is written.
fn input_and_room(column: usize) -> (Decoder, Vec<u8>, Vec<u8>) {
    let (decoder, bytes) = input(column);
    let room = Vec::with_capacity((PACKETS + 1) * bytes.len());
    (decoder, bytes, room)
}

#[library_benchmark(setup = input)]
#[bench::publish_v3_qos0(args = (0), config = at_most(20_321))]
#[bench::publish_v3_qos1(args = (1), config = at_most(23_664))]
#[bench::publish_v5_qos0(args = (2), config = at_most(21_221))]
#[bench::publish_v5_properties(args = (3), config = at_most(61_121))]
#[bench::connect_v3(args = (4), config = at_most(47_221))]
#[bench::connect_v5(args = (5), config = at_most(97_721))]
#[bench::subscribe_v3(args = (6), config = at_most(296_821))]
#[bench::subscribe_v5(args = (7), config = at_most(315_221))]
fn decode((decoder, bytes): (Decoder, Vec<u8>)) {
    for _ in 0..PACKETS {
        let _ = black_box(&decoder.next(black_box(&bytes)));
    }
}

#[library_benchmark(setup = input_and_room)]
#[bench::publish_v3_qos0(args = (0), config = at_most(10_480))]
#[bench::publish_v3_qos1(args = (1), config = at_most(22_140))]
#[bench::publish_v5_qos0(args = (2), config = at_most(12_189))]
#[bench::publish_v5_properties(args = (3), config = at_most(14_888))]
#[bench::connect_v3(args = (4), config = at_most(44_749))]
#[bench::connect_v5(args = (5), config = at_most(54_954))]
#[bench::subscribe_v3(args = (6), config = at_most(35_033))]
#[bench::subscribe_v5(args = (7), config = at_most(26_717))]
fn encode((decoder, bytes, mut room): (Decoder, Vec<u8>, Vec<u8>)) {
    let Ok(Some((packet, _))) = decoder.next(&bytes) else { return };
    for _ in 0..PACKETS {
        let _ = black_box(black_box(&packet).encode(decoder.version, &mut room));
    }
}

library_benchmark_group!(name = codec; benchmarks = decode, encode);
main!(library_benchmark_groups = codec);
