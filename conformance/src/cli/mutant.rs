//! Mutants on the command line.

use mqtt_assay_broker_model::Mutant;

/// Reads the name of a mutant.
pub(super) fn parse(name: &str) -> Result<Mutant, String> {
    Mutant::from_name(name).ok_or_else(|| {
        let nearest = Mutant::ALL
            .iter()
            .map(|mutant| (strsim::normalized_damerau_levenshtein(name, mutant.name()), mutant.name()))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((score, near)) if score >= 0.5 => format!("no mutant has this name; did you mean {near}?"),
            _ => "no mutant has this name; `mqtt-assay list --mutants` shows them".to_owned(),
        }
    })
}
