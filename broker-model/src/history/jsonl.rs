//! Histories as JSON lines: [`print()`] writes, [`parse`] reads.
//!
//! The first line is the header:
//!
//! ```json
//! {"format":"mqtt-assay history","version":1,"clients":["lamp","watcher"],"digest":"63e8f51e97f6cc19"}
//! ```
//!
//! `digest` is [`History::digest`], by which a reader sees that lines are missing; a history that was changed by
//! hand is read if its header has none. Each further line is an event:
//!
//! ```json
//! {"at_ns":1500000,"client":0,"name":"lamp","connection":1,"what":"attempted","mqtt":"5.0"}
//! {"at_ns":1500000,"client":0,"name":"lamp","connection":1,"what":"sent","bytes":"c000","shows":"PINGREQ"}
//! {"at_ns":9000000,"client":0,"name":"lamp","connection":1,"what":"ended","side":"server","how":"reset"}
//! ```
//!
//! | field | |
//! |---|---|
//! | `at_ns` | nanoseconds since the history's beginning |
//! | `client` | the client's place in the header's list; left out for the broker and the network |
//! | `connection` | the client's first is 1; left out if it is 0: none |
//! | `what` | `attempted` with `mqtt`; `opened`; `failed`; `wrote`, `read`, `sent`, `received`, `unframed` with `bytes`; `ended` with `side`, `how`; `fault` with `fault`; `waited` with `time_ns`; `finished` |
//! | `mqtt` | `3.1`, `3.1.1`, `5.0` |
//! | `bytes` | pairs of hex digits |
//! | `side` | `client`, `server` |
//! | `how` | `fin`, `reset`, `silently` |
//! | `fault` | `stall`, `unstall`, `hold`, `release`, `crash`, `restart` with `memory` |
//! | `memory` | `kept`, `lost`, `unknown` |
//!
//! `name` and `shows` (the packet as [`mqtt_assay_codec::describe::line`] has it, or what is wrong with it) are for
//! people: they are not read. A reader takes no offence at fields that it does not know; a change that it could
//! not read correctly comes with another `version`.
//!
//! ```
//! use core::time::Duration;
//! use mqtt_assay_broker_model::history::{ClientNo, Recorder, jsonl};
//!
//! let mut recorder = Recorder::new(["lamp"]);
//! recorder.wrote(Duration::ZERO, ClientNo(0), 1, b"\xC0\x00");
//! let history = recorder.finish(Duration::from_secs(1));
//! let again = jsonl::parse(&jsonl::print(&history)).unwrap();
//! assert_eq!(again.digest(), history.digest());
//! ```

use super::{ClientNo, Event, Fault, History, How, Memory, Side, What};
use core::fmt::{self, Write};
use core::time::Duration;
use mqtt_assay_codec::{Decoder, Receiver, Version, describe};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

const FORMAT: &str = "mqtt-assay history";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    format: Cow<'a, str>,
    version: u32,
    #[serde(default)]
    clients: Cow<'a, [String]>,
    digest: Option<Cow<'a, str>>,
}

/// Every field that some event has.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Line<'a> {
    at_ns: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    connection: u32,
    what: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mqtt: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ns: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    shows: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The words for the values of an enumeration, both ways.
type Words<T> = &'static [(&'static str, T)];

const VERSIONS: Words<Version> = &[("3.1", Version::V3_1), ("3.1.1", Version::V3_1_1), ("5.0", Version::V5)];
const SIDES: Words<Side> = &[("client", Side::Client), ("server", Side::Server)];
const HOWS: Words<How> = &[("fin", How::Fin), ("reset", How::Reset), ("silently", How::Silently)];
const MEMORIES: Words<Memory> =
    &[("kept", Memory::Kept), ("lost", Memory::Lost), ("unknown", Memory::Unknown)];
const FAULTS: Words<Fault> = &[
    ("stall", Fault::Stall),
    ("unstall", Fault::Unstall),
    ("hold", Fault::Hold),
    ("release", Fault::Release),
    ("crash", Fault::Crash),
];

fn word<T: PartialEq>(words: Words<T>, value: &T) -> Option<Cow<'static, str>> {
    words.iter().find(|(_, known)| known == value).map(|(word, _)| Cow::Borrowed(*word))
}

/// The history as text.
pub fn print(history: &History) -> String {
    let mut text = String::new();
    for line in lines(history) {
        text += &line;
        text.push('\n');
    }
    text
}

/// The lines one by one, without their ends.
pub fn lines(history: &History) -> impl Iterator<Item = String> {
    let digest = Some(history.digest().to_string().into());
    let header =
        Header { format: FORMAT.into(), version: VERSION, clients: history.clients().into(), digest };
    let mut versions = BTreeMap::new();
    let events = history.iter().map(move |event| json(&line(history, event, &mut versions)));
    [json(&header)].into_iter().chain(events)
}

fn json(value: &impl Serialize) -> String {
    // Strings and numbers: nothing of it can fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// The versions of the connections so far.
type Versions = BTreeMap<(ClientNo, u32), Version>;

fn line<'a>(history: &'a History, event: Event<'a>, versions: &mut Versions) -> Line<'a> {
    let connection = (event.client, event.connection);
    let mut line = Line {
        at_ns: Some(event.at.as_nanos()),
        client: (event.client != ClientNo::NOBODY).then_some(event.client.0),
        name: history.clients().get(event.client.index()).map(String::as_str),
        connection: event.connection,
        ..Line::default()
    };
    let bytes = |bytes: &[u8]| Some(Cow::Owned(hex(bytes)));
    let what = match event.what {
        What::Attempted(version) => {
            versions.insert(connection, version);
            line.mqtt = word(VERSIONS, &version);
            "attempted"
        }
        What::Opened => "opened",
        What::Failed => "failed",
        What::Wrote(chunk) => {
            line.bytes = bytes(chunk);
            "wrote"
        }
        What::Read(chunk) => {
            line.bytes = bytes(chunk);
            "read"
        }
        What::Sent(packet) => {
            line.bytes = bytes(packet);
            line.shows = shown(packet, versions.get(&connection), Receiver::Server);
            "sent"
        }
        What::Received(packet) => {
            line.bytes = bytes(packet);
            line.shows = shown(packet, versions.get(&connection), Receiver::Client);
            "received"
        }
        What::Unframed(rest) => {
            line.bytes = bytes(rest);
            "unframed"
        }
        What::Ended(side, how) => {
            line.side = word(SIDES, &side);
            line.how = word(HOWS, &how);
            "ended"
        }
        What::Fault(Fault::Restart(memory)) => {
            line.fault = Some("restart".into());
            line.memory = word(MEMORIES, &memory);
            "fault"
        }
        What::Fault(fault) => {
            line.fault = word(FAULTS, &fault);
            "fault"
        }
        What::Waited(time) => {
            line.time_ns = Some(time.as_nanos());
            "waited"
        }
        What::Finished => "finished",
    };
    line.what = what.into();
    line
}

fn shown(packet: &[u8], version: Option<&Version>, receiver: Receiver) -> Option<String> {
    let version = *version?;
    match Decoder::new(version, receiver).next(packet) {
        Ok(Some((packet, _))) => Some(describe::line(&packet, version)),
        Ok(None) => None,
        Err(malformed) => Some(format!("malformed: {malformed}")),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Why a text is no history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    line: usize,
    message: String,
}

impl Error {
    /// The line, the first being 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// One sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl core::error::Error for Error {}

/// Reads a history.
///
/// # Errors
///
/// The first line that is no event, or what the header says and the events do not bear out.
pub fn parse(text: &str) -> Result<History, Error> {
    let mut lines = text.lines().enumerate();
    let (_, first) = lines.next().unwrap_or_default();
    let (mut history, digest) = header(first).map_err(|message| Error { line: 1, message })?;
    for (index, text) in lines {
        let recorded = from_json::<Line<'_>>(text).and_then(|line| {
            let bytes = line.bytes.as_deref().map(unhex).transpose()?;
            Ok(history.record(event(&line, bytes.as_deref())?))
        });
        recorded.map_err(|message| Error { line: index + 1, message })?;
    }
    match (digest, history.digest().to_string()) {
        (Some(said), found) if said != found => {
            let message = format!(
                "the digest is said to be {said}, but that of the events is {found}: some are missing or changed"
            );
            Err(Error { line: 1, message })
        }
        _ => Ok(history),
    }
}

fn header(text: &str) -> Result<(History, Option<String>), String> {
    const WANTED: &str =
        r#"the first line is the header, {"format":"mqtt-assay history","version":1,"clients":[…]}"#;
    let header: Header<'_> = from_json(text).map_err(|why| format!("{WANTED}; {why}"))?;
    if header.format != FORMAT {
        return Err(WANTED.into());
    }
    if header.version != VERSION {
        return Err(format!(
            "this is version {} of the format; this reader knows version {VERSION}",
            header.version
        ));
    }
    if header.clients.len() >= ClientNo::NOBODY.index() {
        return Err(format!("there are {} clients, too many", header.clients.len()));
    }
    Ok((History::new(header.clients.iter().cloned()), header.digest.map(Cow::into_owned)))
}

fn from_json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        // It counts lines of its own, always one.
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        format!("{what} (column {})", error.column())
    })
}

fn event<'a>(line: &Line<'_>, bytes: Option<&'a [u8]>) -> Result<Event<'a>, String> {
    let at = duration("at_ns", line.at_ns)?;
    let client = line.client.map_or(ClientNo::NOBODY, ClientNo);
    let bytes = bytes.ok_or("the event has no bytes");
    let what = match &*line.what {
        "attempted" => What::Attempted(one_of("mqtt", VERSIONS, line.mqtt.as_deref())?),
        "opened" => What::Opened,
        "failed" => What::Failed,
        "wrote" => What::Wrote(bytes?),
        "read" => What::Read(bytes?),
        "sent" => What::Sent(bytes?),
        "received" => What::Received(bytes?),
        "unframed" => What::Unframed(bytes?),
        "ended" => What::Ended(
            one_of("side", SIDES, line.side.as_deref())?,
            one_of("how", HOWS, line.how.as_deref())?,
        ),
        "fault" if line.fault.as_deref() == Some("restart") => {
            What::Fault(Fault::Restart(one_of("memory", MEMORIES, line.memory.as_deref())?))
        }
        "fault" => {
            let fault = one_of("fault", FAULTS, line.fault.as_deref());
            What::Fault(fault.map_err(|message| message + ", restart")?)
        }
        "waited" => What::Waited(duration("time_ns", line.time_ns)?),
        "finished" => What::Finished,
        "" => return Err("the event has no what".into()),
        other => return Err(format!("there are no events of the kind {other:?}")),
    };
    Ok(Event { at, client, connection: line.connection, what })
}

fn one_of<T: Copy>(field: &str, words: Words<T>, found: Option<&str>) -> Result<T, String> {
    let known = words.iter().find(|(word, _)| Some(*word) == found);
    known.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        format!("{field} is one of {}", words.join(", "))
    })
}

fn duration(field: &str, nanos: Option<u128>) -> Result<Duration, String> {
    const SECOND: u128 = 1_000_000_000;
    let nanos = nanos.ok_or_else(|| format!("the event has no {field}"))?;
    let seconds = u64::try_from(nanos / SECOND).map_err(|_| format!("{field} is too long a time"))?;
    Ok(Duration::new(seconds, (nanos % SECOND) as u32))
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("bytes has two hex digits for each byte".into());
    }
    let digit = |digit: u8| (digit as char).to_digit(16).unwrap_or_default() as u8;
    Ok(text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect())
}
