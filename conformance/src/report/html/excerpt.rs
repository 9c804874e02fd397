//! Logs that are too long for the page, cut to their telling parts.

use crate::report::json::{Entry, Way};
use crate::report::log::{marked, parts};
use std::collections::BTreeMap;

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
