//! The broker's own coverage: a map of its edges, in memory that it shares with us, as AFL has it.
//!
//! The map is the whole process's. So cases are played in turns: a group side by side, and if it shows an edge that
//! nobody has shown, each of it alone, with the map cleared before. Cases that wait are a turn of their own, and teach
//! nothing about edges.

use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::edges::{Edges, News};
use std::collections::VecDeque;
use std::time::Duration;

/// How large the map is unless the environment says otherwise: brokers with more edges say so, and end.
const MAP: usize = 1 << 20;
/// By this name the environment says how large the map is to be.
const SIZE: &str = "AFL_MAP_SIZE";
/// By this name the broker is told where the map is.
const SHARED: &str = "__AFL_SHM_ID";
/// No group is smaller.
const SMALLEST_GROUP: usize = 4;

/// A case and its number.
pub(super) type Numbered = (u64, Case);

/// What is played at present.
#[derive(Debug, Default)]
pub(super) enum Turn {
    /// Nothing yet.
    #[default]
    Begin,
    /// These, side by side and in haste.
    Group(Vec<Numbered>),
    /// This one, alone; then the others.
    Alone(Case, VecDeque<Numbered>),
    /// Cases that wait.
    Patient,
}

/// The map, and what was ever seen in it.
#[derive(Debug)]
pub(super) struct Coverage {
    map: shared::Map,
    edges: Edges,
    pub(super) turn: Turn,
    /// How many cases are a group: fewer where most of them bring news.
    pub(super) group: usize,
    most: usize,
    /// How long groups were played, and cases that wait.
    pub(super) hasty: Duration,
    pub(super) patient: Duration,
}

impl Coverage {
    /// A map that nobody has written into; groups of at most so many cases.
    ///
    /// # Errors
    ///
    /// Why there can be none, in a sentence.
    pub(super) fn new(most: usize) -> Result<Coverage, String> {
        let size = match std::env::var(SIZE) {
            Ok(text) => text
                .parse()
                .map_err(|_| format!("{SIZE} is {text:?} in the environment: it takes a number of bytes"))?,
            Err(_) => MAP,
        };
        let map = shared::Map::new(size).map_err(|error| {
            format!("cannot get {size} bytes of shared memory for the broker's coverage: {error}")
        })?;
        let most = most.max(1);
        let turn = Turn::default();
        let (hasty, patient) = (Duration::ZERO, Duration::ZERO);
        Ok(Coverage { map, edges: Edges::default(), turn, group: most, most, hasty, patient })
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

    pub(super) fn clear(&mut self) {
        self.map.bytes_mut().fill(0);
    }

    /// Whether the last group has shown anything new; the next one is of a size that fits.
    pub(super) fn group_is_news(&mut self) -> bool {
        let news = self.edges.is_news(self.map.bytes());
        let size = if news { self.group / 2 } else { self.group * 2 };
        self.group = size.clamp(SMALLEST_GROUP.min(self.most), self.most);
        news
    }

    /// Takes in what the map shows.
    pub(super) fn learn(&mut self) -> Option<News> {
        self.edges.learn(self.map.bytes())
    }

    /// How many edges were ever taken.
    pub(super) fn taken(&self) -> u64 {
        self.edges.taken() as u64
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
