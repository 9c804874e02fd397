//! Reads a profile; what is wrong with it is told in one sentence with its line.

use super::{BrokerProfile, PORT};
use crate::baseline::line_of;
use crate::target::url;
use serde::de::{Deserialize, Deserializer, Error as _};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file is no profile.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Wrong {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl BrokerProfile {
    /// Reads the text of a profile.
    ///
    /// # Errors
    ///
    /// It is not TOML, or has what no profile has, or says what cannot be.
    pub fn read(text: &str) -> Result<BrokerProfile, Wrong> {
        let profile: BrokerProfile = toml::from_str(text).map_err(|error| Wrong {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            // The parser's own sentence may come in several lines.
            what: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
        })?;
        match profile.contradiction() {
            Some((section, what)) => Err(Wrong { line: line_of_section(text, section), what }),
            None => Ok(profile),
        }
    }

    /// What no single entry shows to be wrong, with its section.
    fn contradiction(&self) -> Option<(&'static str, String)> {
        let (users, process) = (&self.credentials, &self.process);
        let wrong = |section, what: &str| Some((section, what.to_owned()));
        if self.tls.cert.is_some() != self.tls.key.is_some() {
            return wrong(
                "tls",
                "a certificate and its key go together; give both `cert` and `key`, or none",
            );
        }
        if self.tls.insecure && self.tls.ca.is_some() {
            return wrong(
                "tls",
                "`insecure` accepts every certificate, so `ca` has no use; leave one of them out",
            );
        }
        if users.password.is_some() && users.user.is_none() {
            return wrong("credentials", "a password needs a user name; give `user`");
        }
        if users.wrong_user.is_some() != users.wrong_password.is_some() {
            return wrong(
                "credentials",
                "`wrong_user` and `wrong_password` are one wrong pair; give both, or none",
            );
        }
        if users.wrong_user.is_some()
            && (&users.wrong_user, &users.wrong_password) == (&users.user, &users.password)
        {
            return wrong("credentials", "the wrong pair is the right one");
        }
        for (name, text) in process.all() {
            match shell_words::split(text) {
                Ok(words) if words.is_empty() => {
                    return Some(("process", format!("the command `{name}` is empty")));
                }
                Err(_) => {
                    return Some((
                        "process",
                        format!("the command `{name}` has a quotation mark without its pair"),
                    ));
                }
                Ok(_) => {}
            }
        }
        if process.spawn.is_none() && process.all().next().is_some() {
            return wrong("process", "what is stopped, killed or restarted must be started; give `spawn`");
        }
        let spawned = process.spawn.as_deref();
        for (over, address) in self.addresses.all() {
            if address.contains(PORT) && spawned.is_none_or(|spawn| !spawn.contains(PORT)) {
                let what = format!("`{}` has {PORT}, which `spawn` in [process] must have, too", over.name());
                return Some(("addresses", what));
            }
        }
        None
    }

    /// Takes relative paths as beside the profile.
    pub fn resolve_paths(&mut self, folder: &Path) {
        let beside = |path: &mut Option<PathBuf>| {
            if let Some(path) = path {
                *path = folder.join(&*path);
            }
        };
        beside(&mut self.tls.ca);
        beside(&mut self.tls.cert);
        beside(&mut self.tls.key);
    }
}

impl super::Commands {
    /// The commands that are given, by their names.
    fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("spawn", &self.spawn), ("stop", &self.stop), ("kill", &self.kill), ("restart", &self.restart)]
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)))
    }
}

/// The line of a section's heading.
fn line_of_section(text: &str, section: &str) -> usize {
    let heading = |line: &str| {
        let inner = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next());
        inner.is_some_and(|inner| inner.trim() == section)
    };
    text.lines().position(heading).map_or(1, |index| index + 1)
}

fn address<'de, D: Deserializer<'de>>(from: D, scheme: &str) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    if !text.starts_with(&format!("{scheme}://")) {
        return Err(D::Error::custom(format!("'{}' is no {scheme}:// address", url::shown(&text))));
    }
    // Any port will do to see whether the rest is right.
    let target = url::parse(&text.replace(PORT, "1")).map_err(D::Error::custom)?;
    if target.user_name.is_some() || target.password.is_some() {
        return Err(D::Error::custom("user and password have their own section, [credentials]"));
    }
    Ok(Some(text))
}

pub(super) fn tcp<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    address(from, "mqtt")
}

pub(super) fn tls<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    address(from, "mqtts")
}

pub(super) fn ws<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    address(from, "ws")
}

pub(super) fn wss<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    address(from, "wss")
}

pub(super) fn topic<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    match mqtt_assay_codec::topic::check_name(&text) {
        Ok(()) => Ok(Some(text)),
        Err(_) => Err(D::Error::custom("a Topic Name is needed: not empty, without + and #")),
    }
}

pub(super) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    match f64::deserialize(from)? {
        number if (0.1..=86_400.0).contains(&number) => Ok(Some(Duration::from_secs_f64(number))),
        _ => Err(D::Error::custom("a number of seconds from 0.1 to 86400 is needed")),
    }
}

pub(super) fn by_version<'de, D, T>(from: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let all = BTreeMap::<String, T>::deserialize(from)?;
    match all.keys().find(|key| !["3.1", "3.1.1", "5.0"].contains(&key.as_str())) {
        Some(key) => {
            Err(D::Error::custom(format!("'{key}' is no version; they are \"3.1\", \"3.1.1\" and \"5.0\"")))
        }
        None => Ok(all),
    }
}
