//! The rules: silent about the reference broker, loud about its mutants.

mod support;
mod told;
mod tolerance;

mod answers;
mod beginning_and_end;
mod deliveries;
mod errors;
mod hostile;
mod limits;
mod messages;
mod options;
mod retained;
mod sessions;
mod shared;
mod well_formed;
mod wills;
