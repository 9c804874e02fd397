//! Writes a history while bytes pass, and splits them into packets.

use super::{ClientNo, Event, Fault, History, How, Kind, Side, What};
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
        let range = self.history.store(bytes);
        let base = range.start;
        let (chunk, packet): (fn(_) -> Kind, fn(_) -> Kind) =
            if up { (Kind::Wrote, Kind::Sent) } else { (Kind::Read, Kind::Received) };
        self.history.push(at, client, connection, chunk(range));
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
        if !stream.begun.is_empty() {
            // Completes the packet that was begun, byte by byte as far as its header is not whole.
            while let Ok(Split::Missing(missing)) = frame::split(&stream.begun, u32::MAX, version) {
                if rest.is_empty() {
                    return;
                }
                let (more, after) = rest.split_at(missing.min(rest.len()));
                stream.begun.extend_from_slice(more);
                rest = after;
            }
            let begun = core::mem::take(&mut stream.begun);
            let whole = frame::split(&begun, u32::MAX, version).is_ok();
            stream.lost = !whole;
            let range = self.history.store(&begun);
            if whole {
                self.history.push(at, client, connection, packet(range));
            } else if !up {
                self.history.push(at, client, connection, Kind::Unframed(range));
            }
            if !whole {
                return;
            }
        }
        let mut from = base + bytes.len() - rest.len();
        while !rest.is_empty() {
            match frame::split(rest, u32::MAX, version) {
                Ok(Split::Whole(frame)) => {
                    let length = frame.bytes().len();
                    self.history.push(at, client, connection, packet(from..from + length));
                    from += length;
                    rest = &rest[length..];
                }
                Ok(Split::Missing(_)) => {
                    if let Some(Some(line)) = self.lines.get_mut(client.index()) {
                        let stream = if up { &mut line.up } else { &mut line.down };
                        stream.begun.extend_from_slice(rest);
                    }
                    return;
                }
                Err(_) => {
                    if !up {
                        self.history.push(at, client, connection, Kind::Unframed(from..from + rest.len()));
                    }
                    if let Some(Some(line)) = self.lines.get_mut(client.index()) {
                        let stream = if up { &mut line.up } else { &mut line.down };
                        stream.lost = true;
                    }
                    return;
                }
            }
        }
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
