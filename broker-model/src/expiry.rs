//! Intervals in seconds that may mean "for ever", and what is left of them.

use core::time::Duration;

/// A Session Expiry Interval of this value never ends. [5.0 §3.1.2.11.2]
pub(crate) const NEVER: u32 = u32::MAX;

/// When an interval that starts `now` is over; `None`: never.
pub(crate) fn after(now: Duration, seconds: u32) -> Option<Duration> {
    (seconds != NEVER).then(|| at(now, seconds))
}

/// When `seconds` from `now` are over.
pub(crate) fn at(now: Duration, seconds: u32) -> Duration {
    now.saturating_add(Duration::from_secs(seconds.into()))
}

/// Whole seconds from `now` to `end`, at least 0, rounded up so that a message forwarded at once keeps its
/// value. [5.0/MQTT-3.3.2-6]
pub(crate) fn seconds_left(now: Duration, end: Duration) -> u32 {
    let left = end.saturating_sub(now);
    let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_what_is_left_up() {
        let end = Duration::from_secs(10);
        assert_eq!(seconds_left(Duration::ZERO, end), 10);
        assert_eq!(seconds_left(Duration::from_millis(1), end), 10);
        assert_eq!(seconds_left(Duration::from_millis(3_000), end), 7);
        assert_eq!(seconds_left(Duration::from_secs(11), end), 0);
    }

    #[test]
    fn the_largest_interval_has_no_end() {
        assert_eq!(after(Duration::ZERO, NEVER), None);
        assert_eq!(after(Duration::from_secs(1), 2), Some(Duration::from_secs(3)));
    }
}
