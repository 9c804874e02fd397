//! DISCONNECT; before 5.0 from the Client only. [3.1.1 §3.14] [5.0 §3.14]
//!
//! ```text
//!   E0  remaining length
//!   reason code                  1      5.0 only; may be left out if 0x00 and there are no properties
//!   properties                   5.0 only; may be left out if there are none
//! ```

use crate::encode::{Unencodable, header, properties, properties_length};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties};
use crate::reader::Reader;
use crate::reason::ReasonCode;
use crate::types::{PacketType, Version};
use alloc::vec::Vec;

/// A DISCONNECT packet. [3.1.1 §3.14] [5.0 §3.14]
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Disconnect<'a> {
    /// 5.0: Disconnect Reason Code; otherwise 0.
    pub reason: ReasonCode,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
}

impl<'a> Disconnect<'a> {
    /// A DISCONNECT without properties.
    pub const fn new(reason: ReasonCode) -> Self {
        Disconnect { reason, properties: Properties::NONE }
    }

    pub(super) fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let mut disconnect = Disconnect::default();
        if r.version != Version::V5 || r.is_empty() {
            return Ok(disconnect);
        }
        let at = r.at();
        disconnect.reason = ReasonCode(r.u8()?);
        if !disconnect.reason.allowed_in(PacketType::Disconnect, r.receiver, r.version) {
            return Err(r.offence(Offence::DisconnectCode, at));
        }
        if !r.is_empty() {
            disconnect.properties = Properties::decode(r, Place::Packet(PacketType::Disconnect))?.0;
        }
        Ok(disconnect)
    }

    pub(super) fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        let with_properties = version == Version::V5 && !self.properties.is_empty();
        let with_reason = version == Version::V5 && (with_properties || self.reason != ReasonCode::SUCCESS);
        let properties_length =
            if with_properties { properties_length(self.properties.as_bytes(), version) } else { 0 };
        header(0xE0, usize::from(with_reason) + properties_length, to)?;
        if with_reason {
            to.push(self.reason.0);
        }
        if with_properties {
            properties(self.properties.as_bytes(), version, to);
        }
        Ok(())
    }
}
