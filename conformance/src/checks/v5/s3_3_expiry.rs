//! Message Expiry Interval. [5.0 §3.3.2.3.3]

use crate::check;
use crate::check::Check;
use crate::story::{Received, Stop, Story, publish};
use mqtt_assay_codec::{Property, PropertyId, Qos, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    EXPIRED_MESSAGE_IS_DELETED,
    EXPIRED_RETAINED_MESSAGE_IS_DELETED,
    EXPIRED_BEHIND_A_FULL_WINDOW,
    INTERVAL_COUNTS_DOWN,
    INTERVAL_IS_PASSED_ON,
    NONE_STAYS_NONE,
];

/// An interval of one second is over by then, however the seconds are rounded.
const PAST_ONE_SECOND: Duration = Duration::from_millis(2500);

/// The interval in a delivery is what was sent less the time since, which lies between these two. How seconds are
/// rounded is not said: one more or less is right too.
fn counted_down(delivery: &Received, sent: u32, least: Duration, most: Duration) -> Story {
    let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let lowest = sent.saturating_sub(seconds(most)).saturating_sub(2);
    let highest = sent.saturating_sub(seconds(least)).saturating_add(1).min(sent);
    match delivery.publish().and_then(|p| p.properties.message_expiry_interval()) {
        Some(interval) if (lowest..=highest).contains(&interval) => Ok(()),
        _ => Err(Stop::violates(
            format!("a Message Expiry Interval of {lowest} to {highest}"),
            delivery.line(),
        )
        .at(delivery.index)),
    }
}

check! {
    /// A message that waits for an absent subscriber is deleted when its Message Expiry Interval has passed.
    ///
    /// Sends     A publishes to B, which is away, a message that expires after one second and one that does not; B
    ///           comes back after more than two.
    /// Demands   B receives the second and not the first.
    /// Leaves    how seconds are rounded.
    EXPIRED_MESSAGE_IS_DELETED "expiry/expired_message_is_deleted",
    covers: [V5 / "MQTT-3.3.2-5"],
    needs: [Qos1],
    proved: ["message_expiry_ignored"],
    waits: 2.5,
    run: async |w| {
        let (brief, lasting) = (w.topic("brief"), w.topic("lasting"));
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&brief, Qos::AtLeastOnce).await?;
        b.subscribe(&lasting, Qos::AtLeastOnce).await?;
        b.disconnect().await;

        let mut a = w.connect("a").await?;
        a.publish(&brief, b"1 s").qos1().property(Property::MessageExpiryInterval(1)).acknowledged().await?;
        a.publish(&lasting, b"for ever").qos1().acknowledged().await?;
        w.let_pass(PAST_ONE_SECOND, "Message Expiry Interval 1").await;

        let mut b = w.client("b").resume(60).connect().await?;
        b.await_message(publish(&lasting)).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&brief).await
    }
}

check! {
    /// A retained message is deleted when its Message Expiry Interval has passed.
    ///
    /// Sends     A publishes a retained message that expires after one second and one that does not; B subscribes to
    ///           both after more than two.
    /// Demands   B receives the second and not the first.
    /// Leaves    how seconds are rounded.
    EXPIRED_RETAINED_MESSAGE_IS_DELETED "expiry/expired_retained_message_is_deleted",
    covers: [V5 / "MQTT-3.3.2-5", V5 / "U5-PUB-9"],
    needs: [Retain, Qos1],
    proved: ["retained_not_expired"],
    waits: 2.5,
    run: async |w| {
        let (brief, lasting) = (w.topic("brief"), w.topic("lasting"));
        let mut a = w.connect("a").await?;
        let expires = Property::MessageExpiryInterval(1);
        a.publish(&brief, b"1 s").qos1().retain().property(expires).acknowledged().await?;
        a.publish(&lasting, b"for ever").qos1().retain().acknowledged().await?;
        w.let_pass(PAST_ONE_SECOND, "Message Expiry Interval 1").await;

        let mut b = w.connect("b").await?;
        b.subscribe(&brief, Qos::AtLeastOnce).await?;
        b.subscribe(&lasting, Qos::AtLeastOnce).await?;
        b.await_message(publish(&lasting)).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&brief).await
    }
}

check! {
    /// A message that waits behind a full Receive Maximum is deleted when its Message Expiry Interval has passed.
    ///
    /// Sends     A publishes three messages to B, whose Receive Maximum is 1: the second expires after one second.
    ///           B acknowledges the first after more than two.
    ///           A publishes a fourth then.
    /// Demands   B receives the third, then the fourth, and never the second, whose delivery could not begin in time.
    /// Leaves    how seconds are rounded; whether the third waits for the fourth to be published.
    EXPIRED_BEHIND_A_FULL_WINDOW "expiry/expired_behind_a_full_receive_maximum",
    covers: [V5 / "MQTT-3.3.2-5", V5 / "MQTT-4.6.0-5"],
    needs: [Qos1],
    proved: ["message_expiry_ignored"],
    waits: 2.5,
    run: async |w| {
        let (topic, brief) = (w.topic("lasting"), w.topic("brief"));
        let builder = w.client("b").property(Property::ReceiveMaximum(1)).acknowledge_by_hand();
        let mut b = builder.connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.subscribe(&brief, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"first").qos1().acknowledged().await?;
        a.publish(&brief, b"second").qos1().property(Property::MessageExpiryInterval(1)).acknowledged().await?;
        a.publish(&topic, b"third").qos1().acknowledged().await?;
        let first = b.await_message(publish(&topic).payload(b"first")).await?;
        w.let_pass(PAST_ONE_SECOND, "Message Expiry Interval 1").await;

        b.acknowledge_at_once();
        b.puback(first.id()?, ReasonCode::SUCCESS).await?;
        // Not every broker looks at its queue on PUBACK; on a new message all do, if the PUBACK has come before it: the
        // two are on different connections.
        b.ping().await?;
        a.publish(&topic, b"fourth").qos1().acknowledged().await?;
        let next = b.await_message(publish(&topic)).await?;
        if next.payload() != b"third" {
            let order = Stop::violates(format!("PUBLISH {topic} \"third\" next"), next.line()).at(next.index);
            return Err(order.citing(w.cite("MQTT-4.6.0-5")));
        }
        b.await_message(publish(&topic)).await?;
        b.expect_no_publish(&brief).await
    }
}

check! {
    /// The time that a message waited is taken off its Message Expiry Interval.
    ///
    /// Sends     A publishes, with a Message Expiry Interval of 100 s, to B, which is away, and retained; B comes back
    ///           and C subscribes after more than two seconds.
    /// Demands   an interval lowered by the seconds waited in both deliveries.
    /// Leaves    how seconds are rounded: one more or less is right too.
    INTERVAL_COUNTS_DOWN "expiry/interval_counts_down",
    covers: [V5 / "MQTT-3.3.2-6"],
    needs: [Qos1],
    proved: ["message_expiry_not_decremented", "message_expiry_lost"],
    waits: 2.5,
    run: async |w| {
        let topic = w.topic("waiting");
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.disconnect().await;
        let mut a = w.connect("a").await?;
        let sent = Instant::now();
        let message = a.publish(&topic, b"100 s").qos1().property(Property::MessageExpiryInterval(100));
        let message = if w.abilities().retain { message.retain() } else { message };
        message.acknowledged().await?;
        w.let_pass(PAST_ONE_SECOND, "part of Message Expiry Interval 100").await;

        let mut b = w.client("b").resume(60).connect().await?;
        let queued = b.await_message(publish(&topic)).await?;
        counted_down(&queued, 100, PAST_ONE_SECOND, sent.elapsed())?;
        if w.abilities().retain {
            let mut c = w.connect("c").await?;
            c.subscribe(&topic, Qos::AtLeastOnce).await?;
            let retained = c.await_message(publish(&topic)).await?;
            counted_down(&retained, 100, PAST_ONE_SECOND, sent.elapsed())?;
        }
        Ok(())
    }
}

check! {
    /// A message that did not wait keeps its Message Expiry Interval.
    ///
    /// Sends     A publishes to B with intervals of 100 s, 4,294,967,295 s and 258 s.
    /// Demands   B receives each with its interval, less the time under way.
    /// Leaves    how seconds are rounded.
    INTERVAL_IS_PASSED_ON "expiry/interval_is_passed_on",
    covers: [V5 / "MQTT-3.3.2-6", V5 / "U5-INT-1"],
    needs: [Qos1],
    proved: ["message_expiry_lost", "message_expiry_byte_order"],
    run: async |w| {
        let topic = w.topic("live");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for interval in [100, u32::MAX, 258] {
            let (sent, payload) = (Instant::now(), interval.to_string());
            let expires = Property::MessageExpiryInterval(interval);
            a.publish(&topic, payload.as_bytes()).qos1().property(expires).acknowledged().await?;
            let delivery = b.await_message(publish(&topic)).await?;
            counted_down(&delivery, interval, Duration::ZERO, sent.elapsed())?;
        }
        Ok(())
    }
}

check! {
    /// A message without Message Expiry Interval never expires, and so is delivered without one.
    ///
    /// Sends     A publishes to B without a Message Expiry Interval.
    /// Demands   B receives the message without one.
    /// Leaves    nothing.
    NONE_STAYS_NONE "expiry/none_stays_none",
    covers: [V5 / "U5-PUB-16"],
    needs: [Qos1],
    proved: ["message_expiry_invented"],
    run: async |w| {
        let topic = w.topic("lasting");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"for ever").qos1().acknowledged().await?;
        b.expect(publish(&topic).without(PropertyId::MessageExpiryInterval)).await?;
        Ok(())
    }
}
