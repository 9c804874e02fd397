//! Where a campaign keeps what it has: written as it comes, each file whole or not at all.

use super::record::Record;
use super::summary::Summary;
use mqtt_assay_fuzz_engine::corpus::Corpus;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with the folders, in a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreTrouble(pub String);

/// The folders of a campaign.
#[derive(Debug)]
pub(super) struct Store {
    out: PathBuf,
    corpus: PathBuf,
}

/// Writes a file whole or not at all.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut half = path.as_os_str().to_owned();
    half.push(".half");
    fs::write(&half, bytes)?;
    fs::rename(&half, path)
}

impl Store {
    /// Opens the folders, and tries whether they can be written to.
    pub(super) fn open(out: &Path, corpus: Option<&Path>) -> Result<Store, StoreTrouble> {
        let store =
            Store { out: out.to_owned(), corpus: corpus.map_or_else(|| out.join("corpus"), Path::to_owned) };
        for folder in [&store.out.join("findings"), &store.corpus] {
            let trial = folder.join(".trial");
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&trial, b""))
                .and_then(|()| fs::remove_file(&trial))
                .map_err(|error| cannot_write(folder, &error))?;
        }
        Ok(store)
    }

    /// What was written last of the campaign, if there is anything.
    pub(super) fn summary(&self) -> Result<Option<Summary>, StoreTrouble> {
        read_summary(&self.out)
    }

    pub(super) fn write_summary(&self, summary: &Summary) -> Result<(), StoreTrouble> {
        let path = self.out.join("summary.json");
        serde_json::to_string_pretty(summary)
            .map_err(io::Error::other)
            .and_then(|text| write_whole(&path, (text + "\n").as_bytes()))
            .map_err(|error| cannot_write(&path, &error))
    }

    /// The folder of the finding of this name.
    pub(super) fn finding(&self, name: &str) -> PathBuf {
        self.out.join("findings").join(name)
    }

    pub(super) fn findings(&self) -> Result<BTreeMap<String, Record>, StoreTrouble> {
        read_findings(&self.out)
    }

    pub(super) fn corpus(&self) -> &Path {
        &self.corpus
    }

    /// The corpus that is there already.
    pub(super) fn load_corpus(&self) -> Result<Corpus, StoreTrouble> {
        Corpus::load(&self.corpus).map_err(|unread| StoreTrouble(format!("cannot read the corpus: {unread}")))
    }
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> StoreTrouble {
    StoreTrouble(format!(
        "cannot write {}: {error}; choose another folder with --out, or make this one writable",
        path.display()
    ))
}

/// The summary of a campaign, if the folder has one.
pub(super) fn read_summary(out: &Path) -> Result<Option<Summary>, StoreTrouble> {
    read_json(&out.join("summary.json"))
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreTrouble> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreTrouble(format!("cannot read {}: {error}", path.display()))),
    };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| {
        StoreTrouble(format!("{} was not written by this version of mqtt-assay: {error}", path.display()))
    })
}

/// The findings of a campaign, by their names.
pub(super) fn read_findings(out: &Path) -> Result<BTreeMap<String, Record>, StoreTrouble> {
    let folder = out.join("findings");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(StoreTrouble(format!("cannot read {}: {error}", folder.display()))),
    };
    let mut findings = BTreeMap::new();
    for entry in entries {
        let entry =
            entry.map_err(|error| StoreTrouble(format!("cannot read {}: {error}", folder.display())))?;
        // Folders that were begun when the campaign was killed are whole if they have their record: it is written last.
        if let Some(record) = read_json::<Record>(&entry.path().join("finding.json"))? {
            findings.insert(record.name.clone(), record);
        }
    }
    Ok(findings)
}
