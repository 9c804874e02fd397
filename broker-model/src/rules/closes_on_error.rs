//! A connection on which the Client breaks a rule is closed.
//! 3.1.1: always [3.1.1/MQTT-4.8.0-1], without CONNACK if it is the CONNECT [3.1.1/MQTT-3.1.4-1]. 5.0: where a statement
//! says so, as of every CONNECT [5.0/MQTT-3.1.4-1] and of reserved flags and bits; elsewhere the Server may not notice, and
//! that is a deviation [5.0/MQTT-4.13.1-1]. A second CONNECT in either version [3.1.1/MQTT-3.1.0-2] [5.0/MQTT-3.1.0-2].
//!
//! Frees     another protocol by another name; CONNACK that refuses an unknown protocol level, in any version; an answer
//!           that refuses, in 5.0, and before to a SUBSCRIBE with a bad filter; a level of MQTT with bit 7 set, by which
//!           bridges say what they are, and which a Server may support.
//! Unknown   when the Client left first; what follows on the first breach; whether a Client Identifier is refused.

use super::ledger::{ConnectionNo, Ledger};
use super::offences::{Duty, let_pass};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use core::time::Duration;
use mqtt_assay_codec::reason::return_code;
use mqtt_assay_codec::{Connack, Malformed, Offence, Packet, PacketType, ReasonCode, Version};
use std::collections::BTreeMap;

const SECOND_CONNECT: Cites = Cites { v3_1_1: &["MQTT-3.1.0-2"], v5: &["MQTT-3.1.0-2"] };
const BEFORE_CONNECT: Cites = Cites { v3_1_1: &["MQTT-4.8.0-1"], v5: &[] };
const WITHOUT_METHOD: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.13.1-1", "U5-AUTH-1"] };
const ANSWERED: Cites = Cites { v3_1_1: &["MQTT-3.1.4-1"], v5: &["MQTT-3.1.4-1"] };
const PROTOCOL_NAME: Cites = Cites { v3_1_1: &["MQTT-3.1.2-1"], v5: &["MQTT-3.1.2-1"] };
const PROTOCOL_LEVEL: Cites = Cites { v3_1_1: &["MQTT-3.1.2-2"], v5: &["MQTT-3.1.2-2"] };

/// The first breach on a connection.
#[derive(Clone, Copy, Debug)]
struct Breach {
    at: Duration,
    what: &'static str,
    cites: Cites,
    duty: Duty,
    /// What is wrong with the form of the packet.
    offence: Option<Offence>,
    /// It is a CONNECT.
    connects: bool,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct ClosesOnError {
    breaches: BTreeMap<ConnectionNo, Breach>,
}

impl Rule for ClosesOnError {
    fn name(&self) -> &'static str {
        "closes_on_error"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::SentMalformed(malformed, bytes), Some(_)) if is_level_of_bridge(malformed, bytes) => {
                found.unknown("the Server may support the protocol level, which is a bridge's");
            }
            (Fact::SentMalformed(malformed, bytes), Some(no)) => {
                let version = ledger[no].version;
                let packet = bytes.first().and_then(|first| PacketType::from_u8(first >> 4));
                // A second CONNECT is none that a CONNACK answers.
                let connects = packet == Some(PacketType::Connect) && ledger[no].asked.is_none();
                self.note(no, malformed_packet(malformed, connects, version, ledger.now), ledger);
            }
            (Fact::Sent(packet), Some(no)) if ledger[no].offended == Some(ledger.now) => {
                if let Some(breach) = other_breach(no, packet, ledger) {
                    self.note(no, breach, ledger);
                }
            }
            (Fact::Received(packet, _), Some(no)) if !self.breaches.is_empty() => {
                self.received(no, packet, ledger, found);
            }
            (Fact::Ended(..) | Fact::Finished, _) if !self.breaches.is_empty() => {
                for no in closing(seen, ledger) {
                    if let Some(breach) = self.breaches.remove(&no) {
                        closed(no, breach, ledger, found);
                    }
                }
            }
            _ => {}
        }
    }
}

impl ClosesOnError {
    fn received(&mut self, no: ConnectionNo, packet: &Packet<'_>, ledger: &Ledger, found: &mut Findings) {
        let Some(breach) = self.breaches.get(&no) else { return };
        if let (Packet::Connack(connack), Some(offence), true) = (packet, breach.offence, breach.connects) {
            return answered(no, offence, connack, ledger, found);
        }
        let refuses = |codes: &[u8]| codes.iter().all(|code| *code >= 0x80);
        let refused = match packet {
            Packet::Suback(answer) => refuses(answer.codes),
            Packet::Unsuback(answer) => !answer.codes.is_empty() && refuses(answer.codes),
            Packet::Puback(ack) | Packet::Pubrec(ack) => !ack.reason.is_success(),
            _ => false,
        };
        // Before 5.0 only a filter can be refused.
        if refused && (ledger[no].version == Version::V5 || breach.offence.is_some_and(is_of_filter)) {
            self.breaches.remove(&no);
            found.decided();
        }
    }

    /// Keeps the first breach of each connection.
    fn note(&mut self, no: ConnectionNo, breach: Breach, ledger: &Ledger) {
        if ledger[no].offended == Some(ledger.now) {
            self.breaches.insert(no, breach);
        }
    }
}

fn malformed_packet(malformed: Malformed, connects: bool, version: Version, at: Duration) -> Breach {
    let (cites, duty) = let_pass(malformed.offence, connects, version);
    Breach { at, what: malformed.offence.text(), cites, duty, offence: Some(malformed.offence), connects }
}

/// Whether what is wrong is the protocol level, and it is one of MQTT with bit 7 set.
fn is_level_of_bridge(malformed: Malformed, bytes: &[u8]) -> bool {
    const BRIDGE: u8 = 0x80;
    let level = bytes.get(malformed.offset as usize).filter(|_| malformed.offence == Offence::ProtocolLevel);
    let known = |level: u8| {
        [Version::V3_1, Version::V3_1_1, Version::V5].iter().any(|version| version.level() == level)
    };
    level.is_some_and(|level| level & BRIDGE != 0 && known(level & !BRIDGE))
}

/// A well-formed packet that may not come.
fn other_breach(no: ConnectionNo, packet: &Packet<'_>, ledger: &Ledger) -> Option<Breach> {
    let connection = &ledger[no];
    let (what, cites, duty) = match (&connection.asked, packet) {
        (Some(_), Packet::Connect(_)) => ("a second CONNECT", SECOND_CONNECT, Duty::Closes),
        (None, Packet::Connect(_)) => return None,
        (None, _) => ("a packet before CONNECT", BEFORE_CONNECT, Duty::Closes),
        (Some(_), Packet::Auth(_)) => ("AUTH without Authentication Method", WITHOUT_METHOD, Duty::Notices),
        _ => return None,
    };
    Some(Breach { at: ledger.now, what, cites, duty, offence: None, connects: false })
}

/// Whether it is a filter that is wrong, which SUBACK can refuse.
fn is_of_filter(offence: Offence) -> bool {
    matches!(
        offence,
        Offence::TopicFilterEmpty | Offence::TopicFilterMultiLevel | Offence::TopicFilterSingleLevel
    )
}

/// CONNACK comes for a CONNECT that must be refused.
fn answered(
    no: ConnectionNo,
    offence: Offence,
    connack: &Connack<'_>,
    ledger: &Ledger,
    found: &mut Findings,
) {
    let version = ledger[no].version;
    let accepted = connack.code == ReasonCode::SUCCESS;
    let (cites, expected) = match offence {
        Offence::ProtocolName if accepted => (PROTOCOL_NAME, "no MQTT for another protocol's name"),
        Offence::ProtocolName => return,
        Offence::ProtocolLevel => {
            let refusals =
                [return_code::UNACCEPTABLE_PROTOCOL_VERSION, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION];
            if refusals.contains(&connack.code) {
                return found.decided();
            }
            (PROTOCOL_LEVEL, "a CONNACK that refuses the protocol level: 0x01 or 0x84")
        }
        // 5.0 may say what is wrong.
        _ if version == Version::V5 && !accepted => return found.decided(),
        _ if version == Version::V5 => (ANSWERED, "the connection's end without a CONNACK that accepts"),
        // Before, an empty Client Identifier may have its own answer. [3.1.1/MQTT-3.1.3-8]
        _ if connack.code == return_code::IDENTIFIER_REJECTED => {
            return found.unknown("the Client Identifier may be what it refuses");
        }
        _ => (ANSWERED, "the connection's end without CONNACK"),
    };
    let observed = format!("CONNACK {:#04x}, though CONNECT has {}", connack.code.0, offence.text());
    found.accuse(cites, version, expected, observed);
}

fn closed(no: ConnectionNo, breach: Breach, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[no];
    if breach.duty == Duty::Nothing {
        return;
    }
    // Then the end is due for that, which is another rule's.
    let told = connection.server_disconnect.is_some()
        || connection.answered.is_some_and(|answered| answered.at > breach.at && !answered.accepts());
    if told || !ledger.waited_open(no, breach.at) {
        return found.decided();
    }
    let expected = format!("the connection's end after {}", breach.what);
    let observed = "it stays open";
    if breach.duty == Duty::Closes {
        found.accuse_of(connection.client, breach.cites, connection.version, expected, observed);
    } else {
        found.deviates_of(connection.client, breach.cites, connection.version, expected, observed);
    }
}
