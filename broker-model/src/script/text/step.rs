//! Steps and faults: everything behind the clients' lines.

use super::connect;
use super::error::Wrong;
use super::lexer::{Kind, Token};
use super::line::Line;
use super::{pattern, send};
use crate::history::{Fault, How, Memory};
use crate::script::{Action, Pattern, Timely};
use core::ops::Range;
use core::time::Duration;
use mqtt_assay_codec::{PacketType, ReasonCode, Version};

const ACTIONS: &str = "> (sends), < (expects), ! (has not received), connect, open, barrier, settle, \
                       acknowledge, stall, unstall, hold, release, half-close or cut";

const TIMELY: &str = "stall, unstall, hold, release or cut";

/// Reads what a client does, behind its name.
pub(super) fn action(line: &mut Line<'_>, version: Version) -> Result<Action, Wrong> {
    let (word, span) = line.word(&format!("what the client does: {ACTIONS}"))?;
    Ok(match word {
        ">" => {
            let (sent, segments) = send::read(line, version)?;
            Action::Send(sent, segments)
        }
        "<" => expect(line, version)?,
        "!" => {
            let absent = pattern::read(line, version)?;
            line.end("the description of what has not come; for another one write another line")?;
            Action::Absent(absent)
        }
        "connect" => connect(line, version)?,
        "open" => alone(line, word, Action::Open)?,
        "barrier" => alone(line, word, Action::Barrier)?,
        "settle" => alone(line, word, Action::Settle)?,
        "acknowledge" => acknowledge(line, version)?,
        "half-close" => alone(line, word, Action::HalfClose)?,
        "cut" => Action::Cut(how(line)?),
        _ => match fault(word) {
            Some(fault) => alone(line, word, Action::Fault(fault))?,
            None => return Err(Wrong::new(span, format!("after a client's name comes {ACTIONS}"))),
        },
    })
}

fn alone(line: &mut Line<'_>, word: &str, action: Action) -> Result<Action, Wrong> {
    line.end(word)?;
    Ok(action)
}

fn fault(word: &str) -> Option<Fault> {
    match word {
        "stall" => Some(Fault::Stall),
        "unstall" => Some(Fault::Unstall),
        "hold" => Some(Fault::Hold),
        "release" => Some(Fault::Release),
        _ => None,
    }
}

fn how(line: &mut Line<'_>) -> Result<How, Wrong> {
    const HOW: &str = "after cut comes fin, reset or silently; alone it means fin";
    let how = match line.word_or_end(HOW)? {
        None | Some(("fin", _)) => How::Fin,
        Some(("reset", _)) => How::Reset,
        Some(("silently", _)) => How::Silently,
        Some((_, span)) => return Err(Wrong::new(span, HOW)),
    };
    line.end("cut")?;
    Ok(how)
}

fn connect(line: &mut Line<'_>, version: Version) -> Result<Action, Wrong> {
    let mut draft = None;
    while let Some(token) = line.field()? {
        draft.get_or_insert_with(connect::Draft::new).take(line, token, "")?;
    }
    line.end("connect")?;
    Ok(Action::Connect(draft.map(|draft| draft.finish(version)).transpose()?))
}

fn acknowledge(line: &mut Line<'_>, version: Version) -> Result<Action, Wrong> {
    let Some(token) = line.field()? else {
        line.end("acknowledge")?;
        return Ok(Action::Acknowledge(ReasonCode::SUCCESS));
    };
    let code = line.code(&token, PacketType::Puback, version)?;
    let code = match code {
        Some(code) if version == Version::V5 || code == ReasonCode::SUCCESS => code,
        Some(_) => return Err(Wrong::new(token.span, "only MQTT 5 has a Reason Code in acknowledgements")),
        None => {
            return Err(Wrong::new(token.span, "after acknowledge comes a Reason Code, as 0x83, or nothing"));
        }
    };
    line.end("acknowledge")?;
    Ok(Action::Acknowledge(code))
}

/// `PATTERN | PATTERN, within 4 s`.
pub(super) fn expect(line: &mut Line<'_>, version: Version) -> Result<Action, Wrong> {
    let mut any_of: Vec<Pattern> = vec![pattern::read(line, version)?];
    let mut within: Option<Duration> = None;
    loop {
        let Token { kind, span } = line.next()?;
        match kind {
            Kind::Bar => any_of.push(pattern::read(line, version)?),
            Kind::Comma => {
                let (word, span) = line.word("within and a time, as in: , within 4 s")?;
                if word != "within" {
                    return Err(Wrong::new(
                        span,
                        "after the comma comes within and a time, as in: , within 4 s",
                    ));
                }
                within = Some(line.duration()?);
                line.end("the time")?;
                break;
            }
            Kind::End => break,
            _ => return Err(Wrong::new(span, "expected | and what is also allowed, or , within 4 s")),
        }
    }
    Ok(Action::Expect { any_of, within })
}

/// Reads the fault of a schedule, behind a client's name.
pub(super) fn timely(line: &mut Line<'_>) -> Result<Timely, Wrong> {
    let (word, span) = line.word(TIMELY)?;
    if word == "cut" {
        return Ok(Timely::Cut(how(line)?));
    }
    let Some(fault) = fault(word) else {
        return Err(Wrong::new(span, format!("what a schedule does to a client is {TIMELY}")));
    };
    line.end(word)?;
    Ok(Timely::Fault(fault))
}

/// Reads what is done to the broker, behind `broker`.
pub(super) fn broker(line: &mut Line<'_>) -> Result<Fault, Wrong> {
    const RESTART: &str = "after restart comes kept or lost, or nothing if nobody knows";
    const BROKER: &str = "after broker comes crash or restart";
    let (word, span): (&str, Range<usize>) = line.word("crash or restart")?;
    let fault = match word {
        "crash" => Fault::Crash,
        "restart" => Fault::Restart(match line.word_or_end(RESTART)? {
            None => Memory::Unknown,
            Some(("kept", _)) => Memory::Kept,
            Some(("lost", _)) => Memory::Lost,
            Some((_, span)) => return Err(Wrong::new(span, RESTART)),
        }),
        _ => return Err(Wrong::new(span, BROKER)),
    };
    line.end(word)?;
    Ok(fault)
}
