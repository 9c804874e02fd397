//! Topic Aliases: one mapping for each direction of a connection. [5.0 §3.3.2.3.4]

use crate::mutant::{Fault, Mutant};
use mqtt_assay_codec::ReasonCode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The aliases that the Client has set.
#[derive(Default, Debug)]
pub(crate) struct Incoming {
    pub(crate) topics: BTreeMap<u16, Arc<str>>,
    /// The Topic Alias Maximum that was announced to the Client.
    pub(crate) maximum: u16,
}

impl Incoming {
    /// The topic of a PUBLISH: an alias with a topic sets the mapping, one without uses it.
    pub(crate) fn resolve(
        &mut self,
        alias: Option<u16>,
        topic: &str,
        fault: Fault,
    ) -> Result<Arc<str>, ReasonCode> {
        let Some(alias) = alias else {
            return Ok(topic.into());
        };
        // [5.0/MQTT-3.3.2-9] [5.0/MQTT-3.3.2-12]
        let refused = alias == self.maximum && fault.is(Mutant::TopicAliasMaximumRefused);
        let above = alias > self.maximum && !fault.is(Mutant::TopicAliasAboveMaximumAccepted);
        if alias == 0 || above || refused {
            return Err(ReasonCode::TOPIC_ALIAS_INVALID);
        }
        if topic.is_empty() {
            let invented = fault.is(Mutant::UnknownTopicAliasAccepted).then(|| "unknown".into());
            return self.topics.get(&alias).cloned().or(invented).ok_or(ReasonCode::PROTOCOL_ERROR);
        }
        let topic: Arc<str> = topic.into();
        if !fault.is(Mutant::TopicAliasNotRemapped) {
            self.topics.insert(alias, topic.clone());
            return Ok(topic);
        }
        Ok(self.topics.entry(alias).or_insert(topic).clone())
    }
}

/// The aliases that the Server uses: the first topics get them, and keep them.
#[derive(Default, Debug)]
pub(crate) struct Outgoing {
    aliases: BTreeMap<Arc<str>, u16>,
    /// How many may be used: never more than the Client allows. [5.0/MQTT-3.1.2-26] [5.0/MQTT-3.3.2-11]
    pub(crate) maximum: u16,
}

/// How a topic can be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    /// By its name.
    Name,
    /// By its name, with an alias for the next time.
    Set(u16),
    /// By the alias alone.
    Alias(u16),
}

impl Outgoing {
    pub(crate) fn plan(&self, topic: &str) -> Use {
        if self.maximum == 0 {
            return Use::Name;
        }
        match self.aliases.get(topic) {
            Some(&alias) => Use::Alias(alias),
            None if self.aliases.len() < usize::from(self.maximum) => {
                Use::Set(u16::try_from(self.aliases.len() + 1).unwrap_or(self.maximum))
            }
            None => Use::Name,
        }
    }

    /// The PUBLISH that sets the alias was sent.
    pub(crate) fn set(&mut self, topic: &Arc<str>, alias: u16) {
        self.aliases.insert(topic.clone(), alias);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_sets_uses_and_remaps() {
        let mut aliases = Incoming { maximum: 2, ..Incoming::default() };
        let mut resolve = |alias, topic| aliases.resolve(alias, topic, Fault::default());
        assert_eq!(resolve(Some(1), "a").as_deref(), Ok("a"));
        assert_eq!(resolve(Some(1), "").as_deref(), Ok("a"));
        assert_eq!(resolve(Some(1), "b").as_deref(), Ok("b"));
        assert_eq!(resolve(Some(1), "").as_deref(), Ok("b"));
        assert_eq!(resolve(Some(2), ""), Err(ReasonCode::PROTOCOL_ERROR));
        assert_eq!(resolve(Some(3), "c"), Err(ReasonCode::TOPIC_ALIAS_INVALID));
        assert_eq!(resolve(None, "d").as_deref(), Ok("d"));
    }

    #[test]
    fn the_server_stops_at_the_maximum() {
        let mut aliases = Outgoing { maximum: 1, ..Outgoing::default() };
        assert_eq!(aliases.plan("a"), Use::Set(1));
        aliases.set(&"a".into(), 1);
        assert_eq!((aliases.plan("a"), aliases.plan("b")), (Use::Alias(1), Use::Name));
    }
}
