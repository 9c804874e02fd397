//! The broker lab: well-known brokers, each in a folder of its own that says how it is installed, started and reached;
//! one command that checks them all; and a review for each requirement that one of them is said to break.
//!
//! The checks run in processes of their own, `mqtt-assay check` as users run it: what becomes of one broker, or of one
//! run, touches no other.
#![forbid(unsafe_code)]

pub mod broker;
pub mod cli;
pub mod install;
pub mod matrix;
pub mod pages;
pub mod places;
pub mod play;
pub mod results;
pub mod review;
pub mod session;
pub mod stability;
pub mod strays;
