//! DUP is set on what is sent again, and on nothing else.
//! Again: [3.1.1/MQTT-3.3.1-1] [5.0/MQTT-3.3.1-1]. First: not, whatever the publisher's DUP was [3.1.1/MQTT-3.3.1-3]
//! [5.0/MQTT-3.3.1-3] [3.1.1/MQTT-4.3.2-1] [5.0/MQTT-4.3.2-2] [3.1.1/MQTT-4.3.3-1] [5.0/MQTT-4.3.3-2]
//!
//! Frees     a repetition of what was lost on an older connection.
//! Unknown   what comes on a connection that was taken over; when two messages have the same topic and payload; what another member of a Shared Subscription may have
//!           got before; after the broker has lost its memory.

use super::ledger::{Delivery, DeliveryNo, Ledger, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{PacketId, Qos};

const AGAIN: Cites = Cites { v3_1_1: &["MQTT-3.3.1-1"], v5: &["MQTT-3.3.1-1"] };
const PROPAGATED: Cites = Cites { v3_1_1: &["MQTT-3.3.1-3"], v5: &["MQTT-3.3.1-3"] };
const FIRST_AT_QOS_1: Cites =
    Cites { v3_1_1: &["MQTT-3.3.1-3", "MQTT-4.3.2-1"], v5: &["MQTT-3.3.1-3", "MQTT-4.3.2-2"] };
const FIRST_AT_QOS_2: Cites =
    Cites { v3_1_1: &["MQTT-3.3.1-3", "MQTT-4.3.3-1"], v5: &["MQTT-3.3.1-3", "MQTT-4.3.3-2"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Dup;

impl Rule for Dup {
    fn name(&self) -> &'static str {
        "dup"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(_, no) = seen.fact else { return };
        let delivery = &ledger[no];
        if delivery.late {
            return;
        }
        match (delivery.turn, delivery.dup) {
            (Turn::Again(before), false) => again(delivery, before, ledger, found),
            (Turn::First | Turn::Instead(_), true) => first(delivery, ledger, found),
            (_, true) => found.decided(),
            _ => {}
        }
    }
}

fn again(delivery: &Delivery, before: DeliveryNo, ledger: &Ledger, found: &mut Findings) {
    if delivery.message.is_none_or(|message| ledger[message].ambiguous) {
        return found.unknown("it may be another message of the same topic and payload");
    }
    if !ledger.is_continued(delivery, before) {
        return found.unknown("the broker may have forgotten that it had sent the message");
    }
    let id = delivery.id.map_or(0, PacketId::get);
    let expected = format!("DUP 1 on PUBLISH {id} to {}, which is sent again", delivery.topic);
    found.accuse(AGAIN, ledger.version_of(delivery.session), expected, "DUP 0");
}

fn first(delivery: &Delivery, ledger: &Ledger, found: &mut Findings) {
    let session = &ledger[delivery.session];
    let served = ledger[delivery.connection].answered.map(|answered| answered.at);
    let message = delivery.message.map(|message| &ledger[message]);
    // All that this session was ever sent, or all since the message was, came on this connection.
    let only = session.connections.len() == 1 && session.is_clear();
    let since = message.filter(|message| !message.ambiguous).and_then(|message| message.possible);
    if !only && since.is_none_or(|since| served.is_none_or(|served| since < served)) {
        return found.unknown("it may have been sent before on an older connection");
    }
    if ledger.causes().iter().any(|cause| session.subscriptions[cause.subscription].shared) {
        return found.unknown("another member of the Shared Subscription may have got it before");
    }
    let propagated = message.is_some_and(|message| message.attempts.iter().any(|attempt| attempt.dup));
    let cites = match delivery.qos {
        _ if propagated => PROPAGATED,
        Qos::ExactlyOnce => FIRST_AT_QOS_2,
        _ => FIRST_AT_QOS_1,
    };
    let expected = format!("DUP 0 on the first PUBLISH of a message to {}", delivery.topic);
    found.accuse(cites, ledger.version_of(delivery.session), expected, "DUP 1");
}
