//! Properties that break the rules of the packet which they stand in. [5.0 §3]

use crate::check;
use crate::check::Check;
use mqtt_assay_codec::raw::{Case, Stage};
use mqtt_assay_codec::{Offence, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    CONNECT_PROPERTIES_ARE_CHECKED,
    REPEATED_PROPERTY_IS_REFUSED,
    RESPONSE_TOPIC_HAS_NO_WILDCARDS,
    SUBSCRIPTION_IDENTIFIER_IS_NOT_THE_CLIENTS,
    SUBSCRIPTION_IDENTIFIER_ZERO_IS_REFUSED,
];

fn connected(case: &Case, offence: Offence) -> bool {
    case.offence == offence && case.stage == Stage::Connected
}

check! {
    /// A CONNECT whose properties break a rule is refused.
    ///
    /// Sends     CONNECT with properties, of its own and of the Will, that are unknown, out of place, repeated, out
    ///           of range or cut short, with Property Lengths that do not fit, and with Authentication Data without
    ///           Authentication Method.
    /// Demands   the end of the connection, perhaps after a CONNACK of 0x80 or above.
    /// Leaves    nothing: a CONNECT must be checked. A Payload Format Indicator above 1 is not called an error.
    CONNECT_PROPERTIES_ARE_CHECKED "property/connect_is_checked",
    covers: [V5 / "MQTT-3.1.4-1", V5 / "U5-CON-7"],
    needs: [],
    proved: ["connect_bad_property_accepted"],
    run: async |w| {
        w.wrong(|case| {
            let chosen = matches!(
                case.offence,
                Offence::PropertyUnknown
                    | Offence::PropertyNotAllowed
                    | Offence::PropertyRepeated
                    | Offence::PropertyValue
                    | Offence::PropertyTruncated
                    | Offence::PropertyLengthOverrun
                    | Offence::PropertyLengthMissing
                    | Offence::AuthenticationDataWithoutMethod
            );
            chosen && case.stage == Stage::Opening && !case.name.starts_with("property-value/will-01")
        })
        .each_refused()
        .await
    }
}

check! {
    /// A property that may stand once only is refused when it is repeated.
    ///
    /// Sends     each packet after CONNECT that has properties, with each of its properties twice, side by side and
    ///           apart.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    how strictly to check; for Payload Format Indicator and Message Expiry Interval of PUBLISH the
    ///           specification does not say that repeating them is an error: they are left out.
    REPEATED_PROPERTY_IS_REFUSED "property/repeated_is_refused",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-PROP-3", V5 / "U5-SUB-4"],
    needs: [],
    proved: ["bad_property_accepted"],
    run: async |w| {
        let unsaid = |case: &Case| ["publish-01", "publish-02"].iter().any(|id| case.name.contains(id));
        w.wrong(|case| connected(case, Offence::PropertyRepeated) && !unsaid(case))
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// A Response Topic with a wildcard is refused.
    ///
    /// Sends     PUBLISH with # or + in its Response Topic.
    /// Demands   the end of the connection, nothing passed on.
    /// Leaves    how strictly to check is left to the broker; a PUBACK that refuses is as good.
    RESPONSE_TOPIC_HAS_NO_WILDCARDS "property/response_topic_without_wildcards",
    covers: [V5 / "MQTT-3.3.2-14"],
    needs: [],
    proved: ["response_topic_wildcard_accepted"],
    run: async |w| {
        w.wrong(|case| connected(case, Offence::ResponseTopicWildcard))
            .code(ReasonCode::TOPIC_NAME_INVALID)
            .or_negative_answer()
            .each_refused()
            .await
    }
}

check! {
    /// A PUBLISH of a Client's has no Subscription Identifier.
    ///
    /// Sends     PUBLISH with a Subscription Identifier.
    /// Demands   the end of the connection, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    SUBSCRIPTION_IDENTIFIER_IS_NOT_THE_CLIENTS "property/subscription_identifier_from_client",
    covers: [V5 / "MQTT-3.3.4-6", V5 / "MQTT-4.13.1-1"],
    needs: [],
    proved: ["subscription_id_from_client_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::SubscriptionIdentifierFromClient)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}

check! {
    /// Subscription Identifier 0 is refused.
    ///
    /// Sends     SUBSCRIBE with Subscription Identifier 0.
    /// Demands   the end of the connection, and no grant.
    /// Leaves    how strictly to check is left to the broker.
    SUBSCRIPTION_IDENTIFIER_ZERO_IS_REFUSED "property/subscription_identifier_zero",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-PROP-4", V5 / "U5-SUB-4"],
    needs: [],
    proved: ["bad_property_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::SubscriptionIdentifierZero)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}
