//! A Client of which nothing is heard for one and a half times its Keep Alive is disconnected, and not before.
//! [3.1.1/MQTT-3.1.2-24] [5.0/MQTT-3.1.2-22]; the Keep Alive that the Server imposes is the one that counts
//! [5.0/MQTT-3.2.2-22].
//!
//! Frees     the slack of [`Bounds::keep_alive_slack`](super::Bounds); ending a connection early without giving the Keep
//!           Alive for a reason.
//! Unknown   when the Client could not see the end: held back, or not reading.

use super::ledger::{Connection, ConnectionNo};
use super::{Cites, Fact, Findings, Ledger, Rule, Seen, closing};
use core::time::Duration;
use mqtt_assay_codec::{Packet, ReasonCode};

const CITES: Cites = Cites { v3_1_1: &["MQTT-3.1.2-24"], v5: &["MQTT-3.1.2-22"] };
const IMPOSED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-22", "MQTT-3.2.2-22"] };

/// By so much the clocks of Client and Server may differ while they measure.
const CLOCKS_APART: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Default, Debug)]
pub(super) struct KeepAlive;

impl Rule for KeepAlive {
    fn name(&self) -> &'static str {
        "keep_alive"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Received(Packet::Disconnect(disconnect), _), Some(no))
                if disconnect.reason == ReasonCode::KEEP_ALIVE_TIMEOUT =>
            {
                timed_out(&ledger[no], ledger.now, found);
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

fn cites(connection: &Connection) -> Cites {
    let imposed = connection.answered.is_some_and(|answered| answered.keep_alive.is_some());
    if imposed { IMPOSED } else { CITES }
}

/// The Server says that it has not heard of the Client.
fn timed_out(connection: &Connection, now: Duration, found: &mut Findings) {
    let (Some(patience), Some(heard)) = (connection.patience(), connection.heard) else { return };
    if now + CLOCKS_APART >= heard + patience {
        return found.decided();
    }
    let expected = format!("no DISCONNECT 0x8d before {patience:?} of silence");
    let observed = format!("{:?} after a packet that the Server has answered", now - heard);
    found.accuse(cites(connection), connection.version, expected, observed);
}

fn closed(no: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[no];
    let (Some(patience), Some(answered)) = (connection.patience(), connection.answered) else { return };
    if !answered.accepts() {
        return;
    }
    let Some(free) = connection.free_since else {
        return found.unknown("the client could not see its end");
    };
    let disconnects = [connection.client_disconnect, connection.server_disconnect];
    let disconnected = disconnects.into_iter().flatten().map(|(at, _)| at);
    let until = disconnected.chain(connection.ended.map(|end| end.at)).fold(ledger.now, Duration::min);
    let last = connection.last_sent.unwrap_or_default().max(answered.at);
    let slack = ledger.bounds.keep_alive_slack;
    // A silence that the client has broken itself, or the last one.
    let broken = connection.silence.filter(|(from, _)| *from >= free);
    let silences = [Some((last, until)), broken];
    // What was held back came when it was released.
    let long = silences.into_iter().flatten().find(|(from, to)| *to > (*from).max(free) + patience + slack);
    let Some((from, to)) = long else { return found.decided() };
    let expected = format!("the connection's end after {patience:?} of silence");
    let observed = format!("it is open after {:?}", to.saturating_sub(from));
    found.accuse_of(connection.client, cites(connection), connection.version, expected, observed);
}
