//! How the table measures: batches, medians, and the least of several rounds.

use crate::drive::Work;
use std::time::Instant;

/// Batches in one round: their median is the round's result.
const BATCHES: usize = 61;

/// Rounds: the least median counts. All contenders of a cell take turns, so that a busy spell hits all of them.
const ROUNDS: usize = 12;

/// Nanoseconds per packet of each contender.
pub fn measure(contenders: &mut [Work<'_>], packets: usize) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; contenders.len()];
    for _ in 0..ROUNDS {
        for (work, best) in contenders.iter_mut().zip(&mut best) {
            *best = best.min(median(work, packets));
        }
    }
    best
}

fn median(work: &mut Work<'_>, packets: usize) -> f64 {
    let mut times: Vec<f64> = (0..BATCHES)
        .map(|_| {
            work.set_up();
            let start = Instant::now();
            let done = work.run();
            let elapsed = start.elapsed();
            assert_eq!(done, packets, "{} lost packets", work.name());
            elapsed.as_nanos() as f64 / packets as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[BATCHES / 2]
}
