//! The small words that every module speaks: version, packet type, QoS, who receives.

use core::fmt;
use core::num::NonZeroU16;

/// The largest value of a Variable Byte Integer, and so of a Remaining Length. [3.1.1 §2.2.3] [5.0 §1.5.5]
pub const MAX_REMAINING_LENGTH: u32 = 268_435_455;

/// A Packet Identifier: never 0. [3.1.1/MQTT-2.3.1-1] [5.0/MQTT-2.2.1-3] [5.0/MQTT-2.2.1-4]
pub type PacketId = NonZeroU16;

/// A version of the MQTT protocol. [3.1.1 §3.1.2.2] [5.0 §3.1.2.2]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    /// MQTT 3.1: protocol name `MQIsdp`, protocol level 3.
    V3_1,
    /// MQTT 3.1.1: protocol name `MQTT`, protocol level 4.
    V3_1_1,
    /// MQTT 5.0: protocol name `MQTT`, protocol version 5.
    V5,
}

impl Version {
    /// The protocol name in CONNECT.
    pub const fn protocol_name(self) -> &'static str {
        match self {
            Version::V3_1 => "MQIsdp",
            Version::V3_1_1 | Version::V5 => "MQTT",
        }
    }

    /// The protocol level (5.0: Protocol Version) in CONNECT.
    pub const fn level(self) -> u8 {
        match self {
            Version::V3_1 => 3,
            Version::V3_1_1 => 4,
            Version::V5 => 5,
        }
    }

    /// The number as people write it: `3.1`, `3.1.1`, `5.0`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Version::V3_1 => "3.1",
            Version::V3_1_1 => "3.1.1",
            Version::V5 => "5.0",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who receives the bytes: some packets travel in one direction only. [3.1.1 §2.2.1] [5.0 §2.1.2]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Receiver {
    /// The Server receives: the bytes come from a Client.
    Server,
    /// The Client receives: the bytes come from the Server.
    Client,
}

/// Quality of Service. [3.1.1 §4.3] [5.0 §4.3]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Qos {
    /// QoS 0.
    #[default]
    AtMostOnce = 0,
    /// QoS 1.
    AtLeastOnce = 1,
    /// QoS 2.
    ExactlyOnce = 2,
}

impl Qos {
    /// All levels, lowest first.
    pub const ALL: [Qos; 3] = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];

    /// The level with this number; `None` for 3, which no packet may carry, and above.
    pub const fn from_u8(value: u8) -> Option<Qos> {
        match value {
            0 => Some(Qos::AtMostOnce),
            1 => Some(Qos::AtLeastOnce),
            2 => Some(Qos::ExactlyOnce),
            _ => None,
        }
    }

    /// The level's number.
    pub const fn as_u8(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Qos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_u8())
    }
}

/// An MQTT Control Packet type. [3.1.1 §2.2.1] [5.0 §2.1.2]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PacketType {
    /// Connection request, Client to Server.
    Connect = 1,
    /// Connect acknowledgement, Server to Client.
    Connack = 2,
    /// Publish message, both ways.
    Publish = 3,
    /// Publish acknowledgement (QoS 1).
    Puback = 4,
    /// Publish received (QoS 2, part 1).
    Pubrec = 5,
    /// Publish release (QoS 2, part 2).
    Pubrel = 6,
    /// Publish complete (QoS 2, part 3).
    Pubcomp = 7,
    /// Subscribe request, Client to Server.
    Subscribe = 8,
    /// Subscribe acknowledgement, Server to Client.
    Suback = 9,
    /// Unsubscribe request, Client to Server.
    Unsubscribe = 10,
    /// Unsubscribe acknowledgement, Server to Client.
    Unsuback = 11,
    /// PING request, Client to Server.
    Pingreq = 12,
    /// PING response, Server to Client.
    Pingresp = 13,
    /// Disconnect notification; in 3.1 and 3.1.1 from the Client only.
    Disconnect = 14,
    /// Authentication exchange, 5.0 only.
    Auth = 15,
}

impl PacketType {
    /// All types in the order of their numbers.
    pub const ALL: [PacketType; 15] = [
        PacketType::Connect,
        PacketType::Connack,
        PacketType::Publish,
        PacketType::Puback,
        PacketType::Pubrec,
        PacketType::Pubrel,
        PacketType::Pubcomp,
        PacketType::Subscribe,
        PacketType::Suback,
        PacketType::Unsubscribe,
        PacketType::Unsuback,
        PacketType::Pingreq,
        PacketType::Pingresp,
        PacketType::Disconnect,
        PacketType::Auth,
    ];

    /// The type with this number; `None` for the reserved 0 and above 15.
    pub const fn from_u8(value: u8) -> Option<PacketType> {
        if value >= 1 && value <= 15 { Some(Self::ALL[value as usize - 1]) } else { None }
    }

    /// The name as the specifications write it.
    pub const fn name(self) -> &'static str {
        match self {
            PacketType::Connect => "CONNECT",
            PacketType::Connack => "CONNACK",
            PacketType::Publish => "PUBLISH",
            PacketType::Puback => "PUBACK",
            PacketType::Pubrec => "PUBREC",
            PacketType::Pubrel => "PUBREL",
            PacketType::Pubcomp => "PUBCOMP",
            PacketType::Subscribe => "SUBSCRIBE",
            PacketType::Suback => "SUBACK",
            PacketType::Unsubscribe => "UNSUBSCRIBE",
            PacketType::Unsuback => "UNSUBACK",
            PacketType::Pingreq => "PINGREQ",
            PacketType::Pingresp => "PINGRESP",
            PacketType::Disconnect => "DISCONNECT",
            PacketType::Auth => "AUTH",
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
