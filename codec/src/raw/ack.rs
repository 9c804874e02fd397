//! The codes of acknowledgements, DISCONNECT and AUTH. [3.1.1 §3.9.3] [5.0 §2.4]

use super::{Builder, Cases, first, method, packet, word};
use crate::malformed::Offence;
use crate::reason::ReasonCode;
use crate::types::{PacketType, Version};
use alloc::format;
use alloc::vec::Vec;

pub(super) fn add(cases: &mut Cases) {
    let version = cases.version;
    for packet_type in cases.types() {
        let Some((offence, empty)) = offences(packet_type, version) else { continue };
        let start = Builder::new(first(packet_type));
        for code in unlisted(cases, packet_type) {
            let mut add = |suffix: &str, builder: Builder| {
                cases.add(
                    format!("code/{}-{code:02x}{suffix}", word(packet_type)),
                    offence,
                    builder.finish(),
                );
            };
            let start = start.clone();
            match packet_type {
                PacketType::Suback | PacketType::Unsuback => {
                    let start = start.u16(7).no_properties(version);
                    add("", start.clone().u8(code));
                    add("-second", start.bytes(&[0, code]));
                }
                PacketType::Auth => add("", start.u8(code).properties(&[&method()])),
                PacketType::Disconnect => {
                    add("", start.clone().u8(code));
                    add("-with-list", start.bytes(&[code, 0]));
                }
                _ => {
                    add("", start.clone().u16(7).u8(code));
                    add("-with-list", start.u16(7).bytes(&[code, 0]));
                }
            }
        }
        if let Some(empty) = empty {
            let bytes = start.u16(7).no_properties(version).finish();
            cases.add(format!("no-codes/{}", word(packet_type)), empty, bytes);
        }
    }
    if !cases.v5() && !cases.to_server() {
        // What 5.0 allows behind the Packet Identifier.
        cases.add("trailing-bytes/unsuback-with-code", Offence::TrailingBytes, packet(0xB0, &[0, 7, 0x11]));
    }
}

/// The offence of a code that is not listed, and that of a list without codes.
fn offences(packet: PacketType, version: Version) -> Option<(Offence, Option<Offence>)> {
    use PacketType as T;
    Some(match packet {
        T::Suback => (Offence::SubackCode, Some(Offence::SubackEmpty)),
        _ if version != Version::V5 => return None,
        T::Unsuback => (Offence::UnsubackCode, Some(Offence::UnsubackEmpty)),
        T::Puback => (Offence::PubackCode, None),
        T::Pubrec => (Offence::PubrecCode, None),
        T::Pubrel => (Offence::PubrelCode, None),
        T::Pubcomp => (Offence::PubcompCode, None),
        T::Disconnect => (Offence::DisconnectCode, None),
        T::Auth => (Offence::AuthCode, None),
        _ => return None,
    })
}

/// Codes of other packets, and some that no packet has.
fn unlisted(cases: &Cases, packet: PacketType) -> Vec<u8> {
    let (version, receiver) = (cases.version, cases.receiver);
    let mut codes: Vec<u8> = ReasonCode::ALL.iter().map(|code| code.0).collect();
    codes.extend([0x03, 0x05, 0x20, 0x7F, 0xA3, 0xFF]);
    codes.sort_unstable();
    codes.retain(|&code| !ReasonCode(code).allowed_in(packet, receiver, version));
    codes
}
