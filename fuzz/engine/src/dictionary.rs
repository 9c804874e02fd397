//! Words that brokers may stumble over: topics, filters, texts, and values of properties.

use mqtt_assay_broker_model::workload::Draw;
use mqtt_assay_codec::property::{Place, ValueType};
use mqtt_assay_codec::{Property, PropertyId, PropertyList, Receiver};

/// Topic Names, few, so that clients meet; the first ones most often.
const TOPICS: &[&str] =
    &["a/b", "a/b", "a/b", "a", "a/b/c", "x", "/", "a//b", "/a", "a/", "a.b", "é", "$own/a", "A/B", " "];

/// Topic Filters that match some of the topics.
const FILTERS: &[&str] =
    &["a/b", "a/b", "a/#", "#", "+/+", "+", "a/+", "a/b/#", "/#", "+/b", "x", "$own/#", "é", "a/+/+", "/+"];

/// Shared Subscriptions, 5.0 only. [5.0 §4.8.2]
const SHARES: &[&str] = &["$share/g/a/b", "$share/g/#", "$share/h/a/+", "$share/g/+/+", "$share/h/a/b"];

/// What is no Topic Name, no Topic Filter, or nearly one.
const ODD_TOPICS: &[&str] = &[
    "",
    "#",
    "+",
    "a/#",
    "a#",
    "a/+b",
    "a/#/b",
    "+a",
    "\0",
    "a\0b",
    "$SYS/#",
    "$SYS",
    "$share/g/a",
    "$share//a",
    "$share/g/",
    "$share/g",
    "$share/+/a",
    "$share/#/a",
    "$share",
    "$queue/a",
    "//",
    "\u{FEFF}",
    "\u{1}",
    "\u{7F}",
    "\u{FFFF}",
    "\u{10FFFF}",
    "../..",
    "%s%n",
    "a b",
    "\u{202E}a",
];

/// Texts for every other string.
const TEXTS: &[&str] =
    &["", "v", "text/plain", "é", "\0", "\u{FEFF}", "\u{1F980}", "%n%n%n", "' OR 1=1", "a\nb"];

/// Numbers at the limits of what two bytes hold, and at limits that brokers have.
pub const U16: &[u16] =
    &[0, 1, 2, 3, 9, 10, 16, 17, 20, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF];

/// The same of four bytes.
pub const U32: &[u32] = &[
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x3FFF,
    0x4000,
    0xFFFF,
    0x1_0000,
    0x1F_FFFF,
    0x20_0000,
    0x0FFF_FFFE,
    0x0FFF_FFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];

/// Lengths of texts and payloads, at the limits of length fields.
pub const LENGTHS: &[usize] =
    &[0, 1, 2, 23, 24, 0x7E, 0x7F, 0x80, 0xFF, 0x100, 0x3FFF, 0x4000, 0xFFFE, 0xFFFF];

/// A Topic Name that a Client may publish to.
pub fn topic(draw: &mut Draw) -> &'static str {
    draw.one::<&str>(TOPICS)
}

/// A valid Topic Filter; a Shared Subscription only where the version has them.
pub fn filter(draw: &mut Draw, shared: bool) -> &'static str {
    let list = if shared && draw.percent(20) { SHARES } else { FILTERS };
    draw.one::<&str>(list)
}

/// A text in the place of a Topic Name or Topic Filter that may have no business there.
pub fn odd_topic(draw: &mut Draw) -> String {
    match draw.below(8) {
        0 => long("a/", draw),
        1 => long("/", draw),
        2 => filter(draw, true).to_owned(),
        _ => (*draw.one(ODD_TOPICS)).to_owned(),
    }
}

/// Any text: short, tricky, or as long as a length field can tell.
pub fn text(draw: &mut Draw) -> String {
    if draw.percent(15) { long("x", draw) } else { (*draw.one(TEXTS)).to_owned() }
}

/// A text of a length at a limit.
fn long(piece: &str, draw: &mut Draw) -> String {
    let length = *draw.one(LENGTHS);
    piece.repeat(length / piece.len())
}

/// Bytes: short, not UTF-8, or as long as a length field can tell.
pub fn data(draw: &mut Draw) -> Vec<u8> {
    match draw.below(6) {
        0 => b"\xFF\xFE\0".to_vec(),
        1 => b"\xC3\x28".to_vec(),
        2 => vec![b'.'; *draw.one(LENGTHS)],
        _ => text(draw).into_bytes(),
    }
}

/// Properties that a Client may send in `place`. [5.0 §2.2.2.2]
pub fn properties_of(place: Place) -> impl Iterator<Item = PropertyId> {
    PropertyId::ALL.iter().copied().filter(move |id| id.allowed_in(place, Receiver::Server))
}

/// The property with a number; `None` if its value is none.
fn with_number(id: PropertyId, number: u32) -> Option<Property<'static>> {
    use Property as P;
    let short = number as u16;
    Some(match id {
        PropertyId::PayloadFormatIndicator => P::PayloadFormatIndicator(number as u8),
        PropertyId::MessageExpiryInterval => P::MessageExpiryInterval(number),
        // More than a Variable Byte Integer holds cannot be written.
        PropertyId::SubscriptionIdentifier => P::SubscriptionIdentifier(number.min(0x0FFF_FFFF)),
        PropertyId::SessionExpiryInterval => P::SessionExpiryInterval(number),
        PropertyId::RequestProblemInformation => P::RequestProblemInformation(number % 2 == 1),
        PropertyId::WillDelayInterval => P::WillDelayInterval(number),
        PropertyId::RequestResponseInformation => P::RequestResponseInformation(number % 2 == 1),
        PropertyId::ReceiveMaximum => P::ReceiveMaximum(short),
        PropertyId::TopicAliasMaximum => P::TopicAliasMaximum(short),
        PropertyId::TopicAlias => P::TopicAlias(short),
        PropertyId::MaximumPacketSize => P::MaximumPacketSize(number),
        _ => return None,
    })
}

/// The property with a text; `None` if its value is none.
fn with_text<'a>(id: PropertyId, text: &'a str, other: &'a str) -> Option<Property<'a>> {
    Some(match id {
        PropertyId::ContentType => Property::ContentType(text),
        PropertyId::ResponseTopic => Property::ResponseTopic(text),
        PropertyId::CorrelationData => Property::CorrelationData(text.as_bytes()),
        PropertyId::AuthenticationMethod => Property::AuthenticationMethod(text),
        PropertyId::AuthenticationData => Property::AuthenticationData(text.as_bytes()),
        PropertyId::ReasonString => Property::ReasonString(text),
        PropertyId::UserProperty => Property::UserProperty((text, other)),
        _ => return None,
    })
}

/// Adds the property with a value that the specification allows, and that brokers meet every day.
pub fn usual(id: PropertyId, draw: &mut Draw, to: &mut PropertyList) {
    let number = match id {
        PropertyId::PayloadFormatIndicator => draw.below(2) as u32,
        PropertyId::SessionExpiryInterval => *draw.one(&[0, 1, 60, 60, 3600, u32::MAX]),
        PropertyId::TopicAlias => 1 + draw.below(3) as u32,
        PropertyId::MaximumPacketSize => *draw.one(&[50, 128, 1000, u32::MAX]),
        PropertyId::SubscriptionIdentifier => *draw.one(&[1, 2, 127, 128, 0x0FFF_FFFF]),
        PropertyId::WillDelayInterval => draw.below(3) as u32,
        _ => *draw.one(&[1, 2, 3, 60]),
    };
    let text = if id == PropertyId::ResponseTopic { topic(draw) } else { *draw.one(&["v", "w", "é"]) };
    if let Some(property) = with_number(id, number).or_else(|| with_text(id, text, "v")) {
        to.push(property);
    }
}

/// Adds the property with a value at a limit, or past it.
pub fn odd(id: PropertyId, draw: &mut Draw, to: &mut PropertyList) {
    let number = match id.value_type() {
        ValueType::Byte => *draw.one(&[0, 1, 2, 0x7F, 0x80, 0xFF]),
        _ => *draw.one(U32),
    };
    let first = if id == PropertyId::ResponseTopic { odd_topic(draw) } else { text(draw) };
    let second = text(draw);
    if let Some(property) = with_number(id, number).or_else(|| with_text(id, &first, &second)) {
        to.push(property);
    }
}
