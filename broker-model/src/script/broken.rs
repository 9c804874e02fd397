//! Packets that break one rule, by their names in [`mqtt_assay_codec::raw`].

use mqtt_assay_codec::raw::{self, Case, Stage};
use mqtt_assay_codec::{Receiver, Version};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The cases of one version, by name, and their names by offence.
struct Cases {
    by_name: BTreeMap<String, Case>,
    by_offence: Vec<Group>,
    by_packet: Vec<Group>,
}

/// Names, each with whether the packet is to be the first of its connection.
type Group = Vec<(bool, String)>;

/// There are thousands: they are made once.
fn cases(version: Version) -> &'static Cases {
    static CASES: [OnceLock<Cases>; 3] = [const { OnceLock::new() }; 3];
    CASES[version as usize].get_or_init(|| {
        let cases = raw::cases(version, Receiver::Server);
        let (mut by_offence, mut by_packet) =
            (BTreeMap::<usize, Group>::new(), BTreeMap::<&str, Group>::new());
        for case in &cases {
            // As in `flags/publish-1000`.
            let offence = case.name.find('/').unwrap_or(case.name.len());
            let end = case.name[offence..].find('-').map_or(case.name.len(), |at| offence + at);
            let name = || (case.stage == Stage::Opening, case.name.clone());
            by_offence.entry(case.offence as usize).or_default().push(name());
            by_packet.entry(&case.name[..end]).or_default().push(name());
        }
        let (by_offence, by_packet) = (by_offence.into_values().collect(), by_packet.into_values().collect());
        let by_name = cases.into_iter().map(|case| (case.name.clone(), case)).collect();
        Cases { by_name, by_offence, by_packet }
    })
}

/// The packet of this name that a Server must refuse.
pub(super) fn broken(version: Version, name: &str) -> Option<&'static [u8]> {
    cases(version).by_name.get(name).map(|case| case.bytes.as_slice())
}

/// All names by the rule that is broken, each with whether the packet is to be the first of its connection.
pub fn broken_groups(version: Version) -> &'static [Vec<(bool, String)>] {
    &cases(version).by_offence
}

/// All names by what is wrong and with which packet: what they begin with.
pub fn broken_packets(version: Version) -> &'static [Vec<(bool, String)>] {
    &cases(version).by_packet
}
