//! The table of what checks find beside the statements that a mutant breaks.

use super::Beside;
use crate::serve::{EdgeFault, PacketFault};
use mqtt_assay_broker_model::Mutant;

/// Faults that reach far beyond their own statements: any check may meet them.
pub(super) const ANYWHERE: &[(Mutant, &str)] = &[
    (Mutant::EveryThirdMessageLost, "any story with three messages misses one"),
    (Mutant::DeliveredAtLowerQos, "any story that waits for a message waits for its QoS, too"),
    (Mutant::TopicAltered, "no message comes to the topic that its story waits for"),
    (Mutant::SubackWithoutPropertyLength, "every story with a SUBACK meets the malformed packet"),
    (Mutant::ProtocolErrorKeptOpen, "any story of an error waits for the end of the connection"),
    (Mutant::DisconnectCodeNormal, "any story of an error meets the wrong Reason Code"),
];

/// Faults that wrong packets of the table meet on their way: any `table/` check may.
pub(super) const TABLE: &[(Mutant, &str)] = &[
    (
        Mutant::MalformedConnectKeptOpen,
        "wrong packets that are a CONNECT, or come first, are to end the connection",
    ),
    (Mutant::MalformedConnectAnswered, "its 3.1.1 code is no answer to any wrong CONNECT"),
    (Mutant::RefusedConnectKeptOpen, "a refused CONNECT is to end the connection, whatever is wrong in it"),
    (
        Mutant::ConnackRefusalWithSessionPresent,
        "the CONNACK that refuses a wrong CONNECT is the malformed one",
    ),
    (Mutant::ConnackCodeUnlisted, "the CONNACK that refuses a wrong CONNECT is the malformed one"),
    (Mutant::PipelinedPacketsDropped, "the wrong packet comes in one segment with CONNECT, and is dropped"),
    (
        Mutant::PublishBeforeConnectDistributed,
        "the wrong packet comes first, and is taken for a PUBLISH of somebody",
    ),
    (Mutant::ConnectBadPropertyAccepted, "each rule for properties has a number of its own"),
    (Mutant::ConnectBadStringAccepted, "User Properties are strings, with a number of their own"),
    (Mutant::ConnectTruncatedAccepted, "what is cut off has a number of its own"),
    (Mutant::EmptyTopicAccepted, "an empty Topic Name without Topic Alias has a number of its own"),
];

/// Faults on the way of packets: any check may meet them.
pub(super) const PACKETS: &[(PacketFault, &str)] = &[
    (PacketFault::EveryThirdPubackLost, "the answer is what the story waits for to show its point"),
    (PacketFault::SplitPublishLost, "the wrong PUBLISH comes in parts, and is lost"),
    (PacketFault::LastPacketLost, "the refusal that the story waits for is not sent"),
    (
        PacketFault::Qos2PublishDoubled,
        "the second copy comes where the story demands something else, or nothing",
    ),
    (
        PacketFault::SubscribeDoubled,
        "the second SUBACK, or a second retained message, comes where the story demands something else",
    ),
    (PacketFault::StrayByteSent, "what comes behind the stray byte makes no sense any more"),
    (PacketFault::PublishesExchanged, "the story tells messages apart by their order"),
];

/// Faults of the transport: any check over WebSocket may meet them.
pub(super) const EDGE: &[(EdgeFault, &str)] = &[
    (
        EdgeFault::WebSocketTextSent,
        "every answer comes in a text frame, in 3.1 too, which knows no WebSocket",
    ),
    (
        EdgeFault::WebSocketPartialPacketsDropped,
        "every packet that is sent in parts is lost, or its rest is malformed",
    ),
    (EdgeFault::WebSocketFirstPacketOnly, "every packet that is sent with others, or in parts, is lost"),
];

macro_rules! beside {
    ($($mutant:ident [$($check:literal),+] $why:literal;)*) => {
        /// Checks that a fault reaches though they have to do with none of its statements. A check that is missing
        /// here and fails has either accused falsely, or shows what its story rests on.
        pub(super) const BESIDE: &[Beside] =
            &[$(Beside { mutant: Mutant::$mutant, checks: &[$($check),+], why: $why }),*];
    };
}

beside! {
    ProtocolLevelRefusedWithWrongCode ["connect/unknown_protocol_level_is_refused"] "the refusal that the story waits for is the broken one";
    MalformedConnectAnswered ["connect/truncated"] "its 3.1.1 code is none that a 5.0 CONNACK has";
    MalformedConnectKeptOpen ["connect/unknown_protocol_level_is_refused", "connect/unknown_protocol_name_is_refused"] "a CONNECT of another protocol is refused in the same place";
    SecondConnectIgnored ["disconnect/server_disconnect_is_well_formed"] "the story provokes a DISCONNECT by this very error";
    PipelinedPacketsDropped ["connect/second_connect_in_one_segment"] "the second CONNECT comes in the segment that is dropped";
    ConnackCodeUnlisted ["connect/unknown_protocol_level_is_refused"] "the refusal that the story waits for is the broken one";
    ConnackRefusalWithSessionPresent ["connect/unknown_protocol_level_is_refused"] "the refusal that the story waits for is the broken one";
    RefusedConnectKeptOpen ["auth/unsupported_method_is_refused", "connect/client_id_ill_formed", "connect/client_id_missing", "connect/fixed_header_flags", "connect/password_missing", "connect/password_without_flag", "connect/reserved_flag", "connect/truncated", "connect/unknown_protocol_level_is_refused", "connect/user_name_ill_formed", "connect/user_name_missing", "connect/user_name_without_flag", "connect/will_bits_without_will", "connect/will_missing", "connect/will_qos_3", "connect/will_topic_ill_formed", "connect/will_without_flag", "property/connect_is_checked", "string/ill_formed_in_connect_is_refused", "string/nul_in_connect_is_refused", "connect/wrong_password_is_refused", "limit/will_qos_above_maximum_is_refused", "limit/will_retain_is_refused", "auth/wrong_answer_is_refused", "auth/nothing_else_before_connack", "auth/only_continue_answers_a_challenge"] "a malformed CONNECT is refused with a CONNACK, too";
    SessionPresentAlways ["client_id/case_matters", "client_id/is_compared_exactly", "session_expiry/disconnect_may_not_raise_from_0"] "the story tells sessions apart by Session Present";
    SessionPresentNever ["client_id/assigned_id_is_told", "session_expiry/largest_never_expires"] "the story tells sessions apart by Session Present";
    MaximumQosNotAnnounced ["v3_1/denied_is_acknowledged", "flow/its_own_receive_maximum_is_enforced", "packet_identifier/answers_carry_the_publishs", "publish/answered_by_qos", "reason/no_matching_subscribers_is_true"] "the checks publish at a QoS that the broker does not take, since it has not said so";
    PingrespMissing ["flow/other_packets_are_served_at_quota_zero"] "PINGREQ is the packet that must be served";
    TakeoverLeavesOldConnection ["disconnect/server_disconnect_is_well_formed", "will/clean_start_cuts_delay", "will/published_on_takeover"] "the story provokes the end by a takeover";
    SessionNotResumed ["client_id/assigned_id_is_told", "client_id/is_the_key", "session/messages_wait", "shared/qos_2_is_completed_with_its_member"] "the story shows its point by what a resumed session holds";
    SessionNotDiscardedOnCleanStart ["connack/session_present_0_for_clean_start", "will/clean_start_cuts_delay"] "the story begins with a session that should be gone";
    SessionNotExpired ["will/session_expiry_cuts_delay"] "the session does not end, and what is due at its end does not come";
    SessionExpiresAtOnce ["client_id/assigned_id_is_told", "client_id/is_the_key", "connack/session_present_1_for_stored_session", "no_local/survives_the_connection", "reason/no_matching_subscribers_is_true", "session/takeover_keeps_session", "shared/qos_2_is_completed_with_its_member", "will/delay_is_kept", "will/published_after_disconnect_with_will"] "the story shows its point by what a resumed session holds";
    CleanSessionKept ["connack/session_present_0_without_session", "session_expiry/disconnect_may_not_raise_from_0", "will/no_session_no_delay", "shared/qos_1_goes_on_with_another"] "the session does not end, and what is due at its end does not come";
    SessionExpiresWhileConnected ["no_local/own_messages_stay_away", "session/subscriptions_outlive_connection", "unsubscribe/several_filters_take_effect", "will/delay_is_kept", "string/control_characters_are_kept_or_refused", "denied/refused_goes_nowhere", "shared/qos_1_goes_on_with_another", "receipt/parts_make_a_whole", "topics/long_names_are_kept", "reason/short_acknowledgements_count", "retain_options/published_flag_is_cleared", "retain_options/published_flag_is_kept", "retained/live_copy_has_retain_0"] "the subscription that the story listens with is gone";
    SubscriptionsLostOnResume ["retain_options/handling_1_knows_resumed_subscriptions", "flow/receive_maximum_is_the_connections"] "the story shows its point by what a resumed session holds";
    QueuedMessagesLostOnResume ["client_id/is_the_key", "ordering/waiting_messages_keep_their_order", "retained/queued_copy_has_retain_0", "session/messages_wait", "subscribe/lower_qos_for_retained_and_waiting"] "the messages of the story wait for a Client that is away";
    OfflineMessagesDropped ["client_id/is_the_key", "ordering/waiting_messages_keep_their_order", "retained/queued_copy_has_retain_0", "session/messages_wait", "subscribe/lower_qos_for_retained_and_waiting"] "the messages of the story wait for a Client that is away";
    InflightLostOnResume ["qos_2/started_does_not_expire", "shared/qos_2_is_completed_with_its_member", "unsubscribe/completes_started_qos_1"] "the story goes on with an exchange after a reconnection";
    PubackMissing ["connect/packets_may_follow_at_once", "reason/no_matching_subscribers_is_true", "denied/answered_or_ends", "auth/reauthentication_goes_beside_traffic"] "the answer is what the story waits for to show its point";
    PubackWrongId ["connect/packets_may_follow_at_once", "reason/no_matching_subscribers_is_true", "length/all_lengths_are_understood", "auth/reauthentication_goes_beside_traffic"] "the answer is what the story waits for to show its point";
    PubrecMissing ["flow/other_packets_are_served_at_quota_zero", "qos_2/repeated_publish_arrives_once", "reason/no_matching_subscribers_is_true", "denied/answered_or_ends"] "the answer is what the story waits for to show its point";
    PubrecWrongId ["qos_2/repeated_publish_arrives_once", "reason/no_matching_subscribers_is_true"] "the answer is what the story waits for to show its point";
    PubcompMissing ["flow/other_packets_are_served_at_quota_zero", "qos_2/expired_is_completed", "qos_2/id_is_free_after_pubcomp", "qos_2/id_is_free_after_refusal", "reason/short_acknowledgements_count", "state/received_qos_2_is_remembered", "packet_identifier/subscribe_leaves_qos_2_alone"] "the answer is what the story waits for to show its point";
    PubcompWrongId ["qos_2/expired_is_completed", "qos_2/id_is_free_after_pubcomp", "qos_2/id_is_free_after_refusal", "reason/short_acknowledgements_count", "state/received_qos_2_is_remembered", "packet_identifier/subscribe_leaves_qos_2_alone"] "the answer is what the story waits for to show its point";
    Qos2AnsweredWithPuback ["flow/other_packets_are_served_at_quota_zero", "qos_2/repeated_publish_arrives_once", "reason/no_matching_subscribers_is_true"] "the answer is what the story waits for to show its point";
    Qos1DupTakenForDuplicate ["qos_2/id_is_free_after_pubcomp"] "the repeated Packet Identifier is told by an exchange with DUP";
    EmptyPayloadDropped ["publish/empty_payload_is_delivered", "retained/empty_payload_clears", "will/empty_payload"] "the message of the story has no payload";
    DeliveredAtGrantedQos ["publish/first_delivery_has_dup_0", "reason/short_acknowledgements_count", "subscribe/replacing_loses_nothing"] "the QoS of a delivery is what the story reads";
    DeliveredAtPublishedQos ["shared/granted_qos_is_the_members", "subscribe/codes_tell_the_granted_qos", "subscribe/replaces_an_identical_filter"] "the QoS of a delivery is what the story reads";
    PacketIdChangedOnRedelivery ["qos_2/started_does_not_expire"] "the story goes on with an exchange after a reconnection";
    PacketIdZero ["error/others_are_not_affected", "session_expiry/disconnect_may_not_raise_from_0"] "the packet is malformed, or its payload begins two bytes early";
    PacketIdAtQos0 ["ordering/live_messages_keep_their_order", "retained/gives_way_to_qos_0"] "the packet is malformed, or its payload begins two bytes early";
    PubrelMissing ["packet_identifier/directions_are_independent", "qos_2/started_does_not_expire", "reason/short_acknowledgements_count", "redelivery/qos_2_is_repeated_until_pubrec", "unsubscribe/completes_started_qos_2"] "the exchange of the story does not go on without its PUBREL";
    PubrelWrongId ["packet_identifier/directions_are_independent", "qos_2/started_does_not_expire", "reason/short_acknowledgements_count", "redelivery/qos_2_is_repeated_until_pubrec", "unsubscribe/completes_started_qos_2", "reason/unknown_pubrec_is_answered"] "the exchange of the story does not go on without its PUBREL";
    PubrelNotResent ["shared/qos_2_is_completed_with_its_member"] "the story goes on with an exchange after a reconnection";
    Qos1ForgottenWhenSent ["expiry/expired_behind_a_full_receive_maximum", "flow/broker_keeps_to_receive_maximum", "flow/other_packets_are_served_at_quota_zero", "flow/own_messages_free_no_slot", "packet_identifier/own_messages_complete_nothing", "subscribe/replacing_loses_nothing", "unsubscribe/completes_started_qos_1", "shared/qos_1_goes_on_with_another"] "what waits for an acknowledgement is what the story looks at";
    Qos2ForgottenWhenSent ["flow/every_last_acknowledgement_frees_a_slot", "flow/pubrec_frees_no_slot", "packet_identifier/directions_are_independent", "qos_2/started_does_not_expire", "shared/qos_2_is_completed_with_its_member", "unsubscribe/completes_started_qos_2"] "what waits for an acknowledgement is what the story looks at";
    Qos2DeliveredTwice ["ordering/live_messages_keep_their_order", "packet_identifier/free_after_the_last_answer", "qos_2/id_is_free_after_pubcomp", "qos_2/repeated_pubrel_is_answered", "qos_2/several_exchanges_at_once", "reason/short_acknowledgements_count", "receipt/every_subscriber_has_it", "redelivery/nothing_is_repeated_on_a_live_connection", "redelivery/pubrel_is_repeated_until_pubcomp", "redelivery/refused_is_not_repeated", "redelivery/repetitions_keep_their_order", "subscribe/last_of_equal_filters_counts", "will/published_once", "packet_identifier/subscribe_leaves_qos_2_alone"] "the story waits for the next message, and the last one comes again";
    FinalAcknowledgementIgnored ["flow/every_last_acknowledgement_frees_a_slot", "ordering/live_messages_keep_their_order", "reason/short_acknowledgements_count", "redelivery/refused_is_not_repeated", "redelivery/repetitions_keep_their_order", "session/subscriptions_outlive_connection", "subscribe/lower_qos_for_retained_and_waiting", "subscribe/replacing_loses_nothing"] "the quota runs out, and what waits for it does not come";
    RefusedDeliveryResent ["flow/every_last_acknowledgement_frees_a_slot"] "the story counts deliveries, and one comes again";
    ResentOnLiveConnection ["flow/broker_keeps_to_receive_maximum", "flow/receive_maximum_holds_on_resume", "packet_identifier/deliveries_have_ids_of_their_own"] "the story counts deliveries, and one comes again";
    QueueOrderReversed ["subscribe/replacing_loses_nothing"] "the story reads what has waited in its order";
    RetainedLost ["retain_options/handling_1_sends_to_new_subscriptions", "retained/gives_way_to_qos_0", "retained/retain_0_leaves_it_alone", "session/retained_messages_are_no_session_state", "subscribe/lower_qos_for_retained_and_waiting", "will/retained", "retained/at_qos_0_is_stored"] "the story shows its point by a retained message";
    RetainedNotReplaced ["retained/gives_way_to_qos_0"] "the story shows its point by a retained message";
    EmptyRetainedStored ["retained/empty_payload_clears"] "the story shows its point by a retained message";
    RetainedFlagCleared ["retain_options/handling_1_sends_to_new_subscriptions", "retained/is_replaced", "retained/keeps_its_qos", "retained/reaches_new_subscription", "retained/retain_0_leaves_it_alone", "session/retained_messages_are_no_session_state", "subscribe/replacing_sends_retained_again", "will/retained"] "the story shows its point by a retained message";
    RetainFlagOnLive ["retained/empty_payload_clears", "subscription_options/replacing_changes_the_options"] "the story takes the live message for a retained one";
    StoredWithoutRetain ["alias/broker_uses_none_unasked", "subscribe/replaces_an_identical_filter", "subscribe/replacing_loses_nothing", "subscription_id/is_replaced_with_its_subscription", "will/not_retained"] "a message that should not be retained comes to a new subscription";
    WillNeverPublished ["will/expiry_counts_from_publication", "will/not_retained", "will/properties_travel", "will/user_properties_keep_order"] "the Will is what the story waits for";
    WillLostOnTakeover ["will/clean_start_cuts_delay"] "the Will is what the story waits for";
    WillLostOnProtocolError ["disconnect/reserved_flags"] "the Will is what the story waits for";
    WillLostOnConnectionLoss ["will/expiry_counts_from_publication", "will/not_retained", "will/properties_travel", "will/user_properties_keep_order"] "the Will is what the story waits for";
    WillDelayNotCutBySessionEnd ["will/clean_start_cuts_delay"] "the Will is known by what it lacks, or by when it comes";
    WillPropertiesLost ["will/user_properties_keep_order"] "the Will is known by what it lacks, or by when it comes";
    WillPayloadEmpty ["will/not_retained", "will/retained"] "the Will is known by what it lacks, or by when it comes";
    WillPublishedTwice ["will/published_after_disconnect_with_will", "will/not_published_without_will", "will/published_after_disconnect_with_error", "will/published_at_its_qos", "will/published_when_connection_is_lost"] "the story waits for nothing more, and the Will comes again";
    SubackMissing ["packet_identifier/free_after_the_last_answer"] "the answer is what the story waits for to show its point";
    SubackWrongId ["connect/packets_may_follow_at_once"] "the answer is what the story waits for to show its point";
    OnlyFirstFilterSubscribed ["subscribe/codes_tell_the_granted_qos"] "the subscription that the story listens with does not match, or matches too much";
    ResubscribeAdds ["subscribe/last_of_equal_filters_counts", "subscribe/replacing_loses_nothing"] "the story subscribes again, and the old subscription is still there";
    ResubscribeKeepsOldOptions ["subscribe/last_of_equal_filters_counts"] "the story subscribes again, and the old subscription is still there";
    NoLocalAlways ["packet_identifier/free_after_the_last_answer", "request/no_problem_information_unasked", "subscription_options/replacing_changes_the_options", "denied/refused_goes_nowhere"] "the story publishes and subscribes with one Client";
    NoLocalIgnored ["subscription_options/replacing_changes_the_options"] "the story publishes and subscribes with one Client";
    UnsubscribeIgnored ["retain_options/handling_1_sends_to_new_subscriptions", "shared/outlives_its_first_member", "shared/subscribing_twice_counts_once", "unsuback/repeated_filter_is_removed_once", "unsubscribe/several_filters_take_effect"] "the story unsubscribes, and messages still come";
    UnsubackMissing ["flow/other_packets_are_served_at_quota_zero", "packet_identifier/free_after_the_last_answer", "unsubscribe/answered_even_if_nothing_is_removed"] "the answer is what the story waits for to show its point";
    UnsubackWrongId ["unsubscribe/answered_even_if_nothing_is_removed"] "the answer is what the story waits for to show its point";
    UnsubackForEachFilter ["unsuback/one_code_for_each_filter"] "the codes are counted in the UNSUBACK that is doubled";
    WildcardsNeverMatch ["ordering/live_messages_keep_their_order", "publish/overlapping_subscriptions_get_highest_qos", "receipt/every_subscriber_has_it", "subscription_id/one_copy_carries_all", "subscription_id/overlapping_subscriptions_give_all", "unsubscribe/only_the_identical_filter_is_removed", "string/control_characters_are_kept_or_refused"] "the subscription that the story listens with does not match, or matches too much";
    SlashesNormalised ["topics/hash_matches_parent_and_all_below", "topics/plus_matches_one_level"] "the subscription that the story listens with does not match, or matches too much";
    SubscribeFlagsAccepted ["disconnect/server_disconnect_is_well_formed"] "the story provokes a DISCONNECT by this very error";
    SubscribeQos3Accepted ["malformed/subscription_qos_3"] "the rule has a number of its own for the malformed packet";
    ShortAcknowledgementRefused ["alias/broker_stays_within_the_clients_maximum", "alias/broker_uses_none_unasked", "ordering/live_messages_keep_their_order", "packet_identifier/answers_carry_the_publishs", "property/order_is_free", "publish/answered_by_qos", "qos_1/id_is_free_after_puback", "qos_2/expired_is_completed", "qos_2/id_is_free_after_pubcomp", "qos_2/id_is_free_after_refusal", "qos_2/repeated_publish_arrives_once", "qos_2/several_exchanges_at_once", "reason/unknown_pubrel_is_answered", "receipt/payload_is_unaltered", "retain_options/published_flag_is_cleared", "retained/empty_payload_clears", "state/received_qos_2_is_remembered", "subscribe/replacing_loses_nothing", "unsubscribe/only_the_identical_filter_is_removed", "will/published_after_disconnect_with_error", "will/published_after_disconnect_with_will", "will/published_when_connection_is_lost", "packet_identifier/subscribe_leaves_qos_2_alone"] "any story acknowledges in the short form, and is disconnected for it";
    ErrorEndsAllConnections ["auth/flags_are_checked", "auth/without_method_is_refused", "malformed/acknowledgement_of_zero", "malformed/empty_filter", "malformed/padded_remaining_length", "malformed/pubrel_flags", "malformed/reserved_flags", "malformed/reserved_packet_type", "malformed/retain_handling_3", "malformed/server_packet_from_client", "malformed/subscribe_flags", "malformed/subscription_qos_3", "malformed/subscription_reserved_bits", "malformed/trailing_bytes", "malformed/unsubscribe_flags", "no_local/not_on_shared_subscriptions", "reason/unlisted_codes_are_refused", "reason/unlisted_disconnect_code_ends_it", "shared/name_must_fit", "table/reserved_packet_type", "table/server_packet_from_client", "table/acknowledged_publish_zero", "table/topic_filter_empty", "table/topic_filter_multi_level", "table/topic_filter_single_level", "table/share_name_empty", "table/share_name_wildcard", "table/shared_filter_missing", "table/authentication_method_missing"] "the watcher of the story is disconnected with the one that errs";
    ContentTypeLost ["property/order_is_free"] "the property is how the story knows its point";
    CorrelationDataLost ["property/order_is_free"] "the property is how the story knows its point";
    UserPropertiesLost ["property/user_properties_keep_their_order", "will/user_properties_keep_order"] "the property is how the story knows its point";
    UserPropertiesReordered ["will/user_properties_keep_order"] "the property is how the story knows its point";
    UserPropertiesMerged ["property/user_properties_keep_their_order", "will/user_properties_keep_order"] "the property is how the story knows its point";
    SubscriptionIdsMissing ["subscription_id/is_replaced_with_its_subscription", "subscription_id/one_copy_carries_all", "subscription_id/survives_the_connection", "shared/subscription_identifier_is_the_members"] "the story tells subscriptions apart by their identifiers";
    SubscriptionIdsOnlyOne ["subscription_id/overlapping_subscriptions_give_all"] "the story tells subscriptions apart by their identifiers";
    MessageExpiryLost ["will/expiry_counts_from_publication"] "the property is how the story knows its point";
    TopicAliasBeyondMaximum ["alias/broker_uses_none_unasked"] "two statements bound the aliases, and the same message breaks both";
    TopicAliasUnasked ["alias/broker_stays_within_the_clients_maximum"] "two statements bound the aliases, and the same message breaks both";
    UnknownTopicAliasAccepted ["alias/ends_with_its_connection"] "two statements bound the aliases, and the same message breaks both";
    ReceiveMaximumIgnored ["expiry/expired_behind_a_full_receive_maximum"] "the story needs a message that waits for the quota";
    ReceiveMaximumLessOne ["flow/every_last_acknowledgement_frees_a_slot", "packet_size/too_large_counts_as_sent", "reason/short_acknowledgements_count"] "the quota runs out, and what waits for it does not come";
    QuotaNotReturned ["ordering/live_messages_keep_their_order", "reason/short_acknowledgements_count", "subscribe/replacing_loses_nothing"] "the quota runs out, and what waits for it does not come";
    SharedDeliveredToAll ["shared/qos_2_ends_with_its_session", "shared/qos_2_is_completed_with_its_member", "shared/refused_message_is_discarded"] "the story waits for silence at the other members of the share";
    SharedQos2MovedOnDisconnect ["shared/qos_2_ends_with_its_session"] "the story waits for silence at the other members of the share";
    DisconnectCodeUnlisted ["topics/misplaced_wildcard_is_refused"] "the story provokes a DISCONNECT, which is malformed";
    DisconnectWithSessionExpiry ["topics/misplaced_wildcard_is_refused"] "the story provokes a DISCONNECT, which is malformed";
    RefusedMessageDelivered ["qos_2/id_is_free_after_refusal"] "the story waits for the next message, and the refused one comes before it";
    RetainedNotReplacedByQos0 ["retained/at_qos_0_is_stored"] "the story shows its point by a retained message at QoS 0";
    WillPublishedLate ["will/published_on_takeover", "session_expiry/disconnect_may_not_raise_from_0", "will/no_session_no_delay"] "the Will is what the story waits for, and it comes too late";
    HashMatchesDollar ["shared/dollar_is_not_matched"] "Topic Filters of Shared Subscriptions have a number of their own";
    PlusMatchesDollar ["shared/dollar_is_not_matched"] "Topic Filters of Shared Subscriptions have a number of their own";
    SubscriptionIdInvented ["subscription_id/comes_with_retained_messages", "subscription_id/one_copy_carries_all", "subscription_id/is_replaced_with_its_subscription", "subscription_id/survives_the_connection", "shared/subscription_identifier_is_the_members"] "the story tells subscriptions apart by their identifiers";
    MessageExpiryByteOrder ["expiry/expired_message_is_deleted", "expiry/expired_retained_message_is_deleted", "expiry/expired_behind_a_full_receive_maximum"] "the message does not expire when the story expects it";
    SharedLostWhenFirstLeaves ["shared/qos_1_goes_on_with_another"] "the story waits for silence at the member that left, and goes on with another";
    SubackCodesReversed ["subscribe/no_more_is_granted_than_asked"] "the codes that are exchanged stand for filters that asked for less";
    AuthUnsolicited ["auth/flags_are_checked_within_authentication", "auth/reauthentication_keeps_the_method"] "the story takes the AUTH for an answer";
    ReauthenticationFailureKeptOpen ["auth/reauthentication_keeps_the_method"] "a wrong method makes re-authentication fail, too";
}
