//! The matrix as JSON, in a form of its own: what the program keeps inside may change, this may not without a new
//! number in [`SCHEMA`]. The schema is in `schema/matrix-1.schema.json`.

use super::{Kill, Row, Summary, Tie};
use crate::statement::CATALOGUE;
use crate::verdict::Verdict;
use schemars::JsonSchema;
use serde::Serialize;

/// The name of the form, with its version.
pub const SCHEMA: &str = "mqtt-assay/matrix/1";

/// What `mqtt-assay prove --json` writes: which checks catch which mutants of the reference broker.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Matrix {
    /// Always `mqtt-assay/matrix/1`. A change that could break a reader gets another number.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    /// The version of mqtt-assay.
    pub tool: &'static str,
    /// The version of the catalogue of statements.
    pub catalogue: &'static str,
    /// The checks that were played, each in all its versions.
    pub checks: Vec<&'static str>,
    /// One entry per mutant, in the order of the reference broker's table.
    pub mutants: Vec<Tried>,
    /// How many mutants a check catches.
    pub caught: usize,
    /// Mutants that no check catches, though nothing says that none can.
    pub not_caught: Vec<&'static str>,
    /// Checks that catch none of the mutants.
    pub idle_checks: Vec<&'static str>,
    /// How many accusations have to do with nothing that the mutant breaks, and are explained by nothing.
    pub unexplained: usize,
}

/// A mutant, and what the checks made of it.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Tried {
    /// Its name.
    pub mutant: &'static str,
    /// What it does wrong, as the rest of a sentence that begins with "the broker".
    pub summary: &'static str,
    /// The statements that it breaks.
    pub breaks: &'static [&'static str],
    /// Whether every check was played; if not, the run was interrupted.
    pub complete: bool,
    /// Why no check can catch it, if that is so.
    pub beyond: Option<&'static str>,
    /// How many pairs of check and version were played.
    pub played: usize,
    /// How many of them could not tell.
    pub inconclusive: usize,
    /// Why checks could not begin, if some could not.
    pub troubles: Vec<String>,
    /// The accusations.
    pub kills: Vec<Killed>,
}

/// A check that accuses the mutant, in one version.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Killed {
    /// The check.
    pub check: &'static str,
    /// The MQTT version.
    pub version: &'static str,
    /// What it found.
    pub verdict: Verdict,
    /// The statements that it accuses the mutant of.
    pub accused: Vec<String>,
    /// Whether the check cites, or accuses the mutant of, a statement that it breaks.
    pub own: bool,
    /// If it does not: why the accusation is just, if that is known.
    pub why: Option<&'static str>,
}

/// The matrix in this form.
pub fn matrix(rows: &[Row], summary: &Summary<'_>) -> Matrix {
    Matrix {
        schema: SCHEMA,
        tool: env!("CARGO_PKG_VERSION"),
        catalogue: CATALOGUE,
        checks: summary.checks.iter().map(|check| check.name).collect(),
        mutants: rows.iter().map(tried).collect(),
        caught: summary.caught,
        not_caught: summary.missed.iter().map(|row| row.mutant.name()).collect(),
        idle_checks: summary.idle.iter().map(|check| check.name).collect(),
        unexplained: summary.unexplained.len(),
    }
}

fn tried(row: &Row) -> Tried {
    Tried {
        mutant: row.mutant.name(),
        summary: row.mutant.summary(),
        breaks: row.mutant.breaks(),
        complete: row.complete,
        beyond: row.beyond(),
        played: row.played,
        inconclusive: row.inconclusive,
        troubles: row.troubles.iter().cloned().collect(),
        kills: row.kills.iter().map(killed).collect(),
    }
}

fn killed(kill: &Kill) -> Killed {
    Killed {
        check: kill.check.name,
        version: kill.version.as_str(),
        verdict: kill.verdict,
        accused: kill.accused.iter().map(ToString::to_string).collect(),
        own: kill.tie == Tie::Own,
        why: match kill.tie {
            Tie::Beside(why) => Some(why),
            Tie::Own | Tie::Unexplained => None,
        },
    }
}

/// The schema, as the committed file has it.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Matrix)).unwrap_or_default();
    text.push('\n');
    text
}
