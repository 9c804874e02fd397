//! How a run shows that it lives: a bar on a terminal, few plain lines elsewhere.

use super::say;
use crate::outcome::CheckResult;
use crate::report::needs_showing;
use crate::run::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};

/// Elsewhere than on a terminal, so many lines tell how far the run is.
const LINES: usize = 5;

/// Shows the progress of a run on the standard error.
pub(super) enum Shown {
    /// Not at all.
    Quiet,
    /// As a bar that moves.
    Bar(ProgressBar),
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
        // The template is constant; were it wrong, the bar's own would be shown.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {elapsed}  {wide_msg}") {
            bar.set_style(style);
        }
        Shown::Bar(bar)
    }

    /// The bar, for lines that must not tear it.
    pub(super) fn bar(&self) -> Option<ProgressBar> {
        match self {
            Shown::Bar(bar) => Some(bar.clone()),
            Shown::Quiet | Shown::Lines { .. } => None,
        }
    }

    /// Takes in what happened.
    pub(super) fn tell(&mut self, progress: &Progress<'_>) {
        match (self, progress) {
            (Shown::Quiet, _) | (Shown::Lines { .. }, Progress::Started(..)) => {}
            (Shown::Bar(bar), Progress::Planned(number)) => bar.set_length(*number as u64),
            (Shown::Bar(bar), Progress::Started(check, _)) => bar.set_message(check.name),
            (Shown::Bar(bar), Progress::Finished(result)) => {
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
        if let Shown::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(result: &CheckResult) -> String {
    format!("{} ({}) {}", result.check.name, result.version, result.verdict)
}
