//! Where independent codecs see a packet otherwise than ours, and why ours is right: each class decided by the
//! text of the specification, with an example that a test tries.

use crate::peers::Peer;
use mqtt_assay_codec::{Offence, Packet, PropertyId, Version};

/// Our verdict on a packet.
#[derive(Debug)]
pub enum Ours<'a> {
    /// We take it.
    Accepts(Packet<'a>),
    /// We refuse it.
    Refuses {
        /// What is wrong with it.
        offence: Offence,
        /// What would be wrong with the same bytes in the other direction.
        there: Option<Offence>,
    },
}

/// A class of disagreements.
pub struct Class {
    /// Who disagrees.
    pub peer: Peer,
    /// In which versions.
    pub versions: &'static [Version],
    /// How.
    pub how: How,
    /// Why we stay with our verdict.
    pub reason: &'static str,
    /// A stream that shows it, without the byte that chooses the decoder; to a Server.
    pub example: &'static [u8],
}

/// How the verdicts differ.
pub enum How {
    /// They take what we refuse for this offence.
    TheyAccept(Offence),
    /// They refuse, with words that hold these, a packet of which this is true.
    TheyRefuse(&'static str, fn(&Packet<'_>) -> bool),
}

/// The reason for this disagreement, if somebody has decided it.
pub fn known(peer: Peer, version: Version, ours: &Ours<'_>, theirs: &str) -> Option<&'static str> {
    if let Ours::Refuses { offence, there } = ours
        && there.is_none_or(|there| there != *offence && of_direction(there) && of_direction(*offence))
    {
        return Some("the peers do not know who receives: each of these rules binds one direction only");
    }
    let class = CLASSES.iter().find(|class| {
        class.peer == peer
            && class.versions.contains(&version)
            && match (&class.how, ours) {
                (How::TheyAccept(by), Ours::Refuses { offence, there }) => {
                    theirs == "accepts" && (by == offence || there.as_ref() == Some(by))
                }
                (How::TheyRefuse(words, holds), Ours::Accepts(packet)) => {
                    theirs.contains(words) && holds(packet)
                }
                _ => false,
            }
    });
    class.map(|class| class.reason)
}

/// Whether the rule depends on who receives.
const fn of_direction(offence: Offence) -> bool {
    matches!(
        offence,
        Offence::ServerPacketFromClient
            | Offence::ClientPacketFromServer
            | Offence::PubackCode
            | Offence::PubrecCode
            | Offence::DisconnectCode
            | Offence::AuthCode
            | Offence::PropertyNotAllowed
            | Offence::SubscriptionIdentifierFromClient
            | Offence::SessionExpiryFromServer
    )
}

/// Whether a filter of the packet looks like a shared one of 5.0.
fn looks_shared(packet: &Packet<'_>) -> bool {
    match packet {
        Packet::Subscribe(subscribe) => {
            subscribe.subscriptions.iter().any(|s| s.filter.starts_with("$share/"))
        }
        Packet::Unsubscribe(unsubscribe) => unsubscribe.filters.iter().any(|f| f.starts_with("$share/")),
        _ => false,
    }
}

const V3: &[Version] = &[Version::V3_1_1];
const V5: &[Version] = &[Version::V5];
const BOTH: &[Version] = &[Version::V3_1_1, Version::V5];

const fn they_accept(
    peer: Peer,
    versions: &'static [Version],
    offence: Offence,
    reason: &'static str,
    example: &'static [u8],
) -> Class {
    Class { peer, versions, how: How::TheyAccept(offence), reason, example }
}

fn has(packet: &Packet<'_>, id: PropertyId) -> usize {
    packet.properties().map_or(0, |list| list.iter().filter(|property| property.id() == id).count())
}

/// A payload or Will Payload that is said to be UTF-8, and is not.
fn belies_its_format(packet: &Packet<'_>) -> bool {
    let (properties, payload) = match packet {
        Packet::Publish(publish) => (publish.properties, publish.payload),
        Packet::Connect(connect) => match connect.will {
            Some(will) => (will.properties, will.payload),
            None => return false,
        },
        _ => return false,
    };
    properties.payload_format_indicator() == Some(1) && core::str::from_utf8(payload).is_err()
}

/// All classes, by peer.
pub const CLASSES: &[Class] = &[
    // flowsdk refuses what is allowed.
    Class {
        peer: Peer::Flowsdk,
        versions: V5,
        how: How::TheyRefuse("Assigned Client Identifier cannot be empty", |packet| {
            packet.properties().and_then(|list| list.assigned_client_identifier()) == Some("")
        }),
        reason: "5.0 §3.2.2.3.7 wants an identifier that no other Session has, and gives it no least length: \
                 whether the empty one will do is not a matter of form",
        example: b"\x20\x06\x00\x00\x03\x12\x00\x00",
    },
    Class {
        peer: Peer::Flowsdk,
        versions: V5,
        how: How::TheyRefuse(
            "Username cannot be empty",
            |packet| matches!(packet, Packet::Connect(connect) if connect.user_name == Some("")),
        ),
        reason: "5.0 §3.1.3.5: a UTF-8 Encoded String, which may be empty [5.0 §1.5.4]",
        example: b"\x10\x10\x00\x04MQTT\x05\x82\x00\x3C\x00\x00\x01c\x00\x00",
    },
    Class {
        peer: Peer::Flowsdk,
        versions: V5,
        how: How::TheyRefuse(
            "Password cannot be empty",
            |packet| matches!(packet, Packet::Connect(connect) if connect.password == Some(b"")),
        ),
        reason: "5.0 §3.1.3.6: Binary Data, of 0 to 65,535 bytes",
        example: b"\x10\x10\x00\x04MQTT\x05\x42\x00\x3C\x00\x00\x01c\x00\x00",
    },
    Class {
        peer: Peer::Flowsdk,
        versions: V5,
        how: How::TheyRefuse(
            "Will topic or message cannot be empty",
            |packet| matches!(packet, Packet::Connect(connect) if connect.will.is_some_and(|will| will.payload.is_empty())),
        ),
        reason: "5.0 §3.1.3.4: the Will Payload is Binary Data, and may be empty",
        example: b"\x10\x14\x00\x04MQTT\x05\x06\x00\x3C\x00\x00\x01c\x00\x00\x01w\x00\x00",
    },
    Class {
        peer: Peer::Flowsdk,
        versions: V5,
        how: How::TheyRefuse(
            "Invalid reason code",
            |packet| matches!(packet, Packet::Disconnect(disconnect) if disconnect.reason.0 == 0x8C),
        ),
        reason: "table 2-6 of 5.0 gives 0x8C to DISCONNECT, table 3-10 leaves it out: a Server ends a \
                 re-authentication with it",
        example: b"\xE0\x01\x8C",
    },
    Class {
        peer: Peer::Flowsdk,
        versions: V3,
        how: How::TheyRefuse("Variable Byte Integer encoding is not minimal", |_| true),
        reason: "3.1.1 §2.2.3 does not ask for the shortest form of a Remaining Length; only 5.0 does",
        example: b"\x40\x82\x00\x00\x07",
    },
    // flowsdk takes what is forbidden.
    they_accept(
        Peer::Flowsdk,
        V5,
        Offence::ProtocolLevel,
        "5.0/MQTT-3.1.2-2: there is no such Protocol Version",
        b"\x10\x0E\x00\x04MQTT\x00\x02\x00\x3C\x00\x00\x01c",
    ),
    they_accept(
        Peer::Flowsdk,
        V5,
        Offence::AuthenticationMethodMissing,
        "5.0 §3.15.2.2.2 and 5.0/MQTT-4.12.0-5 want the method in each AUTH; the short form of §3.15.2.1 \
         contradicts them",
        b"\xF0\x00",
    ),
    // mqtt-proto refuses what is allowed.
    Class {
        peer: Peer::MqttProto,
        versions: V5,
        how: How::TheyRefuse("InvalidPayloadFormat", belies_its_format),
        reason: "5.0 §3.3.2.3.2, §3.1.3.2.3: a receiver may check the payload; it is answered with 0x99, not as \
                 a matter of the packet's form",
        example: b"\x30\x07\x00\x01a\x02\x01\x01\xFF",
    },
    Class {
        peer: Peer::MqttProto,
        versions: V5,
        how: How::TheyRefuse("DuplicatedProperty(SubscriptionIdentifier)", |packet| {
            matches!(packet, Packet::Publish(_)) && has(packet, PropertyId::SubscriptionIdentifier) > 1
        }),
        reason: "5.0 §3.3.2.3.8: a PUBLISH to a Client carries one for each matching subscription",
        example: b"\x30\x08\x00\x01a\x04\x0B\x01\x0B\x02",
    },
    Class {
        peer: Peer::MqttProto,
        versions: V5,
        how: How::TheyRefuse(
            "InvalidReasonCode(Disconnect, 140)",
            |packet| matches!(packet, Packet::Disconnect(disconnect) if disconnect.reason.0 == 0x8C),
        ),
        reason: "as for flowsdk: table 2-6 of 5.0 gives 0x8C to DISCONNECT",
        example: b"\xE0\x01\x8C",
    },
    Class {
        peer: Peer::MqttProto,
        versions: V3,
        how: How::TheyRefuse("InvalidTopicFilter", looks_shared),
        reason: "shared filters came with 5.0: before, `$share` is a level like any other [3.1.1 §4.7]",
        example: b"\x82\x0F\x00\x07\x00\x0A$share/+/a\x01",
    },
    // mqtt-proto takes what is forbidden.
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::ConnackSessionPresent,
        "3.1.1/MQTT-3.2.2-4, 5.0/MQTT-3.2.2-6: a CONNACK that refuses has Session Present 0",
        b"\x20\x02\x01\x01",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::ConnectTrailingBytes,
        "3.1.1/MQTT-3.1.4-1, 5.0/MQTT-3.1.4-1: nothing follows the last field that the flags promise",
        b"\x10\x0E\x00\x04MQTT\x04\x02\x00\x3C\x00\x01c\x00",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::NulInUtf8,
        "3.1.1/MQTT-1.5.3-2, 5.0/MQTT-1.5.4-2: no string holds U+0000",
        b"\x10\x0D\x00\x04MQTT\x04\x02\x00\x3C\x00\x01\x00",
    ),
    they_accept(
        Peer::MqttProto,
        V3,
        Offence::PasswordWithoutUserName,
        "3.1.1/MQTT-3.1.2-22",
        b"\x10\x10\x00\x04MQTT\x04\x42\x00\x3C\x00\x01c\x00\x01p",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::PublishDupAtQos0,
        "3.1.1/MQTT-3.3.1-2, 5.0/MQTT-3.3.1-2",
        b"\x38\x04\x00\x01a\x00",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::SubackEmpty,
        "3.1.1/MQTT-3.8.4-5, 5.0/MQTT-3.8.4-6: a code for each filter, and there is at least one",
        b"\x90\x02\x00\x07",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::TopicFilterSingleLevel,
        "3.1.1/MQTT-4.7.1-3, 5.0/MQTT-4.7.1-2: + fills a whole level",
        b"\x82\x07\x00\x07\x00\x02+a\x01",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::TopicNameEmpty,
        "3.1.1/MQTT-4.7.3-1, 5.0/MQTT-4.7.3-1; in 5.0 a Response Topic, for which no alias stands",
        b"\x30\x02\x00\x00",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::TrailingBytes,
        "the Remaining Length of the fixed form, 3.1.1 §3.4–3.14; no payload, 5.0 §3.4–3.15",
        b"\x40\x03\x00\x07\x00",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::WillRetainWithoutWill,
        "3.1.1/MQTT-3.1.2-15, 5.0/MQTT-3.1.2-13",
        b"\x10\x0D\x00\x04MQTT\x04\x22\x00\x3C\x00\x01c",
    ),
    they_accept(
        Peer::MqttProto,
        BOTH,
        Offence::WillTopicEmpty,
        "3.1.1/MQTT-4.7.3-1, 5.0/MQTT-4.7.3-1",
        b"\x10\x12\x00\x04MQTT\x04\x06\x00\x3C\x00\x01c\x00\x00\x00\x01w",
    ),
    they_accept(Peer::MqttProto, V5, Offence::AuthenticationMethodMissing, "as for flowsdk", b"\xF0\x00"),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::AuthenticationDataWithoutMethod,
        "5.0 §3.1.2.11.10",
        b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3C\x04\x16\x00\x01x\x00\x01c",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::NoLocalOnShared,
        "5.0/MQTT-3.8.3-4",
        b"\x82\x10\x00\x07\x00\x00\x0A$share/g/a\x04",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::PropertyValue,
        "5.0 §3.1.2.11.3, §3.1.2.11.4: Receive Maximum and Maximum Packet Size are not 0",
        b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3C\x03\x21\x00\x00\x00\x01c",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::PublishTopicMissing,
        "5.0 §3.3.2.1: an empty Topic Name needs a Topic Alias",
        b"\x30\x03\x00\x00\x00",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::RemainingLengthNotMinimal,
        "5.0/MQTT-1.5.5-1",
        b"\x10\x8E\x00\x00\x04MQTT\x05\x02\x00\x3C\x00\x00\x01c",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::VariableByteIntegerNotMinimal,
        "5.0/MQTT-1.5.5-1",
        b"\x10\x0F\x00\x04MQTT\x05\x02\x00\x3C\x80\x00\x00\x01c",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::SubscriptionIdentifierZero,
        "5.0 §3.8.2.1.2, §3.3.2.3.8: 1 to 268,435,455",
        b"\x82\x09\x00\x07\x02\x0B\x00\x00\x01a\x01",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::TopicAliasZero,
        "5.0/MQTT-3.3.2-8",
        b"\x30\x07\x00\x01a\x03\x23\x00\x00",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::UnsubackEmpty,
        "5.0/MQTT-3.11.3-2: a code for each filter, and there is at least one",
        b"\xB0\x03\x00\x07\x00",
    ),
    they_accept(
        Peer::MqttProto,
        V5,
        Offence::UserPropertyIllFormed,
        "5.0/MQTT-1.5.7-1: U+0000 has no place in these strings either",
        b"\x30\x0B\x00\x01a\x07\x26\x00\x01\x00\x00\x01v",
    ),
];
