//! Every statement that binds a broker and can be seen is checked, or there is a reason why not; the committed table
//! says the same as the catalogue.

use mqtt_assay::checks;
use mqtt_assay::statement::{self, Statement};
use mqtt_assay_codec::{Offence, Receiver, Version, raw};
use std::path::Path;

fn checked(statement: &Statement) -> bool {
    checks::all().iter().any(|check| check.covers.contains(&statement.cite()))
}

#[test]
fn every_statement_has_a_check_or_a_reason() {
    let open: Vec<_> = statement::all()
        .iter()
        .filter(|s| s.exempt().is_none() && !checked(s))
        .map(|s| s.cite().to_string())
        .collect();
    assert!(open.is_empty(), "neither check nor reason (conformance/data/reasons.tsv): {open:?}");
}

/// A reason that a check has overtaken would stay for ever.
#[test]
fn no_statement_has_a_check_and_a_reason() {
    let both: Vec<_> = statement::all()
        .iter()
        .filter(|s| s.reason.is_some() && checked(s))
        .map(|s| s.cite().to_string())
        .collect();
    assert!(both.is_empty(), "checked, and yet in conformance/data/reasons.tsv: {both:?}");
}

/// Every offence of the codec's table that a broker can be sent has its check in the versions that know it.
#[test]
fn every_wrong_packet_is_in_a_check_of_the_table() {
    let mut missing = Vec::new();
    for version in [Version::V3_1_1, Version::V5] {
        for case in raw::cases(version, Receiver::Server) {
            // In 5.0 only a Response Topic can be empty by this offence, and that is not called an error.
            if (version, case.offence) == (Version::V5, Offence::TopicNameEmpty) {
                continue;
            }
            let mut name = "table/".to_owned();
            for (place, letter) in format!("{:?}", case.offence).char_indices() {
                if letter.is_ascii_uppercase() && place > 0 {
                    name.push('_');
                }
                name.push(letter.to_ascii_lowercase());
            }
            let found = checks::all().into_iter().find(|check| check.name == name);
            if !found.is_some_and(|check| check.versions().any(|own| own == version)) {
                missing.push(format!("{version} {name}"));
            }
        }
    }
    missing.dedup();
    assert!(missing.is_empty(), "no check for {missing:?}");
}

#[test]
fn the_committed_table_is_what_the_command_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/coverage.md");
    let committed = std::fs::read_to_string(path).expect("docs/coverage.md is there");
    let printed = mqtt_assay::cli::coverage(&checks::all());
    assert!(
        committed == printed,
        "docs/coverage.md is not up to date: write it anew with `mqtt-assay list --coverage > docs/coverage.md`"
    );
}
