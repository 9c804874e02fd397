//! The forms in which a case can be played: in haste, since most of what is wrong shows at once, or with the patience
//! that it takes to say that something has not come.

use mqtt_assay_broker_model::history::ClientNo;
use mqtt_assay_broker_model::script::{Action, Network, Script, Step};
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::place::place;
use std::time::Duration;

/// Shorter waits are none.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// In haste no wait is longer.
const HASTY_WAIT: Duration = Duration::from_millis(20);
/// In haste what does not come is given up after this time.
const HASTY_PATIENCE: Duration = Duration::from_millis(300);
/// In haste a play ends after this time, wherever it is.
const HASTY_WHOLE: Duration = Duration::from_secs(2);
/// Played with patience it ends after this time at the latest: nothing may hold up a campaign for ever.
const WHOLE: Duration = Duration::from_secs(15);
/// The promptness of a play that is to be brisk.
const BRISK: Duration = Duration::from_millis(500);

/// How much time a play takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Tempo {
    /// Waits are cut short: what does not come shows nothing.
    Hasty,
    /// Half a second tells what does not come: only for finding out what may be left out of a case.
    Brisk,
    /// As long as the bound of the campaign for answers says.
    Patient,
}

/// A case as it is played.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Form {
    /// Placed; without the wait at the end.
    pub(super) script: Script,
    pub(super) tempo: Tempo,
}

impl Form {
    pub(super) fn new(case: &Case, tempo: Tempo) -> Form {
        let mut script = case.script().clone();
        place(&mut script);
        // They are a simulated network's: here they say nothing.
        script.seed = 0;
        script.network = Network::default();
        script.steps.retain(|step| !matches!(step, Step::Wait(time) if *time < SHORTEST_WAIT));
        Form { script, tempo }
    }

    /// How long the play is to wait before its end, if answers may take so long.
    pub(super) fn promptness(&self, usual: Duration) -> Duration {
        if self.tempo == Tempo::Brisk { BRISK.min(usual) } else { usual }
    }

    /// The script that is played, with all its waits.
    pub(super) fn whole_script(&self, promptness: Duration) -> Script {
        let mut script = self.script.clone();
        let promptness = self.promptness(promptness);
        let shorten = |wait: Duration| match self.tempo {
            Tempo::Hasty => wait.min(HASTY_WAIT),
            Tempo::Brisk => wait.min(promptness),
            Tempo::Patient => wait,
        };
        for step in &mut script.steps {
            match step {
                Step::Wait(time) => *time = shorten(*time),
                Step::Client(_, Action::Expect { within: Some(time), .. }) => *time = shorten(*time),
                _ => {}
            }
        }
        if self.tempo == Tempo::Hasty {
            script.schedule.clear();
            // What is answered at once is to be seen.
            if matches!(script.steps.last(), Some(Step::Client(_, Action::Send(..) | Action::Connect(_)))) {
                script.steps.push(Step::Wait(HASTY_WAIT));
            }
            return script;
        }
        let closing = promptness + promptness / 6;
        let waits = |step: &Step| matches!(step, Step::Wait(time) if *time >= closing);
        if !script.steps.iter().rev().take(2 * script.clients.len() + 1).any(waits) {
            script.steps.push(Step::Wait(closing));
            let barrier = |place| Step::Client(ClientNo(place), Action::Barrier);
            let clients = u16::try_from(script.clients.len()).unwrap_or(u16::MAX);
            script.steps.extend((0..clients).map(barrier));
        }
        script
    }

    /// What limits the play.
    pub(super) fn limits(&self, promptness: Duration) -> crate::net::play::Limits {
        let promptness = self.promptness(promptness);
        let (patience, whole, farewell) = match self.tempo {
            Tempo::Hasty => (HASTY_PATIENCE, HASTY_WHOLE, HASTY_PATIENCE),
            Tempo::Brisk => (promptness, WHOLE / 4, promptness),
            Tempo::Patient => (promptness + promptness / 6, WHOLE, 2 * HASTY_PATIENCE),
        };
        crate::net::play::Limits { opening: Duration::from_secs(5), patience, whole, farewell, hurries: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn form(tempo: Tempo) -> Form {
        let text =
            "client a clean_start=1\nat 5 s a hold\na > PUBLISH t \"x\" qos=1 retain=1\nwait 3 s\na settle\n";
        Form::new(&text.parse().expect("a case"), tempo)
    }

    #[test]
    fn haste_waits_for_nothing_and_patience_waits_at_the_end() {
        let hasty = form(Tempo::Hasty).whole_script(SECOND);
        assert!(hasty.schedule.is_empty());
        assert_eq!(hasty.steps[1], Step::Wait(HASTY_WAIT));
        assert_eq!(hasty.steps.len(), 3);
        // It waits already.
        assert_eq!(form(Tempo::Patient).whole_script(SECOND).steps.len(), 3);
        let long = form(Tempo::Patient).whole_script(10 * SECOND);
        assert!(matches!(long.steps[3], Step::Wait(time) if time > 10 * SECOND));
        assert_eq!(long.steps.len(), 5);
        assert_eq!(long.schedule.len(), 1);
    }
}
