//! PUBACK, PUBREC, PUBREL and PUBCOMP: Reason Codes. [5.0 §3.4, §3.5, §3.6, §3.7]

use crate::check;
use crate::check::Check;
use crate::story::{publish, pubrel};
use mqtt_assay_codec::Qos;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[CODES_ARE_LISTED];

check! {
    /// The acknowledgements of the broker have Reason Codes that the specification lists for them.
    ///
    /// Sends     A publishes at QoS 1 and 2 with and without a subscriber; B answers a QoS 2 delivery.
    /// Demands   PUBACK, PUBREC, PUBREL and PUBCOMP with listed codes only.
    /// Leaves    which of them.
    CODES_ARE_LISTED "acknowledgement/codes_are_listed",
    covers: [V5 / "MQTT-3.4.2-1", V5 / "MQTT-3.5.2-1", V5 / "MQTT-3.6.2-1", V5 / "MQTT-3.7.2-1"],
    needs: [Qos1, Qos2],
    proved: ["puback_code_unlisted", "pubrec_code_unlisted", "pubrel_code_unlisted", "pubcomp_code_unlisted"],
    run: async |w| {
        let (heard, unheard) = (w.topic("heard"), w.topic("unheard"));
        let mut b = w.connect("b").await?;
        b.subscribe(&heard, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        // Each packet of the broker is decoded by the tables of its version: an unlisted code ends the story.
        for topic in [&heard, &unheard] {
            a.publish(topic, b"message").qos1().acknowledged().await?;
            a.publish(topic, b"message").qos2().acknowledged().await?;
        }
        b.await_message(publish(&heard).qos(Qos::AtLeastOnce)).await?;
        let id = b.await_message(publish(&heard)).await?.id()?;
        b.await_message(pubrel(id)).await?;
        Ok(())
    }
}
