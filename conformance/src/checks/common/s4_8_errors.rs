//! What an error in one connection means for the others. [3.1.1 §4.8] [5.0 §4.13]

use crate::check;
use crate::check::Check;
use crate::story::publish;
use crate::verdict::Verdict;
use mqtt_assay_codec::{Qos, raw};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[OTHERS_ARE_NOT_AFFECTED];

check! {
    /// An error in one session has no effect on another.
    ///
    /// Sends     A and B are connected and B subscribed; five other clients send a packet each that breaks a rule; then
    ///           A publishes.
    /// Demands   B receives the message, and both connections go on.
    /// Leaves    3.1.1 has this as a recommendation: there it deviates.
    OTHERS_ARE_NOT_AFFECTED "error/others_are_not_affected",
    covers: [V3_1_1 / "U3-ERR-1", V5 / "U5-ERR-1"],
    needs: [Qos1],
    proved: ["error_ends_all_connections"],
    run: async |w| {
        let topic = w.topic("calm");
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let wrong = [
            raw::packet(0x00, &[]),
            raw::packet(0x36, &[]),
            raw::packet(0x80, &[]),
            raw::packet(0xA0, &[]),
            raw::packet_with_length(0x30, &[0xFF; 5], &[]),
        ];
        for (number, bytes) in wrong.iter().enumerate() {
            let mut other = w.connect(&format!("wrong{number}")).await?;
            other.send_bytes(bytes).await?;
            other.reaction().await?;
        }
        a.publish(&topic, b"still here").qos1().send().await?;
        match b.expect(publish(&topic).payload(b"still here")).await {
            // 3.1.1 says SHOULD NOT.
            Err(stop) if !w.is_v5() && stop.verdict() == Verdict::Violates => {
                w.deviates(Some(w.cite("U3-ERR-1")), "a bystander that goes on", "its message does not come");
                Ok(())
            }
            other => other.map(drop),
        }
    }
}
