//! The broker's own coverage: a map of its edges, in memory that it shares with us, as AFL has it.
//!
//! The map is the whole process's, and many cases are played at a time. When an edge is taken for the first time, those
//! that were under way are played again, by halves, until one is left that takes it: hardly any other does.

use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::edges::{Edges, News};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How large the map is unless the environment says otherwise: brokers with more edges say so, and end.
const MAP: usize = 1 << 16;
/// By this name the environment says how large the map is to be.
const SIZE: &str = "AFL_MAP_SIZE";
/// By this name the broker is told where the map is.
const SHARED: &str = "__AFL_SHM_ID";
/// Cases whose edge does not come within this time are taken not to take it.
const PATIENCE: Duration = Duration::from_millis(700);
/// So many trials wait at most: what is more is news again when it comes again.
const WAITING: usize = 32;

/// A case and its number.
pub(super) type Numbered = (u64, Case);

/// Which of several cases takes edges that were new.
#[derive(Debug)]
struct Trial {
    news: News,
    /// Played at present.
    half: Vec<Numbered>,
    /// Not played, and the ones if none of those does.
    other: Vec<Numbered>,
    /// How many of the plays have not ended.
    left: usize,
    begun: Instant,
    /// Whether one of the edges was taken since the plays began.
    taken: bool,
}

/// What a step of a trial comes to.
pub(super) enum Verdict {
    /// These are to be played, in a round of this number.
    Play(u64, Vec<Numbered>),
    /// This case it was.
    Found(Box<Case>, News),
}

/// The map, and what was ever seen in it.
#[derive(Debug)]
pub(super) struct Coverage {
    map: shared::Map,
    edges: Edges,
    trial: Option<Trial>,
    /// How many rounds of trials have begun.
    rounds: u64,
    waiting: VecDeque<(News, Vec<Numbered>)>,
}

impl Coverage {
    /// A map that nobody has written into.
    ///
    /// # Errors
    ///
    /// Why there can be none, in a sentence.
    pub(super) fn new() -> Result<Coverage, String> {
        let size = match std::env::var(SIZE) {
            Ok(text) => text
                .parse()
                .map_err(|_| format!("{SIZE} is {text:?} in the environment: it takes a number of bytes"))?,
            Err(_) => MAP,
        };
        let map = shared::Map::new(size).map_err(|error| {
            format!("cannot get {size} bytes of shared memory for the broker's coverage: {error}")
        })?;
        Ok(Coverage { map, edges: Edges::default(), trial: None, rounds: 0, waiting: VecDeque::new() })
    }

    /// What the broker has to find in its environment.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        vec![(SHARED.to_owned(), self.map.id()), (SIZE.to_owned(), self.map.bytes().len().to_string())]
    }

    /// Whether the broker has written into the map.
    pub(super) fn is_written(&self) -> bool {
        // AFL's runtime writes the first byte itself, to show that it is there.
        self.map.bytes().iter().skip(1).any(|count| *count > 0)
    }

    /// How many edges were ever taken.
    pub(super) fn taken(&self) -> u64 {
        self.edges.count() as u64
    }

    /// Takes in what the map shows, and clears it; whether there is anything new.
    pub(super) fn look(&mut self) -> Option<News> {
        let map = self.map.bytes();
        if let Some(trial) = &mut self.trial {
            trial.taken |=
                trial.news.edges().iter().any(|edge| map.get(*edge).is_some_and(|count| *count > 0));
        }
        let news = self.edges.learn(map);
        self.map.bytes_mut().fill(0);
        news
    }

    /// One of these takes edges that are new.
    pub(super) fn ask(&mut self, news: News, candidates: Vec<Numbered>) {
        if self.waiting.len() < WAITING && !candidates.is_empty() {
            self.waiting.push_back((news, candidates));
        } else {
            self.edges.forget(&news);
        }
    }

    /// A play of this round has ended.
    pub(super) fn played(&mut self, round: u64) {
        if let Some(trial) = self.trial.as_mut().filter(|_| self.rounds == round) {
            trial.left = trial.left.saturating_sub(1);
        }
    }

    /// What is to be done next, if the plays of the trial have ended, or if there is none.
    pub(super) fn next(&mut self) -> Option<Verdict> {
        let (news, candidates) = match self.trial.take() {
            // One that has taken the edge will not take it again, so that the others need not be waited for.
            Some(trial) if trial.left > 0 && !trial.taken && trial.begun.elapsed() < PATIENCE => {
                self.trial = Some(trial);
                return None;
            }
            Some(Trial { news, mut half, taken: true, .. }) if half.len() == 1 => {
                let (_, case) = half.pop()?;
                return Some(Verdict::Found(Box::new(case), news));
            }
            Some(Trial { news, half, taken: true, .. }) => (news, half),
            Some(Trial { news, other, .. }) if other.is_empty() => {
                self.edges.forget(&news);
                return None;
            }
            Some(Trial { news, other, .. }) => (news, other),
            None => self.waiting.pop_front()?,
        };
        let mut half = candidates;
        let other = half.split_off(half.len().div_ceil(2));
        self.trial = Some(Trial {
            news,
            half: half.clone(),
            other,
            left: half.len(),
            begun: Instant::now(),
            taken: false,
        });
        self.rounds += 1;
        Some(Verdict::Play(self.rounds, half))
    }

    /// All plays were given up.
    pub(super) fn give_up(&mut self) {
        if let Some(trial) = self.trial.take() {
            self.edges.forget(&trial.news);
        }
        for (news, _) in std::mem::take(&mut self.waiting) {
            self.edges.forget(&news);
        }
    }
}

#[cfg(all(target_os = "linux", feature = "coverage"))]
mod shared {
    use libafl_bolts::shmem::{ShMem, ShMemProvider, UnixShMem, UnixShMemProvider};

    /// System V shared memory.
    #[derive(Debug)]
    pub(super) struct Map(UnixShMem);

    impl Map {
        pub(super) fn new(size: usize) -> Result<Map, String> {
            let map = UnixShMemProvider::new().and_then(|mut provider| provider.new_shmem(size));
            map.map(Map).map_err(|error| error.to_string())
        }

        pub(super) fn id(&self) -> String {
            self.0.id().to_string()
        }

        pub(super) fn bytes(&self) -> &[u8] {
            &self.0
        }

        pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
            &mut self.0
        }
    }
}

#[cfg(not(all(target_os = "linux", feature = "coverage")))]
mod shared {
    /// Not to be had on this system, or in this build.
    #[derive(Debug)]
    pub(super) enum Map {}

    impl Map {
        pub(super) fn new(_: usize) -> Result<Map, String> {
            Err("this build has none: it needs Linux, and the feature `coverage`".to_owned())
        }

        pub(super) fn id(&self) -> String {
            match *self {}
        }

        pub(super) fn bytes(&self) -> &[u8] {
            match *self {}
        }

        pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
            match *self {}
        }
    }
}
