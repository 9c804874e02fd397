//! mqtt-assay tells whether an MQTT broker keeps the OASIS specifications, and proves each verdict with the
//! packets.
#![forbid(unsafe_code)]

pub mod baseline;
pub mod campaign;
pub mod check;
pub mod checks;
pub mod cli;
mod digest;
pub mod matrix;
pub mod net;
pub mod outcome;
pub mod probe;
pub mod process;
pub mod profile;
pub mod replay;
pub mod report;
mod rng;
pub mod run;
pub mod select;
pub mod serve;
pub mod setup;
pub mod simulation;
pub mod statement;
pub mod story;
pub mod target;
pub mod testing;
pub mod verdict;
