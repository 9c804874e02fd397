//! PUBLISH and how it is answered. [3.1.1 §3.3] [5.0 §3.3]

use crate::check;
use crate::check::Check;
use crate::checks::refusals::refuses_publish;
use crate::story::{Received, Stop, puback, pubcomp, publish, pubrec};
use mqtt_assay_codec::{Disconnect, Packet, PacketType, Qos, ReasonCode, topic};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    FIRST_DELIVERY_HAS_DUP_0,
    DUP_IS_NOT_PASSED_ON,
    WAITING_MESSAGES_HAVE_DUP_0,
    TOPIC_MATCHES_THE_SUBSCRIPTION,
    WILDCARD_TOPIC_IS_REFUSED,
    EMPTY_PAYLOAD_IS_DELIVERED,
    ANSWERED_BY_QOS,
    OVERLAPPING_SUBSCRIPTIONS_GET_HIGHEST_QOS,
];

check! {
    /// The first delivery of a message has DUP 0, and so has every QoS 0 delivery.
    ///
    /// Sends     A publishes one message at each QoS to B, which subscribes at QoS 2.
    /// Demands   DUP 0 in each of B's deliveries, and the QoS as published.
    /// Leaves    the QoS 0 message may get lost.
    FIRST_DELIVERY_HAS_DUP_0 "publish/first_delivery_has_dup_0",
    covers: [
        V3_1_1 / "MQTT-3.3.1-2", V3_1_1 / "MQTT-4.3.1-1", V3_1_1 / "MQTT-4.3.2-1", V3_1_1 / "MQTT-4.3.3-1",
        V5 / "MQTT-3.3.1-2", V5 / "MQTT-4.3.1-1", V5 / "MQTT-4.3.2-2", V5 / "MQTT-4.3.3-2",
    ],
    needs: [Qos1, Qos2],
    proved: ["dup_at_qos_0", "dup_on_first_delivery", "qos_bits_both_set"],
    run: async |w| {
        let topics = Qos::ALL.map(|qos| w.topic(&format!("at/{qos}")));
        let mut b = w.connect("b").await?;
        let mut a = w.connect("a").await?;
        for (topic, qos) in topics.iter().zip(Qos::ALL) {
            b.subscribe(topic, Qos::ExactlyOnce).await?;
            a.publish(topic, b"first").qos(qos).acknowledged().await?;
        }
        b.expect(publish(&topics[1]).qos(Qos::AtLeastOnce).dup(false)).await?;
        b.expect(publish(&topics[2]).qos(Qos::ExactlyOnce).dup(false)).await?;
        b.settle(&mut a, Qos::AtMostOnce).await?;
        if b.inbox().any(|received| received.topic() == topics[0]) {
            b.expect(publish(&topics[0]).qos(Qos::AtMostOnce).dup(false)).await?;
        }
        Ok(())
    }
}

check! {
    /// DUP of a delivery tells whether that delivery is repeated, not what the publisher's packet had.
    ///
    /// Sends     A publishes at QoS 1 and at QoS 2 with DUP 1.
    /// Demands   B, online all the time, receives both with DUP 0.
    /// Leaves    nothing: the broker has not seen these messages before.
    DUP_IS_NOT_PASSED_ON "publish/dup_is_not_passed_on",
    covers: [V3_1_1 / "MQTT-3.3.1-3", V5 / "MQTT-3.3.1-3"],
    needs: [Qos1],
    proved: ["dup_propagated", "dup_on_first_delivery"],
    run: async |w| {
        let (once, twice) = (w.topic("qos1"), w.topic("qos2"));
        let mut b = w.connect("b").await?;
        b.subscribe(&once, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&once, b"again?").qos1().dup().acknowledged().await?;
        b.expect(publish(&once).dup(false)).await?;
        if w.abilities().maximum_qos < Qos::ExactlyOnce {
            return Ok(());
        }
        b.subscribe(&twice, Qos::ExactlyOnce).await?;
        a.publish(&twice, b"again?").qos2().dup().acknowledged().await?;
        b.expect(publish(&twice).dup(false)).await?;
        Ok(())
    }
}

check! {
    /// A message that has waited for a Client comes with DUP 0: the broker has not sent it before.
    ///
    /// Sends     B subscribes in a session that lasts and says DISCONNECT; when the broker has closed the connection, A
    ///           publishes two messages with DUP 0; B comes back.
    /// Demands   DUP 0 for both.
    /// Leaves    nothing.
    WAITING_MESSAGES_HAVE_DUP_0 "publish/waiting_messages_have_dup_0",
    covers: [V3_1_1 / "MQTT-3.3.1-3", V5 / "MQTT-3.3.1-3"],
    needs: [Qos1],
    proved: ["dup_on_first_delivery"],
    run: async |w| {
        let topic = w.topic("waiting");
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.send(&Packet::Disconnect(Disconnect::default())).await?;
        if b.expect_end().await.is_err() {
            return Err(Stop::inconclusive("the broker leaves the connection open after DISCONNECT"));
        }
        let mut a = w.connect("a").await?;
        for payload in [b"one", b"two"] {
            a.publish(&topic, payload).qos1().acknowledged().await?;
        }
        let mut b = w.client("b").resumed(60).await?;
        for payload in [b"one", b"two"] {
            let came = b.await_message(publish(&topic).carrying(payload)).await?;
            if came.publish().is_some_and(|publish| publish.dup) {
                return Err(Stop::violates(format!("PUBLISH {topic} with dup=0"), came.line()).at(came.index));
            }
        }
        Ok(())
    }
}

check! {
    /// The Topic Name of a delivery matches the Topic Filter of a subscription.
    ///
    /// Sends     A publishes to a topic to which B subscribes; B has no other subscription.
    /// Demands   the delivery's Topic Name matches B's filter.
    /// Leaves    the broker may give a topic another name, as long as it matches.
    TOPIC_MATCHES_THE_SUBSCRIPTION "publish/topic_matches_the_subscription",
    covers: [V3_1_1 / "MQTT-3.3.2-3", V5 / "MQTT-3.3.2-3"],
    needs: [Qos1],
    proved: ["topic_altered"],
    run: async |w| {
        let filter = w.topic("lamp/kitchen");
        let mut b = w.connect("b").await?;
        b.subscribe(&filter, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&filter, b"on").qos1().acknowledged().await?;
        a.publish(&filter, b"off").qos1().acknowledged().await?;
        b.ping().await?;
        let deliveries = b.take_publishes();
        for delivery in &deliveries {
            if !topic::matches(&filter, delivery.topic()) {
                let expected = format!("a Topic Name that matches {filter}");
                return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
            }
        }
        // Whether a message must come is for other checks to say; without one, this shows nothing.
        if deliveries.is_empty() && b.expect(publish(&filter)).await.is_err() {
            return Err(Stop::inconclusive("no message was delivered, so no Topic Name was seen"));
        }
        Ok(())
    }
}

check! {
    /// A Topic Name with a wildcard character is refused.
    ///
    /// Sends     PUBLISH at each QoS to topics with `+` or `#` in them, each on a connection of its own; B
    ///           subscribes to all topics below.
    /// Demands   the end of the connection; nothing reaches B.
    /// Leaves    5.0: a PUBACK or PUBREC of 0x80 or above instead; an error that goes unnoticed is no more
    ///           than a deviation unless it is acknowledged or forwarded.
    WILDCARD_TOPIC_IS_REFUSED "publish/wildcard_topic_is_refused",
    covers: [V3_1_1 / "MQTT-3.3.2-2", V3_1_1 / "MQTT-4.7.1-1", V5 / "MQTT-3.3.2-2", V5 / "MQTT-4.7.0-1"],
    needs: [Qos1, Wildcards],
    proved: ["wildcard_topic_delivered"],
    run: async |w| {
        let mut b = w.connect("b").await?;
        b.subscribe(&w.topic("#"), Qos::AtLeastOnce).await?;
        for (number, (name, qos)) in [
            ("all/#", Qos::AtMostOnce),
            ("any/+", Qos::AtLeastOnce),
            ("in+side", Qos::AtMostOnce),
            ("in#side/x", Qos::ExactlyOnce),
        ]
        .into_iter()
        .enumerate()
        {
            if qos > w.abilities().maximum_qos {
                continue;
            }
            let mut a = w.connect(&format!("a{number}")).await?;
            a.publish(&w.topic(name), b"bad").qos(qos).send().await?;
            refuses_publish(w, &mut a, ReasonCode::TOPIC_NAME_INVALID).await?;
        }
        let mut c = w.connect("c").await?;
        c.publish(&w.topic("end"), b"good").qos1().acknowledged().await?;
        b.await_message(publish(&w.topic("end"))).await?;
        b.expect_no_publishes().await
    }
}

check! {
    /// A message without payload is a message.
    ///
    /// Sends     A publishes an empty payload at QoS 1 and 2, with RETAIN 0.
    /// Demands   B receives both.
    /// Leaves    nothing.
    EMPTY_PAYLOAD_IS_DELIVERED "publish/empty_payload_is_delivered",
    covers: [V3_1_1 / "U3-PUB-1", V5 / "U5-PUB-6"],
    needs: [Qos1, Qos2],
    proved: ["empty_payload_dropped"],
    run: async |w| {
        let mut b = w.connect("b").await?;
        let mut a = w.connect("a").await?;
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let topic = w.topic(&format!("empty/{qos}"));
            b.subscribe(&topic, qos).await?;
            a.publish(&topic, b"").qos(qos).acknowledged().await?;
            b.expect(publish(&topic).payload(b"")).await?;
        }
        Ok(())
    }
}

check! {
    /// A PUBLISH is answered as its QoS says: not at all, with PUBACK, with PUBREC.
    ///
    /// Sends     PUBLISH at QoS 0, 1 and 2, then PUBREL.
    /// Demands   nothing for QoS 0; PUBACK; PUBREC, and PUBCOMP for PUBREL.
    /// Leaves    5.0: the Reason Codes.
    ANSWERED_BY_QOS "publish/answered_by_qos",
    covers: [
        V3_1_1 / "MQTT-3.3.4-1", V3_1_1 / "MQTT-4.3.2-2", V3_1_1 / "MQTT-4.3.3-2",
        V5 / "MQTT-3.3.4-1", V5 / "MQTT-4.3.2-4", V5 / "MQTT-4.3.3-8", V5 / "MQTT-4.3.3-11",
    ],
    needs: [Qos1, Qos2],
    proved: [
        "puback_missing", "pubrec_missing", "pubcomp_missing", "qos_0_acknowledged",
        "qos_2_answered_with_puback",
    ],
    run: async |w| {
        let topic = w.topic("nobody");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"0").send().await?;
        for answer in [PacketType::Puback, PacketType::Pubrec] {
            a.expect_none(answer).await?;
        }
        if let Some(id) = a.publish(&topic, b"1").qos1().send().await? {
            a.expect(puback(id)).await?;
        }
        if let Some(id) = a.publish(&topic, b"2").qos2().send().await? {
            a.expect(pubrec(id)).await?;
            a.pubrel(id, ReasonCode::SUCCESS).await?;
            a.expect(pubcomp(id)).await?;
        }
        for answer in [PacketType::Puback, PacketType::Pubrec, PacketType::Pubcomp] {
            a.expect_none(answer).await?;
        }
        Ok(())
    }
}

check! {
    /// A message that several subscriptions of one Client match comes at the highest of their QoS.
    ///
    /// Sends     B subscribes to `t/+` at QoS 0, `t/#` at QoS 2 and `t/a` at QoS 1; A publishes to `t/a` at
    ///           QoS 2.
    /// Demands   one copy at QoS 2.
    /// Leaves    one copy for all subscriptions or one for each.
    OVERLAPPING_SUBSCRIPTIONS_GET_HIGHEST_QOS "publish/overlapping_subscriptions_get_highest_qos",
    covers: [V3_1_1 / "MQTT-3.3.5-1", V5 / "MQTT-3.3.4-2"],
    needs: [Qos2, Wildcards],
    proved: ["overlap_at_lowest_qos"],
    run: async |w| {
        let topic = w.topic("t/a");
        let mut b = w.connect("b").await?;
        b.subscribe(&w.topic("t/+"), Qos::AtMostOnce).await?;
        b.subscribe(&w.topic("t/#"), Qos::ExactlyOnce).await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"message").qos2().acknowledged().await?;
        let mut copies = vec![b.await_message(publish(&topic)).await?];
        b.settle(&mut a, Qos::ExactlyOnce).await?;
        copies.extend(b.take_publishes());
        w.note(format!("copies for three overlapping subscriptions: {}", copies.len()));
        if copies.iter().any(|copy| copy.publish().is_some_and(|p| p.qos == Qos::ExactlyOnce)) {
            return Ok(());
        }
        let observed: Vec<String> = copies.iter().map(Received::line).collect();
        Err(Stop::violates("one copy at QoS 2", observed.join("; ")).at(copies[0].index))
    }
}
