//! The check of a property list: placement, repetition, values, and that nothing runs past its end. [5.0 §2.2.2]

use super::{Place, PropertyId, ValueType};
use crate::malformed::{Malformed, Offence};
use crate::reader::Reader;
use crate::types::{PacketType, Receiver, Version};

/// The properties that a list holds, one bit for each identifier.
#[derive(Clone, Copy)]
pub(crate) struct Present(pub(super) u64);

impl Present {
    pub(crate) const fn has(self, id: PropertyId) -> bool {
        self.0 & 1 << id as u8 != 0
    }
}

/// What is checked of a value.
#[derive(Clone, Copy)]
enum Check {
    /// One byte, 0 or 1: so are all of them.
    Bit,
    TwoByte,
    TwoByteNotZero,
    FourByte,
    FourByteNotZero,
    VariableNotZero,
    Binary,
    Text,
    Pair,
    Topic,
}

/// One for each identifier that a list's bit set can hold; those between the defined ones may stand nowhere.
const CHECKS: [Check; 64] = {
    let mut checks = [Check::Bit; 64];
    let mut index = 0;
    while index < PropertyId::ALL.len() {
        let id = PropertyId::ALL[index];
        checks[id as usize] = match (id, id.value_type()) {
            (PropertyId::ResponseTopic, _) => Check::Topic,
            (PropertyId::ReceiveMaximum | PropertyId::TopicAlias, _) => Check::TwoByteNotZero,
            (PropertyId::MaximumPacketSize, _) => Check::FourByteNotZero,
            (_, ValueType::Flag | ValueType::Byte) => Check::Bit,
            (_, ValueType::TwoByte) => Check::TwoByte,
            (_, ValueType::FourByte) => Check::FourByte,
            (_, ValueType::Variable) => Check::VariableNotZero,
            (_, ValueType::Text) => Check::Text,
            (_, ValueType::Binary) => Check::Binary,
            (_, ValueType::Pair) => Check::Pair,
        };
        index += 1;
    }
    checks
};

/// For each place, the identifiers that may stand there towards a Server, towards a Client, and more than once.
const PLACES: [[u64; 3]; 16] = {
    let mut places = [[0; 3]; 16];
    let mut number = 0;
    while number < 16 {
        let place = if number == 0 { Place::Will } else { Place::Packet(PacketType::ALL[number - 1]) };
        let mut index = 0;
        while index < PropertyId::ALL.len() {
            let id = PropertyId::ALL[index];
            let bit = 1 << id as u8;
            if id.allowed_in(place, Receiver::Server) {
                places[number][0] |= bit;
            }
            if id.allowed_in(place, Receiver::Client) {
                places[number][1] |= bit;
            }
            if id.repeatable_in(place) {
                places[number][2] |= bit;
            }
            index += 1;
        }
        number += 1;
    }
    places
};

/// Checks a whole list. It takes the parts of a reader: one that crosses a call would stay in memory.
pub(super) fn list(rest: &[u8], at: usize, receiver: Receiver, place: Place) -> Result<Present, Malformed> {
    let mut list = Reader::new(rest, at, Version::V5, receiver);
    let [to_server, to_client, repeatable] = PLACES[match place {
        Place::Will => 0,
        Place::Packet(packet) => packet as usize,
    }];
    let mut allowed = match receiver {
        Receiver::Server => to_server,
        Receiver::Client => to_client,
    };
    let mut present = 0u64;
    while !list.is_empty() {
        let at = list.at();
        // Identifiers are Variable Byte Integers, all defined ones below 0x40. [5.0 §2.2.2.2]
        let id = list.variable_byte_integer().map_err(truncated)?;
        let bit = 1u64.wrapping_shl(id);
        if id >= 64 || allowed & bit == 0 {
            return Err(list.offence(misplaced(id, place, receiver), at));
        }
        present |= bit;
        allowed &= !bit | repeatable;
        let at = list.at();
        let is_valid = match CHECKS[id as usize & 63] {
            Check::Bit => list.u8().map_err(truncated)? <= 1,
            Check::TwoByte => list.u16().map(|_| true).map_err(truncated)?,
            Check::TwoByteNotZero => list.u16().map_err(truncated)? != 0,
            Check::FourByte => list.u32().map(|_| true).map_err(truncated)?,
            Check::FourByteNotZero => list.u32().map_err(truncated)? != 0,
            Check::VariableNotZero => list.variable_byte_integer().map_err(truncated)? != 0,
            Check::Binary => list.binary().map(|_| true).map_err(truncated)?,
            Check::Text => list.string().map(|_| true).map_err(truncated)?,
            Check::Pair => {
                list.string().map_err(in_pair)?;
                list.string().map_err(in_pair)?;
                true
            }
            // It is the Topic Name of the answer, and no alias can stand for it. [5.0/MQTT-4.7.3-1]
            Check::Topic => !list.topic_name(Offence::ResponseTopicWildcard).map_err(truncated)?.is_empty(),
        };
        if !is_valid {
            return Err(list.offence(out_of_range(id), at));
        }
    }
    Ok(Present(present))
}

#[cold]
fn out_of_range(id: u32) -> Offence {
    match u8::try_from(id).ok().and_then(PropertyId::from_u8) {
        Some(PropertyId::ResponseTopic) => Offence::TopicNameEmpty,
        Some(PropertyId::TopicAlias) => Offence::TopicAliasZero,
        Some(PropertyId::SubscriptionIdentifier) => Offence::SubscriptionIdentifierZero,
        _ => Offence::PropertyValue,
    }
}

#[cold]
fn truncated(malformed: Malformed) -> Malformed {
    match malformed.offence {
        Offence::Truncated => Malformed { offence: Offence::PropertyTruncated, ..malformed },
        _ => malformed,
    }
}

#[cold]
fn in_pair(malformed: Malformed) -> Malformed {
    match malformed.offence {
        Offence::IllFormedUtf8 | Offence::SurrogateInUtf8 | Offence::NulInUtf8 => {
            Malformed { offence: Offence::UserPropertyIllFormed, ..malformed }
        }
        _ => truncated(malformed),
    }
}

/// Why a property may not stand in this place, or not once more.
#[cold]
fn misplaced(id: u32, place: Place, receiver: Receiver) -> Offence {
    let Some(id) = u8::try_from(id).ok().and_then(PropertyId::from_u8) else {
        return Offence::PropertyUnknown;
    };
    if id.allowed_in(place, receiver) {
        return Offence::PropertyRepeated;
    }
    match (id, place) {
        (PropertyId::SubscriptionIdentifier, Place::Packet(PacketType::Publish)) => {
            Offence::SubscriptionIdentifierFromClient
        }
        (PropertyId::SessionExpiryInterval, Place::Packet(PacketType::Disconnect)) => {
            Offence::SessionExpiryFromServer
        }
        _ => Offence::PropertyNotAllowed,
    }
}
