//! One or several results as a page of HTML: one file that opens offline, asks no network for anything, and can be read
//! without its script.
//!
//! What matters at once is in the page as it is: how it ended, what is broken, each failure with its packets, and a
//! table of statements. The rest is kept as JSON and unfolded by `page.js` when it is asked for.

mod anatomy;
mod clean;
mod data;
mod diagram;
mod differences;
mod excerpt;
mod failure;
mod standing;
mod view;

use crate::checks;
use crate::report::json::{Entry, Report};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use failure::Line;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");
const CODE: &str = include_str!("page.js");

/// With more events than these in all, the longest logs are kept with their telling parts only, so that the page stays
/// small.
const MOST_EVENTS: usize = 20_000;

/// Why there is no page.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum PageError {
    /// There is nothing to make a page of.
    #[error("a page needs at least one result")]
    NoResult,
    /// A result cannot be put into JSON.
    #[error("the result cannot be put into the page: {0}")]
    Data(#[from] serde_json::Error),
    /// The template cannot be filled.
    #[error("the page cannot be written: {0}")]
    Template(#[from] askama::Error),
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    policy: String,
    style: &'static str,
    code: &'static str,
    /// JSON, made safe for a `script` element.
    data: String,
    view: view::View<'a>,
}

/// The page. One result makes a report; several make a comparison, with a column for each.
///
/// # Errors
///
/// There is no result, or (a fault of this tool) one cannot be put into the page.
pub fn page(results: &[Report]) -> Result<String, PageError> {
    if results.is_empty() {
        return Err(PageError::NoResult);
    }
    let mut reports = results.iter().map(clean::clean).collect::<Result<Vec<_>, _>>()?;
    shorten(&mut reports);
    let checks = checks::all();
    let names = crate::report::view::names(&reports);
    let view = view::View::of(&reports, &checks, &names)?;
    let ids: Vec<String> = view.statements().map(str::to_owned).collect();
    let failure = |broker, entry: &_| view.failure_of(broker, entry);
    let data = clean::for_script(&data::Data::of(&reports, &checks, &ids, failure))?;
    Ok(Page { policy: policy(), style: STYLE, code: CODE, data, view }.render()?)
}

/// What the page may do: use its own style and its own script, and nothing else. No request leaves it.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(CODE)
    )
}

/// Leaves out the middle of the longest logs until there are no more events than the page may have, and keeps the
/// findings pointing at what is left.
fn shorten(reports: &mut [Report]) {
    let mut logs: Vec<&mut Entry> = reports.iter_mut().flat_map(|report| &mut report.results).collect();
    let length = |entry: &Entry| entry.log.as_ref().map_or(0, Vec::len);
    let mut events: usize = logs.iter().map(|entry| length(entry)).sum();
    logs.sort_by_key(|entry| std::cmp::Reverse(length(entry)));
    for entry in logs {
        if events <= MOST_EVENTS {
            return;
        }
        let before = length(entry);
        excerpt::shorten(entry);
        events -= before - length(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of the results that the tests of the page use.
    pub(super) fn result(name: &str) -> Report {
        let path = format!("{}/tests/html/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read(path).expect("the result is there");
        serde_json::from_slice(&text).expect("it is a result")
    }

    #[test]
    fn the_longest_logs_are_cut_first_and_keep_their_marks() {
        let mut report = result("mutant");
        let failing: Vec<usize> =
            (0..report.results.len()).filter(|at| report.results[*at].log.is_some()).collect();
        let (long, short) = (failing[0], failing[1]);
        let before = report.results[short].clone();
        let entry = &mut report.results[long];
        let log = entry.log.as_mut().expect("it has a log");
        *log = log.iter().cycle().take(MOST_EVENTS).cloned().collect();
        log[500].text = "the mark".to_owned();
        entry.findings[0].log_index = Some(500);
        let mut reports = [report];
        shorten(&mut reports);
        let entry = &reports[0].results[long];
        let log = entry.log.as_ref().expect("it still has a log");
        assert!(log.len() < 50, "{}", log.len());
        assert_eq!(log[entry.findings[0].log_index.expect("still marked")].text, "the mark");
        assert_eq!(log[10].text, "484 events are left out of this page");
        assert_eq!(reports[0].results[short], before);
    }
}
