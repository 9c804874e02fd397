//! What the baseline says: the reasons of what is known, and which entries are out of date.

use super::Look;
use crate::baseline::Standing;
use crate::report::json::{Baseline, Place, Placing, Reason, Report};
use crate::report::{one_line, printable, view};
use crate::verdict::Verdict;
use std::io::{self, Write};

/// Why a failure may stand, or that it is new.
pub(super) fn write_reasons(out: &mut dyn Write, placing: &Placing, look: &Look) -> io::Result<()> {
    if placing.standing == Place::New {
        writeln!(out, "    baseline   {}", look.of(Verdict::Violates).apply_to("new"))?;
    }
    for entry in &placing.entries {
        let standing = if entry.flaky { Standing::Flaky } else { Standing::Known };
        writeln!(out, "    baseline   {}: {}", standing.name(), reason(entry))?;
    }
    Ok(())
}

/// A line for each failure that is known.
pub(super) fn write_known(out: &mut dyn Write, run: &Report, look: &Look) -> io::Result<()> {
    let mut any = false;
    for result in run.results.iter().filter(|result| view::is_known(result)) {
        let entries = result.baseline.iter().flat_map(|placing| &placing.entries);
        let reasons: Vec<String> = entries.map(reason).collect();
        let line = format!(
            "= {} ({}) {} {}, known: {}",
            printable(&result.check),
            printable(&result.version),
            result.verdict,
            printable(&view::statements_of(result)),
            reasons.join("; ")
        );
        writeln!(out, "{}", look.faint().apply_to(line))?;
        any = true;
    }
    if any { writeln!(out) } else { Ok(()) }
}

/// How many failures are known and new, and each entry that is out of date.
pub(super) fn write_balance(out: &mut dyn Write, baseline: &Baseline, look: &Look) -> io::Result<()> {
    let numbers =
        [(Standing::Known, baseline.known), (Standing::New, baseline.new), (Standing::Flaky, baseline.flaky)]
            .map(|(standing, number)| format!("{number} {}", standing.name()));
    writeln!(out, "baseline {}: {}", look.bold().apply_to(printable(&baseline.file)), numbers.join(", "))?;
    for (kind, entry, why) in view::outdated(baseline) {
        let (verdict, advice) = match kind {
            "stale" => (Verdict::Violates, "take it out, or use --accept"),
            _ => (Verdict::Deviates, "so it counts no more"),
        };
        let separator = if kind == "stale" { ";" } else { "," };
        let line = format!("{}: {}{separator} {advice}", printable(&entry), printable(why));
        writeln!(
            out,
            "  {}{:padding$}{line}",
            look.of(verdict).apply_to(kind),
            "",
            padding = 9 - kind.len()
        )?;
    }
    Ok(())
}

fn reason(entry: &Reason) -> String {
    let reason = printable(&one_line(&entry.reason));
    match &entry.link {
        Some(link) => format!("{reason} ({})", printable(link)),
        None => reason,
    }
}
