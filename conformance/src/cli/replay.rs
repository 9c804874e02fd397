//! `replay`: one script against a broker on a real network.

use super::broker::PASSWORD_VARIABLE;
use super::{Colours, Trouble, mutant, quoted, script, target, tls};
use crate::replay::{needs_the_process, replay};
use crate::report::Exit;
use crate::serve::Fault;
use crate::simulation::{self, Style};
use crate::target::Target;
use mqtt_assay_broker_model::history::What;
use mqtt_assay_broker_model::script::{Action, Script, Step};
use mqtt_assay_broker_model::simulate::Outcome;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  every expectation of the script was met, and no rule accuses the broker of breaking a requirement
  1  one was not met, or a requirement is broken (with --strict: or a recommendation is not followed)
  2  wrong usage, the broker cannot be reached, or the run was interrupted
  3  the script expects nothing, and the rules could decide nothing";

/// Play one script to a broker, show the packets, and judge them by the rules
///
/// The script may be one of your own, a finding, or one that `simulate --save` has stored. Its faults are those of
/// the clients and their connections: scripts that crash the broker are for `simulate --script`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The script
    #[arg(value_name = "SCRIPT")]
    script: PathBuf,

    /// The broker: its URL, as for `check`, or `reference` for the embedded one
    #[arg(value_name = "TARGET", default_value = "reference")]
    target: String,

    /// Break the embedded broker on purpose
    #[arg(long, value_name = "NAME", value_parser = mutant::parse_fault)]
    mutant: Option<Fault>,

    /// A recommendation that is not followed fails the run, too
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    tls: tls::TlsArguments,
}

impl Arguments {
    fn target(&self) -> Result<Target, Trouble> {
        let mut target = target::parse(&self.target, self.mutant)?;
        match &mut target {
            Target::Reference { .. } => self.tls.refuse()?,
            Target::Tcp(tcp) => {
                match &mut tcp.transport.tls {
                    Some(tls) => *tls = self.tls.tls(),
                    None => self.tls.refuse()?,
                }
                if tcp.user_name.is_some() && tcp.password.is_none() {
                    tcp.password = std::env::var(PASSWORD_VARIABLE).ok();
                }
            }
        }
        Ok(target)
    }

    /// The command that does the same; a password is not in it.
    fn command(&self, target: &Target) -> String {
        let mut command = format!("mqtt-assay replay {}", quoted(&self.script.display().to_string()));
        match target {
            Target::Reference { mutant } => {
                command.push_str(" reference");
                if let Some(mutant) = mutant {
                    command.push_str(&format!(" --mutant {}", mutant.name()));
                }
            }
            Target::Tcp(tcp) => {
                let mut url = target.to_string();
                if let (Some(user), Some((scheme, rest))) = (&tcp.user_name, url.clone().split_once("://")) {
                    let user =
                        percent_encoding::utf8_percent_encode(user, percent_encoding::NON_ALPHANUMERIC);
                    url = format!("{scheme}://{user}@{rest}");
                }
                command.push_str(&format!(" {}{}", quoted(&url), self.tls.command()));
            }
        }
        if self.strict {
            command.push_str(" --strict");
        }
        command
    }
}

pub(super) fn run(arguments: &Arguments, colours: Colours) -> Result<Exit, Trouble> {
    let target = arguments.target()?;
    let script = script::read(&arguments.script)?;
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
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            outcome = replay(script.clone(), &target) => outcome.map_err(|error| Trouble::new(error.to_string())),
            _ = tokio::signal::ctrl_c() => Err(Trouble::new("interrupted before the script was over")),
        }
    })?;
    if !was_reached(&outcome) {
        return Err(Trouble::new(format!(
            "cannot reach {target}: none of the script's connections could be opened; is the broker there?"
        )));
    }
    let style = Style { colours: colours.wanted && io::stdout().is_terminal() };
    let exit = exit(&script, &outcome, arguments.strict);
    let mut out = io::BufWriter::new(io::stdout().lock());
    if outcome.verdicts.accusations.is_empty() {
        out.write_all(simulation::packets(&outcome.played.history, None).as_bytes())?;
    }
    script::write_findings(&mut out, &script, &outcome, &arguments.command(&target), style)?;
    script::write_end(&mut out, &outcome, exit)?;
    out.flush()?;
    Ok(exit)
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
