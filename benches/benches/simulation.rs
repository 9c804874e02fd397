//! The simulation under criterion: packets a second through model, codec and all rules, next to the event heap alone,
//! and to turmoil doing the same script.

use core::time::Duration;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mqtt_assay::simulation::{Carrier, Stage};
use mqtt_assay_benches::simulation::{bare_heap, busy_script, generated_scripts, play, play_and_judge};
use mqtt_assay_broker_model::rules;
use mqtt_assay_broker_model::workload::Workload;
use mqtt_assay_codec::Version;

fn simulation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulation");
    group.sample_size(10);
    for version in [Version::V3_1_1, Version::V5] {
        let script = busy_script(version);
        let history = play(&script);
        let packets = history.packets() as u64;
        group.throughput(Throughput::Elements(packets));
        group.bench_function(format!("{version}, busy: model and codec"), |b| b.iter(|| play(&script)));
        group.bench_function(format!("{version}, busy: all rules alone"), |b| {
            b.iter(|| rules::judge(&history, Workload::BOUNDS));
        });
        group
            .bench_function(format!("{version}, busy: all together"), |b| b.iter(|| play_and_judge(&script)));
        let stage = Stage { carrier: Carrier::Turmoil, ..Stage::default() };
        group.measurement_time(Duration::from_secs(20));
        group.bench_function(format!("{version}, busy: all together, on turmoil"), |b| {
            b.iter(|| {
                stage.run_script(script.clone(), Workload::BOUNDS).map(|outcome| outcome.verdicts.decided)
            });
        });
        group.measurement_time(Duration::from_secs(5));
    }
    let scripts = generated_scripts(200);
    let packets: usize = scripts.iter().map(|script| play(script).packets()).sum();
    group.throughput(Throughput::Elements(packets as u64));
    group.bench_function("generated: all together", |b| {
        b.iter(|| scripts.iter().map(play_and_judge).sum::<usize>());
    });
    group.throughput(Throughput::Elements(20_000));
    group.bench_function("event heap alone", |b| b.iter(|| bare_heap(20_000)));
    group.finish();
}

criterion_group!(benches, simulation);
criterion_main!(benches);
