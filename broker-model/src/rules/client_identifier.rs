//! Which Client Identifiers a Server must accept and refuse, and which it may give.
//! Up to 23 letters and digits are accepted [3.1.1/MQTT-3.1.3-5] [5.0/MQTT-3.1.3-5]. An empty one is refused with 0x02 before
//! 5.0 unless Clean Session is set [3.1.1/MQTT-3.1.3-8]; in 5.0 the Server tells the Client which one it has given to it
//! [5.0/MQTT-3.1.3-7] [5.0/MQTT-3.2.2-16], and it is nobody else's [5.0/MQTT-3.1.3-6] [5.0/MQTT-3.2.2-16].
//!
//! Frees     refusing any empty or longer one; refusing for another reason first.
//! Unknown   before 5.0, which Client Identifier was given.

use super::ledger::{Connection, ConnectionNo, Existed};
use super::{Cites, Fact, Findings, Ledger, Rule, Seen};
use crate::history::{How, Side};
use mqtt_assay_codec::reason::return_code;
use mqtt_assay_codec::{Connack, Packet, ReasonCode, Version};

const ACCEPTABLE: Cites = Cites { v3_1_1: &["MQTT-3.1.3-5"], v5: &["MQTT-3.1.3-5"] };
const EMPTY: Cites = Cites { v3_1_1: &["MQTT-3.1.3-8"], v5: &[] };
const TOLD: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.3-7", "MQTT-3.2.2-16"] };
const UNIQUE: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.3-6", "MQTT-3.2.2-16"] };

/// Length in bytes up to which a Client Identifier must be accepted.
const ACCEPTABLE_MAX: usize = 23;

/// See the module.
#[derive(Default, Debug)]
pub(super) struct ClientIdentifier;

impl Rule for ClientIdentifier {
    fn name(&self) -> &'static str {
        "client_identifier"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Some(no) = seen.connection else { return };
        match seen.fact {
            Fact::Received(Packet::Connack(connack), _) => answered(no, connack, ledger, found),
            Fact::Ended(Side::Server, How::Fin) => {
                let connection = &ledger[no];
                if must_be_refused(connection) && connection.last_received.is_none() && !ledger.is_down() {
                    let expected = "CONNACK 0x02 for an empty Client Identifier without Clean Session";
                    found.accuse(EMPTY, connection.version, expected, "the connection's end");
                }
            }
            _ => {}
        }
    }
}

fn answered(no: ConnectionNo, connack: &Connack<'_>, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[no];
    let Some(asked) = &connection.asked else { return };
    let v5 = connection.version == Version::V5;
    let accepted = connack.code == ReasonCode::SUCCESS;
    if asked.client_id.is_empty() {
        // A Server that does not speak the version, or does not know the Client, may say so first.
        let wrong = matches!(connack.code, return_code::ACCEPTED | return_code::SERVER_UNAVAILABLE);
        if must_be_refused(connection) && wrong {
            let expected = "CONNACK 0x02 for an empty Client Identifier without Clean Session";
            found.accuse(EMPTY, connection.version, expected, format!("{:#04x}", connack.code.0));
        } else if v5 && accepted {
            given(connection, connack, ledger, found);
        }
        return;
    }
    let refused = if v5 {
        connack.code == ReasonCode::CLIENT_IDENTIFIER_NOT_VALID
    } else {
        connack.code == return_code::IDENTIFIER_REJECTED
    };
    let acceptable = asked.client_id.len() <= ACCEPTABLE_MAX
        && asked.client_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if refused && acceptable {
        let expected = format!("the Client Identifier {:?} to be accepted", asked.client_id);
        let observed = format!("CONNACK {:#04x}", connack.code.0);
        found.accuse(ACCEPTABLE, connection.version, expected, observed);
    }
}

/// An empty Client Identifier without Clean Session, in 3.1.1.
fn must_be_refused(connection: &Connection) -> bool {
    connection.version == Version::V3_1_1
        && connection.asked.as_ref().is_some_and(|asked| asked.client_id.is_empty() && !asked.clean_start)
}

/// The Server had to choose a Client Identifier.
fn given(connection: &Connection, connack: &Connack<'_>, ledger: &Ledger, found: &mut Findings) {
    let Some(assigned) = connack.properties.assigned_client_identifier() else {
        let expected = "CONNACK with an Assigned Client Identifier";
        return found.accuse(TOLD, connection.version, expected, "none");
    };
    let Some((old, existed)) = connection.previous else { return found.decided() };
    // Its own connection may have been told of its end before.
    let asked = connection.asked.as_ref().map_or(ledger.now, |asked| asked.at);
    let robbed = ledger[old].connections.iter().any(|no| {
        let takeover = |(at, code)| at > asked && code == ReasonCode::SESSION_TAKEN_OVER;
        ledger[*no].server_disconnect.is_some_and(takeover)
    });
    if existed == Existed::Certainly || robbed {
        let expected = "an Assigned Client Identifier that no other session has";
        found.accuse(UNIQUE, connection.version, expected, format!("{assigned:?}, which a session has"));
    }
}
