//! UNSUBSCRIBE, Client to Server. [3.1.1 §3.10] [5.0 §3.10]
//!
//! ```text
//!   A2  remaining length
//!   packet identifier            2
//!   properties                   5.0 only
//!   { topic filter               2 + n }  one or more
//! ```

use super::subscribe::topic_filter;
use crate::encode::{Unencodable, header, properties, properties_length, text};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties};
use crate::reader::Reader;
use crate::types::{PacketId, PacketType, Receiver, Version};
use alloc::vec::Vec;
use core::fmt;

/// An UNSUBSCRIBE packet. [3.1.1 §3.10] [5.0 §3.10]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unsubscribe<'a> {
    /// Packet Identifier, which UNSUBACK repeats.
    pub packet_id: PacketId,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
    /// The Topic Filters, in order.
    pub filters: TopicFilters<'a>,
}

/// The validated list of an UNSUBSCRIBE, iterated on demand. [3.1.1 §3.10.3] [5.0 §3.10.3]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TopicFilters<'a> {
    bytes: &'a [u8],
}

impl<'a> TopicFilters<'a> {
    /// The filters in the order of the packet.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut reader = Reader::new(self.bytes, 0, Version::V5, Receiver::Server);
        core::iter::from_fn(move || reader.string().ok())
    }
}

impl fmt::Debug for TopicFilters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The list of an UNSUBSCRIBE under construction. [3.1.1 §3.10.3] [5.0 §3.10.3]
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TopicFilterList {
    bytes: Vec<u8>,
}

impl TopicFilterList {
    /// An empty list.
    pub const fn new() -> Self {
        TopicFilterList { bytes: Vec::new() }
    }

    /// A list of one filter.
    pub fn one(filter: &str) -> Self {
        let mut list = TopicFilterList::new();
        list.push(filter);
        list
    }

    /// Appends a filter; it is cut at 65,535 bytes, the most that its length can tell, not inside a character.
    pub fn push(&mut self, filter: &str) -> &mut Self {
        text(filter, &mut self.bytes);
        self
    }

    /// The list as the packet carries it.
    pub fn view(&self) -> TopicFilters<'_> {
        TopicFilters { bytes: &self.bytes }
    }
}

impl<'a> Unsubscribe<'a> {
    #[inline(always)]
    pub(super) fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let packet_id = r.packet_id()?;
        let properties = match r.version {
            Version::V5 => Properties::decode(r, Place::Packet(PacketType::Unsubscribe))?.0,
            _ => Properties::NONE,
        };
        if r.is_empty() {
            return Err(r.offence(Offence::UnsubscribeEmpty, r.at()));
        }
        let mut list = *r;
        while !r.is_empty() {
            topic_filter(r)?;
        }
        Ok(Unsubscribe { packet_id, properties, filters: TopicFilters { bytes: list.rest() } })
    }

    pub(super) fn encode(&self, version: Version, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        let list = self.filters.bytes;
        header(0xA2, 2 + properties_length(self.properties.as_bytes(), version) + list.len(), to)?;
        to.extend_from_slice(&self.packet_id.get().to_be_bytes());
        properties(self.properties.as_bytes(), version, to);
        to.extend_from_slice(list);
        Ok(())
    }
}
