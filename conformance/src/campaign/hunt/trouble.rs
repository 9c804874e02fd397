//! Trouble with the broker's process: told, looked into, and survived.

use super::super::CampaignTrouble;
use super::super::bystander::Alarm;
use super::super::form::Form;
use super::super::ground::Fall;
use super::super::inquiry::Asked;
use super::super::lab::{Lab, RESTLESS, Suspect, Symptom};
use super::super::record::Trouble;
use super::super::vitals::{self, Vitals};
use super::{Hunt, RECENT, Resting};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// So many more descriptors than the connections explain make us look for a leak.
const DESCRIPTORS: u64 = 200;

impl Hunt<'_> {
    /// The cases that may have led to trouble with the process, the likeliest first: those under way and the last ones
    /// before, in the order in which their clients have written last.
    pub(super) fn suspects(&self, recent: Duration) -> Vec<Suspect> {
        let now = Instant::now();
        let is_recent = |ended: Instant| now.saturating_duration_since(ended) <= recent;
        let mut some: Vec<_> =
            self.played.iter().filter(|played| played.ended.is_none_or(is_recent)).collect();
        some.sort_by_key(|played| std::cmp::Reverse(played.written.load(Ordering::Relaxed)));
        some.into_iter().map(|played| (played.number, Arc::clone(&played.form))).collect()
    }

    /// The process has ended; gives whether the campaign goes on.
    pub(super) async fn fell(&mut self, fall: Fall) -> Result<bool, CampaignTrouble> {
        let symptom = Lab::symptom_of_fall(fall);
        self.trouble(symptom, self.suspects(RECENT)).await
    }

    /// The bystander is not served; gives whether the campaign goes on.
    pub(super) async fn alarmed(&mut self, alarm: Alarm) -> Result<bool, CampaignTrouble> {
        let suspects = self.suspects(self.options.hang + RECENT);
        // Nobody is served: what cases are still waiting for they wait for in vain.
        self.plays.abort_all();
        let symptom = self.lab().symptom_of(alarm).await;
        self.trouble(symptom, suspects).await
    }

    pub(super) fn lab(&mut self) -> Lab<'_> {
        Lab {
            ground: &mut self.ground,
            stage: &self.stage,
            clock: &self.clock,
            hang: self.options.hang,
            stop: self.stop.clone(),
        }
    }

    /// Something is wrong with the process; gives whether the campaign goes on.
    pub(super) async fn trouble(
        &mut self,
        symptom: Symptom,
        suspects: Vec<Suspect>,
    ) -> Result<bool, CampaignTrouble> {
        self.rest().await;
        if symptom.by_others {
            self.counts.by_others += 1;
            self.remark(format!(
                "somebody ended the broker from outside, or the system did for want of memory: {}",
                symptom.observed
            ));
        } else if let Some(record) = self.records.get_mut(&symptom.name) {
            record.seen += 1;
        } else if let Some((case, form)) = suspects.first() {
            let mut record = self.record(symptom.name.clone(), *case, form);
            record.kind = symptom.kind;
            record.expected = symptom.expected.to_owned();
            record.observed = symptom.observed.clone();
            let others: Vec<Form> =
                suspects.iter().skip(1).take(20).map(|(_, form)| Form::clone(form)).collect();
            // Whoever kills us while we look for the cause does not take that with him.
            if symptom.kind != Trouble::Leak {
                self.write(record.clone(), form, None, &symptom.output, &others)?;
            }
            // A process that grows does so again and again; whatever else is wrong with it, a fresh one has to show it.
            if self.ground.can_restart() || symptom.kind == Trouble::Leak {
                let found = self.lab().investigate(&symptom, &suspects).await?;
                record.reproduced = Some(found.is_some());
                match found {
                    Some(cause) => {
                        record.case = cause.case;
                        record.tries = cause.tries as u64;
                        record.observed = cause.symptom.observed.clone();
                        let _ = std::fs::remove_dir_all(self.store.finding(&record.name));
                        self.write(record, &cause.form, Some(&cause.play), &cause.symptom.output, &[])?;
                    }
                    // Memory that grows, and no case that makes it grow, accuses nobody.
                    None if symptom.kind == Trouble::Leak => {}
                    None => self.write(record, form, None, &symptom.output, &others)?,
                }
            }
        }
        if !self.ground.can_restart() && symptom.kind.lets_it_serve() && self.ground.pid().is_some() {
            self.memory = None;
            self.look_after();
            return Ok(true);
        }
        if !self.ground.can_restart() {
            self.remark(format!("the broker is gone, and nothing starts it again: {}", symptom.observed));
            return Ok(false);
        }
        self.ground.restart().await?;
        self.memory = None;
        self.look_after();
        Ok(true)
    }

    /// Lets go of all that is under way. Inquiries begin again.
    pub(super) async fn rest(&mut self) {
        self.bystander.abort_all();
        self.plays.abort_all();
        while self.plays.join_next().await.is_some() {}
        self.inquiries.abort_all();
        while self.inquiries.join_next().await.is_some() {}
        for inquired in std::mem::take(&mut self.inquired) {
            self.asked.push_back(Asked { name: inquired.name, case: inquired.case, form: inquired.form });
        }
        self.again();
        self.patient.clear();
        self.played.clear();
        self.accused.clear();
        if let Some(coverage) = &mut self.coverage {
            coverage.give_up();
        }
    }

    /// Looks whether the process has grown past what its connections explain; then, for a case that makes it grow.
    pub(super) async fn look_for_leaks(&mut self) -> Result<(), CampaignTrouble> {
        if self.records.contains_key(&Symptom::leak().name) {
            return Ok(());
        }
        let Some(vitals) = self.ground.pid().and_then(Vitals::of) else { return Ok(()) };
        let memory = *self.memory.get_or_insert(vitals.memory);
        let clients = mqtt_assay_fuzz_engine::case::MAX_CLIENTS as u64;
        let explained = self.options.connections as u64 * clients + DESCRIPTORS;
        if vitals.memory < memory.saturating_add(self.growth) && vitals.descriptors <= explained {
            return Ok(());
        }
        self.growth *= 2;
        let suspects = self.suspects(Duration::MAX);
        self.trouble(Symptom::leak(), suspects).await?;
        Ok(())
    }

    /// Whether it is time to let all cases come to their end, and to see whether the process rests then.
    pub(super) fn is_to_rest(&self, over: bool) -> bool {
        let is_due = |resting: Resting| self.begun.elapsed() >= resting.due || over && !resting.ended;
        self.resting.is_some_and(is_due)
            && self.ground.pid().is_some()
            && !self.records.contains_key(&Symptom::busy(0.0).name)
    }

    /// Nobody sends anything: does the process use a processor all the same, more than it did before the first case?
    pub(super) async fn look_for_rest(&mut self, over: bool) -> Result<(), CampaignTrouble> {
        let (Some(resting), Some(pid)) = (self.resting, self.ground.pid()) else { return Ok(()) };
        self.bystander.abort_all();
        // Some may have been given up.
        self.patient.clear();
        for played in &mut self.played {
            played.ended.get_or_insert_with(Instant::now);
        }
        if let Some(coverage) = &mut self.coverage {
            coverage.give_up();
        }
        let restless = vitals::restless(pid, RESTLESS, resting.usual).await;
        // The first looks come soon, and no look costs more than a small part of the time before it.
        self.resting = Some(Resting { due: self.begun.elapsed() * 2, ended: over, ..resting });
        match restless {
            Some(share) => {
                let suspects = self.suspects(Duration::MAX);
                self.trouble(Symptom::busy(share), suspects).await?;
            }
            None => self.look_after(),
        }
        Ok(())
    }
}
