//! Mutants on the command line.

use crate::serve::Fault;
use mqtt_assay_broker_model::Mutant;

/// Reads the name of a mutant of the model.
pub(super) fn parse(name: &str) -> Result<Mutant, String> {
    of_the_model(parse_fault(name)?)
}

/// The mutant of the model that this is.
pub(super) fn of_the_model(fault: Fault) -> Result<Mutant, String> {
    match fault {
        Fault::Model(mutant) => Ok(mutant),
        Fault::Packets(_) | Fault::Edge(_) => Err(format!(
            "the mutant {} is not one of the state machine, which this is about; `serve`, `check` and `prove` take it",
            fault.name()
        )),
    }
}

/// Reads the name of a mutant, of the model or around it.
pub(super) fn parse_fault(name: &str) -> Result<Fault, String> {
    Fault::from_name(name).ok_or_else(|| {
        let nearest = Fault::all()
            .map(|fault| (strsim::normalized_damerau_levenshtein(name, fault.name()), fault.name()))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((score, near)) if score >= 0.5 => format!("no mutant has this name; did you mean {near}?"),
            _ => "no mutant has this name; `mqtt-assay list --mutants` shows them".to_owned(),
        }
    })
}
