//! Whether runs of one broker come to the same verdicts.

use mqtt_assay::report::json::Report;
use mqtt_assay::verdict::Verdict;
use std::collections::BTreeMap;

/// A check whose verdict is not that of the other runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The check.
    pub check: String,
    /// The version of MQTT.
    pub version: String,
    /// The verdict of each run; `None` where the run has none.
    pub verdicts: Vec<Option<Verdict>>,
    /// What the runs found, each sentence once.
    pub observed: Vec<String>,
}

/// What differs between runs, in the order of their results.
pub fn differences(runs: &[Report]) -> Vec<Difference> {
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut seen: BTreeMap<(&str, &str), Vec<Option<Verdict>>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        for entry in &run.results {
            let key = (entry.check.as_str(), entry.version.as_str());
            let verdicts = seen.entry(key).or_insert_with(|| {
                order.push(key);
                vec![None; runs.len()]
            });
            if let Some(place) = verdicts.get_mut(index) {
                *place = Some(entry.verdict);
            }
        }
    }
    let mut differences = Vec::new();
    for key in order {
        let Some(verdicts) = seen.remove(&key) else { continue };
        if verdicts.windows(2).all(|pair| pair[0] == pair[1]) {
            continue;
        }
        let mut observed: Vec<String> = Vec::new();
        let entries = runs.iter().flat_map(|run| &run.results);
        for finding in entries.filter(|entry| (entry.check.as_str(), entry.version.as_str()) == key) {
            let new =
                finding.findings.iter().map(|finding| format!("{}: {}", finding.verdict, finding.observed));
            observed.extend(new.filter(|sentence| !observed.contains(sentence)).collect::<Vec<_>>());
        }
        let (check, version) = (key.0.to_owned(), key.1.to_owned());
        differences.push(Difference { check, version, verdicts, observed });
    }
    differences
}

impl Difference {
    /// Whether the runs that come to a verdict come to the same.
    pub fn agrees_where_judged(&self) -> bool {
        let mut verdicts =
            self.verdicts.iter().flatten().filter(|verdict| **verdict != Verdict::Inconclusive);
        let first = verdicts.next();
        first.is_some() && verdicts.all(|verdict| Some(verdict) == first)
    }

    /// `qos_2/x (5.0): conforms, violates, conforms`
    pub fn told(&self) -> String {
        let verdicts: Vec<&str> =
            self.verdicts.iter().map(|verdict| verdict.map_or("no result", Verdict::name)).collect();
        format!("{} ({}): {}", self.check, self.version, verdicts.join(", "))
    }
}
