//! The content of a CONNECT: on a client's line, behind `connect`, and in the packet.

use super::error::Wrong;
use super::lexer::{Content, Kind, Token, Value};
use super::line::{Line, Seen};
use super::property::{self, Reading};
use super::quote::{Name, Quoted};
use crate::script::{Connect, Will};
use core::fmt;
use mqtt_assay_codec::property::Place;
use mqtt_assay_codec::{PacketType, Qos, Version};

const CONNECT: Place = Place::Packet(PacketType::Connect);

/// A CONNECT while its keys are read.
pub(super) struct Draft {
    connect: Connect,
    seen: Seen,
    properties: Reading,
    will: Option<WillDraft>,
}

struct WillDraft {
    will: Will,
    seen: Seen,
    properties: Reading,
}

impl Draft {
    pub(super) fn new() -> Self {
        let properties = Reading::new(CONNECT);
        Draft { connect: Connect::default(), seen: Seen::default(), properties, will: None }
    }

    /// Takes what belongs to a CONNECT; anything else is an error, in which `more` names the other keys of the line.
    pub(super) fn take(&mut self, line: &mut Line<'_>, token: Token<'_>, more: &str) -> Result<(), Wrong> {
        let Token { kind: Kind::Key(key, value), span } = token else {
            return Err(Wrong::new(token.span, format!("expected a key and its value: {}", keys(more))));
        };
        // Behind the Will's topic, what a Will can have is the Will's.
        if let Some(draft) = &mut self.will {
            match key {
                "qos" | "will_qos" => {
                    draft.seen.once("will_qos", &span)?;
                    draft.will.qos = value.qos()?;
                    return Ok(());
                }
                "retain" | "will_retain" => {
                    draft.seen.once("will_retain", &span)?;
                    draft.will.retain = value.flag("will_retain")?;
                    return Ok(());
                }
                _ => {}
            }
        }
        let connect = &mut self.connect;
        match key {
            "client_id" => {
                self.seen.once("client_id", &span)?;
                connect.client_id = Some(value.text()?);
            }
            "clean_start" | "clean_session" => {
                self.seen.once("clean_start", &span)?;
                connect.clean_start = value.flag("clean_start")?;
            }
            "keep_alive" => {
                self.seen.once("keep_alive", &span)?;
                connect.keep_alive = value.u16("keep_alive")?;
            }
            "user_name" => {
                self.seen.once("user_name", &span)?;
                connect.user_name = Some(value.text()?);
            }
            "password" => {
                self.seen.once("password", &span)?;
                connect.password = Some(value.binary()?);
            }
            "will" => {
                self.seen.once("will", &span)?;
                let topic = value.text()?;
                let payload = payload(line)?;
                let properties = Reading::new(Place::Will);
                let will = Will {
                    topic,
                    payload,
                    qos: Qos::AtMostOnce,
                    retain: false,
                    properties: Default::default(),
                };
                self.will = Some(WillDraft { will, seen: Seen::default(), properties });
            }
            _ => {
                let id = property::find(key);
                let will = self.will.as_mut().map(|draft| &mut draft.properties);
                match (id, will) {
                    (Some(id), Some(will)) if property::fits(id, Place::Will) => {
                        will.take(id, value, &span)?;
                    }
                    (Some(id), _) if property::fits(id, CONNECT) => {
                        self.properties.take(id, value, &span)?;
                    }
                    (id, will) => {
                        let belongs_to_will = matches!(key, "qos" | "will_qos" | "retain" | "will_retain")
                            || id.is_some_and(|id| property::fits(id, Place::Will));
                        let message = if will.is_none() && belongs_to_will {
                            format!("{key} belongs to a Will, and comes after will=TOPIC \"PAYLOAD\"")
                        } else {
                            format!("a CONNECT has no {key}: it has {}", keys(more))
                        };
                        return Err(Wrong::new(span.start..span.start + key.len(), message));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, version: Version) -> Result<Connect, Wrong> {
        let will = match self.will {
            Some(draft) => Some(Will { properties: draft.properties.finish(version)?, ..draft.will }),
            None => None,
        };
        Ok(Connect { will, properties: self.properties.finish(version)?, ..self.connect })
    }
}

fn keys(more: &str) -> String {
    format!(
        "{more}client_id, clean_start, keep_alive, user_name, password, will=TOPIC \"PAYLOAD\" with will_qos, \
         will_retain and Will Properties behind it, and the properties {}",
        property::keys(CONNECT)
    )
}

/// The Will Payload, behind the Will Topic.
fn payload(line: &mut Line<'_>) -> Result<Vec<u8>, Wrong> {
    let token = line.next()?;
    match token.kind {
        Kind::Value(Value { content: Content::Quoted(payload), span }) => {
            Value { content: Content::Quoted(payload), span }.binary()
        }
        _ => Err(Wrong::new(token.span, "expected the Will's payload, in quotes, after its topic")),
    }
}

/// Writes all that differs from the default, a space before each key; Clean Start always.
pub(super) fn write(f: &mut fmt::Formatter<'_>, connect: &Connect) -> fmt::Result {
    if let Some(client_id) = &connect.client_id {
        write!(f, " client_id={}", Name(client_id))?;
    }
    write!(f, " clean_start={}", u8::from(connect.clean_start))?;
    if connect.keep_alive != 0 {
        write!(f, " keep_alive={}", connect.keep_alive)?;
    }
    if let Some(user_name) = &connect.user_name {
        write!(f, " user_name={}", Name(user_name))?;
    }
    if let Some(password) = &connect.password {
        write!(f, " password={}", Quoted(password))?;
    }
    property::write(f, connect.properties.view())?;
    if let Some(will) = &connect.will {
        write!(f, " will={} {} will_qos={}", Name(&will.topic), Quoted(&will.payload), will.qos)?;
        if will.retain {
            f.write_str(" will_retain=1")?;
        }
        property::write(f, will.properties.view())?;
    }
    Ok(())
}
