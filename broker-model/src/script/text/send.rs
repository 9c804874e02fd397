//! What a client sends: `PUBLISH topic "payload" qos=1`, `raw 30 05`, `broken CASE`.

use super::connect;
use super::error::Wrong;
use super::lexer::{Content, Kind, Token, Value};
use super::line::{Line, Seen};
use super::property::{self, Reading};
use super::subscribe::{subscribe, unsubscribe};
use super::value::version_word;
use crate::script::broken::broken as case;
use crate::script::{Send, broken_groups};
use core::ops::Range;
use mqtt_assay_codec::property::Place;
use mqtt_assay_codec::{PacketType, PropertyList, Qos, ReasonCode, Version};

/// What is sent, and the sizes of its segments.
pub(super) type Sent = (Send, Vec<usize>);

const SENDABLE: &str = "CONNECT, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, \
                        DISCONNECT, AUTH, raw with hex bytes, or broken with the name of a case";

/// What stands in the line besides the packet's own.
pub(super) struct Rest {
    packet: PacketType,
    version: Version,
    seen: Seen,
    id: Option<u16>,
    properties: Reading,
    segments: Vec<usize>,
    /// Keys of the packet itself, for an error.
    own: &'static str,
}

impl Rest {
    pub(super) fn new(packet: PacketType, version: Version, own: &'static str) -> Self {
        let properties = Reading::new(Place::Packet(packet));
        Rest { packet, version, seen: Seen::default(), id: None, properties, segments: Vec::new(), own }
    }

    fn once(&mut self, key: &'static str, token: &Token<'_>) -> Result<(), Wrong> {
        self.seen.once(key, &token.span)
    }

    /// Takes `split`, `id` and properties.
    pub(super) fn take(&mut self, token: Token<'_>) -> Result<(), Wrong> {
        let Token { kind, span } = token;
        let packet = self.packet;
        let Kind::Key(key, value) = kind else {
            return Err(Wrong::new(span, format!("a {packet} has {}", self.keys())));
        };
        match (key, property::find(key)) {
            ("split", _) => {
                self.seen.once("split", &span)?;
                self.segments = value.sizes()?;
            }
            ("id", _) if has_id(packet) => {
                self.seen.once("id", &span)?;
                self.id = Some(value.u16("id")?);
            }
            (_, Some(id)) if property::fits(id, self.properties.place()) => {
                self.properties.take(id, value, &span)?;
            }
            _ => {
                let message = format!("a {packet} has no {key}: it has {}", self.keys());
                return Err(Wrong::new(span.start..span.start + key.len(), message));
            }
        }
        Ok(())
    }

    fn keys(&self) -> String {
        match (self.version, property::keys(self.properties.place())) {
            (Version::V5, properties) if !properties.is_empty() => {
                format!("{}split, and the properties {properties}", self.own)
            }
            _ => format!("{}split", self.own),
        }
    }

    /// Packet Identifier, properties and segments.
    pub(super) fn finish(self) -> Result<(Option<u16>, PropertyList, Vec<usize>), Wrong> {
        Ok((self.id, self.properties.finish(self.version)?, self.segments))
    }

    /// The Reason Code that a token is, which versions before 5.0 have not.
    fn reason<'a>(&mut self, line: &mut Line<'a>, token: &Token<'a>) -> Result<Option<ReasonCode>, Wrong> {
        let Some(code) = line.code(token, self.packet, self.version)? else {
            return Ok(None);
        };
        self.once("the Reason Code", token)?;
        if self.version != Version::V5 && code != ReasonCode::SUCCESS {
            let (version, packet) = (version_word(self.version), self.packet);
            let message = format!("MQTT {version} has no Reason Code in {packet}, only MQTT 5 has");
            return Err(Wrong::new(token.span.clone(), message));
        }
        Ok(Some(code))
    }
}

const fn is_ack(packet: PacketType) -> bool {
    matches!(packet, PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp)
}

const fn has_id(packet: PacketType) -> bool {
    is_ack(packet) || matches!(packet, PacketType::Publish | PacketType::Subscribe | PacketType::Unsubscribe)
}

/// Reads what is sent, and the sizes of its segments.
pub(super) fn read(line: &mut Line<'_>, version: Version) -> Result<Sent, Wrong> {
    let (name, span) = line.word(&format!("what the client sends: {SENDABLE}"))?;
    let packet = PacketType::ALL.into_iter().find(|packet| packet.name() == name);
    let sent = match (packet, name) {
        (Some(PacketType::Publish), _) => publish(line, version)?,
        (Some(p), _) if is_ack(p) => ack(line, p, version, &span)?,
        (Some(PacketType::Subscribe), _) => subscribe(line, version, &span)?,
        (Some(PacketType::Unsubscribe), _) => unsubscribe(line, version, &span)?,
        (Some(PacketType::Pingreq), _) => pingreq(line, version)?,
        (Some(p @ (PacketType::Disconnect | PacketType::Auth)), _) => farewell(line, p, version, &span)?,
        (Some(PacketType::Connect), _) => connect(line, version)?,
        (None, "raw") => bytes(line)?,
        (None, "broken") => broken(line, version)?,
        (Some(packet), _) => {
            return Err(Wrong::new(
                span,
                format!("{packet} is sent by Servers only; a client sends {SENDABLE}"),
            ));
        }
        (None, _) => return Err(Wrong::new(span, format!("a client sends {SENDABLE}"))),
    };
    line.end("what is sent")?;
    Ok(sent)
}

fn publish(line: &mut Line<'_>, version: Version) -> Result<Sent, Wrong> {
    let mut rest = Rest::new(PacketType::Publish, version, "qos, id, dup, retain, ");
    let topic = text(line, "the Topic Name, in quotes if it may be taken for something else")?;
    let token = line.next()?;
    let Kind::Value(Value { content: Content::Quoted(payload), .. }) = token.kind else {
        return Err(Wrong::new(
            token.span,
            r#"expected the payload in quotes, "" if it is empty, after the topic"#,
        ));
    };
    let (mut qos, mut retain, mut dup) = (Qos::AtMostOnce, false, false);
    while let Some(token) = line.field()? {
        match &token.kind {
            Kind::Key("qos", value) => {
                rest.once("qos", &token)?;
                qos = value.qos()?;
            }
            Kind::Key("retain", value) => {
                rest.once("retain", &token)?;
                retain = value.flag("retain")?;
            }
            Kind::Key("dup", value) => {
                rest.once("dup", &token)?;
                dup = value.flag("dup")?;
            }
            _ => rest.take(token)?,
        }
    }
    let (id, properties, segments) = rest.finish()?;
    Ok((Send::Publish { topic, payload, qos, retain, dup, id, properties }, segments))
}

fn text(line: &mut Line<'_>, what: &str) -> Result<String, Wrong> {
    let token = line.next()?;
    match token.kind {
        Kind::Value(value) => value.text(),
        _ => Err(Wrong::new(token.span, format!("expected {what}"))),
    }
}

fn ack(line: &mut Line<'_>, packet: PacketType, version: Version, at: &Range<usize>) -> Result<Sent, Wrong> {
    let mut rest = Rest::new(packet, version, "id, a Reason Code as 0x00, ");
    let mut reason = ReasonCode::SUCCESS;
    while let Some(token) = line.field()? {
        match rest.reason(line, &token)? {
            Some(code) => reason = code,
            None => rest.take(token)?,
        }
    }
    let (Some(id), properties, segments) = rest.finish()? else {
        return Err(Wrong::new(at.clone(), format!("a {packet} needs its Packet Identifier, as id=7")));
    };
    Ok((Send::Ack { packet, id, reason, properties }, segments))
}

fn pingreq(line: &mut Line<'_>, version: Version) -> Result<Sent, Wrong> {
    let mut rest = Rest::new(PacketType::Pingreq, version, "nothing but ");
    while let Some(token) = line.field()? {
        rest.take(token)?;
    }
    Ok((Send::Pingreq, rest.finish()?.2))
}

/// DISCONNECT and AUTH.
fn farewell(
    line: &mut Line<'_>,
    packet: PacketType,
    version: Version,
    at: &Range<usize>,
) -> Result<Sent, Wrong> {
    if packet == PacketType::Auth && version != Version::V5 {
        let version = version_word(version);
        return Err(Wrong::new(at.clone(), format!("MQTT {version} has no AUTH, only MQTT 5 has")));
    }
    let mut rest = Rest::new(packet, version, "a Reason Code, ");
    let mut reason = None;
    while let Some(token) = line.field()? {
        match rest.reason(line, &token)? {
            Some(code) => reason = Some(code),
            None => rest.take(token)?,
        }
    }
    let (_, properties, segments) = rest.finish()?;
    let sent = match (packet, reason) {
        (PacketType::Auth, Some(reason)) => Send::Auth { reason, properties },
        (PacketType::Auth, None) => {
            return Err(Wrong::new(at.clone(), "an AUTH needs its Reason Code, as 0x18"));
        }
        (_, reason) => Send::Disconnect { reason: reason.unwrap_or_default(), properties },
    };
    Ok((sent, segments))
}

fn connect(line: &mut Line<'_>, version: Version) -> Result<Sent, Wrong> {
    let mut draft = connect::Draft::new();
    let mut segments = None;
    while let Some(token) = line.field()? {
        match &token.kind {
            Kind::Key("split", value) if segments.is_none() => segments = Some(value.sizes()?),
            _ => draft.take(line, token, "split, ")?,
        }
    }
    Ok((Send::Connect(draft.finish(version)?), segments.unwrap_or_default()))
}

/// The `split` of what has no other keys.
fn only_split(token: &Token<'_>, segments: &mut Vec<usize>, what: &str) -> Result<(), Wrong> {
    match &token.kind {
        Kind::Key("split", value) if segments.is_empty() => *segments = value.sizes()?,
        _ => return Err(Wrong::new(token.span.clone(), format!("expected {what}"))),
    }
    Ok(())
}

fn bytes(line: &mut Line<'_>) -> Result<Sent, Wrong> {
    let (mut bytes, mut segments) = (Vec::new(), Vec::new());
    while let Some(token) = line.field()? {
        let Kind::Value(Value { content: Content::Bare(word), .. }) = token.kind else {
            only_split(&token, &mut segments, "a byte in hex, as c0, or split, as split=1,3")?;
            continue;
        };
        if word.len() % 2 != 0 || !word.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Wrong::new(token.span, "a byte has two hex digits, as in raw c0 00"));
        }
        let digit = |digit: u8| (digit as char).to_digit(16).unwrap_or_default() as u8;
        bytes.extend(word.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])));
    }
    Ok((Send::Raw(bytes), segments))
}

fn broken(line: &mut Line<'_>, version: Version) -> Result<Sent, Wrong> {
    let token = line.next()?;
    let Kind::Value(value) = token.kind else {
        return Err(Wrong::new(token.span, "expected the name of a case after broken"));
    };
    let name = value.text()?;
    if case(version, &name).is_none() {
        return Err(no_case(&name, version, token.span));
    }
    let mut segments = Vec::new();
    while let Some(token) = line.field()? {
        only_split(&token, &mut segments, "nothing but split, as split=1,3")?;
    }
    Ok((Send::Broken(name), segments))
}

/// There is no such case: names the nearest ones.
#[cold]
fn no_case(name: &str, version: Version, span: Range<usize>) -> Wrong {
    let mut names: Vec<&str> =
        broken_groups(version).iter().flatten().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    let place = names.partition_point(|known| *known < name);
    let near = &names[place.saturating_sub(2)..(place + 2).min(names.len())];
    let version = version_word(version);
    Wrong::new(span, format!("MQTT {version} has no case {name}; the nearest are {}", near.join(", ")))
}
