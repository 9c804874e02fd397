//! The result as JUnit XML: a suite per version and section, a case per check.

use super::log::{self, Line};
use super::{Context, accusable, needs_showing, place, printable};
use crate::baseline::{Entry, Judgement, Placed, Standing};
use crate::outcome::{CheckResult, Run};
use crate::statement;
use crate::verdict::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The report of a run. Violations are failures, inconclusive results are errors, what was not tested is
/// skipped; deviations pass with their findings as output, unless the run is strict. With a baseline, what is known
/// is skipped with its reason, and entries that are out of date are cases of their own.
///
/// # Errors
///
/// The XML could not be written.
pub fn report(run: &Run, context: &Context) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("mqtt-assay");
    report.set_time(run.elapsed);
    let judgement = context.judge(run);
    let mut suites: BTreeMap<_, Vec<(&CheckResult, Option<&Placed<'_>>)>> = BTreeMap::new();
    for (index, result) in run.results.iter().enumerate() {
        let placed = judgement.as_ref().and_then(|judgement| judgement.placed[index].as_ref());
        suites.entry((result.version, place(result))).or_default().push((result, placed));
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
        suite.set_time(results.iter().map(|(result, _)| result.elapsed).sum());
        suite.add_test_cases(results.iter().map(|(result, placed)| case(run, result, *placed, context)));
        report.add_test_suite(suite);
    }
    if let Some(judgement) = &judgement {
        report.add_test_suite(outdated(judgement));
    }
    report.to_string()
}

/// The entries of the baseline that are out of date. Those that nothing fits any more fail the run; those whose last
/// day is over do so by what they no longer hide.
fn outdated(judgement: &Judgement<'_>) -> TestSuite {
    let case = |entry: &Entry, status| {
        let mut case = TestCase::new(printable(&format!("line {}, {entry}", entry.line)), status);
        case.set_classname("baseline");
        case
    };
    let mut suite = TestSuite::new("baseline");
    for stale in &judgement.stale {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("stale").set_message(stale.why);
        suite.add_test_case(case(stale.entry, status));
    }
    for entry in &judgement.expired {
        let mut status = TestCaseStatus::skipped();
        status.set_type("expired").set_message("its last day is over");
        suite.add_test_case(case(entry, status));
    }
    suite
}

fn case(run: &Run, result: &CheckResult, placed: Option<&Placed<'_>>, context: &Context) -> TestCase {
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
    let known = placed.filter(|placed| placed.standing == Standing::Known && placed.left.is_none());
    // What an entry knows does not weigh; what is left does.
    let verdict = placed.and_then(|placed| placed.left).unwrap_or(result.verdict);
    let status = match verdict {
        _ if known.is_some() => {
            let reasons: Vec<&str> =
                known.iter().flat_map(|placed| &placed.entries).map(|entry| entry.reason.as_str()).collect();
            let mut status = TestCaseStatus::skipped();
            status
                .set_type("known")
                .set_message(printable(&reasons.join("; ")))
                .set_description(text(run, result, context));
            status
        }
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
    if let Some(placed) = placed {
        case.add_property(("baseline", placed.standing.name()));
    }
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
    for line in result.died.iter().flat_map(|death| &death.output) {
        let _ = writeln!(text, "  it said    {}", printable(line));
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
