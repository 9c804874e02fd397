//! What the rules over histories can make of the mutants.

use super::Mutant;

/// Mutants that no rule can see in generated scripts, with the reason.
const BEYOND: &[(Mutant, &str)] = &[];

/// Statements that must fall with a mutant's own, though it does not break them by itself, with the reason.
const FALLS_WITH: &[(Mutant, &str, &str)] = &[];

impl Mutant {
    /// Why the rules cannot see this fault in generated scripts; `None` if they can.
    pub fn beyond_rules(self) -> Option<&'static str> {
        BEYOND.iter().find(|(mutant, _)| *mutant == self).map(|(_, reason)| *reason)
    }

    /// Why this statement, named with its version, falls with those that the mutant breaks.
    pub fn falls_with(self, statement: &str) -> Option<&'static str> {
        FALLS_WITH.iter().find(|(mutant, id, _)| *mutant == self && *id == statement).map(|(.., why)| *why)
    }
}
