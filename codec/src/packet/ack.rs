//! PUBACK, PUBREC, PUBREL and PUBCOMP, both ways: one shape. [3.1.1 §3.4–3.7] [5.0 §3.4–3.7]
//!
//! ```text
//!   40 50 62 70  remaining length
//!   packet identifier            2
//!   reason code                  1      5.0 only; may be left out if 0x00 and there are no properties
//!   properties                   5.0 only; may be left out if there are none
//! ```

use crate::encode::{Unencodable, header, properties, properties_length};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties};
use crate::reader::Reader;
use crate::reason::ReasonCode;
use crate::types::{PacketId, PacketType, Version};
use alloc::vec::Vec;

/// A PUBACK, PUBREC, PUBREL or PUBCOMP packet. [3.1.1 §3.4–3.7] [5.0 §3.4–3.7]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ack<'a> {
    /// The Packet Identifier of the PUBLISH.
    pub packet_id: PacketId,
    /// 5.0: Reason Code; otherwise 0.
    pub reason: ReasonCode,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
}

impl<'a> Ack<'a> {
    /// An acknowledgement without properties.
    pub const fn new(packet_id: PacketId, reason: ReasonCode) -> Self {
        Ack { packet_id, reason, properties: Properties::NONE }
    }

    #[inline(always)]
    pub(super) fn decode(packet: PacketType, r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let mut ack = Ack::new(r.packet_id_or(Offence::AcknowledgedPublishZero)?, ReasonCode::SUCCESS);
        if r.version != Version::V5 || r.is_empty() {
            return Ok(ack);
        }
        let at = r.at();
        ack.reason = ReasonCode(r.u8()?);
        if !ack.reason.allowed_in(packet, r.receiver, r.version) {
            let offence = match packet {
                PacketType::Puback => Offence::PubackCode,
                PacketType::Pubrec => Offence::PubrecCode,
                PacketType::Pubrel => Offence::PubrelCode,
                _ => Offence::PubcompCode,
            };
            return Err(r.offence(offence, at));
        }
        if !r.is_empty() {
            ack.properties = Properties::decode(r, Place::Packet(packet))?.0;
        }
        Ok(ack)
    }

    pub(super) fn encode(
        &self,
        packet: PacketType,
        version: Version,
        to: &mut Vec<u8>,
    ) -> Result<(), Unencodable> {
        let first = (packet as u8) << 4 | if packet == PacketType::Pubrel { 0b0010 } else { 0 };
        let with_properties = version == Version::V5 && !self.properties.is_empty();
        let with_reason = version == Version::V5 && (with_properties || self.reason != ReasonCode::SUCCESS);
        let properties_length =
            if with_properties { properties_length(self.properties.as_bytes(), version) } else { 0 };
        header(first, 2 + usize::from(with_reason) + properties_length, to)?;
        to.extend_from_slice(&self.packet_id.get().to_be_bytes());
        if with_reason {
            to.push(self.reason.0);
        }
        if with_properties {
            properties(self.properties.as_bytes(), version, to);
        }
        Ok(())
    }
}
