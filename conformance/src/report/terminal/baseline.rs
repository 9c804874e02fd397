//! What the baseline says: the reasons of what is known, and which entries are out of date.

use super::Look;
use crate::baseline::{Entry, Judgement, Placed, Standing};
use crate::outcome::Run;
use crate::report::{one_line, printable, statements_of};
use crate::verdict::Verdict;
use std::io::{self, Write};

/// Whether entries know everything that a result found, so that one line is enough for it.
pub(super) fn says_all(placed: &Placed<'_>) -> bool {
    placed.standing == Standing::Known && !placed.open
}

/// Why a failure may stand, or that it is new.
pub(super) fn write_reasons(out: &mut dyn Write, placed: &Placed<'_>, look: &Look) -> io::Result<()> {
    if placed.standing == Standing::New {
        writeln!(out, "    baseline   {}", look.of(Verdict::Violates).apply_to("new"))?;
    }
    for entry in &placed.entries {
        let standing = if entry.flaky { Standing::Flaky } else { Standing::Known };
        writeln!(out, "    baseline   {}: {}", standing.name(), reason(entry))?;
    }
    Ok(())
}

/// A line for each failure that is known.
pub(super) fn write_known(
    out: &mut dyn Write,
    run: &Run,
    judgement: &Judgement<'_>,
    look: &Look,
) -> io::Result<()> {
    let mut any = false;
    for (result, placed) in run.results.iter().zip(&judgement.placed) {
        let Some(placed) = placed.as_ref().filter(|placed| says_all(placed)) else { continue };
        let reasons: Vec<String> = placed.entries.iter().map(|entry| reason(entry)).collect();
        let line = format!(
            "= {} ({}) {} {}, known: {}",
            result.check.name,
            result.version,
            result.verdict,
            statements_of(result),
            reasons.join("; ")
        );
        writeln!(out, "{}", look.faint().apply_to(line))?;
        any = true;
    }
    if any { writeln!(out) } else { Ok(()) }
}

/// How many failures are known and new, and each entry that is out of date.
pub(super) fn write_balance(
    out: &mut dyn Write,
    file: &str,
    judgement: &Judgement<'_>,
    look: &Look,
) -> io::Result<()> {
    let numbers = [Standing::Known, Standing::New, Standing::Flaky]
        .map(|standing| format!("{} {}", judgement.count(standing), standing.name()));
    writeln!(out, "baseline {}: {}", look.bold().apply_to(printable(file)), numbers.join(", "))?;
    for stale in &judgement.stale {
        let line = format!("{}: {}; take it out, or use --accept", place(stale.entry), stale.why);
        writeln!(out, "  {}    {line}", look.of(Verdict::Violates).apply_to("stale"))?;
    }
    for entry in &judgement.expired {
        let last = entry.expires.map_or_else(String::new, |date| date.to_string());
        let line = format!("{}: its last day was {last}, so it counts no more", place(entry));
        writeln!(out, "  {}  {line}", look.of(Verdict::Deviates).apply_to("expired"))?;
    }
    Ok(())
}

fn place(entry: &Entry) -> String {
    let named = printable(&entry.to_string());
    if entry.line == 0 { named } else { format!("line {}, {named}", entry.line) }
}

fn reason(entry: &Entry) -> String {
    let reason = printable(&one_line(&entry.reason));
    match &entry.link {
        Some(link) => format!("{reason} ({})", printable(link)),
        None => reason,
    }
}
