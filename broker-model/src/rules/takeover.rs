//! A Client Identifier is connected once: who connects with it ends the older connection.
//! [3.1.1/MQTT-3.1.4-2] [5.0/MQTT-3.1.4-3]; DISCONNECT 0x8E before it, as a recommendation [5.0/MQTT-3.1.4-3]
//!
//! Frees     the time that it takes; refusing the new connection for a reason of its own; ending the old one for another
//!           reason first.
//! Unknown   when two CONNECTs contend; when the old client could not see its end.

use super::ledger::ConnectionNo;
use super::{Cites, Fact, Findings, Ledger, Rule, Seen, closing};
use crate::history::{How, Side};
use core::time::Duration;
use mqtt_assay_codec::reason::return_code;
use mqtt_assay_codec::{Packet, ReasonCode, Version};
use std::collections::BTreeMap;

const TAKEOVER: Cites = Cites { v3_1_1: &["MQTT-3.1.4-2"], v5: &["MQTT-3.1.4-3"] };
const TOLD: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.4-3"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Takeover {
    /// Connections that were taken over, and when the new one's CONNACK came.
    due: BTreeMap<ConnectionNo, Duration>,
}

impl Rule for Takeover {
    fn name(&self) -> &'static str {
        "takeover"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Received(Packet::Connack(_), _), Some(no)) => self.connected(no, ledger, found),
            (Fact::Ended(..) | Fact::Finished, _) if !self.due.is_empty() => {
                for no in closing(seen, ledger) {
                    if let Some(since) = self.due.remove(&no) {
                        ended(no, since, ledger, found);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Takeover {
    fn connected(&mut self, no: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
        let connection = &ledger[no];
        let (Some(asked), Some(answered)) = (&connection.asked, connection.answered) else { return };
        if answered.at != ledger.now || connection.contended || asked.client_id.is_empty() {
            return;
        }
        if !answered.accepts() {
            return refused(no, ledger, found);
        }
        let Some((session, _)) = connection.previous else { return };
        let Some(old) = ledger[session].connections.iter().rev().copied().find(|old| *old != no) else {
            return;
        };
        match ledger[old].ended {
            None => drop(self.due.insert(old, ledger.now)),
            // It saw its end before the new one saw its beginning, which may have been held back.
            Some(end) => match connection.free_since.map(|free| free.max(asked.at)) {
                Some(reached) if end.at > reached => ended(old, reached, ledger, found),
                _ => {}
            },
        }
    }
}

/// The Server says that it is not there to a Client whose identifier it serves.
fn refused(no: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[no];
    let (Some(asked), Some(answered)) = (&connection.asked, connection.answered) else { return };
    let unavailable = match connection.version {
        Version::V5 => ReasonCode::SERVER_UNAVAILABLE,
        _ => return_code::SERVER_UNAVAILABLE,
    };
    let present = ledger.session_of(&asked.client_id).and_then(|session| ledger.present_connection(session));
    let served = present.is_some_and(|old| {
        ledger[old].answered.is_some_and(|answered| answered.at < asked.at)
            && ledger[old].client_disconnect.is_none()
    });
    if served && answered.code == unavailable {
        let expected = format!("{:?} to be taken over from its older connection", asked.client_id);
        let observed = format!("CONNACK {:#04x}", answered.code.0);
        found.deviates(TAKEOVER, connection.version, expected, observed);
    }
}

/// The old connection has ended, or nothing more is seen of it.
fn ended(no: ConnectionNo, since: Duration, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[no];
    let client_id = connection.asked.as_ref().map_or("", |asked| &asked.client_id);
    if ledger.waited_open(no, since) {
        let expected = format!("the end of the older connection of {client_id:?}");
        return found.accuse_of(connection.client, TAKEOVER, connection.version, expected, "it stays open");
    }
    let Some(end) = connection.ended.filter(|end| end.side == Side::Server) else {
        return found.unknown("the old client could not see its end");
    };
    let observed = match connection.server_disconnect {
        // A reset may destroy what was under way.
        None if end.how == How::Fin && connection.free_since.is_some() => "no DISCONNECT",
        Some((_, ReasonCode::SUCCESS)) => "DISCONNECT 0x00",
        _ => return found.decided(),
    };
    let in_peace = connection.offended.is_none() && connection.client_disconnect.is_none();
    if in_peace && connection.version == Version::V5 {
        let expected = format!("DISCONNECT 0x8e before the older connection of {client_id:?} ends");
        found.deviates_of(connection.client, TOLD, connection.version, expected, observed);
    }
}
