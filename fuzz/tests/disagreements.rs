//! Each class of disagreements with other codecs still exists, and there is none that nobody has decided.

use mqtt_assay_codec::{Decoder, Receiver, Version, generate, raw};
use mqtt_assay_fuzz::differential::{self, disagreements};
use mqtt_assay_fuzz::disagreements::CLASSES;
use proptest::prelude::*;

const RECEIVERS: [Receiver; 2] = [Receiver::Server, Receiver::Client];

#[test]
fn each_class_has_an_example_that_shows_it() {
    for class in CLASSES {
        let shown = class.versions.iter().any(|&version| {
            RECEIVERS.iter().any(|&receiver| {
                let found = disagreements(Decoder::new(version, receiver), class.example);
                found.iter().any(|found| found.peer == class.peer && found.decided == Some(class.reason))
            })
        });
        assert!(shown, "{:?}: {}", class.peer, class.reason);
    }
}

#[track_caller]
fn assert_decided(version: Version, receiver: Receiver, bytes: &[u8]) {
    for found in disagreements(Decoder::new(version, receiver), bytes) {
        assert!(found.decided.is_some(), "{found:?}\n{bytes:02x?}");
    }
}

#[test]
fn all_cases_of_raw_are_decided() {
    for version in [Version::V3_1_1, Version::V5] {
        for receiver in RECEIVERS {
            for case in raw::cases(version, receiver) {
                assert_decided(version, receiver, &case.bytes);
            }
        }
    }
}

/// Every input that was ever worth keeping, without libFuzzer.
#[test]
fn the_corpora_are_decided() {
    let mut count = 0;
    for target in ["decode", "differential", "round_trip", "split"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        for entry in std::fs::read_dir(folder).expect("a corpus for each target") {
            let path = entry.expect("a readable corpus").path();
            println!("{}", path.display());
            differential::check(&std::fs::read(path).expect("a readable input"));
            count += 1;
        }
    }
    assert!(count > 200, "{count} inputs");
}

fn packets_and_near_misses() -> impl Strategy<Value = (Version, Receiver, Vec<u8>)> {
    (generate::version(), generate::receiver()).prop_flat_map(|(version, receiver)| {
        let bytes = prop_oneof![generate::bytes(version, receiver), generate::near_miss(version, receiver)];
        (Just(version), Just(receiver), bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn packets_and_near_misses_are_decided((version, receiver, bytes) in packets_and_near_misses()) {
        assert_decided(version, receiver, &bytes);
    }
}
