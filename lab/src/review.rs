//! Reviews: why a broker that is said to violate a statement does so under every reading. `reviews.toml` in the broker's
//! folder has them.
//!
//! ```toml
//! [[review]]
//! statement = "3.1.1/MQTT-3.3.5-1"                # or several
//! checks = ["publish/overlapping_subscriptions_get_highest_qos"]
//! does = "A message for two subscriptions of a Client, QoS 0 and 2, comes once, with QoS 0."
//! because = "…"
//! judgement = "just"
//! tracker = "https://…"                           # where it is known
//!
//! [[varies]]                                      # what does not come out alike in each run
//! statement = "3.1.1/MQTT-3.3.1-7"                # or several; or left out, for all that the checks say
//! checks = ["retained/gives_way_to_qos_0"]
//! because = "…"
//! inconclusive = true                             # only that some runs come to no verdict; else left out
//!
//! [[pass]]                                        # what was likely to be violated, and is not
//! statement = "3.1.1/MQTT-3.1.2-8"
//! checks = ["will/published_when_connection_is_lost"]
//! suspected = "…"
//! source = "https://…"
//! shows = "…"
//! ```

use crate::broker::{Broker, parsed};
use crate::places::Places;
use crate::results::{Accusation, accusations};
use crate::stability::Difference;
use mqtt_assay::report::json::{Entry, Found, Report};
use mqtt_assay::verdict::Verdict;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// In the place of a check: whichever is under way when the broker troubles those who have nothing to do with it.
const ANY_CHECK: &str = "*";

/// What one who has read the packets says of an accusation.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The statements that are violated, with their versions.
    #[serde(rename = "statement", deserialize_with = "one_or_several")]
    pub statements: Vec<String>,
    /// The checks that say so; `*` for whichever does.
    pub checks: Vec<String>,
    /// What the broker does.
    pub does: String,
    /// Why the specification allows no other reading.
    pub because: String,
    /// What is thought of it.
    pub judgement: Judgement,
    /// Where it is reported to those who make the broker.
    pub tracker: Option<String>,
}

/// What is thought of an accusation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
pub enum Judgement {
    /// It would stand before those who make the broker.
    #[serde(rename = "just")]
    Just,
    /// It stands, and harms hardly anybody.
    #[serde(rename = "by the letter")]
    ByTheLetter,
    /// The check is wrong, and has to be mended.
    #[serde(rename = "ours")]
    Ours,
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Judgement::Just => "just",
            Judgement::ByTheLetter => "by the letter",
            Judgement::Ours => "ours",
        })
    }
}

fn one_or_several<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Either::deserialize(from)? {
        Either::One(one) => vec![one],
        Either::Several(several) => several,
    })
}

/// Checks that do not come out alike in each run of a broker.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Varies {
    /// The statements that are violated in some runs only; none for whatever the checks say.
    #[serde(default, rename = "statement", deserialize_with = "one_or_several")]
    pub statements: Vec<String>,
    /// The checks.
    pub checks: Vec<String>,
    /// What in the broker, or in the machine, decides it: as the packets show.
    pub because: String,
    /// Whether it is only that some runs come to no verdict: those that do have to agree.
    #[serde(default)]
    pub inconclusive: bool,
}

/// Something that the broker was likely to do wrong: the packets were read, and it keeps the statement.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    /// The statements that are kept, with their versions.
    #[serde(rename = "statement", deserialize_with = "one_or_several")]
    pub statements: Vec<String>,
    /// The checks that say so.
    pub checks: Vec<String>,
    /// Why a breach was likely.
    pub suspected: String,
    /// Where that is said: documentation, source or tracker.
    pub source: String,
    /// What the packets show.
    pub shows: String,
}

/// The reviews of a broker.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviews {
    /// In the order of the file.
    #[serde(default, rename = "review")]
    pub all: Vec<Review>,
    /// What differs between runs, explained.
    #[serde(default)]
    pub varies: Vec<Varies>,
    /// What was suspected and is kept.
    #[serde(default, rename = "pass")]
    pub passes: Vec<Pass>,
}

impl Reviews {
    /// Reads the reviews of a broker; a broker without any violates nothing.
    ///
    /// # Errors
    ///
    /// The file is wrong: one sentence.
    pub fn read(places: &Places, broker: &Broker) -> Result<Reviews, String> {
        let path = places.root().join(broker.file("reviews.toml"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Reviews::default()),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        parsed(&path, &text)
    }

    /// The review of a statement as a check shows it, with its place in the file.
    pub fn of(&self, statement: &str, check: &str) -> Option<(usize, &Review)> {
        self.all.iter().enumerate().find(|(_, review)| review.covers(statement, check))
    }

    /// Why a check does not come out alike in each run; `None` if it should.
    pub fn varies(&self, difference: &Difference) -> Option<&str> {
        let allows = |varies: &&Varies| {
            varies.is_about(&difference.check) && (!varies.inconclusive || difference.agrees_where_judged())
        };
        self.varies.iter().find(allows).map(|varies| varies.because.as_str())
    }

    /// Why what a review is about does not show in each run.
    pub fn varies_of(&self, review: &Review) -> impl Iterator<Item = &str> {
        let about = |varies: &&Varies| {
            let explains =
                |check: &String| review.statements.iter().any(|statement| varies.explains(statement, check));
            review.checks.iter().any(explains)
        };
        self.varies.iter().filter(about).map(|varies| varies.because.as_str())
    }

    /// The accusations of these results that nobody has reviewed: statement and check, with one that shows it.
    pub fn lacking<'a>(
        &self,
        reports: impl IntoIterator<Item = &'a Report>,
    ) -> BTreeMap<(&'a str, &'a str), Accusation<'a>> {
        let mut lacking = BTreeMap::new();
        for accusation in reports.into_iter().flat_map(accusations) {
            let check = accusation.entry.check.as_str();
            if self.of(accusation.statement, check).is_none() {
                lacking.entry((accusation.statement, check)).or_insert(accusation);
            }
        }
        lacking
    }

    /// What is reviewed and not violated in these results, though it is in each run: statements and checks, in the
    /// order of the file.
    pub fn idle<'a>(&self, reports: impl IntoIterator<Item = &'a Report>) -> Vec<String> {
        let shown: BTreeSet<(&str, &str)> = reports
            .into_iter()
            .flat_map(accusations)
            .map(|accusation| (accusation.statement, accusation.entry.check.as_str()))
            .collect();
        let mut idle = Vec::new();
        let always = |statement: &String, check: &String| {
            !self.varies.iter().any(|varies| varies.explains(statement, check))
        };
        let shows = |statement: &String, check: &String| {
            shown.iter().any(|(own, by)| own == statement && (by == check || check == ANY_CHECK))
        };
        for review in &self.all {
            let wanting =
                |statement: &String, check: &String| always(statement, check) && !shows(statement, check);
            for statement in &review.statements {
                if review.checks.iter().all(|check| wanting(statement, check)) {
                    idle.push(format!("{statement} by {}", review.checks.join(", ")));
                }
            }
            for check in &review.checks {
                if review.statements.iter().all(|statement| wanting(statement, check)) {
                    idle.push(format!("{} by {check}", review.statements.join(", ")));
                }
            }
        }
        idle.dedup();
        idle
    }
}

impl Varies {
    /// Whether it tells why a check shows a breach of this statement in some runs only.
    fn explains(&self, statement: &String, check: &str) -> bool {
        !self.inconclusive
            && self.is_about(check)
            && (self.statements.is_empty() || self.statements.contains(statement))
    }

    /// Whether it names a check; a `*` at the end of a name stands for any rest.
    fn is_about(&self, check: &str) -> bool {
        self.checks.iter().any(|own| match own.strip_suffix('*') {
            Some(begin) => check.starts_with(begin),
            None => own == check,
        })
    }
}

impl Pass {
    /// The checks of it that do not say in these results that each of its statements is kept.
    pub fn not_so<'a>(&'a self, reports: &[&'a Report]) -> Vec<&'a str> {
        let says = |check: &str, statement: &String| {
            let version = statement.split('/').next().unwrap_or_default();
            let decides = |entry: &&Entry| entry.check == check && entry.version == version;
            let mut entries = reports.iter().flat_map(|report| &report.results).filter(decides).peekable();
            entries.peek().is_some()
                && entries.all(|entry| {
                    let accused = |found: &Found| found.verdict == Verdict::Violates;
                    entry.statements.contains(statement) && !entry.findings.iter().any(accused)
                })
        };
        let keeps = |check: &&String| self.statements.iter().all(|statement| says(check, statement));
        self.checks.iter().filter(|check| !keeps(check)).map(String::as_str).collect()
    }
}

impl Review {
    fn covers(&self, statement: &str, check: &str) -> bool {
        let named = |own: &String| own == check || own == ANY_CHECK;
        self.statements.iter().any(|own| own == statement) && self.checks.iter().any(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(verdicts: &[Verdict]) -> Difference {
        Difference {
            check: "will/retained".to_owned(),
            version: "5.0".to_owned(),
            verdicts: verdicts.iter().copied().map(Some).collect(),
            observed: Vec::new(),
        }
    }

    #[test]
    fn runs_without_a_verdict_are_explained_apart_from_those_that_contradict() {
        use Verdict::{Conforms, Inconclusive, Violates};
        let slow = "[[varies]]\nchecks = [\"*\"]\nbecause = \"slow\"\ninconclusive = true\n";
        let slow: Reviews = toml::from_str(slow).expect("it is in order");
        let races: Reviews = toml::from_str("[[varies]]\nchecks = [\"will/*\"]\nbecause = \"a race\"\n")
            .expect("it is in order");
        let silent = differs(&[Conforms, Inconclusive, Conforms]);
        let contradicts = differs(&[Conforms, Inconclusive, Violates]);
        assert_eq!(slow.varies(&silent), Some("slow"));
        assert_eq!(slow.varies(&contradicts), None);
        assert_eq!(races.varies(&contradicts), Some("a race"));
        assert!(!slow.varies[0].explains(&"5.0/MQTT-3.1.2-15".to_owned(), "will/retained"));
    }
}
