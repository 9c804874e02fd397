//! RETAIN and the Subscription Options that concern it. [5.0 §3.3.1.3, §3.8.3.1]

use crate::check;
use crate::check::Check;
use crate::story::{Stop, publish};
use mqtt_assay_codec::{Qos, RetainHandling, SubscriptionOptions};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    HANDLING_0_SENDS_EACH_TIME,
    HANDLING_1_SENDS_TO_NEW_SUBSCRIPTIONS,
    HANDLING_1_KNOWS_RESUMED_SUBSCRIPTIONS,
    HANDLING_2_SENDS_NOTHING,
    PUBLISHED_FLAG_IS_CLEARED,
    PUBLISHED_FLAG_IS_KEPT,
];

/// QoS 1 with this Retain Handling.
fn handling(retain_handling: RetainHandling) -> SubscriptionOptions {
    SubscriptionOptions { retain_handling, ..SubscriptionOptions::qos(Qos::AtLeastOnce) }
}

check! {
    /// With Retain Handling 0 the retained messages come for each SUBSCRIBE.
    ///
    /// Sends     A stores a message; B subscribes to its topic twice, with Retain Handling 0.
    /// Demands   B receives the message each time, with RETAIN 1.
    /// Leaves    nothing.
    HANDLING_0_SENDS_EACH_TIME "retain_options/handling_0_sends_each_time",
    covers: [V5 / "MQTT-3.3.1-9", V5 / "U5-PUB-10", V5 / "U5-SUB-10"],
    needs: [Retain, Qos1],
    proved: ["retained_not_sent_again", "retained_lost"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        let mut b = w.connect("b").await?;
        for _ in 0..2 {
            b.subscribe_with(&topic, handling(RetainHandling::Send)).await?;
            b.expect(publish(&topic).payload(b"on").retain(true)).await?;
        }
        Ok(())
    }
}

check! {
    /// With Retain Handling 1 the retained messages come only if the subscription did not exist.
    ///
    /// Sends     A stores a message; B subscribes with Retain Handling 1, again, unsubscribes, and subscribes
    ///           a third time.
    /// Demands   B receives the message for the first and the third SUBSCRIBE, not for the second.
    /// Leaves    nothing.
    HANDLING_1_SENDS_TO_NEW_SUBSCRIPTIONS "retain_options/handling_1_sends_to_new_subscriptions",
    covers: [V5 / "MQTT-3.3.1-10"],
    needs: [Retain, Qos1],
    proved: ["retain_handling_1_always_sends", "retain_handling_1_never_sends"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        let mut b = w.connect("b").await?;
        b.subscribe_with(&topic, handling(RetainHandling::SendIfNew)).await?;
        b.expect(publish(&topic).payload(b"on").retain(true)).await?;
        b.subscribe_with(&topic, handling(RetainHandling::SendIfNew)).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&topic).await?;
        b.unsubscribe(&topic).await?;
        b.subscribe_with(&topic, handling(RetainHandling::SendIfNew)).await?;
        b.expect(publish(&topic).payload(b"on").retain(true)).await?;
        Ok(())
    }
}

check! {
    /// For Retain Handling 1 a subscription of a resumed session is one that existed.
    ///
    /// Sends     B subscribes and leaves; A stores a message, which B gets on resuming; B subscribes with
    ///           Retain Handling 1.
    /// Demands   the message does not come again.
    /// Leaves    nothing.
    HANDLING_1_KNOWS_RESUMED_SUBSCRIPTIONS "retain_options/handling_1_knows_resumed_subscriptions",
    covers: [V5 / "MQTT-3.3.1-10"],
    needs: [Retain, Qos1],
    proved: ["retain_handling_1_always_sends"],
    run: async |w| {
        let topic = w.topic("state");
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.disconnect().await;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        let mut b = w.client("b").resumed(60).await?;
        b.await_message(publish(&topic)).await?;
        b.subscribe_with(&topic, handling(RetainHandling::SendIfNew)).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// With Retain Handling 2 no retained message comes on subscribing.
    ///
    /// Sends     A stores a message; B subscribes with Retain Handling 2; then A publishes another.
    /// Demands   B receives the second message and not the first.
    /// Leaves    nothing.
    HANDLING_2_SENDS_NOTHING "retain_options/handling_2_sends_nothing",
    covers: [V5 / "MQTT-3.3.1-11"],
    needs: [Retain, Qos1],
    proved: ["retain_handling_2_sends"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"stored").qos1().retain().acknowledged().await?;
        // Who passes a message on behind its PUBACK has done so before it answers this.
        a.ping().await?;
        let mut b = w.connect("b").await?;
        b.subscribe_with(&topic, handling(RetainHandling::DoNotSend)).await?;
        a.publish(&topic, b"live").qos1().acknowledged().await?;
        b.expect(publish(&topic).payload(b"live")).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// With Retain As Published 0 a forwarded message has RETAIN 0.
    ///
    /// Sends     B subscribes with Retain As Published 0; A publishes with RETAIN 1.
    /// Demands   B receives the message with RETAIN 0.
    /// Leaves    nothing.
    PUBLISHED_FLAG_IS_CLEARED "retain_options/published_flag_is_cleared",
    covers: [V5 / "MQTT-3.3.1-12"],
    needs: [Retain, Qos1],
    proved: ["retain_flag_on_live"],
    run: async |w| {
        let topic = w.topic("state");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.has_its_retained().await?;
        let mut a = w.connect("a").await?;
        for payload in [b"one", b"two"] {
            a.publish(&topic, payload).qos1().retain().acknowledged().await?;
            b.expect(publish(&topic).payload(payload).retain(false)).await?;
        }
        Ok(())
    }
}

check! {
    /// With Retain As Published 1 a forwarded message keeps the RETAIN flag of its publisher.
    ///
    /// Sends     B subscribes with Retain As Published 1; A publishes with RETAIN 1 and with RETAIN 0, once
    ///           while B is there and once while B is away.
    /// Demands   B receives each message with the flag with which it was published.
    /// Leaves    the order of those that have waited: other checks are about it.
    PUBLISHED_FLAG_IS_KEPT "retain_options/published_flag_is_kept",
    covers: [V5 / "MQTT-3.3.1-13"],
    needs: [Retain, Qos1],
    proved: ["retain_as_published_ignored"],
    run: async |w| {
        let topic = w.topic("state");
        let options = SubscriptionOptions { retain_as_published: true, ..handling(RetainHandling::Send) };
        let mut a = w.connect("a").await?;
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe_with(&topic, options).await?;
        b.has_its_retained().await?;
        a.publish(&topic, b"retained").qos1().retain().acknowledged().await?;
        a.publish(&topic, b"passing").qos1().acknowledged().await?;
        b.expect(publish(&topic).carrying(b"retained").retain(true)).await?;
        b.expect(publish(&topic).carrying(b"passing").retain(false)).await?;
        b.disconnect().await;
        a.publish(&topic, b"also retained").qos1().retain().acknowledged().await?;
        a.publish(&topic, b"also passing").qos1().acknowledged().await?;
        let mut b = w.client("b").resumed(60).await?;
        let mut waiting = vec![&b"also retained"[..], b"also passing"];
        while !waiting.is_empty() {
            // What B has had before may come again.
            let came = b.await_message(publish(&topic)).await?;
            waiting.retain(|payload| *payload != came.payload());
            let retain = came.payload().ends_with(b"retained");
            if came.publish().is_some_and(|publish| publish.retain != retain) {
                let expected = format!("PUBLISH {topic} with retain={}", u8::from(retain));
                return Err(Stop::violates(expected, came.line()).at(came.index));
            }
        }
        Ok(())
    }
}
