//! What can be wrong with a packet: one [`Offence`] per rule, each with the statement that it breaks in 3.1.1
//! and in 5.0 and the 5.0 Reason Code that names it.

use crate::reason::ReasonCode;
use crate::types::Version;
use core::fmt;

/// A packet was refused: what is wrong, and at which byte. [3.1.1 §4.8] [5.0 §4.13]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// The rule that the packet breaks.
    pub offence: Offence,
    /// Byte offset of the offending field or byte, counted from the first byte of the fixed header.
    pub offset: u32,
    /// The version whose rules were applied.
    pub version: Version,
}

impl Malformed {
    #[cold]
    pub(crate) fn new(offence: Offence, offset: usize, version: Version) -> Self {
        // Frames are at most 268,435,460 bytes long: an offset always fits.
        Malformed { offence, offset: u32::try_from(offset).unwrap_or(u32::MAX), version }
    }

    /// Id of the broken statement, without its version: `MQTT-3.8.3-4`, or one of our own ids (`U5-…`, `U3-…`)
    /// for a rule that the specification does not number. `None` for 3.1, whose rules have no ids.
    pub const fn statement(&self) -> Option<&'static str> {
        self.offence.statement(self.version)
    }

    /// The 5.0 Reason Code that fits the offence.
    pub const fn reason(&self) -> ReasonCode {
        self.offence.reason()
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.offence.text(), self.offset)?;
        match self.statement() {
            Some(id) => write!(f, " [{}/{}]", self.version, id),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Malformed {}

/// For the documentation of a rule that a version lacks.
macro_rules! id_or_none {
    ("") => {
        "none"
    };
    ($id:tt) => {
        $id
    };
}

macro_rules! offences {
    ($($variant:ident $text:literal, $v3:tt, $v5:tt, $reason:ident;)*) => {
        /// A rule about the form of packets, by the way it is broken.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Offence {
            $(
                #[doc = concat!("The packet has a flaw: ", $text, ".")]
                #[doc = concat!("[3.1.1: ", id_or_none!($v3), "] [5.0: ", id_or_none!($v5), "]")]
                $variant,
            )*
        }

        impl Offence {
            /// Every offence, in the order of the table.
            pub const ALL: &'static [Offence] = &[$(Offence::$variant),*];

            /// What is wrong, as a short noun phrase.
            pub const fn text(self) -> &'static str {
                match self { $(Offence::$variant => $text,)* }
            }

            /// Id of the statement that this breaks in `version`; `None` for 3.1 and where that version has no
            /// such rule.
            pub const fn statement(self, version: Version) -> Option<&'static str> {
                let id = match version {
                    Version::V3_1 => "",
                    Version::V3_1_1 => match self { $(Offence::$variant => $v3,)* },
                    Version::V5 => match self { $(Offence::$variant => $v5,)* },
                };
                if id.is_empty() { None } else { Some(id) }
            }

            /// The 5.0 Reason Code that fits.
            pub const fn reason(self) -> ReasonCode {
                match self { $(Offence::$variant => ReasonCode::$reason,)* }
            }
        }
    };
}

// Columns: variant, text, statement of 3.1.1, statement of 5.0 ("" where the version has no such rule), Reason Code.
offences! {
    // Framing.
    ReservedPacketType "a reserved packet type", "U3-TYPE-1", "U5-TYPE-1", MALFORMED_PACKET;
    ServerPacketFromClient "a packet that only a Server may send", "U3-TYPE-1", "U5-TYPE-2", PROTOCOL_ERROR;
    ClientPacketFromServer "a packet that only a Client may send", "U3-TYPE-1", "U5-TYPE-3", PROTOCOL_ERROR;
    FixedHeaderFlags "wrong reserved flags in the fixed header", "MQTT-2.2.2-2", "MQTT-2.1.3-1", MALFORMED_PACKET;
    PubrelFlags "PUBREL flags other than 0010", "MQTT-3.6.1-1", "MQTT-3.6.1-1", MALFORMED_PACKET;
    SubscribeFlags "SUBSCRIBE flags other than 0010", "MQTT-3.8.1-1", "MQTT-3.8.1-1", MALFORMED_PACKET;
    UnsubscribeFlags "UNSUBSCRIBE flags other than 0010", "MQTT-3.10.1-1", "MQTT-3.10.1-1", MALFORMED_PACKET;
    DisconnectFlags "DISCONNECT flags other than 0000", "MQTT-3.14.1-1", "MQTT-3.14.1-1", MALFORMED_PACKET;
    AuthFlags "AUTH flags other than 0000", "", "MQTT-3.15.1-1", MALFORMED_PACKET;
    PublishQos3 "a PUBLISH with both QoS bits set", "MQTT-3.3.1-4", "MQTT-3.3.1-4", MALFORMED_PACKET;
    PublishDupAtQos0 "a QoS 0 PUBLISH with DUP set", "MQTT-3.3.1-2", "MQTT-3.3.1-2", PROTOCOL_ERROR;
    RemainingLengthTooLong "a Remaining Length of more than four bytes", "U3-VBI-1", "U5-VBI-1", MALFORMED_PACKET;
    RemainingLengthNotMinimal "a Remaining Length in more bytes than needed", "", "MQTT-1.5.5-1", MALFORMED_PACKET;
    PacketTooLarge "a packet larger than the limit", "", "U5-CON-9", PACKET_TOO_LARGE;
    VariableByteIntegerTooLong "a Variable Byte Integer of more than four bytes", "", "U5-VBI-1", MALFORMED_PACKET;
    VariableByteIntegerNotMinimal "a Variable Byte Integer in more bytes than needed", "", "MQTT-1.5.5-1", MALFORMED_PACKET;
    Truncated "a field that runs past the end of the packet", "U3-STR-2", "U5-STR-1", MALFORMED_PACKET;
    TrailingBytes "bytes after the end of the packet's content", "U3-LEN-1", "U5-LEN-1", MALFORMED_PACKET;
    PacketIdentifierZero "a Packet Identifier of 0", "MQTT-2.3.1-1", "MQTT-2.2.1-3", PROTOCOL_ERROR;
    PacketIdentifierZeroFromServer "a Packet Identifier of 0", "MQTT-2.3.1-1", "MQTT-2.2.1-4", PROTOCOL_ERROR;
    AcknowledgedPublishZero "an acknowledgement of a PUBLISH with Packet Identifier 0", "MQTT-2.3.1-6", "MQTT-2.2.1-5", PROTOCOL_ERROR;
    AcknowledgedRequestZero "an acknowledgement of a request with Packet Identifier 0", "MQTT-2.3.1-7", "MQTT-2.2.1-6", PROTOCOL_ERROR;

    // Strings.
    IllFormedUtf8 "ill-formed UTF-8", "MQTT-1.5.3-1", "MQTT-1.5.4-1", MALFORMED_PACKET;
    SurrogateInUtf8 "a surrogate code point in a UTF-8 string", "MQTT-1.5.3-1", "MQTT-1.5.4-1", MALFORMED_PACKET;
    NulInUtf8 "U+0000 in a UTF-8 string", "MQTT-1.5.3-2", "MQTT-1.5.4-2", MALFORMED_PACKET;

    // Topic Names and Topic Filters.
    TopicNameEmpty "an empty Topic Name", "MQTT-4.7.3-1", "MQTT-4.7.3-1", PROTOCOL_ERROR;
    TopicNameWildcard "a wildcard in a Topic Name", "MQTT-3.3.2-2", "MQTT-3.3.2-2", TOPIC_NAME_INVALID;
    TopicFilterEmpty "an empty Topic Filter", "MQTT-4.7.3-1", "MQTT-4.7.3-1", PROTOCOL_ERROR;
    TopicFilterMultiLevel "a # that is not a whole last level", "MQTT-4.7.1-2", "MQTT-4.7.1-1", TOPIC_FILTER_INVALID;
    TopicFilterSingleLevel "a + that is not a whole level", "MQTT-4.7.1-3", "MQTT-4.7.1-2", TOPIC_FILTER_INVALID;
    ShareNameEmpty "a shared filter without a ShareName", "", "MQTT-4.8.2-1", TOPIC_FILTER_INVALID;
    ShareNameWildcard "a wildcard in a ShareName", "", "MQTT-4.8.2-2", TOPIC_FILTER_INVALID;
    SharedFilterMissing "a ShareName without a Topic Filter", "", "MQTT-4.8.2-2", TOPIC_FILTER_INVALID;

    // Properties.
    PropertyLengthMissing "no Property Length", "", "MQTT-2.2.2-1", MALFORMED_PACKET;
    PropertyLengthOverrun "a Property Length that overruns the packet", "", "U5-PROP-5", MALFORMED_PACKET;
    PropertyTruncated "a property that runs past the Property Length", "", "U5-PROP-5", MALFORMED_PACKET;
    PropertyUnknown "an undefined property identifier", "", "U5-PROP-2", MALFORMED_PACKET;
    PropertyNotAllowed "a property that this packet may not carry", "", "U5-PROP-1", MALFORMED_PACKET;
    PropertyRepeated "a property that may appear only once, repeated", "", "U5-PROP-3", PROTOCOL_ERROR;
    PropertyValue "a property value out of its range", "", "U5-PROP-4", PROTOCOL_ERROR;
    UserPropertyIllFormed "an ill-formed string in a User Property", "", "MQTT-1.5.7-1", MALFORMED_PACKET;
    TopicAliasZero "a Topic Alias of 0", "", "MQTT-3.3.2-8", TOPIC_ALIAS_INVALID;
    ResponseTopicWildcard "a wildcard in a Response Topic", "", "MQTT-3.3.2-14", PROTOCOL_ERROR;
    SubscriptionIdentifierZero "a Subscription Identifier of 0", "", "U5-SUB-4", PROTOCOL_ERROR;
    SubscriptionIdentifierFromClient "a Subscription Identifier in a Client's PUBLISH", "", "MQTT-3.3.4-6", PROTOCOL_ERROR;
    SessionExpiryFromServer "a Session Expiry Interval in a Server's DISCONNECT", "", "MQTT-3.14.2-2", PROTOCOL_ERROR;
    AuthenticationDataWithoutMethod "Authentication Data without Authentication Method", "", "U5-CON-7", PROTOCOL_ERROR;
    AuthenticationMethodMissing "an AUTH without Authentication Method", "", "U5-AUTH-2", PROTOCOL_ERROR;

    // CONNECT.
    ProtocolName "an unknown protocol name", "MQTT-3.1.2-1", "MQTT-3.1.2-1", UNSUPPORTED_PROTOCOL_VERSION;
    ProtocolLevel "an unknown protocol level", "MQTT-3.1.2-2", "MQTT-3.1.2-2", UNSUPPORTED_PROTOCOL_VERSION;
    ConnectReservedFlag "the reserved Connect Flag set", "MQTT-3.1.2-3", "MQTT-3.1.2-3", MALFORMED_PACKET;
    WillQos3 "a Will QoS of 3", "MQTT-3.1.2-14", "MQTT-3.1.2-12", MALFORMED_PACKET;
    WillQosWithoutWill "a Will QoS without Will Flag", "MQTT-3.1.2-13", "MQTT-3.1.2-11", MALFORMED_PACKET;
    WillRetainWithoutWill "Will Retain without Will Flag", "MQTT-3.1.2-15", "MQTT-3.1.2-13", MALFORMED_PACKET;
    PasswordWithoutUserName "a Password Flag without User Name Flag", "MQTT-3.1.2-22", "", MALFORMED_PACKET;
    ClientIdentifierMissing "no Client Identifier in CONNECT", "MQTT-3.1.3-3", "MQTT-3.1.3-3", MALFORMED_PACKET;
    WillMissing "a Will Flag without all Will fields", "MQTT-3.1.2-9", "MQTT-3.1.2-9", MALFORMED_PACKET;
    UserNameMissing "a User Name Flag without user name", "MQTT-3.1.2-19", "MQTT-3.1.2-17", MALFORMED_PACKET;
    PasswordMissing "a Password Flag without password", "MQTT-3.1.2-21", "MQTT-3.1.2-19", MALFORMED_PACKET;
    ConnectTrailingBytes "bytes after the last field of CONNECT", "MQTT-3.1.4-1", "MQTT-3.1.4-1", MALFORMED_PACKET;
    WillTopicEmpty "an empty Will Topic", "MQTT-4.7.3-1", "MQTT-4.7.3-1", TOPIC_NAME_INVALID;
    WillTopicWildcard "a wildcard in a Will Topic", "MQTT-4.7.1-1", "MQTT-4.7.0-1", TOPIC_NAME_INVALID;

    // CONNACK.
    ConnackFlags "reserved Connect Acknowledge Flags set", "U3-CON-4", "MQTT-3.2.2-1", MALFORMED_PACKET;
    ConnackSessionPresent "Session Present in a CONNACK that refuses", "MQTT-3.2.2-4", "MQTT-3.2.2-6", PROTOCOL_ERROR;
    ConnackCode "a CONNACK code that is not listed", "MQTT-3.2.2-6", "MQTT-3.2.2-8", PROTOCOL_ERROR;

    // PUBLISH and its acknowledgements.
    PublishTopicMissing "an empty Topic Name without Topic Alias", "", "U5-PUB-1", PROTOCOL_ERROR;
    PubackCode "a PUBACK Reason Code that is not listed", "", "MQTT-3.4.2-1", PROTOCOL_ERROR;
    PubrecCode "a PUBREC Reason Code that is not listed", "", "MQTT-3.5.2-1", PROTOCOL_ERROR;
    PubrelCode "a PUBREL Reason Code that is not listed", "", "MQTT-3.6.2-1", PROTOCOL_ERROR;
    PubcompCode "a PUBCOMP Reason Code that is not listed", "", "MQTT-3.7.2-1", PROTOCOL_ERROR;

    // SUBSCRIBE, UNSUBSCRIBE and their acknowledgements.
    SubscribeEmpty "a SUBSCRIBE without Topic Filter", "MQTT-3.8.3-3", "MQTT-3.8.3-2", PROTOCOL_ERROR;
    SubscriptionReservedBits "reserved bits set in the subscription options", "MQTT-3.8.3-4", "MQTT-3.8.3-5", MALFORMED_PACKET;
    SubscriptionQos3 "a requested QoS of 3", "MQTT-3.8.3-4", "U5-SUB-1", PROTOCOL_ERROR;
    RetainHandling3 "a Retain Handling of 3", "", "U5-SUB-2", PROTOCOL_ERROR;
    NoLocalOnShared "No Local on a Shared Subscription", "", "MQTT-3.8.3-4", PROTOCOL_ERROR;
    SubackEmpty "a SUBACK without codes", "MQTT-3.8.4-5", "MQTT-3.8.4-6", MALFORMED_PACKET;
    SubackCode "a SUBACK code that is not listed", "MQTT-3.9.3-2", "MQTT-3.9.3-2", PROTOCOL_ERROR;
    UnsubscribeEmpty "an UNSUBSCRIBE without Topic Filter", "MQTT-3.10.3-2", "MQTT-3.10.3-2", PROTOCOL_ERROR;
    UnsubackEmpty "an UNSUBACK without codes", "", "MQTT-3.11.3-2", MALFORMED_PACKET;
    UnsubackCode "an UNSUBACK Reason Code that is not listed", "", "MQTT-3.11.3-2", PROTOCOL_ERROR;

    // DISCONNECT and AUTH.
    DisconnectCode "a DISCONNECT Reason Code that is not listed", "", "MQTT-3.14.2-1", PROTOCOL_ERROR;
    AuthCode "an AUTH Reason Code that is not listed", "", "MQTT-3.15.2-1", PROTOCOL_ERROR;
}
