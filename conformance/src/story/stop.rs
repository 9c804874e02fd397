//! Why a story stops before its end.

use crate::check::Cite;
use crate::outcome::Finding;
use crate::verdict::Verdict;

/// The reason why a story stopped: one finding.
#[derive(Debug)]
pub struct Stop(pub(crate) Box<Finding>);

/// How a story ends: well, or with the reason why it had to stop.
pub type Story = Result<(), Stop>;

impl Stop {
    fn new(verdict: Verdict, statement: Option<Cite>, expected: String, observed: String) -> Self {
        Stop(Box::new(Finding { verdict, statement, expected, observed, at: None }))
    }

    /// A requirement is broken: what was allowed, and what came instead.
    pub fn violates(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::new(Verdict::Violates, None, expected.into(), observed.into())
    }

    /// The harness cannot tell: why.
    pub fn inconclusive(why: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, None, String::new(), why.into())
    }

    /// The broker says that it lacks what the check needs.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(Verdict::Unsupported, None, String::new(), what.into())
    }

    /// The run lacks what the check needs.
    pub fn not_tested(what: impl Into<String>) -> Self {
        Self::new(Verdict::NotTested, None, String::new(), what.into())
    }

    /// Names the statement in particular.
    #[must_use]
    pub fn citing(mut self, cite: Cite) -> Self {
        self.0.statement = Some(cite);
        self
    }

    /// Names the statement in particular, unless one is named.
    #[must_use]
    pub fn or_citing(mut self, cite: Cite) -> Self {
        self.0.statement.get_or_insert(cite);
        self
    }

    /// Points at the log entry that shows it.
    #[must_use]
    pub fn at(mut self, index: Option<usize>) -> Self {
        self.0.at = index.or(self.0.at);
        self
    }

    /// Tells which of several packets was answered so: `what` is what it had.
    #[must_use]
    pub fn answering(mut self, what: &str) -> Self {
        if !self.0.expected.is_empty() {
            self.0.expected.push_str(&format!(", for {what}"));
        }
        self
    }

    /// What the finding weighs.
    pub fn verdict(&self) -> Verdict {
        self.0.verdict
    }
}
