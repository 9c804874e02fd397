//! Checks that hold in both versions, by section.

pub mod s1_5_strings;
pub mod s2_3_packet_identifiers;
pub mod s2_malformed;
pub mod s3_10_unsubscribe;
pub mod s3_12_ping;
pub mod s3_14_disconnect;
pub mod s3_1_client_id;
pub mod s3_1_connect;
pub mod s3_1_flags;
pub mod s3_1_keep_alive;
pub mod s3_1_session;
pub mod s3_1_will;
pub mod s3_2_connack;
pub mod s3_3_publish;
pub mod s3_3_retained;
pub mod s3_8_subscribe;
pub mod s3_malformed;
pub mod s4_1_state;
pub mod s4_3_qos;
pub mod s4_4_redelivery;
pub mod s4_5_receipt;
pub mod s4_6_ordering;
pub mod s4_7_topics;
pub mod s4_errors;
pub mod s6_websocket;
