//! Properties by their names, as the codec's table has them.

use super::error::Wrong;
use super::lexer::Value;
use super::quote::Quoted;
use super::value::version_word;
use core::fmt;
use core::ops::Range;
use mqtt_assay_codec::property::Place;
use mqtt_assay_codec::{
    MAX_REMAINING_LENGTH, Properties, Property, PropertyId, PropertyList, Receiver, Version,
};

/// Short names, read but not written.
const ALIASES: [(&str, PropertyId); 5] = [
    ("session_expiry", PropertyId::SessionExpiryInterval),
    ("message_expiry", PropertyId::MessageExpiryInterval),
    ("will_delay", PropertyId::WillDelayInterval),
    ("delay", PropertyId::WillDelayInterval),
    ("payload_format", PropertyId::PayloadFormatIndicator),
];

/// The name of a property as a key: in small letters, joined by `_`.
struct Key(PropertyId);

impl Key {
    fn letters(&self) -> impl Iterator<Item = char> + use<> {
        self.0.name().chars().map(|c| if c == ' ' { '_' } else { c.to_ascii_lowercase() })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.letters().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

/// The property that a key names.
pub(super) fn find(key: &str) -> Option<PropertyId> {
    let named = PropertyId::ALL.iter().find(|id| Key(**id).letters().eq(key.chars()));
    named.copied().or_else(|| ALIASES.iter().find(|(alias, _)| *alias == key).map(|(_, id)| *id))
}

/// Whether the property belongs into the place. What only the Server may send there is among it: a script may
/// have a client send it all the same, and see what the Server makes of it.
pub(super) fn fits(id: PropertyId, place: Place) -> bool {
    id.allowed_in(place, Receiver::Server) || id.allowed_in(place, Receiver::Client)
}

/// The keys that may stand in a place, for an error.
pub(super) fn keys(place: Place) -> String {
    let fitting = PropertyId::ALL.iter().filter(|id| fits(**id, place));
    fitting.map(|id| Key(*id).to_string()).collect::<Vec<_>>().join(", ")
}

/// The properties of one place, while they are read.
pub(super) struct Reading {
    place: Place,
    list: PropertyList,
    /// One bit for each identifier.
    seen: u64,
    /// Where the first one stands.
    first: Option<Range<usize>>,
}

impl Reading {
    pub(super) fn new(place: Place) -> Self {
        Reading { place, list: PropertyList::new(), seen: 0, first: None }
    }

    pub(super) const fn place(&self) -> Place {
        self.place
    }

    /// Takes one that [`fits`].
    pub(super) fn take(
        &mut self,
        id: PropertyId,
        value: Value<'_>,
        span: &Range<usize>,
    ) -> Result<(), Wrong> {
        let bit = 1u64 << id as u8;
        if self.seen & bit != 0 && !id.repeatable_in(self.place) {
            return Err(Wrong::new(span.clone(), format!("{} is given twice", Key(id))));
        }
        self.seen |= bit;
        self.first.get_or_insert_with(|| span.clone());
        push(id, value, &mut self.list)
    }

    /// The list; versions before 5.0 have none.
    pub(super) fn finish(self, version: Version) -> Result<PropertyList, Wrong> {
        match self.first {
            Some(span) if version != Version::V5 => {
                let version = version_word(version);
                Err(Wrong::new(span, format!("MQTT {version} has no properties, only MQTT 5 has")))
            }
            _ => Ok(self.list),
        }
    }
}

macro_rules! by_type {
    ($id:expr, $list:expr, $($read:expr => $($variant:ident)*;)*) => {
        match $id { $($(PropertyId::$variant => { $list.push(Property::$variant($read)); })*)* }
    };
}

fn push(id: PropertyId, value: Value<'_>, list: &mut PropertyList) -> Result<(), Wrong> {
    let key = Key(id).to_string();
    by_type! { id, list,
        value.flag(&key)? => RequestProblemInformation RequestResponseInformation RetainAvailable
            WildcardSubscriptionAvailable SubscriptionIdentifierAvailable SharedSubscriptionAvailable;
        value.u8(&key)? => PayloadFormatIndicator MaximumQos;
        value.u16(&key)? => ServerKeepAlive ReceiveMaximum TopicAliasMaximum TopicAlias;
        value.u32(&key)? => MessageExpiryInterval SessionExpiryInterval WillDelayInterval MaximumPacketSize;
        value.number(&key, MAX_REMAINING_LENGTH.into())? as u32 => SubscriptionIdentifier;
        &value.text()? => ContentType ResponseTopic AssignedClientIdentifier AuthenticationMethod
            ResponseInformation ServerReference ReasonString;
        &value.binary()? => CorrelationData AuthenticationData;
        both(&value.pair()?) => UserProperty;
    }
    Ok(())
}

fn both((name, value): &(String, String)) -> (&str, &str) {
    (name, value)
}

/// Writes the properties, a space before each.
pub(super) fn write(f: &mut fmt::Formatter<'_>, properties: Properties<'_>) -> fmt::Result {
    use Property as P;
    for property in &properties {
        write!(f, " {}=", Key(property.id()))?;
        match property {
            P::RequestProblemInformation(v)
            | P::RequestResponseInformation(v)
            | P::RetainAvailable(v)
            | P::WildcardSubscriptionAvailable(v)
            | P::SubscriptionIdentifierAvailable(v)
            | P::SharedSubscriptionAvailable(v) => write!(f, "{}", u8::from(v))?,
            P::PayloadFormatIndicator(v) | P::MaximumQos(v) => write!(f, "{v}")?,
            P::ServerKeepAlive(v) | P::ReceiveMaximum(v) | P::TopicAliasMaximum(v) | P::TopicAlias(v) => {
                write!(f, "{v}")?;
            }
            P::MessageExpiryInterval(v)
            | P::SubscriptionIdentifier(v)
            | P::SessionExpiryInterval(v)
            | P::WillDelayInterval(v)
            | P::MaximumPacketSize(v) => write!(f, "{v}")?,
            P::ContentType(v)
            | P::ResponseTopic(v)
            | P::AssignedClientIdentifier(v)
            | P::AuthenticationMethod(v)
            | P::ResponseInformation(v)
            | P::ServerReference(v)
            | P::ReasonString(v) => write!(f, "{}", Quoted(v.as_bytes()))?,
            P::CorrelationData(v) | P::AuthenticationData(v) => write!(f, "{}", Quoted(v))?,
            P::UserProperty((name, value)) => {
                write!(f, "{}:{}", Quoted(name.as_bytes()), Quoted(value.as_bytes()))?;
            }
        }
    }
    Ok(())
}
