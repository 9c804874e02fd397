//! All runs of one command: several listeners side by side, of one broker or of several, each with a broker of its own that
//! opens no other; the runs of each one after the other, for they share its port.

use crate::broker::{Broker, Listener};
use crate::install;
use crate::play::{Order, Player, Stop, Trouble};
use crate::results;
use mqtt_assay::report::json::Report;
use mqtt_assay::statement::CATALOGUE;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

/// What is asked of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Where the results go.
    pub out: PathBuf,
    /// How many brokers run at the same time, beside those whose checks run one by one.
    pub jobs: usize,
    /// What is done with each.
    pub what: What,
    /// Whether results that are there are taken as they are.
    pub resume: bool,
    /// Further arguments of mqtt-assay.
    pub extra: Vec<OsString>,
}

/// What is done with each broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// It is checked over each of its transports.
    Check {
        /// The seed of the first run; each further one has the next.
        seed: u64,
        /// How many runs.
        runs: u64,
    },
    /// It is hunted over its first transport.
    Fuzz {
        /// For so long.
        time: String,
    },
}

/// What became of a session.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Outcome {
    /// By the name of the result: that of each run.
    pub reports: BTreeMap<String, Vec<Report>>,
    /// By the name of the result, or of the broker: why there is none.
    pub failures: BTreeMap<String, String>,
    /// How many findings there are, by broker; of a hunt.
    pub findings: BTreeMap<String, usize>,
    /// Whether the session was stopped before its end.
    pub stopped: bool,
}

/// What is run by itself: a broker that listens at one of its listeners.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// The broker.
    pub broker: Arc<Broker>,
    /// The listener.
    pub listener: Listener,
}

/// Plays a session, the parts begin in the order in which they are given. What happens is told as it happens.
pub async fn play(player: &Player, mut parts: Vec<Part>, plan: &Plan, tell: fn(&str)) -> Outcome {
    let session = Arc::new(Session {
        player: player.clone(),
        plan: plan.clone(),
        installed: Mutex::new(BTreeMap::new()),
        outcome: Mutex::new(Outcome::default()),
        tell,
    });
    let mut tasks = JoinSet::new();
    let places = Arc::new(Semaphore::new(plan.jobs.max(1)));
    // Whose checks run one by one waits most of the time: it takes nobody's place, and begins at once.
    let one_by_one = |part: &Part| part.broker.about.checks_at_once == Some(1);
    parts.sort_by_key(|part| !one_by_one(part));
    for part in parts {
        // The semaphore is never closed.
        let place = if one_by_one(&part) { None } else { places.clone().acquire_owned().await.ok() };
        let session = session.clone();
        tasks.spawn(async move {
            session.one(&part).await;
            drop(place);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            session.outcome.lock().await.failures.insert("the lab itself".to_owned(), error.to_string());
        }
    }
    let mut outcome = session.outcome.lock().await.clone();
    outcome.stopped = *session.player.stop.borrow() > Stop::No;
    outcome
}

struct Session {
    player: Player,
    plan: Plan,
    /// Whether the brokers could be installed, by their names; locked while one is, for registries' clients do not like
    /// company.
    installed: Mutex<BTreeMap<String, bool>>,
    outcome: Mutex<Outcome>,
    tell: fn(&str),
}

impl Session {
    async fn one(&self, part: &Part) {
        if *self.player.stop.borrow() > Stop::No || !self.install(&part.broker).await {
            return;
        }
        match &self.plan.what {
            What::Check { seed, runs } => {
                for run in 0..*runs {
                    self.check(&part.broker, &part.listener, *seed, run).await;
                }
            }
            What::Fuzz { time } => self.fuzz(&part.broker, &part.listener, time).await,
        }
    }

    /// Installs a broker, once; whether it is there then. Why it is not is told.
    async fn install(&self, broker: &Arc<Broker>) -> bool {
        let mut installed = self.installed.lock().await;
        if let Some(known) = installed.get(&broker.id) {
            return *known;
        }
        let (places, this) = (self.player.places.clone(), broker.clone());
        let done = tokio::task::spawn_blocking(move || install::install(&places, &this)).await;
        let done = done.unwrap_or_else(|error| Err(error.to_string()));
        installed.insert(broker.id.clone(), done.is_ok());
        match done {
            Ok(()) => true,
            Err(why) => {
                self.failed(&broker.id, why).await;
                false
            }
        }
    }

    async fn check(&self, broker: &Broker, listener: &Listener, first_seed: u64, run: u64) {
        let result = listener.result(broker);
        let name = if run == 0 { result.clone() } else { format!("{result}.run-{}", run + 1) };
        let seed = first_seed.wrapping_add(run);
        let file = self.plan.out.join(format!("{name}.json"));
        let report = match self.taken_over(&file, seed) {
            Some(report) => Ok(report),
            None => {
                let seed = [OsString::from("--seed"), OsString::from(seed.to_string())];
                let mut arguments: Vec<OsString> = seed.into();
                if let Some(number) = broker.about.checks_at_once {
                    arguments.extend(["--jobs".into(), number.to_string().into()]);
                }
                arguments.extend(broker.about.skip.iter().flat_map(|check| ["--skip".into(), check.into()]));
                arguments.extend(self.plan.extra.iter().cloned());
                let order = Order { command: "check", arguments, name: &name, out: &self.plan.out };
                self.player.check(broker, listener, &file, order).await
            }
        };
        match report {
            Ok(report) => {
                let seconds = std::time::Duration::from_millis(report.elapsed_ms).as_secs_f64();
                (self.tell)(&format!("{name:<24} {seconds:>5.1} s  {}", results::told(&report)));
                self.outcome.lock().await.reports.entry(result).or_default().push(report);
            }
            Err(Trouble::Failed(why)) => self.failed(&name, why).await,
            Err(Trouble::Stopped) => {}
        }
    }

    /// A whole result of an earlier session that this one would come to again.
    fn taken_over(&self, file: &Path, seed: u64) -> Option<Report> {
        let report = self.plan.resume.then(|| results::open(file).ok()).flatten()?;
        let tool = env!("CARGO_PKG_VERSION");
        let same = report.seed == seed && report.catalogue == CATALOGUE && report.tool == tool;
        (same && !report.interrupted).then_some(report)
    }

    async fn fuzz(&self, broker: &Broker, listener: &Listener, time: &str) {
        let folder = self.plan.out.join(&broker.id);
        let mut arguments: Vec<OsString> = vec!["--time".into(), time.into(), "--out".into()];
        arguments.push(folder.clone().into());
        if self.plan.resume && folder.join("summary.json").is_file() {
            arguments.push("--resume".into());
        }
        arguments.extend(self.plan.extra.iter().cloned());
        let order = Order { command: "fuzz", arguments, name: &broker.id, out: &self.plan.out };
        match self.player.play(broker, listener, &order).await {
            Ok(_) => match findings(&folder.join("summary.json")) {
                Ok((number, said)) => {
                    (self.tell)(&format!("{:<24} {said}", broker.id));
                    self.outcome.lock().await.findings.insert(broker.id.clone(), number);
                }
                Err(why) => self.failed(&broker.id, why).await,
            },
            Err(Trouble::Failed(why)) => self.failed(&broker.id, why).await,
            Err(Trouble::Stopped) => {}
        }
    }

    async fn failed(&self, name: &str, why: String) {
        (self.tell)(&format!("{name:<24} cannot be told: {why}"));
        self.outcome.lock().await.failures.insert(name.to_owned(), why);
    }
}

/// How many findings a campaign has, and what it comes to in one line.
fn findings(summary: &Path) -> Result<(usize, String), String> {
    let fail = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", summary.display());
    let text = std::fs::read_to_string(summary).map_err(|error| fail(&error))?;
    let summary: mqtt_assay::campaign::Summary = serde_json::from_str(&text).map_err(|error| fail(&error))?;
    let counting = summary.findings.iter().filter(|finding| finding.counts());
    let names: Vec<&str> = counting.map(|finding| finding.name.as_str()).collect();
    let found = if names.is_empty() { "nothing found".to_owned() } else { names.join(", ") };
    Ok((names.len(), format!("{} cases, {} restarts: {found}", summary.cases, summary.restarts)))
}
