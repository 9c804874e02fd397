//! One result as plain lines: the findings, the packets, the command that repeats the check.

use super::json::Entry;
use super::log::{self, Line};
use super::printable;
use std::fmt::Write as _;

/// The lines; the last has no end.
pub(crate) fn text(entry: &Entry) -> String {
    let mut text = String::new();
    for finding in &entry.findings {
        let _ = write!(text, "{}", finding.verdict);
        if let Some(cited) = &finding.statement {
            let _ = write!(text, " {}", cited.id);
            if let Some(summary) = &cited.summary {
                let _ = write!(text, ": {summary}");
            }
        }
        if !finding.expected.is_empty() {
            let _ = write!(text, "\n  expected   {}", printable(&finding.expected));
        }
        let _ = writeln!(text, "\n  observed   {}", printable(&finding.observed));
    }
    for line in entry.died.iter().flat_map(|death| &death.output) {
        let _ = writeln!(text, "  it said    {}", printable(line));
    }
    text.push('\n');
    for line in log::lines(entry, false) {
        let _ = match line {
            Line::Hidden(number) => writeln!(text, "  … {number} more …"),
            Line::Entry { logged, here } => writeln!(
                text,
                "{:8.3}  {}  {}  {}{}",
                log::seconds(logged),
                log::client(logged),
                log::arrow(logged.direction),
                printable(&logged.text),
                if here { "   ← here" } else { "" }
            ),
        };
    }
    if let Some(replay) = &entry.replay {
        let _ = write!(text, "\nreplay   {replay}");
    }
    text
}
