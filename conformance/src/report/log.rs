//! Which entries of a log a reader gets to see: all of a short one, the telling parts of a long one.

use super::json::{Entry, Logged, Way};
use std::time::Duration;

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
        logged: &'a Logged,
        /// Whether a finding points to it.
        here: bool,
    },
    /// So many events are left out here.
    Hidden(usize),
}

/// The lines of a result's log; with `whole`, none is left out.
pub(super) fn lines(entry: &Entry, whole: bool) -> Vec<Line<'_>> {
    let log = entry.log.as_deref().unwrap_or_default();
    let marked: Vec<usize> = entry.findings.iter().filter_map(|finding| finding.log_index).collect();
    let mut lines = Vec::new();
    let mut hidden = 0;
    for (index, logged) in log.iter().enumerate() {
        let near = marked.iter().any(|at| at.abs_diff(index) <= AROUND);
        if whole || log.len() <= LONGEST || index < ENDS || index + ENDS >= log.len() || near {
            if hidden > 0 {
                lines.push(Line::Hidden(hidden));
                hidden = 0;
            }
            lines.push(Line::Entry { logged, here: marked.contains(&index) });
        } else {
            hidden += 1;
        }
    }
    lines
}

/// The sign of a direction.
pub(crate) const fn arrow(direction: Way) -> &'static str {
    match direction {
        Way::Sent => "→",
        Way::Received => "←",
        Way::Note => "·",
    }
}

/// The time in seconds.
pub(crate) fn seconds(logged: &Logged) -> f64 {
    Duration::from_micros(logged.at_us).as_secs_f64()
}

/// The client's name; with the connection's number from the second on.
pub(crate) fn client(logged: &Logged) -> String {
    match logged.connection {
        0 | 1 => super::printable(&logged.client),
        more => format!("{}#{more}", super::printable(&logged.client)),
    }
}
