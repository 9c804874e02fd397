//! CONNECT and CONNACK. [3.1.1 §3.1, §3.2] [5.0 §3.1, §3.2]

use super::{Builder, Cases, packet};
use crate::malformed::Offence;
use crate::reason::ReasonCode;
use crate::types::{PacketType, Receiver, Version};
use alloc::format;
use alloc::vec::Vec;

/// A CONNECT up to its Client Identifier.
fn start(version: Version, flags: u8) -> Builder {
    let name = version.protocol_name().as_bytes();
    Builder::new(0x10).string(name).u8(version.level()).bytes(&[flags, 0, 60]).no_properties(version)
}

pub(super) fn add_connect(cases: &mut Cases) {
    let version = cases.version;
    protocol(cases);
    let strict = version != Version::V3_1;
    if strict {
        let reserved = start(version, 0b11).string(b"client").finish();
        cases.add("connect-flags/reserved", Offence::ConnectReservedFlag, reserved);
        for (name, flags, offence) in [
            ("will-qos-1-without-will", 0b0000_1010, Offence::WillQosWithoutWill),
            ("will-qos-2-without-will", 0b0001_0010, Offence::WillQosWithoutWill),
            ("will-retain-without-will", 0b0010_0010, Offence::WillRetainWithoutWill),
        ] {
            cases.add(
                format!("connect-flags/{name}"),
                offence,
                start(version, flags).string(b"client").finish(),
            );
        }
    }
    for (name, flags) in [("will-qos-3", 0b0001_1110), ("will-qos-3-retained", 0b0011_1110)] {
        let bytes =
            start(version, flags).string(b"client").no_properties(version).string(b"w").string(b"gone");
        cases.add(format!("connect-flags/{name}"), Offence::WillQos3, bytes.finish());
    }
    if version != Version::V5 {
        let bytes = start(version, 0b0100_0010).string(b"client").string(b"secret").finish();
        cases.add("connect-flags/password-without-user-name", Offence::PasswordWithoutUserName, bytes);
    }
    missing(cases);
    cut(cases);
    for (name, extra) in
        [("a-byte", &b"\x00"[..]), ("a-field", b"\x00\x05extra"), ("another-packet-inside", b"\xC0\x00")]
    {
        let bytes = start(version, 0b10).string(b"client").bytes(extra).finish();
        cases.add(format!("connect-trailing-bytes/{name}"), Offence::ConnectTrailingBytes, bytes);
    }
    // The fields are there, their flags are not.
    let bytes = start(version, 0b1000_0010).string(b"client").string(b"user").string(b"secret").finish();
    cases.add("connect-trailing-bytes/password-without-its-flag", Offence::ConnectTrailingBytes, bytes);
    let will =
        start(version, 0b10).string(b"client").no_properties(version).string(b"w").string(b"gone").finish();
    cases.add("connect-trailing-bytes/will-without-its-flag", Offence::ConnectTrailingBytes, will);
}

fn protocol(cases: &mut Cases) {
    let version = cases.version;
    let mut add = |name: alloc::string::String, offence, protocol: &[u8], level: u8| {
        let bytes = Builder::new(0x10).string(protocol).u8(level).bytes(&[0b10, 0, 60]);
        cases.add(name, offence, bytes.no_properties(version).string(b"client").finish());
    };
    let level = version.level();
    for name in ["", "mqtt", "Mqtt", "MQT", "MQTTX", "MQTT ", "MQIsdP", "MQISDP", "HTTP", "\u{FEFF}MQTT"] {
        add(format!("protocol-name/{name:?}"), Offence::ProtocolName, name.as_bytes(), level);
    }
    let own = version.protocol_name().as_bytes();
    let other: &[u8] = if version == Version::V3_1 { b"MQTT" } else { b"MQIsdp" };
    let wrong = [0, 1, 2, 3, 4, 5, 6, 7, 0x7F, 0x80 | level, 0xFF];
    for unknown in wrong.into_iter().filter(|&unknown| match version {
        Version::V3_1 => unknown != 3,
        _ => unknown != 4 && unknown != 5,
    }) {
        add(format!("protocol-level/{unknown}"), Offence::ProtocolLevel, own, unknown);
    }
    add("protocol-level/name-of-another-version".into(), Offence::ProtocolLevel, other, level);
}

fn missing(cases: &mut Cases) {
    let version = cases.version;
    cases.add("connect-missing/client-id", Offence::ClientIdentifierMissing, start(version, 0b10).finish());
    let will = start(version, 0b110).string(b"client");
    cases.add("connect-missing/will", Offence::WillMissing, will.finish());
    if cases.v5() {
        let bytes = will.clone().u8(0).finish();
        cases.add("connect-missing/will-topic-and-payload", Offence::WillMissing, bytes);
    }
    let bytes = will.no_properties(version).string(b"w").finish();
    cases.add("connect-missing/will-payload", Offence::WillMissing, bytes);
    // 3.1 allows the packet to end before these. [MQTT 3.1 §3.1]
    if version == Version::V3_1 {
        return;
    }
    let bytes = start(version, 0b1000_0010).string(b"client").finish();
    cases.add("connect-missing/user-name", Offence::UserNameMissing, bytes);
    let bytes = start(version, 0b1100_0010).string(b"client").string(b"user").finish();
    cases.add("connect-missing/password", Offence::PasswordMissing, bytes);
    if cases.v5() {
        let bytes = start(version, 0b0100_0010).string(b"client").finish();
        cases.add("connect-missing/password-alone", Offence::PasswordMissing, bytes);
    }
}

/// CONNECTs that end inside a field.
fn cut(cases: &mut Cases) {
    let version = cases.version;
    let name = version.protocol_name().as_bytes();
    let protocol = 2 + name.len();
    let header = Builder::new(0x10).string(name).u8(version.level()).bytes(&[0b10, 0, 60]).body;
    for kept in (0..2).chain([protocol - 1, protocol, protocol + 1, protocol + 2, protocol + 3]) {
        let bytes = packet(0x10, &header[..kept]);
        cases.add(format!("truncated/connect-after-{kept}-bytes"), Offence::Truncated, bytes);
    }
    let truncated = Offence::Truncated;
    let start = |flags| start(version, flags);
    cases.add("truncated/connect-client-id-length", truncated, start(0b10).u8(0).finish());
    let will = start(0b110).string(b"client").no_properties(version);
    cases.add("truncated/connect-will-topic-length", truncated, will.clone().u8(0).finish());
    let will = will.string(b"w");
    cases.add("truncated/connect-will-payload-length", truncated, will.clone().u8(0).finish());
    cases.add("truncated/connect-will-payload", truncated, will.u16(4).bytes(b"gon").finish());
    let user = start(0b1100_0010).string(b"client");
    cases.add("truncated/connect-user-name-length", truncated, user.clone().u8(0).finish());
    let user = user.string(b"user");
    cases.add("truncated/connect-password-length", truncated, user.clone().u8(0).finish());
    cases.add("truncated/connect-password", truncated, user.u16(7).bytes(b"secret").finish());
}

pub(super) fn add_connack(cases: &mut Cases) {
    let version = cases.version;
    let connack =
        |flags: u8, code: u8| Builder::new(0x20).bytes(&[flags, code]).no_properties(version).finish();
    if version != Version::V3_1 {
        for bit in 1..8 {
            cases.add(format!("connack-flags/bit-{bit}"), Offence::ConnackFlags, connack(1 << bit, 0));
        }
        cases.add("connack-flags/bit-1-and-session-present", Offence::ConnackFlags, connack(0b11, 0));
        cases.add("connack-flags/all", Offence::ConnackFlags, connack(0xFF, 0));
        for code in listed(cases).filter(|&code| code != 0).collect::<Vec<_>>() {
            let name = format!("connack-session-present/{code:02x}");
            cases.add(name, Offence::ConnackSessionPresent, connack(1, code));
        }
    }
    let listed: Vec<u8> = listed(cases).collect();
    let codes = ReasonCode::ALL.iter().map(|code| code.0).chain([3, 6, 0x7F, 0xA3, 0xFF]);
    let mut unlisted: Vec<u8> = codes.filter(|code| !listed.contains(code)).collect();
    unlisted.sort_unstable();
    unlisted.dedup();
    for code in unlisted {
        cases.add(format!("code/connack-{code:02x}"), Offence::ConnackCode, connack(0, code));
    }
    cases.add("truncated/connack-flags", Offence::Truncated, packet(0x20, &[]));
    cases.add("truncated/connack-code", Offence::Truncated, packet(0x20, &[0]));
}

fn listed(cases: &Cases) -> impl Iterator<Item = u8> + use<> {
    let version = cases.version;
    (0..=255).filter(move |&code| ReasonCode(code).allowed_in(PacketType::Connack, Receiver::Client, version))
}
