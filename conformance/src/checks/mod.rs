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
        common::s2_3_packet_identifiers::CHECKS,
        common::s3_1_connect::CHECKS,
        common::s3_1_flags::CHECKS,
        v3_1_1::s3_1_connect::CHECKS,
        v5::s3_1_connect::CHECKS,
        common::s3_1_client_id::CHECKS,
        common::s3_1_session::CHECKS,
        v5::s3_1_session_expiry::CHECKS,
        common::s3_1_will::CHECKS,
        v5::s3_1_will::CHECKS,
        common::s3_1_keep_alive::CHECKS,
        common::s3_2_connack::CHECKS,
        common::s3_3_publish::CHECKS,
        common::s3_3_retained::CHECKS,
        common::s3_8_subscribe::CHECKS,
        common::s3_10_unsubscribe::CHECKS,
        common::s3_12_ping::CHECKS,
        common::s3_14_disconnect::CHECKS,
        v5::s3_14_disconnect::CHECKS,
        common::s4_1_state::CHECKS,
        common::s4_3_qos::CHECKS,
        common::s4_4_redelivery::CHECKS,
        common::s4_5_receipt::CHECKS,
        common::s4_6_ordering::CHECKS,
        v3_1_1::s4_6_ordering::CHECKS,
        common::s4_7_topics::CHECKS,
    ];
    FILES.iter().flat_map(|file| file.iter()).collect()
}
