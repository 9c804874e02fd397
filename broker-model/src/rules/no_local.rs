//! With No Local a client does not get back what it has published itself. [5.0/MQTT-3.8.3-3]
//! The option is the one of the subscription that was made last.
//!
//! Frees     overlapping subscriptions of which one has not asked for it; Wills, which the Server publishes.
//! Unknown   when two messages have the same topic and payload; retained messages, of which a Server need not know
//!           who published them.

use super::doubt::doubt;
use super::ledger::{Ledger, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};

const NO_LOCAL: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.8.3-3"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct NoLocal;

impl Rule for NoLocal {
    fn name(&self) -> &'static str {
        "no_local"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(_, no) = seen.fact else { return };
        let delivery = &ledger[no];
        let session = &ledger[delivery.session];
        let mut causes = ledger.causes().iter();
        let asked = |subscription: usize| session.subscriptions[subscription].options.no_local;
        if ledger.causes().is_empty() || !causes.all(|cause| asked(cause.subscription)) {
            return;
        }
        let Some(message) = delivery.message.map(|message| &ledger[message]) else { return };
        if message.is_will() || matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        if message.publisher != session.client_id {
            return found.decided();
        }
        if message.ambiguous {
            return found.unknown("two messages have the same topic and payload");
        }
        if ledger.has_several_users(&session.client_id) {
            return found.unknown("another user may have published it");
        }
        if ledger.causes().iter().any(|cause| cause.retained) {
            return found.unknown("it may be sent as a retained message");
        }
        if let Some(why) = doubt(ledger, delivery) {
            return found.unknown(why);
        }
        found.accuse(
            NO_LOCAL,
            ledger.version_of(delivery.session),
            format!("nothing of what {} publishes itself: No Local", session.client_id),
            format!("its own message on {}", delivery.topic),
        );
    }
}
