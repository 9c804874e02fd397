//! `probe`: what a broker announces and what it does, written as its profile.

use super::broker::{BrokerArguments, seconds};
use super::{Colours, Trouble, check, mutant, outputs, say};
use crate::probe::{self, Contradiction, Outcome, Probed};
use crate::profile::BrokerProfile;
use crate::report::json::{self, Logged};
use crate::report::{Exit, log, printable};
use crate::run::PATIENCE;
use crate::serve::Fault;
use crate::setup::Setup;
use crate::statement;
use crate::target::Target;
use console::Style;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many events are shown of the packets behind a contradiction: the last ones tell.
const SHOWN: usize = 16;

const EXIT_CODES: &str = "\
Exit codes:
  0  the profile is written, and nothing that was found contradicts what the broker announces
  1  the profile is written, and something does
  2  wrong usage, the broker cannot be reached, or it was interrupted";

/// Find out what a broker announces and can do, and write its profile
///
/// Connects in each version, at each address that is known, reads what CONNACK announces, and tries it. The profile
/// (TOML; see docs/profile.md) goes to the standard output or to a file, and can be completed by hand and given to
/// `check` as its target.
#[derive(clap::Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The broker: its URL, the path of a profile to bring up to date, or `reference`; may be left out with --spawn
    target: Option<String>,

    /// Write the profile here [default: to the standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The number that names are drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How long an answer may take
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    /// Break the embedded broker on purpose, to see what is found
    #[arg(long, value_name = "NAME", value_parser = mutant::parse_fault)]
    mutant: Option<Fault>,

    #[command(flatten)]
    broker: BrokerArguments,
}

/// Probes and tells what was found.
pub(super) fn run(arguments: &Arguments, colours: Colours) -> Result<Exit, Trouble> {
    if arguments.target.is_none() && !arguments.broker.spawns() {
        return Err(Trouble::new(
            "which broker? Name it as mqtt://HOST:PORT, by its profile, or start it with --spawn",
        ));
    }
    let meant = arguments.broker.meant(arguments.target.as_deref(), arguments.mutant)?;
    if let Some(out) = &arguments.out {
        outputs::try_file(out).map_err(|error| cannot_write(out, &error))?;
    }
    let broker = match &meant.target {
        Target::Reference { mutant: Some(Fault::Edge(fault)) } => {
            return Err(Trouble::new(format!(
                "the mutant {} is broken in its WebSocket, which is not probed",
                fault.name()
            )));
        }
        Target::Reference { mutant } => Probed::Reference(Setup::Full, *mutant),
        Target::Tcp(_) => Probed::At(meant.addresses.clone()),
    };
    let options = probe::Options {
        broker,
        profile: arguments.broker.known(&meant),
        process: meant.recipe.clone(),
        seed: arguments.seed,
        patience: arguments.timeout.unwrap_or(PATIENCE),
    };
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Trouble::new(format!("cannot start the threads of the run: {error}")))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = probe::probe(&options) => outcome.map_err(|error| Trouble::new(error.to_string())),
            // The broker that was started ends with what is dropped here.
            _ = check::told_to_end() => Err(Trouble::new("interrupted; no profile is written")),
        }
    });
    runtime.shutdown_background();
    let outcome = outcome?;
    let text = file(&meant.target, &outcome);
    match &arguments.out {
        Some(path) => outputs::write(path, &text).map_err(|error| cannot_write(path, &error))?,
        None => io::stdout().lock().write_all(text.as_bytes())?,
    }
    // Where the profile takes the standard output, the rest goes beside it.
    let to_stdout = arguments.out.is_some();
    let is_terminal = if to_stdout { io::stdout().is_terminal() } else { io::stderr().is_terminal() };
    let exit = if outcome.contradictions.is_empty() { Exit::Conforms } else { Exit::Violations };
    let told = told(&outcome, exit, colours.wanted && is_terminal);
    if to_stdout {
        io::stdout().lock().write_all(told.as_bytes())?;
    } else {
        say(told.trim_end());
    }
    Ok(exit)
}

/// The profile, below what was seen on the way.
fn file(target: &Target, outcome: &Outcome) -> String {
    let mut text = format!("# The profile of {}, by mqtt-assay probe.\n", printable(&target.to_string()));
    for remark in &outcome.remarks {
        text.push_str(&format!("# {}\n", printable(remark)));
    }
    for contradiction in &outcome.contradictions {
        let Contradiction { statement, announced, found, .. } = contradiction;
        text.push_str(&format!("# ! {statement}: {}; {}\n", printable(announced), printable(found)));
    }
    text + "\n" + &BrokerProfile::text(&outcome.profile)
}

/// The contradictions with their packets, and what it all comes to.
fn told(outcome: &Outcome, exit: Exit, colours: bool) -> String {
    let mut text: String = outcome.contradictions.iter().map(|one| shown(one, colours)).collect();
    let number = match outcome.contradictions.len() {
        0 => "Nothing contradicts what the broker announces".to_owned(),
        1 => "1 contradiction".to_owned(),
        more => format!("{more} contradictions"),
    };
    let _ = writeln!(text, "{number}.  Exit {}.", exit.code());
    text
}

fn shown(contradiction: &Contradiction, colours: bool) -> String {
    let style = Style::new().force_styling(colours).red().bold();
    let Contradiction { statement, announced, found, log: packets } = contradiction;
    let mut text = format!("{} {statement}\n", style.apply_to("✗"));
    // Strings take whatever is written.
    if let Some(known) = statement::of(*statement) {
        let (section, title) = (known.section(), known.title);
        let _ = writeln!(text, "    statement  §{section} {title}, {}: {}", known.level, known.summary);
    }
    let _ = writeln!(text, "    announced  {}", printable(announced));
    let _ = writeln!(text, "    found      {}\n", printable(found));
    let hidden = packets.len().saturating_sub(SHOWN);
    if hidden > 0 {
        let _ = writeln!(text, "      … {hidden} events before …");
    }
    let shown: Vec<Logged> = packets[hidden..].iter().map(json::logged).collect();
    let width = shown.iter().map(|entry| log::client(entry).chars().count()).max().unwrap_or(0);
    for entry in &shown {
        let (client, arrow) = (log::client(entry), log::arrow(entry.direction));
        let at = log::seconds(entry);
        let _ = writeln!(text, "    {at:.3}  {client:width$}  {arrow}  {}", printable(&entry.text));
    }
    text + "\n"
}

fn cannot_write(path: &Path, error: &io::Error) -> Trouble {
    Trouble::new(format!(
        "cannot write the profile {}: {error}; check that its folder exists and can be written to",
        path.display()
    ))
}
