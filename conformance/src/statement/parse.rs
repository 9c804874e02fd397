//! Reads the data files. They are part of the program: a wrong line is a fault of ours that the tests find, so
//! it stops the program and names the line.

use super::{Binds, Level, Observable, Section, Statement, heading};
use mqtt_assay_codec::Version;

/// All ids are ours: 3.1 numbers nothing.
const V3_1: &str = include_str!("../../data/requirements-3.1.tsv");
const V3_1_1: &str = include_str!("../../data/requirements-3.1.1.tsv");
const V5: &str = include_str!("../../data/requirements-5.0.tsv");
/// Why no check can exist for a statement of which the other columns do not tell it.
const REASONS: &str = include_str!("../../data/reasons.tsv");
const UNNUMBERED: &str = include_str!("../../data/unnumbered.tsv");

/// All statements in catalogue order.
pub(super) fn everything() -> Vec<Statement> {
    let mut statements: Vec<Statement> =
        rows(V3_1).map(|fields| Statement { numbered: false, ..numbered(Version::V3_1, fields) }).collect();
    for (version, file, unnumbered_ids) in [(Version::V3_1_1, V3_1_1, "U3-"), (Version::V5, V5, "U5-")] {
        let start = statements.len();
        statements.extend(rows(file).map(|fields| numbered(version, fields)));
        let titles: Vec<_> = statements[start..].iter().map(|s: &Statement| (s.section(), s.title)).collect();
        statements.extend(
            rows(UNNUMBERED)
                .filter(|[id, ..]| id.starts_with(unnumbered_ids))
                .map(|fields| unnumbered(version, fields, &titles)),
        );
    }
    for line in REASONS.lines().skip(1) {
        let [name, reason] = fields(line);
        let statement = statements.iter_mut().find(|s: &&mut Statement| s.cite().to_string() == name);
        statement.unwrap_or_else(|| panic!("a reason for {name}, which does not exist")).reason =
            Some(reason);
    }
    statements
}

/// The lines after the header, cut into their seven fields.
fn rows(file: &'static str) -> impl Iterator<Item = [&'static str; 7]> {
    file.lines().skip(1).map(fields)
}

fn fields<const N: usize>(line: &'static str) -> [&'static str; N] {
    let fields: Vec<_> = line.split('\t').collect();
    fields.try_into().unwrap_or_else(|_| panic!("not {N} fields: {line}"))
}

fn numbered(version: Version, fields: [&'static str; 7]) -> Statement {
    let [id, place, level_word, binds_word, observable_word, summary, how_to_observe] = fields;
    let (number, title) = place.split_once(' ').unwrap_or_else(|| panic!("{id}: no heading: {place}"));
    Statement {
        version,
        id,
        numbered: true,
        sections: vec![section(id, number)],
        title,
        level: level(id, level_word),
        binds: match binds_word {
            "server" => Binds::Server,
            "client" => Binds::Client,
            "both" => Binds::Both,
            other => panic!("{id}: binds {other}"),
        },
        observable: observable(id, observable_word),
        summary,
        how_to_observe,
        reason: None,
    }
}

fn unnumbered(version: Version, fields: [&'static str; 7], titles: &[(Section, &'static str)]) -> Statement {
    let [id, version_word, places, level_word, observable_word, summary, how_to_observe] = fields;
    assert_eq!(version_word, version.as_str(), "{id}");
    let sections: Vec<_> = places.split(", ").map(|number| section(id, number)).collect();
    let leading = sections[0];
    let title = titles.iter().find(|(own, _)| *own == leading).map(|(_, title)| *title);
    let observable = observable(id, observable_word);
    Statement {
        version,
        id,
        numbered: false,
        title: title.unwrap_or_else(|| heading(version, leading.group())),
        sections,
        level: level(id, level_word),
        // The list holds what concerns a broker; rules for clients alone are marked by what can be seen.
        binds: if observable == Observable::Client { Binds::Client } else { Binds::Server },
        observable,
        summary,
        how_to_observe,
        reason: None,
    }
}

fn section(id: &str, number: &str) -> Section {
    Section::parse(number).unwrap_or_else(|| panic!("{id}: no section: {number}"))
}

fn level(id: &str, word: &str) -> Level {
    match word {
        "MUST" => Level::Must,
        "MUST NOT" => Level::MustNot,
        "SHOULD" => Level::Should,
        "SHOULD NOT" => Level::ShouldNot,
        "MAY" => Level::May,
        "PE" => Level::ProtocolError,
        "MP" => Level::Malformed,
        "def" => Level::Definition,
        "nn" => Level::Informative,
        other => panic!("{id}: level {other}"),
    }
}

fn observable(id: &str, word: &str) -> Observable {
    match word {
        "wire" => Observable::Wire,
        "wire-timing" => Observable::WireTiming,
        "config" => Observable::Config,
        "client" => Observable::Client,
        "not-observable" => Observable::Not,
        other => panic!("{id}: observable {other}"),
    }
}
