//! UTF-8 strings. [3.1.1 §1.5.3] [5.0 §1.5.4]

use crate::check;
use crate::check::Check;
use crate::checks::refusals::{answer, positive};
use crate::story::{Refusal, Stop, publish};
use mqtt_assay_codec::raw::{Builder, Stage};
use mqtt_assay_codec::{Offence, Qos};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    ILL_FORMED_UTF8_IS_REFUSED,
    SURROGATES_ARE_REFUSED,
    BAD_STRINGS_IN_CONNECT_ARE_REFUSED,
    NUL_IS_REFUSED,
    NUL_IN_CONNECT_IS_REFUSED,
    ILL_FORMED_USER_PROPERTY_IS_REFUSED,
    CONTROL_CHARACTERS_ARE_KEPT_OR_REFUSED,
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

check! {
    /// Control characters and non-characters in a Topic Name are refused, or passed on as they are.
    ///
    /// Sends     A publishes at QoS 1 to topics with U+0001, U+001F, U+007F, U+009F and U+FFFF, each on a connection of
    ///           its own; S subscribes to all of them with a wildcard.
    /// Demands   the topic that was published to, wherever the message comes; it comes if it is acknowledged.
    /// Leaves    whether the broker takes them: that it may refuse them is noted.
    CONTROL_CHARACTERS_ARE_KEPT_OR_REFUSED "string/control_characters_are_kept_or_refused",
    covers: [V3_1_1 / "U3-STR-1", V5 / "U5-STR-2"],
    needs: [Qos1, Wildcards],
    proved: ["control_characters_stripped"],
    run: async |w| {
        let mut s = w.connect("s").await?;
        s.subscribe(&w.topic("odd/#"), Qos::AtLeastOnce).await?;
        let mut earlier: Vec<String> = Vec::new();
        for (number, odd) in ['\u{1}', '\u{1F}', '\u{7F}', '\u{9F}', '\u{FFFF}'].into_iter().enumerate() {
            let topic = w.topic(&format!("odd/a{odd}b"));
            let mut a = w.connect_alive(&format!("a{number}")).await?;
            a.publish(&topic, b"x").qos1().send().await?;
            let reaction = a.reaction().await?;
            let taken = answer(a.inbox()).is_some_and(|answer| positive(&answer));
            let mut other = w.connect("other").await?;
            s.settle(&mut other, Qos::AtLeastOnce).await?;
            // One that comes late comes as it was published, too.
            let is_older = |topic: &str| earlier.iter().any(|older| older == topic);
            let came = s
                .take_publishes()
                .into_iter()
                .find(|r| !r.topic().starts_with(&w.topic("settled")) && !is_older(r.topic()));
            earlier.push(topic.clone());
            match (came, reaction) {
                (Some(came), _) if came.topic() == topic => {}
                (Some(came), _) => {
                    return Err(Stop::violates(publish(&topic).to_string(), came.line()).at(came.index));
                }
                (None, _) if taken => {
                    return Err(Stop::violates(publish(&topic).to_string(), "nothing, though it is acknowledged"));
                }
                (None, Refusal::Ended(..) | Refusal::WentOn) => {
                    w.note(format!("U+{:04X} in a Topic Name is refused", u32::from(odd)));
                }
                (None, Refusal::HeldOpen | Refusal::Stuck) => {
                    return Err(Stop::inconclusive("the broker answers PINGREQ no more"));
                }
            }
        }
        Ok(())
    }
}
