//! Bytes ↔ packets for MQTT 3.1, 3.1.1 and 5.0.
//!
//! [`Decoder`] turns bytes into borrowed [`Packet`] views without allocating, and refuses whatever the
//! specification of that version calls malformed or a protocol error: the refusal ([`Malformed`]) names the
//! offence, the byte offset, the statement and the 5.0 reason code. [`Packet::encode`] writes the same types
//! into the caller's buffer.
//!
//! ```
//! use mqtt_assay_codec::{Decoder, Packet, Publish, Qos, Receiver, Version};
//!
//! let mut bytes = Vec::new();
//! let sent = Packet::Publish(Publish::new("lamps/1", b"on"));
//! sent.encode(Version::V5, &mut bytes).unwrap();
//!
//! let decoder = Decoder::new(Version::V5, Receiver::Server);
//! let (packet, length) = decoder.next(&bytes).unwrap().expect("a whole packet");
//! assert_eq!((packet, length), (sent, bytes.len()));
//!
//! // A wildcard has no place in a Topic Name.
//! let refused = decoder.next(b"\x30\x05\x00\x02a#\x00").unwrap_err();
//! assert_eq!(refused.statement(), Some("MQTT-3.3.2-2"));
//! assert_eq!(refused.offset, 5);
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod describe;
mod encode;
pub mod frame;
#[cfg(feature = "generate")]
pub mod generate;
pub mod malformed;
pub mod packet;
pub mod property;
pub mod raw;
mod reader;
pub mod reason;
mod text;
pub mod topic;
mod types;
mod unchecked;

pub use encode::Unencodable;
pub use frame::{Frame, Split};
pub use malformed::{Malformed, Offence};
pub use packet::{
    Ack, Auth, Connack, Connect, Decoder, Disconnect, Packet, Publish, RetainHandling, Suback, Subscribe,
    Subscription, SubscriptionList, SubscriptionOptions, TopicFilterList, Unsuback, Unsubscribe, Will,
};
pub use property::{Properties, Property, PropertyId, PropertyList};
pub use reason::ReasonCode;
pub use types::{MAX_REMAINING_LENGTH, PacketId, PacketType, Qos, Receiver, Version};
