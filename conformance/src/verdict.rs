//! What a check can say about a broker.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of a check, or of one finding in it.
///
/// The order is that of weight: a check's verdict is its weightiest finding.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The exchange happened and every observed answer is allowed.
    Conforms,
    /// The specification leaves it open: what this broker does is recorded.
    Choice,
    /// The check needs what the run was not given (credentials, a second listener…).
    NotTested,
    /// The broker says that it lacks what the check needs.
    Unsupported,
    /// A recommendation is not followed, or the right action has a wrong reason code.
    Deviates,
    /// The harness could not tell.
    Inconclusive,
    /// A requirement is broken under every freedom that the specification leaves.
    Violates,
}

impl Verdict {
    /// All verdicts in the order in which reports list them.
    pub const ALL: [Verdict; 7] = [
        Verdict::Conforms,
        Verdict::Violates,
        Verdict::Deviates,
        Verdict::Choice,
        Verdict::Unsupported,
        Verdict::NotTested,
        Verdict::Inconclusive,
    ];

    /// The word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Conforms => "conforms",
            Verdict::Choice => "choice",
            Verdict::NotTested => "not tested",
            Verdict::Unsupported => "unsupported",
            Verdict::Deviates => "deviates",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Violates => "violates",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
