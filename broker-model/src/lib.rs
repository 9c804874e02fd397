//! The executable reading of the MQTT specifications: a broker as a state machine.
//!
//! Time comes in with each call, bytes come in and go out as values: the model does no I/O, reads no clock and
//! draws no randomness but from its seed.
#![forbid(unsafe_code)]
