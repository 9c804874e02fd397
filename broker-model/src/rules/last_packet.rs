//! A connection that is over is closed, and nothing more comes on it.
//! Nothing after the Server's DISCONNECT [5.0/MQTT-3.14.4-1], then the end [5.0/MQTT-3.14.4-2]; the end after a CONNACK
//! that refuses [3.1.1/MQTT-3.2.2-5] [5.0/MQTT-3.2.2-7]; and, as recommendations, after the Client's DISCONNECT
//! [3.1.1/U3-DIS-1] [5.0/U5-DIS-1] and if no CONNECT comes [3.1.1/U3-CON-2] [5.0/U5-CON-1].
//!
//! Frees     the time that the end takes.
//! Unknown   when the client left first, or could not see the end: held back, or not reading.

use super::ledger::ConnectionNo;
use super::{Cites, Fact, Findings, Ledger, Rule, Seen, closing};
use std::collections::BTreeSet;

const NOTHING: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.14.4-1"] };
const AFTER_DISCONNECT: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.14.4-2"] };
const AFTER_REFUSAL: Cites = Cites { v3_1_1: &["MQTT-3.2.2-5"], v5: &["MQTT-3.2.2-7"] };
const AFTER_GOODBYE: Cites = Cites { v3_1_1: &["U3-DIS-1"], v5: &["U5-DIS-1"] };
const WITHOUT_CONNECT: Cites = Cites { v3_1_1: &["U3-CON-2"], v5: &["U5-CON-1"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct LastPacket {
    /// Connections on which something came that must not come.
    accused: BTreeSet<ConnectionNo>,
}

impl Rule for LastPacket {
    fn name(&self) -> &'static str {
        "last_packet"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Received(..) | Fact::Delivered(..) | Fact::ReceivedMalformed(..), Some(no)) => {
                let connection = &ledger[no];
                if connection.server_disconnect.is_some_and(|(at, _)| at != ledger.now)
                    && self.accused.insert(no)
                {
                    found.accuse(NOTHING, connection.version, "nothing after DISCONNECT", "another packet");
                }
            }
            (Fact::Ended(..) | Fact::Finished, _) => {
                for no in closing(seen, ledger) {
                    closed(no, ledger, found);
                }
            }
            _ => {}
        }
    }
}

/// Whether the end came when it had to.
fn closed(no: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[no];
    let refused = connection.answered.filter(|answered| !answered.accepts());
    if let Some((at, reason)) = connection.server_disconnect {
        if ledger.waited_open(no, at) {
            let expected = format!("the connection's end after DISCONNECT {:#04x}", reason.0);
            found.accuse_of(
                connection.client,
                AFTER_DISCONNECT,
                connection.version,
                expected,
                "it stays open",
            );
        } else {
            found.decided();
        }
    } else if let Some(refused) = refused {
        if ledger.waited_open(no, refused.at) {
            let expected = format!("the connection's end after CONNACK {:#04x}", refused.code.0);
            found.accuse_of(connection.client, AFTER_REFUSAL, connection.version, expected, "it stays open");
        } else {
            found.decided();
        }
    } else if let Some((at, _)) = connection.client_disconnect {
        if connection.offended.is_none() && ledger.waited_open(no, at) {
            let expected = "the connection's end after the client's DISCONNECT";
            found.deviates_of(
                connection.client,
                AFTER_GOODBYE,
                connection.version,
                expected,
                "it stays open",
            );
        }
    } else if connection.asked.is_none()
        && connection.offended.is_none()
        && let Some(opened) = connection.opened
        && connection.waited_open(opened, ledger.bounds.connect_patience, ledger.now)
    {
        let expected = format!("the connection's end within {:?}", ledger.bounds.connect_patience);
        let observed = "without CONNECT it stays open";
        found.deviates_of(connection.client, WITHOUT_CONNECT, connection.version, expected, observed);
    }
}
