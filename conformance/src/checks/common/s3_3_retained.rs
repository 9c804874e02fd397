//! Retained messages. [3.1.1 §3.3.1.3] [5.0 §3.3.1.3]

use crate::check;
use crate::check::Check;
use crate::story::{Next, Stop, publish};
use crate::verdict::Verdict;
use mqtt_assay_codec::Qos;
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    RETAINED_REACHES_NEW_SUBSCRIPTION,
    RETAINED_IS_REPLACED,
    RETAINED_KEEPS_ITS_QOS,
    RETAINED_REACHES_EVERY_MATCHING_SUBSCRIPTION,
    RETAINED_GIVES_WAY_TO_QOS_0,
    LIVE_COPY_HAS_RETAIN_0,
    QUEUED_COPY_HAS_RETAIN_0,
    EMPTY_PAYLOAD_CLEARS,
    EMPTY_PAYLOAD_IS_NOT_STORED,
    RETAIN_0_LEAVES_IT_ALONE,
    RETAINED_AT_QOS_0_IS_STORED,
];

check! {
    /// A retained message is sent to a new subscription, with RETAIN set.
    ///
    /// Sends     A publishes a retained message at QoS 1; B subscribes to its topic.
    /// Demands   B receives it with RETAIN = 1.
    /// Leaves    QoS 0 retained messages may be discarded at any time [3.1.1/MQTT-3.3.1-7]: the message is
    ///           QoS 1.
    RETAINED_REACHES_NEW_SUBSCRIPTION "retained/reaches_new_subscription",
    covers: [V3_1_1 / "MQTT-3.3.1-6", V3_1_1 / "MQTT-3.3.1-8", V5 / "MQTT-3.3.1-9"],
    needs: [Retain, Qos1],
    proved: ["retained_lost", "retained_flag_cleared"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;

        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.expect(publish(&topic).payload(b"on").retain(true)).await?;
        Ok(())
    }
}

check! {
    /// A retained message takes the place of the topic's earlier one.
    ///
    /// Sends     A publishes two retained messages at QoS 1 to one topic; B subscribes to it.
    /// Demands   B receives the second and not the first.
    /// Leaves    nothing.
    RETAINED_IS_REPLACED "retained/is_replaced",
    covers: [V3_1_1 / "MQTT-3.3.1-6", V5 / "MQTT-3.3.1-5"],
    needs: [Retain, Qos1],
    proved: ["retained_not_replaced"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"old").qos1().retain().acknowledged().await?;
        a.publish(&topic, b"new").qos1().retain().acknowledged().await?;

        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.expect(publish(&topic).payload(b"new").retain(true)).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// A retained message is stored with its QoS.
    ///
    /// Sends     A publishes retained messages at QoS 1 and at QoS 2; B subscribes to both topics at QoS 2.
    /// Demands   B receives each at the QoS at which it was published.
    /// Leaves    nothing.
    RETAINED_KEEPS_ITS_QOS "retained/keeps_its_qos",
    covers: [V3_1_1 / "MQTT-3.3.1-5", V3_1_1 / "MQTT-3.8.4-6", V5 / "MQTT-3.3.1-5", V5 / "MQTT-3.8.4-8"],
    needs: [Retain, Qos1, Qos2],
    proved: ["delivered_at_granted_qos", "delivered_at_lower_qos", "retained_lost"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        let mut b = w.connect("b").await?;
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let topic = w.topic(&format!("at/{qos}"));
            a.publish(&topic, b"kept").qos(qos).retain().acknowledged().await?;
            b.subscribe(&topic, Qos::ExactlyOnce).await?;
            b.expect(publish(&topic).payload(b"kept").retain(true).qos(qos)).await?;
        }
        Ok(())
    }
}

check! {
    /// A new subscription gets the retained message of each topic that its filter matches, and of no other.
    ///
    /// Sends     A stores messages on `t/1`, `t/2`, `t/1/x`, `u/1`, `v/` and `v//x`; B subscribes to `t/+`, C to `t/#`,
    ///           D to `v/`, E to `v/+`, F to `v/+/x`.
    /// Demands   B receives `t/1` and `t/2`; C receives these and `t/1/x`; D and E receive `v/`, F `v//x`; nothing else
    ///           comes.
    /// Leaves    the order across topics.
    RETAINED_REACHES_EVERY_MATCHING_SUBSCRIPTION "retained/reaches_every_matching_subscription",
    covers: [
        V3_1_1 / "MQTT-3.3.1-6", V3_1_1 / "MQTT-3.3.1-8", V3_1_1 / "U3-SUB-1",
        V5 / "MQTT-3.3.1-9", V5 / "U5-PUB-10",
    ],
    needs: [Retain, Qos1, Wildcards],
    proved: ["retained_not_sent_for_wildcards", "retained_flag_cleared", "retained_lost"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        for name in ["t/1", "t/2", "t/1/x", "u/1", "v/", "v//x"] {
            a.publish(&w.topic(name), name.as_bytes()).qos1().retain().acknowledged().await?;
        }
        let expected = [
            ("b", "t/+", &["t/1", "t/2"][..]),
            ("c", "t/#", &["t/1", "t/2", "t/1/x"]),
            ("d", "v/", &["v/"]),
            ("e", "v/+", &["v/"]),
            ("f", "v/+/x", &["v//x"]),
        ];
        for (client, filter, names) in expected {
            let mut client = w.connect(client).await?;
            client.subscribe(&w.topic(filter), Qos::AtLeastOnce).await?;
            for name in names {
                client.expect(publish(&w.topic(name)).payload(name.as_bytes()).retain(true)).await?;
            }
            client.expect_no_publishes().await?;
        }
        Ok(())
    }
}

check! {
    /// A retained message at QoS 0 takes the place of the earlier one, whatever becomes of it afterwards.
    ///
    /// Sends     A stores a message at QoS 1 and then another at QoS 0 on the same topic; B subscribes, and C somewhat
    ///           later.
    /// Demands   C does not receive the first; B may, since nothing tells when a message at QoS 0 has been stored.
    /// Leaves    the second may be dropped at any time, though it should be kept.
    RETAINED_GIVES_WAY_TO_QOS_0 "retained/gives_way_to_qos_0",
    covers: [V3_1_1 / "MQTT-3.3.1-7", V5 / "MQTT-3.3.1-5"],
    needs: [Retain, Qos1],
    proved: ["retained_not_replaced_by_qos_0"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"old").qos1().retain().acknowledged().await?;
        a.publish(&topic, b"new").retain().acknowledged().await?;

        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        // A broker may store and fetch what it retains beside answering PINGREQ: only patience shows what is there, or
        // that nothing comes.
        let first = b.await_message(publish(&topic)).await;
        let (mut last, came) = match first {
            Ok(received) if received.payload() != b"new" => {
                let later = Instant::now() + w.patience();
                while let Next::Packet(_) = b.next(later).await? {}
                let mut c = w.connect("c").await?;
                c.subscribe(&topic, Qos::AtLeastOnce).await?;
                let came = c.await_message(publish(&topic)).await;
                (c, came)
            }
            came => (b, came),
        };
        match came {
            Ok(received) if received.payload() != b"new" => {
                Err(Stop::violates("the later message or none", received.line()).at(received.index))
            }
            Ok(_) => Ok(()),
            Err(stop) if stop.verdict() != Verdict::Inconclusive || last.ended().is_some() => Err(stop),
            Err(_) => {
                // A connection that answers nothing at all shows nothing.
                last.ping().await?;
                let rule = w.cite(if w.is_v5() { "U5-PUB-8" } else { "U3-PUB-2" });
                w.deviates(Some(rule), "a retained QoS 0 message is kept", "it does not come on subscribing");
                Ok(())
            }
        }
    }
}

check! {
    /// RETAIN is 0 in what an established subscription receives.
    ///
    /// Sends     B subscribes; then A publishes with RETAIN 1.
    /// Demands   B receives the message with RETAIN 0.
    /// Leaves    5.0: Retain As Published, which B does not ask for.
    LIVE_COPY_HAS_RETAIN_0 "retained/live_copy_has_retain_0",
    covers: [V3_1_1 / "MQTT-3.3.1-9", V5 / "MQTT-3.3.1-12"],
    needs: [Retain, Qos1],
    proved: ["retain_flag_on_live"],
    run: async |w| {
        let topic = w.topic("state");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.has_its_retained().await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        b.expect(publish(&topic).payload(b"on").retain(false)).await?;
        Ok(())
    }
}

check! {
    /// RETAIN is 0 also in what waited for a subscriber that was away.
    ///
    /// Sends     B subscribes and leaves; A publishes with RETAIN 1; B resumes its session.
    /// Demands   B receives the message with RETAIN 0.
    /// Leaves    nothing: B makes no new subscription.
    QUEUED_COPY_HAS_RETAIN_0 "retained/queued_copy_has_retain_0",
    covers: [V3_1_1 / "MQTT-3.3.1-9", V5 / "MQTT-3.3.1-12"],
    needs: [Retain, Qos1],
    proved: ["retain_flag_on_live"],
    run: async |w| {
        let topic = w.topic("state");
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.disconnect().await;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        let mut b = w.client("b").resumed(60).await?;
        b.expect(publish(&topic).payload(b"on").retain(false)).await?;
        Ok(())
    }
}

check! {
    /// A message with RETAIN 1 and no payload is delivered, and removes the topic's retained message.
    ///
    /// Sends     A stores a message; B subscribes; A publishes the empty one; C subscribes.
    /// Demands   B receives the empty message with RETAIN 0; C receives nothing.
    /// Leaves    nothing.
    EMPTY_PAYLOAD_CLEARS "retained/empty_payload_clears",
    covers: [V3_1_1 / "MQTT-3.3.1-10", V5 / "MQTT-3.3.1-6"],
    needs: [Retain, Qos1],
    proved: ["retained_not_cleared", "empty_retained_not_delivered"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.await_message(publish(&topic).payload(b"on")).await?;
        a.publish(&topic, b"").qos1().retain().acknowledged().await?;
        // "on" may come once more, as it was passed on to those who were subscribed.
        b.expect(publish(&topic).carrying(b"").retain(false)).await?;

        let mut c = w.connect("c").await?;
        c.subscribe(&topic, Qos::AtLeastOnce).await?;
        c.settle(&mut a, Qos::AtLeastOnce).await?;
        c.expect_no_publish(&topic).await
    }
}

check! {
    /// A message without payload is not stored itself.
    ///
    /// Sends     A publishes an empty message with RETAIN 1 to a topic that has no retained message; B
    ///           subscribes.
    /// Demands   B receives nothing.
    /// Leaves    nothing.
    EMPTY_PAYLOAD_IS_NOT_STORED "retained/empty_payload_is_not_stored",
    covers: [V3_1_1 / "MQTT-3.3.1-11", V5 / "MQTT-3.3.1-7"],
    needs: [Retain, Qos1],
    proved: ["empty_retained_stored"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"").qos1().retain().acknowledged().await?;
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// A message with RETAIN 0 is not stored, and neither removes nor replaces the retained message.
    ///
    /// Sends     A stores a message and publishes another, and an empty one, with RETAIN 0; likewise on a
    ///           topic without retained message; B subscribes to both.
    /// Demands   B receives the stored message and nothing else.
    /// Leaves    nothing.
    RETAIN_0_LEAVES_IT_ALONE "retained/retain_0_leaves_it_alone",
    covers: [V3_1_1 / "MQTT-3.3.1-12", V5 / "MQTT-3.3.1-8"],
    needs: [Retain, Qos1],
    proved: ["stored_without_retain", "cleared_without_retain"],
    run: async |w| {
        let (full, bare) = (w.topic("full"), w.topic("bare"));
        let mut a = w.connect("a").await?;
        a.publish(&full, b"stored").qos1().retain().acknowledged().await?;
        for topic in [&full, &bare] {
            a.publish(topic, b"passing").qos1().acknowledged().await?;
        }
        a.publish(&full, b"").qos1().acknowledged().await?;
        // Who acknowledges before it passes on has done both by then.
        a.ping().await?;

        let mut b = w.connect("b").await?;
        b.subscribe(&full, Qos::AtLeastOnce).await?;
        b.expect(publish(&full).payload(b"stored").retain(true)).await?;
        b.subscribe(&bare, Qos::AtLeastOnce).await?;
        b.settle(&mut a, Qos::AtLeastOnce).await?;
        b.expect_no_publishes().await
    }
}

check! {
    /// A retained message of QoS 0 is stored, too.
    ///
    /// Sends     A publishes a retained message at QoS 0; B subscribes to its topic.
    /// Demands   B receives it.
    /// Leaves    a broker may drop it at any time: its absence is a deviation.
    RETAINED_AT_QOS_0_IS_STORED "retained/at_qos_0_is_stored",
    covers: [V3_1_1 / "U3-PUB-2", V5 / "U5-PUB-8"],
    needs: [Retain],
    proved: ["retained_qos_0_not_stored"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").retain().acknowledged().await?;
        let mut b = w.connect("b").await?;
        // A broker may answer PINGREQ before it has done with the message: it comes to B then, and is stored behind that.
        b.settle(&mut a, Qos::AtMostOnce).await?;
        b.subscribe(&topic, Qos::AtMostOnce).await?;
        b.settle(&mut a, Qos::AtMostOnce).await?;
        if !b.inbox().any(|r| r.topic() == topic) {
            w.deviates(None, publish(&topic).payload(b"on").retain(true).to_string(), "nothing before the barrier");
        }
        Ok(())
    }
}
