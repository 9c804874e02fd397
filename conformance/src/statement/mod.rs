//! The catalogue: every normative statement of 3.1.1 and 5.0, the rules that the documents leave unnumbered, and what
//! sets 3.1 apart.
//!
//! A statement is named by its id *and version*. The wording here is our own summary; the law is the OASIS
//! document, to which [`Statement::link`] and the section lead.

mod parse;
mod section;

pub use section::{Section, heading};

use crate::check::Cite;
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// The version of the catalogue: the year and its issue in that year. Reports name it, so that results of
/// different catalogues are not taken for one another.
pub const CATALOGUE: &str = "2026.1";

/// How strongly a statement binds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// MUST.
    Must,
    /// MUST NOT.
    MustNot,
    /// SHOULD.
    Should,
    /// SHOULD NOT.
    ShouldNot,
    /// MAY: the specification allows it; what the broker does is a choice.
    May,
    /// 5.0 calls a breach a Protocol Error.
    ProtocolError,
    /// 5.0 calls a breach a Malformed Packet.
    Malformed,
    /// Follows from a definition, a table or a format.
    Definition,
    /// Said in non-normative text.
    Informative,
}

impl Level {
    /// The level as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::MustNot => "MUST NOT",
            Level::Should => "SHOULD",
            Level::ShouldNot => "SHOULD NOT",
            Level::May => "MAY",
            Level::ProtocolError => "Protocol Error",
            Level::Malformed => "Malformed Packet",
            Level::Definition => "definition",
            Level::Informative => "non-normative",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whom a statement obliges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binds {
    /// The broker.
    Server,
    /// Clients only: no broker can break it.
    Client,
    /// Both sides.
    Both,
}

impl Binds {
    /// The word that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            Binds::Server => "server",
            Binds::Client => "client",
            Binds::Both => "both",
        }
    }
}

/// Whether, and by what means, a breach by a broker can be seen from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observable {
    /// In the packets.
    Wire,
    /// In the packets, but only by waiting for a timer or where no barrier can prove absence.
    WireTiming,
    /// Only with a particular set-up of the broker: WebSocket, limits, authentication, access lists.
    Config,
    /// Only at a client.
    Client,
    /// Not at all.
    Not,
}

impl Observable {
    /// The word that reports print; the one in the data files too.
    pub const fn name(self) -> &'static str {
        match self {
            Observable::Wire => "wire",
            Observable::WireTiming => "wire-timing",
            Observable::Config => "config",
            Observable::Client => "client",
            Observable::Not => "not-observable",
        }
    }
}

/// One statement of a specification.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// The version whose statement it is.
    pub version: Version,
    /// `MQTT-3.3.1-6`, or our own `U5-…`, `U3-…`, `M31-…`.
    pub id: &'static str,
    /// Whether the document itself numbers it; our own ids stand for rules that it leaves unnumbered.
    pub numbered: bool,
    /// The sections that say it, the leading one first.
    pub sections: Vec<Section>,
    /// The heading of the leading section.
    pub title: &'static str,
    /// How strongly it binds.
    pub level: Level,
    /// Whom it binds.
    pub binds: Binds,
    /// How a breach can be seen.
    pub observable: Observable,
    /// What it says, in our words.
    pub summary: &'static str,
    /// How a harness can see whether it holds; may be empty for unnumbered rules.
    pub how_to_observe: &'static str,
    /// Why no check can exist for it, though it binds the broker and could be seen.
    pub reason: Option<&'static str>,
}

impl Statement {
    /// The leading section.
    pub fn section(&self) -> Section {
        self.sections[0]
    }

    /// The statement as checks cite it.
    pub fn cite(&self) -> Cite {
        Cite { version: self.version, id: self.id }
    }

    /// The document. Its anchors change with every rendering, so the section is named beside the link
    /// instead of in it.
    pub const fn link(&self) -> &'static str {
        document(self.version)
    }

    /// Why no check can exist for it, if that is so.
    pub const fn exempt(&self) -> Option<&'static str> {
        if self.reason.is_some() {
            return self.reason;
        }
        match (self.binds, self.observable) {
            (Binds::Client, _) | (_, Observable::Client) => {
                Some("it binds clients: nothing that a broker does can break it")
            }
            (_, Observable::Not) => Some("whether it holds cannot be seen from outside the broker"),
            (_, Observable::Wire | Observable::WireTiming | Observable::Config) => None,
        }
    }
}

/// The address of a version's document.
pub const fn document(version: Version) -> &'static str {
    match version {
        Version::V3_1 => "https://public.dhe.ibm.com/software/dw/webservices/ws-mqtt/mqtt-v3r1.html",
        Version::V3_1_1 => "https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html",
        Version::V5 => "https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html",
    }
}

struct Catalogue {
    statements: Vec<Statement>,
    by_id: BTreeMap<(Version, &'static str), usize>,
}

static THE_CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let statements = parse::everything();
    let by_id = statements.iter().enumerate().map(|(index, s)| ((s.version, s.id), index)).collect();
    Catalogue { statements, by_id }
});

/// Every statement: by version, numbered before unnumbered, else in the order of the documents.
pub fn all() -> &'static [Statement] {
    &THE_CATALOGUE.statements
}

/// The statement with this id in this version.
pub fn find(version: Version, id: &str) -> Option<&'static Statement> {
    let (_, index) = THE_CATALOGUE.by_id.get_key_value(&(version, id))?;
    Some(&THE_CATALOGUE.statements[*index])
}

/// The statement that a check cites.
pub fn of(cite: Cite) -> Option<&'static Statement> {
    find(cite.version, cite.id)
}

/// The statements of one section and of all below it.
pub fn in_section(version: Version, section: Section) -> impl Iterator<Item = &'static Statement> {
    all().iter().filter(move |s| s.version == version && s.sections.iter().any(|own| own.is_within(section)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn numbered(version: Version) -> usize {
        all().iter().filter(|s| s.version == version && s.numbered).count()
    }

    #[test]
    fn the_documents_number_141_and_251_statements() {
        assert_eq!((numbered(Version::V3_1_1), numbered(Version::V5)), (141, 251));
    }

    #[test]
    fn no_id_comes_twice_in_a_version() {
        let mut seen = BTreeSet::new();
        for s in all() {
            assert!(seen.insert((s.version, s.id)), "{} twice", s.cite());
            assert_eq!(find(s.version, s.id), Some(s));
        }
    }

    #[test]
    fn every_statement_says_something() {
        for s in all() {
            assert!(s.summary.ends_with('.') && s.summary.len() > 10, "{}: {:?}", s.cite(), s.summary);
            assert!(!s.title.is_empty(), "{}", s.cite());
            assert_eq!(s.numbered, s.id.starts_with("MQTT-"), "{}", s.cite());
        }
    }

    #[test]
    fn a_section_contains_those_below_it_and_no_others() {
        let section = Section::parse("3.1").unwrap();
        let ids: Vec<_> = in_section(Version::V3_1_1, section).map(|s| s.id).collect();
        assert!(ids.contains(&"MQTT-3.1.0-1") && ids.contains(&"MQTT-3.1.2-24"));
        assert!(!ids.iter().any(|id| id.starts_with("MQTT-3.10") || id.starts_with("MQTT-3.14")));
    }

    #[test]
    fn the_same_id_is_another_statement_in_the_other_version() {
        let old = find(Version::V3_1_1, "MQTT-3.3.1-6").unwrap();
        let new = find(Version::V5, "MQTT-3.3.1-6").unwrap();
        assert_ne!(old.summary, new.summary);
        assert_eq!(find(Version::V3_1, "MQTT-3.3.1-6"), None);
    }
}
