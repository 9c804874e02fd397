//! One entry: which failure is known, why it may stand, until when.

use crate::check::{Check, Cite};
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
use std::fmt;
use toml::value::Date;

/// A known failure. It fits what its check, its statement, its version and its verdict fit, as far as it names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The name of the check that fails.
    pub check: Option<String>,
    /// The statements that are found broken.
    pub statement: Option<StatementPattern>,
    /// The version in which it fails; `None` for every one.
    pub mqtt: Option<Version>,
    /// What is found: a breach, a recommendation not followed, or nothing that can be told.
    pub verdict: Verdict,
    /// Why the failure may stand.
    pub reason: String,
    /// Where more is said about it.
    pub link: Option<String>,
    /// The last day on which the entry counts.
    pub expires: Option<Date>,
    /// Whether the failure comes and goes. Such an entry explains a failure and never hides it.
    pub flaky: bool,
    /// Its line in the file; 0 if it is not from one.
    pub line: usize,
}

impl Entry {
    /// Whether a finding of the check is meant.
    pub(super) fn fits(&self, check: &Check, verdict: Verdict, cite: Option<Cite>) -> bool {
        self.verdict == verdict
            && self.check.as_deref().is_none_or(|name| name == check.name)
            && self.statement.as_ref().is_none_or(|own| cite.is_some_and(|cite| own.fits(cite)))
            && self.mqtt.is_none_or(|own| cite.is_some_and(|cite| own == cite.version))
    }

    /// Whether the check, run in this version, could find what is meant. One that is named could also accuse the
    /// broker of a statement that it does not cite: any story may meet a malformed packet.
    pub(super) fn concerns(&self, check: &Check, version: Version) -> bool {
        let within = |own: Option<Version>| own.is_none_or(|own| own == version);
        check.versions().any(|own| own == version)
            && within(self.mqtt)
            && within(self.statement.as_ref().and_then(StatementPattern::version))
            && match (&self.check, &self.statement) {
                (Some(name), _) => name == check.name,
                (None, Some(own)) => check.cites(version).any(|cite| own.fits(cite)),
                (None, None) => true,
            }
    }

    /// Whether the entry's last day is over.
    pub(super) fn has_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

impl fmt::Display for Entry {
    /// What it names: `retained/lost 5.0/MQTT-3.3.1-6 violates`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(check) = &self.check {
            write!(f, "{check} ")?;
        }
        if let Some(statement) = &self.statement {
            write!(f, "{statement} ")?;
        }
        match (self.mqtt, self.statement.as_ref().and_then(StatementPattern::version)) {
            (Some(version), None) => write!(f, "in {version} {}", self.verdict),
            _ => write!(f, "{}", self.verdict),
        }
    }
}

/// A statement's id, or the beginning of some: `5.0/MQTT-3.3.1-6`, `MQTT-3.3.*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementPattern {
    version: Option<Version>,
    /// The id, or what it begins with.
    id: String,
    open: bool,
}

impl StatementPattern {
    /// Reads a pattern; `None` if it is none.
    pub fn parse(text: &str) -> Option<StatementPattern> {
        let (version, id) = match text.split_once('/') {
            Some((version, id)) => (Some(version_named(version)?), id),
            None => (None, text),
        };
        let (id, open) = id.strip_suffix('*').map_or((id, false), |start| (start, true));
        let rest = ["MQTT-", "U3-", "U5-"].iter().find_map(|start| id.strip_prefix(start))?;
        let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
        // The beginning of an id ends where a part of it does: `MQTT-3.1*` would take in 3.10 unseen.
        let whole = if open { rest.is_empty() || rest.ends_with(['.', '-']) } else { !rest.is_empty() };
        (plain && whole).then(|| StatementPattern { version, id: id.to_owned(), open })
    }

    /// The pattern that fits one statement.
    pub(super) fn exactly(cite: Cite) -> StatementPattern {
        StatementPattern { version: Some(cite.version), id: cite.id.to_owned(), open: false }
    }

    /// Whether it names this statement.
    pub fn fits(&self, cite: Cite) -> bool {
        self.version.is_none_or(|own| own == cite.version)
            && if self.open { cite.id.starts_with(&self.id) } else { cite.id == self.id }
    }

    /// The version that it names.
    pub(super) fn version(&self) -> Option<Version> {
        self.version
    }
}

impl fmt::Display for StatementPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = self.version {
            write!(f, "{version}/")?;
        }
        write!(f, "{}{}", self.id, if self.open { "*" } else { "" })
    }
}

/// The version of this name; `5` means 5.0, as on the wire.
pub(super) fn version_named(text: &str) -> Option<Version> {
    match text {
        "3.1" => Some(Version::V3_1),
        "3.1.1" => Some(Version::V3_1_1),
        "5" | "5.0" => Some(Version::V5),
        _ => None,
    }
}
