//! Session state. What is repeated after a reconnect stands with §4.4. [3.1.1 §4.1] [5.0 §4.1]

use crate::check;
use crate::check::Check;
use crate::checks::common::s4_3_qos::{ID, released_once};
use crate::story::{publish, pubrec};
use mqtt_assay_codec::Qos;
use std::time::Duration;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[LIVES_AS_LONG_AS_CONNECTION, RECEIVED_QOS_2_IS_REMEMBERED];

check! {
    /// Session state is not discarded while the connection is open, however short the session would last after it.
    ///
    /// Sends     S subscribes, with Session Expiry Interval 1 in 5.0 and Clean Session 1 in 3.1.1; it pings for two
    ///           seconds; P publishes.
    /// Demands   S receives the message.
    /// Leaves    nothing.
    LIVES_AS_LONG_AS_CONNECTION "state/lives_as_long_as_connection",
    covers: [V3_1_1 / "MQTT-4.1.0-1", V3_1_1 / "MQTT-4.1.0-2", V5 / "MQTT-4.1.0-1"],
    needs: [Qos1],
    proved: ["session_expires_while_connected"],
    waits: 2.0,
    run: async |w| {
        let topic = w.topic("news");
        let s = w.client("s");
        let mut s = if w.is_v5() { s.persistent(1) } else { s }.connect().await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        for _ in 0..2 {
            w.let_pass(Duration::from_secs(1), "twice the Session Expiry Interval").await;
            s.ping().await?;
        }
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"still there?").qos1().acknowledged().await?;
        s.expect(publish(&topic).payload(b"still there?")).await?;
        Ok(())
    }
}

check! {
    /// The broker remembers across connections which QoS 2 messages it has received.
    ///
    /// Sends     P publishes at QoS 2 in a session that lasts, gets PUBREC, loses its connection, comes back, sends
    ///           the same PUBLISH with DUP, then PUBREL.
    /// Demands   PUBREC and PUBCOMP; S receives the message once.
    /// Leaves    whether S receives it on PUBLISH or on PUBREL.
    RECEIVED_QOS_2_IS_REMEMBERED "state/received_qos_2_is_remembered",
    covers: [
        V3_1_1 / "MQTT-4.1.0-1", V3_1_1 / "MQTT-4.3.3-2",
        V5 / "MQTT-3.1.2-23", V5 / "MQTT-4.3.3-10", V5 / "U5-SES-1",
    ],
    needs: [Qos2],
    proved: ["qos_2_receipt_lost_on_resume"],
    run: async |w| {
        let topic = w.topic("news");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut p = w.client("p").persistent(60).connect().await?;
        // Some brokers forget a session without a subscription: another check answers for that.
        p.subscribe(&w.topic("own"), Qos::AtMostOnce).await?;
        p.publish(&topic, b"message").qos2().packet_id(ID).send().await?;
        p.await_message(pubrec(ID)).await?;
        p.cut();

        let mut p = w.client("p").resumed(60).await?;
        p.publish(&topic, b"message").qos2().dup().packet_id(ID).send().await?;
        p.expect(pubrec(ID)).await?;
        released_once(&mut p, &mut s, &topic).await
    }
}
