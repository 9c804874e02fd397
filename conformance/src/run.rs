//! Runs the selected checks against a broker, side by side.

mod clock;
mod preflight;
mod simulated;
mod watched;

pub(crate) use clock::Clock;
pub(crate) use preflight::resolve;
pub use simulated::simulated;

use crate::check::{Alone, Check};
use crate::net::Address;
use crate::outcome::{self, CheckResult, Finding, LogEntry, Run};
use crate::process::{Process, Recipe};
use crate::serve::{Fault, Served};
use crate::setup::{Profile, Setup};
use crate::story::{Abilities, Credentials, Room, Stop, Tape, World};
use crate::target::Target;
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// What to run, against what, how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The broker.
    pub target: Target,
    /// What the user tells of it; the embedded broker's is known.
    pub profile: Profile,
    /// How the broker is started, if the run shall do so.
    pub process: Option<Recipe>,
    /// The versions to check in; empty for those that the broker accepts.
    pub versions: Vec<Version>,
    /// The checks, in catalogue order.
    pub checks: Vec<&'static Check>,
    /// How many checks may run at the same time.
    pub jobs: usize,
    /// Everything random (names, payloads) is drawn from it.
    pub seed: u64,
    /// The most that one check may take, the specification's timers apart, before it is ended as inconclusive.
    pub deadline: Duration,
    /// How long an answer may take for which the specification sets no bound; see [`PATIENCE`].
    pub patience: Duration,
    /// Whether the whole bytes of all connections are kept, for a capture.
    pub capture: bool,
}

/// The most that a capture keeps of a run.
pub const CAPTURE_MAX: usize = 256 << 20;

/// The patience of a run unless told otherwise: generous, since only its lapse turns silence into a verdict.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What happens during a run, for whoever shows it.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The broker answered; so many check runs (check × version) are planned.
    Planned(usize),
    /// A check began.
    Started(&'static Check, Version),
    /// A check ended.
    Finished(&'a CheckResult),
}

/// The run could not begin: exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum SetUp {
    /// In one sentence: what is wrong, where, what to do.
    #[error("{0}")]
    Broker(String),
    /// The user stopped the run before the first check.
    #[error("interrupted before the checks began; nothing was checked")]
    Interrupted,
}

/// One check in one version, waiting for its turn.
#[derive(Clone)]
struct Planned {
    check: &'static Check,
    version: Version,
    abilities: Abilities,
    address: Address,
}

impl Planned {
    /// How long the timers make it wait.
    fn timers(&self) -> Duration {
        self.check.timers(&self.abilities.profile)
    }
}

/// Runs the checks; `stop` turning true ends the run early with the results it has.
///
/// # Errors
///
/// The broker cannot be reached, or does not answer as an MQTT broker in a version that was asked for.
pub async fn run(
    options: &Options,
    mut stop: watch::Receiver<bool>,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Run, SetUp> {
    let begun = Instant::now();
    let stopped = async {
        // With nobody left who could stop the run, it runs to its end.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(stopped);
    let mut process = match &options.process {
        Some(recipe) => tokio::select! {
            started = Process::start(recipe, false) => {
                Some(started.map_err(|trouble| SetUp::Broker(trouble.to_string()))?)
            }
            () = &mut stopped => return Err(SetUp::Interrupted),
        },
        None => None,
    };
    // The embedded broker lives as long as the run.
    let mut served = None;
    let reached = match &options.target {
        Target::Reference { mutant } => {
            let broker = serve(Setup::Full, *mutant).await?;
            let address = address_of(&broker);
            served = Some(broker);
            Ok((address, Credentials::default()))
        }
        Target::Tcp(tcp) => {
            let credentials =
                Credentials { user_name: tcp.user_name.clone(), password: tcp.password.clone() };
            tokio::select! {
                address = resolve(tcp, process.is_some()) => address.map(|address| (address, credentials)),
                () = &mut stopped => Err(SetUp::Interrupted),
            }
        }
    };
    let (address, credentials) = or_ended(reached, &mut process).await?;
    let found = tokio::select! {
        found = preflight::run(
            &options.target,
            &address,
            &credentials,
            &options.versions,
            &options.checks,
            options.seed,
        ) => found,
        () = &mut stopped => Err(SetUp::Interrupted),
    };
    let preflight::Found { mut abilities, mut remarks } = or_ended(found, &mut process).await?;
    for (_, abilities) in &mut abilities {
        abilities.profile = options.profile.clone();
    }
    let others = match &options.target {
        Target::Reference { mutant } => other_setups(options, *mutant).await?,
        Target::Tcp(_) => BTreeMap::new(),
    };

    let mut planned: Vec<Planned> = Vec::new();
    for check in &options.checks {
        let (abilities, address) = match others.get(&check.setup) {
            Some(other) => (&other.abilities, &other.address),
            None => (&abilities, &address),
        };
        for (version, abilities) in abilities {
            if check.versions().any(|v| v == *version) {
                let (abilities, address) = (abilities.clone(), address.clone());
                planned.push(Planned { check, version: *version, abilities, address });
            }
        }
    }
    let total = planned.len();
    progress(Progress::Planned(total));
    let order: Vec<(&'static str, Version)> = planned.iter().map(|p| (p.check.name, p.version)).collect();
    // The longest timers start first, so that the run lasts little longer than the longest of them. The tables, which are
    // work from their beginning to their end, start last: others wait for silence meanwhile.
    planned.sort_by_key(|p| (std::cmp::Reverse(p.timers()), p.check.is_table()));
    let timers: BTreeMap<(&'static str, Version), Duration> =
        planned.iter().map(|p| ((p.check.name, p.version), p.timers())).collect();

    let (events, mut received) = mpsc::unbounded_channel();
    let clock = Arc::new(Clock::default());
    let mut ticks = JoinSet::new();
    let own = Arc::clone(&clock);
    ticks.spawn(async move { own.tick().await });
    let stage = Arc::new(Stage {
        credentials: credentials.clone(),
        seed: options.seed,
        deadline: options.deadline,
        patience: options.patience,
        clock: Some(clock),
        begun: tokio::time::Instant::now(),
        room: options.capture.then(|| Arc::new(Room::new(CAPTURE_MAX))),
    });
    let slot = Arc::new(Mutex::new(process));
    let players = match &options.process {
        Some(recipe) => {
            let broker = (Arc::clone(&slot), recipe.clone());
            tokio::spawn(watched::play_all(planned, stage, options.jobs, events, broker))
        }
        None => tokio::spawn(play_all(planned, stage, options.jobs, events)),
    };
    let mut results = Vec::with_capacity(total);
    let interrupted = loop {
        tokio::select! {
            biased;
            told = received.recv() => match told {
                Some(Told::Started(check, version)) => progress(Progress::Started(check, version)),
                Some(Told::Finished(result)) => {
                    progress(Progress::Finished(&result));
                    results.push(*result);
                }
                Some(Told::Remark(remark)) => remarks.push(remark),
                None => break false,
            },
            () = &mut stopped => break true,
        }
    };
    players.abort();
    // The players have ended or are ending, and with them their hold of it.
    let process = slot.lock().await.take();
    // Of a broker that died of the last check, the check tells.
    let dead = options.process.is_some() && process.is_none();
    for (version, abilities) in abilities.iter().filter(|_| !interrupted && !dead) {
        let world = World::new(
            address.clone(),
            credentials.clone(),
            *version,
            abilities.clone(),
            options.seed,
            "afterwards",
            options.patience,
        );
        if !world.is_served().await {
            remarks.push(format!(
                "MQTT {version}: after the checks the broker accepts no CONNECT any more; --jobs 1 helps to find the \
                 check that stopped it"
            ));
        }
    }
    drop((served, others));
    if let Some(process) = process {
        process.end().await;
    }

    results.sort_by_key(|r: &CheckResult| {
        order.iter().position(|&(name, version)| (name, version) == (r.check.name, r.version))
    });
    // What was not tested has not waited.
    let waited = results.iter().filter(|r| !matches!(r.verdict, Verdict::NotTested | Verdict::Unsupported));
    let timers = waited.filter_map(|r| timers.get(&(r.check.name, r.version))).max().copied();
    Ok(Run {
        target: options.target.to_string(),
        seed: options.seed,
        versions: abilities.iter().map(|(version, _)| *version).collect(),
        remarks,
        results,
        planned: total,
        interrupted,
        elapsed: begun.elapsed(),
        timers: timers.unwrap_or_default(),
    })
}

/// What was found, or what is wrong: then the process that the run has started is at its end.
async fn or_ended<T>(found: Result<T, SetUp>, process: &mut Option<Process>) -> Result<T, SetUp> {
    match found {
        Ok(found) => Ok(found),
        Err(trouble) => Err(match process.take() {
            Some(process) => process.end_after(trouble).await,
            None => trouble,
        }),
    }
}

impl Process {
    /// What is wrong, and that the broker has died of it or before; if it has not, it ends now.
    pub(crate) async fn end_after(mut self, trouble: SetUp) -> SetUp {
        match (trouble, self.dies_within(watched::GRACE).await) {
            (SetUp::Broker(what), Some(death)) => SetUp::Broker(format!("{what}; the broker died: {death}")),
            (trouble, None) => {
                self.end().await;
                trouble
            }
            (trouble, Some(_)) => trouble,
        }
    }
}

/// The embedded broker in another set-up.
struct Other {
    address: Address,
    abilities: Vec<(Version, Abilities)>,
    // It ends when dropped.
    _served: Served,
}

/// Serves the embedded broker in the further set-ups that the checks ask for.
async fn other_setups(options: &Options, fault: Option<Fault>) -> Result<BTreeMap<Setup, Other>, SetUp> {
    let mut others = BTreeMap::new();
    let setups: BTreeSet<Setup> = options.checks.iter().map(|check| check.setup).collect();
    for setup in setups.into_iter().filter(|setup| *setup != Setup::Full) {
        let served = serve(setup, fault).await?;
        let address = address_of(&served);
        let nobody = Credentials::default();
        let found = preflight::run(
            &options.target,
            &address,
            &nobody,
            &options.versions,
            &options.checks,
            options.seed,
        );
        let mut abilities = found.await?.abilities;
        for (_, abilities) in &mut abilities {
            abilities.profile = setup.profile();
        }
        others.insert(setup, Other { address, abilities, _served: served });
    }
    Ok(others)
}

/// How to reach the embedded broker: a mutant of its WebSocket edge is served there.
pub(crate) fn address_of(served: &Served) -> Address {
    let address = Address::tcp(served.address());
    match &served.edge().websocket {
        Some(path) => address.within_websocket(served.address().to_string(), path.clone()),
        None => address,
    }
}

pub(crate) async fn serve(setup: Setup, fault: Option<Fault>) -> Result<Served, SetUp> {
    Served::set_up(setup, fault)
        .await
        .map_err(|e| SetUp::Broker(format!("cannot serve the reference broker on loopback: {e}")))
}

enum Told {
    Started(&'static Check, Version),
    Finished(Box<CheckResult>),
    Remark(String),
}

/// What all checks of a run share.
struct Stage {
    credentials: Credentials,
    seed: u64,
    deadline: Duration,
    patience: Duration,
    /// What limits are measured by; `None` in simulated time, of which others have no part.
    clock: Option<Arc<Clock>>,
    /// When the run began.
    begun: tokio::time::Instant,
    /// Where the whole bytes of connections go, if they are wanted.
    room: Option<Arc<Room>>,
}

impl Stage {
    /// What a story comes to; `None` if it does not end within the limit.
    async fn within<T>(&self, limit: Duration, story: impl Future<Output = T>) -> Option<T> {
        match &self.clock {
            Some(clock) => clock.within(limit, story).await,
            None => tokio::time::timeout(limit, story).await.ok(),
        }
    }
}

/// Plays the checks, `jobs` at a time, and then those that want to be alone; dropping the future ends those that run.
async fn play_all(
    planned: Vec<Planned>,
    stage: Arc<Stage>,
    jobs: usize,
    events: mpsc::UnboundedSender<Told>,
) {
    for (group, jobs) in groups(planned, jobs) {
        play_group(group, &stage, jobs, &events).await;
    }
}

/// The checks that go side by side, so many at a time, and those that go one by one.
fn groups(planned: Vec<Planned>, jobs: usize) -> [(Vec<Planned>, usize); 2] {
    let (beside, mut alone): (Vec<_>, Vec<_>) =
        planned.into_iter().partition(|plan| plan.check.alone == Alone::No);
    alone.sort_by_key(|plan| plan.check.alone);
    [(beside, jobs), (alone, 1)]
}

async fn play_group(
    planned: Vec<Planned>,
    stage: &Arc<Stage>,
    jobs: usize,
    events: &mpsc::UnboundedSender<Told>,
) {
    let gate = Arc::new(Semaphore::new(jobs.max(1)));
    let mut tasks = JoinSet::new();
    for plan in planned {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&gate).acquire_owned().await else { break };
        let (stage, events) = (Arc::clone(stage), events.clone());
        tasks.spawn(async move {
            // Should the receiver be gone, nobody wants the result.
            let _ = events.send(Told::Started(plan.check, plan.version));
            let result = play(&plan, &stage).await;
            let _ = events.send(Told::Finished(Box::new(result)));
            drop(permit);
        });
    }
    while tasks.join_next().await.is_some() {}
}

async fn play(plan: &Planned, stage: &Arc<Stage>) -> CheckResult {
    let Planned { check, version, abilities, address } = plan;
    let mut world = World::new(
        address.clone(),
        stage.credentials.clone(),
        *version,
        abilities.clone(),
        stage.seed,
        check.name,
        stage.patience,
    );
    if let Some(room) = &stage.room {
        world = world.taped(Tape::new(Arc::clone(room)));
    }
    let world = Arc::new(world);
    let limit = stage.deadline + plan.timers();
    // In a task of its own, so that a panic in a story costs that story only.
    let mut story = JoinSet::new();
    let (players_world, players_stage, check) = (Arc::clone(&world), Arc::clone(stage), *check);
    story.spawn(async move { players_stage.within(limit, players_world.play(check)).await });
    let mut ended = match story.join_next().await {
        Some(Ok(Some(ended))) => ended,
        Some(Ok(None)) => Err(Stop::inconclusive(format!(
            "the story did not end within {:.0} s (--timeout)",
            limit.as_secs_f64()
        ))),
        Some(Err(_)) | None => {
            Err(Stop::inconclusive("a fault of ours: the story panicked; please report it with this log"))
        }
    };
    // What did not happen accuses only a broker that was there to do it; a packet that came speaks for itself.
    if let Err(stop) = &mut ended
        && stop.verdict() == Verdict::Violates
        && stop.0.at.is_none()
        && !world.is_served().await
    {
        let why = "the broker accepts no CONNECT any more, so this shows nothing";
        *stop =
            Stop::inconclusive(format!("{why}: expected {}, observed {}", stop.0.expected, stop.0.observed));
    }
    if let Err(stop) = ended {
        world.find(*stop.0);
    }
    let elapsed = world.history.elapsed();
    let mut log = world.history.log();
    let (mut findings, notes) = world.take_findings();
    let comments = pointed_at(&findings, &log);
    outcome::shorten(&mut log, &mut findings);
    // Best effort, and bounded: what stays behind has names that no other run uses.
    let _ = tokio::time::timeout(stage.deadline, world.clean_up()).await;
    let tape = world.history.tape().map_or_else(Vec::new, |tape| tape.take(&comments));
    let begun = world.history.started().saturating_duration_since(stage.begun);
    let verdict = findings.first().map_or(Verdict::Conforms, |finding: &Finding| finding.verdict);
    let cases = world.cases();
    CheckResult {
        check,
        version: *version,
        verdict,
        findings,
        notes,
        cases,
        log,
        died: None,
        tape,
        begun,
        elapsed,
    }
}

/// The log entries that findings point at, with what the findings say.
fn pointed_at(findings: &[Finding], log: &[LogEntry]) -> Vec<(LogEntry, String)> {
    let say = |finding: &Finding| {
        let statement = finding.statement.map(|cite| format!(" {cite}")).unwrap_or_default();
        let Finding { verdict, expected, observed, .. } = finding;
        match expected.as_str() {
            "" => format!("{verdict}{statement}: {observed}"),
            _ => format!("{verdict}{statement}: expected {expected}; observed {observed}"),
        }
    };
    findings.iter().filter_map(|finding| Some((log.get(finding.at?)?.clone(), say(finding)))).collect()
}
