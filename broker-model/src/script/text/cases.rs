//! The packets of `broken`, by their names.

use super::error::Wrong;
use super::value::version_word;
use core::ops::Range;
use mqtt_assay_codec::{Receiver, Version, raw};

/// The names of the packets that break one rule, for each version that was asked for.
#[derive(Default)]
pub(super) struct Cases([Vec<String>; 3]);

impl Cases {
    /// Sorted.
    fn names(&mut self, version: Version) -> &[String] {
        let names = &mut self.0[version as usize];
        if names.is_empty() {
            names.extend(raw::cases(version, Receiver::Server).into_iter().map(|case| case.name));
            names.sort_unstable();
        }
        names
    }

    /// The name must be one of them.
    pub(super) fn check(&mut self, name: &str, version: Version, span: Range<usize>) -> Result<(), Wrong> {
        let names = self.names(version);
        let Err(place) = names.binary_search_by(|known| known.as_str().cmp(name)) else {
            return Ok(());
        };
        let alike = &names[place.saturating_sub(2)..(place + 2).min(names.len())];
        let version = version_word(version);
        let message = format!("MQTT {version} has no case {name}; the nearest are {}", alike.join(", "));
        Err(Wrong::new(span, message))
    }
}
