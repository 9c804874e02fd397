//! Checks that hold in 5.0 only, by section.

pub mod s2_2_properties;
pub mod s3_11_unsuback;
pub mod s3_14_disconnect;
pub mod s3_15_auth;
pub mod s3_1_connect;
pub mod s3_1_requests;
pub mod s3_1_session_expiry;
pub mod s3_1_will;
pub mod s3_2_connack;
pub mod s3_3_expiry;
pub mod s3_3_properties;
pub mod s3_3_retain_options;
pub mod s3_4_acknowledgements;
pub mod s3_8_no_local;
pub mod s3_8_subscription_options;
pub mod s3_bad_properties;
pub mod s3_limits;
pub mod s3_reasons;
pub mod s3_subscription_ids;
pub mod s3_topic_alias;
pub mod s4_12_auth;
pub mod s4_3_qos_2;
pub mod s4_4_redelivery;
pub mod s4_8_shared;
pub mod s4_9_flow;
