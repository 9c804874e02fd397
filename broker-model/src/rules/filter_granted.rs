//! A Topic Filter that is none is not granted: a `#` that is not a whole last level [3.1.1/MQTT-4.7.1-2]
//! [5.0/MQTT-4.7.1-1], a `+` that is not a whole level [3.1.1/MQTT-4.7.1-3] [5.0/MQTT-4.7.1-2], an empty one
//! [3.1.1/MQTT-4.7.3-1] [5.0/MQTT-4.7.3-1], a shared one without ShareName [5.0/MQTT-4.8.2-1], with a wildcard in it,
//! or without a filter behind it [5.0/MQTT-4.8.2-2].
//!
//! Frees     refusing it in any form: SUBACK, DISCONNECT, or the connection's end.
//! Unknown   what a packet holds behind its first flaw.

use super::ledger::ConnectionNo;
use super::ledger::Ledger;
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{Malformed, Offence, Packet, PacketId, PacketType, Version};
use std::collections::BTreeMap;

const EMPTY: Cites = Cites { v3_1_1: &["MQTT-4.7.3-1"], v5: &["MQTT-4.7.3-1"] };
const MULTI_LEVEL: Cites = Cites { v3_1_1: &["MQTT-4.7.1-2"], v5: &["MQTT-4.7.1-1"] };
const SINGLE_LEVEL: Cites = Cites { v3_1_1: &["MQTT-4.7.1-3"], v5: &["MQTT-4.7.1-2"] };
const SHARE_NAME: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.8.2-1"] };
const SHARE: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.8.2-2"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct FilterGranted {
    /// SUBSCRIBEs with a filter that is none: what is wrong, and the filter's place.
    asked: BTreeMap<(ConnectionNo, PacketId), (Offence, usize)>,
}

impl Rule for FilterGranted {
    fn name(&self) -> &'static str {
        "filter_granted"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Some(no) = seen.connection else { return };
        match seen.fact {
            Fact::SentMalformed(malformed, bytes) if cites(malformed.offence).is_some() => {
                if let Some((id, place)) = flawed(bytes, malformed) {
                    if ledger[no].requests.contains_key(&id) {
                        return found.unknown("another request had its Packet Identifier");
                    }
                    self.asked.insert((no, id), (malformed.offence, place));
                }
            }
            // Which of the two is answered then nothing tells.
            Fact::Sent(Packet::Subscribe(subscribe)) if !self.asked.is_empty() => {
                self.asked.remove(&(no, subscribe.packet_id));
            }
            Fact::Received(Packet::Suback(suback), _) if !self.asked.is_empty() => {
                let Some((offence, place)) = self.asked.remove(&(no, suback.packet_id)) else { return };
                // One that was sent before CONNACK came is known as a request since then only.
                if ledger.answered_request().is_some() {
                    return found.unknown("another request had its Packet Identifier");
                }
                let granted = suback.codes.get(place).is_some_and(|code| *code < 0x80);
                match cites(offence) {
                    Some(cites) if granted => found.accuse(
                        cites,
                        ledger[no].version,
                        format!(
                            "filter {place} of SUBSCRIBE {} refused: {}",
                            suback.packet_id,
                            offence.text()
                        ),
                        "SUBACK grants it",
                    ),
                    _ => found.decided(),
                }
            }
            Fact::Ended(..) if !self.asked.is_empty() => {
                self.asked.retain(|(of, _), _| {
                    if *of == no {
                        found.decided();
                    }
                    *of != no
                });
            }
            _ => {}
        }
    }
}

const fn cites(offence: Offence) -> Option<Cites> {
    Some(match offence {
        Offence::TopicFilterEmpty => EMPTY,
        Offence::TopicFilterMultiLevel => MULTI_LEVEL,
        Offence::TopicFilterSingleLevel => SINGLE_LEVEL,
        Offence::ShareNameEmpty => SHARE_NAME,
        Offence::ShareNameWildcard | Offence::SharedFilterMissing => SHARE,
        _ => return None,
    })
}

/// The Packet Identifier of a SUBSCRIBE and the place of the filter in which the flaw is.
fn flawed(bytes: &[u8], malformed: Malformed) -> Option<(PacketId, usize)> {
    if bytes.first()? >> 4 != PacketType::Subscribe as u8 {
        return None;
    }
    let mut at = after_length(bytes, 1)?.1;
    let id = PacketId::new(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))?;
    at += 2;
    if malformed.version == Version::V5 {
        let (length, properties) = after_length(bytes, at)?;
        at = properties + length;
    }
    let flaw = usize::try_from(malformed.offset).ok()?;
    let mut place = 0;
    loop {
        let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        // Behind the filter stand its options.
        let next = at + 2 + length + 1;
        if flaw < next {
            return Some((id, place));
        }
        (at, place) = (next, place + 1);
    }
}

/// A Variable Byte Integer, and where it ends.
fn after_length(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let digits = bytes.get(at..)?.iter().take(4).position(|byte| *byte < 0x80)? + 1;
    let value =
        bytes[at..at + digits].iter().rev().fold(0, |sum, digit| sum << 7 | usize::from(digit & 0x7F));
    Some((value, at + digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::{Decoder, Receiver};

    fn place(version: Version, bytes: &[u8]) -> Option<(u16, usize)> {
        let malformed = Decoder::new(version, Receiver::Server).next(bytes).unwrap_err();
        flawed(bytes, malformed).map(|(id, place)| (id.get(), place))
    }

    #[test]
    fn finds_the_filter() {
        let (old, new) = (Version::V3_1_1, Version::V5);
        assert_eq!(place(old, b"\x82\x07\x00\x01\x00\x02a#\x00"), Some((1, 0)));
        assert_eq!(place(old, b"\x82\x0b\x00\x01\x00\x01t\x00\x00\x02+a\x00"), Some((1, 1)));
        assert_eq!(place(new, b"\x82\x0c\x01\x00\x00\x00\x01t\x00\x00\x02a#\x00"), Some((256, 1)));
        assert_eq!(place(new, b"\x82\x08\x00\x02\x02\x0b\x05\x00\x00\x00"), Some((2, 0)));
        assert_eq!(place(old, b"\x82\x09\x00\x01\x00\x00\x00\x00\x01t\x00"), Some((1, 0)));
    }
}
