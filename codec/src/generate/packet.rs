//! Packets that own what they are made of, and the strategies that make them.

use super::text::{text, topic_filter, topic_name};
use crate::packet::{
    Ack, Auth, Connack, Connect, Disconnect, Packet, Publish, RetainHandling, Suback, Subscribe,
    SubscriptionList, SubscriptionOptions, TopicFilterList, Unsuback, Unsubscribe, Will,
};
use crate::property::{Place, Property, PropertyId, PropertyList};
use crate::reason::ReasonCode;
use crate::types::{MAX_REMAINING_LENGTH, PacketId, PacketType, Qos, Receiver, Version};
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

/// A packet that owns its fields: [`Owned::packet`] borrows it.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "the variants and fields are those of `Packet`")]
pub enum Owned {
    Connect(OwnedConnect),
    Connack { session_present: bool, code: ReasonCode, properties: PropertyList },
    Publish(OwnedPublish),
    Ack { packet: PacketType, packet_id: PacketId, reason: ReasonCode, properties: PropertyList },
    Subscribe { packet_id: PacketId, properties: PropertyList, list: SubscriptionList },
    Unsubscribe { packet_id: PacketId, properties: PropertyList, list: TopicFilterList },
    Codes { packet: PacketType, packet_id: PacketId, properties: PropertyList, codes: Vec<u8> },
    Ping(PacketType),
    Reason { packet: PacketType, reason: ReasonCode, properties: PropertyList },
}

/// See [`Connect`].
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "the fields are those of `Connect`")]
pub struct OwnedConnect {
    pub version: Version,
    pub clean_start: bool,
    pub keep_alive: u16,
    pub properties: PropertyList,
    pub client_id: String,
    pub will: Option<OwnedWill>,
    pub user_name: Option<String>,
    pub password: Option<Vec<u8>>,
}

/// See [`Will`].
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "the fields are those of `Will`")]
pub struct OwnedWill {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: Qos,
    pub retain: bool,
    pub properties: PropertyList,
}

/// See [`Publish`].
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "the fields are those of `Publish`")]
pub struct OwnedPublish {
    pub dup: bool,
    pub qos: Qos,
    pub retain: bool,
    pub topic: String,
    pub packet_id: Option<PacketId>,
    pub properties: PropertyList,
    pub payload: Vec<u8>,
}

impl Owned {
    /// The packet, borrowing from this.
    pub fn packet(&self) -> Packet<'_> {
        match self {
            Owned::Connect(p) => Packet::Connect(Connect {
                version: p.version,
                clean_start: p.clean_start,
                keep_alive: p.keep_alive,
                properties: p.properties.view(),
                client_id: &p.client_id,
                will: p.will.as_ref().map(|will| Will {
                    topic: &will.topic,
                    payload: &will.payload,
                    qos: will.qos,
                    retain: will.retain,
                    properties: will.properties.view(),
                }),
                user_name: p.user_name.as_deref(),
                password: p.password.as_deref(),
            }),
            Owned::Connack { session_present, code, properties } => Packet::Connack(Connack {
                session_present: *session_present,
                code: *code,
                properties: properties.view(),
            }),
            Owned::Publish(p) => Packet::Publish(Publish {
                dup: p.dup,
                qos: p.qos,
                retain: p.retain,
                topic: &p.topic,
                packet_id: p.packet_id,
                properties: p.properties.view(),
                payload: &p.payload,
            }),
            Owned::Ack { packet, packet_id, reason, properties } => {
                let ack = Ack { packet_id: *packet_id, reason: *reason, properties: properties.view() };
                match packet {
                    PacketType::Puback => Packet::Puback(ack),
                    PacketType::Pubrec => Packet::Pubrec(ack),
                    PacketType::Pubrel => Packet::Pubrel(ack),
                    _ => Packet::Pubcomp(ack),
                }
            }
            Owned::Subscribe { packet_id, properties, list } => Packet::Subscribe(Subscribe {
                packet_id: *packet_id,
                properties: properties.view(),
                subscriptions: list.view(),
            }),
            Owned::Unsubscribe { packet_id, properties, list } => Packet::Unsubscribe(Unsubscribe {
                packet_id: *packet_id,
                properties: properties.view(),
                filters: list.view(),
            }),
            Owned::Codes { packet, packet_id, properties, codes } => {
                let (packet_id, properties) = (*packet_id, properties.view());
                match packet {
                    PacketType::Suback => Packet::Suback(Suback { packet_id, properties, codes }),
                    _ => Packet::Unsuback(Unsuback { packet_id, properties, codes }),
                }
            }
            Owned::Ping(PacketType::Pingreq) => Packet::Pingreq,
            Owned::Ping(_) => Packet::Pingresp,
            Owned::Reason { packet, reason, properties } => {
                let (reason, properties) = (*reason, properties.view());
                match packet {
                    PacketType::Auth => Packet::Auth(Auth { reason, properties }),
                    _ => Packet::Disconnect(Disconnect { reason, properties }),
                }
            }
        }
    }
}

/// A valid packet of this version that `receiver` may receive.
pub fn packet(version: Version, receiver: Receiver) -> BoxedStrategy<Owned> {
    let types: Vec<PacketType> = PacketType::ALL
        .into_iter()
        .filter(|&packet| crate::raw::travels(packet, version, receiver))
        .collect();
    prop::sample::select(types).prop_flat_map(move |packet| of_type(packet, version, receiver)).boxed()
}

fn of_type(packet: PacketType, version: Version, receiver: Receiver) -> BoxedStrategy<Owned> {
    use PacketType as T;
    let properties = properties(Place::Packet(packet), version, receiver);
    let id = any::<PacketId>();
    match packet {
        T::Connect => connect(version).prop_map(Owned::Connect).boxed(),
        T::Connack => (any::<bool>(), code(packet, version, receiver), properties)
            .prop_map(move |(present, code, properties)| Owned::Connack {
                session_present: present && code == ReasonCode::SUCCESS && version != Version::V3_1,
                code,
                properties,
            })
            .boxed(),
        T::Publish => publish(version, receiver).prop_map(Owned::Publish).boxed(),
        T::Puback | T::Pubrec | T::Pubrel | T::Pubcomp => (id, code(packet, version, receiver), properties)
            .prop_map(move |(packet_id, reason, properties)| Owned::Ack {
                packet,
                packet_id,
                reason,
                properties,
            })
            .boxed(),
        T::Subscribe => (id, properties, subscriptions(version))
            .prop_map(|(packet_id, properties, list)| Owned::Subscribe { packet_id, properties, list })
            .boxed(),
        T::Unsubscribe => {
            let filters = prop::collection::vec(topic_filter(version == Version::V5), 1..6);
            (id, properties, filters)
                .prop_map(|(packet_id, properties, filters)| {
                    let mut list = TopicFilterList::new();
                    for filter in &filters {
                        list.push(filter);
                    }
                    Owned::Unsubscribe { packet_id, properties, list }
                })
                .boxed()
        }
        T::Suback | T::Unsuback => {
            let some = if packet == T::Suback || version == Version::V5 { 1..8 } else { 0..1 };
            let codes = prop::collection::vec(code(packet, version, receiver).prop_map(|code| code.0), some);
            (id, properties, codes)
                .prop_map(move |(packet_id, properties, codes)| Owned::Codes {
                    packet,
                    packet_id,
                    properties,
                    codes,
                })
                .boxed()
        }
        T::Pingreq | T::Pingresp => Just(Owned::Ping(packet)).boxed(),
        T::Disconnect | T::Auth => (code(packet, version, receiver), properties)
            .prop_map(move |(reason, properties)| Owned::Reason { packet, reason, properties })
            .boxed(),
    }
}

/// A code that the packet may carry; 0 where it carries none.
fn code(packet: PacketType, version: Version, receiver: Receiver) -> impl Strategy<Value = ReasonCode> {
    let mut codes: Vec<ReasonCode> =
        (0..=255).map(ReasonCode).filter(|code| code.allowed_in(packet, receiver, version)).collect();
    if codes.is_empty() {
        codes.push(ReasonCode::SUCCESS);
    }
    prop::sample::select(codes)
}

fn connect(version: Version) -> impl Strategy<Value = OwnedConnect> {
    let properties = properties(Place::Packet(PacketType::Connect), version, Receiver::Server);
    let rest =
        (prop::option::of(will(version)), prop::option::of(text()), prop::option::of(any::<Vec<u8>>()));
    (any::<bool>(), any::<u16>(), properties, text(), rest).prop_map(
        move |(clean_start, keep_alive, properties, client_id, (will, user_name, password))| {
            // Before 5.0 there is no password without a user name.
            let password = password.filter(|_| version == Version::V5 || user_name.is_some());
            OwnedConnect {
                version,
                clean_start,
                keep_alive,
                properties,
                client_id,
                will,
                user_name,
                password,
            }
        },
    )
}

fn will(version: Version) -> impl Strategy<Value = OwnedWill> {
    let properties = properties(Place::Will, version, Receiver::Server);
    (topic_name(), any::<Vec<u8>>(), qos(), any::<bool>(), properties).prop_map(
        |(topic, payload, qos, retain, properties)| OwnedWill { topic, payload, qos, retain, properties },
    )
}

fn qos() -> impl Strategy<Value = Qos> {
    prop::sample::select(&Qos::ALL[..])
}

fn publish(version: Version, receiver: Receiver) -> impl Strategy<Value = OwnedPublish> {
    let properties = properties(Place::Packet(PacketType::Publish), version, receiver);
    let flags = (any::<bool>(), qos(), any::<bool>(), any::<bool>());
    (flags, topic_name(), any::<PacketId>(), properties, any::<Vec<u8>>()).prop_map(
        |((dup, qos, retain, by_alias), topic, id, properties, payload)| OwnedPublish {
            dup: dup && qos != Qos::AtMostOnce,
            qos,
            retain,
            topic: if by_alias && properties.view().topic_alias().is_some() { String::new() } else { topic },
            packet_id: (qos != Qos::AtMostOnce).then_some(id),
            properties,
            payload,
        },
    )
}

fn subscriptions(version: Version) -> impl Strategy<Value = SubscriptionList> {
    let handling = prop::sample::select(
        &[RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend][..],
    );
    let options = (qos(), any::<bool>(), any::<bool>(), handling);
    prop::collection::vec((topic_filter(version == Version::V5), options), 1..6).prop_map(move |filters| {
        let mut list = SubscriptionList::new();
        for (filter, (qos, no_local, retain_as_published, retain_handling)) in filters {
            let options = match version {
                Version::V5 => SubscriptionOptions {
                    qos,
                    no_local: no_local && !filter.starts_with("$share/"),
                    retain_as_published,
                    retain_handling,
                },
                _ => SubscriptionOptions::qos(qos),
            };
            list.push(&filter, options);
        }
        list
    })
}

/// What a property's value is made from: enough for any type.
type Parts = (u32, String, String, Vec<u8>);

fn properties(place: Place, version: Version, receiver: Receiver) -> BoxedStrategy<PropertyList> {
    if version != Version::V5 {
        return Just(PropertyList::new()).boxed();
    }
    let allowed: Vec<PropertyId> =
        PropertyId::ALL.iter().copied().filter(|id| id.allowed_in(place, receiver)).collect();
    if allowed.is_empty() {
        return Just(PropertyList::new()).boxed();
    }
    let parts = (edges(), text(), text(), prop::collection::vec(any::<u8>(), 0..20));
    let items = prop::collection::vec((prop::sample::select(allowed), parts, topic_name()), 0..8);
    (items, text()).prop_map(move |(items, method)| listed(&items, &method, place)).boxed()
}

/// Integers, with the ends of each width more often than chance would have them.
fn edges() -> impl Strategy<Value = u32> {
    let edges = [0, 1, 127, 128, 0xFFFF, 0x1_0000, MAX_REMAINING_LENGTH, u32::MAX];
    prop_oneof![prop::sample::select(Vec::from(edges)), any::<u32>()]
}

/// The items in their order, without the repetitions that are not allowed, and with what others depend on.
fn listed(items: &[(PropertyId, Parts, String)], method: &str, place: Place) -> PropertyList {
    let mut list = PropertyList::new();
    let mut seen: Vec<PropertyId> = Vec::new();
    for (id, parts, topic) in items {
        if seen.contains(id) && !id.repeatable_in(place) {
            continue;
        }
        seen.push(*id);
        list.push(property(*id, parts, topic));
    }
    let has = |id| seen.contains(&id);
    let needs_method = match place {
        Place::Packet(PacketType::Auth) => true,
        Place::Packet(PacketType::Connect) => has(PropertyId::AuthenticationData),
        _ => false,
    };
    if needs_method && !has(PropertyId::AuthenticationMethod) {
        list.push(Property::AuthenticationMethod(method));
    }
    list
}

/// The property with a value that it may have.
fn property<'a>(id: PropertyId, (number, one, other, data): &'a Parts, topic: &'a str) -> Property<'a> {
    use Property as P;
    use PropertyId as I;
    let number = *number;
    let flag = number & 1 == 1;
    let two_byte = number as u16;
    match id {
        I::PayloadFormatIndicator => P::PayloadFormatIndicator(u8::from(flag)),
        I::MessageExpiryInterval => P::MessageExpiryInterval(number),
        I::ContentType => P::ContentType(one),
        I::ResponseTopic => P::ResponseTopic(topic),
        I::CorrelationData => P::CorrelationData(data),
        I::SubscriptionIdentifier => P::SubscriptionIdentifier(number.clamp(1, MAX_REMAINING_LENGTH)),
        I::SessionExpiryInterval => P::SessionExpiryInterval(number),
        I::AssignedClientIdentifier => P::AssignedClientIdentifier(one),
        I::ServerKeepAlive => P::ServerKeepAlive(two_byte),
        I::AuthenticationMethod => P::AuthenticationMethod(one),
        I::AuthenticationData => P::AuthenticationData(data),
        I::RequestProblemInformation => P::RequestProblemInformation(flag),
        I::WillDelayInterval => P::WillDelayInterval(number),
        I::RequestResponseInformation => P::RequestResponseInformation(flag),
        I::ResponseInformation => P::ResponseInformation(one),
        I::ServerReference => P::ServerReference(one),
        I::ReasonString => P::ReasonString(one),
        I::ReceiveMaximum => P::ReceiveMaximum(two_byte.max(1)),
        I::TopicAliasMaximum => P::TopicAliasMaximum(two_byte),
        I::TopicAlias => P::TopicAlias(two_byte.max(1)),
        I::MaximumQos => P::MaximumQos(u8::from(flag)),
        I::RetainAvailable => P::RetainAvailable(flag),
        I::UserProperty => P::UserProperty((one, other)),
        I::MaximumPacketSize => P::MaximumPacketSize(number.max(1)),
        I::WildcardSubscriptionAvailable => P::WildcardSubscriptionAvailable(flag),
        I::SubscriptionIdentifierAvailable => P::SubscriptionIdentifierAvailable(flag),
        I::SharedSubscriptionAvailable => P::SharedSubscriptionAvailable(flag),
    }
}
