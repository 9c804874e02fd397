//! `prove`: what catches which mutant.

use super::{Trouble, mutant, say, simulate};
use crate::report::Exit;
use crate::simulation::{Fate, Proof, prove_rules};
use indicatif::{ProgressBar, ProgressStyle};
use mqtt_assay_broker_model::Mutant;
use std::io::{self, IsTerminal, Write};

const EXIT_CODES: &str = "\
Exit codes:
  0  every mutant that rules can see was caught
  1  a mutant was not caught
  2  wrong usage, or the run was interrupted";

/// Show that the rules catch the mutants of the reference broker
///
/// A mutant is the reference broker with one named fault. Each is put through generated scripts, as `simulate` plays
/// them, until a rule accuses it of a statement that it breaks.
#[derive(clap::Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The rules over simulated histories
    #[arg(long)]
    rules: bool,

    /// Try these mutants only
    #[arg(long = "mutant", value_name = "NAME", value_parser = mutant::parse)]
    mutants: Vec<Mutant>,

    /// How many seeds a mutant may survive
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
    if !arguments.rules {
        return Err(Trouble::new(
            "`mqtt-assay prove` without --rules, every check against every mutant, is not part of this version; give \
             --rules",
        ));
    }
    let mutants = if arguments.mutants.is_empty() { Mutant::ALL } else { &arguments.mutants };
    let stop = simulate::stop_on_signal()?;
    let bar = bar(arguments.quiet, mutants.len() as u64);
    let proofs = prove_rules(mutants, arguments.seeds, simulate::jobs(arguments.jobs), &stop, |proof| {
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
