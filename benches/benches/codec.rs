//! Every cell of the table under criterion: times per batch of about 64 KiB, or per stream of 10,000 packets.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mqtt_assay_benches::drive::Work;
use mqtt_assay_benches::{contender, drive, packets};
use std::time::{Duration, Instant};

fn all(c: &mut Criterion) {
    for case in packets::single().into_iter().chain(packets::streams()) {
        let batch = drive::batch(&case);
        group(c, &format!("decode {}", case.name), batch.len(), contender::decoders(&case, &batch));
        group(c, &format!("encode {}", case.name), batch.len(), contender::encoders(&case));
    }
}

fn group(c: &mut Criterion, name: &str, bytes: usize, contenders: Vec<Work<'_>>) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    for mut work in contenders {
        group.bench_function(work.name(), |b| {
            b.iter_custom(|batches| {
                let mut measured = Duration::ZERO;
                for _ in 0..batches {
                    work.set_up();
                    let start = Instant::now();
                    work.run();
                    measured += start.elapsed();
                }
                measured
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    // Some hundred functions: criterion's own times would take half an hour.
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(30);
    targets = all
}
criterion_main!(benches);
