//! See [`mqtt_assay_fuzz::differential::check`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_assay_fuzz::differential::check(data));
