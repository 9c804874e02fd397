//! Packets for people: one line each, and the bytes in hex.

use crate::packet::{Ack, Packet};
use crate::property::{Properties, Property};
use crate::reason::ReasonCode;
use crate::types::{PacketType, Version};
use alloc::string::String;
use core::fmt::{self, Write};

/// Text and data longer than this are cut in the line.
const SHOWN_BYTES: usize = 48;

/// Of a longer list only this many items are shown.
const SHOWN_ITEMS: usize = 12;

/// One line: the packet's name and its fields, as in `PUBLISH a/b "on" qos=1 id=7 retain=1`.
pub fn line(packet: &Packet<'_>, version: Version) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_line(&mut out, packet, version);
    out
}

fn write_line(out: &mut String, packet: &Packet<'_>, version: Version) -> fmt::Result {
    out.push_str(packet.packet_type().name());
    match packet {
        Packet::Connect(p) => {
            write!(
                out,
                " client_id={} clean_start={}",
                Text(p.client_id.as_bytes()),
                u8::from(p.clean_start)
            )?;
            write!(out, " keep_alive={}", p.keep_alive)?;
            if let Some(user_name) = p.user_name {
                write!(out, " user_name={}", Text(user_name.as_bytes()))?;
            }
            if let Some(password) = p.password {
                write!(out, " password=({} bytes)", password.len())?;
            }
            write_properties(out, p.properties)?;
            if let Some(will) = &p.will {
                write!(out, " will={} {}", Text(will.topic.as_bytes()), Quoted(will.payload))?;
                write!(out, " will_qos={} will_retain={}", will.qos, u8::from(will.retain))?;
                write_properties(out, will.properties)?;
            }
            if p.version != version {
                write!(out, " (MQTT {})", p.version)?;
            }
        }
        Packet::Connack(p) => {
            write_code(out, p.code, PacketType::Connack, version)?;
            write!(out, " session_present={}", u8::from(p.session_present))?;
            write_properties(out, p.properties)?;
        }
        Packet::Publish(p) => {
            write!(out, " {} {} qos={}", Text(p.topic.as_bytes()), Quoted(p.payload), p.qos)?;
            if let Some(id) = p.packet_id {
                write!(out, " id={id}")?;
            }
            if p.dup {
                out.push_str(" dup=1");
            }
            if p.retain {
                out.push_str(" retain=1");
            }
            write_properties(out, p.properties)?;
        }
        Packet::Puback(p) | Packet::Pubrec(p) | Packet::Pubrel(p) | Packet::Pubcomp(p) => {
            write_ack(out, p, packet.packet_type(), version)?;
        }
        Packet::Subscribe(p) => {
            write!(out, " id={}", p.packet_id)?;
            for subscription in p.subscriptions.iter().take(SHOWN_ITEMS) {
                let options = subscription.options;
                write!(out, " {} qos={}", Text(subscription.filter.as_bytes()), options.qos)?;
                if options.no_local {
                    out.push_str(" no_local=1");
                }
                if options.retain_as_published {
                    out.push_str(" retain_as_published=1");
                }
                if options.retain_handling as u8 != 0 {
                    write!(out, " retain_handling={}", options.retain_handling as u8)?;
                }
            }
            write_rest(out, p.subscriptions.iter().count(), "filters")?;
            write_properties(out, p.properties)?;
        }
        Packet::Suback(p) => {
            write!(out, " id={}", p.packet_id)?;
            write_codes(out, p.codes, PacketType::Suback, version)?;
            write_properties(out, p.properties)?;
        }
        Packet::Unsubscribe(p) => {
            write!(out, " id={}", p.packet_id)?;
            for filter in p.filters.iter().take(SHOWN_ITEMS) {
                write!(out, " {}", Text(filter.as_bytes()))?;
            }
            write_rest(out, p.filters.iter().count(), "filters")?;
            write_properties(out, p.properties)?;
        }
        Packet::Unsuback(p) => {
            write!(out, " id={}", p.packet_id)?;
            write_codes(out, p.codes, PacketType::Unsuback, version)?;
            write_properties(out, p.properties)?;
        }
        Packet::Pingreq | Packet::Pingresp => {}
        Packet::Disconnect(p) => {
            if version == Version::V5 {
                write_code(out, p.reason, PacketType::Disconnect, version)?;
            }
            write_properties(out, p.properties)?;
        }
        Packet::Auth(p) => {
            write_code(out, p.reason, PacketType::Auth, version)?;
            write_properties(out, p.properties)?;
        }
    }
    Ok(())
}

fn write_ack(out: &mut String, ack: &Ack<'_>, packet: PacketType, version: Version) -> fmt::Result {
    write!(out, " id={}", ack.packet_id)?;
    if version == Version::V5 && ack.reason != ReasonCode::SUCCESS {
        write_code(out, ack.reason, packet, version)?;
    }
    write_properties(out, ack.properties)
}

fn write_code(out: &mut String, code: ReasonCode, packet: PacketType, version: Version) -> fmt::Result {
    write!(out, " {code}")?;
    match code.name_in(packet, version) {
        Some(name) if code != ReasonCode::SUCCESS => write!(out, " ({name})"),
        _ => Ok(()),
    }
}

fn write_codes(out: &mut String, codes: &[u8], packet: PacketType, version: Version) -> fmt::Result {
    for &code in codes.iter().take(SHOWN_ITEMS) {
        let code = ReasonCode(code);
        if code.is_success() { write!(out, " {code}")? } else { write_code(out, code, packet, version)? }
    }
    write_rest(out, codes.len(), "codes")
}

/// Says that not all items of a list were shown.
fn write_rest(out: &mut String, count: usize, items: &str) -> fmt::Result {
    if count > SHOWN_ITEMS { write!(out, " … ({count} {items})") } else { Ok(()) }
}

fn write_properties(out: &mut String, properties: Properties<'_>) -> fmt::Result {
    for property in properties.iter().take(SHOWN_ITEMS) {
        out.push(' ');
        for word in property.id().name().split(' ') {
            if !out.ends_with(' ') {
                out.push('_');
            }
            out.extend(word.chars().map(|c| c.to_ascii_lowercase()));
        }
        out.push('=');
        write_value(out, property)?;
    }
    write_rest(out, properties.iter().count(), "properties")
}

fn write_value(out: &mut String, property: Property<'_>) -> fmt::Result {
    use Property as P;
    match property {
        P::PayloadFormatIndicator(v) | P::MaximumQos(v) => write!(out, "{v}"),
        P::RequestProblemInformation(v)
        | P::RequestResponseInformation(v)
        | P::RetainAvailable(v)
        | P::WildcardSubscriptionAvailable(v)
        | P::SubscriptionIdentifierAvailable(v)
        | P::SharedSubscriptionAvailable(v) => write!(out, "{}", u8::from(v)),
        P::ServerKeepAlive(v) | P::ReceiveMaximum(v) | P::TopicAliasMaximum(v) | P::TopicAlias(v) => {
            write!(out, "{v}")
        }
        P::MessageExpiryInterval(v)
        | P::SubscriptionIdentifier(v)
        | P::SessionExpiryInterval(v)
        | P::WillDelayInterval(v)
        | P::MaximumPacketSize(v) => write!(out, "{v}"),
        P::ContentType(v)
        | P::ResponseTopic(v)
        | P::AssignedClientIdentifier(v)
        | P::AuthenticationMethod(v)
        | P::ResponseInformation(v)
        | P::ServerReference(v)
        | P::ReasonString(v) => write!(out, "{}", Quoted(v.as_bytes())),
        P::CorrelationData(v) | P::AuthenticationData(v) => write!(out, "{}", Quoted(v)),
        P::UserProperty((name, value)) => {
            write!(out, "{}:{}", Quoted(name.as_bytes()), Quoted(value.as_bytes()))
        }
    }
}

/// A name: bare if it is plain, else quoted.
struct Text<'a>(&'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = !self.0.is_empty()
            && self.0.len() <= SHOWN_BYTES
            && self.0.iter().all(|b| b.is_ascii_graphic() && *b != b'"');
        match core::str::from_utf8(self.0) {
            Ok(text) if plain => f.write_str(text),
            _ => Quoted(self.0).fmt(f),
        }
    }
}

/// Data in quotes: printable text as it is, all else as `\xNN`; long data cut, with its length.
struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(SHOWN_BYTES)];
        f.write_char('"')?;
        let mut chunks = shown.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for c in chunk.valid().chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    c if c.is_control() || is_hidden(c) => write!(f, "{}", c.escape_unicode())?,
                    c => f.write_char(c)?,
                }
            }
            // A character that the cut has torn is left out, not shown as ill-formed.
            if chunks.peek().is_none() && shown.len() < self.0.len() {
                break;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_char('"')?;
        if shown.len() < self.0.len() { write!(f, "… ({} bytes)", self.0.len()) } else { Ok(()) }
    }
}

/// Whether the character shows nothing of its own, or turns the direction of what follows: in a log it could make
/// one text look like another.
const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Bytes as pairs of hex digits, cut after `limit` bytes with the number of those left out.
pub fn hex(bytes: &[u8], limit: usize) -> String {
    let mut out = String::new();
    for (index, byte) in bytes.iter().take(limit).enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.len() > limit {
        let _ = write!(out, " … +{}", bytes.len() - limit);
    }
    out
}
