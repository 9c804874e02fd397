//! Message ordering, as far as 3.1.1 orders more than 5.0. [3.1.1 §4.6]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Stop, publish, pubrel};
use mqtt_assay_codec::{Ack, Packet, PacketId, PacketType, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[PUBRELS_FOLLOW_PUBRECS];

/// The identifiers of the PUBRELs that have come, in their order.
async fn released(client: &mut Client<'_>) -> Result<Vec<PacketId>, Stop> {
    client.ping().await?;
    let pubrels = client.inbox().filter(|received| received.packet_type() == PacketType::Pubrel);
    Ok(pubrels.filter_map(|received| received.packet().packet_id()).collect())
}

check! {
    /// PUBREL packets are sent in the order in which the PUBREC packets came.
    ///
    /// Sends     B has up to three QoS 2 deliveries of one topic and answers them with PUBREC, the last one
    ///           first; without sending PUBCOMP it resumes its session.
    /// Demands   PUBREL in the order of the PUBREC on the first connection.
    /// Leaves    how many deliveries the broker has outstanding at a time; with one there is nothing to
    ///           order. The order in which they are sent again: the rule for that speaks of PUBLISH.
    PUBRELS_FOLLOW_PUBRECS "ordering/pubrels_follow_pubrecs",
    covers: [V3_1_1 / "MQTT-4.6.0-6"],
    needs: [Qos2],
    proved: ["pubrels_in_order_of_ids"],
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
        // A broker may send them beside answering PINGREQ: each is awaited.
        let mut came = Vec::new();
        for &id in &ids {
            came.push((b.await_message(pubrel(id)).await?.index, id));
        }
        came.sort_unstable();
        let first: Vec<PacketId> = came.into_iter().map(|(_, id)| id).collect();
        if first != ids {
            return Err(Stop::violates(format!("PUBREL for {ids:?}, in this order"), format!("{first:?}")));
        }
        b.cut();
        let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
        let again = released(&mut b).await?;
        if again.len() == ids.len() {
            w.note(format!("answered in the order {ids:?}, the exchanges are resumed in the order {again:?}"));
        }
        Ok(())
    }
}
