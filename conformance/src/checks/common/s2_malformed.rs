//! Fixed headers, lengths and Packet Identifiers that no packet may have. [3.1.1 §2] [5.0 §1.5.5, §2]

use crate::check;
use crate::check::Check;
use crate::story::{Refusal, Stop};
use mqtt_assay_codec::raw::{self, Stage};
use mqtt_assay_codec::{Offence, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    RESERVED_PACKET_TYPE_IS_REFUSED,
    SERVER_PACKETS_ARE_REFUSED,
    RESERVED_FLAGS_ARE_REFUSED,
    PUBREL_FLAGS_ARE_CHECKED,
    SUBSCRIBE_FLAGS_ARE_CHECKED,
    UNSUBSCRIBE_FLAGS_ARE_CHECKED,
    REMAINING_LENGTH_HAS_FOUR_BYTES,
    PADDED_LENGTH,
    PACKET_IDENTIFIER_ZERO_IS_REFUSED,
    TRAILING_BYTES_ARE_REFUSED,
];

check! {
    /// A packet of a reserved type is refused.
    ///
    /// Sends     type 0, and in 3.1.1 type 15, with each value of the flags.
    /// Demands   the end of the connection.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    RESERVED_PACKET_TYPE_IS_REFUSED "malformed/reserved_packet_type",
    covers: [V3_1_1 / "MQTT-4.8.0-1", V3_1_1 / "U3-TYPE-1", V5 / "MQTT-4.13.1-1", V5 / "U5-TYPE-1"],
    needs: [],
    proved: ["reserved_packet_type_ignored", "protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::ReservedPacketType).each_refused().await
    }
}

check! {
    /// A packet that only a Server may send is refused.
    ///
    /// Sends     CONNACK, SUBACK, UNSUBACK and PINGRESP, each well-formed.
    /// Demands   the end of the connection.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    SERVER_PACKETS_ARE_REFUSED "malformed/server_packet_from_client",
    covers: [V3_1_1 / "MQTT-4.8.0-1", V3_1_1 / "U3-TYPE-1", V5 / "MQTT-4.13.1-1", V5 / "U5-TYPE-2"],
    needs: [],
    proved: ["server_packet_ignored", "protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::ServerPacketFromClient)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// Reserved flags of a fixed header other than 0000 are refused.
    ///
    /// Sends     PUBACK, PUBREC, PUBCOMP and PINGREQ with each wrong value of the flags.
    /// Demands   the end of the connection.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    RESERVED_FLAGS_ARE_REFUSED "malformed/reserved_flags",
    covers: [V3_1_1 / "MQTT-2.2.2-2", V5 / "MQTT-2.1.3-1"],
    needs: [],
    proved: ["fixed_header_flags_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::FixedHeaderFlags && case.stage == Stage::Connected).each_refused().await
    }
}

check! {
    /// PUBREL flags other than 0010 are malformed.
    ///
    /// Sends     PUBREL with each wrong value of the flags.
    /// Demands   the end of the connection, and no PUBCOMP.
    /// Leaves    nothing: this error must be detected.
    PUBREL_FLAGS_ARE_CHECKED "malformed/pubrel_flags",
    covers: [V3_1_1 / "MQTT-2.2.2-2", V3_1_1 / "MQTT-3.6.1-1", V5 / "MQTT-3.6.1-1"],
    needs: [],
    proved: ["pubrel_flags_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::PubrelFlags).must_be_detected().each_refused().await
    }
}

check! {
    /// SUBSCRIBE flags other than 0010 are malformed.
    ///
    /// Sends     SUBSCRIBE with each wrong value of the flags.
    /// Demands   the end of the connection, and no SUBACK.
    /// Leaves    nothing: this error must be detected.
    SUBSCRIBE_FLAGS_ARE_CHECKED "malformed/subscribe_flags",
    covers: [V3_1_1 / "MQTT-2.2.2-2", V3_1_1 / "MQTT-3.8.1-1", V5 / "MQTT-3.8.1-1"],
    needs: [],
    proved: ["subscribe_flags_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::SubscribeFlags).must_be_detected().each_refused().await
    }
}

check! {
    /// UNSUBSCRIBE flags other than 0010 are malformed.
    ///
    /// Sends     UNSUBSCRIBE with each wrong value of the flags.
    /// Demands   the end of the connection, and no UNSUBACK.
    /// Leaves    nothing: this error must be detected.
    UNSUBSCRIBE_FLAGS_ARE_CHECKED "malformed/unsubscribe_flags",
    covers: [V3_1_1 / "MQTT-2.2.2-2", V3_1_1 / "MQTT-3.10.1-1", V5 / "MQTT-3.10.1-1"],
    needs: [],
    proved: ["unsubscribe_flags_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::UnsubscribeFlags).must_be_detected().each_refused().await
    }
}

check! {
    /// A Remaining Length of more than four bytes is refused.
    ///
    /// Sends     each packet with a Remaining Length of five bytes, large or small in value.
    /// Demands   the end of the connection, without waiting for bytes that will not come.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    REMAINING_LENGTH_HAS_FOUR_BYTES "malformed/remaining_length_of_five_bytes",
    covers: [V3_1_1 / "MQTT-4.8.0-1", V3_1_1 / "U3-VBI-1", V5 / "MQTT-4.13.1-1", V5 / "U5-VBI-1"],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::RemainingLengthTooLong && case.stage == Stage::Connected).each_refused().await
    }
}

check! {
    /// A Remaining Length in more bytes than it needs is no valid encoding in 5.0.
    ///
    /// Sends     each packet with a Remaining Length padded to two, three and four bytes; in 3.1.1 a PINGREQ.
    /// Demands   the end of the connection in 5.0.
    /// Leaves    what a receiver does about it: taking it for the value it holds is a deviation in 5.0, and a
    ///           choice in 3.1.1, which does not forbid it.
    PADDED_LENGTH "malformed/padded_remaining_length",
    covers: [V3_1_1 / "U3-VBI-2", V5 / "MQTT-1.5.5-1"],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        if w.is_v5() {
            let padded = |offence| {
                matches!(offence, Offence::RemainingLengthNotMinimal | Offence::VariableByteIntegerNotMinimal)
            };
            return w
                .wrong(|case| padded(case.offence) && case.stage == Stage::Connected)
                .may_be_tolerated()
                .each_refused()
                .await;
        }
        let mut a = w.connect_alive("a").await?;
        a.send_bytes(&raw::packet_with_length(0xC0, &[0x80, 0x00], &[])).await?;
        match a.reaction().await? {
            Refusal::Ended(..) => w.note("a Remaining Length in more bytes than needed ends the connection"),
            Refusal::WentOn => w.note("a Remaining Length in more bytes than needed is read"),
            Refusal::HeldOpen | Refusal::Stuck => {
                return Err(Stop::inconclusive("neither PINGRESP nor the end of the connection, for PINGREQ either"));
            }
        }
        Ok(())
    }
}

check! {
    /// Packet Identifier 0 is refused.
    ///
    /// Sends     PUBLISH at QoS 1 and 2, SUBSCRIBE and UNSUBSCRIBE with Packet Identifier 0.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    PACKET_IDENTIFIER_ZERO_IS_REFUSED "malformed/packet_identifier_zero",
    covers: [V3_1_1 / "MQTT-2.3.1-1", V3_1_1 / "MQTT-4.8.0-1", V5 / "MQTT-2.2.1-3", V5 / "MQTT-4.13.1-1"],
    needs: [],
    proved: ["packet_id_zero_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::PacketIdentifierZero)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// A packet with bytes behind its last field is refused.
    ///
    /// Sends     each packet that ends at a known place, with one byte or more behind; in 3.1.1 also what 5.0
    ///           allows there.
    /// Demands   the end of the connection, and no acknowledgement.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    TRAILING_BYTES_ARE_REFUSED "malformed/trailing_bytes",
    covers: [V3_1_1 / "MQTT-4.8.0-1", V3_1_1 / "U3-LEN-1", V5 / "MQTT-4.13.1-1", V5 / "U5-LEN-1"],
    needs: [],
    proved: ["trailing_bytes_accepted", "protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::TrailingBytes).each_refused().await
    }
}
