//! What is published is true today: the results are of this catalogue, each accusation is reviewed, the pages are what
//! the command writes.

use crate::places;
use mqtt_assay::statement::CATALOGUE;
use mqtt_assay_lab::broker::{self, Broker};
use mqtt_assay_lab::results;
use mqtt_assay_lab::review::Reviews;
use std::collections::BTreeSet;

/// The brokers whose results are published, with the names that their results must have.
fn brokers() -> Vec<(Broker, Vec<String>)> {
    let all = broker::all(&places()).unwrap_or_else(|why| panic!("{why}"));
    let run = all
        .into_iter()
        .filter(|broker| broker.about.not_run.is_none() && broker.about.not_published.is_none());
    run.map(|broker| {
        let names = broker.listeners.iter().map(|listener| listener.result(&broker)).collect();
        (broker, names)
    })
    .collect()
}

#[test]
fn the_results_are_whole_and_of_todays_catalogue() {
    let published = results::published(&places().published()).unwrap_or_else(|why| panic!("{why}"));
    let known: BTreeSet<&str> = mqtt_assay::checks::all().iter().map(|check| check.name).collect();
    let again = |broker: &Broker| format!("run `mqtt-assay-lab check {} --publish`", broker.id);
    let mut expected = BTreeSet::new();
    for (broker, names) in brokers() {
        for name in names {
            let report =
                published.get(&name).unwrap_or_else(|| panic!("there is no {name}: {}", again(&broker)));
            assert_eq!(report.catalogue, CATALOGUE, "{name} is of another catalogue: {}", again(&broker));
            assert!(!report.interrupted && report.results.len() == report.planned, "{name} is not whole");
            for entry in &report.results {
                let check = entry.check.as_str();
                assert!(known.contains(check), "{name} has {check}, which is no more: {}", again(&broker));
            }
            expected.insert(name);
        }
    }
    let found: BTreeSet<String> = published.into_keys().collect();
    let orphans: Vec<_> = found.difference(&expected).collect();
    assert!(orphans.is_empty(), "results of no broker: {orphans:?}");
}

#[test]
fn every_accusation_has_a_review_and_every_review_an_accusation() {
    let published = results::published(&places().published()).unwrap_or_else(|why| panic!("{why}"));
    let mut accusations = 0;
    for (broker, names) in brokers() {
        let reviews = Reviews::read(&places(), &broker).unwrap_or_else(|why| panic!("{why}"));
        let own = || names.iter().filter_map(|name| published.get(name));
        accusations += own().flat_map(results::accusations).count();
        let lacking: Vec<_> = reviews.lacking(own()).into_keys().collect();
        let how = format!("`mqtt-assay-lab reviews {}` shows the packets", broker.id);
        assert!(lacking.is_empty(), "{}: not reviewed: {lacking:?}; {how}", broker.id);
        let idle = reviews.idle(own());
        assert!(idle.is_empty(), "{}: reviewed and not violated: {idle:?}", broker.id);
    }
    assert!(accusations > 100, "so few accusations were never seen: {accusations}");
}

/// A pass is looked at where it is least likely; what is not a pass any more is no such thing.
#[test]
fn ten_likely_breaches_were_looked_for() {
    let published = results::published(&places().published()).unwrap_or_else(|why| panic!("{why}"));
    for (broker, names) in brokers() {
        let reviews = Reviews::read(&places(), &broker).unwrap_or_else(|why| panic!("{why}"));
        let own: Vec<_> = names.iter().filter_map(|name| published.get(name)).collect();
        for pass in &reviews.passes {
            let wrong = pass.not_so(&own);
            assert!(wrong.is_empty(), "{}: {:?} is not kept by {wrong:?}", broker.id, pass.statements);
        }
        let statements: BTreeSet<_> = reviews.passes.iter().flat_map(|pass| &pass.statements).collect();
        assert!(statements.len() >= 10, "{}: {} statements looked at", broker.id, statements.len());
    }
}

/// The packets that prove an accusation are published with it, at least over one transport.
#[test]
fn every_accusation_is_shown_by_its_packets() {
    let published = results::published(&places().published()).unwrap_or_else(|why| panic!("{why}"));
    for (broker, names) in brokers() {
        let own = || names.iter().filter_map(|name| published.get(name)).flat_map(results::accusations);
        let shown: BTreeSet<(&str, &str)> = own()
            .filter(|accusation| accusation.entry.log.as_ref().is_some_and(|log| !log.is_empty()))
            .map(|accusation| (accusation.entry.check.as_str(), accusation.entry.version.as_str()))
            .collect();
        for accusation in own() {
            let key = (accusation.entry.check.as_str(), accusation.entry.version.as_str());
            assert!(shown.contains(&key), "{}: {key:?} has no packets", broker.id);
        }
    }
}

#[test]
fn the_pages_are_what_the_command_writes() {
    for (path, text) in mqtt_assay_lab::cli::pages(&places()).unwrap_or_else(|why| panic!("{why}")) {
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let same = kept == text;
        assert!(same, "{} is out of date: run `mqtt-assay-lab matrix`", path.display());
    }
}
