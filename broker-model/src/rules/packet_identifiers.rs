//! The Server gives each PUBLISH above QoS 0 a Packet Identifier that it does not use otherwise, and QoS 0 none.
//! Unused: [3.1.1/MQTT-2.3.1-4] [5.0/MQTT-2.2.1-4]. None at QoS 0: [3.1.1/MQTT-2.3.1-5] [5.0/MQTT-2.2.1-2]. The same for a
//! message that is sent again: [3.1.1/MQTT-4.4.0-1] [5.0/MQTT-4.4.0-1]. The PUBCOMP of an exchange knows its identifier,
//! whatever the Server sends under the same number: [5.0/U5-PKT-1].
//!
//! Frees     using an identifier again once the Client has ended the exchange, though the Server may not know it yet;
//!           a copy for each of several subscriptions or publications.
//! Unknown   when two messages have the same topic and payload; after the broker has lost its memory.

use super::ledger::{ConnectionNo, Delivery, DeliveryNo, Ledger, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{Packet, Publish, Qos, ReasonCode, Version};

const UNUSED: Cites = Cites { v3_1_1: &["MQTT-2.3.1-4"], v5: &["MQTT-2.2.1-4"] };
const AT_QOS_0: Cites = Cites { v3_1_1: &["MQTT-2.3.1-5"], v5: &["MQTT-2.2.1-2"] };
const THE_SAME: Cites = Cites { v3_1_1: &["MQTT-4.4.0-1"], v5: &["MQTT-4.4.0-1"] };
const EACH_DIRECTION: Cites = Cites { v3_1_1: &[], v5: &["U5-PKT-1"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct PacketIdentifiers;

impl Rule for PacketIdentifiers {
    fn name(&self) -> &'static str {
        "packet_identifiers"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Delivered(publish, no) => {
                let delivery = &ledger[no];
                if delivery.late {
                    return;
                }
                match delivery.turn {
                    Turn::Instead(before) => in_use(delivery, before, ledger, found),
                    Turn::First if delivery.dup => renamed(no, ledger, found),
                    _ if delivery.qos == Qos::AtMostOnce && delivery.message.is_none() => {
                        at_qos_0(publish, delivery, ledger, found);
                    }
                    _ => {}
                }
            }
            Fact::Received(Packet::Pubcomp(ack), _)
                if ack.reason == ReasonCode::PACKET_IDENTIFIER_NOT_FOUND =>
            {
                not_found(seen.connection, ledger, found);
            }
            _ => {}
        }
    }
}

/// Another message has the identifier of one that the Client has not acknowledged.
fn in_use(delivery: &Delivery, before: DeliveryNo, ledger: &Ledger, found: &mut Findings) {
    if !ledger.is_continued(delivery, before) {
        return found.unknown("the broker may have forgotten which identifiers it used");
    }
    let Some(id) = delivery.id else { return };
    let expected = format!("a Packet Identifier other than {id} for a PUBLISH to {}", delivery.topic);
    let observed = format!("{id}, under which {} is not acknowledged", ledger[before].topic);
    found.accuse(UNUSED, ledger.version_of(delivery.session), expected, observed);
}

/// A repetition comes with an identifier that the Client does not know.
fn renamed(no: DeliveryNo, ledger: &Ledger, found: &mut Findings) {
    let delivery = &ledger[no];
    let (Some(message), Some(id)) = (delivery.message, delivery.id) else { return };
    let under_way = ledger[delivery.session].inbound.iter().find(|(_, inbound)| {
        let last = &ledger[inbound.last];
        inbound.last != no && inbound.answered.is_none() && last.message == Some(message)
    });
    let Some((old, inbound)) = under_way else { return };
    if ledger[inbound.last].qos != delivery.qos || !ledger.is_only_copy(delivery) {
        return found.unknown("the repetition may be that of another copy");
    }
    if ledger.forgotten().is_some() {
        return found.unknown("the broker may have forgotten which identifiers it used");
    }
    let expected = format!("PUBLISH {} sent again as {old}", delivery.topic);
    found.accuse(THE_SAME, ledger.version_of(delivery.session), expected, format!("it comes as {id}"));
}

/// A message of QoS 0 that nobody published: perhaps an identifier stands where its payload, or its properties, begin.
fn at_qos_0(publish: &Publish<'_>, delivery: &Delivery, ledger: &Ledger, found: &mut Findings) {
    let version = ledger.version_of(delivery.session);
    let behind = if version == Version::V5 {
        let list = publish.properties.as_bytes();
        let mut bytes = mqtt_assay_codec::raw::variable(u32::try_from(list.len()).unwrap_or(0));
        bytes.extend_from_slice(list);
        bytes.extend_from_slice(publish.payload);
        behind_properties(bytes.get(2..).unwrap_or_default()).map(<[u8]>::to_vec)
    } else {
        publish.payload.get(2..).map(<[u8]>::to_vec)
    };
    let Some(content) = behind.filter(|content| ledger.marked(&delivery.topic, content).is_some()) else {
        return;
    };
    let others = content.is_empty() && !ledger.bounds.closed_world;
    if others || ledger.may_be_malformed(&delivery.topic, publish.payload) {
        // Two bytes are no rare payload, and nothing is behind each of them.
        found.unknown("another message than that of the content may have come");
    } else {
        let expected = format!("no Packet Identifier in a QoS 0 PUBLISH to {}", delivery.topic);
        found.accuse(AT_QOS_0, version, expected, "two bytes before its content");
    }
}

/// What follows a property list of less than 128 bytes.
fn behind_properties(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first()?;
    if *length < 0x80 { rest.get(usize::from(*length)..) } else { None }
}

/// PUBCOMP 0x92: the Server does not know what it has answered with PUBREC on this connection.
fn not_found(on: Option<ConnectionNo>, ledger: &Ledger, found: &mut Findings) {
    let Some(number) = ledger.answered_message() else { return };
    let message = &ledger[number];
    // On another connection the Server may have released it before.
    let here = message.attempts.iter().all(|attempt| Some(attempt.connection) == on)
        && message.released.is_some_and(|(released, _)| Some(released) == on);
    if message.accepted.is_none() || !here {
        return found.unknown("the Server may have begun anew");
    }
    if message.crossed {
        let expected = "PUBCOMP 0x00: the Server's own use of the number is another exchange";
        found.accuse(EACH_DIRECTION, Version::V5, expected, "0x92 (not found)");
    }
}
