//! The lab: its folders are as they must be, what is published is true today, and its command does what it says.

// Brokers of the lab are started by scripts of a shell.
#![cfg(unix)]

mod folders;
mod miniature;
mod published;

use mqtt_assay_lab::places::Places;
use std::path::Path;

/// This repository's lab.
fn places() -> Places {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository");
    Places::find(Some(root)).expect("the repository has a lab")
}
