//! One script against a broker on a real network, judged by the rules.

use crate::net::play;
use crate::run::{SetUp, address_of, resolve, serve};
use crate::setup::Setup;
use crate::target::{Target, TcpTarget};
use mqtt_assay_broker_model::history::Fault;
use mqtt_assay_broker_model::rules::{self, Bounds};
use mqtt_assay_broker_model::script::{Action, Connect, Script, Step, Timely};
use mqtt_assay_broker_model::simulate::Outcome;
use std::time::Duration;

/// How long a connection may take to open.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether the script does something to the broker's process, which nobody can do over the network.
pub fn needs_the_process(script: &Script) -> bool {
    let crashes = |fault: &Fault| matches!(fault, Fault::Crash | Fault::Restart(_));
    script.steps.iter().any(|step| matches!(step, Step::Broker(_)))
        || script.schedule.iter().any(|timed| matches!(&timed.fault, Timely::Fault(fault) if crashes(fault)))
}

/// Plays the script to the target, and judges what was seen.
///
/// Clients that name no user come as the target's.
///
/// # Errors
///
/// The broker cannot be reached.
pub async fn replay(mut script: Script, target: &Target) -> Result<Outcome, SetUp> {
    let (address, served) = match target {
        Target::Reference { mutant } => {
            let served = serve(Setup::Full, *mutant).await?;
            (address_of(&served), Some(served))
        }
        Target::Tcp(tcp) => {
            lend_credentials(&mut script, tcp);
            (resolve(tcp).await?, None)
        }
    };
    let played = play::play(script, &address, PATIENCE).await;
    // A broker of somebody else's may have been told things before.
    let bounds = Bounds { closed_world: served.is_some(), ..Bounds::default() };
    let verdicts = rules::judge(&played.history, bounds);
    Ok(Outcome { played, verdicts })
}

fn lend_credentials(script: &mut Script, tcp: &TcpTarget) {
    let Some(user_name) = &tcp.user_name else { return };
    let lend = |connect: &mut Connect| {
        if connect.user_name.is_none() && connect.password.is_none() {
            connect.user_name = Some(user_name.clone());
            connect.password = tcp.password.clone().map(String::into_bytes);
        }
    };
    script.clients.iter_mut().for_each(|client| lend(&mut client.connect));
    for step in &mut script.steps {
        if let Step::Client(_, Action::Connect(Some(connect))) = step {
            lend(connect);
        }
    }
}
