//! SUBSCRIBE and SUBACK. [3.1.1 §3.8, §3.9] [5.0 §3.8, §3.9]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Received, Stop, Story, publish, suback};
use crate::verdict::Verdict;
use mqtt_assay_codec::{
    Packet, PacketId, PacketType, Properties, Qos, Subscribe, SubscriptionList, SubscriptionOptions,
};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    ANSWERED_WITH_ITS_ID,
    ONE_CODE_FOR_EACH_FILTER,
    CODES_TELL_THE_GRANTED_QOS,
    NO_MORE_IS_GRANTED,
    REFUSED_FILTER_GETS_NOTHING,
    SEVERAL_FILTERS_TAKE_EFFECT,
    LAST_OF_EQUAL_FILTERS_COUNTS,
    REPLACES_AN_IDENTICAL_FILTER,
    REPLACING_SENDS_RETAINED_AGAIN,
    REPLACING_LOSES_NOTHING,
    DELIVERED_AT_THE_LOWER_QOS,
    LOWER_QOS_FOR_RETAINED_AND_WAITING,
];

/// Sends a SUBSCRIBE for these filters and takes its SUBACK as a step.
async fn subscribe_all(client: &mut Client<'_>, filters: &[(String, Qos)]) -> Result<Received, Stop> {
    let mut list = SubscriptionList::new();
    for (filter, qos) in filters {
        list.push(filter, SubscriptionOptions::qos(*qos));
    }
    let id = client.send_subscribe(&list, Properties::NONE).await?;
    client.await_message(suback(id)).await
}

check! {
    /// Each SUBSCRIBE is answered with one SUBACK that has its Packet Identifier.
    ///
    /// Sends     SUBSCRIBE with the identifiers 1, 0x0100 and 0xFFFF in one segment.
    /// Demands   one SUBACK for each of them.
    /// Leaves    the order of the answers; what the codes grant.
    ANSWERED_WITH_ITS_ID "subscribe/answered_with_its_id",
    covers: [
        V3_1_1 / "MQTT-2.3.1-7", V3_1_1 / "MQTT-3.8.4-1", V3_1_1 / "MQTT-3.8.4-2",
        V5 / "MQTT-2.2.1-6", V5 / "MQTT-3.8.4-1", V5 / "MQTT-3.8.4-2",
    ],
    needs: [],
    proved: ["suback_missing", "suback_wrong_id"],
    run: async |w| {
        let ids = [1, 0x100, 0xFFFF].map(|id| PacketId::new(id).unwrap_or(PacketId::MIN));
        let options = SubscriptionOptions::default();
        let lists = ids.map(|id| SubscriptionList::one(&w.topic(&id.to_string()), options));
        let mut packets = Vec::new();
        for (packet_id, list) in ids.into_iter().zip(&lists) {
            let (properties, subscriptions) = (Properties::NONE, list.view());
            packets.push(Packet::Subscribe(Subscribe { packet_id, properties, subscriptions }));
        }
        let mut a = w.connect("a").await?;
        a.send_together(&packets).await?;
        for id in ids {
            a.expect(suback(id)).await?;
        }
        a.expect_none(PacketType::Suback).await
    }
}

check! {
    /// A SUBSCRIBE is answered with one SUBACK, which has one code for each of its filters.
    ///
    /// Sends     SUBSCRIBE with 1, 2 and 50 filters, and with three of which two are equal.
    /// Demands   one SUBACK with 1, 2, 50 and 3 codes, each listed for SUBACK.
    /// Leaves    whether a filter is granted.
    ONE_CODE_FOR_EACH_FILTER "subscribe/one_code_for_each_filter",
    covers: [
        V3_1_1 / "MQTT-3.8.4-4", V3_1_1 / "MQTT-3.8.4-5", V3_1_1 / "MQTT-3.9.3-2",
        V5 / "MQTT-3.8.4-5", V5 / "MQTT-3.8.4-6", V5 / "MQTT-3.9.3-2",
    ],
    needs: [],
    proved: ["suback_codes_short", "suback_for_each_filter", "suback_code_unlisted"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        for (count, different) in [(1, 1), (2, 2), (50, 50), (3, 2)] {
            let filters: Vec<(String, Qos)> =
                (0..count).map(|n| (w.topic(&format!("{count}/{}", n % different)), Qos::AtMostOnce)).collect();
            let answer = subscribe_all(&mut a, &filters).await?;
            if answer.codes().len() != count {
                return Err(Stop::violates(format!("{count} codes for {count} filters"), answer.line())
                    .at(answer.index));
            }
            a.expect_none(PacketType::Suback).await?;
        }
        Ok(())
    }
}

check! {
    /// The codes of SUBACK stand in the order of the filters and tell the QoS up to which each will be
    /// served.
    ///
    /// Sends     B subscribes to three topics at QoS 2, 0 and 1 in one packet; A publishes to each at QoS 2.
    /// Demands   each message comes at the QoS that its topic's code names, and none where the code refuses.
    /// Leaves    the broker may grant less than asked for, or nothing; QoS 0 may get lost.
    CODES_TELL_THE_GRANTED_QOS "subscribe/codes_tell_the_granted_qos",
    covers: [
        V3_1_1 / "MQTT-3.8.4-5", V3_1_1 / "MQTT-3.9.3-1", V5 / "MQTT-3.8.4-7", V5 / "MQTT-3.9.3-1",
    ],
    needs: [Qos2],
    proved: ["suback_codes_reversed", "suback_code_not_granted"],
    run: async |w| {
        let levels = [Qos::ExactlyOnce, Qos::AtMostOnce, Qos::AtLeastOnce];
        let filters = levels.map(|qos| (w.topic(&qos.to_string()), qos));
        let mut b = w.connect("b").await?;
        let answer = subscribe_all(&mut b, &filters).await?;
        let mut a = w.connect("a").await?;
        for (topic, _) in &filters {
            a.publish(topic, b"message").qos2().acknowledged().await?;
        }
        b.settle(&mut a, Qos::AtMostOnce).await?;
        for ((topic, _), code) in filters.iter().zip(answer.codes()) {
            let Some(granted) = Qos::from_u8(*code) else {
                b.expect_no_publish(topic).await?;
                continue;
            };
            if granted > Qos::AtMostOnce || b.inbox().any(|received| received.topic() == topic) {
                b.expect(publish(topic).qos(granted)).await?;
            }
        }
        Ok(())
    }
}

check! {
    /// A subscription is granted at most the QoS that its Client asked for.
    ///
    /// Sends     SUBSCRIBE with a filter at QoS 0, one at QoS 1 and one at QoS 2.
    /// Demands   SUBACK with no QoS above that asked for.
    /// Leaves    less may be granted, or nothing. No numbered statement forbids more: it is a deviation.
    NO_MORE_IS_GRANTED "subscribe/no_more_is_granted_than_asked",
    covers: [V3_1_1 / "U3-SUB-1", V5 / "U5-SUB-9"],
    needs: [],
    proved: ["suback_grants_more"],
    run: async |w| {
        let levels = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];
        let filters = levels.map(|qos| (w.topic(&qos.to_string()), qos));
        let mut a = w.connect("a").await?;
        let answer = subscribe_all(&mut a, &filters).await?;
        let above = |(asked, code): (&Qos, &u8)| Qos::from_u8(*code).is_some_and(|granted| granted > *asked);
        if levels.iter().zip(answer.codes()).any(above) {
            w.deviates(None, "SUBACK with codes of at most 0x00 0x01 0x02", answer.line());
        }
        Ok(())
    }
}

check! {
    /// What matches a Topic Filter that was refused is not sent to the Client.
    ///
    /// Sends     B subscribes to topics of more and more levels; where SUBACK refuses, A publishes there.
    /// Demands   no message for B.
    /// Leaves    which filters are refused, if any; a broker that grants them all is not tested.
    REFUSED_FILTER_GETS_NOTHING "subscribe/refused_filter_gets_nothing",
    covers: [V3_1_1 / "MQTT-3.8.4-5", V5 / "MQTT-3.8.4-7"],
    needs: [Qos1],
    proved: ["refused_filter_subscribed"],
    alone: Last,
    run: async |w| {
        const LEVELS: [usize; 5] = [2, 20, 200, 2_000, 20_000];
        let mut refused = false;
        for levels in LEVELS {
            let topic = w.topic("deep") + &"/x".repeat(levels - 1);
            let mut b = w.connect_alive(&format!("b{levels}")).await?;
            let list = SubscriptionList::one(&topic, SubscriptionOptions::qos(Qos::AtLeastOnce));
            let asked = Instant::now();
            b.send_subscribe(&list, Properties::NONE).await?;
            b.reaction().await?;
            // Some are busy with such a filter for minutes, and with a deeper one for longer.
            if asked.elapsed() >= w.patience() {
                break;
            }
            let code = b.inbox().find_map(|received| match received.packet() {
                Packet::Suback(suback) => suback.codes.first().copied(),
                _ => None,
            });
            match code {
                Some(0..0x80) => continue,
                Some(_) => refused = true,
                // What ends the connection is no answer that could be broken.
                None => break,
            }
            // It may end the connection of its publisher, too.
            let mut a = w.connect_alive(&format!("a{levels}")).await?;
            a.publish(&topic, b"refused").qos1().send().await?;
            a.reaction().await?;
            let mut other = w.connect("other").await?;
            b.settle(&mut other, Qos::AtLeastOnce).await?;
            b.expect_no_publish(&topic).await?;
        }
        if refused {
            return Ok(());
        }
        Err(Stop::not_tested(format!(
            "a SUBACK that refuses: none comes for Topic Filters of up to {} levels",
            LEVELS[LEVELS.len() - 1]
        )))
    }
}

check! {
    /// A SUBSCRIBE with several filters has the effect of one SUBSCRIBE for each.
    ///
    /// Sends     B subscribes to three topics in one packet; A publishes to each.
    /// Demands   B receives all three messages.
    /// Leaves    nothing.
    SEVERAL_FILTERS_TAKE_EFFECT "subscribe/several_filters_take_effect",
    covers: [V3_1_1 / "MQTT-3.8.4-4", V5 / "MQTT-3.8.4-5"],
    needs: [Qos1],
    proved: ["only_first_filter_subscribed"],
    run: async |w| {
        let filters = ["one", "two", "three"].map(|name| (w.topic(name), Qos::AtLeastOnce));
        let mut b = w.connect("b").await?;
        granted(&subscribe_all(&mut b, &filters).await?, &[1, 1, 1])?;
        let mut a = w.connect("a").await?;
        for (topic, _) in &filters {
            a.publish(topic, b"message").qos1().acknowledged().await?;
        }
        for (topic, _) in &filters {
            b.expect(publish(topic).payload(b"message")).await?;
        }
        Ok(())
    }
}

/// The broker grants what the story stands on; less is its right.
fn granted(answer: &Received, codes: &[u8]) -> Story {
    if answer.codes() == codes {
        return Ok(());
    }
    Err(Stop::unsupported(format!("the broker does not grant what the check asks for: {}", answer.line())))
}

check! {
    /// Of two identical filters in one SUBSCRIBE the later one counts, as if it had come in a later packet.
    ///
    /// Sends     B subscribes to a topic at QoS 0 and again at QoS 2 in one packet; A publishes at QoS 2.
    /// Demands   B receives one copy, at QoS 2.
    /// Leaves    nothing.
    LAST_OF_EQUAL_FILTERS_COUNTS "subscribe/last_of_equal_filters_counts",
    covers: [V3_1_1 / "MQTT-3.8.4-4", V5 / "MQTT-3.8.4-5"],
    needs: [Qos2],
    proved: ["resubscribe_keeps_old_options", "only_first_filter_subscribed"],
    run: async |w| {
        let topic = w.topic("twice");
        let mut b = w.connect("b").await?;
        let filters = [(topic.clone(), Qos::AtMostOnce), (topic.clone(), Qos::ExactlyOnce)];
        granted(&subscribe_all(&mut b, &filters).await?, &[0, 2])?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"message").qos2().acknowledged().await?;
        b.expect(publish(&topic).qos(Qos::ExactlyOnce)).await?;
        b.settle(&mut a, Qos::ExactlyOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// A SUBSCRIBE with the filter of an existing subscription replaces that subscription.
    ///
    /// Sends     B subscribes at QoS 0, to the same filter at QoS 1, and at QoS 0 again; A publishes at QoS 1 after the
    ///           second and the third.
    /// Demands   B receives one copy each time, first at QoS 1, then at QoS 0.
    /// Leaves    the copy at QoS 0 may get lost.
    REPLACES_AN_IDENTICAL_FILTER "subscribe/replaces_an_identical_filter",
    covers: [V3_1_1 / "MQTT-3.8.4-3", V5 / "MQTT-3.8.4-3"],
    needs: [Qos1],
    proved: ["resubscribe_adds", "resubscribe_keeps_old_options"],
    run: async |w| {
        let topic = w.topic("again");
        let mut b = w.connect("b").await?;
        let mut a = w.connect("a").await?;
        b.subscribe(&topic, Qos::AtMostOnce).await?;
        for qos in [Qos::AtLeastOnce, Qos::AtMostOnce] {
            b.subscribe(&topic, qos).await?;
            a.publish(&topic, b"message").qos1().acknowledged().await?;
            b.settle(&mut a, Qos::AtLeastOnce).await?;
            if qos > Qos::AtMostOnce || b.inbox().any(|received| received.topic() == topic) {
                b.expect(publish(&topic).qos(qos)).await?;
            }
            b.expect_no_publish(&topic).await?;
        }
        Ok(())
    }
}

check! {
    /// When a subscription is replaced, the retained messages that it matches are sent again.
    ///
    /// Sends     A stores a message; B subscribes to its topic twice.
    /// Demands   B receives the message for each SUBSCRIBE, with RETAIN 1.
    /// Leaves    5.0: Retain Handling, which is 0 here.
    REPLACING_SENDS_RETAINED_AGAIN "subscribe/replacing_sends_retained_again",
    covers: [V3_1_1 / "MQTT-3.8.4-3", V3_1_1 / "MQTT-3.3.1-8", V5 / "MQTT-3.3.1-9", V5 / "MQTT-3.8.4-4"],
    needs: [Retain, Qos1],
    proved: ["retained_not_sent_again"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.await_message(publish(&topic).payload(b"on")).await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.expect(publish(&topic).payload(b"on").retain(true)).await?;
        Ok(())
    }
}

check! {
    /// Replacing a subscription loses no message.
    ///
    /// Sends     A publishes 40 messages at QoS 1 while B, which acknowledges nothing yet, subscribes again
    ///           after each tenth, at QoS 1 and at QoS 2 in turn; then B acknowledges.
    /// Demands   B receives all 40, at QoS 1.
    /// Leaves    how many deliveries may be outstanding (5.0: at most 3, B's Receive Maximum).
    REPLACING_LOSES_NOTHING "subscribe/replacing_loses_nothing",
    covers: [V3_1_1 / "MQTT-3.8.4-3", V5 / "MQTT-3.8.4-4"],
    needs: [Qos1],
    proved: ["resubscribe_drops_queue"],
    run: async |w| {
        let topic = w.topic("stream");
        let limit = mqtt_assay_codec::Property::ReceiveMaximum(3);
        let mut b = w.client("b").property(limit).acknowledge_by_hand().connect().await?;
        let mut a = w.connect("a").await?;
        for number in 0..40 {
            if number % 10 == 0 {
                // A subscription with the same options may stay as it is. A lower QoS than is asked for serves as well.
                let qos = if number % 20 == 10 { Qos::ExactlyOnce } else { Qos::AtLeastOnce };
                match b.subscribe(&topic, qos).await {
                    Err(stop) if stop.verdict() != Verdict::Unsupported || qos == Qos::AtLeastOnce => return Err(stop),
                    _ => {}
                }
            }
            a.publish(&topic, format!("{number}").as_bytes()).qos1().acknowledged().await?;
        }
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        for number in 0..40 {
            let payload = format!("{number}").into_bytes();
            let next = b.expect(publish(&topic).payload(&payload)).await?;
            b.puback(next.id()?, mqtt_assay_codec::ReasonCode::SUCCESS).await?;
        }
        Ok(())
    }
}

check! {
    /// A message comes at the lower of the QoS at which it was published and the QoS that was granted.
    ///
    /// Sends     B subscribes to nine topics, and where the broker takes wildcards to nine filters with `+`, A publishes
    ///           to them: each QoS meets each.
    /// Demands   the lower QoS for each delivery.
    /// Leaves    QoS 0 may get lost; a QoS 1 message may come more than once where QoS 0 was granted.
    DELIVERED_AT_THE_LOWER_QOS "subscribe/delivered_at_the_lower_qos",
    covers: [V3_1_1 / "MQTT-3.8.4-6", V5 / "MQTT-3.8.4-8"],
    needs: [Qos1, Qos2],
    proved: ["delivered_at_lower_qos", "delivered_at_granted_qos", "delivered_at_published_qos"],
    run: async |w| {
        let mut b = w.connect("b").await?;
        let mut a = w.connect("a").await?;
        let names = if w.abilities().wildcards { &["topic", "+"][..] } else { &["topic"] };
        for (place, name) in names.iter().enumerate() {
            for (granted, published) in Qos::ALL.into_iter().flat_map(|one| Qos::ALL.map(|other| (one, other))) {
                let level = |name: &str| w.topic(&format!("{place}/{granted}/{published}/{name}"));
                let (filter, topic) = (level(name), level("topic"));
                b.subscribe(&filter, granted).await?;
                a.publish(&topic, b"message").qos(published).acknowledged().await?;
                let lower = granted.min(published);
                if lower == Qos::AtMostOnce {
                    b.settle(&mut a, published).await?;
                }
                if lower > Qos::AtMostOnce || b.inbox().any(|received| received.topic() == topic) {
                    let came = b.await_message(publish(&topic)).await?;
                    if came.publish().is_some_and(|publish| publish.qos != lower) {
                        let expected = format!("PUBLISH {topic} at QoS {lower}");
                        return Err(Stop::violates(expected, came.line()).at(came.index));
                    }
                }
            }
        }
        Ok(())
    }
}

check! {
    /// The lower QoS holds also for retained messages and for those that waited for a subscriber.
    ///
    /// Sends     A stores a message at QoS 2; B subscribes at QoS 1 and leaves; A publishes at QoS 2; B
    ///           resumes.
    /// Demands   B receives both at QoS 1.
    /// Leaves    nothing.
    LOWER_QOS_FOR_RETAINED_AND_WAITING "subscribe/lower_qos_for_retained_and_waiting",
    covers: [V3_1_1 / "MQTT-3.8.4-6", V5 / "MQTT-3.8.4-8"],
    needs: [Retain, Qos1, Qos2],
    proved: ["delivered_at_lower_qos", "delivered_at_published_qos"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"retained").qos2().retain().acknowledged().await?;
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.expect(publish(&topic).payload(b"retained").qos(Qos::AtLeastOnce)).await?;
        b.disconnect().await;
        a.publish(&topic, b"waiting").qos2().acknowledged().await?;
        let mut b = w.client("b").resumed(60).await?;
        // The retained message may come again: its PUBACK may not have got there.
        b.expect(publish(&topic).carrying(b"waiting").qos(Qos::AtLeastOnce)).await?;
        Ok(())
    }
}
