//! What a broker announces that it lacks, and is asked for all the same. [5.0 §3.2.2.3]

use super::s4_8_shared::shared;
use crate::check;
use crate::check::Check;
use crate::checks::refusals::refuses_publish;
use crate::story::{
    Attempt, Client, ConnectBuilder, Received, Severity, Stop, Story, WillMessage, World, suback,
};
use mqtt_assay_codec::{
    Packet, Properties, Property, PropertyList, Qos, ReasonCode, SubscriptionList, SubscriptionOptions,
};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    SUBSCRIPTIONS_ARE_GRANTED_AT_ANY_QOS,
    WILL_QOS_ABOVE_MAXIMUM_IS_REFUSED,
    PUBLISH_ABOVE_MAXIMUM_QOS_IS_REFUSED,
    WILL_RETAIN_IS_REFUSED,
    RETAIN_IS_REFUSED,
    WHAT_IS_UNAVAILABLE_IS_NOT_GRANTED,
];

/// A QoS above this one.
fn above(maximum: Qos) -> Qos {
    match maximum {
        Qos::AtMostOnce => Qos::AtLeastOnce,
        _ => Qos::ExactlyOnce,
    }
}

/// The CONNECT must be refused and the connection ended, at best with this code.
async fn refused(w: &World, client: ConnectBuilder<'_>, fitting: ReasonCode) -> Story {
    match client.attempt().await? {
        Attempt::Ended(..) => {
            w.deviates(None, format!("CONNACK {fitting}"), "the connection ended without CONNACK");
            Ok(())
        }
        Attempt::Refused(mut client, connack) => {
            if !matches!(connack.packet(), Packet::Connack(c) if c.code == fitting) {
                w.deviates(None, format!("CONNACK {fitting}"), connack.line());
            }
            client.expect_end().await
        }
        Attempt::Accepted(client) => {
            let at = client.connack_received().and_then(|connack| connack.index);
            let observed = client.connack_received().map_or_else(String::new, Received::line);
            Err(Stop::violates(format!("CONNACK {fitting} and the end of the connection"), observed).at(at))
        }
    }
}

check! {
    /// A broker that limits the QoS of PUBLISH still takes subscriptions of every QoS.
    ///
    /// Sends     SUBSCRIBE that asks for QoS 0, 1 and 2, to a broker that announces a Maximum QoS.
    /// Demands   a SUBACK that grants each, at whatever QoS.
    /// Leaves    the granted QoS.
    SUBSCRIPTIONS_ARE_GRANTED_AT_ANY_QOS "limit/subscriptions_are_granted_at_any_qos",
    covers: [V5 / "MQTT-3.2.2-10"],
    needs: [LimitedQos],
    setup: Limited,
    proved: ["subscribe_above_maximum_qos_refused"],
    run: async |w| {
        let mut a = w.connect_alive("a").await?;
        a.subscribe(&w.topic("qos"), Qos::AtMostOnce).await?;
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let list = SubscriptionList::one(&w.topic("qos"), SubscriptionOptions::qos(qos));
            let id = a.send_subscribe(&list, Properties::NONE).await?;
            a.expect(suback(id).that("a code below 0x80", |r| r.codes().iter().all(|code| *code < 0x80))).await?;
        }
        Ok(())
    }
}

check! {
    /// A CONNECT whose Will QoS is above the broker's Maximum QoS is refused.
    ///
    /// Sends     CONNECT with such a Will, to a broker that announces a Maximum QoS.
    /// Demands   the end of the connection.
    /// Leaves    the CONNACK before it, which should be 0x9B.
    WILL_QOS_ABOVE_MAXIMUM_IS_REFUSED "limit/will_qos_above_maximum_is_refused",
    covers: [V5 / "MQTT-3.2.2-12"],
    needs: [LimitedQos],
    setup: Limited,
    proved: ["will_qos_above_maximum_accepted"],
    run: async |w| {
        let will = WillMessage::new(&w.topic("will"), b"x");
        let qos = w.abilities().maximum_qos;
        w.client("a").will(will.clone().qos(qos)).connect().await?.disconnect().await;
        refused(w, w.client("b").will(will.qos(above(qos))), ReasonCode::QOS_NOT_SUPPORTED).await
    }
}

check! {
    /// A PUBLISH above the broker's Maximum QoS is an error.
    ///
    /// Sends     PUBLISH at the lowest QoS above it.
    /// Demands   the end of the connection, or an acknowledgement that refuses.
    /// Leaves    how strictly to check; the DISCONNECT should be 0x9B.
    PUBLISH_ABOVE_MAXIMUM_QOS_IS_REFUSED "limit/publish_above_maximum_qos_is_refused",
    covers: [V5 / "U5-CON-10"],
    needs: [LimitedQos],
    setup: Limited,
    proved: ["publish_above_maximum_qos_accepted"],
    run: async |w| {
        let mut a = w.connect_alive("a").await?;
        a.publish(&w.topic("qos"), b"x").qos(above(w.abilities().maximum_qos)).send().await?;
        refuses_publish(w, &mut a, ReasonCode::QOS_NOT_SUPPORTED).await
    }
}

check! {
    /// A CONNECT with Will Retain is refused by a broker that retains nothing.
    ///
    /// Sends     CONNECT with Will Retain, to a broker that announces Retain Available 0.
    /// Demands   the end of the connection.
    /// Leaves    the CONNACK before it, which should be 0x9A.
    WILL_RETAIN_IS_REFUSED "limit/will_retain_is_refused",
    covers: [V5 / "MQTT-3.2.2-13"],
    needs: [NoRetain],
    setup: Limited,
    proved: ["will_retain_unavailable_accepted"],
    run: async |w| {
        let will = WillMessage::new(&w.topic("will"), b"x").qos(Qos::AtMostOnce);
        w.client("a").will(will.clone()).connect().await?.disconnect().await;
        refused(w, w.client("b").will(will.retain()), ReasonCode::RETAIN_NOT_SUPPORTED).await
    }
}

check! {
    /// A PUBLISH with RETAIN is an error for a broker that retains nothing.
    ///
    /// Sends     PUBLISH at QoS 0 with RETAIN 1, to a broker that announces Retain Available 0.
    /// Demands   the end of the connection.
    /// Leaves    how strictly to check; the DISCONNECT should be 0x9A.
    RETAIN_IS_REFUSED "limit/retain_is_refused",
    covers: [V5 / "U5-CON-11"],
    needs: [NoRetain],
    setup: Limited,
    proved: ["retain_unavailable_accepted"],
    run: async |w| {
        let mut a = w.connect_alive("a").await?;
        a.publish(&w.topic("state"), b"on").retain().send().await?;
        a.refuses(ReasonCode::RETAIN_NOT_SUPPORTED, Severity::MayOverlook).await
    }
}

/// A subscription that uses what is unavailable must not be granted.
async fn not_granted(
    w: &World,
    a: &mut Client<'_>,
    filter: &str,
    id: Option<u32>,
    code: ReasonCode,
) -> Story {
    let list = SubscriptionList::one(filter, SubscriptionOptions::default());
    let properties: PropertyList = id.map(Property::SubscriptionIdentifier).into_iter().collect();
    let packet_id = a.send_subscribe(&list, properties.view()).await?;
    let reaction = a.reaction().await?;
    let answer = a.inbox().find(|r| r.packet().packet_id() == Some(packet_id)).cloned();
    match answer {
        Some(answer) if answer.codes().iter().any(|code| *code < 0x80) => {
            w.deviates(None, format!("DISCONNECT {code}"), answer.line());
            Ok(())
        }
        Some(_) => Ok(()),
        None => a.judge_refusal(reaction, code, Severity::MayOverlook),
    }
}

check! {
    /// Wildcards, Subscription Identifiers and Shared Subscriptions are not granted where they are unavailable.
    ///
    /// Sends     SUBSCRIBE with that of them which the broker announces to lack, each on a connection of its own.
    /// Demands   the end of the connection, or a SUBACK that refuses.
    /// Leaves    how strictly to check; the DISCONNECT should be 0xA2, 0xA1, or 0x9E.
    WHAT_IS_UNAVAILABLE_IS_NOT_GRANTED "limit/what_is_unavailable_is_not_granted",
    covers: [V5 / "U5-CON-12"],
    needs: [],
    setup: Limited,
    proved: ["wildcard_unavailable_granted"],
    run: async |w| {
        let has = w.abilities();
        let (plain, wild, group) = (w.topic("a"), w.topic("+"), shared("g", &w.topic("a")));
        let all = [
            (has.wildcards, wild, None, ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED),
            (has.subscription_identifiers, plain, Some(1), ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED),
            (has.shared_subscriptions, group, None, ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED),
        ];
        if all.iter().all(|(available, ..)| *available) {
            return Err(Stop::not_tested("a broker that announces to lack one of the ways to subscribe"));
        }
        for (number, (_, filter, id, code)) in all.iter().enumerate().filter(|(_, (available, ..))| !available) {
            let mut a = w.connect_alive(&format!("a{number}")).await?;
            not_granted(w, &mut a, filter, *id, *code).await?;
        }
        Ok(())
    }
}
