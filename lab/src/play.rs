//! One run: a broker with a fresh state, and mqtt-assay in a process of its own, which starts it, watches it and ends it.

use crate::broker::{Broker, Listener};
use crate::install::last_lines;
use crate::places::{Places, VARIABLE};
use crate::results;
use crate::strays;
use mqtt_assay::report::json::Report;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::watch;

/// How long a run may take to end its broker when it is told to.
const FAREWELL: Duration = Duration::from_secs(20);

/// Whether the lab goes on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stop {
    /// It does.
    No,
    /// Runs are told to end.
    InOrder,
    /// Runs are killed.
    AtOnce,
}

/// The program that runs as mqtt-assay, with what comes before its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assay {
    /// The program.
    pub program: PathBuf,
    /// What comes first.
    pub first: Vec<OsString>,
}

/// Plays runs.
#[derive(Clone, Debug)]
pub struct Player {
    /// The lab.
    pub places: Places,
    /// mqtt-assay.
    pub assay: Assay,
    /// Told when the lab is to end.
    pub stop: watch::Receiver<Stop>,
}

/// Why a run has no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The broker, or the run, did not do what it should: one sentence.
    Failed(String),
    /// The lab was told to end.
    Stopped,
}

/// What is asked of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order<'a> {
    /// `check` or `fuzz`.
    pub command: &'static str,
    /// Further arguments.
    pub arguments: Vec<OsString>,
    /// The name of the run: of its state and its log.
    pub name: &'a str,
    /// Where the log goes.
    pub out: &'a Path,
}

impl Player {
    /// Checks a broker at one listener; the result is in the file.
    ///
    /// # Errors
    ///
    /// There is none.
    pub async fn check(
        &self,
        broker: &Broker,
        listener: &Listener,
        file: &Path,
        mut order: Order<'_>,
    ) -> Result<Report, Trouble> {
        // A result appears when it is whole.
        let unfinished = file.with_extension("json.new");
        let mut report = OsString::from("json=");
        report.push(&unfinished);
        order.arguments.extend([OsString::from("--report"), report]);
        let played = self.play(broker, listener, &order).await;
        let report = played.and_then(|_| results::open(&unfinished).map_err(Trouble::Failed));
        let kept = report.and_then(|report| match fs::rename(&unfinished, file) {
            Ok(()) => Ok(report),
            Err(error) => Err(Trouble::Failed(format!("cannot write {}: {error}", file.display()))),
        });
        if kept.is_err() {
            // What may be left of a run without a result says nothing that its log does not.
            let _ = fs::remove_file(&unfinished);
            let _ = fs::remove_file(unfinished.with_extension("new.partial"));
        }
        kept
    }

    /// Plays a run to its end, and leaves nothing of the broker behind. Returns the exit code, which is not 2.
    ///
    /// # Errors
    ///
    /// It could not be played, or was stopped.
    pub async fn play(
        &self,
        broker: &Broker,
        listener: &Listener,
        order: &Order<'_>,
    ) -> Result<i32, Trouble> {
        if *self.stop.borrow() > Stop::No {
            return Err(Trouble::Stopped);
        }
        let state = self.places.state(order.name);
        let whole = self.places.root().join(&state);
        let failed = |what: &str, error: io::Error| Trouble::Failed(format!("{what}: {error}"));
        remove(&whole).map_err(|error| failed("cannot remove the state of an earlier run", error))?;
        let log = order.out.join(format!("{}.log", order.name));
        let played = self.run(broker, listener, order, &state, &log).await;
        let removed = remove(&whole);
        let code = played?;
        removed.map_err(|error| failed("cannot remove the state of the broker", error))?;
        match code {
            Some(code @ (0 | 1 | 3)) => Ok(code),
            _ if *self.stop.borrow() > Stop::No => Err(Trouble::Stopped),
            _ => {
                let said = fs::read(&log).unwrap_or_default();
                Err(Trouble::Failed(last_lines(&said, 1).trim_start_matches("error: ").to_owned()))
            }
        }
    }

    async fn run(
        &self,
        broker: &Broker,
        listener: &Listener,
        order: &Order<'_>,
        state: &Path,
        log: &Path,
    ) -> Result<Option<i32>, Trouble> {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        let failed = |error: io::Error| {
            Trouble::Failed(format!("cannot run {}: {error}", self.assay.program.display()))
        };
        let said = File::create(log)
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(|error| Trouble::Failed(format!("cannot write {}: {error}", log.display())))?;
        let mut spawn = vec![broker.file("start.sh"), state.to_path_buf(), PathBuf::from(listener.name())];
        if order.command == "fuzz" {
            spawn.insert(0, PathBuf::from("lab/fresh.sh"));
        }
        let spawn: Vec<String> = spawn.iter().map(|path| path.display().to_string()).collect();
        let mut command = Command::new(&self.assay.program);
        command
            .args(&self.assay.first)
            .arg(order.command)
            .arg(broker.file(&listener.profile))
            .args(["--over", listener.over.name(), "--spawn", &shell_words::join(spawn)])
            .args(["--spawn-timeout", &broker.patience().as_secs().to_string(), "--no-colour", "--quiet"]);
        // The profile has the default.
        if listener.over.speaks_tls() && std::env::var_os(VARIABLE).is_some() {
            command.arg("--ca").arg(self.places.installed().join("certificates/ca.crt"));
        }
        command
            .args(&order.arguments)
            .current_dir(self.places.root())
            .env(VARIABLE, self.places.installed_whole())
            .env(strays::MARK, &mark)
            .stdin(Stdio::null())
            .stdout(said.0)
            .stderr(said.1)
            .kill_on_drop(true);
        // Ctrl-C in the terminal reaches the lab alone, which then tells each run once.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let mut stop = self.stop.clone();
        let ended = tokio::select! {
            status = child.wait() => Some(status),
            () = told(&mut stop, Stop::InOrder) => None,
        };
        let status = match ended {
            Some(status) => Some(status),
            None => {
                strays::ask_to_end(child.id());
                tokio::select! {
                    status = child.wait() => Some(status),
                    () = told(&mut stop, Stop::AtOnce) => None,
                    () = tokio::time::sleep(FAREWELL) => None,
                }
            }
        };
        let code = match status {
            Some(status) => status.map_err(failed)?.code(),
            None => {
                child.kill().await.map_err(failed)?;
                None
            }
        };
        strays::end(&mark).await;
        Ok(code)
    }
}

/// Waits until the lab is told to end in this way, or in a harder one.
async fn told(stop: &mut watch::Receiver<Stop>, how: Stop) {
    if stop.wait_for(|stop| *stop >= how).await.is_err() {
        // Nobody is left who could tell.
        std::future::pending::<()>().await;
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
