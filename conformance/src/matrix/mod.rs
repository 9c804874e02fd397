//! The kill matrix: every mutant of the reference broker against every check, in all its versions.
//!
//! A check is worth what it catches. Each pair is played on the simulated network, in virtual time: no timer costs
//! more than its ticks, and the same matrix comes out on every machine. Only the faults of the transport are played on
//! real sockets, since the simulated ones have no transport above TCP.

mod beside;
mod play;
mod summary;

pub mod json;
pub mod text;

pub use play::play;
pub use summary::Summary;

use crate::check::{Check, Cite};
use crate::serve::Fault;
use crate::verdict::Verdict;
use mqtt_assay_codec::Version;
use std::collections::BTreeSet;

/// A check that accuses a mutant, in one version.
#[derive(Clone, Debug)]
pub struct Kill {
    /// The check.
    pub check: &'static Check,
    /// The version that it ran in.
    pub version: Version,
    /// What it found: a breach, or a recommendation not followed.
    pub verdict: Verdict,
    /// The statements that it accuses the mutant of.
    pub accused: BTreeSet<Cite>,
    /// How it stands to what the mutant breaks.
    pub tie: Tie,
}

/// How an accusation stands to the statements that the mutant breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tie {
    /// The check cites one of them, or accuses the mutant of one.
    Own,
    /// It does neither, for this reason.
    Beside(&'static str),
    /// It does neither, and nobody has said why: the accusation may be false.
    Unexplained,
}

/// A mutant, and what the checks made of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The mutant.
    pub mutant: Fault,
    /// Pairs of check and version that were played to their end.
    pub played: usize,
    /// Those that accuse it, in the order of the catalogue.
    pub kills: Vec<Kill>,
    /// Pairs that could not tell.
    pub inconclusive: usize,
    /// Why checks could not begin, if some could not.
    pub troubles: BTreeSet<String>,
    /// Whether every pair was played.
    pub complete: bool,
}

impl Row {
    /// The checks that catch the mutant by what it breaks.
    pub fn catches(&self) -> impl Iterator<Item = &Kill> {
        self.kills.iter().filter(|kill| kill.tie == Tie::Own)
    }

    /// Why no check can catch this mutant, if that is so.
    pub fn beyond(&self) -> Option<&'static str> {
        beside::beyond(self.mutant)
    }
}
