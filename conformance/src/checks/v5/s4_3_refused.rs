//! A QoS 2 message that the broker refuses. [5.0 §4.3.3]

use crate::check;
use crate::check::Check;
use crate::story::{Stop, pubcomp, publish, pubrec};
use mqtt_assay_codec::{PacketId, Property, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[ID_IS_FREE_AFTER_REFUSAL];

check! {
    /// After a PUBREC that refuses, a PUBLISH with the same Packet Identifier is a new message.
    ///
    /// Sends     PUBLISH at QoS 2 whose payload is not the UTF-8 that its Payload Format Indicator promises;
    ///           if it is refused, a good one with the same identifier.
    /// Demands   the second is accepted and delivered.
    /// Leaves    whether the broker looks at the payload: if not, the check has nothing to go by.
    ID_IS_FREE_AFTER_REFUSAL "qos_2/id_is_free_after_refusal",
    covers: [V5 / "MQTT-4.3.3-9"],
    needs: [Qos2],
    proved: ["refused_qos_2_id_kept"],
    run: async |w| {
        let (id, topic) = (PacketId::MAX, w.topic("text"));
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        let text = Property::PayloadFormatIndicator(1);
        a.publish(&topic, b"\xFF\xFE").qos2().packet_id(id).property(text).send().await?;
        if a.await_message(pubrec(id)).await?.reason().is_success() {
            return Err(Stop::not_tested("a message that the broker refuses: it does not check payloads"));
        }
        a.publish(&topic, b"good").qos2().packet_id(id).property(text).send().await?;
        a.expect(pubrec(id).that("below 0x80", |answer| answer.reason().is_success())).await?;
        a.pubrel(id, ReasonCode::SUCCESS).await?;
        a.expect(pubcomp(id)).await?;
        b.expect(publish(&topic).payload(b"good")).await?;
        Ok(())
    }
}
