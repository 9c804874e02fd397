//! The checks of MQTT 3.1.1.

use mqtt_assay::testing::{Suite, Version};
use mqtt_assay_example_rumqttd::{Listener, serve};
use std::process::ExitCode;

fn main() -> ExitCode {
    Suite::in_process(|port| serve(Listener::V4, port))
        .version(Version::V3_1_1)
        .baseline(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/known_3_1_1.toml"))
        .main()
}
