//! PINGREQ and PINGRESP. [3.1.1 §3.12] [5.0 §3.12]

use crate::check;
use crate::check::Check;
use crate::story::{Next, Stop, Story, World};
use mqtt_assay_codec::{Packet, PacketType, Properties, Subscribe, SubscriptionList, SubscriptionOptions};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[PINGREQ_IS_ANSWERED];

check! {
    /// Each PINGREQ is answered with a PINGRESP.
    ///
    /// Sends     three PINGREQ and, to see that the broker goes on, a SUBSCRIBE, in one segment.
    /// Demands   three PINGRESP.
    /// Leaves    nothing.
    PINGREQ_IS_ANSWERED "ping/pingreq_is_answered",
    covers: [V3_1_1 / "MQTT-3.12.4-1", V5 / "MQTT-3.12.4-1"],
    needs: [],
    proved: ["pingresp_missing"],
    run: async |w| { three_answers(w).await }
}

/// The story of three PINGREQ; 3.1 has it, too.
pub(crate) async fn three_answers(w: &World) -> Story {
    let mut a = w.connect("a").await?;
    let list = SubscriptionList::one(&w.topic("ping"), SubscriptionOptions::default());
    let subscribe =
        Subscribe { packet_id: a.fresh_id(), properties: Properties::NONE, subscriptions: list.view() };
    a.send_together(&[Packet::Pingreq, Packet::Pingreq, Packet::Pingreq, Packet::Subscribe(subscribe)])
        .await?;
    let (mut answers, mut goes_on) = (0, false);
    let deadline = Instant::now() + w.patience();
    while answers < 3 || !goes_on {
        match a.next(deadline).await? {
            Next::Packet(r) if r.packet_type() == PacketType::Pingresp => answers += 1,
            Next::Packet(r) if r.packet_type() == PacketType::Suback => goes_on = true,
            Next::Packet(_) => {}
            Next::End(_) | Next::Silence => break,
        }
    }
    match (answers, goes_on) {
        (3, _) => Ok(()),
        (_, true) => {
            Err(Stop::violates("three PINGRESP", format!("{answers} PINGRESP, though SUBSCRIBE is answered")))
        }
        (_, false) => Err(Stop::inconclusive("the broker answers neither PINGREQ nor SUBSCRIBE")),
    }
}
