//! The table of wrong packets, one check for each way to be wrong. [3.1.1 §4.8] [5.0 §4.13]
//!
//! Other checks take the rules one by one and say what they mean; these leave out no case and no place.

use crate::check::{Alone, Check, Cite, Running};
use crate::setup::Setup;
use crate::story::World;
use mqtt_assay_codec::{Offence, Version};
use std::time::Duration;

/// The statement that an offence breaks in a version; a wrong row of the table below does not compile.
const fn broken(version: Version, offence: Offence) -> Cite {
    match offence.statement(version) {
        Some(id) => Cite { version, id },
        None => panic!("this version has no such rule"),
    }
}

/// What is demanded of a receiver of 5.0, and the rule itself.
const fn only_5(offence: Offence) -> [Cite; 2] {
    [Cite { version: Version::V5, id: "MQTT-4.13.1-1" }, broken(Version::V5, offence)]
}

/// The same in 3.1.1, too.
const fn both(offence: Offence) -> [Cite; 4] {
    let [duty, rule] = only_5(offence);
    [Cite { version: Version::V3_1_1, id: "MQTT-4.8.0-1" }, broken(Version::V3_1_1, offence), duty, rule]
}

macro_rules! table {
    ($($constant:ident $name:literal $offence:ident $versions:ident $mutant:literal $text:literal;)*) => {
        $(
            #[doc = concat!("No packet of the table with ", $text, " is taken for a good one, wherever it comes.")]
            const $constant: Check = {
                fn story<'w>(w: &'w World) -> Running<'w> {
                    Box::pin(w.table(Offence::$offence))
                }
                Check {
                    name: $name,
                    doc: concat!(
                        " No packet with ", $text, " is taken for a good one, wherever it comes.\n\n",
                        " Sends     every such packet of the table, each on a connection of its own: as the first\n",
                        "           packet, right behind CONNECT, after CONNACK, within a QoS 2 exchange, right\n",
                        "           behind a PINGREQ, and in two writes.\n",
                        " Demands   the end of the connection; nothing passed on to a subscriber.\n",
                        " Leaves    5.0 leaves how strictly to check to the broker, save where a statement says that\n",
                        "           it validates; where a code can refuse, that is as good.\n",
                    ),
                    covers: &$versions(Offence::$offence),
                    needs: &[],
                    setup: Setup::Full,
                    proved: &[$mutant],
                    waits: Duration::ZERO,
                    alone: Alone::No,
                    run: story,
                    file: file!(),
                    line: line!(),
                }
            };
        )*

        /// In the order of the codec's offences.
        pub const CHECKS: &[Check] = &[$($constant),*];
    };
}

// Columns: constant, name, offence, versions, the mutant that proves it, what is wrong.
table! {
    RESERVED_PACKET_TYPE "table/reserved_packet_type" ReservedPacketType both "reserved_packet_type_ignored" "a reserved packet type";
    SERVER_PACKET_FROM_CLIENT "table/server_packet_from_client" ServerPacketFromClient both "server_packet_ignored" "a packet that only a Server may send";
    FIXED_HEADER_FLAGS "table/fixed_header_flags" FixedHeaderFlags both "fixed_header_flags_accepted" "wrong reserved flags in the fixed header";
    PUBREL_FLAGS "table/pubrel_flags" PubrelFlags both "pubrel_flags_accepted" "PUBREL flags other than 0010";
    SUBSCRIBE_FLAGS "table/subscribe_flags" SubscribeFlags both "subscribe_flags_accepted" "SUBSCRIBE flags other than 0010";
    UNSUBSCRIBE_FLAGS "table/unsubscribe_flags" UnsubscribeFlags both "unsubscribe_flags_accepted" "UNSUBSCRIBE flags other than 0010";
    DISCONNECT_FLAGS "table/disconnect_flags" DisconnectFlags both "protocol_error_kept_open" "DISCONNECT flags other than 0000";
    AUTH_FLAGS "table/auth_flags" AuthFlags only_5 "protocol_error_kept_open" "AUTH flags other than 0000";
    PUBLISH_QOS3 "table/publish_qos3" PublishQos3 both "qos_3_accepted" "a PUBLISH with both QoS bits set";
    PUBLISH_DUP_AT_QOS0 "table/publish_dup_at_qos0" PublishDupAtQos0 both "dup_at_qos_0_accepted" "a QoS 0 PUBLISH with DUP set";
    REMAINING_LENGTH_TOO_LONG "table/remaining_length_too_long" RemainingLengthTooLong both "protocol_error_kept_open" "a Remaining Length of more than four bytes";
    REMAINING_LENGTH_NOT_MINIMAL "table/remaining_length_not_minimal" RemainingLengthNotMinimal only_5 "padded_length_accepted" "a Remaining Length in more bytes than needed";
    VARIABLE_BYTE_INTEGER_TOO_LONG "table/variable_byte_integer_too_long" VariableByteIntegerTooLong only_5 "protocol_error_kept_open" "a Variable Byte Integer of more than four bytes";
    VARIABLE_BYTE_INTEGER_NOT_MINIMAL "table/variable_byte_integer_not_minimal" VariableByteIntegerNotMinimal only_5 "padded_length_accepted" "a Variable Byte Integer in more bytes than needed";
    TRUNCATED "table/truncated" Truncated both "truncated_packet_accepted" "a field that runs past the end of the packet";
    TRAILING_BYTES "table/trailing_bytes" TrailingBytes both "trailing_bytes_accepted" "bytes after the end of the packet's content";
    PACKET_IDENTIFIER_ZERO "table/packet_identifier_zero" PacketIdentifierZero both "packet_id_zero_accepted" "a Packet Identifier of 0";
    ACKNOWLEDGED_PUBLISH_ZERO "table/acknowledged_publish_zero" AcknowledgedPublishZero both "protocol_error_kept_open" "an acknowledgement of a PUBLISH with Packet Identifier 0";
    ILL_FORMED_UTF8 "table/ill_formed_utf8" IllFormedUtf8 both "ill_formed_utf8_accepted" "ill-formed UTF-8";
    SURROGATE_IN_UTF8 "table/surrogate_in_utf8" SurrogateInUtf8 both "ill_formed_utf8_accepted" "a surrogate code point in a UTF-8 string";
    NUL_IN_UTF8 "table/nul_in_utf8" NulInUtf8 both "nul_in_string_accepted" "U+0000 in a UTF-8 string";
    TOPIC_NAME_WILDCARD "table/topic_name_wildcard" TopicNameWildcard both "wildcard_topic_delivered" "a wildcard in a Topic Name";
    TOPIC_FILTER_EMPTY "table/topic_filter_empty" TopicFilterEmpty both "empty_filter_granted" "an empty Topic Filter";
    TOPIC_FILTER_MULTI_LEVEL "table/topic_filter_multi_level" TopicFilterMultiLevel both "bad_filter_granted" "a # that is not a whole last level";
    TOPIC_FILTER_SINGLE_LEVEL "table/topic_filter_single_level" TopicFilterSingleLevel both "bad_filter_granted" "a + that is not a whole level";
    SHARE_NAME_EMPTY "table/share_name_empty" ShareNameEmpty only_5 "bad_share_filter_granted" "a shared filter without a ShareName";
    SHARE_NAME_WILDCARD "table/share_name_wildcard" ShareNameWildcard only_5 "bad_share_filter_granted" "a wildcard in a ShareName";
    SHARED_FILTER_MISSING "table/shared_filter_missing" SharedFilterMissing only_5 "bad_share_filter_granted" "a ShareName without a Topic Filter";
    PROPERTY_LENGTH_MISSING "table/property_length_missing" PropertyLengthMissing only_5 "property_length_missing_accepted" "no Property Length";
    PROPERTY_LENGTH_OVERRUN "table/property_length_overrun" PropertyLengthOverrun only_5 "bad_property_accepted" "a Property Length that overruns the packet";
    PROPERTY_TRUNCATED "table/property_truncated" PropertyTruncated only_5 "bad_property_accepted" "a property that runs past the Property Length";
    PROPERTY_UNKNOWN "table/property_unknown" PropertyUnknown only_5 "bad_property_accepted" "an undefined property identifier";
    PROPERTY_NOT_ALLOWED "table/property_not_allowed" PropertyNotAllowed only_5 "bad_property_accepted" "a property that this packet may not carry";
    PROPERTY_REPEATED "table/property_repeated" PropertyRepeated only_5 "bad_property_accepted" "a property that may appear only once, repeated";
    PROPERTY_VALUE "table/property_value" PropertyValue only_5 "connect_bad_property_accepted" "a property value out of its range";
    USER_PROPERTY_ILL_FORMED "table/user_property_ill_formed" UserPropertyIllFormed only_5 "ill_formed_utf8_accepted" "an ill-formed string in a User Property";
    TOPIC_ALIAS_ZERO "table/topic_alias_zero" TopicAliasZero only_5 "topic_alias_zero_accepted" "a Topic Alias of 0";
    RESPONSE_TOPIC_WILDCARD "table/response_topic_wildcard" ResponseTopicWildcard only_5 "response_topic_wildcard_accepted" "a wildcard in a Response Topic";
    SUBSCRIPTION_IDENTIFIER_ZERO "table/subscription_identifier_zero" SubscriptionIdentifierZero only_5 "bad_property_accepted" "a Subscription Identifier of 0";
    SUBSCRIPTION_IDENTIFIER_FROM_CLIENT "table/subscription_identifier_from_client" SubscriptionIdentifierFromClient only_5 "subscription_id_from_client_accepted" "a Subscription Identifier in a Client's PUBLISH";
    AUTHENTICATION_DATA_WITHOUT_METHOD "table/authentication_data_without_method" AuthenticationDataWithoutMethod only_5 "connect_bad_property_accepted" "Authentication Data without Authentication Method";
    AUTHENTICATION_METHOD_MISSING "table/authentication_method_missing" AuthenticationMethodMissing only_5 "protocol_error_kept_open" "an AUTH without Authentication Method";
    PROTOCOL_NAME "table/protocol_name" ProtocolName both "protocol_name_ignored" "an unknown protocol name";
    PROTOCOL_LEVEL "table/protocol_level" ProtocolLevel both "protocol_level_ignored" "an unknown protocol level";
    CONNECT_RESERVED_FLAG "table/connect_reserved_flag" ConnectReservedFlag both "connect_reserved_flag_accepted" "the reserved Connect Flag set";
    WILL_QOS3 "table/will_qos3" WillQos3 both "connect_will_qos_3_accepted" "a Will QoS of 3";
    WILL_QOS_WITHOUT_WILL "table/will_qos_without_will" WillQosWithoutWill both "connect_will_bits_without_will_accepted" "a Will QoS without Will Flag";
    WILL_RETAIN_WITHOUT_WILL "table/will_retain_without_will" WillRetainWithoutWill both "connect_will_bits_without_will_accepted" "Will Retain without Will Flag";
    CLIENT_IDENTIFIER_MISSING "table/client_identifier_missing" ClientIdentifierMissing both "connect_missing_fields_accepted" "no Client Identifier in CONNECT";
    WILL_MISSING "table/will_missing" WillMissing both "connect_missing_fields_accepted" "a Will Flag without all Will fields";
    USER_NAME_MISSING "table/user_name_missing" UserNameMissing both "connect_missing_fields_accepted" "a User Name Flag without user name";
    PASSWORD_MISSING "table/password_missing" PasswordMissing both "connect_missing_fields_accepted" "a Password Flag without password";
    CONNECT_TRAILING_BYTES "table/connect_trailing_bytes" ConnectTrailingBytes both "connect_trailing_bytes_accepted" "bytes after the last field of CONNECT";
    WILL_TOPIC_EMPTY "table/will_topic_empty" WillTopicEmpty both "malformed_connect_kept_open" "an empty Will Topic";
    WILL_TOPIC_WILDCARD "table/will_topic_wildcard" WillTopicWildcard both "malformed_connect_kept_open" "a wildcard in a Will Topic";
    PUBLISH_TOPIC_MISSING "table/publish_topic_missing" PublishTopicMissing only_5 "empty_topic_accepted" "an empty Topic Name without Topic Alias";
    PUBACK_CODE "table/puback_code" PubackCode only_5 "ack_code_unlisted_accepted" "a PUBACK Reason Code that is not listed";
    PUBREC_CODE "table/pubrec_code" PubrecCode only_5 "ack_code_unlisted_accepted" "a PUBREC Reason Code that is not listed";
    PUBREL_CODE "table/pubrel_code" PubrelCode only_5 "ack_code_unlisted_accepted" "a PUBREL Reason Code that is not listed";
    PUBCOMP_CODE "table/pubcomp_code" PubcompCode only_5 "ack_code_unlisted_accepted" "a PUBCOMP Reason Code that is not listed";
    SUBSCRIBE_EMPTY "table/subscribe_empty" SubscribeEmpty both "empty_subscribe_accepted" "a SUBSCRIBE without Topic Filter";
    SUBSCRIPTION_RESERVED_BITS "table/subscription_reserved_bits" SubscriptionReservedBits both "subscribe_reserved_bits_accepted" "reserved bits set in the subscription options";
    SUBSCRIPTION_QOS3 "table/subscription_qos3" SubscriptionQos3 both "subscribe_qos_3_accepted" "a requested QoS of 3";
    RETAIN_HANDLING3 "table/retain_handling3" RetainHandling3 only_5 "retain_handling_3_accepted" "a Retain Handling of 3";
    NO_LOCAL_ON_SHARED "table/no_local_on_shared" NoLocalOnShared only_5 "no_local_on_shared_accepted" "No Local on a Shared Subscription";
    UNSUBSCRIBE_EMPTY "table/unsubscribe_empty" UnsubscribeEmpty both "empty_unsubscribe_accepted" "an UNSUBSCRIBE without Topic Filter";
    DISCONNECT_CODE "table/disconnect_code" DisconnectCode only_5 "protocol_error_kept_open" "a DISCONNECT Reason Code that is not listed";
    AUTH_CODE "table/auth_code" AuthCode only_5 "protocol_error_kept_open" "an AUTH Reason Code that is not listed";
}
