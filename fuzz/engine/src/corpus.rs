//! Cases worth keeping: for each way in which the broker has answered, the smallest that shows it.

use crate::case::Case;
use crate::edges;
use crate::signature::Signature;
use mqtt_assay_broker_model::workload::Draw;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};

/// How files of a corpus end.
const SUFFIX: &str = "script";
/// What a file says in its first lines: how often an answer was seen, and the answer.
const SHOWS: &str = "# shows ";

/// An answer of the broker's, and the case that is kept for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    case: Arc<Case>,
    seen: u64,
}

impl Entry {
    /// The smallest case that was answered so.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// How many cases were answered so.
    pub fn seen(&self) -> u64 {
        self.seen
    }
}

/// What became of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Something was never answered before: the case is kept.
    New,
    /// The case is kept instead of a larger one that was answered in the same way.
    Smaller,
    /// The case is not kept.
    Known,
}

/// Cases by what they were answered. What it holds does not depend on the order in which the cases came.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Corpus {
    /// By part of a signature.
    entries: BTreeMap<String, Entry>,
}

impl Corpus {
    /// How many answers it knows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them are answers, and not what a broker's own instrumentation has told.
    pub fn answers(&self) -> usize {
        self.entries.keys().filter(|part| !part.starts_with(edges::PREFIX)).count()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All answers, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(part, entry)| (part.as_str(), entry))
    }

    /// All cases that are kept, each once, the smallest first.
    pub fn cases(&self) -> Vec<&Case> {
        let mut cases: Vec<&Case> = self.entries.values().map(Entry::case).collect();
        cases.sort_unstable();
        cases.dedup();
        cases
    }

    /// Takes note of how a case was answered, and keeps it if that is new, or if it is smaller than what is kept.
    pub fn admit(&mut self, case: &Case, signature: &Signature) -> Admission {
        let case = Arc::new(case.clone());
        let took = signature.parts().map(|part| self.take(part, Entry { case: Arc::clone(&case), seen: 1 }));
        took.min_by_key(|admission| *admission as u8).unwrap_or(Admission::Known)
    }

    /// Keeps a case for what it has shown of the broker's code. What that is called depends on what was known before: it
    /// is told apart by what is [new](edges::News::part).
    pub fn admit_news(&mut self, case: &Case, news: &edges::News) -> Admission {
        self.take(&news.part(), Entry { case: Arc::new(case.clone()), seen: 1 })
    }

    fn take(&mut self, part: &str, entry: Entry) -> Admission {
        let Some(kept) = self.entries.get_mut(part) else {
            self.entries.insert(part.to_owned(), entry);
            return Admission::New;
        };
        kept.seen = kept.seen.saturating_add(entry.seen);
        if entry.case >= kept.case {
            return Admission::Known;
        }
        kept.case = entry.case;
        Admission::Smaller
    }

    /// One of the cases: the rarer its answers, the sooner.
    pub fn pick(&self, draw: &mut Draw) -> Option<&Entry> {
        /// The weight of what was seen once.
        const ONCE: u64 = 1 << 20;
        let weight = |entry: &Entry| (ONCE / entry.seen.max(1)).max(1);
        let total: u64 = self.entries.values().map(weight).sum();
        let mut rest = draw.any() % total.max(1);
        self.entries.values().find(|entry| {
            let found = rest < weight(entry);
            rest = rest.saturating_sub(weight(entry));
            found
        })
    }

    /// Takes in what another shard of the campaign has kept.
    pub fn merge(&mut self, other: Corpus) {
        for (part, entry) in other.entries {
            self.take(&part, entry);
        }
    }

    /// Writes every case into a folder, as a script that says in comments what it shows.
    ///
    /// # Errors
    ///
    /// The folder or a file cannot be written.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (name, text) in self.files() {
            write_whole(folder, &name, &text)?;
        }
        Ok(())
    }

    /// As [`Corpus::save`]; other cases that the folder has, which this corpus knows smaller ones for, are taken away.
    ///
    /// # Errors
    ///
    /// The folder or a file cannot be written.
    pub fn save_alone(&self, folder: &Path) -> io::Result<()> {
        self.save(folder)?;
        let files = self.files();
        for path in scripts(folder).map_err(|unread| io::Error::other(unread.to_string()))? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // What somebody has put there by hand says nothing of what it shows.
            if !files.contains_key(name) && fs::read_to_string(&path)?.starts_with(SHOWS) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Writes what is kept of this case.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be written.
    pub fn save_case(&self, case: &Case, folder: &Path) -> io::Result<()> {
        let shows: String =
            self.entries.iter().filter(|(_, entry)| *entry.case == *case).map(shows).collect();
        write_whole(folder, &file_name(case), &format!("{shows}\n{case}"))
    }

    /// The files of all cases, by their names.
    fn files(&self) -> BTreeMap<String, String> {
        let mut shown: BTreeMap<&Case, String> = BTreeMap::new();
        for one in &self.entries {
            *shown.entry(&one.1.case).or_default() += &shows(one);
        }
        shown.into_iter().map(|(case, shows)| (file_name(case), format!("{shows}\n{case}"))).collect()
    }

    /// Reads a folder. Scripts that do not say what they show are none of a corpus, and are seeds at most: see
    /// [`seeds`].
    ///
    /// # Errors
    ///
    /// The folder or a file cannot be read, or a file that says what it shows is no case.
    pub fn load(folder: &Path) -> Result<Corpus, Unread> {
        let mut corpus = Corpus::default();
        for path in scripts(folder)? {
            let text = read(&path)?;
            let shows = text.lines().filter(|line| line.starts_with(SHOWS)).count();
            if shows == 0 {
                continue;
            }
            let case = Arc::new(parse(&path, &text)?);
            if shown_by(&text).count() < shows {
                return Err(Unread { path, why: format!("behind {SHOWS:?} comes a number, and an answer") });
            }
            for (seen, part) in shown_by(&text) {
                corpus.take(part, Entry { case: Arc::clone(&case), seen });
            }
        }
        Ok(corpus)
    }
}

/// What a file of a corpus says of its case: how often each answer was seen that it is kept for, and the answer.
pub fn shown_by(text: &str) -> impl Iterator<Item = (u64, &str)> {
    text.lines().filter_map(|line| {
        let (seen, part) = line.strip_prefix(SHOWS)?.split_once(' ')?;
        Some((seen.parse().ok()?, part))
    })
}

/// The line that says what a case shows.
fn shows((part, entry): (&String, &Entry)) -> String {
    format!("{SHOWS}{} {part}\n", entry.seen)
}

fn file_name(case: &Case) -> String {
    format!("{}.{SUFFIX}", case.name())
}

/// Writes a file whole or not at all: who is killed meanwhile leaves no half of it.
fn write_whole(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let half = folder.join(format!(".{name}.half"));
    fs::write(&half, text)?;
    fs::rename(half, folder.join(name))
}

/// Every script in a folder, whether or not it belongs to a corpus.
///
/// # Errors
///
/// The folder or a file cannot be read, or a file is no case.
pub fn seeds(folder: &Path) -> Result<Vec<Case>, Unread> {
    scripts(folder)?.iter().map(|path| parse(path, &read(path)?)).collect()
}

fn scripts(folder: &Path) -> Result<Vec<PathBuf>, Unread> {
    let unread = |error: io::Error| Unread { path: folder.to_owned(), why: error.to_string() };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|extension| extension == SUFFIX) {
            paths.push(path);
        }
    }
    // A folder has an order of its own.
    paths.sort_unstable();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, Unread> {
    fs::read_to_string(path).map_err(|error| Unread { path: path.to_owned(), why: error.to_string() })
}

fn parse(path: &Path, text: &str) -> Result<Case, Unread> {
    text.parse().map_err(|refused| Unread { path: path.to_owned(), why: format!("{refused}") })
}

/// A corpus that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unread {
    /// The folder or file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl core::error::Error for Unread {}
