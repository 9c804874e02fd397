//! First byte, Remaining Length, Packet Identifier, and bytes too many.

use super::{Builder, Cases, PUBLISH_TOPIC, first, packet, packet_with_length, travels, variable, word};
use crate::malformed::Offence;
use crate::types::{PacketType, Receiver, Version};
use alloc::format;
use alloc::vec::Vec;

pub(super) fn add(cases: &mut Cases) {
    types(cases);
    flags(cases);
    lengths(cases);
    identifiers(cases);
    trailing(cases);
}

fn types(cases: &mut Cases) {
    for flags in 0..16 {
        cases.add(
            format!("reserved-type/0-flags-{flags:04b}"),
            Offence::ReservedPacketType,
            packet(flags, &[]),
        );
        if !cases.v5() {
            let name = format!("reserved-type/15-flags-{flags:04b}");
            cases.add(name, Offence::ReservedPacketType, packet(0xF0 | flags, &[]));
        }
    }
    for packet_type in PacketType::ALL {
        if travels(packet_type, cases.version, cases.receiver)
            || (packet_type == PacketType::Auth && !cases.v5())
        {
            continue;
        }
        let (offence, sender) = match cases.receiver {
            Receiver::Server => (Offence::ServerPacketFromClient, "client"),
            Receiver::Client => (Offence::ClientPacketFromServer, "server"),
        };
        let (first, body) = cases.valid(packet_type);
        cases.add(format!("direction/{}-from-{sender}", word(packet_type)), offence, packet(first, &body));
    }
}

fn flags(cases: &mut Cases) {
    for packet_type in cases.types() {
        let (right, body) = cases.valid(packet_type);
        if packet_type == PacketType::Publish {
            for low in [0b0110, 0b0111, 0b1110, 0b1111] {
                // With a Packet Identifier, as any QoS above 0 has.
                let body = [PUBLISH_TOPIC, &[0, 7], &body[PUBLISH_TOPIC.len()..]].concat();
                let name = format!("flags/publish-qos-3-{low:04b}");
                cases.add(name, Offence::PublishQos3, packet(0x30 | low, &body));
            }
            if cases.version != Version::V3_1 {
                for low in [0b1000, 0b1001] {
                    let name = format!("flags/publish-dup-at-qos-0-{low:04b}");
                    cases.add(name, Offence::PublishDupAtQos0, packet(0x30 | low, &body));
                }
            }
            continue;
        }
        // 3.1 gives the flags of the other types no meaning, and does not fix them.
        if cases.version == Version::V3_1 {
            continue;
        }
        let offence = match packet_type {
            PacketType::Pubrel => Offence::PubrelFlags,
            PacketType::Subscribe => Offence::SubscribeFlags,
            PacketType::Unsubscribe => Offence::UnsubscribeFlags,
            PacketType::Disconnect => Offence::DisconnectFlags,
            PacketType::Auth => Offence::AuthFlags,
            _ => Offence::FixedHeaderFlags,
        };
        for wrong in (0..16).map(|flags| right & 0xF0 | flags).filter(|&first| first != right) {
            let name = format!("flags/{}-{:04b}", word(packet_type), wrong & 0xF);
            cases.add(name, offence, packet(wrong, &body));
        }
    }
}

fn lengths(cases: &mut Cases) {
    for packet_type in cases.types() {
        let (first, body) = cases.valid(packet_type);
        for length in [[0x80, 0x80, 0x80, 0x80, 0x00], [0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0xFF; 5]] {
            let name = format!(
                "remaining-length-of-five-bytes/{}-{:02x}{:02x}",
                word(packet_type),
                length[0],
                length[4]
            );
            cases.add(name, Offence::RemainingLengthTooLong, packet_with_length(first, &length, &body));
        }
        if cases.v5() {
            for bytes in 2..=4 {
                let name = format!("remaining-length-not-minimal/{}-{bytes}", word(packet_type));
                let length = padded(body.len() as u32, bytes);
                cases.add(
                    name,
                    Offence::RemainingLengthNotMinimal,
                    packet_with_length(first, &length, &body),
                );
            }
        }
    }
}

/// A Variable Byte Integer in more bytes than it needs.
pub(super) fn padded(value: u32, bytes: usize) -> Vec<u8> {
    let mut padded = variable(value);
    while padded.len() < bytes {
        *padded.last_mut().expect("at least one byte") |= 0x80;
        padded.push(0);
    }
    padded
}

fn identifiers(cases: &mut Cases) {
    for packet_type in cases.types() {
        let (first, body) = match packet_type {
            PacketType::Publish => {
                (0x32, [PUBLISH_TOPIC, &[0, 7], &cases.valid(packet_type).1[3..]].concat())
            }
            _ => cases.valid(packet_type),
        };
        let at = match packet_type {
            PacketType::Publish => PUBLISH_TOPIC.len(),
            PacketType::Puback
            | PacketType::Pubrec
            | PacketType::Pubrel
            | PacketType::Pubcomp
            | PacketType::Subscribe
            | PacketType::Suback
            | PacketType::Unsubscribe
            | PacketType::Unsuback => 0,
            _ => continue,
        };
        let offence = match (packet_type, cases.receiver) {
            (PacketType::Suback | PacketType::Unsuback, _) => Offence::AcknowledgedRequestZero,
            (PacketType::Publish | PacketType::Subscribe | PacketType::Unsubscribe, Receiver::Server) => {
                Offence::PacketIdentifierZero
            }
            (PacketType::Publish, Receiver::Client) => Offence::PacketIdentifierZeroFromServer,
            _ => Offence::AcknowledgedPublishZero,
        };
        let mut zero = body.clone();
        zero[at..at + 2].fill(0);
        cases.add(format!("packet-identifier-zero/{}", word(packet_type)), offence, packet(first, &zero));
        if packet_type == PacketType::Publish {
            cases.add("packet-identifier-zero/publish-qos-2", offence, packet(0x34, &zero));
        }
        for kept in 0..2 {
            let name = format!("truncated/{}-packet-identifier-{kept}", word(packet_type));
            cases.add(name, Offence::Truncated, packet(first, &body[..at + kept]));
        }
    }
}

/// Packets that end at a known place, with one byte more.
fn trailing(cases: &mut Cases) {
    for packet_type in cases.types() {
        let (first, mut body) = cases.valid(packet_type);
        match packet_type {
            // The payload takes whatever follows; lists read on; CONNECT has an offence of its own.
            PacketType::Connect
            | PacketType::Publish
            | PacketType::Subscribe
            | PacketType::Suback
            | PacketType::Unsubscribe => continue,
            PacketType::Unsuback if cases.v5() => continue,
            // In 5.0 what follows would be Reason Code and properties: they are there, and a byte follows.
            PacketType::Puback
            | PacketType::Pubrec
            | PacketType::Pubrel
            | PacketType::Pubcomp
            | PacketType::Disconnect
                if cases.v5() =>
            {
                body.extend_from_slice(&[0, 0]);
            }
            _ => {}
        }
        for extra in [&[0][..], &[0xFF], &[0, 0, 0]] {
            let name = format!("trailing-bytes/{}-{}-{:02x}", word(packet_type), extra.len(), extra[0]);
            let bytes = Builder::new(first).bytes(&body).bytes(extra).finish();
            cases.add(name, Offence::TrailingBytes, bytes);
        }
        if !cases.v5() && packet_type == PacketType::Disconnect {
            cases.add(
                "trailing-bytes/disconnect-with-reason-code",
                Offence::TrailingBytes,
                packet(0xE0, &[0x04]),
            );
        }
    }
    // What both lengths of a fixed header promise is cut short: a Topic Name without its length.
    let publish = first(PacketType::Publish);
    for kept in 0..2 {
        cases.add(
            format!("truncated/publish-topic-length-{kept}"),
            Offence::Truncated,
            packet(publish, &[0][..kept]),
        );
    }
}
