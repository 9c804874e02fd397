//! Reads result files: those of whole runs, and what a run that ended too early has left.

use super::json::{self, Begun, Entry, Report, Totals};
use super::{Exit, view};
use crate::verdict::Verdict;
use std::collections::BTreeSet;

/// What a file would be read from.
const HOW: &str = "`mqtt-assay check --report json=FILE` writes one";

/// Reads the text of a result file, or of the `.partial` one that a run keeps until its end: that is an interrupted
/// run.
///
/// # Errors
///
/// It is none: why, so that it completes the sentence "FILE …".
pub fn read(text: &str) -> Result<Report, String> {
    if text.trim().is_empty() {
        return Err(format!("is empty; {HOW}"));
    }
    let first = text.lines().next().unwrap_or_default();
    if let Ok(begun) = serde_json::from_str::<Begun>(first) {
        known("partial", json::PARTIAL, &begun.schema, &begun.tool)?;
        return Ok(interrupted(&begun, text));
    }
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            format!("ends in the middle, in line {}: it was not written or not copied whole", error.line())
        } else {
            format!("is no result file (line {}, column {}: no JSON); {HOW}", error.line(), error.column())
        }
    })?;
    let word = |key: &str| value.get(key).and_then(serde_json::Value::as_str);
    let Some(schema) = word("schema") else {
        return Err(format!("is no result file: it has no schema; {HOW}"));
    };
    known("result", json::SCHEMA, schema, word("tool").unwrap_or("of another version"))?;
    serde_json::from_value(value).map_err(|error| format!("is not as {} says: {error}", json::SCHEMA))
}

/// Whether the schema is the one that is read here.
fn known(kind: &str, ours: &str, schema: &str, tool: &str) -> Result<(), String> {
    let number = |schema: &str| schema.rsplit('/').next().and_then(|number| number.parse::<u32>().ok());
    let is_kind = schema.rsplit_once('/').is_some_and(|(name, _)| name == format!("mqtt-assay/{kind}"));
    match (is_kind, number(schema)) {
        _ if schema == ours => Ok(()),
        (true, Some(other)) if Some(other) > number(ours) => Err(format!(
            "was written by mqtt-assay {tool}, which is newer, in the form {schema}; this version reads {ours}: update \
             mqtt-assay"
        )),
        _ => Err(format!("is no result file: its schema is {schema}; {HOW}")),
    }
}

/// The run that a partial file tells of. Its last line may be half a line, if the process was killed.
fn interrupted(begun: &Begun, text: &str) -> Report {
    let lines = text.lines().skip(1);
    let results: Vec<Entry> = lines.map_while(|line| serde_json::from_str(line).ok()).collect();
    let mut versions: Vec<String> = results.iter().map(|entry| entry.version.clone()).collect();
    versions.sort_by_key(|name| view::version(name));
    versions.dedup();
    Report {
        schema: json::SCHEMA.to_owned(),
        tool: begun.tool.clone(),
        catalogue: begun.catalogue.clone(),
        target: begun.target.clone(),
        broker: begun.broker.clone(),
        seed: begun.seed,
        versions,
        remarks: vec!["the run left no more than what it had found so far".to_owned()],
        elapsed_ms: results.iter().map(|entry| entry.elapsed_ms).max().unwrap_or(0),
        timers_ms: 0,
        interrupted: true,
        planned: 0,
        summary: totals(&results, begun.strict),
        baseline: None,
        results,
    }
}

/// The counts of results that nobody has counted.
fn totals(results: &[Entry], strict: bool) -> Totals {
    let accused = |verdict: Verdict| -> BTreeSet<String> {
        let findings = results.iter().flat_map(|entry| &entry.findings);
        let cited =
            findings.filter(|finding| finding.verdict == verdict).filter_map(|f| f.statement.as_ref());
        cited.map(|cited| cited.id.clone()).collect()
    };
    let broken = accused(Verdict::Violates);
    let conforming = results.iter().filter(|entry| entry.verdict == Verdict::Conforms);
    let kept: BTreeSet<&str> = conforming.flat_map(view::accusable).collect();
    Totals {
        exit: Exit::Trouble.code(),
        strict,
        verdicts: Verdict::ALL
            .into_iter()
            .map(|verdict| (verdict, results.iter().filter(|entry| entry.verdict == verdict).count()))
            .collect(),
        statements_kept: kept.into_iter().filter(|cite| !broken.contains(*cite)).map(str::to_owned).collect(),
        statements_broken: broken.into_iter().collect(),
        recommendations_not_followed: accused(Verdict::Deviates).into_iter().collect(),
    }
}
