//! The suite's baseline, written from what the broker does today.

use super::{ACCEPT_VARIABLE, Suite};
use crate::check::Check;
use crate::cli;
use crate::outcome::Run;
use crate::report::view::number;
use crate::run::{self, Options};
use crate::verdict::Verdict;
use std::process::ExitCode;
use tokio::sync::watch;

impl Suite {
    /// Plays these checks and writes the baseline. What is inconclusive is no part of it, and is told.
    pub(super) fn accept(self, chosen: Vec<&'static Check>) -> Result<ExitCode, String> {
        let Some(path) = self.baseline.clone() else {
            return Err(format!(
                "{ACCEPT_VARIABLE} is set, and the suite has no baseline to write: give it one with Suite::baseline"
            ));
        };
        let mut gate = cli::open_baseline(&path, true)?;
        let (strict, versions) = (self.strict, self.versions());
        let named = !self.selection.versions.is_empty();
        let (options, _) = self.options()?;
        let asked = if named { versions.clone() } else { Vec::new() };
        let mut run = play(&Options { checks: chosen, versions: asked, ..options })?;
        // The cases are of these versions only.
        let before = run.results.len();
        run.results.retain(|result| versions.contains(&result.version));
        run.planned -= before - run.results.len();
        cli::accept_baseline(&path, &mut gate, &run, strict)?;
        let known = gate.baseline.entries.len();
        println!("{} knows {} now", path.display(), number(known, "failure", "failures"));
        for result in run.results.iter().filter(|result| result.verdict == Verdict::Inconclusive) {
            println!("left out, since nothing could be told: {}", super::name(result.check, result.version));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn play(options: &Options) -> Result<Run, String> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| format!("cannot start the threads of the run: {error}"))?;
    // Kept, so that nothing stops the run.
    let (_stop, stopped) = watch::channel(false);
    let run =
        runtime.block_on(run::run(options, stopped, &mut |_| {})).map_err(|trouble| trouble.to_string());
    runtime.shutdown_background();
    run
}
