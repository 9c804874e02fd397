//! Subscription Options. [5.0 §3.8.3.1, §3.8.4]

use crate::check;
use crate::check::Check;
use crate::story::publish;
use mqtt_assay_codec::{Qos, SubscriptionOptions};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[REPLACING_CHANGES_THE_OPTIONS];

/// QoS 1 with No Local.
const NO_LOCAL: SubscriptionOptions =
    SubscriptionOptions { no_local: true, ..SubscriptionOptions::qos(Qos::AtLeastOnce) };

check! {
    /// A SUBSCRIBE that replaces a subscription replaces its options.
    ///
    /// Sends     A subscribes with No Local and Retain As Published, and again without; it publishes with
    ///           RETAIN 1; then it subscribes the first way again and publishes once more.
    /// Demands   A receives the first message, with RETAIN 0, and not the second.
    /// Leaves    nothing.
    REPLACING_CHANGES_THE_OPTIONS "subscription_options/replacing_changes_the_options",
    covers: [V5 / "MQTT-3.8.4-3"],
    needs: [Retain, Qos1],
    proved: ["resubscribe_keeps_old_options"],
    run: async |w| {
        let (topic, marker) = (w.topic("echo"), w.topic("marker"));
        let mut a = w.connect("a").await?;
        let first = SubscriptionOptions { retain_as_published: true, ..NO_LOCAL };
        a.subscribe(&marker, Qos::AtLeastOnce).await?;
        a.subscribe_with(&topic, first).await?;
        a.subscribe(&topic, Qos::AtLeastOnce).await?;
        a.publish(&topic, b"one").qos1().retain().acknowledged().await?;
        a.expect(publish(&topic).payload(b"one").retain(false)).await?;
        a.publish(&topic, b"").qos1().retain().acknowledged().await?;
        a.await_message(publish(&topic).payload(b"")).await?;
        a.subscribe_with(&topic, first).await?;
        a.publish(&topic, b"two").qos1().acknowledged().await?;
        a.publish(&marker, b"marker").qos1().acknowledged().await?;
        a.await_message(publish(&marker)).await?;
        a.expect_no_publish(&topic).await
    }
}
