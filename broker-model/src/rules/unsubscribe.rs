//! UNSUBSCRIBE does not break off a delivery that has begun: it goes on to its end.
//! [3.1.1/MQTT-3.10.4-3] [5.0/MQTT-3.10.4-3]
//!
//! What else UNSUBSCRIBE must leave alone, other subscriptions, `at_least_once` sees.
//!
//! Unknown   when the connection did not last; after a crash.

use super::ledger::{ConnectionNo, Ledger, SessionNo};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use core::time::Duration;
use mqtt_assay_codec::{Packet, PacketId, Qos};
use std::collections::BTreeMap;

const GOES_ON: Cites = Cites { v3_1_1: &["MQTT-3.10.4-3"], v5: &["MQTT-3.10.4-3"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Unsubscribe {
    /// When each session last sent UNSUBSCRIBE.
    last: BTreeMap<SessionNo, Duration>,
    /// PUBRECs behind an UNSUBSCRIBE whose PUBREL is due since then.
    due: BTreeMap<(ConnectionNo, PacketId), Duration>,
}

impl Rule for Unsubscribe {
    fn name(&self) -> &'static str {
        "unsubscribe"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Some(no) = seen.connection else {
            if matches!(seen.fact, Fact::Finished) {
                self.settle(seen, ledger, found);
            }
            return;
        };
        match seen.fact {
            Fact::Sent(Packet::Unsubscribe(_)) => {
                if let Some(session) = ledger[no].session {
                    self.last.insert(session, ledger.now);
                }
            }
            Fact::Sent(Packet::Pubrec(ack)) if !self.last.is_empty() && ack.reason.is_success() => {
                let Some(session) = ledger[no].session else { return };
                let begun = ledger[session].inbound.get(&ack.packet_id).filter(|inbound| {
                    let (begun, came) = (ledger[inbound.first].at, ledger[inbound.last].connection);
                    let unsubscribed = self.last.get(&session).is_some_and(|at| *at > begun);
                    unsubscribed
                        && came == no
                        && inbound.qos == Qos::ExactlyOnce
                        && inbound.released.is_none()
                });
                if begun.is_some() {
                    self.due.insert((no, ack.packet_id), ledger.now);
                }
            }
            Fact::Received(Packet::Pubrel(ack), _) if !self.due.is_empty() => {
                if self.due.remove(&(no, ack.packet_id)).is_none() {
                    return;
                }
                if ack.reason.is_success() {
                    return found.decided();
                }
                let expected =
                    format!("PUBREL {} with 0x00: the delivery had begun before UNSUBSCRIBE", ack.packet_id);
                found.accuse(GOES_ON, ledger[no].version, expected, format!("{}", ack.reason));
            }
            Fact::Ended(..) if !self.due.is_empty() => self.settle(seen, ledger, found),
            _ => {}
        }
    }
}

impl Unsubscribe {
    fn settle(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        for no in closing(seen, ledger) {
            let connection = &ledger[no];
            let range = (no, PacketId::MIN)..=(no, PacketId::MAX);
            for ((_, id), since) in self.due.range(range) {
                if !ledger.waited(no, *since) || connection.offended.is_some() {
                    found.unknown("the connection did not last");
                    continue;
                }
                found.accuse_of(
                    connection.client,
                    GOES_ON,
                    connection.version,
                    format!("PUBREL {id}: the delivery had begun before UNSUBSCRIBE"),
                    "none has come",
                );
            }
        }
        let ended: Vec<_> = closing(seen, ledger).collect();
        self.due.retain(|(no, _), _| !ended.contains(no));
    }
}
