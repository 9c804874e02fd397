//! Several campaigns become one: the shards of one, or those of several nights.

use super::record::Record;
use super::store::{StoreTrouble, cannot_write, read_findings, read_summary, write_whole};
use super::summary::{Ended, Found, SUMMARY_SCHEMA, Shard, Summary};
use mqtt_assay_fuzz_engine::corpus::Corpus;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Joins the corpora and findings of these campaigns in a folder, which may be one of them no more than an old result.
///
/// # Errors
///
/// One of the folders is no campaign's, or `into` cannot be written.
pub fn merge(outs: &[PathBuf], into: &Path) -> Result<Summary, StoreTrouble> {
    let mut corpus = Corpus::default();
    let mut best: BTreeMap<String, (Record, PathBuf)> = BTreeMap::new();
    let mut summaries = Vec::new();
    for out in outs {
        let summary = read_summary(out)?.ok_or_else(|| {
            StoreTrouble(format!("{} is no campaign's folder: it has no summary.json", out.display()))
        })?;
        summaries.push(summary);
        let own = out.join("corpus");
        if own.is_dir() {
            let read = Corpus::load(&own);
            corpus.merge(read.map_err(|unread| StoreTrouble(format!("cannot read the corpus: {unread}")))?);
        }
        for (name, record) in read_findings(out)? {
            let folder = out.join("findings").join(&name);
            match best.remove(&name) {
                None => drop(best.insert(name, (record, folder))),
                Some((other, others)) => {
                    let seen = record.seen.saturating_add(other.seen);
                    let (mut record, folder) =
                        if is_better(&record, &other) { (record, folder) } else { (other, others) };
                    record.seen = seen;
                    best.insert(name, (record, folder));
                }
            }
        }
    }
    corpus.save_alone(&into.join("corpus")).map_err(|error| cannot_write(into, &error))?;
    for (name, (record, folder)) in &best {
        let own = into.join("findings").join(name);
        copy(folder, &own, record).map_err(|error| cannot_write(&own, &error))?;
    }
    let summary = joined(&summaries, &corpus, best.values().map(|(record, _)| Found::of(record)).collect());
    let path = into.join("summary.json");
    serde_json::to_string_pretty(&summary)
        .map_err(io::Error::other)
        .and_then(|text| write_whole(&path, (text + "\n").as_bytes()))
        .map_err(|error| cannot_write(&path, &error))?;
    Ok(summary)
}

/// What came again is better than what did not, and a small case better than a large one.
fn is_better(one: &Record, other: &Record) -> bool {
    let rank = |record: &Record| (record.reproduced != Some(true), record.clients, record.steps, record.case);
    rank(one) < rank(other)
}

fn copy(from: &Path, to: &Path, record: &Record) -> io::Result<()> {
    if from != to {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            if entry.file_name() != "finding.json" {
                fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
    }
    let json = serde_json::to_string_pretty(record).map_err(io::Error::other)?;
    write_whole(&to.join("finding.json"), (json + "\n").as_bytes())
}

fn joined(summaries: &[Summary], corpus: &Corpus, findings: Vec<Found>) -> Summary {
    let sum = |of: fn(&Summary) -> u64| summaries.iter().map(of).fold(0, u64::saturating_add);
    let mut targets: Vec<&str> = summaries.iter().map(|summary| summary.target.as_str()).collect();
    targets.dedup();
    let mut remarks: Vec<String> = summaries.iter().flat_map(|summary| summary.remarks.clone()).collect();
    remarks.sort_unstable();
    remarks.dedup();
    Summary {
        schema: SUMMARY_SCHEMA.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        target: targets.join(", "),
        seed: summaries.first().map_or(0, |summary| summary.seed),
        shard: Shard { index: 1, of: 1 },
        ended: Ended::Merged,
        next_case: summaries.iter().map(|summary| summary.next_case).max().unwrap_or(0),
        cases: sum(|summary| summary.cases),
        packets: sum(|summary| summary.packets),
        signatures: corpus.answers() as u64,
        // Which edges they have in common nobody has written down.
        edges: summaries.iter().filter_map(|summary| summary.edges).max(),
        elapsed_ms: sum(|summary| summary.elapsed_ms),
        restarts: sum(|summary| summary.restarts),
        ended_by_others: sum(|summary| summary.ended_by_others),
        findings,
        remarks,
    }
}
