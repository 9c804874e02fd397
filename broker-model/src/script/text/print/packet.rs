//! Packets that are sent and expected.

use crate::script::text::connect;
use crate::script::text::property;
use crate::script::text::quote::{Name, Quoted};
use crate::script::{Pattern, Send};
use core::fmt;
use mqtt_assay_codec::{PacketType, ReasonCode, SubscriptionOptions, Version};

/// Writes what is sent.
pub(super) fn write_sent(f: &mut fmt::Formatter<'_>, sent: &Send, version: Version) -> fmt::Result {
    let id = |f: &mut fmt::Formatter<'_>, id: Option<u16>| id.map_or(Ok(()), |id| write!(f, " id={id}"));
    match sent {
        Send::Publish { topic, payload, qos, retain, dup, id: packet_id, properties } => {
            write!(f, "PUBLISH {} {} qos={qos}", Name(topic), Quoted(payload))?;
            id(f, *packet_id)?;
            if *dup {
                f.write_str(" dup=1")?;
            }
            if *retain {
                f.write_str(" retain=1")?;
            }
            property::write(f, properties.view())
        }
        Send::Ack { packet, id, reason, properties } => {
            write!(f, "{packet} id={id}")?;
            if *reason != ReasonCode::SUCCESS {
                write_code(f, *reason, *packet, version)?;
            }
            property::write(f, properties.view())
        }
        Send::Subscribe { id: packet_id, filters, properties } => {
            f.write_str("SUBSCRIBE")?;
            id(f, *packet_id)?;
            for (filter, options) in filters {
                write!(f, " {}", Name(filter))?;
                write_options(f, *options)?;
            }
            property::write(f, properties.view())
        }
        Send::Unsubscribe { id: packet_id, filters, properties } => {
            f.write_str("UNSUBSCRIBE")?;
            id(f, *packet_id)?;
            filters.iter().try_for_each(|filter| write!(f, " {}", Name(filter)))?;
            property::write(f, properties.view())
        }
        Send::Pingreq => f.write_str("PINGREQ"),
        Send::Disconnect { reason, properties } => {
            f.write_str("DISCONNECT")?;
            if version == Version::V5 {
                write_code(f, *reason, PacketType::Disconnect, version)?;
            }
            property::write(f, properties.view())
        }
        Send::Auth { reason, properties } => {
            f.write_str("AUTH")?;
            write_code(f, *reason, PacketType::Auth, version)?;
            property::write(f, properties.view())
        }
        Send::Connect(connect) => {
            f.write_str("CONNECT")?;
            connect::write(f, connect)
        }
        Send::Raw(bytes) => {
            f.write_str("raw")?;
            bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
        }
        Send::Broken(name) => write!(f, "broken {}", Name(name)),
    }
}

fn write_options(f: &mut fmt::Formatter<'_>, options: SubscriptionOptions) -> fmt::Result {
    write!(f, " qos={}", options.qos)?;
    if options.no_local {
        f.write_str(" no_local=1")?;
    }
    if options.retain_as_published {
        f.write_str(" retain_as_published=1")?;
    }
    match options.retain_handling as u8 {
        0 => Ok(()),
        handling => write!(f, " retain_handling={handling}"),
    }
}

/// Writes a code, a space before it, and what it means.
pub(super) fn write_code(
    f: &mut fmt::Formatter<'_>,
    code: ReasonCode,
    packet: PacketType,
    version: Version,
) -> fmt::Result {
    write!(f, " {code}")?;
    match code.name_in(packet, version) {
        Some(name) if code != ReasonCode::SUCCESS => write!(f, " ({name})"),
        _ => Ok(()),
    }
}

/// Writes what is expected.
pub(super) fn write_pattern(f: &mut fmt::Formatter<'_>, pattern: &Pattern, version: Version) -> fmt::Result {
    let code = |f: &mut fmt::Formatter<'_>, code: Option<u8>, packet| {
        code.map_or(Ok(()), |code| write_code(f, ReasonCode(code), packet, version))
    };
    match pattern {
        Pattern::Connack { code: reason, session_present } => {
            f.write_str("CONNACK")?;
            code(f, *reason, PacketType::Connack)?;
            flag(f, "session_present", *session_present)
        }
        Pattern::Publish { topic, payload, qos, retain, dup, id } => {
            f.write_str("PUBLISH")?;
            match (topic, payload) {
                (Some(topic), _) => write!(f, " {}", Name(topic))?,
                (None, Some(_)) => f.write_str(" *")?,
                (None, None) => {}
            }
            payload.as_ref().map_or(Ok(()), |payload| write!(f, " {}", Quoted(payload)))?;
            qos.map_or(Ok(()), |qos| write!(f, " qos={qos}"))?;
            id.map_or(Ok(()), |id| write!(f, " id={id}"))?;
            flag(f, "dup", *dup)?;
            flag(f, "retain", *retain)
        }
        Pattern::Ack { packet, id, reason } => {
            write!(f, "{packet}")?;
            id.map_or(Ok(()), |id| write!(f, " id={id}"))?;
            code(f, *reason, *packet)
        }
        Pattern::Suback { id, codes } => write_codes(f, *id, codes.as_deref(), PacketType::Suback, version),
        Pattern::Unsuback { id, codes } => {
            write_codes(f, *id, codes.as_deref(), PacketType::Unsuback, version)
        }
        Pattern::Pingresp => f.write_str("PINGRESP"),
        Pattern::Disconnect { reason } => {
            f.write_str("DISCONNECT")?;
            code(f, *reason, PacketType::Disconnect)
        }
        Pattern::Auth { reason } => {
            f.write_str("AUTH")?;
            code(f, *reason, PacketType::Auth)
        }
        Pattern::Closed => f.write_str("closed"),
    }
}

fn flag(f: &mut fmt::Formatter<'_>, key: &str, value: Option<bool>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {key}={}", u8::from(value)))
}

/// SUBACK and UNSUBACK.
fn write_codes(
    f: &mut fmt::Formatter<'_>,
    id: Option<u16>,
    codes: Option<&[u8]>,
    packet: PacketType,
    version: Version,
) -> fmt::Result {
    write!(f, "{packet}")?;
    id.map_or(Ok(()), |id| write!(f, " id={id}"))?;
    if codes.is_some_and(<[u8]>::is_empty) {
        f.write_str(" none")?;
    }
    for &code in codes.unwrap_or_default() {
        let code = ReasonCode(code);
        if code.is_success() { write!(f, " {code}")? } else { write_code(f, code, packet, version)? }
    }
    Ok(())
}
