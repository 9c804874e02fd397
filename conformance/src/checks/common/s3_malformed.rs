//! PUBLISH, SUBSCRIBE and UNSUBSCRIBE that break the rules of their content. [3.1.1 §3.3, §3.8, §3.10]
//! [5.0 §3.3, §3.8, §3.10]

use crate::check;
use crate::check::Check;
use crate::story::{Refusal, publish};
use mqtt_assay_codec::raw::{self, Stage};
use mqtt_assay_codec::{Offence, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    QOS_3_IS_REFUSED,
    DUP_AT_QOS_0_GOES_NO_FURTHER,
    EMPTY_TOPIC_IS_REFUSED,
    SUBSCRIBE_NEEDS_A_FILTER,
    SUBSCRIPTION_RESERVED_BITS_ARE_CHECKED,
    SUBSCRIPTION_QOS_3_IS_REFUSED,
    UNSUBSCRIBE_NEEDS_A_FILTER,
    RETAIN_HANDLING_3_IS_REFUSED,
];

check! {
    /// A PUBLISH with both QoS bits set is refused.
    ///
    /// Sends     PUBLISH with both QoS bits, and each value of DUP and RETAIN.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    QOS_3_IS_REFUSED "malformed/publish_qos_3",
    covers: [V3_1_1 / "MQTT-3.3.1-4", V5 / "MQTT-3.3.1-4"],
    needs: [],
    proved: ["qos_3_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::PublishQos3).each_refused().await
    }
}

check! {
    /// DUP at QoS 0 is wrong, and no subscriber gets to see it.
    ///
    /// Sends     A publishes at QoS 0 with DUP 1 to B.
    /// Demands   the end of the connection of A's connection, or at least DUP 0 in what B receives.
    /// Leaves    whether the receiver has to notice: taking the message is a deviation.
    DUP_AT_QOS_0_GOES_NO_FURTHER "malformed/dup_at_qos_0",
    covers: [V3_1_1 / "MQTT-3.3.1-2", V5 / "MQTT-3.3.1-2"],
    needs: [],
    proved: ["dup_at_qos_0"],
    run: async |w| {
        let topic = w.topic("twice");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtMostOnce).await?;
        let mut a = w.connect("a").await?;
        let packet = raw::Builder::new(0x38).string(topic.as_bytes()).no_properties(w.version()).bytes(b"x");
        a.send_bytes(&packet.finish()).await?;
        if let Refusal::WentOn = a.reaction().await? {
            w.deviates(None, "the end of the connection", "QoS 0 with DUP 1 is taken");
        }
        let mut other = w.connect("other").await?;
        b.settle(&mut other, Qos::AtMostOnce).await?;
        if b.inbox().any(|received| received.topic() == topic) {
            b.expect(publish(&topic).dup(false)).await?;
        }
        // An ordinary message at QoS 0 has DUP 0 in any case.
        other.publish(&topic, b"once").acknowledged().await?;
        b.settle(&mut other, Qos::AtMostOnce).await?;
        if b.inbox().any(|received| received.topic() == topic) {
            b.expect(publish(&topic).dup(false)).await?;
        }
        Ok(())
    }
}

check! {
    /// A PUBLISH with an empty Topic Name is refused; in 5.0 a Topic Alias may stand for it.
    ///
    /// Sends     PUBLISH with an empty Topic Name and no Topic Alias.
    /// Demands   the end of the connection, nothing passed on.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    EMPTY_TOPIC_IS_REFUSED "malformed/publish_empty_topic",
    covers: [V3_1_1 / "MQTT-4.7.3-1", V5 / "MQTT-4.7.3-1", V5 / "U5-PUB-1"],
    needs: [],
    proved: ["empty_topic_accepted", "protocol_error_kept_open"],
    run: async |w| {
        let empty = |offence| matches!(offence, Offence::TopicNameEmpty | Offence::PublishTopicMissing);
        let at_qos_1 = raw::Builder::new(0x32).string(b"").u16(7).no_properties(w.version()).bytes(b"payload");
        w.wrong(|case| empty(case.offence) && case.stage == Stage::Connected && case.name.contains("publish-topic"))
            .and("empty-topic/publish-qos-1", at_qos_1.finish())
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// A SUBSCRIBE without Topic Filter is refused.
    ///
    /// Sends     SUBSCRIBE without payload.
    /// Demands   the end of the connection, and no SUBACK.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    SUBSCRIBE_NEEDS_A_FILTER "malformed/subscribe_without_filter",
    covers: [V3_1_1 / "MQTT-3.8.3-3", V5 / "MQTT-3.8.3-2", V5 / "U5-SUB-3"],
    needs: [],
    proved: ["empty_subscribe_accepted", "protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::SubscribeEmpty)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// Reserved bits in the options of a subscription are malformed.
    ///
    /// Sends     SUBSCRIBE with each reserved bit set, in the first filter's options and in the second's.
    /// Demands   the end of the connection, and no SUBACK.
    /// Leaves    nothing: this error must be detected.
    SUBSCRIPTION_RESERVED_BITS_ARE_CHECKED "malformed/subscription_reserved_bits",
    covers: [V3_1_1 / "MQTT-3.8.3-4", V5 / "MQTT-3.8.3-5"],
    needs: [],
    proved: ["subscribe_reserved_bits_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::SubscriptionReservedBits)
            .must_be_detected()
            .each_refused()
            .await
    }
}

check! {
    /// A requested QoS of 3 is refused.
    ///
    /// Sends     SUBSCRIBE with QoS 3, in the first filter's options and in the second's.
    /// Demands   the end of the connection, and no grant.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    SUBSCRIPTION_QOS_3_IS_REFUSED "malformed/subscription_qos_3",
    covers: [V3_1_1 / "MQTT-3.8.3-4", V5 / "U5-SUB-1"],
    needs: [],
    proved: ["subscribe_qos_3_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::SubscriptionQos3)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// An UNSUBSCRIBE without Topic Filter is refused.
    ///
    /// Sends     UNSUBSCRIBE without payload.
    /// Demands   the end of the connection, and no UNSUBACK.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    UNSUBSCRIBE_NEEDS_A_FILTER "malformed/unsubscribe_without_filter",
    covers: [V3_1_1 / "MQTT-3.10.3-2", V5 / "MQTT-3.10.3-2", V5 / "U5-SUB-3"],
    needs: [],
    proved: ["empty_unsubscribe_accepted", "protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::UnsubscribeEmpty)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// A Retain Handling of 3 is refused.
    ///
    /// Sends     SUBSCRIBE with Retain Handling 3, in the first filter's options and in the second's.
    /// Demands   the end of the connection, and no grant.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    RETAIN_HANDLING_3_IS_REFUSED "malformed/retain_handling_3",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-SUB-2"],
    needs: [],
    proved: ["retain_handling_3_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::RetainHandling3)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}
