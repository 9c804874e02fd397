//! Where the broker's coverage tells what it does: which case has led to new code.

use super::super::CampaignTrouble;
use super::super::coverage::{Numbered, Verdict};
use super::super::form::Tempo;
use super::super::store::cannot_write;
use super::{Hunt, Purpose};
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::corpus::Admission;
use std::collections::BTreeMap;
use tokio::time::Instant;

impl Hunt<'_> {
    /// A play has ended: takes in which edges were taken since the last one.
    pub(super) fn look_at_edges(&mut self, id: u64) {
        let Some(news) = self.coverage.as_mut().and_then(super::Coverage::look) else { return };
        // It need not be the one that has ended: what cases wait for at their end comes after what they have led to.
        let mut cases: BTreeMap<&str, Numbered> = BTreeMap::new();
        let under_way = self.played.iter().filter(|played| played.ended.is_none() || played.id == id);
        for played in under_way {
            cases.insert(played.case.text(), (played.number, Case::clone(&played.case)));
        }
        let candidates = cases.into_values().collect();
        if let Some(coverage) = &mut self.coverage {
            coverage.ask(news, candidates);
        }
    }

    /// Goes on with the trials of who has led to new edges.
    pub(super) fn try_for_edges(&mut self) -> Result<(), CampaignTrouble> {
        while let Some(verdict) = self.coverage.as_mut().and_then(super::Coverage::next) {
            match verdict {
                Verdict::Play(cases) => {
                    for (number, case) in cases {
                        self.spawn(number, case, Tempo::Hasty, Purpose::Edges);
                    }
                }
                Verdict::Found(case, news) => {
                    if self.engine.observe_news(&case, &news) != Admission::Known {
                        self.last_new = Instant::now();
                        let saved = self.engine.corpus().save_case(&case, self.store.corpus());
                        saved.map_err(|error| cannot_write(self.store.corpus(), &error))?;
                    }
                }
            }
        }
        Ok(())
    }
}
