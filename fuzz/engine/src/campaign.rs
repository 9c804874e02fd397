//! A campaign: which case comes next, and what was learnt from those before.

use crate::case::Case;
use crate::corpus::{Admission, Corpus};
use crate::edges::News;
use crate::generate::Generator;
use crate::mutate::mutate;
use crate::place::placed;
use crate::signature::Signature;
use mqtt_assay_broker_model::history::History;
use mqtt_assay_broker_model::workload::Draw;

/// What a campaign does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What fresh cases are like.
    pub generator: Generator,
    /// In how many of 100 cases a fresh one comes, and no mutated one.
    pub fresh_percent: u8,
    /// Whether cases are [placed](crate::place): for a broker that plays several, or has played others before.
    pub placed: bool,
    /// The number of the first case.
    pub first: u64,
    /// From the number of a case to that of the next one: what shards of a campaign differ by is their first case.
    pub stride: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { generator: Generator::default(), fresh_percent: 25, placed: false, first: 0, stride: 1 }
    }
}

/// A campaign under way. The same plan and seed, told the same answers, give the same cases.
///
/// Each case draws from a stream of its own, which seed and number decide: which numbers are fresh cases, and those
/// cases, do not depend on what was answered.
#[derive(Clone, Debug)]
pub struct Campaign {
    plan: Plan,
    seed: u64,
    next: u64,
    corpus: Corpus,
}

impl Campaign {
    /// A campaign that knows nothing yet.
    pub fn new(plan: Plan, seed: u64) -> Campaign {
        Campaign::resume(plan, seed, Corpus::default())
    }

    /// A campaign that goes on with the corpus of an older one, or of several.
    pub fn resume(plan: Plan, seed: u64, corpus: Corpus) -> Campaign {
        let next = plan.first;
        Campaign { plan, seed, next, corpus }
    }

    /// The number of the next case.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// The next case to be played.
    pub fn next_case(&mut self) -> Case {
        let number = self.next;
        self.next = self.next.saturating_add(self.plan.stride.max(1));
        let case = self.case(number);
        if self.plan.placed { placed(&case) } else { case }
    }

    fn case(&self, number: u64) -> Case {
        let Campaign { plan, corpus, .. } = self;
        // Neighbouring numbers have streams that have nothing in common: the first draw mixes them.
        let draw = &mut Draw::new(Draw::new(self.seed).any() ^ Draw::new(number).any());
        if draw.percent(plan.fresh_percent) {
            return plan.generator.case(draw);
        }
        let Some(base) = corpus.pick(draw) else { return plan.generator.case(draw) };
        let other = corpus.pick(draw).unwrap_or(base);
        mutate(base.case(), other.case(), &plan.generator, draw)
    }

    /// Learns how the broker answered a case.
    pub fn observe(&mut self, case: &Case, history: &History) -> Admission {
        self.corpus.admit(case, &Signature::of(history))
    }

    /// As [`Campaign::observe`], for who knows the signature already.
    pub fn observe_signature(&mut self, case: &Case, signature: &Signature) -> Admission {
        self.corpus.admit(case, signature)
    }

    /// Learns what a case has shown of the broker's code.
    pub fn observe_news(&mut self, case: &Case, news: &News) -> Admission {
        self.corpus.admit_news(case, news)
    }

    /// What is kept.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }
}
