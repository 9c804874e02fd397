//! The checks as test cases of a broker's own `cargo test`.
//!
//! One file under `tests/`, without libtest's harness, makes every check a test case with a name of its own:
//!
//! ```toml
//! [[test]]
//! name = "mqtt"
//! harness = false
//! ```
//!
//! ```no_run
//! // tests/mqtt.rs
//! use mqtt_assay::testing::Suite;
//!
//! fn main() -> std::process::ExitCode {
//!     // With the broker's own crate: concat!(env!("CARGO_BIN_EXE_my-broker"), " --port {port}")
//!     Suite::spawn("target/debug/my-broker --port {port}")
//!         .skip("will/")
//!         .baseline("tests/known.toml")
//!         .main()
//! }
//! ```
//!
//! `cargo test --test mqtt -- 5.0::qos_2/` then runs the checks of QoS 2 in 5.0. A case is called by its version and its
//! check. It fails if the check *violates*, or could not tell (*inconclusive*); with [`Suite::strict`] also if it
//! *deviates*. What the broker says that it lacks, or what the suite does not tell, is *ignored*, with the reason.
//!
//! The checks of a run go side by side whatever `--test-threads` says, and against one and the same broker.

mod accept;
mod broker;
mod verdicts;

pub use crate::select::NoMatch;
pub use mqtt_assay_codec::Version;

use crate::check::Check;
use crate::checks;
use crate::outcome::Run;
use crate::report::Context;
use crate::run::{self, Options, PATIENCE};
use crate::select::Selection;
use broker::{Broker, InProcess};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use verdicts::Verdicts;

/// The most that one check may take, the specification's timers apart.
const DEADLINE: Duration = Duration::from_secs(60);

/// Checks side by side, as `check` has them unless told otherwise.
const JOBS: usize = 64;

/// A seed for the names and choices of the run, to repeat another one's.
pub const SEED_VARIABLE: &str = "MQTT_ASSAY_SEED";

/// Set, it lets the suite play all of its checks and write its baseline from what they come to, instead of testing by it.
pub const ACCEPT_VARIABLE: &str = "MQTT_ASSAY_ACCEPT";

/// The case that fails if the baseline has entries which nothing fits any more.
const UP_TO_DATE: &str = "baseline::is_up_to_date";

/// The versions whose checks become test cases. 3.1 is left out unless it is asked for.
const VERSIONS: [Version; 2] = [Version::V3_1_1, Version::V5];

/// A suite of test cases: which broker, which checks, what is known to fail.
#[derive(Debug)]
pub struct Suite {
    broker: Broker,
    flags: Vec<String>,
    selection: Selection,
    baseline: Option<PathBuf>,
    strict: bool,
}

impl Suite {
    fn new(broker: Broker) -> Suite {
        let selection = Selection { only: Vec::new(), skip: Vec::new(), versions: Vec::new() };
        Suite { broker, flags: Vec::new(), selection, baseline: None, strict: false }
    }

    /// A broker that runs already, or that its profile starts: an URL such as `mqtt://127.0.0.1:1883`, or the path of a
    /// profile.
    pub fn at(target: impl Into<String>) -> Suite {
        Suite::new(Broker::At(target.into()))
    }

    /// A broker that this command starts, in which `{port}` is a free loopback port. It is watched: its death is the
    /// failure of the check that it dies of.
    pub fn spawn(command: impl Into<String>) -> Suite {
        Suite::new(Broker::Spawned(command.into()))
    }

    /// A broker in this process: `serve` is called once, on a thread of its own, with a free loopback port, and serves
    /// there until the process ends. What it prints goes where the tests' output goes.
    pub fn in_process(serve: impl FnOnce(u16) + Send + 'static) -> Suite {
        Suite::new(Broker::InProcess(InProcess::new(serve)))
    }

    /// More of what `mqtt-assay check` takes to reach a broker, such as `["--user", "assay", "--ca", "ca.pem"]`.
    #[must_use]
    pub fn broker_arguments<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Suite {
        self.flags.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a version; without one, the cases are those of 3.1.1 and of 5.0. Those of a version that was not asked for
    /// and that the broker does not accept are ignored.
    #[must_use]
    pub fn version(mut self, version: Version) -> Suite {
        self.selection.versions.push(version);
        self
    }

    /// Takes only what fits this pattern, or another one that is given: the id of a statement, a section, or the name of
    /// a check.
    #[must_use]
    pub fn only(mut self, pattern: impl Into<String>) -> Suite {
        self.selection.only.push(pattern.into());
        self
    }

    /// Leaves out what fits this pattern.
    #[must_use]
    pub fn skip(mut self, pattern: impl Into<String>) -> Suite {
        self.selection.skip.push(pattern.into());
        self
    }

    /// The file of known failures: these do not fail, and an entry that nothing fits any more does. `mqtt-assay check
    /// --baseline FILE --accept` writes it, and so does the suite where [`ACCEPT_VARIABLE`] is set.
    #[must_use]
    pub fn baseline(mut self, file: impl Into<PathBuf>) -> Suite {
        self.baseline = Some(file.into());
        self
    }

    /// Lets recommendations that are not followed fail, too.
    #[must_use]
    pub fn strict(mut self) -> Suite {
        self.strict = true;
        self
    }

    /// Runs the suite as `cargo test` asks for it, and gives the exit code of the process.
    pub fn main(self) -> ExitCode {
        let arguments = Arguments::from_args();
        match self.conclude(&arguments) {
            Ok(code) => code,
            Err(sentence) => {
                eprintln!("error: {sentence}");
                ExitCode::from(2)
            }
        }
    }

    fn conclude(self, arguments: &Arguments) -> Result<ExitCode, String> {
        let chosen = self.selection.of(&checks::all()).map_err(|no_match| no_match.to_string())?;
        if std::env::var_os(ACCEPT_VARIABLE).is_some() {
            return self.accept(chosen);
        }
        let versions = self.versions();
        let cases: Vec<(&'static Check, Version)> = versions
            .iter()
            .flat_map(|version| chosen.iter().map(move |check| (*check, *version)))
            .filter(|(check, version)| check.versions().any(|other| other == *version))
            .collect();
        let wanted: Vec<_> = cases
            .iter()
            .copied()
            .filter(|(check, version)| is_wanted(arguments, &name(check, *version)))
            .collect();
        // With a part of the cases nothing is known of the entries for the others; the judge of the baseline knows it.
        let gate = self.baseline.as_deref().map(|path| crate::cli::open_baseline(path, false)).transpose()?;
        let context = Context { command: String::new(), broker: None, strict: self.strict, gate };
        let verdicts = Arc::new(Verdicts::new(context));
        let trials = trials(&cases, &verdicts);
        // Whether an entry is stale shows in a whole run only.
        let whole = verdicts.has_baseline() && is_wanted(arguments, UP_TO_DATE);
        let wanted = if whole { cases } else { wanted };
        if arguments.list || wanted.is_empty() {
            return Ok(libtest_mimic::run(arguments, trials).exit_code());
        }
        let named = !self.selection.versions.is_empty();
        let (all, command) = self.options()?;
        verdicts.is_repeated_by(command.as_deref(), all.seed);
        let mut options = Options {
            checks: chosen
                .into_iter()
                .filter(|check| wanted.iter().any(|(other, _)| other.name == check.name))
                .collect(),
            versions: versions
                .into_iter()
                .filter(|version| wanted.iter().any(|(_, other)| other == version))
                .collect(),
            ..all
        };
        if !named {
            // Of those that were not asked for, what the broker accepts.
            options.versions.clear();
        }
        let conclusion = std::thread::scope(|scope| {
            let (stop, stopped) = watch::channel(false);
            let runner = Arc::clone(&verdicts);
            scope.spawn(move || play(&options, stopped, &runner));
            let conclusion = libtest_mimic::run(arguments, trials);
            // All cases have their verdicts: what is left belongs to none.
            let _ = stop.send(true);
            conclusion
        });
        Ok(conclusion.exit_code())
    }

    fn versions(&self) -> Vec<Version> {
        let mut versions = self.selection.versions.clone();
        if versions.is_empty() {
            versions.extend(VERSIONS);
        }
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// The run's options without its checks, and the command that would check the same broker, if one can; an in-process
    /// broker serves from here on.
    fn options(self) -> Result<(Options, Option<String>), String> {
        let seed = seed()?;
        let meant = self.broker.meant(&self.flags)?;
        let options = Options {
            target: meant.target,
            profile: meant.profile,
            process: meant.process,
            versions: Vec::new(),
            checks: Vec::new(),
            jobs: JOBS,
            seed,
            deadline: DEADLINE,
            patience: PATIENCE,
            capture: false,
        };
        Ok((options, meant.command))
    }
}

fn seed() -> Result<u64, String> {
    match std::env::var(SEED_VARIABLE) {
        Ok(text) => {
            text.parse().map_err(|_| format!("{SEED_VARIABLE} must be a whole number, and is '{text}'"))
        }
        Err(_) => getrandom::u32()
            .map(u64::from)
            .map_err(|error| format!("the system gives no random seed ({error}); set {SEED_VARIABLE}")),
    }
}

/// What the case is called.
fn name(check: &Check, version: Version) -> String {
    format!("{version}::{}", check.name)
}

/// Whether the harness would run a case of this name.
fn is_wanted(arguments: &Arguments, name: &str) -> bool {
    let fits =
        |pattern: &String| if arguments.exact { name == pattern } else { name.contains(pattern.as_str()) };
    !arguments.ignored && arguments.filter.as_ref().is_none_or(fits) && !arguments.skip.iter().any(fits)
}

fn trials(cases: &[(&'static Check, Version)], verdicts: &Arc<Verdicts>) -> Vec<Trial> {
    let mut trials: Vec<Trial> = cases
        .iter()
        .map(|&(check, version)| {
            let verdicts = Arc::clone(verdicts);
            Trial::ignorable_test(name(check, version), move || verdicts.of(check, version))
        })
        .collect();
    if verdicts.has_baseline() {
        let verdicts = Arc::clone(verdicts);
        trials.push(Trial::ignorable_test(UP_TO_DATE, move || verdicts.baseline_is_up_to_date()));
    }
    trials
}

/// Runs the checks; whatever comes of it, every case that waits gets its answer.
fn play(options: &Options, stopped: watch::Receiver<bool>, verdicts: &Verdicts) {
    let finished = verdicts.finish_when_dropped();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return finished.with(Err(format!("cannot start the threads of the run: {error}"))),
    };
    let mut progress = |progress: run::Progress<'_>| {
        if let run::Progress::Finished(result) = progress {
            verdicts.add(result);
        }
    };
    let outcome: Result<Run, String> =
        runtime.block_on(run::run(options, stopped, &mut progress)).map_err(|trouble| trouble.to_string());
    runtime.shutdown_background();
    finished.with(outcome);
}

type Answer = Result<Completion, Failed>;
