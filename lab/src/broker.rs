//! A broker of the lab: its folder.
//!
//! ```text
//! lab/brokers/NAME/broker.toml   what it is
//!                  profile.toml  how it is reached, as any profile (further ones for further listeners)
//!                  install.sh    installs its pinned version
//!                  start.sh      runs it in the foreground; its first argument is the folder of its state
//!                  reviews.toml  why what it is accused of is so
//! ```

use crate::places::Places;
use mqtt_assay::profile::{BrokerProfile, Over};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `broker.toml` says.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Its name, for people.
    pub name: String,
    /// The version that is installed, and that the reviews are about.
    pub version: String,
    /// The registry, and the package there.
    pub from: String,
    /// Where it is at home.
    pub home: String,
    /// Where its faults are reported.
    pub tracker: String,
    /// The versions of MQTT that it speaks: `3.1`, `3.1.1`, `5.0`.
    pub versions: Vec<String>,
    /// The transports that it is checked over: `tcp`, `tls`, `ws`, `wss`.
    pub transports: Vec<String>,
    /// How long it may take until it listens, in seconds.
    pub start_seconds: u32,
    /// Whether it belongs to the fast part of the lab: it is installed, and started, in seconds.
    #[serde(default)]
    pub installs_in_seconds: bool,
    /// How many checks run at the same time, for a broker whose clients suffer from what others do; as many as
    /// mqtt-assay has by itself unless it is given.
    pub checks_at_once: Option<u16>,
    /// Checks that it does not survive, so that nothing could be told after them: they are left out, and a limit says
    /// what becomes of it.
    #[serde(default)]
    pub skip: Vec<String>,
    /// Why it is not run: then its folder is a profile to start from.
    pub not_run: Option<String>,
    /// Why its results are not published, though it is run: what a broker is accused of is reviewed first.
    pub not_published: Option<String>,
    /// How it is configured, and why.
    #[serde(default)]
    pub notes: String,
    /// The profiles, if one does not do: a broker may have a listener for each version of MQTT.
    #[serde(default = "one_profile")]
    pub profiles: Vec<String>,
    /// What it is known not to do, or to do only so far.
    #[serde(default, rename = "limit")]
    pub limits: Vec<Limit>,
}

/// A known limit.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What the broker does not do.
    pub what: String,
    /// Who says so: an address, or how it was seen.
    pub source: String,
}

fn one_profile() -> Vec<String> {
    vec!["profile.toml".to_owned()]
}

/// A broker of the lab.
#[derive(Clone, PartialEq, Debug)]
pub struct Broker {
    /// The name of its folder.
    pub id: String,
    /// What it is.
    pub about: About,
    /// Where and how it is reached.
    pub listeners: Vec<Listener>,
}

/// A transport of a profile: what one run checks.
#[derive(Clone, PartialEq, Debug)]
pub struct Listener {
    /// The name of the profile's file.
    pub profile: String,
    /// The transport.
    pub over: Over,
    /// The address.
    pub address: String,
}

impl Listener {
    /// Its name, as `start.sh` knows it: that of the transport, behind that of the profile if it is not the first one.
    pub fn name(&self) -> String {
        let stem =
            self.profile.trim_end_matches(".toml").trim_start_matches("profile").trim_start_matches('-');
        if stem.is_empty() { self.over.name().to_owned() } else { format!("{stem}-{}", self.over.name()) }
    }

    /// The name of its result: that of the broker, and its own.
    pub fn result(&self, broker: &Broker) -> String {
        format!("{}-{}", broker.id, self.name())
    }
}

impl Broker {
    /// Reads the folder of a broker.
    ///
    /// # Errors
    ///
    /// Something in it is missing or wrong: one sentence that says what and where.
    pub fn read(folder: &Path) -> Result<Broker, String> {
        let id = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = folder.join("broker.toml");
        let text = read(&path)?;
        let about: About = parsed(&path, &text)?;
        let mut listeners = Vec::new();
        for file in &about.profiles {
            let path = folder.join(file);
            let profile = BrokerProfile::read(&read(&path)?)
                .map_err(|wrong| format!("the profile {}, {wrong}", path.display()))?;
            let of = profile.addresses.all().map(|(over, address)| Listener {
                profile: file.clone(),
                over,
                address: address.to_owned(),
            });
            listeners.extend(of);
        }
        Ok(Broker { id, about, listeners })
    }

    /// The name and the version, for people.
    pub fn title(&self) -> String {
        format!("{} {}", self.about.name, self.about.version)
    }

    /// How long it may take until it listens.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.about.start_seconds))
    }

    /// A file of its folder, as commands in the root of the repository name it.
    pub fn file(&self, name: &str) -> PathBuf {
        Path::new("lab/brokers").join(&self.id).join(name)
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// What a file in TOML says, or in one sentence what is wrong with it.
pub(crate) fn parsed<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, String> {
    toml::from_str(text)
        .map_err(|error| format!("{}: {}", path.display(), error.to_string().trim().replace('\n', " ")))
}

/// All brokers of the lab, by the names of their folders.
///
/// # Errors
///
/// A folder is not as it must be: one sentence.
pub fn all(places: &Places) -> Result<Vec<Broker>, String> {
    let folder = places.brokers();
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.iter().map(|folder| Broker::read(folder)).collect()
}

/// Which brokers are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// Those with these names.
    Named(Vec<String>),
    /// Those that are installed in seconds.
    Fast,
    /// All that can be run.
    All,
}

/// The brokers that are meant, in the order of their names.
///
/// # Errors
///
/// There is none of that name, or it cannot be run: one sentence.
pub fn chosen(brokers: Vec<Broker>, choice: &Choice) -> Result<Vec<Broker>, String> {
    if let Choice::Named(names) = choice {
        for name in names {
            match brokers.iter().find(|broker| broker.id == *name) {
                None => {
                    let known: Vec<&str> = brokers.iter().map(|broker| broker.id.as_str()).collect();
                    return Err(format!("there is no broker '{name}'; there are {}", known.join(", ")));
                }
                Some(Broker { about: About { not_run: Some(why), .. }, .. }) => {
                    return Err(format!("'{name}' has a profile only: {why}"));
                }
                Some(_) => {}
            }
        }
    }
    let meant = |broker: &Broker| match choice {
        Choice::Named(names) => names.contains(&broker.id),
        Choice::Fast => broker.about.installs_in_seconds && broker.about.not_run.is_none(),
        Choice::All => broker.about.not_run.is_none(),
    };
    Ok(brokers.into_iter().filter(meant).collect())
}
