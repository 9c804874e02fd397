//! Writes the baseline that a run would pass.

use super::entry::{Entry, StatementPattern};
use super::gate::{Use, catalogue, cite, use_of};
use super::{Baseline, Gate};
use crate::outcome::Run;
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
use serde::Serialize;
use toml::value::Datetime;

/// The reason of an entry that nobody has explained yet.
pub const UNEXPLAINED: &str = "accepted, not yet explained";

const HEADER: &str = "\
# Failures that are known. `mqtt-assay check --baseline FILE --accept` writes this file anew: it keeps the reasons,
# links and dates of what still fails, and no other comments.
";

#[derive(Serialize)]
struct File<'e> {
    known: Vec<Written<'e>>,
}

#[derive(Serialize)]
struct Written<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mqtt: Option<&'static str>,
    verdict: &'static str,
    reason: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Datetime>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    flaky: bool,
}

impl Gate {
    /// The baseline with what fails in this run, and without what fails no more. What the run did not decide stays.
    /// An entry that has expired and still fits is accepted anew, without its date. What is inconclusive is not
    /// accepted: nobody knows yet what it hides.
    #[must_use]
    pub fn accept(&self, run: &Run, strict: bool) -> Baseline {
        let catalogue = catalogue(run);
        let mut entries: Vec<Entry> = Vec::new();
        for entry in &self.baseline.entries {
            let mut kept = entry.clone();
            match use_of(entry, run, &catalogue) {
                Use::Fits if entry.has_expired(self.today) => kept.expires = None,
                Use::Stale(_) if !entry.flaky || entry.has_expired(self.today) => continue,
                Use::Fits | Use::Stale(_) | Use::Untried => {}
            }
            entries.push(kept);
        }
        for result in &run.results {
            for finding in &result.findings {
                let fails = match finding.verdict {
                    Verdict::Violates => true,
                    Verdict::Deviates => strict,
                    _ => false,
                };
                let cite = cite(finding, result);
                if !fails || entries.iter().any(|entry| entry.fits(result.check, finding.verdict, cite)) {
                    continue;
                }
                entries.push(Entry {
                    check: Some(result.check.name.to_owned()),
                    statement: cite.map(StatementPattern::exactly),
                    mqtt: None,
                    verdict: finding.verdict,
                    reason: UNEXPLAINED.to_owned(),
                    link: None,
                    expires: None,
                    flaky: false,
                    line: 0,
                });
            }
        }
        Baseline { entries }
    }
}

impl Baseline {
    /// The text of the file.
    ///
    /// # Errors
    ///
    /// Those of the TOML writer.
    pub fn text(&self) -> Result<String, toml::ser::Error> {
        let known = self.entries.iter().map(Written::of).collect();
        Ok(format!("{HEADER}\n{}", toml::to_string(&File { known })?))
    }
}

impl<'e> Written<'e> {
    fn of(entry: &'e Entry) -> Self {
        Written {
            check: entry.check.as_deref(),
            statement: entry.statement.as_ref().map(ToString::to_string),
            mqtt: entry.mqtt.map(Version::as_str),
            verdict: entry.verdict.name(),
            reason: &entry.reason,
            link: entry.link.as_deref(),
            expires: entry.expires.map(|date| Datetime { date: Some(date), time: None, offset: None }),
            flaky: entry.flaky,
        }
    }
}
