//! What a run waits for at this moment, and how long the rest may take.

use crate::check::Check;
use crate::run::Progress;
use mqtt_assay_codec::Version;
use std::time::{Duration, Instant};

/// A check that takes longer than this without a timer of its own waits for the broker.
const PROMPT: Duration = Duration::from_secs(1);

/// The checks that run, and how many came before them.
pub(super) struct Waiting {
    begun: Instant,
    planned: usize,
    ended: usize,
    running: Vec<Running>,
}

struct Running {
    check: &'static Check,
    version: Version,
    since: Instant,
}

impl Running {
    /// How long its timers make it wait still.
    fn left(&self, now: Instant) -> Duration {
        self.check.waits.saturating_sub(now.saturating_duration_since(self.since))
    }
}

impl Waiting {
    pub(super) fn new(now: Instant) -> Waiting {
        Waiting { begun: now, planned: 0, ended: 0, running: Vec::new() }
    }

    /// Takes in what happened.
    pub(super) fn take(&mut self, progress: &Progress<'_>, now: Instant) {
        match progress {
            Progress::Planned(number) => {
                self.planned = *number;
                self.begun = now;
            }
            Progress::Started(check, version) => {
                self.running.push(Running { check, version: *version, since: now });
            }
            Progress::Finished(result) => {
                self.ended += 1;
                let ended = |other: &Running| {
                    other.check.name == result.check.name && other.version == result.version
                };
                if let Some(place) = self.running.iter().position(ended) {
                    self.running.remove(place);
                }
            }
        }
    }

    /// What is waited for, in a few words.
    pub(super) fn tell(&self, now: Instant) -> String {
        let Some(what) = self.what(now) else { return String::new() };
        match self.rest(now).as_secs_f64().ceil() {
            0.0 => what,
            seconds => format!("{what}; about {seconds:.0} s left"),
        }
    }

    fn what(&self, now: Instant) -> Option<String> {
        let timer = self.running.iter().max_by_key(|running| running.left(now))?;
        if !timer.left(now).is_zero() {
            return Some(format!("{} ({}) waits for its timers", timer.check.name, timer.version));
        }
        // The first of those that began at the same time: the choice must not flicker.
        let oldest = self.running.iter().min_by_key(|running| running.since)?;
        let so_far = now.saturating_duration_since(oldest.since);
        if so_far < oldest.check.waits + PROMPT {
            return Some(format!("{} ({})", oldest.check.name, oldest.version));
        }
        Some(format!(
            "{} ({}) waits for the broker, for {:.0} s now",
            oldest.check.name,
            oldest.version,
            so_far.as_secs_f64()
        ))
    }

    /// How long the rest takes if it goes on as before; what cannot be known, such as a broker's silence, left out.
    fn rest(&self, now: Instant) -> Duration {
        let timers = self.running.iter().map(|running| running.left(now)).max().unwrap_or_default();
        let waiting = self.planned.saturating_sub(self.ended + self.running.len());
        let pace = u32::try_from(self.ended)
            .ok()
            .and_then(|ended| now.saturating_duration_since(self.begun).checked_div(ended))
            .unwrap_or_default();
        timers.max(pace.saturating_mul(u32::try_from(waiting).unwrap_or(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str) -> &'static Check {
        crate::checks::all().into_iter().find(|check| check.name == name).expect("there is such a check")
    }

    #[test]
    fn what_is_waited_for_is_told_with_the_time_that_is_left() {
        let begun = Instant::now();
        let at = |seconds: f64| begun + Duration::from_secs_f64(seconds);
        let mut waiting = Waiting::new(begun);
        assert_eq!(waiting.tell(at(0.0)), "");
        waiting.take(&Progress::Planned(2), at(1.0));
        waiting.take(
            &Progress::Started(check("keep_alive/silent_client_is_disconnected"), Version::V5),
            at(1.0),
        );
        waiting.take(&Progress::Started(check("ping/pingreq_is_answered"), Version::V5), at(1.0));
        let timers = "keep_alive/silent_client_is_disconnected (5.0) waits for its timers";
        assert_eq!(waiting.tell(at(1.5)), format!("{timers}; about 4 s left"));
        assert_eq!(waiting.tell(at(5.0)), format!("{timers}; about 1 s left"));
        // Its timers are over: whoever has waited longest is named.
        assert_eq!(waiting.tell(at(5.5)), "keep_alive/silent_client_is_disconnected (5.0)");
        let broker = "keep_alive/silent_client_is_disconnected (5.0) waits for the broker, for 8 s now";
        assert_eq!(waiting.tell(at(9.0)), broker);
    }

    #[test]
    fn the_rest_goes_by_the_pace_so_far() {
        let begun = Instant::now();
        let mut waiting = Waiting { begun, planned: 100, ended: 20, running: Vec::new() };
        let now = begun + Duration::from_secs(2);
        waiting.take(&Progress::Started(check("ping/pingreq_is_answered"), Version::V5), now);
        // 79 are left, ten in a second.
        assert_eq!(waiting.tell(now), "ping/pingreq_is_answered (5.0); about 8 s left");
    }
}
