//! Writes the seed corpora: `cargo test --test seeds -- --ignored`.

use mqtt_assay_broker_model::{Broker, Policy, direct};
use mqtt_assay_codec::{Receiver, Version, raw};
use mqtt_assay_fuzz::disagreements::CLASSES;
use mqtt_assay_fuzz_engine::campaign::{Campaign, Plan};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The byte that chooses a decoder: see `bodies::open`.
fn choice(version: Version, receiver: Receiver) -> u8 {
    let version = match version {
        Version::V5 => 0,
        Version::V3_1_1 => 1,
        Version::V3_1 => 2,
    };
    let receiver = match receiver {
        Receiver::Server => 0,
        Receiver::Client => 3,
    };
    version + receiver
}

fn word(version: Version, receiver: Receiver) -> String {
    let to = if receiver == Receiver::Server { "server" } else { "client" };
    format!("{}-{to}", version.as_str().replace('.', ""))
}

fn write(target: &str, name: &str, pieces: &[&[u8]]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder for the corpus");
    fs::write(folder.join(name), pieces.concat()).expect("a seed");
}

/// The vectors that are accepted: `(version, receiver, bytes, description)`, short ones only.
fn accepted() -> Vec<(Version, Receiver, Vec<u8>)> {
    let mut packets = Vec::new();
    for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
        for receiver in [Receiver::Server, Receiver::Client] {
            packets.extend(raw::valid(version, receiver).into_iter().map(|bytes| (version, receiver, bytes)));
        }
    }
    packets
}

#[test]
#[ignore = "writes files"]
fn write_seeds() {
    let mut streams = Vec::new();
    for (version, receiver, bytes) in accepted() {
        let name = format!("valid-{}-{:02x}", word(version, receiver), bytes[0]);
        write("decode", &name, &[&[choice(version, receiver)], &bytes]);
        match streams.last_mut() {
            Some((v, r, stream)) if (*v, *r) == (version, receiver) => Vec::extend(stream, bytes),
            _ => streams.push((version, receiver, bytes)),
        }
    }
    for (version, receiver, stream) in streams {
        let choice = choice(version, receiver);
        write("round_trip", &word(version, receiver), &[&[choice], &stream]);
        for chunks in 0..3 {
            write("split", &format!("{}-{chunks}", word(version, receiver)), &[&[choice, chunks], &stream]);
        }
    }
    let mut seen = BTreeSet::new();
    for version in [Version::V5, Version::V3_1_1] {
        for receiver in [Receiver::Server, Receiver::Client] {
            for case in raw::cases(version, receiver) {
                if seen.insert(case.offence) {
                    let name = format!("{:?}", case.offence);
                    write("decode", &name, &[&[choice(version, receiver)], &case.bytes]);
                }
            }
        }
    }
    for (index, class) in CLASSES.iter().enumerate() {
        let version = class.versions[0];
        for receiver in [Receiver::Server, Receiver::Client] {
            let name = format!("class-{index:02}-{}", word(version, receiver));
            write("differential", &name, &[&[choice(version, receiver)], class.example]);
        }
    }
    broker_seeds();
    for (index, (filter, name)) in TOPICS.iter().enumerate() {
        write("topic_match", &format!("topic-{index:02}"), &[filter.as_bytes(), b"\n", name.as_bytes()]);
    }
}

/// Of the targets that run the broker: packets, valid and broken ones, to each of its clients; and the smallest cases
/// of a campaign, as text and as the seeds that lead to cases.
fn broker_seeds() {
    let lines = [(0, Version::V5), (1, Version::V3_1_1), (2, Version::V3_1)];
    for (place, version) in lines {
        let mut stream = Vec::new();
        for bytes in raw::valid(version, Receiver::Server).iter().filter(|bytes| bytes.len() < 63) {
            let choice = place + 4 * bytes.len() as u8;
            // On the connection that is there, and as the first packet of one.
            let piece = [&[choice], &bytes[..], &[choice | 3], bytes].concat();
            write(
                "broker_bytes",
                &format!("valid-{}-{:02x}", word(version, Receiver::Server), bytes[0]),
                &[&piece],
            );
            stream.extend(piece);
        }
        write(
            "broker_bytes",
            &format!("valid-{}", word(version, Receiver::Server)),
            &[&stream, &[255, place, 255]],
        );
        let mut seen = BTreeSet::new();
        for case in raw::cases(version, Receiver::Server) {
            if case.bytes.len() < 63 && seen.insert(case.offence) && seen.len() % 4 == 0 {
                let name = format!("{:?}-{}", case.offence, word(version, Receiver::Server));
                write("broker_bytes", &name, &[&[place + 4 * case.bytes.len() as u8], &case.bytes]);
            }
        }
    }
    let mut campaign = Campaign::new(Plan::default(), 1);
    for _ in 0..400 {
        let case = campaign.next_case();
        let played = direct::play(case.script().clone(), Broker::new(Policy::default(), 1));
        campaign.observe(&case, &played.history);
    }
    for case in campaign.corpus().cases().into_iter().take(40) {
        write("broker_script", &case.name(), &[case.text().as_bytes()]);
    }
    for seed in 0..40u8 {
        let bytes: Vec<u8> = (0..8 + 5 * (seed % 6)).map(|place| place.wrapping_mul(37) ^ seed).collect();
        write("broker_script", &format!("seed-{seed:02}"), &[&bytes]);
    }
}

const TOPICS: &[(&str, &str)] = &[
    ("sport/tennis/player1/#", "sport/tennis/player1"),
    ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
    ("sport/#", "sport"),
    ("sport/+", "sport"),
    ("sport/+", "sport/"),
    ("+/+", "/finance"),
    ("/+", "/finance"),
    ("+", "/finance"),
    ("+/tennis/#", "a/tennis/b"),
    ("#", "$SYS/monitor/Clients"),
    ("+/monitor/Clients", "$SYS/monitor/Clients"),
    ("$SYS/#", "$SYS/monitor"),
    ("a//b", "a//b"),
    ("a/#/b", "a/b"),
    ("a#", "a"),
    ("+a", "a"),
    ("$share/g/a/+", "a/b"),
    ("$share//a", "a"),
    ("$share/g/", "a"),
    ("$share/+/a", "a"),
    ("", ""),
    ("é/+", "é/x"),
];
