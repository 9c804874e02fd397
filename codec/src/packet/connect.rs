//! CONNECT, Client to Server. [3.1.1 §3.1] [5.0 §3.1]
//!
//! ```text
//!   10  remaining length
//!   protocol name                2 + n
//!   protocol level               1
//!   connect flags                1      user name · password · will retain · will qos (2) · will · clean · 0
//!   keep alive                   2
//!   properties                   5.0 only
//!   client identifier            2 + n
//!   will properties              5.0 only ┐
//!   will topic                   2 + n    ├ if the Will Flag is set
//!   will payload                 2 + n    ┘
//!   user name                    2 + n    if its flag is set
//!   password                     2 + n    if its flag is set
//! ```

use crate::encode::{
    Unencodable, binary, field, header_and_length, properties, properties_length,
    variable_byte_integer_length,
};
use crate::malformed::{Malformed, Offence};
use crate::property::{Place, Properties, PropertyId};
use crate::reader::Reader;
use crate::text;
use crate::types::{PacketType, Qos, Version};
use alloc::vec::Vec;

/// A CONNECT packet. [3.1.1 §3.1] [5.0 §3.1]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Connect<'a> {
    /// The version that the Client asks for, by protocol name and level.
    pub version: Version,
    /// Clean Start; in 3.1 and 3.1.1 Clean Session. [5.0 §3.1.2.4]
    pub clean_start: bool,
    /// Keep Alive in seconds; 0 switches it off.
    pub keep_alive: u16,
    /// 5.0: the properties.
    pub properties: Properties<'a>,
    /// Client Identifier; empty asks the Server to choose one.
    pub client_id: &'a str,
    /// The Will, if the Will Flag is set.
    pub will: Option<Will<'a>>,
    /// User Name.
    pub user_name: Option<&'a str>,
    /// Password: binary data.
    pub password: Option<&'a [u8]>,
}

/// The Will Message of a CONNECT. [3.1.1 §3.1.2.5] [5.0 §3.1.3.2]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Will<'a> {
    /// Will Topic.
    pub topic: &'a str,
    /// Will Payload; in 3.1.1 Will Message.
    pub payload: &'a [u8],
    /// Will QoS.
    pub qos: Qos,
    /// Will Retain.
    pub retain: bool,
    /// 5.0: Will Properties.
    pub properties: Properties<'a>,
}

const CLEAN_START: u8 = 0b0000_0010;
const WILL_FLAG: u8 = 0b0000_0100;
const WILL_RETAIN: u8 = 0b0010_0000;
const PASSWORD: u8 = 0b0100_0000;
const USER_NAME: u8 = 0b1000_0000;

impl<'a> Connect<'a> {
    /// A CONNECT that starts afresh, with a Keep Alive of 60 seconds and nothing optional.
    pub const fn new(version: Version, client_id: &'a str) -> Self {
        Connect {
            version,
            clean_start: true,
            keep_alive: 60,
            properties: Properties::NONE,
            client_id,
            will: None,
            user_name: None,
            password: None,
        }
    }

    #[inline(always)]
    pub(super) fn decode(first: u8, r: &mut Reader<'a>) -> Result<Self, Malformed> {
        let (header, length) = (r.at(), r.left());
        let before = *r;
        let version = match r.take() {
            Ok([0, 4, b'M', b'Q', b'T', b'T', 4]) => Version::V3_1_1,
            Ok([0, 4, b'M', b'Q', b'T', b'T', 5]) => Version::V5,
            _ => {
                let version;
                (version, *r) = protocol(before)?;
                version
            }
        };
        // From here on the packet is judged by the version that it names.
        r.version = version;
        super::check_flags(PacketType::Connect, first & 0x0F, version)
            .map_err(|offence| r.offence(offence, 0))?;
        // [5.0/MQTT-1.5.5-1]
        if version == Version::V5 && header != 1 + variable_byte_integer_length(length as u32) {
            return Err(r.offence(Offence::RemainingLengthNotMinimal, 1));
        }
        let flags_at = r.at();
        let flags = r.u8()?;
        let will_qos = check_flags(flags, version).map_err(|offence| r.offence(offence, flags_at))?;
        let keep_alive = r.u16()?;
        let mut properties = Properties::NONE;
        if version == Version::V5 {
            let at = r.at();
            let present;
            (properties, present) = Properties::decode(r, Place::Packet(PacketType::Connect))?;
            // Authentication Data needs a method. [5.0 §3.1.2.11.10]
            if present.has(PropertyId::AuthenticationData) && !present.has(PropertyId::AuthenticationMethod) {
                return Err(r.offence(Offence::AuthenticationDataWithoutMethod, at));
            }
        }
        present(r, Offence::ClientIdentifierMissing)?;
        let client_id = r.string()?;
        let will = if flags & WILL_FLAG == 0 {
            None
        } else {
            Some(Will::decode(r, will_qos, flags & WILL_RETAIN != 0)?)
        };
        // 3.1 lets a packet end before a user name or password that its flags promise.
        let promised =
            |r: &Reader<'_>, flag| flags & flag != 0 && !(version == Version::V3_1 && r.is_empty());
        let user_name = if promised(r, USER_NAME) {
            present(r, Offence::UserNameMissing)?;
            Some(r.string()?)
        } else {
            None
        };
        let password = if promised(r, PASSWORD) {
            present(r, Offence::PasswordMissing)?;
            Some(r.binary()?)
        } else {
            None
        };
        r.end(Offence::ConnectTrailingBytes)?;
        let clean_start = flags & CLEAN_START != 0;
        Ok(Connect { version, clean_start, keep_alive, properties, client_id, will, user_name, password })
    }

    pub(super) fn encode(&self, to: &mut Vec<u8>) -> Result<(), Unencodable> {
        let version = self.version;
        if self.password.is_some() && self.user_name.is_none() && version != Version::V5 {
            return Err(Unencodable::PasswordWithoutUserName);
        }
        let mut flags = if self.clean_start { CLEAN_START } else { 0 };
        let mut length = 2 + version.protocol_name().len() + 4;
        length += properties_length(self.properties.as_bytes(), version) + field(self.client_id.as_bytes())?;
        if let Some(will) = &self.will {
            flags |= WILL_FLAG | will.qos.as_u8() << 3 | if will.retain { WILL_RETAIN } else { 0 };
            length += properties_length(will.properties.as_bytes(), version)
                + field(will.topic.as_bytes())?
                + field(will.payload)?;
        }
        if let Some(user_name) = self.user_name {
            flags |= USER_NAME;
            length += field(user_name.as_bytes())?;
        }
        if let Some(password) = self.password {
            flags |= PASSWORD;
            length += field(password)?;
        }
        let name = version.protocol_name().as_bytes();
        header_and_length(0x10, length, name, to)?;
        to.extend_from_slice(name);
        let [high, low] = self.keep_alive.to_be_bytes();
        to.extend_from_slice(&[version.level(), flags, high, low]);
        properties(self.properties.as_bytes(), version, to);
        binary(self.client_id.as_bytes(), to);
        if let Some(will) = &self.will {
            properties(will.properties.as_bytes(), version, to);
            binary(will.topic.as_bytes(), to);
            binary(will.payload, to);
        }
        if let Some(user_name) = self.user_name {
            binary(user_name.as_bytes(), to);
        }
        if let Some(password) = self.password {
            binary(password, to);
        }
        Ok(())
    }
}

/// The version by protocol name and level, and what follows them, if it is not one of the two shapes that matter.
#[inline(never)]
fn protocol(mut r: Reader<'_>) -> Result<(Version, Reader<'_>), Malformed> {
    let name_at = r.at();
    let name = r.binary()?;
    text::string(name).map_err(|(offence, at)| r.offence(offence, name_at + 2 + at))?;
    let level_at = r.at();
    match (name, r.u8()?) {
        (b"MQTT", 5) => Ok((Version::V5, r)),
        (b"MQTT", 4) => Ok((Version::V3_1_1, r)),
        (b"MQIsdp", 3) => Ok((Version::V3_1, r)),
        (b"MQTT" | b"MQIsdp", _) => Err(r.offence(Offence::ProtocolLevel, level_at)),
        _ => Err(r.offence(Offence::ProtocolName, name_at)),
    }
}

impl<'a> Will<'a> {
    /// A Will at QoS 0, not retained.
    pub const fn new(topic: &'a str, payload: &'a [u8]) -> Self {
        Will { topic, payload, qos: Qos::AtMostOnce, retain: false, properties: Properties::NONE }
    }

    #[inline(always)]
    fn decode(r: &mut Reader<'a>, qos: Qos, retain: bool) -> Result<Self, Malformed> {
        present(r, Offence::WillMissing)?;
        let properties = match r.version {
            Version::V5 => Properties::decode(r, Place::Will)?.0,
            _ => Properties::NONE,
        };
        present(r, Offence::WillMissing)?;
        let at = r.at();
        let topic = r.topic_name(Offence::WillTopicWildcard)?;
        if topic.is_empty() {
            return Err(r.offence(Offence::WillTopicEmpty, at));
        }
        present(r, Offence::WillMissing)?;
        let payload = r.binary()?;
        Ok(Will { topic, payload, qos, retain, properties })
    }
}

#[inline(always)]
fn present(r: &Reader<'_>, missing: Offence) -> Result<(), Malformed> {
    if r.is_empty() { Err(r.offence(missing, r.at())) } else { Ok(()) }
}

/// The rules between the Connect Flags; gives the Will QoS. [3.1.1 §3.1.2.3] [5.0 §3.1.2.3]
#[inline(always)]
fn check_flags(flags: u8, version: Version) -> Result<Qos, Offence> {
    if flags & 1 != 0 && version != Version::V3_1 {
        return Err(Offence::ConnectReservedFlag);
    }
    let will_qos = flags >> 3 & 0b11;
    // 3.1 gives these bits no meaning without a Will.
    if flags & WILL_FLAG == 0 && version != Version::V3_1 {
        if will_qos != 0 {
            return Err(Offence::WillQosWithoutWill);
        }
        if flags & WILL_RETAIN != 0 {
            return Err(Offence::WillRetainWithoutWill);
        }
    }
    if flags & PASSWORD != 0 && flags & USER_NAME == 0 && version != Version::V5 {
        return Err(Offence::PasswordWithoutUserName);
    }
    match Qos::from_u8(will_qos) {
        Some(qos) => Ok(qos),
        None if flags & WILL_FLAG == 0 => Ok(Qos::AtMostOnce),
        None => Err(Offence::WillQos3),
    }
}
