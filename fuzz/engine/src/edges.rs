//! What a broker's own instrumentation tells: which edges of its code were taken.
//!
//! The form is AFL's: a map with one byte for each edge, which counts, and runs over. Several cases are played at a time,
//! so that how often an edge was taken tells nothing here.

use mqtt_assay_broker_model::history::Digest;

/// How the names begin by which a corpus knows what it keeps for the edges' sake.
pub const PREFIX: &str = "edges ";

/// Edges that were taken for the first time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News(Vec<usize>);

impl News {
    /// Their places in the map.
    pub fn edges(&self) -> &[usize] {
        &self.0
    }

    /// A name for a corpus.
    pub fn part(&self) -> String {
        let mut digest = Digest::default();
        self.0.iter().for_each(|edge| digest.add(&(*edge as u64).to_le_bytes()));
        format!("{PREFIX}{} {digest}", self.0.len())
    }
}

/// All that were ever taken.
#[derive(Clone, Default, Debug)]
pub struct Edges {
    taken: Vec<bool>,
    count: usize,
}

impl Edges {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes in a map; gives what is new.
    pub fn learn(&mut self, map: &[u8]) -> Option<News> {
        /// Most of a map is empty: so much of it is passed over at once.
        const CHUNK: usize = 64;
        if self.taken.len() < map.len() {
            self.taken.resize(map.len(), false);
        }
        let mut news = Vec::new();
        for (place, chunk) in map.chunks(CHUNK).enumerate() {
            if chunk.iter().fold(0, |all, count| all | count) == 0 {
                continue;
            }
            for (offset, count) in chunk.iter().enumerate() {
                let edge = place * CHUNK + offset;
                if *count > 0 && !self.taken[edge] {
                    self.taken[edge] = true;
                    news.push(edge);
                }
            }
        }
        self.count += news.len();
        (!news.is_empty()).then_some(News(news))
    }

    /// As if these had not been taken: nobody knows by what.
    pub fn forget(&mut self, news: &News) {
        for edge in &news.0 {
            if let Some(taken) = self.taken.get_mut(*edge) {
                self.count -= usize::from(*taken);
                *taken = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_news_once_unless_it_is_forgotten() {
        let mut map = vec![0; 200];
        let mut edges = Edges::default();
        assert_eq!(edges.learn(&map), None);
        (map[1], map[199]) = (1, 255);
        let news = edges.learn(&map).expect("two edges");
        assert_eq!((news.edges(), edges.count()), (&[1, 199][..], 2));
        assert_eq!(edges.learn(&map), None);
        map[70] = 3;
        let more = edges.learn(&map).expect("one edge");
        assert_eq!((more.edges(), edges.count()), (&[70][..], 3));
        assert!(more.part().starts_with("edges 1 ") && more.part() != news.part());
        edges.forget(&more);
        assert_eq!((edges.learn(&map), edges.count()), (Some(more), 3));
    }
}
