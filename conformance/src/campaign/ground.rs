//! The broker of a campaign: reached, started, watched, started again.

use super::{Options, vitals};
use crate::net::Address;
use crate::process::{Death, Process, Recipe};
use crate::run::{SetUp, address_of, resolve, serve};
use crate::serve::Served;
use crate::setup::Setup;
use crate::story::Credentials;
use crate::target::Target;
use std::future::pending;
use std::time::Duration;

/// So often a broker may fail to start again before the campaign ends.
const STARTS: u32 = 3;

/// Between two looks whether a process is there that is not ours.
const LOOK: Duration = Duration::from_millis(50);

/// The end of the broker's process.
#[derive(Clone, Debug)]
pub(super) struct Fall {
    /// As a sentence without a full stop.
    pub(super) how: String,
    /// In a word.
    pub(super) cause: String,
    /// What it printed last.
    pub(super) output: Vec<String>,
    /// Somebody has ended it from outside.
    pub(super) by_others: bool,
}

impl From<Death> for Fall {
    fn from(death: Death) -> Fall {
        let cause = death.cause();
        // No process kills itself in this way: it was killed by hand, or for want of memory.
        let by_others = death.is_by_others() || cause == "SIGKILL";
        Fall { how: death.how.clone(), cause, output: death.all_output().to_vec(), by_others }
    }
}

/// The broker, and what is known of its process.
#[derive(Debug)]
pub(super) struct Ground {
    recipe: Option<Recipe>,
    process: Option<Process>,
    /// The embedded broker, which lives as long.
    _served: Option<Served>,
    pid: Option<u32>,
    /// How often it was started again.
    pub(super) restarts: u64,
}

impl Ground {
    /// Starts the broker if that is wanted, and finds out how to reach it.
    ///
    /// If it is started, it finds this in its environment.
    pub(super) async fn prepare(
        options: &Options,
        environment: Vec<(String, String)>,
    ) -> Result<(Ground, Address, Credentials), SetUp> {
        if let Some(pid) = options.pid.filter(|pid| !vitals::is_there(*pid)) {
            return Err(SetUp::Broker(format!(
                "there is no process {pid}, or this system does not tell of it; --pid needs the number of the broker's \
                 process on this machine"
            )));
        }
        let recipe = options.process.clone().map(|recipe| Recipe { environment, ..recipe });
        let mut ground =
            Ground { recipe: recipe.clone(), process: None, _served: None, pid: options.pid, restarts: 0 };
        if let Some(recipe) = &recipe {
            let started = Process::start(recipe, false).await;
            ground.process = Some(started.map_err(|trouble| SetUp::Broker(trouble.to_string()))?);
        }
        match &options.target {
            Target::Reference { mutant } => {
                let served = serve(Setup::Full, *mutant).await?;
                let address = address_of(&served);
                Ok((Ground { _served: Some(served), ..ground }, address, Credentials::default()))
            }
            Target::Tcp(tcp) => {
                let credentials =
                    Credentials { user_name: tcp.user_name.clone(), password: tcp.password.clone() };
                match resolve(tcp, ground.process.is_some()).await {
                    Ok(address) => Ok((ground, address, credentials)),
                    Err(trouble) => Err(ground.end_after(trouble).await),
                }
            }
        }
    }

    /// What is wrong; the broker that was started ends.
    pub(super) async fn end_after(&mut self, trouble: SetUp) -> SetUp {
        match self.process.take() {
            Some(process) => process.end_after(trouble).await,
            None => trouble,
        }
    }

    /// The number of its process, if that is known.
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::id).or(self.pid)
    }

    /// Whether a fresh broker can be had.
    pub(super) fn can_restart(&self) -> bool {
        self.recipe.is_some()
    }

    /// Whether it runs, as far as that is known.
    pub(super) fn is_up(&self) -> bool {
        self.recipe.is_none() || self.process.is_some()
    }

    /// What it has printed last, if it is ours.
    pub(super) fn output(&self) -> Vec<String> {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }

    /// Waits for its end; for ever if nobody can tell of it.
    pub(super) async fn fall(&mut self) -> Fall {
        if let Some(process) = &mut self.process {
            let death = process.death().await;
            self.process = None;
            return death.into();
        }
        let Some(pid) = self.pid else { return pending().await };
        while vitals::is_there(pid) {
            tokio::time::sleep(LOOK).await;
        }
        self.pid = None;
        Fall {
            how: format!("the process {pid} is gone, nobody knows how"),
            cause: "gone".to_owned(),
            output: Vec::new(),
            by_others: false,
        }
    }

    /// Its end, if it comes within this time.
    pub(super) async fn falls_within(&mut self, time: Duration) -> Option<Fall> {
        tokio::time::timeout(time, self.fall()).await.ok()
    }

    /// Starts it afresh, whatever has become of it.
    pub(super) async fn restart(&mut self) -> Result<(), SetUp> {
        if let Some(process) = self.process.take() {
            process.kill().await;
        }
        let Some(recipe) = &self.recipe else { return Ok(()) };
        let mut tries = 1;
        loop {
            match Process::start(recipe, true).await {
                Ok(process) => {
                    self.process = Some(process);
                    self.restarts += 1;
                    return Ok(());
                }
                // A start may fail for once: what the dead one had open is in the way, or the machine is busy.
                Err(_) if tries < STARTS => tries += 1,
                Err(trouble) => {
                    return Err(SetUp::Broker(format!("{trouble}; it was started again {tries} times")));
                }
            }
        }
    }

    /// The campaign is over.
    pub(super) async fn end(mut self) {
        if let Some(process) = self.process.take() {
            process.end().await;
        }
    }
}
