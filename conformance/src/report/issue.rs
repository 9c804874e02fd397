//! One failure as a text for the tracker of a broker: what was seen, which statement speaks of it, and how to see it
//! again, with this tool and without.

mod reproduce;

use super::json::{Entry, Found, Logged, Report, Way};
use super::log::{self, Line};
use super::markdown::{code, fence, inline};
use super::{printable, script, view};
use crate::verdict::Verdict;
use std::fmt::Write as _;

/// How many bytes stand in one line.
const BYTES_IN_LINE: usize = 24;

/// The text about a check that fails in the run; in one version, if it is named.
///
/// # Errors
///
/// There is nothing to report: why, in one sentence.
pub fn text(run: &Report, check: &str, version: Option<&str>) -> Result<String, String> {
    let all: Vec<&Entry> = run.results.iter().filter(|entry| entry.check == check).collect();
    if all.is_empty() {
        let near = near(run, check);
        return Err(match near.as_str() {
            "" => format!("the result has no check '{check}'"),
            near => format!("the result has no check '{check}'; did you mean {near}?"),
        });
    }
    let shows = |entry: &&&Entry| matches!(entry.verdict, Verdict::Violates | Verdict::Deviates);
    let wanted = all.iter().filter(|entry| version.is_none_or(|version| entry.version == version));
    let Some(entry) = wanted.clone().filter(shows).max_by_key(|entry| entry.verdict).copied() else {
        let came: Vec<String> =
            wanted.map(|entry| format!("{} in MQTT {}", entry.verdict, entry.version)).collect();
        let came = if came.is_empty() { "was not run in this version".to_owned() } else { came.join(", ") };
        return Err(format!("{check}: {came}: nothing that could be reported was shown"));
    };
    let also: Vec<&str> = all
        .iter()
        .filter(shows)
        .filter(|other| other.version != entry.version)
        .map(|other| other.version.as_str())
        .collect();
    Ok(tell(run, entry, &also))
}

/// The name in the run that resembles `check` most.
fn near<'r>(run: &'r Report, check: &str) -> String {
    let likeness = |name: &&'r str| {
        let whole = strsim::normalized_damerau_levenshtein(check, name);
        if name.contains(check) { whole.max(0.9) } else { whole }
    };
    let names = run.results.iter().map(|entry| entry.check.as_str());
    let best = names.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.filter(|name| likeness(name) >= 0.5).map(printable).unwrap_or_default()
}

fn tell(run: &Report, entry: &Entry, also: &[&str]) -> String {
    let cited = view::cited(entry);
    let ids: Vec<&str> = cited.iter().map(|cite| cite.split_once('/').map_or(*cite, |(_, id)| id)).collect();
    let kept = match entry.verdict {
        Verdict::Violates => "is not kept",
        _ => "is not followed",
    };
    let mut text = format!(
        "# MQTT {}: {} {kept} ({})\n\n",
        inline(&entry.version),
        inline(&ids.join(" or ")),
        inline(entry.about.trim_end_matches('.'))
    );
    let _ = writeln!(
        text,
        "Broker: {}\n\n\
         Seen with mqtt-assay {}, catalogue {}, over MQTT {}{}.\n",
        match &run.broker {
            Some(broker) => format!("{} (*configuration here*)", inline(broker)),
            None => "*name, version and configuration here*".to_owned(),
        },
        inline(&run.tool),
        inline(&run.catalogue),
        inline(&entry.version),
        match also {
            [] => String::new(),
            also => format!("; the same check fails over MQTT {}, too", also.join(" and ")),
        }
    );
    text.push_str("## What the specification says\n\n");
    for cite in &cited {
        match view::statement(cite) {
            Some(known) => {
                let _ = writeln!(
                    text,
                    "- {}, section {} of [{}]({}), {}. In short: {}",
                    code(known.id),
                    known.section(),
                    format_args!("MQTT {}", known.version),
                    known.link(),
                    known.level,
                    inline(known.summary)
                );
            }
            None => {
                let _ = writeln!(text, "- {}", code(cite));
            }
        }
    }
    text.push_str("\n## What was seen\n\n");
    for finding in entry.findings.iter().filter(|finding| finding.verdict == entry.verdict) {
        told(&mut text, finding);
    }
    if let Some(death) = &entry.died {
        let _ = writeln!(text, "- the broker's process: {}\n", inline(&death.how));
    }
    text.push_str("The exchange, as the clients saw it:\n\n");
    let short = until_shown(entry);
    exchange(&mut text, &short);
    if short.log != entry.log {
        text.push_str("\nWhat came after that is left out.\n");
    }
    text.push_str("\n## How to see it again\n\n");
    if let Some(replay) = &entry.replay {
        let _ = writeln!(text, "With mqtt-assay:\n\n```console\n$ {}\n```\n", printable(replay));
    }
    if let Some(script) = script::of(entry) {
        let fence = fence(&script);
        let _ = writeln!(
            text,
            "The clients' side as a script, which `mqtt-assay replay FILE mqtt://HOST:PORT` plays to any broker:\n\n\
             {fence}text\n{}\n{fence}\n",
            printable_lines(&script)
        );
    }
    text.push_str(&reproduce::without_us(run, &short));
    text.push_str(
        "\nIf the broker is right here and the check is wrong, or the broker's configuration explains what was seen, \
         please say so.\n",
    );
    text
}

fn told(text: &mut String, finding: &Found) {
    if !finding.expected.is_empty() {
        let _ = writeln!(text, "- allowed: {}", inline(&finding.expected));
    }
    let _ = writeln!(text, "- observed: {}\n", inline(&finding.observed));
}

/// The result with its log up to the last event that a finding points at, which shows what is to be shown.
fn until_shown(entry: &Entry) -> Entry {
    let marks = entry.findings.iter().filter(|finding| finding.verdict == entry.verdict);
    let last = marks.filter_map(|finding| finding.log_index).max();
    let mut short = entry.clone();
    if let (Some(last), Some(log)) = (last, &mut short.log) {
        log.truncate(last + 1);
    }
    short
}

/// The events as a numbered list, with the bytes of each packet.
fn exchange(text: &mut String, entry: &Entry) {
    let mut number = 0;
    for line in log::lines(entry, false) {
        match line {
            Line::Hidden(hidden) => {
                let _ = writeln!(text, "\n   … {} left out …\n", view::number(hidden, "event", "events"));
            }
            Line::Entry { logged, here } => {
                number += 1;
                event(text, number, logged, here);
            }
        }
    }
}

fn event(text: &mut String, number: usize, logged: &Logged, here: bool) {
    let mark = if here { " **← here**" } else { "" };
    let client = inline(&log::client(logged));
    let what = match logged.direction {
        Way::Sent => format!("{client} sends {}", code(&logged.text)),
        Way::Received => format!("{client} receives {}", code(&logged.text)),
        Way::Note if logged.client == "-" => inline(&logged.text),
        Way::Note => format!("{client} {}", inline(&logged.text)),
    };
    let _ = writeln!(text, "{number}. {what}{mark}");
    let bytes: Vec<&str> = logged.hex.split_whitespace().collect();
    if bytes.is_empty() {
        return;
    }
    let mut hex = bytes.chunks(BYTES_IN_LINE).map(|line| line.join(" ")).collect::<Vec<_>>().join("\n");
    if logged.length > bytes.len() {
        let _ = write!(hex, "\n… {} more bytes", logged.length - bytes.len());
    }
    let hex = printable_lines(&hex);
    let fence = fence(&hex);
    let indent = " ".repeat(number.to_string().len() + 2);
    for line in std::iter::once(fence.as_str()).chain(hex.lines()).chain(std::iter::once(fence.as_str())) {
        let _ = writeln!(text, "{indent}{line}");
    }
}

fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}
