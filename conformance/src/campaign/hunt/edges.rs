//! Where the broker's coverage tells what it does: which case has led to new code.

use super::super::CampaignTrouble;
use super::super::coverage::{Numbered, Verdict};
use super::super::form::Tempo;
use super::super::store::cannot_write;
use super::{Hunt, Purpose};
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::corpus::Admission;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use tokio::time::Instant;

impl Hunt<'_> {
    /// Takes in which edges were taken since the last look: one of the cases has led to them whose clients have written
    /// since.
    pub(super) fn look_at_edges(&mut self) {
        let Some(coverage) = &mut self.coverage else { return };
        let news = coverage.look();
        let mut cases: BTreeMap<&str, Numbered> = BTreeMap::new();
        for played in self.played.iter_mut().filter(|played| played.ended.is_none()) {
            let written = played.written.load(Ordering::Relaxed);
            if news.is_some() && written != played.seen {
                cases.insert(played.case.text(), (played.number, Case::clone(&played.case)));
            }
            // The broker may answer the last of it a little later.
            played.seen = std::mem::replace(&mut played.before, written);
        }
        let candidates = cases.into_values().collect();
        if let Some(news) = news {
            coverage.ask(news, candidates);
        }
    }

    /// Goes on with the trials of who has led to new edges.
    pub(super) fn try_for_edges(&mut self) -> Result<(), CampaignTrouble> {
        while let Some(verdict) = self.coverage.as_mut().and_then(super::Coverage::next) {
            match verdict {
                Verdict::Play(round, cases) => {
                    for (number, case) in cases {
                        self.spawn(number, case, Tempo::Hasty, Purpose::Edges(round));
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
