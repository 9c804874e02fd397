//! The forms in which a run is told, each read by somebody else's program or by its schema.

#[path = "../support/mod.rs"]
mod support;

mod action;
mod capture;
mod command;
mod forms;
