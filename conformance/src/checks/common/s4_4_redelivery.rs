//! Message delivery retry: the broker as sender. [3.1.1 §4.3, §4.4] [5.0 §4.3, §4.4]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Stop, Story, World, publish, pubrel};
use mqtt_assay_codec::{PacketId, PacketType, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    QOS_1_IS_REPEATED_UNTIL_PUBACK,
    QOS_2_IS_REPEATED_UNTIL_PUBREC,
    PUBREL_IS_REPEATED_UNTIL_PUBCOMP,
    ACKNOWLEDGED_IS_NOT_REPEATED,
    REPETITIONS_KEEP_THEIR_ORDER,
];

/// B, whose session lasts, has one delivery that it has not acknowledged. It is not the first on its connection, so that
/// a broker that begins to count anew on each connection does not come to the same Packet Identifier.
async fn unacknowledged<'w>(w: &'w World, topic: &str, qos: Qos) -> Result<(Client<'w>, PacketId), Stop> {
    let mut b = w.client("b").persistent(60).acknowledge_by_hand().connect().await?;
    b.subscribe(topic, qos).await?;
    let mut a = w.connect("a").await?;
    for payload in [&b"before"[..], b"also before"] {
        a.publish(topic, payload).qos(qos).acknowledged().await?;
        let id = b.await_message(publish(topic).carrying(payload)).await?.id()?;
        complete(&mut b, id, qos).await?;
    }
    a.publish(topic, b"message").qos(qos).acknowledged().await?;
    let id = b.await_message(publish(topic).carrying(b"message")).await?.id()?;
    Ok((b, id))
}

/// Acknowledges a delivery to its end.
async fn complete(b: &mut Client<'_>, id: PacketId, qos: Qos) -> Story {
    if qos == Qos::AtLeastOnce {
        return b.puback(id, ReasonCode::SUCCESS).await;
    }
    b.pubrec(id, ReasonCode::SUCCESS).await?;
    b.await_message(pubrel(id)).await?;
    b.pubcomp(id, ReasonCode::SUCCESS).await
}

check! {
    /// A QoS 1 message without PUBACK is sent again when the session is resumed, as the same packet with DUP
    /// 1.
    ///
    /// Sends     B leaves a delivery unacknowledged and resumes its session, twice; then it sends PUBACK.
    /// Demands   the same PUBLISH each time, with its Packet Identifier and DUP 1.
    /// Leaves    nothing.
    QOS_1_IS_REPEATED_UNTIL_PUBACK "redelivery/qos_1_is_repeated_until_puback",
    covers: [
        V3_1_1 / "MQTT-2.3.1-4", V3_1_1 / "MQTT-3.3.1-1", V3_1_1 / "MQTT-4.3.2-1", V3_1_1 / "MQTT-4.4.0-1",
        V5 / "MQTT-3.3.1-1", V5 / "MQTT-4.3.2-3", V5 / "MQTT-4.4.0-1",
    ],
    needs: [Qos1],
    proved: [
        "inflight_lost_on_resume", "qos_1_forgotten_when_sent", "dup_missing_on_redelivery",
        "packet_id_changed_on_redelivery",
    ],
    run: async |w| {
        let topic = w.topic("again");
        let (mut b, id) = unacknowledged(w, &topic, Qos::AtLeastOnce).await?;
        for _ in 0..2 {
            b.cut();
            b = w.client("b").acknowledge_by_hand().resumed(60).await?;
            let again = publish(&topic).carrying(b"message").qos(Qos::AtLeastOnce);
            b.expect(again.packet_id(id).dup(true)).await?;
        }
        b.puback(id, ReasonCode::SUCCESS).await?;
        b.ping().await
    }
}

check! {
    /// A QoS 2 message without PUBREC is sent again when the session is resumed, as the same packet with DUP
    /// 1.
    ///
    /// Sends     B leaves a delivery unacknowledged and resumes its session; then it completes the exchange.
    /// Demands   the same PUBLISH, with its Packet Identifier and DUP 1; PUBREL for the PUBREC.
    /// Leaves    nothing.
    QOS_2_IS_REPEATED_UNTIL_PUBREC "redelivery/qos_2_is_repeated_until_pubrec",
    covers: [
        V3_1_1 / "MQTT-2.3.1-4", V3_1_1 / "MQTT-3.3.1-1", V3_1_1 / "MQTT-4.3.3-1", V3_1_1 / "MQTT-4.4.0-1",
        V5 / "MQTT-3.3.1-1", V5 / "MQTT-4.3.3-3", V5 / "MQTT-4.4.0-1",
    ],
    needs: [Qos2],
    proved: [
        "inflight_lost_on_resume", "qos_2_forgotten_when_sent", "dup_missing_on_redelivery",
        "packet_id_changed_on_redelivery",
    ],
    run: async |w| {
        let topic = w.topic("again");
        let (mut b, id) = unacknowledged(w, &topic, Qos::ExactlyOnce).await?;
        b.cut();
        let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
        let again = publish(&topic).carrying(b"message").qos(Qos::ExactlyOnce);
        b.expect(again.packet_id(id).dup(true)).await?;
        b.pubrec(id, ReasonCode::SUCCESS).await?;
        b.expect(pubrel(id)).await?;
        b.pubcomp(id, ReasonCode::SUCCESS).await?;
        b.ping().await
    }
}

check! {
    /// A PUBREL without PUBCOMP is sent again when the session is resumed, and its PUBLISH is not.
    ///
    /// Sends     B answers a QoS 2 delivery with PUBREC, has the PUBREL, sends no PUBCOMP, and resumes its
    ///           session.
    /// Demands   PUBREL with the same Packet Identifier; no PUBLISH.
    /// Leaves    nothing.
    PUBREL_IS_REPEATED_UNTIL_PUBCOMP "redelivery/pubrel_is_repeated_until_pubcomp",
    covers: [
        V3_1_1 / "MQTT-4.3.3-1", V3_1_1 / "MQTT-4.4.0-1",
        V5 / "MQTT-4.3.3-5", V5 / "MQTT-4.3.3-6", V5 / "MQTT-4.4.0-1",
    ],
    needs: [Qos2],
    proved: ["pubrel_not_resent", "publish_resent_after_pubrel"],
    run: async |w| {
        let topic = w.topic("again");
        let (mut b, id) = unacknowledged(w, &topic, Qos::ExactlyOnce).await?;
        b.pubrec(id, ReasonCode::SUCCESS).await?;
        b.await_message(pubrel(id)).await?;
        b.cut();
        let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
        b.expect(pubrel(id)).await?;
        b.expect_no_publish(&topic).await?;
        b.pubcomp(id, ReasonCode::SUCCESS).await?;
        b.ping().await
    }
}

/// Where the messages of this QoS go that B acknowledges to their end.
fn acknowledged_topic(w: &World, qos: Qos) -> String {
    w.topic(&format!("at/{qos}"))
}

/// B resumes its session, and nothing of these levels comes again: what does is told by the statement for its QoS.
async fn nothing_repeated<'w>(w: &'w World, levels: &[Qos]) -> Result<Client<'w>, Stop> {
    let exactly_once = w.cite(if w.is_v5() { "MQTT-4.3.3-6" } else { "MQTT-4.3.3-1" });
    let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
    b.ping().await?;
    for &qos in levels {
        let cite = if qos == Qos::ExactlyOnce { exactly_once } else { w.cite("MQTT-4.4.0-1") };
        b.expect_no_publish(&acknowledged_topic(w, qos)).await.map_err(|stop| stop.citing(cite))?;
    }
    b.expect_none(PacketType::Pubrel).await.map_err(|stop| stop.citing(exactly_once))?;
    Ok(b)
}

check! {
    /// What is completely acknowledged does not come again.
    ///
    /// Sends     B answers a QoS 2 delivery with PUBREC and PUBCOMP (5.0: and a QoS 1 delivery with PUBACK)
    ///           and resumes its session; then the same, with DISCONNECT right behind the last answer.
    /// Demands   neither PUBLISH nor PUBREL comes.
    /// Leaves    3.1.1: QoS 1, which allows a message to come more than once.
    ACKNOWLEDGED_IS_NOT_REPEATED "redelivery/acknowledged_is_not_repeated",
    covers: [V3_1_1 / "MQTT-4.3.3-1", V5 / "MQTT-4.3.3-6", V5 / "MQTT-4.4.0-1"],
    needs: [Qos1, Qos2],
    proved: ["final_acknowledgement_ignored"],
    run: async |w| {
        let levels = if w.is_v5() { &[Qos::AtLeastOnce, Qos::ExactlyOnce][..] } else { &[Qos::ExactlyOnce] };
        let mut b = w.client("b").persistent(60).connect().await?;
        let mut a = w.connect("a").await?;
        for &qos in levels {
            let topic = acknowledged_topic(w, qos);
            b.subscribe(&topic, qos).await?;
            a.publish(&topic, b"message").qos(qos).acknowledged().await?;
            let delivery = b.await_message(publish(&topic)).await?;
            if qos == Qos::ExactlyOnce {
                b.await_message(pubrel(delivery.id()?)).await?;
            }
        }
        b.ping().await?;
        b.cut();
        let mut b = nothing_repeated(w, levels).await?;
        for &qos in levels {
            let topic = acknowledged_topic(w, qos);
            a.publish(&topic, b"another").qos(qos).acknowledged().await?;
            let id = b.await_message(publish(&topic).carrying(b"another")).await?.id()?;
            b.ping().await?;
            if !b.take_publishes().is_empty() {
                return Err(Stop::inconclusive("the message came twice: another check answers for that"));
            }
            complete(&mut b, id, qos).await?;
            b.disconnect().await;
            b = nothing_repeated(w, levels).await?;
        }
        Ok(())
    }
}

check! {
    /// Unacknowledged messages are sent again in the order in which they were sent first.
    ///
    /// Sends     B leaves three deliveries of one topic and QoS unacknowledged and resumes its session; at
    ///           QoS 1 and at QoS 2.
    /// Demands   all three, in the same order; those that B has had before with their Packet Identifiers.
    /// Leaves    an order across QoS levels; how many of them the broker sends before B acknowledges one.
    REPETITIONS_KEEP_THEIR_ORDER "redelivery/repetitions_keep_their_order",
    covers: [
        V3_1_1 / "MQTT-4.4.0-1", V3_1_1 / "MQTT-4.6.0-5", V3_1_1 / "MQTT-4.6.0-6",
        V5 / "MQTT-4.4.0-1", V5 / "MQTT-4.6.0-5", V5 / "MQTT-4.6.0-6",
    ],
    needs: [Qos1, Qos2],
    proved: ["order_reversed_on_resume", "packet_id_changed_on_redelivery"],
    run: async |w| {
        let payloads: [&[u8]; 3] = [b"one", b"two", b"three"];
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let topic = w.topic(&format!("row/{qos}"));
            let mut b = w.client("b").persistent(60).acknowledge_by_hand().connect().await?;
            b.subscribe(&topic, qos).await?;
            let mut a = w.connect("a").await?;
            for payload in payloads {
                a.publish(&topic, payload).qos(qos).acknowledged().await?;
            }
            let mut sent = vec![b.await_message(publish(&topic)).await?];
            // What was sent once only has no order in which to be repeated. A broker may wait for the first PUBACK.
            while sent.len() < payloads.len()
                && let Ok(next) = b.await_message(publish(&topic)).await
            {
                sent.push(next);
            }
            if sent.len() < payloads.len() {
                // It waits, and has not hung or ended the connection.
                b.ping().await?;
                w.note(format!("at QoS {qos} it sends {} of 3 before one is acknowledged", sent.len()));
            }
            b.cut();
            let mut b = w.client("b").resumed(60).await?;
            for (place, payload) in payloads.into_iter().enumerate() {
                let again = b.expect(publish(&topic)).await?;
                if again.payload() != payload {
                    let expected = format!("PUBLISH {topic} {:?} next", String::from_utf8_lossy(payload));
                    let order = w.cite("MQTT-4.6.0-5");
                    return Err(Stop::violates(expected, again.line()).at(again.index).citing(order));
                }
                if let Some(first) = sent.get(place)
                    && again.id()? != first.id()?
                {
                    let expected = format!("the Packet Identifier of before, {}", first.id()?);
                    return Err(Stop::violates(expected, again.line()).at(again.index));
                }
            }
            b.disconnect().await;
        }
        Ok(())
    }
}
