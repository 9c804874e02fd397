//! What every client saw and did, in order, with times and bytes: the only input of judgement.
//!
//! A [`History`] holds events of a few kinds ([`What`]); [`Recorder`] writes one while bytes pass, and splits
//! them into packets.  Times are those of the observer, who
//! is one for all clients: what a client sends is recorded before it leaves, what it receives when it has come.
//! "Recorded before" therefore means "happened before" for every pair of a receipt and a later sending.

pub mod jsonl;
mod recorder;

pub use recorder::Recorder;

use core::fmt;
use core::ops::Range;
use core::time::Duration;
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;

/// Names a client of a history: its place in [`History::clients`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientNo(pub u16);

impl ClientNo {
    /// The broker and the network as a whole, for events that are no one client's.
    pub const NOBODY: ClientNo = ClientNo(u16::MAX);

    /// Its place in a list of clients; past every list for [`ClientNo::NOBODY`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a network connection comes to its end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum How {
    /// An orderly end (FIN): what was sent before still arrives.
    Fin,
    /// A reset (RST): what is under way may be lost.
    Reset,
    /// Nothing passes any more, and the other side is not told: half-open.
    Silently,
}

/// Who ended a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// The client, in this history.
    Client,
    /// The Server, or the network in between.
    Server,
}

/// What a restarted broker remembers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Memory {
    /// All that it stored: sessions and retained messages.
    Kept,
    /// Nothing.
    Lost,
    /// Nobody knows: a broker of somebody else's, of which no promise is known.
    Unknown,
}

/// What is done to the network or to the broker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// The client stops reading: what comes for it waits.
    Stall,
    /// The client reads again.
    Unstall,
    /// The network keeps everything between the client and the broker back, both ways.
    Hold,
    /// The network delivers what it held back, in order.
    Release,
    /// The broker's process ends without warning.
    Crash,
    /// The broker's process starts again.
    Restart(Memory),
}

/// The kinds of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What<'a> {
    /// The client asks for a network connection, on which it is to speak this version.
    Attempted(Version),
    /// The network connection is there.
    Opened,
    /// There will be no network connection.
    Failed,
    /// A chunk of bytes that the client wrote, cut anywhere.
    Wrote(&'a [u8]),
    /// A chunk of bytes that the client read, cut anywhere.
    Read(&'a [u8]),
    /// A whole packet of the client's, well-formed or not: its last byte was written. Or bytes that begin no packet:
    /// then this is the last that the connection shows of it.
    Sent(&'a [u8]),
    /// A whole packet of the Server's, well-formed or not: its last byte was read.
    Received(&'a [u8]),
    /// Bytes of the Server's that begin no packet: the stream has no next packet.
    Unframed(&'a [u8]),
    /// The network connection has ended.
    Ended(Side, How),
    /// Something is done to the network or the broker.
    Fault(Fault),
    /// The client, or the whole script, has let this time pass.
    Waited(Duration),
    /// The history is over: nothing was seen after this time.
    Finished,
}

/// One thing that one client saw or did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    /// When, since the history's beginning.
    pub at: Duration,
    /// Whose event it is.
    pub client: ClientNo,
    /// The client's first connection is 1; 0 where there is none.
    pub connection: u32,
    /// What happened.
    pub what: What<'a>,
}

#[derive(Clone, Debug)]
enum Kind {
    Attempted(Version),
    Opened,
    Failed,
    Wrote(Range<usize>),
    Read(Range<usize>),
    Sent(Range<usize>),
    Received(Range<usize>),
    Unframed(Range<usize>),
    Ended(Side, How),
    Fault(Fault),
    Waited(Duration),
    Finished,
}

#[derive(Clone, Debug)]
struct Stored {
    at: Duration,
    client: ClientNo,
    connection: u32,
    kind: Kind,
}

/// Events in the order in which they were seen.
#[derive(Clone, Default, Debug)]
pub struct History {
    clients: Vec<String>,
    events: Vec<Stored>,
    /// The bytes of all events; a packet that came as a part of one chunk shares the chunk's.
    bytes: Vec<u8>,
}

impl History {
    /// A history of these clients, without events.
    pub fn new<N: Into<String>>(clients: impl IntoIterator<Item = N>) -> Self {
        let clients = clients.into_iter().map(Into::into).collect();
        History { clients, events: Vec::new(), bytes: Vec::new() }
    }

    /// The clients' names, by their numbers.
    pub fn clients(&self) -> &[String] {
        &self.clients
    }

    /// The client's name; `broker` for [`ClientNo::NOBODY`].
    pub fn name(&self, client: ClientNo) -> &str {
        self.clients.get(client.index()).map_or("broker", String::as_str)
    }

    /// Adds a client.
    pub fn add_client(&mut self, name: impl Into<String>) -> ClientNo {
        self.clients.push(name.into());
        ClientNo(u16::try_from(self.clients.len() - 1).unwrap_or(u16::MAX))
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The event at this place.
    pub fn get(&self, index: usize) -> Option<Event<'_>> {
        let stored = self.events.get(index)?;
        let bytes = |range: &Range<usize>| &self.bytes[range.clone()];
        let what = match &stored.kind {
            Kind::Attempted(version) => What::Attempted(*version),
            Kind::Opened => What::Opened,
            Kind::Failed => What::Failed,
            Kind::Wrote(range) => What::Wrote(bytes(range)),
            Kind::Read(range) => What::Read(bytes(range)),
            Kind::Sent(range) => What::Sent(bytes(range)),
            Kind::Received(range) => What::Received(bytes(range)),
            Kind::Unframed(range) => What::Unframed(bytes(range)),
            Kind::Ended(side, how) => What::Ended(*side, *how),
            Kind::Fault(fault) => What::Fault(*fault),
            Kind::Waited(time) => What::Waited(*time),
            Kind::Finished => What::Finished,
        };
        Some(Event { at: stored.at, client: stored.client, connection: stored.connection, what })
    }

    /// All events in order.
    pub fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// All events in order, each with the version that its connection was opened for; 5.0 where there is none.
    pub fn versioned(&self) -> impl Iterator<Item = (Event<'_>, Version)> {
        let mut versions = BTreeMap::new();
        self.iter().map(move |event| {
            let connection = (event.client, event.connection);
            if let What::Attempted(version) = event.what {
                versions.insert(connection, version);
            }
            let version = versions.get(&connection).copied().unwrap_or(Version::V5);
            (event, version)
        })
    }

    /// Appends an event and gives its place.
    pub fn record(&mut self, event: Event<'_>) -> usize {
        let kind = match event.what {
            What::Attempted(version) => Kind::Attempted(version),
            What::Opened => Kind::Opened,
            What::Failed => Kind::Failed,
            What::Wrote(bytes) => Kind::Wrote(self.store(bytes)),
            What::Read(bytes) => Kind::Read(self.store(bytes)),
            What::Sent(bytes) => Kind::Sent(self.store(bytes)),
            What::Received(bytes) => Kind::Received(self.store(bytes)),
            What::Unframed(bytes) => Kind::Unframed(self.store(bytes)),
            What::Ended(side, how) => Kind::Ended(side, how),
            What::Fault(fault) => Kind::Fault(fault),
            What::Waited(time) => Kind::Waited(time),
            What::Finished => Kind::Finished,
        };
        self.push(event.at, event.client, event.connection, kind)
    }

    fn store(&mut self, bytes: &[u8]) -> Range<usize> {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        from..self.bytes.len()
    }

    fn push(&mut self, at: Duration, client: ClientNo, connection: u32, kind: Kind) -> usize {
        self.events.push(Stored { at, client, connection, kind });
        self.events.len() - 1
    }

    /// Number of packets, of both directions.
    pub fn packets(&self) -> usize {
        self.events.iter().filter(|stored| matches!(stored.kind, Kind::Sent(_) | Kind::Received(_))).count()
    }

    /// A fingerprint of clients and events: equal for equal histories, on every machine and in every build.
    pub fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        for name in &self.clients {
            digest.add(name.as_bytes());
        }
        for event in self.iter() {
            digest.add(&event.at.as_nanos().to_le_bytes());
            digest.add(&event.client.0.to_le_bytes());
            digest.add(&event.connection.to_le_bytes());
            event.what.digest(&mut digest);
        }
        digest
    }
}

impl What<'_> {
    fn digest(&self, to: &mut Digest) {
        let (tag, bytes): (u8, &[u8]) = match self {
            What::Attempted(version) => (0, &[*version as u8]),
            What::Opened => (1, &[]),
            What::Failed => (2, &[]),
            What::Wrote(bytes) => (3, bytes),
            What::Read(bytes) => (4, bytes),
            What::Sent(bytes) => (5, bytes),
            What::Received(bytes) => (6, bytes),
            What::Unframed(bytes) => (7, bytes),
            What::Ended(side, how) => (8, &[*side as u8, *how as u8]),
            What::Fault(Fault::Restart(memory)) => (9, &[*memory as u8]),
            What::Fault(fault) => (10, &[fault.number()]),
            What::Waited(time) => return to.add(&[&[11], &time.as_nanos().to_le_bytes()[..]].concat()),
            What::Finished => (12, &[]),
        };
        to.add(&[tag]);
        to.add(bytes);
    }
}

impl Fault {
    const fn number(self) -> u8 {
        match self {
            Fault::Stall => 0,
            Fault::Unstall => 1,
            Fault::Hold => 2,
            Fault::Release => 3,
            Fault::Crash => 4,
            Fault::Restart(_) => 5,
        }
    }
}

/// A fingerprint (64-bit FNV-1a): not proof against malice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Digest(0xCBF2_9CE4_8422_2325)
    }
}

impl Digest {
    /// Takes in a piece, and its length, so that pieces do not run into one another.
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}

impl Digest {
    /// The fingerprint as a number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: What<'_>) -> Event<'_> {
        Event { at: Duration::from_millis(1), client: ClientNo(0), connection: 1, what }
    }

    #[test]
    fn gives_back_what_was_recorded() {
        let mut history = History::new(["a"]);
        let events = [
            What::Attempted(Version::V5),
            What::Opened,
            What::Wrote(b"\xC0"),
            What::Sent(b"\xC0\0"),
            What::Read(b"\xD0\0"),
            What::Ended(Side::Server, How::Reset),
            What::Fault(Fault::Restart(Memory::Kept)),
            What::Finished,
        ];
        for what in events {
            history.record(event(what));
        }
        let seen: Vec<_> = history.iter().map(|event| event.what).collect();
        assert_eq!(seen, events);
        assert_eq!(history.packets(), 1);
    }

    #[test]
    fn the_digest_tells_histories_apart_and_is_pinned() {
        let digest = |events: &[What<'_>]| {
            let mut history = History::new(["a"]);
            for &what in events {
                history.record(event(what));
            }
            history.digest().to_string()
        };
        assert_ne!(digest(&[What::Wrote(b"ab")]), digest(&[What::Wrote(b"a"), What::Wrote(b"b")]));
        assert_ne!(digest(&[What::Fault(Fault::Hold)]), digest(&[What::Fault(Fault::Release)]));
        // A report's digest must mean the same next year.
        assert_eq!(digest(&[What::Opened, What::Sent(b"\xC0\0")]), "63e8f51e97f6cc19");
    }
}
