//! Trouble with the broker's process, looked into: which case is the cause, and how little does it take? Nothing else is
//! played meanwhile.

use super::bystander::{Alarm, is_served};
use super::form::{Form, Tempo};
use super::ground::{Fall, Ground};
use super::hunt::stopped;
use super::record::Trouble;
use super::stage::{Play, Stage};
use super::vitals::{self, Vitals};
use crate::run::{Clock, SetUp};
use futures_util::future::join_all;
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::finding::Key;
use mqtt_assay_fuzz_engine::minimise::{Effort, minimise};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// So long a broker may take to die of a case.
const GRACE: Duration = Duration::from_millis(100);
/// Whoever is busy in this time, asked for nothing, spins.
const SPINNING: Duration = Duration::from_millis(300);
/// Who does not answer for so long may hang: enough to go on with, not to accuse.
const SHORTEST_HANG: Duration = Duration::from_millis(300);
/// In how much time the cause is looked for.
const SEARCH: Duration = Duration::from_secs(60);
/// So many smaller cases are tried.
const TRIES: usize = 300;
/// So many plays are one round of what may leak.
const ROUND: usize = 10;
/// So many plays go on side by side when the cause is looked for by halves.
const AT_ONCE: usize = 32;
/// For so many moments in a row a process has to be busy.
pub(super) const RESTLESS: usize = 5;
/// With each play a process that leaks takes so much more memory, at least; or half a descriptor.
const LEAK: u64 = 100 << 10;
/// Who has taken so much more need not be watched any longer.
const CERTAIN_LEAK: u64 = 256 << 20;

/// What is wrong with the process.
#[derive(Clone, Debug)]
pub(super) struct Symptom {
    pub(super) name: String,
    pub(super) kind: Trouble,
    pub(super) expected: &'static str,
    pub(super) observed: String,
    pub(super) output: Vec<String>,
    /// Somebody has ended the broker from outside.
    pub(super) by_others: bool,
}

impl Symptom {
    fn of_fall(fall: Fall) -> Symptom {
        Symptom {
            name: Key::of_crash(&fall.cause, &fall.output.join("\n")).to_string(),
            kind: Trouble::Crash,
            expected: "a broker that lives on",
            observed: fall.how,
            output: fall.output,
            by_others: fall.by_others,
        }
    }

    /// The process takes more and more.
    pub(super) fn leak() -> Symptom {
        Symptom {
            name: Key::Process("leak").to_string(),
            kind: Trouble::Leak,
            expected: "a process that gives back what a case has taken, once its clients are gone",
            observed: String::new(),
            output: Vec::new(),
            by_others: false,
        }
    }

    /// The process does not rest: it uses this share of a processor.
    pub(super) fn busy(share: f64) -> Symptom {
        Symptom {
            name: Key::Process("busy").to_string(),
            kind: Trouble::Busy,
            expected: "a process that rests when nobody sends anything",
            observed: format!(
                "it serves, and goes on using {:.0} % of a processor when all clients are gone",
                100.0 * share
            ),
            output: Vec::new(),
            by_others: false,
        }
    }
}

/// The broker, and the means to look at it.
pub(super) struct Lab<'a> {
    pub(super) ground: &'a mut Ground,
    pub(super) stage: &'a Arc<Stage>,
    pub(super) clock: &'a Clock,
    /// How long a healthy client may go without an answer.
    pub(super) hang: Duration,
    /// Turns true when all is to be let go of.
    pub(super) stop: watch::Receiver<bool>,
}

/// The number of a case, and the case as it was played.
pub(super) type Suspect = (u64, Arc<Form>);

/// How much is done to be sure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Care {
    /// As much as finding out takes what may be left out of a case.
    Little,
    /// All that is needed to accuse.
    Full,
}

/// The cause that was found.
pub(super) struct Cause {
    pub(super) case: u64,
    pub(super) form: Form,
    pub(super) play: Play,
    pub(super) symptom: Symptom,
    pub(super) tries: usize,
}

impl Lab<'_> {
    /// What an alarm, or the end of the process at the same moment, comes to.
    pub(super) async fn symptom_of(&mut self, alarm: Alarm) -> Symptom {
        if let Some(fall) = self.ground.falls_within(GRACE).await {
            return Symptom::of_fall(fall);
        }
        let spins = match self.ground.pid() {
            Some(pid) => vitals::spins(pid, SPINNING).await,
            None => false,
        };
        let (key, kind, observed) = match alarm {
            Alarm::Deaf(what) => (Key::Process("stops-listening"), Trouble::Deaf, what),
            Alarm::Hang(what) if spins => (
                Key::Process("spins"),
                Trouble::Spin,
                format!("{what}, and the process keeps a processor busy"),
            ),
            Alarm::Hang(what) => (Key::Hang, Trouble::Hang, what),
        };
        Symptom {
            name: key.to_string(),
            kind,
            expected: "a broker that goes on serving its other clients",
            observed,
            output: self.ground.output(),
            by_others: false,
        }
    }

    pub(super) fn symptom_of_fall(fall: Fall) -> Symptom {
        Symptom::of_fall(fall)
    }

    /// Plays a case; gives what is wrong with the broker then, if anything is.
    async fn play(&mut self, form: &Form) -> (Play, Option<Symptom>) {
        let play = self.stage.play(form).await;
        if let Some(fall) = self.ground.falls_within(GRACE).await {
            return (play, Some(Symptom::of_fall(fall)));
        }
        match is_served(self.stage, self.clock, self.hang).await {
            Ok(()) => (play, None),
            Err(alarm) => {
                let symptom = self.symptom_of(alarm).await;
                (play, Some(symptom))
            }
        }
    }

    /// The same in short, to find out what may be left out of a case: whether something is wrong in the way that is
    /// sought.
    async fn goes_wrong(&mut self, form: &Form, kind: Trouble) -> bool {
        if kind == Trouble::Crash {
            self.stage.play(form).await;
            return self.ground.falls_within(GRACE).await.is_some();
        }
        if kind == Trouble::Busy {
            self.stage.play(form).await;
            return self.is_restless(Care::Little, 0.0).await.is_some();
        }
        let bound = (self.hang / 4).max(SHORTEST_HANG).min(self.hang);
        let (stage, clock) = (self.stage, self.clock);
        let watched = async {
            loop {
                tokio::time::sleep(GRACE / 4).await;
                if let Err(alarm) = is_served(stage, clock, bound).await {
                    return alarm;
                }
            }
        };
        // Whoever hangs in the middle of the play need not be waited for to its end.
        let alarm = tokio::select! {
            alarm = watched => Some(alarm),
            _ = stage.play(form) => is_served(stage, clock, bound).await.err(),
        };
        match alarm {
            Some(Alarm::Deaf(_)) => kind == Trouble::Deaf,
            Some(Alarm::Hang(_)) => matches!(kind, Trouble::Hang | Trouble::Spin),
            None => false,
        }
    }

    /// Whether a case leads to it again; afterwards the broker is fit for the next one.
    async fn shows(&mut self, form: &Form, sought: &Symptom) -> Result<Option<(Play, Symptom)>, SetUp> {
        if !self.ground.is_up() {
            self.ground.restart().await?;
        }
        if sought.kind == Trouble::Leak {
            return Ok(self.leaks(form, Care::Full).await);
        }
        if sought.kind == Trouble::Busy {
            return self.keeps_busy(form).await;
        }
        let (play, symptom) = self.play(form).await;
        if symptom.is_some() {
            self.ground.restart().await?;
        }
        Ok(symptom.filter(|symptom| symptom.name == sought.name).map(|symptom| (play, symptom)))
    }

    /// As [`Lab::shows`], in short.
    async fn may_show(&mut self, form: &Form, sought: &Symptom) -> Result<bool, SetUp> {
        if !self.ground.is_up() {
            self.ground.restart().await?;
        }
        if sought.kind == Trouble::Leak {
            return Ok(self.leaks(form, Care::Little).await.is_some());
        }
        let wrong = self.goes_wrong(form, sought.kind).await;
        if wrong {
            self.ground.restart().await?;
        }
        Ok(wrong)
    }

    /// Whether the process takes more with each round of plays, and, if care is taken, does not with as many plays that
    /// do nothing special.
    async fn leaks(&mut self, form: &Form, care: Care) -> Option<(Play, Symptom)> {
        let control = Form::new(&CONTROL.parse::<Case>().ok()?, Tempo::Hasty);
        let pid = self.ground.pid()?;
        // Whoever has not seen this kind of case yet may get ready for it once.
        let rounds: &[(&Form, bool)] = match care {
            Care::Full => &[
                (&control, false),
                (form, false),
                (form, true),
                (form, true),
                (form, true),
                (&control, true),
            ],
            Care::Little => &[(form, false), (form, true), (form, true)],
        };
        let mut took = Vec::new();
        let mut last = None;
        for (form, counts) in rounds {
            let before = Vitals::of(pid)?;
            let played = join_all((0..ROUND).map(|_| self.stage.play(form))).await.pop();
            // What is shown as the evidence is the case, not what it is compared with.
            if !std::ptr::eq(*form, &raw const control) {
                last = played;
            }
            // Connections that have ended may be cleared away a little later.
            tokio::time::sleep(GRACE / 2).await;
            let after = Vitals::of(pid)?;
            if *counts {
                took.push((
                    after.memory.saturating_sub(before.memory),
                    after.descriptors.saturating_sub(before.descriptors),
                ));
            }
        }
        let control = if care == Care::Full { took.pop()? } else { (0, 0) };
        let memory = took.iter().map(|round| round.0).min()?;
        let descriptors = took.iter().map(|round| round.1).min()?;
        let round = ROUND as u64;
        let observed = if memory >= LEAK * round && memory / 4 >= control.0 {
            format!(
                "{} KiB more with each play of the case, after its clients were gone",
                (memory / round) >> 10
            )
        } else if descriptors >= round / 2 && control.1 == 0 {
            format!(
                "{descriptors} more open descriptors with every {ROUND} plays of the case, after its clients were gone"
            )
        } else {
            return None;
        };
        let symptom = Symptom { observed, output: self.ground.output(), ..Symptom::leak() };
        last.map(|play| (play, symptom))
    }

    /// Whether the process goes on growing with the case, as fast as at first, for as long as that may be watched: one that
    /// collects its garbage gets round to it.
    async fn keeps_growing(&self, form: &Form) -> bool {
        let until = Instant::now() + self.stage.minimising / 2;
        let (mut memory, mut descriptors) = (Vec::new(), Vec::new());
        loop {
            let Some(vitals) = self.ground.pid().and_then(Vitals::of) else { return false };
            memory.push(vitals.memory);
            descriptors.push(vitals.descriptors);
            if Instant::now() > until || vitals.memory.saturating_sub(memory[0]) >= CERTAIN_LEAK {
                return grows_evenly(&memory) || grows_evenly(&descriptors);
            }
            join_all((0..ROUND).map(|_| self.stage.play(form))).await;
            tokio::time::sleep(GRACE / 2).await;
        }
    }

    /// The share of a processor that the process uses though nobody sends anything, if that is more than it used at rest.
    async fn is_restless(&self, care: Care, rest: f64) -> Option<f64> {
        let moments = if care == Care::Full { RESTLESS } else { 1 };
        vitals::restless(self.ground.pid()?, moments, rest).await
    }

    /// Whether the process goes on being busy after the case, and did not after one that does nothing special.
    async fn keeps_busy(&mut self, form: &Form) -> Result<Option<(Play, Symptom)>, SetUp> {
        let (Ok(control), Some(pid)) = (CONTROL.parse::<Case>(), self.ground.pid()) else { return Ok(None) };
        let control = Form::new(&control, Tempo::Hasty);
        join_all((0..ROUND).map(|_| self.stage.play(&control))).await;
        let Some(rest) = vitals::most_use(pid, 2).await else { return Ok(None) };
        let play = self.stage.play(form).await;
        let Some(share) = self.is_restless(Care::Full, rest).await else { return Ok(None) };
        let symptom = Symptom { output: self.ground.output(), ..Symptom::busy(share) };
        self.ground.restart().await?;
        Ok(Some((play, symptom)))
    }

    /// Of those who may keep the process busy, one after whose play it is, found by halves.
    async fn kindling(&mut self, suspects: &[Suspect], until: Instant) -> Result<Option<Suspect>, SetUp> {
        /// So many are played before anybody looks.
        const FIRST: usize = 256;
        for some in suspects.chunks(FIRST) {
            if Instant::now() > until {
                break;
            }
            if !self.is_kindled(some).await? {
                continue;
            }
            let mut rest = some;
            while rest.len() > 1 {
                let (half, other) = rest.split_at(rest.len() / 2);
                rest = if self.is_kindled(half).await? { half } else { other };
            }
            return Ok(rest.first().cloned());
        }
        Ok(None)
    }

    /// Whether the process does not rest after all these plays; then it is started afresh.
    async fn is_kindled(&mut self, suspects: &[Suspect]) -> Result<bool, SetUp> {
        for some in suspects.chunks(AT_ONCE) {
            join_all(some.iter().map(|(_, form)| self.stage.play(form))).await;
        }
        let kindled = self.is_restless(Care::Little, 0.0).await.is_some();
        if kindled {
            self.ground.restart().await?;
        }
        Ok(kindled)
    }

    /// Of those who may leak, the ones that make the process grow at once, in the order of how much.
    async fn growing(&mut self, suspects: &[Suspect]) -> Vec<Suspect> {
        /// So many are played.
        const PLAYED: usize = 400;
        /// More are not looked into.
        const MOST: usize = 5;
        let Some(pid) = self.ground.pid() else { return Vec::new() };
        let mut grown = Vec::new();
        for (case, form) in suspects.iter().take(PLAYED) {
            let Some(before) = Vitals::of(pid) else { break };
            self.stage.play(form).await;
            let Some(after) = Vitals::of(pid) else { break };
            let memory = after.memory.saturating_sub(before.memory);
            let descriptors = after.descriptors.saturating_sub(before.descriptors);
            if memory >= LEAK || descriptors > 0 {
                grown.push((memory.max(descriptors * LEAK), (*case, Arc::clone(form))));
            }
        }
        grown.sort_by_key(|(growth, _)| std::cmp::Reverse(*growth));
        grown.into_iter().take(MOST).map(|(_, suspect)| suspect).collect()
    }

    /// Finds the case that leads to it, the likeliest first, and makes it small. `None`: none of them does.
    ///
    /// # Errors
    ///
    /// The broker does not start again.
    pub(super) async fn investigate(
        &mut self,
        sought: &Symptom,
        suspects: &[Suspect],
    ) -> Result<Option<Cause>, SetUp> {
        let begun = Instant::now();
        let mut tries = 0;
        self.ground.restart().await?;
        // What it takes time for is tried after what it does not.
        let hasty =
            |(case, form): &Suspect| (*case, Arc::new(Form { tempo: Tempo::Hasty, ..Form::clone(form) }));
        let mut hasty: Vec<Suspect> = suspects.iter().map(hasty).collect();
        if sought.kind == Trouble::Leak {
            tries += hasty.len();
            hasty = self.growing(&hasty).await;
        }
        if sought.kind == Trouble::Busy {
            tries += hasty.len();
            hasty = self.kindling(&hasty, begun + SEARCH).await?.into_iter().collect();
        }
        let patient = suspects.iter().filter(|(_, form)| form.tempo != Tempo::Hasty);
        let patient = patient.filter(|_| !sought.kind.lets_it_serve()).cloned();
        for (case, form) in hasty.into_iter().chain(patient) {
            if begun.elapsed() > SEARCH {
                break;
            }
            tries += 1;
            if !self.may_show(&form, sought).await? {
                continue;
            }
            // On a fresh one: does it take this case alone?
            self.ground.restart().await?;
            tries += 1;
            if let Some((play, symptom)) = self.shows(&form, sought).await? {
                let small = self.smaller(&form, sought);
                tries += small.1;
                // On a fresh broker, and for as long as the bound says.
                self.ground.restart().await?;
                let (form, play, symptom) = match self.shows(&small.0, sought).await? {
                    Some((play, symptom)) => (small.0, play, symptom),
                    None => (Form::clone(&form), play, symptom),
                };
                if sought.kind == Trouble::Leak && !self.keeps_growing(&form).await {
                    continue;
                }
                return Ok(Some(Cause { case, form, play, symptom, tries }));
            }
        }
        Ok(None)
    }

    fn smaller(&mut self, form: &Form, sought: &Symptom) -> (Form, usize) {
        let Some(case) = Case::new(form.script.clone()) else { return (form.clone(), 0) };
        let runtime = tokio::runtime::Handle::current();
        let deadline = Instant::now() + self.stage.minimising;
        let stop = self.stop.clone();
        let small = tokio::task::block_in_place(|| {
            minimise(&case, Effort { confirmations: 1, tries: TRIES }, |case| {
                let form = Form::new(case, form.tempo);
                let shows = async {
                    tokio::select! {
                        biased;
                        () = stopped(stop.clone()) => false,
                        // Without a broker nothing shows anything; the caller finds out.
                        shows = self.may_show(&form, sought) => shows.unwrap_or(false),
                    }
                };
                Instant::now() < deadline && runtime.block_on(shows)
            })
        });
        let best = if small.reproduced { Form::new(&small.case, form.tempo) } else { form.clone() };
        (best, small.tried)
    }
}

/// Whether the second half of the way brings at least three quarters of what the first one did.
fn grows_evenly(sizes: &[u64]) -> bool {
    let (Some(first), Some(middle), Some(last)) = (sizes.first(), sizes.get(sizes.len() / 2), sizes.last())
    else {
        return false;
    };
    let (early, late) = (middle.saturating_sub(*first), last.saturating_sub(*middle));
    sizes.len() > 2 && late > 0 && 4 * late >= 3 * early
}

/// Traffic that asks nothing special of a broker.
const CONTROL: &str = "\
mqtt 3.1.1
client a clean_start=1

a > SUBSCRIBE t qos=1
a settle
a > PUBLISH t \"x\" qos=1
a settle
a barrier
a > DISCONNECT
";

#[cfg(test)]
mod tests {
    use super::grows_evenly;

    #[test]
    fn what_levels_off_leaks_nothing() {
        for (sizes, leaks) in [
            (&[100, 200, 300, 400, 500][..], true),
            (&[100, 190, 310, 390, 480], true),
            (&[100, 300, 450, 460, 470], false),
            (&[100, 200, 300, 300, 300], false),
            (&[100, 100, 100], false),
            (&[100, 200], false),
            (&[], false),
        ] {
            assert_eq!(grows_evenly(sizes), leaks, "{sizes:?}");
        }
    }
}
