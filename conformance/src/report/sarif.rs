//! The result as SARIF 2.1.0, the form of static analysis that code scanning services read: a rule per check, a
//! result per finding that needs showing.

use super::json::{Entry, Found, Report};
use super::view::{self, Fate};
use super::{needs_showing, one_line, plain, printable};
use crate::checks;
use crate::digest::Digest;
use crate::statement;
use crate::verdict::Verdict;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the schema of the form is.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report of one or several runs.
pub fn report(runs: &[Report]) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": runs.iter().map(run).collect::<Vec<Value>>(),
    })
}

fn run(run: &Report) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &run.results {
        index.entry(&entry.check).or_insert_with(|| {
            rules.push(rule(entry, run));
            rules.len() - 1
        });
    }
    let mut results = Vec::new();
    for entry in run.results.iter().filter(|entry| needs_showing(entry.verdict)) {
        let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
        for finding in entry.findings.iter().filter(|finding| needs_showing(finding.verdict)) {
            let fingerprint = fingerprint(entry, finding);
            let number = seen.entry(fingerprint).or_default();
            *number += 1;
            let mut result = result(run, entry, finding, &format!("{fingerprint:016x}:{number}"));
            result["ruleIndex"] = json!(index.get(entry.check.as_str()));
            results.push(result);
        }
    }
    json!({
        "tool": {"driver": {
            "name": "mqtt-assay",
            "version": run.tool,
            "shortDescription": {"text": "Tells whether an MQTT broker keeps the OASIS specifications"},
            "rules": rules,
        }},
        "automationDetails": {"id": format!("mqtt-assay/{}/", printable(&one_line(&run.target)))},
        "invocations": [{
            "executionSuccessful": !run.interrupted,
            "exitCode": run.summary.exit,
        }],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "target": run.target,
            "catalogue": run.catalogue,
            "seed": run.seed,
            "versions": run.versions,
        },
    })
}

/// What a check is about, and what each of its statements says.
fn rule(entry: &Entry, run: &Report) -> Value {
    let known = checks::all().into_iter().find(|check| check.name == entry.check);
    let doc = known.map_or(entry.about.as_str(), |check| check.doc).lines();
    let mut text: String = doc.map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned() + "\n").collect();
    let mut cites: Vec<&str> = run
        .results
        .iter()
        .filter(|other| other.check == entry.check)
        .flat_map(|other| other.statements.iter().map(String::as_str))
        .collect();
    cites.sort_unstable();
    cites.dedup();
    for known in cites.iter().filter_map(|cite| view::statement(cite)) {
        text.push_str(&format!(
            "\n{}, section {}, {}: {}",
            known.cite(),
            known.section(),
            known.level,
            known.summary
        ));
    }
    let link = cites
        .iter()
        .find_map(|cite| view::statement(cite))
        .map_or_else(|| statement::document(mqtt_assay_codec::Version::V5), statement::Statement::link);
    json!({
        "id": entry.check,
        "shortDescription": {"text": printable(&entry.about)},
        "fullDescription": {"text": printable(&entry.about)},
        "help": {"text": text.trim_end()},
        "helpUri": link,
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": cites},
    })
}

fn result(run: &Report, entry: &Entry, finding: &Found, fingerprint: &str) -> Value {
    let (kind, level) = match finding.verdict {
        Verdict::Violates => ("fail", "error"),
        Verdict::Deviates if run.summary.strict => ("fail", "error"),
        Verdict::Deviates => ("fail", "warning"),
        // What could not be told is open, and has no level then.
        _ => ("open", "none"),
    };
    let cited = finding.statement.as_ref().map_or(String::new(), |cited| format!(" {}", cited.id));
    let message =
        printable(&format!("MQTT {}: {}{cited}: {}", entry.version, finding.verdict, view::message(finding)));
    let mut result = json!({
        "ruleId": entry.check,
        "kind": kind,
        "level": level,
        "message": {"text": message},
        // There is no source to point at. The name of the check stands for the file that services want to be told.
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": entry.check},
                "region": {"startLine": 1},
            },
            "logicalLocations": [{
                "name": entry.check,
                "fullyQualifiedName": format!("{} ({})", entry.check, entry.version),
                "kind": "function",
            }],
        }],
        "partialFingerprints": {"mqttAssayFinding/v1": fingerprint},
        "properties": {
            "mqtt": entry.version,
            "verdict": finding.verdict.name(),
            "statement": finding.statement.as_ref().map(|cited| cited.id.clone()),
            "details": plain::text(entry),
        },
    });
    if run.baseline.is_some() {
        // Where one result says whether it is suppressed, all have to.
        let known = view::fate(entry, run.summary.strict) == Fate::IsKnown;
        let entries = entry.baseline.iter().filter(|_| known).flat_map(|placing| &placing.entries);
        result["suppressions"] = entries
            .map(|reason| {
                let link = reason.link.as_ref().map(|link| format!(" ({link})")).unwrap_or_default();
                json!({
                    "kind": "external",
                    "status": "accepted",
                    "justification": printable(&format!("{}{link}", reason.reason)),
                })
            })
            .collect();
    }
    result
}

/// What makes a finding the same from run to run: neither names nor times are in it.
fn fingerprint(entry: &Entry, finding: &Found) -> u64 {
    let statement = finding.statement.as_ref().map_or("", |cited| cited.id.as_str());
    [entry.version.as_str(), &entry.check, finding.verdict.name(), statement]
        .into_iter()
        .fold(Digest::new(), |digest, field| digest.with_field(field.as_bytes()))
        .value()
}
