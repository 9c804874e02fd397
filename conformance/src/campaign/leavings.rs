//! What a play has left in the broker, which is taken out again.

use mqtt_assay_broker_model::history::{History, What};
use mqtt_assay_codec::{Connect, Decoder, Packet, Publish, Receiver};
use std::collections::{BTreeMap, BTreeSet};

/// Retained messages, and sessions that outlive their connections, as far as they can be told and bear the play's own
/// mark: others may be another play's.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Leavings {
    /// Topics to which something was published with RETAIN, or left as a Will.
    pub(super) topics: BTreeSet<String>,
    /// Client Identifiers of the sessions.
    pub(super) identifiers: BTreeSet<String>,
}

impl Leavings {
    /// What the clients of a history have sent leaves these.
    pub(super) fn of(history: &History, mark: &str) -> Leavings {
        let mut left = Leavings::default();
        let mut aliases = BTreeMap::new();
        // Connections whose sessions last under a name that the broker gives; and these names.
        let (mut nameless, mut assigned) = (BTreeSet::new(), BTreeSet::new());
        for (event, version) in history.versioned() {
            let connection = (event.client, event.connection);
            let (bytes, receiver) = match event.what {
                What::Sent(bytes) => (bytes, Receiver::Server),
                What::Received(bytes) => (bytes, Receiver::Client),
                _ => continue,
            };
            match Decoder::new(version, receiver).next(bytes) {
                Ok(Some((Packet::Connack(connack), _))) => {
                    let name = connack.properties.assigned_client_identifier();
                    assigned.extend(name.filter(|_| nameless.contains(&connection)).map(str::to_owned));
                }
                Ok(Some((Packet::Connect(connect), _))) => {
                    if lasts(&connect) && connect.client_id.is_empty() {
                        nameless.insert(connection);
                    }
                    left.connect(&connect);
                }
                Ok(Some((Packet::Publish(publish), _))) => {
                    let mut topic = publish.topic.to_owned();
                    if let Some(alias) = publish.properties.topic_alias() {
                        let known = aliases.entry((event.client, event.connection, alias)).or_default();
                        if topic.is_empty() { topic.clone_from(known) } else { known.clone_from(&topic) }
                    }
                    left.publish(&publish, topic);
                }
                _ => {}
            }
        }
        left.topics.retain(|topic| topic.contains(mark));
        left.identifiers.retain(|identifier| identifier.contains(mark));
        // Nobody else has these.
        left.identifiers.extend(assigned);
        left
    }

    fn connect(&mut self, connect: &Connect<'_>) {
        if lasts(connect) && !connect.client_id.is_empty() {
            self.identifiers.insert(connect.client_id.to_owned());
        }
        self.topics.extend(connect.will.iter().filter(|will| will.retain).map(|will| will.topic.to_owned()));
    }

    fn publish(&mut self, publish: &Publish<'_>, topic: String) {
        if publish.retain && !publish.payload.is_empty() && !topic.is_empty() {
            self.topics.insert(topic);
        }
    }
}

/// Whether a session may outlive its connection.
fn lasts(connect: &Connect<'_>) -> bool {
    !connect.clean_start || connect.properties.session_expiry_interval().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_broker_model::{Broker, Policy, direct};

    #[test]
    fn all_is_known_that_was_sent() {
        let script = r#"
            client a clean_start=1 client_id=me/a
            client b clean_start=0 client_id=me/b will=me/w "x" will_qos=0 will_retain=1
            a > PUBLISH me/t "x" qos=1 retain=1
            a > PUBLISH me/gone "" qos=1 retain=1
            a > PUBLISH me/live "x" qos=1
            a > PUBLISH t "x" qos=1 retain=1
            a > PUBLISH $own/me/t "x" qos=0 retain=1
            a > PUBLISH me/alias "x" qos=0 topic_alias=1
            a > PUBLISH "" "x" qos=0 topic_alias=1 retain=1
            a > raw 31 07 00 03 6d 65 2f 00 21
            a settle
            b cut silently
            b open
            b > CONNECT client_id=me/c clean_start=1 session_expiry_interval=9
            b settle
            b cut silently
            b open
            b > CONNECT client_id="" clean_start=1 session_expiry_interval=9
            b settle
            b cut silently
            b open
            b > CONNECT client_id="" clean_start=1
            b settle
        "#;
        let script = script.parse().expect("a script");
        let left = Leavings::of(&direct::play(script, Broker::new(Policy::default(), 1)).history, "me/");
        // The name that the broker has given to a session that lasts is among them.
        let (own, given): (BTreeSet<_>, BTreeSet<_>) =
            left.identifiers.iter().cloned().partition(|name| name.starts_with("me/"));
        assert_eq!(given.len(), 1, "{given:?}");
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(left.topics, set(&["$own/me/t", "me/", "me/alias", "me/t", "me/w"]));
        assert_eq!(own, set(&["me/b", "me/c"]));
    }
}
