//! The Message Expiry Interval runs while a message waits in the Server: it is passed on less the time that it waited
//! [5.0/MQTT-3.3.2-6], and a message whose interval is over is not delivered any more [5.0/MQTT-3.3.2-5], nor kept as
//! a retained one [5.0/U5-PUB-9]. That of a Will begins when it is published [5.0/U5-WILL-5]. A message without one
//! does not get one [5.0/U5-PUB-16].
//!
//! Frees     a second up and down, since nobody says how to round; the time that packets are under way; whatever a
//!           repetition says, and the delivery of what was begun in time [5.0/MQTT-4.3.3-7].
//! Unknown   when two messages have the same topic and payload; how long a message waited of which nothing shows when
//!           the Server had it.

use super::ledger::{Delivery, Ledger, Message, Origin, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use core::time::Duration;
use mqtt_assay_codec::Version;

const LEFT: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-6"] };
const OVER: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-5"] };
const RETAINED_OVER: Cites = Cites { v3_1_1: &[], v5: &["U5-PUB-9", "MQTT-3.3.2-5"] };
const OF_A_WILL: Cites = Cites { v3_1_1: &[], v5: &["U5-WILL-5"] };
const NONE: Cites = Cites { v3_1_1: &[], v5: &["U5-PUB-16"] };

const SECOND: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Default, Debug)]
pub(super) struct MessageExpiry;

impl Rule for MessageExpiry {
    fn name(&self) -> &'static str {
        "message_expiry"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(publish, no) = seen.fact else { return };
        let delivery = &ledger[no];
        let Some(message) = delivery.message.map(|message| &ledger[message]) else { return };
        if message.ambiguous || delivery.dup || matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        let new = ledger[delivery.connection].version == Version::V5;
        let left = if new { publish.properties.message_expiry_interval() } else { None };
        let Some(expiry) = message.expiry else {
            if let Some(left) = left {
                let expected = format!("PUBLISH {} without Message Expiry Interval", delivery.topic);
                found.accuse(NONE, Version::V5, expected, format!("{left} s"));
            }
            return;
        };
        let retained = ledger.causes().iter().any(|cause| cause.retained);
        let earliest = sent_at_the_earliest(delivery, ledger);
        let taken = taken_at_the_latest(message).unwrap_or(delivery.at);
        let whole = Duration::from_secs(u64::from(expiry));
        if taken + whole + SECOND < earliest {
            let cites = if retained { RETAINED_OVER } else { OVER };
            let expected = format!("nothing of {} after {expiry} s", delivery.topic);
            let waited = earliest.saturating_sub(taken).as_secs();
            let text = format!("it had waited for more than {waited} s when it was sent");
            // The statement is of 5.0: of its publisher, if not of this client.
            return found.accuse(cites, Version::V5, expected, text);
        }
        if !new {
            return;
        }
        let Some(left) = left else {
            let expected = format!("PUBLISH {} with what is left of {expiry} s", delivery.topic);
            return found.accuse(LEFT, Version::V5, expected, "no Message Expiry Interval");
        };
        let left = Duration::from_secs(u64::from(left));
        let longest = delivery.at.saturating_sub(begun_at_the_earliest(message, ledger));
        let shortest = earliest.saturating_sub(taken);
        let (least, most) = (whole.saturating_sub(longest + SECOND), whole.saturating_sub(shortest) + SECOND);
        if left >= least && left <= most.min(whole) {
            return found.decided();
        }
        let cites = if message.is_will() && left < least { OF_A_WILL } else { LEFT };
        let text = format!(
            "PUBLISH {} with {} to {} s of {expiry} s",
            delivery.topic,
            least.as_secs(),
            most.min(whole).as_secs()
        );
        found.accuse(cites, Version::V5, text, format!("{} s", left.as_secs()));
    }
}

/// By this time the Server had taken the message in.
fn taken_at_the_latest(message: &Message) -> Option<Duration> {
    // Each of several PUBLISHes may count as a message of its own.
    if message.attempts.len() > 1 {
        return message.accepted;
    }
    [message.accepted, message.processed()].into_iter().flatten().min()
}

/// Since when the interval may run: when the message was sent, or the Will may have been published.
fn begun_at_the_earliest(message: &Message, ledger: &Ledger) -> Duration {
    match message.origin {
        Origin::Published(_) => message.possible.unwrap_or_default(),
        Origin::Will(connection) => ledger.will_at_the_earliest(connection).unwrap_or_default(),
    }
}

/// When the Server can have sent it at the earliest: on this connection, not long ago if nothing was held back, and
/// if it came as a retained message, after the SUBSCRIBE.
fn sent_at_the_earliest(delivery: &Delivery, ledger: &Ledger) -> Duration {
    let connection = &ledger[delivery.connection];
    let asked = connection.asked.as_ref().map_or(Duration::ZERO, |asked| asked.at);
    let recent = delivery.at.saturating_sub(ledger.bounds.promptness);
    let free = connection.free_since.filter(|free| *free <= recent).map_or(Duration::ZERO, |_| recent);
    let subscriptions = &ledger[delivery.session].subscriptions;
    let causes = || ledger.causes().iter();
    let subscribed = match causes().any(|cause| cause.live) {
        true => None,
        false => causes().filter(|c| c.retained).map(|c| subscriptions[c.subscription].asked).min(),
    };
    asked.max(free).max(subscribed.unwrap_or_default())
}
