//! PUBACK and PUBREC say that nobody subscribes only if nobody does. [5.0/U5-RC-2]
//!
//! Frees     not to say so; Sessions whose Client is away; what a No Local subscription keeps from its own Client.
//! Unknown   when the subscription, or its session, may have come or gone meanwhile.

use super::ledger::{Ledger, MessageNo};
use super::{Cites, Fact, Findings, Rule, Seen};
use core::time::Duration;
use mqtt_assay_codec::{Packet, ReasonCode, Version};

const CITES: Cites = Cites { v3_1_1: &[], v5: &["U5-RC-2"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct NoMatchingSubscribers;

impl Rule for NoMatchingSubscribers {
    fn name(&self) -> &'static str {
        "no_matching_subscribers"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Received(Packet::Puback(ack) | Packet::Pubrec(ack), _) = seen.fact else { return };
        if ack.reason != ReasonCode::NO_MATCHING_SUBSCRIBERS {
            return;
        }
        let Some(number) = ledger.answered_message() else { return };
        match subscriber(number, ledger) {
            Some(client_id) => {
                let expected =
                    format!("another code than 0x10: {client_id} subscribes to {}", ledger[number].topic);
                found.accuse(CITES, Version::V5, expected, "0x10");
            }
            None => found.decided(),
        }
    }
}

/// A Client that was there and subscribed from the message's sending until now.
fn subscriber(number: MessageNo, ledger: &Ledger) -> Option<&str> {
    let message = &ledger[number];
    let sent = message.possible?;
    // What may be dropped, or is not to be passed on.
    if message.expiry == Some(0) || message.topic.starts_with('$') {
        return None;
    }
    let found = ledger.sessions().find(|(no, session)| {
        let there = ledger.present_connection(*no).is_some_and(|connection| {
            let connection = &ledger[connection];
            let served = connection.answered.is_some_and(|answered| answered.at < sent);
            // It may be gone already, as the Server sees it.
            served
                && connection.offended.is_none()
                && connection.client_disconnect.is_none()
                && connection.server_disconnect.is_none()
                && is_heard_of(connection.keep_alive(), connection.last_sent, ledger.now)
        });
        there
            && session.certain(&message.topic, sent, ledger.now).any(|subscription| {
                !(subscription.options.no_local && message.publisher == session.client_id)
            })
    });
    found.map(|(_, session)| &*session.client_id)
}

fn is_heard_of(keep_alive: u16, last_sent: Option<Duration>, now: Duration) -> bool {
    let patience = Duration::from_secs(u64::from(keep_alive));
    keep_alive == 0 || last_sent.is_some_and(|last| now < last + patience)
}
