//! `replay`: one script against a broker on a real network.

use super::broker::{self, Meant};
use super::{Colours, Trouble, mutant, quoted, script};
use crate::replay::{
    About, Comparison, Manner, Recorded, Replayed, Source, needs_the_process, replay_as, report,
};
use crate::report::{Exit, printable};
use crate::serve::Fault;
use crate::simulation::{self, Style};
use mqtt_assay_broker_model::history::What;
use mqtt_assay_broker_model::rules::Bounds;
use mqtt_assay_broker_model::script::{Action, Script, Step};
use mqtt_assay_broker_model::simulate::Outcome;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

const EXIT_CODES: &str = "\
Exit codes:
  0  every expectation of the script was met, and no rule accuses the broker of breaking a requirement
  1  one was not met, or a requirement is broken (with --strict: or a recommendation is not followed)
  2  wrong usage, the broker cannot be reached, or the run was interrupted
  3  the script expects nothing, and the rules could decide nothing";

/// Play one script to a broker, show the packets, and judge them by the rules
///
/// The script may be one of your own, a finding, a case of a corpus, or one that `simulate --save` has stored. Where a
/// play of it was recorded, it is told whether the broker does the same, and what differs first. Its faults are those
/// of the clients and their connections: scripts that crash the broker are for `simulate --script`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The script
    #[arg(value_name = "SCRIPT")]
    script: PathBuf,

    /// The broker: its URL or its profile, as for `check`, or `reference` for the embedded one [default: reference]
    #[arg(value_name = "TARGET")]
    target: Option<String>,

    /// Break the embedded broker on purpose
    #[arg(long, value_name = "NAME", value_parser = mutant::parse_fault)]
    mutant: Option<Fault>,

    /// A recommendation that is not followed fails the run, too
    #[arg(long)]
    strict: bool,

    /// How long an answer may take before its lack breaks a requirement
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = broker::seconds)]
    promptness: Duration,

    /// Print what was seen as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    broker: broker::BrokerArguments,
}

impl Arguments {
    /// The command that does the same; a password is not in it.
    fn command(&self, meant: &Meant) -> String {
        let script = quoted(&self.script.display().to_string());
        let mut command =
            format!("mqtt-assay replay {script}{}", self.broker.command(self.target.as_deref(), meant));
        if self.strict {
            command.push_str(" --strict");
        }
        if self.promptness != Bounds::default().promptness {
            command.push_str(&format!(" --promptness {}", self.promptness.as_secs_f64()));
        }
        command
    }
}

pub(super) fn run(arguments: &Arguments, colours: Colours) -> Result<Exit, Trouble> {
    arguments.broker.refuse_for_checks("replay")?;
    let meant = arguments.broker.meant(arguments.target.as_deref(), arguments.mutant)?;
    let target = &meant.target;
    let (script, text) = script::read_text(&arguments.script)?;
    let recorded = Recorded::with(&arguments.script, &text).map_err(Trouble::new)?;
    if needs_the_process(&script) {
        return Err(Trouble::new(format!(
            "{} crashes or restarts the broker, which nobody can do over the network; take these steps out, or play it \
             with `mqtt-assay simulate --script`",
            arguments.script.display()
        )));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(format!("cannot begin: {error}")))?;
    // Names that no earlier play has used.
    let mark =
        getrandom::u64().map_err(|error| Trouble::new(format!("no random number can be had: {error}")))?;
    let manner = Manner { promptness: arguments.promptness, mark };
    let replayed = runtime.block_on(async {
        tokio::select! {
            biased;
            replayed = replay_as(script.clone(), target, meant.recipe.as_ref(), manner) => {
                replayed.map_err(|error| Trouble::new(error.to_string()))
            }
            _ = tokio::signal::ctrl_c() => Err(Trouble::new("interrupted before the script was over")),
        }
    })?;
    let Replayed { outcome, death, .. } = &replayed;
    if !was_reached(outcome) {
        return Err(Trouble::new(format!(
            "cannot reach {target}: none of the script's connections could be opened; is the broker there?"
        )));
    }
    let comparison = recorded.map(|recorded| recorded.compare(&replayed));
    let exit = if death.is_some() { Exit::Violations } else { exit(&script, outcome, arguments.strict) };
    if arguments.json {
        let about = About {
            script: arguments.script.display().to_string(),
            target: target.to_string(),
            replay: arguments.command(&meant),
            exit: exit.code(),
        };
        let text = serde_json::to_string_pretty(&report(about, &replayed, comparison))
            .map_err(|error| Trouble::new(format!("cannot build the report: {error}")))?;
        writeln!(io::stdout().lock(), "{text}")?;
        return Ok(exit);
    }
    let style = Style { colours: colours.wanted && io::stdout().is_terminal() };
    let mut out = io::BufWriter::new(io::stdout().lock());
    if outcome.verdicts.accusations.is_empty() {
        out.write_all(simulation::packets(&outcome.played.history, None).as_bytes())?;
    }
    script::write_findings(&mut out, &script, outcome, &arguments.command(&meant), style)?;
    if let Some(death) = death {
        writeln!(out, "✗ the broker died: {}", printable(&death.to_string()))?;
    }
    if let Some(comparison) = &comparison {
        write_comparison(&mut out, comparison)?;
    }
    script::write_end(&mut out, outcome, exit)?;
    out.flush()?;
    Ok(exit)
}

/// Writes how the play compares with the recorded one.
fn write_comparison(out: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    let (same, other) = match comparison.source {
        Source::Finding => ("the finding comes again", "the finding does not come again"),
        Source::Corpus => {
            ("all answers of the recorded play come again", "some recorded answers do not come again")
        }
    };
    match comparison.same {
        Some(true) => writeln!(out, "recorded   {same}")?,
        Some(false) => writeln!(out, "recorded   {other}: {}", printable(&comparison.missing.join(", ")))?,
        None => writeln!(out, "recorded   whether it comes again one play of a script cannot tell")?,
    }
    let nothing = || "nothing more".to_owned();
    for difference in &comparison.differences {
        let client = match difference.connection {
            0 | 1 => difference.client.clone(),
            more => format!("{}#{more}", difference.client),
        };
        let (was, is) = (difference.recorded.clone(), difference.now.clone());
        writeln!(
            out,
            "           {client} ← {}: it was {}, and is {}",
            difference.number,
            printable(&was.unwrap_or_else(nothing)),
            printable(&is.unwrap_or_else(nothing))
        )?;
    }
    if comparison.packets && comparison.differences.is_empty() {
        writeln!(out, "           the broker did the same to each client")?;
    }
    Ok(())
}

/// Whether not every connection failed.
fn was_reached(outcome: &Outcome) -> bool {
    let mut failed = false;
    let opened = outcome.played.history.iter().any(|event| {
        failed |= event.what == What::Failed;
        event.what == What::Opened
    });
    opened || !failed
}

fn exit(script: &Script, outcome: &Outcome, strict: bool) -> Exit {
    let broken = outcome.verdicts.accusations.iter().any(|accusation| strict || !accusation.deviates);
    let expects = |step: &Step| matches!(step, Step::Client(_, Action::Expect { .. } | Action::Absent(_)));
    if broken || !outcome.played.failures.is_empty() {
        Exit::Violations
    } else if outcome.verdicts.decided == 0 && !script.steps.iter().any(expects) {
        Exit::Undecided
    } else {
        Exit::Conforms
    }
}
