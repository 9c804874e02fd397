//! Faults between the state machine and whatever carries its bytes: packets dropped, doubled, rewritten, exchanged. No
//! broker means to do so; buffers, queues and threads do it.

use super::fault::faults;
use mqtt_assay_broker_model::{ConnectionId, Output};
use mqtt_assay_codec::{Decoder, Packet, PacketType, Qos, Receiver, Split, Version, frame};
use std::collections::BTreeMap;

faults! {
    /// A named fault of what carries packets; the state machine is in order, and so is the transport.
    PacketFault {
        EveryThirdPubackLost "every_third_puback_lost" "loses every third PUBACK of a connection" ["3.1.1/MQTT-3.3.4-1", "3.1.1/MQTT-4.3.2-2", "5.0/MQTT-3.3.4-1", "5.0/MQTT-4.3.2-4"];
        SplitPublishLost "split_publish_lost" "loses a PUBLISH that does not come in one piece" ["3.1.1/MQTT-3.3.4-1", "3.1.1/MQTT-4.5.0-1", "5.0/MQTT-3.3.4-1", "5.0/MQTT-4.5.0-1"];
        LastPacketLost "last_packet_lost" "closes without sending what it still had to send" ["3.1.1/MQTT-3.1.3-8", "5.0/MQTT-4.13.1-1"];
        Qos2PublishDoubled "qos_2_publish_doubled" "sends every QoS 2 PUBLISH twice" ["3.1.1/MQTT-2.3.1-4", "5.0/MQTT-2.2.1-4", "5.0/MQTT-4.4.0-1"];
        SubscribeDoubled "subscribe_doubled" "handles every SUBSCRIBE twice" ["3.1/M31-SUB-2", "3.1.1/MQTT-3.8.4-4", "5.0/MQTT-3.8.4-5"];
        LongPayloadCut "long_payload_cut" "cuts payloads at 65,535 bytes" ["3.1.1/MQTT-4.5.0-1", "5.0/MQTT-4.5.0-1"];
        LongTopicCut "long_topic_cut" "cuts Topic Names at 255 bytes" ["3.1.1/MQTT-3.3.2-3", "3.1.1/MQTT-4.7.3-4", "5.0/MQTT-3.3.2-3", "5.0/MQTT-4.7.3-4"];
        StrayByteSent "stray_byte_sent" "sends a zero byte behind every SUBACK" ["3.1.1/U3-TYPE-1", "5.0/U5-TYPE-1"];
        PublishesExchanged "publishes_exchanged" "sends the second of two waiting messages first" ["3.1.1/MQTT-4.6.0-5", "3.1.1/MQTT-4.6.0-6", "5.0/MQTT-4.6.0-5", "5.0/MQTT-4.6.0-6"];
    }
}

/// Payloads and Topic Names are cut here.
const PAYLOAD_MAX: usize = 65_535;
const TOPIC_MAX: usize = 255;

/// More of a packet that does not end is not held back.
const BEGUN_MAX: usize = 4 << 20;

/// Stands between the state machine and the connections, and does to packets what its fault says.
#[derive(Debug)]
pub(super) struct Tamper {
    fault: PacketFault,
    connections: BTreeMap<ConnectionId, Line>,
}

/// What it knows of a connection.
#[derive(Debug)]
struct Line {
    /// The version of its CONNECT.
    version: Version,
    /// Bytes that came and are no whole packet yet.
    begun: Vec<u8>,
    /// Bytes that can be split into packets no more: they are passed on as they come.
    broken: bool,
    /// Whether the beginning of the next packet came with an earlier read.
    in_parts: bool,
    pubacks: usize,
}

impl Tamper {
    pub(super) fn new(fault: PacketFault) -> Tamper {
        Tamper { fault, connections: BTreeMap::new() }
    }

    pub(super) fn closed(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    fn line(&mut self, id: ConnectionId) -> &mut Line {
        self.connections.entry(id).or_insert_with(|| Line {
            version: Version::V5,
            begun: Vec::new(),
            broken: false,
            in_parts: false,
            pubacks: 0,
        })
    }

    /// What the state machine gets of bytes that came.
    pub(super) fn received(&mut self, id: ConnectionId, bytes: Vec<u8>) -> Vec<u8> {
        let fault = self.fault;
        let line = self.line(id);
        if line.broken {
            return bytes;
        }
        let (mut given, mut rest) = (Vec::new(), std::mem::take(&mut line.begun));
        rest.extend_from_slice(&bytes);
        loop {
            // The limit of sizes is the state machine's business, and so is what is malformed.
            match frame::split(&rest, u32::MAX, Version::V5) {
                Ok(Split::Whole(frame)) => {
                    let packet: Vec<u8> = rest.drain(..frame.bytes().len()).collect();
                    let kind = PacketType::from_u8(packet[0] >> 4);
                    if kind == Some(PacketType::Connect) {
                        line.version = version_of(&packet).unwrap_or(line.version);
                    }
                    let lost = fault == PacketFault::SplitPublishLost
                        && kind == Some(PacketType::Publish)
                        && line.in_parts;
                    line.in_parts = false;
                    if !lost {
                        given.extend_from_slice(&packet);
                    }
                    if fault == PacketFault::SubscribeDoubled && kind == Some(PacketType::Subscribe) {
                        given.extend_from_slice(&packet);
                    }
                }
                Ok(Split::Missing(_)) => break,
                Err(_) => {
                    line.broken = true;
                    given.append(&mut rest);
                    break;
                }
            }
        }
        let publish = rest.first().is_some_and(|first| first >> 4 == PacketType::Publish as u8);
        if fault == PacketFault::SplitPublishLost && publish && rest.len() < BEGUN_MAX {
            line.in_parts = true;
            line.begun = rest;
        } else if rest.is_empty() {
            line.in_parts = false;
        } else {
            // Only what may be lost is held back: a packet that never ends is the state machine's business. From here on
            // the stream is out of step with what was looked at.
            line.broken = true;
            given.append(&mut rest);
        }
        given
    }

    /// What goes out in place of what the state machine puts out in one turn.
    pub(super) fn spoil(&mut self, outputs: Vec<Output>) -> Vec<Output> {
        let mut turns: BTreeMap<ConnectionId, (Vec<Vec<u8>>, bool)> = BTreeMap::new();
        for output in outputs {
            match output {
                Output::Send(id, bytes) => turns.entry(id).or_default().0.push(bytes),
                Output::Close(id) => turns.entry(id).or_default().1 = true,
            }
        }
        let mut spoilt = Vec::new();
        for (id, (packets, closing)) in turns {
            spoilt.extend(self.sent(id, packets, closing).into_iter().map(|bytes| Output::Send(id, bytes)));
            if closing {
                spoilt.push(Output::Close(id));
            }
        }
        spoilt
    }

    /// What becomes of the packets of one turn of a connection, which ends with them if it is `closing`.
    fn sent(&mut self, id: ConnectionId, mut packets: Vec<Vec<u8>>, closing: bool) -> Vec<Vec<u8>> {
        let fault = self.fault;
        let line = self.line(id);
        let of_type = |packet: &[u8], kind: PacketType| packet.first().is_some_and(|b| b >> 4 == kind as u8);
        match fault {
            PacketFault::EveryThirdPubackLost => packets.retain(|packet| {
                let puback = of_type(packet, PacketType::Puback);
                line.pubacks += usize::from(puback);
                !(puback && line.pubacks.is_multiple_of(3))
            }),
            PacketFault::LastPacketLost if closing => {
                packets.pop();
            }
            PacketFault::Qos2PublishDoubled => {
                packets = packets.into_iter().fold(Vec::new(), |mut all, packet| {
                    let twice =
                        of_type(&packet, PacketType::Publish) && packet[0] >> 1 & 3 == Qos::ExactlyOnce as u8;
                    if twice {
                        all.push(packet.clone());
                    }
                    all.push(packet);
                    all
                });
            }
            PacketFault::LongPayloadCut | PacketFault::LongTopicCut => {
                for packet in &mut packets {
                    if let Some(cut) = cut(packet, line.version, fault) {
                        *packet = cut;
                    }
                }
            }
            PacketFault::StrayByteSent => {
                for packet in packets.iter_mut().filter(|packet| of_type(packet, PacketType::Suback)) {
                    packet.push(0);
                }
            }
            PacketFault::PublishesExchanged => {
                let mut places = (0..packets.len()).filter(|at| of_type(&packets[*at], PacketType::Publish));
                if let (Some(first), Some(second)) = (places.next(), places.next()) {
                    packets.swap(first, second);
                }
            }
            PacketFault::LastPacketLost | PacketFault::SplitPublishLost | PacketFault::SubscribeDoubled => {}
        }
        packets
    }
}

/// The version that a CONNECT asks for.
fn version_of(connect: &[u8]) -> Option<Version> {
    match Decoder::new(Version::V5, Receiver::Server).next(connect) {
        Ok(Some((Packet::Connect(connect), _))) => Some(connect.version),
        _ => None,
    }
}

/// The packet with its payload or Topic Name cut, if that is too long.
fn cut(packet: &[u8], version: Version, fault: PacketFault) -> Option<Vec<u8>> {
    let Ok(Some((Packet::Publish(mut publish), _))) = Decoder::new(version, Receiver::Client).next(packet)
    else {
        return None;
    };
    match fault {
        PacketFault::LongPayloadCut if publish.payload.len() > PAYLOAD_MAX => {
            publish.payload = &publish.payload[..PAYLOAD_MAX];
        }
        PacketFault::LongTopicCut if publish.topic.len() > TOPIC_MAX => {
            let end = (0..=TOPIC_MAX).rev().find(|at| publish.topic.is_char_boundary(*at))?;
            publish.topic = &publish.topic[..end];
        }
        _ => return None,
    }
    let mut bytes = Vec::new();
    Packet::Publish(publish).encode(version, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: ConnectionId = ConnectionId(1);
    const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
    const SUBSCRIBE: &[u8] = b"\x82\x06\x00\x01\x00\x01t\x00";

    fn publish(qos: u8, topic: &str, payload: &[u8]) -> Vec<u8> {
        let packet_id = (qos > 0).then_some(mqtt_assay_codec::PacketId::MIN);
        let qos = Qos::from_u8(qos).expect("0 to 2");
        let publish =
            mqtt_assay_codec::Publish { qos, packet_id, ..mqtt_assay_codec::Publish::new(topic, payload) };
        let mut bytes = Vec::new();
        Packet::Publish(publish).encode(Version::V3_1_1, &mut bytes).expect("it is valid");
        bytes
    }

    /// What the state machine gets of chunks.
    fn given(fault: PacketFault, chunks: &[&[u8]]) -> Vec<u8> {
        let mut tamper = Tamper::new(fault);
        chunks.iter().flat_map(|chunk| tamper.received(ID, chunk.to_vec())).collect()
    }

    fn sent(fault: PacketFault, packets: &[&[u8]], closing: bool) -> Vec<Vec<u8>> {
        let mut tamper = Tamper::new(fault);
        let _ = tamper.received(ID, CONNECT.to_vec());
        let mut outputs: Vec<Output> =
            packets.iter().map(|packet| Output::Send(ID, packet.to_vec())).collect();
        outputs.extend(closing.then_some(Output::Close(ID)));
        let mut spoilt = tamper.spoil(outputs);
        assert_eq!(closing, spoilt.pop_if(|last| *last == Output::Close(ID)).is_some());
        let bytes = |output| match output {
            Output::Send(_, bytes) => bytes,
            Output::Close(_) => panic!("it is closed but once"),
        };
        spoilt.into_iter().map(bytes).collect()
    }

    #[test]
    fn only_a_publish_in_parts_is_lost() {
        let whole = [CONNECT, &publish(1, "t", b"x"), SUBSCRIBE].concat();
        assert_eq!(given(PacketFault::SplitPublishLost, &[&whole]), whole);
        let (first, rest) = whole.split_at(CONNECT.len() + 1);
        let lost = [CONNECT, SUBSCRIBE].concat();
        assert_eq!(given(PacketFault::SplitPublishLost, &[first, rest]), lost);
        let later = publish(1, "t", b"y");
        assert_eq!(given(PacketFault::SplitPublishLost, &[first, rest, &later]), [lost, later].concat());
    }

    #[test]
    fn a_subscribe_is_handled_twice() {
        let twice = [CONNECT, SUBSCRIBE, SUBSCRIBE].concat();
        assert_eq!(given(PacketFault::SubscribeDoubled, &[CONNECT, SUBSCRIBE]), twice);
    }

    proptest! {
        /// A fault of what is sent, or of another packet, changes nothing of what is received.
        #[test]
        fn bytes_that_no_fault_concerns_come_as_they_are(
            bytes in proptest::collection::vec(any::<u8>(), 0..60),
            cuts in proptest::collection::vec(0..60_usize, 0..4),
            connects in any::<bool>(),
        ) {
            let stream = if connects { [CONNECT, &bytes].concat() } else { bytes };
            let mut tamper = Tamper::new(PacketFault::StrayByteSent);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            cuts.push(stream.len());
            let (mut came, mut from) = (Vec::new(), 0);
            for to in cuts {
                came.extend(tamper.received(ID, stream[from..to].to_vec()));
                from = to;
            }
            prop_assert_eq!(came, stream);
        }
    }

    #[test]
    fn packets_are_dropped_doubled_rewritten_and_exchanged() {
        let puback: &[u8] = b"\x40\x02\x00\x01";
        assert_eq!(sent(PacketFault::EveryThirdPubackLost, &[puback; 7], false).len(), 5);
        assert_eq!(sent(PacketFault::LastPacketLost, &[puback, b"\x20\x02\x00\x05"], true), [puback]);
        assert_eq!(sent(PacketFault::LastPacketLost, &[puback], false), [puback]);
        let (two, one) = (publish(2, "t", b"2"), publish(1, "t", b"1"));
        assert_eq!(
            sent(PacketFault::Qos2PublishDoubled, &[&two, &one], false),
            [two.clone(), two.clone(), one.clone()]
        );
        assert_eq!(
            sent(PacketFault::PublishesExchanged, &[&two, puback, &one], false),
            [&one[..], puback, &two[..]]
        );
        assert_eq!(
            sent(PacketFault::StrayByteSent, &[b"\x90\x03\x00\x01\x00", puback], false),
            [&b"\x90\x03\x00\x01\x00\x00"[..], puback]
        );
        let long = publish(1, "t", &vec![7; PAYLOAD_MAX + 1]);
        assert_eq!(
            sent(PacketFault::LongPayloadCut, &[&long], false),
            [publish(1, "t", &vec![7; PAYLOAD_MAX])]
        );
        let name = "é".repeat(200);
        assert_eq!(
            sent(PacketFault::LongTopicCut, &[&publish(0, &name, b"x"), &one], false),
            [publish(0, &name[..254], b"x"), one]
        );
    }
}
