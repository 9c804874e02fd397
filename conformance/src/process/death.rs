//! How a broker died, and what it said last.

use std::fmt;
use std::io;
use std::process::ExitStatus;

/// So many lines stand in one sentence.
const QUOTED: usize = 3;
/// So many lines stand in a report.
const REPORTED: usize = 20;

/// The death of a broker that was watched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Death {
    /// `it exited with status 70`, `it was killed by signal 11 (SIGSEGV)`
    pub how: String,
    /// The last lines of what it printed.
    pub output: Vec<String>,
    /// More of them.
    all: Vec<String>,
    code: Option<i32>,
    signal: Option<i32>,
    left: bool,
}

impl Death {
    pub(super) fn new(status: &io::Result<ExitStatus>, left: bool, output: Vec<String>) -> Death {
        let (code, signal) = match status {
            Ok(status) => (status.code(), signal_of(*status)),
            Err(_) => (None, None),
        };
        let how = match (code, signal) {
            (Some(code), _) => format!("it exited with status {code}"),
            (None, Some(signal)) => match name(signal) {
                Some(name) => format!("it was killed by signal {signal} ({name})"),
                None => format!("it was killed by signal {signal}"),
            },
            (None, None) => "it is gone, nobody knows how".to_owned(),
        };
        let all = output;
        let output = all[all.len().saturating_sub(REPORTED)..].to_vec();
        Death { how, output, all, code, signal, left }
    }

    /// What ended it, in a word or two: `SIGSEGV`, `status 70`.
    pub(crate) fn cause(&self) -> String {
        match (self.code, self.signal) {
            (Some(code), _) => format!("status {code}"),
            (None, Some(signal)) => name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned),
            (None, None) => "gone".to_owned(),
        }
    }

    /// All that is known of what it printed.
    pub(crate) fn all_output(&self) -> &[String] {
        &self.all
    }

    /// Whether it ended with status 0.
    pub(super) fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// Whether the command has ended well and something still listened: no death, but a broker that cannot be watched.
    pub fn has_left_a_broker(&self) -> bool {
        self.left && self.is_success()
    }

    /// Whether somebody told it to end, so that its end shows nothing: SIGHUP, SIGINT, SIGQUIT, SIGTERM.
    pub fn is_by_others(&self) -> bool {
        matches!(self.signal, Some(1 | 2 | 3 | 15))
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.how, last_words(&self.output))
    }
}

/// The end of a sentence that quotes the last lines; empty if there are none.
pub(super) fn last_words(output: &[String]) -> String {
    let said: Vec<&str> =
        output[output.len().saturating_sub(QUOTED)..].iter().map(|line| line.trim()).collect();
    if said.is_empty() { String::new() } else { format!("; the last that it said: {}", said.join(" / ")) }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}

/// The signals that end processes, by their numbers, which are the same wherever there are signals.
const fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}
