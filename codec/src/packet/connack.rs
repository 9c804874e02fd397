//! CONNACK, Server to Client. [3.1.1 §3.2] [5.0 §3.2]
//!
//! ```text
//!   20  remaining length
//!   connect acknowledge flags    1      bit 0: session present
//!   code                         1
//!   properties                   5.0 only
//! ```

use crate::encode::{Unencodable, header, properties, properties_length};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties};
use crate::reader::Reader;
use crate::reason::ReasonCode;
use crate::types::{PacketType, Version};
use alloc::vec::Vec;

/// A CONNACK packet. [3.1.1 §3.2] [5.0 §3.2]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Connack<'a> {
    /// Session Present; 3.1 has no such flag.
    pub session_present: bool,
    /// Connect Reason Code (5.0) or return code (see [`crate::reason::return_code`]). 0 accepts.
    pub code: ReasonCode,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
}

impl<'a> Connack<'a> {
    /// A CONNACK without properties.
    pub const fn new(session_present: bool, code: ReasonCode) -> Self {
        Connack { session_present, code, properties: Properties::NONE }
    }

    pub(super) fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let flags_at = r.at();
        let flags = r.u8()?;
        // 3.1 reserves the whole byte without giving it a value.
        if flags > 1 && r.version != Version::V3_1 {
            return Err(r.offence(Offence::ConnackFlags, flags_at));
        }
        let code_at = r.at();
        let code = ReasonCode(r.u8()?);
        if !code.allowed_in(PacketType::Connack, r.receiver, r.version) {
            return Err(r.offence(Offence::ConnackCode, code_at));
        }
        let session_present = flags & 1 != 0 && r.version != Version::V3_1;
        if session_present && code != ReasonCode::SUCCESS {
            return Err(r.offence(Offence::ConnackSessionPresent, flags_at));
        }
        let properties = match r.version {
            Version::V5 => Properties::decode(r, Place::Packet(PacketType::Connack))?.0,
            _ => Properties::NONE,
        };
        Ok(Connack { session_present, code, properties })
    }

    pub(super) fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        header(0x20, 2 + properties_length(self.properties.as_bytes(), version), to)?;
        to.push(u8::from(self.session_present && version != Version::V3_1));
        to.push(self.code.0);
        properties(self.properties.as_bytes(), version, to);
        Ok(())
    }
}
