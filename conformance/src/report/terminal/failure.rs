//! One result with its proof: what was expected, what was seen, and the packets.

use super::Look;
use super::baseline::write_reasons;
use crate::report::json::{Entry, Found, Logged};
use crate::report::log::{self, Line};
use crate::report::{needs_showing, printable, view};
use crate::verdict::Verdict;
use std::io::{self, Write};

/// So many statements of a check are spelled out if no finding accuses one in particular.
const MOST_STATEMENTS: usize = 2;
/// How many bytes of a marked packet are shown, if not all are asked for.
const SHOWN_BYTES: usize = 96;
/// How many bytes stand in one line.
const BYTES_IN_LINE: usize = 24;

/// Writes one result.
pub(super) fn write(out: &mut dyn Write, result: &Entry, look: &Look) -> io::Result<()> {
    let style = look.of(result.verdict);
    writeln!(
        out,
        "{} {}   {}   {}",
        style.apply_to(mark(result.verdict)),
        look.bold().apply_to(printable(&result.check)),
        printable(&view::statements_of(result)),
        style.apply_to(result.verdict.name())
    )?;
    paragraph(out, "", &result.about, look)?;
    if needs_showing(result.verdict) && result.findings.iter().all(|finding| view::named(finding).is_none()) {
        for cite in view::accusable(result).into_iter().take(MOST_STATEMENTS) {
            write_statement(out, cite, look)?;
        }
    }
    for finding in &result.findings {
        write_finding(out, finding, look)?;
    }
    if let Some(death) = &result.died {
        for (index, line) in death.output.iter().enumerate() {
            paragraph(out, if index == 0 { "it said    " } else { "           " }, line, look)?;
        }
    }
    if let Some(placing) = &result.baseline {
        write_reasons(out, placing, look)?;
    }
    for note in &result.notes {
        if look.verbose {
            paragraph(out, "note       ", note, look)?;
        }
    }
    let log = result.log.as_deref().unwrap_or_default();
    if !log.is_empty() {
        writeln!(out)?;
        write_log(out, result, look)?;
    }
    let replay = result.replay.as_ref().filter(|_| needs_showing(result.verdict) || !log.is_empty());
    if let Some(replay) = replay {
        writeln!(out)?;
        // Never wrapped: it is there to be copied.
        writeln!(out, "    replay     {}", printable(replay))?;
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

fn write_finding(out: &mut dyn Write, finding: &Found, look: &Look) -> io::Result<()> {
    if let Some(cite) = view::named(finding) {
        write_statement(out, cite, look)?;
    }
    if !finding.expected.is_empty() {
        paragraph(out, "expected   ", &finding.expected, look)?;
    }
    paragraph(out, "observed   ", &finding.observed, look)
}

fn write_statement(out: &mut dyn Write, cite: &str, look: &Look) -> io::Result<()> {
    if let Some(known) = view::statement(cite) {
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
    Ok(())
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

fn write_log(out: &mut dyn Write, result: &Entry, look: &Look) -> io::Result<()> {
    let log = result.log.iter().flatten();
    let client_width = log.map(|entry| log::client(entry).chars().count()).max().unwrap_or(0);
    for line in log::lines(result, look.verbose) {
        match line {
            Line::Hidden(number) => {
                writeln!(out, "    {}", look.faint().apply_to(format!("  … {number} more …")))?;
            }
            Line::Entry { logged, here } => {
                write_entry(out, logged, here, client_width, look)?;
                if here || look.verbose {
                    write_bytes(out, logged, look)?;
                }
            }
        }
    }
    Ok(())
}

fn write_entry(
    out: &mut dyn Write,
    entry: &Logged,
    here: bool,
    client_width: usize,
    look: &Look,
) -> io::Result<()> {
    let (client, arrow) = (log::client(entry), log::arrow(entry.direction));
    let start = format!("    {:.3}  {client:client_width$}  {arrow}  ", log::seconds(entry));
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

fn write_bytes(out: &mut dyn Write, entry: &Logged, look: &Look) -> io::Result<()> {
    let bytes: Vec<&str> = entry.hex.split_whitespace().collect();
    let limit = if look.verbose { bytes.len() } else { SHOWN_BYTES };
    let shown = &bytes[..bytes.len().min(limit)];
    for line in shown.chunks(BYTES_IN_LINE) {
        writeln!(out, "             {}", look.faint().apply_to(printable(&line.join(" "))))?;
    }
    let missing = entry.length.saturating_sub(shown.len());
    if missing > 0 && !bytes.is_empty() {
        writeln!(out, "             {}", look.faint().apply_to(format!("… {missing} more bytes")))?;
    }
    Ok(())
}
