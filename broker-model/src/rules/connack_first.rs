//! A connection begins with one CONNACK, which comes when CONNECT has come.
//! First of all packets: [3.1.1/MQTT-3.2.0-1] [5.0/MQTT-3.2.0-1], before any DISCONNECT too [5.0/MQTT-3.14.0-1];
//! once: [5.0/MQTT-3.2.0-2]; at all: [3.1.1/MQTT-3.1.4-4] [5.0/MQTT-3.1.4-5]
//!
//! Frees     AUTH before CONNACK [5.0 §4.12]; closing in place of a CONNACK.
//! Unknown   what follows on a CONNECT that a Server must refuse, and on authentication: other rules'.

use super::ledger::ConnectionNo;
use super::{Cites, Fact, Findings, Ledger, Rule, Seen, closing};
use mqtt_assay_codec::Packet;
use std::collections::BTreeSet;

const FIRST: Cites = Cites { v3_1_1: &["MQTT-3.2.0-1"], v5: &["MQTT-3.2.0-1"] };
const DISCONNECT: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.14.0-1", "MQTT-3.2.0-1"] };
const ONCE: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.2.0-2"] };
const COMES: Cites = Cites { v3_1_1: &["MQTT-3.1.4-4"], v5: &["MQTT-3.1.4-5"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct ConnackFirst {
    /// Connections that were accused, or on which CONNACK came for what is no CONNECT: what follows on the first mistake
    /// is no other.
    accused: BTreeSet<ConnectionNo>,
}

impl Rule for ConnackFirst {
    fn name(&self) -> &'static str {
        "connack_first"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Received(packet, _), Some(no)) => self.received(no, packet, ledger, found),
            (Fact::Ended(..) | Fact::Finished, _) => {
                for no in closing(seen, ledger) {
                    self.closed(no, ledger, found);
                }
            }
            _ => {}
        }
    }
}

impl ConnackFirst {
    fn received(&mut self, no: ConnectionNo, packet: &Packet<'_>, ledger: &Ledger, found: &mut Findings) {
        let connection = &ledger[no];
        match (connection.answered, packet) {
            (Some(answered), Packet::Connack(_)) if answered.at != ledger.now => {
                if self.accused.insert(no) {
                    found.accuse(ONCE, connection.version, "one CONNACK", "a second CONNACK");
                }
            }
            (Some(_), Packet::Connack(_)) => found.decided(),
            // What follows on a CONNACK is no matter of this rule's, whatever CONNECT it has answered.
            (Some(_), _) => {}
            (None, Packet::Connack(_)) => {
                self.accused.insert(no);
            }
            (None, Packet::Auth(_)) if connection.asked.is_some() => {}
            (None, _) if self.accused.insert(no) => {
                let cites = if matches!(packet, Packet::Disconnect(_)) { DISCONNECT } else { FIRST };
                let observed = format!("{} first", packet.packet_type());
                found.accuse(cites, connection.version, "CONNACK before any other packet", observed);
            }
            (None, _) => {}
        }
    }

    fn closed(&mut self, no: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
        let connection = &ledger[no];
        let Some(asked) = &connection.asked else { return };
        // An AUTH may have put it to the client to go on.
        let silent = connection.answered.is_none() && connection.last_received.is_none();
        if silent && connection.offended.is_none() && ledger.waited_open(no, asked.at) {
            let expected = format!("CONNACK for {:?}, or the connection's end", asked.client_id);
            found.accuse_of(connection.client, COMES, connection.version, expected, "neither has come");
        }
    }
}
