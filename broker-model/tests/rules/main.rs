//! The rules: silent about the reference broker, loud about its mutants.

mod support;

mod answers;
mod beginning_and_end;
mod deliveries;
mod errors;
mod limits;
mod sessions;
mod well_formed;
