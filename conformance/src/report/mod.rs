//! What a run came to, and the forms in which it is told. All of them are made from the result file's content,
//! [`json::Report`], so that a form which is made later says the same as one that the run has written.

pub mod badge;
pub mod capture;
pub mod form;
pub mod github;
pub mod html;
pub mod issue;
pub mod json;
pub mod junit;
pub(crate) mod log;
pub mod markdown;
pub mod pcapng;
pub(crate) mod plain;
pub mod read;
pub mod sarif;
mod script;
pub mod tap;
pub mod terminal;
pub(crate) mod view;

use crate::baseline::{Gate, Judgement};
use crate::check::Cite;
use crate::outcome::{CheckResult, Run};
use crate::statement;
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What reports need to know beside the run itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// The command that would check the same broker again, up to the selection: `mqtt-assay check TARGET`.
    pub command: String,
    /// What the broker's profile calls it.
    pub broker: Option<String>,
    /// Whether deviations fail the run.
    pub strict: bool,
    /// The failures that are known, if the run has a baseline.
    pub gate: Option<Gate>,
}

impl Context {
    /// The command that repeats one check with the same names and choices.
    pub fn replay(&self, seed: u64, result: &CheckResult) -> String {
        format!(
            "{} --only {} --mqtt {} --seed {seed}",
            self.command,
            result.check.name,
            flag_of(result.version)
        )
    }

    /// What the baseline makes of the run, if there is one.
    pub fn judge(&self, run: &Run) -> Option<Judgement<'_>> {
        self.gate.as_ref().map(|gate| gate.judge(run, self.strict))
    }

    /// The exit code that the run earns.
    pub fn exit(&self, run: &Run) -> Exit {
        match self.judge(run) {
            Some(judgement) => judgement.exit(run),
            None => Summary::of(run).exit(run, self.strict),
        }
    }
}

/// The version as `--mqtt` takes it.
fn flag_of(version: Version) -> &'static str {
    match version {
        Version::V3_1 | Version::V3_1_1 => version.as_str(),
        Version::V5 => "5",
    }
}

/// The exit codes of `check`; they are documented in its help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Everything that was decided conforms, and everything was decided.
    Conforms = 0,
    /// A requirement is broken (with `--strict`: or a recommendation not followed).
    Violations = 1,
    /// The run could not begin, or did not come to its end.
    Trouble = 2,
    /// No requirement is broken, but nothing was shown, or something could not be told.
    Undecided = 3,
}

impl Exit {
    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// How many results have each verdict.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts([usize; Verdict::ALL.len()]);

impl Counts {
    /// The number of results with this verdict.
    pub fn of(&self, verdict: Verdict) -> usize {
        self.0[verdict as usize]
    }

    /// All results.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    fn add(&mut self, verdict: Verdict) {
        self.0[verdict as usize] += 1;
    }
}

/// The counts of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Over all checks and versions.
    pub counts: Counts,
    /// The statements of which a check showed a breach.
    pub broken: BTreeSet<Cite>,
    /// The statements whose recommendation a check showed not to be followed.
    pub not_followed: BTreeSet<Cite>,
    /// The statements that a check decided and found kept, and none found broken.
    pub kept: BTreeSet<Cite>,
}

impl Summary {
    /// Counts a run.
    pub fn of(run: &Run) -> Summary {
        let mut summary = Summary {
            counts: Counts::default(),
            broken: BTreeSet::new(),
            not_followed: BTreeSet::new(),
            kept: BTreeSet::new(),
        };
        for result in &run.results {
            summary.counts.add(result.verdict);
            match result.verdict {
                Verdict::Conforms => summary.kept.extend(accusable(result)),
                Verdict::Violates => summary.broken.extend(accused(result, Verdict::Violates)),
                Verdict::Choice
                | Verdict::NotTested
                | Verdict::Unsupported
                | Verdict::Deviates
                | Verdict::Inconclusive => {}
            }
            if result.findings.iter().any(|f| f.verdict == Verdict::Deviates) {
                summary.not_followed.extend(accused(result, Verdict::Deviates));
            }
        }
        summary.kept.retain(|cite| !summary.broken.contains(cite));
        summary
    }

    /// The exit code that the run earns.
    pub fn exit(&self, run: &Run, strict: bool) -> Exit {
        let has = |verdict| self.counts.of(verdict) > 0;
        let shown = has(Verdict::Conforms) || has(Verdict::Choice) || has(Verdict::Deviates);
        if run.interrupted || run.results.len() < run.planned {
            Exit::Trouble
        } else if has(Verdict::Violates) || strict && has(Verdict::Deviates) {
            Exit::Violations
        } else if has(Verdict::Inconclusive) || !shown {
            Exit::Undecided
        } else {
            Exit::Conforms
        }
    }
}

/// The statements that a result can accuse a broker of. A check that sends what a client must not send also cites
/// the statement that forbids it to clients: that one is not broken by what the broker makes of it.
pub(crate) fn accusable(result: &CheckResult) -> Vec<Cite> {
    let all: Vec<Cite> = result.check.cites(result.version).collect();
    let binding: Vec<Cite> = all
        .iter()
        .copied()
        .filter(|cite| statement::of(*cite).is_some_and(|known| known.exempt().is_none()))
        .collect();
    if binding.is_empty() { all } else { binding }
}

/// The statements that findings of one verdict speak of. A finding that names none speaks of the first that the
/// check can accuse the broker of.
pub(crate) fn accused(result: &CheckResult, verdict: Verdict) -> Vec<Cite> {
    let first = || accusable(result).first().copied();
    let findings = result.findings.iter().filter(|f| f.verdict == verdict);
    let named: BTreeSet<Cite> = findings.filter_map(|f| f.statement.or_else(first)).collect();
    if named.is_empty() { first().into_iter().collect() } else { named.into_iter().collect() }
}

/// Whether a report shows the findings and the packets of a result.
pub fn needs_showing(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Violates | Verdict::Deviates | Verdict::Inconclusive)
}

/// Text that may hold bytes of the broker, made safe to print: control characters (which could steer a
/// terminal) are written as escapes, and so are characters that show nothing: they turn the direction of writing, end a
/// line, or part a word.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || hides(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether a character shows nothing itself and changes what others show.
const fn hides(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A documentation paragraph on one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bytes as pairs of hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        let _ = write!(text, "{}{byte:02x}", if index > 0 { " " } else { "" });
    }
    text
}

/// The bytes that pairs of hexadecimal digits stand for.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pair = |pair: &str| {
        let digits = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(pair, 16).ok().filter(|_| digits)
    };
    hex.split_ascii_whitespace().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_read_strictly() {
        assert_eq!(bytes("30 0f"), Some(vec![0x30, 0x0f]));
        for wrong in ["3", "300", "+1", "zz", "30 0"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
