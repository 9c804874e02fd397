//! What is delivered, somebody has published: on this topic, with this payload.
//! [3.1.1/MQTT-4.5.0-1] [5.0/MQTT-4.5.0-1]; a topic that is altered matches no filter [3.1.1/MQTT-3.3.2-3]
//! [5.0/MQTT-3.3.2-3], or was tampered with [3.1.1/MQTT-4.7.3-4] [5.0/MQTT-4.7.3-4] [3.1.1/MQTT-1.5.3-3]
//! [5.0/MQTT-1.5.4-3]; what is published in a way that must be refused is not passed on [3.1.1/MQTT-3.3.2-2]
//! [3.1.1/MQTT-4.7.1-1] [5.0/MQTT-3.3.2-2] [5.0/MQTT-4.7.0-1] [3.1.1/MQTT-3.1.4-5] [5.0/MQTT-3.1.4-6]
//! [3.1.1/MQTT-3.1.0-1] [5.0/MQTT-3.1.0-1].
//!
//! Frees     what a connection published whose CONNACK was lost, or whose CONNECT was malformed: whether the Server may
//!           accept that is another rule's.
//! Unknown   in an open world, where others publish too; where nothing tells what the message was before.

use super::error_answered::split;
use super::ledger::{ConnectionNo, Ledger, is_within};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{Offence, Packet, PacketType, Publish, topic};
use std::collections::BTreeSet;

const TOPIC_UNMATCHED: Cites = Cites { v3_1_1: &["MQTT-3.3.2-3"], v5: &["MQTT-3.3.2-3"] };
const TOPIC_ALTERED: Cites = Cites { v3_1_1: &["MQTT-4.7.3-4"], v5: &["MQTT-4.7.3-4"] };
const BYTE_ORDER_MARK: Cites = Cites { v3_1_1: &["MQTT-1.5.3-3"], v5: &["MQTT-1.5.4-3"] };
const PAYLOAD: Cites = Cites { v3_1_1: &["MQTT-4.5.0-1"], v5: &["MQTT-4.5.0-1"] };
const WILL_PAYLOAD: Cites = Cites { v3_1_1: &["MQTT-3.1.2-8"], v5: &["MQTT-3.1.2-8"] };
const WILDCARD: Cites =
    Cites { v3_1_1: &["MQTT-3.3.2-2", "MQTT-4.7.1-1"], v5: &["MQTT-3.3.2-2", "MQTT-4.7.0-1"] };
const REFUSED_CONNECTION: Cites = Cites { v3_1_1: &["MQTT-3.1.4-5"], v5: &["MQTT-3.1.4-6"] };
const BEFORE_CONNECT: Cites = Cites { v3_1_1: &["MQTT-3.1.0-1"], v5: &["MQTT-3.1.0-1"] };

/// What is kept of what must not be passed on; more is forgotten.
const KEPT_MAX: usize = 1_000;

/// A PUBLISH that belongs to no session, yet or ever.
#[derive(Debug)]
struct Stray {
    connection: ConnectionNo,
    topic: String,
    payload: Vec<u8>,
    /// Behind a CONNECT that is none, which the Server may have accepted all the same.
    behind_malformed: bool,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Published {
    malformed: Vec<(Offence, Vec<u8>)>,
    /// Connections on which a malformed CONNECT was sent.
    strange: BTreeSet<ConnectionNo>,
    strays: Vec<Stray>,
}

impl Rule for Published {
    fn name(&self) -> &'static str {
        "published"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::SentMalformed(malformed, bytes) => {
                let is = |of: PacketType| bytes.first().is_some_and(|first| first >> 4 == of as u8);
                if is(PacketType::Publish) && self.malformed.len() < KEPT_MAX {
                    self.malformed.push((malformed.offence, bytes.to_vec()));
                }
                if is(PacketType::Connect) {
                    self.strange.extend(seen.connection);
                }
            }
            Fact::Sent(Packet::Publish(publish)) => {
                if let Some(connection) = seen.connection
                    && ledger[connection].session.is_none()
                    && self.strays.len() < KEPT_MAX
                {
                    let (topic, payload) = (publish.topic.to_owned(), publish.payload.to_vec());
                    let behind_malformed = self.strange.contains(&connection);
                    self.strays.push(Stray { connection, topic, payload, behind_malformed });
                }
            }
            Fact::Delivered(publish, no) => match ledger[no].message {
                Some(_) => found.decided(),
                None => self.invented(publish, &ledger[no].topic, seen, ledger, found),
            },
            _ => {}
        }
    }
}

impl Published {
    /// Nobody has published this in a session.
    fn invented(
        &self,
        publish: &Publish<'_>,
        topic: &str,
        seen: &Seen<'_>,
        ledger: &Ledger,
        found: &mut Findings,
    ) {
        let Some(connection) = seen.connection else { return };
        let version = ledger[connection].version;
        let payload = publish.payload;
        if topic.is_empty() {
            return found.unknown("the topic is not known");
        }
        let ending = |(_, bytes): &&(Offence, Vec<u8>)| !payload.is_empty() && bytes.ends_with(payload);
        if let Some((offence, bytes)) = self.malformed.iter().find(ending) {
            // One that others published may have the same payload: this one went where its topic matches.
            let matched = topic_in(bytes).is_some_and(|filter| topic::matches(filter, topic));
            if *offence == Offence::TopicNameWildcard && matched {
                found.accuse(
                    WILDCARD,
                    version,
                    "nothing of what was published to a topic with a wildcard",
                    format!("PUBLISH {topic}"),
                );
            }
            return;
        }
        // An empty payload is at the end of anything.
        if payload.is_empty() && self.malformed.iter().any(|(_, bytes)| is_within(topic.as_bytes(), bytes)) {
            return found.unknown("a PUBLISH that is none may be taken for it");
        }
        // Before CONNECT has come nobody knows where a packet has its properties.
        let same = |stray: &&Stray| {
            stray.topic == topic
                && payload.ends_with(&stray.payload)
                && stray.payload.is_empty() == payload.is_empty()
        };
        if let Some(stray) = self.strays.iter().find(same) {
            return published_by_a_stranger(stray, topic, ledger, found);
        }
        if !ledger.bounds.closed_world {
            return found.unknown("nobody of this history has published it");
        }
        let Some((cites, observed)) = distorted(topic, payload, seen, ledger) else {
            return found.unknown("nothing tells what the message was before");
        };
        found.accuse(cites, version, "what was published, on its topic and with its payload", observed);
    }
}

/// The Topic Name of a PUBLISH, which may be none that is allowed.
fn topic_in(bytes: &[u8]) -> Option<&str> {
    let (_, content) = split(bytes)?;
    let (size, rest) = content.split_first_chunk::<2>()?;
    core::str::from_utf8(rest.get(..usize::from(u16::from_be_bytes(*size)))?).ok()
}

fn published_by_a_stranger(stray: &Stray, topic: &str, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[stray.connection];
    let cites = match (&connection.asked, connection.answered) {
        (None, _) if !stray.behind_malformed => BEFORE_CONNECT,
        (_, Some(answered)) if !answered.code.is_success() => REFUSED_CONNECTION,
        _ => return found.unknown("the publisher's CONNECT may have been accepted"),
    };
    found.accuse_of(
        connection.client,
        cites,
        connection.version,
        "nothing of what a client publishes whose connection is not accepted",
        format!("its PUBLISH {topic} is passed on"),
    );
}

/// The message that it was, and how it was distorted.
fn distorted(topic: &str, payload: &[u8], seen: &Seen<'_>, ledger: &Ledger) -> Option<(Cites, String)> {
    let messages = || ledger.messages().map(|(_, message)| message);
    if !payload.is_empty()
        && let Some(message) = messages().find(|message| message.payload == payload)
    {
        let session = seen.connection.and_then(|no| ledger[no].session)?;
        let unmarked = message.topic.replace('\u{FEFF}', "") == topic.replace('\u{FEFF}', "");
        let matched = ledger[session].possible(topic, core::time::Duration::ZERO, ledger.now).next();
        let cites = match matched {
            _ if unmarked => BYTE_ORDER_MARK,
            Some(_) => TOPIC_ALTERED,
            None => TOPIC_UNMATCHED,
        };
        return Some((cites, format!("PUBLISH {topic:?} with the payload published to {:?}", message.topic)));
    }
    let same: Vec<_> = messages().filter(|message| *message.topic == *topic).collect();
    let will = same.iter().any(|message| message.is_will());
    let cites = match same.as_slice() {
        [] => return None,
        _ if will && payload.is_empty() => WILL_PAYLOAD,
        _ => PAYLOAD,
    };
    Some((cites, format!("PUBLISH {topic} with a payload of {} bytes that nobody sent", payload.len())))
}
