//! What a campaign plays: a script that can be written and read back.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use mqtt_assay_broker_model::history::Digest;
use mqtt_assay_broker_model::script::text::{self, Errors};
use mqtt_assay_broker_model::script::{Script, Step};

/// A case has at most this many clients.
pub const MAX_CLIENTS: usize = 8;
/// A case has at most this many steps.
pub const MAX_STEPS: usize = 200;
/// A case is at most this long, in bytes of its text.
pub const MAX_TEXT: usize = 256 << 10;

/// A script, and its text: each follows from the other.
///
/// Cases are ordered by how much there is to read: by length, then by text.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    script: Script,
    text: String,
}

impl Case {
    /// The case of this script. `None` if it could not be read back as it is (see
    /// [What can be written](mqtt_assay_broker_model::script::text#what-can-be-written)), or is too large.
    pub fn new(script: Script) -> Option<Case> {
        if script.clients.len() > MAX_CLIENTS || script.steps.len() > MAX_STEPS {
            return None;
        }
        let text = text::print(&script);
        let reads_back = text.len() <= MAX_TEXT && text::parse(&text).is_ok_and(|again| again == script);
        reads_back.then_some(Case { script, text })
    }

    /// The script.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Its text, in the canonical form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A name for files: the fingerprint of the text.
    pub fn name(&self) -> String {
        let mut digest = Digest::default();
        digest.add(self.text.as_bytes());
        digest.to_string()
    }

    /// How long its steps wait on purpose, all together.
    pub fn waits(&self) -> Duration {
        let wait = |step: &Step| match step {
            Step::Wait(time) => *time,
            _ => Duration::ZERO,
        };
        self.script.steps.iter().map(wait).fold(Duration::ZERO, Duration::saturating_add)
    }
}

impl Eq for Case {}

impl PartialOrd for Case {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Case {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.text.len(), &self.text).cmp(&(other.text.len(), &other.text))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no case.
#[derive(Clone, Debug)]
pub enum Refused {
    /// It is no script.
    Script(Errors),
    /// It is a script, and too large for a case.
    TooLarge,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Script(errors) => errors.fmt(f),
            Refused::TooLarge => write!(
                f,
                "a case has at most {MAX_CLIENTS} clients, {MAX_STEPS} steps and {MAX_TEXT} bytes of text"
            ),
        }
    }
}

impl core::error::Error for Refused {}

impl FromStr for Case {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        Case::new(text::parse(text).map_err(Refused::Script)?).ok_or(Refused::TooLarge)
    }
}
