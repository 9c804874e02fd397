//! The table at the end: sections down, verdicts across.

use super::Look;
use crate::report::json::Report;
use crate::report::{Counts, view};
use crate::verdict::Verdict;
use std::io::{self, Write};

/// Writes the table. The column *inconclusive* is there only if something is in it.
pub(super) fn write(out: &mut dyn Write, run: &Report, look: &Look) -> io::Result<()> {
    let (counts, sections) = (view::counts(run), view::sections(run));
    let verdicts: Vec<Verdict> =
        Verdict::ALL.into_iter().filter(|v| *v != Verdict::Inconclusive || counts.of(*v) > 0).collect();
    let rows: Vec<(String, &Counts)> = sections
        .iter()
        .map(|((section, heading), counts)| (format!("{section} {heading}"), counts))
        .collect();
    let label_width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0).max("total".len());

    write!(out, "{:label_width$}", "")?;
    for verdict in &verdicts {
        write!(out, "  {}", look.faint().apply_to(verdict.name()))?;
    }
    writeln!(out)?;
    for (label, counts) in &rows {
        row(out, label, label_width, counts, &verdicts, look)?;
    }
    if rows.len() > 1 {
        row(out, "total", label_width, &counts, &verdicts, look)?;
    }
    Ok(())
}

fn row(
    out: &mut dyn Write,
    label: &str,
    label_width: usize,
    counts: &Counts,
    verdicts: &[Verdict],
    look: &Look,
) -> io::Result<()> {
    write!(out, "{label:label_width$}")?;
    for verdict in verdicts {
        let number = counts.of(*verdict);
        let style = if number == 0 { look.faint() } else { look.of(*verdict) };
        let cell = format!("{number:>width$}", width = verdict.name().len());
        write!(out, "  {}", style.apply_to(cell))?;
    }
    writeln!(out)
}
