//! Installs brokers, as their folders say.

use crate::broker::Broker;
use crate::places::{Places, VARIABLE};
use std::process::{Command, Stdio};

/// Installs a broker, unless it is installed already.
///
/// # Errors
///
/// It cannot be: the last lines that its script printed, in one.
pub fn install(places: &Places, broker: &Broker) -> Result<(), String> {
    let script = broker.file("install.sh");
    let done = Command::new(places.root().join(&script))
        .current_dir(places.root())
        .env(VARIABLE, places.installed_whole())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", script.display()))?;
    if done.status.success() {
        return Ok(());
    }
    let said = [done.stdout.as_slice(), done.stderr.as_slice()].concat();
    Err(format!("{} ended with {}: {}", script.display(), done.status, last_lines(&said, 3)))
}

/// The last lines of an output that say something, joined.
pub fn last_lines(output: &[u8], number: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.get(lines.len().saturating_sub(number)..) {
        None | Some([]) => "it said nothing".to_owned(),
        Some(last) => last.join(" / "),
    }
}
