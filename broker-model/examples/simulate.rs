//! Plays generated scripts and prints what the rules accuse: `simulate [SEEDS] [PROFILE] [MUTANT]`.

use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::history::What;
use mqtt_assay_broker_model::simulate::Setup;
use mqtt_assay_broker_model::workload::{Profile, Workload};
use mqtt_assay_codec::{Decoder, Receiver, Version, describe};
use std::collections::BTreeMap;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |place: usize| arguments.get(place).map(String::as_str);
    let seeds: u64 = word(0).and_then(|word| word.parse().ok()).unwrap_or(1_000);
    let profile = word(1).and_then(Profile::from_name);
    let mutant = word(2).and_then(Mutant::from_name);
    let setup = Setup { workload: Workload { profile, version: None }, mutant, ..Setup::default() };
    let shown: Option<u64> = word(3).and_then(|word| word.parse().ok());
    if let Some(seed) = shown {
        return show(&setup, seed);
    }
    let mut shapes: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let (mut packets, mut decided) = (0, 0);
    for seed in 0..seeds {
        let outcome = setup.run(seed);
        packets += outcome.played.history.packets();
        decided += outcome.verdicts.decided;
        for (why, count) in &outcome.verdicts.unknown {
            *unknown.entry(format!("{}: {}", why.rule, why.why)).or_default() += count;
        }
        for accusation in &outcome.verdicts.accusations {
            let entry = shapes.entry(format!("{:?}", accusation.shape())).or_insert((0, seed));
            entry.0 += 1;
        }
    }
    println!("{seeds} scripts, {packets} packets, {decided} cases decided");
    for (why, count) in unknown {
        println!("  unknown {count:8} {why}");
    }
    for (shape, (count, seed)) in shapes {
        println!("  ACCUSED {count:8} {shape} first at seed {seed}");
    }
}

fn show(setup: &Setup, seed: u64) {
    let outcome = setup.run(seed);
    let history = &outcome.played.history;
    let mut versions: BTreeMap<(u16, u32), Version> = BTreeMap::new();
    for (index, event) in history.iter().enumerate() {
        let key = (event.client.0, event.connection);
        let text = match event.what {
            What::Attempted(version) => {
                versions.insert(key, version);
                format!("attempted {version}")
            }
            What::Wrote(_) | What::Read(_) => continue,
            What::Sent(bytes) => format!("->  {}", line(bytes, versions[&key], Receiver::Server)),
            What::Received(bytes) => format!("<-  {}", line(bytes, versions[&key], Receiver::Client)),
            other => format!("{other:?}"),
        };
        println!(
            "{index:5} {:9.4} {}#{} {text}",
            event.at.as_secs_f64(),
            history.name(event.client),
            event.connection
        );
    }
    for failure in &outcome.played.failures {
        println!("{failure:?}");
    }
    for accusation in &outcome.verdicts.accusations {
        println!("{accusation:#?}");
    }
}

fn line(bytes: &[u8], version: Version, receiver: Receiver) -> String {
    match Decoder::new(version, receiver).next(bytes) {
        Ok(Some((packet, _))) => describe::line(&packet, version),
        Ok(None) => "unfinished".to_owned(),
        Err(malformed) => format!("{malformed}: {}", describe::hex(bytes, 40)),
    }
}
