//! The command `mqtt-assay`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    mqtt_assay::cli::main()
}
