//! The command: what it understands.

use crate::broker::{self, Broker, Choice, Listener};
use crate::install;
use crate::matrix::Lab;
use crate::pages;
use crate::places::Places;
use crate::play::{Assay, Player, Stop};
use crate::results;
use crate::review::Reviews;
use crate::session::{self, Outcome, Part, Plan, What};
use crate::stability;
use clap::{Parser, Subcommand};
use mqtt_assay::report::html;
use mqtt_assay::report::json::Report;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::watch;

/// The first argument that makes this program mqtt-assay, so that one program is all that a lab needs.
const BUILT_IN: &str = "mqtt-assay";

const EXIT_CODES: &str = "\
Exit codes:
  0  every broker was run, and whatever one of them violates has a review (fuzz: nothing was found)
  1  something is violated that nobody has reviewed, or runs of the same broker differ (fuzz: something was found)
  2  wrong usage, a broker could not be run, or the lab was interrupted
  3  nothing of that, but some check was inconclusive that is not so in the published results";

/// Runs mqtt-assay against a lab of real brokers, and holds each verdict against its review.
#[derive(Parser, Debug)]
#[command(name = "mqtt-assay-lab", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    /// The root of a clone of mqtt-assay [default: the folder that this runs in, or one above]
    #[arg(long, global = true, value_name = "FOLDER")]
    root: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the brokers
    List,
    /// Install brokers, each in its pinned version
    Install(Chosen),
    /// Check brokers over all their transports, and put them side by side
    Check(Check),
    /// Hunt brokers, each for the same time
    Fuzz(Fuzz),
    /// Tell which accusations of the published results lack a review, with their packets
    Reviews(Chosen),
    /// Write the pages of the manual from the published results and their reviews
    Matrix,
}

/// Which brokers are meant.
#[derive(clap::Args, Debug)]
struct Chosen {
    /// The brokers' names, which `list` tells
    #[arg(value_name = "NAME", conflicts_with_all = ["fast", "all"])]
    names: Vec<String>,

    /// Those that are installed and started in seconds
    #[arg(long, conflicts_with = "all")]
    fast: bool,

    /// All
    #[arg(long)]
    all: bool,
}

/// How they are run.
#[derive(clap::Args, Debug)]
struct Running {
    /// Where the results go [default: results or fuzz, in the folder of what is installed]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// How many brokers run at the same time, beside those whose checks run one by one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,

    /// Take results as they are that an earlier run has left, or go on with its hunts
    #[arg(long)]
    resume: bool,

    /// The mqtt-assay to run [default: the one that is built in]
    #[arg(long, value_name = "FILE")]
    assay: Option<PathBuf>,

    /// Further arguments for mqtt-assay
    #[arg(last = true, value_name = "ARGUMENT")]
    extra: Vec<OsString>,
}

#[derive(clap::Args, Debug)]
struct Check {
    #[command(flatten)]
    chosen: Chosen,

    #[command(flatten)]
    running: Running,

    /// How many runs to make of each, with seeds in a row, and to compare
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,

    /// The seed of the first run
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Publish the results: put them into lab/results, and write the pages of the manual
    #[arg(long, conflicts_with = "extra")]
    publish: bool,
}

#[derive(clap::Args, Debug)]
struct Fuzz {
    #[command(flatten)]
    chosen: Chosen,

    #[command(flatten)]
    running: Running,

    /// How long to hunt each, as 90s, 20m or 8h
    #[arg(long, value_name = "TIME")]
    time: String,
}

impl Chosen {
    fn brokers(&self, places: &Places) -> Result<Vec<Broker>, String> {
        let choice = match (self.fast, self.all) {
            (true, _) => Choice::Fast,
            (_, true) => Choice::All,
            _ if self.names.is_empty() => {
                return Err(
                    "which brokers? Name some (`list` tells their names), or give --fast or --all".to_owned()
                );
            }
            _ => Choice::Named(self.names.clone()),
        };
        broker::chosen(broker::all(places)?, &choice)
    }
}

/// Runs the command with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == BUILT_IN) {
        return mqtt_assay::cli::run(arguments.into_iter().skip(1));
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return mqtt_assay::cli::refuse(&error, "mqtt-assay-lab"),
    };
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<u8, String> {
    let places = Places::find(cli.root.as_deref())?;
    match &cli.command {
        Command::List => list(&places).map(|()| 0),
        Command::Install(chosen) => install_all(&places, &chosen.brokers(&places)?),
        Command::Check(arguments) => check(&places, arguments),
        Command::Fuzz(arguments) => fuzz(&places, arguments),
        Command::Reviews(chosen) => unreviewed(&places, &chosen.brokers(&places)?),
        Command::Matrix => write_pages(&places).map(|()| 0),
    }
}

fn list(places: &Places) -> Result<(), String> {
    for broker in broker::all(places)? {
        let about = &broker.about;
        let (versions, transports) = (about.versions.join(" "), about.transports.join(" "));
        let part = match &about.not_run {
            Some(why) => format!("not run: {why}"),
            None if about.installs_in_seconds => "fast".to_owned(),
            None => String::new(),
        };
        let line = format!("{:<12} {:<28} {versions:<14} {transports:<14} {part}", broker.id, broker.title());
        println!("{}", line.trim_end());
    }
    Ok(())
}

fn install_all(places: &Places, brokers: &[Broker]) -> Result<u8, String> {
    let mut failed = false;
    for broker in brokers {
        match install::install(places, broker) {
            Ok(()) => println!("{:<12} {} is installed", broker.id, broker.title()),
            Err(why) => {
                failed = true;
                println!("{:<12} {why}", broker.id);
            }
        }
    }
    Ok(if failed { 2 } else { 0 })
}

/// Plays a session, which Ctrl-C or SIGTERM ends.
fn play(places: &Places, running: &Running, plan: &Plan, parts: Vec<Part>) -> Result<Outcome, String> {
    fs::create_dir_all(&plan.out).map_err(|error| format!("cannot make {}: {error}", plan.out.display()))?;
    let assay = match &running.assay {
        Some(program) => Assay {
            program: std::path::absolute(program).unwrap_or_else(|_| program.clone()),
            first: Vec::new(),
        },
        None => {
            let own = std::env::current_exe()
                .map_err(|error| format!("cannot tell where this program is: {error}"))?;
            Assay { program: own, first: vec![BUILT_IN.into()] }
        }
    };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("cannot begin: {error}"))?;
    let outcome = runtime.block_on(async {
        let (stopper, stop) = watch::channel(Stop::No);
        let signals = tokio::spawn(async move {
            for how in [Stop::InOrder, Stop::AtOnce] {
                if mqtt_assay::cli::told_to_end().await.is_err() {
                    // Without a handler the signal ends the lab.
                    std::future::pending::<()>().await;
                }
                eprintln!(
                    "Interrupted: the brokers are ended. What is done is kept, --resume goes on with it."
                );
                let _ = stopper.send(how);
            }
            stopper.closed().await;
        });
        let player = Player { places: places.clone(), assay, stop };
        let outcome = session::play(&player, parts, plan, |line| println!("{line}")).await;
        signals.abort();
        outcome
    });
    Ok(outcome)
}

fn plan(places: &Places, running: &Running, folder: &str, what: What) -> Plan {
    let out = running.out.clone().unwrap_or_else(|| places.out(folder));
    Plan {
        out: std::path::absolute(&out).unwrap_or(out),
        jobs: usize::from(running.jobs),
        what,
        resume: running.resume,
        extra: running.extra.clone(),
    }
}

fn check(places: &Places, arguments: &Check) -> Result<u8, String> {
    let brokers = arguments.chosen.brokers(places)?;
    let what = What::Check { seed: arguments.seed, runs: arguments.runs };
    let plan = plan(places, &arguments.running, "results", what);
    let before = results::published(&places.published())?;
    let outcome = play(places, &arguments.running, &plan, in_turns(&brokers, &before))?;
    let first: BTreeMap<String, Report> = outcome
        .reports
        .iter()
        .filter_map(|(name, runs)| Some((name.clone(), runs.first()?.clone())))
        .collect();
    let with_reviews = |brokers: &[Broker]| -> Result<Vec<(Broker, Reviews)>, String> {
        brokers.iter().map(|broker| Ok((broker.clone(), Reviews::read(places, broker)?))).collect()
    };
    let lab = Lab { brokers: with_reviews(&brokers)?, results: first, failures: outcome.failures.clone() };
    let differ = tell_differences(&outcome.reports, &lab);
    let matrix = plan.out.join("matrix.md");
    write(&matrix, &lab.page())?;
    println!("\nmatrix      {}", matrix.display());
    if let Some(page) = comparison(&plan.out, &lab)? {
        println!("comparison  {}", page.display());
    }
    if arguments.publish && !outcome.stopped {
        publish(places, &lab)?;
        write_pages(places)?;
        println!("published   {}", places.published().display());
    }
    let mut lacking = 0;
    for (broker, reviews) in &lab.brokers {
        let own =
            broker.listeners.iter().filter_map(|listener| outcome.reports.get(&listener.result(broker)));
        let own: Vec<&Report> = own.flatten().collect();
        for ((statement, check), _) in reviews.lacking(own) {
            println!("{}: {statement} by {check} is not reviewed", broker.id);
            lacking += 1;
        }
    }
    let published = results::published(&places.published())?;
    let doubtful = outcome.reports.iter().any(|(name, runs)| {
        let known = published.get(name).map(results::inconclusive).unwrap_or_default();
        runs.iter().any(|run| !results::inconclusive(run).is_subset(&known))
    });
    Ok(match () {
        () if outcome.stopped || !outcome.failures.is_empty() => 2,
        () if lacking > 0 || differ => 1,
        () if doubtful || outcome.reports.is_empty() => 3,
        () => 0,
    })
}

/// In which order the listeners begin: first those of the broker that has most left to do, its slowest first, by the time
/// that their published results took; those without a result are taken for the slowest. So brokers run side by side that
/// are not alike, of which some are busy and others wait, and none is left to run alone at the end.
fn in_turns(brokers: &[Broker], published: &BTreeMap<String, Report>) -> Vec<Part> {
    let took = |part: &Part| {
        let known = published.get(&part.listener.result(&part.broker));
        known.map_or(u64::MAX, |report| report.elapsed_ms)
    };
    let of_one = |broker| {
        let mut own = parts(broker, &broker.listeners);
        own.sort_by_key(took);
        // What is left once all that are slower have begun.
        own.into_iter().scan(0_u64, |left, part| {
            *left = left.saturating_add(took(&part));
            Some((*left, part))
        })
    };
    let mut all: Vec<(u64, Part)> = brokers.iter().flat_map(of_one).collect();
    all.sort_by_key(|(left, _)| Reverse(*left));
    all.into_iter().map(|(_, part)| part).collect()
}

fn parts(broker: &Broker, listeners: &[Listener]) -> Vec<Part> {
    let broker = Arc::new(broker.clone());
    listeners.iter().map(|listener| Part { broker: broker.clone(), listener: listener.clone() }).collect()
}

/// Puts the results where they are published from.
fn publish(places: &Places, lab: &Lab) -> Result<(), String> {
    let mut folders = vec![std::path::absolute(places.root()).unwrap_or_else(|_| places.root().to_owned())];
    folders.extend(std::env::home_dir());
    for (broker, _) in lab.brokers.iter().filter(|(broker, _)| broker.about.not_published.is_none()) {
        for listener in &broker.listeners {
            let name = listener.result(broker);
            let Some(report) = lab.results.get(&name) else { continue };
            let beside = |other: &&Listener| other.profile == listener.profile;
            let first = broker.listeners.iter().find(beside).filter(|first| *first != listener);
            let first = first.and_then(|first| lab.results.get(&first.result(broker)));
            results::publish(&places.published(), &name, report, first, &folders)?;
        }
    }
    Ok(())
}

/// Tells what differs between runs of the same broker, and whether something does that nobody has explained.
fn tell_differences(reports: &BTreeMap<String, Vec<Report>>, lab: &Lab) -> bool {
    let mut unexplained = false;
    for (broker, reviews) in &lab.brokers {
        for name in broker.listeners.iter().map(|listener| listener.result(broker)) {
            let Some(runs) = reports.get(&name).filter(|runs| runs.len() > 1) else { continue };
            let differences = stability::differences(runs);
            if differences.is_empty() {
                println!("{name}: {} runs with the same verdicts", runs.len());
            }
            for difference in differences {
                println!("{name}: {}", difference.told());
                difference.observed.iter().for_each(|sentence| println!("    {sentence}"));
                match reviews.varies(&difference) {
                    Some(why) => println!("    explained: {}", pages::line(why)),
                    None => unexplained = true,
                }
            }
        }
    }
    unexplained
}

/// The page for the browser that puts the brokers side by side, each over its first transport.
fn comparison(out: &Path, lab: &Lab) -> Result<Option<PathBuf>, String> {
    let named = |(title, report): (String, &Report)| Report { broker: Some(title), ..report.clone() };
    let reports: Vec<Report> = lab.named().into_iter().map(named).collect();
    if reports.is_empty() {
        return Ok(None);
    }
    let page = out.join("comparison.html");
    let text = html::page(&reports).map_err(|error| format!("the comparison was not written: {error}"))?;
    write(&page, &text)?;
    Ok(Some(page))
}

fn fuzz(places: &Places, arguments: &Fuzz) -> Result<u8, String> {
    let brokers = arguments.chosen.brokers(places)?;
    let what = What::Fuzz { time: arguments.time.clone() };
    let plan = plan(places, &arguments.running, "fuzz", what);
    let first =
        brokers.iter().flat_map(|broker| parts(broker, broker.listeners.get(..1).unwrap_or_default()));
    let outcome = play(places, &arguments.running, &plan, first.collect())?;
    println!("\nresults     {}", plan.out.display());
    Ok(match () {
        () if outcome.stopped || !outcome.failures.is_empty() => 2,
        () if outcome.findings.values().any(|number| *number > 0) => 1,
        () => 0,
    })
}

fn published(places: &Places) -> Result<Lab, String> {
    let brokers = broker::all(places)?;
    let brokers: Result<Vec<_>, String> = brokers
        .into_iter()
        .map(|broker| Reviews::read(places, &broker).map(|reviews| (broker, reviews)))
        .collect();
    let results = results::published(&places.published())?;
    Ok(Lab { brokers: brokers?, results, failures: BTreeMap::new() })
}

/// The pages of the manual that are written from what is published, by their files.
///
/// # Errors
///
/// Something that is published cannot be read: one sentence.
pub fn pages(places: &Places) -> Result<Vec<(PathBuf, String)>, String> {
    let lab = published(places)?;
    let manual = places.manual();
    Ok(vec![(manual.join("matrix.md"), lab.page()), (manual.join("reviews.md"), pages::reviews(&lab))])
}

fn write_pages(places: &Places) -> Result<(), String> {
    pages(places)?.iter().try_for_each(|(path, text)| write(path, text))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Tells what reviews are missing, and which have nothing to speak of.
fn unreviewed(places: &Places, brokers: &[Broker]) -> Result<u8, String> {
    let lab = published(places)?;
    let mut wrong = 0;
    for (broker, reviews) in lab.brokers.iter().filter(|(broker, _)| brokers.contains(broker)) {
        let own = || broker.listeners.iter().filter_map(|listener| lab.results.get(&listener.result(broker)));
        for ((statement, check), accusation) in reviews.lacking(own()) {
            wrong += 1;
            println!("{}: {statement} by {check}", broker.id);
            println!("    expected   {}", accusation.finding.expected);
            println!("    observed   {}", accusation.finding.observed);
            for logged in accusation.entry.log.iter().flatten() {
                println!("    {:>8} {:<6} {}", logged.client, format!("{:?}", logged.direction), logged.text);
            }
        }
        for idle in reviews.idle(own()) {
            wrong += 1;
            println!("{}: {idle} is reviewed and not violated", broker.id);
        }
    }
    Ok(u8::from(wrong > 0))
}
