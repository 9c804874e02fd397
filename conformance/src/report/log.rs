//! Which entries of a log a reader gets to see: all of a short one, the telling parts of a long one.

use super::json::{Entry, Logged, Way};
use std::ops::Range;
use std::time::Duration;

/// Longer logs are shown with their beginning, their end, and what lies around the marked entries.
const LONGEST: usize = 40;
/// How many entries of a long log's beginning and end are shown.
const ENDS: usize = 10;
/// How many entries before and after a marked one are shown.
const AROUND: usize = 6;

/// The events that findings point to.
pub(crate) fn marked(entry: &Entry) -> Vec<usize> {
    let length = entry.log.as_ref().map_or(0, Vec::len);
    let mut marked: Vec<usize> = entry.findings.iter().filter_map(|finding| finding.log_index).collect();
    marked.retain(|at| *at < length);
    marked.sort_unstable();
    marked.dedup();
    marked
}

/// The parts of a log that are shown, in order; between two of them something is left out. The page's script lays
/// out whole logs by the same numbers.
pub(crate) fn parts(length: usize, marked: &[usize]) -> Vec<Range<usize>> {
    if length <= LONGEST {
        return if length == 0 { Vec::new() } else { vec![Range { start: 0, end: length }] };
    }
    let around = |at: &usize| at.saturating_sub(AROUND)..(at + AROUND + 1).min(length);
    let mut wanted: Vec<Range<usize>> = marked.iter().map(around).collect();
    wanted.extend([0..ENDS, length - ENDS..length]);
    wanted.sort_unstable_by_key(|part| part.start);
    let mut parts: Vec<Range<usize>> = Vec::new();
    for part in wanted {
        match parts.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => parts.push(part),
        }
    }
    parts
}

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
    let marked = marked(entry);
    let parts = if whole { vec![Range { start: 0, end: log.len() }] } else { parts(log.len(), &marked) };
    let mut lines = Vec::new();
    let mut before = 0;
    for part in parts {
        if part.start > before {
            lines.push(Line::Hidden(part.start - before));
        }
        before = part.end;
        lines.extend(part.map(|index| Line::Entry { logged: &log[index], here: marked.contains(&index) }));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_shows_its_ends_and_what_lies_around_the_marks() {
        assert!(parts(0, &[]).is_empty());
        assert_eq!(parts(40, &[3]), vec![Range { start: 0, end: 40 }]);
        assert_eq!(parts(100, &[50]), [0..10, 44..57, 90..100]);
        assert_eq!(parts(100, &[12, 95]), [0..19, 89..100]);
        assert_eq!(parts(41, &[]), [0..10, 31..41]);
    }
}
