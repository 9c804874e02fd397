//! The whole bytes of a check's connections, for a run that wants a capture: the log keeps a part of them only.

use crate::outcome::{LogEntry, Taped, TapedEvent};
use crate::report::pcapng::What;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many bytes the captures of a run may keep.
#[derive(Debug)]
pub(crate) struct Room(AtomicUsize);

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Room(AtomicUsize::new(bytes))
    }

    /// Whether there is still room for so many bytes, which are taken then.
    fn take(&self, bytes: usize) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }
}

/// What an event costs beside its bytes.
const EVENT_SIZE: usize = 128;

/// What the connections of a check, and of its forks, carry.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    room: Arc<Room>,
    kept: Arc<Mutex<Vec<(usize, Taped)>>>,
    /// Which history of the check it is: forks count their clients' connections each for itself.
    fork: usize,
    forks: Arc<AtomicUsize>,
}

impl Tape {
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Tape { room, kept: Arc::default(), fork: 0, forks: Arc::default() }
    }

    /// The same tape for a history of its own.
    pub(super) fn fork(&self) -> Self {
        let fork = self.forks.fetch_add(1, Ordering::Relaxed) + 1;
        Tape { fork, ..self.clone() }
    }

    /// A connection was opened.
    pub(super) fn open(&self, at: Duration, client: &str, connection: u32, broker: Option<SocketAddr>) {
        let (client, events) = (client.to_owned(), Vec::new());
        let taped =
            Taped { client, connection, broker, opened: at, events, cut: !self.room.take(EVENT_SIZE) };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push((self.fork, taped));
    }

    /// Something happened on a connection. Past the room that there is, nothing of the connection is kept any more.
    pub(super) fn tell(&self, at: Duration, client: &str, connection: u32, what: What) {
        let size = match &what {
            What::Sent(bytes) | What::Received(bytes) => bytes.len(),
            What::End { .. } => 0,
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // The latest are last.
        let taped = kept.iter_mut().rev().map(|(fork, taped)| (*fork, taped)).find(|(fork, taped)| {
            *fork == self.fork && taped.client == client && taped.connection == connection
        });
        let Some((_, taped)) = taped.filter(|(_, taped)| !taped.cut) else { return };
        if self.room.take(size + EVENT_SIZE) {
            taped.events.push(TapedEvent { at, what, comment: None });
        } else {
            taped.cut = true;
        }
    }

    /// What was kept. A comment goes to the event of each log entry that has one.
    pub(crate) fn take(&self, comments: &[(LogEntry, String)]) -> Vec<Taped> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let mut all: Vec<Taped> = kept.into_iter().map(|(_, taped)| taped).collect();
        for (entry, comment) in comments {
            let events = all
                .iter_mut()
                .filter(|taped| taped.client == entry.client && taped.connection == entry.connection)
                .flat_map(|taped| &mut taped.events);
            for event in events.filter(|event| event.at == entry.at) {
                let more = event.comment.take().map_or_else(String::new, |before| before + "\n");
                event.comment = Some(more + comment);
            }
        }
        all
    }
}
