//! PUBACK and PUBREC say that nobody subscribes only if nobody does. [5.0/U5-RC-2]
//!
//! Frees     not to say so; Sessions whose Client is away; what a No Local subscription keeps from its own Client.
//! Unknown   when the subscription, or its session, may have come or gone meanwhile: it is decided when an answer shows
//!           that the connection of the subscriber has lasted.

use super::ledger::{ConnectionNo, Ledger, MessageNo, SessionNo};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use crate::history::ClientNo;
use core::time::Duration;
use mqtt_assay_codec::{Packet, ReasonCode, Version};

const CITES: Cites = Cites { v3_1_1: &[], v5: &["U5-RC-2"] };

/// An answer that said 0x10, and a session that was subscribed as far as its client knew.
#[derive(Clone, Copy, Debug)]
struct Doubtful {
    publisher: ClientNo,
    message: MessageNo,
    /// When the answer came.
    at: Duration,
    subscriber: SessionNo,
    connection: ConnectionNo,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct NoMatchingSubscribers {
    doubtful: Vec<Doubtful>,
}

impl Rule for NoMatchingSubscribers {
    fn name(&self) -> &'static str {
        "no_matching_subscribers"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Received(Packet::Puback(ack) | Packet::Pubrec(ack), _)
                if ack.reason == ReasonCode::NO_MATCHING_SUBSCRIBERS =>
            {
                self.told(seen.client, seen.connection, ledger, found);
            }
            Fact::Ended(..) | Fact::Finished if !self.doubtful.is_empty() => {
                for no in closing(seen, ledger) {
                    self.doubtful.retain(|doubtful| {
                        let own = doubtful.connection == no;
                        if own {
                            decide(doubtful, ledger, found);
                        }
                        !own
                    });
                }
            }
            _ => {}
        }
    }
}

impl NoMatchingSubscribers {
    fn told(&mut self, publisher: ClientNo, on: Option<ConnectionNo>, ledger: &Ledger, found: &mut Findings) {
        let Some(message) = ledger.answered_message() else { return };
        // A connection that was taken over may have used the Packet Identifier last.
        if ledger[message].attempts.iter().all(|attempt| Some(attempt.connection) != on) {
            return found.unknown("the message with its Packet Identifier was sent on another connection");
        }
        // A Packet Identifier that was in use may be another message's.
        if ledger[message].attempts.iter().any(|attempt| ledger[attempt.connection].offended.is_some()) {
            return found.unknown("the publisher had broken a rule");
        }
        match subscriber(message, ledger) {
            Some((subscriber, connection)) => {
                self.doubtful.push(Doubtful { publisher, message, at: ledger.now, subscriber, connection });
            }
            None => found.decided(),
        }
    }
}

/// A Client that was served, and subscribed, from the message's sending until now, as far as it knows.
fn subscriber(number: MessageNo, ledger: &Ledger) -> Option<(SessionNo, ConnectionNo)> {
    let message = &ledger[number];
    let sent = message.possible?;
    // What may be dropped, or is not to be passed on.
    if message.expiry == Some(0) || message.topic.starts_with('$') {
        return None;
    }
    ledger.sessions().find_map(|(no, session)| {
        let connection = ledger.present_connection(no)?;
        let served = ledger[connection].answered.is_some_and(|answered| answered.at < sent);
        let wanted = session
            .certain(&message.topic, sent, ledger.now)
            .any(|subscription| !(subscription.options.no_local && message.publisher == session.client_id));
        (served && wanted).then_some((no, connection))
    })
}

/// The subscriber's connection is over: was it still there when the Server gave its answer?
fn decide(doubtful: &Doubtful, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[doubtful.connection];
    if !connection.has_heard(doubtful.at) {
        return found.unknown("the subscriber's connection may have ended before");
    }
    let topic = &ledger[doubtful.message].topic;
    let client_id = &ledger[doubtful.subscriber].client_id;
    let expected = format!("another code than 0x10: {client_id} subscribes to {topic}");
    found.accuse_of(doubtful.publisher, CITES, Version::V5, expected, "0x10");
}
