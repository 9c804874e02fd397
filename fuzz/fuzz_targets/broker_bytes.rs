//! See [`mqtt_assay_fuzz::broker::broker_bytes`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_assay_fuzz::broker::broker_bytes(data));
