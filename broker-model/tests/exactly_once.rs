//! Whatever the network does: QoS 2 exactly once, QoS 1 at least once, in order, under distinct ids.

mod common;

use common::*;
use mqtt_assay_codec::{Ack, Packet, PacketId, Publish, Qos, ReasonCode, Version};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A publisher and a subscriber that follow the rules, over connections that fail.
struct Pair {
    w: World,
    version: Version,
    publisher: Client,
    subscriber: Client,
    /// Messages that the publisher has not finished with, by Packet Identifier: released or not.
    open: BTreeMap<u16, (Qos, String, bool)>,
    order: Vec<u16>,
    next: u16,
    sent: Vec<(Qos, String)>,
    /// QoS 2 ids that the subscriber has received and not seen released.
    held: BTreeSet<u16>,
    received: Vec<(Qos, String)>,
}

impl Pair {
    fn new(version: Version) -> Pair {
        let mut w = World::new();
        let (publisher, _) = w.resume(version, "publisher");
        let (subscriber, _) = w.resume(version, "subscriber");
        w.subscribe(subscriber, "t", QOS2);
        Pair {
            w,
            version,
            publisher,
            subscriber,
            open: BTreeMap::new(),
            order: Vec::new(),
            next: 0,
            sent: Vec::new(),
            held: BTreeSet::new(),
            received: Vec::new(),
        }
    }

    fn publish(&mut self, qos: Qos) {
        self.next += 1;
        let payload = self.next.to_string();
        self.sent.push((qos, payload.clone()));
        self.open.insert(self.next, (qos, payload, false));
        self.order.push(self.next);
        self.send_publish(self.next, false);
    }

    fn send_publish(&mut self, id: u16, dup: bool) {
        let (qos, payload, _) = self.open[&id].clone();
        let packet_id = PacketId::new(id);
        let packet = Publish { dup, packet_id, ..publish("t", &payload, qos) };
        self.w.send(self.publisher, &Packet::Publish(packet));
    }

    /// The publisher reads what has come, at most `most` packets.
    fn publisher_reads(&mut self, most: usize) {
        for _ in 0..most {
            match self.w.next(self.publisher) {
                Some(Got::Puback(id, _) | Got::Pubcomp(id, _)) => {
                    self.open.remove(&id);
                }
                Some(Got::Pubrec(id, _)) => {
                    if let Some(open) = self.open.get_mut(&id) {
                        open.2 = true;
                        self.w.ack(self.publisher, Packet::Pubrel, id, ReasonCode::SUCCESS);
                    }
                }
                Some(other) => panic!("{other:?}"),
                None => return,
            }
        }
    }

    fn subscriber_reads(&mut self, most: usize) {
        for _ in 0..most {
            match self.w.next(self.subscriber) {
                Some(Got::Publish { qos, payload, id, .. }) => {
                    let payload = String::from_utf8(payload).expect("text");
                    if qos == QOS2 {
                        if self.held.insert(id) {
                            self.received.push((qos, payload));
                        }
                    } else {
                        self.received.push((qos, payload));
                    }
                    self.w.acknowledge(self.subscriber, qos, id);
                }
                Some(Got::Pubrel(id, _)) => {
                    self.held.remove(&id);
                    let ack = Ack::new(packet_id(id), ReasonCode::SUCCESS);
                    self.w.send(self.subscriber, &Packet::Pubcomp(ack));
                }
                Some(other) => panic!("{other:?}"),
                None => return,
            }
        }
    }

    fn publisher_fails(&mut self) {
        self.w.cut(self.publisher);
        self.publisher = self.w.resume(self.version, "publisher").0;
        for id in self.order.clone() {
            match self.open.get(&id) {
                Some((_, _, true)) => self.w.ack(self.publisher, Packet::Pubrel, id, ReasonCode::SUCCESS),
                Some(_) => self.send_publish(id, true),
                None => {}
            }
        }
    }

    fn subscriber_fails(&mut self) {
        self.w.cut(self.subscriber);
        self.subscriber = self.w.resume(self.version, "subscriber").0;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn over_failing_connections(v5 in any::<bool>(), steps in proptest::collection::vec((0..6u8, 1..4usize), 1..60)) {
        let mut pair = Pair::new(if v5 { Version::V5 } else { Version::V3_1_1 });
        for (kind, count) in steps {
            match kind {
                0 => pair.publish(QOS1),
                1 => pair.publish(QOS2),
                2 => pair.publisher_reads(count),
                3 => pair.subscriber_reads(count),
                4 => pair.publisher_fails(),
                _ => pair.subscriber_fails(),
            }
        }
        // In the end everything gets through.
        pair.publisher_fails();
        pair.subscriber_fails();
        for _ in 0..200 {
            pair.publisher_reads(usize::MAX);
            pair.subscriber_reads(usize::MAX);
        }
        prop_assert!(pair.open.is_empty() && pair.held.is_empty());
        let of = |list: &[(Qos, String)], qos| -> Vec<String> {
            list.iter().filter(|(q, _)| *q == qos).map(|(_, payload)| payload.clone()).collect()
        };
        prop_assert_eq!(of(&pair.received, QOS2), of(&pair.sent, QOS2));
        // QoS 1 may come again; first comings are in order.
        let mut seen = BTreeSet::new();
        let firsts: Vec<String> =
            of(&pair.received, QOS1).into_iter().filter(|payload| seen.insert(payload.clone())).collect();
        prop_assert_eq!(firsts, of(&pair.sent, QOS1));
    }
}
