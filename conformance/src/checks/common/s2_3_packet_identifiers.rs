//! Packet Identifiers. [3.1.1 §2.3.1] [5.0 §2.2.1]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Stop, puback, pubcomp, publish, pubrec, pubrel, suback, unsuback};
use crate::verdict::Verdict;
use mqtt_assay_codec::{
    Packet, PacketId, PacketType, Properties, Qos, ReasonCode, Subscribe, SubscriptionList,
    SubscriptionOptions, TopicFilterList, Unsubscribe,
};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    DELIVERIES_HAVE_IDS_OF_THEIR_OWN,
    NONE_AT_QOS_0,
    ANSWERS_CARRY_THE_PUBLISHS,
    DIRECTIONS_ARE_INDEPENDENT,
    OWN_MESSAGES_COMPLETE_NOTHING,
    FREE_AFTER_THE_LAST_ANSWER,
];

/// Why the identifiers of QoS 2 cannot be looked at: the broker answers as if it were QoS 1.
fn misanswered(client: &Client<'_>, id: PacketId) -> Option<Stop> {
    let puback = client
        .inbox()
        .find(|r| r.packet_type() == PacketType::Puback && r.packet().packet_id() == Some(id))?;
    let why =
        format!("a PUBLISH at QoS 2 is answered with {}: another check answers for that", puback.line());
    Some(Stop::inconclusive(why).at(puback.index))
}

check! {
    /// Each delivery above QoS 0 carries a Packet Identifier that is not 0 and not in use.
    ///
    /// Sends     B subscribes at QoS 2 and acknowledges nothing; A publishes three messages at QoS 1 and
    ///           three at QoS 2.
    /// Demands   the deliveries to B differ in their Packet Identifiers.
    /// Leaves    how many unacknowledged deliveries the broker allows itself: one would do.
    DELIVERIES_HAVE_IDS_OF_THEIR_OWN "packet_identifier/deliveries_have_ids_of_their_own",
    covers: [
        V3_1_1 / "MQTT-2.3.1-1", V3_1_1 / "MQTT-2.3.1-4", V3_1_1 / "MQTT-4.3.2-1", V3_1_1 / "MQTT-4.3.3-1",
        V5 / "MQTT-2.2.1-4", V5 / "MQTT-4.3.2-1", V5 / "MQTT-4.3.3-1",
    ],
    needs: [Qos1, Qos2],
    proved: ["packet_id_reused", "packet_id_zero"],
    run: async |w| {
        let topic = w.topic("many");
        let mut b = w.client("b").acknowledge_by_hand().connect().await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            for _ in 0..3 {
                a.publish(&topic, b"message").qos(qos).acknowledged().await?;
            }
        }
        let mut deliveries = vec![b.await_message(publish(&topic)).await?];
        // A broker may hold back even QoS 0 while a delivery is unacknowledged.
        match b.settle(&mut a, Qos::AtMostOnce).await {
            Err(stop) if stop.verdict() == Verdict::Inconclusive => b.ping().await?,
            settled => settled?,
        }
        deliveries.extend(b.take_publishes());
        if deliveries.len() == 1 {
            w.note("the broker sends nothing more above QoS 0 while one delivery is unacknowledged");
        }
        let mut used: Vec<PacketId> = Vec::new();
        for delivery in &deliveries {
            let id = delivery.id()?;
            if used.contains(&id) {
                let twice = Stop::violates("Packet Identifiers that differ", delivery.line());
                return Err(twice.at(delivery.index));
            }
            used.push(id);
        }
        Ok(())
    }
}

check! {
    /// A QoS 0 delivery has no Packet Identifier.
    ///
    /// Sends     A publishes at QoS 0 to B, with and without a payload.
    /// Demands   after the Topic Name (5.0: and the properties) follows the payload at once.
    /// Leaves    a QoS 0 message may get lost: one that does not come is not missed. If none comes, nothing is told.
    NONE_AT_QOS_0 "packet_identifier/none_at_qos_0",
    covers: [V3_1_1 / "MQTT-2.3.1-5", V5 / "MQTT-2.2.1-2"],
    needs: [],
    proved: ["packet_id_at_qos_0"],
    run: async |w| {
        let (full, empty) = (w.topic("full"), w.topic("empty"));
        let mut b = w.connect("b").await?;
        b.subscribe(&full, Qos::AtMostOnce).await?;
        b.subscribe(&empty, Qos::AtMostOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&full, b"payload").acknowledged().await?;
        a.publish(&empty, b"").acknowledged().await?;
        b.ping().await?;
        let mut deliveries = b.take_publishes();
        if deliveries.is_empty() {
            match b.expect(publish(&full)).await {
                Ok(late) => deliveries.push(late),
                // It may get lost, but then this shows nothing.
                Err(_) => return Err(Stop::inconclusive("no message was delivered, so no header was seen")),
            }
        }
        for delivery in deliveries {
            let payload: &[u8] = if delivery.topic() == full { b"payload" } else { b"" };
            if delivery.payload() != payload {
                return Err(Stop::violates(
                    format!("the payload \"{}\" right behind the header", payload.escape_ascii()),
                    delivery.line(),
                )
                .at(delivery.index));
            }
        }
        Ok(())
    }
}

check! {
    /// PUBACK, PUBREC and PUBCOMP carry the Packet Identifier of the PUBLISH that they answer.
    ///
    /// Sends     PUBLISH at QoS 1 and 2 with the identifiers 1, 0x00FF, 0xFF00 and 0xFFFF, as many at once as
    ///           the broker's Receive Maximum allows; PUBREL for those at QoS 2.
    /// Demands   each is answered with its own identifier, once.
    /// Leaves    the order of the answers across QoS levels.
    ANSWERS_CARRY_THE_PUBLISHS "packet_identifier/answers_carry_the_publishs",
    covers: [V3_1_1 / "MQTT-2.3.1-6", V3_1_1 / "MQTT-4.3.2-2", V3_1_1 / "MQTT-4.3.3-2",
        V5 / "MQTT-2.2.1-5", V5 / "MQTT-4.3.2-4", V5 / "MQTT-4.3.3-8", V5 / "MQTT-4.3.3-11"],
    needs: [Qos1, Qos2],
    proved: ["puback_wrong_id", "pubrec_wrong_id", "pubcomp_wrong_id"],
    run: async |w| {
        let topic = w.topic("nobody");
        let ids = [1, 0xFF, 0xFF00, 0xFFFF].map(|id| PacketId::new(id).unwrap_or(PacketId::MIN));
        let mut a = w.connect("a").await?;
        let at_once = usize::from(w.abilities().receive_maximum.clamp(1, 4));
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            for ids in ids.chunks(at_once) {
                for &id in ids {
                    a.publish(&topic, b"message").qos(qos).packet_id(id).send().await?;
                }
                for &id in ids {
                    if qos == Qos::AtLeastOnce {
                        a.expect(puback(id)).await?;
                    } else {
                        if let Err(stop) = a.expect(pubrec(id)).await {
                            return Err(misanswered(&a, id).unwrap_or(stop));
                        }
                        a.pubrel(id, ReasonCode::SUCCESS).await?;
                        a.expect(pubcomp(id)).await?;
                    }
                }
            }
        }
        for answer in [PacketType::Puback, PacketType::Pubrec, PacketType::Pubcomp] {
            a.expect_none(answer).await?;
        }
        Ok(())
    }
}

check! {
    /// The Packet Identifiers of the Client and those of the broker have nothing to do with each other.
    ///
    /// Sends     B leaves a QoS 2 delivery unacknowledged and publishes at QoS 2 with the same identifier
    ///           itself; then it completes both exchanges.
    /// Demands   PUBREC, PUBCOMP and PUBREL for that identifier, each in its turn; B's message reaches A.
    /// Leaves    nothing.
    DIRECTIONS_ARE_INDEPENDENT "packet_identifier/directions_are_independent",
    covers: [V3_1_1 / "U3-PUB-5", V5 / "U5-PKT-1"],
    needs: [Qos2],
    proved: ["packet_ids_shared_by_directions"],
    run: async |w| {
        let (there, back) = (w.topic("there"), w.topic("back"));
        let mut a = w.connect("a").await?;
        a.subscribe(&back, Qos::ExactlyOnce).await?;
        let mut b = w.client("b").acknowledge_by_hand().connect().await?;
        b.subscribe(&there, Qos::ExactlyOnce).await?;
        a.publish(&there, b"there").qos2().acknowledged().await?;
        let id = b.await_message(publish(&there)).await?.id()?;

        b.publish(&back, b"back").qos2().packet_id(id).send().await?;
        b.expect(pubrec(id)).await?;
        b.pubrec(id, ReasonCode::SUCCESS).await?;
        b.expect(pubrel(id)).await?;
        b.pubrel(id, ReasonCode::SUCCESS).await?;
        b.expect(pubcomp(id)).await?;
        b.pubcomp(id, ReasonCode::SUCCESS).await?;
        a.expect(publish(&back).payload(b"back")).await?;
        b.ping().await
    }
}

check! {
    /// The Client's own message completes no delivery that has the same Packet Identifier.
    ///
    /// Sends     B leaves a QoS 1 delivery unacknowledged, publishes at QoS 1 with the same identifier itself, has its
    ///           PUBACK, and resumes its session.
    /// Demands   the delivery again, with its identifier.
    /// Leaves    its DUP: another check is about it.
    OWN_MESSAGES_COMPLETE_NOTHING "packet_identifier/own_messages_complete_nothing",
    covers: [V3_1_1 / "MQTT-4.4.0-1", V3_1_1 / "U3-PUB-5", V5 / "MQTT-4.4.0-1", V5 / "U5-PKT-1"],
    needs: [Qos1],
    proved: ["inflight_lost_on_resume"],
    run: async |w| {
        let (there, back) = (w.topic("there"), w.topic("back"));
        let mut a = w.connect("a").await?;
        let mut b = w.client("b").persistent(60).acknowledge_by_hand().connect().await?;
        b.subscribe(&there, Qos::AtLeastOnce).await?;
        a.publish(&there, b"there").qos1().acknowledged().await?;
        let id = b.await_message(publish(&there)).await?.id()?;
        b.publish(&back, b"back").qos1().packet_id(id).send().await?;
        b.await_message(puback(id)).await?;
        b.cut();
        let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
        b.expect(publish(&there).payload(b"there").packet_id(id)).await?;
        b.puback(id, ReasonCode::SUCCESS).await?;
        b.ping().await
    }
}

check! {
    /// A Packet Identifier is free again after the last answer to what it was used for, for any other use.
    ///
    /// Sends     SUBSCRIBE, PUBLISH at QoS 1, twice at QoS 2, UNSUBSCRIBE and PUBLISH again, all with one
    ///           identifier, each after the last answer to the one before.
    /// Demands   each is answered, and the messages are delivered as long as the subscription stands.
    /// Leaves    nothing.
    FREE_AFTER_THE_LAST_ANSWER "packet_identifier/free_after_the_last_answer",
    covers: [
        V3_1_1 / "MQTT-2.3.1-7", V3_1_1 / "MQTT-4.3.3-2",
        V5 / "MQTT-2.2.1-6", V5 / "U5-PKT-3", V5 / "MQTT-4.3.3-12",
    ],
    needs: [Qos1, Qos2],
    proved: ["qos_2_id_not_released", "suback_wrong_id", "unsuback_wrong_id"],
    run: async |w| {
        let (id, topic) = (PacketId::MAX, w.topic("own"));
        let mut a = w.connect("a").await?;
        let list = SubscriptionList::one(&topic, SubscriptionOptions::qos(Qos::ExactlyOnce));
        let (properties, subscriptions) = (Properties::NONE, list.view());
        a.send(&Packet::Subscribe(Subscribe { packet_id: id, properties, subscriptions })).await?;
        a.expect(suback(id)).await?;
        for (qos, payload) in [(Qos::AtLeastOnce, b"1"), (Qos::ExactlyOnce, b"2"), (Qos::ExactlyOnce, b"3")] {
            a.publish(&topic, payload).qos(qos).packet_id(id).acknowledged().await?;
            a.expect(publish(&topic).payload(payload)).await?;
        }
        let list = TopicFilterList::one(&topic);
        let filters = list.view();
        a.send(&Packet::Unsubscribe(Unsubscribe { packet_id: id, properties, filters })).await?;
        a.expect(unsuback(id)).await?;
        a.publish(&topic, b"4").qos2().packet_id(id).send().await?;
        a.expect(pubrec(id)).await?;
        a.pubrel(id, ReasonCode::SUCCESS).await?;
        a.expect(pubcomp(id)).await?;
        Ok(())
    }
}
