//! The campaign itself: which case is played when, and what becomes of what it shows.

use super::bystander::{self, Alarm};
use super::folder::{self, Evidence};
use super::form::{Form, Tempo};
use super::ground::{Fall, Ground};
use super::inquiry::{Inquired, confirm_alone, inquire};
use super::lab::{Lab, Suspect, Symptom};
use super::plain::Plain;
use super::record::{FINDING_SCHEMA, Record, Trouble, cited};
use super::stage::{Play, Stage};
use super::store::{Store, StoreTrouble, cannot_write};
use super::summary::{Ended, Found, SUMMARY_SCHEMA, Summary};
use super::vitals::Vitals;
use super::{CampaignTrouble, Options, Progress, Status};
use crate::run::{Clock, SetUp};
use futures_util::future::join_all;
use mqtt_assay_codec::Version;
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::campaign::{Campaign, Plan};
use mqtt_assay_fuzz_engine::corpus::Admission;
use mqtt_assay_fuzz_engine::finding::Key;
use mqtt_assay_fuzz_engine::generate::Generator;
use mqtt_assay_fuzz_engine::place::Mark;
use mqtt_assay_fuzz_engine::signature::Signature;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Between two looks at the process, and two words to whoever watches.
const TICK: Duration = Duration::from_millis(100);
/// Between two writings of the summary.
const WRITING: Duration = Duration::from_secs(1);
/// A case that ended so shortly before the broker fell may be the cause.
const RECENT: Duration = Duration::from_secs(1);
/// So many of the last cases are remembered.
const REMEMBERED: usize = 400;
/// Between two times at which findings are confirmed with nothing else going on.
const CONFIRMING: Duration = Duration::from_secs(600);
/// So many findings are looked into side by side.
const INQUIRIES: usize = 3;
/// So much more memory makes us look for a leak; a look that finds none doubles it.
const GROWTH: u64 = 24 << 20;
/// So many more descriptors than the connections explain do so, too.
const DESCRIPTORS: u64 = 200;

/// What came of one case.
struct Done {
    id: u64,
    case: Case,
    play: Play,
    signature: Signature,
}

/// A case that is being played, or was a moment ago.
struct Played {
    number: u64,
    form: Arc<Form>,
    ended: Option<Instant>,
}

/// The arguments to whoever watches.
type Watcher<'a> = &'a mut (dyn FnMut(Progress<'_>) + Send);

/// Hunts until the time is over, the cases are played, or `stop` turns true.
///
/// # Errors
///
/// The broker cannot be reached, or does not start; or the folders cannot be written to.
pub async fn run(
    options: &Options,
    stop: watch::Receiver<bool>,
    watcher: Watcher<'_>,
) -> Result<Summary, CampaignTrouble> {
    let store = Store::open(&options.out, options.corpus.as_deref())?;
    let earlier = earlier(options, &store)?;
    let (mut ground, address, credentials) = Ground::prepare(options).await?;
    let mut stage = Stage {
        address,
        credentials,
        version: Version::V3_1_1,
        promptness: options.promptness,
        marks: AtomicU64::new(options.nonce % Mark::COUNT),
        strict: options.strict,
        minimising: options.minimising,
    };
    let versions = match versions(&stage, options.hang).await {
        Ok(versions) => versions,
        Err(trouble) => return Err(ground.end_after(trouble).await.into()),
    };
    stage.version = versions.iter().copied().find(|version| *version != Version::V3_1).unwrap_or(versions[0]);
    let first = earlier.as_ref().map_or(u64::from(options.shard.index - 1), |earlier| earlier.next_case);
    let generator = Generator { versions, workload_percent: 35, closing: Duration::ZERO };
    let stride = u64::from(options.shard.of);
    let plan = Plan { generator, placed: true, first, stride, ..Plan::default() };
    let engine = Campaign::resume(plan, options.seed, store.load_corpus()?);
    let records = if earlier.is_some() { store.findings()? } else { BTreeMap::new() };
    let clock = Arc::new(Clock::default());
    let mut ticks = JoinSet::new();
    let own = Arc::clone(&clock);
    ticks.spawn(async move { own.tick().await });
    let (alarms, alarmed) = mpsc::channel(1);
    let mut hunt = Hunt {
        options,
        stage: Arc::new(stage),
        ground,
        store,
        engine,
        clock,
        begun: Instant::now(),
        last_new: Instant::now(),
        confirmed: Instant::now(),
        records,
        plays: JoinSet::new(),
        played: VecDeque::new(),
        patient: BTreeSet::new(),
        inquiries: JoinSet::new(),
        asked: VecDeque::new(),
        inquired: Vec::new(),
        bystander: JoinSet::new(),
        alarms,
        alarmed,
        counts: Counts::default(),
        earlier,
        memory: None,
        growth: GROWTH,
        remarks: BTreeSet::new(),
        watcher,
    };
    hunt.again();
    let ended = hunt.hunt(stop).await?;
    let summary = hunt.finish(ended)?;
    hunt.ground.end().await;
    Ok(summary)
}

/// What was there before, if the campaign is to go on with it.
fn earlier(options: &Options, store: &Store) -> Result<Option<Summary>, StoreTrouble> {
    let out = options.out.display();
    match store.summary()? {
        None => Ok(None),
        Some(_) if !options.resume => Err(StoreTrouble(format!(
            "{out} has the results of an earlier campaign; go on with it by --resume, or choose another folder with \
             --out"
        ))),
        Some(summary) if summary.seed != options.seed || summary.shard != options.shard => {
            Err(StoreTrouble(format!(
                "the campaign in {out} has --seed {} and --shard {}/{}; --resume goes on with the same only",
                summary.seed, summary.shard.index, summary.shard.of
            )))
        }
        Some(summary) => Ok(Some(summary)),
    }
}

/// The versions that the broker accepts.
async fn versions(stage: &Stage, patience: Duration) -> Result<Vec<Version>, SetUp> {
    let mut accepted = Vec::new();
    let mut last = String::new();
    for version in [Version::V5, Version::V3_1_1, Version::V3_1] {
        let identifier = format!("{}greets", stage.mark());
        match Plain::connect(&stage.address, version, &identifier, &stage.credentials, patience).await {
            Ok(plain) => {
                plain.leave().await;
                accepted.push(version);
            }
            Err(error) => last = error.to_string(),
        }
    }
    if accepted.is_empty() {
        return Err(SetUp::Broker(format!(
            "the broker accepts no CONNECT of MQTT 5.0, 3.1.1 or 3.1 ({last}); is it an MQTT broker, and does it want \
             --user and --password?"
        )));
    }
    Ok(accepted)
}

#[derive(Default)]
struct Counts {
    begun: u64,
    cases: u64,
    packets: u64,
    by_others: u64,
}

struct Hunt<'a> {
    options: &'a Options,
    stage: Arc<Stage>,
    ground: Ground,
    store: Store,
    engine: Campaign,
    clock: Arc<Clock>,
    begun: Instant,
    last_new: Instant,
    confirmed: Instant,
    /// What was found, by name.
    records: BTreeMap<String, Record>,
    plays: JoinSet<Done>,
    /// The cases under way and the last ones before them, in the order in which they began.
    played: VecDeque<Played>,
    /// The numbers of the plays under way that are played with patience.
    patient: BTreeSet<u64>,
    inquiries: JoinSet<Inquired>,
    /// What is to be looked into.
    asked: VecDeque<(String, Form)>,
    /// What is to be confirmed with nothing else going on.
    inquired: Vec<Inquired>,
    bystander: JoinSet<()>,
    alarms: mpsc::Sender<Alarm>,
    alarmed: mpsc::Receiver<Alarm>,
    counts: Counts,
    earlier: Option<Summary>,
    /// The memory that the process had when it was looked at last.
    memory: Option<u64>,
    growth: u64,
    remarks: BTreeSet<String>,
    watcher: Watcher<'a>,
}

impl Hunt<'_> {
    /// Findings of an earlier run that nobody has tried again are tried now.
    fn again(&mut self) {
        for record in self.records.values().filter(|record| record.reproduced.is_none()) {
            let script = std::fs::read_to_string(self.store.finding(&record.name).join("script.mqtt"));
            let case = script.ok().and_then(|text| text.parse::<Case>().ok());
            if let (Some(case), false) = (case, record.kind.is_of_process()) {
                let tempo = if record.patient { Tempo::Patient } else { Tempo::Hasty };
                self.asked.push_back((record.name.clone(), Form::new(&case, tempo)));
            }
        }
    }

    async fn hunt(&mut self, stop: watch::Receiver<bool>) -> Result<Ended, CampaignTrouble> {
        let end = self.options.time.and_then(|time| self.begun.checked_add(time));
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut written = Instant::now();
        self.write_summary(Ended::Running)?;
        self.look_after();
        let mut stopping = stop.clone();
        let stopped = async {
            if stopping.wait_for(|stop| *stop).await.is_err() {
                // Nobody is left who could stop it.
                std::future::pending::<()>().await;
            }
        };
        tokio::pin!(stopped);
        loop {
            let over = end.is_some_and(|end| Instant::now() >= end)
                || self.options.cases.is_some_and(|cases| self.counts.begun >= cases)
                || self.options.findings.is_some_and(|findings| self.records.len() >= findings);
            // Now and then, and in the end, what was found has to come again with nothing else going on.
            let confirms = self.confirmed.elapsed() >= CONFIRMING && !self.inquired.is_empty();
            if over && self.options.cases.is_none_or(|cases| self.counts.begun < cases) {
                self.plays.abort_all();
            }
            if !over && !confirms {
                self.fill();
            }
            self.ask();
            let asks = !self.inquiries.is_empty() || !self.asked.is_empty();
            if self.plays.is_empty() && (confirms || over && !asks) {
                self.confirm().await?;
                if over && !asks {
                    return Ok(Ended::Done);
                }
            }
            tokio::select! {
                biased;
                () = &mut stopped => return Ok(Ended::Stopped),
                fall = self.ground.fall() => {
                    if !self.fell(fall).await? {
                        return Ok(Ended::BrokerGone);
                    }
                }
                Some(alarm) = self.alarmed.recv() => {
                    if !self.alarmed(alarm).await? {
                        return Ok(Ended::BrokerGone);
                    }
                }
                Some(done) = self.plays.join_next() => {
                    if let Ok(done) = done {
                        self.learn(done)?;
                    }
                }
                Some(inquired) = self.inquiries.join_next(), if !self.inquiries.is_empty() => {
                    if let Ok(inquired) = inquired {
                        self.hear(inquired)?;
                    }
                }
                _ = tick.tick() => {
                    self.tell_status();
                    self.look_for_leaks().await?;
                    if written.elapsed() >= WRITING {
                        written = Instant::now();
                        self.write_summary(Ended::Running)?;
                    }
                }
            }
        }
    }

    /// Sets the bystander to its work.
    fn look_after(&mut self) {
        self.bystander.abort_all();
        while self.alarmed.try_recv().is_ok() {}
        let (stage, clock) = (Arc::clone(&self.stage), Arc::clone(&self.clock));
        self.bystander.spawn(bystander::watch(stage, clock, self.options.hang, self.alarms.clone()));
    }

    /// Begins as many cases as there is room for. Half of the room is for those that wait, so that the others have a way
    /// past them.
    fn fill(&mut self) {
        let room = self.options.connections;
        let for_patient = (room / 2).max(1);
        while self.plays.len() < room && self.options.cases.is_none_or(|cases| self.counts.begun < cases) {
            let (id, number) = (self.counts.begun, self.engine.next_number());
            self.counts.begun += 1;
            let case = self.engine.next_case();
            let patient = self.patient.len() < for_patient && (room > 1 || id.is_multiple_of(2));
            let form = Arc::new(Form::new(&case, if patient { Tempo::Patient } else { Tempo::Hasty }));
            if patient {
                self.patient.insert(id);
            }
            self.played.push_back(Played { number, form: Arc::clone(&form), ended: None });
            let stage = Arc::clone(&self.stage);
            self.plays.spawn(async move {
                let play = stage.play(&form).await;
                let signature = play.signature();
                Done { id, case, play, signature }
            });
        }
    }

    /// The place of a play among those that are remembered.
    fn remembered(&mut self, id: u64) -> Option<&mut Played> {
        let first = self.counts.begun - self.played.len() as u64;
        self.played.get_mut(usize::try_from(id.checked_sub(first)?).ok()?)
    }

    /// Takes in what came of a case.
    fn learn(&mut self, done: Done) -> Result<(), CampaignTrouble> {
        let Done { id, case, play, signature } = done;
        self.patient.remove(&id);
        self.counts.cases += 1;
        self.counts.packets += play.history.packets() as u64;
        let Some(played) = self.remembered(id) else { return Ok(()) };
        played.ended = Some(Instant::now());
        let (number, form) = (played.number, Arc::clone(&played.form));
        while self.played.len() > REMEMBERED
            && self.played.front().is_some_and(|played| played.ended.is_some())
        {
            self.played.pop_front();
        }
        if self.engine.observe_signature(&case, &signature) == Admission::New {
            self.last_new = Instant::now();
            let saved = self.engine.corpus().save_case(&case, self.store.corpus());
            saved.map_err(|error| cannot_write(self.store.corpus(), &error))?;
        }
        let mut named = BTreeSet::new();
        for accusation in &play.accusations {
            let name = Key::of(accusation).to_string();
            if !named.insert(name.clone()) {
                continue;
            }
            if let Some(record) = self.records.get_mut(&name) {
                record.seen += 1;
                continue;
            }
            let mut record = self.record(name, number, &form);
            record.kind = if accusation.deviates { Trouble::Deviation } else { Trouble::WrongAnswer };
            record.statements = cited(accusation);
            record.rule = Some(accusation.rule.to_owned());
            record.version = Some(accusation.version.to_string());
            record.expected = accusation.expected.clone();
            record.observed = accusation.observed.clone();
            self.asked.push_back((record.name.clone(), Form::clone(&form)));
            self.write(record, &form, Some(&play), &[], &[])?;
        }
        Ok(())
    }

    /// A record with what all have in common.
    fn record(&self, name: String, case: u64, form: &Form) -> Record {
        let script = self.store.finding(&name).join("script.mqtt");
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
            output: Vec::new(),
            name,
        };
        record.of_form(form);
        record
    }

    /// Keeps a finding, on disk first of all.
    fn write(
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
            history: play.map(|play| &play.history),
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
    fn ask(&mut self) {
        while self.inquiries.len() < INQUIRIES
            && let Some((name, form)) = self.asked.pop_front()
        {
            self.inquiries.spawn(inquire(Arc::clone(&self.stage), name, form));
        }
    }

    /// Takes in what was found out of a finding.
    fn hear(&mut self, inquired: Inquired) -> Result<(), CampaignTrouble> {
        if inquired.shown.is_some() {
            self.inquired.push(inquired);
            return Ok(());
        }
        self.settle(inquired)
    }

    /// With nothing else going on, findings are played for the last time: side by side, which is little to ask.
    async fn confirm(&mut self) -> Result<(), CampaignTrouble> {
        self.confirmed = Instant::now();
        let inquired = std::mem::take(&mut self.inquired);
        let confirmed = join_all(inquired.into_iter().map(|one| confirm_alone(&self.stage, one))).await;
        confirmed.into_iter().try_for_each(|one| self.settle(one))
    }

    fn settle(&mut self, inquired: Inquired) -> Result<(), CampaignTrouble> {
        let Inquired { name, form, shown, tries } = inquired;
        let Some(mut record) = self.records.remove(&name) else { return Ok(()) };
        record.reproduced = Some(shown.is_some());
        record.tries = tries as u64;
        if let Some(accusation) = shown.as_ref().and_then(|play| play.accusation(&name)) {
            record.expected = accusation.expected.clone();
            record.observed = accusation.observed.clone();
        }
        self.write(record, &form, shown.as_ref(), &[], &[])
    }

    /// The cases that may have led to trouble with the process, the likeliest first: those under way, then the last ones.
    fn suspects(&self, recent: Duration) -> Vec<Suspect> {
        let now = Instant::now();
        let under_way = self.played.iter().rev().filter(|played| played.ended.is_none());
        let ended = self.played.iter().rev().filter(|played| {
            played.ended.is_some_and(|ended| now.saturating_duration_since(ended) <= recent)
        });
        under_way.chain(ended).map(|played| (played.number, Arc::clone(&played.form))).collect()
    }

    /// The process has ended; gives whether the campaign goes on.
    async fn fell(&mut self, fall: Fall) -> Result<bool, CampaignTrouble> {
        let symptom = Lab::symptom_of_fall(fall);
        self.trouble(symptom, self.suspects(RECENT)).await
    }

    /// The bystander is not served; gives whether the campaign goes on.
    async fn alarmed(&mut self, alarm: Alarm) -> Result<bool, CampaignTrouble> {
        let suspects = self.suspects(self.options.hang + RECENT);
        // Nobody is served: what cases are still waiting for they wait for in vain.
        self.plays.abort_all();
        let symptom = self.lab().symptom_of(alarm).await;
        self.trouble(symptom, suspects).await
    }

    fn lab(&mut self) -> Lab<'_> {
        Lab { ground: &mut self.ground, stage: &self.stage, clock: &self.clock, hang: self.options.hang }
    }

    /// Something is wrong with the process; gives whether the campaign goes on.
    async fn trouble(&mut self, symptom: Symptom, suspects: Vec<Suspect>) -> Result<bool, CampaignTrouble> {
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
            if self.ground.can_restart() {
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
    async fn rest(&mut self) {
        self.bystander.abort_all();
        self.plays.abort_all();
        while self.plays.join_next().await.is_some() {}
        self.inquiries.abort_all();
        while self.inquiries.join_next().await.is_some() {}
        for inquired in std::mem::take(&mut self.inquired) {
            self.asked.push_back((inquired.name, inquired.form));
        }
        let waiting: BTreeSet<String> = self.asked.iter().map(|(name, _)| name.clone()).collect();
        let lost: Vec<Record> = self
            .records
            .values()
            .filter(|record| {
                record.reproduced.is_none() && !record.kind.is_of_process() && !waiting.contains(&record.name)
            })
            .cloned()
            .collect();
        for record in lost {
            let script = std::fs::read_to_string(self.store.finding(&record.name).join("script.mqtt"));
            if let Some(case) = script.ok().and_then(|text| text.parse::<Case>().ok()) {
                let tempo = if record.patient { Tempo::Patient } else { Tempo::Hasty };
                self.asked.push_back((record.name.clone(), Form::new(&case, tempo)));
            }
        }
        self.patient.clear();
        self.played.clear();
    }

    /// Looks whether the process has grown past what its connections explain; then, for a case that makes it grow.
    async fn look_for_leaks(&mut self) -> Result<(), CampaignTrouble> {
        if !self.ground.can_restart() || self.records.contains_key(&Symptom::leak().name) {
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

    fn remark(&mut self, remark: String) {
        (self.watcher)(Progress::Remark(&remark));
        self.remarks.insert(remark);
    }

    fn tell_status(&mut self) {
        let status = Status {
            cases: self.counts.cases,
            packets: self.counts.packets,
            signatures: self.engine.corpus().len(),
            findings: self.records.len(),
            elapsed: self.begun.elapsed(),
            last_new: self.last_new.elapsed(),
            restarts: self.ground.restarts,
        };
        (self.watcher)(Progress::Status(status));
    }

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
            signatures: self.engine.corpus().len() as u64,
            elapsed_ms: before(|earlier| earlier.elapsed_ms).saturating_add(elapsed),
            restarts: before(|earlier| earlier.restarts) + self.ground.restarts,
            ended_by_others: before(|earlier| earlier.ended_by_others) + self.counts.by_others,
            findings: self.records.values().map(Found::of).collect(),
            remarks: remarks.cloned().collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }

    fn write_summary(&self, ended: Ended) -> Result<(), StoreTrouble> {
        self.store.write_summary(&self.summary(ended))
    }

    /// Writes all that is to stay.
    fn finish(&mut self, ended: Ended) -> Result<Summary, CampaignTrouble> {
        self.tell_status();
        let saved = self.engine.corpus().save_alone(self.store.corpus());
        saved.map_err(|error| cannot_write(self.store.corpus(), &error))?;
        for record in self.records.values() {
            // How many cases have shown it was counted on.
            let path = self.store.finding(&record.name).join("finding.json");
            let json = serde_json::to_string_pretty(record).map_err(std::io::Error::other);
            json.and_then(|json| super::store::write_whole(&path, (json + "\n").as_bytes()))
                .map_err(|error| cannot_write(&path, &error))?;
        }
        let summary = self.summary(ended);
        self.store.write_summary(&summary)?;
        Ok(summary)
    }
}
