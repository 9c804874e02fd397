//! Trouble with the broker's process, looked into: which case is the cause, and how little does it take? Nothing else is
//! played meanwhile.

use super::bystander::{Alarm, is_served};
use super::form::Form;
use super::ground::{Fall, Ground};
use super::record::Trouble;
use super::stage::{Play, Stage};
use super::vitals::{self, Vitals};
use crate::run::{Clock, SetUp};
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::finding::Key;
use mqtt_assay_fuzz_engine::minimise::{Effort, minimise};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long a broker may take to die of a case.
const GRACE: Duration = Duration::from_millis(100);
/// Whoever runs longer than half of this time, asked for nothing, spins.
const SPINNING: Duration = Duration::from_millis(300);
/// In how much time the cause is looked for.
const SEARCH: Duration = Duration::from_secs(60);
/// In how much time its case is made small.
const MINIMISING: Duration = Duration::from_secs(40);
/// So many smaller cases are tried.
const TRIES: usize = 300;
/// So many plays are one round of what may leak.
const ROUND: usize = 10;
/// In each round a process that leaks takes so much more memory, or so many more descriptors.
const LEAK: (u64, u64) = (1 << 20, ROUND as u64 / 2);

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
}

/// The broker, and the means to look at it.
pub(super) struct Lab<'a> {
    pub(super) ground: &'a mut Ground,
    pub(super) stage: &'a Arc<Stage>,
    pub(super) clock: &'a Clock,
    /// How long a healthy client may go without an answer.
    pub(super) hang: Duration,
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
    async fn play(&mut self, form: &Form, kind: Trouble) -> (Play, Option<Symptom>) {
        let play = self.stage.play(form).await;
        if let Some(fall) = self.ground.falls_within(GRACE).await {
            return (play, Some(Symptom::of_fall(fall)));
        }
        if kind == Trouble::Crash {
            return (play, None);
        }
        // Whether it is really so long tells the last play.
        let bound = (self.hang / 4).max(Duration::from_millis(300)).min(self.hang);
        match is_served(self.stage, self.clock, bound).await {
            Ok(()) => (play, None),
            Err(alarm) => {
                let symptom = self.symptom_of(alarm).await;
                (play, Some(symptom))
            }
        }
    }

    /// Whether a case leads to it again; afterwards the broker is fit for the next one.
    async fn shows(&mut self, form: &Form, sought: &Symptom) -> Result<Option<(Play, Symptom)>, SetUp> {
        if sought.kind == Trouble::Leak {
            return self.leaks(form).await;
        }
        if !self.ground.is_up() {
            self.ground.restart().await?;
        }
        let (play, symptom) = self.play(form, sought.kind).await;
        if symptom.is_some() {
            self.ground.restart().await?;
        }
        Ok(symptom.filter(|symptom| symptom.name == sought.name).map(|symptom| (play, symptom)))
    }

    /// Whether the process takes more with each round of plays, and does not with as many rounds of plays that do
    /// nothing special.
    async fn leaks(&mut self, form: &Form) -> Result<Option<(Play, Symptom)>, SetUp> {
        let control: Case = match CONTROL.parse() {
            Ok(control) => control,
            Err(_) => return Ok(None),
        };
        let control = Form::new(&control, super::form::Tempo::Hasty);
        self.ground.restart().await?;
        let Some(pid) = self.ground.pid() else { return Ok(None) };
        let mut took = Vec::new();
        let mut last = None;
        // Whoever has not seen this kind of case yet may get ready for it once.
        for (form, counts) in
            [(&control, false), (form, false), (form, true), (form, true), (form, true), (&control, true)]
        {
            let Some(before) = Vitals::of(pid) else { return Ok(None) };
            for _ in 0..ROUND {
                last = Some(self.stage.play(form).await);
            }
            // Connections that have ended may be cleared away a little later.
            tokio::time::sleep(GRACE / 2).await;
            let Some(after) = Vitals::of(pid) else { return Ok(None) };
            if counts {
                took.push((
                    after.memory.saturating_sub(before.memory),
                    after.descriptors.saturating_sub(before.descriptors),
                ));
            }
        }
        let Some((control, rounds)) = took.split_last() else { return Ok(None) };
        let memory = rounds.iter().map(|round| round.0).min().unwrap_or(0);
        let descriptors = rounds.iter().map(|round| round.1).min().unwrap_or(0);
        let observed = if memory >= LEAK.0 && memory / 4 >= control.0 {
            format!(
                "{} KiB more with every {ROUND} plays of the case, after its clients were gone",
                memory >> 10
            )
        } else if descriptors >= LEAK.1 && control.1 == 0 {
            format!(
                "{descriptors} more open descriptors with every {ROUND} plays of the case, after its clients were gone"
            )
        } else {
            return Ok(None);
        };
        let symptom = Symptom { observed, output: self.ground.output(), ..Symptom::leak() };
        Ok(last.map(|play| (play, symptom)))
    }

    /// Finds the case that leads to it, the likeliest first, and makes it small. `None`: none of them does.
    ///
    /// # Errors
    ///
    /// The broker does not start again.
    pub(super) async fn investigate(
        &mut self,
        sought: &Symptom,
        suspects: &[(u64, Arc<Form>)],
    ) -> Result<Option<Cause>, SetUp> {
        let begun = Instant::now();
        let mut tries = 0;
        self.ground.restart().await?;
        for (case, form) in suspects {
            if begun.elapsed() > SEARCH {
                break;
            }
            tries += 1;
            if self.shows(form, sought).await?.is_none() {
                continue;
            }
            // The broker is a fresh one now: does it take this case alone?
            tries += 1;
            if let Some((play, symptom)) = self.shows(form, sought).await? {
                let small = self.smaller(form, sought);
                tries += small.1;
                self.ground.restart().await?;
                // On a fresh broker, and for as long as the bound says.
                let (form, play, symptom) = match self.shows(&small.0, sought).await? {
                    Some((play, symptom)) => (small.0, play, symptom),
                    None => (Form::clone(form), play, symptom),
                };
                return Ok(Some(Cause { case: *case, form, play, symptom, tries }));
            }
        }
        Ok(None)
    }

    fn smaller(&mut self, form: &Form, sought: &Symptom) -> (Form, usize) {
        let Some(case) = Case::new(form.script.clone()) else { return (form.clone(), 0) };
        let runtime = tokio::runtime::Handle::current();
        let deadline = Instant::now() + MINIMISING;
        let small = tokio::task::block_in_place(|| {
            minimise(&case, Effort { confirmations: 1, tries: TRIES }, |case| {
                let form = Form::new(case, form.tempo);
                // Without a broker nothing shows anything; the caller finds out.
                Instant::now() < deadline
                    && runtime.block_on(self.shows(&form, sought)).is_ok_and(|shown| shown.is_some())
            })
        });
        let best = if small.reproduced { Form::new(&small.case, form.tempo) } else { form.clone() };
        (best, small.tried)
    }
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
