//! One line in tokens, made one at a time: a line's length costs no memory.

use super::error::Wrong;
use super::quote::is_hidden;
use core::cell::Cell;
use core::ops::Range;

/// A piece of a line.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// Its bytes within the line.
    pub(super) span: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind<'a> {
    /// A word or a quoted text on its own.
    Value(Value<'a>),
    /// `key=value`.
    Key(&'a str, Value<'a>),
    /// Words in parentheses, without these.
    Note(&'a str),
    Comma,
    Bar,
    /// The line's end, or a comment.
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    pub(super) content: Content<'a>,
    pub(super) span: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Content<'a> {
    Bare(&'a str),
    Quoted(Vec<u8>),
    /// `"name":"value"`.
    Pair(Vec<u8>, Vec<u8>),
}

pub(super) struct Lexer<'a> {
    line: &'a str,
    at: usize,
    /// How many bytes may still stand in quotes, in this line and those after it.
    room: &'a Cell<usize>,
}

const SPACE: [char; 2] = [' ', '\t'];

impl<'a> Lexer<'a> {
    pub(super) fn new(line: &'a str, room: &'a Cell<usize>) -> Self {
        Lexer { line, at: 0, room }
    }

    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// The next token; at the line's end the same one again and again.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Wrong> {
        self.at = self.line.len() - self.rest().trim_start_matches(SPACE).len();
        let start = self.at;
        let kind = match self.rest().as_bytes() {
            [] => Kind::End,
            [b'#', ..] => {
                // The comment is no part of what an error marks.
                return Ok(Token { kind: Kind::End, span: start..start });
            }
            [b'"', ..] => Kind::Value(self.quoted()?),
            [b'(', ..] => self.note()?,
            [b'|'] | [b'|', b' ' | b'\t', ..] => self.mark(Kind::Bar),
            [b','] | [b',', b' ' | b'\t', ..] => self.mark(Kind::Comma),
            _ => self.word()?,
        };
        Ok(Token { kind, span: start..self.at })
    }

    fn mark(&mut self, kind: Kind<'a>) -> Kind<'a> {
        self.at += 1;
        kind
    }

    fn note(&mut self) -> Result<Kind<'a>, Wrong> {
        let rest = &self.rest()[1..];
        let Some((note, _)) = rest.split_once(')') else {
            return Err(Wrong::new(
                self.at..self.line.len(),
                "there is no closing parenthesis; a text that begins with ( is written in quotes",
            ));
        };
        self.at += note.len() + 2;
        Ok(Kind::Note(note))
    }

    /// A bare word, or a key with its value.
    fn word(&mut self) -> Result<Kind<'a>, Wrong> {
        let start = self.at;
        let rest = self.rest();
        let end = rest.find([' ', '\t', '"']).unwrap_or(rest.len());
        let mut word = &rest[..end];
        if rest[end..].starts_with('"') {
            self.at = start + end;
            return match word.split_once('=') {
                Some((key, "")) => Ok(Kind::Key(key, self.quoted()?)),
                _ => Err(Wrong::new(
                    start + end..start + end + 1,
                    "a quotation mark comes at the beginning of a text or after key=; a text that holds one \
                     is quoted as a whole, as in \"a\\\"b\"",
                )),
            };
        }
        // A comma ends the word if nothing but space follows it.
        word = word.strip_suffix(',').unwrap_or(word);
        self.at = start + word.len();
        if let Some((at, c)) =
            word.char_indices().find(|&(_, c)| c.is_control() || c.is_whitespace() || is_hidden(c))
        {
            let at = start + at;
            return Err(Wrong::new(
                at..at + c.len_utf8(),
                format!(
                    "the character {} is written in quotes only, as {}",
                    code_point(c),
                    c.escape_unicode()
                ),
            ));
        }
        let bare = |text, at| Value { content: Content::Bare(text), span: at..start + word.len() };
        Ok(match word.split_once('=') {
            Some((key, value)) => Kind::Key(key, bare(value, start + key.len() + 1)),
            None => Kind::Value(bare(word, start)),
        })
    }

    /// A text in quotes, or a pair of them.
    fn quoted(&mut self) -> Result<Value<'a>, Wrong> {
        let start = self.at;
        let first = self.piece()?;
        let content = if self.rest().starts_with(":\"") {
            self.at += 1;
            Content::Pair(first, self.piece()?)
        } else {
            Content::Quoted(first)
        };
        match self.rest().as_bytes() {
            [] | [b' ' | b'\t', ..] | [b','] | [b',', b' ' | b'\t', ..] => {
                Ok(Value { content, span: start..self.at })
            }
            _ => Err(Wrong::new(
                self.at..self.at + self.rest().chars().next().map_or(1, char::len_utf8),
                "after a closing quotation mark comes a space, a comma, * and a number of repetitions, or : and \
                 the second text of a pair; within the text a quotation mark is \\\"",
            )),
        }
    }

    /// A text in quotes and the number of its repetitions.
    fn piece(&mut self) -> Result<Vec<u8>, Wrong> {
        let start = self.at;
        let mut bytes = Vec::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| matches!(c, '"' | '\\') || c.is_control()).unwrap_or(rest.len());
            bytes.extend_from_slice(&rest.as_bytes()[..plain]);
            self.at += plain;
            match rest[plain..].chars().next() {
                None => {
                    let end = self.line.len();
                    return Err(Wrong::new(start..end, "there is no closing quotation mark in this line"));
                }
                Some('"') => break self.at += 1,
                Some('\\') => self.escape(&mut bytes)?,
                Some(c) => {
                    let escaped = c.escape_unicode();
                    return Err(Wrong::new(
                        self.at..self.at + c.len_utf8(),
                        format!("in quotes the character {} is written {escaped}", code_point(c)),
                    ));
                }
            }
        }
        let times = match self.rest().strip_prefix('*') {
            None => 1,
            Some(rest) => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                self.at += 1 + digits;
                rest[..digits].parse().map_err(|_| {
                    Wrong::new(start..self.at, "expected the number of repetitions after *, as in \"ab\"*100")
                })?
            }
        };
        let left = bytes.len().checked_mul(times).and_then(|length| self.room.get().checked_sub(length));
        let Some(left) = left else {
            return Err(Wrong::new(
                start..self.at,
                format!(
                    "the quoted texts of a script hold {} bytes at most, all together",
                    super::MAX_QUOTED
                ),
            ));
        };
        self.room.set(left);
        Ok(if times == 1 { bytes } else { bytes.repeat(times) })
    }

    fn escape(&mut self, to: &mut Vec<u8>) -> Result<(), Wrong> {
        let rest = &self.rest()[1..];
        let (length, byte) = match rest.as_bytes() {
            [b'x', high, low, ..] => {
                let digit = |d: u8| (d as char).to_digit(16);
                let byte = digit(*high).zip(digit(*low)).map(|(high, low)| (high * 16 + low) as u8);
                (3, byte)
            }
            [b'u', b'{', ..] => {
                let digits = rest[2..].bytes().take(7).take_while(u8::is_ascii_hexdigit).count();
                let c = u32::from_str_radix(&rest[2..2 + digits], 16).ok().and_then(char::from_u32);
                match c {
                    Some(c) if rest[2 + digits..].starts_with('}') => {
                        to.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        self.at += 1 + 2 + digits + 1;
                        return Ok(());
                    }
                    _ => (0, None),
                }
            }
            [c @ (b'"' | b'\\'), ..] => (1, Some(*c)),
            [b'n', ..] => (1, Some(b'\n')),
            [b'r', ..] => (1, Some(b'\r')),
            [b't', ..] => (1, Some(b'\t')),
            _ => (0, None),
        };
        let Some(byte) = byte else {
            let shown = rest.chars().next().map_or(1, |c| 1 + c.len_utf8());
            return Err(Wrong::new(
                self.at..self.at + shown,
                r#"after \ comes ", \, n, r, t, xNN (a byte) or u{N} (a character), with hex digits for N"#,
            ));
        };
        to.push(byte);
        self.at += 1 + length;
        Ok(())
    }
}

fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}
