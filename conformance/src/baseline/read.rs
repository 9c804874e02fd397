//! Reads a baseline file; what is wrong with it is told in one sentence with its line.

use super::Baseline;
use super::entry::{Entry, StatementPattern, version_named};
use crate::verdict::Verdict;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

/// The file is no baseline.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Wrong {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<Spanned<Written>>,
}

/// An entry as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    check: Option<String>,
    statement: Option<String>,
    mqtt: Option<String>,
    verdict: String,
    reason: String,
    link: Option<String>,
    expires: Option<Datetime>,
    #[serde(default)]
    flaky: bool,
}

impl Baseline {
    /// Reads the text of a baseline file.
    ///
    /// # Errors
    ///
    /// It is not TOML, or has what no entry has, or lacks what every entry needs.
    pub fn read(text: &str) -> Result<Baseline, Wrong> {
        let file: File = toml::from_str(text).map_err(|error| Wrong {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            // The parser's own sentence may come in several lines.
            what: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
        })?;
        let mut entries: Vec<Entry> = Vec::with_capacity(file.known.len());
        for written in file.known {
            let line = line_of(text, written.span().start);
            let entry = entry(written.into_inner(), line).map_err(|what| Wrong { line, what })?;
            if let Some(first) = entries.iter().find(|other| same(other, &entry)) {
                let what = format!("the same failure is known in line {} already; merge the two", first.line);
                return Err(Wrong { line, what });
            }
            entries.push(entry);
        }
        Ok(Baseline { entries })
    }
}

fn entry(written: Written, line: usize) -> Result<Entry, String> {
    let Written { check, statement, mqtt, verdict, reason, link, expires, flaky } = written;
    if check.is_none() && statement.is_none() {
        return Err("an entry needs a `check` or a `statement`".to_owned());
    }
    let statement = statement
        .map(|text| {
            StatementPattern::parse(&text).ok_or_else(|| {
                format!(
                    "'{text}' names no statements; write 5.0/MQTT-3.3.1-6, MQTT-3.3.1-6 or 5.0/MQTT-3.3.*"
                )
            })
        })
        .transpose()?;
    let mqtt = mqtt
        .map(|text| {
            version_named(&text).ok_or_else(|| format!("mqtt is '{text}'; the versions are 3.1, 3.1.1 and 5"))
        })
        .transpose()?;
    if let (Some(own), Some(other)) = (mqtt, statement.as_ref().and_then(StatementPattern::version))
        && own != other
    {
        return Err(format!("the statement is one of {other}, and mqtt says {own}"));
    }
    let known = [Verdict::Violates, Verdict::Deviates, Verdict::Inconclusive];
    let verdict = known.into_iter().find(|known| known.name() == verdict).ok_or_else(|| {
        format!("the verdict is '{verdict}'; what can be known is violates, deviates or inconclusive")
    })?;
    if reason.trim().is_empty() {
        return Err("the reason is empty; say why the failure may stand".to_owned());
    }
    let expires = expires
        .map(|when| match when {
            Datetime { date: Some(date), time: None, offset: None } => Ok(date),
            _ => Err("expires is not a date alone; write it as 2026-12-31".to_owned()),
        })
        .transpose()?;
    Ok(Entry { check, statement, mqtt, verdict, reason, link, expires, flaky, line })
}

/// Whether two entries name the same failure, whatever they say about it.
fn same(a: &Entry, b: &Entry) -> bool {
    (&a.check, &a.statement, a.mqtt, a.verdict) == (&b.check, &b.statement, b.mqtt, b.verdict)
}

/// The number of the line that this byte is in.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}
