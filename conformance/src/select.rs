//! Patterns: how `--only`, `--skip`, `list` and `explain` name checks.
//!
//! A pattern is a statement id (`MQTT-3.3.1-6`, `5.0/MQTT-3.3.1-6`, `U5-WILL-1`), a section (`3.3`, `4.7.1`,
//! `5.0/3.3`; with all below it), or a check's name (exact, `publish/` for all that begin so, or with `*`).

use crate::check::Check;
use crate::statement::{self, Section};
use mqtt_assay_codec::Version;
use std::collections::BTreeSet;
use std::fmt;

/// What a pattern names.
#[derive(Clone, PartialEq, Debug)]
pub enum Pattern {
    /// The checks that cite a statement, in one version or in either.
    Statement {
        /// The version, if the pattern has one.
        version: Option<Version>,
        /// The id as the catalogue writes it.
        id: String,
    },
    /// The checks that cite a statement of a section or of one below it.
    Section {
        /// The version, if the pattern has one.
        version: Option<Version>,
        /// The section.
        section: Section,
    },
    /// The checks whose name matches: `*` stands for any text, a `/` at the end for all that follows.
    Name(String),
}

impl Pattern {
    /// Reads a pattern. Every text is one; whether it matches anything shows later.
    pub fn parse(text: &str) -> Pattern {
        let (version, rest) = split_version(text);
        if let Some(section) = Section::parse(rest) {
            return Pattern::Section { version, section };
        }
        let id = rest.to_ascii_uppercase();
        if ["MQTT-", "U3-", "U5-", "M31-"].iter().any(|start| id.starts_with(start)) {
            return Pattern::Statement { version, id };
        }
        Pattern::Name(text.to_owned())
    }

    /// Whether the check is meant, seen in one version.
    pub fn matches(&self, check: &Check, version: Version) -> bool {
        match self {
            Pattern::Statement { version: own, id } => {
                own.is_none_or(|own| own == version) && check.cites(version).any(|cite| cite.id == id)
            }
            Pattern::Section { version: own, section } => {
                own.is_none_or(|own| own == version)
                    && check
                        .cites(version)
                        .filter_map(statement::of)
                        .any(|s| s.sections.iter().any(|place| place.is_within(*section)))
            }
            Pattern::Name(pattern) => {
                check.versions().any(|own| own == version) && name_matches(pattern, check.name)
            }
        }
    }
}

/// Cuts `5.0/` off the front. `5` means 5.0, as on the wire.
fn split_version(text: &str) -> (Option<Version>, &str) {
    match text.split_once('/') {
        Some(("3.1", rest)) => (Some(Version::V3_1), rest),
        Some(("3.1.1", rest)) => (Some(Version::V3_1_1), rest),
        Some(("5" | "5.0", rest)) => (Some(Version::V5), rest),
        _ => (None, text),
    }
}

fn name_matches(pattern: &str, name: &str) -> bool {
    if pattern.ends_with('/') {
        return name.starts_with(pattern);
    }
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        // The earliest place leaves the most for the pieces that follow.
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// A pattern that names nothing, with what may have been meant.
#[derive(Clone, PartialEq, Debug)]
pub struct NoMatch {
    pattern: String,
    reason: Reason,
}

#[derive(Clone, PartialEq, Debug)]
enum Reason {
    /// The statement is in the catalogue, and no check decides it.
    Unchecked(String),
    /// The statement or the check exists, but not in the versions asked for.
    OtherVersion,
    /// Nothing has that name; these are near.
    Unknown(Vec<String>),
}

impl fmt::Display for NoMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoMatch { pattern, reason } = self;
        match reason {
            Reason::Unchecked(id) => write!(
                f,
                "no check decides the statement {id}, so the pattern '{pattern}' selects nothing; \
                 `mqtt-assay explain {id}` says why"
            ),
            Reason::OtherVersion => write!(
                f,
                "the pattern '{pattern}' selects nothing in the MQTT version asked for; leave out --mqtt or \
                 choose another version"
            ),
            Reason::Unknown(near) if near.is_empty() => write!(
                f,
                "the pattern '{pattern}' matches no statement, section or check; `mqtt-assay list` shows what \
                 there is"
            ),
            Reason::Unknown(near) => write!(
                f,
                "the pattern '{pattern}' matches no statement, section or check; did you mean {}?",
                near.join(" or ")
            ),
        }
    }
}

impl std::error::Error for NoMatch {}

/// What to take and what to leave, in which versions.
#[derive(Clone, Default, Debug)]
pub struct Selection {
    /// The patterns of which a check must match one; all are taken if there is none.
    pub only: Vec<String>,
    /// The patterns of which a check may match none.
    pub skip: Vec<String>,
    /// The versions; empty for all.
    pub versions: Vec<Version>,
}

impl Selection {
    /// The checks selected, in the order given. A pattern that matches nothing is an error, whether of `only`
    /// or of `skip`: a typing mistake must not quietly run less, or more, than was meant.
    pub fn of(&self, checks: &[&'static Check]) -> Result<Vec<&'static Check>, NoMatch> {
        let only = self.patterns(&self.only, checks)?;
        let skip = self.patterns(&self.skip, checks)?;
        let any = |patterns: &[Pattern], check: &Check| {
            patterns.iter().any(|pattern| self.versions_of(check).any(|v| pattern.matches(check, v)))
        };
        let taken = checks.iter().copied().filter(|check| {
            self.versions_of(check).next().is_some()
                && (only.is_empty() || any(&only, check))
                && !any(&skip, check)
        });
        Ok(taken.collect())
    }

    fn versions_of<'a>(&'a self, check: &'a Check) -> impl Iterator<Item = Version> + 'a {
        check.versions().filter(|v| self.versions.is_empty() || self.versions.contains(v))
    }

    fn patterns(&self, texts: &[String], checks: &[&'static Check]) -> Result<Vec<Pattern>, NoMatch> {
        texts
            .iter()
            .map(|text| {
                let pattern = Pattern::parse(text);
                let found =
                    checks.iter().any(|check| self.versions_of(check).any(|v| pattern.matches(check, v)));
                if found { Ok(pattern) } else { Err(no_match(text, &pattern, checks)) }
            })
            .collect()
    }
}

fn no_match(text: &str, pattern: &Pattern, checks: &[&'static Check]) -> NoMatch {
    let elsewhere = checks.iter().any(|check| check.versions().any(|v| pattern.matches(check, v)));
    let unchecked = || match pattern {
        Pattern::Statement { version, id } => statement::all()
            .iter()
            .find(|s| s.id == id && version.is_none_or(|own| own == s.version))
            .map(|s| s.cite().to_string()),
        Pattern::Section { .. } | Pattern::Name(_) => None,
    };
    let reason = if elsewhere {
        Reason::OtherVersion
    } else if let Some(id) = unchecked() {
        Reason::Unchecked(id)
    } else {
        Reason::Unknown(near(text, checks))
    };
    NoMatch { pattern: text.to_owned(), reason }
}

/// At most three names that resemble `text`, the nearest first.
pub fn near(text: &str, checks: &[&'static Check]) -> Vec<String> {
    let (_, bare) = split_version(text);
    let areas = checks.iter().filter_map(|check| check.name.split_inclusive('/').next());
    let names = checks.iter().map(|check| check.name).chain(areas);
    let candidates: BTreeSet<&str> = names.chain(statement::all().iter().map(|s| s.id)).collect();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|name| {
            // An area without its `/` is the likeliest of all.
            if name.strip_suffix('/').is_some_and(|area| area.eq_ignore_ascii_case(bare)) {
                return (1.0, name);
            }
            let whole = strsim::normalized_damerau_levenshtein(&bare.to_lowercase(), &name.to_lowercase());
            // A name without its area, or its beginning, is a likely way to mistype it.
            let contained = bare.len() >= 3 && name.to_lowercase().contains(&bare.to_lowercase());
            (if contained { whole.max(0.9) } else { whole }, name)
        })
        .filter(|(score, _)| *score >= 0.6)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Alone, Cite, Running};
    use crate::story::World;
    use std::time::Duration;

    fn nothing(_: &World) -> Running<'_> {
        Box::pin(async { Ok(()) })
    }

    const fn check(name: &'static str, covers: &'static [Cite]) -> Check {
        Check {
            name,
            doc: "",
            covers,
            needs: &[],
            setup: crate::setup::Setup::Full,
            proved: &[],
            waits: Duration::ZERO,
            alone: Alone::No,
            run: nothing,
            file: "",
            line: 0,
        }
    }

    const OLD: Version = Version::V3_1_1;
    const NEW: Version = Version::V5;
    static RETAIN: Check = check(
        "publish/retain_is_kept",
        &[Cite { version: OLD, id: "MQTT-3.3.1-6" }, Cite { version: NEW, id: "MQTT-3.3.1-9" }],
    );
    static WILL: Check = check("will/is_sent", &[Cite { version: NEW, id: "MQTT-3.1.2-8" }]);
    static PING: Check = check("ping/is_answered", &[Cite { version: OLD, id: "MQTT-3.12.4-1" }]);

    fn select(only: &[&str], skip: &[&str], versions: &[Version]) -> Result<Vec<&'static str>, String> {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let selection = Selection { only: owned(only), skip: owned(skip), versions: versions.to_vec() };
        match selection.of(&[&RETAIN, &WILL, &PING]) {
            Ok(checks) => Ok(checks.iter().map(|c| c.name).collect()),
            Err(no_match) => Err(no_match.to_string()),
        }
    }

    #[test]
    fn statements_sections_and_names_select() {
        let retain = Ok(vec!["publish/retain_is_kept"]);
        for pattern in [
            "MQTT-3.3.1-6",
            "mqtt-3.3.1-9",
            "3.1.1/MQTT-3.3.1-6",
            "3.3",
            "5/3.3.1",
            "publish/",
            "publish/retain_is_kept",
            "*retain*",
            "p*/*kept",
        ] {
            assert_eq!(select(&[pattern], &[], &[]), retain, "{pattern}");
        }
        assert_eq!(select(&["3.1"], &[], &[]), Ok(vec!["will/is_sent"]), "3.12 is not within 3.1");
        assert_eq!(select(&[], &["3.3", "ping/"], &[]), Ok(vec!["will/is_sent"]));
        assert_eq!(select(&[], &[], &[OLD]), Ok(vec!["publish/retain_is_kept", "ping/is_answered"]));
    }

    #[test]
    fn a_pattern_without_match_is_an_error_that_helps() {
        for (pattern, hint) in [
            ("5.0/MQTT-3.3.1-6", "no check decides the statement 5.0/MQTT-3.3.1-6"),
            ("MQTT-3.3.1-66", "did you mean MQTT-3.3.1-6"),
            ("retain_is_kept", "did you mean"),
            ("publish/retain_is_kep", "did you mean publish/retain_is_kept"),
            ("publish", "did you mean publish/"),
            ("will", "did you mean will/"),
            ("9.9", "`mqtt-assay list`"),
            ("zzzzzz", "`mqtt-assay list`"),
            ("", "''"),
        ] {
            for sides in [(&[pattern][..], &[][..]), (&[][..], &[pattern][..])] {
                let error = select(sides.0, sides.1, &[]).unwrap_err();
                assert!(error.contains(hint) && error.contains(pattern), "{pattern}: {error}");
            }
        }
        let error = select(&["will/"], &[], &[OLD]).unwrap_err();
        assert!(error.contains("in the MQTT version asked for"), "{error}");
    }

    #[test]
    fn stars_match_any_text() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("a*a", "a", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1c2b", false),
            ("a", "ab", false),
            ("*b", "ab", true),
        ] {
            assert_eq!(name_matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
