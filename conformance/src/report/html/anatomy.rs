//! The bytes of a packet, field by field: what an annotated hex dump shows.
//!
//! Wrong packets are what reports are about. So this reads on where the codec would refuse, and calls what it cannot
//! read by that name.

use crate::report::printable;
use mqtt_assay_codec::property::ValueType;
use mqtt_assay_codec::{PacketType, PropertyId, ReasonCode, Version};
use std::fmt::Write as _;

/// Texts and data longer than this are cut in the words; the bytes are all there.
const SHOWN_BYTES: usize = 80;

/// Some bytes with their meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Field {
    /// How many bytes.
    pub(super) length: usize,
    /// What the specification calls them.
    pub(super) name: String,
    /// What they say; may be empty.
    pub(super) value: String,
}

/// The fields of one or several packets. Their lengths add up to that of the bytes.
pub(super) fn fields(bytes: &[u8], version: Version) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut walk = Walk { bytes: rest, at: 0, end: rest.len(), version, fields: Vec::new() };
        walk.packet();
        rest = &rest[walk.at..];
        fields.append(&mut walk.fields);
    }
    fields
}

/// A way through one packet.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the present part ends: the packet, or its properties.
    end: usize,
    version: Version,
    fields: Vec<Field>,
}

/// What is left cannot be read as it should be.
struct Unreadable;

type Walked<T = ()> = Result<T, Unreadable>;

impl<'a> Walk<'a> {
    /// The packet at the front; whatever happens, the walk gets on.
    fn packet(&mut self) {
        let first = self.bytes[0];
        let packet = PacketType::from_u8(first >> 4);
        let flags = first & 0x0F;
        let value = match packet {
            Some(PacketType::Publish) => {
                format!("PUBLISH, DUP {}, QoS {}, RETAIN {}", flags >> 3, flags >> 1 & 3, flags & 1)
            }
            Some(packet) => format!("{}, flags {flags:04b}", packet.name()),
            None => format!("{}, reserved, flags {flags:04b}", first >> 4),
        };
        self.took(1, "Packet type and flags", value);
        let Some(remaining) = self.length("Remaining Length") else {
            self.rest("no Remaining Length");
            return;
        };
        let whole = self.at + remaining;
        self.end = whole.min(self.bytes.len());
        let missing = whole - self.end;
        let body = packet.map_or(Err(Unreadable), |packet| self.body(packet, flags));
        if self.at < self.end {
            let unfinished = missing > 0;
            self.rest(match body {
                Ok(()) => "more than the packet has room for",
                Err(Unreadable) if unfinished => "the packet's beginning, the rest is not here",
                Err(Unreadable) => "not readable as the packet's content",
            });
        }
    }

    fn body(&mut self, packet: PacketType, flags: u8) -> Walked {
        let v5 = self.version == Version::V5;
        match packet {
            PacketType::Connect => self.connect()?,
            PacketType::Connack => {
                let flags = self.u8()?;
                self.took(1, "Acknowledge flags", format!("Session Present {}", flags & 1));
                self.code("Return code", "Reason Code", packet)?;
                self.properties("")?;
            }
            PacketType::Publish => {
                self.text("Topic Name")?;
                if flags & 0b0110 != 0 {
                    self.number("Packet Identifier")?;
                }
                self.properties("")?;
                if self.at < self.end {
                    let payload = &self.bytes[self.at..self.end];
                    self.took(payload.len(), "Payload", quoted(payload));
                }
            }
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp => {
                self.number("Packet Identifier")?;
                if v5 && self.at < self.end {
                    self.code("", "Reason Code", packet)?;
                }
                if self.at < self.end {
                    self.properties("")?;
                }
            }
            PacketType::Subscribe => {
                self.number("Packet Identifier")?;
                self.properties("")?;
                while self.at < self.end {
                    self.text("Topic Filter")?;
                    self.subscription_options()?;
                }
            }
            PacketType::Suback | PacketType::Unsuback => {
                self.number("Packet Identifier")?;
                self.properties("")?;
                while self.at < self.end && (v5 || packet == PacketType::Suback) {
                    self.code("Return code", "Reason Code", packet)?;
                }
            }
            PacketType::Unsubscribe => {
                self.number("Packet Identifier")?;
                self.properties("")?;
                while self.at < self.end {
                    self.text("Topic Filter")?;
                }
            }
            PacketType::Pingreq | PacketType::Pingresp => {}
            PacketType::Disconnect | PacketType::Auth => {
                if v5 && self.at < self.end {
                    self.code("", "Reason Code", packet)?;
                }
                if self.at < self.end {
                    self.properties("")?;
                }
            }
        }
        Ok(())
    }

    fn connect(&mut self) -> Walked {
        self.text("Protocol Name")?;
        let level = self.u8()?;
        let named = [Version::V3_1, Version::V3_1_1, Version::V5].into_iter().find(|v| v.level() == level);
        // A CONNECT says itself how it is to be read.
        self.version = named.unwrap_or(self.version);
        let name = named.map_or("of no version".to_owned(), |version| format!("MQTT {version}"));
        self.took(1, "Protocol Level", format!("{level}, {name}"));
        let flags = self.u8()?;
        let bit = |place: u8| flags >> place & 1;
        let mut value = format!("User Name {}, Password {}, ", bit(7), bit(6));
        let _ = write!(value, "Will Retain {}, Will QoS {}, Will {}, ", bit(5), flags >> 3 & 3, bit(2));
        let start = if self.version == Version::V5 { "Clean Start" } else { "Clean Session" };
        let _ = write!(value, "{start} {}", bit(1));
        if bit(0) == 1 {
            value.push_str(", reserved 1");
        }
        self.took(1, "Connect flags", value);
        self.number("Keep Alive")?;
        self.properties("")?;
        self.text("Client Identifier")?;
        if bit(2) == 1 {
            self.properties("Will ")?;
            self.text("Will Topic")?;
            self.text("Will Payload")?;
        }
        if bit(7) == 1 {
            self.text("User Name")?;
        }
        if bit(6) == 1 {
            self.text("Password")?;
        }
        Ok(())
    }

    fn subscription_options(&mut self) -> Walked {
        let options = self.u8()?;
        let mut value = format!("QoS {}", options & 3);
        if self.version == Version::V5 {
            let bit = |place: u8| options >> place & 1;
            let _ = write!(value, ", No Local {}, Retain As Published {}", bit(2), bit(3));
            let _ = write!(value, ", Retain Handling {}", options >> 4 & 3);
        }
        let reserved = options & if self.version == Version::V5 { 0xC0 } else { 0xFC };
        if reserved != 0 {
            let _ = write!(value, ", reserved bits {reserved:#04x}");
        }
        let name = if self.version == Version::V5 { "Subscription Options" } else { "Requested QoS" };
        self.took(1, name, value);
        Ok(())
    }

    /// Properties, which only 5.0 has.
    fn properties(&mut self, whose: &str) -> Walked {
        if self.version != Version::V5 {
            return Ok(());
        }
        let length = self.length(&format!("{whose}Property Length")).ok_or(Unreadable)?;
        let end = self.end;
        self.end = end.min(self.at + length);
        let mut walked = Ok(());
        while walked.is_ok() && self.at < self.end {
            walked = self.property();
        }
        self.end = end;
        walked
    }

    fn property(&mut self) -> Walked {
        let id = PropertyId::from_u8(self.u8()?).ok_or(Unreadable)?;
        let after = &self.bytes[self.at + 1..self.end];
        let integer = |length: usize| {
            let bytes = after.get(..length).ok_or(Unreadable)?;
            let number = bytes.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
            Ok((length, number.to_string()))
        };
        let (length, value) = match id.value_type() {
            ValueType::Flag | ValueType::Byte => integer(1)?,
            ValueType::TwoByte => integer(2)?,
            ValueType::FourByte => integer(4)?,
            ValueType::Variable => {
                let (length, number) = variable(after).ok_or(Unreadable)?;
                (length, number.to_string())
            }
            ValueType::Text | ValueType::Binary => {
                let content = prefixed(after).ok_or(Unreadable)?;
                (2 + content.len(), quoted(content))
            }
            ValueType::Pair => {
                let name = prefixed(after).ok_or(Unreadable)?;
                let content = prefixed(&after[2 + name.len()..]).ok_or(Unreadable)?;
                (4 + name.len() + content.len(), format!("{}: {}", quoted(name), quoted(content)))
            }
        };
        self.took(1 + length, id.name(), value);
        Ok(())
    }

    fn code(&mut self, old: &str, new: &str, packet: PacketType) -> Walked {
        let code = ReasonCode(self.u8()?);
        let known = code.name_in(packet, self.version);
        let value = known.map_or_else(|| code.to_string(), |name| format!("{code} {name}"));
        self.took(1, if self.version == Version::V5 { new } else { old }, value);
        Ok(())
    }

    fn number(&mut self, name: &str) -> Walked {
        let bytes = self.bytes[self.at..self.end].get(..2).ok_or(Unreadable)?;
        let number = u16::from(bytes[0]) << 8 | u16::from(bytes[1]);
        self.took(2, name, number.to_string());
        Ok(())
    }

    /// Text or data with its length before it.
    fn text(&mut self, name: &str) -> Walked {
        let content = prefixed(&self.bytes[self.at..self.end]).ok_or(Unreadable)?;
        self.took(2 + content.len(), name, quoted(content));
        Ok(())
    }

    /// A Variable Byte Integer that says a length.
    fn length(&mut self, name: &str) -> Option<usize> {
        let (length, number) = variable(&self.bytes[self.at..self.end])?;
        self.took(length, name, number.to_string());
        usize::try_from(number).ok()
    }

    fn u8(&self) -> Walked<u8> {
        self.bytes[self.at..self.end].first().copied().ok_or(Unreadable)
    }

    fn took(&mut self, length: usize, name: &str, value: String) {
        self.at += length;
        self.fields.push(Field { length, name: name.to_owned(), value });
    }

    /// All that is left of the packet.
    fn rest(&mut self, value: &str) {
        let left = match self.end.checked_sub(self.at) {
            Some(left) if left > 0 => left,
            _ => return,
        };
        self.took(left, "?", value.to_owned());
    }
}

/// A Variable Byte Integer and how long it is. [5.0 §1.5.5]
fn variable(bytes: &[u8]) -> Option<(usize, u32)> {
    let mut number = 0;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        number |= u32::from(byte & 0x7F) << (7 * place);
        if *byte < 0x80 {
            return Some((place + 1, number));
        }
    }
    None
}

/// The bytes behind a Two Byte Integer that says how many they are.
fn prefixed(bytes: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*bytes.first()?) << 8 | usize::from(*bytes.get(1)?);
    bytes.get(2..2 + length)
}

/// Text in quotes; what is none as escaped bytes.
fn quoted(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let cut = shown.len() < bytes.len();
    let text = match std::str::from_utf8(shown) {
        Ok(text) => printable(text),
        // The cut may have torn a character.
        Err(error) if cut && error.error_len().is_none() => {
            printable(&String::from_utf8_lossy(&shown[..error.valid_up_to()]))
        }
        Err(_) => shown.escape_ascii().to_string(),
    };
    if cut { format!("\"{text}\"… ({} bytes)", bytes.len()) } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::{Packet, Property, PropertyList, Publish, Qos, Receiver, raw};

    fn shown(bytes: &[u8], version: Version) -> Vec<(usize, String)> {
        let words = |field: Field| (field.length, format!("{}: {}", field.name, field.value));
        fields(bytes, version).into_iter().map(words).collect()
    }

    #[test]
    fn a_publish_is_taken_apart() {
        let mut properties = PropertyList::new();
        properties.push(Property::MessageExpiryInterval(9)).push(Property::UserProperty(("k", "\u{202e}")));
        let mut publish = Publish::new("a/b", b"on");
        publish.qos = Qos::AtLeastOnce;
        publish.packet_id = mqtt_assay_codec::PacketId::new(7);
        publish.retain = true;
        publish.properties = properties.view();
        let mut bytes = Vec::new();
        Packet::Publish(publish).encode(Version::V5, &mut bytes).expect("it fits a packet");
        let expected = [
            (1, "Packet type and flags: PUBLISH, DUP 0, QoS 1, RETAIN 1"),
            (1, "Remaining Length: 24"),
            (5, "Topic Name: \"a/b\""),
            (2, "Packet Identifier: 7"),
            (1, "Property Length: 14"),
            (5, "Message Expiry Interval: 9"),
            (9, "User Property: \"k\": \"\\u{202e}\""),
            (2, "Payload: \"on\""),
        ];
        let found = shown(&bytes, Version::V5);
        let found: Vec<(usize, &str)> =
            found.iter().map(|(length, words)| (*length, words.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_cannot_be_read_is_said_to_be_so() {
        // A Topic Name longer than the packet; then another packet.
        let found = shown(b"\x30\x04\x00\x09ab\xd0\x00", Version::V3_1_1);
        let words: Vec<&str> = found.iter().map(|(_, words)| words.as_str()).collect();
        assert_eq!(
            words,
            [
                "Packet type and flags: PUBLISH, DUP 0, QoS 0, RETAIN 0",
                "Remaining Length: 4",
                "?: not readable as the packet's content",
                "Packet type and flags: PINGRESP, flags 0000",
                "Remaining Length: 0",
            ]
        );
    }

    /// Every byte of every wrong packet of the codec's table, and of every beginning of one, belongs to one field.
    #[test]
    fn no_byte_is_left_out() {
        let mut packets = 0;
        for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
            for case in raw::cases(version, Receiver::Server) {
                for length in 0..=case.bytes.len().min(200) {
                    let bytes = &case.bytes[..length];
                    let total: usize = fields(bytes, version).iter().map(|field| field.length).sum();
                    assert_eq!(total, length, "{version} {}", case.name);
                    assert!(fields(bytes, version).iter().all(|field| field.length > 0), "{}", case.name);
                }
                packets += 1;
            }
        }
        assert!(packets > 1000, "{packets}");
    }
}
