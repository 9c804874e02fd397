//! Flow control: Receive Maximum in both directions. [5.0 §4.9]

use crate::connection::Connection;
use crate::mutant::{Fault, Mutant};
use crate::session::Session;
use mqtt_assay_codec::PacketId;
use std::collections::BTreeSet;

/// What the Client has sent and the Server has not finished with, on this connection.
#[derive(Debug)]
pub(crate) struct Receiving {
    ids: BTreeSet<PacketId>,
    /// The Receive Maximum that was announced to the Client.
    pub(crate) maximum: u16,
}

impl Default for Receiving {
    /// Without an announcement the maximum is 65,535. [5.0 §3.2.2.3.3]
    fn default() -> Self {
        Receiving { ids: BTreeSet::new(), maximum: u16::MAX }
    }
}

impl Receiving {
    /// A QoS 2 PUBLISH came; `false` if it is one too many. (QoS 1 is acknowledged at once and never waits.)
    /// [5.0/MQTT-3.3.4-7]
    pub(crate) fn begin(&mut self, id: PacketId) -> bool {
        self.ids.insert(id);
        self.ids.len() <= usize::from(self.maximum)
    }

    /// The exchange is over: PUBCOMP or a refusing PUBREC was sent.
    pub(crate) fn end(&mut self, id: PacketId) {
        self.ids.remove(&id);
    }

    /// Whether there is a place for one more message of QoS 1 or 2.
    pub(crate) fn has_place(&self) -> bool {
        self.ids.len() < usize::from(self.maximum)
    }
}

/// Whether the send quota allows one more PUBLISH of QoS 1 or 2. [5.0/MQTT-3.3.4-9] [5.0/MQTT-4.9.0-2]
pub(crate) fn has_quota(connection: &Connection, session: &Session, fault: Fault) -> bool {
    // The initial quota is the Client's Receive Maximum. [5.0/MQTT-4.9.0-1]
    let less = usize::from(fault.is(Mutant::ReceiveMaximumLessOne));
    let maximum = usize::from(connection.receive_maximum) - less;
    if fault.is(Mutant::ReceiveMaximumIgnored) {
        return true;
    }
    if fault.is(Mutant::QuotaNotReturned) && connection.publishes >= maximum {
        return false;
    }
    session.inflight.on_wire() < maximum
}
