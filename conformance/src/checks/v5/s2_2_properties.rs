//! Property lists: their form, and what no list may hold. [5.0 §2.2.2]

use crate::check;
use crate::check::Check;
use crate::story::publish;
use mqtt_assay_codec::raw::{Case, Stage};
use mqtt_assay_codec::{Offence, Property, Qos};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    ORDER_IS_FREE,
    UNKNOWN_PROPERTY_IS_REFUSED,
    MISPLACED_PROPERTY_IS_REFUSED,
    PROPERTY_LENGTH_IS_REQUIRED,
    PROPERTY_LENGTH_MUST_FIT,
    PROPERTY_MUST_FIT,
];

fn connected(case: &Case, offence: Offence) -> bool {
    case.offence == offence && case.stage == Stage::Connected
}

check! {
    /// A property identifier that the specification does not define is refused.
    ///
    /// Sends     each packet after CONNECT that has properties, with each undefined identifier.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    UNKNOWN_PROPERTY_IS_REFUSED "property/unknown_is_refused",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-PROP-2"],
    needs: [],
    proved: ["bad_property_accepted"],
    run: async |w| {
        w.wrong(|case| connected(case, Offence::PropertyUnknown)).each_refused().await
    }
}

check! {
    /// A property that does not belong into the packet is refused.
    ///
    /// Sends     each packet after CONNECT that has properties, with each property that it may not carry.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    MISPLACED_PROPERTY_IS_REFUSED "property/misplaced_is_refused",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-PROP-1"],
    needs: [],
    proved: ["bad_property_accepted"],
    run: async |w| {
        w.wrong(|case| connected(case, Offence::PropertyNotAllowed)).each_refused().await
    }
}

check! {
    /// A packet without properties still has a Property Length.
    ///
    /// Sends     PUBLISH, SUBSCRIBE and UNSUBSCRIBE that end before their Property Length.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    PROPERTY_LENGTH_IS_REQUIRED "property/length_is_required",
    covers: [V5 / "MQTT-2.2.2-1"],
    needs: [],
    proved: ["property_length_missing_accepted"],
    run: async |w| {
        w.wrong(|case| connected(case, Offence::PropertyLengthMissing)).each_refused().await
    }
}

check! {
    /// A Property Length beyond the packet's end, or of more than four bytes, is refused.
    ///
    /// Sends     each packet after CONNECT that has properties, with such a Property Length.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    PROPERTY_LENGTH_MUST_FIT "property/length_must_fit",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-PROP-5", V5 / "U5-VBI-1"],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| {
            connected(case, Offence::PropertyLengthOverrun) || connected(case, Offence::VariableByteIntegerTooLong)
        })
        .each_refused()
        .await
    }
}

check! {
    /// A property that runs past the end of its list is refused.
    ///
    /// Sends     each packet after CONNECT that has properties, with each of its properties cut short.
    /// Demands   the end of the connection, no acknowledgement, nothing passed on.
    /// Leaves    how strictly to check is left to the broker.
    PROPERTY_MUST_FIT "property/must_fit_its_list",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-PROP-5"],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| connected(case, Offence::PropertyTruncated)).each_refused().await
    }
}

check! {
    /// The order of different properties has no meaning.
    ///
    /// Sends     CONNECT and PUBLISH whose properties stand in descending order, and the same ascending.
    /// Demands   that both are accepted, and the messages delivered.
    /// Leaves    nothing.
    ORDER_IS_FREE "property/order_is_free",
    covers: [V5 / "U5-PROP-6"],
    needs: [Qos1],
    proved: ["property_order_demanded"],
    run: async |w| {
        let topic = w.topic("ordered");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let descending = [Property::ReceiveMaximum(9), Property::RequestProblemInformation(true)];
        let message =
            [Property::CorrelationData(b"id"), Property::ContentType("text"), Property::PayloadFormatIndicator(1)];
        for (name, reverse) in [("descending", false), ("ascending", true)] {
            let mut client = w.client(name);
            for index in 0..2 {
                client = client.property(descending[if reverse { 1 - index } else { index }]);
            }
            let mut a = client.attempt().await?.accepted()?;
            let mut sent = a.publish(&topic, name.as_bytes()).qos1();
            for index in 0..3 {
                sent = sent.property(message[if reverse { 2 - index } else { index }]);
            }
            sent.send().await?;
            b.expect(publish(&topic).payload(name.as_bytes()).property(message[0]).property(message[1])).await?;
        }
        Ok(())
    }
}
