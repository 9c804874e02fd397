//! Errors: what is one wherever it stands, and what it means for others. [3.1.1 §4.7, §4.8] [5.0 §4.7, §4.13]

use crate::check;
use crate::check::Check;
use crate::story::publish;
use crate::verdict::Verdict;
use mqtt_assay_codec::raw::Stage;
use mqtt_assay_codec::{Offence, Qos, ReasonCode, raw};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    EMPTY_FILTER_IS_REFUSED,
    OTHERS_ARE_NOT_AFFECTED,
    ACKNOWLEDGEMENT_OF_ZERO_IS_REFUSED,
    TRUNCATED_PACKET_IS_REFUSED,
];

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

check! {
    /// An acknowledgement of Packet Identifier 0 is refused.
    ///
    /// Sends     PUBACK, PUBREC, PUBREL and PUBCOMP with Packet Identifier 0.
    /// Demands   the end of the connection.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    ACKNOWLEDGEMENT_OF_ZERO_IS_REFUSED "malformed/acknowledgement_of_zero",
    covers: [V3_1_1 / "MQTT-4.8.0-1", V5 / "MQTT-4.13.1-1"],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::AcknowledgedPublishZero)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// A packet that ends inside one of its fields is refused.
    ///
    /// Sends     each packet after CONNECT cut short: in its Packet Identifier, in a length, in a string, before
    ///           the options of a subscription.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    TRUNCATED_PACKET_IS_REFUSED "malformed/truncated_packet",
    covers: [
        V3_1_1 / "MQTT-4.8.0-1", V3_1_1 / "U3-STR-2", V3_1_1 / "MQTT-3.3.2-1", V5 / "MQTT-3.3.2-1",
        V5 / "U5-STR-1",
    ],
    needs: [],
    proved: ["truncated_packet_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::Truncated && case.stage == Stage::Connected).each_refused().await
    }
}

check! {
    /// An empty Topic Filter is refused.
    ///
    /// Sends     SUBSCRIBE and UNSUBSCRIBE with an empty filter, alone and behind another.
    /// Demands   the end of the connection, or an answer that refuses the filter.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    EMPTY_FILTER_IS_REFUSED "malformed/empty_filter",
    covers: [V3_1_1 / "MQTT-4.7.3-1", V5 / "MQTT-4.7.3-1"],
    needs: [],
    proved: ["empty_filter_granted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::TopicFilterEmpty)
            .code(ReasonCode::PROTOCOL_ERROR)
            .must_not_be_granted()
            .each_refused()
            .await
    }
}
