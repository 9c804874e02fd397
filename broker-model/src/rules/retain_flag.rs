//! RETAIN tells what came because of a new subscription. [3.1.1/MQTT-3.3.1-8] [5.0/U5-PUB-10]
//! An established one gets its messages with RETAIN 0 [3.1.1/MQTT-3.3.1-9] [5.0/MQTT-3.3.1-12], or as they were
//! published, if Retain As Published asks for that [5.0/MQTT-3.3.1-13], as the subscription that was made last says. A Will without Will Retain is published without [5.0/MQTT-3.1.2-14].
//!
//! Frees     either flag, where the message may have come either way, or where overlapping subscriptions differ.
//! Unknown   when two messages have the same topic and payload; whether a Will lost its flag when it was published
//!           or when it was passed on.

use super::doubt::doubt;
use super::ledger::{Ledger, Message, Session, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};

const NEW: Cites = Cites { v3_1_1: &["MQTT-3.3.1-8"], v5: &["U5-PUB-10"] };
const ESTABLISHED: Cites = Cites { v3_1_1: &["MQTT-3.3.1-9"], v5: &["MQTT-3.3.1-12"] };
const AS_PUBLISHED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.1-13"] };
const WILL_NOT_RETAINED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-14"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct RetainFlag;

impl Rule for RetainFlag {
    fn name(&self) -> &'static str {
        "retain_flag"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(publish, no) = seen.fact else { return };
        let delivery = &ledger[no];
        let Some(message) = delivery.message.map(|message| &ledger[message]) else { return };
        if message.ambiguous || matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        let session = &ledger[delivery.session];
        let (mut live, mut retained, mut as_published, mut cleared) = (false, false, false, false);
        let mut moved = false;
        for cause in ledger.causes() {
            live |= cause.live;
            moved |= cause.moved;
            retained |= cause.retained;
            let kept = session.subscriptions[cause.subscription].options.retain_as_published;
            as_published |= kept;
            cleared |= !kept;
        }
        let allowed = match publish.retain {
            true => retained || message.retain && as_published,
            false => (live || moved) && (cleared || !message.retain),
        };
        if allowed {
            return found.decided();
        }
        // What may have come neither way is another rule's.
        let (expected, cites) = match (publish.retain, live) {
            (false, false) if retained => ("RETAIN 1: it was retained before the client subscribed", NEW),
            (_, false) => return,
            (true, true) if made_since(ledger, session, message) => return,
            (true, true) if message.is_will() && as_published => ("RETAIN 0, as the Will", WILL_NOT_RETAINED),
            (true, true) if as_published => ("RETAIN 0, as it was published", AS_PUBLISHED),
            (true, true) => ("RETAIN 0: the client had subscribed before", ESTABLISHED),
            (false, true) if retained || message.is_will() => {
                return found.unknown("it may be a retained message, or a Will published without RETAIN");
            }
            (false, true) => ("RETAIN 1, as it was published", AS_PUBLISHED),
        };
        if let Some(why) = doubt(ledger, delivery) {
            return found.unknown(why);
        }
        found.accuse(
            cites,
            ledger.version_of(delivery.session),
            format!("PUBLISH {} with {expected}", delivery.topic),
            format!("RETAIN {}", u8::from(publish.retain)),
        );
    }
}

/// Whether a subscription may have been made since the message was sent: it may have brought it as a retained one.
fn made_since(ledger: &Ledger, session: &Session, message: &Message) -> bool {
    ledger.causes().iter().any(|cause| {
        let made = session.subscriptions[cause.subscription].made(ledger.now);
        message.possible.is_none_or(|sent| made >= sent)
    })
}
