//! A finding on disk: a folder with all that somebody needs who is to believe it.

use super::form::{Form, Tempo};
use super::record::Record;
use super::store::write_whole;
use crate::replay::{HISTORY, SCRIPT};
use crate::report::capture;
use crate::simulation::packets;
use mqtt_assay_broker_model::history::{Event, History, What, jsonl};
use mqtt_assay_broker_model::rules::Accusation;
use mqtt_assay_broker_model::script::text;
use mqtt_assay_fuzz_engine::place::{Mark, NAME};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

/// What is written beside the record.
pub(super) struct Evidence<'a> {
    pub(super) form: &'a Form,
    pub(super) promptness: Duration,
    /// What was seen when it was played, and what stood for its names.
    pub(super) history: Option<(&'a History, &'a Mark)>,
    pub(super) accusation: Option<&'a Accusation>,
    /// What the broker has printed.
    pub(super) output: &'a [String],
    /// Other cases that may be the cause.
    pub(super) suspects: &'a [Form],
}

/// The script of a form as it is to be played again.
pub(super) fn script(form: &Form, promptness: Duration) -> String {
    text::print(&form.whole_script(promptness))
}

/// Writes the folder whole, in the place of an older one.
pub(super) fn write(folder: &Path, record: &mut Record, evidence: &Evidence<'_>) -> io::Result<()> {
    let mut half = folder.as_os_str().to_owned();
    half.push(".half");
    let half = Path::new(&half);
    if half.exists() {
        std::fs::remove_dir_all(half)?;
    }
    std::fs::create_dir_all(half)?;
    write_files(half, record, evidence)?;
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::rename(half, folder)
}

fn write_files(folder: &Path, record: &mut Record, evidence: &Evidence<'_>) -> io::Result<()> {
    let shell =
        evidence.history.filter(|_| record.target.starts_with("mqtt://") || record.target == "reference");
    let shell = shell.and_then(|(history, _)| reproducer(record, history));
    record.reproducer = shell.is_some();
    record.capture = evidence.history.is_some();
    let head = comment(&record.title());
    let case = script(evidence.form, evidence.promptness);
    write_whole(&folder.join(SCRIPT), format!("{head}\n{case}").as_bytes())?;
    if let Some((history, mark)) = evidence.history {
        write_whole(&folder.join("packets.txt"), packets(history, evidence.accusation).as_bytes())?;
        for (name, bytes) in raw(history) {
            write_whole(&folder.join(name), &bytes)?;
        }
        let mut bytes = Vec::new();
        capture::write_play(&mut bytes, history, &record.title(), evidence.accusation)?;
        write_whole(&folder.join("capture.pcapng"), &bytes)?;
        write_whole(&folder.join(HISTORY), jsonl::print(&unmarked(history, mark)).as_bytes())?;
    }
    if !evidence.output.is_empty() {
        write_whole(&folder.join("output.txt"), (evidence.output.join("\n") + "\n").as_bytes())?;
    }
    for (number, suspect) in evidence.suspects.iter().enumerate() {
        let name = format!("suspect-{}.mqtt", number + 1);
        write_whole(&folder.join(name), script(suspect, evidence.promptness).as_bytes())?;
    }
    if let Some(shell) = shell {
        write_whole(&folder.join("reproduce.sh"), shell.as_bytes())?;
    }
    write_record(folder, record)
}

/// Writes the record alone.
pub(super) fn write_record(folder: &Path, record: &Record) -> io::Result<()> {
    let json = serde_json::to_string_pretty(record).map_err(io::Error::other)?;
    write_whole(&folder.join("finding.json"), (json + "\n").as_bytes())
}

/// The history as the case has it: with its own names in place of those of the play. They are of one length.
fn unmarked(history: &History, mark: &Mark) -> History {
    let mark = mark.as_str().as_bytes();
    let plain = |bytes: &[u8]| {
        let mut plain = bytes.to_vec();
        let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(mark)).collect();
        for at in places {
            plain[at..at + mark.len()].copy_from_slice(NAME.as_bytes());
        }
        plain
    };
    let mut own = History::new(history.clients().iter().cloned());
    for event in history.iter() {
        let bytes = match event.what {
            What::Wrote(bytes)
            | What::Read(bytes)
            | What::Sent(bytes)
            | What::Received(bytes)
            | What::Unframed(bytes) => plain(bytes),
            _ => Vec::new(),
        };
        let what = match event.what {
            What::Wrote(_) => What::Wrote(&bytes),
            What::Read(_) => What::Read(&bytes),
            What::Sent(_) => What::Sent(&bytes),
            What::Received(_) => What::Received(&bytes),
            What::Unframed(_) => What::Unframed(&bytes),
            other => other,
        };
        own.record(Event { what, ..event });
    }
    own
}

/// As lines of comments.
fn comment(text: &str) -> String {
    textwrap::wrap(text, 100).iter().map(|line| format!("# {line}\n")).collect()
}

/// The bytes of each connection, each way: names of files, and what is in them.
fn raw(history: &History) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for event in history.iter() {
        let (way, bytes) = match event.what {
            What::Wrote(bytes) => ("sent", bytes),
            What::Read(bytes) => ("received", bytes),
            _ => continue,
        };
        let name = format!("{}-{}.{way}.bin", history.name(event.client), event.connection);
        files.entry(name).or_default().extend(bytes);
    }
    files
}

/// A shell script that says the same to the broker, if one connection says it all.
fn reproducer(record: &Record, history: &History) -> Option<String> {
    /// More is no reading matter.
    const MOST: usize = 16 << 10;
    let (mut connections, mut length) = (0, 0);
    let mut said = String::new();
    let mut answered = false;
    for event in history.iter() {
        match event.what {
            What::Attempted(_) => connections += 1,
            What::Read(_) => answered = true,
            What::Waited(time) => {
                let _ = writeln!(said, "  sleep {:.1}", time.as_secs_f64().max(0.1));
            }
            What::Wrote(bytes) => {
                if answered {
                    said.push_str("  sleep 0.2\n");
                }
                answered = false;
                length += bytes.len();
                let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
                let _ = writeln!(said, "  printf '{octal}'");
            }
            // What only our side does to the connection no shell does.
            What::Fault(_) => return None,
            _ => {}
        }
    }
    if connections != 1 || length == 0 || length > MOST {
        return None;
    }
    let head = comment(&record.title());
    Some(format!(
        "#!/bin/sh\n{head}#\n# Says it to the broker at HOST PORT, and shows the bytes that come back. Start the broker \
         afresh before.\n\nhost=${{1:-127.0.0.1}}\nport=${{2:-1883}}\n\n{{\n{said}  sleep 1\n}} | timeout 60 nc -w 10 \
         \"$host\" \"$port\" | od -An -v -tx1\n"
    ))
}

impl Record {
    /// Takes in how its case is played.
    pub(super) fn of_form(&mut self, form: &Form) {
        self.patient = form.tempo != Tempo::Hasty;
        self.clients = form.script.clients.len();
        self.steps = form.script.steps.len();
    }
}
