//! The result for people: each failure with its packets, a table by section, one sentence at the end.

mod baseline;
mod failure;
mod table;

use super::json::{self, Entry, Report};
use super::{needs_showing, printable, view};
use crate::outcome::CheckResult;
use crate::statement::document;
use crate::verdict::Verdict;
use console::Style;
use std::io::{self, Write};
use std::time::Duration;

/// Writes one result with its packets, and what repeats it.
///
/// # Errors
///
/// Those of the writer.
pub(crate) fn write_result(
    out: &mut dyn Write,
    result: &CheckResult,
    replay: &str,
    look: &Look,
) -> io::Result<()> {
    let entry = json::entry(result, true);
    failure::write(out, &Entry { replay: Some(replay.to_owned()), ..entry }, look)
}

/// How the result is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether to use colours.
    pub colours: bool,
    /// The columns of the terminal; `None` where lines may be as long as they like.
    pub columns: Option<usize>,
    /// Whether to show every result's notes and packets with all bytes.
    pub verbose: bool,
}

impl Look {
    fn style(&self) -> Style {
        Style::new().force_styling(self.colours)
    }

    fn bold(&self) -> Style {
        self.style().bold()
    }

    fn faint(&self) -> Style {
        self.style().dim()
    }

    fn of(&self, verdict: Verdict) -> Style {
        let style = self.style();
        match verdict {
            Verdict::Conforms => style.green(),
            Verdict::Violates => style.red().bold(),
            Verdict::Deviates => style.yellow(),
            Verdict::Inconclusive => style.magenta().bold(),
            Verdict::Choice => style.cyan(),
            Verdict::Unsupported | Verdict::NotTested => style.dim(),
        }
    }
}

/// Writes a whole run.
///
/// # Errors
///
/// Those of the writer.
pub fn write(out: &mut dyn Write, run: &Report, look: &Look) -> io::Result<()> {
    for entry in &run.results {
        let skipped = matches!(entry.verdict, Verdict::Unsupported | Verdict::NotTested);
        if needs_showing(entry.verdict) && !view::is_known(entry) || look.verbose && !skipped {
            failure::write(out, entry, look)?;
            writeln!(out)?;
        }
    }
    write_skipped(out, run, look)?;
    baseline::write_known(out, run, look)?;
    writeln!(
        out,
        "{}   catalogue {}   {}   {}   seed {}",
        look.bold().apply_to(printable(&view::address(run))),
        printable(&run.catalogue),
        printable(&run.versions.join(" and ")),
        time_of(run),
        run.seed
    )?;
    for remark in &run.remarks {
        writeln!(out, "{}", look.faint().apply_to(printable(remark)))?;
    }
    for version in run.versions.iter().filter_map(|name| view::version(name)) {
        if run.results.iter().any(|entry| entry.version == version.as_str() && needs_showing(entry.verdict)) {
            writeln!(out, "the statements of {version} are in {}", document(version))?;
        }
    }
    let cases: usize = run.results.iter().filter_map(|entry| entry.cases).sum();
    if cases > 0 {
        writeln!(out, "{cases} cases of wrong packets judged, each on a connection of its own")?;
    }
    if !run.results.is_empty() {
        writeln!(out)?;
        table::write(out, run, look)?;
        writeln!(out)?;
    }
    if let Some(baseline) = &run.baseline {
        baseline::write_balance(out, baseline, look)?;
        writeln!(out)?;
    }
    write_last_line(out, run, look)
}

/// How long the run took, and how much of it no broker and no machine could have saved.
fn time_of(run: &Report) -> String {
    let seconds = |milliseconds| Duration::from_millis(milliseconds).as_secs_f64();
    let took = format!("{:.1} s", seconds(run.elapsed_ms));
    if run.timers_ms == 0 {
        return took;
    }
    format!("{took}, of which timers of the specification force {:.1} s", seconds(run.timers_ms))
}

/// Lists what was not judged, with the reason: a broker must not look good by what it was not asked.
fn write_skipped(out: &mut dyn Write, run: &Report, look: &Look) -> io::Result<()> {
    let skipped = |verdict| matches!(verdict, Verdict::Unsupported | Verdict::NotTested);
    let results: Vec<_> = run.results.iter().filter(|result| skipped(result.verdict)).collect();
    for result in &results {
        let reason = result.findings.first().map_or("", |finding| finding.observed.as_str());
        let line =
            printable(&format!("- {} ({}) {}: {reason}", result.check, result.version, result.verdict));
        writeln!(out, "{}", look.faint().apply_to(line))?;
    }
    if results.is_empty() { Ok(()) } else { writeln!(out) }
}

/// Writes the last line only: what the run came to, and the exit code.
///
/// # Errors
///
/// Those of the writer.
pub fn write_last_line(out: &mut dyn Write, run: &Report, look: &Look) -> io::Result<()> {
    let exit = run.summary.exit;
    let style = match exit {
        0 => look.style().green().bold(),
        1 => look.style().red().bold(),
        _ => look.style().magenta().bold(),
    };
    writeln!(out, "{}  Exit {exit}.", style.apply_to(view::sentence(run)))
}
