//! What the forms of a report read out of its content.

use super::json::{Baseline, Entry, Found, Place, Report};
use super::{Counts, needs_showing};
use crate::statement::{self, Section, Statement, heading};
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;

/// The version of this name.
pub(crate) fn version(name: &str) -> Option<Version> {
    [Version::V3_1, Version::V3_1_1, Version::V5].into_iter().find(|version| version.as_str() == name)
}

/// The statement that a report cites; `None` for one of another catalogue.
pub(crate) fn statement(cite: &str) -> Option<&'static Statement> {
    let (version_name, id) = cite.split_once('/')?;
    statement::find(version(version_name)?, id)
}

/// The statements that a result can accuse a broker of; see [`super::accusable`].
pub(crate) fn accusable(entry: &Entry) -> Vec<&str> {
    let all: Vec<&str> = entry.statements.iter().map(String::as_str).collect();
    let binds = |cite: &&str| statement(cite).is_some_and(|known| known.exempt().is_none());
    let binding: Vec<&str> = all.iter().copied().filter(binds).collect();
    if binding.is_empty() { all } else { binding }
}

/// The statements that the findings name in particular; if there are none, those that the check can accuse the
/// broker of.
pub(crate) fn cited(entry: &Entry) -> Vec<&str> {
    let mut named: Vec<&str> = entry.findings.iter().filter_map(named).collect();
    named.sort_unstable();
    named.dedup();
    if named.is_empty() { accusable(entry) } else { named }
}

/// The statement that a finding names in particular.
pub(crate) fn named(finding: &Found) -> Option<&str> {
    finding.statement.as_ref().filter(|_| finding.in_particular).map(|cited| cited.id.as_str())
}

/// The cited statements as one short text.
pub(crate) fn statements_of(entry: &Entry) -> String {
    match cited(entry).as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first, second] => format!("{first}, {second}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
    }
}

/// The section that a result is counted in: that of the first statement which its check cites in the version.
pub(crate) fn place(entry: &Entry) -> Option<(Section, &'static str)> {
    let first = entry.statements.iter().find_map(|cite| statement(cite))?;
    let group = first.section().group();
    Some((group, heading(first.version, group)))
}

/// By section, in the order of the documents; sections of the same number and heading count together.
pub(crate) fn sections(report: &Report) -> BTreeMap<(Section, &'static str), Counts> {
    let mut sections: BTreeMap<_, Counts> = BTreeMap::new();
    for entry in &report.results {
        if let Some(place) = place(entry) {
            sections.entry(place).or_default().add(entry.verdict);
        }
    }
    sections
}

/// How many results have each verdict.
pub(crate) fn counts(report: &Report) -> Counts {
    let mut counts = Counts::default();
    report.results.iter().for_each(|entry| counts.add(entry.verdict));
    counts
}

/// A number with what it counts.
pub(crate) fn number(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// What the broker is called, if that is known, and where it is.
pub(crate) fn address(run: &Report) -> String {
    match &run.broker {
        Some(broker) => format!("{broker}, {}", run.target),
        None => run.target.clone(),
    }
}

/// What the runs are called, each with a name of its own: as the broker's profile says; where that is the same, with the
/// address; where that is, too, with a number.
pub(crate) fn names(runs: &[Report]) -> Vec<String> {
    let title = |run: &Report| run.broker.as_ref().unwrap_or(&run.target).clone();
    let alike = |run: &Report, of: &dyn Fn(&Report) -> String, among: &[Report]| {
        among.iter().filter(|other| of(other) == of(run)).count()
    };
    let name = |(index, run): (usize, &Report)| {
        if alike(run, &title, runs) == 1 {
            title(run)
        } else if alike(run, &address, runs) == 1 {
            address(run)
        } else {
            format!("{} ({})", address(run), alike(run, &address, &runs[..=index]))
        }
    };
    runs.iter().enumerate().map(name).collect()
}

/// The run in one sentence: `2 statements broken, 3 recommendations not followed.` With a baseline it tells what is
/// new and how much is known.
pub(crate) fn sentence(report: &Report) -> String {
    let mut parts = parts(report);
    if let Some(baseline) = &report.baseline
        && baseline.statements_newly_broken.is_empty()
        && !parts.is_empty()
    {
        parts.insert(0, "No statement newly broken".to_owned());
    }
    let counts = counts(report);
    let mut sentence = if !parts.is_empty() {
        parts.join(", ")
    } else if report.results.is_empty() {
        "Nothing was checked".to_owned()
    } else if counts.of(Verdict::Conforms) + counts.of(Verdict::Choice) == 0 {
        "Nothing was shown: the broker lacks, or the run was not given, what the checks need".to_owned()
    } else {
        "No statement broken".to_owned()
    };
    sentence.push('.');
    let (done, planned) = (report.results.len(), report.planned);
    if report.interrupted {
        sentence.push_str(&match planned {
            // Of a run that left nothing but what it had, nobody knows how much it was to be.
            0 => format!(" The run was interrupted after {}.", number(done, "check", "checks")),
            _ => format!(" The run was interrupted after {done} of {planned} checks."),
        });
    } else if done < planned {
        sentence.push_str(&format!(
            " Only {done} of {planned} checks came to an end, which is a fault of this tool."
        ));
    }
    sentence
}

fn parts(report: &Report) -> Vec<String> {
    let left = |entry: &Entry| match (&report.baseline, &entry.baseline) {
        (Some(_), placing) => placing.as_ref().and_then(|placing| placing.left),
        (None, _) => Some(entry.verdict),
    };
    let undecided = report.results.iter().filter(|entry| left(entry) == Some(Verdict::Inconclusive)).count();
    let inconclusive = (undecided, "check inconclusive", "checks inconclusive");
    let totals = &report.summary;
    let parts = match &report.baseline {
        _ if report.results.is_empty() => Vec::new(),
        None => vec![
            (totals.statements_broken.len(), "statement broken", "statements broken"),
            (
                totals.recommendations_not_followed.len(),
                "recommendation not followed",
                "recommendations not followed",
            ),
            inconclusive,
        ],
        Some(baseline) => vec![
            (baseline.statements_newly_broken.len(), "statement newly broken", "statements newly broken"),
            (
                baseline.recommendations_newly_not_followed.len(),
                "recommendation newly not followed",
                "recommendations newly not followed",
            ),
            inconclusive,
            (baseline.known, "known failure", "known failures"),
            (baseline.stale.len(), "stale entry in the baseline", "stale entries in the baseline"),
        ],
    };
    parts.into_iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| number(n, one, many)).collect()
}

/// What a result is in forms that know no more than passed and failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It fails nothing.
    Passes,
    /// It fails the run.
    Fails,
    /// Nothing could be told.
    IsUndecided,
    /// It was not judged.
    IsSkipped,
    /// It fails as the baseline knows.
    IsKnown,
}

/// What becomes of a result. What an entry of the baseline knows does not weigh; what is left does.
pub(crate) fn fate(entry: &Entry, strict: bool) -> Fate {
    let placing = entry.baseline.as_ref();
    if placing.is_some_and(|placing| placing.standing == Place::Known && placing.left.is_none()) {
        return Fate::IsKnown;
    }
    match placing.and_then(|placing| placing.left).unwrap_or(entry.verdict) {
        Verdict::Violates => Fate::Fails,
        Verdict::Deviates if strict => Fate::Fails,
        Verdict::Inconclusive => Fate::IsUndecided,
        Verdict::Unsupported | Verdict::NotTested => Fate::IsSkipped,
        Verdict::Conforms | Verdict::Choice | Verdict::Deviates => Fate::Passes,
    }
}

/// The reasons for which a failure is known, in one line.
pub(crate) fn reasons(entry: &Entry) -> String {
    let entries = entry.baseline.iter().flat_map(|placing| &placing.entries);
    entries.map(|known| known.reason.as_str()).collect::<Vec<_>>().join("; ")
}

/// What a finding says, in one line.
pub(crate) fn message(finding: &Found) -> String {
    match finding.expected.as_str() {
        "" => finding.observed.clone(),
        expected => format!("expected {expected}; observed {}", finding.observed),
    }
}

/// What the weightiest finding says, in one line.
pub(crate) fn first_message(entry: &Entry) -> String {
    entry.findings.first().map(message).unwrap_or_default()
}

/// The results that have something to show: neither passed nor known through and through, worst first.
pub(crate) fn shown(report: &Report) -> Vec<&Entry> {
    let mut shown: Vec<&Entry> =
        report.results.iter().filter(|entry| needs_showing(entry.verdict) && !is_known(entry)).collect();
    shown.sort_by_key(|entry| std::cmp::Reverse(entry.verdict));
    shown
}

/// Whether entries of the baseline know everything that a result found.
pub(crate) fn is_known(entry: &Entry) -> bool {
    entry.baseline.as_ref().is_some_and(|placing| placing.standing == Place::Known && !placing.open)
}

/// The entries of a baseline that are out of date: those that nothing fits any more, then those that have expired.
pub(crate) fn outdated(baseline: &Baseline) -> impl Iterator<Item = (&'static str, String, &str)> {
    let named = |entry: &super::json::Outdated| match entry.line {
        0 => entry.entry.clone(),
        line => format!("line {line}, {}", entry.entry),
    };
    let stale = baseline.stale.iter().map(move |entry| ("stale", named(entry), entry.why.as_str()));
    stale.chain(baseline.expired.iter().map(move |entry| ("expired", named(entry), entry.why.as_str())))
}
