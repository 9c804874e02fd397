//! Topic Alias, in both directions. [5.0 §3.3.2.3.4]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Severity, Stop, Story, World, publish};
use mqtt_assay_codec::raw::{Builder, property};
use mqtt_assay_codec::{Offence, Property, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    BROKER_STAYS_WITHIN_THE_CLIENTS_MAXIMUM,
    BROKERS_END_WITH_THE_CONNECTION,
    BROKER_USES_NONE_UNASKED,
    ABOVE_THE_BROKERS_MAXIMUM_IS_REFUSED,
    ENDS_WITH_ITS_CONNECTION,
    ZERO_IS_REFUSED,
    EVERY_ALIAS_TO_THE_MAXIMUM_WORKS,
    A_NEW_TOPIC_REPLACES_THE_OLD,
    UNKNOWN_ALIAS_IS_REFUSED,
];

/// A publishes twice to each of five topics; B must get each message on its own topic. The passive rules look at the
/// aliases themselves.
async fn five_topics_twice(w: &World, b: &mut Client<'_>) -> Story {
    let topics: Vec<String> = (1..=5).map(|n| w.topic(&format!("five/{n}"))).collect();
    let mut a = w.connect("a").await?;
    for topic in &topics {
        b.subscribe(topic, Qos::AtLeastOnce).await?;
    }
    for round in ["first", "second"] {
        for topic in &topics {
            let payload = format!("{round} on {topic}");
            a.publish(topic, payload.as_bytes()).qos1().acknowledged().await?;
            b.expect(publish(topic).payload(payload.as_bytes())).await?;
        }
    }
    b.ping().await
}

/// Publishes with an empty Topic Name, and demands the message on the topic that the alias stands for.
async fn stands_for(a: &mut Client<'_>, alias: u16, b: &mut Client<'_>, topic: &str, qos: Qos) -> Story {
    let payload = format!("alias {alias} at QoS {qos}");
    let message = a.publish("", payload.as_bytes()).qos(qos).property(Property::TopicAlias(alias));
    let expected = publish(topic).payload(payload.as_bytes());
    match qos {
        // A QoS 0 message may get lost.
        Qos::AtMostOnce => {
            message.send().await?;
            b.await_message(expected).await?;
        }
        Qos::AtLeastOnce => {
            message.send().await?;
            b.expect(expected).await?;
        }
        Qos::ExactlyOnce => {
            message.acknowledged().await?;
            b.expect(expected).await?;
        }
    }
    Ok(())
}

check! {
    /// The broker uses no Topic Alias above the Client's Topic Alias Maximum, and each stands for the right topic.
    ///
    /// Sends     B allows two aliases; A publishes twice to each of five topics that B subscribes to.
    /// Demands   each message on its own topic, with aliases 1 and 2 at most.
    /// Leaves    whether the broker uses aliases at all.
    BROKER_STAYS_WITHIN_THE_CLIENTS_MAXIMUM "alias/broker_stays_within_the_clients_maximum",
    covers: [V5 / "MQTT-3.1.2-26", V5 / "MQTT-3.3.2-11"],
    needs: [Qos1],
    proved: ["topic_alias_beyond_maximum"],
    run: async |w| {
        let mut b = w.client("b").property(Property::TopicAliasMaximum(2)).connect().await?;
        five_topics_twice(w, &mut b).await
    }
}

check! {
    /// The broker's Topic Aliases end with the connection, also where the session goes on.
    ///
    /// Sends     B allows two aliases and subscribes to a topic; A publishes to it; B leaves, and A publishes again; B
    ///           resumes its session, allowing two aliases; it leaves, A publishes, and B resumes allowing none.
    /// Demands   each message with its Topic Name, and with no Topic Alias in the end.
    /// Leaves    whether the broker uses aliases at all.
    BROKERS_END_WITH_THE_CONNECTION "alias/brokers_end_with_the_connection",
    covers: [V5 / "MQTT-3.3.2-7", V5 / "MQTT-3.1.2-27"],
    needs: [Qos1],
    proved: ["server_topic_aliases_survive_connection"],
    run: async |w| {
        let topic = w.topic("a");
        let mut a = w.connect("a").await?;
        let mut b = w.client("b").persistent(60).property(Property::TopicAliasMaximum(2)).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        a.publish(&topic, b"one").qos1().acknowledged().await?;
        let came = b.await_message(publish(&topic)).await?;
        let aliases = came.publish().is_some_and(|first| first.properties.topic_alias().is_some());
        w.note(format!("the broker uses Topic Aliases: {aliases}"));
        for (payload, maximum) in [(&b"two"[..], Some(2)), (b"three", None)] {
            // What B has acknowledged must not come again.
            b.ping().await?;
            b.disconnect().await;
            a.publish(&topic, payload).qos1().acknowledged().await?;
            let mut builder = w.client("b");
            if let Some(maximum) = maximum {
                builder = builder.property(Property::TopicAliasMaximum(maximum));
            }
            b = builder.resumed(60).await?;
            // An alias without a Topic Name, and one that B does not allow, are told by what every packet is held against.
            b.await_message(publish(&topic).carrying(payload)).await?;
        }
        Ok(())
    }
}

check! {
    /// The broker sends no Topic Alias to a Client that allows none.
    ///
    /// Sends     B says no Topic Alias Maximum, then 0; A publishes twice to each of five topics that B subscribes to.
    /// Demands   each message on its own topic, without a Topic Alias.
    /// Leaves    nothing.
    BROKER_USES_NONE_UNASKED "alias/broker_uses_none_unasked",
    covers: [V5 / "MQTT-3.1.2-27", V5 / "U5-PUB-4"],
    needs: [Qos1],
    proved: ["topic_alias_unasked"],
    run: async |w| {
        let mut b = w.connect("b").await?;
        five_topics_twice(w, &mut b).await?;
        b.disconnect().await;
        let mut b = w.client("b").property(Property::TopicAliasMaximum(0)).connect().await?;
        five_topics_twice(w, &mut b).await
    }
}

check! {
    /// A Topic Alias above the broker's Topic Alias Maximum is refused.
    ///
    /// Sends     PUBLISH with the highest alias and one more; without a maximum, PUBLISH with alias 1.
    /// Demands   the end of the connection, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    ABOVE_THE_BROKERS_MAXIMUM_IS_REFUSED "alias/above_the_brokers_maximum_is_refused",
    covers: [V5 / "MQTT-3.2.2-17", V5 / "MQTT-3.2.2-18", V5 / "MQTT-4.13.1-1"],
    needs: [],
    proved: ["topic_alias_above_maximum_accepted"],
    run: async |w| {
        let Some(above) = w.abilities().topic_alias_maximum.checked_add(1) else {
            return Err(Stop::not_tested("the broker allows every Topic Alias"));
        };
        let packet = Builder::new(0x30)
            .string(w.wrong_topic().as_bytes())
            .properties(&[&property(0x23, &above.to_be_bytes())])
            .bytes(b"payload");
        w.wrong_by_hand()
            .and(format!("topic-alias-{above}"), packet.finish())
            .code(ReasonCode::TOPIC_ALIAS_INVALID)
            .each_refused()
            .await
    }
}

check! {
    /// A Topic Alias ends with its connection, also where the session goes on.
    ///
    /// Sends     A gives alias 1 a topic, reconnects with its session, and publishes with alias 1 and no Topic Name;
    ///           B subscribes to the topic.
    /// Demands   the end of A's connection; B does not receive the second message.
    /// Leaves    how strictly to check is left to the broker; delivering to the old topic is wrong in any case.
    ENDS_WITH_ITS_CONNECTION "alias/ends_with_its_connection",
    covers: [V5 / "MQTT-3.3.2-7"],
    needs: [Qos1, TopicAliases],
    proved: ["topic_alias_survives_connection"],
    run: async |w| {
        let topic = w.topic("once");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.client("a").persistent(60).connect().await?;
        a.publish(&topic, b"given").property(Property::TopicAlias(1)).acknowledged().await?;
        b.await_message(publish(&topic).payload(b"given")).await?;
        a.disconnect().await;

        let mut a = w.client("a").resume(60).connect().await?;
        a.publish("", b"gone").property(Property::TopicAlias(1)).send().await?;
        a.refuses(ReasonCode::TOPIC_ALIAS_INVALID, Severity::MayOverlook).await?;
        let mut other = w.connect("other").await?;
        b.settle(&mut other, Qos::AtMostOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// Topic Alias 0 is refused.
    ///
    /// Sends     PUBLISH with a Topic Name and Topic Alias 0.
    /// Demands   the end of the connection, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    ZERO_IS_REFUSED "alias/zero_is_refused",
    covers: [V5 / "MQTT-3.3.2-8"],
    needs: [],
    proved: ["topic_alias_zero_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::TopicAliasZero)
            .code(ReasonCode::TOPIC_ALIAS_INVALID)
            .each_refused()
            .await
    }
}

check! {
    /// Every Topic Alias from 1 to the broker's Topic Alias Maximum works, at every QoS.
    ///
    /// Sends     A gives the lowest, the middle and the highest alias a topic each, then publishes with the alias
    ///           alone; B subscribes to the topics.
    /// Demands   B receives each message on its topic.
    /// Leaves    nothing.
    EVERY_ALIAS_TO_THE_MAXIMUM_WORKS "alias/every_alias_to_the_maximum_works",
    covers: [V5 / "MQTT-3.3.2-12"],
    needs: [Qos1, Qos2, TopicAliases],
    proved: ["topic_alias_maximum_refused"],
    run: async |w| {
        let maximum = w.abilities().topic_alias_maximum;
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        let mut aliases = vec![1, maximum / 2 + 1, maximum];
        aliases.dedup();
        for alias in &aliases {
            let topic = w.topic(&format!("alias/{alias}"));
            b.subscribe(&topic, Qos::ExactlyOnce).await?;
            a.publish(&topic, b"given").qos1().property(Property::TopicAlias(*alias)).send().await?;
            b.expect(publish(&topic).payload(b"given")).await?;
        }
        for qos in [Qos::AtLeastOnce, Qos::AtMostOnce, Qos::ExactlyOnce] {
            for alias in &aliases {
                stands_for(&mut a, *alias, &mut b, &w.topic(&format!("alias/{alias}")), qos).await?;
            }
        }
        Ok(())
    }
}

check! {
    /// A Topic Name beside a Topic Alias in use gives the alias a new topic.
    ///
    /// Sends     A gives alias 1 a topic, then another, then publishes with the alias alone.
    /// Demands   B, which subscribes to both, receives the last message on the second topic.
    /// Leaves    nothing.
    A_NEW_TOPIC_REPLACES_THE_OLD "alias/a_new_topic_replaces_the_old",
    covers: [V5 / "MQTT-3.3.2-12", V5 / "U5-PUB-3"],
    needs: [Qos1, TopicAliases],
    proved: ["topic_alias_not_remapped"],
    run: async |w| {
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        let (old, new) = (w.topic("old"), w.topic("new"));
        for topic in [&old, &new] {
            b.subscribe(topic, Qos::AtLeastOnce).await?;
            a.publish(topic, b"given").qos1().property(Property::TopicAlias(1)).send().await?;
            b.expect(publish(topic).payload(b"given")).await?;
        }
        stands_for(&mut a, 1, &mut b, &new, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&old).await
    }
}

check! {
    /// An empty Topic Name with a Topic Alias that was given no topic is refused.
    ///
    /// Sends     PUBLISH at QoS 0 and QoS 1 with alias 1 and no Topic Name on a new connection.
    /// Demands   the end of the connection, and no acknowledgement.
    /// Leaves    how strictly to check is left to the broker.
    UNKNOWN_ALIAS_IS_REFUSED "alias/unknown_alias_is_refused",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-PUB-2"],
    needs: [TopicAliases],
    proved: ["unknown_topic_alias_accepted"],
    run: async |w| {
        let alias = property(0x23, &[0, 1]);
        let start = |first| Builder::new(first).string(b"");
        w.wrong_by_hand()
            .and("unknown-alias-qos-0", start(0x30).properties(&[&alias]).bytes(b"x").finish())
            .and("unknown-alias-qos-1", start(0x32).u16(7).properties(&[&alias]).bytes(b"x").finish())
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}
