//! What sets MQTT 3.1 apart, and that a Client of 3.1 is served at all: by section of the document of 2010.
//!
//! It says little with *must*. What it only describes, or recommends, deviates here at most.

pub mod s3_12_ping;
pub mod s3_1_connect;
pub mod s3_1_session;
pub mod s3_2_connack;
pub mod s3_3_publish;
pub mod s3_8_subscribe;
pub mod s4_1_qos;
