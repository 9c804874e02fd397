//! What is on its way to one Client: messages sent and not yet acknowledged, with their Packet Identifiers.
//! [3.1.1 §4.3, §4.4] [5.0 §4.3, §4.4]

use crate::message::Message;
use crate::mutant::{Fault, Mutant};
use mqtt_assay_codec::{PacketId, Qos};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A message that a session is to receive.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Arc<Message>,
    /// The lower of the published and the granted QoS. [3.1.1/MQTT-3.8.4-6] [5.0/MQTT-3.8.4-8]
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    /// Subscription Identifiers of the subscriptions that caused it. [5.0/MQTT-3.3.4-3]
    pub(crate) identifiers: Vec<u32>,
    /// The whole shared filter, if it came by a Shared Subscription.
    pub(crate) share: Option<Arc<str>>,
}

/// Which packet of a delivery is unacknowledged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Stage {
    /// The PUBREL: PUBCOMP is due. [5.0/MQTT-4.3.3-5]
    Release,
    /// The PUBLISH: PUBACK or PUBREC is due. [5.0/MQTT-4.3.2-3] [5.0/MQTT-4.3.3-3]
    Publish,
}

/// A started delivery.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) delivery: Delivery,
    pub(crate) stage: Stage,
    /// Place in the order in which the packets of its stage were first sent.
    order: u64,
    /// Its PUBLISH went over the present connection and takes a place in the send quota. [5.0 §4.9]
    pub(crate) on_wire: bool,
}

/// The started deliveries of one session.
#[derive(Default, Debug)]
pub(crate) struct Inflight {
    sent: BTreeMap<PacketId, Sent>,
    last_id: u16,
    last_order: u64,
    /// How many of them count against the send quota.
    on_wire: usize,
}

impl Inflight {
    pub(crate) fn len(&self) -> usize {
        self.sent.len()
    }

    pub(crate) fn on_wire(&self) -> usize {
        self.on_wire
    }

    pub(crate) fn get(&self, id: PacketId) -> Option<&Sent> {
        self.sent.get(&id)
    }

    /// An unused Packet Identifier, not 0. [3.1.1/MQTT-2.3.1-4] [5.0/MQTT-2.2.1-4]
    pub(crate) fn free_id(&mut self, fault: Fault) -> Option<PacketId> {
        if self.sent.len() >= usize::from(u16::MAX) {
            return None;
        }
        if fault.is(Mutant::PacketIdReused) {
            return Some(PacketId::MIN);
        }
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            match PacketId::new(self.last_id) {
                Some(id) if !self.sent.contains_key(&id) => return Some(id),
                _ => {}
            }
        }
    }

    /// A delivery has started.
    pub(crate) fn start(&mut self, id: PacketId, delivery: Delivery) {
        self.last_order += 1;
        let sent = Sent { delivery, stage: Stage::Publish, order: self.last_order, on_wire: true };
        self.on_wire += 1;
        if self.sent.insert(id, sent).is_some_and(|old| old.on_wire) {
            self.on_wire -= 1;
        }
    }

    /// PUBREC came: from now on the PUBREL is unacknowledged. Tells whether the id was known.
    pub(crate) fn release(&mut self, id: PacketId) -> bool {
        let Some(sent) = self.sent.get_mut(&id).filter(|sent| sent.delivery.qos == Qos::ExactlyOnce) else {
            return false;
        };
        if sent.stage == Stage::Publish {
            self.last_order += 1;
            sent.order = self.last_order;
            sent.stage = Stage::Release;
        }
        true
    }

    /// The delivery is over, and its id free again.
    pub(crate) fn finish(&mut self, id: PacketId) -> Option<Sent> {
        let sent = self.sent.remove(&id)?;
        self.on_wire -= usize::from(sent.on_wire);
        Some(sent)
    }

    /// Its PUBLISH is sent again, over a new connection.
    pub(crate) fn resent(&mut self, id: PacketId) {
        if let Some(sent) = self.sent.get_mut(&id).filter(|sent| !sent.on_wire) {
            sent.on_wire = true;
            self.on_wire += 1;
        }
    }

    /// A place in the send quota becomes free before its time: for faulty brokers.
    pub(crate) fn return_quota(&mut self, id: PacketId) {
        if let Some(sent) = self.sent.get_mut(&id).filter(|sent| sent.on_wire) {
            sent.on_wire = false;
            self.on_wire -= 1;
        }
    }

    /// The connection is gone, and with it the send quota. [5.0 §4.9]
    pub(crate) fn connection_lost(&mut self) {
        self.sent.values_mut().for_each(|sent| sent.on_wire = false);
        self.on_wire = 0;
    }

    /// The ids of what is to be sent again: PUBRELs in the order of their PUBRECs, then PUBLISHes in their
    /// original order. [3.1.1/MQTT-4.6.0-6] [5.0 §4.6]
    pub(crate) fn unacknowledged(&self) -> Vec<PacketId> {
        let mut ids: Vec<_> = self.sent.iter().map(|(id, sent)| (sent.stage, sent.order, *id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, _, id)| id).collect()
    }

    /// The ids by number, once no PUBLISH is unacknowledged: for faulty brokers.
    pub(crate) fn all_released(&self) -> Vec<PacketId> {
        let waits = self.sent.values().any(|sent| sent.stage == Stage::Publish);
        if waits { Vec::new() } else { self.sent.keys().copied().collect() }
    }

    /// Gives an id's delivery another id: for faulty brokers.
    pub(crate) fn rename(&mut self, from: PacketId, to: PacketId) {
        if let Some(sent) = self.sent.remove(&from) {
            self.sent.insert(to, sent);
        }
    }

    /// All deliveries that have not come to their end, in their order.
    pub(crate) fn drain(&mut self) -> Vec<Sent> {
        let ids = self.unacknowledged();
        ids.into_iter().filter_map(|id| self.finish(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::PropertyList;

    fn delivery(qos: Qos) -> Delivery {
        let message = Arc::new(Message {
            topic: "t".into(),
            payload: Vec::new(),
            qos,
            retain: false,
            properties: PropertyList::new(),
            expiry: None,
            publisher: "p".into(),
            dup: false,
        });
        Delivery { message, qos, retain: false, identifiers: Vec::new(), share: None }
    }

    fn start(inflight: &mut Inflight, qos: Qos) -> PacketId {
        let id = inflight.free_id(Fault::default()).unwrap();
        inflight.start(id, delivery(qos));
        id
    }

    #[test]
    fn ids_are_not_0_and_not_in_use() {
        let mut inflight = Inflight { last_id: u16::MAX - 1, ..Inflight::default() };
        let ids = [(); 3].map(|()| start(&mut inflight, Qos::AtLeastOnce).get());
        assert_eq!(ids, [u16::MAX, 1, 2]);
        inflight.last_id = 0;
        assert_eq!(start(&mut inflight, Qos::AtLeastOnce).get(), 3);
    }

    #[test]
    fn releases_come_before_publishes_in_the_order_of_pubrec() {
        let mut inflight = Inflight::default();
        let ids = [(); 4].map(|()| start(&mut inflight, Qos::ExactlyOnce));
        assert!(inflight.release(ids[2]) && inflight.release(ids[0]));
        assert_eq!(inflight.unacknowledged(), [ids[2], ids[0], ids[1], ids[3]]);
    }

    #[test]
    fn only_what_went_over_this_connection_counts() {
        let mut inflight = Inflight::default();
        let a = start(&mut inflight, Qos::AtLeastOnce);
        let b = start(&mut inflight, Qos::ExactlyOnce);
        inflight.connection_lost();
        assert_eq!(inflight.on_wire(), 0);
        inflight.resent(a);
        inflight.finish(b);
        assert_eq!((inflight.len(), inflight.on_wire()), (1, 1));
    }
}
