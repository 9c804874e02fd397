//! Enhanced authentication is the Client's choice, and stays with the method that it named. [5.0 §4.12]
//! Without a method no AUTH comes, and CONNACK names none [5.0/MQTT-4.12.0-6]; with one, every AUTH and the CONNACK that
//! accepts name the same [5.0/MQTT-4.12.0-5]; an AUTH before CONNACK says 0x18 [5.0/MQTT-4.12.0-2].
//!
//! Frees     refusing the method.
//! Unknown   whether the data of an AUTH are right: the methods' business.

use super::{Cites, Fact, Findings, Ledger, Rule, Seen};
use mqtt_assay_codec::{Packet, Properties, ReasonCode, Version};

const UNASKED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.12.0-6"] };
const SAME_METHOD: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.12.0-5"] };
const CONTINUE: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.12.0-2"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Authentication;

impl Rule for Authentication {
    fn name(&self) -> &'static str {
        "authentication"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let (Fact::Received(packet @ (Packet::Auth(_) | Packet::Connack(_)), _), Some(no)) =
            (seen.fact, seen.connection)
        else {
            return;
        };
        let connection = &ledger[no];
        let Some(asked) = connection.asked.as_ref().filter(|_| connection.version == Version::V5) else {
            return;
        };
        match (packet, &asked.method) {
            (Packet::Auth(_), None) => {
                let expected = "no AUTH, as CONNECT named no Authentication Method";
                found.accuse(UNASKED, Version::V5, expected, "AUTH");
            }
            (Packet::Connack(connack), None) => {
                if let Some(method) = connack.properties.authentication_method() {
                    let expected = "no Authentication Method in CONNACK, as CONNECT named none";
                    found.accuse(UNASKED, Version::V5, expected, format!("{method:?}"));
                }
            }
            (Packet::Auth(auth), Some(method)) => {
                same_method(method, &auth.properties, "AUTH", found);
                if connection.answered.is_none() && auth.reason != ReasonCode::CONTINUE_AUTHENTICATION {
                    let observed = format!("{:#04x}", auth.reason.0);
                    found.accuse(CONTINUE, Version::V5, "AUTH 0x18 before CONNACK", observed);
                }
            }
            (Packet::Connack(connack), Some(method)) if connack.code == ReasonCode::SUCCESS => {
                same_method(method, &connack.properties, "CONNACK", found);
            }
            _ => {}
        }
    }
}

fn same_method(method: &str, properties: &Properties<'_>, packet: &str, found: &mut Findings) {
    let named = properties.authentication_method();
    if named == Some(method) {
        return found.decided();
    }
    let expected = format!("{packet} with the Authentication Method {method:?} of CONNECT");
    let observed = named.map_or("none".into(), |named| format!("{named:?}"));
    found.accuse(SAME_METHOD, Version::V5, expected, observed);
}
