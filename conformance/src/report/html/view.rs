//! What the page shows without being asked: how the runs ended, what is broken, tables, failures, differences.

use super::differences::{self, Kind, Parting};
use super::failure::{self, Failure};
use super::standing::{Index, Standing};
use crate::check::Check;
use crate::report::json::{Entry, Report};
use crate::report::view::{place, sentence, statement, version};
use crate::statement::{self, CATALOGUE, Section};
use crate::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the template needs.
pub(super) struct View<'a> {
    pub(super) title: String,
    pub(super) brokers: Vec<Broker<'a>>,
    /// The statements that some broker breaks.
    pub(super) broken: Vec<Accused<'a>>,
    /// The statements whose recommendation some broker does not follow.
    pub(super) not_followed: Vec<Accused<'a>>,
    pub(super) verdicts: Vec<Standing>,
    pub(super) sections: Vec<SectionRow>,
    pub(super) versions: Vec<String>,
    pub(super) groups: Vec<Group>,
    pub(super) checks: Vec<CheckRow<'a>>,
    /// For each broker its failures.
    pub(super) failures: Vec<Vec<Failure<'a>>>,
    pub(super) differences: Vec<Differences<'a>>,
    /// What of the page is not of the results' own version.
    pub(super) catalogue: &'static str,
    pub(super) tool: &'static str,
}

/// One result.
pub(super) struct Broker<'a> {
    pub(super) name: &'a str,
    pub(super) report: &'a Report,
    pub(super) sentence: String,
    pub(super) tone: &'static str,
    pub(super) counts: Vec<Count>,
    pub(super) took: String,
    pub(super) cases: usize,
}

/// How many results have a verdict, and their part of the bar.
pub(super) struct Count {
    pub(super) standing: Standing,
    pub(super) number: usize,
    pub(super) from: String,
    pub(super) width: String,
}

/// A statement that a finding accuses some broker of.
pub(super) struct Accused<'a> {
    pub(super) id: &'a str,
    pub(super) level: &'static str,
    pub(super) section: String,
    pub(super) summary: &'static str,
    /// For each broker that it holds for: its name and its failures, which show it.
    pub(super) by: Vec<(&'a str, Vec<(String, &'a str)>)>,
}

/// A section with what its checks came to.
pub(super) struct SectionRow {
    pub(super) number: String,
    pub(super) heading: String,
    /// For each broker the number of results with each verdict.
    pub(super) counts: Vec<Vec<usize>>,
}

/// The statements of one section in one version.
pub(super) struct Group {
    pub(super) version: String,
    pub(super) section: String,
    pub(super) heading: &'static str,
    pub(super) rows: Vec<StatementRow>,
}

/// A statement with how each broker stands to it.
pub(super) struct StatementRow {
    pub(super) id: String,
    pub(super) level: &'static str,
    pub(super) summary: &'static str,
    pub(super) why: Option<&'static str>,
    pub(super) cells: Vec<Standing>,
}

/// A check in a version with its results.
pub(super) struct CheckRow<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) section: String,
    pub(super) said: &'a str,
    pub(super) cells: Vec<Standing>,
}

/// Checks that came out differently in the same way.
pub(super) struct Differences<'a> {
    pub(super) heading: &'static str,
    pub(super) rows: Vec<DifferenceRow<'a>>,
}

/// A check that came out differently.
pub(super) struct DifferenceRow<'a> {
    pub(super) check: &'a str,
    pub(super) version: &'a str,
    /// The standing, and the place of the failure that shows it.
    pub(super) cells: Vec<(Standing, Option<String>)>,
    /// Where the exchanges with two of the brokers part: their names and the packets.
    pub(super) parting: Option<(String, String, Parting)>,
}

impl<'a> View<'a> {
    /// The view of results whose texts are safe to show.
    pub(super) fn of(
        reports: &'a [Report],
        checks: &[&'static Check],
        names: &'a [String],
    ) -> Result<Self, askama::Error> {
        let indices: Vec<Index<'a>> = reports.iter().map(Index::of).collect();
        let mut failures = Vec::new();
        for (broker, report) in reports.iter().enumerate() {
            let mut own = Vec::new();
            for entry in &report.results {
                own.extend(Failure::of(broker, entry, reports, &indices, names, checks)?);
            }
            // The weightiest first; else in the order of the catalogue.
            own.sort_by_key(|failure| std::cmp::Reverse(failure.entry.verdict));
            failures.push(own);
        }
        let present =
            |verdict: Verdict| reports.iter().flat_map(|r| &r.results).any(|e| e.verdict == verdict);
        let always = [Verdict::Conforms, Verdict::Violates, Verdict::Deviates];
        let shown = |verdict: &Verdict| always.contains(verdict) || present(*verdict);
        let verdicts: Vec<Verdict> = Verdict::ALL.into_iter().filter(shown).collect();
        let accused = |of: fn(&Report) -> &Vec<String>| accused(reports, names, of);
        let brokers: Vec<Broker<'a>> =
            reports.iter().zip(names).map(|(report, name)| Broker::of(report, name)).collect();
        let title = match names {
            [one] => one.clone(),
            several => format!("{} results side by side", several.len()),
        };
        Ok(View {
            title,
            brokers,
            broken: accused(|report| &report.summary.statements_broken),
            not_followed: accused(|report| &report.summary.recommendations_not_followed),
            sections: sections(reports, &verdicts),
            verdicts: verdicts.into_iter().map(Standing::Told).collect(),
            versions: versions(reports),
            groups: groups(reports, &indices),
            checks: check_rows(reports, &indices),
            differences: if reports.len() > 1 { differences(reports, &indices, names) } else { Vec::new() },
            failures,
            catalogue: CATALOGUE,
            tool: env!("CARGO_PKG_VERSION"),
        })
    }

    /// The statements that have a row.
    pub(super) fn statements(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| &group.rows).map(|row| row.id.as_str())
    }

    /// The documents of the versions.
    pub(super) fn documents(&self) -> Vec<(String, &'static str)> {
        let known = self.versions.iter().filter_map(|name| version(name));
        known.map(|version| (format!("MQTT {version}"), statement::document(version))).collect()
    }

    /// Whether there is more than one result.
    pub(super) fn compares(&self) -> bool {
        self.brokers.len() > 1
    }

    /// Whether there are so many that the page takes the whole window for them.
    pub(super) fn is_wide(&self) -> bool {
        self.brokers.len() > 6
    }

    /// The place of the failure that a result is.
    pub(super) fn failure_of(&self, broker: usize, entry: &Entry) -> Option<String> {
        crate::report::needs_showing(entry.verdict).then(|| failure::id(broker, entry))
    }

    /// The heading of a part of a failure: one below that of the failures, or of one broker's.
    pub(super) fn part_heading(&self) -> &'static str {
        if self.compares() { "h4" } else { "h3" }
    }

    /// How many statements have a row.
    pub(super) fn rows(&self) -> usize {
        self.statements().count()
    }

    /// How many failures there are in all.
    pub(super) fn failed(&self) -> usize {
        self.failures.iter().map(Vec::len).sum()
    }

    /// The standings that some cell of the statements or the checks has, for the filter.
    pub(super) fn standings(&self) -> BTreeSet<Standing> {
        let statements = self.groups.iter().flat_map(|group| &group.rows).flat_map(|row| &row.cells);
        statements.chain(self.checks.iter().flat_map(|row| &row.cells)).copied().collect()
    }

    /// The sections that some row has, with their headings, for the filter.
    pub(super) fn filter_sections(&self) -> Vec<(String, String)> {
        let mut sections: BTreeMap<Section, BTreeSet<&str>> = BTreeMap::new();
        for group in &self.groups {
            if let Some(section) = Section::parse(&group.section) {
                sections.entry(section).or_default().insert(group.heading);
            }
        }
        let joined = |headings: BTreeSet<&str>| headings.into_iter().collect::<Vec<_>>().join(" / ");
        sections.into_iter().map(|(section, headings)| (section.to_string(), joined(headings))).collect()
    }
}

impl Broker<'_> {
    /// How many results have this verdict.
    pub(super) fn number(&self, standing: &Standing) -> usize {
        self.counts.iter().filter(|count| count.standing == *standing).map(|count| count.number).sum()
    }
}

impl Differences<'_> {
    /// Whether packets of some check could be compared.
    pub(super) fn compared(&self) -> bool {
        self.rows.iter().any(|row| row.parting.is_some())
    }
}

impl StatementRow {
    /// The id without its version, which the group tells.
    pub(super) fn short(&self) -> &str {
        self.id.split_once('/').map_or(&self.id, |(_, id)| id)
    }
}

impl<'a> Broker<'a> {
    fn of(report: &'a Report, name: &'a str) -> Self {
        let total = report.results.len();
        let mut counts = Vec::new();
        let mut before = 0;
        for verdict in Verdict::ALL {
            let number = report.results.iter().filter(|entry| entry.verdict == verdict).count();
            if number > 0 {
                let percent = |part: usize| format!("{:.2}", 100.0 * part as f64 / total as f64);
                let (from, width) = (percent(before), percent(number));
                counts.push(Count { standing: Standing::Told(verdict), number, from, width });
            }
            before += number;
        }
        Broker {
            name,
            report,
            sentence: sentence(report),
            tone: match report.summary.exit {
                0 => "good",
                1 => "bad",
                _ => "unclear",
            },
            counts,
            took: format!("{:.1} s", report.elapsed_ms as f64 / 1000.0),
            cases: report.results.iter().filter_map(|entry| entry.cases).sum(),
        }
    }
}

fn accused<'a>(
    reports: &'a [Report],
    names: &'a [String],
    of: fn(&Report) -> &Vec<String>,
) -> Vec<Accused<'a>> {
    let mut ids: Vec<&str> = Vec::new();
    for id in reports.iter().flat_map(of) {
        if !ids.contains(&id.as_str()) {
            ids.push(id);
        }
    }
    ids.sort_by_key(|id| order(id));
    let row = |id: &'a str| {
        let known = statement(id);
        let by = reports
            .iter()
            .zip(names)
            .enumerate()
            .filter(|(_, (report, _))| of(report).iter().any(|i| i == id));
        let by = by.map(|(broker, (report, name))| (name.as_str(), shown_by(broker, report, id))).collect();
        Accused {
            id,
            level: known.map_or("", |known| known.level.name()),
            section: known.map_or(String::new(), |known| known.section().to_string()),
            summary: known.map_or("", |known| known.summary),
            by,
        }
    };
    ids.into_iter().map(row).collect()
}

/// The failures that speak of a statement: their places and their checks.
fn shown_by<'a>(broker: usize, report: &'a Report, id: &str) -> Vec<(String, &'a str)> {
    let speaks = |entry: &&Entry| {
        let named = |found: &crate::report::json::Found| found.statement.as_ref().is_some_and(|s| s.id == id);
        crate::report::needs_showing(entry.verdict) && entry.findings.iter().any(named)
    };
    let shown = report.results.iter().filter(speaks);
    shown.map(|entry| (failure::id(broker, entry), entry.check.as_str())).collect()
}

/// Statements in the order of the catalogue; those that it does not know at the end.
fn order(id: &str) -> (usize, String) {
    let all = statement::all();
    let place = statement(id).and_then(|known| all.iter().position(|other| std::ptr::eq(other, known)));
    (place.unwrap_or(all.len()), id.to_owned())
}

fn sections(reports: &[Report], verdicts: &[Verdict]) -> Vec<SectionRow> {
    let mut rows: BTreeMap<(Section, &str), Vec<Vec<usize>>> = BTreeMap::new();
    for (broker, report) in reports.iter().enumerate() {
        for entry in &report.results {
            let Some(place) = place(entry) else { continue };
            let Some(column) = verdicts.iter().position(|verdict| *verdict == entry.verdict) else {
                continue;
            };
            rows.entry(place).or_insert_with(|| vec![vec![0; verdicts.len()]; reports.len()])[broker]
                [column] += 1;
        }
    }
    let row = |((section, heading), counts): ((Section, &str), _)| SectionRow {
        number: section.to_string(),
        heading: heading.to_owned(),
        counts,
    };
    rows.into_iter().map(row).collect()
}

/// The versions that some result checked, the oldest first.
fn versions(reports: &[Report]) -> Vec<String> {
    let names: BTreeSet<&str> = reports.iter().flat_map(|r| &r.versions).map(String::as_str).collect();
    names.into_iter().map(str::to_owned).collect()
}

fn groups(reports: &[Report], indices: &[Index<'_>]) -> Vec<Group> {
    let versions = versions(reports);
    let mut groups: Vec<Group> = Vec::new();
    for name in &versions {
        let Some(version) = version(name) else { continue };
        let mut own: Vec<&statement::Statement> =
            statement::all().iter().filter(|known| known.version == version).collect();
        own.sort_by_key(|known| known.section().group());
        for known in own {
            let group = known.section().group();
            let section = group.to_string();
            if groups.last().is_none_or(|last| last.version != *name || last.section != section) {
                let heading = statement::heading(version, group);
                groups.push(Group { version: name.clone(), section, heading, rows: Vec::new() });
            }
            let id = known.cite().to_string();
            let cells: Vec<Standing> = indices.iter().map(|index| index.standing(&id)).collect();
            let row = StatementRow {
                level: known.level.name(),
                summary: known.summary,
                why: known.exempt().filter(|_| cells.iter().all(|cell| *cell == Standing::NoCheck)),
                cells,
                id,
            };
            if let Some(last) = groups.last_mut() {
                last.rows.push(row);
            }
        }
    }
    let unknown: BTreeSet<&str> =
        indices.iter().flat_map(Index::cited).filter(|id| statement(id).is_none()).collect();
    if !unknown.is_empty() {
        let row = |id: &str| StatementRow {
            id: id.to_owned(),
            level: "",
            summary: "Not in the catalogue of this version of mqtt-assay.",
            why: None,
            cells: indices.iter().map(|index| index.standing(id)).collect(),
        };
        groups.push(Group {
            version: String::new(),
            section: String::new(),
            heading: "Unknown statements",
            rows: unknown.into_iter().map(row).collect(),
        });
    }
    groups
}

fn check_rows<'a>(reports: &'a [Report], indices: &[Index<'a>]) -> Vec<CheckRow<'a>> {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for entry in reports.iter().flat_map(|report| &report.results) {
        let (name, version) = (entry.check.as_str(), entry.version.as_str());
        if !seen.insert((name, version)) {
            continue;
        }
        let entries = indices.iter().map(|index| index.entry(name, version));
        let cells =
            entries.map(|entry| entry.map_or(Standing::NotRun, |e| Standing::Told(e.verdict))).collect();
        let first = entry.notes.first().or(entry.findings.first().map(|finding| &finding.observed));
        let alone = reports.len() == 1;
        rows.push(CheckRow {
            name,
            version,
            section: place(entry).map_or(String::new(), |(section, _)| section.to_string()),
            said: first.filter(|_| alone).map_or("", String::as_str),
            cells,
        });
    }
    rows
}

fn differences<'a>(reports: &'a [Report], indices: &[Index<'a>], names: &[String]) -> Vec<Differences<'a>> {
    let all = differences::between(reports, indices);
    let of_kind = |kind: Kind| Differences {
        heading: kind.heading(),
        rows: all.iter().filter(|found| found.kind == kind).map(|found| row(found, reports, names)).collect(),
    };
    Kind::ALL.into_iter().map(of_kind).filter(|differences| !differences.rows.is_empty()).collect()
}

fn row<'a>(found: &differences::Difference<'a>, reports: &[Report], names: &[String]) -> DifferenceRow<'a> {
    let cell = |(broker, entry): (usize, &Option<&Entry>)| match entry {
        None => (Standing::NotRun, None),
        Some(entry) => {
            let shown = crate::report::needs_showing(entry.verdict);
            (Standing::Told(entry.verdict), shown.then(|| failure::id(broker, entry)))
        }
    };
    // The first two that differ and have logs.
    let mut parting = None;
    for (a, one) in found.entries.iter().enumerate() {
        for (b, other) in found.entries.iter().enumerate().skip(a + 1) {
            let (Some(one), Some(other), None) = (one, other, &parting) else { continue };
            if one.verdict != other.verdict {
                parting = differences::parting((one, reports[a].seed), (other, reports[b].seed))
                    .map(|parting| (names[a].clone(), names[b].clone(), parting));
            }
        }
    }
    DifferenceRow {
        check: found.check,
        version: found.version,
        cells: found.entries.iter().enumerate().map(cell).collect(),
        parting,
    }
}
