//! Topic Aliases belong to one direction of one connection. [5.0 §3.3.2.3.4]
//! The Server's are none [5.0/MQTT-3.1.2-27], or not above the Client's maximum [5.0/MQTT-3.1.2-26] [5.0/MQTT-3.3.2-11], and have a
//! topic [5.0/U5-PUB-2]. It accepts all that it has allowed, the last topic that each was given [5.0/MQTT-3.3.2-12], and
//! carries none over to another connection [5.0/MQTT-3.3.2-7].
//!
//! Frees     not to use any.
//! Unknown   nothing.

use super::ledger::{Connection, ConnectionNo, Delivery, Ledger};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{Packet, Publish, ReasonCode, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const UNASKED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-27"] };
const BEYOND: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-26", "MQTT-3.3.2-11"] };
const UNKNOWN: Cites = Cites { v3_1_1: &[], v5: &["U5-PUB-2"] };
const ACCEPTED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-12"] };
const CARRIED_OVER: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-7"] };

/// A message that a Server with wrong aliases would take for one on another topic.
#[derive(Debug)]
struct Mistakable {
    payload: Vec<u8>,
    /// The topics that the alias had before.
    topics: Vec<Arc<str>>,
    /// What is wrong if it comes on one of them.
    cites: Cites,
}

/// A topic that was given to an alias, and on which connection.
type Given = (ConnectionNo, Arc<str>);

/// See the module.
#[derive(Default, Debug)]
pub(super) struct TopicAlias {
    /// All topics that each client has given to each alias, with the connection.
    given: BTreeMap<(Arc<str>, u16), Vec<Given>>,
    mistakable: Vec<Mistakable>,
    accused: BTreeSet<ConnectionNo>,
}

impl Rule for TopicAlias {
    fn name(&self) -> &'static str {
        "topic_alias"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Some(no) = seen.connection else { return };
        match seen.fact {
            Fact::Sent(Packet::Publish(publish)) => {
                if let Some(alias) = publish.properties.topic_alias() {
                    self.sent(no, alias, publish, ledger);
                }
            }
            Fact::Delivered(publish, delivery) => {
                if let Some(alias) = publish.properties.topic_alias() {
                    self.received(no, alias, &ledger[delivery], ledger, found);
                }
                let delivery = &ledger[delivery];
                if delivery.message.is_none() && !self.mistakable.is_empty() {
                    self.mistaken(delivery, publish, ledger, found);
                }
            }
            Fact::Received(Packet::Disconnect(disconnect), _)
                if disconnect.reason == ReasonCode::TOPIC_ALIAS_INVALID =>
            {
                let connection = &ledger[no];
                if connection.offended.is_none() && self.has_given(no, connection) {
                    let expected = "every Topic Alias up to the Server's maximum to be accepted";
                    found.accuse(ACCEPTED, Version::V5, expected, "DISCONNECT 0x94");
                }
            }
            _ => {}
        }
    }
}

impl TopicAlias {
    /// A client uses an alias; the ledger has taken it in.
    fn sent(&mut self, no: ConnectionNo, alias: u16, publish: &Publish<'_>, ledger: &Ledger) {
        let connection = &ledger[no];
        // What comes before CONNACK is not taken in yet.
        let Some(asked) = connection.asked.as_ref().filter(|_| connection.session.is_some()) else { return };
        let before = self.given.entry((Arc::clone(&asked.client_id), alias)).or_default();
        let topic = connection.aliases_up.get(&alias);
        let (cites, topics): (Cites, Vec<Arc<str>>) = match topic {
            // Nobody has given it a topic here.
            None => (CARRIED_OVER, before.iter().map(|(_, topic)| Arc::clone(topic)).collect()),
            Some(topic) => {
                let here = before.iter().filter(|(on, other)| *on == no && other != topic);
                (ACCEPTED, here.map(|(_, topic)| Arc::clone(topic)).collect())
            }
        };
        let known = |topic: &Arc<str>| before.last().is_some_and(|(on, last)| *on == no && last == topic);
        if let Some(topic) = topic.filter(|topic| !known(topic)) {
            before.push((no, Arc::clone(topic)));
        }
        if !topics.is_empty() {
            self.mistakable.push(Mistakable { payload: publish.payload.to_vec(), topics, cites });
        }
    }

    fn has_given(&self, no: ConnectionNo, connection: &Connection) -> bool {
        let Some(asked) = &connection.asked else { return false };
        let from = (Arc::clone(&asked.client_id), 0);
        let own = self.given.range(from..).take_while(|((client_id, _), _)| *client_id == asked.client_id);
        own.flat_map(|(_, given)| given).any(|(on, _)| *on == no)
    }

    /// The Server uses an alias.
    fn received(
        &mut self,
        no: ConnectionNo,
        alias: u16,
        delivery: &Delivery,
        ledger: &Ledger,
        found: &mut Findings,
    ) {
        let maximum = ledger[no].asked.as_ref().map_or(0, |asked| asked.topic_alias_maximum);
        let (cites, expected) = match maximum {
            0 => (UNASKED, "no Topic Alias, as the client allows none".to_owned()),
            _ if alias > maximum => (BEYOND, format!("a Topic Alias of at most {maximum}")),
            _ if delivery.topic.is_empty() => (UNKNOWN, "a Topic Alias that has a topic".to_owned()),
            _ => return found.decided(),
        };
        if self.accused.insert(no) {
            found.accuse(cites, Version::V5, expected, format!("{alias}"));
        }
    }

    /// A message that nobody published on this topic: perhaps its alias once meant it.
    fn mistaken(&self, delivery: &Delivery, publish: &Publish<'_>, ledger: &Ledger, found: &mut Findings) {
        let taken = self.mistakable.iter().find(|mistakable| {
            mistakable.payload == publish.payload && mistakable.topics.contains(&delivery.topic)
        });
        if let Some(mistakable) = taken {
            let expected = "no message on a topic that its Topic Alias does not mean any more";
            // The rule binds the version of the publisher, which is the one that has aliases.
            let client = ledger[delivery.connection].client;
            let observed = format!("PUBLISH {}", delivery.topic);
            found.accuse_of(client, mistakable.cites, Version::V5, expected, observed);
        }
    }
}
