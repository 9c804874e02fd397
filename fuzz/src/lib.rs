//! The bodies of the libFuzzer targets: each a function of bytes that panics when a law is broken.
#![forbid(unsafe_code)]

pub mod bodies;
pub mod broker;
pub mod differential;
pub mod disagreements;
pub mod peers;
