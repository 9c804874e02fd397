//! One script against a broker on a real network, judged by the rules.

mod form;
mod recorded;

pub use form::{About, Accused, REPLAY_SCHEMA, Report, Unmet, replay_schema, report};
pub use recorded::{Comparison, Difference, HISTORY, Recorded, SCRIPT, Source};

use crate::net::play::{self, Limits};
use crate::process::{Death, Process, Recipe};
use crate::run::{SetUp, address_of, resolve, serve};
use crate::setup::Setup;
use crate::story::Credentials;
use crate::target::Target;
use mqtt_assay_broker_model::history::Fault;
use mqtt_assay_broker_model::rules::{self, Bounds};
use mqtt_assay_broker_model::script::{Action, Connect, Script, Step, Timely};
use mqtt_assay_broker_model::simulate::Outcome;
use mqtt_assay_fuzz_engine::place::{Mark, is_placed, marked};
use std::time::Duration;

/// So long a broker may take to die of a script.
const GRACE: Duration = Duration::from_millis(250);

/// Whether the script does something to the broker's process, which nobody can do over the network.
pub fn needs_the_process(script: &Script) -> bool {
    let crashes = |fault: &Fault| matches!(fault, Fault::Crash | Fault::Restart(_));
    script.steps.iter().any(|step| matches!(step, Step::Broker(_)))
        || script.schedule.iter().any(|timed| matches!(&timed.fault, Timely::Fault(fault) if crashes(fault)))
}

/// How a script is played and judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manner {
    /// How long an answer may take before its lack accuses.
    pub promptness: Duration,
    /// Stands for the names of the play, if the script has [names of its own](mqtt_assay_fuzz_engine::place).
    pub mark: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Manner { promptness: Bounds::default().promptness, mark: 0 }
    }
}

/// What came of a script.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// What was played, and what the rules say of it.
    pub outcome: Outcome,
    /// The broker that was started for it has died of it.
    pub death: Option<Death>,
    /// Whether a broker was started for it, whose death would have been seen.
    pub watched: bool,
    /// What stood for the names of the play, if the script has names of its own.
    pub mark: Option<Mark>,
}

/// Plays the script to the target, and judges what was seen.
///
/// Clients that name no user come as the target's.
///
/// # Errors
///
/// The broker cannot be reached.
pub async fn replay(script: Script, target: &Target) -> Result<Outcome, SetUp> {
    replay_as(script, target, None, Manner::default()).await.map(|replayed| replayed.outcome)
}

/// As [`replay`], in this manner, to a broker that is started for it if there is a recipe.
///
/// # Errors
///
/// The broker does not start, or cannot be reached.
pub async fn replay_as(
    mut script: Script,
    target: &Target,
    recipe: Option<&Recipe>,
    manner: Manner,
) -> Result<Replayed, SetUp> {
    let mut process = match recipe {
        Some(recipe) => {
            let started = Process::start(recipe, false).await;
            Some(started.map_err(|trouble| SetUp::Broker(trouble.to_string()))?)
        }
        None => None,
    };
    let (address, served) = match target {
        Target::Reference { mutant } => {
            let served = serve(Setup::Full, *mutant).await?;
            (address_of(&served), Some(served))
        }
        Target::Tcp(tcp) => {
            let credentials =
                Credentials { user_name: tcp.user_name.clone(), password: tcp.password.clone() };
            lend_credentials(&mut script, &credentials);
            match (resolve(tcp, process.is_some()).await, process.take()) {
                (Ok(address), running) => {
                    process = running;
                    (address, None)
                }
                (Err(trouble), Some(process)) => return Err(process.end_after(trouble).await),
                (Err(trouble), None) => return Err(trouble),
            }
        }
    };
    let placed = is_placed(&script);
    let mark = placed.then(|| Mark::new(manner.mark));
    let script = mark.as_ref().map_or_else(|| script.clone(), |mark| marked(&script, mark));
    let played = play::play(script, &address, Limits::GENEROUS).await;
    // A broker of somebody else's may have been told things before; names that are new it has not.
    let closed_world = placed || served.is_some();
    let bounds = Bounds { closed_world, promptness: manner.promptness, ..Bounds::default() };
    let verdicts = rules::judge(&played.history, bounds);
    let death = match process {
        Some(mut process) => {
            let death = process.dies_within(GRACE).await;
            if death.is_none() {
                process.end().await;
            }
            death
        }
        None => None,
    };
    Ok(Replayed { outcome: Outcome { played, verdicts }, death, watched: recipe.is_some(), mark })
}

/// Gives these to all clients that name no user.
pub(crate) fn lend_credentials(script: &mut Script, credentials: &Credentials) {
    let Some(user_name) = &credentials.user_name else { return };
    let lend = |connect: &mut Connect| {
        if connect.user_name.is_none() && connect.password.is_none() {
            connect.user_name = Some(user_name.clone());
            connect.password = credentials.password.clone().map(String::into_bytes);
        }
    };
    script.clients.iter_mut().for_each(|client| lend(&mut client.connect));
    for step in &mut script.steps {
        if let Step::Client(_, Action::Connect(Some(connect))) = step {
            lend(connect);
        }
    }
}
