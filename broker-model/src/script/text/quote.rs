//! Text and data as the script writes them: as the codec's `describe` shows them, but never cut.

use core::fmt::{self, Write};

/// Data of one byte repeated this often is written as a piece and a number.
const RUN: usize = 64;

/// A name: bare if it cannot be taken for something else, otherwise in quotes.
pub(super) struct Name<'a>(pub(super) &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        let plain = text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'='))
            && !matches!(text, "" | "|" | "*")
            && !text.starts_with(['#', '('])
            && !text.ends_with(',');
        if plain && !is_run(text.as_bytes()) { f.write_str(text) } else { Quoted(text.as_bytes()).fmt(f) }
    }
}

/// Data in quotes: printable text as it is, all else escaped.
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = is_run(self.0);
        f.write_char('"')?;
        for chunk in self.0[..if run { 1 } else { self.0.len() }].utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    c if c.is_control() || is_hidden(c) => write!(f, "{}", c.escape_unicode())?,
                    c => f.write_char(c)?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_char('"')?;
        if run { write!(f, "*{}", self.0.len()) } else { Ok(()) }
    }
}

fn is_run(bytes: &[u8]) -> bool {
    bytes.len() >= RUN && bytes.iter().all(|byte| *byte == bytes[0])
}

/// Whether the character shows nothing of its own, or turns the direction of what follows. The codec's `describe`
/// escapes the same ones: the test that compares the two holds it.
pub(super) const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}
