//! The rules: silent about the reference broker, loud about its mutants.

mod support;

mod well_formed;
