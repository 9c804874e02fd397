//! The broker as a process of ours: started by a command, watched, and ended with the run.
//!
//! It has a process group of its own, so that a Ctrl-C in the terminal reaches us alone, and so that what it has
//! started ends with it.

mod death;
mod group;
mod tail;

pub use death::Death;
pub(crate) use group::kill_all;

use crate::profile::PORT;
use group::Group;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tail::Tail;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Between two looks whether the port is open.
const PAUSE: Duration = Duration::from_millis(20);
/// A look takes no longer.
const LOOK: Duration = Duration::from_secs(1);
/// How long a broker may take to end when it is told to.
const FAREWELL: Duration = Duration::from_secs(5);

/// How a broker is started and ended. Commands are lists of words; `{port}` and `{pid}` in them are replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipe {
    /// Starts it, in the foreground.
    pub spawn: Vec<String>,
    /// Stops it; without it, SIGTERM to its group does.
    pub stop: Option<Vec<String>>,
    /// Kills it if it does not stop; without it, SIGKILL to its group does.
    pub kill: Option<Vec<String>>,
    /// Starts it again after its death; without it, `spawn` does.
    pub restart: Option<Vec<String>>,
    /// What the broker finds in its environment, beside our own.
    pub environment: Vec<(String, String)>,
    /// Where the commands run; `None` for the folder of the run.
    pub folder: Option<PathBuf>,
    /// The host that it is reached at.
    pub host: String,
    /// The port that it listens on.
    pub port: u16,
    /// How long it may take until it listens.
    pub patience: Duration,
}

/// Why the broker is not there, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Nothing can be told of a broker whose port is another's.
    #[error("something listens on {0} already; stop it, or check it without starting a broker (--no-spawn)")]
    Taken(String),
    /// The system does not start it.
    #[error("cannot start the broker with {0:?}: {1}")]
    Start(String, io::Error),
    /// It ended instead of listening.
    #[error("the broker died before it listened on {0}: {1}")]
    Died(String, Death),
    /// The command has ended, and something listens: no process is left that could be watched.
    #[error(
        "the command {0:?} ended and left a broker behind, which cannot be watched; let it stay in the foreground"
    )]
    Left(String),
    /// It lives and does not listen.
    #[error("the broker does not listen on {0} after {1:.0} s (--spawn-timeout){2}")]
    Silent(String, f64, String),
}

/// A running broker; its group is killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Group,
    tail: Tail,
    recipe: Recipe,
    /// Whether something still listened when the process had ended.
    left: Option<bool>,
}

impl Process {
    /// Starts the broker, or starts it `again`, and waits until its port accepts a connection.
    pub(crate) async fn start(recipe: &Recipe, again: bool) -> Result<Process, Trouble> {
        let place = recipe.place();
        // What was just killed may hold its port until the system has taken it apart.
        let free_by = Instant::now() + if again { FAREWELL } else { Duration::ZERO };
        while recipe.is_open().await {
            if Instant::now() >= free_by {
                return Err(Trouble::Taken(place));
            }
            tokio::time::sleep(PAUSE).await;
        }
        let words = recipe.restart.as_ref().filter(|_| again).unwrap_or(&recipe.spawn);
        let program = words.first().cloned().unwrap_or_default();
        let mut command = recipe.command(words, None);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| Trouble::Start(program.clone(), error))?;
        let group = Group::of(&child);
        let tail = Tail::of(&mut child);
        let mut process = Process { child, group, tail, recipe: recipe.clone(), left: None };
        let deadline = Instant::now() + recipe.patience;
        loop {
            if recipe.is_open().await {
                return match process.has_died().await {
                    None => Ok(process),
                    Some(death) => Err(death.trouble(&program, place)),
                };
            }
            match tokio::time::timeout(PAUSE, process.death()).await {
                Ok(death) => return Err(death.trouble(&program, place)),
                Err(_) if Instant::now() < deadline => {}
                Err(_) => {
                    let said = death::last_words(&process.tail.lines());
                    return Err(Trouble::Silent(place, recipe.patience.as_secs_f64(), said));
                }
            }
        }
    }

    /// Its number, while it lives.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it has printed so far, as far as it is kept.
    pub(crate) fn output(&self) -> Vec<String> {
        self.tail.lines()
    }

    /// Waits for its death. May be given up and asked again.
    pub(crate) async fn death(&mut self) -> Death {
        let status = self.child.wait().await;
        // Asked once: what still listens is about to be ended.
        let left = match self.left {
            Some(left) => left,
            None => *self.left.insert(self.recipe.is_open().await),
        };
        // What it started goes with it: it must not hold the port.
        self.group.kill();
        self.tail.drained().await;
        Death::new(&status, left, self.tail.lines())
    }

    /// How it died, if it has.
    pub(crate) async fn has_died(&mut self) -> Option<Death> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(_)) | Err(_) => Some(self.death().await),
        }
    }

    /// How it dies, if it does so within this time.
    pub(crate) async fn dies_within(&mut self, time: Duration) -> Option<Death> {
        tokio::time::timeout(time, self.death()).await.ok()
    }

    /// Ends it at once, by force.
    pub(crate) async fn kill(mut self) {
        self.group.kill();
        let _ = tokio::time::timeout(FAREWELL, self.child.wait()).await;
    }

    /// Ends it: as the recipe says or by SIGTERM, then, if it does not end, by force.
    pub(crate) async fn end(mut self) {
        for forced in [false, true] {
            let words = if forced { &self.recipe.kill } else { &self.recipe.stop };
            match (words, self.child.id()) {
                (Some(words), pid) => {
                    let mut command = self.recipe.command(words, pid);
                    command.stdout(Stdio::null()).stderr(Stdio::null());
                    // Should it fail, the next way of ending it is harder.
                    let _ = tokio::time::timeout(FAREWELL, async { command.spawn()?.wait().await }).await;
                }
                (None, _) if forced => self.group.kill(),
                (None, _) => self.group.terminate(),
            }
            if tokio::time::timeout(FAREWELL, self.child.wait()).await.is_ok() {
                break;
            }
        }
        self.group.kill();
    }
}

impl Death {
    /// What it means that no check is the cause of.
    fn trouble(self, program: &str, place: String) -> Trouble {
        // A command that hands the broker over to the background ends well, perhaps before the broker listens.
        if self.is_success() { Trouble::Left(program.to_owned()) } else { Trouble::Died(place, self) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.group.kill();
    }
}

impl Recipe {
    fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    async fn is_open(&self) -> bool {
        let connect = TcpStream::connect((self.host.as_str(), self.port));
        matches!(tokio::time::timeout(LOOK, connect).await, Ok(Ok(_)))
    }

    fn command(&self, words: &[String], pid: Option<u32>) -> Command {
        let (port, pid) = (self.port.to_string(), pid.map_or_else(String::new, |pid| pid.to_string()));
        let mut words = words.iter().map(|word| word.replace(PORT, &port).replace("{pid}", &pid));
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).stdin(Stdio::null()).kill_on_drop(true);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// A broker whose port something holds for a moment after it was killed can be started again; somebody else's port
    /// cannot be had.
    #[tokio::test]
    async fn a_restart_waits_for_the_port() {
        let held = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = held.local_addr().expect("bound").port();
        let recipe = Recipe {
            spawn: ["sh", "-c", "exec sleep 60"].map(str::to_owned).to_vec(),
            stop: None,
            kill: None,
            restart: None,
            environment: Vec::new(),
            folder: None,
            host: "127.0.0.1".to_owned(),
            port,
            patience: Duration::from_millis(100),
        };
        assert!(matches!(Process::start(&recipe, false).await, Err(Trouble::Taken(_))));
        let releasing = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(held);
        });
        // It got as far as to wait for its own broker, which never listens.
        assert!(matches!(Process::start(&recipe, true).await, Err(Trouble::Silent(..))));
        releasing.await.expect("released");
    }
}
