//! `prove`: what catches which mutant.

use super::{Trouble, mutant, outputs, say, simulate};
use crate::matrix;
use crate::net::sim;
use crate::report::Exit;
use crate::select::Selection;
use crate::serve::Fault;
use crate::simulation::{Fate, Proof, prove_rules};
use indicatif::{ProgressBar, ProgressStyle};
use mqtt_assay_broker_model::Mutant;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

const EXIT_CODES: &str = "\
Exit codes:
  0  every mutant that can be seen was caught, and nothing is accused without a reason
  1  a mutant was not caught, a check catches none, or an accusation has to do with nothing that the mutant breaks
  2  wrong usage, or the run was interrupted";

/// Show by which checks, or by which rules, the mutants of the reference broker are caught
///
/// A mutant is the reference broker with one named fault. Each is put to every check in both versions, in simulated
/// time; or, with --rules, through generated scripts, as `simulate` plays them, until a rule accuses it of a statement
/// that it breaks.
#[derive(clap::Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The rules over simulated histories, in place of the checks
    #[arg(long)]
    rules: bool,

    /// Try these mutants only
    #[arg(long = "mutant", value_name = "NAME", value_parser = mutant::parse_fault)]
    mutants: Vec<Fault>,

    /// Play only checks that match: a statement id, a section (3.3), a check's name (publish/, *retain*)
    #[arg(long, value_name = "PATTERN", conflicts_with = "rules")]
    only: Vec<String>,

    /// Write the matrix as JSON; `-` is the standard output, in place of the text
    #[arg(long, value_name = "PATH", conflicts_with = "rules")]
    json: Option<PathBuf>,

    /// With --rules: how many seeds a mutant may survive
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    seeds: u64,

    /// How many mutants are tried at the same time [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: Option<u16>,

    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Trouble> {
    if arguments.rules { rules(arguments) } else { checks(arguments) }
}

/// Plays the kill matrix.
fn checks(arguments: &Arguments) -> Result<Exit, Trouble> {
    if !cfg!(tokio_unstable) {
        return Err(Trouble::new(sim::Trouble::Unseeded.to_string()));
    }
    let selection = Selection { only: arguments.only.clone(), ..Selection::default() };
    let checks =
        selection.of(&crate::checks::all()).map_err(|no_match| Trouble::new(no_match.to_string()))?;
    let path = arguments.json.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = path {
        outputs::try_file(path).map_err(|error| cannot_write(path, &error))?;
    }
    let every: Vec<Fault> = Fault::all().collect();
    let mutants = if arguments.mutants.is_empty() { &every } else { &arguments.mutants };
    let stop = simulate::stop_on_signal()?;
    let bar = bar(arguments.quiet, mutants.len() as u64);
    let rows = matrix::play(mutants, &checks, simulate::jobs(arguments.jobs), &stop, |row| {
        if let Some(bar) = &bar {
            bar.inc(1);
            bar.set_message(row.mutant.name());
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let mut summary = matrix::Summary::of(&rows, &checks);
    // A part of the checks need not catch every mutant, nor a part of the mutants be caught by every check.
    if !arguments.only.is_empty() {
        summary.missed.clear();
    }
    if !arguments.mutants.is_empty() {
        summary.idle.clear();
    }
    let exit = match &summary {
        summary if summary.unfinished > 0 => Exit::Trouble,
        summary if summary.missed.len() + summary.idle.len() + summary.unexplained.len() > 0 => {
            Exit::Violations
        }
        _ => Exit::Conforms,
    };
    let json = match &arguments.json {
        Some(_) => serde_json::to_string_pretty(&matrix::json::matrix(&rows, &summary))
            .map_err(|error| Trouble::new(format!("cannot build the matrix: {error}")))?,
        None => String::new(),
    } + "\n";
    let mut out = io::BufWriter::new(io::stdout().lock());
    match (&arguments.json, path) {
        (Some(_), None) => out.write_all(json.as_bytes())?,
        (_, path) => {
            if let Some(path) = path {
                outputs::write(path, &json).map_err(|error| cannot_write(path, &error))?;
            }
            write!(out, "{}{}", matrix::text::rows(&rows), matrix::text::holes(&summary))?;
            writeln!(out, "Exit {}.", exit.code())?;
        }
    }
    out.flush()?;
    if exit == Exit::Trouble {
        say("Interrupted: some mutants were not tried.");
    }
    Ok(exit)
}

fn cannot_write(path: &Path, error: &io::Error) -> Trouble {
    Trouble::new(format!(
        "cannot write the matrix {}: {error}; check that its folder exists and can be written to",
        path.display()
    ))
}

/// Plays scripts until the rules accuse.
fn rules(arguments: &Arguments) -> Result<Exit, Trouble> {
    let asked = arguments.mutants.iter().map(|fault| mutant::of_the_model(*fault).map_err(Trouble::new));
    let mut mutants = asked.collect::<Result<Vec<Mutant>, Trouble>>()?;
    if mutants.is_empty() {
        mutants = Mutant::ALL.to_vec();
    }
    let stop = simulate::stop_on_signal()?;
    let bar = bar(arguments.quiet, mutants.len() as u64);
    let proofs = prove_rules(&mutants, arguments.seeds, simulate::jobs(arguments.jobs), &stop, |proof| {
        if let Some(bar) = &bar {
            bar.inc(1);
            bar.set_message(proof.mutant.name());
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let exit = write(&mut out, &proofs)?;
    out.flush()?;
    if exit == Exit::Trouble {
        say("Interrupted: some mutants were not tried.");
    }
    Ok(exit)
}

/// Writes the table, and gives the exit code.
fn write(out: &mut dyn Write, proofs: &[Proof]) -> io::Result<Exit> {
    let width = proofs.iter().map(|proof| proof.mutant.name().len()).max().unwrap_or(0);
    let (mut caught, mut beyond, mut missed, mut untried) = (0, 0, 0, 0);
    for Proof { mutant, fate } in proofs {
        let text = match fate {
            Fate::Caught { seeds, rule, statement } => {
                caught += 1;
                format!("{seeds:5} seeds  {rule}  {statement}")
            }
            Fate::FallsWith { seeds, rule, statement, why } => {
                caught += 1;
                format!("{seeds:5} seeds  {rule}  {statement}: {why}")
            }
            Fate::Beyond(reason) => {
                beyond += 1;
                format!("    -        {reason}")
            }
            Fate::Missed { accused } => {
                missed += 1;
                let instead =
                    accused.as_ref().map_or_else(String::new, |what| format!("; accused by {what}"));
                format!("NOT CAUGHT{instead}")
            }
            Fate::NotTried => {
                untried += 1;
                "not tried".to_owned()
            }
        };
        writeln!(out, "{:width$}  {text}", mutant.name())?;
    }
    let exit = match (untried, missed) {
        (1.., _) => Exit::Trouble,
        (0, 1..) => Exit::Violations,
        _ => Exit::Conforms,
    };
    writeln!(
        out,
        "\n{caught} mutants caught by rules, {missed} not caught, {beyond} beyond what rules can see.  Exit {}.",
        exit.code()
    )?;
    Ok(exit)
}

fn bar(quiet: bool, length: u64) -> Option<ProgressBar> {
    if quiet || !io::stderr().is_terminal() {
        return None;
    }
    let bar = ProgressBar::new(length);
    // The template is constant; were it wrong, the bar's own would be shown.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {elapsed}  {wide_msg}") {
        bar.set_style(style);
    }
    Some(bar)
}
