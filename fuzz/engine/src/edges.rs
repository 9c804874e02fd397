//! What a broker's own instrumentation tells: which edges of its code were taken, and about how often.
//!
//! The form is AFL's: a map with one byte for each edge, which counts, and runs over. Numbers of times fall into eight
//! classes; that an edge is taken as often as never before is news.

use mqtt_assay_broker_model::history::Digest;

/// What a map has shown that no map before it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct News {
    /// How many edges were never taken before.
    pub edges: usize,
    /// How many edges were taken in a number that falls into a class of its own.
    pub classes: usize,
    digest: Digest,
}

impl News {
    /// A name for a corpus: of what is new, not of all that was taken.
    pub fn part(&self) -> String {
        format!("{PREFIX}{} {}", self.classes, self.digest)
    }
}

/// How the names begin by which a corpus knows what it keeps for the edges' sake.
pub const PREFIX: &str = "edges ";

/// All that was ever taken.
#[derive(Clone, Default, Debug)]
pub struct Edges {
    /// For each edge, the classes that its numbers have fallen into, a bit for each.
    classes: Vec<u8>,
}

impl Edges {
    /// How many edges were ever taken.
    pub fn taken(&self) -> usize {
        self.classes.iter().filter(|classes| **classes != 0).count()
    }

    /// Whether a map shows anything new.
    pub fn is_news(&self, map: &[u8]) -> bool {
        map.iter().enumerate().any(|(edge, count)| {
            *count > 0 && self.classes.get(edge).is_none_or(|known| class(*count) & !known != 0)
        })
    }

    /// Takes in a map; gives what is new.
    pub fn learn(&mut self, map: &[u8]) -> Option<News> {
        if self.classes.len() < map.len() {
            self.classes.resize(map.len(), 0);
        }
        let mut news = News { edges: 0, classes: 0, digest: Digest::default() };
        for (edge, (known, count)) in self.classes.iter_mut().zip(map).enumerate() {
            let class = class(*count);
            if class & !*known != 0 {
                news.edges += usize::from(*known == 0);
                news.classes += 1;
                news.digest.add(&(edge as u64).to_le_bytes());
                news.digest.add(&[class]);
                *known |= class;
            }
        }
        (news.classes > 0).then_some(news)
    }
}

/// The class of a number of times, as a bit: 1, 2, 3, up to 7, 15, 31, 127, and more.
const fn class(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 1 << 1,
        3 => 1 << 2,
        4..=7 => 1 << 3,
        8..=15 => 1 << 4,
        16..=31 => 1 << 5,
        32..=127 => 1 << 6,
        128.. => 1 << 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_news_once_for_each_class_of_numbers() {
        let mut edges = Edges::default();
        assert!(!edges.is_news(&[0, 0]) && edges.is_news(&[0, 9]));
        let news = edges.learn(&[1, 9, 0]).expect("two edges");
        assert_eq!((news.edges, news.classes), (2, 2));
        assert!(!edges.is_news(&[1, 15, 0]));
        assert_eq!(edges.learn(&[1, 8, 0]), None);
        let more = edges.learn(&[1, 200, 1]).expect("an edge, and a class");
        assert_eq!((more.edges, more.classes, edges.taken()), (1, 2, 3));
        assert!(more.part().starts_with("edges 2 ") && more.part() != news.part());
    }
}
