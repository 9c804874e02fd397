//! The checks, by version and section of the specification: `common` for what both versions demand, `v3_1_1` and
//! `v5` for what one of them does. A file's name begins with its section.

use crate::check::Check;

pub mod common;
pub(crate) mod refusals;
pub mod v3_1_1;
pub mod v5;

/// Every check, in the order of the specification's sections.
pub fn all() -> Vec<&'static Check> {
    const FILES: &[&[Check]] = &[
        common::s1_5_strings::CHECKS,
        v5::s1_5_lengths::CHECKS,
        v5::s2_2_properties::CHECKS,
        v5::s3_bad_properties::CHECKS,
        common::s2_3_packet_identifiers::CHECKS,
        v5::s2_2_identifiers::CHECKS,
        v5::s3_reasons::CHECKS,
        v5::s2_4_refusals::CHECKS,
        common::s2_malformed::CHECKS,
        common::s3_1_client_id::CHECKS,
        common::s3_1_connect::CHECKS,
        common::s3_1_admission::CHECKS,
        v3_1_1::s3_1_connect::CHECKS,
        v5::s3_1_connect::CHECKS,
        common::s3_1_flags::CHECKS,
        common::s3_1_keep_alive::CHECKS,
        v5::s3_limits::CHECKS,
        v5::s3_1_requests::CHECKS,
        common::s3_1_session::CHECKS,
        v5::s3_1_session_expiry::CHECKS,
        common::s3_1_will::CHECKS,
        v5::s3_1_will::CHECKS,
        common::s3_2_connack::CHECKS,
        v5::s3_2_connack::CHECKS,
        v5::s3_2_limited::CHECKS,
        v5::s3_3_expiry::CHECKS,
        v5::s3_3_properties::CHECKS,
        common::s3_3_publish::CHECKS,
        common::s3_3_denied::CHECKS,
        v5::s3_3_retain_options::CHECKS,
        common::s3_3_retained::CHECKS,
        v5::s3_subscription_ids::CHECKS,
        v5::s3_3_members::CHECKS,
        v5::s3_topic_alias::CHECKS,
        v5::s3_4_acknowledgements::CHECKS,
        v5::s3_8_no_local::CHECKS,
        common::s3_8_subscribe::CHECKS,
        v5::s3_8_subscription_options::CHECKS,
        v3_1_1::s3_8_wildcards::CHECKS,
        common::s3_10_unsubscribe::CHECKS,
        v5::s3_11_unsuback::CHECKS,
        common::s3_12_ping::CHECKS,
        common::s3_14_disconnect::CHECKS,
        v5::s3_14_disconnect::CHECKS,
        common::s3_malformed::CHECKS,
        common::s4_1_state::CHECKS,
        common::s4_3_qos::CHECKS,
        v5::s4_3_qos_2::CHECKS,
        common::s4_4_redelivery::CHECKS,
        v5::s4_4_redelivery::CHECKS,
        common::s4_5_receipt::CHECKS,
        common::s4_6_ordering::CHECKS,
        v3_1_1::s4_6_ordering::CHECKS,
        common::s4_7_topics::CHECKS,
        common::s4_errors::CHECKS,
        v5::s4_8_shared::CHECKS,
        v5::s4_8_members::CHECKS,
        common::s4_13_table::CHECKS,
        v3_1_1::s4_8_table::CHECKS,
        v5::s4_9_flow::CHECKS,
        v5::s3_15_auth::CHECKS,
        v5::s3_15_size::CHECKS,
        v5::s4_12_auth::CHECKS,
        v5::s4_12_challenge::CHECKS,
        v5::s4_12_errors::CHECKS,
        common::s6_websocket::CHECKS,
    ];
    FILES.iter().flat_map(|file| file.iter()).collect()
}
