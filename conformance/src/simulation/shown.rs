//! A finding for people: the statement, what was expected and seen, the script, the packets.

use super::SimulationFinding;
use crate::check::Cite;
use crate::report::json::Way;
use crate::report::{log, one_line, printable};
use crate::statement;
use mqtt_assay_broker_model::history::{History, What};
use mqtt_assay_broker_model::rules::Accusation;
use mqtt_assay_broker_model::script::text;
use mqtt_assay_codec::{Decoder, Receiver, Version, describe};
use std::fmt::Write as _;
use std::io::{self, Write};

/// How it is to look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// With colours.
    pub colours: bool,
}

/// Longer histories are shown from this many lines before the accusation on.
const LINES_BEFORE: usize = 60;

/// Writes one finding.
///
/// # Errors
///
/// Those of the writer.
pub fn write_finding(
    out: &mut dyn Write,
    finding: &SimulationFinding,
    replay: &str,
    style: Style,
) -> io::Result<()> {
    let accusation = &finding.accusation;
    let colour = console::Style::new().bold().force_styling(style.colours);
    let (colour, mark) = if accusation.deviates { (colour.yellow(), "!") } else { (colour.red(), "✗") };
    let statements: Vec<String> =
        accusation.statements.iter().map(|id| format!("{}/{id}", accusation.version)).collect();
    let found = match finding.scripts {
        0 => String::new(),
        1 => format!("   first at seed {}", finding.seed),
        many => format!("   first at seed {}, {many} scripts", finding.seed),
    };
    writeln!(
        out,
        "{} {}   {}{found}",
        colour.apply_to(mark),
        accusation.rule,
        colour.apply_to(statements.join(", "))
    )?;
    for id in accusation.statements {
        if let Some(known) = statement::of(Cite { version: accusation.version, id }) {
            writeln!(
                out,
                "    statement  {}, §{}: {}",
                known.cite(),
                known.section(),
                one_line(known.summary)
            )?;
        }
    }
    let history = &finding.outcome.played.history;
    writeln!(out, "    expected   {}", printable(&accusation.expected))?;
    writeln!(out, "    observed   {}", printable(&accusation.observed))?;
    writeln!(out, "    at         {}", history.name(accusation.client))?;
    writeln!(out)?;
    for line in text::print(&finding.script).lines() {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)?;
    out.write_all(packets(history, Some(accusation)).as_bytes())?;
    writeln!(out)?;
    writeln!(out, "    history    {}", history.digest())?;
    writeln!(out, "    replay     {replay}")?;
    writeln!(out)
}

/// An event of a history that people are to see.
pub(crate) struct Shown {
    /// Its place in the history.
    pub(crate) index: usize,
    /// Which way it went.
    pub(crate) way: Way,
    /// The packet, or what happened, in one line.
    pub(crate) text: String,
}

/// The events of a history but the chunks of bytes.
pub(crate) fn shown(history: &History) -> Vec<Shown> {
    let mut all = Vec::new();
    for (index, (event, version)) in history.versioned().enumerate() {
        let (way, text) = match event.what {
            What::Wrote(_) | What::Read(_) => continue,
            What::Attempted(version) => (Way::Note, format!("opens a connection for MQTT {version}")),
            What::Opened | What::Finished => continue,
            What::Failed => (Way::Note, "gets no connection".to_owned()),
            What::Sent(bytes) => (Way::Sent, in_words(bytes, version, Receiver::Server)),
            What::Received(bytes) => (Way::Received, in_words(bytes, version, Receiver::Client)),
            What::Unframed(bytes) => (Way::Received, format!("no packet: {}", describe::hex(bytes, 24))),
            What::Ended(side, how) => {
                (Way::Note, format!("the connection has ended ({side:?}, {how:?})").to_lowercase())
            }
            What::Fault(fault) => (Way::Note, format!("{fault:?}").to_lowercase()),
            What::Waited(time) => (Way::Note, format!("{} s pass", time.as_secs_f64())),
        };
        all.push(Shown { index, way, text });
    }
    all
}

/// The events of a history but the chunks of bytes, one line each.
pub fn packets(history: &History, accusation: Option<&Accusation>) -> String {
    let mut lines = Vec::new();
    let mut marked = 0;
    for Shown { index, way, text } in shown(history) {
        let Some(event) = history.get(index) else { continue };
        let name = match event.connection {
            0 | 1 => history.name(event.client).to_owned(),
            more => format!("{}#{more}", history.name(event.client)),
        };
        let here = accusation.is_some_and(|accusation| accusation.event == index);
        if here {
            marked = lines.len();
        }
        let (at, arrow) = (event.at.as_secs_f64(), log::arrow(way));
        let mut line = format!("    {at:8.3}  {name:<6} {arrow}  {}", printable(&text));
        if here {
            line.push_str("   ← here");
        }
        lines.push(line);
    }
    let from = if accusation.is_some() { marked.saturating_sub(LINES_BEFORE) } else { 0 };
    let mut text = String::new();
    if from > 0 {
        let _ = writeln!(text, "             … {from} events before");
    }
    for line in &lines[from..] {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// A packet in words; what is none is told with its bytes.
pub(crate) fn in_words(bytes: &[u8], version: Version, receiver: Receiver) -> String {
    match Decoder::new(version, receiver).next(bytes) {
        Ok(Some((packet, _))) => describe::line(&packet, version),
        Ok(None) => "an unfinished packet".to_owned(),
        Err(malformed) => format!("{malformed}: {}", describe::hex(bytes, 24)),
    }
}
