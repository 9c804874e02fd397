//! Quality of Service: the exchanges of QoS 1 and 2. [3.1.1 §4.3] [5.0 §4.3]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Stop, Story, puback, pubcomp, publish, pubrec, pubrel};
use mqtt_assay_codec::{PacketId, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    QOS_1_ID_IS_FREE_AFTER_PUBACK,
    QOS_2_ARRIVES_ONCE,
    QOS_2_REPEATED_PUBLISH_ARRIVES_ONCE,
    QOS_2_REPEATED_PUBREL_IS_ANSWERED,
    QOS_2_ID_IS_FREE_AFTER_PUBCOMP,
    QOS_2_SEVERAL_EXCHANGES_AT_ONCE,
    QOS_2_PUBREL_ANSWERS_PUBREC,
];

/// An identifier that no other message of the story has.
pub(in crate::checks) const ID: PacketId = PacketId::MAX;

check! {
    /// After PUBACK a PUBLISH with the same Packet Identifier is a new message, whatever its DUP.
    ///
    /// Sends     three QoS 1 messages with one identifier, each after the PUBACK of the one before; the third
    ///           has DUP 1.
    /// Demands   PUBACK for each; the subscriber receives all three.
    /// Leaves    nothing.
    QOS_1_ID_IS_FREE_AFTER_PUBACK "qos_1/id_is_free_after_puback",
    covers: [V3_1_1 / "MQTT-4.3.2-2", V5 / "MQTT-4.3.2-4", V5 / "MQTT-4.3.2-5"],
    needs: [Qos1],
    proved: ["qos_1_dup_taken_for_duplicate", "puback_missing"],
    run: async |w| {
        let topic = w.topic("thrice");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for payload in [b"one", b"two", b"dup"] {
            let message = a.publish(&topic, payload).qos1().packet_id(ID);
            if payload == b"dup" { message.dup().send().await? } else { message.send().await? };
            a.expect(puback(ID)).await?;
            b.expect(publish(&topic).payload(payload)).await?;
        }
        Ok(())
    }
}

check! {
    /// A QoS 2 message reaches its subscriber exactly once.
    ///
    /// Sends     A publishes five messages at QoS 2.
    /// Demands   B, subscribed at QoS 2, receives each of them once, and PUBREL with its reserved flags.
    /// Leaves    whether the broker passes a message on at PUBLISH or at PUBREL.
    QOS_2_ARRIVES_ONCE "qos_2/arrives_once",
    covers: [V3_1_1 / "MQTT-2.2.2-1", V3_1_1 / "MQTT-4.3.3-2", V5 / "MQTT-4.3.3-10"],
    needs: [Qos2],
    proved: ["qos_2_delivered_twice", "pubrel_flags_wrong"],
    run: async |w| {
        let topic = w.topic("once");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        for number in 0..5 {
            let payload = format!("{number}").into_bytes();
            a.publish(&topic, &payload).qos2().acknowledged().await?;
            b.expect(publish(&topic).payload(&payload)).await?;
        }
        b.settle(&mut a, Qos::ExactlyOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// A QoS 2 PUBLISH that is repeated before its PUBREL is answered again and not passed on again.
    ///
    /// Sends     PUBLISH; on two connections that resume the session one after the other the same PUBLISH with DUP 1,
    ///           then PUBREL.
    /// Demands   PUBREC each time, PUBCOMP; the subscriber receives the message once.
    /// Leaves    5.0: the Reason Code of the second PUBREC.
    QOS_2_REPEATED_PUBLISH_ARRIVES_ONCE "qos_2/repeated_publish_arrives_once",
    covers: [V3_1_1 / "MQTT-4.3.3-2", V5 / "MQTT-4.3.3-10", V5 / "MQTT-4.3.3-11"],
    needs: [Qos2],
    proved: ["qos_2_duplicate_delivered", "qos_2_duplicate_unanswered", "qos_2_receipt_lost_on_resume"],
    run: async |w| {
        let topic = w.topic("once");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.client("a").persistent(60).connect().await?;
        // Some brokers forget a session without a subscription: another check answers for that.
        a.subscribe(&w.topic("own"), Qos::AtMostOnce).await?;
        a.publish(&topic, b"message").qos2().packet_id(ID).send().await?;
        a.expect(pubrec(ID)).await?;
        for _ in 0..2 {
            a.cut();
            a = w.client("a").resumed(60).await?;
            a.publish(&topic, b"message").qos2().packet_id(ID).dup().send().await?;
            a.expect(pubrec(ID)).await?;
        }
        released_once(&mut a, &mut b, &topic).await
    }
}

/// A sends PUBREL for the message that it has repeated: PUBCOMP has to come, and the message to B, once.
pub(in crate::checks) async fn released_once(a: &mut Client<'_>, b: &mut Client<'_>, topic: &str) -> Story {
    a.pubrel(ID, ReasonCode::SUCCESS).await?;
    a.expect(pubcomp(ID)).await?;
    b.expect(publish(topic).payload(b"message")).await?;
    b.settle(a, Qos::ExactlyOnce).await?;
    b.expect_no_publish(topic).await
}

check! {
    /// A PUBREL that is repeated, because its PUBCOMP may have got lost, is answered with PUBCOMP again.
    ///
    /// Sends     a whole QoS 2 exchange; on a connection that resumes the session PUBREL again.
    /// Demands   PUBCOMP with its identifier; the subscriber receives the message once.
    /// Leaves    5.0: 0x92 or 0x00 in PUBCOMP.
    QOS_2_REPEATED_PUBREL_IS_ANSWERED "qos_2/repeated_pubrel_is_answered",
    covers: [V3_1_1 / "MQTT-4.3.3-2", V3_1_1 / "U3-PUB-7", V5 / "MQTT-4.3.3-11"],
    needs: [Qos2],
    proved: ["pubrel_of_unknown_id_ignored"],
    run: async |w| {
        let topic = w.topic("once");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.client("a").persistent(60).connect().await?;
        // Some brokers forget a session without a subscription: another check answers for that.
        a.subscribe(&w.topic("own"), Qos::AtMostOnce).await?;
        a.publish(&topic, b"message").qos2().packet_id(ID).acknowledged().await?;
        b.await_message(publish(&topic)).await?;
        a.cut();

        let mut a = w.client("a").resumed(60).await?;
        a.pubrel(ID, ReasonCode::SUCCESS).await?;
        a.expect(pubcomp(ID)).await?;
        b.settle(&mut a, Qos::ExactlyOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// After PUBCOMP a PUBLISH with the same Packet Identifier is a new message, whatever its DUP.
    ///
    /// Sends     three QoS 2 exchanges with one identifier; the third PUBLISH has DUP 1.
    /// Demands   each is acknowledged; the subscriber receives all three messages.
    /// Leaves    nothing.
    QOS_2_ID_IS_FREE_AFTER_PUBCOMP "qos_2/id_is_free_after_pubcomp",
    covers: [V3_1_1 / "MQTT-4.3.3-2", V5 / "MQTT-4.3.3-8", V5 / "MQTT-4.3.3-12"],
    needs: [Qos2],
    proved: ["qos_2_id_not_released"],
    run: async |w| {
        let topic = w.topic("thrice");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        for payload in [b"one", b"two", b"dup"] {
            let message = a.publish(&topic, payload).qos2().packet_id(ID);
            if payload == b"dup" { message.dup().send().await? } else { message.send().await? };
            a.expect(pubrec(ID)).await?;
            a.pubrel(ID, ReasonCode::SUCCESS).await?;
            a.expect(pubcomp(ID)).await?;
            b.expect(publish(&topic).payload(payload)).await?;
        }
        Ok(())
    }
}

check! {
    /// Several QoS 2 exchanges may be under way at once, each with its own Packet Identifier.
    ///
    /// Sends     three PUBLISH at QoS 2, then PUBREL in the same order (5.0: one by one if the broker's
    ///           Receive Maximum is below three).
    /// Demands   PUBREC and PUBCOMP for each; the subscriber receives each message once, in order.
    /// Leaves    whether the broker passes a message on at PUBLISH or at PUBREL.
    QOS_2_SEVERAL_EXCHANGES_AT_ONCE "qos_2/several_exchanges_at_once",
    covers: [
        V3_1_1 / "MQTT-4.3.3-2", V3_1_1 / "MQTT-2.3.1-6", V5 / "MQTT-4.3.3-8", V5 / "MQTT-4.3.3-11",
    ],
    needs: [Qos2],
    proved: ["pubrec_wrong_id", "pubcomp_missing"],
    run: async |w| {
        let topic = w.topic("several");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        let at_once = if w.abilities().receive_maximum < 3 { 1 } else { 3 };
        let payloads = [b"one", b"two", b"six"];
        for payloads in payloads.chunks(at_once) {
            let mut ids = Vec::new();
            for payload in payloads {
                ids.extend(a.publish(&topic, *payload).qos2().send().await?);
            }
            for &id in &ids {
                a.expect(pubrec(id)).await?;
            }
            for &id in &ids {
                a.pubrel(id, ReasonCode::SUCCESS).await?;
                a.expect(pubcomp(id)).await?;
            }
        }
        // Their order is another check's matter.
        let mut missing = payloads.to_vec();
        while !missing.is_empty() {
            let next = b.expect(publish(&topic)).await?;
            let Some(place) = missing.iter().position(|payload| payload[..] == *next.payload()) else {
                return Err(Stop::violates("each message once", next.line()).at(next.index));
            };
            missing.remove(place);
        }
        b.settle(&mut a, Qos::ExactlyOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// PUBREC is answered with a PUBREL of the same Packet Identifier.
    ///
    /// Sends     B has three QoS 2 deliveries and answers them with PUBREC, the last one first.
    /// Demands   PUBREL for each.
    /// Leaves    how many deliveries the broker has outstanding at a time: B answers those that came.
    QOS_2_PUBREL_ANSWERS_PUBREC "qos_2/pubrel_answers_pubrec",
    covers: [V3_1_1 / "MQTT-2.3.1-6", V3_1_1 / "MQTT-4.3.3-1", V5 / "MQTT-2.2.1-5", V5 / "MQTT-4.3.3-4"],
    needs: [Qos2],
    proved: ["pubrel_missing", "pubrel_wrong_id"],
    run: async |w| {
        let topic = w.topic("several");
        let mut b = w.client("b").acknowledge_by_hand().connect().await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        for payload in [b"1", b"2", b"3"] {
            a.publish(&topic, payload).qos2().acknowledged().await?;
        }
        let mut deliveries = vec![b.await_message(publish(&topic)).await?];
        b.ping().await?;
        deliveries.extend(b.take_publishes());
        for delivery in deliveries.iter().rev() {
            b.pubrec(delivery.id()?, ReasonCode::SUCCESS).await?;
        }
        for delivery in &deliveries {
            b.expect(pubrel(delivery.id()?)).await?;
            b.pubcomp(delivery.id()?, ReasonCode::SUCCESS).await?;
        }
        b.ping().await
    }
}
