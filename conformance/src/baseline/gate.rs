//! The gate: which failures of a run are new, which are known, and which entries are out of date.

use super::Baseline;
use super::entry::Entry;
use crate::check::{Check, Cite};
use crate::checks;
use crate::outcome::{CheckResult, Finding, Run};
use crate::report::{Exit, accusable};
use crate::verdict::Verdict;
use std::collections::BTreeSet;
use toml::value::Date;

/// A baseline, and the day by which its entries expire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gate {
    /// The name of the file, as the user gave it.
    pub file: String,
    /// What is known.
    pub baseline: Baseline,
    /// The day of the run.
    pub today: Date,
}

/// How a failure stands to the baseline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// No entry fits it.
    New,
    /// An entry says that it comes and goes: it fails the run like a new one.
    Flaky,
    /// An entry knows it: it does not fail the run.
    Known,
}

impl Standing {
    /// The word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::New => "new",
            Standing::Flaky => "flaky",
            Standing::Known => "known",
        }
    }
}

/// What the baseline makes of one result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed<'g> {
    /// The weightiest standing of its failures.
    pub standing: Standing,
    /// The weightiest verdict that still fails the run, or leaves it undecided.
    pub left: Option<Verdict>,
    /// Whether it has findings that no entry knows, be they failures of the run or not.
    pub open: bool,
    /// The entries that fit one of its findings.
    pub entries: Vec<&'g Entry>,
}

/// An entry that nothing fits any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stale<'g> {
    /// The entry.
    pub entry: &'g Entry,
    /// How it comes.
    pub why: &'static str,
}

/// What the baseline makes of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement<'g> {
    /// For each result its standing; `None` for one that neither fails the run nor is known.
    pub placed: Vec<Option<Placed<'g>>>,
    /// The statements that are broken, in spite of the baseline.
    pub broken: BTreeSet<Cite>,
    /// The statements whose recommendation is not followed, in spite of the baseline.
    pub not_followed: BTreeSet<Cite>,
    /// Entries that nothing fits any more.
    pub stale: Vec<Stale<'g>>,
    /// Entries whose last day is over.
    pub expired: Vec<&'g Entry>,
    strict: bool,
}

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    /// It fits a finding.
    Fits,
    /// Nothing fits it, and whatever could was decided.
    Stale(&'static str),
    /// Something that could fit it was not run, or not decided.
    Untried,
}

impl Gate {
    /// Holds a run against the baseline.
    pub fn judge(&self, run: &Run, strict: bool) -> Judgement<'_> {
        let entries = &self.baseline.entries;
        let live: Vec<&Entry> = entries.iter().filter(|entry| !entry.has_expired(self.today)).collect();
        let mut judgement = Judgement {
            placed: Vec::with_capacity(run.results.len()),
            broken: BTreeSet::new(),
            not_followed: BTreeSet::new(),
            stale: Vec::new(),
            expired: entries.iter().filter(|entry| entry.has_expired(self.today)).collect(),
            strict,
        };
        for result in &run.results {
            let placed = judgement.place(result, &live);
            judgement.placed.push(placed);
        }
        let catalogue = catalogue(run);
        judgement.stale = live
            .into_iter()
            .filter(|entry| !entry.flaky)
            .filter_map(|entry| match use_of(entry, run, &catalogue) {
                Use::Stale(why) => Some(Stale { entry, why }),
                Use::Fits | Use::Untried => None,
            })
            .collect();
        judgement
    }
}

impl<'g> Judgement<'g> {
    fn place(&mut self, result: &CheckResult, live: &[&'g Entry]) -> Option<Placed<'g>> {
        let mut placed = Placed { standing: Standing::Known, left: None, open: false, entries: Vec::new() };
        for finding in result.findings.iter().filter(|finding| is_failure(finding.verdict)) {
            let cite = cite(finding, result);
            let fitting =
                live.iter().copied().filter(|entry| entry.fits(result.check, finding.verdict, cite));
            let fitting: Vec<&Entry> = fitting.collect();
            let hidden = !fitting.is_empty() && fitting.iter().all(|entry| !entry.flaky);
            for entry in fitting.iter().copied() {
                if !placed.entries.contains(&entry) {
                    placed.entries.push(entry);
                }
            }
            if hidden {
                continue;
            }
            match finding.verdict {
                Verdict::Violates => self.broken.extend(cite),
                Verdict::Deviates => self.not_followed.extend(cite),
                _ => {}
            }
            placed.open = true;
            if !fitting.is_empty() && placed.standing == Standing::Known {
                placed.standing = Standing::Flaky;
            }
            if finding.verdict != Verdict::Deviates || self.strict {
                placed.left = placed.left.max(Some(finding.verdict));
                if fitting.is_empty() {
                    placed.standing = Standing::New;
                }
            }
        }
        (placed.left.is_some() || !placed.entries.is_empty()).then_some(placed)
    }

    /// How many results have this standing.
    pub fn count(&self, standing: Standing) -> usize {
        self.placed.iter().flatten().filter(|placed| placed.standing == standing).count()
    }

    fn left(&self, verdict: Verdict) -> usize {
        self.placed.iter().flatten().filter(|placed| placed.left == Some(verdict)).count()
    }

    /// The exit code that the run earns: what is new fails it, and so does an entry out of date.
    pub fn exit(&self, run: &Run) -> Exit {
        let shown = run.results.iter().any(|result| {
            matches!(
                result.verdict,
                Verdict::Conforms | Verdict::Choice | Verdict::Deviates | Verdict::Violates
            )
        });
        if run.interrupted || run.results.len() < run.planned {
            Exit::Trouble
        } else if run.results.is_empty() {
            Exit::Undecided
        } else if self.left(Verdict::Violates) + self.left(Verdict::Deviates) + self.stale.len() > 0 {
            Exit::Violations
        } else if self.left(Verdict::Inconclusive) > 0 || !shown {
            Exit::Undecided
        } else {
            Exit::Conforms
        }
    }
}

/// Whether a baseline may know such a finding.
const fn is_failure(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Violates | Verdict::Deviates | Verdict::Inconclusive)
}

/// The statement that a finding speaks of; one that names none speaks of the first that its check decides.
pub(super) fn cite(finding: &Finding, result: &CheckResult) -> Option<Cite> {
    finding.statement.or_else(|| accusable(result).first().copied())
}

/// Every check that there is.
pub(super) fn catalogue(run: &Run) -> Vec<&'static Check> {
    let mut all = checks::all();
    for result in &run.results {
        if !all.iter().any(|check| check.name == result.check.name) {
            all.push(result.check);
        }
    }
    all
}

/// What became of an entry in a run.
pub(super) fn use_of(entry: &Entry, run: &Run, catalogue: &[&'static Check]) -> Use {
    let fits = |result: &CheckResult| {
        result.findings.iter().any(|f| entry.fits(result.check, f.verdict, cite(f, result)))
    };
    if run.results.iter().any(fits) {
        return Use::Fits;
    }
    let mut concerned = catalogue
        .iter()
        .flat_map(|check| check.versions().map(move |version| (check, version)))
        .filter(|(check, version)| entry.concerns(check, *version))
        .peekable();
    if concerned.peek().is_none() {
        return Use::Stale(match (&entry.check, &entry.statement) {
            (Some(name), _) if !catalogue.iter().any(|check| check.name == name) => "no check has this name",
            (Some(_), _) => "the check does not run in this version",
            (None, _) => "no check decides it",
        });
    }
    // A story that fails ends there, and has not decided what comes behind.
    let decided = concerned.all(|(check, version)| {
        run.results.iter().any(|result| {
            (result.check.name, result.version) == (check.name, version)
                && matches!(result.verdict, Verdict::Conforms | Verdict::Choice | Verdict::Deviates)
        })
    });
    if decided { Use::Stale("nothing fails so any more") } else { Use::Untried }
}
