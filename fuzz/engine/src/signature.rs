//! How a broker answered, whatever the names, times and payloads were.

use core::fmt;
use mqtt_assay_broker_model::history::{Digest, History, How, Side, What};
use mqtt_assay_codec::{Decoder, Packet, Properties, PropertyId, Receiver, Version};
use std::collections::{BTreeMap, BTreeSet};

/// What the broker's answers to a case have in common with those to a like case: packet types, codes, flags and ends
/// of each client's connections, in order.
///
/// Novelty is told by the [parts](Signature::parts): each pair of answers of which one came next to the other. Whole
/// sequences are nearly always new, and say little.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Signature {
    line: String,
    parts: BTreeSet<String>,
}

impl Signature {
    /// The signature of what the clients saw.
    pub fn of(history: &History) -> Signature {
        let mut clients: BTreeMap<_, Answers> = BTreeMap::new();
        for event in history.iter() {
            let answers = clients.entry(event.client).or_default();
            match event.what {
                What::Attempted(version) => answers.begin(version),
                What::Failed => answers.add("refused".to_owned()),
                What::Received(bytes) => answers.add(token(bytes, answers.version)),
                What::Unframed(_) => answers.add("unframed".to_owned()),
                What::Ended(Side::Server, How::Reset) => answers.add("reset".to_owned()),
                What::Ended(Side::Server, _) => answers.add("closed".to_owned()),
                _ => {}
            }
        }
        let parts = clients.values().flat_map(Answers::parts).collect();
        let mut lines: Vec<String> = clients.values().filter_map(Answers::line).collect();
        // Which client is which does not matter.
        lines.sort_unstable();
        Signature { line: lines.join(" | "), parts }
    }

    /// Each answer with the one before it on its connection, as `5.0 CONNACK(0x00) > PINGRESP`.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }

    /// A number for all of it: the same on every machine.
    pub fn number(&self) -> u64 {
        let mut digest = Digest::default();
        digest.add(self.line.as_bytes());
        digest.number()
    }
}

/// All answers, client by client.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// The answers to one client.
struct Answers {
    version: Version,
    /// Of each connection.
    connections: Vec<Vec<String>>,
}

impl Default for Answers {
    fn default() -> Self {
        Answers { version: Version::V5, connections: Vec::new() }
    }
}

impl Answers {
    fn begin(&mut self, version: Version) {
        self.version = version;
        self.connections.push(Vec::new());
    }

    fn add(&mut self, token: String) {
        if let Some(tokens) = self.connections.last_mut() {
            tokens.push(token);
        }
    }

    fn parts(&self) -> impl Iterator<Item = String> {
        self.connections.iter().flat_map(move |tokens| {
            let before = core::iter::once("").chain(tokens.iter().map(String::as_str));
            before.zip(tokens).map(move |(before, token)| format!("{} {before} > {token}", self.version))
        })
    }

    fn line(&self) -> Option<String> {
        let lines: Vec<String> = self.connections.iter().map(|tokens| tokens.join(" ")).collect();
        (!lines.is_empty()).then(|| format!("{}: {}", self.version, lines.join(" / ")))
    }
}

/// What a packet of the Server's says, but for names, identifiers and contents.
fn token(bytes: &[u8], version: Version) -> String {
    let Ok(Some((packet, _))) = Decoder::new(version, Receiver::Client).next(bytes) else {
        return "malformed".to_owned();
    };
    let name = packet.packet_type().name();
    // Each once: how many filters there were says nothing of the broker.
    let codes = |codes: &[u8]| {
        let distinct: BTreeSet<u8> = codes.iter().copied().collect();
        distinct.iter().map(|code| format!("0x{code:02x}")).collect::<Vec<_>>().join(",")
    };
    let mut token = match &packet {
        Packet::Connack(connack) => {
            format!("{name}({}{})", connack.code, if connack.session_present { " session" } else { "" })
        }
        Packet::Publish(publish) => format!(
            "{name}({}{}{}{})",
            publish.qos,
            if publish.retain { " retain" } else { "" },
            if publish.dup { " dup" } else { "" },
            if publish.topic.is_empty() { " alias" } else { "" }
        ),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            if ack.reason.0 == 0 { name.to_owned() } else { format!("{name}({})", ack.reason) }
        }
        Packet::Suback(answer) => {
            format!("{name}({})", codes(answer.codes))
        }
        Packet::Unsuback(answer) => {
            format!("{name}({})", codes(answer.codes))
        }
        Packet::Disconnect(disconnect) => format!("{name}({})", disconnect.reason),
        Packet::Auth(auth) => format!("{name}({})", auth.reason),
        _ => name.to_owned(),
    };
    // The CONNACK's tell what the broker can do, which it tells in each.
    if !matches!(packet, Packet::Connack(_)) {
        token.push_str(&packet.properties().map(identifiers).unwrap_or_default());
    }
    token
}

/// Which properties there are, but for those that say what a person is to read, or what another Client has said.
fn identifiers(properties: Properties<'_>) -> String {
    let own = |id: &PropertyId| {
        !matches!(
            id,
            PropertyId::UserProperty
                | PropertyId::ReasonString
                | PropertyId::PayloadFormatIndicator
                | PropertyId::ContentType
                | PropertyId::ResponseTopic
                | PropertyId::CorrelationData
        )
    };
    let ids: BTreeSet<PropertyId> = properties.iter().map(|property| property.id()).filter(own).collect();
    ids.iter().map(|id| format!("+{:02x}", *id as u8)).collect()
}
