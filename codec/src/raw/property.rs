//! Property lists of 5.0: their length, and each property in each place. [5.0 §2.2.2]

use super::framing::padded;
use super::{Builder, Cases, first, method, property, string, travels, variable, word};
use crate::malformed::Offence;
use crate::property::{Place, PropertyId, ValueType};
use crate::types::{PacketType, Version};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// One valid encoded value of each type.
fn sample(id: PropertyId) -> Vec<u8> {
    let value = match id.value_type() {
        ValueType::Flag | ValueType::Byte => Vec::from([1]),
        ValueType::TwoByte => Vec::from([0, 5]),
        ValueType::FourByte => Vec::from([0, 0, 0, 5]),
        ValueType::Variable => Vec::from([5]),
        ValueType::Text | ValueType::Binary => string(b"x"),
        ValueType::Pair => [string(b"n"), string(b"v")].concat(),
    };
    property(id as u8, &value)
}

/// Where property lists stand in the packets of this direction.
fn places(cases: &Cases) -> Vec<Place> {
    use PacketType as T;
    let mut places: Vec<Place> = cases
        .types()
        .filter(|packet| !matches!(packet, T::Pingreq | T::Pingresp))
        .map(Place::Packet)
        .collect();
    if travels(T::Connect, Version::V5, cases.receiver) {
        places.push(Place::Will);
    }
    places
}

fn name(place: Place) -> String {
    match place {
        Place::Packet(packet) => word(packet),
        Place::Will => "will".into(),
    }
}

/// A packet that is valid but for what `length` and `content` say in the property list of `place`.
fn with_list(place: Place, length: &[u8], content: &[u8], behind: bool) -> Vec<u8> {
    use PacketType as T;
    let connect = |flags: u8| Builder::new(0x10).string(b"MQTT").bytes(&[5, flags, 0, 60]);
    let list = |builder: Builder| builder.bytes(length).bytes(content);
    let with_behind = |builder: Builder, rest: &[u8]| if behind { builder.bytes(rest) } else { builder };
    let id = string(b"client");
    match place {
        Place::Will => {
            let rest = [string(b"w"), string(b"gone")].concat();
            with_behind(list(connect(0b110).u8(0).bytes(&id)), &rest)
        }
        Place::Packet(packet) => {
            let start = Builder::new(first(packet));
            match packet {
                T::Connect => with_behind(list(connect(0b10)), &id),
                T::Connack => list(start.bytes(&[0, 0])),
                T::Publish => with_behind(list(start.string(b"t")), b"payload"),
                T::Puback | T::Pubrec | T::Pubrel | T::Pubcomp => list(start.bytes(&[0, 7, 0])),
                T::Subscribe => with_behind(list(start.u16(7)), &[0, 1, b'a', 1]),
                T::Unsubscribe => with_behind(list(start.u16(7)), &[0, 1, b'a']),
                T::Suback | T::Unsuback => with_behind(list(start.u16(7)), &[0]),
                T::Auth => list(start.u8(0x18)),
                _ => list(start.u8(0)),
            }
        }
    }
    .finish()
}

/// A packet whose property list holds `pieces`, and before them whatever the packet or the pieces depend on.
fn carrying(place: Place, pieces: &[&[u8]]) -> Vec<u8> {
    let content = [needed(place, pieces), pieces.concat()].concat();
    with_list(place, &variable(content.len() as u32), &content, true)
}

/// AUTH needs an Authentication Method, and so do Authentication Data in CONNECT.
fn needed(place: Place, pieces: &[&[u8]]) -> Vec<u8> {
    match place {
        Place::Packet(PacketType::Auth) if !pieces.iter().any(|p| p.first() == Some(&0x15)) => method(),
        Place::Packet(PacketType::Connect) if pieces.iter().any(|p| p.first() == Some(&0x16)) => method(),
        _ => Vec::new(),
    }
}

pub(super) fn add(cases: &mut Cases) {
    for place in places(cases) {
        lengths(cases, place);
        identifiers(cases, place);
        for &id in PropertyId::ALL {
            if id.allowed_in(place, cases.receiver) {
                allowed(cases, place, id);
            } else {
                let offence = match (place, id) {
                    (Place::Packet(PacketType::Publish), PropertyId::SubscriptionIdentifier) => {
                        Offence::SubscriptionIdentifierFromClient
                    }
                    (Place::Packet(PacketType::Disconnect), PropertyId::SessionExpiryInterval) => {
                        Offence::SessionExpiryFromServer
                    }
                    _ => Offence::PropertyNotAllowed,
                };
                let name = format!("property-not-allowed/{}-{:02x}", name(place), id as u8);
                cases.add(name, offence, carrying(place, &[&sample(id)]));
            }
        }
    }
    dependencies(cases);
}

fn lengths(cases: &mut Cases, place: Place) {
    let mut add = |what: &str, offence, bytes| {
        cases.add(format!("property-length/{}-{what}", name(place)), offence, bytes);
    };
    let needed = needed(place, &[]);
    let user = [&needed[..], &sample(PropertyId::UserProperty)].concat();
    let length = user.len() as u32;
    for bytes in 2..=4 {
        let what = format!("not-minimal-{bytes}");
        let list = with_list(place, &padded(needed.len() as u32, bytes), &needed, true);
        add(&what, Offence::VariableByteIntegerNotMinimal, list);
    }
    for (what, bytes) in [("of-five-bytes", [0xFF, 0xFF, 0xFF, 0xFF, 0x01]), ("of-five-bytes-80", [0x80; 5])]
    {
        add(what, Offence::VariableByteIntegerTooLong, with_list(place, &bytes, &user, true));
    }
    add(
        "one-more-than-all",
        Offence::PropertyLengthOverrun,
        with_list(place, &variable(length + 1), &user, false),
    );
    add("far-more-than-all", Offence::PropertyLengthOverrun, with_list(place, &variable(127), &user, true));
    let largest = variable(crate::MAX_REMAINING_LENGTH);
    add("largest", Offence::PropertyLengthOverrun, with_list(place, &largest, &user, true));
    add("one-less", Offence::PropertyTruncated, with_list(place, &variable(length - 1), &user, true));
    // Acknowledgements and DISCONNECT may end before their Property Length, AUTH fails for want of a method and
    // Will Properties for want of any Will field.
    let required = match place {
        Place::Will => false,
        Place::Packet(packet) => matches!(
            packet,
            PacketType::Connect
                | PacketType::Connack
                | PacketType::Publish
                | PacketType::Subscribe
                | PacketType::Suback
                | PacketType::Unsubscribe
                | PacketType::Unsuback
        ),
    };
    if required {
        add("missing", Offence::PropertyLengthMissing, with_list(place, &[], &[], false));
    }
}

fn identifiers(cases: &mut Cases, place: Place) {
    let undefined = (0..0x80).filter(|&id| PropertyId::from_u8(id).is_none());
    for id in undefined.filter(|id| *id <= 0x2C || *id == 0x7F) {
        let bytes = carrying(place, &[&property(id, &[0, 0])]);
        cases.add(format!("property-unknown/{}-{id:02x}", name(place)), Offence::PropertyUnknown, bytes);
    }
    for (what, id) in [("8001", &[0x80, 0x01][..]), ("ffffff7f", &[0xFF, 0xFF, 0xFF, 0x7F])] {
        let bytes = carrying(place, &[id, &[0, 0]]);
        cases.add(format!("property-unknown/{}-{what}", name(place)), Offence::PropertyUnknown, bytes);
    }
    let user = sample(PropertyId::UserProperty);
    let bytes = carrying(place, &[&[0xA6, 0x00], &user[1..]]);
    let name = format!("property-identifier-not-minimal/{}", name(place));
    cases.add(name, Offence::VariableByteIntegerNotMinimal, bytes);
}

fn allowed(cases: &mut Cases, place: Place, id: PropertyId) {
    let spot = format!("{}-{:02x}", name(place), id as u8);
    let whole = sample(id);
    if !id.repeatable_in(place) {
        let user = sample(PropertyId::UserProperty);
        let repeated = Offence::PropertyRepeated;
        cases.add(format!("property-repeated/{spot}"), repeated, carrying(place, &[&whole, &whole]));
        cases.add(
            format!("property-repeated/{spot}-apart"),
            repeated,
            carrying(place, &[&whole, &user, &whole]),
        );
    }
    // The list ends after the identifier, and one byte before the value's end.
    for kept in [1, whole.len() - 1] {
        let name = format!("property-truncated/{spot}-{kept}");
        if cases.cases.last().is_none_or(|case| case.name != name) {
            cases.add(name, Offence::PropertyTruncated, carrying(place, &[&whole[..kept]]));
        }
    }
    let mut value = |what: &str, offence, value: &[u8]| {
        let bytes = carrying(place, &[&property(id as u8, value)]);
        cases.add(format!("property-value/{spot}-{what}"), offence, bytes);
    };
    match id {
        PropertyId::ReceiveMaximum => value("zero", Offence::PropertyValue, &[0, 0]),
        PropertyId::MaximumPacketSize => value("zero", Offence::PropertyValue, &[0; 4]),
        PropertyId::TopicAlias => value("zero", Offence::TopicAliasZero, &[0, 0]),
        PropertyId::SubscriptionIdentifier => {
            value("zero", Offence::SubscriptionIdentifierZero, &[0]);
            value("not-minimal", Offence::VariableByteIntegerNotMinimal, &[0x85, 0x00]);
            value("zero-not-minimal", Offence::VariableByteIntegerNotMinimal, &[0x80, 0x00]);
            value("five-bytes", Offence::VariableByteIntegerTooLong, &[0xFF, 0xFF, 0xFF, 0xFF, 0x01]);
        }
        _ if matches!(id.value_type(), ValueType::Flag | ValueType::Byte) => {
            value("2", Offence::PropertyValue, &[2]);
            value("255", Offence::PropertyValue, &[255]);
        }
        _ => {}
    }
}

/// Properties that ask for others.
fn dependencies(cases: &mut Cases) {
    if cases.to_server() {
        let connect = Place::Packet(PacketType::Connect);
        let data = sample(PropertyId::AuthenticationData);
        let bytes = with_list(connect, &variable(data.len() as u32), &data, true);
        cases.add("authentication-data-alone/connect", Offence::AuthenticationDataWithoutMethod, bytes);
    }
    let missing = Offence::AuthenticationMethodMissing;
    let data = sample(PropertyId::AuthenticationData);
    cases.add("authentication-method-missing/auth-without-content", missing, super::packet(0xF0, &[]));
    cases.add("authentication-method-missing/auth-without-list", missing, super::packet(0xF0, &[0x18]));
    cases.add("authentication-method-missing/auth-empty-list", missing, super::packet(0xF0, &[0x18, 0]));
    let bytes = Builder::new(0xF0).u8(0x18).properties(&[&data]).finish();
    cases.add("authentication-method-missing/auth-data-alone", missing, bytes);
    // An empty Topic Name stands for a Topic Alias; here there is none.
    let user = sample(PropertyId::UserProperty);
    let bytes = Builder::new(0x30).string(b"").properties(&[&user]).bytes(b"payload").finish();
    cases.add("empty-topic/publish-topic-with-properties", Offence::PublishTopicMissing, bytes);
}
