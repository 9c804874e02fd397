//! See [`mqtt_assay_fuzz::bodies::decode`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_assay_fuzz::bodies::decode(data));
