//! UNSUBSCRIBE and UNSUBACK. [3.1.1 §3.10, §3.11] [5.0 §3.10, §3.11]

use crate::check;
use crate::check::Check;
use crate::story::{Stop, publish, pubrel, unsuback};
use mqtt_assay_codec::{
    Packet, PacketId, PacketType, Properties, Qos, ReasonCode, TopicFilterList, Unsubscribe,
};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    ONLY_THE_IDENTICAL_FILTER_IS_REMOVED,
    STOPS_NEW_MESSAGES,
    ENDS_WHAT_WAS_RESUMED,
    COMPLETES_STARTED_QOS_2,
    COMPLETES_STARTED_QOS_1,
    ANSWERED_WITH_ITS_ID,
    ANSWERED_EVEN_IF_NOTHING_IS_REMOVED,
    SEVERAL_FILTERS_TAKE_EFFECT,
];

check! {
    /// UNSUBSCRIBE removes the subscription with the identical filter and no other.
    ///
    /// Sends     B subscribes to `t/+` and `u/a`, then unsubscribes from `#`, `+/a` and `U/A` below its own
    ///           prefix, at last from `t/+`.
    /// Demands   messages to both keep coming; after the last UNSUBSCRIBE those to `u/a` still do, the others
    ///           not.
    /// Leaves    messages that were on their way.
    ONLY_THE_IDENTICAL_FILTER_IS_REMOVED "unsubscribe/only_the_identical_filter_is_removed",
    covers: [V3_1_1 / "MQTT-3.10.4-1", V5 / "MQTT-3.10.4-1"],
    needs: [Qos1, Wildcards],
    proved: ["unsubscribe_matches", "unsubscribe_ignored"],
    run: async |w| {
        let (one, two) = (w.topic("t/a"), w.topic("u/a"));
        let mut b = w.connect("b").await?;
        let mut a = w.connect("a").await?;
        b.subscribe(&w.topic("t/+"), Qos::AtLeastOnce).await?;
        b.subscribe(&two, Qos::AtLeastOnce).await?;
        for filter in ["#", "+/a", "U/A", "t/#", "t/a"] {
            b.unsubscribe(&w.topic(filter)).await?;
            for topic in [&one, &two] {
                a.publish(topic, filter.as_bytes()).qos1().acknowledged().await?;
                b.expect(publish(topic).payload(filter.as_bytes())).await?;
            }
        }
        b.unsubscribe(&w.topic("t/+")).await?;
        a.publish(&one, b"end").qos1().acknowledged().await?;
        a.publish(&two, b"end").qos1().acknowledged().await?;
        b.expect(publish(&two).payload(b"end")).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&one).await
    }
}

check! {
    /// After UNSUBSCRIBE no new message is added for the filter.
    ///
    /// Sends     B subscribes and unsubscribes; after its UNSUBACK A publishes at each QoS.
    /// Demands   B receives none of it.
    /// Leaves    messages that the broker had before.
    STOPS_NEW_MESSAGES "unsubscribe/stops_new_messages",
    covers: [V3_1_1 / "MQTT-3.10.4-2", V5 / "MQTT-3.10.4-2"],
    needs: [Qos1, Qos2],
    proved: ["unsubscribe_ignored"],
    run: async |w| {
        let topic = w.topic("over");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        b.unsubscribe(&topic).await?;
        let mut a = w.connect("a").await?;
        for qos in Qos::ALL {
            a.publish(&topic, b"too late").qos(qos).acknowledged().await?;
            b.settle(&mut a, qos).await?;
        }
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// UNSUBSCRIBE ends also a subscription that was made on an earlier connection of the session.
    ///
    /// Sends     B subscribes in a session that lasts, leaves, comes back and unsubscribes; after its UNSUBACK A
    ///           publishes.
    /// Demands   B receives nothing.
    /// Leaves    messages that the broker had before.
    ENDS_WHAT_WAS_RESUMED "unsubscribe/ends_what_was_resumed",
    covers: [
        V3_1_1 / "MQTT-3.10.4-1", V3_1_1 / "MQTT-3.10.4-2", V5 / "MQTT-3.10.4-1", V5 / "MQTT-3.10.4-2",
    ],
    needs: [Qos1],
    proved: ["unsubscribe_ignored"],
    run: async |w| {
        let topic = w.topic("over");
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.disconnect().await;
        let mut b = w.client("b").resumed(60).await?;
        b.unsubscribe(&topic).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"too late").qos1().acknowledged().await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// A QoS 2 delivery that has begun is completed after UNSUBSCRIBE.
    ///
    /// Sends     B has a QoS 2 PUBLISH unacknowledged, unsubscribes, and only then sends PUBREC and PUBCOMP.
    /// Demands   PUBREL for its PUBREC (5.0: with the Reason Code 0x00, the exchange being known).
    /// Leaves    nothing.
    COMPLETES_STARTED_QOS_2 "unsubscribe/completes_started_qos_2",
    covers: [V3_1_1 / "MQTT-3.10.4-3", V5 / "MQTT-3.10.4-3"],
    needs: [Qos2],
    proved: ["unsubscribe_aborts_delivery", "pubrel_missing"],
    run: async |w| {
        let topic = w.topic("begun");
        let mut b = w.client("b").acknowledge_by_hand().connect().await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"message").qos2().acknowledged().await?;
        let id = b.await_message(publish(&topic)).await?.id()?;
        b.unsubscribe(&topic).await?;
        b.pubrec(id, ReasonCode::SUCCESS).await?;
        b.expect(pubrel(id).reason(&[ReasonCode::SUCCESS])).await?;
        b.pubcomp(id, ReasonCode::SUCCESS).await?;
        b.ping().await
    }
}

check! {
    /// A QoS 1 delivery that has begun is repeated on the next connection, UNSUBSCRIBE or not.
    ///
    /// Sends     B has a QoS 1 PUBLISH unacknowledged, unsubscribes, loses its connection and resumes its
    ///           session.
    /// Demands   the PUBLISH again.
    /// Leaves    nothing.
    COMPLETES_STARTED_QOS_1 "unsubscribe/completes_started_qos_1",
    covers: [V3_1_1 / "MQTT-3.10.4-3", V5 / "MQTT-3.10.4-3"],
    needs: [Qos1],
    proved: ["unsubscribe_aborts_delivery", "inflight_lost_on_resume"],
    run: async |w| {
        let topic = w.topic("begun");
        let mut b = w.client("b").persistent(60).acknowledge_by_hand().connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        // Some brokers forget a session without a subscription: another check answers for that.
        b.subscribe(&w.topic("own"), Qos::AtMostOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"message").qos1().acknowledged().await?;
        b.await_message(publish(&topic)).await?;
        b.unsubscribe(&topic).await?;
        b.cut();
        let mut b = w.client("b").resumed(60).await?;
        b.expect(publish(&topic).payload(b"message")).await?;
        Ok(())
    }
}

check! {
    /// Each UNSUBSCRIBE is answered with one UNSUBACK that has its Packet Identifier.
    ///
    /// Sends     UNSUBSCRIBE with the identifiers 1, 0x0100 and 0xFFFF in one segment.
    /// Demands   one UNSUBACK for each of them.
    /// Leaves    the order of the answers.
    ANSWERED_WITH_ITS_ID "unsubscribe/answered_with_its_id",
    covers: [
        V3_1_1 / "MQTT-2.3.1-7", V3_1_1 / "MQTT-3.10.4-4",
        V5 / "MQTT-2.2.1-6", V5 / "MQTT-3.10.4-4", V5 / "MQTT-3.10.4-5",
    ],
    needs: [],
    proved: ["unsuback_missing", "unsuback_wrong_id"],
    run: async |w| {
        let ids = [1, 0x100, 0xFFFF].map(|id| PacketId::new(id).unwrap_or(PacketId::MIN));
        let lists = ids.map(|id| TopicFilterList::one(&w.topic(&id.to_string())));
        let mut a = w.connect("a").await?;
        for id in ids {
            a.subscribe(&w.topic(&id.to_string()), Qos::AtMostOnce).await?;
        }
        let mut packets = Vec::new();
        for (packet_id, list) in ids.into_iter().zip(&lists) {
            let (properties, filters) = (Properties::NONE, list.view());
            packets.push(Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters }));
        }
        a.send_together(&packets).await?;
        for id in ids {
            a.expect(unsuback(id)).await?;
        }
        a.expect_none(PacketType::Unsuback).await
    }
}

check! {
    /// UNSUBSCRIBE is answered even if no subscription is removed.
    ///
    /// Sends     UNSUBSCRIBE for a filter to which the Client never subscribed.
    /// Demands   UNSUBACK, and the connection goes on.
    /// Leaves    5.0: 0x11 is the code for this; another one is a deviation.
    ANSWERED_EVEN_IF_NOTHING_IS_REMOVED "unsubscribe/answered_even_if_nothing_is_removed",
    covers: [V3_1_1 / "MQTT-3.10.4-5", V5 / "MQTT-3.10.4-5"],
    needs: [],
    proved: ["unsuback_missing_for_unknown_filter"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        let id = a.send_unsubscribe(&TopicFilterList::one(&w.topic("never"))).await?;
        let answer = a.expect(unsuback(id)).await?;
        if w.is_v5() && answer.codes() != [ReasonCode::NO_SUBSCRIPTION_EXISTED.0] {
            w.deviates(Some(w.cite("MQTT-3.10.4-5")), "the Reason Code 0x11", answer.line());
        }
        a.ping().await
    }
}

check! {
    /// An UNSUBSCRIBE with several filters has the effect of one for each, and one UNSUBACK.
    ///
    /// Sends     B subscribes to three topics, and unsubscribes from an unknown one and two of these in one
    ///           packet.
    /// Demands   one UNSUBACK; messages to the third topic come, those to the other two do not.
    /// Leaves    nothing.
    SEVERAL_FILTERS_TAKE_EFFECT "unsubscribe/several_filters_take_effect",
    covers: [V3_1_1 / "MQTT-3.10.4-6", V5 / "MQTT-3.10.4-6"],
    needs: [Qos1],
    proved: ["unsubscribe_only_first_filter", "unsuback_for_each_filter"],
    run: async |w| {
        let topics = ["one", "two", "three"].map(|name| w.topic(name));
        let mut b = w.connect("b").await?;
        for topic in &topics {
            b.subscribe(topic, Qos::AtLeastOnce).await?;
        }
        let mut list = TopicFilterList::one(&w.topic("unknown"));
        list.push(&topics[0]).push(&topics[1]);
        let id = b.send_unsubscribe(&list).await?;
        b.await_message(unsuback(id)).await?;
        b.expect_none(PacketType::Unsuback).await?;
        let mut a = w.connect("a").await?;
        for topic in &topics {
            a.publish(topic, b"message").qos1().acknowledged().await?;
        }
        b.expect(publish(&topics[2]).payload(b"message")).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        match b.take_publishes().first() {
            Some(received) => {
                Err(Stop::violates("nothing on the two topics left", received.line()).at(received.index))
            }
            None => Ok(()),
        }
    }
}
