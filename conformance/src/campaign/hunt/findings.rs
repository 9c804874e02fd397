//! What the rules accuse: kept, looked into, confirmed.

use super::super::CampaignTrouble;
use super::super::Progress;
use super::super::folder::{self, Evidence};
use super::super::form::{Form, Tempo};
use super::super::inquiry::{Asked, Inquired, confirm_alone, inquire};
use super::super::record::{FINDING_SCHEMA, Record, Trouble, cited};
use super::super::stage::Play;
use super::super::store::cannot_write;
use super::{Hunt, INQUIRIES};
use crate::replay::SCRIPT;
use futures_util::future::join_all;
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::finding::Key;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;

/// So many further cases are tried of a finding that has not come again; then one each time that it has been seen twice
/// as often.
const TRIED_AGAIN: u32 = 6;

impl Hunt<'_> {
    /// Findings that nobody has tried again, and nobody is about to, are tried.
    pub(super) fn again(&mut self) {
        let waiting: BTreeSet<&str> = self.asked.iter().map(|asked| asked.name.as_str()).collect();
        let forgotten = self.records.values().filter(|record| {
            let untried = record.reproduced.is_none() && !record.kind.is_of_process();
            untried && !waiting.contains(record.name.as_str())
        });
        let asked: Vec<Asked> = forgotten
            .filter_map(|record| {
                let script = std::fs::read_to_string(self.store.finding(&record.name).join(SCRIPT));
                let case: Case = script.ok()?.parse().ok()?;
                let tempo = if record.patient { Tempo::Patient } else { Tempo::Hasty };
                Some(Asked { name: record.name.clone(), case: record.case, form: Form::new(&case, tempo) })
            })
            .collect();
        self.asked.extend(asked);
    }

    /// Takes in what the rules accuse, as far as the broker was well.
    pub(super) fn accuse(&mut self) -> Result<(), CampaignTrouble> {
        while self.accused.front().is_some_and(|(ended, ..)| self.served.after(*ended)) {
            if let Some((_, number, form, play)) = self.accused.pop_front() {
                self.find(number, &form, &play)?;
            }
        }
        Ok(())
    }

    pub(super) fn find(&mut self, number: u64, form: &Form, play: &Play) -> Result<(), CampaignTrouble> {
        let mut named = BTreeSet::new();
        for accusation in &play.accusations {
            let name = Key::of(accusation).to_string();
            if !named.insert(name.clone()) {
                continue;
            }
            if let Some(record) = self.records.get_mut(&name) {
                record.seen += 1;
                // One case shows now and then what another shows each time.
                let tried = self.tried.entry(name.clone()).or_default();
                let again = *tried < TRIED_AGAIN || record.seen.is_power_of_two();
                if record.reproduced == Some(false) && again {
                    *tried += 1;
                    record.reproduced = None;
                    self.asked.push_back(Asked { name, case: number, form: form.clone() });
                }
                continue;
            }
            let mut record = self.record(name, number, form);
            record.kind = if accusation.deviates { Trouble::Deviation } else { Trouble::WrongAnswer };
            record.statements = cited(accusation);
            record.rule = Some(accusation.rule.to_owned());
            record.version = Some(accusation.version.to_string());
            record.expected = accusation.expected.clone();
            record.observed = accusation.observed.clone();
            self.asked.push_back(Asked { name: record.name.clone(), case: number, form: form.clone() });
            self.write(record, form, Some(play), &[], &[])?;
        }
        Ok(())
    }

    /// A record with what all have in common.
    pub(super) fn record(&self, name: String, case: u64, form: &Form) -> Record {
        let script = self.store.finding(&name).join(SCRIPT);
        let promptness = self.options.promptness.as_secs_f64();
        let mut record = Record {
            schema: FINDING_SCHEMA.to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            kind: Trouble::WrongAnswer,
            statements: Vec::new(),
            rule: None,
            version: None,
            expected: String::new(),
            observed: String::new(),
            case,
            seed: self.options.seed,
            seen: 1,
            reproduced: None,
            tries: 0,
            patient: false,
            clients: 0,
            steps: 0,
            target: self.options.target.to_string(),
            replay: format!(
                "mqtt-assay replay {}{} --promptness {promptness}",
                crate::cli::quoted(&script.display().to_string()),
                self.options.broker
            ),
            reproducer: false,
            capture: false,
            output: Vec::new(),
            name,
        };
        record.of_form(form);
        record
    }

    /// Keeps a finding, on disk first of all.
    pub(super) fn write(
        &mut self,
        mut record: Record,
        form: &Form,
        play: Option<&Play>,
        output: &[String],
        suspects: &[Form],
    ) -> Result<(), CampaignTrouble> {
        /// So many lines stand in the record.
        const LINES: usize = 40;
        record.output = output[output.len().saturating_sub(LINES)..].to_vec();
        record.of_form(form);
        let folder = self.store.finding(&record.name);
        let evidence = Evidence {
            form,
            promptness: self.options.promptness,
            history: play.map(|play| (&play.history, &play.mark)),
            accusation: play.and_then(|play| play.accusation(&record.name)),
            output,
            suspects,
        };
        folder::write(&folder, &mut record, &evidence).map_err(|error| cannot_write(&folder, &error))?;
        (self.watcher)(Progress::Finding(&record));
        self.records.insert(record.name.clone(), record);
        Ok(())
    }

    /// Has findings looked into.
    pub(super) fn ask(&mut self) {
        while self.inquiries.len() < INQUIRIES
            && let Some(asked) = self.asked.pop_front()
        {
            self.inquiries.spawn(inquire(Arc::clone(&self.stage), asked));
        }
    }

    /// Takes in what was found out of a finding.
    pub(super) fn hear(&mut self, inquired: Inquired) -> Result<(), CampaignTrouble> {
        if inquired.shown.is_some() {
            self.inquired.push(inquired);
            return Ok(());
        }
        self.settle(inquired)
    }

    /// With nothing else going on, findings are played for the last time: side by side, which is little to ask.
    pub(super) async fn confirm(&mut self) -> Result<(), CampaignTrouble> {
        self.confirmed = Instant::now();
        let inquired = std::mem::take(&mut self.inquired);
        let confirmed = join_all(inquired.into_iter().map(|one| confirm_alone(&self.stage, one))).await;
        confirmed.into_iter().try_for_each(|one| self.settle(one))
    }

    pub(super) fn settle(&mut self, inquired: Inquired) -> Result<(), CampaignTrouble> {
        let Inquired { name, case, form, shown, tries } = inquired;
        let Some(mut record) = self.records.remove(&name) else { return Ok(()) };
        record.reproduced = Some(shown.is_some());
        record.tries = tries as u64;
        let Some(play) = shown else { return self.rewrite(record) };
        record.case = case;
        if let Some(accusation) = play.accusation(&name) {
            record.expected = accusation.expected.clone();
            record.observed = accusation.observed.clone();
        }
        self.write(record, &form, Some(&play), &[], &[])
    }

    /// Keeps what is known of a finding now, beside the script and the packets that showed it first.
    fn rewrite(&mut self, record: Record) -> Result<(), CampaignTrouble> {
        let folder = self.store.finding(&record.name);
        folder::write_record(&folder, &record).map_err(|error| cannot_write(&folder, &error))?;
        (self.watcher)(Progress::Finding(&record));
        self.records.insert(record.name.clone(), record);
        Ok(())
    }
}
