//! The baseline file of `check`: read before the run, written after it with `--accept`.

use super::{Trouble, outputs};
use crate::baseline::{Baseline, Gate, today};
use crate::outcome::Run;
use std::io::ErrorKind;
use std::path::Path;

/// Reads the file. One that shall be written need not be there yet.
pub(super) fn open(path: &Path, accept: bool) -> Result<Gate, Trouble> {
    let file = path.display().to_string();
    let baseline = match std::fs::read_to_string(path) {
        Ok(text) => {
            Baseline::read(&text).map_err(|wrong| Trouble::new(format!("the baseline {file}, {wrong}")))?
        }
        Err(error) if error.kind() == ErrorKind::NotFound && accept => Baseline::default(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Trouble::new(format!("there is no baseline {file}; --accept writes one")));
        }
        Err(error) => return Err(Trouble::new(format!("cannot read the baseline {file}: {error}"))),
    };
    if accept {
        // An hour's run must not end with a folder that cannot be written to.
        outputs::try_file(path).map_err(|error| cannot_write(path, &error))?;
    }
    Ok(Gate { file, baseline, today: today() })
}

/// Writes what the run came to, and judges the run by that.
pub(super) fn accept(path: &Path, gate: &mut Gate, run: &Run, strict: bool) -> Result<(), Trouble> {
    if run.interrupted || run.results.len() < run.planned {
        return Err(Trouble::new(format!(
            "the run did not come to its end, so the baseline {} is left as it was",
            path.display()
        )));
    }
    let accepted = gate.accept(run, strict);
    let text =
        accepted.text().map_err(|error| Trouble::new(format!("cannot build the baseline: {error}")))?;
    outputs::write(path, &text).map_err(|error| cannot_write(path, &error))?;
    // Read again, so that reports name the lines of the file as it is now.
    gate.baseline = Baseline::read(&text)
        .map_err(|wrong| Trouble::new(format!("a fault of ours in the new baseline, {wrong}")))?;
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new(format!(
        "cannot write the baseline {}: {error}; check that its folder exists and can be written to",
        path.display()
    ))
}
