//! Each broker's folder keeps the contract that docs/lab.md tells.

use crate::places;
use mqtt_assay_lab::broker::{self, Broker};
use mqtt_assay_lab::review::{Judgement, Reviews};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

fn all() -> Vec<Broker> {
    let brokers = broker::all(&places()).unwrap_or_else(|why| panic!("{why}"));
    assert!(brokers.len() >= 10, "the lab has lost brokers: {}", brokers.len());
    brokers
}

/// The port of a loopback address such as `ws://127.0.0.1:21002/mqtt`.
fn port(address: &str) -> u16 {
    let (_, rest) = address.split_once("://127.0.0.1:").expect("brokers of the lab listen on 127.0.0.1");
    let digits = rest.split('/').next().expect("a port");
    digits.parse().expect("a fixed port")
}

#[test]
fn each_broker_has_ten_ports_of_its_own_and_each_transport_its_place_there() {
    let mut blocks = BTreeMap::new();
    for broker in all() {
        let ports: Vec<u16> = broker.listeners.iter().map(|listener| port(&listener.address)).collect();
        let block = ports.first().expect("a listener") / 10 * 10;
        assert!(block >= 21_000, "{}: {block}", broker.id);
        if let Some(other) = blocks.insert(block, broker.id.clone()) {
            panic!("{other} and {} share the ports from {block} on", broker.id);
        }
        for (listener, port) in broker.listeners.iter().zip(&ports) {
            let place = match (listener.profile.as_str(), listener.over.name()) {
                ("profile.toml", "tcp") => 0,
                ("profile.toml", "tls") => 1,
                ("profile.toml", "ws") => 2,
                ("profile.toml", "wss") => 3,
                // A second version's listener.
                (_, _) => 4,
            };
            assert_eq!(*port, block + place, "{} over {}", broker.id, listener.over.name());
        }
    }
}

#[test]
fn what_a_broker_is_said_to_offer_is_what_its_profiles_have() {
    for broker in all() {
        let offered: BTreeSet<&str> = broker.listeners.iter().map(|listener| listener.over.name()).collect();
        let said: BTreeSet<&str> = broker.about.transports.iter().map(String::as_str).collect();
        assert_eq!(offered, said, "{}", broker.id);
        for version in &broker.about.versions {
            assert!(["3.1", "3.1.1", "5.0"].contains(&version.as_str()), "{}: {version}", broker.id);
        }
        for address in [&broker.about.home, &broker.about.tracker] {
            assert!(address.starts_with("https://"), "{}: {address}", broker.id);
        }
        let names: BTreeSet<String> = broker.listeners.iter().map(|one| one.result(&broker)).collect();
        assert_eq!(names.len(), broker.listeners.len(), "{}: results of the same name", broker.id);
    }
}

#[test]
fn a_broker_that_is_run_has_scripts_and_one_that_is_not_says_why() {
    let root = places().root().to_path_buf();
    for broker in all() {
        for script in ["install.sh", "start.sh"] {
            let path = root.join(broker.file(script));
            let mode = std::fs::metadata(&path).map(|metadata| metadata.permissions().mode());
            match (&broker.about.not_run, mode) {
                (None, Ok(mode)) => assert_eq!(mode & 0o111, 0o111, "{} is not executable", path.display()),
                (None, Err(error)) => panic!("{}: {error}", path.display()),
                (Some(why), _) => assert!(why.len() > 10, "{}: why is it not run?", broker.id),
            }
        }
        let text = std::fs::read_to_string(root.join(broker.file("profile.toml"))).expect("a profile");
        assert!(text.contains(&broker.about.version), "{}: its profile is of another version", broker.id);
    }
}

#[test]
fn reviews_say_what_and_why_and_none_is_ours() {
    for broker in all() {
        let reviews = Reviews::read(&places(), &broker).unwrap_or_else(|why| panic!("{why}"));
        for review in &reviews.all {
            let what = format!("{}: {}", broker.id, review.statements.join(", "));
            assert!(!review.statements.is_empty() && !review.checks.is_empty(), "{what}");
            assert!(review.does.len() > 20 && review.because.len() > 20, "{what}: what, and why?");
            assert_ne!(review.judgement, Judgement::Ours, "{what}: mend the check");
        }
    }
}
