//! The Will in 5.0: its delay, its properties, DISCONNECT with a reason. [5.0 §3.1.2.5, §3.1.3.2, §3.14.2.1]

use crate::check;
use crate::check::Check;
use crate::checks::common::s3_1_will::{later_will, will_comes};
use crate::story::{Client, ConnectBuilder, Stop, Story, WillMessage, World, publish};
use mqtt_assay_codec::{Properties, Property, PropertyList, Qos, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    DELAY_IS_KEPT,
    RESUMED_SESSION_CANCELS,
    RESUMING_TAKEOVER_CANCELS,
    CLEAN_START_CUTS_DELAY,
    SESSION_EXPIRY_CUTS_DELAY,
    NO_SESSION_NO_DELAY,
    PUBLISHED_AFTER_DISCONNECT_WITH_WILL,
    PUBLISHED_AFTER_DISCONNECT_WITH_ERROR,
    DELAYED_WILL_IS_GONE_AFTER_DISCONNECT,
    PROPERTIES_TRAVEL,
    USER_PROPERTIES_KEEP_ORDER,
    EXPIRY_COUNTS_FROM_PUBLICATION,
];

/// S, subscribed to the Will Topic at QoS 1.
async fn watcher<'w>(w: &'w World, topic: &str) -> Result<Client<'w>, Stop> {
    let mut s = w.connect("s").await?;
    s.subscribe(topic, Qos::AtLeastOnce).await?;
    Ok(s)
}

/// C with a Will of this delay, in a session of this Session Expiry Interval.
fn delayed<'w>(w: &'w World, topic: &str, delay: u32, expiry: u32) -> ConnectBuilder<'w> {
    w.client("c").persistent(expiry).will(WillMessage::new(topic, b"gone").delay(delay))
}

/// The session must last as long as asked, or the story has nothing to measure.
fn granted(client: &Client<'_>, seconds: u32) -> Story {
    match client.connack().properties.session_expiry_interval() {
        Some(other) if other != seconds => Err(Stop::unsupported(format!(
            "the broker sets the Session Expiry Interval to {other} s, where {seconds} s were asked for"
        ))),
        _ => Ok(()),
    }
}

check! {
    /// A Will is published when its Will Delay Interval has passed, and not before.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will Delay of 2 s in a session of 60 s, and
    ///           loses its connection.
    /// Demands   S receives the Will, and not within the first second.
    /// Leaves    the rounding to whole seconds; how soon after the delay.
    DELAY_IS_KEPT "will/delay_is_kept",
    covers: [V5 / "MQTT-3.1.2-7", V5 / "MQTT-3.1.2-8"],
    needs: [Qos1],
    proved: ["will_delay_ignored", "will_never_published"],
    waits: 2.0,
    run: async |w| {
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        let mut c = delayed(w, &topic, 2, 60).connect().await?;
        granted(&c, 60)?;
        let lost = Instant::now();
        c.cut();
        s.ping().await?;
        will_comes(w, &mut s, publish(&topic).payload(b"gone")).await?;
        let after = lost.elapsed();
        if after < Duration::from_secs(1) {
            let observed = format!("the Will after {:.2} s", after.as_secs_f64());
            return Err(Stop::violates("no Will before its delay of 2 s (tolerance 1 s)", observed));
        }
        Ok(())
    }
}

check! {
    /// A Client that resumes its session before the Will Delay has passed keeps its Will from being published.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will Delay of 2 s in a session of 60 s, loses
    ///           its connection, and resumes its session at once, without a Will; 4 s pass.
    /// Demands   S receives no Will, though that of a Client that dies later comes.
    /// Leaves    nothing.
    RESUMED_SESSION_CANCELS "will/resumed_session_cancels_delayed_will",
    covers: [V5 / "MQTT-3.1.3-9", V5 / "MQTT-3.1.2-8"],
    needs: [Qos1],
    proved: ["will_not_cancelled_by_resume", "will_delay_ignored"],
    waits: 4.0,
    run: async |w| {
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        let mut c = delayed(w, &topic, 2, 60).connect().await?;
        let lost = Instant::now();
        c.cut();
        let c = w.client("c").resume(60).connect().await?;
        if !c.session_present() {
            return Err(Stop::inconclusive("the session was not resumed: another check answers for that"));
        }
        if lost.elapsed() > Duration::from_secs(1) {
            let took = lost.elapsed().as_secs_f64();
            return Err(Stop::inconclusive(format!("it took {took:.1} s to resume the session, of a Will Delay of 2 s")));
        }
        w.let_pass(Duration::from_secs(4), "Will Delay Interval of 2 s").await;
        later_will(w, &mut s).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// A takeover that resumes the session cancels a delayed Will too.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will Delay of 2 s in a session of 60 s, and
    ///           connects again with Clean Start 0, without a Will; 4 s pass.
    /// Demands   S receives no Will, though that of a Client that dies later comes.
    /// Leaves    nothing.
    RESUMING_TAKEOVER_CANCELS "will/resuming_takeover_cancels_delayed_will",
    covers: [V5 / "MQTT-3.1.3-9", V5 / "U5-WILL-7"],
    needs: [Qos1],
    proved: ["will_not_cancelled_by_resume", "will_delay_ignored"],
    waits: 4.0,
    run: async |w| {
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        let _old = delayed(w, &topic, 2, 60).connect().await?;
        let new = w.client("c").resume(60).connect().await?;
        if !new.session_present() {
            return Err(Stop::inconclusive("the session was not resumed: another check answers for that"));
        }
        w.let_pass(Duration::from_secs(4), "Will Delay Interval of 2 s").await;
        later_will(w, &mut s).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// A clean start ends the old session, and so publishes its delayed Will at once.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will Delay of 60 s in a session of 60 s, loses
    ///           its connection, and connects with Clean Start 1; D does the same while it is connected.
    /// Demands   S receives both Wills, as the comments on Will Delay and takeover tell.
    /// Leaves    read by the letter, any new connection before the delay has passed lets the broker drop the Will
    ///           [5.0/MQTT-3.1.2-8]: a missing Will is a deviation.
    CLEAN_START_CUTS_DELAY "will/clean_start_cuts_delay",
    covers: [V5 / "U5-WILL-7"],
    needs: [Qos1],
    proved: ["will_delay_not_cut_by_session_end", "will_lost_on_takeover"],
    run: async |w| {
        for name in ["c", "d"] {
            let topic = w.topic(name);
            // Each has a watcher of its own name: what a broker forgets of one who comes back is another matter.
            let mut s = w.connect(&format!("s-{name}")).await?;
            s.subscribe(&topic, Qos::AtLeastOnce).await?;
            let will = WillMessage::new(&topic, b"gone").delay(60);
            let mut old = w.client(name).persistent(60).will(will).connect().await?;
            if name == "c" {
                old.cut();
            }
            let _fresh = w.connect(name).await?;
            later_will(w, &mut s).await?;
            if !s.inbox().any(|r| r.topic() == topic) {
                let whose = if name == "c" { "a connection that was lost" } else { "a connection taken over" };
                let observed = format!("none of {whose}, though that of a Client that died later has come");
                w.deviates(Some(w.cite("U5-WILL-7")), "the delayed Will when a clean start ends its session", observed);
            }
        }
        Ok(())
    }
}

/// The Will must come, and should come before its delay is over: the session's end cuts it.
async fn comes_early(w: &World, s: &mut Client<'_>, topic: &str, delay: Duration) -> Story {
    let lost = Instant::now();
    will_comes(w, s, publish(topic).payload(b"gone")).await?;
    let after = lost.elapsed();
    if after > delay.saturating_sub(Duration::from_secs(1)) {
        let expected = "the Will when its session ends, before its delay has passed";
        w.deviates(
            Some(w.cite("U5-WILL-3")),
            expected,
            format!("the Will after {:.1} s", after.as_secs_f64()),
        );
    }
    Ok(())
}

check! {
    /// A delayed Will is published when its session expires, if that comes first.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will Delay of 4 s in a session of 1 s, and loses
    ///           its connection.
    /// Demands   S receives the Will.
    /// Leaves    that it comes promptly is a recommendation: after more than 3 s it is a deviation.
    SESSION_EXPIRY_CUTS_DELAY "will/session_expiry_cuts_delay",
    covers: [V5 / "MQTT-3.1.2-7", V5 / "MQTT-3.1.2-8", V5 / "U5-WILL-3"],
    needs: [Qos1],
    proved: ["will_delay_not_cut_by_session_end"],
    waits: 1.0,
    run: async |w| {
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        let mut c = delayed(w, &topic, 4, 1).connect().await?;
        granted(&c, 1)?;
        c.cut();
        w.let_pass(Duration::from_secs(1), "Session Expiry Interval of 1 s").await;
        comes_early(w, &mut s, &topic, Duration::from_secs(3)).await
    }
}

check! {
    /// A Will Delay has no effect on a session that ends with its connection.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will Delay of 3 s and no Session Expiry
    ///           Interval, and loses its connection.
    /// Demands   S receives the Will.
    /// Leaves    that it comes promptly is a recommendation: after more than 2 s it is a deviation.
    NO_SESSION_NO_DELAY "will/no_session_no_delay",
    covers: [V5 / "MQTT-3.1.2-7", V5 / "MQTT-3.1.2-8", V5 / "U5-WILL-3"],
    needs: [Qos1],
    proved: ["will_delay_not_cut_by_session_end", "will_never_published"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        let mut c = delayed(w, &topic, 3, 0).connect().await?;
        c.cut();
        comes_early(w, &mut s, &topic, Duration::from_secs(3)).await
    }
}

check! {
    /// DISCONNECT 0x04 publishes the Will, after its delay.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will and says DISCONNECT 0x04; E does the same, with
    ///           a Reason String; D with a Will Delay of 2 s in a session of 60 s.
    /// Demands   S receives all three Wills, that of D not within the first second.
    /// Leaves    the rounding to whole seconds.
    PUBLISHED_AFTER_DISCONNECT_WITH_WILL "will/published_after_disconnect_with_will",
    covers: [V5 / "MQTT-3.1.2-8", V5 / "U5-WILL-8", V5 / "U5-LEN-3"],
    needs: [Qos1],
    proved: ["will_lost_on_disconnect_with_reason", "will_never_published"],
    waits: 2.0,
    run: async |w| {
        let (topic, later) = (w.topic("will"), w.topic("later-will"));
        let mut s = watcher(w, &topic).await?;
        s.subscribe(&later, Qos::AtLeastOnce).await?;
        let mut d = w
            .client("d")
            .persistent(60)
            .will(WillMessage::new(&later, b"later").delay(2))
            .connect()
            .await?;
        granted(&d, 60)?;
        let mut c = w.client("c").will(WillMessage::new(&topic, b"on purpose")).connect().await?;
        let mut e = w.client("e").will(WillMessage::new(&topic, b"with a reason")).connect().await?;
        let mut reason = PropertyList::new();
        reason.push(Property::ReasonString("on purpose"));
        let left = Instant::now();
        d.disconnect_with(ReasonCode::DISCONNECT_WITH_WILL_MESSAGE, Properties::NONE).await?;
        c.disconnect_with(ReasonCode::DISCONNECT_WITH_WILL_MESSAGE, Properties::NONE).await?;
        will_comes(w, &mut s, publish(&topic).payload(b"on purpose")).await?;
        e.disconnect_with(ReasonCode::DISCONNECT_WITH_WILL_MESSAGE, reason.view()).await?;
        will_comes(w, &mut s, publish(&topic).carrying(b"with a reason")).await?;
        will_comes(w, &mut s, publish(&later).payload(b"later")).await?;
        if left.elapsed() < Duration::from_secs(1) {
            let observed = format!("the Will after {:.2} s", left.elapsed().as_secs_f64());
            return Err(Stop::violates("no Will before its delay of 2 s (tolerance 1 s)", observed));
        }
        Ok(())
    }
}

check! {
    /// Only DISCONNECT 0x00 removes the Will: one that tells of an error does not.
    ///
    /// Sends     S subscribes to the Will Topic; clients with Wills say DISCONNECT 0x80, 0x83, 0x98, the last two with
    ///           a Reason String.
    /// Demands   S receives each Will.
    /// Leaves    nothing.
    PUBLISHED_AFTER_DISCONNECT_WITH_ERROR "will/published_after_disconnect_with_error",
    covers: [V5 / "MQTT-3.1.2-8"],
    needs: [Qos1],
    proved: ["will_lost_on_disconnect_with_reason", "will_never_published"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        for (name, reason) in [
            ("c80", ReasonCode::UNSPECIFIED_ERROR),
            ("c83", ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR),
            ("c98", ReasonCode::ADMINISTRATIVE_ACTION),
        ] {
            let will = WillMessage::new(&topic, name.as_bytes());
            let mut c = w.client(name).will(will).connect().await?;
            let mut properties = PropertyList::new();
            if name != "c80" {
                properties.push(Property::ReasonString("no more"));
            }
            c.disconnect_with(reason, properties.view()).await?;
            will_comes(w, &mut s, publish(&topic).payload(name.as_bytes())).await?;
        }
        Ok(())
    }
}

check! {
    /// DISCONNECT 0x00 removes a delayed Will for good: neither the delay nor the session's end brings it.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will Delay of 1 s in a session of 1 s, and says
    ///           DISCONNECT; 3 s pass.
    /// Demands   S receives no Will, though that of a Client that dies later comes.
    /// Leaves    nothing.
    DELAYED_WILL_IS_GONE_AFTER_DISCONNECT "will/delayed_will_is_gone_after_disconnect",
    covers: [V5 / "MQTT-3.14.4-3", V5 / "MQTT-3.1.2-10"],
    needs: [Qos1],
    proved: ["will_published_on_normal_disconnect"],
    waits: 3.0,
    run: async |w| {
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        let mut c = delayed(w, &topic, 1, 1).connect().await?;
        c.disconnect().await;
        w.let_pass(Duration::from_secs(3), "Will Delay and Session Expiry Interval of 1 s").await;
        later_will(w, &mut s).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// The properties of the Will travel with it.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will that has a Payload Format Indicator, Content
    ///           Type, Response Topic, Correlation Data and a User Property, and loses its connection.
    /// Demands   S receives the Will with all of them.
    /// Leaves    nothing.
    PROPERTIES_TRAVEL "will/properties_travel",
    covers: [
        V5 / "U5-WILL-4", V5 / "MQTT-3.3.2-4", V5 / "MQTT-3.3.2-15", V5 / "MQTT-3.3.2-16", V5 / "MQTT-3.3.2-17",
        V5 / "MQTT-3.3.2-20",
    ],
    needs: [Qos1],
    proved: ["will_properties_lost"],
    run: async |w| {
        let (topic, answer) = (w.topic("will"), w.topic("answer"));
        let mut s = watcher(w, &topic).await?;
        let properties = [
            (Property::PayloadFormatIndicator(1), "MQTT-3.3.2-4"),
            (Property::ContentType("text/plain"), "MQTT-3.3.2-20"),
            (Property::ResponseTopic(&answer), "MQTT-3.3.2-15"),
            (Property::CorrelationData(b"\x00\x01\xFF"), "MQTT-3.3.2-16"),
            (Property::UserProperty(("why", "gone")), "MQTT-3.3.2-17"),
        ];
        let will = WillMessage::new(&topic, b"gone");
        let will = properties.iter().fold(will, |will, (property, _)| will.property(*property));
        let mut c = w.client("c").will(will).connect().await?;
        c.cut();
        let got = will_comes(w, &mut s, publish(&topic)).await?;
        let has = got.packet().properties().unwrap_or_default();
        for (property, statement) in properties {
            if !has.iter().any(|p| p == property) {
                let expected = format!("PUBLISH {topic} with {property:?}");
                return Err(Stop::violates(expected, got.line()).citing(w.cite(statement)).at(got.index));
            }
        }
        Ok(())
    }
}

check! {
    /// The User Properties of the Will keep their order.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will that has four User Properties, one name
    ///           twice, and loses its connection.
    /// Demands   S receives the Will with the same four in the same order.
    /// Leaves    nothing.
    USER_PROPERTIES_KEEP_ORDER "will/user_properties_keep_order",
    covers: [V5 / "MQTT-3.1.3-10"],
    needs: [Qos1],
    proved: ["will_user_properties_reordered", "will_properties_lost"],
    run: async |w| {
        const PAIRS: [(&str, &str); 4] = [("b", "1"), ("a", "2"), ("b", "3"), ("a", "2")];
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        let will = WillMessage::new(&topic, b"gone");
        let will = PAIRS.iter().fold(will, |will, pair| will.property(Property::UserProperty(*pair)));
        let mut c = w.client("c").will(will).connect().await?;
        c.cut();
        let expected = publish(&topic).that("with the User Properties b=1 a=2 b=3 a=2", |got| {
            let properties = got.packet().properties().unwrap_or_default();
            let pairs = properties.iter().filter_map(|p| match p {
                Property::UserProperty(pair) => Some(pair),
                _ => None,
            });
            pairs.eq(PAIRS)
        });
        will_comes(w, &mut s, expected).await?;
        Ok(())
    }
}

check! {
    /// The Message Expiry Interval of the Will counts from its publication.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will of Message Expiry Interval 100, Will Delay
    ///           3 s, session 60 s, and loses its connection.
    /// Demands   S receives the Will with a Message Expiry Interval of 98 to 101.
    /// Leaves    the rounding to whole seconds, and a second on the way through a busy broker.
    EXPIRY_COUNTS_FROM_PUBLICATION "will/expiry_counts_from_publication",
    covers: [V5 / "U5-WILL-5"],
    needs: [Qos1],
    proved: ["will_expiry_includes_delay"],
    waits: 3.0,
    run: async |w| {
        let topic = w.topic("will");
        let mut s = watcher(w, &topic).await?;
        let will = WillMessage::new(&topic, b"gone").delay(3).property(Property::MessageExpiryInterval(100));
        let mut c = w.client("c").persistent(60).will(will).connect().await?;
        granted(&c, 60)?;
        c.cut();
        w.let_pass(Duration::from_secs(3), "Will Delay Interval of 3 s").await;
        let expected = publish(&topic).that("with a Message Expiry Interval of 98 to 101", |got| {
            let properties = got.packet().properties().unwrap_or_default();
            properties.message_expiry_interval().is_some_and(|seconds| (98..=101).contains(&seconds))
        });
        will_comes(w, &mut s, expected).await?;
        Ok(())
    }
}
