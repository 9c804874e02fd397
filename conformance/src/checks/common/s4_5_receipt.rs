//! Message receipt. [3.1.1 §4.5] [5.0 §4.5]

use crate::check;
use crate::check::Check;
use crate::story::{Stop, bytes_of, connack, puback, pubcomp, publish, pubrec};
use crate::verdict::Verdict;
use mqtt_assay_codec::{Ack, Packet, PacketId, Publish, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    EVERY_SUBSCRIBER_HAS_IT,
    OTHERS_DO_NOT_DISPLACE_IT,
    SUBSCRIBERS_THAT_ARE_AWAY_HAVE_IT,
    PAYLOAD_IS_UNALTERED,
    LONG_PAYLOAD_IS_WHOLE,
    PARTS_MAKE_A_WHOLE,
];

check! {
    /// A message that the broker has acknowledged goes to every Client with a matching subscription.
    ///
    /// Sends     A publishes six messages at QoS 1 and at QoS 2; B and C subscribe to the topic, D to a
    ///           filter with a wildcard, A itself too.
    /// Demands   each of the four receives them all, at QoS 2 each once.
    /// Leaves    nothing.
    EVERY_SUBSCRIBER_HAS_IT "receipt/every_subscriber_has_it",
    covers: [V3_1_1 / "MQTT-4.5.0-1", V5 / "MQTT-4.5.0-1"],
    needs: [Qos1, Qos2, Wildcards],
    proved: ["every_third_message_lost", "no_local_always"],
    run: async |w| {
        let topic = w.topic("news/today");
        let mut clients = Vec::new();
        for name in ["b", "c", "d", "a"] {
            let mut client = w.connect(name).await?;
            let filter = if name == "d" { w.topic("news/+") } else { topic.clone() };
            client.subscribe(&filter, Qos::ExactlyOnce).await?;
            clients.push(client);
        }
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            for number in 0..6 {
                let payload = format!("{qos}/{number}").into_bytes();
                if let Some(a) = clients.last_mut() {
                    a.publish(&topic, &payload).qos(qos).acknowledged().await?;
                }
                for client in &mut clients {
                    client.expect(publish(&topic).payload(&payload)).await?;
                }
            }
        }
        Ok(())
    }
}

check! {
    /// A QoS 2 message is not lost for what comes in one segment with its PUBREL.
    ///
    /// Sends     B subscribes to two topics; A publishes to the first at QoS 2, and when PUBREC has come sends PUBREL and
    ///           a QoS 0 PUBLISH to the second at once; five times.
    /// Demands   PUBCOMP, and the five messages of QoS 2.
    /// Leaves    those of QoS 0 may get lost.
    OTHERS_DO_NOT_DISPLACE_IT "receipt/others_do_not_displace_it",
    covers: [V3_1_1 / "MQTT-4.5.0-1", V5 / "MQTT-4.5.0-1"],
    needs: [Qos2],
    proved: ["every_third_message_lost"],
    run: async |w| {
        let (topic, other) = (w.topic("twice"), w.topic("other"));
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        b.subscribe(&other, Qos::AtMostOnce).await?;
        let mut a = w.connect("a").await?;
        for number in 1..=5 {
            let payload = format!("{number}").into_bytes();
            let id = PacketId::new(number).unwrap_or(PacketId::MAX);
            a.publish(&topic, &payload).qos2().packet_id(id).send().await?;
            a.await_message(pubrec(id)).await?;
            let release = Packet::Pubrel(Ack::new(id, ReasonCode::SUCCESS));
            let packets = [release, Packet::Publish(Publish::new(&other, b"at once"))];
            a.send_bytes(&bytes_of(w.version(), &packets)?).await?;
            a.await_message(pubcomp(id)).await?;
            b.expect(publish(&topic).carrying(&payload)).await?;
        }
        Ok(())
    }
}

check! {
    /// A message that the broker has acknowledged waits for Clients that are away.
    ///
    /// Sends     B and C subscribe and leave, their sessions staying; A publishes three messages at QoS 1 and
    ///           three at QoS 2; B and C resume.
    /// Demands   B and C receive all six.
    /// Leaves    the order: other checks are about it.
    SUBSCRIBERS_THAT_ARE_AWAY_HAVE_IT "receipt/subscribers_that_are_away_have_it",
    covers: [V3_1_1 / "MQTT-4.5.0-1", V5 / "MQTT-4.5.0-1"],
    needs: [Qos1, Qos2],
    proved: ["offline_messages_dropped", "queued_messages_lost_on_resume", "every_third_message_lost"],
    run: async |w| {
        let topics = [w.topic("at/1"), w.topic("at/2")];
        for name in ["b", "c"] {
            let mut client = w.client(name).persistent(60).connect().await?;
            for topic in &topics {
                client.subscribe(topic, Qos::ExactlyOnce).await?;
            }
            client.disconnect().await;
        }
        let mut a = w.connect("a").await?;
        for number in 0..3 {
            for (topic, qos) in topics.iter().zip([Qos::AtLeastOnce, Qos::ExactlyOnce]) {
                a.publish(topic, format!("{number}").as_bytes()).qos(qos).acknowledged().await?;
            }
        }
        for name in ["b", "c"] {
            let mut client = w.client(name).resumed(60).await?;
            for topic in &topics {
                let mut missing = vec![b"0", b"1", b"2"];
                while !missing.is_empty() {
                    let came = client.expect(publish(topic)).await?;
                    missing.retain(|payload| came.payload() != payload.as_slice());
                }
            }
        }
        Ok(())
    }
}

check! {
    /// The payload reaches the subscriber as it was.
    ///
    /// Sends     a payload of all 256 byte values, and one of 20,000 bytes.
    /// Demands   B receives the same bytes.
    /// Leaves    5.0: the second is left out if the broker's Maximum Packet Size forbids it.
    PAYLOAD_IS_UNALTERED "receipt/payload_is_unaltered",
    covers: [V3_1_1 / "MQTT-4.5.0-1", V5 / "MQTT-4.5.0-1"],
    needs: [Qos1],
    proved: ["payload_cut_at_nul"],
    run: async |w| {
        let topic = w.topic("bytes");
        let mut payloads = vec![(0..=255).rev().collect::<Vec<u8>>()];
        if w.abilities().maximum_packet_size.is_none_or(|size| size > 21_000) {
            payloads.push((0..20_000_u32).map(|n| (n * 31 % 251) as u8).collect());
        }
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for payload in &payloads {
            a.publish(&topic, payload).qos1().acknowledged().await?;
            let delivery = b.expect(publish(&topic)).await?;
            if delivery.payload() != payload {
                let expected = format!("the {} bytes that were published", payload.len());
                return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
            }
        }
        Ok(())
    }
}

check! {
    /// A payload that is longer than a length of two bytes can tell reaches the subscriber whole.
    ///
    /// Sends     a payload of 70,000 bytes, which vary.
    /// Demands   B receives the same bytes.
    /// Leaves    the broker's limit: announced (5.0), told with a Reason Code, or by the end of the connection.
    LONG_PAYLOAD_IS_WHOLE "receipt/long_payload_is_whole",
    covers: [V3_1_1 / "MQTT-4.5.0-1", V5 / "MQTT-4.5.0-1"],
    needs: [Qos1],
    proved: ["long_payload_cut"],
    run: async |w| {
        const LENGTH: u32 = 70_000;
        /// Topic, Packet Identifier and fixed header take less.
        const HEADERS: u32 = 1_000;
        if w.abilities().maximum_packet_size.is_some_and(|size| size < LENGTH + HEADERS) {
            return Err(Stop::unsupported(format!("the broker takes no packet of {LENGTH} bytes")));
        }
        let topic = w.topic("bytes");
        let payload: Vec<u8> = (0..LENGTH).map(|n| (n * 31 % 251) as u8).collect();
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        if let Err(stop) = a.publish(&topic, &payload).qos1().acknowledged().await {
            let ended = stop.verdict() == Verdict::Inconclusive && a.ended().is_some();
            let limit = || Stop::unsupported(format!("the broker ends the connection of a packet of {LENGTH} bytes"));
            return Err(if ended { limit() } else { stop });
        }
        let delivery = b.expect(publish(&topic)).await?;
        if delivery.payload() != payload {
            let observed = format!("{} bytes: {}", delivery.payload().len(), delivery.line());
            let expected = format!("the {LENGTH} bytes that were published");
            return Err(Stop::violates(expected, observed).at(delivery.index));
        }
        Ok(())
    }
}

check! {
    /// A packet that comes in parts is a packet: the transport is a stream of bytes, not of packets.
    ///
    /// Sends     a PUBLISH at QoS 1 in one piece; CONNECT and then PUBLISH at QoS 1, each in two parts, cut in the fixed header, in a length, in a string, in
    ///           the Packet Identifier, before the last byte; between the parts another Client has its PINGRESP.
    /// Demands   CONNACK, PUBACK for each PUBLISH, and each message for B.
    /// Leaves    nothing.
    PARTS_MAKE_A_WHOLE "receipt/parts_make_a_whole",
    covers: [
        V3_1_1 / "MQTT-3.3.4-1", V3_1_1 / "MQTT-4.5.0-1", V3_1_1 / "MQTT-7.1.1-1",
        V5 / "MQTT-3.3.4-1", V5 / "MQTT-4.5.0-1", V5 / "MQTT-4.2.0-1",
    ],
    needs: [Qos1],
    proved: ["split_publish_lost"],
    run: async |w| {
        let topic = w.topic("parts");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        // Where the broker has most likely read the first part when the second comes.
        let mut pacer = w.connect("pacer").await?;
        let hello = w.client("a").to_bytes();
        for at in [1, 9, hello.len() - 1] {
            let mut a = w.open("a").await?;
            a.send_in_two(&hello, at, async { drop(pacer.ping().await) }).await?;
            a.expect(connack().reason(&[ReasonCode::SUCCESS])).await?;
            a.disconnect().await;
        }
        let mut a = w.connect("a").await?;
        // What fails in one piece, too, is another check's matter.
        a.publish(&topic, b"whole").qos1().acknowledged().await?;
        b.await_message(publish(&topic).payload(b"whole")).await?;
        b.ping().await?;
        let (topic_at, id_at) = (2, 4 + topic.len());
        for at in [1, topic_at + 1, topic_at + 4, id_at + 1, id_at + 3] {
            let id = a.fresh_id();
            let payload = format!("cut at {at}");
            let packet = Publish {
                qos: Qos::AtLeastOnce,
                packet_id: Some(id),
                ..Publish::new(&topic, payload.as_bytes())
            };
            let mut bytes = Vec::new();
            if Packet::Publish(packet).encode(w.version(), &mut bytes).is_err() {
                return Err(Stop::inconclusive("the check wants to send the impossible"));
            }
            a.send_in_two(&bytes, at, async { drop(pacer.ping().await) }).await?;
            a.expect(puback(id)).await?;
            let delivery = b.expect(publish(&topic).payload(payload.as_bytes())).await;
            delivery.map_err(|stop| stop.citing(w.cite("MQTT-4.5.0-1")))?;
        }
        Ok(())
    }
}
