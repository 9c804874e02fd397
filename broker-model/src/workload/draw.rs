//! Seeded choices.

use crate::random::Random;

/// Draws from one stream of random numbers.
#[derive(Clone, Debug)]
pub struct Draw(Random);

impl Draw {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Draw(Random::new(seed))
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.0.next() % (end.max(1) as u64)) as usize
    }

    /// A number of all that there are.
    pub fn any(&mut self) -> u64 {
        self.0.next()
    }

    /// True in so many of 100 cases.
    pub fn percent(&mut self, percent: u8) -> bool {
        self.below(100) < usize::from(percent)
    }

    /// One of these; the list is not empty.
    pub fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// One of these, the more often the greater its weight.
    pub fn weighted<T: Copy>(&mut self, list: &[(u32, T)]) -> T {
        let total: u32 = list.iter().map(|(weight, _)| weight).sum();
        let mut rest = self.below(total as usize) as u32;
        for (weight, choice) in list {
            if rest < *weight {
                return *choice;
            }
            rest -= weight;
        }
        list[0].1
    }
}
