//! Receive Maximum and the send quota. [5.0 §3.1.2.11.3, §3.3.4, §4.9]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Next, Stop, Story, World, publish, pubrel};
use mqtt_assay_codec::{
    Packet, PacketId, PacketType, Properties, Property, Qos, ReasonCode, SubscriptionList,
    SubscriptionOptions, TopicFilterList,
};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    BROKER_KEEPS_TO_RECEIVE_MAXIMUM,
    OWN_MESSAGES_FREE_NO_SLOT,
    RECEIVE_MAXIMUM_HOLDS_ON_RESUME,
    FIRST_MESSAGE_COMES,
    PUBREC_FREES_NO_SLOT,
    EVERY_LAST_ACKNOWLEDGEMENT_FREES_A_SLOT,
    OTHER_PACKETS_ARE_SERVED,
];

/// A client with a Receive Maximum that acknowledges by hand and subscribes to the topic at this QoS.
async fn subscriber<'w>(
    w: &'w World,
    receive_maximum: u16,
    topic: &str,
    qos: Qos,
) -> Result<Client<'w>, Stop> {
    let builder = w.client("b").property(Property::ReceiveMaximum(receive_maximum));
    let mut b = builder.acknowledge_by_hand().connect().await?;
    b.subscribe(topic, qos).await?;
    Ok(b)
}

/// No further delivery has come before a barrier.
async fn no_more(b: &mut Client<'_>, topic: &str, unacknowledged: usize) -> Story {
    // Twice, for brokers that answer PINGREQ before they route.
    b.ping().await?;
    b.ping().await?;
    match b.inbox().find(|received| received.topic() == topic) {
        Some(more) => {
            Err(Stop::violates(format!("no PUBLISH beyond the {unacknowledged} unacknowledged"), more.line())
                .at(more.index))
        }
        None => Ok(()),
    }
}

check! {
    /// The broker has no more messages unacknowledged than the Client's Receive Maximum.
    ///
    /// Sends     A publishes five messages at QoS 1 to B, whose Receive Maximum is 2 and who does not acknowledge.
    /// Demands   two messages and no third; after B's acknowledgement of the first another one, and no more.
    /// Leaves    the broker may keep to a lower limit of its own: noted; it may send the second only after the
    ///           first is acknowledged, and then two.
    BROKER_KEEPS_TO_RECEIVE_MAXIMUM "flow/broker_keeps_to_receive_maximum",
    covers: [V5 / "MQTT-3.3.4-9", V5 / "MQTT-4.9.0-2"],
    needs: [Qos1],
    proved: ["receive_maximum_ignored"],
    run: async |w| {
        let topic = w.topic("flow");
        let mut b = subscriber(w, 2, &topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for n in b"12345" {
            a.publish(&topic, &[*n]).qos1().acknowledged().await?;
        }
        let first = b.await_message(publish(&topic)).await?.id()?;
        b.ping().await?;
        let others = b.take_publishes();
        if let Some(third) = others.get(1) {
            return Err(Stop::violates("at most two unacknowledged PUBLISH", third.line()).at(third.index));
        }
        b.puback(first, ReasonCode::SUCCESS).await?;
        b.await_message(publish(&topic)).await?;
        // A broker that had sent but one of them has room for two now. Twice, for brokers that answer PINGREQ
        // before they route.
        b.ping().await?;
        b.ping().await?;
        let more = b.take_publishes();
        if others.is_empty() && more.is_empty() {
            w.note("the broker keeps to a send quota below the Receive Maximum of 2");
        }
        match more.get(1 - others.len()) {
            Some(third) => {
                Err(Stop::violates("no PUBLISH beyond the 2 unacknowledged", third.line()).at(third.index))
            }
            None => Ok(()),
        }
    }
}

check! {
    /// What the Client publishes itself frees no room for deliveries to it.
    ///
    /// Sends     A publishes three messages at QoS 1 to B, whose Receive Maximum is 1 and who does not acknowledge; B
    ///           publishes twice at QoS 2, each exchange to its end.
    /// Demands   one message and no second.
    /// Leaves    nothing.
    OWN_MESSAGES_FREE_NO_SLOT "flow/own_messages_free_no_slot",
    covers: [V5 / "MQTT-3.3.4-9", V5 / "MQTT-4.9.0-2"],
    needs: [Qos1, Qos2],
    proved: ["receive_maximum_ignored"],
    run: async |w| {
        let topic = w.topic("flow");
        let mut b = subscriber(w, 1, &topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for n in b"123" {
            a.publish(&topic, &[*n]).qos1().acknowledged().await?;
        }
        let first = b.await_message(publish(&topic)).await?;
        for _ in 0..2 {
            b.publish(&w.topic("own"), b"mine").qos2().acknowledged().await?;
            b.ping().await?;
            if let Some(second) = b.take_publishes().iter().find(|next| next.payload() != first.payload()) {
                let expected = "no PUBLISH beyond the one unacknowledged";
                return Err(Stop::violates(expected, second.line()).at(second.index));
            }
        }
        Ok(())
    }
}

check! {
    /// The Receive Maximum holds for what is sent again when a session is resumed.
    ///
    /// Sends     B leaves four QoS 1 messages unacknowledged, and resumes its session with a Receive Maximum of 1.
    /// Demands   one message, and the next only after B's acknowledgement, until all have come.
    /// Leaves    nothing.
    RECEIVE_MAXIMUM_HOLDS_ON_RESUME "flow/receive_maximum_holds_on_resume",
    covers: [V5 / "MQTT-3.3.4-9", V5 / "MQTT-4.9.0-2"],
    needs: [Qos1],
    proved: ["receive_maximum_ignored_on_resume"],
    run: async |w| {
        let topic = w.topic("flow");
        let mut b = w.client("b").persistent(60).acknowledge_by_hand().connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for n in b"1234" {
            a.publish(&topic, &[*n]).qos1().acknowledged().await?;
        }
        b.await_message(publish(&topic)).await?;
        b.ping().await?;
        b.cut();

        let builder = w.client("b").resume(60).property(Property::ReceiveMaximum(1));
        let mut b = builder.acknowledge_by_hand().connect().await?;
        for _ in 0..4 {
            let delivery = b.await_message(publish(&topic)).await?;
            no_more(&mut b, &topic, 1).await?;
            b.puback(delivery.id()?, ReasonCode::SUCCESS).await?;
        }
        no_more(&mut b, &topic, 0).await
    }
}

check! {
    /// The send quota is not zero at first: a Client with a Receive Maximum of 1 gets its message.
    ///
    /// Sends     A publishes one message at QoS 1, and one at QoS 2, to clients with a Receive Maximum of 1.
    /// Demands   each message.
    /// Leaves    nothing.
    FIRST_MESSAGE_COMES "flow/first_message_comes",
    covers: [V5 / "MQTT-4.9.0-1"],
    needs: [Qos1, Qos2],
    proved: ["receive_maximum_less_one"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        for (name, qos) in [("one", Qos::AtLeastOnce), ("two", Qos::ExactlyOnce)] {
            let topic = w.topic(name);
            let mut b = w.client(name).property(Property::ReceiveMaximum(1)).connect().await?;
            b.subscribe(&topic, qos).await?;
            a.publish(&topic, b"first").qos(qos).acknowledged().await?;
            b.expect(publish(&topic).payload(b"first")).await?;
        }
        Ok(())
    }
}

check! {
    /// PUBREC of success ends no exchange: a slot is free only after PUBCOMP.
    ///
    /// Sends     A publishes two messages at QoS 2 to B, whose Receive Maximum is 1; B answers the first with PUBREC
    ///           and holds PUBCOMP back.
    /// Demands   PUBREL, and no second message before PUBCOMP.
    /// Leaves    nothing.
    PUBREC_FREES_NO_SLOT "flow/pubrec_frees_no_slot",
    covers: [V5 / "MQTT-3.3.4-9", V5 / "MQTT-4.9.0-2", V5 / "U5-PUB-14"],
    needs: [Qos2],
    proved: ["quota_returned_at_pubrec"],
    run: async |w| {
        let topic = w.topic("flow");
        let mut b = subscriber(w, 1, &topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        for n in b"12" {
            a.publish(&topic, &[*n]).qos2().acknowledged().await?;
        }
        let first = b.await_message(publish(&topic)).await?.id()?;
        b.pubrec(first, ReasonCode::SUCCESS).await?;
        b.await_message(pubrel(first)).await?;
        no_more(&mut b, &topic, 1).await?;
        b.pubcomp(first, ReasonCode::SUCCESS).await?;
        b.await_message(publish(&topic)).await?;
        Ok(())
    }
}

check! {
    /// Each acknowledgement that ends an exchange frees a slot: PUBACK, PUBCOMP, and PUBREC of 0x80 or above.
    ///
    /// Sends     A publishes five messages to B, whose Receive Maximum is 1 and who ends the exchanges with PUBACK
    ///           0x00 and 0x80, PUBCOMP, and PUBREC 0x83.
    /// Demands   after each of them the next message.
    /// Leaves    nothing.
    EVERY_LAST_ACKNOWLEDGEMENT_FREES_A_SLOT "flow/every_last_acknowledgement_frees_a_slot",
    covers: [V5 / "U5-PUB-14", V5 / "MQTT-4.5.0-1"],
    needs: [Qos1, Qos2],
    proved: ["quota_not_returned"],
    run: async |w| {
        let topic = w.topic("flow");
        let mut b = subscriber(w, 1, &topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        for (n, qos) in [(b"1", 1), (b"2", 1), (b"3", 2), (b"4", 2), (b"5", 1)] {
            let qos = if qos == 1 { Qos::AtLeastOnce } else { Qos::ExactlyOnce };
            a.publish(&topic, n).qos(qos).acknowledged().await?;
        }
        let (mut puback, mut pubrec) = (ReasonCode::SUCCESS, ReasonCode::SUCCESS);
        for _ in 0..5 {
            // Which QoS comes first is the broker's choice.
            let delivery = b.expect(publish(&topic)).await?;
            let (id, at_qos_1) = (delivery.id()?, delivery.publish().is_some_and(|p| p.qos == Qos::AtLeastOnce));
            if at_qos_1 {
                b.puback(id, puback).await?;
                puback = ReasonCode::UNSPECIFIED_ERROR;
            } else {
                b.pubrec(id, pubrec).await?;
                if pubrec.is_success() {
                    b.await_message(pubrel(id)).await?;
                    b.pubcomp(id, ReasonCode::SUCCESS).await?;
                }
                pubrec = ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR;
            }
        }
        Ok(())
    }
}

/// An answer of this type must come while the send quota is used up. Silence counts only if it ends with the
/// acknowledgement that frees a slot: otherwise the broker may be gone, and nothing can be told.
async fn answered(w: &World, b: &mut Client<'_>, answer: PacketType, unacknowledged: PacketId) -> Story {
    let mut deadline = Instant::now() + w.patience();
    let mut freed = false;
    loop {
        match b.next(deadline).await? {
            Next::Packet(received) if !freed && received.packet_type() == answer => return Ok(()),
            // The answer itself, or the message that waited: the broker is alive.
            Next::Packet(received)
                if freed && [answer, PacketType::Publish].contains(&received.packet_type()) =>
            {
                let expected = format!("{answer} while the send quota is used up");
                let observed = format!("nothing until PUBACK freed a slot, then {}", received.line());
                return Err(Stop::violates(expected, observed).at(received.index));
            }
            Next::Packet(_) => {}
            Next::Silence if !freed => {
                freed = true;
                b.puback(unacknowledged, ReasonCode::SUCCESS).await?;
                deadline = Instant::now() + w.patience();
            }
            Next::Silence | Next::End(_) => {
                return Err(Stop::inconclusive(format!(
                    "no {answer}, and none after PUBACK freed a slot either"
                )));
            }
        }
    }
}

check! {
    /// While the send quota is used up, all packets but PUBLISH are served.
    ///
    /// Sends     B, whose Receive Maximum is 1, leaves a message unacknowledged, and sends PINGREQ, SUBSCRIBE,
    ///           UNSUBSCRIBE, PUBLISH at QoS 1 and 2, and PUBREL.
    /// Demands   the answer to each.
    /// Leaves    the order of the answers.
    OTHER_PACKETS_ARE_SERVED "flow/other_packets_are_served_at_quota_zero",
    covers: [V5 / "MQTT-4.9.0-3", V5 / "MQTT-3.3.4-10"],
    needs: [Qos1, Qos2],
    proved: ["receive_maximum_blocks_other_packets"],
    run: async |w| {
        let (topic, other) = (w.topic("flow"), w.topic("other"));
        let mut b = subscriber(w, 1, &topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"unacknowledged").qos1().acknowledged().await?;
        a.publish(&topic, b"waiting").qos1().acknowledged().await?;
        let held = b.await_message(publish(&topic)).await?.id()?;

        b.send(&Packet::Pingreq).await?;
        answered(w, &mut b, PacketType::Pingresp, held).await?;
        let filter = SubscriptionList::one(&other, SubscriptionOptions::qos(Qos::AtMostOnce));
        b.send_subscribe(&filter, Properties::NONE).await?;
        answered(w, &mut b, PacketType::Suback, held).await?;
        b.send_unsubscribe(&TopicFilterList::one(&other)).await?;
        answered(w, &mut b, PacketType::Unsuback, held).await?;
        b.publish(&other, b"one").qos1().send().await?;
        answered(w, &mut b, PacketType::Puback, held).await?;
        let Some(two) = b.publish(&other, b"two").qos2().send().await? else {
            return Err(Stop::inconclusive("QoS 2 has a Packet Identifier"));
        };
        answered(w, &mut b, PacketType::Pubrec, held).await?;
        b.pubrel(two, ReasonCode::SUCCESS).await?;
        answered(w, &mut b, PacketType::Pubcomp, held).await
    }
}
