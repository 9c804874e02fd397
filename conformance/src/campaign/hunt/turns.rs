//! Cases in turns, where the broker's coverage tells what they show.

use super::super::CampaignTrouble;
use super::super::coverage::{Numbered, Turn};
use super::super::form::Tempo;
use super::super::store::cannot_write;
use super::Hunt;
use mqtt_assay_fuzz_engine::corpus::Admission;
use std::collections::VecDeque;
use tokio::time::Instant;

impl Hunt<'_> {
    /// A turn ends when all its plays have: then the next one begins.
    pub(super) fn take_turns(&mut self) -> Result<(), CampaignTrouble> {
        let Some(coverage) = self.coverage.as_mut().filter(|_| self.plays.is_empty()) else { return Ok(()) };
        let took = self.turned.elapsed();
        let next = match std::mem::take(&mut coverage.turn) {
            // What is known already shows which edges are.
            Turn::Begin => {
                let number = self.engine.next_number();
                self.engine.corpus().cases().into_iter().map(|case| (number, case.clone())).collect()
            }
            Turn::Patient => {
                coverage.patient += took;
                VecDeque::new()
            }
            Turn::Group(cases) => {
                coverage.hasty += took;
                if coverage.group_is_news() { cases.into() } else { VecDeque::new() }
            }
            Turn::Alone(case, rest) => {
                if let Some(news) = coverage.learn()
                    && self.engine.observe_news(&case, &news) != Admission::Known
                {
                    self.last_new = Instant::now();
                    let saved = self.engine.corpus().save_case(&case, self.store.corpus());
                    saved.map_err(|error| cannot_write(self.store.corpus(), &error))?;
                }
                rest
            }
        };
        self.begin_turn(next);
        Ok(())
    }

    /// Plays the first of these cases alone; without any, as many new ones as a turn has.
    fn begin_turn(&mut self, mut alone: VecDeque<Numbered>) {
        self.turned = Instant::now();
        if let Some(coverage) = &mut self.coverage {
            coverage.clear();
            if let Some((number, case)) = alone.pop_front() {
                coverage.turn = Turn::Alone(case.clone(), alone);
                return self.spawn(number, case, Tempo::Hasty);
            }
        }
        // A third of the time is theirs who wait.
        let patient = self.coverage.as_ref().is_some_and(|coverage| coverage.patient < coverage.hasty / 2);
        let room = match &self.coverage {
            Some(coverage) if !patient => coverage.group,
            _ => self.options.connections,
        };
        let tempo = if patient { Tempo::Patient } else { Tempo::Hasty };
        let mut group = Vec::new();
        while group.len() < room && self.options.cases.is_none_or(|cases| self.counts.begun < cases) {
            self.counts.begun += 1;
            let number = self.engine.next_number();
            let case = self.engine.next_case();
            group.push((number, case.clone()));
            self.spawn(number, case, tempo);
        }
        if let Some(coverage) = &mut self.coverage {
            coverage.turn = if patient { Turn::Patient } else { Turn::Group(group) };
        }
    }
}
