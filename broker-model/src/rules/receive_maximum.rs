//! No more messages above QoS 0 are unacknowledged at one time than the Client's Receive Maximum allows.
//! [5.0/MQTT-3.3.4-9] [5.0/MQTT-4.9.0-2]
//!
//! Frees     QoS 0; PUBRELs of an older connection; what the Client may have answered before it came.
//! Unknown   nothing: the Server counts at least what the Client has not answered.

use super::ledger::ConnectionNo;
use super::{Cites, Fact, Findings, Ledger, Rule, Seen};
use mqtt_assay_codec::{Qos, Version};
use std::collections::BTreeSet;

const CITES: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.3.4-9", "MQTT-4.9.0-2"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct ReceiveMaximum {
    /// Connections on which it was exceeded.
    accused: BTreeSet<ConnectionNo>,
}

impl Rule for ReceiveMaximum {
    fn name(&self) -> &'static str {
        "receive_maximum"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let (Fact::Delivered(publish, _), Some(no)) = (seen.fact, seen.connection) else { return };
        let connection = &ledger[no];
        if publish.qos == Qos::AtMostOnce || connection.version != Version::V5 {
            return;
        }
        let limit = connection.asked.as_ref().map_or(u16::MAX, |asked| asked.receive_maximum);
        let counted = connection.unanswered.difference(&connection.answered_ahead).count();
        if counted <= usize::from(limit) {
            return found.decided();
        }
        if self.accused.insert(no) {
            let expected = format!("at most {limit} messages unacknowledged, the client's Receive Maximum");
            found.accuse(CITES, Version::V5, expected, format!("{counted}"));
        }
    }
}
