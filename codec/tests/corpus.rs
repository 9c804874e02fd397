//! The bodies of the fuzz targets over the committed corpora, so that each input that was ever worth keeping is
//! tried without libFuzzer too.

#[allow(unreachable_pub, reason = "the file is a public module of the fuzz package")]
#[path = "../../fuzz/src/bodies.rs"]
mod bodies;

use std::fs;
use std::path::Path;

/// Runs `body` over the corpora of these targets; they are each other's seeds.
fn run(body: fn(&[u8]), targets: &[&str]) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for target in targets {
        let mut count = 0;
        for entry in fs::read_dir(corpus.join(target)).expect("a corpus for each target") {
            let path = entry.expect("a readable corpus").path();
            println!("{}", path.display());
            body(&fs::read(path).expect("a readable input"));
            count += 1;
        }
        assert!(count > 0, "the corpus of {target} is empty");
    }
}

const STREAMS: &[&str] = &["decode", "round_trip", "split", "differential"];

#[test]
fn decode() {
    run(bodies::decode, STREAMS);
}

#[test]
fn round_trip() {
    run(bodies::round_trip, STREAMS);
}

#[test]
fn split() {
    run(bodies::split, STREAMS);
}

#[test]
fn topic_match() {
    run(bodies::topic_match, &["topic_match"]);
}
