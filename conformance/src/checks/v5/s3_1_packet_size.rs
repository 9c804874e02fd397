//! Maximum Packet Size, the Client's and the broker's. [5.0 §3.1.2.11.4, §3.2.2.3.6]

use crate::check;
use crate::check::Check;
use crate::story::{
    Client, Received, Stop, Story, World, puback, pubcomp, publish, pubrec, pubrel, suback, unsuback,
};
use mqtt_assay_codec::raw;
use mqtt_assay_codec::{
    PacketId, Packet, PacketType, Properties, Property, PropertyId, Qos, ReasonCode, Receiver, SubscriptionList,
    SubscriptionOptions, TopicFilterList, Version,
};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    NOTHING_LARGER_IS_SENT,
    TOO_LARGE_COUNTS_AS_SENT,
    REASON_STRINGS_KEEP_WITHIN_IT,
    USER_PROPERTIES_KEEP_WITHIN_IT,
    ITS_OWN_MAXIMUM_IS_ENFORCED,
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

/// Provokes one answer of each kind, with something to explain where the protocol has it, and gives them all.
async fn answers(w: &World) -> Result<Vec<Received>, Stop> {
    let mut b = w.client("b").property(Property::MaximumPacketSize(LIMIT)).connect().await?;
    let mut answers = Vec::new();
    let unknown = PacketId::MAX;
    let list = SubscriptionList::one(&w.topic("a"), SubscriptionOptions::qos(Qos::AtMostOnce));
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
        && let Some(id) = b.publish(&w.topic("nobody"), b"2").qos2().send().await?
    {
        answers.push(b.await_message(pubrec(id)).await?);
        b.pubrel(id, ReasonCode::SUCCESS).await?;
        answers.push(b.await_message(pubcomp(id)).await?);
        b.pubrel(unknown, ReasonCode::SUCCESS).await?;
        answers.push(b.await_message(pubcomp(unknown)).await?);
    }
    answers.extend(release(w, &mut b).await?);
    // A protocol error: the broker may say why in its DISCONNECT.
    b.send(&Packet::Subscribe(mqtt_assay_codec::Subscribe {
        packet_id: unknown,
        properties: Properties::NONE,
        subscriptions: SubscriptionList::new().view(),
    }))
    .await?;
    if let crate::story::Refusal::Ended(_, Some(farewell)) = b.reaction().await? {
        answers.push(farewell);
    }
    Ok(answers)
}
