//! What rules find: accusations, and what the history does not decide.

use super::Seen;
use crate::history::ClientNo;
use core::time::Duration;
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;

/// No history has more accusations than this: more of the same tell nothing new.
const ACCUSATIONS_MAX: usize = 100;

/// The statements of a rule, in either version; those of a version that has none are empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cites {
    /// Ids of 3.1.1.
    pub v3_1_1: &'static [&'static str],
    /// Ids of 5.0.
    pub v5: &'static [&'static str],
}

impl Cites {
    /// Those of one version; MQTT 3.1 has none.
    pub const fn of(self, version: Version) -> &'static [&'static str] {
        match version {
            Version::V3_1 => &[],
            Version::V3_1_1 => self.v3_1_1,
            Version::V5 => self.v5,
        }
    }
}

/// A rule says that a statement is broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accusation {
    /// The rule's name.
    pub rule: &'static str,
    /// The version that the connection spoke.
    pub version: Version,
    /// Ids of the statements that are broken, each of them sufficient; without the version.
    pub statements: &'static [&'static str],
    /// No violation but a deviation: the statement recommends, or the right thing was done with a wrong code.
    pub deviates: bool,
    /// Place of the event in the history at which it became certain.
    pub event: usize,
    /// When that was.
    pub at: Duration,
    /// To which client it happened.
    pub client: ClientNo,
    /// What the specification allows.
    pub expected: String,
    /// What was seen.
    pub observed: String,
}

impl Accusation {
    /// Rule and first statement: two accusations of one shape are one finding.
    pub fn shape(&self) -> (&'static str, Version, &'static str) {
        (self.rule, self.version, self.statements.first().copied().unwrap_or(""))
    }
}

/// Something that a rule could not decide.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Unknown {
    /// The rule's name.
    pub rule: &'static str,
    /// Why not.
    pub why: &'static str,
}

/// Where rules put what they find.
#[derive(Default, Debug)]
pub struct Findings {
    rule: &'static str,
    event: usize,
    at: Duration,
    client: Option<ClientNo>,
    accusations: Vec<Accusation>,
    unknown: BTreeMap<Unknown, u64>,
    decided: u64,
}

impl Findings {
    pub(super) fn of(&mut self, rule: &'static str, seen: &Seen<'_>) {
        self.rule = rule;
        self.event = seen.event;
        self.at = seen.at;
        self.client = Some(seen.client);
    }

    /// Accuses at the present event. Nothing is said of a version in which no statement stands.
    pub fn accuse(
        &mut self,
        cites: Cites,
        version: Version,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) {
        self.accuse_of(self.client.unwrap_or(ClientNo::NOBODY), cites, version, expected, observed);
    }

    /// Accuses of what happened to another client than the present event's.
    pub fn accuse_of(
        &mut self,
        client: ClientNo,
        cites: Cites,
        version: Version,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) {
        let statements = cites.of(version);
        if statements.is_empty() || self.accusations.len() >= ACCUSATIONS_MAX {
            return;
        }
        self.accusations.push(Accusation {
            rule: self.rule,
            version,
            statements,
            deviates: false,
            event: self.event,
            at: self.at,
            client,
            expected: expected.into(),
            observed: observed.into(),
        });
    }

    /// Says at the present event that a recommendation is not followed, or that a code is wrong.
    pub fn deviates(
        &mut self,
        cites: Cites,
        version: Version,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) {
        self.deviates_of(self.client.unwrap_or(ClientNo::NOBODY), cites, version, expected, observed);
    }

    /// The same of what happened to another client than the present event's.
    pub fn deviates_of(
        &mut self,
        client: ClientNo,
        cites: Cites,
        version: Version,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) {
        let before = self.accusations.len();
        self.accuse_of(client, cites, version, expected, observed);
        for accusation in self.accusations.iter_mut().skip(before) {
            accusation.deviates = true;
        }
    }

    /// The history does not decide a case of the rule.
    pub fn unknown(&mut self, why: &'static str) {
        *self.unknown.entry(Unknown { rule: self.rule, why }).or_default() += 1;
    }

    /// The history decides a case of the rule, for the broker.
    pub fn decided(&mut self) {
        self.decided += 1;
    }

    pub(super) fn verdicts(self) -> Verdicts {
        Verdicts { accusations: self.accusations, unknown: self.unknown, decided: self.decided }
    }
}

/// What was found in a history.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Verdicts {
    /// In the order in which they became certain.
    pub accusations: Vec<Accusation>,
    /// How often a rule could not tell.
    pub unknown: BTreeMap<Unknown, u64>,
    /// How many cases were decided for the broker.
    pub decided: u64,
}
