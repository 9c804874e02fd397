//! QoS 2: messages that expire under way, and such that the broker refuses. [5.0 §4.3.3]

use crate::check;
use crate::check::Check;
use crate::story::{Stop, pubcomp, publish, pubrec, pubrel};
use mqtt_assay_codec::{PacketId, Property, Qos, ReasonCode};
use std::time::Duration;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[STARTED_DOES_NOT_EXPIRE, ID_IS_FREE_AFTER_REFUSAL, EXPIRED_IS_COMPLETED];

check! {
    /// A QoS 2 message whose PUBLISH has been sent does not expire any more.
    ///
    /// Sends     B has a delivery of a message with a Message Expiry Interval of 1 s, waits for 2.2 s, loses
    ///           its connection, resumes its session and completes the exchange.
    /// Demands   the PUBLISH again, and PUBREL for PUBREC.
    /// Leaves    the Message Expiry Interval of the second PUBLISH.
    STARTED_DOES_NOT_EXPIRE "qos_2/started_does_not_expire",
    covers: [V5 / "MQTT-4.3.3-7"],
    needs: [Qos2],
    proved: ["expiry_applied_after_publish"],
    waits: 2.2,
    run: async |w| {
        let topic = w.topic("begun");
        let mut b = w.client("b").persistent(60).acknowledge_by_hand().connect().await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        let expiry = Property::MessageExpiryInterval(1);
        a.publish(&topic, b"message").qos2().property(expiry).acknowledged().await?;
        let id = b.await_message(publish(&topic)).await?.id()?;
        w.let_pass(Duration::from_millis(2200), "Message Expiry Interval, 1 s").await;
        b.cut();
        let mut b = w.client("b").acknowledge_by_hand().resumed(60).await?;
        b.expect(publish(&topic).payload(b"message").packet_id(id)).await?;
        b.pubrec(id, ReasonCode::SUCCESS).await?;
        b.expect(pubrel(id).reason(&[ReasonCode::SUCCESS])).await?;
        b.pubcomp(id, ReasonCode::SUCCESS).await?;
        b.ping().await
    }
}

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
        match a.await_message(pubrec(id)).await {
            Ok(answer) if answer.reason().is_success() => {
                return Err(Stop::not_tested("a message that the broker refuses: it does not check payloads"));
            }
            Err(_) if a.ended().is_some() => {
                return Err(Stop::not_tested("a PUBREC that refuses: the broker ends the connection instead"));
            }
            answer => answer.map(drop)?,
        }
        a.publish(&topic, b"good").qos2().packet_id(id).property(text).send().await?;
        a.expect(pubrec(id).that("below 0x80", |answer| answer.reason().is_success())).await?;
        a.pubrel(id, ReasonCode::SUCCESS).await?;
        a.expect(pubcomp(id)).await?;
        b.expect(publish(&topic).payload(b"good")).await?;
        Ok(())
    }
}

check! {
    /// A QoS 2 exchange goes on though its message has expired.
    ///
    /// Sends     PUBLISH at QoS 2 with a Message Expiry Interval of 1 s, and PUBREL 2.2 s later.
    /// Demands   PUBREC and PUBCOMP.
    /// Leaves    what became of the message: nobody subscribes to it.
    EXPIRED_IS_COMPLETED "qos_2/expired_is_completed",
    covers: [V5 / "MQTT-4.3.3-13"],
    needs: [Qos2],
    proved: ["expired_qos_2_not_completed"],
    waits: 2.2,
    run: async |w| {
        let mut a = w.connect("a").await?;
        let message = a.publish(&w.topic("unheard"), b"message").qos2();
        if let Some(id) = message.property(Property::MessageExpiryInterval(1)).send().await? {
            a.await_message(pubrec(id)).await?;
            w.let_pass(Duration::from_millis(2200), "Message Expiry Interval, 1 s").await;
            a.pubrel(id, ReasonCode::SUCCESS).await?;
            a.expect(pubcomp(id)).await?;
        }
        Ok(())
    }
}
