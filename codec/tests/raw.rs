//! Every case of `raw` is refused for the reason that it names, and every offence has a case.

use mqtt_assay_codec::raw::{self, Case};
use mqtt_assay_codec::{Decoder, Offence, Receiver, Version};
use std::collections::{BTreeMap, BTreeSet};

const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];
const RECEIVERS: [Receiver; 2] = [Receiver::Server, Receiver::Client];

fn all() -> Vec<Case> {
    let both = |version| RECEIVERS.into_iter().flat_map(move |receiver| raw::cases(version, receiver));
    VERSIONS.into_iter().flat_map(both).collect()
}

#[test]
fn each_case_breaks_the_rule_that_it_names() {
    let mut wrong = Vec::new();
    for case in all() {
        let found = Decoder::new(case.version, case.receiver).next(&case.bytes);
        match &found {
            Err(refused) if refused.offence == case.offence => {
                assert!((refused.offset as usize) <= case.bytes.len(), "{}", case.name);
            }
            _ => wrong.push(format!(
                "{} {:?} {}: {:02x?}\n    {found:?}",
                case.version, case.receiver, case.name, case.bytes
            )),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_the_cases_are_made_from_is_valid() {
    for version in VERSIONS {
        for receiver in RECEIVERS {
            for bytes in raw::valid(version, receiver) {
                let found = Decoder::new(version, receiver).next(&bytes);
                assert!(matches!(found, Ok(Some((_, length))) if length == bytes.len()), "{found:?}");
            }
        }
    }
}

#[test]
fn names_are_unique() {
    let mut seen = BTreeSet::new();
    for case in all() {
        assert!(seen.insert((case.version, case.receiver, case.name.clone())), "{}", case.name);
    }
}

/// In each version, every offence that the version knows has a case in some direction.
#[test]
fn each_offence_has_a_case() {
    let mut found = BTreeMap::<Offence, BTreeSet<Version>>::new();
    for case in all() {
        found.entry(case.offence).or_default().insert(case.version);
    }
    for &offence in Offence::ALL {
        // A size limit is the connection's: `too_large` makes that case.
        if offence == Offence::PacketTooLarge {
            continue;
        }
        for version in [Version::V3_1_1, Version::V5] {
            let has = found.get(&offence).is_some_and(|versions| versions.contains(&version));
            assert_eq!(has, offence.statement(version).is_some(), "{offence:?} in {version}");
        }
    }
}

#[test]
fn a_packet_too_large_is_so_by_one_byte_or_by_the_next_size_that_exists() {
    for version in VERSIONS {
        for limit in (0..300).chain(16_380..16_400) {
            let case = raw::too_large(version, Receiver::Server, limit).expect("a size that exists");
            let over = case.bytes.len() as u32 - limit;
            assert!(
                over == 1 || limit < 8 || (over == 2 && [129, 16_386].contains(&limit)),
                "{limit}: {over}"
            );
            let mut decoder = Decoder::new(version, Receiver::Server);
            assert!(decoder.next(&case.bytes).is_ok());
            decoder.max_packet_size = limit;
            assert_eq!(decoder.next(&case.bytes).unwrap_err().offence, Offence::PacketTooLarge);
        }
        assert_eq!(raw::too_large(version, Receiver::Server, u32::MAX), None);
    }
}

/// The number of cases is told in the documentation: it does not shrink unseen.
#[test]
fn there_are_as_many_cases_as_before() {
    let count = |version, receiver| raw::cases(version, receiver).len();
    let counts = VERSIONS.map(|version| RECEIVERS.map(|receiver| count(version, receiver)));
    assert_eq!(counts, [[409, 276], [551, 412], [2275, 2105]]);
}
