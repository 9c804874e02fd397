//! What the design has and this version has not: accepted by the parser so that it can be refused by name.

use super::Trouble;
use clap::Subcommand;

/// The subcommands to come.
#[derive(Subcommand, Debug)]
pub(super) enum Command {
    #[command(hide = true)]
    Report(Anything),
}

/// Arguments that nobody reads.
#[derive(clap::Args, Debug)]
pub(super) struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

impl Command {
    /// The sentence that refuses it.
    pub(super) fn refusal(&self) -> Trouble {
        let name = match self {
            Command::Report(_) => "report",
        };
        Trouble::new(format!(
            "`mqtt-assay {name}` is not part of this version; `check`, `probe`, `list`, `explain`, `serve`, `simulate`, `replay`, `fuzz` and `prove` are"
        ))
    }
}
