//! Which events of a log stand in the page: all of a short one, the telling parts of a long one.

use crate::report::json::{Entry, Way};
use std::collections::BTreeMap;
use std::ops::Range;

/// Longer logs are shown with their beginning, their end, and what lies around the marked events.
const LONGEST: usize = 40;
/// How many events of a long log's beginning and end are shown.
const ENDS: usize = 10;
/// How many events before and after a marked one are shown.
const AROUND: usize = 6;

/// The events that findings point to.
pub(super) fn marked(entry: &Entry) -> Vec<usize> {
    let length = entry.log.as_ref().map_or(0, Vec::len);
    let mut marked: Vec<usize> = entry.findings.iter().filter_map(|finding| finding.log_index).collect();
    marked.retain(|at| *at < length);
    marked.sort_unstable();
    marked.dedup();
    marked
}

/// The parts of a log that are shown, in order; between two of them something is left out. `page.js` lays out whole
/// logs by the same numbers.
pub(super) fn parts(length: usize, marked: &[usize]) -> Vec<Range<usize>> {
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

/// Leaves out of a log what is not shown, with a remark in its place, and keeps the findings pointing at what is left.
pub(super) fn shorten(entry: &mut Entry) {
    let marked = marked(entry);
    let Some(log) = &mut entry.log else { return };
    let parts = parts(log.len(), &marked);
    let mut short = Vec::new();
    let mut moved = BTreeMap::new();
    let mut before = 0;
    for part in parts {
        if part.start > before {
            let mut remark = log[before].clone();
            remark.direction = Way::Note;
            remark.text = format!("{} events are left out of this page", part.start - before);
            (remark.client, remark.connection) = ("-".to_owned(), 0);
            (remark.hex, remark.length) = (String::new(), 0);
            short.push(remark);
        }
        before = part.end;
        for index in part {
            moved.insert(index, short.len());
            short.push(log[index].clone());
        }
    }
    *log = short;
    for finding in &mut entry.findings {
        finding.log_index = finding.log_index.and_then(|at| moved.get(&at).copied());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_shows_its_ends_and_what_lies_around_the_marks() {
        assert_eq!(parts(0, &[]), []);
        assert_eq!(parts(40, &[3]), vec![Range { start: 0, end: 40 }]);
        assert_eq!(parts(100, &[50]), [0..10, 44..57, 90..100]);
        assert_eq!(parts(100, &[12, 95]), [0..19, 89..100]);
        assert_eq!(parts(41, &[]), [0..10, 31..41]);
    }
}
