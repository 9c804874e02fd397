//! The time that a run had: on a machine that is busy with other things, less than has passed.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// Shorter than a process that has to wait for its turn waits.
const TICK: Duration = Duration::from_millis(5);

/// How often a story's limit is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// However busy the machine is, no limit is stretched by more than this.
const STRETCH_MAX: u32 = 5;

/// Counts ticks; one that nobody was there to hear is not counted.
///
/// A limit on what a story may take is there to find the one that is stuck. Measured by the wall, it would also find
/// those whose processor works for others meanwhile.
#[derive(Default, Debug)]
pub(crate) struct Clock {
    ticks: AtomicU32,
}

impl Clock {
    /// Ticks until it is dropped.
    pub(crate) async fn tick(&self) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            interval.tick().await;
            self.ticks.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn now(&self) -> Duration {
        TICK * self.ticks.load(Ordering::Relaxed)
    }

    /// What the story comes to; `None` if it does not end within the limit.
    pub(crate) async fn within<T>(&self, limit: Duration, story: impl Future<Output = T>) -> Option<T> {
        let mut story = pin!(story);
        let (begun, last) = (self.now(), Instant::now() + limit * STRETCH_MAX);
        loop {
            if let Ok(ended) = tokio::time::timeout(LOOK.min(limit), &mut story).await {
                return Some(ended);
            }
            if self.now().saturating_sub(begun) >= limit || Instant::now() >= last {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const LIMIT: Duration = Duration::from_secs(1);

    /// The clock, with the task that lets it tick.
    fn ticking() -> (Arc<Clock>, tokio::task::JoinHandle<()>) {
        let clock = Arc::new(Clock::default());
        let own = Arc::clone(&clock);
        (clock, tokio::spawn(async move { own.tick().await }))
    }

    #[tokio::test]
    async fn what_is_stuck_is_ended() {
        let (clock, ticks) = ticking();
        assert_eq!(clock.within(LIMIT, std::future::pending::<()>()).await, None);
        ticks.abort();
    }

    /// A thread that sleeps is one that has no processor: the story takes twice its limit, and nothing of that was
    /// its own.
    #[tokio::test]
    async fn time_that_others_had_does_not_count() {
        let (clock, ticks) = ticking();
        let story = async {
            for _ in 0..20 {
                std::thread::sleep(LIMIT / 5);
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(clock.within(LIMIT, story).await, Some(()));
        ticks.abort();
    }
}
