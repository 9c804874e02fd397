//! Nothing is sent again that need not be.
//! What the Client has acknowledged [5.0/MQTT-4.4.0-1] [3.1.1/MQTT-4.3.3-1] or refused [5.0/MQTT-4.4.0-2] is over; and in 5.0
//! nothing at all comes twice on one connection [5.0/MQTT-4.4.0-1].
//!
//! Frees     repeating what the Server may not know to be acknowledged; before 5.0 repeating at any time, at QoS 1
//!           whatever it is.
//! Unknown   when it may be another copy of the message, or another message of the same topic and payload; after the
//!           broker has lost its memory.

use super::ledger::{ConnectionNo, Delivery, DeliveryNo, Inbound, Ledger, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{Packet, PacketId, Qos};

const ON_ONE_CONNECTION: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.4.0-1"] };
const ACKNOWLEDGED_AT_QOS_1: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.4.0-1"] };
const ACKNOWLEDGED_AT_QOS_2: Cites = Cites { v3_1_1: &["MQTT-4.3.3-1"], v5: &["MQTT-4.4.0-1"] };
const REFUSED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.4.0-2"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct SentAgain;

impl Rule for SentAgain {
    fn name(&self) -> &'static str {
        "sent_again"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Delivered(_, delivery), _) => {
                let delivery = &ledger[delivery];
                if let Turn::Again(before) = delivery.turn
                    && !delivery.late
                {
                    published(delivery, before, ledger, found);
                }
            }
            (Fact::Received(Packet::Pubrel(ack), _), Some(no)) => released(no, ack.packet_id, ledger, found),
            _ => {}
        }
    }
}

fn published(delivery: &Delivery, before: DeliveryNo, ledger: &Ledger, found: &mut Findings) {
    let Some(id) = delivery.id else { return };
    let Some(inbound) = ledger[delivery.session].inbound.get(&id) else { return };
    if !ledger.is_continued(delivery, before) {
        return found.unknown("the broker may have forgotten what became of the message");
    }
    let version = ledger.version_of(delivery.session);
    if ledger[before].connection == delivery.connection {
        let known = delivery.message.is_some_and(|message| !ledger[message].ambiguous);
        if known || delivery.dup {
            let expected = format!("PUBLISH {id} to {} once on this connection", delivery.topic);
            found.accuse(ON_ONE_CONNECTION, version, expected, "it comes again");
        }
    } else if is_known_to_be_over(inbound, ledger) {
        if !ledger.is_only_copy(delivery) {
            return found.unknown("it may be another copy of the message");
        }
        let cites = match delivery.qos {
            _ if inbound.refused => REFUSED,
            Qos::ExactlyOnce => ACKNOWLEDGED_AT_QOS_2,
            _ => ACKNOWLEDGED_AT_QOS_1,
        };
        let done = if inbound.refused { "refused" } else { "acknowledged" };
        let expected = format!("no PUBLISH {id} to {} again, which the client has {done}", delivery.topic);
        found.accuse(cites, version, expected, "PUBLISH again");
    } else {
        found.decided();
    }
}

/// PUBREL comes on a connection; perhaps it has been answered on an older one.
fn released(no: ConnectionNo, id: PacketId, ledger: &Ledger, found: &mut Findings) {
    let Some(session) = ledger[no].session else { return };
    let Some(inbound) = ledger[session].inbound.get(&id) else { return };
    if ledger.last_connection(session) != no {
        return;
    }
    let elsewhere = inbound.ended.is_some_and(|(on, _)| on != no) && inbound.completed.is_some();
    // A PUBLISH or PUBREC of this connection asks for another.
    if !elsewhere || !is_known_to_be_over(inbound, ledger) || ledger[inbound.last].connection == no {
        return;
    }
    if ledger[no].offended.is_some() || !ledger[session].is_clear() || ledger.is_astray(session, id) {
        return found.unknown("what the client said before is not known well enough");
    }
    let expected = format!("no PUBREL {id} again, which the client has answered with PUBCOMP");
    found.accuse(ACKNOWLEDGED_AT_QOS_2, ledger[no].version, expected, "PUBREL again");
}

/// Whether the Server has read what ended the exchange.
fn is_known_to_be_over(inbound: &Inbound, ledger: &Ledger) -> bool {
    inbound.ended.is_some_and(|(on, at)| ledger[on].has_heard(at))
}
