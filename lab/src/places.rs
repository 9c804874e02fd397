//! Where the lab is: the folders of the brokers, and what is made from them.

use std::path::{Path, PathBuf};

/// The environment variable that names the folder of what is installed.
pub const VARIABLE: &str = "MQTT_ASSAY_LAB";

/// What is installed, run and written goes here, unless [`VARIABLE`] says otherwise. Relative, so that the commands that
/// results name are the same on every machine.
const DEFAULT: &str = "target/lab";

/// The folders of the lab, relative to the root of the repository, in which everything runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    root: PathBuf,
    installed: PathBuf,
}

impl Places {
    /// Finds the lab: at `root`, or in the folder where the command runs, or in one above.
    ///
    /// # Errors
    ///
    /// There is none: a sentence that says so.
    pub fn find(root: Option<&Path>) -> Result<Places, String> {
        let has_lab = |folder: &Path| folder.join("lab/brokers").is_dir();
        let root = match root {
            Some(root) if has_lab(root) => root.to_path_buf(),
            Some(root) => return Err(format!("there is no folder lab/brokers in {}", root.display())),
            None => {
                let here = std::env::current_dir()
                    .map_err(|error| format!("cannot tell in which folder this runs: {error}"))?;
                let found = here.ancestors().find(|folder| has_lab(folder)).map(Path::to_path_buf);
                found.ok_or(
                    "there is no folder lab/brokers here or above; run this in a clone of mqtt-assay, or name it \
                     with --root",
                )?
            }
        };
        let installed = match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => PathBuf::from(DEFAULT),
        };
        Ok(Places { root, installed })
    }

    /// The root of the repository: commands run there, and other paths are relative to it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the brokers are installed, as commands in the root name it.
    pub fn installed(&self) -> &Path {
        &self.installed
    }

    /// The same as a whole path.
    pub fn installed_whole(&self) -> PathBuf {
        let whole = self.root.join(&self.installed);
        std::path::absolute(&whole).unwrap_or(whole)
    }

    /// The folders of the brokers.
    pub fn brokers(&self) -> PathBuf {
        self.root.join("lab/brokers")
    }

    /// The results that are published.
    pub fn published(&self) -> PathBuf {
        self.root.join("lab/results")
    }

    /// Where a run writes to, unless told otherwise.
    pub fn out(&self, folder: &str) -> PathBuf {
        self.root.join(&self.installed).join(folder)
    }

    /// The state of a running broker, as commands in the root name it.
    pub fn state(&self, name: &str) -> PathBuf {
        self.installed.join("state").join(name)
    }

    /// The manual.
    pub fn manual(&self) -> PathBuf {
        self.root.join("docs")
    }
}
