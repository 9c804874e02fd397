//! Checks that hold in 3.1.1 only, by section.

pub mod s3_1_connect;
pub mod s3_8_wildcards;
pub mod s4_3_qos;
pub mod s4_6_ordering;
pub mod s4_8_table;
