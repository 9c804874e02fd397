//! A result that needs showing: what was expected, what was seen, and the proof.

use super::diagram;
use super::differences::{self, Parting};
use super::standing::{Index, Standing};
use super::{anatomy, clean};
use crate::check::Check;
use crate::report::json::{Cited, Entry, Place, Report, Way};
use crate::report::view::{self, statement};
use crate::report::{self, log, needs_showing, one_line, script};

/// A failure as the page shows it.
pub(super) struct Failure<'a> {
    /// Its place in the page.
    pub(super) id: String,
    pub(super) standing: Standing,
    pub(super) entry: &'a Entry,
    /// What the check is about; nothing for a check of another version of this tool.
    pub(super) about: String,
    /// The section it counts in.
    pub(super) section: String,
    pub(super) findings: Vec<Finding<'a>>,
    pub(super) baseline: Option<Known>,
    pub(super) diagram: Option<String>,
    pub(super) script: Option<String>,
    pub(super) lines: Vec<Line>,
    pub(super) events: usize,
    /// The marked packets with their fields.
    pub(super) dumps: Vec<Dump>,
    /// How the exchange differs from that with other brokers.
    pub(super) beside: Vec<(&'a str, Option<Parting>)>,
}

/// One finding.
pub(super) struct Finding<'a> {
    pub(super) standing: Standing,
    pub(super) statement: Option<&'a Cited>,
    pub(super) link: Option<String>,
    pub(super) expected: &'a str,
    pub(super) observed: &'a str,
}

/// What the baseline says.
pub(super) struct Known {
    pub(super) word: &'static str,
    pub(super) reasons: Vec<(String, Option<String>)>,
}

/// A line of the log.
pub(super) enum Line {
    Event { time: String, client: String, arrow: &'static str, way: &'static str, text: String, here: bool },
    LeftOut(usize),
}

/// A packet, field by field.
pub(super) struct Dump {
    pub(super) caption: String,
    pub(super) rows: Vec<Row>,
    pub(super) missing: usize,
}

/// Some bytes of a packet.
pub(super) struct Row {
    pub(super) at: String,
    pub(super) hex: String,
    pub(super) name: String,
    pub(super) value: String,
}

impl<'a> Failure<'a> {
    /// The failure that a result is, if it is one. `names` are those of all brokers.
    pub(super) fn of(
        broker: usize,
        entry: &'a Entry,
        reports: &'a [Report],
        indices: &[Index<'a>],
        names: &'a [String],
        checks: &[&'static Check],
    ) -> Result<Option<Self>, askama::Error> {
        if !needs_showing(entry.verdict) {
            return Ok(None);
        }
        let id = id(broker, entry);
        let marked = log::marked(entry);
        let others = (0..reports.len()).filter(|other| *other != broker);
        let beside = others
            .filter_map(|other| {
                let theirs = indices[other].entry(&entry.check, &entry.version)?;
                theirs.log.as_ref().filter(|log| !log.is_empty())?;
                let seeds = (reports[broker].seed, reports[other].seed);
                Some((names[other].as_str(), differences::parting((entry, seeds.0), (theirs, seeds.1))))
            })
            .collect();
        let known = checks.iter().find(|check| check.name == entry.check);
        Ok(Some(Failure {
            standing: Standing::Told(entry.verdict),
            about: known.map_or(String::new(), |check| one_line(check.summary())),
            section: view::place(entry).map_or(String::new(), |(section, _)| section.to_string()),
            findings: entry.findings.iter().map(finding).collect(),
            baseline: entry.baseline.as_ref().map(|placing| Known {
                word: match placing.standing {
                    Place::New => "new",
                    Place::Flaky => "flaky",
                    Place::Known => "known",
                },
                reasons: placing
                    .entries
                    .iter()
                    .map(|entry| {
                        let link = entry.link.as_deref().and_then(clean::web).map(str::to_owned);
                        (entry.reason.clone(), link)
                    })
                    .collect(),
            }),
            diagram: diagram::draw(entry, &id)?,
            script: script::of(entry),
            lines: lines(entry, &marked),
            events: entry.log.as_ref().map_or(0, Vec::len),
            dumps: marked.iter().filter_map(|at| dump(entry, *at)).collect(),
            beside,
            entry,
            id,
        }))
    }
}

/// The place of a failure in the page: the same in every page that has as many brokers.
pub(super) fn id(broker: usize, entry: &Entry) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_/.".contains(c) { c } else { '-' };
    let name: String = format!("{}-{}", entry.check, entry.version).chars().map(plain).collect();
    format!("failure-{}-{name}", broker + 1)
}

fn finding(found: &crate::report::json::Found) -> Finding<'_> {
    let known = found.statement.as_ref().and_then(|cited| statement(&cited.id));
    Finding {
        standing: Standing::Told(found.verdict),
        statement: found.statement.as_ref(),
        link: known.map(super::standing::address),
        expected: &found.expected,
        observed: &found.observed,
    }
}

fn lines(entry: &Entry, marked: &[usize]) -> Vec<Line> {
    let Some(log) = &entry.log else { return Vec::new() };
    let mut lines = Vec::new();
    let mut before = 0;
    for part in log::parts(log.len(), marked) {
        if part.start > before {
            lines.push(Line::LeftOut(part.start - before));
        }
        before = part.end;
        for index in part {
            let event = &log[index];
            let (arrow, way) = match event.direction {
                Way::Sent => ("→", "to the broker"),
                Way::Received => ("←", "from the broker"),
                Way::Note => ("·", "remark"),
            };
            lines.push(Line::Event {
                time: diagram::seconds(event),
                client: diagram::name(event),
                arrow,
                way,
                text: event.text.clone(),
                here: marked.contains(&index),
            });
        }
    }
    lines
}

fn dump(entry: &Entry, at: usize) -> Option<Dump> {
    let event = entry.log.as_ref()?.get(at)?;
    let bytes = report::bytes(&event.hex).filter(|bytes| !bytes.is_empty())?;
    let version = view::version(&entry.version)?;
    let mut rows = Vec::new();
    let mut from = 0;
    for field in anatomy::fields(&bytes, version) {
        rows.push(Row {
            at: format!("{from:04x}"),
            hex: crate::report::hex(&bytes[from..from + field.length]),
            name: field.name,
            value: field.value,
        });
        from += field.length;
    }
    let way = match event.direction {
        Way::Sent => "to the broker",
        Way::Received | Way::Note => "from the broker",
    };
    let caption = format!("{} s, {}, {way}", diagram::seconds(event), diagram::name(event));
    Some(Dump { caption, rows, missing: event.length.saturating_sub(bytes.len()) })
}
