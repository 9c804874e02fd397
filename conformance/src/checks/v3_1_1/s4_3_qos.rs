//! Quality of Service, as far as 3.1.1 lets a Client send again when 5.0 does not. [3.1.1 §4.3]

use crate::check;
use crate::check::Check;
use crate::checks::common::s4_3_qos::{ID, released_once};
use crate::story::pubrec;
use mqtt_assay_codec::Qos;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[REPEATED_WHILE_CONNECTED_ARRIVES_ONCE];

check! {
    /// A QoS 2 PUBLISH that is repeated on the same connection is answered again and not passed on again.
    ///
    /// Sends     PUBLISH, twice the same with DUP 1, each when the one before was answered, then PUBREL.
    /// Demands   PUBREC each time, PUBCOMP; the subscriber receives the message once.
    /// Leaves    5.0, where a Client sends again on a new connection only.
    REPEATED_WHILE_CONNECTED_ARRIVES_ONCE "qos_2/repeated_while_connected_arrives_once",
    covers: [V3_1_1 / "MQTT-4.3.3-2"],
    needs: [Qos2],
    proved: ["qos_2_duplicate_delivered", "qos_2_duplicate_unanswered"],
    run: async |w| {
        let topic = w.topic("once");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"message").qos2().packet_id(ID).send().await?;
        a.expect(pubrec(ID)).await?;
        for _ in 0..2 {
            a.publish(&topic, b"message").qos2().packet_id(ID).dup().send().await?;
            a.expect(pubrec(ID)).await?;
        }
        released_once(&mut a, &mut b, &topic).await
    }
}
