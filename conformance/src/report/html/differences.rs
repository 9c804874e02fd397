//! Several results side by side: which checks came out differently, and which packet was the first to differ.

use super::diagram;
use super::standing::Index;
use crate::report::json::{Entry, Logged, Report, Way};
use crate::report::view::version;
use crate::rng::Rng;
use crate::verdict::Verdict;
use std::collections::BTreeSet;

/// A check that did not come out alike.
pub(super) struct Difference<'a> {
    pub(super) check: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: Kind,
    /// For each result, what the check came to; `None` where it was not run.
    pub(super) entries: Vec<Option<&'a Entry>>,
}

/// What a difference means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// Of two results, only the second violates.
    Broken,
    /// Of two results, only the first violates.
    Mended,
    /// Of several results, some violate.
    Apart,
    /// Something else.
    Other,
    /// The check was not in every run.
    Missing,
}

impl Kind {
    pub(super) const ALL: [Kind; 5] = [Kind::Broken, Kind::Mended, Kind::Apart, Kind::Other, Kind::Missing];

    pub(super) const fn heading(self) -> &'static str {
        match self {
            Kind::Broken => "Broken in the second result only",
            Kind::Mended => "Broken in the first result only",
            Kind::Apart => "Broken in some results",
            Kind::Other => "Other verdicts that differ",
            Kind::Missing => "Not run everywhere",
        }
    }
}

/// Every check that did not come out alike, in the order of the results.
pub(super) fn between<'a>(reports: &'a [Report], indices: &[Index<'a>]) -> Vec<Difference<'a>> {
    let mut seen = BTreeSet::new();
    let mut differences = Vec::new();
    for entry in reports.iter().flat_map(|report| &report.results) {
        let (check, version) = (entry.check.as_str(), entry.version.as_str());
        if !seen.insert((check, version)) {
            continue;
        }
        let entries: Vec<Option<&Entry>> = indices.iter().map(|index| index.entry(check, version)).collect();
        if let Some(kind) = kind(&entries) {
            differences.push(Difference { check, version, kind, entries });
        }
    }
    differences
}

fn kind(entries: &[Option<&Entry>]) -> Option<Kind> {
    let verdicts: Vec<Verdict> = entries.iter().flatten().map(|entry| entry.verdict).collect();
    if verdicts.len() < entries.len() {
        return Some(Kind::Missing);
    }
    if verdicts.iter().all(|verdict| *verdict == verdicts[0]) {
        return None;
    }
    let violates = |verdict: &Verdict| *verdict == Verdict::Violates;
    Some(match verdicts.as_slice() {
        [_, second] if violates(second) => Kind::Broken,
        [first, _] if violates(first) => Kind::Mended,
        all if all.iter().any(violates) => Kind::Apart,
        _ => Kind::Other,
    })
}

/// Where two exchanges part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parting {
    /// The client, and its connection from the second on.
    pub(super) client: String,
    /// What the one had there; `None` if nothing more.
    pub(super) one: Option<String>,
    /// What the other had there; `None` if nothing more.
    pub(super) other: Option<String>,
}

/// The first packet in which the exchanges of one check with two brokers differ, after each one's seed; `None` if none
/// does, or if a result has no log.
///
/// Packets of different connections may pass each other, so each connection is compared for itself; the one that
/// differs first in the one log is told. What a broker is free to choose is no difference: Packet Identifiers, and what
/// CONNACK announces.
pub(super) fn parting(one: (&Entry, u64), other: (&Entry, u64)) -> Option<Parting> {
    let (one_log, other_log) = (one.0.log.as_ref()?, other.0.log.as_ref()?);
    let mut connections: Vec<(&str, u32)> = Vec::new();
    for event in one_log.iter().chain(other_log) {
        let connection = (event.client.as_str(), event.connection);
        if !connections.contains(&connection) {
            connections.push(connection);
        }
    }
    // Tables have hundreds of connections, and their first difference tells little.
    if connections.len() > 16 {
        return None;
    }
    let mut first: Option<(usize, Parting)> = None;
    for (client, connection) in connections {
        let of = |log: &'_ [Logged]| -> Vec<usize> {
            let own = |event: &Logged| event.client == client && event.connection == connection;
            (0..log.len()).filter(|index| own(&log[*index])).collect()
        };
        let (mine, theirs) = (of(one_log), of(other_log));
        let same = |(a, b): (&usize, &usize)| {
            essence(&one_log[*a], one.0, one.1) == essence(&other_log[*b], other.0, other.1)
        };
        let alike = mine.iter().zip(&theirs).take_while(|pair| same(*pair)).count();
        let (a, b) = (mine.get(alike), theirs.get(alike));
        let Some(place) = a.or(b) else { continue };
        if first.as_ref().is_none_or(|(earliest, _)| place < earliest) {
            let at = a.map(|a| &one_log[*a]).or(b.map(|b| &other_log[*b]));
            let said = |log: &[Logged], at: Option<&usize>| at.map(|at| told(&log[*at]));
            first = Some((
                *place,
                Parting {
                    client: at.map_or(String::new(), diagram::name),
                    one: said(one_log, a),
                    other: said(other_log, b),
                },
            ));
        }
    }
    first.map(|(_, parting)| parting)
}

fn told(event: &Logged) -> String {
    match event.direction {
        Way::Sent => format!("→ {}", event.text),
        Way::Received => format!("← {}", event.text),
        Way::Note => format!("· {}", event.text),
    }
}

/// What has to be alike in two runs: the words without the names that the seed gave, without Packet Identifiers and
/// without what CONNACK announces.
fn essence(event: &Logged, entry: &Entry, seed: u64) -> (u8, String) {
    let tag = version(&entry.version)
        .map(|version| Rng::named(seed, &format!("{version} {}", entry.check)).word(8))
        .unwrap_or_default();
    let text = event.text.replace(&tag, "");
    let text = match text.split_once(" session_present=") {
        Some((start, rest)) if start.starts_with("CONNACK ") => {
            format!("{start} session_present={}", rest.split(' ').next().unwrap_or_default())
        }
        _ => text,
    };
    let words: Vec<&str> = text.split(' ').filter(|word| !is_packet_id(word)).collect();
    (event.direction as u8, words.join(" "))
}

fn is_packet_id(word: &str) -> bool {
    word.strip_prefix("id=")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(client: &str, direction: Way, text: &str) -> Logged {
        Logged {
            at_us: 0,
            client: client.into(),
            connection: 1,
            direction,
            text: text.into(),
            hex: String::new(),
            length: 0,
        }
    }

    fn entry(verdict: Verdict, log: &[Logged]) -> Entry {
        Entry::example("retained/is_replaced", verdict, log.to_vec())
    }

    #[test]
    fn names_identifiers_and_announcements_are_no_difference() {
        let tag = |seed| Rng::named(seed, "5.0 retained/is_replaced").word(8);
        let log = |seed: u64, announced: &str, id: u16, retain: u8| {
            let tag = tag(seed);
            entry(
                Verdict::Violates,
                &[
                    event("a", Way::Sent, &format!("CONNECT client_id={tag}a clean_start=1")),
                    event("a", Way::Received, &format!("CONNACK 0x00 session_present=0{announced}")),
                    event(
                        "b",
                        Way::Received,
                        &format!("PUBLISH {tag}/t \"on\" qos=1 id={id} retain={retain}"),
                    ),
                    event("a", Way::Sent, "PINGREQ"),
                ],
            )
        };
        let (one, same, other) =
            (log(7, " receive_maximum=20", 3, 1), log(8, "", 9, 1), log(7, " receive_maximum=20", 3, 0));
        assert_eq!(parting((&one, 7), (&same, 8)), None);
        let found = parting((&one, 7), (&other, 7)).expect("RETAIN differs");
        assert_eq!(found.client, "b");
        assert!(found.one.is_some_and(|text| text.ends_with("retain=1")));
        assert!(found.other.is_some_and(|text| text.ends_with("retain=0")));
    }

    #[test]
    fn a_packet_that_does_not_come_differs() {
        let one = entry(Verdict::Conforms, &[event("a", Way::Sent, "PINGREQ")]);
        let other = entry(
            Verdict::Conforms,
            &[event("a", Way::Sent, "PINGREQ"), event("a", Way::Received, "PINGRESP")],
        );
        let found = parting((&one, 7), (&other, 7)).expect("PINGRESP is missing");
        assert_eq!((found.one, found.other), (None, Some("← PINGRESP".to_owned())));
    }

    #[test]
    fn differences_are_told_by_what_they_mean() {
        let of = |verdict| entry(verdict, &[]);
        let (good, bad, soft) = (of(Verdict::Conforms), of(Verdict::Violates), of(Verdict::Deviates));
        for (expected, entries) in [
            (None, vec![Some(&bad), Some(&bad)]),
            (Some(Kind::Broken), vec![Some(&soft), Some(&bad)]),
            (Some(Kind::Mended), vec![Some(&bad), Some(&good)]),
            (Some(Kind::Apart), vec![Some(&good), Some(&bad), Some(&good)]),
            (Some(Kind::Other), vec![Some(&good), Some(&soft)]),
            (Some(Kind::Missing), vec![Some(&bad), None]),
        ] {
            assert_eq!(kind(&entries), expected);
        }
    }
}
