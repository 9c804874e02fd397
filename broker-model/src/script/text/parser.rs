//! The lines of a script, one after the other.

use super::connect::Draft;
use super::error::{Errors, MOST_ERRORS, Wrong};
use super::lexer::Kind;
use super::line::{Line, Seen};
use super::value;
use super::{MAX_CLIENTS, MAX_QUOTED, MAX_STEPS, MAX_TEXT, step};
use crate::history::ClientNo;
use crate::script::{Client, Connect, Script, Step, Timed, Timely};
use core::cell::Cell;
use core::ops::Range;
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;

/// The words that begin lines, and therefore name no client.
const RESERVED: [&str; 7] = ["mqtt", "seed", "network", "client", "at", "wait", "broker"];

const LONGEST_NAME: usize = 64;

/// Of a longer list of clients an error shows only this many.
const SHOWN_CLIENTS: usize = 10;

pub(super) fn parse(text: &str) -> Result<Script, Errors> {
    if text.len() > MAX_TEXT {
        let message = format!("a script has at most {MAX_TEXT} bytes, not {}", text.len());
        return Err(Errors(vec![Wrong::new(0..0, message).in_line(1, "")]));
    }
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let room = Cell::new(MAX_QUOTED);
    let mut parser = Parser {
        script: Script::default(),
        version: Version::V5,
        seen: Seen::default(),
        names: BTreeMap::new(),
    };
    let mut errors = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Err(wrong) = parser.line(&mut Line::new(line, &room)) {
            errors.push(wrong.in_line(index + 1, line));
            if errors.len() == MOST_ERRORS {
                break;
            }
        }
    }
    if errors.is_empty() { Ok(parser.script) } else { Err(Errors(errors)) }
}

/// Why the name is none.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        || name.len() > LONGEST_NAME
    {
        return Err(format!(
            "a client's name is a letter, then letters, digits and _, at most {LONGEST_NAME}"
        ));
    }
    if RESERVED.contains(&name) {
        return Err(format!("the words {} begin lines, and name no client", RESERVED.join(", ")));
    }
    Ok(())
}

struct Parser {
    script: Script,
    /// Of clients whose lines do not say theirs.
    version: Version,
    seen: Seen,
    names: BTreeMap<String, ClientNo>,
}

impl Parser {
    fn line(&mut self, line: &mut Line<'_>) -> Result<(), Wrong> {
        if matches!(line.peek()?.kind, Kind::End) {
            return Ok(());
        }
        let (word, span) =
            line.word("the beginning of a line: a client's name, or one of the words of the header")?;
        match word {
            "mqtt" | "seed" | "network" => self.header(line, word, &span),
            "client" => self.client(line, &span),
            "at" => self.timed(line, &span),
            "wait" => {
                let step = self.wait(line)?;
                self.push(step, &span)
            }
            "broker" => {
                let step = Step::Broker(step::broker(line)?);
                self.push(step, &span)
            }
            name => {
                let client = self.find(name, &span)?;
                let version = self.version_of(client);
                let action = step::action(line, version)?;
                self.push(Step::Client(client, action), &span)
            }
        }
    }

    fn header(&mut self, line: &mut Line<'_>, word: &str, span: &Range<usize>) -> Result<(), Wrong> {
        let word = RESERVED.into_iter().find(|reserved| *reserved == word).unwrap_or_default();
        self.seen.once(word, span)?;
        if !self.script.clients.is_empty() || !self.nothing_done() {
            return Err(Wrong::new(
                span.clone(),
                format!("{word} belongs before the clients and their steps"),
            ));
        }
        match word {
            "mqtt" => {
                let (word, span) = line.word("the version of MQTT: 3.1, 3.1.1 or 5")?;
                self.version = value::version(word, &span)?;
            }
            "seed" => {
                let (word, span) = line.word("the seed, a number")?;
                let seed = value::number(word);
                let message = || format!("the seed is a number from 0 to {}", u64::MAX);
                self.script.seed = seed.ok_or_else(|| Wrong::new(span, message()))?;
            }
            _ => self.network(line)?,
        }
        line.end(word)
    }

    fn network(&mut self, line: &mut Line<'_>) -> Result<(), Wrong> {
        let network = &mut self.script.network;
        let mut seen = Seen::default();
        while let Some(token) = line.field()? {
            match &token.kind {
                Kind::Key("delay", value) => {
                    seen.once("delay", &token.span)?;
                    (network.delay_min, network.delay_max) = value.durations()?;
                }
                Kind::Key("split", value) => {
                    seen.once("split", &token.span)?;
                    network.split_percent = value.percent("split")?;
                }
                Kind::Key("merge", value) => {
                    seen.once("merge", &token.span)?;
                    network.merge_percent = value.percent("merge")?;
                }
                _ => {
                    let message =
                        "a network has delay, split and merge, as in delay=1..20ms split=20% merge=30%";
                    return Err(Wrong::new(token.span, message));
                }
            }
        }
        Ok(())
    }

    fn client(&mut self, line: &mut Line<'_>, span: &Range<usize>) -> Result<(), Wrong> {
        let (name, name_span) = line.word("the client's name")?;
        check_name(name).map_err(|message| Wrong::new(name_span.clone(), message))?;
        if self.names.contains_key(name) {
            return Err(Wrong::new(name_span, format!("there is a client {name} already")));
        }
        if !self.nothing_done() {
            return Err(Wrong::new(
                span.clone(),
                "clients are declared before the first step and the first at",
            ));
        }
        if self.names.len() == MAX_CLIENTS {
            return Err(Wrong::new(span.clone(), format!("a script has at most {MAX_CLIENTS} clients")));
        }
        // It is there even if its line is wrong, so that its steps are not wrong, too.
        let number = ClientNo(self.script.clients.len() as u16);
        self.names.insert(name.to_owned(), number);
        let connect = Connect::default();
        let client = Client { name: name.to_owned(), version: self.version, connect, acknowledges: true };
        self.script.clients.push(client);

        let (mut version, mut acknowledges) = (self.version, true);
        let mut draft = Draft::new();
        let mut seen = Seen::default();
        while let Some(token) = line.field()? {
            match &token.kind {
                Kind::Key("mqtt", value) => {
                    seen.once("mqtt", &token.span)?;
                    version = value.version()?;
                }
                Kind::Key("acks", value) => {
                    seen.once("acks", &token.span)?;
                    acknowledges = match value.bare() {
                        "auto" => true,
                        "manual" => false,
                        _ => return Err(Wrong::new(value.span.clone(), "acks is auto or manual")),
                    };
                }
                _ => draft.take(line, token, "mqtt, acks, ")?,
            }
        }
        line.end("the client's keys")?;
        if let Some(client) = self.script.clients.last_mut() {
            client.version = version;
            client.acknowledges = acknowledges;
            client.connect = draft.finish(version)?;
        }
        Ok(())
    }

    /// `at 3.2 s NAME hold`.
    fn timed(&mut self, line: &mut Line<'_>, span: &Range<usize>) -> Result<(), Wrong> {
        let at = line.duration()?;
        let (name, name_span) = line.word("the client that it hits, or broker")?;
        let timed = if name == "broker" {
            Timed { at, client: ClientNo::NOBODY, fault: Timely::Fault(step::broker(line)?) }
        } else {
            Timed { at, client: self.find(name, &name_span)?, fault: step::timely(line)? }
        };
        self.count(span)?;
        self.script.schedule.push(timed);
        Ok(())
    }

    /// `wait 1.5 s`, or another way to write what a client expects: `wait until NAME < …`.
    fn wait(&mut self, line: &mut Line<'_>) -> Result<Step, Wrong> {
        if !matches!(&line.peek()?.kind, Kind::Value(value) if value.bare() == "until") {
            let time = line.duration()?;
            line.end("the time")?;
            return Ok(Step::Wait(time));
        }
        line.next()?;
        let (name, span) = line.word("the client that is waited for")?;
        let client = self.find(name, &span)?;
        let (word, span) = line.word("< and what the client expects")?;
        if word != "<" {
            return Err(Wrong::new(span, "expected < and what the client expects"));
        }
        Ok(Step::Client(client, step::expect(line, self.version_of(client))?))
    }

    fn nothing_done(&self) -> bool {
        self.script.steps.is_empty() && self.script.schedule.is_empty()
    }

    fn push(&mut self, step: Step, span: &Range<usize>) -> Result<(), Wrong> {
        self.count(span)?;
        self.script.steps.push(step);
        Ok(())
    }

    /// One step or timed fault more.
    fn count(&self, span: &Range<usize>) -> Result<(), Wrong> {
        if self.script.steps.len() + self.script.schedule.len() < MAX_STEPS {
            return Ok(());
        }
        Err(Wrong::new(span.clone(), format!("a script has at most {MAX_STEPS} steps and timed faults")))
    }

    fn version_of(&self, client: ClientNo) -> Version {
        self.script.clients.get(client.index()).map_or(self.version, |client| client.version)
    }

    fn find(&self, name: &str, span: &Range<usize>) -> Result<ClientNo, Wrong> {
        if let Some(client) = self.names.get(name) {
            return Ok(*client);
        }
        let mut known: Vec<_> =
            self.script.clients.iter().take(SHOWN_CLIENTS).map(|client| client.name.as_str()).collect();
        if self.script.clients.len() > SHOWN_CLIENTS {
            known.push("…");
        }
        let known = match known.as_slice() {
            [] => "a line \"client NAME\" has to declare it".to_owned(),
            names => format!("the clients are {}", names.join(", ")),
        };
        let words = RESERVED.join(", ");
        let message = format!("no client has this name: {known}; other lines begin with {words}");
        Err(Wrong::new(span.clone(), message))
    }
}
