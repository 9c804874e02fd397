//! What every client of a story saw and did, in order, with times and bytes.

use super::tape::Tape;
use crate::outcome::{Direction, LOGGED_BYTES, LogEntry};
use crate::report::pcapng;
use mqtt_assay_codec::{Decoder, Frame, Receiver, Split, Version, describe, frame};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Past this many events or bytes a check ends: no broker may fill our memory.
const EVENTS_MAX: usize = 5_000;
const BYTES_MAX: usize = 8 << 20;
/// Longer packets are put into words at once and kept with their beginning only.
const KEPT_MAX: usize = 4096;

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Bytes of ours, as one write.
    Sent(Vec<u8>),
    /// One frame of the broker's, or the bytes that are none.
    Received(Vec<u8>),
    /// A remark: opened, closed, waited.
    Note(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) client: String,
    pub(crate) connection: u32,
    /// The version that the connection speaks, for reading its bytes.
    pub(crate) version: Version,
    pub(crate) what: What,
    /// For bytes cut at `KEPT_MAX`: how many there were, and the line that they make.
    pub(crate) cut: Option<(usize, String)>,
}

/// Events in the order in which they were seen.
#[derive(Debug)]
pub(crate) struct History {
    started: Instant,
    /// The password of the run, which no report may show: with its length before it, as CONNECT carries it.
    secret: Option<Vec<u8>>,
    events: Mutex<(Vec<Event>, usize)>,
    /// Where whole bytes go, and how much later than the tape this history has begun.
    tape: Option<(Tape, Duration)>,
}

impl History {
    pub(crate) fn new(password: Option<&str>) -> Self {
        let secret = password.filter(|password| !password.is_empty()).map(|password| {
            let length = u16::try_from(password.len()).unwrap_or(u16::MAX);
            [&length.to_be_bytes(), password.as_bytes()].concat()
        });
        History { started: Instant::now(), secret, events: Mutex::new((Vec::new(), 0)), tape: None }
    }

    /// From now on, whole bytes go to the tape.
    pub(crate) fn put_on(&mut self, tape: Tape) {
        self.tape = Some((tape, Duration::ZERO));
    }

    /// An empty history that begins now, of the same run and with the same tape.
    pub(crate) fn fork(&self) -> Self {
        let started = Instant::now();
        let later = started.duration_since(self.started);
        let tape = self.tape.as_ref().map(|(tape, late)| (tape.fork(), *late + later));
        History { started, secret: self.secret.clone(), events: Mutex::new((Vec::new(), 0)), tape }
    }

    /// When it began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// The tape, if there is one.
    pub(crate) fn tape(&self) -> Option<&Tape> {
        self.tape.as_ref().map(|(tape, _)| tape)
    }

    /// A connection to this address was opened: for the tape only.
    pub(crate) fn open(&self, client: &str, connection: u32, broker: Option<SocketAddr>) {
        if let Some((tape, late)) = &self.tape {
            tape.open(*late + self.started.elapsed(), client, connection, broker);
        }
    }

    /// What the log does not tell, or in words only: for the tape only.
    pub(crate) fn tell_tape(&self, client: &str, connection: u32, what: impl FnOnce() -> pcapng::What) {
        if let Some((tape, late)) = &self.tape {
            tape.tell(*late + self.started.elapsed(), client, connection, what());
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Appends an event and gives its index; `None` once the history is full.
    pub(crate) fn record(
        &self,
        client: &str,
        connection: u32,
        version: Version,
        mut what: What,
    ) -> Option<usize> {
        let at = self.started.elapsed();
        if let (What::Sent(bytes), Some(secret)) = (&mut what, &self.secret) {
            hide(secret, bytes);
        }
        if let Some((tape, late)) = &self.tape {
            let whole = match &what {
                What::Sent(bytes) => Some(pcapng::What::Sent(bytes.clone())),
                What::Received(bytes) => Some(pcapng::What::Received(bytes.clone())),
                What::Note(_) => None,
            };
            if let Some(whole) = whole {
                tape.tell(*late + at, client, connection, whole);
            }
        }
        let mut guard = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let (events, bytes) = &mut *guard;
        let size = match &what {
            What::Sent(data) | What::Received(data) => data.len(),
            What::Note(text) => text.len(),
        };
        if events.len() >= EVENTS_MAX || *bytes + size > BYTES_MAX {
            return None;
        }
        *bytes += size;
        let mut event = Event { at, client: client.to_owned(), connection, version, what, cut: None };
        if size > KEPT_MAX
            && let What::Sent(_) | What::Received(_) = event.what
        {
            event.cut = Some((size, words(&event)));
            if let What::Sent(data) | What::Received(data) = &mut event.what {
                data.truncate(LOGGED_BYTES);
                data.shrink_to_fit();
            }
        }
        events.push(event);
        Some(events.len() - 1)
    }

    /// Appends all of another history, at the times when they happened, and gives the index of the first; `None`
    /// if there is no room for them.
    pub(crate) fn absorb(&self, other: &History) -> Option<usize> {
        let later = other.started.duration_since(self.started);
        let others = other.events.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let (events, bytes) = &mut *guard;
        if events.len() + others.0.len() > EVENTS_MAX || *bytes + others.1 > BYTES_MAX {
            return None;
        }
        let first = events.len();
        *bytes += others.1;
        events.extend(others.0.iter().map(|event| Event { at: event.at + later, ..event.clone() }));
        Some(first)
    }

    /// The events as reports show them.
    pub(crate) fn log(&self) -> Vec<LogEntry> {
        let guard = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        guard.0.iter().map(entry).collect()
    }
}

/// Puts asterisks in the place of the password.
fn hide(secret: &[u8], bytes: &mut [u8]) {
    let mut from = 0;
    while let Some(at) = bytes[from..].windows(secret.len()).position(|window| window == secret) {
        let end = from + at + secret.len();
        bytes[from + at + 2..end].fill(b'*');
        from = end;
    }
}

fn words(event: &Event) -> String {
    match &event.what {
        What::Sent(bytes) => read(bytes, event.version, Receiver::Server),
        What::Received(bytes) => read(bytes, event.version, Receiver::Client),
        What::Note(text) => text.clone(),
    }
}

fn entry(event: &Event) -> LogEntry {
    let (direction, bytes) = match &event.what {
        What::Sent(bytes) => (Direction::Sent, bytes.as_slice()),
        What::Received(bytes) => (Direction::Received, bytes.as_slice()),
        What::Note(_) => (Direction::Note, &[][..]),
    };
    let (length, text) = event.cut.clone().unwrap_or_else(|| (bytes.len(), words(event)));
    LogEntry {
        at: event.at,
        client: event.client.clone(),
        connection: event.connection,
        direction,
        text,
        bytes: bytes[..bytes.len().min(LOGGED_BYTES)].to_vec(),
        length,
    }
}

/// One line for the packets in `bytes`, or what is wrong with them.
pub(crate) fn read(mut bytes: &[u8], version: Version, receiver: Receiver) -> String {
    const PACKETS_SHOWN: usize = 4;
    let decoder = Decoder::new(version, receiver);
    let mut lines = Vec::new();
    while !bytes.is_empty() {
        if lines.len() == PACKETS_SHOWN {
            lines.push(format!("… ({} bytes more)", bytes.len()));
            break;
        }
        match decoder.next(bytes) {
            Ok(Some((packet, length))) => {
                lines.push(describe::line(&packet, version));
                bytes = &bytes[length..];
            }
            Ok(None) => {
                lines.push(format!("({} bytes of an unfinished packet)", bytes.len()));
                break;
            }
            Err(malformed) => {
                let name = mqtt_assay_codec::PacketType::from_u8(bytes[0] >> 4)
                    .map_or("bytes", mqtt_assay_codec::PacketType::name);
                lines.push(format!("{name} with {malformed}"));
                match whole(bytes) {
                    Some(frame) => bytes = &bytes[frame.bytes().len()..],
                    None => break,
                }
            }
        }
    }
    lines.join(" + ")
}

/// The frame at the front, by the rules that forgive most.
fn whole(bytes: &[u8]) -> Option<Frame<'_>> {
    match frame::split(bytes, u32::MAX, Version::V3_1_1) {
        Ok(Split::Whole(frame)) => Some(frame),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::{Connect, Packet};

    #[test]
    fn no_log_shows_the_password() {
        let connect = Connect {
            user_name: Some("user"),
            password: Some(b"hunter2"),
            ..Connect::new(Version::V3_1_1, "client")
        };
        let mut bytes = Vec::new();
        Packet::Connect(connect).encode(Version::V3_1_1, &mut bytes).expect("it fits a packet");
        let history = History::new(Some("hunter2"));
        history.record("a", 1, Version::V3_1_1, What::Sent(bytes.clone()));
        let log = history.log();
        assert_eq!(log[0].length, bytes.len());
        assert!(log[0].bytes.ends_with(b"\0\x07*******"), "{}", log[0].bytes.escape_ascii());
        assert!(log[0].text.contains("user_name=user"), "{}", log[0].text);
    }
}
