//! A healthy client beside the cases: as long as it is served, the broker serves.

use super::plain::Plain;
use super::stage::Stage;
use crate::run::Clock;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(200);
/// In every so many rounds it tries whether a new connection is accepted, too.
const NEWCOMER: u64 = 5;

/// What is wrong with the broker, from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Alarm {
    /// It does not answer.
    Hang(String),
    /// It takes no connections any more.
    Deaf(String),
}

/// Since when the broker is known to serve a healthy client: what was not answered before may be a hang's doing.
#[derive(Clone, Debug)]
pub(super) struct Served(Arc<Mutex<Option<Instant>>>);

impl Served {
    pub(super) fn new() -> Served {
        Served(Arc::new(Mutex::new(Some(Instant::now()))))
    }

    /// Nobody looks.
    pub(super) fn give_up(&self) {
        self.set(None);
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Whether a healthy client that came after this time was served; also if nobody looks any more.
    pub(super) fn after(&self, time: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none_or(|since| since > time)
    }
}

/// Looks after the broker until something is wrong, and tells what.
///
/// A broker may end the bystander's connection when it likes: then it comes again.
pub(super) async fn watch(
    stage: Arc<Stage>,
    clock: Arc<Clock>,
    bound: Duration,
    alarms: mpsc::Sender<Alarm>,
    served: Served,
) {
    let mut round = 0;
    let alarm = 'connections: loop {
        let mut present = match enter(&stage, &clock, bound).await {
            Ok(present) => present,
            Err(alarm) => break alarm,
        };
        loop {
            tokio::time::sleep(PAUSE).await;
            round += 1;
            let begun = Instant::now();
            match clock.within(bound, present.plain.echo(present.topic.as_deref(), round)).await {
                Some(Ok(())) => served.set(Some(begun)),
                // It is gone: come again.
                Some(Err(_)) => break,
                None => {
                    let what = match &present.topic {
                        Some(_) => "no PINGRESP, or not its own message",
                        None => "no PINGRESP",
                    };
                    break 'connections Alarm::Hang(format!("a healthy client got {what} within {bound:?}"));
                }
            }
            if round % NEWCOMER == 0 {
                match enter(&stage, &clock, bound).await {
                    Ok(newcomer) => newcomer.plain.leave().await,
                    Err(alarm) => break 'connections alarm,
                }
            }
        }
    };
    // Whoever is not there any more does not want to know.
    let _ = alarms.send(alarm).await;
}

/// Whether a healthy client is served now.
pub(super) async fn is_served(stage: &Stage, clock: &Clock, bound: Duration) -> Result<(), Alarm> {
    let mut present = enter(stage, clock, bound).await?;
    match clock.within(bound, present.plain.echo(present.topic.as_deref(), 0)).await {
        Some(_) => Ok(()),
        None => Err(Alarm::Hang(format!(
            "a healthy client got no PINGRESP, or not its own message within {bound:?}"
        ))),
    }
}

/// A client that is connected.
struct Present {
    plain: Plain,
    /// The topic of its own messages, if the broker lets it subscribe.
    topic: Option<String>,
}

/// Connects and subscribes; tries as long as the bound allows.
async fn enter(stage: &Stage, clock: &Clock, bound: Duration) -> Result<Present, Alarm> {
    let mut refused = false;
    let attempts = async {
        loop {
            match attempt(stage, bound).await {
                Ok(present) => return present,
                Err(error) => refused = error.kind() == io::ErrorKind::ConnectionRefused,
            }
            tokio::time::sleep(PAUSE / 4).await;
        }
    };
    match clock.within(bound, attempts).await {
        Some(present) => Ok(present),
        None if refused => {
            Err(Alarm::Deaf(format!("for {bound:?} a healthy client could not connect: refused")))
        }
        None => Err(Alarm::Hang(format!(
            "for {bound:?} a healthy client got no CONNACK that accepts it, or no SUBACK"
        ))),
    }
}

async fn attempt(stage: &Stage, bound: Duration) -> io::Result<Present> {
    let mark = stage.mark();
    let identifier = format!("{mark}bystander");
    let mut plain =
        Plain::connect(&stage.address, stage.version, &identifier, &stage.credentials, bound).await?;
    let topic = format!("{mark}/bystander");
    let granted = plain.subscribe(&topic).await?;
    Ok(Present { plain, topic: granted.then_some(topic) })
}
