//! Retained messages: the last one of each topic. [3.1.1 §3.3.1.3] [5.0 §3.3.1.3]

use crate::message::Message;
use crate::mutant::{Fault, Mutant};
use core::time::Duration;
use mqtt_assay_codec::{Qos, topic};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// One message for each topic, ordered by topic.
#[derive(Default, Debug)]
pub(crate) struct Retained {
    messages: BTreeMap<Arc<str>, Arc<Message>>,
}

impl Retained {
    /// Whether a message on this topic would find room. What has expired makes some.
    pub(crate) fn has_room(&mut self, topic: &str, limit: usize, now: Duration) -> bool {
        if self.messages.len() >= limit && !self.messages.contains_key(topic) {
            self.messages.retain(|_, message| !message.expired(now));
        }
        self.messages.len() < limit || self.messages.contains_key(topic)
    }

    /// Takes note of a message that was published, whatever its RETAIN flag.
    pub(crate) fn published(&mut self, message: &Arc<Message>, store_qos0: bool, fault: Fault) {
        let topic = &*message.topic;
        if !message.retain {
            // RETAIN 0 neither stores, removes nor replaces. [3.1.1/MQTT-3.3.1-12] [5.0/MQTT-3.3.1-8]
            if fault.is(Mutant::StoredWithoutRetain) && !message.payload.is_empty() {
                self.messages.insert(message.topic.clone(), message.clone());
            }
            if fault.is(Mutant::ClearedWithoutRetain) {
                self.messages.remove(topic);
            }
            return;
        }
        if message.payload.is_empty() && !fault.is(Mutant::EmptyRetainedStored) {
            // An empty one removes and is not stored. [3.1.1/MQTT-3.3.1-10] [3.1.1/MQTT-3.3.1-11]
            // [5.0/MQTT-3.3.1-6] [5.0/MQTT-3.3.1-7]
            if !fault.is(Mutant::RetainedNotCleared) {
                self.messages.remove(topic);
            }
            return;
        }
        let kept = fault.is(Mutant::RetainedLost)
            || fault.is(Mutant::RetainedNotReplaced) && self.messages.contains_key(topic)
            || fault.is(Mutant::RetainedNotReplacedByQos0) && message.qos == Qos::AtMostOnce;
        if kept {
            return;
        }
        let store_qos0 = store_qos0 && !fault.is(Mutant::RetainedQos0NotStored);
        if message.qos == Qos::AtMostOnce && !store_qos0 {
            // Not stored, it still drops the old one. [3.1.1/MQTT-3.3.1-7]
            self.messages.remove(topic);
        } else {
            self.messages.insert(message.topic.clone(), message.clone());
        }
    }

    /// The messages on topics that the filter matches, in the order of their topics. [3.1.1/MQTT-3.3.1-6]
    /// [5.0/MQTT-3.3.1-9]
    pub(crate) fn matching(&mut self, filter: &str, now: Duration, fault: Fault) -> Vec<Arc<Message>> {
        let wild = topic::has_wildcard(filter);
        if wild && fault.is(Mutant::RetainedNotSentForWildcards) {
            return Vec::new();
        }
        let prefix = if wild { literal_prefix(filter) } else { filter };
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let candidates = self.messages.range::<str, _>(from).take_while(|(name, _)| name.starts_with(prefix));
        let mut matching = Vec::new();
        let mut expired = Vec::new();
        for (name, message) in candidates {
            if !topic::matches(filter, name) {
                continue;
            }
            // Gone with its Message Expiry Interval. [5.0 §3.3.1.3] [5.0/MQTT-3.3.2-5]
            if message.expired(now) && !fault.is(Mutant::RetainedNotExpired) {
                expired.push(name.clone());
            } else {
                matching.push(message.clone());
            }
        }
        for name in expired {
            self.messages.remove(&name);
        }
        matching
    }

    /// Only a faulty broker takes retained messages for session state. [3.1.1/MQTT-3.1.2-7]
    pub(crate) fn forget_publisher(&mut self, client_id: &str) {
        self.messages.retain(|_, message| &*message.publisher != client_id);
    }
}

/// What every name that the filter matches begins with: `a/b` for `a/b/#`, which matches `a/b` too.
fn literal_prefix(filter: &str) -> &str {
    let end = filter.find(['+', '#']).unwrap_or(filter.len());
    let prefix = &filter[..end];
    if filter[end..].starts_with('#') { prefix.strip_suffix('/').unwrap_or(prefix) } else { prefix }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::PropertyList;

    fn message(topic: &str, payload: &str) -> Arc<Message> {
        Arc::new(Message {
            topic: topic.into(),
            payload: payload.into(),
            qos: Qos::AtMostOnce,
            retain: true,
            properties: PropertyList::new(),
            expiry: None,
            publisher: "p".into(),
            dup: false,
        })
    }

    fn topics(retained: &mut Retained, filter: &str) -> Vec<String> {
        let found = retained.matching(filter, Duration::ZERO, Fault::default());
        found.iter().map(|message| message.topic.to_string()).collect()
    }

    #[test]
    fn finds_what_a_filter_matches() {
        let mut retained = Retained::default();
        for topic in ["a", "a/b", "a/b/c", "ab", "$SYS/x", "/"] {
            retained.published(&message(topic, "x"), true, Fault::default());
        }
        assert_eq!(topics(&mut retained, "a/#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(topics(&mut retained, "#"), ["/", "a", "a/b", "a/b/c", "ab"]);
        assert_eq!(topics(&mut retained, "a/+"), ["a/b"]);
        assert_eq!(topics(&mut retained, "a"), ["a"]);
        assert_eq!(topics(&mut retained, "$SYS/#"), ["$SYS/x"]);
    }

    #[test]
    fn an_empty_message_removes() {
        let mut retained = Retained::default();
        retained.published(&message("a", "x"), true, Fault::default());
        retained.published(&message("a", ""), true, Fault::default());
        assert!(topics(&mut retained, "#").is_empty());
    }
}
