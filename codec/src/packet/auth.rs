//! AUTH, both ways, 5.0 only. [5.0 §3.15]
//!
//! ```text
//!   F0  remaining length
//!   reason code                  1
//!   properties                   with Authentication Method
//! ```
//!
//! The short form of length 0 would lack the Authentication Method, which every AUTH must carry
//! [5.0/MQTT-4.12.0-5]: it is refused.

use crate::encode::{Unencodable, header, properties, properties_length};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties, PropertyId};
use crate::reader::Reader;
use crate::reason::ReasonCode;
use crate::types::{PacketType, Version};
use alloc::vec::Vec;

/// An AUTH packet. [5.0 §3.15]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Auth<'a> {
    /// Authenticate Reason Code.
    pub reason: ReasonCode,
    /// The properties, Authentication Method among them.
    pub properties: Properties<'a>,
}

impl<'a> Auth<'a> {
    pub(super) fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let at = r.at();
        if r.is_empty() {
            return Err(r.offence(Offence::AuthenticationMethodMissing, at));
        }
        let reason = ReasonCode(r.u8()?);
        if !reason.allowed_in(PacketType::Auth, r.receiver, r.version) {
            return Err(r.offence(Offence::AuthCode, at));
        }
        let properties_at = r.at();
        if r.is_empty() {
            return Err(r.offence(Offence::AuthenticationMethodMissing, properties_at));
        }
        let (properties, present) = Properties::decode(r, Place::Packet(PacketType::Auth))?;
        if !present.has(PropertyId::AuthenticationMethod) {
            return Err(r.offence(Offence::AuthenticationMethodMissing, properties_at));
        }
        Ok(Auth { reason, properties })
    }

    pub(super) fn encode(&self, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        header(0xF0, 1 + properties_length(self.properties.as_bytes(), Version::V5), to)?;
        to.push(self.reason.0);
        properties(self.properties.as_bytes(), Version::V5, to);
        Ok(())
    }
}
