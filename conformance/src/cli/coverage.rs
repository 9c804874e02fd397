//! `list --coverage`: which checks decide each statement, and what proves it.

use crate::check::Check;
use crate::statement::{self, Statement};
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_codec::Version;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const BEGINNING: &str = "\
# Coverage

Every statement of the specifications, and every rule that they leave unnumbered (`U3-`, `U5-`, and `M31-` for
3.1, of which only that is here which sets it apart): the checks that decide
it and the mutants that prove them, or the reason why no check can. The mutants are those of its checks that break it by
name; where none does, all that its checks catch.

Printed by `mqtt-assay list --coverage`; a test compares.
";

/// The table, as Markdown.
pub fn coverage(checks: &[&'static Check]) -> String {
    let mut text = BEGINNING.to_owned();
    for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
        let rows: Vec<Row> =
            statement::all().iter().filter(|s| s.version == version).map(|s| Row::of(s, checks)).collect();
        let checked = rows.iter().filter(|row| !row.checks.is_empty()).count();
        let _ = writeln!(text, "\n## {version}\n\n{checked} of {} are checked.\n", rows.len());
        text.push_str("| statement | checks | mutants, or why there is no check |\n|---|---|---|\n");
        for row in rows {
            let _ = writeln!(text, "| {} | {} | {} |", row.id, row.checks.join(", "), row.shown());
        }
    }
    text
}

/// The mutants that prove the checks of a statement: those that break it by name; where none does, all that its checks
/// catch.
pub(crate) fn proving(statement: &Statement, checks: &[&'static Check]) -> BTreeSet<&'static str> {
    let cite = statement.cite();
    let deciding = checks.iter().filter(|check| check.covers.contains(&cite));
    let all: BTreeSet<_> = deciding.flat_map(|check| check.proved.iter().copied()).collect();
    let name = cite.to_string();
    let breaks = |mutant: &&str| {
        Mutant::from_name(mutant).is_some_and(|mutant| mutant.breaks().contains(&name.as_str()))
    };
    let by_name: BTreeSet<_> = all.iter().copied().filter(breaks).collect();
    if by_name.is_empty() { all } else { by_name }
}

/// One statement.
struct Row {
    id: &'static str,
    checks: Vec<&'static str>,
    mutants: BTreeSet<&'static str>,
    exempt: Option<&'static str>,
}

impl Row {
    fn of(statement: &Statement, checks: &[&'static Check]) -> Row {
        let cite = statement.cite();
        let deciding = checks.iter().filter(|check| check.covers.contains(&cite));
        Row {
            id: statement.id,
            checks: deciding.map(|check| check.name).collect(),
            mutants: proving(statement, checks),
            exempt: statement.exempt(),
        }
    }

    fn shown(&self) -> String {
        match self.exempt {
            Some(reason) if self.checks.is_empty() => reason.to_owned(),
            _ => self.mutants.iter().copied().collect::<Vec<_>>().join(", "),
        }
    }
}
