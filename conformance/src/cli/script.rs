//! A script on the command line: read, and told what came of it.

use super::Trouble;
use crate::report::Exit;
use crate::simulation::{SimulationFinding, Style, write_finding};
use mqtt_assay_broker_model::rules::Accusation;
use mqtt_assay_broker_model::script::{Script, text};
use mqtt_assay_broker_model::simulate::Outcome;
use std::io::{self, Write};
use std::path::Path;

/// Reads a script.
pub(super) fn read(path: &Path) -> Result<Script, Trouble> {
    read_text(path).map(|(script, _)| script)
}

/// Reads a script, and gives its text, too.
pub(super) fn read_text(path: &Path) -> Result<(Script, String), Trouble> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Trouble::new(format!("cannot read the script {}: {error}", path.display())))?;
    let script = text::parse(&text)
        .map_err(|errors| Trouble::new(format!("{} is not a script:\n{errors}", path.display())))?;
    Ok((script, text))
}

/// Writes what the rules accuse, one finding for each kind.
pub(super) fn write_findings(
    out: &mut dyn Write,
    script: &Script,
    outcome: &Outcome,
    replay: &str,
    style: Style,
) -> io::Result<()> {
    let mut shapes: Vec<_> = outcome.verdicts.accusations.iter().map(Accusation::shape).collect();
    shapes.sort_unstable();
    shapes.dedup();
    for shape in &shapes {
        // The script is the user's: it is shown as it is.
        let accusation = outcome.verdicts.accusations.iter().find(|found| found.shape() == *shape);
        if let Some(accusation) = accusation.cloned() {
            let finding = SimulationFinding {
                seed: script.seed,
                scripts: 0,
                script: script.clone(),
                accusation,
                outcome: outcome.clone(),
            };
            write_finding(out, &finding, replay, style)?;
        }
    }
    Ok(())
}

/// Writes which expectations were not met, and the last line.
pub(super) fn write_end(out: &mut dyn Write, outcome: &Outcome, exit: Exit) -> io::Result<()> {
    for failure in &outcome.played.failures {
        let step = failure
            .step
            .map_or_else(|| "before the first step".to_owned(), |step| format!("step {}", step + 1));
        writeln!(out, "✗ {step}, {:.3} s: {}", failure.at.as_secs_f64(), failure.text)?;
    }
    writeln!(
        out,
        "{} packets   history {}   {} accusations, {} expectations not met.  Exit {}.",
        outcome.played.history.packets(),
        outcome.played.history.digest(),
        outcome.verdicts.accusations.len(),
        outcome.played.failures.len(),
        exit.code()
    )
}
