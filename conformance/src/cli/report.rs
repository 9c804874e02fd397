//! `report`: results that were written, in another form.

use super::outputs::{self, Wanted};
use super::{Colours, Trouble, check, look};
use crate::report::json::Report;
use crate::report::{issue, read, terminal};
use mqtt_assay_codec::Version;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  mqtt-assay report result.json
  mqtt-assay report result.json --to junit=result.xml --to markdown=-
  mqtt-assay report old.json new.json --to html=compared.html --to markdown=compared.md
  mqtt-assay report result.json --issue retained/reaches_new_subscription > issue.md

Exit codes:
  0  the reports are written, whatever they say
  2  wrong usage, or a file is no result";

/// Tell results again: on the terminal, or in another form
///
/// Reads what `mqtt-assay check --report json=FILE` has written. A report that is made now is the same, byte for byte,
/// as one that the run itself has written. Several results stand side by side where the form allows it.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Result files, or the .partial file of a run that did not come to its end; `-` is the standard input
    #[arg(required = true, value_name = "RESULT")]
    results: Vec<PathBuf>,

    /// Write a report: json, html, junit, sarif, markdown, tap, badge (SVG), badge-json, or github (annotations); `-` is the
    /// standard output. Without it, the results are shown as `check` shows them
    #[arg(long, value_name = "FORMAT=PATH")]
    to: Vec<Wanted>,

    /// Print a text about a check that fails, ready for the broker's tracker: what the specification says, what was
    /// seen with every byte, and how to see it again
    #[arg(long, value_name = "CHECK", conflicts_with = "to")]
    issue: Option<String>,

    /// The MQTT version that the text is about [default: that in which the failure weighs most]
    #[arg(long = "mqtt", value_name = "VERSION", requires = "issue", value_parser = check::version)]
    version: Option<Version>,

    /// Show the packets that the file has of all checks, with all bytes
    #[arg(long, short, conflicts_with_all = ["to", "issue"])]
    verbose: bool,
}

/// Reads the results and writes the reports.
pub(super) fn run(arguments: &Arguments, colours: Colours) -> Result<(), Trouble> {
    outputs::try_paths(&arguments.to, None)?;
    if arguments.results.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Trouble::new("the standard input can be read once only"));
    }
    let runs = arguments.results.iter().map(|path| open(path)).collect::<Result<Vec<Report>, _>>()?;
    if let Some(one) = arguments.to.iter().find(|one| one.form().is_of_one_run() && runs.len() > 1) {
        return Err(Trouble::new(format!(
            "a {} report is of one result, and {} are given",
            one.form(),
            runs.len()
        )));
    }
    if let Some(check) = &arguments.issue {
        let [run] = runs.as_slice() else {
            return Err(Trouble::new(format!("--issue is about one result, and {} are given", runs.len())));
        };
        let text = issue::text(run, check, arguments.version.map(Version::as_str)).map_err(Trouble::new)?;
        io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(());
    }
    if arguments.to.is_empty() {
        let look = look(colours, false, arguments.verbose);
        let mut out = io::BufWriter::new(io::stdout().lock());
        for (index, run) in runs.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            terminal::write(&mut out, run, &look)?;
        }
        out.flush()?;
        return Ok(());
    }
    arguments.to.iter().try_for_each(|one| one.write(&runs))
}

/// Reads a result file.
fn open(path: &Path) -> Result<Report, Trouble> {
    let mut bytes = Vec::new();
    let (name, got) = if path == Path::new("-") {
        ("the standard input".to_owned(), io::stdin().read_to_end(&mut bytes).map(|_| ()))
    } else {
        (path.display().to_string(), std::fs::read(path).map(|read| bytes = read))
    };
    got.map_err(|error| Trouble::new(format!("cannot read the result {name}: {error}")))?;
    // A file that was cut may end within a letter.
    let text = String::from_utf8_lossy(&bytes);
    read::read(&text).map_err(|why| Trouble::new(format!("{name} {why}")))
}
