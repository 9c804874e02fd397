//! No packet is larger than the Client's Maximum Packet Size; what would be is left out, and nothing else with it.
//! [5.0/MQTT-3.1.2-24]; a Reason String or User Property that would make it so is left out: the statement of the packet, as
//! [5.0/MQTT-3.2.2-19] and [5.0/MQTT-3.2.2-20] for CONNACK; the connection goes on [5.0/MQTT-3.1.2-25].
//!
//! Frees     ending a connection on which no answer would fit.
//! Unknown   why a connection ended, if it does not say 0x95.

use super::ledger::{Connection, ConnectionNo};
use super::{Cites, Fact, Findings, Ledger, Rule, Seen};
use mqtt_assay_codec::{Packet, PacketType, ReasonCode, Version};

const SIZE: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-24"] };
const DISCARDED: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.1.2-25"] };

/// A Maximum Packet Size into which every answer fits that has few codes.
const ROOM_FOR_ANSWERS: u32 = 128;

/// See the module.
#[derive(Default, Debug)]
pub(super) struct MaximumPacketSize;

impl Rule for MaximumPacketSize {
    fn name(&self) -> &'static str {
        "maximum_packet_size"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let (Fact::Received(..) | Fact::Delivered(..) | Fact::ReceivedMalformed(..), Some(no)) =
            (seen.fact, seen.connection)
        else {
            return;
        };
        let Some(limit) = ledger[no].asked.as_ref().and_then(|asked| asked.maximum_packet_size) else {
            return;
        };
        if seen.length > limit as usize {
            let cites = match seen.fact {
                Fact::Received(packet, _) => too_large(packet, seen.length - limit as usize),
                _ => SIZE,
            };
            let expected = format!("packets of at most {limit} bytes, the client's Maximum Packet Size");
            return found.accuse(cites, Version::V5, expected, format!("{} bytes", seen.length));
        }
        match seen.fact {
            Fact::Received(Packet::Disconnect(disconnect), _)
                if disconnect.reason == ReasonCode::PACKET_TOO_LARGE =>
            {
                disconnected(no, limit, ledger, found);
            }
            _ => found.decided(),
        }
    }
}

/// The statements of each packet: about its Reason String, about its User Properties.
const ADDITIONS: &[(PacketType, [&[&str]; 2])] = &[
    (PacketType::Connack, [&["MQTT-3.1.2-24", "MQTT-3.2.2-19"], &["MQTT-3.1.2-24", "MQTT-3.2.2-20"]]),
    (PacketType::Puback, [&["MQTT-3.1.2-24", "MQTT-3.4.2-2"], &["MQTT-3.1.2-24", "MQTT-3.4.2-3"]]),
    (PacketType::Pubrec, [&["MQTT-3.1.2-24", "MQTT-3.5.2-2"], &["MQTT-3.1.2-24", "MQTT-3.5.2-3"]]),
    (PacketType::Pubrel, [&["MQTT-3.1.2-24", "MQTT-3.6.2-2"], &["MQTT-3.1.2-24", "MQTT-3.6.2-3"]]),
    (PacketType::Pubcomp, [&["MQTT-3.1.2-24", "MQTT-3.7.2-2"], &["MQTT-3.1.2-24", "MQTT-3.7.2-3"]]),
    (PacketType::Suback, [&["MQTT-3.1.2-24", "MQTT-3.9.2-1"], &["MQTT-3.1.2-24", "MQTT-3.9.2-2"]]),
    (PacketType::Unsuback, [&["MQTT-3.1.2-24", "MQTT-3.11.2-1"], &["MQTT-3.1.2-24", "MQTT-3.11.2-2"]]),
    (PacketType::Disconnect, [&["MQTT-3.1.2-24", "MQTT-3.14.2-3"], &["MQTT-3.1.2-24", "MQTT-3.14.2-4"]]),
    (PacketType::Auth, [&["MQTT-3.1.2-24", "MQTT-3.15.2-2"], &["MQTT-3.1.2-24", "MQTT-3.15.2-3"]]),
];

/// What a packet breaks that is so many bytes too large.
fn too_large(packet: &Packet<'_>, excess: usize) -> Cites {
    let Some(list) = packet.properties() else { return SIZE };
    // Identifier and length of each string.
    let reason = list.reason_string().map_or(0, |text| 3 + text.len());
    let user: usize = list.user_properties().map(|(name, value)| 5 + name.len() + value.len()).sum();
    let addition = match (reason >= excess, user >= excess) {
        (true, _) => 0,
        (_, true) => 1,
        _ => return SIZE,
    };
    let of = ADDITIONS.iter().find(|(of, _)| *of == packet.packet_type());
    of.map_or(SIZE, |(_, additions)| Cites { v3_1_1: &[], v5: additions[addition] })
}

/// The Server ends the connection as if the client had sent too large a packet.
fn disconnected(no: ConnectionNo, limit: u32, ledger: &Ledger, found: &mut Findings) {
    let connection = &ledger[no];
    if connection.offended.is_some() || limit < ROOM_FOR_ANSWERS || !connection.requests.is_empty() {
        return found.unknown("another packet may have been too large");
    }
    if is_due_what_does_not_fit(connection, limit, ledger) {
        let expected = "a message that is too large for the client to be left out";
        found.accuse(DISCARDED, Version::V5, expected, "DISCONNECT 0x95");
    } else {
        found.unknown("no message for the client is known to be too large");
    }
}

fn is_due_what_does_not_fit(connection: &Connection, limit: u32, ledger: &Ledger) -> bool {
    let Some(session) = connection.session.map(|session| &ledger[session]) else { return false };
    ledger.messages().any(|(_, message)| {
        let since = message.possible.unwrap_or(ledger.now);
        message.topic.len() + message.payload.len() > limit as usize
            && session.possible(&message.topic, since, ledger.now).next().is_some()
    })
}
