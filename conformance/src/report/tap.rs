//! The result in the Test Anything Protocol, version 14: a line per check, with what was found as YAML below it.

use super::json::{Entry, Report};
use super::view::{self, Fate};
use super::{needs_showing, one_line, plain, printable};
use serde_json::Value;
use std::fmt::Write as _;

/// The report of one or several runs. Inconclusive results are no passes; what is known by the baseline is still to
/// do.
pub fn report(runs: &[Report]) -> String {
    let several = runs.len() > 1;
    let mut points = 0;
    let mut body = String::new();
    for run in runs {
        let of = if several { format!("{}: ", printable(&run.target)) } else { String::new() };
        let _ = writeln!(
            body,
            "# {}, catalogue {}, seed {}: {}",
            printable(&one_line(&run.target)),
            printable(&run.catalogue),
            run.seed,
            view::sentence(run)
        );
        for entry in &run.results {
            points += 1;
            point(&mut body, points, &of, entry, run.summary.strict);
        }
        for (kind, entry, why) in run.baseline.iter().flat_map(view::outdated) {
            points += 1;
            let ok = if kind == "stale" { "not ok" } else { "ok" };
            let _ = writeln!(
                body,
                "{ok} {points} - {}",
                escaped(&format!("{of}baseline, {kind}: {entry}: {why}"))
            );
        }
        if run.interrupted {
            let _ = writeln!(body, "Bail out! {}", escaped(&view::sentence(run)));
            // Nothing may follow it.
            break;
        }
    }
    format!("TAP version 14\n1..{points}\n{body}")
}

fn point(out: &mut String, number: usize, of: &str, entry: &Entry, strict: bool) {
    let fate = view::fate(entry, strict);
    let ok = match fate {
        Fate::Passes | Fate::IsSkipped => "ok",
        Fate::Fails | Fate::IsUndecided | Fate::IsKnown => "not ok",
    };
    let directive = match fate {
        Fate::IsSkipped => format!(" # SKIP {}: {}", entry.verdict, escaped(&view::first_message(entry))),
        Fate::IsKnown => format!(" # TODO known: {}", escaped(&view::reasons(entry))),
        Fate::Passes | Fate::Fails | Fate::IsUndecided => String::new(),
    };
    let name = escaped(&format!("{of}{} (MQTT {})", entry.check, entry.version));
    let _ = writeln!(out, "{ok} {number} - {name}{}", directive.trim_end());
    if !needs_showing(entry.verdict) {
        return;
    }
    out.push_str("  ---\n");
    // JSON's way to write a text is one of YAML's, too.
    let mut line = |key: &str, value: Value| {
        let _ = writeln!(out, "  {key}: {value}");
    };
    line("verdict", entry.verdict.name().into());
    if let Some(finding) = entry.findings.first() {
        if !finding.expected.is_empty() {
            line("expected", printable(&finding.expected).into());
        }
        line("observed", printable(&finding.observed).into());
    }
    line("duration_ms", entry.elapsed_ms.into());
    if let Some(replay) = &entry.replay {
        line("replay", printable(replay).into());
    }
    out.push_str("  statements:\n");
    for cite in view::cited(entry) {
        let _ = writeln!(out, "    - {}", Value::from(cite));
    }
    out.push_str("  details: |\n");
    for detail in plain::text(entry).lines() {
        let _ = writeln!(out, "    {detail}");
    }
    out.push_str("  ...\n");
}

/// A text as descriptions may have it: on one line, without what begins a directive.
fn escaped(text: &str) -> String {
    printable(&one_line(text)).replace('\\', "\\\\").replace('#', "\\#")
}
