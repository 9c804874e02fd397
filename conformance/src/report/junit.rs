//! The result as JUnit XML: a suite per version and section, a case per check.

use super::json::{Entry, Report};
use super::view::{self, Fate};
use super::{needs_showing, plain, printable};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// The report of one or several runs. Violations are failures, inconclusive results are errors, what was not tested
/// is skipped; deviations pass with their findings as output, unless the run is strict. With a baseline, what is known
/// is skipped with its reason, and entries that are out of date are cases of their own.
///
/// # Errors
///
/// The XML could not be written.
pub fn report(runs: &[Report]) -> Result<String, quick_junit::SerializeError> {
    let mut report = quick_junit::Report::new("mqtt-assay");
    report.set_time(runs.iter().map(|run| Duration::from_millis(run.elapsed_ms)).sum());
    for run in runs {
        let mut suites: BTreeMap<_, Vec<&Entry>> = BTreeMap::new();
        for entry in &run.results {
            let key = (view::version(&entry.version), entry.version.as_str(), view::place(entry));
            suites.entry(key).or_default().push(entry);
        }
        // Of several runs each suite says whose it is.
        let of = if runs.len() > 1 { format!("{}: ", printable(&run.target)) } else { String::new() };
        for ((_, version, place), entries) in suites {
            let name = match place {
                Some((section, heading)) => format!("{of}MQTT {version}, {section} {heading}"),
                None => format!("{of}MQTT {version}"),
            };
            let mut suite = TestSuite::new(name);
            suite.add_property(("target", run.target.as_str()));
            suite.add_property(("seed", run.seed.to_string().as_str()));
            suite.add_property(("catalogue", run.catalogue.as_str()));
            suite.set_time(entries.iter().map(|entry| Duration::from_millis(entry.elapsed_ms)).sum());
            suite.add_test_cases(entries.into_iter().map(|entry| case(entry, run.summary.strict)));
            report.add_test_suite(suite);
        }
        if run.baseline.is_some() {
            report.add_test_suite(outdated(run, format!("{of}baseline")));
        }
    }
    report.to_string()
}

/// The entries of the baseline that are out of date. Those that nothing fits any more fail the run; those whose last
/// day is over do so by what they no longer hide.
fn outdated(run: &Report, name: String) -> TestSuite {
    let mut suite = TestSuite::new(name);
    for (kind, entry, why) in run.baseline.iter().flat_map(view::outdated) {
        let mut status = match kind {
            "stale" => TestCaseStatus::non_success(NonSuccessKind::Failure),
            _ => TestCaseStatus::skipped(),
        };
        status.set_type(kind).set_message(why);
        let mut case = TestCase::new(printable(&entry), status);
        case.set_classname("baseline");
        suite.add_test_case(case);
    }
    suite
}

fn case(entry: &Entry, strict: bool) -> TestCase {
    let message = printable(&view::first_message(entry));
    let non_success = |kind: NonSuccessKind| {
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_type(entry.verdict.name())
            .set_message(message.clone())
            .set_description(plain::text(entry));
        status
    };
    let fate = view::fate(entry, strict);
    let status = match fate {
        Fate::IsKnown => {
            let mut status = TestCaseStatus::skipped();
            status
                .set_type("known")
                .set_message(printable(&view::reasons(entry)))
                .set_description(plain::text(entry));
            status
        }
        Fate::Fails => non_success(NonSuccessKind::Failure),
        Fate::IsUndecided => non_success(NonSuccessKind::Error),
        Fate::IsSkipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_type(entry.verdict.name()).set_message(message.clone());
            status
        }
        Fate::Passes => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(entry.check.as_str(), status);
    case.set_classname(format!("mqtt-{}", entry.version)).set_time(Duration::from_millis(entry.elapsed_ms));
    if let Some(placing) = &entry.baseline {
        case.add_property(("baseline", placing.standing.name()));
    }
    for cite in &entry.statements {
        case.add_property(("statement", cite.as_str()));
    }
    if fate == Fate::Passes {
        let mut output = entry.notes.iter().fold(String::new(), |mut all, note| {
            let _ = writeln!(all, "{}", printable(note));
            all
        });
        if needs_showing(entry.verdict) {
            output.push_str(&plain::text(entry));
        }
        if !output.is_empty() {
            case.set_system_out(output);
        }
    }
    case
}
