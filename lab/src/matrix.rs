//! What the results come to, as a page of the manual: the brokers side by side.

use crate::broker::{Broker, Listener};
use crate::pages::{anchor, cell, line};
use crate::results::{Counts, accusations};
use crate::review::Reviews;
use crate::stability;
use mqtt_assay::report::json::{Entry, Report};
use mqtt_assay::statement::{self, CATALOGUE, Section, Statement, heading};
use mqtt_assay::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The versions of MQTT, as results name them, in the order of the page.
const VERSIONS: [&str; 3] = ["3.1.1", "5.0", "3.1"];

/// What a cell counts, in its order.
const COUNTED: [Verdict; 5] =
    [Verdict::Conforms, Verdict::Deviates, Verdict::Violates, Verdict::Inconclusive, Verdict::NotTested];

/// All that is known of the lab's brokers.
#[derive(Clone, PartialEq, Debug)]
pub struct Lab {
    /// The brokers, with those that are not run.
    pub brokers: Vec<(Broker, Reviews)>,
    /// The results, by their names.
    pub results: BTreeMap<String, Report>,
    /// Why there is no result, by its name or by that of the broker.
    pub failures: BTreeMap<String, String>,
}

/// A broker with results.
struct Column<'a> {
    broker: &'a Broker,
    reviews: &'a Reviews,
    /// That over the first transport, of each profile.
    main: Vec<&'a Report>,
}

impl Column<'_> {
    fn entries(&self, version: &str) -> impl Iterator<Item = &Entry> {
        let all = self.main.iter().flat_map(|report| &report.results);
        all.filter(move |entry| entry.version == version)
    }
}

impl Lab {
    /// The listeners of a broker that have a result, with it.
    fn results_of<'a>(&'a self, broker: &'a Broker) -> impl Iterator<Item = (&'a Listener, &'a Report)> {
        broker
            .listeners
            .iter()
            .filter_map(move |listener| Some((listener, self.results.get(&listener.result(broker))?)))
    }

    fn columns(&self) -> Vec<Column<'_>> {
        let mut columns = Vec::new();
        for (broker, reviews) in &self.brokers {
            let mut profiles = BTreeSet::new();
            let first = self.results_of(broker).filter(|(listener, _)| profiles.insert(&listener.profile));
            let main: Vec<&Report> = first.map(|(_, report)| report).collect();
            if !main.is_empty() {
                columns.push(Column { broker, reviews, main });
            }
        }
        columns
    }

    /// The results over the first transport of each profile, each with a name for people.
    pub fn named(&self) -> Vec<(String, &Report)> {
        let mut named = Vec::new();
        for column in self.columns() {
            for report in &column.main {
                let versions = if column.main.len() > 1 {
                    format!(", MQTT {}", report.versions.join(" and "))
                } else {
                    String::new()
                };
                named.push((format!("{}{versions}", column.broker.title()), *report));
            }
        }
        named
    }

    /// The page, as Markdown.
    pub fn page(&self) -> String {
        let columns = self.columns();
        let mut text = format!(
            "# What well-known brokers make of it\n\n\
             Written by `mqtt-assay-lab matrix` from the results in `lab/results`; [the broker lab](lab.md) tells how \
             they come about. Catalogue {CATALOGUE}, mqtt-assay {}. Each *violates* has a [review](reviews.md).\n\n",
            env!("CARGO_PKG_VERSION")
        );
        self.brokers(&mut text);
        for version in VERSIONS {
            let speaks = |column: &&Column<'_>| column.entries(version).next().is_some();
            let speaking: Vec<&Column<'_>> = columns.iter().filter(speaks).collect();
            if !speaking.is_empty() {
                sections(&mut text, version, &speaking);
                violated(&mut text, version, &speaking);
            }
        }
        self.transports(&mut text);
        text
    }

    /// The brokers, with and without results.
    fn brokers(&self, text: &mut String) {
        text.push_str("| broker | version | from | MQTT | over | results |\n|---|---|---|---|---|---|\n");
        for (broker, _) in &self.brokers {
            let about = &broker.about;
            let main = self.results_of(broker).next();
            let result = match (main, &about.not_run) {
                (_, Some(why)) => format!("*not run here*: {why}"),
                (Some((_, report)), None) => {
                    let violated: BTreeSet<&str> = self
                        .results_of(broker)
                        .flat_map(|(_, report)| accusations(report))
                        .map(|accusation| accusation.statement)
                        .collect();
                    let conforms = report.summary.verdicts.get(&Verdict::Conforms).copied().unwrap_or(0);
                    format!(
                        "{conforms} of {} conform; {} statements violated",
                        report.results.len(),
                        violated.len()
                    )
                }
                (None, None) => {
                    let of = |(name, why): (&String, &String)| {
                        let own =
                            name.split(['-', '.']).next() == Some(broker.id.as_str()) || *name == broker.id;
                        own.then(|| why.clone())
                    };
                    let why = self.failures.iter().find_map(of);
                    match &about.not_published {
                        Some(why) => format!("*not published*: {why}"),
                        None => format!("*none*: {}", why.as_deref().unwrap_or("it was not checked")),
                    }
                }
            };
            let _ = writeln!(
                text,
                "| [{}]({}) | {} | {} | {} | {} | {} |",
                cell(&about.name),
                about.home,
                cell(&about.version),
                cell(&about.from),
                about.versions.join(", "),
                about.transports.join(", "),
                cell(&line(&result))
            );
        }
        text.push('\n');
    }

    /// What comes out differently over another transport.
    fn transports(&self, text: &mut String) {
        text.push_str(
            "## What the transport changes\n\nThe counts above are those over the first transport of each broker. Over \
             the others these checks come out differently; those that a transport has no place for are left out.\n\n",
        );
        for (broker, _) in &self.brokers {
            for profile in &broker.about.profiles {
                let own: Vec<_> =
                    self.results_of(broker).filter(|(listener, _)| listener.profile == *profile).collect();
                if own.len() < 2 {
                    continue;
                }
                let names: Vec<&str> = own.iter().map(|(listener, _)| listener.over.name()).collect();
                let reports: Vec<Report> = own.into_iter().map(|(_, report)| report.clone()).collect();
                let mut differences = stability::differences(&reports);
                // What a transport does not have is no difference of the broker's.
                let everywhere = |difference: &stability::Difference| {
                    !difference.verdicts.contains(&Some(Verdict::NotTested))
                };
                differences.retain(everywhere);
                let _ = write!(text, "- {} ({}):", broker.about.name, names.join(", "));
                let told: Vec<String> = differences.iter().map(stability::Difference::told).collect();
                text.push_str(if told.is_empty() { " nothing" } else { "\n  - " });
                text.push_str(&told.join("\n  - "));
                text.push('\n');
            }
        }
    }
}

/// The counts by section.
fn sections(text: &mut String, version: &str, columns: &[&Column<'_>]) {
    let mut rows: BTreeMap<Section, (&str, Vec<Counts>)> = BTreeMap::new();
    for (index, column) in columns.iter().enumerate() {
        for entry in column.entries(version) {
            let Some(first) = entry.statements.iter().find_map(|cite| known(cite)) else { continue };
            let group = first.section().group();
            let row = rows
                .entry(group)
                .or_insert_with(|| (heading(first.version, group), vec![Counts::new(); columns.len()]));
            if let Some(counts) = row.1.get_mut(index) {
                *counts.entry(entry.verdict).or_default() += 1;
            }
        }
    }
    let counted: Vec<&str> = COUNTED.into_iter().map(Verdict::name).collect();
    let titles: Vec<String> = columns.iter().map(|column| cell(&column.broker.title())).collect();
    let _ = writeln!(
        text,
        "## MQTT {version}\n\nIn each cell: {}.\n\n| section | {} |\n|---|{}",
        counted.join(" / "),
        titles.join(" | "),
        ":---:|".repeat(columns.len())
    );
    for (section, (name, cells)) in rows {
        let cells: Vec<String> = cells.iter().map(numbers).collect();
        let _ = writeln!(text, "| {section} {name} | {} |", cells.join(" | "));
    }
    text.push('\n');
}

/// `61 / 2 / **1** / 0 / 3`; nothing where nothing is counted.
fn numbers(counts: &Counts) -> String {
    let of = |verdict: &Verdict| counts.get(verdict).copied().unwrap_or(0);
    if COUNTED.iter().all(|verdict| of(verdict) == 0) {
        return String::new();
    }
    let told = |verdict: &Verdict| match (verdict, of(verdict)) {
        (Verdict::Violates, number) if number > 0 => format!("**{number}**"),
        (_, number) => number.to_string(),
    };
    COUNTED.iter().map(told).collect::<Vec<_>>().join(" / ")
}

/// Each statement that somebody violates, and who does.
fn violated(text: &mut String, version: &str, columns: &[&Column<'_>]) {
    let mut rows: BTreeMap<(Option<Section>, &str), Vec<String>> = BTreeMap::new();
    for column in columns {
        let mut own: BTreeMap<&str, Option<usize>> = BTreeMap::new();
        let reports = column.main.iter().copied();
        for accusation in reports.flat_map(accusations).filter(|own| own.entry.version == version) {
            let review = column.reviews.of(accusation.statement, &accusation.entry.check);
            let place = own.entry(accusation.statement).or_default();
            *place = place.or(review.map(|(index, _)| index));
        }
        for (cite, review) in own {
            let name = &column.broker.about.name;
            let who = match review {
                Some(index) => format!("[{name}](reviews.md#{})", anchor(&column.broker.id, index)),
                None => format!("{name} (not reviewed)"),
            };
            let section = known(cite).map(Statement::section);
            rows.entry((section, cite)).or_default().push(who);
        }
    }
    if rows.is_empty() {
        return;
    }
    text.push_str("| violated by somebody | what it demands | by |\n|---|---|---|\n");
    for ((section, cite), who) in rows {
        let section = section.map_or_else(String::new, |section| format!(", §{section}"));
        let id = cite.split_once('/').map_or(cite, |(_, id)| id);
        let summary = known(cite).map_or("", |statement| statement.summary);
        let _ = writeln!(text, "| {id}{section} | {} | {} |", cell(summary), who.join(", "));
    }
    text.push('\n');
}

/// The statement of today's catalogue.
fn known(cite: &str) -> Option<&'static Statement> {
    statement::all().iter().find(|statement| statement.cite().to_string() == cite)
}
