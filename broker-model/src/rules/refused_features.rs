//! What the specification allows a Client is not taken for a mistake.
//! Properties in any order [5.0/U5-PROP-6]; acknowledgements without Reason Code [5.0/U5-LEN-2]; Keep Alive 0
//! [3.1.1/MQTT-3.1.4-4] [5.0/MQTT-3.1.4-5]; a Password without User Name [5.0/U5-CON-6].
//!
//! Frees     ending a connection at any time, and refusing any: as a deviation it is told of who twice or more, and without
//!           exception, ends a connection where the answer to such a packet is due, and gives no other reason.
//! Unknown   everything else.

use super::ledger::{Connection, ConnectionNo, End, Ledger};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use crate::history::{ClientNo, Side};
use core::time::Duration;
use mqtt_assay_codec::reason::return_code;
use mqtt_assay_codec::{Packet, Properties, ReasonCode, Version};
use std::collections::BTreeMap;

const PASSWORD_ALONE: Cites = Cites { v3_1_1: &[], v5: &["U5-CON-6"] };

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

/// What became of a feature.
#[derive(Clone, Debug, Default)]
struct Cases {
    accepted: u64,
    /// Whose connections ended.
    refused: Vec<ClientNo>,
}

/// How far a sequence has come that shows that the Server had room for a Client.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Room {
    #[default]
    Nothing,
    /// A CONNECT without Keep Alive was refused,
    Refused,
    /// then a new one with Keep Alive was accepted,
    Accepted,
    /// then another without was refused.
    RefusedAgain,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct RefusedFeatures {
    /// When each feature was used first on a connection.
    used: BTreeMap<(ConnectionNo, Feature), Duration>,
    cases: BTreeMap<(Feature, Version), Cases>,
    room: Room,
    /// A CONNECT with Keep Alive was refused in the same way.
    others_refused: bool,
}

impl Rule for RefusedFeatures {
    fn name(&self) -> &'static str {
        "refused_features"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::Sent(packet), Some(no)) if ledger[no].version == Version::V5 => {
                if let Some(feature) = feature(packet, seen.length) {
                    self.used.entry((no, feature)).or_insert(ledger.now);
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

/// What a packet of 5.0 makes use of.
fn feature(packet: &Packet<'_>, length: usize) -> Option<Feature> {
    let acknowledges =
        matches!(packet, Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubrel(_) | Packet::Pubcomp(_));
    // A fixed header and a Packet Identifier.
    if acknowledges && length == 4 {
        return Some(Feature::ShortAcknowledgement);
    }
    packet.properties().filter(is_disordered).map(|_| Feature::PropertyOrder)
}

/// Whether properties do not stand in the order of their identifiers.
fn is_disordered(list: &Properties<'_>) -> bool {
    !list.is_empty() && !list.iter().is_sorted_by_key(|property| property.id())
}

/// Whether an end comes where the answer to a packet was due, and has no other reason that could be seen.
fn is_at_once(connection: &Connection, at: Duration, end: End, ledger: &Ledger) -> bool {
    // Who refuses says why, unless it takes the packet for a mistake.
    let mistake = |code| matches!(code, ReasonCode::MALFORMED_PACKET | ReasonCode::PROTOCOL_ERROR);
    let told = connection.server_disconnect.is_none_or(|(_, code)| mistake(code))
        && connection.answered.is_none_or(|answered| answered.accepts() || mistake(answered.code));
    let patience = Duration::from_secs(u64::from(connection.keep_alive()));
    let heard = connection.keep_alive() == 0 || connection.heard.is_some_and(|at| at + patience > end.at);
    end.side == Side::Server
        && end.at <= at + ledger.bounds.promptness
        && connection.free_since.is_some_and(|free| free <= at)
        && connection.client_disconnect.is_none()
        && connection.offended.is_none()
        && told
        && heard
}

impl RefusedFeatures {
    fn connected(&mut self, no: ConnectionNo, code: ReasonCode, ledger: &Ledger, found: &mut Findings) {
        let connection = &ledger[no];
        let Some(asked) = &connection.asked else { return };
        // What was wrong before it may be what the code is for.
        if asked.password_alone && code == ReasonCode::MALFORMED_PACKET && connection.offended.is_none() {
            let expected = "a Password without User Name not to be called malformed";
            found.accuse(PASSWORD_ALONE, connection.version, expected, "CONNACK 0x81");
        }
        let accepted = code == ReasonCode::SUCCESS;
        let unavailable = matches!(code, return_code::SERVER_UNAVAILABLE | ReasonCode::SERVER_UNAVAILABLE);
        let new = connection.previous.is_none();
        self.room = match (self.room, asked.keep_alive > 0) {
            (Room::Nothing, false) if unavailable => Room::Refused,
            (Room::Refused, true) if accepted && new => Room::Accepted,
            (Room::Accepted, false) if unavailable => Room::RefusedAgain,
            (unchanged, _) => unchanged,
        };
        self.others_refused |= unavailable && asked.keep_alive > 0;
        if asked.keep_alive == 0 {
            let cases = self.cases.entry((Feature::NoKeepAlive, connection.version)).or_default();
            cases.accepted += u64::from(accepted);
            if unavailable {
                cases.refused.push(connection.client);
            }
        }
    }

    fn closed(&mut self, no: ConnectionNo, ledger: &Ledger) {
        let connection = &ledger[no];
        for feature in [Feature::PropertyOrder, Feature::ShortAcknowledgement] {
            let Some(at) = self.used.remove(&(no, feature)) else { continue };
            let cases = self.cases.entry((feature, connection.version)).or_default();
            if connection.has_heard(at) {
                cases.accepted += 1;
            } else if connection.ended.is_some_and(|end| is_at_once(connection, at, end, ledger)) {
                cases.refused.push(connection.client);
            }
        }
    }

    fn judge(&self, found: &mut Findings) {
        for (&(feature, version), cases) in &self.cases {
            let [first, _, ..] = cases.refused.as_slice() else { continue };
            let room = self.room == Room::RefusedAgain && !self.others_refused;
            let room = feature != Feature::NoKeepAlive || room;
            if cases.accepted > 0 || !room {
                continue;
            }
            let expected = format!("{} to be accepted", feature.text());
            let observed = format!("{} connections ended there, and none went on", cases.refused.len());
            found.deviates_of(*first, feature.cites(), version, expected, observed);
        }
    }
}
