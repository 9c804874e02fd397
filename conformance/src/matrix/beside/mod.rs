//! What the checks cannot catch, and what they find beside what a mutant breaks, with reasons.

mod table;

use crate::check::Check;
use crate::serve::Fault;
use mqtt_assay_broker_model::Mutant;

/// Mutants that no check can catch here, with the reason.
const BEYOND: &[(Mutant, &str)] = &[
    (Mutant::ConnackMissing, "the preflight tells it: without CONNACK no run begins"),
    (Mutant::ProtocolLevelRefusedSilently, "the CONNACK before the end is not due, by errata E.4"),
];

/// Checks that a mutant fails though they have to do with none of its statements.
struct Beside {
    mutant: Mutant,
    checks: &'static [&'static str],
    why: &'static str,
}

/// Why no check can catch this mutant; `None` if one must.
pub(super) fn beyond(fault: Fault) -> Option<&'static str> {
    BEYOND.iter().find(|(own, _)| fault == Fault::Model(*own)).map(|(_, why)| *why)
}

/// Why a check may fail under the mutant though it has to do with none of its statements.
pub(super) fn reason(fault: Fault, check: &Check) -> Option<&'static str> {
    let mutant = match fault {
        Fault::Model(mutant) => mutant,
        Fault::Packets(fault) => {
            return table::PACKETS.iter().find(|(own, _)| *own == fault).map(|(_, why)| *why);
        }
        Fault::Edge(fault) => return table::EDGE.iter().find(|(own, _)| *own == fault).map(|(_, why)| *why),
    };
    let on =
        |table: &[(Mutant, &'static str)]| table.iter().find(|(own, _)| *own == mutant).map(|(_, why)| *why);
    let anywhere =
        on(table::ANYWHERE).or_else(|| on(table::TABLE).filter(|_| check.name.starts_with("table/")));
    anywhere.or_else(|| {
        let mut fitting = table::BESIDE.iter().filter(|beside| beside.mutant == mutant);
        fitting.find(|beside| beside.checks.contains(&check.name)).map(|beside| beside.why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A renamed check must not leave a reason behind that excuses nothing.
    #[test]
    fn the_tables_name_checks_that_exist() {
        let checks = crate::checks::all();
        for beside in table::BESIDE {
            assert!(!beside.checks.is_empty() && !beside.why.ends_with('.'), "{}", beside.mutant.name());
            for name in beside.checks {
                assert!(checks.iter().any(|check| check.name == *name), "{name}");
            }
        }
    }

    #[test]
    fn no_mutant_stands_in_a_table_twice() {
        let within: Vec<Mutant> = table::BESIDE.iter().map(|beside| beside.mutant).collect();
        let anywhere: Vec<Mutant> = table::ANYWHERE.iter().map(|(mutant, _)| *mutant).collect();
        for mutant in Mutant::ALL {
            let count = |all: &[Mutant]| all.iter().filter(|other| *other == mutant).count();
            assert!(count(&within) + count(&anywhere) <= 1, "{}", mutant.name());
            let beyond = BEYOND.iter().filter(|(other, _)| other == mutant).count();
            assert!(beyond <= 1, "{}", mutant.name());
        }
    }
}
