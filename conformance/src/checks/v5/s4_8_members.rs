//! Shared Subscriptions: what is a member's own, and what becomes of it. [5.0 §4.8.2]

use super::s4_8_shared::{holder, shared};
use crate::check;
use crate::check::Check;
use crate::story::{Stop, publish};
use mqtt_assay_codec::Qos;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[SURVIVES_THE_CONNECTION, QOS_1_GOES_ON_WITH_ANOTHER, DOLLAR_IS_NOT_MATCHED];

check! {
    /// A Shared Subscription is part of the session.
    ///
    /// Sends     B joins a group in a session that lasts, leaves with DISCONNECT and comes back; A publishes.
    /// Demands   B receives the message.
    /// Leaves    nothing: B is the only member, and is there.
    SURVIVES_THE_CONNECTION "shared/survives_the_connection",
    covers: [V5 / "MQTT-3.1.2-5", V5 / "MQTT-3.1.2-23", V5 / "U5-SHR-6"],
    needs: [Qos1, SharedSubscriptions],
    proved: ["shared_subscriptions_lost_on_resume"],
    run: async |w| {
        let topic = w.topic("work");
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&shared("g", &topic), Qos::AtLeastOnce).await?;
        b.disconnect().await;
        let mut b = w.client("b").resumed(60).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"for the group").qos1().acknowledged().await?;
        b.expect(publish(&topic).payload(b"for the group")).await?;
        Ok(())
    }
}

check! {
    /// A QoS 1 message that a member has not acknowledged when its session ends goes to another member.
    ///
    /// Sends     A and B join a group; the one that gets C's message at QoS 1 does not acknowledge it, and loses its
    ///           connection and so its session.
    /// Demands   the message for the other.
    /// Leaves    it is recommended: its absence is a deviation. The broker may have sent it earlier.
    QOS_1_GOES_ON_WITH_ANOTHER "shared/qos_1_goes_on_with_another",
    covers: [V5 / "U5-SHR-8"],
    needs: [Qos1, SharedSubscriptions],
    proved: ["shared_qos_1_lost_on_session_end"],
    run: async |w| {
        let topic = w.topic("work");
        let mut members = Vec::new();
        for name in ["a", "b"] {
            let mut member = w.client(name).acknowledge_by_hand().connect().await?;
            member.subscribe(&shared("g", &topic), Qos::AtLeastOnce).await?;
            members.push(member);
        }
        let mut c = w.connect("c").await?;
        c.publish(&topic, b"for one").qos1().acknowledged().await?;
        c.ping().await?;
        let at = holder(w, &mut members, &topic).await?;
        let mut first = members.remove(at);
        first.cut();
        let Some(mut other) = members.pop() else {
            return Err(Stop::inconclusive("a second member was connected"));
        };
        match other.expect(publish(&topic).payload(b"for one")).await {
            Err(stop) if stop.verdict() == crate::verdict::Verdict::Violates => {
                w.deviates(None, stop.0.expected.clone(), stop.0.observed.clone());
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }
}

check! {
    /// The filter of a Shared Subscription that begins with a wildcard does not match a topic that begins with `$`.
    ///
    /// Sends     B joins groups for `#` and `+/…`; A publishes to a topic that begins with `$`, to which C subscribes.
    /// Demands   no topic that begins with `$` reaches B.
    /// Leaves    whether Clients may exchange messages over such topics at all: they should not.
    DOLLAR_IS_NOT_MATCHED "shared/dollar_is_not_matched",
    covers: [V5 / "U5-SHR-11"],
    needs: [Qos1, Wildcards, SharedSubscriptions],
    proved: ["hash_matches_dollar", "plus_matches_dollar"],
    alone: Yes,
    run: async |w| {
        let below = w.topic("x");
        let dollar = format!("$assay/{below}");
        let mut c = w.connect("c").await?;
        c.subscribe(&dollar, Qos::AtLeastOnce).await?;
        // The group is this story's own: no other member can lose a message to it.
        let group = w.client_id("g");
        for (name, filter) in [("b1", "#".to_owned()), ("b2", format!("+/{below}"))] {
            let mut b = w.connect(name).await?;
            b.subscribe(&shared(&group, &filter), Qos::AtLeastOnce).await?;
            let mut a = w.connect(&format!("a{name}")).await?;
            a.publish(&dollar, b"hidden").qos1().send().await?;
            a.reaction().await?;
            let mut d = w.connect("d").await?;
            b.settle(&mut d, Qos::AtLeastOnce).await?;
            if let Some(delivery) = b.take_publishes().into_iter().find(|r| r.topic().starts_with('$')) {
                let expected = format!("no topic that begins with $ for {}", shared(&group, &filter));
                return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
            }
            b.disconnect().await;
        }
        c.ping().await?;
        if c.inbox().any(|received| received.topic() == dollar) {
            return Ok(());
        }
        Err(Stop::not_tested("a topic that begins with $: the broker lets no Client use one"))
    }
}
