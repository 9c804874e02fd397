//! The choices of the broker of a seed: a rule has to bear all of them.

use super::Draw;
use crate::policy::{Credential, DollarTopics, Overlap, Policy, Qos2Delivery};
use mqtt_assay_codec::Qos;

/// User Name and Password of those clients that have one; with another password they are refused.
pub(super) const USER: (&str, &str) = ("user", "secret");
/// A topic that nobody may publish to, in some brokers.
pub(super) const DENIED_TOPIC: &str = "a/c";
/// A filter that nobody may subscribe to, in some brokers.
const DENIED_FILTER: &str = "x";

/// The broker's choices for a seed: half of the brokers make the usual ones.
pub fn policy(seed: u64) -> Policy {
    // Another stream than the script's: which choices a broker makes tells nothing about the script.
    let mut draw = Draw::new(seed ^ 0x5EED_0F70_11C1_E500);
    let credentials = vec![Credential { user_name: USER.0.to_owned(), password: USER.1.into() }];
    let usual = Policy { credentials, ..Policy::default() };
    match draw.below(20) {
        0 => Policy { overlap: Overlap::CopyPerSubscription, ..usual },
        1 => Policy { qos2_delivery: Qos2Delivery::AtRelease, ..usual },
        2 => {
            Policy { queue_qos0: true, report_no_matching_subscribers: false, reason_strings: false, ..usual }
        }
        3 | 11 => Policy {
            deny_publish: vec![DENIED_TOPIC.to_owned()],
            deny_subscribe: vec![DENIED_FILTER.to_owned()],
            close_on_denied_publish: draw.percent(30),
            diagnostic: Some(("why".to_owned(), "denied".to_owned())),
            ..usual
        },
        4 => Policy {
            dollar_topics: *draw.one(&[DollarTopics::Drop, DollarTopics::Refuse]),
            store_retained_qos0: false,
            ..usual
        },
        5 => Policy {
            max_inflight: 1,
            receive_maximum: 2,
            topic_alias_maximum: 3,
            max_packet_size: 200,
            ..usual
        },
        6 => Policy { max_granted_qos: Qos::AtLeastOnce, ..usual },
        7 => Policy {
            overlap: Overlap::CopyPerSubscription,
            qos2_delivery: Qos2Delivery::AtRelease,
            outgoing_topic_aliases: 1,
            ..usual
        },
        8 => Policy { max_client_id_bytes: 23, max_session_expiry: 2, ..usual },
        9 => Policy { max_qos: Qos::AtLeastOnce, retain_available: false, ..usual },
        10 => Policy {
            wildcard_subscription_available: false,
            subscription_identifier_available: false,
            shared_subscription_available: false,
            max_packet_size: 200,
            ..usual
        },
        _ => usual,
    }
}
