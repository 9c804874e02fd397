//! Sessions: begun, resumed, discarded. [3.1.1 §3.1.2.4, §3.1.4] [5.0 §3.1.2.4, §3.1.4]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Stop, Story, World, publish};
use mqtt_assay_codec::{Packet, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    SUBSCRIPTIONS_OUTLIVE_CONNECTION,
    MESSAGES_WAIT,
    CLEAN_START_DISCARDS,
    CLEAN_START_DISCARDS_LIVE_SESSION,
    ENDS_WITH_CONNECTION,
    RETAINED_MESSAGES_ARE_NO_SESSION_STATE,
    TAKEOVER_ENDS_OLD_CONNECTION,
    TAKEOVER_KEEPS_SESSION,
];

/// Whether one of five messages to a topic to which S subscribes at QoS 0 comes.
async fn reaches_at_qos_0(p: &mut Client<'_>, s: &mut Client<'_>, topic: &str) -> Story {
    for _ in 0..5 {
        p.publish(topic, b"one of five").qos1().acknowledged().await?;
    }
    s.expect(publish(topic)).await?;
    s.ping().await?;
    s.take_publishes();
    Ok(())
}

check! {
    /// A session that lasts keeps its subscriptions when the connection ends, however it ends.
    ///
    /// Sends     S subscribes at QoS 1, and to another topic at QoS 0, in a session that lasts; it leaves with
    ///           DISCONNECT and comes back, loses its connection and comes back. P publishes to both each time.
    /// Demands   S receives what is published to the former, and something of the latter, without subscribing again.
    /// Leaves    a message for a subscription of QoS 0 may get lost: P publishes five of them.
    SUBSCRIPTIONS_OUTLIVE_CONNECTION "session/subscriptions_outlive_connection",
    covers: [
        V3_1_1 / "MQTT-3.1.2-4", V3_1_1 / "MQTT-3.1.4-3", V3_1_1 / "MQTT-4.1.0-1",
        V5 / "MQTT-3.1.2-5", V5 / "MQTT-3.1.2-23", V5 / "MQTT-3.1.4-4", V5 / "U5-SES-1",
    ],
    needs: [Qos1],
    proved: ["session_not_resumed", "subscriptions_lost_on_resume", "session_expires_at_once"],
    run: async |w| {
        let topic = w.topic("news");
        let mut p = w.connect("p").await?;
        let mut s = w.client("s").persistent(60).connect().await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let hints = w.topic("hints");
        s.subscribe(&hints, Qos::AtMostOnce).await?;
        s.disconnect().await;

        let mut s = w.client("s").resume(60).connect().await?;
        reaches_at_qos_0(&mut p, &mut s, &hints).await?;
        p.publish(&topic, b"after DISCONNECT").qos1().acknowledged().await?;
        s.expect(publish(&topic).payload(b"after DISCONNECT")).await?;
        // Its acknowledgement has arrived before the connection is lost.
        s.ping().await?;
        s.cut();

        let mut s = w.client("s").resume(60).connect().await?;
        reaches_at_qos_0(&mut p, &mut s, &hints).await?;
        p.publish(&topic, b"after a loss").qos1().acknowledged().await?;
        s.expect(publish(&topic).payload(b"after a loss")).await?;
        Ok(())
    }
}

check! {
    /// QoS 1 and QoS 2 messages wait for a Client that is away.
    ///
    /// Sends     S subscribes at QoS 2 in a session that lasts, and leaves; P publishes at QoS 0, 1 and 2; S comes
    ///           back.
    /// Demands   S receives the messages of QoS 1 and 2.
    /// Leaves    whether the QoS 0 message is stored; at which QoS they come: another check answers for that.
    MESSAGES_WAIT "session/messages_wait",
    covers: [V3_1_1 / "MQTT-3.1.2-5", V3_1_1 / "MQTT-4.1.0-1", V5 / "MQTT-3.1.2-23", V5 / "U5-SES-1"],
    needs: [Qos1, Qos2],
    proved: ["offline_messages_dropped", "queued_messages_lost_on_resume"],
    run: async |w| {
        let topic = w.topic("news");
        let mut s = w.client("s").persistent(60).connect().await?;
        s.subscribe(&topic, Qos::ExactlyOnce).await?;
        s.disconnect().await;

        let mut p = w.connect("p").await?;
        p.publish(&topic, b"0").acknowledged().await?;
        p.publish(&topic, b"1").qos1().acknowledged().await?;
        p.publish(&topic, b"2").qos2().acknowledged().await?;

        let mut s = w.client("s").resume(60).connect().await?;
        // Messages of different QoS may overtake each other.
        let mut missing = vec!["1", "2"];
        while !missing.is_empty() {
            let got = s.expect(publish(&topic)).await?;
            match missing.iter().position(|payload| got.payload() == payload.as_bytes()) {
                Some(place) => {
                    missing.remove(place);
                }
                None if got.payload() == b"0" => w.note("stores QoS 0 messages for Clients that are away"),
                None => {
                    let expected = "each message once, none but those published";
                    return Err(Stop::violates(expected, got.line()).at(got.index));
                }
            }
        }
        Ok(())
    }
}

check! {
    /// A clean start discards the session that was stored.
    ///
    /// Sends     S subscribes in a session that lasts, and leaves; P publishes at QoS 1; S comes back with Clean
    ///           Start 1 (3.1.1: Clean Session 1); P publishes once more.
    /// Demands   S receives neither message.
    /// Leaves    nothing.
    CLEAN_START_DISCARDS "session/clean_start_discards",
    covers: [
        V3_1_1 / "MQTT-3.1.2-6", V3_1_1 / "MQTT-3.1.4-3",
        V5 / "MQTT-3.1.2-4", V5 / "MQTT-3.1.4-4",
    ],
    needs: [Qos1],
    proved: ["session_not_discarded_on_clean_start"],
    run: async |w| {
        let topic = w.topic("news");
        let mut s = w.client("s").persistent(60).connect().await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        s.disconnect().await;
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"while away").qos1().acknowledged().await?;

        let mut s = w.client("s").clean_start(true).connect().await?;
        p.publish(&topic, b"after").qos1().acknowledged().await?;
        s.settle(&mut p, Qos::AtLeastOnce).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// A clean start discards a session whose connection is still open, too.
    ///
    /// Sends     S subscribes in a session that lasts; while it is connected it connects again with Clean Start 1
    ///           (3.1.1: Clean Session 1); P publishes.
    /// Demands   Session Present 0, and no message.
    /// Leaves    nothing.
    CLEAN_START_DISCARDS_LIVE_SESSION "session/clean_start_discards_live_session",
    covers: [
        V3_1_1 / "MQTT-3.1.2-6", V3_1_1 / "MQTT-3.1.4-3", V3_1_1 / "MQTT-3.2.2-1",
        V5 / "MQTT-3.1.2-4", V5 / "MQTT-3.1.4-4", V5 / "MQTT-3.2.2-2",
    ],
    needs: [Qos1],
    proved: ["session_not_discarded_on_clean_start"],
    run: async |w| {
        let topic = w.topic("news");
        let mut old = w.client("s").persistent(60).connect().await?;
        old.subscribe(&topic, Qos::AtLeastOnce).await?;

        let mut s = w.client("s").clean_start(true).connect().await?;
        if s.session_present() {
            return Err(Stop::violates("CONNACK with Session Present 0", "CONNACK with Session Present 1"));
        }
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"after").qos1().acknowledged().await?;
        s.settle(&mut p, Qos::AtLeastOnce).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// A session of Clean Session 1, or of Session Expiry Interval 0, ends with its connection.
    ///
    /// Sends     S subscribes in such a session and says DISCONNECT; P publishes at QoS 1; S connects with Clean
    ///           Session 0, or Clean Start 0; P publishes once more.
    /// Demands   Session Present 0, and neither message.
    /// Leaves    nothing.
    ENDS_WITH_CONNECTION "session/ends_with_connection",
    covers: [
        V3_1_1 / "MQTT-3.1.2-6", V3_1_1 / "MQTT-3.2.2-3",
        V5 / "MQTT-4.1.0-2", V5 / "U5-CON-3", V5 / "MQTT-3.2.2-3",
    ],
    needs: [Qos1],
    proved: ["clean_session_kept"],
    run: async |w| {
        let topic = w.topic("news");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        s.disconnect().await;
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"while away").qos1().acknowledged().await?;

        let mut s = w.client("s").resume(60).connect().await?;
        if s.session_present() {
            return Err(Stop::violates("CONNACK with Session Present 0", "CONNACK with Session Present 1"));
        }
        p.publish(&topic, b"after").qos1().acknowledged().await?;
        s.settle(&mut p, Qos::AtLeastOnce).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// Retained messages stay when the session of their publisher ends.
    ///
    /// Sends     P publishes a retained message at QoS 1 in a session that ends with its connection; it leaves,
    ///           and S subscribes; P connects and leaves once more, and T subscribes.
    /// Demands   S and T receive the message.
    /// Leaves    nothing.
    RETAINED_MESSAGES_ARE_NO_SESSION_STATE "session/retained_messages_are_no_session_state",
    covers: [V3_1_1 / "MQTT-3.1.2-7", V3_1_1 / "U3-PUB-3", V5 / "U5-SES-2"],
    needs: [Retain, Qos1],
    proved: ["retained_deleted_with_session"],
    run: async |w| {
        let topic = w.topic("state");
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        for name in ["s", "t"] {
            p.disconnect().await;
            let mut client = w.connect(name).await?;
            client.subscribe(&topic, Qos::AtLeastOnce).await?;
            client.expect(publish(&topic).payload(b"on").retain(true)).await?;
            p = w.connect("p").await?;
        }
        Ok(())
    }
}

check! {
    /// A Client that connects again ends its older connection.
    ///
    /// Sends     A connects twice with one Client Identifier.
    /// Demands   CONNACK 0x00 on the second connection, which stays; the end of the first.
    /// Leaves    in 5.0 a DISCONNECT with another code than 0x8E, or none, is a deviation only.
    TAKEOVER_ENDS_OLD_CONNECTION "session/takeover_ends_old_connection",
    covers: [V3_1_1 / "MQTT-3.1.4-2", V5 / "MQTT-3.1.4-3", V5 / "U5-DIS-4"],
    needs: [],
    proved: ["takeover_refused", "takeover_leaves_old_connection"],
    run: async |w| {
        let mut old = w.connect("a").await?;
        let mut new = w.client("a").attempt().await?.accepted()?;
        old.expect_end().await?;
        new.ping().await?;
        if w.is_v5() {
            judge_farewell(w, &old);
        }
        Ok(())
    }
}

fn judge_farewell(w: &World, old: &crate::story::Client<'_>) {
    let statement = Some(w.cite("MQTT-3.1.4-3"));
    let expected = "DISCONNECT 0x8E before the end of the old connection";
    let farewell = old.inbox().find(|r| matches!(r.packet(), Packet::Disconnect(_)));
    match farewell.map(|r| (r.packet(), r)) {
        Some((Packet::Disconnect(d), _)) if d.reason == ReasonCode::SESSION_TAKEN_OVER => {}
        Some((_, r)) => w.deviates(statement, expected, r.line()),
        None => w.deviates(statement, expected, "the connection ended without DISCONNECT"),
    }
}

check! {
    /// A session that is taken over goes on: its subscriptions serve the new connection.
    ///
    /// Sends     S subscribes in a session that lasts; while it is connected it connects again and resumes; P
    ///           publishes.
    /// Demands   Session Present 1; the message comes on the new connection.
    /// Leaves    nothing.
    TAKEOVER_KEEPS_SESSION "session/takeover_keeps_session",
    covers: [
        V3_1_1 / "MQTT-3.1.2-4", V3_1_1 / "MQTT-3.2.2-2", V3_1_1 / "MQTT-3.1.4-3",
        V5 / "MQTT-3.1.2-5", V5 / "MQTT-3.2.2-3", V5 / "MQTT-3.1.4-4",
    ],
    needs: [Qos1],
    proved: ["session_not_resumed", "subscriptions_lost_on_resume", "session_present_never"],
    run: async |w| {
        let topic = w.topic("news");
        let mut old = w.client("s").persistent(60).connect().await?;
        old.subscribe(&topic, Qos::AtLeastOnce).await?;

        let mut s = w.client("s").resume(60).connect().await?;
        if !s.session_present() {
            return Err(Stop::violates("CONNACK with Session Present 1", "CONNACK with Session Present 0"));
        }
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"on").qos1().acknowledged().await?;
        s.expect(publish(&topic).payload(b"on")).await?;
        Ok(())
    }
}
