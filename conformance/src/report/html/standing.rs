//! How a broker stands to a statement, after all checks that cite it.

use crate::report::json;
use crate::report::view::statement;
use crate::statement::Statement;
use crate::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// How a broker stands to a statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Standing {
    /// Checks told it.
    Told(Verdict),
    /// Its checks found something else, and so did not come to it.
    Open,
    /// None of its checks was in the run.
    NotRun,
    /// No check can exist for it.
    NoCheck,
}

impl Standing {
    /// The word that stands for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Standing::Told(verdict) => verdict.name(),
            Standing::Open => "open",
            Standing::NotRun => "not run",
            Standing::NoCheck => "no check",
        }
    }

    /// The sign before the word.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Standing::Told(Verdict::Conforms) => "✓",
            Standing::Told(Verdict::Violates) => "✗",
            Standing::Told(Verdict::Deviates) => "!",
            Standing::Told(Verdict::Inconclusive) => "?",
            Standing::Told(Verdict::Choice) => "·",
            Standing::Told(Verdict::Unsupported | Verdict::NotTested) => "–",
            Standing::Open => "○",
            Standing::NotRun | Standing::NoCheck => " ",
        }
    }

    /// The word as names of classes and addresses have it.
    pub(super) fn class(self) -> String {
        self.word().replace(' ', "-")
    }
}

/// The results of one run, by what reports ask for.
pub(super) struct Index<'a> {
    by_statement: BTreeMap<&'a str, Vec<&'a json::Entry>>,
    by_check: BTreeMap<(&'a str, &'a str), &'a json::Entry>,
    broken: BTreeSet<&'a str>,
    not_followed: BTreeSet<&'a str>,
    kept: BTreeSet<&'a str>,
}

impl<'a> Index<'a> {
    pub(super) fn of(report: &'a json::Report) -> Self {
        let mut by_statement: BTreeMap<&str, Vec<&json::Entry>> = BTreeMap::new();
        let mut by_check = BTreeMap::new();
        for entry in &report.results {
            by_check.insert((entry.check.as_str(), entry.version.as_str()), entry);
            for id in &entry.statements {
                by_statement.entry(id).or_default().push(entry);
            }
        }
        let set = |ids: &'a [String]| ids.iter().map(String::as_str).collect();
        Index {
            by_statement,
            by_check,
            broken: set(&report.summary.statements_broken),
            not_followed: set(&report.summary.recommendations_not_followed),
            kept: set(&report.summary.statements_kept),
        }
    }

    /// The result of a check in a version.
    pub(super) fn entry(&self, check: &str, version: &str) -> Option<&'a json::Entry> {
        self.by_check.get(&(check, version)).copied()
    }

    /// The statements that some check cites.
    pub(super) fn cited(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.by_statement.keys().copied()
    }

    /// How the broker stands to a statement.
    pub(super) fn standing(&self, id: &str) -> Standing {
        if self.broken.contains(id) {
            return Standing::Told(Verdict::Violates);
        }
        if self.not_followed.contains(id) {
            return Standing::Told(Verdict::Deviates);
        }
        if statement(id).is_some_and(|known| known.exempt().is_some()) {
            return Standing::NoCheck;
        }
        if self.kept.contains(id) {
            return Standing::Told(Verdict::Conforms);
        }
        let Some(entries) = self.by_statement.get(id) else { return Standing::NotRun };
        let undecided = |verdict: &Verdict| match verdict {
            Verdict::Choice | Verdict::NotTested | Verdict::Unsupported | Verdict::Inconclusive => true,
            Verdict::Conforms | Verdict::Deviates | Verdict::Violates => false,
        };
        let weightiest = entries.iter().map(|entry| entry.verdict).filter(undecided).max();
        weightiest.map_or(Standing::Open, Standing::Told)
    }
}

/// Where a statement is to be read: the document and, where it has a number of its own, that number as the text to
/// show. A browser that does not know such addresses opens the document at its beginning.
pub(super) fn address(known: &Statement) -> String {
    if known.numbered {
        // A dash within the text would part the beginning of a range from its end.
        format!("{}#:~:text={}", known.link(), known.id.replace('-', "%2D"))
    } else {
        known.link().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::html::tests::result;

    #[test]
    fn a_statement_stands_as_its_checks_found() {
        let mut report = result("mutant");
        let of = |report: &json::Report, id: &str| Index::of(report).standing(id);
        assert_eq!(of(&report, "5.0/MQTT-3.3.1-9"), Standing::Told(Verdict::Violates));
        assert_eq!(of(&report, "5.0/MQTT-3.8.3-3"), Standing::Told(Verdict::Conforms));
        assert_eq!(of(&report, "5.0/MQTT-6.0.0-4"), Standing::Told(Verdict::NotTested));
        // It binds clients.
        assert_eq!(of(&report, "5.0/MQTT-2.2.1-3"), Standing::NoCheck);
        assert_eq!(of(&report, "5.0/MQTT-3.12.4-1"), Standing::NotRun);
        // A check that cites it found something, but not about it.
        report.summary.statements_broken.clear();
        assert_eq!(of(&report, "5.0/MQTT-3.3.1-9"), Standing::Open);
        // A breach weighs more than another check's good word.
        report.summary.statements_broken.push("5.0/MQTT-3.8.3-3".to_owned());
        assert_eq!(of(&report, "5.0/MQTT-3.8.3-3"), Standing::Told(Verdict::Violates));
    }

    #[test]
    fn an_address_leads_to_the_statement() {
        let known = statement("5.0/MQTT-3.3.1-9").expect("it is in the catalogue");
        let document = "https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html";
        assert_eq!(address(known), format!("{document}#:~:text=MQTT%2D3.3.1%2D9"));
        let ours = statement("5.0/U5-SHR-3").expect("it is in the catalogue");
        assert_eq!(address(ours), document);
    }
}
