//! `check`: the run.

use super::broker::{BrokerArguments, Meant, seconds};
use super::outputs::{Outputs, Wanted};
use super::progress::Shown;
use super::{Colours, Trouble, baseline, look, mutant, say};
use crate::check::Check;
use crate::checks;
use crate::outcome::{CheckResult, Run};
use crate::process;
use crate::report::json::{self, Begun, Report};
use crate::report::terminal::{self, Look};
use crate::report::{Context, Exit};
use crate::run::{self, PATIENCE, Progress};
use crate::select::Selection;
use crate::serve::Fault;
use indicatif::ProgressBar;
use mqtt_assay_codec::Version;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// What one check may take unless told otherwise: generous, since only a broker that hangs makes use of it.
const DEADLINE_SECONDS: &str = "60";

const EXIT_CODES: &str = "\
Exit codes:
  0  the broker conforms: something was shown, nothing is broken, nothing is left in doubt
  1  a requirement is broken (with --strict: or a recommendation is not followed); with --baseline:
     one that it does not know, or the baseline has an entry that nothing fits any more
  2  wrong usage, the run could not begin, or it was interrupted
  3  nothing is broken, but nothing was shown either, or some check was inconclusive";

/// Run the checks against a broker
///
/// Connects many clients to the broker, side by side, and judges what it answers. Each client id and topic is
/// new, so that a broker in use is not disturbed and two runs do not meet.
#[derive(clap::Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The broker: mqtt://[USER[:PASSWORD]@]HOST[:PORT], the same with mqtts://, ws:// or wss:// (and /PATH, if it
    /// is not /mqtt), the path of its profile (TOML; see docs/profile.md), or `reference` for the embedded one, which
    /// is meant if nothing is named
    target: Option<String>,

    /// The MQTT version to check, 3.1, 3.1.1 or 5; may be given several times [default: those that the broker accepts]
    #[arg(long = "mqtt", value_name = "VERSION", value_parser = version)]
    versions: Vec<Version>,

    /// Run only checks that match: a statement id, a section (3.3), a check's name (publish/, *retain*)
    #[arg(long, value_name = "PATTERN", help_heading = "Selection")]
    only: Vec<String>,

    /// Leave out checks that match
    #[arg(long, value_name = "PATTERN", help_heading = "Selection")]
    skip: Vec<String>,

    /// How many checks run at the same time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: u16,

    /// The number that names and choices are drawn from; repeats a run [default: a random one, printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// The most that one check may take, beside the timers of the specification that it waits for
    #[arg(long, value_name = "SECONDS", default_value = DEADLINE_SECONDS, value_parser = seconds)]
    timeout: Duration,

    /// Break the embedded broker on purpose, to see what the checks make of it
    #[arg(long, value_name = "NAME", value_parser = mutant::parse_fault, help_heading = "Broker")]
    mutant: Option<Fault>,

    #[command(flatten)]
    broker: BrokerArguments,

    /// Write a report when the run is over: json, html, junit, sarif, markdown, tap, badge (SVG), badge-json, or github
    /// (annotations); `-` is the standard output. Until then, PATH.partial holds the results so far (json only)
    #[arg(long, value_name = "FORMAT=PATH", help_heading = "Output")]
    report: Vec<Wanted>,

    /// Print the result as JSON; the same as --report json=-
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Write the packets of all checks as a capture (pcapng) that Wireshark reads: each connection is a TCP stream with
    /// the whole bytes of MQTT, without TLS or WebSocket, with comments that name check and statement; `-` is the
    /// standard output
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pcap: Option<PathBuf>,

    /// Let recommendations that are not followed fail the run
    #[arg(long, help_heading = "Output")]
    strict: bool,

    /// Show the packets of every check, with all bytes
    #[arg(long, short, help_heading = "Output")]
    verbose: bool,

    /// Show no progress, and of the result the last line only
    #[arg(long, short, conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,

    /// The failures that are known (TOML; see docs/baseline.md): they do not fail the run, new ones do, and so do
    /// entries that nothing fits any more
    #[arg(long, value_name = "FILE", help_heading = "Baseline")]
    baseline: Option<PathBuf>,

    /// Write the baseline that this run passes; reasons of what still fails are kept
    #[arg(long, requires = "baseline", help_heading = "Baseline")]
    accept: bool,
}

/// Reads the version as `--mqtt` takes it.
pub(super) fn version(text: &str) -> Result<Version, String> {
    match text {
        "3.1.1" => Ok(Version::V3_1_1),
        "5" | "5.0" => Ok(Version::V5),
        "3.1" => Ok(Version::V3_1),
        _ => Err("the versions are 3.1, 3.1.1 and 5".to_owned()),
    }
}

impl Arguments {
    fn checks(&self) -> Result<Vec<&'static Check>, Trouble> {
        let selection =
            Selection { only: self.only.clone(), skip: self.skip.clone(), versions: self.versions.clone() };
        selection.of(&checks::all()).map_err(|no_match| Trouble::new(no_match.to_string()))
    }

    /// The command that checks the same broker in the same way, up to the selection. A password is not in it.
    fn command(&self, meant: &Meant) -> String {
        let mut command = format!("mqtt-assay check{}", self.broker.command(self.target.as_deref(), meant));
        if Ok(self.timeout) != seconds(DEADLINE_SECONDS) {
            command.push_str(&format!(" --timeout {}", self.timeout.as_secs_f64()));
        }
        command
    }
}

/// Runs the checks and tells the result.
pub(super) fn run(arguments: &Arguments, colours: Colours) -> Result<Exit, Trouble> {
    let meant = arguments.broker.meant(arguments.target.as_deref(), arguments.mutant)?;
    let checks = arguments.checks()?;
    let mut versions = arguments.versions.clone();
    versions.sort_unstable();
    versions.dedup();
    if checks.is_empty() {
        say("Nothing to check: --skip leaves out everything that was selected.");
        return Ok(Exit::Undecided);
    }
    let seed = match arguments.seed {
        Some(seed) => seed,
        // Half the bits are plenty, and easier to type again.
        None => getrandom::u32().map(u64::from).map_err(|error| {
            Trouble::new(format!("the system gives no random seed ({error}); give --seed"))
        })?,
    };
    let gate = match &arguments.baseline {
        Some(path) => Some(baseline::open(path, arguments.accept)?),
        None => None,
    };
    let broker = meant.file.as_ref().and_then(|profile| profile.broker.title());
    let mut context = Context {
        command: arguments.command(&meant),
        broker: broker.clone(),
        strict: arguments.strict,
        gate,
    };
    let mut wanted = arguments.report.clone();
    if arguments.json {
        wanted.push(Wanted::JSON_TO_STDOUT);
    }
    let begun = Begun::new(meant.target.to_string(), broker, seed, arguments.strict);
    let mut outputs = Outputs::open(wanted, arguments.pcap.clone(), arguments.verbose, &begun)?;
    let options = run::Options {
        target: meant.target,
        profile: meant.profile,
        process: meant.recipe,
        versions,
        checks,
        jobs: usize::from(arguments.jobs),
        seed,
        deadline: arguments.timeout,
        patience: PATIENCE.min(arguments.timeout),
        capture: arguments.pcap.is_some(),
    };
    let mut keep = |result: &CheckResult| outputs.keep(result, || context.replay(seed, result));
    let outcome = play(&options, &mut keep, arguments.quiet);
    let run = match outcome {
        Ok(run) => run,
        Err(trouble) => {
            outputs.discard();
            return Err(trouble);
        }
    };
    let accepted = match (&arguments.baseline, &mut context.gate) {
        (Some(path), Some(gate)) if arguments.accept => baseline::accept(path, gate, &run, arguments.strict),
        _ => Ok(()),
    };
    let exit = context.exit(&run);
    let report = json::report(&run, &context, arguments.verbose);
    let to_stderr = outputs.takes_stdout();
    let look = look(colours, to_stderr, arguments.verbose);
    let shown = show(&report, arguments.quiet, &look, to_stderr);
    outputs.finish(&run, &report)?;
    accepted?;
    match shown {
        // Whoever reads our output has seen enough; what the run earned stands.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Trouble::Output(error)),
        Ok(()) | Err(_) => Ok(exit),
    }
}

fn play(
    options: &run::Options,
    keep: &mut (dyn FnMut(&CheckResult) + Send),
    quiet: bool,
) -> Result<Run, Trouble> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Trouble::new(format!("cannot start the threads of the run: {error}")))?;
    let mut shown = Shown::new(quiet);
    let bar = shown.bar();
    let outcome = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let signals = tokio::spawn(stop_on_signal(stop, bar));
        let mut progress = |progress: Progress<'_>| {
            if let Progress::Finished(result) = &progress {
                keep(result);
            }
            shown.tell(&progress);
        };
        let outcome = run::run(options, stopped, &mut progress).await;
        signals.abort();
        outcome
    });
    // A name server that does not answer must not hold up the end.
    runtime.shutdown_background();
    shown.end();
    outcome.map_err(|error| Trouble::new(error.to_string()))
}

/// The first Ctrl-C ends the run with what it has, the second ends the process.
async fn stop_on_signal(stop: watch::Sender<bool>, bar: Option<ProgressBar>) {
    if told_to_end().await.is_err() {
        // No handler could be set up, so Ctrl-C ends the process. The sender must live on: it is not a stop.
        std::future::pending::<()>().await;
    }
    let line = "Interrupted: the result so far follows. Ctrl-C again ends at once.";
    match bar {
        Some(bar) => bar.println(line),
        None => say(line),
    }
    // The run may just have ended by itself.
    let _ = stop.send(true);
    if told_to_end().await.is_ok() {
        process::kill_all();
        std::process::exit(i32::from(Exit::Trouble.code()));
    }
}

/// Waits for Ctrl-C, or for SIGTERM, which a broker of ours must not outlive either.
///
/// # Errors
///
/// There is no handler for them: they end the process at once.
pub async fn told_to_end() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn show(report: &Report, quiet: bool, look: &Look, to_stderr: bool) -> io::Result<()> {
    let mut out: Box<dyn Write> = if to_stderr {
        Box::new(io::stderr().lock())
    } else {
        Box::new(io::BufWriter::new(io::stdout().lock()))
    };
    if quiet {
        terminal::write_last_line(&mut out, report, look)?;
    } else {
        terminal::write(&mut out, report, look)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// What was asked for is repeated: the URL, and the options of TLS, in the shell's spelling.
    #[test]
    fn commands_repeat_the_target_and_its_options() {
        for (given, repeated) in [
            ("mqtt://u:p@h", "mqtt://h:1883 --user u"),
            ("ws://h:8083/a?b=c", "'ws://h:8083/a?b=c'"),
            ("wss://h --insecure", "wss://h:443/mqtt --insecure"),
            (
                "mqtts://h --ca /a.pem --cert c.pem --key it's.pem --server-name n",
                r"mqtts://h:8883 --ca /a.pem --cert c.pem --key 'it'\''s.pem' --server-name n",
            ),
        ] {
            let words = std::iter::once("check").chain(given.split(' '));
            let arguments =
                Line::try_parse_from(words).unwrap_or_else(|error| panic!("{given}: {error}")).arguments;
            let meant = arguments.broker.meant(arguments.target.as_deref(), None);
            let meant = meant.unwrap_or_else(|error| panic!("{given}: {error}"));
            assert_eq!(arguments.command(&meant), format!("mqtt-assay check {repeated}"));
        }
    }
}
