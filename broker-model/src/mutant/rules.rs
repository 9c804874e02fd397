//! What the rules over histories can make of the mutants.

use super::Mutant;

/// The player of a script answers no challenge.
const NO_AUTHENTICATION: &str = "generated clients do not authenticate with AUTH; the checks do";

/// What is asked of 3.1 is asked by the checks alone.
const NO_3_1: &str = "generated clients speak 3.1.1 and 5.0, not 3.1; the checks do";

/// Mutants that no rule can see in generated scripts, with the reason.
const BEYOND: &[(Mutant, &str)] = &[
    (Mutant::CredentialsIgnored, "only the owner of the broker knows whose password is right"),
    (Mutant::ProtocolLevelRefusedSilently, "the CONNACK before the end is not due, by errata E.4"),
    (
        Mutant::PasswordAloneRefusedAsMalformed,
        "a refusal is allowed; only the Reason Code shows what it was for",
    ),
    (
        Mutant::DisconnectFlagsAccepted,
        "the connection ends either way, and whether the Will is due is disputed",
    ),
    (Mutant::BadCredentialsRefusedSilently, "only the owner of the broker knows whose password is right"),
    (
        Mutant::SubscribeReleasesQos2Id,
        "generated clients use no Packet Identifier twice at a time; the checks do",
    ),
    (Mutant::ReceiveMaximumKept, "a broker may send fewer messages than the Receive Maximum allows"),
    (Mutant::PubrecOfUnknownIdIgnored, "no statement demands the answer"),
    (Mutant::RetainedQos0NotStored, "to store retained messages of QoS 0 is a recommendation"),
    (Mutant::WillPublishedLate, "how soon a Will comes is a recommendation"),
    (Mutant::DollarTopicsRouted, "to keep Clients from using topics that begin with $ is a recommendation"),
    (Mutant::ControlCharactersStripped, "generated topics have no control characters; the checks' have"),
    (Mutant::ClientIdWidthsFolded, "generated Client Identifiers are of ASCII; the checks' are not"),
    (Mutant::RefusedDeliveryReleased, "no statement forbids the PUBREL"),
    (Mutant::LongRemainingLengthRefused, "generated packets are short; the checks' are not"),
    (Mutant::SharedQos1LostOnSessionEnd, "to give the message to another member is a recommendation"),
    (Mutant::EmptyClientIdAcceptedIn31, NO_3_1),
    (Mutant::LongClientIdAcceptedIn31, NO_3_1),
    (Mutant::MissingUserNameRefused, NO_3_1),
    (Mutant::SubackFailureIn31, NO_3_1),
    (Mutant::AuthFlagsAccepted, NO_AUTHENTICATION),
    (Mutant::UnknownMethodAccepted, NO_AUTHENTICATION),
    (Mutant::AuthenticationMethodMissing, NO_AUTHENTICATION),
    (Mutant::AuthWrongAnswerAccepted, NO_AUTHENTICATION),
    (Mutant::AuthWrongReasonAccepted, NO_AUTHENTICATION),
    (Mutant::AuthContinueWithWrongCode, NO_AUTHENTICATION),
    (Mutant::AuthCodeUnlisted, NO_AUTHENTICATION),
    (Mutant::PacketDuringAuthenticationServed, NO_AUTHENTICATION),
    (Mutant::ReauthenticationMethodChanged, NO_AUTHENTICATION),
    (Mutant::ReauthenticationFailureKeptOpen, NO_AUTHENTICATION),
    (Mutant::SubscribeReleasesQos2Id, "generated clients take no Packet Identifier that is in use"),
    (Mutant::RefusedMessageDelivered, "no numbered statement says what becomes of a message that is refused"),
    (Mutant::ReceiveMaximumKept, "a Server may send less at one time than a Client's Receive Maximum"),
];

/// Statements that must fall with a mutant's own, though it does not break them by itself, with the reason.
const FALLS_WITH: &[(Mutant, &str, &str)] = &[
    (Mutant::PubrelsInOrderOfIds, "3.1.1/MQTT-4.3.3-1", "the last PUBREL is held back, and does not come"),
    (Mutant::PubrelsInOrderOfIds, "5.0/MQTT-4.3.3-4", "the last PUBREL is held back, and does not come"),
    (
        Mutant::RefusedMessageDelivered,
        "3.1.1/MQTT-4.3.3-2",
        "its publisher sends the refused message again, and it comes twice",
    ),
    (
        Mutant::RefusedMessageDelivered,
        "5.0/MQTT-4.3.3-10",
        "its publisher sends the refused message again, and it comes twice",
    ),
    (
        Mutant::ReceiveMaximumLessOne,
        "5.0/MQTT-4.5.0-1",
        "with a Receive Maximum of 1 no message comes at all",
    ),
    (Mutant::OversizedMessageKeepsQuota, "5.0/MQTT-4.5.0-1", "what waits for the quota does not come"),
    (
        Mutant::OversizedMessageKeepsQuota,
        "5.0/MQTT-4.6.0-5",
        "what was discarded comes later, at a resumption",
    ),
    (
        Mutant::OversizedMessageKeepsQuota,
        "3.1.1/MQTT-4.6.0-6",
        "what was discarded comes later, at a resumption",
    ),
    (Mutant::ConnackPropertyRepeated, "5.0/U5-PROP-3", "no property may be repeated, whose packet it is"),
    (
        Mutant::RefusalDropsSubscriptions,
        "5.0/MQTT-4.5.0-1",
        "what the lost subscriptions match does not come",
    ),
    (
        Mutant::SharedIdsOfAllMembers,
        "5.0/U5-PUB-11",
        "another member's identifier is none of the Client's own",
    ),
];

impl Mutant {
    /// Why the rules cannot see this fault in generated scripts; `None` if they can.
    pub fn beyond_rules(self) -> Option<&'static str> {
        BEYOND.iter().find(|(mutant, _)| *mutant == self).map(|(_, reason)| *reason)
    }

    /// Why this statement, named with its version, falls with those that the mutant breaks.
    pub fn falls_with(self, statement: &str) -> Option<&'static str> {
        FALLS_WITH.iter().find(|(mutant, id, _)| *mutant == self && *id == statement).map(|(.., why)| *why)
    }
}
