//! What generated messages and Wills are made of.

use super::Author;
use super::theme::Theme;
use crate::script::Will;
use mqtt_assay_codec::{Property, PropertyList, Qos, Version};

const TOPICS: &[&str] = &["a/b", "a/c", "a/b/c", "x", "w/1"];
const ODD_TOPICS: &[&str] =
    &["a/b", "A/b", "a//b", "/a/b", "a/b/", "a", "a.b", "$own/a", "\u{FEFF}a/b", "a/b c"];

impl Author {
    pub(super) fn qos(&mut self) -> Qos {
        *self.draw.one(&[
            Qos::AtMostOnce,
            Qos::AtLeastOnce,
            Qos::AtLeastOnce,
            Qos::ExactlyOnce,
            Qos::ExactlyOnce,
        ])
    }

    pub(super) fn topic(&mut self) -> String {
        // What the Shared Subscriptions are about.
        if self.themes.has(Theme::Shared) && self.draw.percent(60) {
            return "a/b".to_owned();
        }
        let odd = self.themes.has(Theme::Topics) && self.draw.percent(70);
        (*self.draw.one(if odd { ODD_TOPICS } else { TOPICS })).to_owned()
    }

    /// The name of a message, for its payload.
    pub(super) fn mark(&mut self) -> String {
        self.messages += 1;
        format!("m{}", self.messages)
    }

    /// A payload that no other message has.
    pub(super) fn payload(&mut self, topic: &str) -> Vec<u8> {
        let mark = self.mark();
        match self.draw.below(20) {
            0 if !self.emptied.iter().any(|emptied| emptied == topic) => {
                self.emptied.push(topic.to_owned());
                Vec::new()
            }
            1 => [mark.as_bytes(), b"\0more"].concat(),
            2..6 if self.themes.has(Theme::Limits) => {
                [mark.as_bytes(), &vec![b'.'; 20 + self.draw.below(200)]].concat()
            }
            _ => mark.into_bytes(),
        }
    }

    pub(super) fn add_message_properties(&mut self, list: &mut PropertyList) {
        if self.themes.has(Theme::Expiry) && self.draw.percent(60) {
            list.push(Property::MessageExpiryInterval(*self.draw.one(&[1, 2, 3, 10, 100])));
        }
        if !self.themes.has(Theme::Properties) {
            return;
        }
        // Not in the order of their identifiers: it has no meaning. [5.0 §2.2.2.2]
        if self.draw.percent(40) {
            list.push(Property::UserProperty(("b", "1")));
            list.push(Property::UserProperty(("a", "2")));
            list.push(Property::UserProperty(("b", "3")));
        }
        if self.draw.percent(30) {
            list.push(Property::CorrelationData(b"id\0rest"));
        }
        if self.draw.percent(30) {
            list.push(Property::ContentType(" text/plain "));
        }
        if self.draw.percent(30) {
            list.push(Property::ResponseTopic("answers/here"));
        }
        if self.draw.percent(30) {
            list.push(Property::PayloadFormatIndicator(1));
        }
    }

    pub(super) fn will(&mut self, version: Version) -> Will {
        let mut properties = PropertyList::new();
        if version == Version::V5 {
            if self.draw.percent(50) {
                properties.push(Property::WillDelayInterval(self.draw.below(4) as u32));
            }
            self.add_message_properties(&mut properties);
            if properties.view().message_expiry_interval().is_none() && self.draw.percent(20) {
                properties.push(Property::MessageExpiryInterval(100));
            }
        }
        self.messages += 1;
        Will {
            topic: "w/1".to_owned(),
            payload: format!("gone{}", self.messages).into_bytes(),
            qos: self.qos(),
            retain: self.draw.percent(30),
            properties,
        }
    }
}
