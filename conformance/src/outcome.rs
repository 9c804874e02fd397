//! What came out of a check: its verdict, the findings behind it, and the packets as proof.

use crate::check::{Check, Cite};
use crate::digest::Digest;
use crate::process::Death;
use crate::report::pcapng;
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
use std::net::SocketAddr;
use std::time::Duration;

/// One thing that a check found.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// How much it weighs.
    pub verdict: Verdict,
    /// The statement that it speaks of, if one in particular.
    pub statement: Option<Cite>,
    /// What the specification allows here; empty where nothing was expected.
    pub expected: String,
    /// What was seen, or why nothing could be told.
    pub observed: String,
    /// Index of the log entry that shows it.
    pub at: Option<usize>,
}

/// Which way a logged event went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// To the broker.
    Sent,
    /// From the broker.
    Received,
    /// Neither: a connection opened or closed, a remark.
    Note,
}

/// One event of a check, as its client saw it.
#[derive(Clone, PartialEq, Debug)]
pub struct LogEntry {
    /// Time since the check began.
    pub at: Duration,
    /// The client's name in the story.
    pub client: String,
    /// The number of this client's connection, from 1.
    pub connection: u32,
    /// Which way it went.
    pub direction: Direction,
    /// The decoded packet or the remark, in one line.
    pub text: String,
    /// The bytes on the wire, for packets; at most the first [`LOGGED_BYTES`].
    pub bytes: Vec<u8>,
    /// How many bytes there were.
    pub length: usize,
}

/// Longer packets are logged with their beginning only.
pub const LOGGED_BYTES: usize = 512;

/// A log longer than this keeps its beginning and its end only: results stay in memory until the run is over.
pub(crate) const LOGGED_ENTRIES: usize = 1000;

/// Cuts the middle out of a log that is too long, and keeps the findings pointing at what is left.
pub(crate) fn shorten(log: &mut Vec<LogEntry>, findings: &mut [Finding]) {
    let Some(cut) = log.len().checked_sub(LOGGED_ENTRIES).filter(|cut| *cut > 0) else { return };
    let (from, to) = (LOGGED_ENTRIES / 2, LOGGED_ENTRIES / 2 + cut);
    let remark = LogEntry {
        direction: Direction::Note,
        text: format!("{cut} events are left out here"),
        client: "-".to_owned(),
        connection: 0,
        bytes: Vec::new(),
        length: 0,
        at: log[from].at,
    };
    log.splice(from..to, [remark]);
    log.shrink_to_fit();
    for finding in findings {
        finding.at = match finding.at {
            Some(at) if at >= to => Some(at - cut + 1),
            Some(at) if at >= from => None,
            at => at,
        };
    }
}

/// The outcome of one check in one version.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// The check.
    pub check: &'static Check,
    /// The version it ran in.
    pub version: Version,
    /// The weightiest of the findings; `Conforms` without any.
    pub verdict: Verdict,
    /// What was found, weightiest first.
    pub findings: Vec<Finding>,
    /// Choices of the broker that the specification leaves open, seen on the way.
    pub notes: Vec<String>,
    /// How many cases of a table were judged; zero for checks that have none.
    pub cases: usize,
    /// Every packet and connection event, in the order seen.
    pub log: Vec<LogEntry>,
    /// The death of the broker while the check ran, if the run has started it.
    pub died: Option<Death>,
    /// The whole bytes of its connections, if the run wanted a capture.
    pub tape: Vec<Taped>,
    /// How long after the run the check began.
    pub begun: Duration,
    /// How long the check took.
    pub elapsed: Duration,
}

/// One connection of a check with its whole bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taped {
    /// The client's name in the story.
    pub client: String,
    /// The number of this client's connection, from 1.
    pub connection: u32,
    /// The broker's address, if it has one.
    pub broker: Option<SocketAddr>,
    /// When it was opened, counted from the check's begin.
    pub opened: Duration,
    /// What happened on it.
    pub events: Vec<TapedEvent>,
    /// Whether something is missing at its end, for which there was no room.
    pub cut: bool,
}

/// One event of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TapedEvent {
    /// Time since the check began.
    pub at: Duration,
    /// What happened.
    pub what: pcapng::What,
    /// What a finding says of it.
    pub comment: Option<String>,
}

impl CheckResult {
    /// A hash of everything that was seen: times, directions and bytes of all events, the verdict and its findings.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::new();
        for entry in &self.log {
            let direction: &[u8] = match entry.direction {
                Direction::Sent => b">",
                Direction::Received => b"<",
                Direction::Note => b"-",
            };
            digest = digest
                .with(&entry.at.as_nanos().to_be_bytes())
                .with_field(entry.client.as_bytes())
                .with(&entry.connection.to_be_bytes())
                .with(direction)
                .with_field(entry.text.as_bytes())
                .with_field(&entry.bytes)
                .with(&(entry.length as u64).to_be_bytes());
        }
        digest = digest.with_field(self.verdict.to_string().as_bytes());
        for finding in &self.findings {
            digest = digest.with_field(finding.expected.as_bytes()).with_field(finding.observed.as_bytes());
        }
        digest.value()
    }
}

/// A whole run against one broker.
#[derive(Clone, Debug)]
pub struct Run {
    /// The target as the user named it.
    pub target: String,
    /// The seed that every name and choice was drawn from.
    pub seed: u64,
    /// The versions that were checked.
    pub versions: Vec<Version>,
    /// What the broker announced or did before and after the checks, one line each.
    pub remarks: Vec<String>,
    /// One result per check and version, in the order of the catalogue, whatever order they ended in.
    pub results: Vec<CheckResult>,
    /// How many checks were selected; more than `results` if the run was interrupted.
    pub planned: usize,
    /// Whether the user interrupted the run.
    pub interrupted: bool,
    /// Wall time of the run.
    pub elapsed: Duration,
    /// The longest that the timers of the specification made a check wait: with all checks side by side, the least
    /// that the run could take.
    pub timers: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: usize) -> LogEntry {
        LogEntry {
            at: Duration::ZERO,
            client: "a".to_owned(),
            connection: 1,
            direction: Direction::Sent,
            text: number.to_string(),
            bytes: Vec::new(),
            length: 0,
        }
    }

    fn finding(at: usize) -> Finding {
        let (expected, observed) = (String::new(), at.to_string());
        Finding { verdict: Verdict::Violates, statement: None, expected, observed, at: Some(at) }
    }

    #[test]
    fn a_long_log_keeps_its_ends_and_what_findings_point_at() {
        let mut log: Vec<LogEntry> = (0..LOGGED_ENTRIES + 500).map(entry).collect();
        let mut findings = [finding(3), finding(700), finding(LOGGED_ENTRIES + 499)];
        shorten(&mut log, &mut findings);
        assert_eq!(log.len(), LOGGED_ENTRIES + 1);
        let shown = findings.map(|f| f.at.map(|at| log[at].text.clone()));
        assert_eq!(shown, [Some("3".to_owned()), None, Some((LOGGED_ENTRIES + 499).to_string())]);
    }

    #[test]
    fn a_short_log_stays_as_it_is() {
        let mut log: Vec<LogEntry> = (0..LOGGED_ENTRIES).map(entry).collect();
        shorten(&mut log, &mut []);
        assert_eq!(log.len(), LOGGED_ENTRIES);
    }
}
