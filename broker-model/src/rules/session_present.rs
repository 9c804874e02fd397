//! A session is resumed where it must be, and Session Present says whether it was.
//! Resumed: [3.1.1/MQTT-3.1.2-4] [3.1.1/MQTT-3.2.2-2] [5.0/MQTT-3.1.2-5] [5.0/MQTT-3.2.2-3], as it was stored
//! [3.1.1/MQTT-4.1.0-1] [5.0/MQTT-3.1.2-23]. Discarded: [3.1.1/MQTT-3.1.2-6] [3.1.1/MQTT-3.2.2-1] [5.0/MQTT-3.1.2-4]
//! [5.0/MQTT-3.2.2-2]. Not there any more: [3.1.1/MQTT-3.1.2-6] [3.1.1/MQTT-3.2.2-3] [5.0/MQTT-4.1.0-2]
//! [5.0/MQTT-3.2.2-3]. Never there: [3.1.1/MQTT-3.2.2-3] [5.0/MQTT-3.2.2-3], not even by another spelling
//! [3.1.1/MQTT-3.1.3-2] [5.0/MQTT-3.1.3-2].
//!
//! Frees     ending a session a second early or late; what becomes of a session of another version.
//! Unknown   when two CONNECTs contend, or one that was not answered may have changed the session; after the broker has
//!           lost its memory; of sessions that may be older than the history.

use super::ledger::{Connection, ConnectionNo, Existed, SessionNo};
use super::{Cites, Fact, Findings, Ledger, Rule, Seen};
use mqtt_assay_codec::{Packet, Version};

const DISCARDED: Cites =
    Cites { v3_1_1: &["MQTT-3.2.2-1", "MQTT-3.1.2-6"], v5: &["MQTT-3.2.2-2", "MQTT-3.1.2-4"] };
const NOTHING_TO_DISCARD: Cites = Cites { v3_1_1: &["MQTT-3.2.2-1"], v5: &["MQTT-3.2.2-2"] };
const GONE: Cites =
    Cites { v3_1_1: &["MQTT-3.1.2-6", "MQTT-3.2.2-3"], v5: &["MQTT-4.1.0-2", "MQTT-3.2.2-3"] };
const NEVER_THERE: Cites = Cites { v3_1_1: &["MQTT-3.2.2-3"], v5: &["MQTT-3.2.2-3"] };
const ANOTHER: Cites =
    Cites { v3_1_1: &["MQTT-3.1.3-2", "MQTT-3.2.2-3"], v5: &["MQTT-3.1.3-2", "MQTT-3.2.2-3"] };
const TAKEN_OVER: Cites =
    Cites { v3_1_1: &["MQTT-3.1.2-4", "MQTT-3.2.2-2"], v5: &["MQTT-3.1.2-5", "MQTT-3.2.2-3"] };
const AWAY: Cites = Cites {
    v3_1_1: &["MQTT-3.1.2-4", "MQTT-3.2.2-2", "MQTT-4.1.0-1"],
    v5: &["MQTT-3.1.2-5", "MQTT-3.2.2-3", "MQTT-3.1.2-23"],
};

/// See the module.
#[derive(Default, Debug)]
pub(super) struct SessionPresent;

impl Rule for SessionPresent {
    fn name(&self) -> &'static str {
        "session_present"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let (Fact::Received(Packet::Connack(_), _), Some(no)) = (seen.fact, seen.connection) else { return };
        let connection = &ledger[no];
        let (Some(asked), Some(answered)) = (&connection.asked, connection.answered) else { return };
        // A second CONNACK says nothing, and 3.1 has no such flag.
        if answered.at != ledger.now || !answered.accepts() || connection.version == Version::V3_1 {
            return;
        }
        match (answered.session_present, asked.clean_start) {
            (true, true) => {
                let nothing = connection.previous.is_none_or(|(_, existed)| existed == Existed::No);
                let cites = if nothing { NOTHING_TO_DISCARD } else { DISCARDED };
                let expected = format!("Session Present 0 for {:?}, which starts clean", asked.client_id);
                found.accuse(cites, connection.version, expected, "Session Present 1");
            }
            (true, false) => resumed(no, connection, ledger, found),
            (false, false) => {
                if let Some((old, Existed::Certainly)) = connection.previous {
                    not_resumed(no, old, ledger, found);
                }
            }
            (false, true) => found.decided(),
        }
    }
}

/// Session Present is 1: was there a session?
fn resumed(no: ConnectionNo, connection: &Connection, ledger: &Ledger, found: &mut Findings) {
    let client_id = connection.asked.as_ref().map_or("", |asked| &asked.client_id);
    let expected = || format!("Session Present 0 for {client_id:?}");
    match connection.previous {
        Some((_, Existed::Certainly)) => found.decided(),
        Some((_, Existed::Possibly)) => found.unknown("the session may have been there"),
        _ if connection.contended || has_unanswered(no, client_id, ledger) => {
            found.unknown("a CONNECT that was not answered may have begun the session");
        }
        Some((_, Existed::No)) => {
            found.accuse(
                GONE,
                connection.version,
                expected(),
                "Session Present 1, though its session is over",
            );
        }
        None if !ledger.bounds.closed_world => found.unknown("the session may be older than the history"),
        None => {
            let same = |id: &str| id.eq_ignore_ascii_case(client_id) && id != client_id;
            let misspelt = ledger.sessions().any(|(_, session)| same(&session.client_id));
            let cites = if misspelt { ANOTHER } else { NEVER_THERE };
            found.accuse(cites, connection.version, expected(), "Session Present 1, though it is new");
        }
    }
}

/// Whether the Server may have accepted another CONNECT with this Client Identifier without anybody's knowledge.
fn has_unanswered(no: ConnectionNo, client_id: &str, ledger: &Ledger) -> bool {
    ledger.connections().any(|(other, connection)| {
        other != no
            && connection.answered.is_none()
            && connection.asked.as_ref().is_some_and(|asked| *asked.client_id == *client_id)
    })
}

/// Session Present is 0 though the session was there.
fn not_resumed(no: ConnectionNo, old: SessionNo, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[no];
    let last = &ledger[ledger.last_connection(old)];
    if last.version != connection.version {
        return found.unknown("what becomes of a session of another version");
    }
    let away = match (last.ended, &connection.asked) {
        (Some(end), Some(asked)) => end.at < asked.at,
        _ => false,
    };
    let cites = if away { AWAY } else { TAKEN_OVER };
    let expected = format!("the session of {:?} to be resumed: Session Present 1", ledger[old].client_id);
    found.accuse(cites, connection.version, expected, "Session Present 0");
}
