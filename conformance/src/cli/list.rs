//! `list`: the checks, the statements, the mutants.

use super::Trouble;
use crate::check::{Check, Cite};
use crate::select::{NoMatch, Pattern, Selection};
use crate::serve::Fault;
use crate::statement::{self, CATALOGUE, Section, Statement, heading};
use crate::{checks, report};
use mqtt_assay_codec::Version;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// List the checks, or the statements of the specifications
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    /// List the statements instead of the checks, with the number of checks that decide each
    #[arg(long, conflicts_with = "mutants")]
    statements: bool,

    /// List the mutants of the reference broker instead of the checks
    #[arg(long, conflicts_with = "only")]
    mutants: bool,

    /// Print for every statement which checks decide it and which mutants prove them, as Markdown
    #[arg(long, conflicts_with_all = ["statements", "mutants", "only", "json"])]
    coverage: bool,

    /// List only what matches: a statement id, a section (3.3), a check's name (publish/, *retain*)
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListForm {
    /// Checks by section, with their summaries.
    Checks,
    /// Statements by version, with the number of checks.
    Statements,
    /// Mutants of the reference broker.
    Mutants,
}

/// Prints the list.
pub(super) fn run(arguments: &Arguments) -> Result<(), Trouble> {
    if arguments.coverage {
        io::stdout().lock().write_all(super::coverage(&checks::all()).as_bytes())?;
        return Ok(());
    }
    let form = match (arguments.statements, arguments.mutants) {
        (true, _) => ListForm::Statements,
        (_, true) => ListForm::Mutants,
        _ => ListForm::Checks,
    };
    let text = list(form, &arguments.only, arguments.json, &checks::all())
        .map_err(|no_match| Trouble::new(no_match.to_string()))?;
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// The list as text or JSON.
///
/// # Errors
///
/// A pattern matches nothing.
pub fn list(
    form: ListForm,
    only: &[String],
    json: bool,
    checks: &[&'static Check],
) -> Result<String, NoMatch> {
    let mut listing = Listing::default();
    let mut text = String::new();
    match form {
        ListForm::Checks => {
            let selection = Selection { only: only.to_vec(), ..Selection::default() };
            let selected = selection.of(checks)?;
            listing.checks = Some(selected.iter().map(|check| CheckRow::of(check)).collect());
            write_checks(&mut text, &selected);
        }
        ListForm::Statements => {
            let selected = select_statements(only, checks)?;
            let rows: Vec<_> = selected.iter().map(|s| StatementRow::of(s, checks)).collect();
            write_statements(&mut text, &rows);
            listing.statements = Some(rows);
        }
        ListForm::Mutants => {
            let rows: Vec<_> =
                Fault::all().map(|m| MutantRow { name: m.name(), fault: m.summary() }).collect();
            for row in &rows {
                let _ = writeln!(text, "{:44}  {}", row.name, row.fault);
            }
            listing.mutants = Some(rows);
        }
    }
    if json {
        // The rows hold nothing that JSON cannot.
        text = serde_json::to_string_pretty(&listing).unwrap_or_default() + "\n";
    }
    Ok(text)
}

/// The statements that a pattern names itself, or that a check decides which it names.
fn select_statements(only: &[String], checks: &[&'static Check]) -> Result<Vec<&'static Statement>, NoMatch> {
    if only.is_empty() {
        return Ok(statement::all().iter().collect());
    }
    let mut wanted: BTreeSet<Cite> = BTreeSet::new();
    for text in only {
        let pattern = Pattern::parse(text);
        let named: Vec<Cite> =
            statement::all().iter().filter(|s| names(&pattern, s)).map(Statement::cite).collect();
        if named.is_empty() {
            let selection = Selection { only: vec![text.clone()], ..Selection::default() };
            wanted.extend(selection.of(checks)?.iter().flat_map(|check| check.covers));
        } else {
            wanted.extend(named);
        }
    }
    Ok(statement::all().iter().filter(|s| wanted.contains(&s.cite())).collect())
}

/// Whether a pattern speaks of a statement itself, not of its checks.
fn names(pattern: &Pattern, statement: &Statement) -> bool {
    let in_version = |version: &Option<Version>| version.is_none_or(|own| own == statement.version);
    match pattern {
        Pattern::Statement { version, id } => in_version(version) && statement.id == id,
        Pattern::Section { version, section } => {
            in_version(version) && statement.sections.iter().any(|own| own.is_within(*section))
        }
        Pattern::Name(_) => false,
    }
}

fn write_checks(text: &mut String, checks: &[&'static Check]) {
    let mut sections: BTreeMap<Option<(Section, &'static str)>, Vec<&Check>> = BTreeMap::new();
    for check in checks {
        let first = check.covers.iter().find_map(|cite| statement::of(*cite));
        let place = first.map(|s| (s.section().group(), heading(s.version, s.section().group())));
        sections.entry(place).or_default().push(check);
    }
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for (place, checks) in sections {
        if let Some((section, heading)) = place {
            let _ = writeln!(text, "{section} {heading}");
        }
        for check in checks {
            let versions: Vec<_> = check.versions().map(Version::as_str).collect();
            let _ = writeln!(
                text,
                "  {:width$}  {:9}  {}",
                check.name,
                versions.join(" "),
                report::one_line(check.summary())
            );
        }
    }
}

fn write_statements(text: &mut String, rows: &[StatementRow]) {
    for row in rows {
        let checks = match (row.checks.len(), row.exempt) {
            (0, Some(_)) => "-".to_owned(),
            (number, _) => number.to_string(),
        };
        let _ = writeln!(
            text,
            "{:22}  {:16}  {:6}  {checks:>3}  {}",
            format!("{}/{}", row.version, row.id),
            row.level,
            row.binds,
            row.summary
        );
    }
}

/// What `mqtt-assay list --json` prints: the one list that was asked for.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
struct Listing {
    /// Always `mqtt-assay/list/1`. A change that could break a reader gets another number.
    #[schemars(extend("const" = "mqtt-assay/list/1"))]
    schema: &'static str,
    /// The version of the catalogue of statements.
    catalogue: &'static str,
    /// The checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<CheckRow>>,
    /// The statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    statements: Option<Vec<StatementRow>>,
    /// The mutants of the reference broker.
    #[serde(skip_serializing_if = "Option::is_none")]
    mutants: Option<Vec<MutantRow>>,
}

impl Default for Listing {
    fn default() -> Listing {
        Listing {
            schema: "mqtt-assay/list/1",
            catalogue: CATALOGUE,
            checks: None,
            statements: None,
            mutants: None,
        }
    }
}

/// A check.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
struct CheckRow {
    /// Its name.
    name: &'static str,
    /// What it demands, in one sentence.
    summary: String,
    /// The MQTT versions that it runs in.
    versions: Vec<&'static str>,
    /// The statements that it decides.
    statements: Vec<String>,
    /// What the broker must offer.
    needs: Vec<&'static str>,
    /// The mutants of the reference broker that it catches.
    proved: &'static [&'static str],
    /// How long timers of the specification make it wait, in seconds.
    waits_seconds: f64,
    /// Where it is written.
    source: String,
}

impl CheckRow {
    fn of(check: &Check) -> CheckRow {
        CheckRow {
            name: check.name,
            summary: report::one_line(check.summary()),
            versions: check.versions().map(Version::as_str).collect(),
            statements: check.covers.iter().map(ToString::to_string).collect(),
            needs: check.needs.iter().map(|need| need.name()).collect(),
            proved: check.proved,
            waits_seconds: check.waits.as_secs_f64(),
            source: format!("{}:{}", check.file, check.line),
        }
    }
}

/// A statement of a specification.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
struct StatementRow {
    /// The MQTT version.
    version: &'static str,
    /// The id; `U3-`, `U5-` and `M31-` ids are ours, for rules that the document does not number.
    id: &'static str,
    /// The leading section.
    section: String,
    /// Its heading.
    title: &'static str,
    /// How strongly it binds.
    level: &'static str,
    /// Whom it binds: `server`, `client` or `both`.
    binds: &'static str,
    /// How a breach can be seen.
    observable: &'static str,
    /// What it says, in our words.
    summary: &'static str,
    /// The checks that decide it.
    checks: Vec<&'static str>,
    /// Why no check can exist for it, if that is so.
    exempt: Option<&'static str>,
}

impl StatementRow {
    fn of(statement: &Statement, checks: &[&'static Check]) -> StatementRow {
        let deciding = checks.iter().filter(|check| check.covers.contains(&statement.cite()));
        StatementRow {
            version: statement.version.as_str(),
            id: statement.id,
            section: statement.section().to_string(),
            title: statement.title,
            level: statement.level.name(),
            binds: statement.binds.name(),
            observable: statement.observable.name(),
            summary: statement.summary,
            checks: deciding.map(|check| check.name).collect(),
            exempt: statement.exempt(),
        }
    }
}

/// A mutant of the reference broker.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
struct MutantRow {
    /// Its name.
    name: &'static str,
    /// What it does wrong, as the rest of a sentence that begins with "the broker".
    fault: &'static str,
}

/// The schema of the JSON form, as the committed file has it.
pub fn list_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Listing)).unwrap_or_default();
    text.push('\n');
    text
}
