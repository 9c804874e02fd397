//! SUBACK and UNSUBACK have a code for each filter, in the order of the filters.
//! Each: [3.1.1/MQTT-3.8.4-5] [5.0/MQTT-3.8.4-6] [5.0/MQTT-3.9.3-2] [5.0/MQTT-3.11.3-2]. In order: [3.1.1/MQTT-3.9.3-1]
//! [5.0/MQTT-3.9.3-1] [5.0/MQTT-3.11.3-1]. What is granted is not above what was asked for [3.1.1/U3-SUB-1] [5.0/U5-SUB-9], and
//! what was subscribed is found when it is unsubscribed, one filter like the other [5.0/MQTT-3.10.4-6].
//!
//! Frees     granting less; refusing.
//! Unknown   whether a subscription existed, when it or its session may have come or gone; which of two requests with one
//!           Packet Identifier is answered.

use super::ledger::{ConnectionNo, Existed, Ledger, Request, Session, SessionNo};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use mqtt_assay_codec::{Packet, PacketId, PacketType, Qos, ReasonCode, Version};
use std::collections::BTreeMap;

const EACH_SUBACK: Cites = Cites { v3_1_1: &["MQTT-3.8.4-5"], v5: &["MQTT-3.8.4-6", "MQTT-3.9.3-2"] };
const EACH_UNSUBACK: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.11.3-2"] };
const SUBACK_ORDER: Cites = Cites { v3_1_1: &["MQTT-3.9.3-1"], v5: &["MQTT-3.9.3-1"] };
const UNSUBACK_ORDER: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.11.3-1"] };
const ABOVE: Cites = Cites { v3_1_1: &["U3-SUB-1"], v5: &["U5-SUB-9"] };
const ONE_LIKE_THE_OTHER: Cites = Cites { v3_1_1: &[], v5: &["MQTT-3.10.4-6"] };

/// An answer with too few codes: the next packet may be another for the same request, which is another rule's.
#[derive(Clone, Copy, Debug)]
struct Short {
    packet: PacketType,
    id: PacketId,
    codes: usize,
    filters: usize,
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct AnswerCodes {
    short: BTreeMap<ConnectionNo, Short>,
}

impl Rule for AnswerCodes {
    fn name(&self) -> &'static str {
        "answer_codes"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        if !self.short.is_empty() {
            self.settle(seen, ledger, found);
        }
        let Some(no) = seen.connection else { return };
        let (packet, id, codes) = match seen.fact {
            Fact::Received(Packet::Suback(answer), _) => (PacketType::Suback, answer.packet_id, answer.codes),
            Fact::Received(Packet::Unsuback(answer), _) => {
                (PacketType::Unsuback, answer.packet_id, answer.codes)
            }
            _ => return,
        };
        let Some(request) = ledger.answered_request() else { return };
        if request.doubled {
            return found.unknown("another request had its Packet Identifier");
        }
        let connection = &ledger[no];
        if connection.offended.is_some() {
            return found.unknown("a malformed request may have had its Packet Identifier");
        }
        // Before 5.0 UNSUBACK has none.
        if packet == PacketType::Unsuback && connection.version != Version::V5 {
            return;
        }
        let filters = request.subscriptions.len();
        if codes.len() < filters {
            self.short.insert(no, Short { packet, id, codes: codes.len(), filters });
            return;
        }
        if codes.len() > filters {
            let cites = if packet == PacketType::Suback { EACH_SUBACK } else { EACH_UNSUBACK };
            let (expected, observed) =
                (format!("{filters} codes"), format!("{} in {packet} {id}", codes.len()));
            return found.accuse(cites, connection.version, expected, observed);
        }
        let Some(session) = connection.session else { return };
        if packet == PacketType::Suback {
            granted(request, codes, &ledger[session], connection.version, found);
        } else {
            unsubscribed(request, codes, session, ledger, found);
        }
    }
}

impl AnswerCodes {
    /// Accuses the answers that were too short, and were not followed by their rest.
    fn settle(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match seen.fact {
            Fact::Received(..) | Fact::Delivered(..) | Fact::Ended(..) | Fact::Finished => {}
            // What answers to this identifier from now on may be the answer to the new request.
            Fact::Sent(packet @ (Packet::Subscribe(_) | Packet::Unsubscribe(_)))
                if seen.connection.and_then(|no| self.short.get(&no)).map(|short| short.id)
                    == packet.packet_id() => {}
            _ => return,
        }
        let one = seen.connection.filter(|_| !matches!(seen.fact, Fact::Ended(..)));
        let all: Vec<_> = closing(seen, ledger).chain(one).collect();
        for no in all {
            let Some(short) = self.short.remove(&no) else { continue };
            let again = match seen.fact {
                Fact::Received(packet, _) => {
                    let same = packet.packet_type() == short.packet && packet.packet_id() == Some(short.id);
                    same && ledger.answered_request().is_none()
                }
                _ => false,
            };
            if again {
                continue;
            }
            let cites = if short.packet == PacketType::Suback { EACH_SUBACK } else { EACH_UNSUBACK };
            let expected = format!("{} codes", short.filters);
            let observed = format!("{} in {} {}", short.codes, short.packet, short.id);
            found.accuse_of(ledger[no].client, cites, ledger[no].version, expected, observed);
        }
    }
}

/// A code for each filter of a SUBSCRIBE.
fn granted(request: &Request, codes: &[u8], session: &Session, version: Version, found: &mut Findings) {
    let asked = |place: &Option<usize>| {
        place.map_or(Qos::ExactlyOnce, |place| session.subscriptions[place].options.qos)
    };
    let fits = |code: u8, asked: Qos| Qos::from_u8(code).is_none_or(|granted| granted <= asked);
    let pairs = || codes.iter().copied().zip(request.subscriptions.iter().map(asked));
    if pairs().all(|(code, asked)| fits(code, asked)) {
        return found.decided();
    }
    // If the codes fit in another order, it is the order that is wrong.
    let mut asked: Vec<Qos> = request.subscriptions.iter().map(asked).collect();
    let mut granted: Vec<Qos> = codes.iter().filter_map(|code| Qos::from_u8(*code)).collect();
    asked.sort_unstable_by(|a, b| b.cmp(a));
    granted.sort_unstable_by(|a, b| b.cmp(a));
    let reordered = granted.iter().zip(&asked).all(|(granted, asked)| granted <= asked);
    let cites = if reordered { SUBACK_ORDER } else { ABOVE };
    let asked: Vec<u8> = pairs().map(|(_, asked)| asked.as_u8()).collect();
    found.accuse(cites, version, format!("at most {asked:?}, as was asked"), format!("{codes:?} granted"));
}

/// A code for each filter of an UNSUBSCRIBE: those that ended a subscription are told from the others.
fn unsubscribed(request: &Request, codes: &[u8], no: SessionNo, ledger: &Ledger, found: &mut Findings) {
    let session = &ledger[no];
    // A malformed SUBSCRIBE may have been taken for one.
    let clear = ledger.is_clear(no);
    let existed = |place: &Option<usize>| match place {
        None if !clear => Existed::Possibly,
        None => Existed::No,
        Some(place) => {
            let subscription = &session.subscriptions[*place];
            let since = subscription.granted.map(|(at, _)| at);
            // Only this request has been to end it.
            let whole = subscription.ending == Some(request.at);
            match since.filter(|at| whole && *at < request.at) {
                Some(since) if session.certainly(since, ledger.now) => Existed::Certainly,
                _ => Existed::Possibly,
            }
        }
    };
    let of = |(at, place): (usize, &Option<usize>)| {
        // What one filter ends is not there for the next one like it.
        let twice = place.is_some() && request.subscriptions[..at].contains(place);
        if twice { Existed::Possibly } else { existed(place) }
    };
    let existed: Vec<Existed> = request.subscriptions.iter().enumerate().map(of).collect();
    let contradicts = |(code, existed): (&u8, &Existed)| match ReasonCode(*code) {
        ReasonCode::SUCCESS => *existed == Existed::No,
        ReasonCode::NO_SUBSCRIPTION_EXISTED => *existed == Existed::Certainly,
        _ => false,
    };
    if !codes.iter().zip(&existed).any(contradicts) {
        return found.decided();
    }
    let count = |of: Existed| existed.iter().filter(|existed| **existed == of).count();
    let deleted = codes.iter().filter(|code| **code == ReasonCode::SUCCESS.0).count();
    let known = count(Existed::Possibly) == 0;
    let (certain, first) = (count(Existed::Certainly), existed.first());
    // Whoever says 0x00 for what was not there, too, does so for each filter in the same way.
    let mut later = codes.iter().zip(&existed).skip(1);
    let left = later.any(|(code, existed)| {
        *code == ReasonCode::NO_SUBSCRIPTION_EXISTED.0 && *existed == Existed::Certainly
    });
    let cites = if known && deleted == certain {
        UNSUBACK_ORDER
    } else if left && first == Some(&Existed::Certainly) && codes.first() == Some(&ReasonCode::SUCCESS.0) {
        ONE_LIKE_THE_OTHER
    } else {
        return found.unknown("no statement tells which of the two codes stands for what");
    };
    let expected =
        format!("0x00 for each of {certain} subscriptions that existed, 0x11 for the others, in order");
    found.accuse(cites, Version::V5, expected, format!("{codes:02x?}"));
}
