//! SUBSCRIBE and UNSUBSCRIBE: several Topic Filters, each with its options behind it.

use super::error::Wrong;
use super::lexer::{Kind, Token, Value};
use super::line::{Line, Seen};
use super::send::{Rest, Sent};
use super::value::version_word;
use crate::script::Send;
use core::ops::Range;
use mqtt_assay_codec::{PacketType, RetainHandling, SubscriptionOptions, Version};

const NO_FILTER: &str =
    "expected one or more Topic Filters; one that begins with # is written in quotes, as \"#\"";

/// The Subscription Option that a key names.
fn option(token: &Token<'_>) -> Option<&'static str> {
    let Kind::Key(key, _) = token.kind else {
        return None;
    };
    ["qos", "no_local", "retain_as_published", "retain_handling"].into_iter().find(|option| *option == key)
}

pub(super) fn subscribe(line: &mut Line<'_>, version: Version, at: &Range<usize>) -> Result<Sent, Wrong> {
    let mut rest = Rest::new(
        PacketType::Subscribe,
        version,
        "Topic Filters, each followed by qos, no_local, retain_as_published and retain_handling, and id, ",
    );
    let mut filters: Vec<(String, SubscriptionOptions)> = Vec::new();
    // The options' keys may come once for each filter.
    let mut seen = Seen::default();
    while let Some(token) = line.field()? {
        let option = option(&token);
        let Token { kind, span } = token;
        match (kind, option) {
            (Kind::Value(value), _) => {
                filters.push((value.text()?, SubscriptionOptions::default()));
                seen = Seen::default();
            }
            (Kind::Key(_, value), Some(option)) => {
                let Some((_, options)) = filters.last_mut() else {
                    let message = format!("{option} comes after the Topic Filter that it is for");
                    return Err(Wrong::new(span, message));
                };
                seen.once(option, &span)?;
                if version != Version::V5 && option != "qos" {
                    let version = version_word(version);
                    let message = format!("MQTT {version} has no {option}, only MQTT 5 has");
                    return Err(Wrong::new(span, message));
                }
                set(options, option, &value)?;
            }
            (kind, _) => rest.take(Token { kind, span })?,
        }
    }
    if filters.is_empty() {
        return Err(Wrong::new(at.clone(), NO_FILTER));
    }
    let (id, properties, segments) = rest.finish()?;
    Ok((Send::Subscribe { id, filters, properties }, segments))
}

fn set(options: &mut SubscriptionOptions, option: &str, value: &Value<'_>) -> Result<(), Wrong> {
    match option {
        "qos" => options.qos = value.qos()?,
        "no_local" => options.no_local = value.flag(option)?,
        "retain_as_published" => options.retain_as_published = value.flag(option)?,
        _ => {
            options.retain_handling = match value.number(option, 2)? {
                0 => RetainHandling::Send,
                1 => RetainHandling::SendIfNew,
                _ => RetainHandling::DoNotSend,
            }
        }
    }
    Ok(())
}

pub(super) fn unsubscribe(line: &mut Line<'_>, version: Version, at: &Range<usize>) -> Result<Sent, Wrong> {
    let mut rest = Rest::new(PacketType::Unsubscribe, version, "Topic Filters, id, ");
    let mut filters = Vec::new();
    while let Some(Token { kind, span }) = line.field()? {
        match kind {
            Kind::Value(value) => filters.push(value.text()?),
            kind => rest.take(Token { kind, span })?,
        }
    }
    if filters.is_empty() {
        return Err(Wrong::new(at.clone(), NO_FILTER));
    }
    let (id, properties, segments) = rest.finish()?;
    Ok((Send::Unsubscribe { id, filters, properties }, segments))
}
