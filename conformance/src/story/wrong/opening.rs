//! How a wrong packet is written, and what becomes of a connection that begins with one.

use super::Outcome;
use crate::story::first::lengthened;
use crate::story::history::What;
use crate::story::{Client, Stop, Story, World};
use crate::verdict::Verdict;
use tokio::sync::Mutex;

/// A connection in order, whose barriers come between the two writes of a packet: a broker that gets both at once is not
/// put to the test. It serves as long as it lives.
pub(super) struct Pacer<'w>(Mutex<Option<Client<'w>>>);

impl<'w> Pacer<'w> {
    pub(super) async fn new(world: &'w World) -> Result<Self, Stop> {
        Ok(Pacer(Mutex::new(Some(world.connect_alive("pacer").await?))))
    }

    async fn barrier(&self) {
        let mut pacer = self.0.lock().await;
        let alive = match &mut *pacer {
            Some(client) => matches!(client.alive().await, Ok(true)),
            None => false,
        };
        if !alive {
            *pacer = None;
        }
    }
}

/// Writes the bytes, at once or in two writes with a break in the middle.
pub(super) async fn write(client: &mut Client<'_>, bytes: &[u8], split: Option<&Pacer<'_>>) -> Story {
    match split {
        Some(pacer) if bytes.len() > 1 => client.send_in_two(bytes, bytes.len() / 2, pacer.barrier()).await,
        _ => client.send_bytes(bytes).await,
    }
}

/// A wrong packet in the place of the CONNECT.
pub(super) struct Opening<'a, 'p> {
    /// The name of its client.
    pub(super) client: &'a str,
    /// What the log says of it.
    pub(super) note: String,
    pub(super) bytes: &'a [u8],
    /// In two writes, with a barrier of this one between them.
    pub(super) split: Option<&'a Pacer<'p>>,
    /// Whether a CONNACK that refuses may come before the end.
    pub(super) may_answer: bool,
}

impl Opening<'_, '_> {
    /// Opens a connection and begins it with the packet.
    pub(super) async fn send<'w>(&self, w: &'w World) -> Result<Client<'w>, Stop> {
        let mut client = w.open(self.client).await?;
        client.record(What::Note(self.note.clone()))?;
        write(&mut client, &lengthened(self.bytes), self.split).await?;
        Ok(client)
    }

    /// What the broker makes of it: to take it for a good one violates.
    pub(super) async fn outcome(&self, w: &World) -> Result<Outcome, Stop> {
        let mut client = self.send(w).await?;
        let ended = client.is_ended_at_connect(self.may_answer).await;
        let due = client.end_due_at_connect(self.may_answer);
        client.cut();
        Ok(if ended? { Outcome::Ended(None) } else { Outcome::LeftOpen(due) })
    }
}

/// The one case, of those that were played side by side, which the broker left without a word; `None` if there are more.
///
/// Some brokers lose sight of a connection now and then, be what comes on it right or wrong, or are busy with it for long:
/// that says nothing of what is wrong in this case, which is worth another try.
pub(super) fn lost_sight_of<'a>(outcomes: impl Iterator<Item = &'a Result<Outcome, Stop>>) -> Option<usize> {
    let mut silent = outcomes.enumerate().filter(|(_, outcome)| match outcome {
        Ok(outcome) => matches!(outcome, Outcome::LeftOpen(_) | Outcome::HeldOpen),
        Err(stop) => stop.verdict() == Verdict::Inconclusive,
    });
    match (silent.next(), silent.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_silent_is_lost_sight_of_and_several_are_not() {
        let ended = || Ok(Outcome::Ended(None));
        let open = || Ok(Outcome::LeftOpen("the end"));
        let unanswered = || Err(Stop::inconclusive("no answer"));
        let wrong = || Ok(Outcome::Violates(Stop::violates("the end", "CONNACK")));
        assert_eq!(lost_sight_of([ended(), open(), wrong()].iter()), Some(1));
        assert_eq!(lost_sight_of([ended(), ended(), unanswered()].iter()), Some(2));
        assert_eq!(lost_sight_of([open()].iter()), Some(0));
        assert_eq!(lost_sight_of([Ok(Outcome::HeldOpen), ended()].iter()), Some(0));
        assert_eq!(lost_sight_of([open(), ended(), open()].iter()), None);
        assert_eq!(lost_sight_of([open(), unanswered()].iter()), None);
        assert_eq!(lost_sight_of([ended(), wrong(), Err(Stop::not_tested("no room"))].iter()), None);
    }
}
