//! Message delivery retry, as far as 5.0 rules more than 3.1.1. [5.0 §4.4]

use crate::check;
use crate::check::Check;
use crate::story::{Next, Stop, publish, pubrel};
use mqtt_assay_codec::{PacketType, Qos, ReasonCode};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[NOTHING_IS_REPEATED_ON_A_LIVE_CONNECTION, REFUSED_IS_NOT_REPEATED];

check! {
    /// Nothing unacknowledged is sent again while the connection lasts.
    ///
    /// Sends     B leaves a delivery at QoS 1 unacknowledged, then one at QoS 2, then its PUBREL, and each time
    ///           sends PINGREQ five times.
    /// Demands   neither PUBLISH nor PUBREL comes again.
    /// Leaves    how many unacknowledged deliveries the broker allows itself: one would do; a broker that sends
    ///           again after a longer time goes unnoticed.
    NOTHING_IS_REPEATED_ON_A_LIVE_CONNECTION "redelivery/nothing_is_repeated_on_a_live_connection",
    covers: [V5 / "MQTT-4.4.0-1"],
    needs: [Qos1, Qos2],
    proved: ["resent_on_live_connection"],
    run: async |w| {
        let (once, twice) = (w.topic("one"), w.topic("two"));
        let mut b = w.client("b").acknowledge_by_hand().connect().await?;
        b.subscribe(&once, Qos::AtLeastOnce).await?;
        b.subscribe(&twice, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&once, b"message").qos1().acknowledged().await?;
        let id = b.await_message(publish(&once)).await?.id()?;
        for _ in 0..5 {
            b.expect_no_publishes().await?;
        }
        b.puback(id, ReasonCode::SUCCESS).await?;
        a.publish(&twice, b"message").qos2().acknowledged().await?;
        let id = b.await_message(publish(&twice)).await?.id()?;
        for _ in 0..5 {
            b.expect_no_publishes().await?;
        }
        b.pubrec(id, ReasonCode::SUCCESS).await?;
        b.await_message(pubrel(id)).await?;
        for _ in 0..5 {
            b.expect_no_publishes().await?;
        }
        b.expect_none(PacketType::Pubrel).await
    }
}

check! {
    /// A delivery that the Client refused is acknowledged, and does not come again.
    ///
    /// Sends     B answers a delivery at QoS 1 with PUBACK 0x80 and one at QoS 2 with PUBREC 0x83, and
    ///           resumes its session.
    /// Demands   neither PUBLISH comes again, nor a PUBREL for the refused one.
    /// Leaves    a PUBREL before the session is resumed: it deviates.
    REFUSED_IS_NOT_REPEATED "redelivery/refused_is_not_repeated",
    covers: [V5 / "MQTT-4.4.0-2", V5 / "MQTT-4.3.3-4"],
    needs: [Qos1, Qos2],
    proved: ["refused_delivery_resent", "refused_delivery_released"],
    run: async |w| {
        let (once, twice) = (w.topic("qos1"), w.topic("qos2"));
        let mut b = w.client("b").persistent(60).acknowledge_by_hand().connect().await?;
        b.subscribe(&once, Qos::AtLeastOnce).await?;
        b.subscribe(&twice, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        a.publish(&once, b"message").qos1().acknowledged().await?;
        let id = b.await_message(publish(&once)).await?.id()?;
        b.puback(id, ReasonCode::UNSPECIFIED_ERROR).await?;
        a.publish(&twice, b"message").qos2().acknowledged().await?;
        let id = b.await_message(publish(&twice)).await?.id()?;
        b.pubrec(id, ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR).await?;
        // PINGREQ may be answered before a packet that came earlier; SUBSCRIBE goes the way of the others.
        b.subscribe(&w.topic("marker"), Qos::AtLeastOnce).await?;
        if let Some(came) = b.inbox().find(|came| came.packet_type() == PacketType::Pubrel) {
            w.deviates(Some(w.cite("MQTT-4.3.3-4")), "no PUBREL for a PUBREC of 0x80 or above", came.line());
        }
        b.cut();
        let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
        a.publish(&w.topic("marker"), b"marker").qos1().acknowledged().await?;
        let until = Instant::now() + w.patience();
        loop {
            match b.next(until).await? {
                Next::Packet(came) if came.topic() == w.topic("marker") => return Ok(()),
                // A broker may hold the marker back until its PUBREL is answered.
                Next::Packet(came) if matches!(came.packet_type(), PacketType::Publish | PacketType::Pubrel) => {
                    let expected = "what was published last, and nothing of what was refused";
                    return Err(Stop::violates(expected, came.line()).at(came.index));
                }
                Next::Packet(_) => {}
                Next::End(_) | Next::Silence => {
                    return Err(Stop::inconclusive("nothing of what was published last"));
                }
            }
        }
    }
}
