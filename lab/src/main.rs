//! The command `mqtt-assay-lab`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    mqtt_assay_lab::cli::main()
}
