//! The 27 properties of 5.0, one table, and the validated lists that packets carry. [5.0 §2.2.2]

mod check;

use crate::malformed::{Malformed, Offence};
use crate::reader::Reader;
use crate::types::{PacketType, Receiver};
use alloc::vec::Vec;
use core::fmt;

pub(crate) use check::Present;

/// Where properties can stand: the packet types by number, and the Will Properties as 0.
type Places = u16;

const WILL: Places = 1 << 0;
const CONNECT: Places = 1 << PacketType::Connect as u16;
const CONNACK: Places = 1 << PacketType::Connack as u16;
const PUBLISH: Places = 1 << PacketType::Publish as u16;
const ACKS: Places = 1 << PacketType::Puback as u16
    | 1 << PacketType::Pubrec as u16
    | 1 << PacketType::Pubrel as u16
    | 1 << PacketType::Pubcomp as u16;
const SUBSCRIBE: Places = 1 << PacketType::Subscribe as u16;
const SUBACK: Places = 1 << PacketType::Suback as u16;
const UNSUBSCRIBE: Places = 1 << PacketType::Unsubscribe as u16;
const UNSUBACK: Places = 1 << PacketType::Unsuback as u16;
const DISCONNECT: Places = 1 << PacketType::Disconnect as u16;
const AUTH: Places = 1 << PacketType::Auth as u16;
const ALL: Places = WILL
    | CONNECT
    | CONNACK
    | PUBLISH
    | ACKS
    | SUBSCRIBE
    | SUBACK
    | UNSUBSCRIBE
    | UNSUBACK
    | DISCONNECT
    | AUTH;

/// The type of a property's value. [5.0 §2.2.2.2]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueType {
    /// One byte, 0 or 1.
    Flag,
    /// One byte, 0 or 1, that tells of the payload.
    Byte,
    /// Two Byte Integer.
    TwoByte,
    /// Four Byte Integer.
    FourByte,
    /// Variable Byte Integer.
    Variable,
    /// UTF-8 Encoded String.
    Text,
    /// Binary Data.
    Binary,
    /// UTF-8 String Pair.
    Pair,
}

#[rustfmt::skip]
macro_rules! value {
    (Flag, $a:lifetime) => { bool };
    (Byte, $a:lifetime) => { u8 };
    (TwoByte, $a:lifetime) => { u16 };
    (FourByte, $a:lifetime) => { u32 };
    (Variable, $a:lifetime) => { u32 };
    (Text, $a:lifetime) => { &$a str };
    (Binary, $a:lifetime) => { &$a [u8] };
    (Pair, $a:lifetime) => { (&$a str, &$a str) };
}

#[rustfmt::skip]
macro_rules! read {
    (Flag, $r:ident) => { $r.u8()? != 0 };
    (Byte, $r:ident) => { $r.u8()? };
    (TwoByte, $r:ident) => { $r.u16()? };
    (FourByte, $r:ident) => { $r.u32()? };
    (Variable, $r:ident) => { $r.variable_byte_integer()? };
    (Text, $r:ident) => { $r.string()? };
    (Binary, $r:ident) => { $r.binary()? };
    (Pair, $r:ident) => { ($r.string()?, $r.string()?) };
}

#[rustfmt::skip]
macro_rules! write_value {
    (Flag, $v:expr, $to:ident) => { $to.push(u8::from($v)) };
    (Byte, $v:expr, $to:ident) => { $to.push($v) };
    (TwoByte, $v:expr, $to:ident) => { $to.extend_from_slice(&$v.to_be_bytes()) };
    (FourByte, $v:expr, $to:ident) => { $to.extend_from_slice(&$v.to_be_bytes()) };
    (Variable, $v:expr, $to:ident) => { crate::encode::variable_byte_integer($v, $to) };
    (Text, $v:expr, $to:ident) => { crate::encode::text($v, $to) };
    (Binary, $v:expr, $to:ident) => { crate::encode::binary($v, $to) };
    (Pair, $v:expr, $to:ident) => { crate::encode::text($v.0, $to); crate::encode::text($v.1, $to) };
}

macro_rules! properties {
    ($($id:literal $variant:ident $getter:ident $kind:ident $name:literal $places:expr;)*) => {
        /// The identifier of a property. [5.0 §2.2.2.2]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum PropertyId {
            $(#[doc = concat!($name, ".")] $variant = $id,)*
        }

        impl PropertyId {
            /// Every property, in the order of its identifier.
            pub const ALL: &'static [PropertyId] = &[$(PropertyId::$variant),*];

            /// The property with this identifier.
            pub const fn from_u8(id: u8) -> Option<PropertyId> {
                match id { $($id => Some(PropertyId::$variant),)* _ => None }
            }

            /// The name as the specification writes it.
            pub const fn name(self) -> &'static str {
                match self { $(PropertyId::$variant => $name,)* }
            }

            /// The type of its value.
            pub const fn value_type(self) -> ValueType {
                match self { $(PropertyId::$variant => ValueType::$kind,)* }
            }

            const fn places(self) -> Places {
                match self { $(PropertyId::$variant => $places,)* }
            }
        }

        /// A property with its value. [5.0 §2.2.2.2]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Property<'a> {
            $(#[doc = concat!($name, ".")] $variant(value!($kind, 'a)),)*
        }

        impl<'a> Property<'a> {
            /// Which property this is.
            pub const fn id(&self) -> PropertyId {
                match self { $(Property::$variant(_) => PropertyId::$variant,)* }
            }

            fn read(id: PropertyId, reader: &mut Reader<'a>) -> Result<Self, Malformed> {
                Ok(match id { $(PropertyId::$variant => Property::$variant(read!($kind, reader)),)* })
            }

            fn write(&self, to: &mut Vec<u8>) {
                to.push(self.id() as u8);
                match *self { $(Property::$variant(value) => { write_value!($kind, value, to); })* }
            }
        }

        impl<'a> Properties<'a> {
            $(
                #[doc = concat!("The value of ", $name, ", the first if it is repeated.")]
                pub fn $getter(&self) -> Option<value!($kind, 'a)> {
                    self.iter().find_map(|p| match p { Property::$variant(value) => Some(value), _ => None })
                }
            )*
        }
    };
}

// Columns: identifier, variant, getter, type, name, the packets that may carry it.
properties! {
    0x01 PayloadFormatIndicator payload_format_indicator Byte "Payload Format Indicator" PUBLISH | WILL;
    0x02 MessageExpiryInterval message_expiry_interval FourByte "Message Expiry Interval" PUBLISH | WILL;
    0x03 ContentType content_type Text "Content Type" PUBLISH | WILL;
    0x08 ResponseTopic response_topic Text "Response Topic" PUBLISH | WILL;
    0x09 CorrelationData correlation_data Binary "Correlation Data" PUBLISH | WILL;
    0x0B SubscriptionIdentifier subscription_identifier Variable "Subscription Identifier" PUBLISH | SUBSCRIBE;
    0x11 SessionExpiryInterval session_expiry_interval FourByte "Session Expiry Interval" CONNECT | CONNACK | DISCONNECT;
    0x12 AssignedClientIdentifier assigned_client_identifier Text "Assigned Client Identifier" CONNACK;
    0x13 ServerKeepAlive server_keep_alive TwoByte "Server Keep Alive" CONNACK;
    0x15 AuthenticationMethod authentication_method Text "Authentication Method" CONNECT | CONNACK | AUTH;
    0x16 AuthenticationData authentication_data Binary "Authentication Data" CONNECT | CONNACK | AUTH;
    0x17 RequestProblemInformation request_problem_information Flag "Request Problem Information" CONNECT;
    0x18 WillDelayInterval will_delay_interval FourByte "Will Delay Interval" WILL;
    0x19 RequestResponseInformation request_response_information Flag "Request Response Information" CONNECT;
    0x1A ResponseInformation response_information Text "Response Information" CONNACK;
    0x1C ServerReference server_reference Text "Server Reference" CONNACK | DISCONNECT;
    0x1F ReasonString reason_string Text "Reason String" CONNACK | ACKS | SUBACK | UNSUBACK | DISCONNECT | AUTH;
    0x21 ReceiveMaximum receive_maximum TwoByte "Receive Maximum" CONNECT | CONNACK;
    0x22 TopicAliasMaximum topic_alias_maximum TwoByte "Topic Alias Maximum" CONNECT | CONNACK;
    0x23 TopicAlias topic_alias TwoByte "Topic Alias" PUBLISH;
    0x24 MaximumQos maximum_qos Byte "Maximum QoS" CONNACK;
    0x25 RetainAvailable retain_available Flag "Retain Available" CONNACK;
    0x26 UserProperty user_property Pair "User Property" ALL;
    0x27 MaximumPacketSize maximum_packet_size FourByte "Maximum Packet Size" CONNECT | CONNACK;
    0x28 WildcardSubscriptionAvailable wildcard_subscription_available Flag "Wildcard Subscription Available" CONNACK;
    0x29 SubscriptionIdentifierAvailable subscription_identifier_available Flag "Subscription Identifier Available" CONNACK;
    0x2A SharedSubscriptionAvailable shared_subscription_available Flag "Shared Subscription Available" CONNACK;
}

/// Where a property list stands. [5.0 §2.2.2]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the variable header of this packet.
    Packet(PacketType),
    /// The Will Properties of CONNECT.
    Will,
}

impl Place {
    const fn bit(self) -> Places {
        match self {
            Place::Packet(packet) => 1 << packet as u16,
            Place::Will => WILL,
        }
    }
}

impl PropertyId {
    /// Whether the property may stand in `place` when `receiver` receives it. [5.0 §2.2.2.2]
    pub const fn allowed_in(self, place: Place, receiver: Receiver) -> bool {
        self.places() & place.bit() != 0
            && match (self, place, receiver) {
                (PropertyId::SubscriptionIdentifier, Place::Packet(PacketType::Publish), r) => {
                    matches!(r, Receiver::Client)
                }
                (PropertyId::SessionExpiryInterval, Place::Packet(PacketType::Disconnect), r) => {
                    matches!(r, Receiver::Server)
                }
                (PropertyId::ServerReference, Place::Packet(PacketType::Disconnect), r) => {
                    matches!(r, Receiver::Client)
                }
                _ => true,
            }
    }

    /// Whether the property may stand more than once in `place`.
    pub const fn repeatable_in(self, place: Place) -> bool {
        match self {
            PropertyId::UserProperty => true,
            PropertyId::SubscriptionIdentifier => matches!(place, Place::Packet(PacketType::Publish)),
            _ => false,
        }
    }
}

/// A list of properties as a packet carries it: a view over bytes that were validated before. [5.0 §2.2.2]
///
/// Two lists are equal if they hold the same properties in the same order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Properties<'a> {
    bytes: &'a [u8],
}

impl<'a> Properties<'a> {
    /// No properties.
    pub const NONE: Properties<'static> = Properties { bytes: &[] };

    /// The encoded properties, without the Property Length.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The properties in the order of the packet.
    pub fn iter(&self) -> Iter<'a> {
        Iter { reader: Reader::new(self.bytes, 0, crate::Version::V5, Receiver::Client) }
    }

    /// All User Properties, in order.
    pub fn user_properties(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.iter().filter_map(|p| match p {
            Property::UserProperty(pair) => Some(pair),
            _ => None,
        })
    }

    /// All Subscription Identifiers, in order.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.iter().filter_map(|p| match p {
            Property::SubscriptionIdentifier(id) => Some(id),
            _ => None,
        })
    }

    /// Reads a Property Length and the properties behind it, and tells which properties there are.
    #[inline(always)]
    pub(crate) fn decode(reader: &mut Reader<'a>, place: Place) -> Result<(Self, Present), Malformed> {
        if reader.is_empty() {
            return Err(reader.offence(Offence::PropertyLengthMissing, reader.at()));
        }
        let start = reader.at();
        let length = reader.variable_byte_integer()? as usize;
        if length == 0 {
            return Ok((Properties::NONE, Present(0)));
        }
        let mut list = reader
            .sub(length, Offence::PropertyLengthOverrun)
            .map_err(|m| Malformed { offset: start as u32, ..m })?;
        let present = check::list(list.peek(), list.at(), list.receiver, place)?;
        Ok((Properties { bytes: list.rest() }, present))
    }
}

impl<'a> IntoIterator for &Properties<'a> {
    type Item = Property<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Iterator over the properties of a list.
#[derive(Clone)]
pub struct Iter<'a> {
    reader: Reader<'a>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        if self.reader.is_empty() {
            return None;
        }
        // The bytes were validated when the list was made: a failure cannot happen, and would end the list.
        let id = PropertyId::from_u8(self.reader.u8().ok()?)?;
        Property::read(id, &mut self.reader).ok()
    }
}

/// Properties under construction: pushes encode, [`PropertyList::view`] is what a packet carries. [5.0 §2.2.2]
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct PropertyList {
    bytes: Vec<u8>,
}

impl PropertyList {
    /// An empty list.
    pub const fn new() -> Self {
        PropertyList { bytes: Vec::new() }
    }

    /// Appends a property. Strings and binary data are cut at 65,535 bytes, the most that their length can tell
    /// (strings not inside a character), and a Variable Byte Integer at 268,435,455.
    pub fn push(&mut self, property: Property<'_>) -> &mut Self {
        property.write(&mut self.bytes);
        self
    }

    /// Appends a property, for chains.
    #[must_use]
    pub fn with(mut self, property: Property<'_>) -> Self {
        self.push(property);
        self
    }

    /// The list as a packet carries it.
    pub fn view(&self) -> Properties<'_> {
        Properties { bytes: &self.bytes }
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl From<Properties<'_>> for PropertyList {
    fn from(properties: Properties<'_>) -> Self {
        PropertyList { bytes: properties.bytes.to_vec() }
    }
}

impl<'a> FromIterator<Property<'a>> for PropertyList {
    fn from_iter<I: IntoIterator<Item = Property<'a>>>(properties: I) -> Self {
        let mut list = PropertyList::new();
        for property in properties {
            list.push(property);
        }
        list
    }
}

impl fmt::Debug for PropertyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}
