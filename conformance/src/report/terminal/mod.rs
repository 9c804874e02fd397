//! The result for people: each failure with its packets, a table by section, one sentence at the end.

mod baseline;
mod failure;
mod table;

use super::{Context, Exit, Summary, needs_showing, printable};
use crate::outcome::{CheckResult, Run};
use crate::statement::{CATALOGUE, document};
use crate::verdict::Verdict;
use console::Style;
use std::io::{self, Write};

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
    failure::write(out, result, None, replay, look)
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
pub fn write(out: &mut dyn Write, run: &Run, context: &Context, look: &Look) -> io::Result<()> {
    let judgement = context.judge(run);
    for (index, result) in run.results.iter().enumerate() {
        let placed = judgement.as_ref().and_then(|judgement| judgement.placed[index].as_ref());
        let skipped = matches!(result.verdict, Verdict::Unsupported | Verdict::NotTested);
        let known = placed.is_some_and(baseline::says_all);
        if needs_showing(result.verdict) && !known || look.verbose && !skipped {
            failure::write(out, result, placed, &context.replay(run, result), look)?;
            writeln!(out)?;
        }
    }
    write_skipped(out, run, look)?;
    if let Some(judgement) = &judgement {
        baseline::write_known(out, run, judgement, look)?;
    }
    let versions: Vec<_> = run.versions.iter().map(|v| v.as_str()).collect();
    writeln!(
        out,
        "{}   catalogue {CATALOGUE}   {}   {}   seed {}",
        look.bold().apply_to(printable(&run.target)),
        versions.join(" and "),
        time_of(run),
        run.seed
    )?;
    for remark in &run.remarks {
        writeln!(out, "{}", look.faint().apply_to(printable(remark)))?;
    }
    for version in &run.versions {
        if run.results.iter().any(|r| r.version == *version && needs_showing(r.verdict)) {
            writeln!(out, "the statements of {version} are in {}", document(*version))?;
        }
    }
    let cases: usize = run.results.iter().map(|result| result.cases).sum();
    if cases > 0 {
        writeln!(out, "{cases} cases of wrong packets judged, each on a connection of its own")?;
    }
    let summary = Summary::of(run);
    if !run.results.is_empty() {
        writeln!(out)?;
        table::write(out, &summary, look)?;
        writeln!(out)?;
    }
    if let (Some(gate), Some(judgement)) = (&context.gate, &judgement) {
        baseline::write_balance(out, &gate.file, judgement, look)?;
        writeln!(out)?;
    }
    write_last_line(out, run, context, look)
}

/// How long the run took, and how much of it no broker and no machine could have saved.
fn time_of(run: &Run) -> String {
    let took = format!("{:.1} s", run.elapsed.as_secs_f64());
    if run.timers.is_zero() {
        return took;
    }
    format!("{took}, of which timers of the specification force {:.1} s", run.timers.as_secs_f64())
}

/// Lists what was not judged, with the reason: a broker must not look good by what it was not asked.
fn write_skipped(out: &mut dyn Write, run: &Run, look: &Look) -> io::Result<()> {
    let skipped = |verdict| matches!(verdict, Verdict::Unsupported | Verdict::NotTested);
    let results: Vec<_> = run.results.iter().filter(|result| skipped(result.verdict)).collect();
    for result in &results {
        let reason = result.findings.first().map_or("", |finding| finding.observed.as_str());
        let line =
            format!("- {} ({}) {}: {}", result.check.name, result.version, result.verdict, printable(reason));
        writeln!(out, "{}", look.faint().apply_to(line))?;
    }
    if results.is_empty() { Ok(()) } else { writeln!(out) }
}

/// Writes the last line only: what the run came to, and the exit code.
///
/// # Errors
///
/// Those of the writer.
pub fn write_last_line(out: &mut dyn Write, run: &Run, context: &Context, look: &Look) -> io::Result<()> {
    let exit = context.exit(run);
    let style = match exit {
        Exit::Conforms => look.style().green().bold(),
        Exit::Violations => look.style().red().bold(),
        Exit::Trouble | Exit::Undecided => look.style().magenta().bold(),
    };
    writeln!(out, "{}  Exit {}.", style.apply_to(context.sentence(run)), exit.code())
}
