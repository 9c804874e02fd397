//! What breaks a rule is neither answered as if it did not, nor passed on.
//! The statement is that of the flaw, and [3.1.1/MQTT-4.8.0-1] [5.0/MQTT-4.13.1-1]; what came before CONNECT
//! [3.1.1/MQTT-3.1.0-1] [5.0/MQTT-3.1.0-1]; what is above the Server's limits [5.0/MQTT-3.3.2-9] [5.0/U5-CON-9] [5.0/U5-CON-10]
//! [5.0/U5-CON-11] [5.0/U5-CON-12]; a Topic Alias without a topic [5.0/U5-PUB-2].
//!
//! Frees     an answer that refuses.
//! Unknown   what comes after the first breach, or with the Packet Identifier of another packet; whose message it is, where others may publish.

use super::ledger::{Connection, ConnectionNo, Delivery, Ledger};
use super::offences::let_pass;
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use mqtt_assay_codec::{Packet, PacketId, PacketType, Publish, Qos, ReasonCode, Subscribe, Version, topic};
use std::collections::BTreeMap;

const BEFORE_CONNECT: Cites = Cites { v3_1_1: &["MQTT-3.1.0-1"], v5: &["MQTT-3.1.0-1"] };
const ALIAS_ABOVE: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.2-9", "MQTT-4.13.1-1"] };
const ALIAS_UNKNOWN: Cites = Cites { v3_1_1: &[], v5: &["U5-PUB-2", "MQTT-4.13.1-1"] };
const TOO_LARGE: Cites = Cites { v3_1_1: &[], v5: &["U5-CON-9", "MQTT-3.2.2-15"] };
const QOS_ABOVE: Cites = Cites { v3_1_1: &[], v5: &["U5-CON-10"] };
const RETAIN: Cites = Cites { v3_1_1: &[], v5: &["U5-CON-11"] };
const SUBSCRIPTION: Cites = Cites { v3_1_1: &[], v5: &["U5-CON-12"] };

/// The first breach on a connection, as far as it can be answered.
#[derive(Clone, Copy, Debug)]
struct Breach {
    /// The packet that would answer it.
    answer: PacketType,
    /// Its Packet Identifier; `None`: any that answers nothing else.
    id: Option<u16>,
    cites: Cites,
    /// It is well-formed: the ledger knows what it was.
    known: bool,
    /// PINGREQs, PUBRELs or PUBLISHes that wait for such an answer of their own.
    others: usize,
}

/// A message that must not be passed on.
#[derive(Debug)]
struct Bad {
    topic_length: usize,
    payload: Vec<u8>,
    connection: ConnectionNo,
    cites: Cites,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct ErrorAnswered {
    breaches: BTreeMap<ConnectionNo, Breach>,
    /// How many PUBRELs wait for their PUBCOMPs.
    releases: BTreeMap<ConnectionNo, usize>,
    bad: Vec<Bad>,
}

impl Rule for ErrorAnswered {
    fn name(&self) -> &'static str {
        "error_answered"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::SentMalformed(malformed, bytes), Some(no)) if ledger[no].offended == Some(ledger.now) => {
                let (cites, _) = let_pass(malformed.offence, false, ledger[no].version);
                self.malformed(no, bytes, cites, ledger);
            }
            (Fact::Sent(packet), Some(no)) => {
                if ledger[no].offended == Some(ledger.now) {
                    self.well_formed(no, packet, seen.length, &ledger[no]);
                }
                let answer = match packet {
                    Packet::Pingreq => PacketType::Pingresp,
                    Packet::Pubrel(_) => PacketType::Pubcomp,
                    _ => return,
                };
                if answer == PacketType::Pubcomp {
                    *self.releases.entry(no).or_default() += 1;
                }
                if let Some(breach) = self.breaches.get_mut(&no).filter(|breach| breach.answer == answer) {
                    breach.others += 1;
                }
            }
            (Fact::Received(packet, _), Some(no)) => {
                if !self.breaches.is_empty() {
                    self.answered(no, packet, ledger, found);
                }
                if matches!(packet, Packet::Pubcomp(_))
                    && let Some(count) = self.releases.get_mut(&no)
                {
                    *count = count.saturating_sub(1);
                }
            }
            (Fact::Delivered(publish, delivery), _) if !self.bad.is_empty() => {
                self.passed_on(&ledger[delivery], publish, ledger, found);
            }
            (Fact::Ended(..), _) => {
                for no in closing(seen, ledger) {
                    self.breaches.remove(&no);
                    self.releases.remove(&no);
                }
            }
            _ => {}
        }
    }
}

impl ErrorAnswered {
    /// A malformed packet: what it would be, if it were well-formed.
    fn malformed(&mut self, no: ConnectionNo, bytes: &[u8], cites: Cites, ledger: &Ledger) {
        let Some((first, body)) = split(bytes) else { return };
        let id_at = |at: usize| {
            let id = body.get(at..at + 2).map(|id| u16::from_be_bytes([id[0], id[1]]));
            id.filter(|id| *id > 0)
        };
        let (answer, id) = match PacketType::from_u8(first >> 4) {
            Some(PacketType::Publish) => {
                let length = body.get(..2).map_or(0, |length| u16::from_be_bytes([length[0], length[1]]));
                let topic_length = usize::from(length);
                let qos = first >> 1 & 0b11;
                let behind = 2 + topic_length + if qos > 0 { 2 } else { 0 };
                let v5 = ledger[no].version == Version::V5;
                if let Some(payload) = payload(body.get(behind..).unwrap_or_default(), v5) {
                    self.bad.push(Bad { topic_length, payload: payload.to_vec(), connection: no, cites });
                }
                let answer = if qos == 2 { PacketType::Pubrec } else { PacketType::Puback };
                (answer, id_at(2 + topic_length))
            }
            Some(PacketType::Subscribe) => (PacketType::Suback, id_at(0)),
            Some(PacketType::Unsubscribe) => (PacketType::Unsuback, id_at(0)),
            Some(PacketType::Pubrec) => (PacketType::Pubrel, id_at(0)),
            Some(PacketType::Pubrel) => (PacketType::Pubcomp, id_at(0)),
            Some(PacketType::Pingreq) => (PacketType::Pingresp, None),
            _ => return,
        };
        let others = match answer {
            PacketType::Pingresp => ledger[no].pings.len(),
            PacketType::Pubcomp => self.releases.get(&no).copied().unwrap_or_default(),
            PacketType::Puback | PacketType::Pubrec => ledger[no]
                .publishing
                .iter()
                .filter(|(own, _)| id.is_none_or(|id| own.get() == id))
                .map(|(_, (_, answers))| *answers as usize)
                .sum(),
            _ => 0,
        };
        self.breaches.insert(no, Breach { answer, id, cites, known: false, others });
    }

    /// A packet that is well-formed, and may not come.
    fn well_formed(&mut self, no: ConnectionNo, packet: &Packet<'_>, length: usize, connection: &Connection) {
        let large = connection.answered.and_then(|answered| answered.maximum_packet_size);
        let large = large.is_some_and(|limit| length > limit as usize);
        let (cites, answer) = match packet {
            Packet::Publish(publish) if connection.asked.is_none() => {
                let (topic_length, payload) = (publish.topic.len(), publish.payload.to_vec());
                self.bad.push(Bad { topic_length, payload, connection: no, cites: BEFORE_CONNECT });
                return;
            }
            Packet::Publish(publish) => {
                let answer = match publish.qos {
                    Qos::ExactlyOnce => PacketType::Pubrec,
                    _ => PacketType::Puback,
                };
                let cites = if large { Some(TOO_LARGE) } else { above_limits(publish, connection) };
                (cites, answer)
            }
            Packet::Subscribe(_) if large => (Some(TOO_LARGE), PacketType::Suback),
            Packet::Subscribe(subscribe) => (unavailable(subscribe, connection), PacketType::Suback),
            Packet::Unsubscribe(_) if large => (Some(TOO_LARGE), PacketType::Unsuback),
            _ => return,
        };
        // What else has the Packet Identifier may be what is answered. A PUBLISH without a topic counts for nothing yet.
        let in_use = packet.packet_id().is_some_and(|id| {
            let own = u32::from(has_topic(packet, connection));
            connection.publishing.get(&id).is_some_and(|(_, answers)| *answers > own)
                || connection.requests.get(&id).is_some_and(|request| request.doubled)
        });
        let id = packet.packet_id().map(PacketId::get);
        if let (Some(cites), Some(id), false) = (cites, id, in_use) {
            self.breaches.insert(no, Breach { answer, id: Some(id), cites, known: true, others: 0 });
        }
    }

    /// Whether a packet of the Server's answers the breach.
    fn answered(&mut self, no: ConnectionNo, packet: &Packet<'_>, ledger: &Ledger, found: &mut Findings) {
        let Some(breach) = self.breaches.get_mut(&no) else { return };
        if packet.packet_id().is_some_and(|id| ledger[no].doubled.contains(&id)) {
            return found.unknown("other requests had its Packet Identifier");
        }
        let answer = packet.packet_type();
        let id = packet.packet_id().map(PacketId::get);
        let is_one = breach.id.is_none_or(|own| id == Some(own)) || answer == PacketType::Pubcomp;
        if answer == breach.answer && breach.others > 0 && is_one {
            breach.others -= 1;
            return;
        }
        let succeeds = match packet {
            Packet::Suback(answer) => answer.codes.iter().any(|code| *code < 0x80),
            // That there was no such subscription accepts nothing.
            Packet::Unsuback(answer) => {
                answer.codes.iter().all(|code| *code < 0x80 && *code != ReasonCode::NO_SUBSCRIPTION_EXISTED.0)
            }
            Packet::Puback(ack) | Packet::Pubrec(ack) => ack.reason.is_success(),
            _ => true,
        };
        // What is malformed is answered only by what answers nothing else.
        let other = ledger.answered_request().is_some()
            || ledger.answered_message().is_some()
            || matches!(packet, Packet::Pubrel(ack) if is_asked_for(no, ack.packet_id, ledger));
        let fits = id == breach.id || breach.id.is_none() && !breach.known;
        if answer == breach.answer && succeeds && fits && (breach.known || !other) {
            let breach = *breach;
            self.breaches.remove(&no);
            let observed = id.map_or(format!("{answer}"), |id| format!("{answer} {id}"));
            let expected = "no answer that accepts a packet which breaks a rule";
            found.accuse(breach.cites, ledger[no].version, expected, observed);
        }
    }

    /// Whether a message that nobody published in good order is one of those that must not be passed on.
    fn passed_on(
        &mut self,
        delivery: &Delivery,
        publish: &Publish<'_>,
        ledger: &Ledger,
        found: &mut Findings,
    ) {
        if delivery.message.is_some() || !ledger.bounds.closed_world || publish.payload.is_empty() {
            return;
        }
        // A broker that mends a topic may give it one that is not empty.
        let is_it = |bad: &Bad| {
            bad.payload == publish.payload
                && (bad.topic_length == delivery.topic.len() || bad.topic_length == 0)
        };
        if let Some(place) = self.bad.iter().position(is_it) {
            let bad = self.bad.swap_remove(place);
            let expected = "no message from a packet that breaks a rule";
            let observed = format!("PUBLISH {}", delivery.topic);
            found.accuse(bad.cites, ledger[bad.connection].version, expected, observed);
        }
    }
}

/// Whether a PUBREC that was sent asks for this PUBREL, be it one that nothing had asked for. [5.0/U5-RC-4]
fn is_asked_for(no: ConnectionNo, id: PacketId, ledger: &Ledger) -> bool {
    let inbound = ledger[no].session.and_then(|session| ledger[session].inbound.get(&id));
    inbound.is_some_and(|inbound| inbound.answered.is_some()) || ledger[no].astray.contains_key(&id)
}

/// First byte and content of a packet, if its Remaining Length has an end.
pub(super) fn split(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let length = rest.iter().take(4).position(|byte| *byte < 0x80)? + 1;
    Some((*first, &rest[length..]))
}

/// The payload behind the properties, if they can be told from it.
fn payload(bytes: &[u8], v5: bool) -> Option<&[u8]> {
    if !v5 {
        return Some(bytes);
    }
    let (length, rest) = bytes.split_first()?;
    if *length < 0x80 { rest.get(usize::from(*length)..) } else { None }
}

/// Whether it is known what a PUBLISH is about: of another one the ledger waits for no answer.
fn has_topic(packet: &Packet<'_>, connection: &Connection) -> bool {
    let Packet::Publish(publish) = packet else { return true };
    let alias = publish.properties.topic_alias();
    !publish.topic.is_empty() || alias.is_some_and(|alias| connection.aliases_up.contains_key(&alias))
}

fn above_limits(publish: &Publish<'_>, connection: &Connection) -> Option<Cites> {
    let answered = connection.answered?;
    match publish.properties.topic_alias() {
        Some(alias) if alias > answered.topic_alias_maximum => Some(ALIAS_ABOVE),
        Some(alias) if publish.topic.is_empty() && !connection.aliases_up.contains_key(&alias) => {
            Some(ALIAS_UNKNOWN)
        }
        _ if publish.qos > answered.maximum_qos => Some(QOS_ABOVE),
        _ if publish.retain && !answered.retain_available => Some(RETAIN),
        _ => None,
    }
}

fn unavailable(subscribe: &Subscribe<'_>, connection: &Connection) -> Option<Cites> {
    let answered = connection.answered?;
    let identified = subscribe.properties.subscription_identifier().is_some();
    let any = |test: fn(&str) -> bool| subscribe.subscriptions.iter().any(|one| test(one.filter));
    let breaks = identified && !answered.identifiers_available
        || !answered.wildcards_available && any(topic::has_wildcard)
        || !answered.shares_available && any(|filter| topic::shared(filter).is_some());
    breaks.then_some(SUBSCRIPTION)
}
