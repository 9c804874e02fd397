//! Which entries of a log a reader gets to see: all of a short one, the telling parts of a long one.

use crate::outcome::{CheckResult, Direction, LogEntry};

/// Longer logs are shown with their beginning, their end, and what lies around the marked entries.
const LONGEST: usize = 40;
/// How many entries of a long log's beginning and end are shown.
const ENDS: usize = 10;
/// How many entries before and after a marked one are shown.
const AROUND: usize = 6;

/// A line of a shown log.
pub(super) enum Line<'a> {
    /// An event.
    Entry {
        entry: &'a LogEntry,
        /// Whether a finding points to it.
        here: bool,
    },
    /// So many events are left out here.
    Hidden(usize),
}

/// The lines of a result's log; with `whole`, none is left out.
pub(super) fn lines(result: &CheckResult, whole: bool) -> Vec<Line<'_>> {
    let length = result.log.len();
    let marked: Vec<usize> = result.findings.iter().filter_map(|finding| finding.at).collect();
    let mut lines = Vec::new();
    let mut hidden = 0;
    for (index, entry) in result.log.iter().enumerate() {
        let near = marked.iter().any(|at| at.abs_diff(index) <= AROUND);
        if whole || length <= LONGEST || index < ENDS || index + ENDS >= length || near {
            if hidden > 0 {
                lines.push(Line::Hidden(hidden));
                hidden = 0;
            }
            lines.push(Line::Entry { entry, here: marked.contains(&index) });
        } else {
            hidden += 1;
        }
    }
    lines
}

/// The sign of a direction.
pub(crate) const fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "→",
        Direction::Received => "←",
        Direction::Note => "·",
    }
}

/// The client's name; with the connection's number from the second on.
pub(crate) fn client(entry: &LogEntry) -> String {
    match entry.connection {
        0 | 1 => super::printable(&entry.client),
        more => format!("{}#{more}", super::printable(&entry.client)),
    }
}
