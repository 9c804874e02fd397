//! When a Will may, and when it must, be published. [3.1.1 §3.1.2.5] [5.0 §3.1.2.5, §3.1.3.2.2]

use super::{Connection, ConnectionNo, Ledger};
use crate::history::{How, Side};
use core::time::Duration;
use mqtt_assay_codec::{ReasonCode, Version};

/// When a Will is to be published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WillDue {
    /// Not before this time.
    pub from: Duration,
    /// By this time, if the Server is prompt.
    pub by: Duration,
}

const fn seconds(interval: u32) -> Duration {
    Duration::from_secs(interval as u64)
}

impl Ledger {
    /// At this time, at least, a connection was alive for the Server too: it answered what came then, or its end, of
    /// which the client would have learnt, was not long ago.
    pub fn alive_until(&self, no: ConnectionNo) -> Duration {
        let connection = &self[no];
        let asked = connection.asked.as_ref().map_or(Duration::ZERO, |asked| asked.at);
        let heard = connection.heard.unwrap_or(asked);
        let ended = connection.ended.map(|end| end.at.saturating_sub(self.bounds.promptness));
        let free = ended.filter(|at| connection.free_since.is_some_and(|free| free <= *at));
        heard.max(free.unwrap_or_default())
    }

    /// The earliest time at which the Will of a connection may be published; `None` if it has none. A Server that
    /// counts in whole seconds may be one early.
    pub fn will_at_the_earliest(&self, no: ConnectionNo) -> Option<Duration> {
        let connection = &self[no];
        let asked = connection.asked.as_ref()?;
        let will = asked.will?;
        let Some(session) = connection.session.filter(|session| self.is_clear(*session)) else {
            return Some(asked.at);
        };
        let granted = connection.answered.and_then(|answered| answered.session_expiry);
        let expiry = granted.unwrap_or(asked.session_expiry);
        let least = connection.disconnect_expiry.map_or(expiry, |interval| interval.min(expiry));
        let wait = seconds(will.delay.min(least).saturating_sub(1));
        let due = self.alive_until(no) + wait;
        // The delay ends with the session. [5.0/MQTT-3.1.2-8]
        let gone = self[session].possibly_gone;
        Some(gone.map_or(due, |gone| gone.max(asked.at).min(due)))
    }

    /// Between which times the Will of a connection must be published; `None` if that is not certain, or not yet.
    pub fn will_due(&self, no: ConnectionNo) -> Option<WillDue> {
        let connection = &self[no];
        let asked = connection.asked.as_ref()?;
        let will = asked.will?;
        let session = &self[connection.session?];
        // A Server that goes down may put Wills off.
        let shut_down = matches!(
            connection.server_disconnect,
            Some((_, ReasonCode::SERVER_SHUTTING_DOWN | ReasonCode::SERVER_BUSY))
        );
        let crashed = self.last_crash().is_some_and(|crash| crash >= asked.at);
        if !session.is_clear() || shut_down || crashed || connection.says_goodbye() {
            return None;
        }
        let mut by = self.end_noticed(no)?;
        if will.delay > 0 {
            let due = by + seconds(will.delay);
            by = session.certainly_gone.map_or(due, |gone| gone.min(due));
            // The Client may have come back in time. [5.0/MQTT-3.1.3-9]
            let back = |(_, other): (ConnectionNo, &Connection)| {
                let begun =
                    other.answered.is_some_and(|answered| answered.accepts() && !answered.session_present);
                other.asked.as_ref().is_some_and(|again| {
                    // A CONNACK of 3.1 does not tell whether a session was there.
                    let ended = begun && (other.version != Version::V3_1 || again.clean_start);
                    again.at > asked.at && again.at < by && again.client_id == session.client_id && !ended
                })
            };
            if self.connections().any(back) {
                return None;
            }
        }
        Some(WillDue { from: self.alive_until(no), by })
    }

    /// By this time the Server has noticed that a connection has ended; `None` if that is not certain.
    fn end_noticed(&self, no: ConnectionNo) -> Option<Duration> {
        let connection = &self[no];
        let asked = connection.asked.as_ref()?;
        let end = connection.ended?;
        let free = connection.free_since.is_some();
        let told = match (end.side, end.how) {
            (Side::Server, _) => Some(end.at),
            (Side::Client, How::Silently) => None,
            (Side::Client, _) => free.then_some(end.at + self.bounds.promptness),
        };
        // [3.1.1/MQTT-3.1.2-24] [5.0/MQTT-3.1.2-22]
        let silent = connection
            .last_sent
            .filter(|_| free)
            .zip(connection.patience())
            .map(|(last, patience)| last + patience + self.bounds.keep_alive_slack);
        // [3.1.1/MQTT-3.1.4-2] [5.0/MQTT-3.1.4-3]
        let client_id = &self[connection.session?].client_id;
        let taken_over = self.connections().filter_map(|(other_no, other)| {
            let (again, answered) = (other.asked.as_ref()?, other.answered?);
            let later = other_no != no && again.at > asked.at && !other.contended;
            (later && answered.accepts() && again.client_id == *client_id).then_some(answered.at)
        });
        [told, silent].into_iter().flatten().chain(taken_over).min()
    }
}

impl Connection {
    /// Whether the client has sent a DISCONNECT that removes its Will. [3.1.1/MQTT-3.14.4-3] [5.0/MQTT-3.14.4-3]
    pub fn says_goodbye(&self) -> bool {
        self.client_disconnect.is_some_and(|(_, reason)| {
            (self.version != Version::V5 || reason == ReasonCode::SUCCESS) && !self.raises_expiry()
        })
    }
}
