//! Packets that break one rule, by their names in [`mqtt_assay_codec::raw`].

use mqtt_assay_codec::raw::{self, Case, Stage};
use mqtt_assay_codec::{Receiver, Version};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The cases of one version, by name, and their names by offence.
struct Cases {
    by_name: BTreeMap<String, Case>,
    groups: Vec<Vec<(bool, String)>>,
}

/// There are thousands: they are made once.
fn cases(version: Version) -> &'static Cases {
    static CASES: [OnceLock<Cases>; 3] = [const { OnceLock::new() }; 3];
    CASES[version as usize].get_or_init(|| {
        let cases = raw::cases(version, Receiver::Server);
        let mut groups: BTreeMap<&str, Vec<(bool, String)>> = BTreeMap::new();
        for case in &cases {
            let group = case.name.split('/').next().unwrap_or_default();
            groups.entry(group).or_default().push((case.stage == Stage::Opening, case.name.clone()));
        }
        let groups = groups.into_values().collect();
        Cases { groups, by_name: cases.into_iter().map(|case| (case.name.clone(), case)).collect() }
    })
}

/// The packet of this name that a Server must refuse.
pub(super) fn broken(version: Version, name: &str) -> Option<&'static [u8]> {
    cases(version).by_name.get(name).map(|case| case.bytes.as_slice())
}

/// All names by the offence that they begin with, each with whether the packet is to be the first of its connection.
pub fn broken_groups(version: Version) -> &'static [Vec<(bool, String)>] {
    &cases(version).groups
}
