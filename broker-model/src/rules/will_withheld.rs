//! A Will is not published when it must not be: after DISCONNECT [3.1.1/MQTT-3.1.2-10] [3.1.1/MQTT-3.14.4-3]
//! [5.0/MQTT-3.1.2-10] [5.0/MQTT-3.14.4-3], before its delay is over [5.0/MQTT-3.1.2-8], or when its Client has come
//! back before that [5.0/MQTT-3.1.3-9].
//!
//! Frees     a DISCONNECT that came too late, because the Server had closed the connection, its Keep Alive had run
//!           out, or the Client had connected again; or not at all; the end of the session, with which the delay ends.
//! Unknown   when another message has the same topic and payload; after a crash, which may have cut everything off.

use super::ledger::{Connection, ConnectionNo, Ledger, Origin, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use crate::history::{How, Side};
use mqtt_assay_codec::Version;

const REMOVED: Cites =
    Cites { v3_1_1: &["MQTT-3.1.2-10", "MQTT-3.14.4-3"], v5: &["MQTT-3.1.2-10", "MQTT-3.14.4-3"] };
const TOO_EARLY: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-8"] };
const CLIENT_IS_BACK: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.3-9"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct WillWithheld;

impl Rule for WillWithheld {
    fn name(&self) -> &'static str {
        "will_withheld"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(_, no) = seen.fact else { return };
        let delivery = &ledger[no];
        let Some(message) = delivery.message.map(|message| &ledger[message]) else { return };
        let Origin::Will(of) = message.origin else { return };
        if matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        if message.ambiguous {
            return found.unknown("another message has the same topic and payload");
        }
        let connection = &ledger[of];
        let (Some(asked), Some(session)) = (&connection.asked, connection.session) else { return };
        let crashed = ledger.last_crash().is_some_and(|crash| crash >= asked.at);
        if crashed || !ledger[session].is_clear() {
            return found.unknown("nobody knows what has become of the session");
        }
        let observed = format!("it comes to {}", ledger[delivery.session].client_id);
        let version = connection.version;
        if connection.says_goodbye() {
            if goodbye_came(ledger, of, connection) {
                let expected = format!("no Will of {}, which has said DISCONNECT", message.publisher);
                found.accuse_of(connection.client, REMOVED, version, expected, observed);
            } else {
                found.unknown("the DISCONNECT may not have come in time");
            }
            return;
        }
        let delay = asked.will.map_or(0, |will| will.delay);
        if version != Version::V5 || delay == 0 {
            return found.decided();
        }
        let earliest = ledger.will_at_the_earliest(of).unwrap_or_default();
        let back = ledger[session].connections.iter().filter_map(|no| ledger[*no].answered);
        let back = back
            .map(|answered| answered.at)
            .find(|at| *at > asked.at && Some(*at) != connection.answered.map(|a| a.at));
        if back.is_some_and(|back| back < earliest && back < delivery.at) {
            let expected =
                format!("no Will of {}, which is back before {delay} s are over", message.publisher);
            found.accuse_of(connection.client, CLIENT_IS_BACK, version, expected, observed);
        } else if delivery.at < earliest {
            let expected = format!("the Will of {} after {delay} s", message.publisher);
            found.accuse_of(connection.client, TOO_EARLY, version, expected, observed);
        } else {
            found.decided();
        }
    }
}

/// Whether the client's DISCONNECT has certainly come while the connection was alive.
fn goodbye_came(ledger: &Ledger, no: ConnectionNo, connection: &Connection) -> bool {
    let promptness = ledger.bounds.promptness;
    let (Some(asked), Some((said, _)), Some(session)) =
        (&connection.asked, connection.client_disconnect, connection.session)
    else {
        return false;
    };
    let orderly = connection.ended.is_some_and(|end| (end.side, end.how) == (Side::Client, How::Fin));
    let free = connection.free_since.is_some();
    let refused = connection.offended.is_some() || connection.server_disconnect.is_some();
    // Its last packets may have come later than each other by as much as they were under way.
    let awake = !connection.may_have_timed_out(2 * promptness);
    let alone = ledger.connections().all(|(other_no, other)| {
        other_no == no
            || other.asked.as_ref().is_none_or(|again| {
                again.client_id != ledger[session].client_id
                    || again.at < asked.at
                    || again.at > said + promptness
            })
    });
    // The Server might have closed the connection for what came before, which is not allowed, perhaps.
    let answered = connection.last_request.is_none_or(|sent| connection.has_heard(sent));
    orderly && free && !refused && awake && alone && answered
}
