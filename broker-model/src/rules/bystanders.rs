//! When one Client breaks a rule, the others go on. [3.1.1/U3-ERR-1] [5.0/U5-ERR-1]
//!
//! Frees     ending a connection for any other reason, as that nothing was sent for a while, at any time: accused is only who, at once, ends all that could be
//!           seen, two or more, or one with a DISCONNECT that claims an error.
//! Unknown   whether a connection on which nothing passes is still there; what a Server makes of half a packet.

use super::ledger::{Asked, Connection, ConnectionNo, Ledger};
use super::{Cites, Fact, Findings, Rule, Seen};
use crate::history::{Fault, Side};
use core::time::Duration;
use mqtt_assay_codec::ReasonCode;

const CITES: Cites = Cites { v3_1_1: &["U3-ERR-1"], v5: &["U5-ERR-1"] };

/// Codes with which a Server says that the Client has made a mistake.
const CLAIMS: [ReasonCode; 5] = [
    ReasonCode::MALFORMED_PACKET,
    ReasonCode::PROTOCOL_ERROR,
    ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
    ReasonCode::TOPIC_ALIAS_INVALID,
    ReasonCode::PACKET_TOO_LARGE,
];

/// Of so many breaches the consequences are looked at: others tell nothing new.
const BREACHES_MAX: usize = 32;

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Bystanders {
    /// First breaches: whose, and when.
    breaches: Vec<(ConnectionNo, Duration)>,
    crashes: Vec<Duration>,
}

impl Rule for Bystanders {
    fn name(&self) -> &'static str {
        "bystanders"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Sent(_) | Fact::SentMalformed(..), Some(no))
                if ledger[no].offended == Some(ledger.now) && self.breaches.len() < BREACHES_MAX =>
            {
                self.breaches.push((no, ledger.now));
            }
            (Fact::Fault(Fault::Crash), _) => self.crashes.push(ledger.now),
            (Fact::Finished, _) => {
                for &(no, at) in &self.breaches {
                    self.judge(no, at, ledger, found);
                }
            }
            _ => {}
        }
    }
}

impl Bystanders {
    fn judge(&self, by: ConnectionNo, at: Duration, ledger: &Ledger, found: &mut Findings) {
        let until = at + ledger.bounds.promptness;
        if self.crashes.iter().any(|crash| (at..=until).contains(crash)) {
            return found.unknown("the broker crashed meanwhile");
        }
        let served = |connection: &Connection| {
            connection.answered.is_some_and(|answered| answered.accepts() && answered.at < at)
                && connection.ended.is_none_or(|end| end.at > at)
                && connection.client_disconnect.is_none_or(|(said, _)| said > until)
                && connection.offended.is_none_or(|offended| offended > until)
                && connection.unfinished == 0
        };
        let mut ended = Vec::new();
        for (no, connection) in ledger.connections() {
            if no == by || !served(connection) {
                continue;
            }
            if let Some(end) = connection.ended.filter(|end| end.at <= until) {
                let active = is_active(connection, at, until, ledger);
                if end.side == Side::Server && active && !has_a_reason(no, connection, at, ledger) {
                    ended.push(connection);
                }
            } else if connection.last_received.is_some_and(|last| last > at) {
                // What is seen of it later shows that it has survived.
                return found.decided();
            }
        }
        let claims = |connection: &&Connection| {
            connection.server_disconnect.is_some_and(|(_, code)| CLAIMS.contains(&code))
        };
        if ended.len() > 1 || ended.iter().any(claims) {
            let expected = "the other clients to stay connected when one breaks a rule";
            let observed = format!("{} of them were disconnected at once, and none was left", ended.len());
            found.accuse_of(ended[0].client, CITES, ended[0].version, expected, observed);
        }
    }
}

/// Whether the client had sent something not long before, and all that it had sent was answered: who is silent may be
/// disconnected [3.1.1 §3.1.2.10], and so may who sends what the Server does not take.
fn is_active(connection: &Connection, from: Duration, to: Duration, ledger: &Ledger) -> bool {
    let ended = connection.ended.map_or(to, |end| end.at.min(to));
    let mut recent = ended.saturating_sub(ledger.bounds.promptness);
    if connection.keep_alive() > 0 {
        recent = recent.max(to.saturating_sub(Duration::from_secs(u64::from(connection.keep_alive()))));
    }
    connection.last_sent.is_some_and(|last| last >= recent && connection.has_heard(last))
        && connection.free_since.is_some_and(|at| at <= from)
}

/// Whether the end may have a reason of its own: a takeover.
fn has_a_reason(no: ConnectionNo, connection: &Connection, since: Duration, ledger: &Ledger) -> bool {
    let Some(own) = &connection.asked else { return true };
    let recent = since.saturating_sub(ledger.bounds.promptness);
    ledger.connections().any(|(other, connection)| {
        let same = |asked: &Asked| asked.client_id == own.client_id && asked.at >= recent;
        other != no && connection.asked.as_ref().is_some_and(same)
    })
}
