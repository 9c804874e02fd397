//! What is wrong with a text, and where.

use super::quote::is_hidden;
use core::fmt;
use core::ops::Range;

/// After this many the rest of a text is not read.
pub(super) const MOST_ERRORS: usize = 20;

/// Of a longer line only the surroundings of the error are shown.
const SHOWN: usize = 100;

/// A flaw in one line: the bytes of the line that it is about.
#[derive(Debug)]
pub(super) struct Wrong {
    span: Range<usize>,
    message: String,
}

impl Wrong {
    #[cold]
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Wrong { span, message: message.into() }
    }

    /// The same, as part of the whole text.
    pub(super) fn in_line(self, number: usize, line: &str) -> Error {
        let column = line.get(..self.span.start).map_or(0, |before| before.chars().count());
        let width = line.get(self.span).map_or(1, |part| part.chars().count().max(1));
        // Two thirds of the excerpt stand before the error, if the line is that long.
        let from = if column + width <= SHOWN { 0 } else { column.saturating_sub(SHOWN * 2 / 3) };
        let mut excerpt = String::from(if from > 0 { "…" } else { "" });
        let mut rest = line.chars().skip(from);
        excerpt.extend(rest.by_ref().take(SHOWN).map(|c| match c {
            '\t' => ' ',
            c if c.is_control() || is_hidden(c) => '·',
            c => c,
        }));
        if rest.next().is_some() {
            excerpt.push('…');
        }
        let indent = column - from + usize::from(from > 0);
        let width = width.min(SHOWN - (column - from).min(SHOWN - 1));
        Error { line: number, column: column + 1, message: self.message, excerpt, indent, width }
    }
}

/// What is wrong with one line of a text, and what is allowed there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    line: usize,
    column: usize,
    message: String,
    excerpt: String,
    indent: usize,
    width: usize,
}

impl Error {
    /// The line, the first being 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character within the line, the first being 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// One sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error { line, column, message, excerpt, indent, width } = self;
        writeln!(f, "line {line}, column {column}: {message}")?;
        writeln!(f, "    {}", excerpt.trim_end())?;
        write!(f, "    {:indent$}{:^<width$}", "", "")
    }
}

impl core::error::Error for Error {}

/// All that is wrong with a text, line by line; at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Errors(pub(super) Vec<Error>);

impl Errors {
    /// The errors in the order of their lines. There is at most one in each, and after 20 the rest of the text was
    /// not read.
    pub fn all(&self) -> &[Error] {
        &self.0
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl core::error::Error for Errors {}
