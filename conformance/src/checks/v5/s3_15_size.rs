//! How large an AUTH may be. [5.0 §3.15.2]

use super::s4_12_challenge::{SECRET, challenged, say};
use crate::check;
use crate::check::Check;
use crate::story::{Attempt, Stop, auth};
use mqtt_assay_codec::{Property, PropertyId, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[ANSWERS_KEEP_WITHIN_MAXIMUM];

/// The Client's Maximum Packet Size, where it matters: room for every packet of the method.
const LIMIT: u32 = 128;

check! {
    /// No Reason String and no User Property makes an AUTH larger than the Client's Maximum Packet Size.
    ///
    /// Sends     CONNECT with a maximum of 128, the right answer, and a re-authentication.
    /// Demands   no AUTH of more than 128 bytes with a Reason String or a User Property.
    /// Leaves    whether the broker sends them at all.
    ANSWERS_KEEP_WITHIN_MAXIMUM "auth/answers_keep_within_maximum",
    covers: [V5 / "MQTT-3.15.2-2", V5 / "MQTT-3.15.2-3"],
    needs: [],
    proved: ["reason_string_exceeds_maximum", "user_property_exceeds_maximum"],
    run: async |w| {
        let small = w.client("a").property(Property::MaximumPacketSize(LIMIT));
        let (mut client, first) = challenged(w, small).await?;
        say(&mut client, ReasonCode::CONTINUE_AUTHENTICATION, Some((&first, SECRET))).await?;
        let mut answers = vec![first];
        if let Attempt::Accepted(mut client) = client.answer_to_connect().await? {
            say(&mut client, ReasonCode::RE_AUTHENTICATE, None).await?;
            let second = client.await_message(auth()).await?;
            say(&mut client, ReasonCode::CONTINUE_AUTHENTICATION, Some((&second, SECRET))).await?;
            answers.extend([second, client.await_message(auth()).await?]);
        }
        for answer in answers.iter().filter(|answer| answer.bytes().len() > LIMIT as usize) {
            for (property, statement) in
                [(PropertyId::ReasonString, "MQTT-3.15.2-2"), (PropertyId::UserProperty, "MQTT-3.15.2-3")]
            {
                let packet = answer.packet();
                if packet.properties().is_some_and(|list| list.iter().any(|p| p.id() == property)) {
                    let expected = format!("no {} beyond {LIMIT} bytes", property.name());
                    let observed = format!("{} bytes: {}", answer.bytes().len(), answer.line());
                    return Err(Stop::violates(expected, observed).citing(w.cite(statement)).at(answer.index));
                }
            }
        }
        Ok(())
    }
}
