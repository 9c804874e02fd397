//! Plays the checks against a broker that the run has started, and finds out which of them it dies of.
//!
//! Checks run side by side, so a death alone accuses none of them: those that ran at that moment, or shortly before,
//! run again one by one. The check that the broker dies of again, on a fresh start, violates, and those whose turn has
//! not come go back to the others; if there is none, the results of all are in doubt.

use super::{Planned, Stage, Told, groups, play, preflight};
use crate::net::Address;
use crate::outcome::{CheckResult, Finding};
use crate::process::{Death, Process, Recipe, Trouble};
use crate::story::AFTERWARDS;
use crate::verdict::Verdict;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A check that ended within this time before a death may have caused it, too.
const RECENT: Duration = Duration::from_secs(1);
/// So long a broker may take to die of the last check.
pub(super) const GRACE: Duration = Duration::from_millis(250);

/// Where the run keeps its broker.
pub(super) type Slot = Arc<Mutex<Option<Process>>>;

/// Plays the checks, `jobs` at a time; dropping the future ends those that run. The broker stays in its slot.
pub(super) async fn play_all(
    planned: Vec<Planned>,
    stage: Arc<Stage>,
    jobs: usize,
    events: mpsc::UnboundedSender<Told>,
    (slot, recipe): (Slot, Recipe),
) {
    let mut slot = slot.lock().await;
    let address = planned.first().map(|plan| plan.address.clone());
    let mut watch = Watch { slot: &mut slot, recipe, address, stage, events, fresh: true, deaths: 0 };
    let [(beside, jobs), (alone, one)] = groups(planned, jobs);
    let (mut waiting, mut alone) = (VecDeque::from(beside), VecDeque::from(alone));
    let mut jobs = jobs.max(1);
    loop {
        if waiting.is_empty() {
            (waiting, jobs) = (std::mem::take(&mut alone), one);
        }
        if waiting.is_empty() {
            break;
        }
        if let Err(trouble) = watch.revive().await {
            for plan in waiting.drain(..).chain(alone.drain(..)) {
                watch.tell(undecided(&plan, &trouble));
            }
            break;
        }
        match watch.together(&mut waiting, jobs).await {
            Some((death, suspects)) if death.has_left_a_broker() => {
                let trouble = Trouble::Left(watch.recipe.spawn.first().cloned().unwrap_or_default());
                for plan in suspects.iter().chain(&waiting).chain(&alone) {
                    watch.tell(undecided(plan, &trouble));
                }
                return;
            }
            Some((death, suspects)) => {
                for plan in watch.one_by_one(&death, suspects).await.into_iter().rev() {
                    waiting.push_front(plan);
                }
            }
            None => {}
        }
    }
    if watch.deaths > 0 {
        let times = if watch.deaths == 1 { "once".to_owned() } else { format!("{} times", watch.deaths) };
        let _ = watch.events.send(Told::Remark(format!("the broker died {times} during the run")));
    }
}

struct Watch<'s> {
    slot: &'s mut Option<Process>,
    recipe: Recipe,
    /// Where the checks reach the broker.
    address: Option<Address>,
    stage: Arc<Stage>,
    events: mpsc::UnboundedSender<Told>,
    /// Whether the broker has served no check since its start.
    fresh: bool,
    deaths: usize,
}

/// A check that may have caused a death.
struct Suspect {
    plan: Planned,
    ended: Option<(Instant, CheckResult)>,
}

impl Watch<'_> {
    fn tell(&self, result: CheckResult) {
        // Should the receiver be gone, nobody wants the result.
        let _ = self.events.send(Told::Finished(Box::new(result)));
    }

    /// Starts the broker again if it is dead.
    async fn revive(&mut self) -> Result<(), Trouble> {
        if self.slot.is_none() {
            *self.slot = Some(Process::start(&self.recipe, true).await?);
            if let Some(address) = &self.address {
                preflight::settle(address).await;
            }
            self.fresh = true;
        }
        Ok(())
    }

    /// Waits for the broker's death, and takes it out of its slot.
    async fn death(&mut self) -> Death {
        let death = match self.slot.as_mut() {
            Some(process) => process.death().await,
            None => std::future::pending().await,
        };
        *self.slot = None;
        self.deaths += 1;
        death
    }

    /// Plays checks side by side until all have ended, or until the broker dies: then those that may be the cause.
    async fn together(
        &mut self,
        waiting: &mut VecDeque<Planned>,
        jobs: usize,
    ) -> Option<(Death, Vec<Planned>)> {
        self.fresh = false;
        let mut tasks = JoinSet::new();
        let mut running: BTreeMap<usize, Planned> = BTreeMap::new();
        let mut ended: VecDeque<Suspect> = VecDeque::new();
        let mut number = 0;
        let death = loop {
            while running.len() < jobs
                && let Some(plan) = waiting.pop_front()
            {
                let _ = self.events.send(Told::Started(plan.check, plan.version));
                let (stage, own) = (Arc::clone(&self.stage), plan.clone());
                tasks.spawn(async move { (number, play(&own, &stage).await) });
                running.insert(number, plan);
                number += 1;
            }
            if running.is_empty() {
                match tokio::time::timeout(GRACE, self.death()).await {
                    Ok(death) => break death,
                    Err(_) => {
                        ended
                            .into_iter()
                            .filter_map(|suspect| suspect.ended)
                            .for_each(|(_, result)| self.tell(result));
                        return None;
                    }
                }
            }
            let oldest = ended.front().and_then(|suspect| suspect.ended.as_ref()).map(|(at, _)| *at + RECENT);
            tokio::select! {
                biased;
                death = self.death() => break death,
                Some(Ok((number, result))) = tasks.join_next() => {
                    if let Some(plan) = running.remove(&number) {
                        ended.push_back(Suspect { plan, ended: Some((Instant::now(), result)) });
                    }
                }
                () = tokio::time::sleep_until(oldest.unwrap_or_else(Instant::now)), if oldest.is_some() => {
                    if let Some((_, result)) = ended.pop_front().and_then(|suspect| suspect.ended) {
                        self.tell(result);
                    }
                }
            }
        };
        drop(tasks);
        // The likeliest first: what has run for long has not been the end of the broker so far.
        let recent = ended.into_iter().rev().map(|suspect| suspect.plan);
        Some((death, running.into_values().rev().chain(recent).collect()))
    }

    /// Finds out which of these checks the broker dies of; gives those that have not been tried by then.
    async fn one_by_one(&mut self, death: &Death, suspects: Vec<Planned>) -> Vec<Planned> {
        let count = suspects.len();
        let mut results = Vec::with_capacity(count);
        let mut untried = suspects.into_iter();
        for plan in untried.by_ref() {
            let result = self.alone(&plan).await;
            let died = result.died.is_some();
            results.push(result);
            if died {
                break;
            }
        }
        if results.iter().all(|result| result.died.is_none()) {
            for result in &mut results {
                doubt(result, death, count);
            }
        }
        results.into_iter().for_each(|result| self.tell(result));
        untried.collect()
    }

    /// Plays one check alone. If the broker dies of it that has served others before, it is played on a fresh one.
    async fn alone(&mut self, plan: &Planned) -> CheckResult {
        loop {
            if let Err(trouble) = self.revive().await {
                return undecided(plan, &trouble);
            }
            let fresh = std::mem::replace(&mut self.fresh, false);
            let mut result = play(plan, &self.stage).await;
            match tokio::time::timeout(GRACE, self.death()).await {
                Err(_) => return result,
                Ok(death) if fresh => {
                    accuse(&mut result, death);
                    return result;
                }
                Ok(_) => {}
            }
        }
    }
}

/// The broker died of this check. What came from it before speaks for itself; what did not come is a consequence.
fn accuse(result: &mut CheckResult, death: Death) {
    let verdict = if death.is_by_others() { Verdict::Inconclusive } else { Verdict::Violates };
    let observed = if death.is_by_others() {
        format!("somebody ended the broker while the check ran: {}", death.how)
    } else {
        format!(
            "the broker died, and died again when it was started afresh for this check alone: {}",
            death.how
        )
    };
    let expected = "a broker that lives on".to_owned();
    result.findings.retain(|finding| finding.at.is_some());
    // Whether the dying broker still answered a last CONNECT is chance. It is the end of the log: no finding moves.
    result.log.retain(|entry| entry.client != AFTERWARDS);
    result.findings.push(Finding { verdict, statement: None, expected, observed, at: None });
    settle(result, death);
}

/// The broker died while this check ran, and does not when it runs alone.
fn doubt(result: &mut CheckResult, death: &Death, suspects: usize) {
    let others = match suspects {
        1 => "alone".to_owned(),
        2 => "beside one other".to_owned(),
        more => format!("beside {} others", more - 1),
    };
    let observed = format!(
        "the broker died while this check ran {others}, or shortly after it, and did not when each of them was \
         repeated: {}",
        death.how
    );
    let (verdict, expected) = (Verdict::Inconclusive, String::new());
    result.findings.push(Finding { verdict, statement: None, expected, observed, at: None });
    settle(result, death.clone());
}

fn settle(result: &mut CheckResult, death: Death) {
    result.findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    result.verdict = result.findings.first().map_or(Verdict::Conforms, |finding| finding.verdict);
    result.died = Some(death);
}

/// The result of a check that had no broker.
fn undecided(plan: &Planned, trouble: &Trouble) -> CheckResult {
    let observed = format!("there is no broker to check: {trouble}");
    let finding = Finding {
        verdict: Verdict::Inconclusive,
        statement: None,
        expected: String::new(),
        observed,
        at: None,
    };
    CheckResult {
        check: plan.check,
        version: plan.version,
        verdict: Verdict::Inconclusive,
        findings: vec![finding],
        notes: Vec::new(),
        cases: 0,
        log: Vec::new(),
        died: None,
        tape: Vec::new(),
        begun: Duration::ZERO,
        elapsed: Duration::ZERO,
    }
}
