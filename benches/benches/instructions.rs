//! Instructions per hundred packets, counted by callgrind: the same on a busy machine as on an idle one.
//!
//! The numbers below are the baseline. A path that executes over two percent more instructions fails; one that
//! executes far fewer deserves a new baseline. They hold for the pinned toolchain on x86-64.
#![allow(missing_docs, reason = "the harness's macros make undocumented items")]

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use mqtt_assay_benches::packets;
use mqtt_assay_codec::{Decoder, Receiver};
use std::hint::black_box;

const PACKETS: usize = 100;

fn at_most(baseline: u64) -> LibraryBenchmarkConfig {
    let limit = baseline + baseline / 50;
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
#[bench::publish_v3_qos0(args = (0), config = at_most(33_721))]
#[bench::publish_v3_qos1(args = (1), config = at_most(35_464))]
#[bench::publish_v5_qos0(args = (2), config = at_most(35_021))]
#[bench::publish_v5_properties(args = (3), config = at_most(119_421))]
#[bench::connect_v3(args = (4), config = at_most(84_721))]
#[bench::connect_v5(args = (5), config = at_most(186_021))]
#[bench::subscribe_v3(args = (6), config = at_most(375_321))]
#[bench::subscribe_v5(args = (7), config = at_most(395_521))]
fn decode((decoder, bytes): (Decoder, Vec<u8>)) {
    for _ in 0..PACKETS {
        let _ = black_box(&decoder.next(black_box(&bytes)));
    }
}

#[library_benchmark(setup = input_and_room)]
#[bench::publish_v3_qos0(args = (0), config = at_most(16_816))]
#[bench::publish_v3_qos1(args = (1), config = at_most(30_660))]
#[bench::publish_v5_qos0(args = (2), config = at_most(18_329))]
#[bench::publish_v5_properties(args = (3), config = at_most(23_873))]
#[bench::connect_v3(args = (4), config = at_most(44_026))]
#[bench::connect_v5(args = (5), config = at_most(54_739))]
#[bench::subscribe_v3(args = (6), config = at_most(34_720))]
#[bench::subscribe_v5(args = (7), config = at_most(26_422))]
fn encode((decoder, bytes, mut room): (Decoder, Vec<u8>, Vec<u8>)) {
    let Ok(Some((packet, _))) = decoder.next(&bytes) else { return };
    for _ in 0..PACKETS {
        let _ = black_box(black_box(&packet).encode(decoder.version, &mut room));
    }
}

library_benchmark_group!(name = codec; benchmarks = decode, encode);
main!(library_benchmark_groups = codec);
