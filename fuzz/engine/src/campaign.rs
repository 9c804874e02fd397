//! A campaign: which case comes next, and what was learnt from those before.

use crate::case::Case;
use crate::corpus::{Admission, Corpus};
use crate::generate::Generator;
use crate::mutate::mutate;
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
}

impl Default for Plan {
    fn default() -> Self {
        Plan { generator: Generator::default(), fresh_percent: 25 }
    }
}

/// A campaign under way. The same plan and seed, told the same answers, give the same cases.
#[derive(Clone, Debug)]
pub struct Campaign {
    plan: Plan,
    draw: Draw,
    corpus: Corpus,
}

impl Campaign {
    /// A campaign that knows nothing yet.
    pub fn new(plan: Plan, seed: u64) -> Campaign {
        Campaign::resume(plan, seed, Corpus::default())
    }

    /// A campaign that goes on with the corpus of an older one, or of several.
    pub fn resume(plan: Plan, seed: u64, corpus: Corpus) -> Campaign {
        Campaign { plan, draw: Draw::new(seed), corpus }
    }

    /// The next case to be played.
    pub fn next_case(&mut self) -> Case {
        let Campaign { plan, draw, corpus } = self;
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

    /// What is kept.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }
}
