//! The result as workflow commands, which GitHub Actions shows as annotations of a build.

use super::json::{Entry, Report};
use super::view::{self, Fate};
use super::{needs_showing, printable};
use crate::verdict::Verdict;
use std::fmt::Write as _;

/// A step shows no more annotations of one kind; the last one then tells how many are missing.
const SHOWN_MAX: usize = 10;

/// The report of one or several runs: an error for what fails the run, a warning for what does not.
pub fn report(runs: &[Report]) -> String {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for run in runs {
        for entry in view::shown(run) {
            match view::fate(entry, run.summary.strict) {
                Fate::Fails => errors.push(annotation(run, entry)),
                _ if needs_showing(entry.verdict) => warnings.push(annotation(run, entry)),
                _ => {}
            }
        }
        for (kind, entry, why) in run.baseline.iter().flat_map(view::outdated) {
            let told = (format!("baseline, {kind} entry"), format!("{entry}: {why}"));
            if kind == "stale" { errors.push(told) } else { warnings.push(told) }
        }
    }
    let mut text = String::new();
    commands(&mut text, "error", errors);
    commands(&mut text, "warning", warnings);
    for run in runs {
        let sentence = format!("{}: {}", run.target, view::sentence(run));
        command(&mut text, "notice", "mqtt-assay", &sentence);
    }
    text
}

/// The title and the message of a result.
fn annotation(run: &Report, entry: &Entry) -> (String, String) {
    let mut message = view::first_message(entry);
    for cite in view::cited(entry).into_iter().take(2) {
        if let Some(known) = view::statement(cite) {
            let _ = write!(message, "\n{cite}: {}", known.summary);
        }
    }
    if let Some(replay) = &entry.replay {
        let _ = write!(message, "\nreplay: {replay}");
    }
    let sign = if entry.verdict == Verdict::Inconclusive { "could not tell" } else { entry.verdict.name() };
    (format!("{} (MQTT {}) {sign}, {}", entry.check, entry.version, run.target), message)
}

fn commands(text: &mut String, kind: &str, annotations: Vec<(String, String)>) {
    let missing = annotations.len().saturating_sub(SHOWN_MAX);
    // The last place is for the number of those that have none.
    let shown = if missing > 0 { SHOWN_MAX - 1 } else { SHOWN_MAX };
    let of = annotations.len();
    for (title, message) in annotations.into_iter().take(shown) {
        command(text, kind, &title, &message);
    }
    if of > shown {
        command(text, kind, "mqtt-assay", &format!("{} more are in the reports", of - shown));
    }
}

fn command(text: &mut String, kind: &str, title: &str, message: &str) {
    let message = message.lines().map(printable).collect::<Vec<_>>().join("\n");
    let _ = writeln!(text, "::{kind} title={}::{}", property(&printable(title)), data(&message));
}

/// A message as commands carry it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property as commands carry it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No text of a broker begins a command of its own.
    #[test]
    fn commands_are_one_line() {
        let mut text = String::new();
        command(&mut text, "error", "a,b: 5%", "100%\n::set-env name=x::y\r\n");
        assert_eq!(text, "::error title=a%2Cb%3A 5%25::100%25%0A::set-env name=x::y\n");
    }

    #[test]
    fn the_tenth_annotation_counts_those_that_follow() {
        let mut text = String::new();
        let told = |n: usize| (n.to_string(), String::new());
        commands(&mut text, "error", (0..10).map(told).collect());
        assert!(text.lines().count() == 10 && !text.contains("more"), "{text}");
        text.clear();
        commands(&mut text, "error", (0..12).map(told).collect());
        assert!(text.lines().count() == 10 && text.ends_with("3 more are in the reports\n"), "{text}");
    }
}
