//! Message ordering, as far as 3.1.1 orders more than 5.0. [3.1.1 §4.6]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Stop, Story, publish};
use mqtt_assay_codec::{Ack, Packet, PacketId, PacketType, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[PUBRELS_FOLLOW_PUBRECS];

/// The next PUBRELs come in the order of these identifiers.
async fn expect_pubrels(client: &mut Client<'_>, ids: &[PacketId]) -> Story {
    client.ping().await?;
    let released: Vec<PacketId> = client
        .inbox()
        .filter(|received| received.packet_type() == PacketType::Pubrel)
        .filter_map(|received| received.packet().packet_id())
        .collect();
    if released == ids {
        return Ok(());
    }
    Err(Stop::violates(format!("PUBREL for {ids:?}, in this order"), format!("PUBREL for {released:?}")))
}

check! {
    /// PUBREL packets are sent in the order in which the PUBREC packets came, and sent again in that order.
    ///
    /// Sends     B has up to three QoS 2 deliveries of one topic and answers them with PUBREC, the last one first;
    ///           without sending PUBCOMP it resumes its session.
    /// Demands   PUBREL in the order of the PUBREC, on both connections.
    /// Leaves    how many deliveries the broker has outstanding at a time; with one there is nothing to order.
    PUBRELS_FOLLOW_PUBRECS "ordering/pubrels_follow_pubrecs",
    covers: [V3_1_1 / "MQTT-4.6.0-6"],
    needs: [Qos2],
    proved: ["order_reversed_on_resume"],
    run: async |w| {
        let topic = w.topic("row");
        let mut b = w.client("b").persistent(60).acknowledge_by_hand().connect().await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        for payload in [b"1", b"2", b"3"] {
            a.publish(&topic, payload).qos2().acknowledged().await?;
        }
        let mut ids = vec![b.await_message(publish(&topic)).await?.id()?];
        b.ping().await?;
        for delivery in b.take_publishes() {
            ids.insert(0, delivery.id()?);
        }
        let answers: Vec<Packet<'_>> =
            ids.iter().map(|id| Packet::Pubrec(Ack::new(*id, ReasonCode::SUCCESS))).collect();
        b.send_together(&answers).await?;
        expect_pubrels(&mut b, &ids).await?;
        b.cut();
        let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
        expect_pubrels(&mut b, &ids).await
    }
}
