//! Walking along a line.

use super::error::Wrong;
use super::lexer::{Content, Kind, Lexer, Token, Value};
use super::value;
use core::cell::Cell;
use core::ops::Range;
use core::time::Duration;
use mqtt_assay_codec::{PacketType, ReasonCode, Version};

/// A line's tokens, with a look at the next one.
pub(super) struct Line<'a> {
    lexer: Lexer<'a>,
    peeked: Option<Token<'a>>,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, room: &'a Cell<usize>) -> Self {
        Line { lexer: Lexer::new(text, room), peeked: None }
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, Wrong> {
        match self.peeked.take() {
            Some(token) => Ok(token),
            None => self.lexer.next(),
        }
    }

    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Wrong> {
        if self.peeked.is_none() {
            self.peeked = Some(self.lexer.next()?);
        }
        // Filled above.
        Ok(self.peeked.get_or_insert(Token { kind: Kind::End, span: 0..0 }))
    }

    /// The next token if it belongs to what is being read: no comma, bar or end.
    pub(super) fn field(&mut self) -> Result<Option<Token<'a>>, Wrong> {
        match self.peek()?.kind {
            Kind::Comma | Kind::Bar | Kind::End => Ok(None),
            _ => self.next().map(Some),
        }
    }

    /// A bare word; `what` says what may stand here.
    pub(super) fn word(&mut self, what: &str) -> Result<(&'a str, Range<usize>), Wrong> {
        let token = self.next()?;
        match token.kind {
            Kind::Value(Value { content: Content::Bare(word), .. }) => Ok((word, token.span)),
            _ => Err(Wrong::new(token.span, format!("expected {what}"))),
        }
    }

    /// The next word if it is there; nothing if the line ends.
    pub(super) fn word_or_end(&mut self, what: &str) -> Result<Option<(&'a str, Range<usize>)>, Wrong> {
        match self.peek()?.kind {
            Kind::End => Ok(None),
            _ => self.word(what).map(Some),
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self, after: &str) -> Result<(), Wrong> {
        let token = self.next()?;
        match token.kind {
            Kind::End => Ok(()),
            _ => Err(Wrong::new(token.span, format!("nothing but a comment may follow {after}"))),
        }
    }

    /// `1.5 s`, with or without the space.
    pub(super) fn duration(&mut self) -> Result<Duration, Wrong> {
        let (number, mut span) = self.word(value::A_TIME)?;
        if number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            let (unit, unit_span) = self.word("the unit of the time: ms or s")?;
            span.end = unit_span.end;
            return value::duration(number, unit, span);
        }
        value::attached_duration(number, span)
    }

    /// The code that a word is, if it looks like one; the name in parentheses behind it must be its own.
    pub(super) fn code(
        &mut self,
        token: &Token<'a>,
        packet: PacketType,
        version: Version,
    ) -> Result<Option<ReasonCode>, Wrong> {
        let Kind::Value(Value { content: Content::Bare(word), .. }) = token.kind else {
            return Ok(None);
        };
        let Some(digits) = word.strip_prefix("0x") else {
            return Ok(None);
        };
        let code = match u8::from_str_radix(digits, 16) {
            Ok(code) if !digits.starts_with('+') => ReasonCode(code),
            _ => return Err(Wrong::new(token.span.clone(), "a code has two hex digits, as 0x87")),
        };
        if let Kind::Note(note) = self.peek()?.kind {
            let span = self.next()?.span;
            let name = code.name_in(packet, version).unwrap_or("nothing");
            if note != name {
                return Err(Wrong::new(span, format!("{code} in {packet} means {name}")));
            }
        }
        Ok(Some(code))
    }
}

/// The keys that were seen in one place.
#[derive(Default)]
pub(super) struct Seen(Vec<&'static str>);

impl Seen {
    /// Notes a key, which must not have been there before.
    pub(super) fn once(&mut self, key: &'static str, span: &Range<usize>) -> Result<(), Wrong> {
        if self.0.contains(&key) {
            return Err(Wrong::new(span.clone(), format!("{key} is given twice")));
        }
        self.0.push(key);
        Ok(())
    }
}
