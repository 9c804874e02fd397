//! `simulate`: the reference broker under faults, script after script.

use super::{Colours, Trouble, mutant, say, script};
use crate::report::Exit;
use crate::simulation::{
    self, Carrier, Progress, Simulation, SimulationFinding, Stage, Style, write_finding,
};
use indicatif::{ProgressBar, ProgressStyle};
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::rules::Accusation;
use mqtt_assay_broker_model::script::text;
use mqtt_assay_broker_model::simulate::Setup;
use mqtt_assay_broker_model::workload::{Profile, Workload};
use mqtt_assay_codec::Version;
use std::io::{self, IsTerminal, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const EXIT_CODES: &str = "\
Exit codes:
  0  no rule accuses the broker
  1  a rule accuses it, or an expectation of the script was not met
  2  wrong usage, or the run was interrupted
  3  no script was played";

/// Play generated scripts against the reference broker, with faults, and judge it by the rules
///
/// Each seed is a script of several clients, whose network delays, cuts, holds back and loses what they say, and
/// whose broker may crash. Time is simulated: nothing waits. What a rule accuses is shown with the shortest script
/// that leads to it.
#[derive(clap::Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The seeds to play: A..B, from A to B - 1
    #[arg(long, value_name = "A..B", default_value = "0..10000", value_parser = seeds)]
    seeds: (u64, u64),

    /// What moves the bytes: direct, an event heap around the state machine, or turmoil, a simulated network on which
    /// the broker is served as on a real one (a hundred times slower)
    #[arg(long, value_name = "NAME", default_value = "direct", value_parser = carrier)]
    carrier: Carrier,

    /// How badly the network behaves: calm, lossy or storm [default: each seed chooses]
    #[arg(long, value_name = "NAME", value_parser = profile)]
    profile: Option<Profile>,

    /// The version that all clients speak, 3.1.1 or 5 [default: each seed chooses]
    #[arg(long = "mqtt", value_name = "VERSION", value_parser = version)]
    version: Option<Version>,

    /// Break the broker on purpose, to see what the rules make of it
    #[arg(long, value_name = "NAME", value_parser = mutant::parse)]
    mutant: Option<Mutant>,

    /// Play this script in place of generated ones
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "profile", "version"])]
    script: Option<PathBuf>,

    /// Store the script of each finding in this folder, to be played again with --script
    #[arg(long, value_name = "DIR", conflicts_with = "script")]
    save: Option<PathBuf>,

    /// How many scripts are played at the same time [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: Option<u16>,

    /// Show what the rules could not decide, too; with --script, the packets
    #[arg(long, short)]
    verbose: bool,

    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let range = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    range.ok_or_else(|| "write two numbers, such as 0..1000".to_owned())
}

fn carrier(text: &str) -> Result<Carrier, String> {
    let found = [Carrier::Direct, Carrier::Turmoil].into_iter().find(|carrier| carrier.name() == text);
    found.ok_or_else(|| "the carriers are direct and turmoil".to_owned())
}

fn profile(text: &str) -> Result<Profile, String> {
    Profile::from_name(text).ok_or_else(|| "the profiles are calm, lossy and storm".to_owned())
}

fn version(text: &str) -> Result<Version, String> {
    match text {
        "3.1.1" => Ok(Version::V3_1_1),
        "5" | "5.0" => Ok(Version::V5),
        _ => Err("the versions are 3.1.1 and 5".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments, colours: Colours) -> Result<Exit, Trouble> {
    let workload = Workload { profile: arguments.profile, version: arguments.version };
    let setup = Setup { workload, mutant: arguments.mutant, ..Setup::default() };
    let stage = Stage { setup, carrier: arguments.carrier };
    let style = Style { colours: colours.wanted && io::stdout().is_terminal() };
    match &arguments.script {
        Some(path) => one_script(arguments, &stage, path, style),
        None => many_seeds(arguments, &stage, style),
    }
}

fn many_seeds(arguments: &Arguments, stage: &Stage, style: Style) -> Result<Exit, Trouble> {
    let (from, to) = arguments.seeds;
    let seeds: Range<u64> = from..to;
    if seeds.is_empty() {
        say(&format!("Nothing to play: there is no seed from {from} to {to}."));
        return Ok(Exit::Undecided);
    }
    let jobs = jobs(arguments.jobs);
    let stop = stop_on_signal()?;
    let begun = Instant::now();
    let bar = bar(arguments.quiet, to - from);
    let simulation = simulation::run(stage, seeds, jobs, &stop, |progress| tell(&bar, progress, begun));
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let simulation = simulation.map_err(|trouble| Trouble::new(trouble.to_string()))?;
    let seconds = begun.elapsed().as_secs_f64();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for finding in &simulation.findings {
        let stored = arguments.save.as_deref().map(|folder| save(folder, finding)).transpose()?;
        let replay = replay(arguments, stored.as_deref(), finding.seed);
        write_finding(&mut out, finding, &replay, style)?;
    }
    write_summary(&mut out, arguments, &simulation, seconds)?;
    out.flush()?;
    Ok(exit(&simulation))
}

/// How many threads: as many as were asked for, or as there are cores.
pub(super) fn jobs(wanted: Option<u16>) -> usize {
    wanted.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

fn exit(simulation: &Simulation) -> Exit {
    match simulation {
        Simulation { interrupted: true, .. } => Exit::Trouble,
        Simulation { findings, .. } if !findings.is_empty() => Exit::Violations,
        Simulation { scripts: 0, .. } => Exit::Undecided,
        _ => Exit::Conforms,
    }
}

/// Stores the script of a finding, under its rule, statement and seed.
fn save(folder: &Path, finding: &SimulationFinding) -> Result<PathBuf, Trouble> {
    let Accusation { rule, version, statements, expected, observed, .. } = &finding.accusation;
    let statement = statements.first().copied().unwrap_or("none");
    let path = folder.join(format!("{rule}_{version}_{statement}_{}.script", finding.seed));
    let comment = format!("# Seed {}: expected {expected}; observed {observed}.", finding.seed);
    let comment: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = format!("{comment}\n{}", text::print(&finding.script));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|error| Trouble::new(format!("cannot store the script {}: {error}", path.display())))?;
    Ok(path)
}

/// The command that plays a stored script, or else one seed, again.
fn replay(arguments: &Arguments, script: Option<&Path>, seed: u64) -> String {
    let mut command = match script {
        Some(path) => format!("mqtt-assay simulate --script {}", path.display()),
        None => format!("mqtt-assay simulate --seeds {seed}..{}", seed + 1),
    };
    if arguments.carrier != Carrier::Direct {
        command.push_str(&format!(" --carrier {}", arguments.carrier.name()));
    }
    // A script has them in it.
    if script.is_none() {
        if let Some(profile) = arguments.profile {
            command.push_str(&format!(" --profile {}", profile.name()));
        }
        if let Some(version) = arguments.version {
            command.push_str(&format!(" --mqtt {version}"));
        }
    }
    if let Some(mutant) = arguments.mutant {
        command.push_str(&format!(" --mutant {}", mutant.name()));
    }
    command
}

fn write_summary(
    out: &mut dyn Write,
    arguments: &Arguments,
    simulation: &Simulation,
    seconds: f64,
) -> io::Result<()> {
    let Simulation { scripts, packets, decided, .. } = simulation;
    let unknown: u64 = simulation.unknown.values().sum();
    let rate = *packets as f64 / seconds.max(0.001);
    writeln!(out, "{scripts} scripts   {packets} packets   {seconds:.1} s   {rate:.0} packets/s")?;
    writeln!(out, "{decided} cases decided for the broker, {unknown} not decided")?;
    if arguments.verbose {
        for (unknown, count) in &simulation.unknown {
            writeln!(out, "  {count:8}  {}: {}", unknown.rule, unknown.why)?;
        }
    }
    writeln!(out, "histories {:016x}: the same for the same seeds, everywhere", simulation.digest)?;
    let broken = match simulation.findings.len() {
        0 => "No rule accuses the broker.".to_owned(),
        1 => "1 accusation.".to_owned(),
        many => format!("{many} different accusations."),
    };
    let interrupted = if simulation.interrupted { "  Interrupted." } else { "" };
    writeln!(out, "{broken}{interrupted}  Exit {}.", exit(simulation).code())
}

/// The first Ctrl-C ends the run with what it has, the second ends the process.
pub(super) fn stop_on_signal() -> Result<Arc<AtomicBool>, Trouble> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(format!("cannot wait for Ctrl-C: {error}")))?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if flag.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(Exit::Trouble.code()));
                }
                say("Interrupted: what was found so far follows. Ctrl-C again ends at once.");
            }
        });
    });
    Ok(stop)
}

fn bar(quiet: bool, length: u64) -> Option<ProgressBar> {
    if quiet || !io::stderr().is_terminal() {
        return None;
    }
    let bar = ProgressBar::new(length);
    // The template is constant; were it wrong, the bar's own would be shown.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {elapsed}  eta {eta}  {wide_msg}")
    {
        bar.set_style(style);
    }
    Some(bar)
}

fn tell(bar: &Option<ProgressBar>, progress: Progress, begun: Instant) {
    let Some(bar) = bar else { return };
    bar.set_position(progress.scripts);
    let rate = progress.packets as f64 / begun.elapsed().as_secs_f64().max(0.001);
    bar.set_message(format!("{rate:.0} packets/s, {} accusations", progress.findings));
}

fn one_script(arguments: &Arguments, stage: &Stage, path: &Path, style: Style) -> Result<Exit, Trouble> {
    let script = script::read(path)?;
    let bounds = Workload::BOUNDS;
    let outcome =
        stage.run_script(script.clone(), bounds).map_err(|trouble| Trouble::new(trouble.to_string()))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let replay = replay(arguments, Some(path), script.seed);
    script::write_findings(&mut out, &script, &outcome, &replay, style)?;
    let failed = !outcome.played.failures.is_empty();
    let good = outcome.verdicts.accusations.is_empty();
    if (arguments.verbose || failed) && good {
        out.write_all(simulation::packets(&outcome.played.history, None).as_bytes())?;
    }
    let exit = if good && !failed { Exit::Conforms } else { Exit::Violations };
    script::write_end(&mut out, &outcome, exit)?;
    out.flush()?;
    Ok(exit)
}
