//! The result as JUnit XML: a suite per version and section, a case per check.

use super::log::{self, Line};
use super::{Context, accusable, needs_showing, place, printable};
use crate::outcome::{CheckResult, Run};
use crate::statement;
use crate::verdict::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The report of a run. Violations are failures, inconclusive results are errors, what was not tested is
/// skipped; deviations pass with their findings as output, unless the run is strict.
///
/// # Errors
///
/// The XML could not be written.
pub fn report(run: &Run, context: &Context) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("mqtt-assay");
    report.set_time(run.elapsed);
    let mut suites: BTreeMap<_, Vec<&CheckResult>> = BTreeMap::new();
    for result in &run.results {
        suites.entry((result.version, place(result))).or_default().push(result);
    }
    for ((version, place), results) in suites {
        let name = match place {
            Some((section, heading)) => format!("MQTT {version}, {section} {heading}"),
            None => format!("MQTT {version}"),
        };
        let mut suite = TestSuite::new(name);
        suite.add_property(("target", run.target.as_str()));
        suite.add_property(("seed", run.seed.to_string().as_str()));
        suite.add_property(("catalogue", statement::CATALOGUE));
        suite.set_time(results.iter().map(|result| result.elapsed).sum());
        suite.add_test_cases(results.iter().map(|result| case(run, result, context)));
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn case(run: &Run, result: &CheckResult, context: &Context) -> TestCase {
    let weightiest = result.findings.first();
    let message = weightiest.map_or(String::new(), |finding| {
        if finding.expected.is_empty() {
            printable(&finding.observed)
        } else {
            printable(&format!("expected {}; observed {}", finding.expected, finding.observed))
        }
    });
    let non_success = |kind: NonSuccessKind| {
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_type(result.verdict.name())
            .set_message(message.clone())
            .set_description(text(run, result, context));
        status
    };
    let status = match result.verdict {
        Verdict::Violates => non_success(NonSuccessKind::Failure),
        Verdict::Deviates if context.strict => non_success(NonSuccessKind::Failure),
        Verdict::Inconclusive => non_success(NonSuccessKind::Error),
        Verdict::Unsupported | Verdict::NotTested => {
            let mut status = TestCaseStatus::skipped();
            status.set_type(result.verdict.name()).set_message(message.clone());
            status
        }
        Verdict::Conforms | Verdict::Choice | Verdict::Deviates => TestCaseStatus::success(),
    };
    let passed = matches!(status, TestCaseStatus::Success { .. });
    let mut case = TestCase::new(result.check.name, status);
    case.set_classname(format!("mqtt-{}", result.version)).set_time(result.elapsed);
    for cite in result.check.cites(result.version) {
        case.add_property(("statement", cite.to_string().as_str()));
    }
    if passed {
        let mut output = result.notes.iter().fold(String::new(), |mut all, note| {
            let _ = writeln!(all, "{}", printable(note));
            all
        });
        if needs_showing(result.verdict) {
            output.push_str(&text(run, result, context));
        }
        if !output.is_empty() {
            case.set_system_out(output);
        }
    }
    case
}

/// The findings, the packets and the command that repeats the check, as plain lines.
fn text(run: &Run, result: &CheckResult, context: &Context) -> String {
    let mut text = String::new();
    for finding in &result.findings {
        let _ = write!(text, "{}", finding.verdict);
        if let Some(cite) = finding.statement.or_else(|| accusable(result).first().copied()) {
            let _ = write!(text, " {cite}");
            if let Some(known) = statement::of(cite) {
                let _ = write!(text, ": {}", known.summary);
            }
        }
        if !finding.expected.is_empty() {
            let _ = write!(text, "\n  expected   {}", printable(&finding.expected));
        }
        let _ = writeln!(text, "\n  observed   {}", printable(&finding.observed));
    }
    text.push('\n');
    for line in log::lines(result, false) {
        let _ = match line {
            Line::Hidden(number) => writeln!(text, "  … {number} more …"),
            Line::Entry { entry, here } => writeln!(
                text,
                "{:8.3}  {}  {}  {}{}",
                entry.at.as_secs_f64(),
                log::client(entry),
                log::arrow(entry.direction),
                printable(&entry.text),
                if here { "   ← here" } else { "" }
            ),
        };
    }
    let _ = write!(text, "\nreplay   {}", context.replay(run, result));
    text
}
