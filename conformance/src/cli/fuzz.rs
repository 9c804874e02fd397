//! `fuzz`: hunts a broker over the network.

use super::broker::{self, Meant};
use super::{Colours, Trouble, mutant, say};
use crate::campaign::{
    self, CONNECTIONS, CampaignTrouble, Found, HANG, MINIMISING, Options, PROMPTNESS, Progress, Record,
    Shard, Status, Summary,
};
use crate::report::{Exit, printable};
use crate::serve::Fault;
use crate::target::Target;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing was found, or nothing that came again
  1  something was found
  2  wrong usage, the broker cannot be reached, or the results cannot be written
  3  no case was played";

/// Hunt a broker with generated and hostile traffic, for crashes, hangs, leaks and wrong answers
///
/// Cases are played side by side, each under names of its own; the rules that judge `simulate` judge what comes back.
/// What is found is played again, made small, and written into a folder of its own: script, bytes, the statement, the
/// command that replays it. Ctrl-C ends the campaign, and nothing is lost; `--resume` goes on with it.
#[derive(clap::Args, Debug)]
#[command(after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,

    /// The broker: its URL or its profile, as for `check`, or `reference` for the embedded one [default: reference]
    #[arg(value_name = "TARGET")]
    target: Option<String>,

    /// Break the embedded broker on purpose
    #[arg(long, value_name = "NAME", value_parser = mutant::parse_fault)]
    mutant: Option<Fault>,

    /// The number of the broker's process on this machine, to watch it
    #[arg(long, value_name = "N", conflicts_with = "spawn")]
    pid: Option<u32>,

    /// Hunt for so long, as 90s, 20m or 8h; what was found is looked into to the end afterwards, which may take a minute
    /// [default: until Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,

    /// Play so many cases [default: as many as there is time for]
    #[arg(long, value_name = "N")]
    cases: Option<u64>,

    /// End when so many things are found
    #[arg(long, value_name = "N")]
    findings: Option<usize>,

    /// Decides which cases are generated [default: a new one each time, which is printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// How many cases are played side by side
    #[arg(long, value_name = "N", default_value_t = CONNECTIONS as u16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,

    /// Where the cases are kept to which the broker answered in a new way [default: OUT/corpus]
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,

    /// Where the results go
    #[arg(long, value_name = "DIR", default_value = "mqtt-assay-fuzz")]
    out: PathBuf,

    /// Go on with the campaign in OUT, after its last case
    #[arg(long)]
    resume: bool,

    /// Play part I of N parts of the campaign
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = shard)]
    shard: Shard,

    /// How long an answer may take before its lack breaks a requirement
    #[arg(long, value_name = "SECONDS", default_value_t = PROMPTNESS.as_secs_f64(), value_parser = number_of_seconds)]
    promptness: f64,

    /// How long a healthy client may go without an answer before the broker hangs
    #[arg(long, value_name = "SECONDS", default_value_t = HANG.as_secs_f64(), value_parser = number_of_seconds)]
    hang: f64,

    /// How long it may take to make the case of a finding small
    #[arg(long, value_name = "SECONDS", default_value_t = MINIMISING.as_secs_f64(), value_parser = number_of_seconds)]
    minimise: f64,

    /// A recommendation that is not followed is a finding, too
    #[arg(long)]
    strict: bool,

    /// The broker is yours, or its owner lets you hunt it: needed for all but loopback addresses
    #[arg(long)]
    authorized: bool,

    /// Keep the cases, too, that lead to new code of the broker: of one that is compiled for AFL and shares the map of
    /// its edges; needs --spawn
    #[arg(long, value_name = "KIND")]
    coverage: Option<Coverage>,

    /// Print the summary as JSON
    #[arg(long)]
    json: bool,

    /// Show no progress
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    broker: broker::BrokerArguments,
}

/// Where the broker's coverage comes from.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Coverage {
    /// System V shared memory, as AFL has it
    Shm,
}

/// What else there is to do.
#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Join the corpora and findings of several campaigns, such as the shards of one
    Merge {
        /// Folders that campaigns have written, as --out
        #[arg(value_name = "OUT", required = true)]
        outs: Vec<PathBuf>,

        /// Where the whole goes
        #[arg(long, value_name = "DIR", default_value = "mqtt-assay-fuzz-merged")]
        into: PathBuf,

        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
}

fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let unit = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("write a number and s, m or h, such as 90s or 20m".to_owned()),
    };
    match number.parse::<f64>() {
        Ok(number) if (0.1..=31_536_000.0).contains(&(number * unit)) => {
            Ok(Duration::from_secs_f64(number * unit))
        }
        _ => Err("write a number and s, m or h, such as 90s or 20m; at most a year".to_owned()),
    }
}

fn number_of_seconds(text: &str) -> Result<f64, String> {
    broker::seconds(text).map(|time| time.as_secs_f64())
}

fn shard(text: &str) -> Result<Shard, String> {
    let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((index, of)) if 1 <= index && index <= of => Ok(Shard { index, of }),
        _ => Err("write I/N, the number of the part from 1 to N, such as 1/4".to_owned()),
    }
}

impl Arguments {
    /// What the campaign does.
    fn options(&self, meant: &Meant) -> Result<Options, Trouble> {
        let random = || {
            getrandom::u64().map_err(|error| Trouble::new(format!("no random number can be had: {error}")))
        };
        let seed = match self.seed {
            Some(seed) => seed,
            // One that is easily typed.
            None => random()? % 1_000_000,
        };
        Ok(Options {
            target: meant.target.clone(),
            process: meant.recipe.clone(),
            pid: self.pid,
            coverage: self.coverage.is_some(),
            time: self.time,
            cases: self.cases,
            findings: self.findings,
            seed,
            connections: usize::from(self.connections),
            corpus: self.corpus.clone(),
            out: self.out.clone(),
            resume: self.resume,
            shard: self.shard,
            promptness: Duration::from_secs_f64(self.promptness),
            hang: Duration::from_secs_f64(self.hang),
            minimising: Duration::from_secs_f64(self.minimise),
            strict: self.strict,
            broker: self.broker.command(self.target.as_deref(), meant),
            nonce: random()?,
        })
    }

    /// Hostile traffic goes to nobody who has not agreed to it.
    fn authorize(&self, target: &Target) -> Result<(), Trouble> {
        let Target::Tcp(tcp) = target else { return Ok(()) };
        if self.authorized {
            return Ok(());
        }
        let is_loopback = |address: IpAddr| address.is_loopback();
        let found = (tcp.host.as_str(), tcp.port).to_socket_addrs().map_err(|error| {
            Trouble::new(format!(
                "cannot resolve the host name {:?} ({error}): check the target's spelling",
                tcp.host
            ))
        })?;
        match found.map(|address| address.ip()).find(|address| !is_loopback(*address)) {
            Some(address) => Err(Trouble::new(format!(
                "{address} is no loopback address: give --authorized if the broker is yours, or its owner lets you hunt it"
            ))),
            None => Ok(()),
        }
    }
}

pub(super) fn run(arguments: &Arguments, _: Colours) -> Result<Exit, Trouble> {
    if let Some(Action::Merge { outs, into, json }) = &arguments.action {
        let summary = campaign::merge(outs, into).map_err(|trouble| Trouble::new(trouble.to_string()))?;
        return end(&summary, *json, into);
    }
    arguments.broker.refuse_for_checks("fuzz")?;
    let meant = arguments.broker.meant(arguments.target.as_deref(), arguments.mutant)?;
    arguments.authorize(&meant.target)?;
    if arguments.pid.is_some() && matches!(meant.target, Target::Reference { .. }) {
        return Err(Trouble::new(
            "the embedded reference broker needs no --pid; leave it out, or name a broker",
        ));
    }
    if arguments.coverage.is_some() && meant.recipe.is_none() {
        return Err(Trouble::new(
            "--coverage needs a broker that the campaign starts, since it is told where to put its map then; give \
             --spawn",
        ));
    }
    let options = arguments.options(&meant)?;
    let shown = Shown::new(arguments.quiet);
    if !arguments.quiet {
        say(&format!("{}   seed {}   results in {}", options.target, options.seed, options.out.display()));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(format!("cannot begin: {error}")))?;
    let summary = runtime.block_on(async {
        let (stopper, stop) = tokio::sync::watch::channel(false);
        let signals = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _ = stopper.send(true);
                // Whoever presses it again does not want to wait for the last findings to be written.
                if tokio::signal::ctrl_c().await.is_ok() {
                    crate::process::kill_all();
                    std::process::exit(i32::from(Exit::Trouble.code()));
                }
            }
        });
        let summary = campaign::run(&options, stop, &mut |progress| shown.tell(&progress)).await;
        signals.abort();
        summary
    });
    runtime.shutdown_background();
    shown.end();
    let summary = summary.map_err(|trouble: CampaignTrouble| Trouble::new(trouble.to_string()))?;
    end(&summary, arguments.json, &arguments.out)
}

/// Prints what the campaign came to.
fn end(summary: &Summary, json: bool, out: &std::path::Path) -> Result<Exit, Trouble> {
    let exit = exit(summary);
    let mut to = io::stdout().lock();
    if json {
        let text = serde_json::to_string_pretty(summary)
            .map_err(|error| Trouble::new(format!("cannot build the summary: {error}")))?;
        writeln!(to, "{text}")?;
        return Ok(exit);
    }
    for found in &summary.findings {
        let mark = if found.counts() { "✗" } else { "?" };
        let doubt = if found.counts() { "" } else { "   not reproduced" };
        let what = if found.statements.is_empty() { found.name.clone() } else { found.statements.join(", ") };
        writeln!(to, "{mark} {what}   {}{doubt}", printable(&found.observed))?;
        writeln!(to, "    {}", out.join("findings").join(&found.name).display())?;
    }
    for remark in &summary.remarks {
        writeln!(to, "note: {}", printable(remark))?;
    }
    let seconds = summary.elapsed_ms as f64 / 1000.0;
    let edges = summary.edges.map_or_else(String::new, |edges| format!("   {edges} edges"));
    writeln!(
        to,
        "{} cases   {} packets   {} signatures{edges}   {} findings   {seconds:.1} s   seed {}   Exit {}.",
        summary.cases,
        summary.packets,
        summary.signatures,
        summary.findings.len(),
        summary.seed,
        exit.code()
    )?;
    Ok(exit)
}

fn exit(summary: &Summary) -> Exit {
    if summary.findings.iter().any(Found::counts) {
        Exit::Violations
    } else if summary.cases == 0 {
        Exit::Undecided
    } else {
        Exit::Conforms
    }
}

/// How a campaign shows that it lives: a line that moves on a terminal, few plain lines elsewhere.
enum Shown {
    Quiet,
    Bar(ProgressBar),
    /// When the next line is due, in seconds since the beginning.
    Lines(std::sync::atomic::AtomicU64),
}

/// Elsewhere than on a terminal a line comes in every so many seconds.
const EVERY: u64 = 10;

impl Shown {
    fn new(quiet: bool) -> Shown {
        if quiet {
            return Shown::Quiet;
        }
        if !io::stderr().is_terminal() {
            return Shown::Lines(EVERY.into());
        }
        let bar = ProgressBar::new_spinner();
        // The template is constant; were it wrong, the bar's own would be shown.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed}  {wide_msg}") {
            bar.set_style(style);
        }
        Shown::Bar(bar)
    }

    fn tell(&self, progress: &Progress<'_>) {
        match (self, progress) {
            (Shown::Quiet, _) => {}
            (Shown::Bar(bar), Progress::Status(status)) => {
                bar.set_message(line(status));
                bar.tick();
            }
            (Shown::Bar(bar), Progress::Finding(record)) => bar.println(found(record)),
            (Shown::Bar(bar), Progress::Remark(remark)) => bar.println(printable(remark)),
            (Shown::Lines(due), Progress::Status(status)) => {
                use std::sync::atomic::Ordering::Relaxed;
                let seconds = status.elapsed.as_secs();
                if seconds >= due.load(Relaxed) {
                    due.store(seconds + EVERY, Relaxed);
                    say(&format!("{seconds} s  {}", line(status)));
                }
            }
            (Shown::Lines(_), Progress::Finding(record)) => say(&found(record)),
            (Shown::Lines(_), Progress::Remark(remark)) => say(&printable(remark)),
        }
    }

    fn end(&self) {
        if let Shown::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(status: &Status) -> String {
    let edges = status.edges.map_or_else(String::new, |edges| format!("{edges} edges  "));
    let rate = |count: u64| count as f64 / status.elapsed.as_secs_f64().max(0.001);
    format!(
        "{} cases ({:.0}/s)  {:.0} packets/s  {} signatures  {edges}{} findings  {} restarts  last new {} s ago",
        status.cases,
        rate(status.cases),
        rate(status.packets),
        status.signatures,
        status.findings,
        status.restarts,
        status.last_new.as_secs()
    )
}

fn found(record: &Record) -> String {
    let mark = if record.reproduced == Some(true) { "✗" } else { "?" };
    format!("{mark} {}", record.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shards_are_read() {
        let seconds = |text| time(text).map(|time| time.as_secs());
        assert_eq!(
            (seconds("90"), seconds("90s"), seconds("1.5m"), seconds("8h")),
            (Ok(90), Ok(90), Ok(90), Ok(28_800))
        );
        assert!(time("0").is_err() && time("3 days").is_err() && time("1e9h").is_err() && time("m").is_err());
        assert_eq!(shard("2/4"), Ok(Shard { index: 2, of: 4 }));
        assert!(shard("0/4").is_err() && shard("5/4").is_err() && shard("1").is_err());
    }
}
