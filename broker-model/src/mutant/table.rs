//! The table: variant, name, what it does wrong, the statements that it breaks.

use super::mutants;

mutants! {
    // CONNECT.
    ConnectReservedFlagAccepted "connect_reserved_flag_accepted" "accepts a CONNECT whose reserved Connect Flag is set" ["3.1.1/MQTT-3.1.2-3", "3.1.1/MQTT-3.1.4-1", "5.0/MQTT-3.1.2-3", "5.0/MQTT-3.1.4-1"];
    ConnectWillQos3Accepted "connect_will_qos_3_accepted" "accepts a Will QoS of 3" ["3.1.1/MQTT-3.1.2-14", "3.1.1/MQTT-3.1.4-1", "5.0/MQTT-3.1.2-12", "5.0/MQTT-3.1.4-1"];
    ConnectWillBitsWithoutWillAccepted "connect_will_bits_without_will_accepted" "accepts Will QoS or Will Retain without Will Flag" ["3.1.1/MQTT-3.1.2-11", "3.1.1/MQTT-3.1.2-13", "3.1.1/MQTT-3.1.2-15", "3.1.1/MQTT-3.1.4-1", "5.0/MQTT-3.1.2-11", "5.0/MQTT-3.1.2-13", "5.0/MQTT-3.1.4-1"];
    ConnectPasswordWithoutUserNameAccepted "connect_password_without_user_name_accepted" "accepts a Password Flag of 3.1 or 3.1.1 without User Name Flag" ["3.1/M31-CON-6", "3.1.1/MQTT-3.1.2-22", "3.1.1/MQTT-3.1.4-1"];
    ConnectMissingFieldsAccepted "connect_missing_fields_accepted" "accepts a CONNECT that ends before the fields its flags promise" ["3.1.1/MQTT-3.1.2-9", "3.1.1/MQTT-3.1.2-19", "3.1.1/MQTT-3.1.2-21", "3.1.1/MQTT-3.1.3-3", "3.1.1/MQTT-3.1.4-1", "5.0/MQTT-3.1.2-9", "5.0/MQTT-3.1.2-17", "5.0/MQTT-3.1.2-19", "5.0/MQTT-3.1.3-3", "5.0/MQTT-3.1.4-1"];
    ConnectTrailingBytesAccepted "connect_trailing_bytes_accepted" "accepts a CONNECT with fields that no flag announces" ["3.1.1/MQTT-3.1.2-18", "3.1.1/MQTT-3.1.2-20", "3.1.1/MQTT-3.1.4-1", "5.0/MQTT-3.1.2-16", "5.0/MQTT-3.1.2-18", "5.0/MQTT-3.1.4-1"];
    ConnectBadStringAccepted "connect_bad_string_accepted" "accepts ill-formed UTF-8 and U+0000 in a CONNECT" ["3.1.1/MQTT-1.5.3-1", "3.1.1/MQTT-1.5.3-2", "3.1.1/MQTT-3.1.3-4", "3.1.1/MQTT-3.1.3-10", "3.1.1/MQTT-3.1.3-11", "3.1.1/MQTT-3.1.4-1", "5.0/MQTT-1.5.4-1", "5.0/MQTT-1.5.4-2", "5.0/MQTT-3.1.3-4", "5.0/MQTT-3.1.3-11", "5.0/MQTT-3.1.3-12", "5.0/MQTT-3.1.4-1"];
    ConnectBadPropertyAccepted "connect_bad_property_accepted" "accepts a CONNECT with properties that are unknown, repeated, out of place or out of range" ["5.0/MQTT-3.1.4-1"];
    ConnectTruncatedAccepted "connect_truncated_accepted" "accepts a CONNECT with a field that runs past its end" ["3.1.1/MQTT-3.1.4-1", "5.0/MQTT-3.1.4-1"];
    ProtocolNameIgnored "protocol_name_ignored" "accepts a CONNECT with an unknown protocol name" ["3.1.1/MQTT-3.1.2-1", "5.0/MQTT-3.1.2-1"];
    ProtocolLevelIgnored "protocol_level_ignored" "accepts a CONNECT with an unknown protocol level" ["3.1/M31-CON-2", "3.1.1/MQTT-3.1.2-2", "5.0/MQTT-3.1.2-2"];
    ProtocolLevelRefusedSilently "protocol_level_refused_silently" "closes without CONNACK 0x01 if the protocol level is unknown" ["3.1.1/MQTT-3.1.2-2"];
    ProtocolLevelRefusedWithWrongCode "protocol_level_refused_with_wrong_code" "answers an unknown protocol level with CONNACK 0x05" ["3.1/M31-CON-2", "3.1.1/MQTT-3.1.2-2"];
    MalformedConnectAnswered "malformed_connect_answered" "answers a malformed 3.1.1 CONNECT with CONNACK 0x05" ["3.1.1/MQTT-3.1.4-1"];
    MalformedConnectKeptOpen "malformed_connect_kept_open" "leaves the connection open after a malformed CONNECT" ["3.1/M31-CON-2", "3.1/M31-CON-6", "3.1.1/MQTT-3.1.4-1", "5.0/MQTT-3.1.4-1"];
    PingreqBeforeConnectAnswered "pingreq_before_connect_answered" "answers PINGREQ before CONNECT" ["3.1.1/MQTT-3.1.0-1", "3.1.1/MQTT-3.2.0-1", "5.0/MQTT-3.1.0-1", "5.0/MQTT-3.2.0-1"];
    PublishBeforeConnectDistributed "publish_before_connect_distributed" "distributes what is published before CONNECT" ["3.1.1/MQTT-3.1.0-1", "5.0/MQTT-3.1.0-1"];
    DisconnectBeforeConnack "disconnect_before_connack" "refuses a CONNECT with DISCONNECT" ["5.0/MQTT-3.14.0-1", "5.0/MQTT-3.2.0-1"];
    SecondConnectAccepted "second_connect_accepted" "accepts a second CONNECT on a connection" ["3.1.1/MQTT-3.1.0-2", "5.0/MQTT-3.1.0-2", "5.0/MQTT-3.2.0-2"];
    SecondConnectIgnored "second_connect_ignored" "ignores a second CONNECT on a connection" ["3.1.1/MQTT-3.1.0-2", "5.0/MQTT-3.1.0-2"];
    ConnectTimeoutIgnored "connect_timeout_ignored" "waits for a CONNECT for ever" ["3.1.1/U3-CON-2", "5.0/U5-CON-1"];
    PipelinedPacketsDropped "pipelined_packets_dropped" "drops what comes in one segment with CONNECT" ["3.1.1/U3-CON-3", "3.1.1/MQTT-3.8.4-1", "5.0/U5-CON-2", "5.0/MQTT-3.8.4-1"];
    PasswordAloneRefusedAsMalformed "password_alone_refused_as_malformed" "takes a Password without User Name for malformed" ["5.0/U5-CON-6"];
    BadCredentialsRefusedSilently "bad_credentials_refused_silently" "closes without CONNACK if the user name or password is wrong" ["3.1/M31-ACK-2", "3.1.1/U3-CON-6"];
    CredentialsIgnored "credentials_ignored" "accepts every user name and password" ["3.1/M31-ACK-2", "3.1.1/U3-CON-1", "5.0/MQTT-3.1.4-2"];
    MissingUserNameRefused "missing_user_name_refused" "closes the connection of a 3.1 Client whose CONNECT ends before the user name that its flags promise" ["3.1/M31-CON-5"];

    // CONNACK.
    ConnackMissing "connack_missing" "accepts a connection without CONNACK" ["3.1.1/MQTT-3.1.4-4", "3.1.1/MQTT-3.2.0-1", "5.0/MQTT-3.1.4-5", "5.0/MQTT-3.2.0-1"];
    ConnackTwice "connack_twice" "sends CONNACK twice" ["5.0/MQTT-3.2.0-2"];
    ConnackAfterQueuedMessages "connack_after_queued_messages" "sends the messages of a resumed session before CONNACK" ["3.1/M31-FMT-1", "3.1.1/MQTT-3.2.0-1", "5.0/MQTT-3.2.0-1"];
    ConnackFlagsSet "connack_flags_set" "sets reserved Connect Acknowledge Flags" ["3.1.1/U3-CON-4", "5.0/MQTT-3.2.2-1"];
    ConnackCodeUnlisted "connack_code_unlisted" "refuses a connection with a code that is not listed" ["3.1/M31-FMT-1", "3.1/M31-CON-2", "3.1.1/MQTT-3.2.2-6", "5.0/MQTT-3.2.2-8"];
    ConnackRefusalWithSessionPresent "connack_refusal_with_session_present" "sets Session Present in a CONNACK that refuses" ["3.1.1/MQTT-3.2.2-4", "5.0/MQTT-3.2.2-6"];
    RefusedConnectKeptOpen "refused_connect_kept_open" "leaves the connection open after a CONNACK that refuses" ["3.1/M31-CON-2", "3.1.1/MQTT-3.2.2-5", "5.0/MQTT-3.2.2-7", "5.0/MQTT-4.13.2-1"];
    RefusedConnectStillServed "refused_connect_still_served" "distributes what a refused Client published behind its CONNECT" ["3.1.1/MQTT-3.1.4-5", "5.0/MQTT-3.1.4-6"];
    SessionPresentAlways "session_present_always" "sets Session Present for new sessions" ["3.1.1/MQTT-3.2.2-1", "3.1.1/MQTT-3.2.2-3", "5.0/MQTT-3.2.2-2", "5.0/MQTT-3.2.2-3"];
    SessionPresentNever "session_present_never" "does not set Session Present for resumed sessions" ["3.1.1/MQTT-3.2.2-2", "5.0/MQTT-3.2.2-3"];
    ResponseInformationUnasked "response_information_unasked" "sends Response Information that was not requested" ["5.0/MQTT-3.1.2-28"];
    MaximumQosNotAnnounced "maximum_qos_not_announced" "does not announce its Maximum QoS" ["5.0/MQTT-3.2.2-9"];

    ConnackPropertyRepeated "connack_property_repeated" "names its Receive Maximum twice in CONNACK" ["5.0/U5-PROP-3", "5.0/U5-PROP-7"];
    PingreqSent "pingreq_sent" "sends PINGREQ to Clients" ["5.0/U5-TYPE-3"];

    // Keep Alive.
    KeepAliveIgnored "keep_alive_ignored" "keeps silent Clients connected" ["3.1.1/MQTT-3.1.2-24", "5.0/MQTT-3.1.2-22", "5.0/MQTT-3.2.2-22"];
    KeepAliveTripled "keep_alive_tripled" "waits for three times the Keep Alive" ["3.1.1/MQTT-3.1.2-24", "5.0/MQTT-3.1.2-22", "5.0/MQTT-3.2.2-22"];
    KeepAliveRenewedByServer "keep_alive_renewed_by_server" "lets its own packets renew the Keep Alive" ["3.1.1/MQTT-3.1.2-24", "5.0/MQTT-3.1.2-22"];
    KeepAliveZeroRefused "keep_alive_zero_refused" "refuses a Keep Alive of 0" ["3.1.1/MQTT-3.1.4-4", "5.0/MQTT-3.1.4-5"];
    KeepAliveRenewedByAnyByte "keep_alive_renewed_by_any_byte" "lets the beginning of a packet renew the Keep Alive" ["3.1.1/MQTT-3.1.2-24", "5.0/MQTT-3.1.2-22"];
    KeepAliveRenewedByPingreqOnly "keep_alive_renewed_by_pingreq_only" "lets no packet but PINGREQ renew the Keep Alive" ["3.1.1/MQTT-3.1.2-24", "5.0/MQTT-3.1.2-22"];
    PingrespMissing "pingresp_missing" "does not answer PINGREQ" ["3.1/M31-PING-1", "3.1.1/MQTT-3.12.4-1", "5.0/MQTT-3.12.4-1"];

    // Client Identifiers and takeover.
    EmptyClientIdAcceptedWithoutCleanSession "empty_client_id_accepted_without_clean_session" "accepts an empty 3.1.1 Client Identifier with Clean Session 0" ["3.1.1/MQTT-3.1.3-7", "3.1.1/MQTT-3.1.3-8"];
    EmptyClientIdRefusedSilently "empty_client_id_refused_silently" "closes without CONNACK 0x02 if the Client Identifier is not acceptable" ["3.1/M31-ACK-1", "3.1/M31-CON-4", "3.1.1/MQTT-3.1.3-8", "3.1.1/MQTT-3.1.3-9"];
    ClientIdRefusedWithWrongCode "client_id_refused_with_wrong_code" "answers a Client Identifier that it does not accept with CONNACK 0x03" ["3.1/M31-ACK-1", "3.1/M31-CON-4", "3.1.1/MQTT-3.1.3-8", "3.1.1/MQTT-3.1.3-9"];
    EmptyClientIdAcceptedIn31 "empty_client_id_accepted_in_3_1" "accepts an empty 3.1 Client Identifier" ["3.1/M31-ACK-1"];
    LongClientIdAcceptedIn31 "long_client_id_accepted_in_3_1" "accepts 3.1 Client Identifiers of more than 23 characters" ["3.1/M31-CON-4"];
    AssignedClientIdNotUnique "assigned_client_id_not_unique" "assigns one Client Identifier to all" ["3.1.1/MQTT-3.1.3-6", "5.0/MQTT-3.1.3-6", "5.0/MQTT-3.2.2-16"];
    AssignedClientIdNotReturned "assigned_client_id_not_returned" "does not tell the Client Identifier that it assigned" ["5.0/MQTT-3.1.3-7", "5.0/MQTT-3.2.2-16"];
    ClientIdCaseFolded "client_id_case_folded" "takes Client Identifiers that differ in case for one" ["3.1.1/MQTT-3.1.3-2", "5.0/MQTT-3.1.3-2"];
    ClientIdWidthsFolded "client_id_widths_folded" "takes letters of full width in a Client Identifier for ordinary ones" ["3.1.1/MQTT-3.1.3-2", "3.1.1/MQTT-3.2.2-3", "5.0/MQTT-3.1.3-2", "5.0/MQTT-3.2.2-3"];
    ClientIdOf23BytesRefused "client_id_of_23_bytes_refused" "refuses Client Identifiers of more than 22 bytes" ["3.1/M31-CON-3", "3.1.1/MQTT-3.1.3-5", "5.0/MQTT-3.1.3-5"];
    LongClientIdRefusedAndKeptOpen "long_client_id_refused_and_kept_open" "leaves the connection open after it has refused a Client Identifier of more than 23 bytes" ["3.1.1/MQTT-3.1.3-9", "3.1.1/MQTT-3.2.2-5", "5.0/MQTT-3.1.3-8", "5.0/MQTT-3.2.2-7"];
    TakeoverRefused "takeover_refused" "refuses a Client Identifier that is connected" ["3.1.1/MQTT-3.1.4-2", "5.0/MQTT-3.1.4-3"];
    TakeoverLeavesOldConnection "takeover_leaves_old_connection" "leaves the old connection open when its Client connects again" ["3.1/M31-CON-7", "3.1.1/MQTT-3.1.4-2", "5.0/MQTT-3.1.4-3"];
    TakeoverWithoutDisconnect "takeover_without_disconnect" "closes the old connection without DISCONNECT 0x8E" ["5.0/MQTT-3.1.4-3"];

    // Sessions.
    SessionNotResumed "session_not_resumed" "starts a new session where one should be resumed" ["3.1/M31-CON-8", "3.1.1/MQTT-3.1.2-4", "3.1.1/MQTT-3.1.4-3", "3.1.1/MQTT-3.2.2-2", "5.0/MQTT-3.1.2-5", "5.0/MQTT-3.1.4-4", "5.0/MQTT-3.2.2-3"];
    SessionNotDiscardedOnCleanStart "session_not_discarded_on_clean_start" "resumes the session in spite of Clean Start" ["3.1/M31-CON-9", "3.1.1/MQTT-3.1.2-6", "3.1.1/MQTT-3.1.4-3", "5.0/MQTT-3.1.2-4", "5.0/MQTT-3.1.4-4"];
    SessionNotExpired "session_not_expired" "keeps sessions past their Session Expiry Interval" ["5.0/MQTT-4.1.0-2"];
    SessionExpiresAtOnce "session_expires_at_once" "ends every session with its connection" ["3.1/M31-CON-8", "3.1.1/MQTT-3.1.2-4", "3.1.1/MQTT-4.1.0-1", "5.0/MQTT-3.1.2-6", "5.0/MQTT-3.1.2-23"];
    CleanSessionKept "clean_session_kept" "keeps sessions that should end with their connection" ["3.1.1/MQTT-3.1.2-6", "5.0/MQTT-4.1.0-2"];
    SessionExpiresWhileConnected "session_expires_while_connected" "drops subscriptions while the Client is connected, at its next PINGREQ" ["3.1.1/MQTT-4.1.0-1", "3.1.1/MQTT-4.1.0-2", "5.0/MQTT-4.1.0-1"];
    SubscriptionsLostOnResume "subscriptions_lost_on_resume" "loses the subscriptions of a resumed session" ["3.1/M31-CON-8", "3.1.1/MQTT-3.1.2-4", "3.1.1/MQTT-4.1.0-1", "5.0/MQTT-3.1.2-5"];
    QueuedMessagesLostOnResume "queued_messages_lost_on_resume" "loses the waiting messages of a resumed session" ["3.1/M31-CON-8", "3.1.1/MQTT-3.1.2-5", "3.1.1/MQTT-4.5.0-1", "5.0/MQTT-3.1.2-5", "5.0/MQTT-4.5.0-1"];
    OfflineMessagesDropped "offline_messages_dropped" "does not store messages for Clients that are away" ["3.1/M31-CON-8", "3.1.1/MQTT-3.1.2-5", "3.1.1/MQTT-4.5.0-1", "5.0/MQTT-4.5.0-1"];
    InflightLostOnResume "inflight_lost_on_resume" "does not send unacknowledged messages again" ["3.1.1/MQTT-4.4.0-1", "5.0/MQTT-4.4.0-1", "5.0/MQTT-4.3.2-3", "5.0/MQTT-4.3.3-3"];
    SessionExpiryOfFirstConnectionKept "session_expiry_of_first_connection_kept" "keeps the Session Expiry Interval with which a session began" ["5.0/MQTT-4.1.0-2", "5.0/U5-CON-3"];
    SessionExpiryInDisconnectIgnored "session_expiry_in_disconnect_ignored" "ignores the Session Expiry Interval of DISCONNECT" ["5.0/MQTT-4.1.0-2", "5.0/U5-DIS-2"];
    RetainedDeletedWithSession "retained_deleted_with_session" "deletes retained messages when their publisher's session ends" ["3.1.1/MQTT-3.1.2-7", "5.0/U5-SES-2"];
    SharedSubscriptionsLostOnResume "shared_subscriptions_lost_on_resume" "loses the Shared Subscriptions of a resumed session" ["5.0/MQTT-3.1.2-5", "5.0/MQTT-3.1.2-23", "5.0/MQTT-4.5.0-1"];
    SubscriptionIdsLostOnResume "subscription_ids_lost_on_resume" "forgets Subscription Identifiers when a session is resumed" ["5.0/MQTT-3.1.2-5", "5.0/MQTT-3.3.4-3"];
    NoLocalLostOnResume "no_local_lost_on_resume" "forgets No Local when a session is resumed" ["5.0/MQTT-3.1.2-5", "5.0/MQTT-3.8.3-3"];

    // PUBLISH from the Client.
    PubackMissing "puback_missing" "does not answer QoS 1" ["3.1/M31-PUB-1", "3.1/M31-QOS-1", "3.1.1/MQTT-3.3.4-1", "3.1.1/MQTT-4.3.2-2", "5.0/MQTT-3.3.4-1", "5.0/MQTT-4.3.2-4"];
    PubackWrongId "puback_wrong_id" "answers QoS 1 with another Packet Identifier" ["3.1/M31-QOS-1", "3.1.1/MQTT-2.3.1-6", "3.1.1/MQTT-4.3.2-2", "5.0/MQTT-2.2.1-5", "5.0/MQTT-4.3.2-4"];
    PubrecMissing "pubrec_missing" "does not answer QoS 2" ["3.1/M31-PUB-1", "3.1/M31-QOS-2", "3.1.1/MQTT-3.3.4-1", "3.1.1/MQTT-4.3.3-2", "5.0/MQTT-3.3.4-1", "5.0/MQTT-4.3.3-8"];
    PubrecWrongId "pubrec_wrong_id" "answers QoS 2 with another Packet Identifier" ["3.1/M31-QOS-2", "3.1.1/MQTT-2.3.1-6", "3.1.1/MQTT-4.3.3-2", "5.0/MQTT-2.2.1-5", "5.0/MQTT-4.3.3-8"];
    PubcompMissing "pubcomp_missing" "does not answer PUBREL" ["3.1/M31-QOS-2", "3.1.1/MQTT-4.3.3-2", "5.0/MQTT-4.3.3-11"];
    PubcompWrongId "pubcomp_wrong_id" "answers PUBREL with another Packet Identifier" ["3.1/M31-QOS-2", "3.1.1/MQTT-4.3.3-2", "5.0/MQTT-2.2.1-5", "5.0/MQTT-4.3.3-11"];
    PubrelOfUnknownIdIgnored "pubrel_of_unknown_id_ignored" "does not answer a PUBREL whose Packet Identifier it does not know" ["3.1.1/MQTT-4.3.3-2", "5.0/MQTT-4.3.3-11"];
    Qos0Acknowledged "qos_0_acknowledged" "answers QoS 0 with PUBACK" ["3.1/M31-QOS-0", "3.1.1/MQTT-3.3.4-1", "5.0/MQTT-3.3.4-1"];
    Qos2AnsweredWithPuback "qos_2_answered_with_puback" "answers QoS 2 with PUBACK" ["3.1/M31-QOS-2", "3.1.1/MQTT-3.3.4-1", "3.1.1/MQTT-4.3.3-2", "5.0/MQTT-3.3.4-1", "5.0/MQTT-4.3.3-8"];
    Qos2DuplicateDelivered "qos_2_duplicate_delivered" "passes a repeated QoS 2 PUBLISH on" ["3.1.1/MQTT-4.3.3-2", "5.0/MQTT-4.3.3-10"];
    Qos2DuplicateUnanswered "qos_2_duplicate_unanswered" "does not answer a repeated QoS 2 PUBLISH" ["3.1.1/MQTT-4.3.3-2", "5.0/MQTT-4.3.3-10"];
    Qos2ReceiptLostOnResume "qos_2_receipt_lost_on_resume" "forgets across connections which QoS 2 messages it has received" ["3.1.1/MQTT-4.1.0-1", "3.1.1/MQTT-4.3.3-2", "5.0/MQTT-3.1.2-5", "5.0/MQTT-4.3.3-10"];
    Qos2IdNotReleased "qos_2_id_not_released" "takes a QoS 2 Packet Identifier used again after PUBCOMP for a duplicate" ["3.1.1/MQTT-4.3.3-2", "5.0/MQTT-4.3.3-12"];
    Qos1DupTakenForDuplicate "qos_1_dup_taken_for_duplicate" "drops a QoS 1 message with DUP whose Packet Identifier was used before" ["3.1.1/MQTT-4.3.2-2", "5.0/MQTT-4.3.2-5"];
    RefusedQos2IdKept "refused_qos_2_id_kept" "takes a Packet Identifier used again after a refusing PUBREC for a duplicate" ["5.0/MQTT-4.3.3-9"];
    SubscribeReleasesQos2Id "subscribe_releases_qos_2_id" "forgets a QoS 2 message when a SUBSCRIBE has its Packet Identifier" ["5.0/U5-PKT-2"];
    PubrecOfUnknownIdIgnored "pubrec_of_unknown_id_ignored" "does not answer a PUBREC whose Packet Identifier it does not know" ["5.0/U5-RC-4"];
    RefusedMessageDelivered "refused_message_delivered" "refuses a message and delivers it" ["5.0/U5-RC-1", "5.0/U5-PUB-7"];
    RefusalDropsSubscriptions "refusal_drops_subscriptions" "drops the subscriptions of a Client whose message it refuses" ["5.0/MQTT-4.5.0-1", "5.0/U5-RC-6"];
    PublishAboveMaximumQosAccepted "publish_above_maximum_qos_accepted" "accepts messages above its Maximum QoS" ["5.0/U5-CON-10"];
    RetainUnavailableAccepted "retain_unavailable_accepted" "accepts messages with RETAIN though it retains nothing" ["5.0/U5-CON-11"];
    DeniedPublishUnacknowledged "denied_publish_unacknowledged" "neither acknowledges nor closes when a message of 3.1 or 3.1.1 is not allowed" ["3.1/M31-PUB-1", "3.1.1/MQTT-3.3.5-2"];
    EmptyPayloadDropped "empty_payload_dropped" "drops messages without payload" ["3.1.1/MQTT-4.5.0-1", "3.1.1/U3-PUB-1", "5.0/MQTT-4.5.0-1", "5.0/U5-PUB-6"];
    EveryThirdMessageLost "every_third_message_lost" "loses every third message" ["3.1.1/MQTT-4.5.0-1", "5.0/MQTT-4.5.0-1"];
    PubackCodeUnlisted "puback_code_unlisted" "sends PUBACK with Reason Code 0x01" ["5.0/MQTT-3.4.2-1"];
    PubrecCodeUnlisted "pubrec_code_unlisted" "sends PUBREC with Reason Code 0x01" ["5.0/MQTT-3.5.2-1"];
    PubrelCodeUnlisted "pubrel_code_unlisted" "sends PUBREL with Reason Code 0x01" ["5.0/MQTT-3.6.2-1"];
    PubcompCodeUnlisted "pubcomp_code_unlisted" "sends PUBCOMP with Reason Code 0x01" ["5.0/MQTT-3.7.2-1"];
    ExpiredQos2NotCompleted "expired_qos_2_not_completed" "does not answer the PUBREL of a message that has expired" ["5.0/MQTT-4.3.3-13"];
    NoMatchingSubscribersAlways "no_matching_subscribers_always" "says that nobody subscribes when somebody does" ["5.0/U5-RC-2"];

    // PUBLISH to the Client.
    DeliveredAtLowerQos "delivered_at_lower_qos" "delivers at a QoS one below the right one" ["3.1.1/MQTT-3.8.4-6", "5.0/MQTT-3.8.4-8"];
    DeliveredAtGrantedQos "delivered_at_granted_qos" "delivers at the granted QoS, though published at a lower one" ["3.1.1/MQTT-3.8.4-6", "5.0/MQTT-3.8.4-8"];
    DeliveredAtPublishedQos "delivered_at_published_qos" "delivers at the published QoS, though a lower one was granted" ["3.1.1/MQTT-3.8.4-6", "5.0/MQTT-3.8.4-8"];
    DupPropagated "dup_propagated" "passes the publisher's DUP on" ["3.1.1/MQTT-3.3.1-3", "5.0/MQTT-3.3.1-3"];
    DupAtQos0 "dup_at_qos_0" "sets DUP at QoS 0" ["3.1.1/MQTT-3.3.1-2", "3.1.1/MQTT-4.3.1-1", "5.0/MQTT-3.3.1-2", "5.0/MQTT-4.3.1-1"];
    DupOnFirstDelivery "dup_on_first_delivery" "sets DUP on the first delivery" ["3.1.1/MQTT-3.3.1-3", "3.1.1/MQTT-4.3.2-1", "3.1.1/MQTT-4.3.3-1", "5.0/MQTT-3.3.1-3", "5.0/MQTT-4.3.2-2", "5.0/MQTT-4.3.3-2"];
    DupMissingOnRedelivery "dup_missing_on_redelivery" "does not set DUP on a re-delivery" ["3.1.1/MQTT-3.3.1-1", "5.0/MQTT-3.3.1-1"];
    PacketIdChangedOnRedelivery "packet_id_changed_on_redelivery" "gives a re-delivery a new Packet Identifier" ["3.1.1/MQTT-2.3.1-4", "3.1.1/MQTT-4.4.0-1", "5.0/MQTT-4.4.0-1"];
    PacketIdReused "packet_id_reused" "gives every message Packet Identifier 1" ["3.1.1/MQTT-2.3.1-4", "3.1.1/MQTT-4.3.2-1", "3.1.1/MQTT-4.3.3-1", "5.0/MQTT-2.2.1-4", "5.0/MQTT-4.3.2-1", "5.0/MQTT-4.3.3-1"];
    PacketIdZero "packet_id_zero" "sends PUBLISH with Packet Identifier 0" ["3.1/M31-FMT-1", "3.1.1/MQTT-2.3.1-1", "5.0/MQTT-2.2.1-4"];
    PacketIdAtQos0 "packet_id_at_qos_0" "puts a Packet Identifier into QoS 0" ["3.1.1/MQTT-2.3.1-5", "5.0/MQTT-2.2.1-2"];
    PacketIdsSharedByDirections "packet_ids_shared_by_directions" "takes a QoS 2 PUBLISH for a repetition if its own delivery has that Packet Identifier" ["3.1.1/U3-PUB-5", "5.0/U5-PKT-1"];
    QosBitsBothSet "qos_bits_both_set" "sends QoS 2 messages with both QoS bits set" ["3.1/M31-FMT-1", "3.1.1/MQTT-3.3.1-4", "5.0/MQTT-3.3.1-4"];
    PubrelMissing "pubrel_missing" "does not answer PUBREC" ["3.1.1/MQTT-4.3.3-1", "5.0/MQTT-4.3.3-4"];
    PubrelWrongId "pubrel_wrong_id" "answers PUBREC with another Packet Identifier" ["3.1.1/MQTT-2.3.1-6", "3.1.1/MQTT-4.3.3-1", "5.0/MQTT-2.2.1-5", "5.0/MQTT-4.3.3-4"];
    PubrelFlagsWrong "pubrel_flags_wrong" "sends PUBREL with flags 0000" ["3.1.1/MQTT-2.2.2-1", "3.1.1/MQTT-3.6.1-1", "5.0/MQTT-2.1.3-1", "5.0/MQTT-3.6.1-1"];
    PubrelNotResent "pubrel_not_resent" "does not send an unanswered PUBREL again" ["3.1.1/MQTT-4.3.3-1", "3.1.1/MQTT-4.4.0-1", "5.0/MQTT-4.3.3-5", "5.0/MQTT-4.4.0-1"];
    PublishResentAfterPubrel "publish_resent_after_pubrel" "sends a PUBLISH again after its PUBREL" ["3.1.1/MQTT-4.3.3-1", "5.0/MQTT-4.3.3-6"];
    Qos1ForgottenWhenSent "qos_1_forgotten_when_sent" "does not wait for PUBACK" ["3.1.1/MQTT-4.3.2-1", "3.1.1/MQTT-4.4.0-1", "5.0/MQTT-4.3.2-3", "5.0/MQTT-4.4.0-1"];
    Qos2ForgottenWhenSent "qos_2_forgotten_when_sent" "does not wait for PUBREC" ["3.1.1/MQTT-4.3.3-1", "3.1.1/MQTT-4.4.0-1", "5.0/MQTT-4.3.3-3", "5.0/MQTT-4.4.0-1"];
    Qos2DeliveredTwice "qos_2_delivered_twice" "delivers QoS 2 messages twice" ["3.1/M31-QOS-2", "3.1.1/MQTT-4.3.3-2", "5.0/MQTT-4.3.3-10"];
    FinalAcknowledgementIgnored "final_acknowledgement_ignored" "takes no notice of PUBACK and PUBCOMP" ["3.1.1/MQTT-4.3.3-1", "5.0/MQTT-4.3.3-6", "5.0/MQTT-4.4.0-1"];
    RefusedDeliveryResent "refused_delivery_resent" "sends a message again that the Client refused" ["5.0/MQTT-4.4.0-2"];
    RefusedDeliveryReleased "refused_delivery_released" "answers a PUBREC that refuses a message with PUBREL" ["5.0/MQTT-4.3.3-4"];
    ResentOnLiveConnection "resent_on_live_connection" "sends unacknowledged messages again at each PINGREQ" ["5.0/MQTT-4.4.0-1"];
    PubrelsInOrderOfIds "pubrels_in_order_of_ids" "holds PUBRELs back and sends them in the order of their Packet Identifiers" ["3.1.1/MQTT-4.6.0-6"];
    OrderReversedOnResume "order_reversed_on_resume" "sends unacknowledged messages again last first" ["3.1.1/MQTT-4.6.0-6", "5.0/MQTT-4.6.0-5"];
    QueueOrderReversed "queue_order_reversed" "sends waiting messages last first" ["3.1.1/MQTT-4.6.0-5", "3.1.1/MQTT-4.6.0-6", "5.0/MQTT-4.6.0-5", "5.0/MQTT-4.6.0-6"];
    PayloadCutAtNul "payload_cut_at_nul" "cuts payloads at the first zero byte" ["3.1.1/MQTT-4.5.0-1", "5.0/MQTT-4.5.0-1"];
    TopicAltered "topic_altered" "delivers to a topic with a slash appended" ["3.1.1/MQTT-3.3.2-3", "3.1.1/MQTT-4.7.3-4", "5.0/MQTT-3.3.2-3", "5.0/MQTT-4.7.3-4"];
    ExpiryAppliedAfterPublish "expiry_applied_after_publish" "drops QoS 2 messages that expire after their PUBLISH" ["5.0/MQTT-4.3.3-7"];

    // Retained messages.
    RetainedLost "retained_lost" "does not store retained messages" ["3.1/M31-PUB-2", "3.1.1/MQTT-3.3.1-5", "3.1.1/MQTT-3.3.1-6", "5.0/MQTT-3.3.1-5", "5.0/MQTT-3.3.1-9"];
    RetainedNotReplaced "retained_not_replaced" "keeps the first retained message of a topic" ["3.1.1/MQTT-3.3.1-5", "3.1.1/MQTT-3.3.1-6", "5.0/MQTT-3.3.1-5"];
    RetainedNotReplacedByQos0 "retained_not_replaced_by_qos_0" "keeps the retained message when a QoS 0 one comes" ["3.1.1/MQTT-3.3.1-7", "5.0/MQTT-3.3.1-5"];
    RetainedNotCleared "retained_not_cleared" "does not remove the retained message at an empty payload" ["3.1.1/MQTT-3.3.1-10", "5.0/MQTT-3.3.1-6"];
    EmptyRetainedStored "empty_retained_stored" "stores empty retained messages" ["3.1.1/MQTT-3.3.1-11", "5.0/MQTT-3.3.1-7"];
    EmptyRetainedNotDelivered "empty_retained_not_delivered" "does not deliver the message that removes a retained one" ["3.1.1/MQTT-3.3.1-10", "5.0/MQTT-3.3.1-6"];
    RetainedFlagCleared "retained_flag_cleared" "sends retained messages with RETAIN 0" ["3.1/M31-PUB-2", "3.1.1/MQTT-3.3.1-8", "5.0/U5-PUB-10"];
    RetainFlagOnLive "retain_flag_on_live" "passes the publisher's RETAIN on to established subscriptions" ["3.1/M31-PUB-3", "3.1.1/MQTT-3.3.1-9", "5.0/MQTT-3.3.1-12"];
    StoredWithoutRetain "stored_without_retain" "stores messages published with RETAIN 0" ["3.1.1/MQTT-3.3.1-12", "5.0/MQTT-3.3.1-8"];
    ClearedWithoutRetain "cleared_without_retain" "removes the retained message at a message with RETAIN 0" ["3.1.1/MQTT-3.3.1-12", "5.0/MQTT-3.3.1-8"];
    RetainedNotSentForWildcards "retained_not_sent_for_wildcards" "does not send retained messages to subscriptions with wildcards" ["3.1.1/MQTT-3.3.1-6", "5.0/MQTT-3.3.1-9"];
    RetainedNotSentAgain "retained_not_sent_again" "does not send retained messages when a subscription is replaced" ["3.1.1/MQTT-3.8.4-3", "5.0/MQTT-3.3.1-9", "5.0/MQTT-3.8.4-4"];
    RetainHandling1AlwaysSends "retain_handling_1_always_sends" "takes Retain Handling 1 for 0" ["5.0/MQTT-3.3.1-10"];
    RetainHandling1NeverSends "retain_handling_1_never_sends" "takes Retain Handling 1 for 2" ["5.0/MQTT-3.3.1-10"];
    RetainHandling2Sends "retain_handling_2_sends" "takes Retain Handling 2 for 0" ["5.0/MQTT-3.3.1-11"];
    RetainAsPublishedIgnored "retain_as_published_ignored" "ignores Retain As Published" ["5.0/MQTT-3.3.1-13"];
    RetainedNotExpired "retained_not_expired" "keeps retained messages past their Message Expiry Interval" ["5.0/MQTT-3.3.2-5", "5.0/U5-PUB-9"];
    RetainedSentToSharedSubscription "retained_sent_to_shared_subscription" "sends retained messages to Shared Subscriptions" ["5.0/U5-SHR-3"];

    RetainedQos0NotStored "retained_qos_0_not_stored" "does not store retained messages of QoS 0" ["3.1.1/U3-PUB-2", "5.0/U5-PUB-8"];

    // The Will.
    WillPublishedLate "will_published_late" "publishes the Will seven seconds late" ["3.1.1/U3-WILL-1", "5.0/U5-WILL-1"];
    WillNeverPublished "will_never_published" "never publishes a Will" ["3.1/M31-CON-10", "3.1.1/MQTT-3.1.2-8", "5.0/MQTT-3.1.2-7", "5.0/MQTT-3.1.2-8"];
    WillPublishedOnNormalDisconnect "will_published_on_normal_disconnect" "publishes the Will after a normal DISCONNECT" ["3.1/M31-CON-10", "3.1.1/MQTT-3.1.2-10", "3.1.1/MQTT-3.14.4-3", "5.0/MQTT-3.1.2-10", "5.0/MQTT-3.14.4-3"];
    WillLostOnTakeover "will_lost_on_takeover" "drops the Will when its Client connects again" ["3.1.1/MQTT-3.1.2-8", "5.0/MQTT-3.1.2-8"];
    WillLostOnKeepAliveTimeout "will_lost_on_keep_alive_timeout" "drops the Will when the Keep Alive runs out" ["3.1.1/MQTT-3.1.2-8", "3.1.1/MQTT-3.1.2-24", "5.0/MQTT-3.1.2-8", "5.0/MQTT-3.1.2-22"];
    WillLostOnProtocolError "will_lost_on_protocol_error" "drops the Will when it closes for an error" ["3.1.1/MQTT-3.1.2-8", "5.0/MQTT-3.1.2-8"];
    WillLostOnConnectionLoss "will_lost_on_connection_loss" "drops the Will when the network connection is lost" ["3.1/M31-CON-10", "3.1.1/MQTT-3.1.2-8", "5.0/MQTT-3.1.2-8"];
    WillLostOnDisconnectWithReason "will_lost_on_disconnect_with_reason" "drops the Will at every DISCONNECT" ["5.0/MQTT-3.1.2-8", "5.0/U5-WILL-8"];
    WillDelayIgnored "will_delay_ignored" "publishes the Will without its delay" ["5.0/MQTT-3.1.2-8", "5.0/MQTT-3.1.3-9"];
    WillDelayNotCutBySessionEnd "will_delay_not_cut_by_session_end" "drops a delayed Will when its session ends" ["5.0/MQTT-3.1.2-7", "5.0/MQTT-3.1.2-8"];
    WillNotCancelledByResume "will_not_cancelled_by_resume" "publishes a delayed Will though its Client has returned" ["5.0/MQTT-3.1.3-9"];
    WillAtQos0 "will_at_qos_0" "publishes the Will at QoS 0" ["3.1.1/MQTT-3.1.2-8", "3.1.1/MQTT-3.8.4-6", "5.0/MQTT-3.1.2-8", "5.0/MQTT-3.8.4-8"];
    WillRetainIgnored "will_retain_ignored" "does not retain a Will with Will Retain" ["3.1.1/MQTT-3.1.2-17", "5.0/MQTT-3.1.2-15"];
    WillAlwaysRetained "will_always_retained" "retains a Will without Will Retain" ["3.1.1/MQTT-3.1.2-16", "5.0/MQTT-3.1.2-14"];
    WillPropertiesLost "will_properties_lost" "publishes the Will without its properties" ["5.0/MQTT-3.3.2-4", "5.0/MQTT-3.3.2-15", "5.0/MQTT-3.3.2-16", "5.0/MQTT-3.3.2-17", "5.0/MQTT-3.3.2-20", "5.0/U5-WILL-4"];
    WillUserPropertiesReordered "will_user_properties_reordered" "reverses the User Properties of the Will" ["5.0/MQTT-3.1.3-10"];
    WillPayloadEmpty "will_payload_empty" "publishes the Will without its payload" ["3.1/M31-CON-10", "3.1.1/MQTT-3.1.2-8", "5.0/MQTT-3.1.2-8"];
    WillExpiryIncludesDelay "will_expiry_includes_delay" "counts the Message Expiry Interval of a Will from the end of its connection" ["5.0/U5-WILL-5"];
    WillPublishedTwice "will_published_twice" "publishes the Will twice" ["3.1/M31-CON-10", "3.1.1/MQTT-3.1.2-10", "5.0/MQTT-3.1.2-10"];
    WillKeptForNextConnection "will_kept_for_next_connection" "publishes an old Will for a later connection that has none" ["3.1.1/MQTT-3.1.2-10", "3.1.1/MQTT-3.1.2-12", "5.0/MQTT-3.1.2-10"];
    WillQosAboveMaximumAccepted "will_qos_above_maximum_accepted" "accepts a Will QoS above its Maximum QoS" ["5.0/MQTT-3.2.2-12"];
    WillRetainUnavailableAccepted "will_retain_unavailable_accepted" "accepts Will Retain though it retains nothing" ["5.0/MQTT-3.2.2-13"];

    // SUBSCRIBE and UNSUBSCRIBE.
    SubackMissing "suback_missing" "does not answer SUBSCRIBE" ["3.1/M31-SUB-2", "3.1.1/MQTT-3.8.4-1", "5.0/MQTT-3.8.4-1"];
    SubackWrongId "suback_wrong_id" "answers SUBSCRIBE with another Packet Identifier" ["3.1/M31-SUB-2", "3.1.1/MQTT-2.3.1-7", "3.1.1/MQTT-3.8.4-2", "5.0/MQTT-2.2.1-6", "5.0/MQTT-3.8.4-2"];
    SubackCodesReversed "suback_codes_reversed" "reverses the codes of SUBACK" ["3.1/M31-SUB-2", "3.1.1/MQTT-3.9.3-1", "5.0/MQTT-3.9.3-1"];
    SubackCodesShort "suback_codes_short" "sends one code whatever the number of filters" ["3.1/M31-SUB-2", "3.1.1/MQTT-3.8.4-5", "5.0/MQTT-3.8.4-6", "5.0/MQTT-3.9.3-2"];
    SubackCodeUnlisted "suback_code_unlisted" "grants with code 0x03" ["3.1/M31-FMT-1", "3.1/M31-SUB-2", "3.1.1/MQTT-3.9.3-2", "5.0/MQTT-3.9.3-2"];
    SubackCodeNotGranted "suback_code_not_granted" "says QoS 0 in SUBACK and grants what was asked" ["3.1.1/MQTT-3.8.4-5", "5.0/MQTT-3.8.4-7"];
    SubackGrantsMore "suback_grants_more" "grants QoS 2 whatever was asked" ["3.1/M31-SUB-2", "3.1.1/U3-SUB-1", "5.0/U5-SUB-9"];
    SubackFailureIn31 "suback_failure_in_3_1" "answers a 3.1 SUBSCRIBE that is not allowed with 0x80" ["3.1/M31-SUB-1", "3.1/M31-SUB-2"];
    SubackForEachFilter "suback_for_each_filter" "sends a SUBACK for each filter" ["3.1/M31-SUB-2", "3.1.1/MQTT-3.8.4-4", "5.0/MQTT-3.8.4-5"];
    SubackWithoutPropertyLength "suback_without_property_length" "leaves the Property Length of SUBACK and UNSUBACK out" ["5.0/MQTT-2.2.2-1"];
    OnlyFirstFilterSubscribed "only_first_filter_subscribed" "grants every filter and subscribes to the first" ["3.1.1/MQTT-3.8.4-4", "5.0/MQTT-3.8.4-5"];
    RefusedFilterSubscribed "refused_filter_subscribed" "refuses a filter and delivers for it" ["3.1.1/MQTT-3.8.4-5", "5.0/MQTT-3.8.4-7"];
    ResubscribeAdds "resubscribe_adds" "keeps the old subscription beside one with an identical filter" ["3.1.1/MQTT-3.8.4-3", "5.0/MQTT-3.8.4-3"];
    ResubscribeKeepsOldOptions "resubscribe_keeps_old_options" "keeps the old options when a subscription is replaced" ["3.1.1/MQTT-3.8.4-3", "5.0/MQTT-3.8.4-3"];
    ResubscribeDropsQueue "resubscribe_drops_queue" "drops waiting messages when a subscription is replaced" ["3.1.1/MQTT-3.8.4-3", "5.0/MQTT-3.8.4-4"];
    SubscribeAboveMaximumQosRefused "subscribe_above_maximum_qos_refused" "disconnects who subscribes above its Maximum QoS" ["3.1/M31-SUB-1", "5.0/MQTT-3.2.2-10"];
    WildcardUnavailableGranted "wildcard_unavailable_granted" "grants filters with wildcards though it does not support them" ["3.1.1/MQTT-3.8.3-2", "5.0/U5-CON-12"];
    OverlapAtLowestQos "overlap_at_lowest_qos" "delivers at the lowest QoS of overlapping subscriptions" ["3.1.1/MQTT-3.3.5-1", "5.0/MQTT-3.3.4-2"];
    NoLocalAlways "no_local_always" "sends no Client what it published itself, No Local or not" ["3.1.1/MQTT-4.5.0-1", "5.0/MQTT-4.5.0-1"];
    NoLocalIgnored "no_local_ignored" "ignores No Local" ["5.0/MQTT-3.8.3-3"];
    UnsubscribeMatches "unsubscribe_matches" "removes every subscription that the filter of UNSUBSCRIBE matches" ["3.1.1/MQTT-3.10.4-1", "5.0/MQTT-3.10.4-1"];
    UnsubscribeIgnored "unsubscribe_ignored" "answers UNSUBSCRIBE and goes on delivering" ["3.1.1/MQTT-3.10.4-1", "3.1.1/MQTT-3.10.4-2", "5.0/MQTT-3.10.4-1", "5.0/MQTT-3.10.4-2"];
    UnsubscribeOnlyFirstFilter "unsubscribe_only_first_filter" "handles the first filter of UNSUBSCRIBE only" ["3.1.1/MQTT-3.10.4-6", "5.0/MQTT-3.10.4-6"];
    UnsubscribeAbortsDelivery "unsubscribe_aborts_delivery" "breaks off started deliveries at UNSUBSCRIBE" ["3.1.1/MQTT-3.10.4-3", "5.0/MQTT-3.10.4-3"];
    UnsubackMissing "unsuback_missing" "does not answer UNSUBSCRIBE" ["3.1.1/MQTT-3.10.4-4", "5.0/MQTT-3.10.4-4"];
    UnsubackMissingForUnknownFilter "unsuback_missing_for_unknown_filter" "does not answer an UNSUBSCRIBE that deletes nothing" ["3.1.1/MQTT-3.10.4-5", "5.0/MQTT-3.10.4-5"];
    UnsubackWrongId "unsuback_wrong_id" "answers UNSUBSCRIBE with another Packet Identifier" ["3.1.1/MQTT-2.3.1-7", "3.1.1/MQTT-3.10.4-4", "5.0/MQTT-2.2.1-6", "5.0/MQTT-3.10.4-5"];
    UnsubackForEachFilter "unsuback_for_each_filter" "sends an UNSUBACK for each filter" ["3.1.1/MQTT-3.10.4-6", "5.0/MQTT-3.10.4-6"];
    UnsubackCodesReversed "unsuback_codes_reversed" "reverses the codes of UNSUBACK" ["5.0/MQTT-3.11.3-1"];
    UnsubackCodesShort "unsuback_codes_short" "sends one code whatever the number of filters" ["5.0/MQTT-3.11.3-2"];
    UnsubackCodeUnlisted "unsuback_code_unlisted" "sends UNSUBACK with Reason Code 0x01" ["5.0/MQTT-3.11.3-2"];

    // Topics.
    WildcardsNeverMatch "wildcards_never_match" "grants filters with wildcards and takes the wildcards for letters" ["3.1.1/MQTT-3.8.3-2", "3.1.1/U3-TOP-1", "5.0/U5-TOP-1"];
    HashExcludesParent "hash_excludes_parent" "does not let # match the parent level" ["3.1.1/MQTT-4.5.0-1", "3.1.1/U3-TOP-1", "5.0/MQTT-4.5.0-1", "5.0/U5-TOP-1"];
    PlusExcludesEmptyLevel "plus_excludes_empty_level" "does not let + match an empty level" ["3.1.1/MQTT-4.5.0-1", "3.1.1/U3-TOP-1", "5.0/MQTT-4.5.0-1", "5.0/U5-TOP-1"];
    PlusSpansLevels "plus_spans_levels" "lets + match several levels" ["3.1.1/MQTT-3.3.2-3", "3.1.1/U3-TOP-1", "5.0/MQTT-3.3.2-3", "5.0/U5-TOP-1"];
    HashMatchesDollar "hash_matches_dollar" "lets a leading # match topics that begin with $" ["3.1.1/MQTT-4.7.2-1", "5.0/MQTT-4.7.2-1"];
    PlusMatchesDollar "plus_matches_dollar" "lets a leading + match topics that begin with $" ["3.1.1/MQTT-4.7.2-1", "5.0/MQTT-4.7.2-1"];
    TopicsCaseFolded "topics_case_folded" "matches topics without regard to case" ["3.1.1/MQTT-4.7.3-4", "5.0/MQTT-4.7.3-4"];
    DotsAreSlashes "dots_are_slashes" "takes a dot in a topic for the end of a level" ["3.1.1/MQTT-4.7.3-4", "5.0/MQTT-4.7.3-4"];
    SlashesNormalised "slashes_normalised" "drops empty levels when matching" ["3.1.1/MQTT-4.7.3-4", "5.0/MQTT-4.7.3-4"];
    DollarTopicsRouted "dollar_topics_routed" "routes what Clients publish to topics that begin with $, though it is told not to" ["3.1.1/U3-TOP-2", "5.0/U5-TOP-4"];
    ControlCharactersStripped "control_characters_stripped" "strips control characters from Topic Names" ["3.1.1/U3-STR-1", "5.0/U5-STR-2"];
    ByteOrderMarkStripped "byte_order_mark_stripped" "strips U+FEFF from Topic Names" ["3.1.1/MQTT-1.5.3-3", "5.0/MQTT-1.5.4-3"];
    BadFilterGranted "bad_filter_granted" "grants filters with misplaced wildcards" ["3.1.1/MQTT-4.7.1-2", "3.1.1/MQTT-4.7.1-3", "5.0/MQTT-4.7.1-1", "5.0/MQTT-4.7.1-2"];
    EmptyFilterGranted "empty_filter_granted" "grants empty filters" ["3.1.1/MQTT-4.7.3-1", "5.0/MQTT-4.7.3-1"];
    BadShareFilterGranted "bad_share_filter_granted" "grants ill-formed shared filters" ["5.0/MQTT-4.8.2-1", "5.0/MQTT-4.8.2-2"];
    WildcardTopicDelivered "wildcard_topic_delivered" "distributes messages published to a topic with a wildcard" ["3.1.1/MQTT-3.3.2-2", "3.1.1/MQTT-4.7.1-1", "5.0/MQTT-3.3.2-2", "5.0/MQTT-4.7.0-1"];
    EmptyTopicAccepted "empty_topic_accepted" "accepts an empty Topic Name" ["3.1.1/MQTT-4.7.3-1", "5.0/MQTT-4.7.3-1"];

    // Malformed packets accepted.
    FixedHeaderFlagsAccepted "fixed_header_flags_accepted" "accepts wrong reserved flags in fixed headers" ["3.1.1/MQTT-2.2.2-1", "3.1.1/MQTT-2.2.2-2", "5.0/MQTT-2.1.3-1"];
    PubrelFlagsAccepted "pubrel_flags_accepted" "accepts PUBREL flags other than 0010" ["3.1.1/MQTT-3.6.1-1", "3.1.1/MQTT-2.2.2-2", "5.0/MQTT-3.6.1-1"];
    SubscribeFlagsAccepted "subscribe_flags_accepted" "accepts SUBSCRIBE flags other than 0010" ["3.1.1/MQTT-3.8.1-1", "3.1.1/MQTT-2.2.2-2", "5.0/MQTT-3.8.1-1"];
    UnsubscribeFlagsAccepted "unsubscribe_flags_accepted" "accepts UNSUBSCRIBE flags other than 0010" ["3.1.1/MQTT-3.10.1-1", "3.1.1/MQTT-2.2.2-2", "5.0/MQTT-3.10.1-1"];
    DisconnectFlagsAccepted "disconnect_flags_accepted" "takes a DISCONNECT with wrong flags for a good one" ["3.1.1/MQTT-3.14.1-1", "3.1.1/MQTT-2.2.2-2", "5.0/MQTT-3.14.1-1"];
    AuthFlagsAccepted "auth_flags_accepted" "accepts AUTH flags other than 0000" ["5.0/MQTT-3.15.1-1"];
    Qos3Accepted "qos_3_accepted" "takes a PUBLISH with both QoS bits set for QoS 1" ["3.1.1/MQTT-3.3.1-4", "5.0/MQTT-3.3.1-4"];
    DupAtQos0Accepted "dup_at_qos_0_accepted" "accepts DUP at QoS 0" ["3.1.1/MQTT-3.3.1-2", "5.0/MQTT-3.3.1-2"];
    IllFormedUtf8Accepted "ill_formed_utf8_accepted" "accepts ill-formed UTF-8 after CONNECT" ["3.1.1/MQTT-1.5.3-1", "3.1.1/MQTT-3.3.2-1", "3.1.1/MQTT-3.8.3-1", "3.1.1/MQTT-3.10.3-1", "5.0/MQTT-1.5.4-1", "5.0/MQTT-1.5.7-1", "5.0/MQTT-3.3.2-1", "5.0/MQTT-3.3.2-13", "5.0/MQTT-3.3.2-19", "5.0/MQTT-3.8.3-1", "5.0/MQTT-3.10.3-1"];
    NulInStringAccepted "nul_in_string_accepted" "accepts U+0000 in strings after CONNECT" ["3.1.1/MQTT-1.5.3-2", "3.1.1/MQTT-4.7.3-2", "5.0/MQTT-1.5.4-2", "5.0/MQTT-1.5.7-1", "5.0/MQTT-4.7.3-2"];
    PacketIdZeroAccepted "packet_id_zero_accepted" "accepts Packet Identifier 0" ["3.1.1/MQTT-2.3.1-1", "5.0/MQTT-2.2.1-3"];
    EmptySubscribeAccepted "empty_subscribe_accepted" "answers a SUBSCRIBE without Topic Filter" ["3.1.1/MQTT-3.8.3-3", "5.0/MQTT-3.8.3-2"];
    EmptyUnsubscribeAccepted "empty_unsubscribe_accepted" "answers an UNSUBSCRIBE without Topic Filter" ["3.1.1/MQTT-3.10.3-2", "5.0/MQTT-3.10.3-2"];
    SubscribeReservedBitsAccepted "subscribe_reserved_bits_accepted" "accepts reserved bits in subscription options" ["3.1.1/MQTT-3.8.3-4", "5.0/MQTT-3.8.3-5"];
    SubscribeQos3Accepted "subscribe_qos_3_accepted" "accepts a requested QoS of 3" ["3.1.1/MQTT-3.8.3-4", "5.0/MQTT-4.13.1-1"];
    RetainHandling3Accepted "retain_handling_3_accepted" "accepts a Retain Handling of 3" ["5.0/MQTT-4.13.1-1"];
    NoLocalOnSharedAccepted "no_local_on_shared_accepted" "accepts No Local on a Shared Subscription" ["5.0/MQTT-3.8.3-4"];
    TrailingBytesAccepted "trailing_bytes_accepted" "accepts bytes after the end of a packet's content" ["3.1.1/MQTT-4.8.0-1", "5.0/MQTT-4.13.1-1"];
    TruncatedPacketAccepted "truncated_packet_accepted" "accepts packets with a field that runs past their end" ["3.1.1/MQTT-4.8.0-1", "5.0/MQTT-3.3.2-1", "5.0/MQTT-4.13.1-1"];
    ReservedPacketTypeIgnored "reserved_packet_type_ignored" "ignores packets of a reserved type" ["3.1.1/MQTT-4.8.0-1", "5.0/MQTT-4.13.1-1"];
    LongRemainingLengthRefused "long_remaining_length_refused" "refuses packets whose Remaining Length has more than two bytes" ["5.0/U5-VBI-2"];
    ServerPacketIgnored "server_packet_ignored" "ignores packets that only a Server may send" ["3.1.1/MQTT-4.8.0-1", "5.0/MQTT-4.13.1-1"];
    PaddedLengthAccepted "padded_length_accepted" "accepts Variable Byte Integers in more bytes than needed" ["5.0/MQTT-1.5.5-1"];
    BadPropertyAccepted "bad_property_accepted" "accepts properties that are unknown, repeated, out of place or out of range" ["5.0/MQTT-4.13.1-1"];
    PropertyOrderDemanded "property_order_demanded" "closes where properties do not stand in the order of their identifiers" ["5.0/U5-PROP-6"];
    PropertyLengthMissingAccepted "property_length_missing_accepted" "accepts packets without Property Length" ["5.0/MQTT-2.2.2-1"];
    ResponseTopicWildcardAccepted "response_topic_wildcard_accepted" "accepts a wildcard in a Response Topic" ["5.0/MQTT-3.3.2-14"];
    SubscriptionIdFromClientAccepted "subscription_id_from_client_accepted" "accepts a Subscription Identifier in a Client's PUBLISH" ["5.0/MQTT-3.3.4-6"];
    TopicAliasZeroAccepted "topic_alias_zero_accepted" "accepts Topic Alias 0" ["5.0/MQTT-3.3.2-8"];
    AckCodeUnlistedAccepted "ack_code_unlisted_accepted" "accepts acknowledgements with a Reason Code that is not listed" ["5.0/MQTT-3.4.2-1", "5.0/MQTT-3.5.2-1", "5.0/MQTT-3.6.2-1", "5.0/MQTT-3.7.2-1"];
    ShortAcknowledgementRefused "short_acknowledgement_refused" "refuses 5.0 acknowledgements without Reason Code" ["5.0/U5-LEN-2"];
    ProtocolErrorKeptOpen "protocol_error_kept_open" "leaves the connection open after a malformed packet or protocol error" ["3.1.1/MQTT-2.2.2-2", "3.1.1/MQTT-4.8.0-1", "5.0/MQTT-3.14.4-2", "5.0/MQTT-4.13.1-1", "5.0/MQTT-4.13.2-1"];
    ErrorEndsAllConnections "error_ends_all_connections" "disconnects every Client when one breaks a rule" ["3.1.1/U3-ERR-1", "5.0/U5-ERR-1"];

    // Properties and limits of 5.0.
    PayloadFormatIndicatorLost "payload_format_indicator_lost" "does not pass Payload Format Indicator on" ["5.0/MQTT-3.3.2-4"];
    ContentTypeLost "content_type_lost" "does not pass Content Type on" ["5.0/MQTT-3.3.2-20"];
    ContentTypeTrimmed "content_type_trimmed" "trims Content Type" ["5.0/MQTT-3.3.2-20"];
    ResponseTopicLost "response_topic_lost" "does not pass Response Topic on" ["5.0/MQTT-3.3.2-15"];
    CorrelationDataLost "correlation_data_lost" "does not pass Correlation Data on" ["5.0/MQTT-3.3.2-16"];
    CorrelationDataCutAtNul "correlation_data_cut_at_nul" "cuts Correlation Data at the first zero byte" ["5.0/MQTT-3.3.2-16"];
    UserPropertiesLost "user_properties_lost" "does not pass User Properties on" ["5.0/MQTT-3.3.2-17"];
    UserPropertiesReordered "user_properties_reordered" "reverses User Properties" ["5.0/MQTT-3.3.2-18"];
    UserPropertiesMerged "user_properties_merged" "passes on one User Property of each name" ["5.0/MQTT-3.3.2-17"];
    SubscriptionIdsMissing "subscription_ids_missing" "sends messages without Subscription Identifiers" ["5.0/MQTT-3.3.4-3"];
    SubscriptionIdsOnlyOne "subscription_ids_only_one" "sends one Subscription Identifier with a copy for several subscriptions" ["5.0/MQTT-3.3.4-4"];
    SubscriptionIdInvented "subscription_id_invented" "sends a Subscription Identifier that the Client did not give" ["5.0/U5-PUB-11"];
    CopiesCarryEveryId "copies_carry_every_id" "sends a copy for each subscription, each with all Subscription Identifiers" ["5.0/MQTT-3.3.4-5"];
    MessageExpiryIgnored "message_expiry_ignored" "delivers messages that have expired" ["5.0/MQTT-3.3.2-5"];
    MessageExpiryNotDecremented "message_expiry_not_decremented" "passes the Message Expiry Interval on as it came" ["5.0/MQTT-3.3.2-6"];
    MessageExpiryByteOrder "message_expiry_byte_order" "reads the Message Expiry Interval with its low byte first" ["5.0/MQTT-3.3.2-6", "5.0/U5-INT-1"];
    MessageExpiryLost "message_expiry_lost" "does not pass the Message Expiry Interval on" ["5.0/MQTT-3.3.2-6"];
    MessageExpiryInvented "message_expiry_invented" "gives messages without Message Expiry Interval one of 60 s" ["5.0/U5-PUB-16"];
    TopicAliasBeyondMaximum "topic_alias_beyond_maximum" "uses Topic Aliases above the Client's maximum" ["5.0/MQTT-3.1.2-26", "5.0/MQTT-3.3.2-11"];
    TopicAliasUnasked "topic_alias_unasked" "uses Topic Aliases towards Clients that allow none" ["5.0/MQTT-3.1.2-27"];
    ServerTopicAliasesSurviveConnection "server_topic_aliases_survive_connection" "keeps its own Topic Aliases for the Client's next connection" ["5.0/MQTT-3.3.2-7", "5.0/U5-PUB-2"];
    TopicAliasSurvivesConnection "topic_alias_survives_connection" "keeps the Client's Topic Aliases for its next connection" ["5.0/MQTT-3.3.2-7"];
    TopicAliasMaximumRefused "topic_alias_maximum_refused" "refuses the highest Topic Alias that it allows" ["5.0/MQTT-3.3.2-12"];
    TopicAliasNotRemapped "topic_alias_not_remapped" "keeps the first topic of a Topic Alias" ["5.0/MQTT-3.3.2-12"];
    TopicAliasAboveMaximumAccepted "topic_alias_above_maximum_accepted" "accepts Topic Aliases above its maximum" ["5.0/MQTT-3.2.2-17", "5.0/MQTT-3.2.2-18", "5.0/MQTT-3.3.2-9", "5.0/MQTT-4.13.1-1"];
    UnknownTopicAliasAccepted "unknown_topic_alias_accepted" "acknowledges a PUBLISH whose Topic Alias was given no topic" ["5.0/MQTT-4.13.1-1", "5.0/U5-PUB-2"];
    ReceiveMaximumIgnored "receive_maximum_ignored" "has more messages unacknowledged than the Client's Receive Maximum" ["5.0/MQTT-3.3.4-9", "5.0/MQTT-4.9.0-2"];
    ReceiveMaximumKept "receive_maximum_kept" "keeps the Receive Maximum of the Client's last connection" ["5.0/U5-CON-5"];
    ReceiveMaximumIgnoredOnResume "receive_maximum_ignored_on_resume" "sends all unacknowledged messages again at once" ["5.0/MQTT-3.3.4-9", "5.0/MQTT-4.9.0-2"];
    ReceiveMaximumLessOne "receive_maximum_less_one" "starts with a send quota one below the Client's Receive Maximum" ["5.0/MQTT-4.9.0-1"];
    ReceiveMaximumBlocksOtherPackets "receive_maximum_blocks_other_packets" "answers nothing while the send quota is used up" ["5.0/MQTT-3.3.4-10", "5.0/MQTT-4.9.0-3"];
    QuotaReturnedAtPubrec "quota_returned_at_pubrec" "takes PUBREC for the end of a QoS 2 exchange in its send quota" ["5.0/MQTT-3.3.4-9", "5.0/MQTT-4.9.0-2"];
    QuotaNotReturned "quota_not_returned" "never raises its send quota again" ["5.0/MQTT-4.5.0-1", "5.0/U5-PUB-14"];
    ServerReceiveMaximumNotEnforced "server_receive_maximum_not_enforced" "accepts more messages than its Receive Maximum" ["5.0/MQTT-3.3.4-7", "5.0/MQTT-4.13.1-1", "5.0/U5-PUB-13"];
    MaximumPacketSizeIgnored "maximum_packet_size_ignored" "sends packets larger than the Client's Maximum Packet Size" ["5.0/MQTT-3.1.2-24"];
    OversizedMessageKeepsQuota "oversized_message_keeps_quota" "counts a discarded message as unacknowledged" ["5.0/MQTT-3.1.2-25"];
    OversizedMessageDisconnects "oversized_message_disconnects" "disconnects a Client for which a message is too large" ["5.0/MQTT-3.1.2-25"];
    ServerMaximumPacketSizeNotEnforced "server_maximum_packet_size_not_enforced" "accepts packets larger than its Maximum Packet Size" ["5.0/MQTT-3.2.2-15", "5.0/U5-CON-9"];
    ReasonStringExceedsMaximum "reason_string_exceeds_maximum" "adds a Reason String of 300 bytes to every answer, whatever the Client's Maximum Packet Size" ["5.0/MQTT-3.1.2-24", "5.0/MQTT-3.2.2-19", "5.0/MQTT-3.4.2-2", "5.0/MQTT-3.5.2-2", "5.0/MQTT-3.6.2-2", "5.0/MQTT-3.7.2-2", "5.0/MQTT-3.9.2-1", "5.0/MQTT-3.11.2-1", "5.0/MQTT-3.14.2-3", "5.0/MQTT-3.15.2-2"];
    UserPropertyExceedsMaximum "user_property_exceeds_maximum" "adds a User Property of 300 bytes to every answer, whatever the Client's Maximum Packet Size" ["5.0/MQTT-3.1.2-24", "5.0/MQTT-3.2.2-20", "5.0/MQTT-3.4.2-3", "5.0/MQTT-3.5.2-3", "5.0/MQTT-3.6.2-3", "5.0/MQTT-3.7.2-3", "5.0/MQTT-3.9.2-2", "5.0/MQTT-3.11.2-2", "5.0/MQTT-3.14.2-4", "5.0/MQTT-3.15.2-3"];
    ProblemInformationUnasked "problem_information_unasked" "sends Reason Strings to Clients that want none" ["5.0/MQTT-3.1.2-29"];
    LengthPadded "length_padded" "sends PINGRESP with a Remaining Length in two bytes" ["5.0/MQTT-1.5.5-1"];

    // Shared Subscriptions.
    SharedDeliveredToAll "shared_delivered_to_all" "delivers to every member of a Shared Subscription" ["5.0/U5-SHR-2"];
    SharedLostWhenFirstLeaves "shared_lost_when_first_leaves" "ends a Shared Subscription when its first member leaves" ["5.0/U5-SHR-6"];
    SharedAtQosOfFirstMember "shared_at_qos_of_first_member" "delivers at the QoS granted to the first member of a Shared Subscription" ["5.0/MQTT-4.8.2-3"];
    SharedQos2MovedOnDisconnect "shared_qos_2_moved_on_disconnect" "gives a started QoS 2 delivery to another member when the first disconnects" ["5.0/MQTT-4.8.2-4"];
    SharedQos2MovedOnSessionEnd "shared_qos_2_moved_on_session_end" "gives a started QoS 2 delivery to another member when the session ends" ["5.0/MQTT-4.8.2-5"];
    SharedRefusalMoved "shared_refusal_moved" "gives a message that a member refused to another" ["5.0/MQTT-4.8.2-6"];
    SharedQos1LostOnSessionEnd "shared_qos_1_lost_on_session_end" "drops unacknowledged QoS 1 messages of a Shared Subscription with their member's session" ["5.0/U5-SHR-8"];
    SharedIdsOfAllMembers "shared_ids_of_all_members" "sends the Subscription Identifiers of all members of a Shared Subscription" ["5.0/U5-PUB-11", "5.0/U5-PUB-12"];
    SharedUnsubscribeByFilter "shared_unsubscribe_by_filter" "removes a Shared Subscription at an UNSUBSCRIBE of its filter alone" ["5.0/MQTT-3.10.4-1", "5.0/U5-SHR-7"];
    SharedJoinedTwice "shared_joined_twice" "counts a session as a member for each SUBSCRIBE" ["5.0/U5-SHR-5"];
    SharedGroupsMerged "shared_groups_merged" "serves one ShareName of each filter only" ["5.0/U5-SHR-4"];

    // DISCONNECT and AUTH.
    SendsAfterDisconnect "sends_after_disconnect" "sends PINGRESP after DISCONNECT" ["5.0/MQTT-3.14.4-1"];
    ClientDisconnectKeptOpen "client_disconnect_kept_open" "leaves the connection open after the Client's DISCONNECT" ["3.1.1/U3-DIS-1", "5.0/U5-DIS-1"];
    DisconnectCodeUnlisted "disconnect_code_unlisted" "sends DISCONNECT with Reason Code 0x01" ["5.0/MQTT-3.14.2-1"];
    DisconnectCodeNormal "disconnect_code_normal" "sends DISCONNECT with Reason Code 0x00 whatever happened" ["5.0/MQTT-3.1.4-3", "5.0/MQTT-3.14.1-1", "5.0/U5-DIS-4"];
    DisconnectWithSessionExpiry "disconnect_with_session_expiry" "sends DISCONNECT with a Session Expiry Interval" ["5.0/MQTT-3.14.2-2"];
    SessionExpiryRaisedFromZero "session_expiry_raised_from_zero" "accepts a DISCONNECT that raises the Session Expiry Interval from 0" ["5.0/U5-WILL-10"];
    UnknownMethodAccepted "unknown_method_accepted" "ignores an Authentication Method that it does not know" ["5.0/MQTT-4.12.0-1", "5.0/MQTT-4.12.0-5"];
    AuthUnsolicited "auth_unsolicited" "sends AUTH to a Client without Authentication Method" ["5.0/MQTT-4.12.0-6"];
    AuthenticationMethodUnasked "authentication_method_unasked" "names an Authentication Method in every CONNACK" ["5.0/MQTT-4.12.0-6"];
    AuthenticationMethodMissing "authentication_method_missing" "leaves the Authentication Method out of CONNACK" ["5.0/MQTT-4.12.0-5"];
    AuthFromClientIgnored "auth_from_client_ignored" "ignores AUTH from a Client without Authentication Method" ["5.0/MQTT-4.12.0-7", "5.0/MQTT-4.13.1-1", "5.0/U5-AUTH-1"];
    AuthWrongAnswerAccepted "auth_wrong_answer_accepted" "accepts a wrong answer to its challenge" ["5.0/MQTT-4.12.0-4", "5.0/MQTT-4.12.1-2"];
    AuthWrongReasonAccepted "auth_wrong_reason_accepted" "accepts AUTH 0x19 where 0x18 is due" ["5.0/MQTT-4.12.0-3"];
    AuthContinueWithWrongCode "auth_continue_with_wrong_code" "sends its challenge with Reason Code 0x00" ["5.0/MQTT-4.12.0-2"];
    AuthCodeUnlisted "auth_code_unlisted" "sends AUTH with Reason Code 0x01" ["5.0/MQTT-3.15.2-1"];
    PacketDuringAuthenticationServed "packet_during_authentication_served" "answers PINGREQ before the authentication is over" ["5.0/MQTT-3.1.2-30", "5.0/MQTT-3.2.0-1"];
    ReauthenticationMethodChanged "reauthentication_method_changed" "lets re-authentication change the method" ["5.0/MQTT-4.12.0-5", "5.0/MQTT-4.12.1-1"];
    ReauthenticationFailureKeptOpen "reauthentication_failure_kept_open" "leaves the connection open after a failed re-authentication" ["5.0/MQTT-4.12.1-2"];
}
