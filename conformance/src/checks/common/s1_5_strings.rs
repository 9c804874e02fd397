//! UTF-8 strings. [3.1.1 §1.5.3] [5.0 §1.5.4]

use crate::check;
use crate::check::Check;
use mqtt_assay_codec::Offence;
use mqtt_assay_codec::raw::{Builder, Stage};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    ILL_FORMED_UTF8_IS_REFUSED,
    SURROGATES_ARE_REFUSED,
    BAD_STRINGS_IN_CONNECT_ARE_REFUSED,
    NUL_IS_REFUSED,
    NUL_IN_CONNECT_IS_REFUSED,
    ILL_FORMED_USER_PROPERTY_IS_REFUSED,
];

check! {
    /// A string that is not well-formed UTF-8 is refused in every packet after CONNECT.
    ///
    /// Sends     each field that holds a string, with lone and missing continuation bytes, overlong forms, code
    ///           points above U+10FFFF and bytes that UTF-8 lacks, each on a connection of its own.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    ILL_FORMED_UTF8_IS_REFUSED "string/ill_formed_utf8_is_refused",
    covers: [
        V3_1_1 / "MQTT-1.5.3-1", V3_1_1 / "MQTT-3.8.3-1", V3_1_1 / "MQTT-3.10.3-1",
        V5 / "MQTT-1.5.4-1", V5 / "MQTT-3.3.2-13", V5 / "MQTT-3.3.2-19", V5 / "MQTT-3.8.3-1",
        V5 / "MQTT-3.10.3-1",
    ],
    needs: [],
    proved: ["ill_formed_utf8_accepted"],
    run: async |w| {
        // A topic of the witness's own, so that it sees what is passed on.
        let topic = [w.wrong_topic().as_bytes(), b"\x80"].concat();
        let publish = Builder::new(0x30).string(&topic).no_properties(w.version());
        w.wrong(|case| case.offence == Offence::IllFormedUtf8 && case.stage == Stage::Connected)
            .and("own-topic-lone-continuation", publish.bytes(b"payload").finish())
            .each_refused()
            .await
    }
}

check! {
    /// A string that encodes a surrogate code point is refused in every packet after CONNECT.
    ///
    /// Sends     each field that holds a string, with a high, a low and a pair of surrogates.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    SURROGATES_ARE_REFUSED "string/surrogates_are_refused",
    covers: [V3_1_1 / "MQTT-1.5.3-1", V5 / "MQTT-1.5.4-1"],
    needs: [],
    proved: ["ill_formed_utf8_accepted"],
    run: async |w| {
        let topic = [w.wrong_topic().as_bytes(), b"\xED\xA0\x80"].concat();
        let publish = Builder::new(0x30).string(&topic).no_properties(w.version());
        w.wrong(|case| case.offence == Offence::SurrogateInUtf8 && case.stage == Stage::Connected)
            .and("own-topic-surrogate", publish.bytes(b"payload").finish())
            .each_refused()
            .await
    }
}

check! {
    /// A CONNECT with a string that is not well-formed UTF-8 is refused.
    ///
    /// Sends     CONNECT with ill-formed bytes and with surrogates in each of its strings, in 5.0 those of its
    ///           properties and of the Will's too.
    /// Demands   the end of the connection; before it nothing, or in 5.0 a CONNACK of 0x80 or above.
    /// Leaves    5.0 lets the broker say why.
    BAD_STRINGS_IN_CONNECT_ARE_REFUSED "string/ill_formed_in_connect_is_refused",
    covers: [
        V3_1_1 / "MQTT-1.5.3-1", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-1.5.4-1", V5 / "MQTT-1.5.7-1", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_bad_string_accepted"],
    run: async |w| {
        w.wrong(|case| {
            let chosen =
                matches!(case.offence, Offence::IllFormedUtf8 | Offence::SurrogateInUtf8 | Offence::UserPropertyIllFormed);
            chosen && case.stage == Stage::Opening
        })
        .each_refused()
        .await
    }
}

check! {
    /// A string that holds U+0000 is refused in every packet after CONNECT.
    ///
    /// Sends     each field that holds a string, with U+0000 alone, first, inside and last.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    5.0 leaves how strictly to check to the broker.
    NUL_IS_REFUSED "string/nul_is_refused",
    covers: [
        V3_1_1 / "MQTT-1.5.3-2", V3_1_1 / "MQTT-4.7.3-2", V5 / "MQTT-1.5.4-2", V5 / "MQTT-4.7.3-2",
    ],
    needs: [],
    proved: ["nul_in_string_accepted"],
    run: async |w| {
        let topic = [w.wrong_topic().as_bytes(), b"\x00"].concat();
        let publish = Builder::new(0x30).string(&topic).no_properties(w.version());
        w.wrong(|case| case.offence == Offence::NulInUtf8 && case.stage == Stage::Connected)
            .and("own-topic-nul", publish.bytes(b"payload").finish())
            .each_refused()
            .await
    }
}

check! {
    /// A CONNECT with U+0000 in a string is refused.
    ///
    /// Sends     CONNECT with U+0000 in each of its strings.
    /// Demands   the end of the connection; before it nothing, or in 5.0 a CONNACK of 0x80 or above.
    /// Leaves    5.0 lets the broker say why.
    NUL_IN_CONNECT_IS_REFUSED "string/nul_in_connect_is_refused",
    covers: [
        V3_1_1 / "MQTT-1.5.3-2", V3_1_1 / "MQTT-3.1.4-1", V5 / "MQTT-1.5.4-2", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_bad_string_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::NulInUtf8 && case.stage == Stage::Opening).each_refused().await
    }
}

check! {
    /// The strings of a User Property obey the rules of every string.
    ///
    /// Sends     each packet that may carry a User Property, with ill-formed UTF-8, surrogates and U+0000 in its
    ///           name and in its value.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    ILL_FORMED_USER_PROPERTY_IS_REFUSED "string/ill_formed_user_property_is_refused",
    covers: [V5 / "MQTT-1.5.7-1"],
    needs: [],
    proved: ["ill_formed_utf8_accepted", "nul_in_string_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::UserPropertyIllFormed && case.stage == Stage::Connected)
            .each_refused()
            .await
    }
}
