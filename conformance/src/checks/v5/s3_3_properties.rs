//! What a message carries besides its payload reaches its subscribers unaltered. [5.0 §3.3.2.3]

use crate::check;
use crate::check::Check;
use crate::story::{Received, Stop, World, publish};
use mqtt_assay_codec::{Property, PropertyId, Qos};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    PAYLOAD_FORMAT_INDICATOR_IS_PASSED_ON,
    RESPONSE_TOPIC_IS_PASSED_ON,
    CORRELATION_DATA_IS_PASSED_ON,
    USER_PROPERTIES_ARE_PASSED_ON,
    USER_PROPERTIES_KEEP_THEIR_ORDER,
    CONTENT_TYPE_IS_PASSED_ON,
];

/// A message with these properties as three subscribers get it: one that is connected, one that was away, and, if
/// the broker retains messages, one that subscribes afterwards.
async fn delivered(w: &World, name: &str, properties: &[Property<'_>]) -> Result<Vec<Received>, Stop> {
    let (topic, payload) = (w.topic(name), "täglich".as_bytes());
    let away = format!("away{name}");
    let mut absent = w.client(&away).persistent(60).connect().await?;
    absent.subscribe(&topic, Qos::AtLeastOnce).await?;
    absent.disconnect().await;
    let mut present = w.connect(&format!("present{name}")).await?;
    present.subscribe(&topic, Qos::AtLeastOnce).await?;

    let mut publisher = w.connect(&format!("publisher{name}")).await?;
    let mut message = publisher.publish(&topic, payload).qos1();
    for property in properties {
        message = message.property(*property);
    }
    if w.abilities().retain {
        message = message.retain();
    }
    message.acknowledged().await?;

    let expected = || publish(&topic).payload(payload);
    let mut deliveries = vec![present.await_message(expected()).await?];
    let mut absent = w.client(&away).resume(60).connect().await?;
    deliveries.push(absent.await_message(expected()).await?);
    if w.abilities().retain {
        let mut late = w.connect(&format!("late{name}")).await?;
        late.subscribe(&topic, Qos::AtLeastOnce).await?;
        deliveries.push(late.await_message(expected()).await?);
    }
    Ok(deliveries)
}

/// Every delivery has exactly this value of the property.
async fn passed_on(w: &World, name: &str, property: Property<'_>) -> Result<(), Stop> {
    for delivery in delivered(w, name, &[property]).await? {
        let has = delivery.publish().is_some_and(|p| {
            let mut same = p.properties.iter().filter(|found| found.id() == property.id());
            same.next() == Some(property) && same.next().is_none()
        });
        if !has {
            return Err(
                Stop::violates(format!("a PUBLISH with {property:?}"), delivery.line()).at(delivery.index)
            );
        }
    }
    Ok(())
}

fn user_properties(delivery: &Received) -> Vec<(String, String)> {
    let pairs = delivery.publish().map(|p| p.properties.user_properties().collect::<Vec<_>>());
    pairs.unwrap_or_default().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

check! {
    /// The Payload Format Indicator reaches all subscribers unaltered.
    ///
    /// Sends     A publishes UTF-8 with a Payload Format Indicator of 1, with one of 0, and with none.
    /// Demands   1 in each delivery of the first: live, after an absence, retained; not 1 in those of the others.
    /// Leaves    a Payload Format Indicator of 0 means the same as none: dropping it is noted.
    PAYLOAD_FORMAT_INDICATOR_IS_PASSED_ON "property/payload_format_indicator_is_passed_on",
    covers: [V5 / "MQTT-3.3.2-4"],
    needs: [Qos1],
    proved: ["payload_format_indicator_lost"],
    run: async |w| {
        passed_on(w, "one", Property::PayloadFormatIndicator(1)).await?;
        for (name, properties) in [("zero", &[Property::PayloadFormatIndicator(0)][..]), ("none", &[])] {
            for delivery in delivered(w, name, properties).await? {
                match delivery.publish().and_then(|p| p.properties.payload_format_indicator()) {
                    Some(0) => {}
                    None if properties.is_empty() => {}
                    None => w.note("a Payload Format Indicator of 0 is dropped"),
                    Some(_) => {
                        let expected = "a Payload Format Indicator of 0 or none";
                        return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
                    }
                }
            }
        }
        Ok(())
    }
}

check! {
    /// The Response Topic reaches all subscribers unaltered.
    ///
    /// Sends     A publishes with a Response Topic with empty levels, a space and letters beyond ASCII.
    /// Demands   the same Response Topic in each delivery: live, after an absence, retained.
    /// Leaves    nothing.
    RESPONSE_TOPIC_IS_PASSED_ON "property/response_topic_is_passed_on",
    covers: [V5 / "MQTT-3.3.2-15"],
    needs: [Qos1],
    proved: ["response_topic_lost"],
    run: async |w| {
        let response = w.topic("/Antwort an//wen é/");
        passed_on(w, "asked", Property::ResponseTopic(&response)).await
    }
}

check! {
    /// Correlation Data reach all subscribers unaltered.
    ///
    /// Sends     A publishes with Correlation Data of all byte values, zero among them, and with empty ones.
    /// Demands   the same Correlation Data in each delivery: live, after an absence, retained.
    /// Leaves    nothing.
    CORRELATION_DATA_IS_PASSED_ON "property/correlation_data_is_passed_on",
    covers: [V5 / "MQTT-3.3.2-16"],
    needs: [Qos1],
    proved: ["correlation_data_lost", "correlation_data_cut_at_nul"],
    run: async |w| {
        let bytes: Vec<u8> = (1..=255).chain(0..=255).collect();
        passed_on(w, "all", Property::CorrelationData(&bytes)).await?;
        passed_on(w, "empty", Property::CorrelationData(b"")).await
    }
}

check! {
    /// All User Properties of a message reach all subscribers unaltered.
    ///
    /// Sends     A publishes with User Properties of one name, with empty names and values, spaces and letters
    ///           beyond ASCII.
    /// Demands   each of them in each delivery as often as it was sent: live, after an absence, retained.
    /// Leaves    the specification does not say whether a broker may add some of its own: noted.
    USER_PROPERTIES_ARE_PASSED_ON "property/user_properties_are_passed_on",
    covers: [V5 / "MQTT-3.3.2-17"],
    needs: [Qos1],
    proved: ["user_properties_lost", "user_properties_merged"],
    run: async |w| {
        let pairs = [("a", "1"), ("a", "2"), ("a", "1"), ("", "empty"), (" b ", ""), ("ключ", "значение 🔑")];
        for delivery in delivered(w, "pairs", &pairs.map(Property::UserProperty)).await? {
            let mut found = user_properties(&delivery);
            for (name, value) in pairs {
                let Some(at) = found.iter().position(|(n, v)| n == name && v == value) else {
                    let expected = format!("a PUBLISH with User Property {name:?} = {value:?} as often as sent");
                    return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
                };
                found.remove(at);
            }
            if !found.is_empty() {
                w.note("the broker adds User Properties of its own to messages");
            }
        }
        Ok(())
    }
}

check! {
    /// User Properties keep their order.
    ///
    /// Sends     A publishes with five User Properties, two of them of one name.
    /// Demands   the same order in each delivery: live, after an absence, retained.
    /// Leaves    whatever the broker adds is not looked at.
    USER_PROPERTIES_KEEP_THEIR_ORDER "property/user_properties_keep_their_order",
    covers: [V5 / "MQTT-3.3.2-18"],
    needs: [Qos1],
    proved: ["user_properties_reordered"],
    run: async |w| {
        let pairs = [("z", "1"), ("m", "2"), ("z", "3"), ("a", "4"), ("m", "5")];
        for delivery in delivered(w, "ordered", &pairs.map(Property::UserProperty)).await? {
            let found = user_properties(&delivery);
            let mut ours = found.iter().filter(|(n, v)| pairs.contains(&(n.as_str(), v.as_str())));
            if !pairs.iter().all(|(name, value)| ours.next().is_some_and(|(n, v)| n == name && v == value)) {
                let expected = "the User Properties in the order z m z a m";
                return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
            }
        }
        Ok(())
    }
}

check! {
    /// The Content Type reaches all subscribers unaltered.
    ///
    /// Sends     A publishes with a Content Type with spaces around it, and with an empty one.
    /// Demands   the same Content Type in each delivery: live, after an absence, retained; none where none was sent.
    /// Leaves    nothing.
    CONTENT_TYPE_IS_PASSED_ON "property/content_type_is_passed_on",
    covers: [V5 / "MQTT-3.3.2-20"],
    needs: [Qos1],
    proved: ["content_type_lost", "content_type_trimmed"],
    run: async |w| {
        passed_on(w, "spaces", Property::ContentType(" text/plain; Zeichensatz=ü ")).await?;
        passed_on(w, "empty", Property::ContentType("")).await?;
        for delivery in delivered(w, "none", &[]).await? {
            if delivery.publish().is_some_and(|p| p.properties.content_type().is_some()) {
                let expected = format!("a PUBLISH without {}", PropertyId::ContentType.name());
                return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
            }
        }
        Ok(())
    }
}
