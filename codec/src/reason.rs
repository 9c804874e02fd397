//! Reason Codes of 5.0 and the return codes of CONNACK and SUBACK in 3.1 and 3.1.1, one table.
//! [5.0 §2.4] [3.1.1 §3.2.2.3, §3.9.3]

use crate::types::{PacketType, Receiver, Version};
use core::fmt;

/// A Reason Code (5.0) or return code (3.1, 3.1.1), as the byte on the wire. [3.1.1 §3.2.2.3, §3.9.3] [5.0 §2.4]
///
/// The constants are the Reason Codes of 5.0; codes below 0x80 mean success. The return codes of CONNACK in
/// 3.1.1 are in [`return_code`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReasonCode(pub u8);

const CONNACK: u16 = 1 << 0;
const PUBACK: u16 = 1 << 1;
const PUBREC: u16 = 1 << 2;
const PUBREL: u16 = 1 << 3;
const PUBCOMP: u16 = 1 << 4;
const SUBACK: u16 = 1 << 5;
const UNSUBACK: u16 = 1 << 6;
/// DISCONNECT sent by the Client.
const DISCONNECT_C: u16 = 1 << 7;
/// DISCONNECT sent by the Server.
const DISCONNECT_S: u16 = 1 << 8;
/// AUTH sent by the Client.
const AUTH_C: u16 = 1 << 9;
/// AUTH sent by the Server.
const AUTH_S: u16 = 1 << 10;

/// PUBACK and PUBREC sent by the Server: one code is the Server's alone.
const PUB_S: u16 = 1 << 11;
const PUB: u16 = PUBACK | PUBREC | PUB_S;
const SUBS: u16 = SUBACK | UNSUBACK;
const DISCONNECT: u16 = DISCONNECT_C | DISCONNECT_S;

macro_rules! reason_codes {
    ($($code:literal $constant:ident $name:literal $carriers:expr;)*) => {
        impl ReasonCode {
            $(#[doc = concat!($name, ".")] pub const $constant: ReasonCode = ReasonCode($code);)*

            /// Every Reason Code of 5.0, in the order of its value.
            pub const ALL: &'static [ReasonCode] = &[$(ReasonCode($code)),*];

            /// The name in table 2-6 of 5.0; `None` for a value that the table lacks.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($code => Some($name),)* _ => None }
            }
        }

        /// For each value, the packets that may carry it.
        const CARRIERS: [u16; 256] = {
            let mut table = [0; 256];
            $(table[$code] = $carriers;)*
            table
        };
    };
}

// Tables 3-4 and 3-5 say that 0x10 comes from the Server only. Table 3-10 leaves 0x8C out of DISCONNECT while table 2-6 has it: accepted from the Server, where it ends a
// re-authentication.
reason_codes! {
    0x00 SUCCESS "Success" CONNACK | PUB | PUBREL | PUBCOMP | SUBS | DISCONNECT | AUTH_S;
    0x01 GRANTED_QOS_1 "Granted QoS 1" SUBACK;
    0x02 GRANTED_QOS_2 "Granted QoS 2" SUBACK;
    0x04 DISCONNECT_WITH_WILL_MESSAGE "Disconnect with Will Message" DISCONNECT_C;
    0x10 NO_MATCHING_SUBSCRIBERS "No matching subscribers" PUB_S;
    0x11 NO_SUBSCRIPTION_EXISTED "No subscription existed" UNSUBACK;
    0x18 CONTINUE_AUTHENTICATION "Continue authentication" AUTH_C | AUTH_S;
    0x19 RE_AUTHENTICATE "Re-authenticate" AUTH_C;
    0x80 UNSPECIFIED_ERROR "Unspecified error" CONNACK | PUB | SUBS | DISCONNECT;
    0x81 MALFORMED_PACKET "Malformed Packet" CONNACK | DISCONNECT;
    0x82 PROTOCOL_ERROR "Protocol Error" CONNACK | DISCONNECT;
    0x83 IMPLEMENTATION_SPECIFIC_ERROR "Implementation specific error" CONNACK | PUB | SUBS | DISCONNECT;
    0x84 UNSUPPORTED_PROTOCOL_VERSION "Unsupported Protocol Version" CONNACK;
    0x85 CLIENT_IDENTIFIER_NOT_VALID "Client Identifier not valid" CONNACK;
    0x86 BAD_USER_NAME_OR_PASSWORD "Bad User Name or Password" CONNACK;
    0x87 NOT_AUTHORIZED "Not authorized" CONNACK | PUB | SUBS | DISCONNECT_S;
    0x88 SERVER_UNAVAILABLE "Server unavailable" CONNACK;
    0x89 SERVER_BUSY "Server busy" CONNACK | DISCONNECT_S;
    0x8A BANNED "Banned" CONNACK;
    0x8B SERVER_SHUTTING_DOWN "Server shutting down" DISCONNECT_S;
    0x8C BAD_AUTHENTICATION_METHOD "Bad authentication method" CONNACK | DISCONNECT_S;
    0x8D KEEP_ALIVE_TIMEOUT "Keep Alive timeout" DISCONNECT_S;
    0x8E SESSION_TAKEN_OVER "Session taken over" DISCONNECT_S;
    0x8F TOPIC_FILTER_INVALID "Topic Filter invalid" SUBS | DISCONNECT_S;
    0x90 TOPIC_NAME_INVALID "Topic Name invalid" CONNACK | PUB | DISCONNECT;
    0x91 PACKET_IDENTIFIER_IN_USE "Packet Identifier in use" PUB | SUBS;
    0x92 PACKET_IDENTIFIER_NOT_FOUND "Packet Identifier not found" PUBREL | PUBCOMP;
    0x93 RECEIVE_MAXIMUM_EXCEEDED "Receive Maximum exceeded" DISCONNECT;
    0x94 TOPIC_ALIAS_INVALID "Topic Alias invalid" DISCONNECT;
    0x95 PACKET_TOO_LARGE "Packet too large" CONNACK | DISCONNECT;
    0x96 MESSAGE_RATE_TOO_HIGH "Message rate too high" DISCONNECT;
    0x97 QUOTA_EXCEEDED "Quota exceeded" CONNACK | PUB | SUBACK | DISCONNECT;
    0x98 ADMINISTRATIVE_ACTION "Administrative action" DISCONNECT;
    0x99 PAYLOAD_FORMAT_INVALID "Payload format invalid" CONNACK | PUB | DISCONNECT;
    0x9A RETAIN_NOT_SUPPORTED "Retain not supported" CONNACK | DISCONNECT_S;
    0x9B QOS_NOT_SUPPORTED "QoS not supported" CONNACK | DISCONNECT_S;
    0x9C USE_ANOTHER_SERVER "Use another server" CONNACK | DISCONNECT_S;
    0x9D SERVER_MOVED "Server moved" CONNACK | DISCONNECT_S;
    0x9E SHARED_SUBSCRIPTIONS_NOT_SUPPORTED "Shared Subscriptions not supported" SUBACK | DISCONNECT_S;
    0x9F CONNECTION_RATE_EXCEEDED "Connection rate exceeded" CONNACK | DISCONNECT_S;
    0xA0 MAXIMUM_CONNECT_TIME "Maximum connect time" DISCONNECT_S;
    0xA1 SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED "Subscription Identifiers not supported" SUBACK | DISCONNECT_S;
    0xA2 WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED "Wildcard Subscriptions not supported" SUBACK | DISCONNECT_S;
}

/// The return codes of CONNACK in 3.1 and 3.1.1. [3.1.1 §3.2.2.3]
pub mod return_code {
    use super::ReasonCode;

    /// Connection accepted.
    pub const ACCEPTED: ReasonCode = ReasonCode(0);
    /// The Server does not support the protocol level.
    pub const UNACCEPTABLE_PROTOCOL_VERSION: ReasonCode = ReasonCode(1);
    /// The Client Identifier is correct UTF-8 but not allowed by the Server.
    pub const IDENTIFIER_REJECTED: ReasonCode = ReasonCode(2);
    /// The MQTT service is unavailable.
    pub const SERVER_UNAVAILABLE: ReasonCode = ReasonCode(3);
    /// The data in the user name or password is malformed.
    pub const BAD_USER_NAME_OR_PASSWORD: ReasonCode = ReasonCode(4);
    /// The Client is not authorized to connect.
    pub const NOT_AUTHORIZED: ReasonCode = ReasonCode(5);
}

impl ReasonCode {
    /// Whether the code means success: it is below 0x80. (For a 3.1.1 CONNACK only 0 does.) [5.0 §2.4]
    pub const fn is_success(self) -> bool {
        self.0 < 0x80
    }

    /// Whether a packet of this type may carry the code towards `receiver`.
    ///
    /// Packets without such a code (PUBLISH, PINGREQ…) carry none.
    pub const fn allowed_in(self, packet: PacketType, receiver: Receiver, version: Version) -> bool {
        if !matches!(version, Version::V5) {
            return match packet {
                PacketType::Connack => self.0 <= 5,
                PacketType::Suback => matches!(self.0, 0 | 1 | 2 | 0x80),
                _ => false,
            };
        }
        let bit = match (packet, receiver) {
            (PacketType::Connack, _) => CONNACK,
            (PacketType::Puback | PacketType::Pubrec, Receiver::Client) => PUB_S,
            (PacketType::Puback, _) => PUBACK,
            (PacketType::Pubrec, _) => PUBREC,
            (PacketType::Pubrel, _) => PUBREL,
            (PacketType::Pubcomp, _) => PUBCOMP,
            (PacketType::Suback, _) => SUBACK,
            (PacketType::Unsuback, _) => UNSUBACK,
            (PacketType::Disconnect, Receiver::Server) => DISCONNECT_C,
            (PacketType::Disconnect, Receiver::Client) => DISCONNECT_S,
            (PacketType::Auth, Receiver::Server) => AUTH_C,
            (PacketType::Auth, Receiver::Client) => AUTH_S,
            _ => return false,
        };
        CARRIERS[self.0 as usize] & bit != 0
    }

    /// The name that the code has in this packet: 0x00 and the codes of 3.1.1 change theirs.
    pub const fn name_in(self, packet: PacketType, version: Version) -> Option<&'static str> {
        match (packet, version, self.0) {
            (PacketType::Connack, Version::V3_1 | Version::V3_1_1, code) => match code {
                0 => Some("Connection accepted"),
                1 => Some("unacceptable protocol version"),
                2 => Some("identifier rejected"),
                3 => Some("Server unavailable"),
                4 => Some("bad user name or password"),
                5 => Some("not authorized"),
                _ => None,
            },
            (PacketType::Suback, _, 0) => Some("Granted QoS 0"),
            (PacketType::Suback, Version::V3_1 | Version::V3_1_1, 0x80) => Some("Failure"),
            (PacketType::Disconnect, _, 0) => Some("Normal disconnection"),
            _ => self.name(),
        }
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "0x{:02X} {name}", self.0),
            None => write!(f, "0x{:02X}", self.0),
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn listed(packet: PacketType, receiver: Receiver) -> Vec<u8> {
        (0..=255).filter(|&c| ReasonCode(c).allowed_in(packet, receiver, Version::V5)).collect()
    }

    /// The rows of the specification's tables, packet by packet: a second reading of the table above.
    #[test]
    fn carriers_agree_with_the_tables_of_each_packet() {
        use PacketType::*;
        use Receiver::*;
        assert_eq!(
            listed(Connack, Client),
            [
                0, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97,
                0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F
            ]
        );
        for ack in [Puback, Pubrec] {
            assert_eq!(listed(ack, Server), [0, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
            assert_eq!(listed(ack, Client), [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
        }
        for ack in [Pubrel, Pubcomp] {
            assert_eq!(listed(ack, Server), [0, 0x92]);
        }
        assert_eq!(listed(Suback, Client), [0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2]);
        assert_eq!(listed(Unsuback, Client), [0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]);
        assert_eq!(
            listed(Disconnect, Server),
            [0, 4, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]
        );
        assert_eq!(
            listed(Disconnect, Client),
            [
                0, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95,
                0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2
            ]
        );
        assert_eq!(listed(Auth, Server), [0x18, 0x19]);
        assert_eq!(listed(Auth, Client), [0, 0x18]);
        assert_eq!(listed(Publish, Client), []);
    }
}
