//! UNSUBACK, Server to Client. [3.1.1 §3.11] [5.0 §3.11]
//!
//! ```text
//!   B0  remaining length
//!   packet identifier            2
//!   properties                   5.0 only
//!   { reason code                1 }  5.0 only: one for each filter of the UNSUBSCRIBE
//! ```

use super::suback::codes;
use crate::encode::{Unencodable, header, properties, properties_length};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties};
use crate::reader::Reader;
use crate::types::{PacketId, PacketType, Version};
use alloc::vec::Vec;

/// An UNSUBACK packet. [3.1.1 §3.11] [5.0 §3.11]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unsuback<'a> {
    /// The Packet Identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
    /// 5.0: one Reason Code for each filter, in order; empty before.
    pub codes: &'a [u8],
}

impl<'a> Unsuback<'a> {
    pub(super) fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let packet_id = r.packet_id_or(Offence::AcknowledgedRequestZero)?;
        if r.version != Version::V5 {
            return Ok(Unsuback { packet_id, properties: Properties::NONE, codes: &[] });
        }
        let properties = Properties::decode(r, Place::Packet(PacketType::Unsuback))?.0;
        let codes = codes(r, PacketType::Unsuback, Offence::UnsubackEmpty, Offence::UnsubackCode)?;
        Ok(Unsuback { packet_id, properties, codes })
    }

    pub(super) fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        let codes = if version == Version::V5 { self.codes } else { &[] };
        header(0xB0, 2 + properties_length(self.properties.as_bytes(), version) + codes.len(), to)?;
        to.extend_from_slice(&self.packet_id.get().to_be_bytes());
        properties(self.properties.as_bytes(), version, to);
        to.extend_from_slice(codes);
        Ok(())
    }
}
