//! The results of runs: read, kept for publication, and taken apart.

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use mqtt_assay::report::json::{self, Entry, Found, Report};
use mqtt_assay::report::read;
use mqtt_assay::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The ending of results that are published.
const COMPRESSED: &str = ".json.gz";

/// Reads a result file, compressed or not.
///
/// # Errors
///
/// It is none: one sentence.
pub fn open(path: &Path) -> Result<Report, String> {
    let fail = |error: io::Error| format!("cannot read the result {}: {error}", path.display());
    let bytes = std::fs::read(path).map_err(fail)?;
    let mut text = String::new();
    if path.extension().is_some_and(|ending| ending == "gz") {
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).map_err(fail)?;
    } else {
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    read::read(&text).map_err(|why| format!("{} {why}", path.display()))
}

/// The published results in a folder, by their names.
///
/// # Errors
///
/// One cannot be read: one sentence.
pub fn published(folder: &Path) -> Result<BTreeMap<String, Report>, String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(BTreeMap::new()) };
    let mut all = BTreeMap::new();
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(COMPRESSED) {
            all.insert(name.to_owned(), open(&path)?);
        }
    }
    Ok(all)
}

/// Writes a result for publication: the packets are kept of what is violated, for they are its proof; but not again
/// where the result over the broker's `first` transport has them. Brokers that die tell in which folders of this machine
/// they are: what comes before a file's path in `folders` is nobody's business.
///
/// # Errors
///
/// The file cannot be written: one sentence.
pub fn publish(
    folder: &Path,
    name: &str,
    report: &Report,
    first: Option<&Report>,
    folders: &[PathBuf],
) -> Result<PathBuf, String> {
    let violates = |entry: &Entry| entry.verdict == Verdict::Violates;
    let key = |entry: &Entry| (entry.check.clone(), entry.version.clone());
    let shown: BTreeSet<_> =
        first.iter().flat_map(|first| &first.results).filter(|entry| violates(entry)).map(key).collect();
    let mut kept = report.clone();
    for entry in kept.results.iter_mut().filter(|entry| !violates(entry) || shown.contains(&key(entry))) {
        entry.log = None;
        entry.replay = None;
        for finding in &mut entry.findings {
            finding.log_index = None;
        }
    }
    let path = folder.join(format!("{name}{COMPRESSED}"));
    let fail = |error: io::Error| format!("cannot write {}: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(fail)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let named = folders.iter().map(|folder| format!("{}/", folder.display())).filter(|name| name.len() > 1);
    let text = named.fold(json::text(&kept), |text, name| text.replace(&name, ""));
    encoder.write_all(text.as_bytes()).map_err(fail)?;
    std::fs::write(&path, encoder.finish().map_err(fail)?).map_err(fail)?;
    Ok(path)
}

/// Something that a broker is accused of.
#[derive(Clone, Copy, Debug)]
pub struct Accusation<'a> {
    /// The result of the check.
    pub entry: &'a Entry,
    /// What it found.
    pub finding: &'a Found,
    /// The statement that is violated, with its version.
    pub statement: &'a str,
}

/// What a result accuses the broker of, in its order.
pub fn accusations(report: &Report) -> impl Iterator<Item = Accusation<'_>> {
    report.results.iter().flat_map(|entry| {
        let violates = entry.findings.iter().filter(|finding| finding.verdict == Verdict::Violates);
        violates.map(move |finding| Accusation { entry, finding, statement: statement(entry, finding) })
    })
}

/// The statement of a finding: that which it names, else the first that its check decides.
fn statement<'a>(entry: &'a Entry, finding: &'a Found) -> &'a str {
    let named = finding.statement.as_ref().map(|cited| cited.id.as_str());
    named.or_else(|| entry.statements.first().map(String::as_str)).unwrap_or_default()
}

/// The checks, with their versions, of which nothing could be told.
pub fn inconclusive(report: &Report) -> BTreeSet<(&str, &str)> {
    let open = report.results.iter().filter(|entry| entry.verdict == Verdict::Inconclusive);
    open.map(|entry| (entry.check.as_str(), entry.version.as_str())).collect()
}

/// How many results have each verdict.
pub type Counts = BTreeMap<Verdict, usize>;

/// `613 results: 559 conforms, 31 violates…`
pub fn told(report: &Report) -> String {
    let number = |verdict: &Verdict| report.summary.verdicts.get(verdict).copied().unwrap_or(0);
    let parts: Vec<String> = Verdict::ALL
        .iter()
        .filter(|verdict| number(verdict) > 0)
        .map(|verdict| format!("{} {verdict}", number(verdict)))
        .collect();
    format!("{} results: {}", report.results.len(), parts.join(", "))
}
