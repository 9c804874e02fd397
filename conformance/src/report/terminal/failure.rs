//! One result with its proof: what was expected, what was seen, and the packets.

use super::Look;
use crate::outcome::{CheckResult, Direction, Finding, LogEntry, Run};
use crate::report::{Context, hex, needs_showing, one_line, printable, statements_of};
use crate::statement;
use crate::verdict::Verdict;
use std::io::{self, Write};

/// Longer logs are shown with their beginning, their end, and what lies around the marked entries.
const LONGEST_LOG: usize = 40;
/// How many entries of a long log's beginning and end are shown.
const ENDS: usize = 10;
/// How many entries before and after a marked one are shown.
const AROUND: usize = 6;
/// How many bytes of a marked packet are shown, if not all are asked for.
const SHOWN_BYTES: usize = 96;
/// How many bytes stand in one line.
const BYTES_IN_LINE: usize = 24;

/// Writes one result.
pub(super) fn write(
    out: &mut dyn Write,
    run: &Run,
    result: &CheckResult,
    context: &Context,
    look: &Look,
) -> io::Result<()> {
    let style = look.of(result.verdict);
    writeln!(
        out,
        "{} {}   {}   {}",
        style.apply_to(mark(result.verdict)),
        look.bold().apply_to(result.check.name),
        statements_of(result),
        style.apply_to(result.verdict.name())
    )?;
    paragraph(out, "", &one_line(result.check.summary()), look)?;
    for finding in &result.findings {
        write_finding(out, finding, look)?;
    }
    for note in &result.notes {
        if look.verbose {
            paragraph(out, "note       ", note, look)?;
        }
    }
    if needs_showing(result.verdict) || look.verbose {
        writeln!(out)?;
        write_log(out, result, look)?;
        writeln!(out)?;
        // Never wrapped: it is there to be copied.
        writeln!(out, "    replay     {}", printable(&context.replay(run, result)))?;
    }
    Ok(())
}

const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Conforms => "✓",
        Verdict::Violates => "✗",
        Verdict::Deviates => "!",
        Verdict::Inconclusive => "?",
        Verdict::Choice => "·",
        Verdict::Unsupported | Verdict::NotTested => "-",
    }
}

fn write_finding(out: &mut dyn Write, finding: &Finding, look: &Look) -> io::Result<()> {
    if let Some(known) = finding.statement.and_then(statement::of) {
        let text = format!(
            "{}, §{} {}, {}: {}",
            known.cite(),
            known.section(),
            known.title,
            known.level,
            known.summary
        );
        paragraph(out, "statement  ", &text, look)?;
    }
    if !finding.expected.is_empty() {
        paragraph(out, "expected   ", &finding.expected, look)?;
    }
    paragraph(out, "observed   ", &finding.observed, look)
}

/// An indented paragraph with its label in front, wrapped to the terminal.
fn paragraph(out: &mut dyn Write, label: &str, text: &str, look: &Look) -> io::Result<()> {
    let text = printable(text);
    let first = format!("    {label}");
    let rest = " ".repeat(first.chars().count());
    match look.columns {
        None => writeln!(out, "{first}{text}"),
        Some(columns) => {
            let options = textwrap::Options::new(columns.max(40))
                .initial_indent(&first)
                .subsequent_indent(&rest)
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            textwrap::wrap(&text, options).iter().try_for_each(|line| writeln!(out, "{line}"))
        }
    }
}

fn write_log(out: &mut dyn Write, result: &CheckResult, look: &Look) -> io::Result<()> {
    let marked: Vec<usize> = result.findings.iter().filter_map(|finding| finding.at).collect();
    let client_width = result.log.iter().map(|entry| client(entry).chars().count()).max().unwrap_or(0);
    let mut hidden = 0;
    for (index, entry) in result.log.iter().enumerate() {
        if !look.verbose && !is_shown(index, result.log.len(), &marked) {
            hidden += 1;
            continue;
        }
        elided(out, &mut hidden, look)?;
        let here = marked.contains(&index);
        write_entry(out, entry, here, client_width, look)?;
        if here || look.verbose {
            write_bytes(out, entry, look)?;
        }
    }
    elided(out, &mut hidden, look)
}

/// Whether an entry of a log is shown, or only counted.
fn is_shown(index: usize, length: usize, marked: &[usize]) -> bool {
    length <= LONGEST_LOG
        || index < ENDS
        || index + ENDS >= length
        || marked.iter().any(|at| at.abs_diff(index) <= AROUND)
}

fn elided(out: &mut dyn Write, hidden: &mut usize, look: &Look) -> io::Result<()> {
    if *hidden > 0 {
        writeln!(out, "    {}", look.faint().apply_to(format!("  … {hidden} more …")))?;
        *hidden = 0;
    }
    Ok(())
}

/// The client's name; with the connection's number from the second on.
fn client(entry: &LogEntry) -> String {
    match entry.connection {
        0 | 1 => printable(&entry.client),
        more => format!("{}#{more}", printable(&entry.client)),
    }
}

fn write_entry(
    out: &mut dyn Write,
    entry: &LogEntry,
    here: bool,
    client_width: usize,
    look: &Look,
) -> io::Result<()> {
    let arrow = match entry.direction {
        Direction::Sent => "→",
        Direction::Received => "←",
        Direction::Note => "·",
    };
    let start = format!("    {:.3}  {:client_width$}  {arrow}  ", entry.at.as_secs_f64(), client(entry));
    let mut text = printable(&entry.text);
    let mark = if here { "   ← here" } else { "" };
    if let Some(columns) = look.columns.filter(|_| !look.verbose) {
        let room = columns.saturating_sub(start.chars().count() + mark.chars().count()).max(24);
        text = console::truncate_str(&text, room, "…").into_owned();
    }
    if here {
        let style = look.of(Verdict::Violates);
        writeln!(out, "{start}{}{}", style.apply_to(text), style.apply_to(mark))
    } else {
        writeln!(out, "{start}{text}")
    }
}

fn write_bytes(out: &mut dyn Write, entry: &LogEntry, look: &Look) -> io::Result<()> {
    let limit = if look.verbose { entry.bytes.len() } else { SHOWN_BYTES };
    let shown = &entry.bytes[..entry.bytes.len().min(limit)];
    for line in shown.chunks(BYTES_IN_LINE) {
        writeln!(out, "             {}", look.faint().apply_to(hex(line)))?;
    }
    let missing = entry.length.saturating_sub(shown.len());
    if missing > 0 && !entry.bytes.is_empty() {
        writeln!(out, "             {}", look.faint().apply_to(format!("… {missing} more bytes")))?;
    }
    Ok(())
}
