//! Every byte that the Server sends belongs to a well-formed packet of the connection's version.
//! The statement is that of the flaw: [3.1.1 §2, §3] [5.0 §2, §3]
//!
//! Frees     an answer in another version to a Client whose CONNECT named none that this Server speaks.
//! Unknown   what stands behind bytes that begin no packet.

use super::offences::broken_by;
use super::{Fact, Findings, Ledger, Rule, Seen};
use mqtt_assay_codec::{Decoder, Malformed, Offence, Packet, Receiver, Version};

/// See the module.
#[derive(Default, Debug)]
pub(super) struct WellFormed;

impl Rule for WellFormed {
    fn name(&self) -> &'static str {
        "well_formed"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let (Fact::ReceivedMalformed(malformed, bytes), Some(no)) = (seen.fact, seen.connection) else {
            return;
        };
        let connection = &ledger[no];
        // [3.1.1/MQTT-3.1.2-2] [5.0/MQTT-3.1.2-2]
        let first =
            connection.asked.as_ref().is_some_and(|asked| connection.offended.is_none_or(|at| at > asked.at));
        if connection.answered.is_none() && !first && is_well_formed_elsewhere(bytes) {
            return found.unknown("the Server may speak another version than the Client");
        }
        let cites = if lacks_property_length(malformed, bytes) {
            broken_by(Offence::PropertyLengthMissing)
        } else {
            broken_by(malformed.offence)
        };
        found.accuse(
            cites,
            connection.version,
            "a well-formed packet",
            format!("{}: {}", shown(bytes), describe(malformed)),
        );
    }
}

/// Whether a SUBACK of 5.0 is one of 3.1.1: then what was taken for its Property Length is a code.
fn lacks_property_length(malformed: Malformed, bytes: &[u8]) -> bool {
    let before_5 = Decoder::new(Version::V3_1_1, Receiver::Client);
    malformed.version == Version::V5
        && matches!(before_5.next(bytes), Ok(Some((Packet::Suback(_), length))) if length == bytes.len())
}

fn is_well_formed_elsewhere(bytes: &[u8]) -> bool {
    [Version::V3_1, Version::V3_1_1, Version::V5].into_iter().any(|version| {
        let decoder = Decoder::new(version, Receiver::Client);
        matches!(decoder.next(bytes), Ok(Some((_, length))) if length == bytes.len())
    })
}

fn describe(malformed: Malformed) -> String {
    format!("{} at byte {}", malformed.offence.text(), malformed.offset)
}

/// The beginning of a packet in hexadecimal digits.
fn shown(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 16;
    let digits: Vec<String> = bytes.iter().take(SHOWN_MAX).map(|byte| format!("{byte:02x}")).collect();
    let rest = if bytes.len() > SHOWN_MAX { " …" } else { "" };
    digits.join(" ") + rest
}
