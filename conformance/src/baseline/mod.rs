//! The baseline: failures that are known, each with the reason why it may stand.
//!
//! With it a run is a gate: what is known does not fail it, what is new does, and so does an entry that nothing
//! fits any more, so that the file never claims more than is true.
//!
//! ```toml
//! [[known]]
//! check = "retained/reaches_new_subscription"
//! statement = "5.0/MQTT-3.3.*"
//! verdict = "violates"
//! reason = "the store is rewritten in the next release"
//! link = "https://example.org/issues/42"
//! expires = 2026-12-31
//! ```

mod accept;
mod entry;
mod gate;
mod read;
#[cfg(test)]
mod tests;

pub use accept::UNEXPLAINED;
pub use entry::{Entry, StatementPattern};
pub use gate::{Gate, Judgement, Placed, Stale, Standing};
pub use read::Wrong;
pub(crate) use read::line_of;
pub use toml::value::Date;

/// The entries of a baseline file, in its order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Baseline {
    /// What is known.
    pub entries: Vec<Entry>,
}

/// The day of the run in UTC, which entries expire by: the one use of a clock that a verdict depends on.
pub fn today() -> Date {
    use chrono::Datelike as _;
    let now = chrono::Utc::now().date_naive();
    // Months and days are small, and so are years until the format of the file itself ends.
    Date {
        year: u16::try_from(now.year()).unwrap_or(u16::MAX),
        month: u8::try_from(now.month()).unwrap_or(u8::MAX),
        day: u8::try_from(now.day()).unwrap_or(u8::MAX),
    }
}
