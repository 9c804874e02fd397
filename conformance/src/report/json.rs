//! The result as JSON, in a form of its own: what the program keeps inside may change, this may not without a
//! new number in [`SCHEMA`]. The schema is in `schema/result-1.schema.json`.

use super::{Context, Summary, accusable, hex, needs_showing, one_line};
use crate::baseline::{self, Judgement, Placed, Standing};
use crate::check::Cite;
use crate::outcome::{CheckResult, Direction, Finding, LogEntry, Run};
use crate::statement::{self, CATALOGUE};
use crate::verdict::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The name of the form, with its version.
pub const SCHEMA: &str = "mqtt-assay/result/1";

/// The name of the form of a run's results so far, with its version.
pub const PARTIAL: &str = "mqtt-assay/partial/1";

/// The first line of a run's results so far; the others are an [`Entry`] each.
#[derive(Serialize, Deserialize, PartialEq, Eq, Clone, Debug)]
pub struct Begun {
    /// Always `mqtt-assay/partial/1`.
    pub schema: String,
    /// The version of mqtt-assay.
    pub tool: String,
    /// The version of the catalogue of statements.
    pub catalogue: String,
    /// The broker, without credentials.
    pub target: String,
    /// What its profile calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<String>,
    /// The seed that names and choices were drawn from.
    pub seed: u64,
    /// Whether deviations fail the run.
    pub strict: bool,
}

impl Begun {
    /// The first line of a run that begins now.
    pub fn new(target: String, broker: Option<String>, seed: u64, strict: bool) -> Begun {
        let (tool, catalogue) = (env!("CARGO_PKG_VERSION").to_owned(), CATALOGUE.to_owned());
        Begun { schema: PARTIAL.to_owned(), tool, catalogue, target, broker, seed, strict }
    }
}

/// The result of one run of `mqtt-assay check` against one broker.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Report {
    /// Always `mqtt-assay/result/1`. A change that could break a reader gets another number.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The version of mqtt-assay.
    pub tool: String,
    /// The version of the catalogue of statements.
    pub catalogue: String,
    /// The broker, without credentials.
    pub target: String,
    /// What its profile calls it, with the version: `Mosquitto 2.0.11`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<String>,
    /// The seed that names and choices were drawn from; the same seed repeats them.
    pub seed: u64,
    /// The MQTT versions that were checked, such as `3.1.1` and `5.0`.
    pub versions: Vec<String>,
    /// What the broker announced or did before the checks, one line each.
    pub remarks: Vec<String>,
    /// Wall time of the run in milliseconds.
    pub elapsed_ms: u64,
    /// The longest that the timers of the specification made a check wait, in milliseconds: with all checks side by
    /// side, the least that the run could take.
    pub timers_ms: u64,
    /// Whether the run was interrupted; if so, `results` is not complete.
    pub interrupted: bool,
    /// How many checks were to run, each version counted for itself.
    pub planned: usize,
    /// The counts.
    pub summary: Totals,
    /// What the baseline says; only if the run has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// One entry per check and version, in the order of the catalogue.
    pub results: Vec<Entry>,
}

/// The counts of a run.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Totals {
    /// The exit code: 0 conforms, 1 violations, 2 trouble, 3 nothing shown or something inconclusive.
    #[schemars(range(min = 0, max = 3))]
    pub exit: u8,
    /// Whether deviations fail the run (`--strict`).
    pub strict: bool,
    /// How many results have each verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// The statements that are broken, such as `5.0/MQTT-3.8.3-3`.
    pub statements_broken: Vec<String>,
    /// The statements that a check decided, and none found broken.
    pub statements_kept: Vec<String>,
    /// The statements whose recommendation is not followed.
    pub recommendations_not_followed: Vec<String>,
}

/// How a run stands to its baseline, the file of known failures.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Baseline {
    /// The file, as the user named it.
    pub file: String,
    /// How many results fail as is known: they do not fail the run.
    pub known: usize,
    /// How many results fail as nobody knew.
    pub new: usize,
    /// How many results fail that are known to fail at times: they fail the run, too.
    pub flaky: usize,
    /// The statements that are broken, in spite of the baseline.
    pub statements_newly_broken: Vec<String>,
    /// The statements whose recommendation is not followed, in spite of the baseline.
    #[serde(default)]
    pub recommendations_newly_not_followed: Vec<String>,
    /// Entries that nothing fits any more; they fail the run.
    pub stale: Vec<Outdated>,
    /// Entries whose last day is over; they count as absent.
    pub expired: Vec<Outdated>,
}

/// An entry of the baseline that is out of date.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Outdated {
    /// The line in the file.
    pub line: usize,
    /// What the entry names.
    pub entry: String,
    /// Why it counts no more.
    pub why: String,
}

/// How a result stands to the baseline.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Placing {
    /// The weightiest standing of its findings.
    pub standing: Place,
    /// The weightiest verdict that still fails the run, or leaves it undecided.
    pub left: Option<Verdict>,
    /// Whether it has findings that no entry knows, be they failures of the run or not.
    #[serde(default)]
    pub open: bool,
    /// The entries that fit it.
    pub entries: Vec<Reason>,
}

/// How a failure stands to the baseline.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// No entry fits it.
    New,
    /// It is known to come and go, and fails the run.
    Flaky,
    /// It is known, and does not fail the run.
    Known,
}

/// Why a failure may stand.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Reason {
    /// The line in the file.
    pub line: usize,
    /// The reason that it gives.
    pub reason: String,
    /// Where more is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Whether the failure is known to come and go.
    pub flaky: bool,
}

/// The result of one check in one version.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Entry {
    /// The check's name.
    pub check: String,
    /// What the check is about, in one sentence or two.
    #[serde(default)]
    pub about: String,
    /// The MQTT version.
    pub version: String,
    /// The weightiest of the findings' verdicts.
    pub verdict: Verdict,
    /// The statements that the check decides in this version.
    pub statements: Vec<String>,
    /// What was found; empty if everything conforms.
    pub findings: Vec<Found>,
    /// How it stands to the baseline; only if the run has one, and only if it fails or is known to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Placing>,
    /// Choices of the broker that the specification leaves open.
    pub notes: Vec<String>,
    /// How many cases of a table were judged; only for checks that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<usize>,
    /// How the broker died while the check ran; only if it did, and the run had started it (`--spawn`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub died: Option<Died>,
    /// How long the check took, in milliseconds.
    pub elapsed_ms: u64,
    /// The command that repeats the check; only with a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    /// Every packet and connection event in the order seen. It is left out of results that need no proof,
    /// which are most, unless the run was asked for everything (`--verbose`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Vec<Logged>>,
}

#[cfg(test)]
impl Entry {
    /// A result in 5.0 of which nothing matters but these.
    pub(crate) fn example(check: &str, verdict: Verdict, log: Vec<Logged>) -> Entry {
        Entry {
            check: check.to_owned(),
            about: String::new(),
            version: "5.0".to_owned(),
            verdict,
            statements: vec![],
            findings: vec![],
            baseline: None,
            notes: vec![],
            cases: None,
            died: None,
            elapsed_ms: 1,
            replay: None,
            log: Some(log),
        }
    }
}

/// The death of a broker that the run had started.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Died {
    /// Its exit status, or the signal that killed it, in words.
    pub how: String,
    /// The last lines of what it printed.
    pub output: Vec<String>,
}

/// One thing that a check found.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Found {
    /// How much it weighs.
    pub verdict: Verdict,
    /// The statement that it speaks of. If it names none in particular: the first that the check decides and
    /// that binds brokers.
    pub statement: Option<Cited>,
    /// Whether the finding names the statement in particular.
    #[serde(default)]
    pub in_particular: bool,
    /// What the specification allows here; empty where nothing was expected.
    pub expected: String,
    /// What was seen, or why nothing could be told.
    pub observed: String,
    /// The index of the log entry that shows it.
    pub log_index: Option<usize>,
}

/// A statement of a specification.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Cited {
    /// The id with its version.
    pub id: String,
    /// The section that says it.
    pub section: Option<String>,
    /// How strongly it binds.
    pub level: Option<String>,
    /// What it says, in our words.
    pub summary: Option<String>,
    /// The document.
    pub link: String,
}

/// One event of a check, as its client saw it.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Logged {
    /// Microseconds since the check began.
    pub at_us: u64,
    /// The client's name in the check.
    pub client: String,
    /// The number of this client's connection, from 1.
    pub connection: u32,
    /// Which way it went.
    pub direction: Way,
    /// The decoded packet, or the remark.
    pub text: String,
    /// The bytes on the wire as hexadecimal digits, at most the first 512 of them; empty for remarks.
    pub hex: String,
    /// How many bytes there were.
    pub length: usize,
}

/// Which way an event went.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To the broker.
    Sent,
    /// From the broker.
    Received,
    /// Neither: a connection opened or closed, a remark.
    Note,
}

impl Place {
    /// The word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            Place::New => Standing::New.name(),
            Place::Flaky => Standing::Flaky.name(),
            Place::Known => Standing::Known.name(),
        }
    }
}

/// The report of a run. With `verbose`, every result has its log.
pub fn report(run: &Run, context: &Context, verbose: bool) -> Report {
    let summary = Summary::of(run);
    let judgement = context.judge(run);
    let names = |cites: &std::collections::BTreeSet<Cite>| cites.iter().map(ToString::to_string).collect();
    Report {
        schema: SCHEMA.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        catalogue: CATALOGUE.to_owned(),
        target: run.target.clone(),
        broker: context.broker.clone(),
        seed: run.seed,
        versions: run.versions.iter().map(|v| v.as_str().to_owned()).collect(),
        remarks: run.remarks.clone(),
        elapsed_ms: milliseconds(run.elapsed),
        timers_ms: milliseconds(run.timers),
        interrupted: run.interrupted,
        planned: run.planned,
        summary: Totals {
            exit: context.exit(run).code(),
            strict: context.strict,
            verdicts: Verdict::ALL.into_iter().map(|v| (v, summary.counts.of(v))).collect(),
            statements_broken: names(&summary.broken),
            statements_kept: names(&summary.kept),
            recommendations_not_followed: names(&summary.not_followed),
        },
        baseline: context
            .gate
            .as_ref()
            .zip(judgement.as_ref())
            .map(|(gate, found)| balance(&gate.file, found)),
        results: run
            .results
            .iter()
            .enumerate()
            .map(|(index, result)| {
                let with_log = verbose || needs_showing(result.verdict);
                let mut entry = entry(result, with_log);
                let placed = judgement.as_ref().and_then(|judgement| judgement.placed[index].as_ref());
                entry.baseline = placed.map(placing);
                entry.replay = with_log.then(|| context.replay(run.seed, result));
                entry
            })
            .collect(),
    }
}

fn balance(file: &str, judgement: &Judgement<'_>) -> Baseline {
    let outdated = |entry: &baseline::Entry, why: &str| Outdated {
        line: entry.line,
        entry: entry.to_string(),
        why: why.to_owned(),
    };
    Baseline {
        file: file.to_owned(),
        known: judgement.count(Standing::Known),
        new: judgement.count(Standing::New),
        flaky: judgement.count(Standing::Flaky),
        statements_newly_broken: judgement.broken.iter().map(ToString::to_string).collect(),
        recommendations_newly_not_followed: judgement.not_followed.iter().map(ToString::to_string).collect(),
        stale: judgement.stale.iter().map(|stale| outdated(stale.entry, stale.why)).collect(),
        expired: judgement
            .expired
            .iter()
            .map(|entry| match entry.expires {
                Some(date) => outdated(entry, &format!("its last day was {date}")),
                None => outdated(entry, "its last day is over"),
            })
            .collect(),
    }
}

fn placing(placed: &Placed<'_>) -> Placing {
    Placing {
        standing: match placed.standing {
            Standing::New => Place::New,
            Standing::Flaky => Place::Flaky,
            Standing::Known => Place::Known,
        },
        left: placed.left,
        open: placed.open,
        entries: placed
            .entries
            .iter()
            .map(|entry| Reason {
                line: entry.line,
                reason: entry.reason.clone(),
                link: entry.link.clone(),
                flaky: entry.flaky,
            })
            .collect(),
    }
}

/// One result, with its log or without; the command that repeats it and the baseline are not known here.
pub fn entry(result: &CheckResult, with_log: bool) -> Entry {
    Entry {
        check: result.check.name.to_owned(),
        about: one_line(result.check.summary()),
        version: result.version.as_str().to_owned(),
        verdict: result.verdict,
        statements: result.check.cites(result.version).map(|cite| cite.to_string()).collect(),
        findings: result.findings.iter().map(|finding| found(finding, result)).collect(),
        baseline: None,
        notes: result.notes.clone(),
        cases: Some(result.cases).filter(|cases| *cases > 0),
        died: result.died.as_ref().map(|death| Died { how: death.how.clone(), output: death.output.clone() }),
        elapsed_ms: milliseconds(result.elapsed),
        replay: None,
        log: with_log.then(|| result.log.iter().map(logged).collect()),
    }
}

fn found(finding: &Finding, result: &CheckResult) -> Found {
    let statement = finding.statement.or_else(|| accusable(result).first().copied());
    Found {
        verdict: finding.verdict,
        statement: statement.map(cited),
        in_particular: finding.statement.is_some(),
        expected: finding.expected.clone(),
        observed: finding.observed.clone(),
        log_index: finding.at,
    }
}

fn cited(cite: Cite) -> Cited {
    let known = statement::of(cite);
    Cited {
        id: cite.to_string(),
        section: known.map(|s| s.section().to_string()),
        level: known.map(|s| s.level.name().to_owned()),
        summary: known.map(|s| s.summary.to_owned()),
        link: statement::document(cite.version).to_owned(),
    }
}

/// One event as reports tell it.
pub(crate) fn logged(entry: &LogEntry) -> Logged {
    Logged {
        at_us: microseconds(entry.at),
        client: entry.client.clone(),
        connection: entry.connection,
        direction: match entry.direction {
            Direction::Sent => Way::Sent,
            Direction::Received => Way::Received,
            Direction::Note => Way::Note,
        },
        text: entry.text.clone(),
        hex: hex(&entry.bytes),
        length: entry.length,
    }
}

/// A time as logs have it.
pub(crate) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A report as its file has it.
pub fn text(report: &Report) -> String {
    // Nothing in it can fail to be written: no map has keys other than words.
    serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
}

/// The schema, as the committed file has it.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Report)).unwrap_or_default();
    text.push('\n');
    text
}
