//! This codec allocates nothing, neither in decoding nor in encoding into a buffer with room.

use mqtt_assay_benches::contender::{self, OURS};
use mqtt_assay_benches::drive::{self, Work};
use mqtt_assay_benches::packets;

#[test]
fn decoding_allocates_nothing() {
    for case in packets::single() {
        let batch = drive::batch(&case);
        assert_none(&case.name, contender::decoders(&case, &batch));
    }
    // The stream's own buffer grows once, to the size of a read and the rest of the one before.
    for case in packets::streams() {
        let batch = drive::batch(&case);
        let mut decoders = contender::decoders(&case, &batch);
        decoders.iter_mut().filter(|work| work.name() == OURS).for_each(|work| {
            work.run();
        });
        assert_none(&case.name, decoders);
    }
}

#[test]
fn encoding_allocates_nothing() {
    for case in packets::single().into_iter().chain(packets::streams()) {
        assert_none(&case.name, contender::encoders(&case));
    }
}

/// Counts the heap allocations of this codec; proves with a peer's that the counter counts.
#[track_caller]
fn assert_none(case: &str, contenders: Vec<Work<'_>>) {
    let mut measured = 0;
    for mut work in contenders {
        let expected = match work.name() {
            OURS => 0,
            "mqtt-protocol-core" => 1,
            _ => continue,
        };
        work.set_up();
        let info = allocation_counter::measure(|| {
            work.run();
        });
        assert_eq!(info.count_total.min(1), expected, "{case}, {}: {info:?}", work.name());
        measured += 1;
    }
    assert_eq!(measured, 2, "{case}: who is missing?");
}
