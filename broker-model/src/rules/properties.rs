//! What travels with a message is passed on unaltered: Payload Format Indicator [5.0/MQTT-3.3.2-4], Response Topic
//! [5.0/MQTT-3.3.2-15], Correlation Data [5.0/MQTT-3.3.2-16], Content Type [5.0/MQTT-3.3.2-20], and all User
//! Properties [5.0/MQTT-3.3.2-17] in their order [5.0/MQTT-3.3.2-18], those of a Will too [5.0/MQTT-3.1.3-10].
//!
//! Frees     the order of different properties [5.0 §2.2.2.2]; a Payload Format Indicator of 0, which says as much as
//!           none; properties that the Server adds to those that the publisher gave.
//! Unknown   when two messages have the same topic and payload.

use super::ledger::{Ledger, Message};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{Properties, Version};

const PAYLOAD_FORMAT: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-4"] };
const RESPONSE_TOPIC: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-15"] };
const CORRELATION_DATA: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-16"] };
const USER_PROPERTIES: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-17"] };
const THEIR_ORDER: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-18"] };
const THEIR_ORDER_IN_A_WILL: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.3-10"] };
const CONTENT_TYPE: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-20"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct ForwardedProperties;

impl Rule for ForwardedProperties {
    fn name(&self) -> &'static str {
        "properties"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(publish, no) = seen.fact else { return };
        let delivery = &ledger[no];
        let Some(message) = delivery.message.map(|message| &ledger[message]) else { return };
        if message.properties.is_empty() || ledger[delivery.connection].version != Version::V5 {
            return;
        }
        if message.ambiguous {
            return found.unknown("two messages have the same topic and payload");
        }
        let (sent, came) = (message.properties.view(), publish.properties);
        // Most Servers append their own properties to those that came.
        if came.as_bytes().starts_with(sent.as_bytes()) {
            return found.decided();
        }
        let mut sound = true;
        let mut check = |what: &str, cites: Cites, same: bool, expected: String, observed: String| {
            if !same {
                sound = false;
                let expected = format!("PUBLISH {} with {what} {expected}", delivery.topic);
                found.accuse(cites, Version::V5, expected, observed);
            }
        };
        let (a, b) = (sent.payload_format_indicator(), came.payload_format_indicator());
        let same = a.unwrap_or(0) == b.unwrap_or(0) || a.is_none();
        check("Payload Format Indicator", PAYLOAD_FORMAT, same, shown(a), shown(b));
        let (a, b) = (sent.content_type(), came.content_type());
        check("Content Type", CONTENT_TYPE, a.is_none() || a == b, shown(a), shown(b));
        let (a, b) = (sent.response_topic(), came.response_topic());
        check("Response Topic", RESPONSE_TOPIC, a.is_none() || a == b, shown(a), shown(b));
        let (a, b) = (sent.correlation_data(), came.correlation_data());
        check("Correlation Data", CORRELATION_DATA, a.is_none() || a == b, shown(a), shown(b));
        if let Some(cites) = user_properties(message, sent, came) {
            let list = |from: Properties<'_>| format!("{:?}", from.user_properties().collect::<Vec<_>>());
            check("the User Properties", cites, false, list(sent), list(came));
        }
        if sound {
            found.decided();
        }
    }
}

fn shown(value: Option<impl core::fmt::Debug>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"))
}

/// What is wrong with the User Properties: every one must be there, in the order in which they were sent.
fn user_properties(message: &Message, sent: Properties<'_>, came: Properties<'_>) -> Option<Cites> {
    let mut rest = came.user_properties();
    if sent.user_properties().all(|pair| rest.any(|other| other == pair)) {
        return None;
    }
    let count = |list: Properties<'_>, pair| list.user_properties().filter(|other| *other == pair).count();
    let lost = sent.user_properties().any(|pair| count(came, pair) < count(sent, pair));
    Some(match lost {
        true => USER_PROPERTIES,
        false if message.is_will() => THEIR_ORDER_IN_A_WILL,
        false => THEIR_ORDER,
    })
}
