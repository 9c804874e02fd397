//! Writes a history while bytes pass, and splits them into packets.

use super::{ClientNo, Event, Fault, History, How, Kind, Side, What};
use core::ops::Range;
use core::time::Duration;
use mqtt_assay_codec::{Split, Version, frame};

/// One direction of one connection: what of a packet has passed so far.
#[derive(Clone, Default, Debug)]
struct Stream {
    begun: Vec<u8>,
    /// The stream has no next packet: only chunks are recorded.
    lost: bool,
}

#[derive(Clone, Debug)]
struct Line {
    version: Version,
    up: Stream,
    down: Stream,
}

/// A history in the making.
#[derive(Clone, Default, Debug)]
pub struct Recorder {
    history: History,
    /// The present connection of each client.
    lines: Vec<Option<Line>>,
}

impl Recorder {
    /// Records into a history of these clients.
    pub fn new<N: Into<String>>(clients: impl IntoIterator<Item = N>) -> Self {
        let history = History::new(clients);
        let lines = vec![None; history.clients().len()];
        Recorder { history, lines }
    }

    /// What was recorded so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Ends the recording.
    pub fn finish(mut self, at: Duration) -> History {
        self.note(at, ClientNo::NOBODY, 0, What::Finished);
        self.history
    }

    fn note(&mut self, at: Duration, client: ClientNo, connection: u32, what: What<'_>) {
        self.history.record(Event { at, client, connection, what });
    }

    /// The client asks for its connection of this number, on which it will speak `version`.
    pub fn attempted(&mut self, at: Duration, client: ClientNo, connection: u32, version: Version) {
        if let Some(line) = self.lines.get_mut(client.index()) {
            *line = Some(Line { version, up: Stream::default(), down: Stream::default() });
        }
        self.note(at, client, connection, What::Attempted(version));
    }

    /// The connection is there, or will not be.
    pub fn answered(&mut self, at: Duration, client: ClientNo, connection: u32, opened: bool) {
        self.note(at, client, connection, if opened { What::Opened } else { What::Failed });
    }

    /// The connection has ended.
    pub fn ended(&mut self, at: Duration, client: ClientNo, connection: u32, side: Side, how: How) {
        self.note(at, client, connection, What::Ended(side, how));
    }

    /// Something is done to the network or to the broker.
    pub fn fault(&mut self, at: Duration, client: ClientNo, connection: u32, fault: Fault) {
        self.note(at, client, connection, What::Fault(fault));
    }

    /// Time has passed on purpose.
    pub fn waited(&mut self, at: Duration, client: ClientNo, time: Duration) {
        self.note(at, client, 0, What::Waited(time));
    }

    /// The client writes: to be called before the bytes leave.
    pub fn wrote(&mut self, at: Duration, client: ClientNo, connection: u32, bytes: &[u8]) {
        self.chunk(at, client, connection, bytes, true);
    }

    /// The client has read.
    pub fn read(&mut self, at: Duration, client: ClientNo, connection: u32, bytes: &[u8]) {
        self.chunk(at, client, connection, bytes, false);
    }

    /// Records a chunk and the packets that it completes.
    fn chunk(&mut self, at: Duration, client: ClientNo, connection: u32, bytes: &[u8], up: bool) {
        let history = &mut self.history;
        let range = history.store(bytes);
        let mut from = range.start;
        history.push(at, client, connection, if up { Kind::Wrote(range) } else { Kind::Read(range) });
        let Some(Some(line)) = self.lines.get_mut(client.index()) else {
            return;
        };
        // What we send may be malformed on purpose: its frames are found by the rules that forgive most.
        let version = if up { Version::V3_1_1 } else { line.version };
        let stream = if up { &mut line.up } else { &mut line.down };
        if stream.lost {
            return;
        }
        let mut rest = bytes;
        // Completes the packet that was begun, byte by byte as far as its header is not whole.
        while !stream.begun.is_empty() {
            match frame::split(&stream.begun, u32::MAX, version) {
                Ok(Split::Missing(missing)) => {
                    if rest.is_empty() {
                        return;
                    }
                    let (more, after) = rest.split_at(missing.min(rest.len()));
                    stream.begun.extend_from_slice(more);
                    from += more.len();
                    rest = after;
                }
                found => {
                    stream.lost = found.is_err();
                    let range = history.store(&stream.begun);
                    stream.begun.clear();
                    history.pass(at, client, connection, range, up, stream.lost);
                }
            }
        }
        while !rest.is_empty() && !stream.lost {
            let length = match frame::split(rest, u32::MAX, version) {
                Ok(Split::Missing(_)) => return stream.begun.extend_from_slice(rest),
                Ok(Split::Whole(frame)) => frame.bytes().len(),
                Err(_) => {
                    stream.lost = true;
                    rest.len()
                }
            };
            history.pass(at, client, connection, from..from + length, up, stream.lost);
            from += length;
            rest = &rest[length..];
        }
    }
}

impl History {
    /// A packet has passed, or bytes that are none. Those that we send ourselves stand for a packet, of which a
    /// Server can only find that it is malformed.
    fn pass(
        &mut self,
        at: Duration,
        client: ClientNo,
        connection: u32,
        range: Range<usize>,
        up: bool,
        lost: bool,
    ) {
        let kind = match (up, lost) {
            (true, _) => Kind::Sent(range),
            (false, false) => Kind::Received(range),
            (false, true) => Kind::Unframed(range),
        };
        self.push(at, client, connection, kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(chunks: &[&[u8]], version: Version) -> Vec<Vec<u8>> {
        let mut recorder = Recorder::new(["a"]);
        recorder.attempted(Duration::ZERO, ClientNo(0), 1, version);
        for chunk in chunks {
            recorder.read(Duration::ZERO, ClientNo(0), 1, chunk);
        }
        let history = recorder.finish(Duration::ZERO);
        let read: Vec<u8> = history
            .iter()
            .filter_map(|e| if let What::Read(b) = e.what { Some(b) } else { None })
            .flatten()
            .copied()
            .collect();
        assert_eq!(read, chunks.concat());
        history
            .iter()
            .filter_map(|event| match event.what {
                What::Received(bytes) => Some(bytes.to_vec()),
                What::Unframed(bytes) => Some([b"?", bytes].concat()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn any_cut_of_a_stream_gives_the_same_packets() {
        let long = [&b"\x30\x80\x01\x00\x01t"[..], &[b'x'; 125]].concat();
        let stream = [b"\xD0\x00", &long[..], b"\x40\x02\x00\x07", &long, b"\xD0\x00"].concat();
        let whole = packets(&[&stream], Version::V3_1_1);
        assert_eq!(whole.concat(), stream);
        assert_eq!(whole.len(), 5);
        for size in [1, 2, 3, 7, 100, 131] {
            let chunks: Vec<&[u8]> = stream.chunks(size).collect();
            assert_eq!(packets(&chunks, Version::V3_1_1), whole, "{size}");
        }
    }

    #[test]
    fn what_a_client_sends_without_a_next_packet_is_the_last_that_it_sent() {
        let mut recorder = Recorder::new(["a"]);
        recorder.attempted(Duration::ZERO, ClientNo(0), 1, Version::V3_1_1);
        for chunk in [&b"\xC0\x00\x30\xFF\xFF\xFF\xFF\x01"[..], b"\xC0\x00"] {
            recorder.wrote(Duration::ZERO, ClientNo(0), 1, chunk);
        }
        let history = recorder.finish(Duration::ZERO);
        let sent: Vec<_> = history
            .iter()
            .filter_map(|event| if let What::Sent(bytes) = event.what { Some(bytes) } else { None })
            .collect();
        assert_eq!(sent, [&b"\xC0\x00"[..], b"\x30\xFF\xFF\xFF\xFF\x01"]);
    }

    #[test]
    fn a_stream_without_a_next_packet_is_told() {
        for chunks in
            [&[&b"\xD0\x00\x30\xFF\xFF\xFF\xFF\x01"[..]][..], &[b"\xD0\x00\x30\xFF", b"\xFF\xFF\xFF\x01"]]
        {
            let found = packets(chunks, Version::V5);
            assert_eq!(found[0], b"\xD0\x00");
            assert!(found[1].starts_with(b"?\x30\xFF\xFF\xFF\xFF"), "{found:02x?}");
            assert_eq!(found.len(), 2);
        }
    }
}
