//! What the specification allows a Client is not taken for a mistake.
//! Properties in any order [5.0/U5-PROP-6]; acknowledgements without Reason Code [5.0/U5-LEN-2]; Keep Alive 0
//! [3.1.1/MQTT-3.1.4-4] [5.0/MQTT-3.1.4-5]; a Password without User Name [5.0/U5-CON-6].
//!
//! Frees     ending a connection at any time, and refusing any: accused is only who, twice or more, and without
//!           exception, ends the connection on which such a packet came last, and accepts other CONNECTs.
//! Unknown   everything else.

use super::ledger::{ConnectionNo, Ledger};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use crate::history::{ClientNo, Side};
use core::time::Duration;
use mqtt_assay_codec::{Packet, Properties, ReasonCode, Version};
use std::collections::BTreeMap;

/// Something that a Client may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Feature {
    PropertyOrder,
    ShortAcknowledgement,
    NoKeepAlive,
}

impl Feature {
    const fn cites(self) -> Cites {
        match self {
            Feature::PropertyOrder => Cites { v3_1_1: &[], v5: &["U5-PROP-6"] },
            Feature::ShortAcknowledgement => Cites { v3_1_1: &[], v5: &["U5-LEN-2"] },
            Feature::NoKeepAlive => Cites { v3_1_1: &["MQTT-3.1.4-4"], v5: &["MQTT-3.1.4-5"] },
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Feature::PropertyOrder => "properties in any order",
            Feature::ShortAcknowledgement => "acknowledgements without Reason Code",
            Feature::NoKeepAlive => "a Keep Alive of 0",
        }
    }
}

const PASSWORD_ALONE: Cites = Cites { v3_1_1: &[], v5: &["U5-CON-6"] };

/// What became of a feature.
#[derive(Clone, Debug, Default)]
struct Cases {
    accepted: u64,
    /// Whose connections ended.
    refused: Vec<ClientNo>,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct RefusedFeatures {
    /// When each feature was used first on a connection.
    used: BTreeMap<(ConnectionNo, Feature), Duration>,
    cases: BTreeMap<(Feature, Version), Cases>,
    /// CONNECTs with a Keep Alive that were accepted.
    others_accepted: bool,
}

impl Rule for RefusedFeatures {
    fn name(&self) -> &'static str {
        "refused_features"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Sent(packet), Some(no)) if ledger[no].version == Version::V5 => {
                let short = seen.length == 4
                    && matches!(
                        packet,
                        Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubrel(_) | Packet::Pubcomp(_)
                    );
                if short {
                    self.used.entry((no, Feature::ShortAcknowledgement)).or_insert(ledger.now);
                } else if packet.properties().is_some_and(is_disordered) {
                    self.used.entry((no, Feature::PropertyOrder)).or_insert(ledger.now);
                }
            }
            (Fact::Received(Packet::Connack(connack), _), Some(no)) => {
                self.connected(no, connack.code, ledger, found);
            }
            (Fact::Ended(..) | Fact::Finished, _) => {
                for no in closing(seen, ledger) {
                    self.closed(no, ledger);
                }
                if matches!(seen.fact, Fact::Finished) {
                    self.judge(found);
                }
            }
            _ => {}
        }
    }
}

/// Whether properties do not stand in the order of their identifiers.
fn is_disordered(list: Properties<'_>) -> bool {
    !list.is_empty() && !list.iter().is_sorted_by_key(|property| property.id())
}

impl RefusedFeatures {
    fn connected(&mut self, no: ConnectionNo, code: ReasonCode, ledger: &Ledger, found: &mut Findings) {
        let connection = &ledger[no];
        let Some(asked) = &connection.asked else { return };
        if asked.password_alone && code == ReasonCode::MALFORMED_PACKET {
            let expected = "a Password without User Name not to be called malformed";
            found.accuse(PASSWORD_ALONE, connection.version, expected, "CONNACK 0x81");
        }
        let accepted = code == ReasonCode::SUCCESS;
        if asked.keep_alive > 0 {
            self.others_accepted |= accepted;
            return;
        }
        let cases = self.cases.entry((Feature::NoKeepAlive, connection.version)).or_default();
        if accepted {
            cases.accepted += 1;
        } else {
            cases.refused.push(connection.client);
        }
    }

    fn closed(&mut self, no: ConnectionNo, ledger: &Ledger) {
        let connection = &ledger[no];
        for feature in [Feature::PropertyOrder, Feature::ShortAcknowledgement] {
            let Some(at) = self.used.remove(&(no, feature)) else { continue };
            let cases = self.cases.entry((feature, connection.version)).or_default();
            let at_once = connection
                .ended
                .is_some_and(|end| end.side == Side::Server && end.at <= at + ledger.bounds.promptness);
            if connection.has_heard(at) {
                cases.accepted += 1;
            } else if at_once && connection.client_disconnect.is_none() && connection.offended.is_none() {
                cases.refused.push(connection.client);
            }
        }
    }

    fn judge(&self, found: &mut Findings) {
        for (&(feature, version), cases) in &self.cases {
            let [first, _, ..] = cases.refused.as_slice() else { continue };
            if cases.accepted > 0 || feature == Feature::NoKeepAlive && !self.others_accepted {
                continue;
            }
            let expected = format!("{} to be accepted", feature.text());
            let observed = format!("{} connections ended there, and none went on", cases.refused.len());
            found.accuse_of(*first, feature.cites(), version, expected, observed);
        }
    }
}
