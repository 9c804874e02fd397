//! How a run shows that it lives: a bar on a terminal, few plain lines elsewhere.

use super::say;
use super::waiting::Waiting;
use crate::outcome::CheckResult;
use crate::report::needs_showing;
use crate::run::Progress;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the bar is drawn while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// Elsewhere than on a terminal, so many lines tell how far the run is.
const LINES: usize = 5;

/// Shows the progress of a run on the standard error.
pub(super) enum Shown {
    /// Not at all.
    Quiet,
    /// As a bar that moves, and tells what is waited for.
    Bar(ProgressBar, Arc<Mutex<Waiting>>),
    /// As lines.
    Lines {
        /// How many checks there are, and how many have ended.
        planned: usize,
        /// How many have ended.
        ended: usize,
    },
}

impl Shown {
    /// Chooses the form.
    pub(super) fn new(quiet: bool) -> Shown {
        if quiet {
            return Shown::Quiet;
        }
        if !io::stderr().is_terminal() {
            return Shown::Lines { planned: 0, ended: 0 };
        }
        let bar = ProgressBar::no_length();
        let waiting = Arc::new(Mutex::new(Waiting::new(Instant::now())));
        let shared = Arc::clone(&waiting);
        let tell = move |_: &ProgressState, out: &mut dyn Write| {
            let waiting = shared.lock().unwrap_or_else(PoisonError::into_inner);
            // The bar's own buffer takes every text.
            let _ = out.write_str(&waiting.tell(Instant::now()));
        };
        // The template is constant; were it wrong, the bar's own would be shown.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {elapsed}  {waiting}") {
            bar.set_style(style.with_key("waiting", tell));
        }
        bar.enable_steady_tick(TICK);
        Shown::Bar(bar, waiting)
    }

    /// The bar, for lines that must not tear it.
    pub(super) fn bar(&self) -> Option<ProgressBar> {
        match self {
            Shown::Bar(bar, _) => Some(bar.clone()),
            Shown::Quiet | Shown::Lines { .. } => None,
        }
    }

    /// Takes in what happened.
    pub(super) fn tell(&mut self, progress: &Progress<'_>) {
        if let Shown::Bar(_, waiting) = self {
            waiting.lock().unwrap_or_else(PoisonError::into_inner).take(progress, Instant::now());
        }
        match (self, progress) {
            (Shown::Quiet, _) | (Shown::Lines { .. } | Shown::Bar(..), Progress::Started(..)) => {}
            (Shown::Bar(bar, _), Progress::Planned(number)) => bar.set_length(*number as u64),
            (Shown::Bar(bar, _), Progress::Finished(result)) => {
                bar.inc(1);
                if needs_showing(result.verdict) {
                    bar.println(line(result));
                }
            }
            (Shown::Lines { planned, .. }, Progress::Planned(number)) => {
                *planned = *number;
                say(&format!("{number} checks"));
            }
            (Shown::Lines { planned, ended }, Progress::Finished(result)) => {
                *ended += 1;
                if needs_showing(result.verdict) {
                    say(&line(result));
                }
                let step = |ended: usize| ended * LINES / (*planned).max(1);
                if *planned >= LINES && step(*ended) > step(*ended - 1) {
                    say(&format!("{ended} of {planned} checks done"));
                }
            }
        }
    }

    /// Clears the bar away.
    pub(super) fn end(&self) {
        if let Shown::Bar(bar, _) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(result: &CheckResult) -> String {
    format!("{} ({}) {}", result.check.name, result.version, result.verdict)
}
