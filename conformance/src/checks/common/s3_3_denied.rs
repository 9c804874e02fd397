//! Messages that the broker does not want. [3.1.1 §3.3.5] [5.0 §3.3.2.3.2]

use crate::check;
use crate::check::Check;
use crate::checks::refusals::{Denied, answer, denied, positive};
use crate::story::{Refusal, Stop, publish};
use mqtt_assay_codec::{Property, Qos};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[DENIED_IS_ANSWERED_OR_ENDS, ILL_FORMED_TEXT];

check! {
    /// A message that its publisher may not send is acknowledged like others, or ends the connection.
    ///
    /// Sends     PUBLISH at QoS 1 and 2 to a topic that the Client may not publish to, each on a connection of its own.
    /// Demands   PUBACK or PUBREC, or the end of the connection.
    /// Leaves    which of both: 3.1.1 has no negative acknowledgement.
    DENIED_IS_ANSWERED_OR_ENDS "denied/answered_or_ends",
    covers: [V3_1_1 / "MQTT-3.3.5-2"],
    needs: [Qos1, Qos2, DeniedTopic],
    setup: Guarded,
    proved: ["denied_publish_unacknowledged"],
    run: async |w| {
        for (name, qos) in [("a", Qos::AtLeastOnce), ("b", Qos::ExactlyOnce)] {
            match denied(w, name, qos).await? {
                Denied::Ended => w.note("a denied PUBLISH ends the connection"),
                Denied::Acknowledged => w.note("a denied PUBLISH is acknowledged"),
                Denied::Neither => {
                    let expected = "an acknowledgement, or the end of the connection";
                    return Err(Stop::violates(expected, "neither, though PINGREQ is answered"));
                }
            }
        }
        Ok(())
    }
}

check! {
    /// Text that is no UTF-8 may be refused; then it reaches nobody.
    ///
    /// Sends     A publishes at QoS 1 to B, with Payload Format Indicator 1, bytes that are no UTF-8.
    /// Demands   nothing for B if A's message is refused; that very message if it is not.
    /// Leaves    whether the broker looks at the payload.
    ILL_FORMED_TEXT "denied/ill_formed_text",
    covers: [V5 / "U5-PUB-7"],
    needs: [Qos1],
    proved: ["refused_message_delivered"],
    run: async |w| {
        let topic = w.topic("text");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect_alive("a").await?;
        a.publish(&topic, b"\xFF\xFE").qos1().property(Property::PayloadFormatIndicator(1)).send().await?;
        let reaction = a.reaction().await?;
        let accepted = match (reaction, answer(a.inbox())) {
            (_, Some(answer)) => positive(&answer),
            (Refusal::Ended(..), None) => false,
            _ => return Err(Stop::inconclusive("a PUBLISH at QoS 1 gets no answer")),
        };
        w.note(format!("a payload that is no UTF-8 in spite of its Payload Format Indicator is accepted: {accepted}"));
        if accepted {
            b.expect(publish(&topic).payload(b"\xFF\xFE")).await?;
            return Ok(());
        }
        let mut other = w.connect("other").await?;
        b.settle(&mut other, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&topic).await
    }
}
