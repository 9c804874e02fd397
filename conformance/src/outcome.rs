//! What came out of a check: its verdict, the findings behind it, and the packets as proof.

use crate::check::{Check, Cite};
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
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
    /// Every packet and connection event, in the order seen.
    pub log: Vec<LogEntry>,
    /// How long the check took.
    pub elapsed: Duration,
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
    /// What the broker announced or did before the checks, one line each.
    pub remarks: Vec<String>,
    /// One result per check and version, in the order of the catalogue, whatever order they ended in.
    pub results: Vec<CheckResult>,
    /// How many checks were selected; more than `results` if the run was interrupted.
    pub planned: usize,
    /// Whether the user interrupted the run.
    pub interrupted: bool,
    /// Wall time of the run.
    pub elapsed: Duration,
}
