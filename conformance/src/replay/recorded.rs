//! What was recorded with a script: in the folder of a finding, or in an entry of a corpus; and how a new play compares
//! with it.

use super::Replayed;
use crate::campaign::{Record, Trouble};
use crate::simulation::in_words;
use mqtt_assay_broker_model::history::{History, How, Side, What, jsonl};
use mqtt_assay_codec::{Decoder, Packet, Receiver, Version, describe};
use mqtt_assay_fuzz_engine::corpus::shown_by;
use mqtt_assay_fuzz_engine::edges;
use mqtt_assay_fuzz_engine::finding::Key;
use mqtt_assay_fuzz_engine::place::{Mark, NAME};
use mqtt_assay_fuzz_engine::signature::Signature;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The script of a finding's folder.
pub const SCRIPT: &str = "script.mqtt";
/// What the clients of a finding saw, in its folder.
pub const HISTORY: &str = "history.jsonl";

/// What was recorded with a script.
#[derive(Debug)]
pub enum Recorded {
    /// A finding, and what its clients saw, if that is there.
    Finding(Box<Record>, Option<History>),
    /// The answers for which a case is kept.
    Case(Vec<String>),
}

/// What a script was recorded as.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The finding of a campaign.
    Finding,
    /// A case of a corpus.
    Corpus,
}

/// How a play compares with the recorded one.
#[derive(Clone, Serialize, Deserialize, JsonSchema, PartialEq, Eq, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Comparison {
    /// What the script was recorded as.
    pub source: Source,
    /// What the recorded play has shown: the name of the finding, or the answers that the case is kept for.
    pub recorded: Vec<String>,
    /// What of that has not come again.
    pub missing: Vec<String>,
    /// Whether all of it has; not there if a single play cannot tell, as of a leak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same: Option<bool>,
    /// Whether the packets of the recorded play are there to be compared.
    pub packets: bool,
    /// What differs first in what the broker did, for each client to which it did something else.
    pub differences: Vec<Difference>,
}

/// The first thing that differs for a client.
#[derive(Clone, Serialize, Deserialize, JsonSchema, PartialEq, Eq, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Difference {
    /// The client's name.
    pub client: String,
    /// The number of its connection, from 1.
    pub connection: u32,
    /// Which of the things that the broker did to this client it is, from 1.
    pub number: usize,
    /// What the broker did in the recorded play; not there if nothing more came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
    /// What it did now; not there if nothing more came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

impl Recorded {
    /// What stands beside the script of this path, or in its `text`; `None` if nothing was recorded.
    ///
    /// # Errors
    ///
    /// A file beside it cannot be read: why, in a sentence.
    pub fn with(path: &Path, text: &str) -> Result<Option<Recorded>, String> {
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let beside = folder.join("finding.json");
        if path.file_name().is_some_and(|name| name == SCRIPT) && beside.is_file() {
            let cannot = |error: &dyn std::fmt::Display| {
                format!(
                    "cannot read {}: {error}; play the script from another folder to go without",
                    beside.display()
                )
            };
            let json = std::fs::read_to_string(&beside).map_err(|error| cannot(&error))?;
            let record = serde_json::from_str(&json).map_err(|error| cannot(&error))?;
            let path = folder.join(HISTORY);
            let history = match std::fs::read_to_string(&path) {
                Ok(text) => Some(
                    jsonl::parse(&text)
                        .map_err(|error| format!("cannot read {}: {error}", path.display()))?,
                ),
                Err(_) => None,
            };
            return Ok(Some(Recorded::Finding(Box::new(record), history)));
        }
        let answers: Vec<String> = shown_by(text).map(|(_, part)| part.to_owned()).collect();
        Ok((!answers.is_empty()).then_some(Recorded::Case(answers)))
    }

    /// How a new play compares.
    pub fn compare(&self, replayed: &Replayed) -> Comparison {
        let history = &replayed.outcome.played.history;
        match self {
            Recorded::Finding(record, before) => {
                let same = shows(record, replayed);
                let before = before.as_ref().map(|before| course(before, None));
                let now = course(history, replayed.mark.as_ref());
                let name = record.name.clone();
                Comparison {
                    source: Source::Finding,
                    missing: if same == Some(false) { vec![name.clone()] } else { Vec::new() },
                    recorded: vec![name],
                    same,
                    packets: before.is_some(),
                    differences: before.map(|before| differences(&before, &now)).unwrap_or_default(),
                }
            }
            Recorded::Case(answers) => {
                let signature = Signature::of(history);
                let parts: BTreeSet<&str> = signature.parts().collect();
                // What a broker's own coverage has shown no answer shows.
                let answers = answers.iter().filter(|part| !part.starts_with(edges::PREFIX));
                let recorded: Vec<String> = answers.cloned().collect();
                let missing: Vec<String> =
                    recorded.iter().filter(|part| !parts.contains(part.as_str())).cloned().collect();
                Comparison {
                    source: Source::Corpus,
                    same: (!recorded.is_empty()).then_some(missing.is_empty()),
                    recorded,
                    missing,
                    packets: false,
                    differences: Vec::new(),
                }
            }
        }
    }
}

/// Whether a play shows what was found; `None` if it cannot tell.
fn shows(record: &Record, replayed: &Replayed) -> Option<bool> {
    match record.kind {
        Trouble::WrongAnswer | Trouble::Deviation => {
            let accusations = &replayed.outcome.verdicts.accusations;
            Some(accusations.iter().any(|accusation| {
                let mut accusation = accusation.clone();
                if let Some(mark) = &replayed.mark {
                    accusation.observed = accusation.observed.replace(mark.as_str(), NAME);
                }
                Key::of(&accusation).to_string() == record.name
            }))
        }
        Trouble::Crash if replayed.watched => Some(replayed.death.as_ref().is_some_and(|death| {
            Key::of_crash(&death.cause(), &death.all_output().join("\n")).to_string() == record.name
        })),
        _ => None,
    }
}

/// What the broker did to each client, in order: the connection, and the packet in words, without the names of the play.
type Course = BTreeMap<String, Vec<(u32, String)>>;

fn course(history: &History, mark: Option<&Mark>) -> Course {
    let mut course = Course::new();
    for (event, version) in history.versioned() {
        let text = match event.what {
            What::Failed => "no connection".to_owned(),
            What::Received(bytes) => packet(bytes, version),
            What::Unframed(bytes) => format!("no packet: {}", describe::hex(bytes, 24)),
            What::Ended(Side::Server, How::Reset) => "a reset".to_owned(),
            What::Ended(Side::Server, _) => "the connection's end".to_owned(),
            _ => continue,
        };
        let text = mark.map_or_else(|| text.clone(), |mark| text.replace(mark.as_str(), NAME));
        course.entry(history.name(event.client).to_owned()).or_default().push((event.connection, text));
    }
    course
}

/// A packet of the Server's in words.
fn packet(bytes: &[u8], version: Version) -> String {
    let text = in_words(bytes, version, Receiver::Client);
    // An identifier that the Server assigns is another one each time.
    let assigned = match Decoder::new(version, Receiver::Client).next(bytes) {
        Ok(Some((Packet::Connack(connack), _))) => connack.properties.assigned_client_identifier(),
        _ => None,
    };
    assigned.filter(|own| !own.is_empty()).map_or(text.clone(), |own| text.replace(own, "…"))
}

fn differences(before: &Course, now: &Course) -> Vec<Difference> {
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let none = Vec::new();
    let first = |name: &String| {
        let (before, now) = (before.get(name).unwrap_or(&none), now.get(name).unwrap_or(&none));
        let place = (0..before.len().max(now.len())).find(|place| before.get(*place) != now.get(*place))?;
        let connection = before.get(place).or(now.get(place)).map_or(0, |(connection, _)| *connection);
        let text = |of: &[(u32, String)]| of.get(place).map(|(_, text)| text.clone());
        Some(Difference {
            client: name.clone(),
            connection,
            number: place + 1,
            recorded: text(before),
            now: text(now),
        })
    };
    names.into_iter().filter_map(first).collect()
}
