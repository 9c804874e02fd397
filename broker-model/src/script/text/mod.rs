//! Scripts as text: [`parse`] reads, [`print()`] writes.
//!
//! The language is line oriented; `docs/scripts.md` shows each construct once. Packets look as
//! [`mqtt_assay_codec::describe::line`] shows them, but are never cut, and what may be taken for something else
//! is quoted.
//!
//! ```
//! use mqtt_assay_broker_model::script::text;
//!
//! let script = text::parse(
//!     "client lamp  clean_start=1
//!      lamp > PUBLISH lamps/1 \"on\" qos=1
//!      lamp < PUBACK, within 2 s",
//! )
//! .unwrap();
//! assert_eq!(text::parse(&text::print(&script)).unwrap(), script);
//!
//! let errors = text::parse("client lamp\nlamb > PINGREQ").unwrap_err();
//! assert_eq!((errors.all()[0].line(), errors.all()[0].column()), (2, 1));
//! ```
//!
//! # What can be written
//!
//! Every script that a player can act out reads back as it was written. Not among these are: names of clients that
//! are no names ([`is_name`]) or taken twice, steps of clients that do not exist, properties where the
//! specification has none of the kind, what only 5.0 has with a client of an older version, a SUBSCRIBE or an
//! expectation of nothing, empty segments, cases that do not exist, shares above 100, delays of which the shortest is
//! longer than the longest, fields above 65,535 bytes, times above 4,294,967,295 s, and texts beyond [`MAX_TEXT`], [`MAX_QUOTED`], [`MAX_CLIENTS`] and [`MAX_STEPS`].

mod connect;
mod error;
mod lexer;
mod line;
mod parser;
mod pattern;
mod print;
mod property;
mod quote;
mod send;
mod step;
mod subscribe;
mod value;

pub use error::{Error, Errors};

use super::Script;
use core::fmt;
use core::str::FromStr;

/// Longer texts are refused, in bytes.
pub const MAX_TEXT: usize = 4 << 20;

/// All quoted texts of a script together hold at most this many bytes, repetitions counted.
pub const MAX_QUOTED: usize = 16 << 20;

/// A script has at most this many clients.
pub const MAX_CLIENTS: usize = 1_000;

/// A script has at most this many steps and timed faults.
pub const MAX_STEPS: usize = 100_000;

/// Reads a script.
///
/// # Errors
///
/// What is wrong, line by line.
pub fn parse(text: &str) -> Result<Script, Errors> {
    parser::parse(text)
}

/// Writes a script in its canonical form: one order, one spelling, names in columns.
pub fn print(script: &Script) -> String {
    script.to_string()
}

/// Whether a client may be called so: a letter, then letters, digits and `_`, at most 64, and none of the words
/// that begin other lines.
pub fn is_name(name: &str) -> bool {
    parser::check_name(name).is_ok()
}

/// Whether the laws hold for this text, whatever it is: it is refused, or what it says is printed in a form that
/// says the same and is printed so again.
///
/// For fuzzers and property tests. A form that is longer than [`MAX_TEXT`] proves nothing.
pub fn laws_hold(text: &str) -> bool {
    let Ok(script) = parse(text) else {
        return true;
    };
    let printed = print(&script);
    printed.len() > MAX_TEXT || parse(&printed).is_ok_and(|again| again == script && print(&again) == printed)
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::write(f, self)
    }
}

impl FromStr for Script {
    type Err = Errors;

    fn from_str(text: &str) -> Result<Self, Errors> {
        parse(text)
    }
}
