//! What CONNECT has not asked for, or has declined, is not sent.
//! Response Information [5.0/MQTT-3.1.2-28]; Reason String and User Properties where Request Problem Information is 0
//! [5.0/MQTT-3.1.2-29].
//!
//! Frees     both in CONNACK and DISCONNECT, User Properties in PUBLISH.
//! Unknown   nothing.

use super::{Cites, Fact, Findings, Ledger, Rule, Seen};
use mqtt_assay_codec::{Packet, Version};

const RESPONSE_INFORMATION: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-28"] };
const PROBLEM_INFORMATION: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-29"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Unasked;

impl Rule for Unasked {
    fn name(&self) -> &'static str {
        "unasked"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let (Fact::Received(packet, _), Some(no)) = (seen.fact, seen.connection) else { return };
        let Some(asked) = &ledger[no].asked else { return };
        match packet {
            Packet::Connack(connack) if !asked.response_information => {
                if let Some(information) = connack.properties.response_information() {
                    let expected = "no Response Information, as none was requested";
                    found.accuse(RESPONSE_INFORMATION, Version::V5, expected, format!("{information:?}"));
                }
            }
            Packet::Connack(_) | Packet::Disconnect(_) | Packet::Publish(_) => {}
            _ if asked.problem_information => {}
            _ => {
                let Some(list) = packet.properties() else { return };
                if list.reason_string().is_none() && list.user_properties().next().is_none() {
                    return found.decided();
                }
                let expected = "neither Reason String nor User Property, as the client wants none";
                let observed = format!("{} with one", packet.packet_type());
                found.accuse(PROBLEM_INFORMATION, Version::V5, expected, observed);
            }
        }
    }
}
