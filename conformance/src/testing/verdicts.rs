//! The verdicts of a run, for test cases that wait for theirs.

use super::{Answer, SEED_VARIABLE, name};
use crate::check::Check;
use crate::outcome::{CheckResult, Run};
use crate::report::Context;
use crate::report::terminal::{self, Look};
use crate::verdict::Verdict;
use libtest_mimic::{Completion, Failed};
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What has come of the run so far.
pub(super) struct Verdicts {
    state: Mutex<State>,
    changed: Condvar,
    context: Context,
}

struct State {
    /// The command that checks the same broker, if one does, up to the selection.
    command: Option<String>,
    seed: u64,
    results: BTreeMap<(&'static str, Version), CheckResult>,
    /// The whole run, or why there is none.
    end: Option<Result<Run, String>>,
}

/// Ends the waiting of all cases when it goes, whatever became of the run.
pub(super) struct Finish<'v>(&'v Verdicts);

impl Finish<'_> {
    pub(super) fn with(self, outcome: Result<Run, String>) {
        self.0.end(outcome);
    }
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.end(Err("the run did not come to its end, which is a fault of mqtt-assay".to_owned()));
    }
}

impl Verdicts {
    pub(super) fn new(context: Context) -> Verdicts {
        let state = State { command: None, seed: 0, results: BTreeMap::new(), end: None };
        Verdicts { state: Mutex::new(state), changed: Condvar::new(), context }
    }

    pub(super) fn is_repeated_by(&self, command: Option<&str>, seed: u64) {
        let mut state = self.state();
        state.command = command.map(str::to_owned);
        state.seed = seed;
    }

    pub(super) fn has_baseline(&self) -> bool {
        self.context.gate.is_some()
    }

    pub(super) fn finish_when_dropped(&self) -> Finish<'_> {
        Finish(self)
    }

    pub(super) fn add(&self, result: &CheckResult) {
        self.state().results.insert((result.check.name, result.version), result.clone());
        self.changed.notify_all();
    }

    /// The first end counts.
    fn end(&self, outcome: Result<Run, String>) {
        let mut state = self.state();
        if state.end.is_none() {
            state.end = Some(outcome);
            self.changed.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.state(), |state| !until(state) && state.end.is_none())
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What the case of this check comes to, as soon as that is known.
    pub(super) fn of(&self, check: &'static Check, version: Version) -> Answer {
        let key = (check.name, version);
        let state = self.wait(|state| state.results.contains_key(&key));
        match (state.results.get(&key), &state.end) {
            (Some(result), _) => self.judge(&state, result),
            (None, Some(Ok(run))) if !run.versions.contains(&version) => {
                Ok(Completion::ignored_with(format!("the broker does not accept {version}")))
            }
            (None, Some(Err(sentence))) => Err(Failed::from(sentence)),
            (None, _) => Err(Failed::from("the check was not run, which is a fault of mqtt-assay")),
        }
    }

    fn judge(&self, state: &State, result: &CheckResult) -> Answer {
        let run = alone(state, result);
        let fails = match self.context.judge(&run) {
            Some(judgement) => judgement.placed.iter().flatten().any(|placed| placed.left.is_some()),
            None => match result.verdict {
                Verdict::Violates | Verdict::Inconclusive => true,
                Verdict::Deviates => self.context.strict,
                Verdict::Conforms | Verdict::Choice | Verdict::NotTested | Verdict::Unsupported => false,
            },
        };
        if fails {
            return Err(Failed::from(self.proof(state, &run, result)));
        }
        match result.verdict {
            verdict @ (Verdict::NotTested | Verdict::Unsupported) => {
                let why = result.findings.first().map_or("", |finding| finding.observed.as_str());
                Ok(Completion::ignored_with(format!("{}: {why}", verdict.name())))
            }
            _ => Ok(Completion::Completed),
        }
    }

    /// The failure as `check` shows it.
    fn proof(&self, state: &State, run: &Run, result: &CheckResult) -> String {
        let look = Look { colours: false, columns: None, verbose: false };
        let replay = match &state.command {
            Some(command) => {
                let context = Context { command: command.clone(), ..self.context.clone() };
                context.replay(run.seed, result)
            }
            None => {
                let case = name(result.check, result.version);
                format!("{SEED_VARIABLE}={} cargo test -- --exact {case}", state.seed)
            }
        };
        let mut text = Vec::new();
        // Writing into memory does not fail.
        let _ = terminal::write_result(&mut text, result, &replay, &look);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Whether every entry of the baseline still has something that fits it, as far as this run can tell.
    pub(super) fn baseline_is_up_to_date(&self) -> Answer {
        let state = self.wait(|_| false);
        let run = match &state.end {
            Some(Ok(run)) => run,
            Some(Err(sentence)) => return Err(Failed::from(sentence)),
            None => return Err(Failed::from("the run did not end, which is a fault of mqtt-assay")),
        };
        let Some(judgement) = self.context.judge(run) else { return Ok(Completion::Completed) };
        let mut lines: Vec<String> = judgement
            .stale
            .iter()
            .map(|stale| format!("line {}: {}: {}", stale.entry.line, stale.entry, stale.why))
            .collect();
        lines.extend(
            judgement
                .expired
                .iter()
                .map(|entry| format!("line {}: {entry}: its last day is over", entry.line)),
        );
        if lines.is_empty() {
            return Ok(Completion::Completed);
        }
        let file = self.context.gate.as_ref().map_or("", |gate| gate.file.as_str());
        Err(Failed::from(format!("entries of {file} that count no more:\n{}", lines.join("\n"))))
    }
}

/// A run of this result only.
fn alone(state: &State, result: &CheckResult) -> Run {
    Run {
        target: String::new(),
        seed: state.seed,
        versions: vec![result.version],
        remarks: Vec::new(),
        results: vec![result.clone()],
        planned: 1,
        interrupted: false,
        elapsed: result.elapsed,
        timers: std::time::Duration::ZERO,
    }
}
