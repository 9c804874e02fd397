//! What a campaign comes to, written while it goes on and at its end.

use super::super::CampaignTrouble;
use super::super::coverage::Coverage;
use super::super::store::{StoreTrouble, cannot_write, write_whole};
use super::super::summary::{Ended, Found, SUMMARY_SCHEMA, Summary};
use super::Hunt;
use std::collections::BTreeSet;

impl Hunt<'_> {
    fn summary(&self, ended: Ended) -> Summary {
        let before = |of: fn(&Summary) -> u64| self.earlier.as_ref().map_or(0, of);
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let remarks = self.earlier.iter().flat_map(|earlier| earlier.remarks.iter()).chain(&self.remarks);
        // A case that was begun and not learnt from is played again.
        let next = self.played.iter().find(|played| played.ended.is_none()).map(|played| played.number);
        Summary {
            schema: SUMMARY_SCHEMA.to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            target: self.options.target.to_string(),
            seed: self.options.seed,
            shard: self.options.shard,
            ended,
            next_case: next.unwrap_or_else(|| self.engine.next_number()),
            cases: before(|earlier| earlier.cases) + self.counts.cases,
            packets: before(|earlier| earlier.packets) + self.counts.packets,
            signatures: self.engine.corpus().answers() as u64,
            edges: self.coverage.as_ref().map(Coverage::taken),
            elapsed_ms: before(|earlier| earlier.elapsed_ms).saturating_add(elapsed),
            restarts: before(|earlier| earlier.restarts) + self.ground.restarts,
            ended_by_others: before(|earlier| earlier.ended_by_others) + self.counts.by_others,
            findings: self.records.values().map(Found::of).collect(),
            remarks: remarks.cloned().collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }

    pub(super) fn write_summary(&self, ended: Ended) -> Result<(), StoreTrouble> {
        self.store.write_summary(&self.summary(ended))
    }

    /// Writes all that is to stay.
    pub(super) fn finish(&mut self, ended: Ended) -> Result<Summary, CampaignTrouble> {
        self.tell_status();
        let saved = self.engine.corpus().save_alone(self.store.corpus());
        saved.map_err(|error| cannot_write(self.store.corpus(), &error))?;
        for record in self.records.values() {
            // How many cases have shown it was counted on.
            let path = self.store.finding(&record.name).join("finding.json");
            let json = serde_json::to_string_pretty(record).map_err(std::io::Error::other);
            json.and_then(|json| write_whole(&path, (json + "\n").as_bytes()))
                .map_err(|error| cannot_write(&path, &error))?;
        }
        let summary = self.summary(ended);
        self.store.write_summary(&summary)?;
        Ok(summary)
    }
}
