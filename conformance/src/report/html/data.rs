//! What the page's script unfolds on demand: statements, checks, results, and every packet with its fields.
//!
//! Texts and packets that come again are kept once: a table of wrong packets begins a thousand connections alike.

use super::anatomy;
use super::standing::Standing;
use crate::check::Check;
use crate::cli;
use crate::report::json::{Entry, Logged, Report, Way};
use crate::report::view::{statement, version};
use crate::report::{self, one_line};
use crate::statement::Statement;
use mqtt_assay_codec::Version;
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything.
#[derive(Serialize)]
pub(super) struct Data {
    statements: BTreeMap<String, About>,
    checks: BTreeMap<String, CheckAbout>,
    results: Vec<Vec<Outcome>>,
    /// What numbers stand for, wherever a text is meant.
    texts: Vec<String>,
    packets: Vec<Packet>,
}

/// The bytes as hexadecimal digits, how many are missing, and the fields: length, name, value.
type Packet = (String, usize, Vec<(usize, usize, usize)>);

/// Time in microseconds, client, connection, direction, words, packet.
type Event = (u64, usize, u32, u8, usize, Option<usize>);

/// A statement, as its own page tells it.
#[derive(Serialize)]
struct About {
    title: String,
    level: &'static str,
    binds: &'static str,
    summary: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    seen_by: &'static str,
    link: String,
    document: String,
    ours: bool,
    checks: Vec<&'static str>,
    /// The mutants that break it by name and that its checks catch.
    mutants: Vec<&'static str>,
    /// Why it has no check.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

/// A check, as its own page tells it.
#[derive(Serialize)]
struct CheckAbout {
    /// The first sentence, then each heading with its text.
    doc: Vec<(String, String)>,
    needs: Vec<&'static str>,
    mutants: &'static [&'static str],
    waits: f64,
    covers: Vec<String>,
}

/// The result of a check in a version.
#[derive(Serialize)]
struct Outcome {
    check: String,
    version: String,
    verdict: String,
    ms: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// Why it could not be judged, for results without a failure's page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    said: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    log: Vec<Event>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    marked: Vec<usize>,
}

impl Data {
    /// Gathers it. `ids` are the statements that have a row, `failure` names the place of a failure in the page.
    pub(super) fn of(
        reports: &[Report],
        checks: &[&'static Check],
        ids: &[String],
        failure: impl Fn(usize, &Entry) -> Option<String>,
    ) -> Self {
        let mut kept = Kept::default();
        let results = reports
            .iter()
            .enumerate()
            .map(|(broker, report)| {
                let outcome = |entry| kept.outcome(entry, failure(broker, entry));
                report.results.iter().map(outcome).collect()
            })
            .collect();
        let statements =
            ids.iter().filter_map(|id| Some((id.clone(), About::of(statement(id)?, checks)))).collect();
        let run = |name: &str| reports.iter().flat_map(|report| &report.results).any(|e| e.check == name);
        let checks = checks.iter().filter(|check| run(check.name));
        let checks = checks.map(|check| (check.name.to_owned(), CheckAbout::of(check))).collect();
        Data { statements, checks, results, texts: kept.texts.list, packets: kept.packets }
    }
}

impl About {
    fn of(known: &'static Statement, checks: &[&'static Check]) -> Self {
        let cite = known.cite();
        let deciding: Vec<_> = checks.iter().filter(|check| check.covers.contains(&cite)).collect();
        About {
            title: format!("{} {}", known.section(), known.title),
            level: known.level.name(),
            binds: known.binds.name(),
            summary: known.summary,
            seen_by: known.how_to_observe,
            link: super::standing::address(known),
            document: match known.version {
                Version::V3_1 => "MQTT 3.1".to_owned(),
                version => format!("MQTT {version}, OASIS Standard"),
            },
            ours: !known.numbered,
            checks: deciding.iter().map(|check| check.name).collect(),
            mutants: cli::proving(known, checks).into_iter().collect(),
            why: known.exempt().filter(|_| deciding.is_empty()),
        }
    }
}

impl CheckAbout {
    fn of(check: &Check) -> Self {
        let mut doc = vec![(String::new(), one_line(check.summary()))];
        for line in check.doc.lines().map(str::trim).skip_while(|line| !line.is_empty()) {
            let heading =
                ["Sends", "Demands", "Leaves"].into_iter().find(|heading| line.starts_with(heading));
            match (heading, doc.last_mut()) {
                (Some(heading), _) => doc.push((heading.to_owned(), line[heading.len()..].trim().to_owned())),
                (None, Some((_, text))) if !line.is_empty() => {
                    text.push(' ');
                    text.push_str(line);
                }
                (None, _) => {}
            }
        }
        CheckAbout {
            doc,
            needs: check.needs.iter().map(|need| need.name()).collect(),
            mutants: check.proved,
            waits: check.waits.as_secs_f64(),
            covers: check.covers.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Things kept once.
#[derive(Default)]
struct Kept {
    texts: Texts,
    packets: Vec<Packet>,
    packet_places: BTreeMap<(String, usize, String), usize>,
}

#[derive(Default)]
struct Texts {
    list: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Texts {
    fn place(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.list.push(text.to_owned());
        self.places.insert(text.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

impl Kept {
    fn outcome(&mut self, entry: &Entry, failure: Option<String>) -> Outcome {
        let said = |finding: &crate::report::json::Found| finding.observed.clone();
        let spoken = version(&entry.version);
        Outcome {
            check: entry.check.clone(),
            version: entry.version.clone(),
            verdict: Standing::Told(entry.verdict).class(),
            ms: entry.elapsed_ms,
            notes: entry.notes.clone(),
            said: if failure.is_some() { Vec::new() } else { entry.findings.iter().map(said).collect() },
            failure,
            log: entry.log.iter().flatten().map(|event| self.event(event, spoken)).collect(),
            marked: crate::report::log::marked(entry),
        }
    }

    fn event(&mut self, event: &Logged, spoken: Option<Version>) -> Event {
        let direction = match event.direction {
            Way::Sent => 0,
            Way::Received => 1,
            Way::Note => 2,
        };
        let packet = spoken.and_then(|version| self.packet(event, version));
        let (client, text) = (self.texts.place(&event.client), self.texts.place(&event.text));
        (event.at_us, client, event.connection, direction, text, packet)
    }

    fn packet(&mut self, event: &Logged, version: Version) -> Option<usize> {
        let bytes = report::bytes(&event.hex).filter(|bytes| !bytes.is_empty())?;
        let missing = event.length.saturating_sub(bytes.len());
        let digits: String = event.hex.split(' ').collect();
        let key = (digits, missing, version.as_str().to_owned());
        if let Some(place) = self.packet_places.get(&key) {
            return Some(*place);
        }
        let fields = anatomy::fields(&bytes, version)
            .into_iter()
            .map(|field| (field.length, self.texts.place(&field.name), self.texts.place(&field.value)))
            .collect();
        self.packets.push((key.0.clone(), missing, fields));
        self.packet_places.insert(key, self.packets.len() - 1);
        Some(self.packets.len() - 1)
    }
}
