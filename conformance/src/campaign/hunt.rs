//! The campaign itself: which case is played when, and what becomes of what it shows.

mod edges;
mod findings;
mod result;
mod trouble;

use super::bystander::{self, Alarm, Served};
use super::coverage::Coverage;
use super::form::{Form, Tempo};
use super::ground::Ground;
use super::inquiry::{Asked, Inquired};
use super::plain::Plain;
use super::record::Record;
use super::stage::{Play, Stage};
use super::store::{Store, StoreTrouble, cannot_write};
use super::summary::{Ended, Summary};
use super::{CampaignTrouble, Options, Progress, Status, vitals};
use crate::net::play::Written;
use crate::run::{Clock, SetUp};
use mqtt_assay_codec::Version;
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::campaign::{Campaign, Plan};
use mqtt_assay_fuzz_engine::corpus::Admission;
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
/// Between two looks at which edges were taken: the sooner, the fewer cases it may have been.
const LOOK: Duration = Duration::from_millis(2);
/// When the process is to rest, what is still being played is given up after this time.
const LEAVING: Duration = Duration::from_secs(2);
/// Between two writings of the summary.
const WRITING: Duration = Duration::from_secs(1);
/// A case that ended so shortly before the broker fell may be the cause.
const RECENT: Duration = Duration::from_secs(1);
/// So many of the last cases are remembered.
const REMEMBERED: usize = 2000;
/// Between two times at which findings are confirmed with nothing else going on.
const CONFIRMING: Duration = Duration::from_secs(600);
/// So many findings are looked into side by side.
const INQUIRIES: usize = 3;
/// After so much time it is looked for the first time whether the process rests when nobody sends anything.
const FIRST_REST: Duration = Duration::from_secs(5);
/// So much more memory makes us look for a leak; a look that finds none doubles it.
const GROWTH: u64 = 24 << 20;

/// What came of one case.
struct Done {
    id: u64,
    purpose: Purpose,
    case: Arc<Case>,
    play: Play,
    signature: Signature,
}

/// A case that is being played, or was a moment ago.
struct Played {
    id: u64,
    number: u64,
    case: Arc<Case>,
    form: Arc<Form>,
    /// When its clients have written last, as a number of times that anybody has; the same when it was last looked at
    /// which edges were taken; and one look before.
    written: Arc<AtomicU64>,
    before: u64,
    seen: u64,
    ended: Option<Instant>,
}

/// What a case is played for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// To see what comes.
    Hunt,
    /// To see whether it takes edges that were new: in the round of this number.
    Edges(u64),
}

/// When it is looked whether the process rests.
#[derive(Clone, Copy, Debug)]
struct Resting {
    /// The share of a processor that it used before the first case.
    usual: f64,
    /// When the next look is due, since the beginning.
    due: Duration,
    /// Whether the last look, after the last case, is over.
    ended: bool,
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
    let mut coverage = match options.coverage {
        true => Some(Coverage::new().map_err(SetUp::Broker)?),
        false => None,
    };
    let environment = coverage.as_ref().map(Coverage::environment).unwrap_or_default();
    let (mut ground, address, credentials) = Ground::prepare(options, environment).await?;
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
    if coverage.as_ref().is_some_and(|coverage| !coverage.is_written()) {
        let trouble = SetUp::Broker(
            "the broker has written nothing into the map of its coverage; is it compiled by afl-clang-fast, or in \
             another way that AFL has (docs/fuzzing.md)?"
                .to_owned(),
        );
        return Err(ground.end_after(trouble).await.into());
    }
    if let Some(coverage) = &mut coverage {
        // What a client does that keeps every rule is no news.
        coverage.look();
    }
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
        tried: BTreeMap::new(),
        plays: JoinSet::new(),
        played: VecDeque::new(),
        patient: BTreeSet::new(),
        inquiries: JoinSet::new(),
        asked: VecDeque::new(),
        inquired: Vec::new(),
        bystander: JoinSet::new(),
        served: Served::new(),
        answers: false,
        accused: VecDeque::new(),
        alarms,
        alarmed,
        counts: Counts::default(),
        earlier,
        memory: None,
        growth: GROWTH,
        resting: None,
        coverage,
        next_id: 0,
        written: Arc::default(),
        leaving: None,
        remarks: BTreeSet::new(),
        stop,
        watcher,
    };
    hunt.again();
    let ended = hunt.hunt().await?;
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
    /// How many further cases were tried of those that had not come again.
    tried: BTreeMap<String, u32>,
    plays: JoinSet<Done>,
    /// The cases under way and the last ones before them, in the order in which they began.
    played: VecDeque<Played>,
    /// The numbers of the plays under way that are played with patience.
    patient: BTreeSet<u64>,
    inquiries: JoinSet<Inquired>,
    /// What is to be looked into.
    asked: VecDeque<Asked>,
    /// What is to be confirmed with nothing else going on.
    inquired: Vec<Inquired>,
    bystander: JoinSet<()>,
    served: Served,
    /// Whether a healthy client was served at the beginning.
    answers: bool,
    /// Plays in which rules accuse, until it is known that the broker served others after them.
    accused: VecDeque<(Instant, u64, Arc<Form>, Play)>,
    alarms: mpsc::Sender<Alarm>,
    alarmed: mpsc::Receiver<Alarm>,
    counts: Counts,
    earlier: Option<Summary>,
    /// The memory that the process had when it was looked at last.
    memory: Option<u64>,
    growth: u64,
    /// Not there where the process is not known.
    resting: Option<Resting>,
    coverage: Option<Coverage>,
    /// Since when no case is begun, so that the process may rest.
    leaving: Option<Instant>,
    /// How often the clients of all cases have written.
    written: Arc<AtomicU64>,
    /// The number of the next play.
    next_id: u64,
    remarks: BTreeSet<String>,
    stop: watch::Receiver<bool>,
    watcher: Watcher<'a>,
}

/// Waits until it is to stop.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop it.
        std::future::pending::<()>().await;
    }
}

impl Hunt<'_> {
    /// Hunts until it is over; lets go of all, whatever it is at, when it is told to stop.
    async fn hunt(&mut self) -> Result<Ended, CampaignTrouble> {
        let stop = self.stop.clone();
        tokio::select! {
            biased;
            () = stopped(stop) => Ok(Ended::Stopped),
            ended = self.go_on() => ended,
        }
    }

    async fn go_on(&mut self) -> Result<Ended, CampaignTrouble> {
        let end = self.options.time.and_then(|time| self.begun.checked_add(time));
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut written = Instant::now();
        self.write_summary(Ended::Running)?;
        // Whoever does not answer now does not stop answering later: that is a wrong answer, and the rules'.
        self.answers = bystander::is_served(&self.stage, &self.clock, self.options.hang).await.is_ok();
        if !self.answers {
            self.served.give_up();
            self.remark(
                "a client that keeps every rule is not served as it should be: hangs are not told".to_owned(),
            );
        }
        if let Some(pid) = self.ground.pid() {
            let usual = vitals::most_use(pid, 2).await;
            self.resting = usual.map(|usual| Resting { usual, due: FIRST_REST, ended: false });
        }
        self.look_after();
        loop {
            let ends = end.is_some_and(|end| Instant::now() >= end)
                || self.options.cases.is_some_and(|cases| self.counts.begun >= cases);
            let over = ends || self.has_enough();
            // Now and then, and in the end, what was found has to come again with nothing else going on.
            let confirms = self.confirmed.elapsed() >= CONFIRMING && !self.inquired.is_empty();
            if ends && self.options.cases.is_none_or(|cases| self.counts.begun < cases) {
                self.plays.abort_all();
            }
            let rests = self.is_to_rest(over);
            if !over && !confirms && !rests {
                self.try_for_edges()?;
                self.fill();
            }
            if !rests {
                self.ask();
            }
            match (rests, self.leaving) {
                (false, _) => self.leaving = None,
                (true, None) => self.leaving = Some(Instant::now()),
                // Where so many cases were asked for, each of them is played to its end.
                (true, Some(since)) if since.elapsed() > LEAVING && self.options.cases.is_none() => {
                    self.plays.abort_all();
                }
                (true, Some(_)) => {}
            }
            if rests && self.plays.is_empty() && self.inquiries.is_empty() {
                self.look_for_rest(over).await?;
                continue;
            }
            let asks = !self.inquiries.is_empty() || !self.asked.is_empty() || !self.accused.is_empty();
            if self.plays.is_empty() && (confirms || over && !asks) {
                self.confirm().await?;
                // What has not come again is not what was asked for: the hunt goes on.
                if (ends || self.has_enough()) && !asks {
                    return Ok(Ended::Done);
                }
            }
            tokio::select! {
                biased;
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
                _ = looks.tick(), if self.coverage.is_some() => self.look_at_edges(),
                _ = tick.tick() => {
                    self.accuse()?;
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

    /// Whether as many findings as were asked for stand, or are looked into.
    fn has_enough(&self) -> bool {
        let standing = self.records.values().filter(|record| record.reproduced != Some(false)).count();
        self.options.findings.is_some_and(|findings| standing >= findings)
    }

    /// Sets the bystander to its work.
    fn look_after(&mut self) {
        self.bystander.abort_all();
        while self.alarmed.try_recv().is_ok() {}
        if !self.answers {
            return;
        }
        let (stage, clock) = (Arc::clone(&self.stage), Arc::clone(&self.clock));
        let (hang, alarms, served) = (self.options.hang, self.alarms.clone(), self.served.clone());
        self.bystander.spawn(bystander::watch(stage, clock, hang, alarms, served));
    }

    /// Begins as many cases as there is room for. Half of the room is for those that wait, so that the others have a way
    /// past them.
    fn fill(&mut self) {
        let room = self.options.connections;
        let for_patient = (room / 2).max(1);
        while self.plays.len() < room && self.options.cases.is_none_or(|cases| self.counts.begun < cases) {
            let patient =
                self.patient.len() < for_patient && (room > 1 || self.counts.begun.is_multiple_of(2));
            let number = self.engine.next_number();
            self.counts.begun += 1;
            let case = self.engine.next_case();
            let tempo = if patient { Tempo::Patient } else { Tempo::Hasty };
            self.spawn(number, case, tempo, Purpose::Hunt);
        }
    }

    /// Begins to play a case.
    fn spawn(&mut self, number: u64, case: Case, tempo: Tempo, purpose: Purpose) {
        let id = self.next_id;
        self.next_id += 1;
        let form = Arc::new(Form::new(&case, tempo));
        if tempo == Tempo::Patient {
            self.patient.insert(id);
        }
        let case = Arc::new(case);
        let written = Written { all: Arc::clone(&self.written), ..Written::default() };
        self.played.push_back(Played {
            id,
            number,
            form: Arc::clone(&form),
            case: Arc::clone(&case),
            written: Arc::clone(&written.last),
            before: 0,
            seen: 0,
            ended: None,
        });
        let stage = Arc::clone(&self.stage);
        self.plays.spawn(async move {
            let play = stage.play_counted(&form, written).await;
            let signature = play.signature();
            Done { id, purpose, case, play, signature }
        });
    }

    /// The place of a play among those that are remembered.
    fn remembered(&mut self, id: u64) -> Option<&mut Played> {
        let first = self.played.front()?.id;
        self.played.get_mut(usize::try_from(id.checked_sub(first)?).ok()?)
    }

    /// Takes in what came of a case.
    fn learn(&mut self, done: Done) -> Result<(), CampaignTrouble> {
        let Done { id, purpose, case, play, signature } = done;
        self.look_at_edges();
        if let (Purpose::Edges(round), Some(coverage)) = (purpose, &mut self.coverage) {
            coverage.played(round);
        }
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
        if !play.accusations.is_empty() {
            self.accused.push_back((Instant::now(), number, form, play));
        }
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
            signatures: self.engine.corpus().answers(),
            edges: self.coverage.as_ref().map(Coverage::taken),
            findings: self.records.len(),
            elapsed: self.begun.elapsed(),
            last_new: self.last_new.elapsed(),
            restarts: self.ground.restarts,
        };
        (self.watcher)(Progress::Status(status));
    }
}
