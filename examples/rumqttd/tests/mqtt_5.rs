//! The checks of MQTT 5.0.

use mqtt_assay::testing::{Suite, Version};
use mqtt_assay_example_rumqttd::{Listener, serve};
use std::process::ExitCode;

fn main() -> ExitCode {
    Suite::in_process(|port| serve(Listener::V5, port))
        .version(Version::V5)
        .baseline(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/known_5.toml"))
        .main()
}
