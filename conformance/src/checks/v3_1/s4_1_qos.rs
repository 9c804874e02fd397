//! Quality of Service, as 3.1 has it. [3.1 §4.1]

use crate::check;
use crate::check::Check;
use crate::story::{puback, pubcomp, publish, pubrec};
use mqtt_assay_codec::{PacketId, PacketType, Qos, ReasonCode};

/// In the order of the document.
pub const CHECKS: &[Check] = &[EACH_QOS_HAS_ITS_EXCHANGE];

check! {
    /// A message of each QoS has its exchange, and arrives.
    ///
    /// Sends     A publishes at QoS 0, 1 and 2 to B, which subscribes at QoS 2; both follow the exchanges.
    /// Demands   for A nothing, PUBACK, and PUBREC and PUBCOMP; for B each message, the last one once.
    /// Leaves    copies of the message of QoS 1; that of QoS 0 may be lost, and then nothing can be told.
    EACH_QOS_HAS_ITS_EXCHANGE "v3_1/each_qos_has_its_exchange",
    covers: [V3_1 / "M31-QOS-1", V3_1 / "M31-QOS-2", V3_1 / "M31-QOS-0", V3_1 / "M31-FMT-1"],
    needs: [],
    proved: ["puback_missing", "pubrec_missing", "pubcomp_missing", "qos_2_delivered_twice", "qos_0_acknowledged",
        "packet_id_zero"],
    run: async |w| {
        let id = PacketId::MAX;
        let topics = [w.topic("0"), w.topic("1"), w.topic("2")];
        let mut b = w.connect("b").await?;
        for topic in &topics {
            b.subscribe(topic, Qos::ExactlyOnce).await?;
        }
        let mut a = w.connect("a").await?;

        a.publish(&topics[0], b"zero").send().await?;
        b.await_message(publish(&topics[0]).payload(b"zero")).await?;
        a.expect_none(PacketType::Puback).await.map_err(|stop| stop.citing(w.cite("M31-QOS-0")))?;

        a.publish(&topics[1], b"one").qos1().packet_id(id).send().await?;
        a.expect(puback(id)).await?;
        b.expect(publish(&topics[1]).payload(b"one")).await?;

        a.publish(&topics[2], b"two").qos2().packet_id(id).send().await?;
        let second = |stop: crate::story::Stop| stop.citing(w.cite("M31-QOS-2"));
        a.expect(pubrec(id)).await.map_err(second)?;
        a.pubrel(id, ReasonCode::SUCCESS).await?;
        a.expect(pubcomp(id)).await.map_err(second)?;
        b.expect(publish(&topics[2]).payload(b"two")).await.map_err(second)?;
        b.settle(&mut a, Qos::ExactlyOnce).await?;
        b.expect_no_publish(&topics[2]).await.map_err(second)
    }
}
