//! What is judged on every packet that a broker sends, whatever the story is about.

use super::{Received, Stop, World};
use crate::check::Cite;
use crate::outcome::Finding;
use crate::verdict::Verdict;
use mqtt_assay_codec::{Malformed, Offence, Packet, PacketId, Qos, ReasonCode, Version};
use std::collections::{BTreeMap, BTreeSet};

/// No answer in any story comes near this: a longer frame is given up on before it is buffered.
pub(super) const FRAME_MAX: u32 = 4 << 20;

/// The state that the passive rules need of one connection.
#[derive(Debug)]
pub(super) struct Passive {
    version: Version,
    /// What the client announced in CONNECT.
    maximum_packet_size: Option<u32>,
    receive_maximum: u16,
    topic_alias_maximum: u16,
    authentication_method: bool,
    connack_seen: bool,
    disconnect_seen: bool,
    aliases: BTreeMap<u16, String>,
    /// Whether the client has sent a SUBSCRIBE or UNSUBSCRIBE without Topic Filter.
    asked_for_nothing: bool,
    /// Whether more deliveries than the Receive Maximum were seen: once is enough.
    quota_exceeded: bool,
    /// Deliveries not completely acknowledged.
    outstanding: BTreeSet<PacketId>,
}

impl Passive {
    pub(super) fn new(version: Version) -> Self {
        Passive {
            version,
            maximum_packet_size: None,
            receive_maximum: u16::MAX,
            topic_alias_maximum: 0,
            authentication_method: false,
            connack_seen: false,
            disconnect_seen: false,
            aliases: BTreeMap::new(),
            asked_for_nothing: false,
            quota_exceeded: false,
            outstanding: BTreeSet::new(),
        }
    }

    fn cite(&self, id: &'static str) -> Cite {
        Cite { version: self.version, id }
    }

    /// Takes note of what the client sends.
    pub(super) fn sent(&mut self, packet: &Packet<'_>) {
        match packet {
            Packet::Connect(connect) => {
                let p = &connect.properties;
                self.maximum_packet_size = p.maximum_packet_size();
                self.receive_maximum = p.receive_maximum().unwrap_or(u16::MAX);
                self.topic_alias_maximum = p.topic_alias_maximum().unwrap_or(0);
                self.authentication_method = p.authentication_method().is_some();
            }
            Packet::Puback(ack) | Packet::Pubcomp(ack) => {
                self.outstanding.remove(&ack.packet_id);
            }
            Packet::Pubrec(ack) if !ack.reason.is_success() => {
                self.outstanding.remove(&ack.packet_id);
            }
            _ => {}
        }
    }

    /// Takes note of a bad packet that the client sends.
    pub(super) fn sent_malformed(&mut self, malformed: &Malformed) {
        self.asked_for_nothing |=
            matches!(malformed.offence, Offence::SubscribeEmpty | Offence::UnsubscribeEmpty);
    }

    /// Whether these bytes acknowledge a request without Topic Filter, with as many codes: none. To answer at all
    /// is wrong, and the story sees that the connection goes on; what the answer lacks is no fault of its own.
    pub(super) fn answers_nothing(&self, malformed: &Malformed) -> bool {
        self.asked_for_nothing && matches!(malformed.offence, Offence::SubackEmpty | Offence::UnsubackEmpty)
    }

    /// The accusation for bytes that are no packet of this version.
    pub(super) fn malformed(&self, malformed: Malformed) -> Stop {
        if malformed.offence == Offence::PacketTooLarge {
            return Stop::inconclusive(format!(
                "the broker announces a packet of more than {} MiB: gave up",
                FRAME_MAX >> 20
            ));
        }
        let stop = Stop::violates(
            format!("only well-formed packets of MQTT {} from the broker", self.version),
            format!("{malformed}"),
        );
        match malformed.statement() {
            Some(id) => stop.citing(self.cite(id)),
            None if self.version == Version::V3_1 => stop.citing(self.cite("M31-FMT-1")),
            None => stop,
        }
    }

    /// Judges a packet and gives the Topic Name of a PUBLISH.
    ///
    /// What is wrong goes to the World's findings; only what leaves the story without footing stops it.
    pub(super) fn received(&mut self, world: &World, received: &Received) -> Result<String, Stop> {
        let packet = received.packet();
        let accuse = |id: &'static str, expected: &str| {
            world.find(Finding {
                verdict: Verdict::Violates,
                statement: Some(Cite { version: self.version, id }),
                expected: expected.to_owned(),
                observed: received.line(),
                at: received.index,
            });
        };
        let v5 = self.version == Version::V5;
        match packet {
            Packet::Connack(_) if self.connack_seen && v5 => accuse("MQTT-3.2.0-2", "one CONNACK at most"),
            Packet::Connack(_) => {}
            Packet::Auth(_) if self.authentication_method => {}
            Packet::Auth(_) => {
                accuse("MQTT-4.12.0-6", "no AUTH to a client that named no Authentication Method");
            }
            Packet::Disconnect(_) if !self.connack_seen => {
                accuse("MQTT-3.14.0-1", "no DISCONNECT before a CONNACK that accepts");
            }
            _ if !self.connack_seen => accuse("MQTT-3.2.0-1", "a CONNACK as the first packet"),
            _ => {}
        }
        if self.disconnect_seen && v5 {
            accuse("MQTT-3.14.4-1", "nothing after the broker's DISCONNECT");
        }
        if let Some(limit) = self.maximum_packet_size
            && received.bytes().len() > limit as usize
        {
            accuse("MQTT-3.1.2-24", &format!("no packet larger than the client's maximum of {limit} bytes"));
        }
        match packet {
            Packet::Connack(connack) if connack.code == ReasonCode::SUCCESS => {
                self.connack_seen = true;
                if v5 && !self.authentication_method && connack.properties.authentication_method().is_some() {
                    accuse("MQTT-4.12.0-6", "no Authentication Method where the client named none");
                }
            }
            Packet::Disconnect(_) => self.disconnect_seen = true,
            Packet::Publish(publish) => {
                if let (true, Some(id)) = (publish.qos != Qos::AtMostOnce, publish.packet_id) {
                    // A re-delivery on the same connection is the rules' matter only in 5.0; DUP tells it here.
                    if !self.outstanding.insert(id) && !publish.dup {
                        let statement = if v5 { "MQTT-2.2.1-4" } else { "MQTT-2.3.1-4" };
                        accuse(statement, "a Packet Identifier that is not in use");
                    }
                    if v5
                        && self.outstanding.len() > usize::from(self.receive_maximum)
                        && !std::mem::replace(&mut self.quota_exceeded, true)
                    {
                        let most = format!("at most {} unacknowledged PUBLISH packets", self.receive_maximum);
                        accuse("MQTT-3.3.4-9", &most);
                    }
                }
                let alias = publish.properties.topic_alias();
                if let Some(alias) = alias
                    && alias > self.topic_alias_maximum
                {
                    let statement =
                        if self.topic_alias_maximum == 0 { "MQTT-3.1.2-27" } else { "MQTT-3.1.2-26" };
                    accuse(statement, &format!("no Topic Alias above {}", self.topic_alias_maximum));
                }
                return Ok(match alias {
                    Some(alias) if publish.topic.is_empty() => {
                        self.aliases.get(&alias).cloned().ok_or_else(|| {
                            Stop::violates(
                                "a Topic Alias that was given a Topic Name on this connection",
                                received.line(),
                            )
                            .citing(self.cite("MQTT-3.3.2-7"))
                            .at(received.index)
                        })?
                    }
                    Some(alias) => {
                        self.aliases.insert(alias, publish.topic.to_owned());
                        publish.topic.to_owned()
                    }
                    None => publish.topic.to_owned(),
                });
            }
            _ => {}
        }
        Ok(String::new())
    }
}
