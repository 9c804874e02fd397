//! What a broker leaves behind: processes that have left its group, or outlive it because what watched over it was
//! killed.
//!
//! Each run marks what it starts by a variable of the environment, which children inherit; where the system shows the
//! environment of processes (Linux), those that still bear the mark are ended.

use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// How long what is killed may take to be gone.
const GONE: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The variable that marks what a run has started.
pub const MARK: &str = "MQTT_ASSAY_LAB_RUN";

/// The processes that bear the mark.
pub fn marked(mark: &str) -> Vec<i32> {
    let wanted = format!("{MARK}={mark}");
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<i32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| bears(*pid, wanted.as_bytes()))
        .collect();
    found.sort_unstable();
    found
}

/// Whether the environment of a process has the entry; a dead one, or another user's, has none.
fn bears(pid: i32, entry: &[u8]) -> bool {
    let environment = std::fs::read(Path::new("/proc").join(pid.to_string()).join("environ"));
    environment.is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == entry))
}

/// Kills what still bears the mark, waits until it is gone, and says how many processes that were: on a busy machine the
/// system takes its time, and until then they hold the port that the next run wants.
pub async fn end(mark: &str) -> usize {
    let found = marked(mark);
    let until = Instant::now() + GONE;
    let mut left = found.clone();
    while !left.is_empty() && Instant::now() < until {
        left.iter().for_each(|pid| kill(*pid));
        tokio::time::sleep(PAUSE).await;
        left = marked(mark);
    }
    found.len()
}

#[cfg(unix)]
fn kill(pid: i32) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = Pid::from_raw(pid) {
        // It may just have ended.
        let _ = kill_process(pid, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill(_: i32) {}

/// Asks a process to end, as Ctrl-C does: both `check` and `fuzz` end their broker then.
#[cfg(unix)]
pub fn ask_to_end(pid: Option<u32>) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::INT);
    }
}

/// Without signals it is killed when it is dropped.
#[cfg(not(unix))]
pub fn ask_to_end(_: Option<u32>) {}
