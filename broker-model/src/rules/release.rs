//! PUBREC is answered with PUBREL, and after that the PUBLISH is over.
//! PUBREL comes [3.1.1/MQTT-4.3.3-1] [5.0/MQTT-4.3.3-4], for what was received [3.1.1/MQTT-2.3.1-6] [5.0/MQTT-2.2.1-5], in the
//! order of the PUBRECs [3.1.1/MQTT-4.6.0-6]; then PUBLISH does not come again [3.1.1/MQTT-4.3.3-1] [5.0/MQTT-4.3.3-6].
//!
//! Frees     the answer to a PUBREC that the Server did not wait for; PUBREL again on a new connection, before 5.0 at any
//!           time; in 5.0 the order.
//! Unknown   when the connection did not last; when a DISCONNECT came, or the Client has broken a rule.

use super::ledger::{ConnectionNo, Delivery, DeliveryNo, Ledger, Turn};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use core::time::Duration;
use mqtt_assay_codec::{Packet, PacketId, Qos, ReasonCode};
use std::collections::{BTreeMap, BTreeSet};

const COMES: Cites = Cites { v3_1_1: &["MQTT-4.3.3-1"], v5: &["MQTT-4.3.3-4"] };
const FOR_PUBREC: Cites = Cites { v3_1_1: &["MQTT-2.3.1-6"], v5: &["MQTT-2.2.1-5"] };
const IN_ORDER: Cites = Cites { v3_1_1: &["MQTT-4.6.0-6"], v5: &[] };
const PUBLISH_IS_OVER: Cites = Cites { v3_1_1: &["MQTT-4.3.3-1"], v5: &["MQTT-4.3.3-6"] };

/// A PUBREC that waits for its PUBREL.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Duration,
    /// Its PUBLISH came on the same connection: the Server cannot have had a PUBREC before.
    here: bool,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Release {
    waiting: BTreeMap<(ConnectionNo, PacketId), Waiting>,
    /// PUBRECs for which the Server did not wait.
    stray: BTreeSet<(ConnectionNo, PacketId)>,
}

impl Rule for Release {
    fn name(&self) -> &'static str {
        "release"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Sent(Packet::Pubrec(ack)), Some(no)) if ack.reason.is_success() => {
                self.received(no, ack.packet_id, ledger);
            }
            (Fact::Received(Packet::Pubrel(ack), _), Some(no)) => {
                self.released(no, ack.packet_id, ack.reason, ledger, found);
            }
            (Fact::Delivered(_, delivery), _) => {
                let delivery = &ledger[delivery];
                if let Turn::Again(before) = delivery.turn
                    && delivery.qos == Qos::ExactlyOnce
                    && !delivery.late
                {
                    published_again(delivery, before, ledger, found);
                }
            }
            (Fact::Ended(..) | Fact::Finished, _) => {
                for no in closing(seen, ledger) {
                    self.closed(no, ledger, found);
                }
            }
            _ => {}
        }
    }
}

impl Release {
    /// The client says that it has a message.
    fn received(&mut self, no: ConnectionNo, id: PacketId, ledger: &Ledger) {
        let inbound = ledger[no].session.and_then(|session| ledger[session].inbound.get(&id));
        match inbound {
            Some(inbound)
                if inbound.qos == Qos::ExactlyOnce && inbound.released.is_none() && !inbound.is_over() =>
            {
                let here = ledger[inbound.first].connection == no;
                self.waiting.entry((no, id)).or_insert(Waiting { since: ledger.now, here });
            }
            _ => drop(self.stray.insert((no, id))),
        }
    }

    fn released(
        &mut self,
        no: ConnectionNo,
        id: PacketId,
        reason: ReasonCode,
        ledger: &Ledger,
        found: &mut Findings,
    ) {
        let connection = &ledger[no];
        if let Some(own) = self.waiting.remove(&(no, id)) {
            let earlier = |other: &Waiting| own.here && other.here && other.since < own.since;
            match self.waiting.range(on(no)).find(|(_, other)| earlier(other)) {
                Some(((_, other), _)) => {
                    let expected = format!("PUBREL {other} before PUBREL {id}, in the order of the PUBRECs");
                    found.accuse(IN_ORDER, connection.version, expected, format!("PUBREL {id} first"));
                }
                None => found.decided(),
            }
            return;
        }
        let Some(session) = connection.session else { return };
        let received = ledger[session]
            .inbound
            .get(&id)
            .is_some_and(|inbound| inbound.qos == Qos::ExactlyOnce && inbound.answered.is_some());
        // In 5.0 the Server may say that it does not know what the client says it has.
        let answers = self.stray.contains(&(no, id)) || ledger.is_astray(session, id) || !reason.is_success();
        if received || answers {
            return;
        }
        if connection.offended.is_some() || !ledger[session].is_clear() {
            return found.unknown("what the client said before is not known well enough");
        }
        let expected = "PUBREL for a message that the client has said to have";
        found.accuse(FOR_PUBREC, connection.version, expected, format!("PUBREL {id}"));
    }

    /// Nothing more comes on this connection.
    fn closed(&mut self, no: ConnectionNo, ledger: &Ledger, found: &mut Findings) {
        while let Some((&(_, id), &waiting)) = self.waiting.range(on(no)).next() {
            self.waiting.remove(&(no, id));
            if ledger.waited_in_peace(no, waiting.since) {
                let connection = &ledger[no];
                let expected = format!("PUBREL {id}, or the connection's end");
                found.accuse_of(connection.client, COMES, connection.version, expected, "neither has come");
            } else {
                found.unknown("the connection did not last");
            }
        }
        while let Some(&stray) = self.stray.range(on(no)).next() {
            self.stray.remove(&stray);
        }
    }
}

/// All identifiers on a connection.
fn on(no: ConnectionNo) -> core::ops::RangeInclusive<(ConnectionNo, PacketId)> {
    (no, PacketId::MIN)..=(no, PacketId::MAX)
}

/// A PUBLISH comes again; its PUBREL may have come before.
fn published_again(delivery: &Delivery, before: DeliveryNo, ledger: &Ledger, found: &mut Findings) {
    let Some(id) = delivery.id else { return };
    let Some(inbound) = ledger[delivery.session].inbound.get(&id) else { return };
    if inbound.released.is_none() {
        return found.decided();
    }
    if !ledger.is_continued(delivery, before) {
        return found.unknown("the broker may have forgotten the PUBREC");
    }
    // Under the identifier of an exchange that is over another copy of the message may come.
    if inbound.is_over() && !ledger.is_only_copy(delivery) {
        return found.unknown("it may be another copy of the message");
    }
    let expected = format!("no PUBLISH {id} to {} after its PUBREL", delivery.topic);
    found.accuse(PUBLISH_IS_OVER, ledger.version_of(delivery.session), expected, "PUBLISH again");
}
