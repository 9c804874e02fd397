//! Packet Identifiers that are in use. [5.0 §2.2.1]

use crate::check;
use crate::check::Check;
use crate::story::{Refusal, Stop, pubcomp, publish, pubrec};
use mqtt_assay_codec::{
    Packet, PacketId, PacketType, Properties, Qos, ReasonCode, Subscribe, SubscriptionList,
    SubscriptionOptions,
};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[SUBSCRIBE_LEAVES_QOS_2_ALONE];

check! {
    /// A SUBSCRIBE with the Packet Identifier of an unfinished QoS 2 message does not touch that message.
    ///
    /// Sends     A publishes at QoS 2 and gets PUBREC; then SUBSCRIBE with the same identifier; then PUBREL.
    /// Demands   PUBCOMP 0x00: the broker still knows the message; B gets it once.
    /// Leaves    what becomes of the SUBSCRIBE: a grant, 0x91, or the end of the connection.
    SUBSCRIBE_LEAVES_QOS_2_ALONE "packet_identifier/subscribe_leaves_qos_2_alone",
    covers: [V5 / "U5-PKT-2"],
    needs: [Qos2],
    proved: ["subscribe_releases_qos_2_id"],
    run: async |w| {
        let (topic, id) = (w.topic("held"), PacketId::MAX);
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect_alive("a").await?;
        a.publish(&topic, b"once").qos2().packet_id(id).send().await?;
        a.await_message(pubrec(id)).await?;
        let list = SubscriptionList::one(&w.topic("own"), SubscriptionOptions::default());
        let subscribe = Subscribe { packet_id: id, properties: Properties::NONE, subscriptions: list.view() };
        a.send(&Packet::Subscribe(subscribe)).await?;
        match a.reaction().await? {
            Refusal::Ended(..) => {
                w.note("a SUBSCRIBE with a Packet Identifier in use ends the connection");
                return Ok(());
            }
            Refusal::WentOn if a.inbox().any(|r| r.packet_type() == PacketType::Suback) => {}
            _ => return Err(Stop::inconclusive("a SUBSCRIBE gets no answer")),
        }
        a.pubrel(id, ReasonCode::SUCCESS).await?;
        let completed = a.expect(pubcomp(id)).await?;
        if completed.reason() != ReasonCode::SUCCESS {
            w.deviates(None, pubcomp(id).reason(&[ReasonCode::SUCCESS]).to_string(), completed.line());
        }
        b.expect(publish(&topic).payload(b"once")).await?;
        b.settle(&mut a, Qos::ExactlyOnce).await?;
        b.expect_no_publish(&topic).await
    }
}
