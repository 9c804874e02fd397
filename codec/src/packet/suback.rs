//! SUBACK, Server to Client. [3.1.1 §3.9] [5.0 §3.9]
//!
//! ```text
//!   90  remaining length
//!   packet identifier            2
//!   properties                   5.0 only
//!   { code                       1 }  one for each filter of the SUBSCRIBE
//! ```

use crate::encode::{Unencodable, header, properties, properties_length};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties};
use crate::reader::Reader;
use crate::reason::ReasonCode;
use crate::types::{PacketId, PacketType, Version};
use alloc::vec::Vec;

/// A SUBACK packet. [3.1.1 §3.9] [5.0 §3.9]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Suback<'a> {
    /// The Packet Identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
    /// One code for each filter, in order: the granted QoS or a failure.
    pub codes: &'a [u8],
}

impl<'a> Suback<'a> {
    pub(super) fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let packet_id = r.packet_id_or(Offence::AcknowledgedRequestZero)?;
        let properties = match r.version {
            Version::V5 => Properties::decode(r, Place::Packet(PacketType::Suback))?.0,
            _ => Properties::NONE,
        };
        let codes = codes(r, PacketType::Suback, Offence::SubackEmpty, Offence::SubackCode)?;
        Ok(Suback { packet_id, properties, codes })
    }

    pub(super) fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        header(0x90, 2 + properties_length(self.properties.as_bytes(), version) + self.codes.len(), to)?;
        to.extend_from_slice(&self.packet_id.get().to_be_bytes());
        properties(self.properties.as_bytes(), version, to);
        to.extend_from_slice(self.codes);
        Ok(())
    }
}

/// The codes that end a SUBACK or UNSUBACK: at least one, each listed for the packet.
pub(super) fn codes<'a>(
    r: &mut Reader<'a>,
    packet: PacketType,
    empty: Offence,
    unlisted: Offence,
) -> Result<&'a [u8], Malformed> {
    let at = r.at();
    let codes = r.rest();
    if codes.is_empty() {
        return Err(r.offence(empty, at));
    }
    match codes.iter().position(|&code| !ReasonCode(code).allowed_in(packet, r.receiver, r.version)) {
        Some(index) => Err(r.offence(unlisted, at + index)),
        None => Ok(codes),
    }
}
