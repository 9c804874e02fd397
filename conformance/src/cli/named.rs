//! What the command line makes of a broker and of a baseline, for those who name them without one.

use super::Trouble;
use super::baseline;
use super::broker::BrokerArguments;
use crate::baseline::Gate;
use crate::outcome::Run;
use crate::process::Recipe;
use crate::setup::Profile;
use crate::target::Target;
use clap::Parser;
use std::path::Path;

#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    broker: BrokerArguments,
}

/// A broker that was named.
pub(crate) struct Named {
    /// Where it is.
    pub(crate) target: Target,
    /// What no packet tells of it.
    pub(crate) profile: Profile,
    /// How it is started, if it shall be.
    pub(crate) process: Option<Recipe>,
    /// The command that checks it, up to the selection, without a password; `None` if no command reaches it.
    pub(crate) command: Option<String>,
}

/// The broker at this URL or of this profile, with the flags of `check`.
///
/// # Errors
///
/// The one sentence that `check` would say.
pub(crate) fn named(target: Option<&str>, flags: &[String]) -> Result<Named, String> {
    let line = Line::try_parse_from(flags).map_err(|error| {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        first.trim_start_matches("error: ").to_owned()
    })?;
    let meant = line.broker.meant(target, None).map_err(|trouble| trouble.to_string())?;
    let command = format!("mqtt-assay check{}", line.broker.command(target, &meant));
    Ok(Named { target: meant.target, profile: meant.profile, process: meant.recipe, command: Some(command) })
}

/// The gate of this file, which must be there unless it shall be written.
///
/// # Errors
///
/// The one sentence that `check` would say.
pub(crate) fn open_baseline(path: &Path, accept: bool) -> Result<Gate, String> {
    baseline::open(path, accept).map_err(|trouble: Trouble| trouble.to_string())
}

/// Writes what the run came to into the gate's file.
///
/// # Errors
///
/// The one sentence that `check` would say.
pub(crate) fn accept_baseline(path: &Path, gate: &mut Gate, run: &Run, strict: bool) -> Result<(), String> {
    baseline::accept(path, gate, run, strict).map_err(|trouble: Trouble| trouble.to_string())
}
