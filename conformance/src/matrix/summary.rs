//! What the matrix comes to.

use super::{Kill, Row, Tie};
use crate::check::Check;
use std::collections::BTreeSet;

/// The holes of a matrix.
#[derive(Debug)]
pub struct Summary<'m> {
    /// The checks that were played.
    pub checks: &'m [&'static Check],
    /// Mutants that a check catches.
    pub caught: usize,
    /// Mutants that no check catches, though one should.
    pub missed: Vec<&'m Row>,
    /// Mutants that no check can catch, with the reason.
    pub beyond: Vec<(&'m Row, &'static str)>,
    /// Mutants that were not played to the end.
    pub unfinished: usize,
    /// Checks that catch no mutant.
    pub idle: Vec<&'static Check>,
    /// Accusations beside what the mutant breaks that nobody has explained.
    pub unexplained: Vec<(&'m Row, &'m Kill)>,
}

impl<'m> Summary<'m> {
    /// Looks for the holes.
    pub fn of(rows: &'m [Row], checks: &'m [&'static Check]) -> Summary<'m> {
        let killers: BTreeSet<&str> =
            rows.iter().flat_map(Row::catches).map(|kill| kill.check.name).collect();
        let mut summary = Summary {
            checks,
            caught: 0,
            missed: Vec::new(),
            beyond: Vec::new(),
            unfinished: 0,
            idle: checks.iter().copied().filter(|check| !killers.contains(check.name)).collect(),
            unexplained: Vec::new(),
        };
        for row in rows {
            match row.beyond() {
                _ if row.catches().next().is_some() => summary.caught += 1,
                _ if !row.complete => summary.unfinished += 1,
                Some(reason) => summary.beyond.push((row, reason)),
                None => summary.missed.push(row),
            }
            let unexplained = row.kills.iter().filter(|kill| kill.tie == Tie::Unexplained);
            summary.unexplained.extend(unexplained.map(|kill| (row, kill)));
        }
        summary
    }
}
