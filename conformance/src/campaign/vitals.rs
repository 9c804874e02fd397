//! What the system tells of a process: its memory, its open files, its time on the processors.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// What a process has at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Vitals {
    /// Resident memory, in bytes.
    pub(super) memory: u64,
    /// Open files and connections.
    pub(super) descriptors: u64,
    /// How long it has run on processors.
    pub(super) busy: Duration,
}

/// Linux tells times in hundredths of a second, on whatever machine.
const TICK: Duration = Duration::from_millis(10);

fn file(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

/// Whether there is a process of this number, and the system tells of it.
pub(super) fn is_there(pid: u32) -> bool {
    // One that has ended, and nobody has taken note of, is a zombie: state Z.
    busy(pid).is_some_and(|(state, _)| state != "Z")
}

/// Its state, and its time on processors.
fn busy(pid: u32) -> Option<(String, Duration)> {
    let text = fs::read_to_string(file(pid, "stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |place: usize| fields.get(place).and_then(|text| text.parse::<u32>().ok());
    Some((fields.first().map(|state| (*state).to_owned())?, TICK * number(11)?.saturating_add(number(12)?)))
}

impl Vitals {
    /// Those of the process of this number; `None` if the system does not tell.
    pub(super) fn of(pid: u32) -> Option<Vitals> {
        let status = fs::read_to_string(file(pid, "status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = resident.trim().trim_end_matches(" kB").trim().parse().ok()?;
        let descriptors = fs::read_dir(file(pid, "fd")).ok()?.count() as u64;
        let (_, busy) = busy(pid)?;
        Some(Vitals { memory: kilobytes << 10, descriptors, busy })
    }
}

/// How long one look at how busy a process is takes: thirty ticks.
const MOMENT: Duration = Duration::from_millis(300);
/// Who uses so much more of a processor than before does not rest.
const REST: f64 = 0.2;

/// The share of a processor that the process has used in the busiest of so many moments, in which nobody asks it for
/// anything.
pub(super) async fn most_use(pid: u32, moments: usize) -> Option<f64> {
    let mut most: f64 = 0.0;
    for _ in 0..moments {
        most = most.max(in_a_moment(pid).await?);
    }
    Some(most)
}

/// The share of a processor that the process has used in the least busy of so many moments, in which nobody asks it for
/// anything; `None` if in one of them it used no more than it does at `rest`, and so has come to rest.
pub(super) async fn restless(pid: u32, moments: usize, rest: f64) -> Option<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..moments {
        least = least.min(in_a_moment(pid).await.filter(|share| *share > rest + REST)?);
    }
    Some(least)
}

async fn in_a_moment(pid: u32) -> Option<f64> {
    let (_, before) = busy(pid)?;
    let begun = tokio::time::Instant::now();
    tokio::time::sleep(MOMENT).await;
    let (_, after) = busy(pid)?;
    Some(after.saturating_sub(before).as_secs_f64() / begun.elapsed().as_secs_f64())
}

/// Whether the process is busy over this time, in which nobody asks it for anything: a tenth of it is enough, since others
/// may want the processors, too.
pub(super) async fn spins(pid: u32, time: Duration) -> bool {
    let Some((_, before)) = busy(pid) else { return false };
    tokio::time::sleep(time).await;
    busy(pid).is_some_and(|(_, after)| after.saturating_sub(before) > time / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_this_process() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let own = Vitals::of(std::process::id()).expect("it is there");
        assert!(own.memory > 1 << 20 && own.descriptors >= 3, "{own:?}");
        assert!(is_there(std::process::id()) && !is_there(u32::MAX));
    }
}
