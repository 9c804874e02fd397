//! Subscription Identifiers. [5.0 §3.3.2.3.8, §3.3.4, §3.8.4]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Received, Stop, publish};
use mqtt_assay_codec::{PropertyId, Qos, SubscriptionOptions};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    COMES_WITH_EACH_MESSAGE,
    COMES_WITH_RETAINED_MESSAGES,
    OVERLAPPING_SUBSCRIPTIONS_GIVE_ALL,
    ONE_COPY_CARRIES_ALL,
    EACH_COPY_CARRIES_ITS_OWN,
    IS_REPLACED_WITH_ITS_SUBSCRIPTION,
    SURVIVES_THE_CONNECTION,
];

const AT_QOS_1: SubscriptionOptions = SubscriptionOptions::qos(Qos::AtLeastOnce);

/// The identifiers of a delivery, sorted: their order is free.
fn ids(delivery: &Received) -> Vec<u32> {
    let found = delivery.publish().map(|p| p.properties.subscription_identifiers().collect::<Vec<_>>());
    let mut ids = found.unwrap_or_default();
    ids.sort_unstable();
    ids
}

/// The delivery must carry exactly these identifiers.
fn carries(delivery: &Received, expected: &[u32]) -> Result<(), Stop> {
    if ids(delivery) == expected {
        return Ok(());
    }
    let expected = format!("a PUBLISH with the Subscription Identifiers {expected:?}");
    Err(Stop::violates(expected, delivery.line()).at(delivery.index))
}

/// Two overlapping subscriptions with identifiers 11 and 12, one more without; all copies of one message.
async fn overlapping(
    b: &mut Client<'_>,
    a: &mut Client<'_>,
    topic: &str,
    level: &str,
) -> Result<Vec<Received>, Stop> {
    b.subscribe_identified(topic, AT_QOS_1, 11).await?;
    b.subscribe_identified(&format!("{level}/+"), AT_QOS_1, 12).await?;
    b.subscribe_with(&format!("{level}/#"), AT_QOS_1).await?;
    a.publish(topic, b"overlapping").qos1().acknowledged().await?;
    b.settle(a, Qos::AtLeastOnce).await?;
    let copies: Vec<Received> = b.take_publishes().into_iter().filter(|r| r.topic() == topic).collect();
    if copies.is_empty() {
        return Err(Stop::inconclusive("the message did not come at all"));
    }
    Ok(copies)
}

check! {
    /// A message carries the Subscription Identifier of the subscription that it is sent for.
    ///
    /// Sends     B subscribes to one topic with identifier 1, to one with 268,435,455 and to one with none; A publishes
    ///           to all three.
    /// Demands   each message with its identifier, and the last with none.
    /// Leaves    nothing.
    COMES_WITH_EACH_MESSAGE "subscription_id/comes_with_each_message",
    covers: [V5 / "MQTT-3.3.4-3", V5 / "U5-SUB-5", V5 / "U5-PUB-11"],
    needs: [Qos1, SubscriptionIdentifiers],
    proved: ["subscription_ids_missing"],
    run: async |w| {
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        for id in [1, 268_435_455] {
            b.subscribe_identified(&w.topic(&id.to_string()), AT_QOS_1, id).await?;
        }
        b.subscribe_with(&w.topic("none"), AT_QOS_1).await?;
        for (name, expected) in [("1", &[1][..]), ("268435455", &[268_435_455]), ("none", &[])] {
            let topic = w.topic(name);
            a.publish(&topic, b"x").qos1().acknowledged().await?;
            carries(&b.await_message(publish(&topic)).await?, expected)?;
        }
        Ok(())
    }
}

check! {
    /// A retained message carries the Subscription Identifier of the new subscription that it is sent for.
    ///
    /// Sends     A publishes a retained message; B subscribes to its topic with identifier 21.
    /// Demands   B receives it with identifier 21.
    /// Leaves    nothing.
    COMES_WITH_RETAINED_MESSAGES "subscription_id/comes_with_retained_messages",
    covers: [V5 / "MQTT-3.3.4-3"],
    needs: [Retain, Qos1, SubscriptionIdentifiers],
    proved: ["subscription_ids_missing"],
    run: async |w| {
        let topic = w.topic("retained");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"x").qos1().retain().acknowledged().await?;
        let mut b = w.connect("b").await?;
        b.subscribe_identified(&topic, AT_QOS_1, 21).await?;
        carries(&b.await_message(publish(&topic)).await?, &[21])
    }
}

check! {
    /// Overlapping subscriptions: the identifiers of all of them reach the Client.
    ///
    /// Sends     B makes three subscriptions that match one topic, two of them with an identifier; A publishes to it.
    /// Demands   both identifiers in what B receives, in one copy or spread over several.
    /// Leaves    the number of copies.
    OVERLAPPING_SUBSCRIPTIONS_GIVE_ALL "subscription_id/overlapping_subscriptions_give_all",
    covers: [V5 / "MQTT-3.3.4-3"],
    needs: [Qos1, Wildcards, SubscriptionIdentifiers],
    proved: ["subscription_ids_only_one", "subscription_ids_missing"],
    run: async |w| {
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        let copies = overlapping(&mut b, &mut a, &w.topic("o/t"), &w.topic("o")).await?;
        let all: Vec<u32> = copies.iter().flat_map(ids).collect();
        if [11, 12].iter().all(|id| all.contains(id)) {
            return Ok(());
        }
        let lines: Vec<String> = copies.iter().map(Received::line).collect();
        Err(Stop::violates("the Subscription Identifiers 11 and 12 in one copy or several", lines.join("; ")))
    }
}

/// What the broker does that a statement says nothing of.
fn number_of(copies: &[Received]) -> String {
    format!("another number of copies: the broker sends {} for three overlapping subscriptions", copies.len())
}

check! {
    /// Overlapping subscriptions: a single copy carries the identifiers of all of them.
    ///
    /// Sends     B makes three subscriptions that match one topic, two of them with an identifier; A publishes to it.
    /// Demands   a single copy has both identifiers and no other.
    /// Leaves    the order of the identifiers, and the number of copies: several are left to another check.
    ONE_COPY_CARRIES_ALL "subscription_id/one_copy_carries_all",
    covers: [V5 / "MQTT-3.3.4-4"],
    needs: [Qos1, Wildcards, SubscriptionIdentifiers],
    proved: ["subscription_ids_only_one"],
    run: async |w| {
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        match &overlapping(&mut b, &mut a, &w.topic("o/t"), &w.topic("o")).await?[..] {
            [single] => carries(single, &[11, 12]),
            copies => Err(Stop::not_tested(number_of(copies))),
        }
    }
}

check! {
    /// Overlapping subscriptions: each of several copies carries the identifier of its own subscription.
    ///
    /// Sends     B makes three subscriptions that match one topic, two of them with an identifier; A publishes to it.
    /// Demands   of three copies one has identifier 11, one 12, and one none.
    /// Leaves    the number of copies; of two, each may stand for one subscription or for both others.
    EACH_COPY_CARRIES_ITS_OWN "subscription_id/each_copy_carries_its_own",
    covers: [V5 / "MQTT-3.3.4-5"],
    needs: [Qos1, Wildcards, SubscriptionIdentifiers],
    proved: ["copies_carry_every_id"],
    run: async |w| {
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        let copies = overlapping(&mut b, &mut a, &w.topic("o/t"), &w.topic("o")).await?;
        if copies.len() < 3 {
            return Err(Stop::not_tested(number_of(&copies)));
        }
        let mut found: Vec<Vec<u32>> = copies.iter().map(ids).collect();
        found.sort();
        if found == [vec![], vec![11], vec![12]] {
            return Ok(());
        }
        let lines: Vec<String> = copies.iter().map(Received::line).collect();
        Err(Stop::violates("three copies with the Subscription Identifiers 11, 12 and none", lines.join("; ")))
    }
}

check! {
    /// The identifier belongs to the subscription: a new SUBSCRIBE with the same filter replaces or removes it.
    ///
    /// Sends     B subscribes to one filter with identifier 31, then with 32, then without; A publishes after each.
    /// Demands   the messages carry 31, 32 and none.
    /// Leaves    nothing.
    IS_REPLACED_WITH_ITS_SUBSCRIPTION "subscription_id/is_replaced_with_its_subscription",
    covers: [V5 / "MQTT-3.8.4-3", V5 / "U5-SUB-5", V5 / "U5-SUB-6"],
    needs: [Qos1, SubscriptionIdentifiers],
    proved: ["resubscribe_keeps_old_options", "resubscribe_adds"],
    run: async |w| {
        let topic = w.topic("replaced");
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        for id in [31, 32] {
            b.subscribe_identified(&topic, AT_QOS_1, id).await?;
            a.publish(&topic, b"with").qos1().acknowledged().await?;
            carries(&b.await_message(publish(&topic)).await?, &[id])?;
            b.expect_no_publish(&topic).await?;
        }
        b.subscribe_with(&topic, AT_QOS_1).await?;
        a.publish(&topic, b"without").qos1().acknowledged().await?;
        b.expect(publish(&topic).payload(b"without").without(PropertyId::SubscriptionIdentifier)).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// The identifier is part of the session.
    ///
    /// Sends     B subscribes with identifier 41 and leaves; A publishes; B resumes its session; A publishes again.
    /// Demands   both messages carry 41.
    /// Leaves    nothing.
    SURVIVES_THE_CONNECTION "subscription_id/survives_the_connection",
    covers: [V5 / "MQTT-3.1.2-5", V5 / "U5-SUB-6"],
    needs: [Qos1, SubscriptionIdentifiers],
    proved: ["subscription_ids_lost_on_resume"],
    run: async |w| {
        let topic = w.topic("kept");
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe_identified(&topic, AT_QOS_1, 41).await?;
        b.disconnect().await;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"away").qos1().acknowledged().await?;
        let mut b = w.client("b").resume(60).connect().await?;
        carries(&b.await_message(publish(&topic)).await?, &[41])?;
        a.publish(&topic, b"back").qos1().acknowledged().await?;
        carries(&b.await_message(publish(&topic)).await?, &[41])
    }
}
