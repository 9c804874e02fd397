//! An Application Message on its way through the Server.

use crate::mutant::{Fault, Mutant};
use core::time::Duration;
use mqtt_assay_codec::{Properties, Property, PropertyList, Qos};
use std::sync::Arc;

/// An Application Message, shared by all who are to receive it.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) topic: Arc<str>,
    pub(crate) payload: Vec<u8>,
    /// The QoS that it was published with.
    pub(crate) qos: Qos,
    /// The RETAIN flag that it was published with.
    pub(crate) retain: bool,
    /// The properties that travel on unaltered, in their order.
    pub(crate) properties: PropertyList,
    /// The Message Expiry Interval as it came, and when it will be over.
    pub(crate) expiry: Option<(u32, Duration)>,
    /// Client Identifier of the publisher, for No Local. [5.0/MQTT-3.8.3-3]
    pub(crate) publisher: Arc<str>,
    /// Only a faulty broker passes the publisher's DUP on. [5.0/MQTT-3.3.1-3]
    pub(crate) dup: bool,
}

impl Message {
    /// Whether its Message Expiry Interval has passed. [5.0/MQTT-3.3.2-5]
    pub(crate) fn expired(&self, now: Duration) -> bool {
        self.expiry.is_some_and(|(_, end)| end <= now)
    }
}

/// What of a PUBLISH's or a Will's properties goes on to the subscribers, unaltered and in order.
///
/// The others speak of the connection (Topic Alias), of time (Message Expiry Interval, Will Delay Interval) or of
/// the subscription. [5.0/MQTT-3.3.2-4] [5.0/MQTT-3.3.2-15] [5.0/MQTT-3.3.2-16] [5.0/MQTT-3.3.2-17]
/// [5.0/MQTT-3.3.2-18] [5.0/MQTT-3.3.2-20]
pub(crate) fn forwarded(properties: Properties<'_>, fault: Fault) -> PropertyList {
    let mut list = PropertyList::new();
    if properties.is_empty() {
        return list;
    }
    for property in &properties {
        let lost = match property {
            Property::PayloadFormatIndicator(_) => fault.is(Mutant::PayloadFormatIndicatorLost),
            Property::ContentType(_) => fault.is(Mutant::ContentTypeLost),
            Property::ResponseTopic(_) => fault.is(Mutant::ResponseTopicLost),
            Property::CorrelationData(_) => fault.is(Mutant::CorrelationDataLost),
            Property::UserProperty(pair) => {
                fault.is(Mutant::UserPropertiesLost)
                    || fault.is(Mutant::UserPropertiesReordered)
                    || fault.is(Mutant::UserPropertiesMerged)
                        && list.view().user_properties().any(|(name, _)| name == pair.0)
            }
            _ => true,
        };
        if !lost {
            list.push(altered(property, fault));
        }
    }
    if fault.is(Mutant::UserPropertiesReordered) {
        let mut pairs: Vec<_> = properties.user_properties().collect();
        pairs.reverse();
        for pair in pairs {
            list.push(Property::UserProperty(pair));
        }
    }
    list
}

fn altered(property: Property<'_>, fault: Fault) -> Property<'_> {
    match property {
        Property::CorrelationData(data) if fault.is(Mutant::CorrelationDataCutAtNul) => {
            Property::CorrelationData(data.split(|&byte| byte == 0).next().unwrap_or_default())
        }
        Property::ContentType(text) if fault.is(Mutant::ContentTypeTrimmed) => {
            Property::ContentType(text.trim())
        }
        other => other,
    }
}
