//! What a client expects: `PUBLISH topic "payload" qos=1 | closed`.

use super::error::Wrong;
use super::lexer::{Content, Kind, Value};
use super::line::{Line, Seen};
use crate::script::Pattern;
use core::ops::Range;
use mqtt_assay_codec::{PacketType, Qos, Version};

const EXPECTABLE: &str = "CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP, \
                          DISCONNECT, AUTH, or closed for the connection's end";

/// What a description can say, of any packet; each kind of packet uses its own part.
#[derive(Default)]
struct Said {
    topic: Option<String>,
    payload: Option<Vec<u8>>,
    qos: Option<Qos>,
    retain: Option<bool>,
    dup: Option<bool>,
    id: Option<u16>,
    session_present: Option<bool>,
    codes: Option<Vec<u8>>,
}

/// Reads one description, up to a bar, a comma or the line's end.
pub(super) fn read(line: &mut Line<'_>, version: Version) -> Result<Pattern, Wrong> {
    let (name, span) = line.word(&format!("what is expected: {EXPECTABLE}"))?;
    let packet = PacketType::ALL.into_iter().find(|packet| packet.name() == name);
    use PacketType as T;
    Ok(match (packet, name) {
        (Some(packet @ T::Connack), _) => {
            let said = fields(line, packet, version, 1, "a code, session_present")?;
            Pattern::Connack { code: first(said.codes), session_present: said.session_present }
        }
        (Some(T::Publish), _) => {
            let Said { topic, payload, qos, retain, dup, id, .. } = publish(line)?;
            Pattern::Publish { topic, payload, qos, retain, dup, id }
        }
        (Some(packet @ (T::Puback | T::Pubrec | T::Pubrel | T::Pubcomp)), _) => {
            let said = fields(line, packet, version, 1, "id, a code")?;
            Pattern::Ack { packet, id: said.id, reason: first(said.codes) }
        }
        (Some(packet @ (T::Suback | T::Unsuback)), _) => {
            let said = fields(line, packet, version, usize::MAX, "id, codes, or none for no codes at all")?;
            let (id, codes) = (said.id, said.codes);
            if packet == T::Suback { Pattern::Suback { id, codes } } else { Pattern::Unsuback { id, codes } }
        }
        (Some(packet @ T::Pingresp), _) => {
            fields(line, packet, version, 0, "nothing to be told apart by")?;
            Pattern::Pingresp
        }
        (Some(packet @ T::Disconnect), _) => {
            Pattern::Disconnect { reason: first(fields(line, packet, version, 1, "a code")?.codes) }
        }
        (Some(packet @ T::Auth), _) => {
            Pattern::Auth { reason: first(fields(line, packet, version, 1, "a code")?.codes) }
        }
        (None, "closed") => Pattern::Closed,
        (Some(packet), _) => {
            return Err(Wrong::new(
                span,
                format!("{packet} is sent by clients only; a client can expect {EXPECTABLE}"),
            ));
        }
        (None, _) => return Err(Wrong::new(span, format!("a client can expect {EXPECTABLE}"))),
    })
}

fn first(codes: Option<Vec<u8>>) -> Option<u8> {
    codes?.first().copied()
}

/// The fields of what is not a PUBLISH: codes, `id`, `session_present`. `own` says which of them the packet has.
fn fields(
    line: &mut Line<'_>,
    packet: PacketType,
    version: Version,
    most_codes: usize,
    own: &str,
) -> Result<Said, Wrong> {
    let mut said = Said::default();
    let mut seen = Seen::default();
    let mut none = false;
    while let Some(token) = line.field()? {
        if let Some(code) = line.code(&token, packet, version)? {
            let codes = said.codes.get_or_insert_default();
            if codes.len() < most_codes && !none {
                codes.push(code.0);
                continue;
            }
        }
        match &token.kind {
            Kind::Key("id", value) if own.starts_with("id") => {
                seen.once("id", &token.span)?;
                said.id = Some(value.u16("id")?);
            }
            Kind::Key("session_present", value) if packet == PacketType::Connack => {
                seen.once("session_present", &token.span)?;
                said.session_present = Some(value.flag("session_present")?);
            }
            Kind::Value(Value { content: Content::Bare("none"), .. })
                if most_codes > 1 && said.codes.is_none() =>
            {
                said.codes = Some(Vec::new());
                none = true;
            }
            _ => return Err(unknown(token.span, packet, own)),
        }
    }
    Ok(said)
}

fn unknown(span: Range<usize>, packet: PacketType, own: &str) -> Wrong {
    Wrong::new(span, format!("an expected {packet} has {own}"))
}

fn publish(line: &mut Line<'_>) -> Result<Said, Wrong> {
    let own = "a topic, or * for any, and a payload in quotes behind it, qos, id, dup, retain";
    let mut said = Said::default();
    let mut seen = Seen::default();
    let mut any_topic = false;
    while let Some(token) = line.field()? {
        match token.kind {
            Kind::Value(Value { content: Content::Bare("*"), .. }) if said.topic.is_none() && !any_topic => {
                any_topic = true;
            }
            Kind::Value(value) if said.topic.is_none() && !any_topic => said.topic = Some(value.text()?),
            Kind::Value(Value { content: Content::Quoted(payload), .. }) if said.payload.is_none() => {
                said.payload = Some(payload);
            }
            Kind::Key("qos", value) => {
                seen.once("qos", &token.span)?;
                said.qos = Some(value.qos()?);
            }
            Kind::Key("id", value) => {
                seen.once("id", &token.span)?;
                said.id = Some(value.u16("id")?);
            }
            Kind::Key("retain", value) => {
                seen.once("retain", &token.span)?;
                said.retain = Some(value.flag("retain")?);
            }
            Kind::Key("dup", value) => {
                seen.once("dup", &token.span)?;
                said.dup = Some(value.flag("dup")?);
            }
            _ => return Err(unknown(token.span, PacketType::Publish, own)),
        }
    }
    Ok(said)
}
