//! The repository keeps its own order: checks cite statements that exist, are named once, are documented
//! alike, claim a proof, and stand in the file that their section leads to.

use mqtt_assay::check::Check;
use mqtt_assay::serve::Fault;
use mqtt_assay::statement::{self, Section, Statement};
use std::collections::BTreeSet;
use std::path::Path;

/// Collects what is wrong with every check, so that one run of the test names all.
fn no_check(is_wrong: impl Fn(&Check) -> Option<String>) {
    let wrong: Vec<_> = mqtt_assay::checks::all()
        .into_iter()
        .filter_map(|check| {
            is_wrong(check).map(|why| format!("{} ({}:{}): {why}", check.name, check.file, check.line))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn checks_cite_statements_that_exist() {
    no_check(|check| {
        let unknown: Vec<_> = check
            .covers
            .iter()
            .filter(|cite| statement::of(**cite).is_none())
            .map(ToString::to_string)
            .collect();
        (check.covers.is_empty() || !unknown.is_empty()).then(|| format!("cites {unknown:?}"))
    });
}

#[test]
fn checks_cite_each_statement_once() {
    no_check(|check| {
        let distinct: BTreeSet<_> = check.covers.iter().collect();
        (distinct.len() < check.covers.len()).then(|| "cites a statement twice".to_owned())
    });
}

/// A check may cite what is forbidden to clients, if it sends just that; what it accuses the broker of must be
/// a statement that binds the broker.
#[test]
fn checks_cite_a_statement_that_binds_the_broker_in_every_version() {
    no_check(|check| {
        let binds = |s: &Statement| s.exempt().is_none();
        let without = check.versions().find(|v| !check.cites(*v).filter_map(statement::of).any(binds));
        without.map(|version| format!("cites nothing in {version} that binds the broker"))
    });
}

#[test]
fn names_are_unique_and_well_formed() {
    let mut seen = BTreeSet::new();
    for check in mqtt_assay::checks::all() {
        assert!(seen.insert(check.name), "{} twice", check.name);
    }
    no_check(|check| {
        let word = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        let well_formed =
            matches!(check.name.split_once('/'), Some((area, rest)) if word(area) && word(rest));
        (!well_formed).then(|| "is not named area/what_must_hold".to_owned())
    });
}

#[test]
fn documentation_has_its_headings() {
    no_check(|check| {
        let missing: Vec<_> = ["Sends", "Demands", "Leaves"]
            .into_iter()
            .filter(|heading| {
                !check.doc.lines().any(|line| line.trim_start().starts_with(&format!("{heading}  ")))
            })
            .collect();
        let ends = check.summary().ends_with(['.', '?']);
        (!missing.is_empty() || !ends).then(|| format!("lacks {missing:?}, or its first sentence has no end"))
    });
}

#[test]
fn every_check_is_proved_by_mutants_that_exist() {
    no_check(|check| {
        let unknown: Vec<_> = check.proved.iter().filter(|name| Fault::from_name(name).is_none()).collect();
        (check.proved.is_empty() || !unknown.is_empty()).then(|| format!("proved by {unknown:?}"))
    });
}

/// `s3_3_retained.rs`, or a file in a folder `s3_3_publish`, holds checks of section 3.3.
#[test]
fn files_are_named_after_a_section_of_their_checks() {
    no_check(|check| {
        let sections: Vec<Section> = Path::new(check.file)
            .with_extension("")
            .iter()
            .filter_map(|part| section_of(part.to_str()?))
            .collect();
        let fits = check
            .covers
            .iter()
            .filter_map(|cite| statement::of(*cite))
            .flat_map(|s| s.sections.clone())
            .any(|own| sections.iter().any(|section| own.is_within(*section)));
        (!fits).then(|| "no statement that it cites is of its file's section".to_owned())
    });
}

/// The section that a file's or folder's name begins with: `s4_7_topics` is 4.7.
fn section_of(name: &str) -> Option<Section> {
    let digits: Vec<_> = name
        .strip_prefix('s')?
        .split('_')
        .take_while(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    Section::parse(&digits.join("."))
}
