//! The matrix for people: a paragraph per mutant, then the holes.

use super::{Kill, Row, Summary, Tie};
use crate::check::Cite;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The paragraphs of these mutants.
pub fn rows(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{}", row.mutant.name());
        for kills in by_check(row) {
            let _ = writeln!(text, "    {}", line(&kills));
        }
        for trouble in &row.troubles {
            let _ = writeln!(text, "    could not begin   {trouble}");
        }
        if row.catches().next().is_none() {
            let _ = match (row.beyond(), row.complete) {
                (Some(reason), true) => writeln!(text, "    -                 {reason}"),
                (None, true) => writeln!(text, "    NOT CAUGHT"),
                (_, false) => writeln!(text, "    not played to the end"),
            };
        }
    }
    text
}

/// The accusations of one check together, whatever the version.
fn by_check(row: &Row) -> Vec<Vec<&Kill>> {
    let mut groups: Vec<Vec<&Kill>> = Vec::new();
    for kill in &row.kills {
        match groups
            .iter_mut()
            .find(|group| (group[0].check.name, group[0].tie) == (kill.check.name, kill.tie))
        {
            Some(group) => group.push(kill),
            None => groups.push(vec![kill]),
        }
    }
    groups
}

fn line(kills: &[&Kill]) -> String {
    let accused: BTreeSet<Cite> = kills.iter().flat_map(|kill| kill.accused.iter().copied()).collect();
    let accused: Vec<String> = accused.iter().map(ToString::to_string).collect();
    let verdicts: Vec<String> =
        kills.iter().map(|kill| format!("{} in {}", kill.verdict, kill.version)).collect();
    let mut line = format!("{}   {}   {}", kills[0].check.name, verdicts.join(", "), accused.join(", "));
    match kills[0].tie {
        Tie::Own => {}
        Tie::Beside(why) => {
            let _ = write!(line, "   beside: {why}");
        }
        Tie::Unexplained => line.push_str("   UNEXPLAINED"),
    }
    line
}

/// The holes, one line each, and the numbers. What only a part of the catalogue was asked for is not called a hole.
pub fn holes(summary: &Summary<'_>) -> String {
    let mut text = String::new();
    let mut list = |heading: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{heading}");
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
    };
    let named = |row: &&Row| format!("{}: the broker {}", row.mutant.name(), row.mutant.summary());
    list("Caught by no check:", summary.missed.iter().map(named).collect());
    list(
        "Beyond what the checks can see:",
        summary.beyond.iter().map(|(row, why)| format!("{}: {why}", row.mutant.name())).collect(),
    );
    list("Checks that catch no mutant:", summary.idle.iter().map(|check| check.name.to_owned()).collect());
    list(
        "Accused of what the mutant does not break, and unexplained:",
        summary
            .unexplained
            .iter()
            .map(|(row, kill)| format!("{}: {}", row.mutant.name(), line(&[kill])))
            .collect(),
    );
    let _ = writeln!(
        text,
        "\n{} mutants caught, {} not caught, {} beyond, {} not played to the end; {} checks, {} of them catch none; \
         {} accusations unexplained.",
        summary.caught,
        summary.missed.len(),
        summary.beyond.len(),
        summary.unfinished,
        summary.checks.len(),
        summary.idle.len(),
        summary.unexplained.len()
    );
    text
}
