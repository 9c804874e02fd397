//! Maximum Packet Size, the Client's and the broker's, and the broker's Receive Maximum. [5.0 §3.1.2.11.4, §3.2.2.3.6,
//! §3.3.4]

use crate::check;
use crate::check::Check;
use crate::story::{
    Received, Refusal, Severity, Stop, Story, World, puback, pubcomp, publish, pubrec, pubrel, suback,
    unsuback,
};
use mqtt_assay_codec::{
    Packet, PacketId, PacketType, Properties, Property, PropertyId, Qos, ReasonCode, SubscriptionList,
    SubscriptionOptions, TopicFilterList, raw,
};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    NOTHING_LARGER_IS_SENT,
    TOO_LARGE_COUNTS_AS_SENT,
    REASON_STRINGS_KEEP_WITHIN_IT,
    USER_PROPERTIES_KEEP_WITHIN_IT,
    ITS_OWN_MAXIMUM_IS_ENFORCED,
    ITS_OWN_RECEIVE_MAXIMUM_IS_ENFORCED,
    RECEIVE_MAXIMUM_IS_THE_CONNECTIONS,
];

/// The Client's limit in these checks: room for every answer that adds nothing.
const LIMIT: u32 = 128;

/// A payload that makes a PUBLISH at QoS 1 without properties as large as this.
fn payload(topic: &str, size: usize) -> Vec<u8> {
    // Fixed header, topic with its length, Packet Identifier, Property Length. Sizes above 129 need a longer header.
    let header = if size > 129 { 3 } else { 2 };
    vec![b'x'; size.saturating_sub(header + 2 + topic.len() + 2 + 1)]
}

check! {
    /// The broker sends no packet larger than the Client's Maximum Packet Size.
    ///
    /// Sends     A publishes messages to B, whose maximum is 128: one that fits exactly, one that is a byte too large,
    ///           one that is far too large, and a small one.
    /// Demands   B receives the first and the last, and nothing of more than 128 bytes.
    /// Leaves    nothing.
    NOTHING_LARGER_IS_SENT "packet_size/nothing_larger_is_sent",
    covers: [V5 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-25"],
    needs: [Qos1],
    proved: ["maximum_packet_size_ignored", "oversized_message_disconnects"],
    run: async |w| {
        let topic = w.topic("sizes");
        let mut b = w.client("b").property(Property::MaximumPacketSize(LIMIT)).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for size in [128, 129, 4096] {
            a.publish(&topic, &payload(&topic, size)).qos1().acknowledged().await?;
        }
        a.publish(&topic, b"small").qos1().acknowledged().await?;
        let fits = b.await_message(publish(&topic)).await?;
        if fits.payload() == b"small" {
            w.note("a message that fits the Maximum Packet Size exactly is discarded");
            return Ok(());
        }
        b.expect(publish(&topic).payload(b"small")).await?;
        Ok(())
    }
}

check! {
    /// A message too large for the Client is discarded for it as if its sending had been completed.
    ///
    /// Sends     A publishes to B, whose Maximum Packet Size is 128 and whose Receive Maximum is 1, two messages that
    ///           are too large and one that is not; then B resumes its session without a limit.
    /// Demands   B receives the small message, and the large ones neither then nor after it has come back.
    /// Leaves    nothing.
    TOO_LARGE_COUNTS_AS_SENT "packet_size/too_large_counts_as_sent",
    covers: [V5 / "MQTT-3.1.2-25"],
    needs: [Qos1],
    proved: ["oversized_message_keeps_quota", "oversized_message_disconnects"],
    run: async |w| {
        let (topic, large) = (w.topic("small"), w.topic("large"));
        let mut b = w
            .client("b")
            .persistent(60)
            .property(Property::MaximumPacketSize(LIMIT))
            .property(Property::ReceiveMaximum(1))
            .connect()
            .await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.subscribe(&large, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for _ in 0..2 {
            a.publish(&large, &[b'x'; 500]).qos1().acknowledged().await?;
        }
        a.publish(&topic, b"small").qos1().acknowledged().await?;
        b.expect(publish(&topic).payload(b"small")).await?;
        b.ping().await?;
        b.disconnect().await;

        let mut b = w.client("b").resume(60).connect().await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&large).await
    }
}

/// Provokes one answer of each kind from the broker, some of which have something to explain.
async fn answers(w: &World) -> Result<Vec<Received>, Stop> {
    let mut b = w.client("b").property(Property::MaximumPacketSize(LIMIT)).connect().await?;
    let mut answers: Vec<Received> = b.connack_received().cloned().into_iter().collect();
    let (own, unknown) = (w.topic("own"), PacketId::MAX);
    let list = SubscriptionList::one(&own, SubscriptionOptions::qos(w.abilities().maximum_qos));
    let id = b.send_subscribe(&list, Properties::NONE).await?;
    answers.push(b.await_message(suback(id)).await?);
    let id = b.send_unsubscribe(&TopicFilterList::one(&w.topic("never/subscribed"))).await?;
    answers.push(b.await_message(unsuback(id)).await?);
    if w.abilities().maximum_qos >= Qos::AtLeastOnce
        && let Some(id) = b.publish(&w.topic("nobody"), b"1").qos1().send().await?
    {
        answers.push(b.await_message(puback(id)).await?);
    }
    if w.abilities().maximum_qos >= Qos::ExactlyOnce
        && let Some(id) = b.publish(&own, b"2").qos2().send().await?
    {
        answers.push(b.await_message(pubrec(id)).await?);
        b.pubrel(id, ReasonCode::SUCCESS).await?;
        answers.push(b.await_message(pubcomp(id)).await?);
        let delivery = b.await_message(publish(&own)).await?;
        if let Some(id) = delivery.packet().packet_id() {
            answers.push(b.await_message(pubrel(id)).await?);
        }
        b.pubrel(unknown, ReasonCode::SUCCESS).await?;
        answers.push(b.await_message(pubcomp(unknown)).await?);
    }
    // A SUBSCRIBE without Topic Filter: the broker may say in its DISCONNECT what is wrong.
    b.send_bytes(&raw::Builder::new(0x82).u16(9).properties(&[]).finish()).await?;
    if let Refusal::Ended(_, Some(farewell)) = b.reaction().await? {
        answers.push(farewell);
    }
    Ok(answers)
}

/// No answer is above the limit because of this property; the statements tell of the packets in the order of their
/// types.
async fn keeps_within(w: &World, property: PropertyId, statements: [&'static str; 8]) -> Story {
    use PacketType as T;
    for answer in answers(w).await? {
        let has = answer.packet().properties().is_some_and(|list| list.iter().any(|p| p.id() == property));
        let place =
            [T::Connack, T::Puback, T::Pubrec, T::Pubrel, T::Pubcomp, T::Suback, T::Unsuback, T::Disconnect]
                .iter()
                .position(|packet_type| *packet_type == answer.packet_type());
        if let Some(place) = place
            && has
            && answer.bytes().len() > LIMIT as usize
        {
            let expected = format!("no {} that makes the packet larger than {LIMIT} bytes", property.name());
            let observed = format!("{} bytes: {}", answer.bytes().len(), answer.line());
            return Err(Stop::violates(expected, observed)
                .citing(w.cite(statements[place]))
                .at(answer.index));
        }
    }
    Ok(())
}

check! {
    /// No Reason String makes a packet larger than the Client's Maximum Packet Size.
    ///
    /// Sends     CONNECT with a maximum of 128; then SUBSCRIBE, UNSUBSCRIBE of an unknown filter, PUBLISH that nobody
    ///           receives, a QoS 2 exchange each way, PUBREL of an unknown Packet Identifier, a SUBSCRIBE without
    ///           filter.
    /// Demands   no answer of more than 128 bytes with a Reason String.
    /// Leaves    whether the broker sends Reason Strings at all.
    REASON_STRINGS_KEEP_WITHIN_IT "packet_size/reason_strings_keep_within_it",
    covers: [
        V5 / "MQTT-3.2.2-19", V5 / "MQTT-3.4.2-2", V5 / "MQTT-3.5.2-2", V5 / "MQTT-3.6.2-2", V5 / "MQTT-3.7.2-2",
        V5 / "MQTT-3.9.2-1", V5 / "MQTT-3.11.2-1", V5 / "MQTT-3.14.2-3",
    ],
    needs: [],
    proved: ["reason_string_exceeds_maximum"],
    run: async |w| {
        keeps_within(
            w,
            PropertyId::ReasonString,
            [
                "MQTT-3.2.2-19",
                "MQTT-3.4.2-2",
                "MQTT-3.5.2-2",
                "MQTT-3.6.2-2",
                "MQTT-3.7.2-2",
                "MQTT-3.9.2-1",
                "MQTT-3.11.2-1",
                "MQTT-3.14.2-3",
            ],
        )
        .await
    }
}

check! {
    /// No User Property makes an answer larger than the Client's Maximum Packet Size.
    ///
    /// Sends     CONNECT with a maximum of 128; then SUBSCRIBE, UNSUBSCRIBE of an unknown filter, PUBLISH that nobody
    ///           receives, a QoS 2 exchange each way, PUBREL of an unknown Packet Identifier, a SUBSCRIBE without
    ///           filter.
    /// Demands   no answer of more than 128 bytes with a User Property.
    /// Leaves    whether the broker sends User Properties of its own at all.
    USER_PROPERTIES_KEEP_WITHIN_IT "packet_size/user_properties_keep_within_it",
    covers: [
        V5 / "MQTT-3.2.2-20", V5 / "MQTT-3.4.2-3", V5 / "MQTT-3.5.2-3", V5 / "MQTT-3.6.2-3", V5 / "MQTT-3.7.2-3",
        V5 / "MQTT-3.9.2-2", V5 / "MQTT-3.11.2-2", V5 / "MQTT-3.14.2-4",
    ],
    needs: [],
    proved: ["user_property_exceeds_maximum"],
    run: async |w| {
        keeps_within(
            w,
            PropertyId::UserProperty,
            [
                "MQTT-3.2.2-20",
                "MQTT-3.4.2-3",
                "MQTT-3.5.2-3",
                "MQTT-3.6.2-3",
                "MQTT-3.7.2-3",
                "MQTT-3.9.2-2",
                "MQTT-3.11.2-2",
                "MQTT-3.14.2-4",
            ],
        )
        .await
    }
}

check! {
    /// A packet above the broker's own Maximum Packet Size is refused.
    ///
    /// Sends     a PUBLISH at QoS 1 of one byte more than the broker announced.
    /// Demands   DISCONNECT 0x95 and the end of the connection, not a PUBACK of success.
    /// Leaves    how strictly to check; maxima above 16 MiB are not tried.
    ITS_OWN_MAXIMUM_IS_ENFORCED "packet_size/its_own_maximum_is_enforced",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-CON-9"],
    needs: [Qos1],
    proved: ["server_maximum_packet_size_not_enforced"],
    run: async |w| {
        const TRIED_MAX: u32 = 16 << 20;
        let Some(maximum) = w.abilities().maximum_packet_size.filter(|maximum| *maximum <= TRIED_MAX) else {
            return Err(Stop::not_tested("a Maximum Packet Size of 16 MiB or less announced in CONNACK"));
        };
        let start = raw::Builder::new(0x32).string(w.topic("large").as_bytes()).u16(7).properties(&[]);
        let content = start.finish().len() - 2;
        // One byte above the maximum; where the fixed header grows there is a size that no packet has.
        let header = |length: u32| 1 + raw::variable(length).len();
        let size = |length: u32| header(length) + length as usize;
        let Some(length) = (maximum.saturating_sub(5)..=maximum).find(|l| size(*l) > maximum as usize) else {
            return Err(Stop::not_tested("a size above the maximum"));
        };
        let mut a = w.connect("a").await?;
        a.send_bytes(&start.remaining_length(&raw::variable(length)).finish()).await?;
        a.send_filling((length as usize).saturating_sub(content)).await?;
        let reaction = a.reaction().await?;
        if let Some(answer) = a.inbox().find(|r| matches!(r.packet(), Packet::Puback(p) if p.reason.is_success())) {
            return Err(Stop::violates("the end of the connection", answer.line()).at(answer.index));
        }
        a.judge_refusal(reaction, ReasonCode::PACKET_TOO_LARGE, Severity::MayOverlook)
    }
}

check! {
    /// The broker's own Receive Maximum is a limit.
    ///
    /// Sends     one QoS 2 PUBLISH more than the broker's Receive Maximum, without any PUBREL.
    /// Demands   DISCONNECT 0x93 and the end of the connection, not a PUBREC of success for all of them.
    /// Leaves    how strictly to check; limits above 1,000 are not tried.
    ITS_OWN_RECEIVE_MAXIMUM_IS_ENFORCED "flow/its_own_receive_maximum_is_enforced",
    covers: [V5 / "MQTT-3.3.4-7", V5 / "MQTT-4.13.1-1", V5 / "U5-PUB-13"],
    needs: [Qos2],
    proved: ["server_receive_maximum_not_enforced"],
    run: async |w| {
        let maximum = w.abilities().receive_maximum;
        if maximum > 1000 {
            return Err(Stop::not_tested(format!("a Receive Maximum of 1,000 or less: the broker's is {maximum}")));
        }
        let mut a = w.connect("a").await?;
        let topic = w.topic("flow");
        for _ in 0..=maximum {
            a.publish(&topic, b"unreleased").qos2().send().await?;
        }
        let reaction = a.reaction().await?;
        let taken = a
            .inbox()
            .filter(|r| matches!(r.packet(), Packet::Pubrec(ack) if ack.reason.is_success()))
            .count();
        if taken > usize::from(maximum) {
            return Err(Stop::violates(
                format!("at most {maximum} PUBREC of success, which is the broker's Receive Maximum"),
                format!("{taken} of them"),
            ));
        }
        a.judge_refusal(reaction, ReasonCode::RECEIVE_MAXIMUM_EXCEEDED, Severity::MayOverlook)
    }
}

check! {
    /// A Receive Maximum holds for its connection only; without one it is 65,535.
    ///
    /// Sends     B subscribes with Receive Maximum 1, C without one, and both leave; A publishes three messages at
    ///           QoS 1; both resume their sessions without one, and acknowledge nothing.
    /// Demands   as many deliveries for B as for C.
    /// Leaves    how many unacknowledged messages the broker allows itself; if one, it shows nothing.
    RECEIVE_MAXIMUM_IS_THE_CONNECTIONS "flow/receive_maximum_is_the_connections",
    covers: [V5 / "U5-CON-5"],
    needs: [Qos1],
    proved: ["receive_maximum_kept"],
    run: async |w| {
        let (topic, once) = (w.topic("news"), Property::ReceiveMaximum(1));
        let b = w.client("b").persistent(60).property(once).connect().await?;
        let c = w.client("c").persistent(60).connect().await?;
        for mut client in [b, c] {
            client.subscribe(&topic, Qos::AtLeastOnce).await?;
            client.disconnect().await;
        }
        let mut a = w.connect("a").await?;
        for payload in [b"one", b"two", b"six"] {
            a.publish(&topic, payload).qos1().acknowledged().await?;
        }
        // They wait for both: how many come at a time is no matter of when they were published.
        let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
        let mut c = w.client("c").acknowledge_by_hand().resumed(60).await?;
        c.await_message(publish(&topic)).await?;
        for client in [&mut b, &mut c] {
            // Twice, for brokers that answer PINGREQ before they route.
            client.ping().await?;
            client.ping().await?;
        }
        let (of_b, of_c) = (b.take_publishes().len(), 1 + c.take_publishes().len());
        if of_c == 1 {
            return Err(Stop::not_tested("a broker with more than one unacknowledged message to a Client"));
        }
        // What B lacks may still be under way: it comes without an acknowledgement, as C's came.
        for _ in of_b..of_c {
            b.expect(publish(&topic)).await?;
        }
        Ok(())
    }
}
