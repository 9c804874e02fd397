//! QoS, No Local, Subscription Identifiers, properties, expiry.

use super::support::*;
use super::told::{told, told_in_5};
use mqtt_assay_broker_model::Mutant;

#[test]
fn messages_come_at_the_lower_qos() {
    let story = told(
        "client p {clean}
         client s {clean}
         client t {clean}
         s > SUBSCRIBE a qos=2
         t > SUBSCRIBE a qos=1
         s settle
         t settle
         p > PUBLISH a \"0\" qos=0
         p > PUBLISH a \"1\" qos=1
         p > PUBLISH a \"2\" qos=2
         p settle",
    );
    sound(&story);
    for mutant in [
        Mutant::DeliveredAtLowerQos,
        Mutant::DeliveredAtGrantedQos,
        Mutant::DeliveredAtPublishedQos,
        Mutant::SubackCodeNotGranted,
    ] {
        catches("qos", mutant, &story);
    }
    let will = told(
        "client s {clean}
         client lamp {clean} will=w \"gone\" will_qos=1
         s > SUBSCRIBE w qos=1
         s settle
         lamp cut",
    );
    sound(&will);
    catches("qos", Mutant::WillAtQos0, &will);
}

#[test]
fn the_options_are_those_of_the_last_subscription() {
    let story = told(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a qos=1
         s settle
         s > SUBSCRIBE a qos=2
         s settle
         p > PUBLISH a \"2\" qos=2
         p settle",
    );
    sound(&story);
    catches("qos", Mutant::ResubscribeKeepsOldOptions, &story);
    let story = told_in_5(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a qos=1 subscription_identifier=1
         s settle
         s > SUBSCRIBE a qos=1 subscription_identifier=2
         s settle
         p > PUBLISH a \"2\" qos=2
         p settle",
    );
    sound(&story);
    catches("subscription_identifiers", Mutant::ResubscribeKeepsOldOptions, &story);
}

#[test]
fn overlapping_subscriptions_get_the_highest_qos() {
    let story = told(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a/b qos=0 a/+ qos=2 a/# qos=1
         s settle
         p > PUBLISH a/b \"2\" qos=2
         p settle",
    );
    sound(&story);
    catches("highest_qos", Mutant::OverlapAtLowestQos, &story);
}

#[test]
fn no_local_is_kept() {
    let story = told_in_5(
        "client s {stays}
         s > SUBSCRIBE a qos=1 no_local=1
         s settle
         s > PUBLISH a \"1\" qos=1
         s settle
         s cut
         wait 1 s
         s connect {stays}
         s settle
         s > PUBLISH a \"2\" qos=1
         s settle",
    );
    sound(&story);
    catches("no_local", Mutant::NoLocalIgnored, &story);
    catches("no_local", Mutant::NoLocalLostOnResume, &story);
}

#[test]
fn subscription_identifiers_come_with_their_messages() {
    let story = told_in_5(
        "client p {clean}
         client s {stays}
         s > SUBSCRIBE a/b qos=1 subscription_identifier=1
         s > SUBSCRIBE a/+ qos=1 subscription_identifier=2
         s > SUBSCRIBE x qos=1 subscription_identifier=3
         s settle
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH x \"2\" qos=1
         p settle
         wait 1 s
         s cut
         wait 1 s
         s connect {stays}
         s settle
         p > PUBLISH x \"3\" qos=1
         p settle",
    );
    sound(&story);
    for mutant in [
        Mutant::SubscriptionIdsMissing,
        Mutant::SubscriptionIdsOnlyOne,
        Mutant::CopiesCarryEveryId,
        Mutant::SubscriptionIdsLostOnResume,
    ] {
        catches("subscription_identifiers", mutant, &story);
    }
}

#[test]
fn properties_travel_unaltered() {
    let story = told_in_5(
        "client p {clean}
         client s {clean}
         client lamp {clean} will=w \"gone\" will_qos=1 content_type=\"c\" response_topic=r correlation_data=\"d\" payload_format_indicator=1 user_property=\"b\":\"1\" user_property=\"a\":\"2\"
         s > SUBSCRIBE \"#\" qos=1
         s settle
         p > PUBLISH a \"1\" qos=1 content_type=\" text \" response_topic=r correlation_data=\"x\\x00y\" payload_format_indicator=1 user_property=\"b\":\"1\" user_property=\"a\":\"2\" user_property=\"b\":\"3\"
         p settle
         lamp cut",
    );
    sound(&story);
    for mutant in [
        Mutant::PayloadFormatIndicatorLost,
        Mutant::ContentTypeLost,
        Mutant::ContentTypeTrimmed,
        Mutant::ResponseTopicLost,
        Mutant::CorrelationDataLost,
        Mutant::CorrelationDataCutAtNul,
        Mutant::UserPropertiesLost,
        Mutant::UserPropertiesReordered,
        Mutant::UserPropertiesMerged,
        Mutant::WillPropertiesLost,
        Mutant::WillUserPropertiesReordered,
    ] {
        catches("properties", mutant, &story);
    }
}

#[test]
fn messages_expire() {
    let story = told_in_5(
        "client p {clean}
         client s {stays}
         client t {clean}
         s > SUBSCRIBE a qos=1
         s settle
         p > PUBLISH t \"r\" qos=1 retain=1 message_expiry_interval=2
         p settle
         s cut
         wait 1 s
         p > PUBLISH a \"1\" qos=1 message_expiry_interval=100
         p > PUBLISH a \"2\" qos=1 message_expiry_interval=2
         p > PUBLISH a \"3\" qos=1
         p settle
         wait 10 s
         s connect {stays}
         t > SUBSCRIBE t qos=1
         t settle",
    );
    sound(&story);
    for mutant in [
        Mutant::MessageExpiryIgnored,
        Mutant::MessageExpiryNotDecremented,
        Mutant::MessageExpiryLost,
        Mutant::MessageExpiryInvented,
        Mutant::RetainedNotExpired,
    ] {
        catches("message_expiry", mutant, &story);
    }
    let will = told_in_5(
        "client s {clean}
         client lamp {stays} will=w \"gone\" will_qos=1 will_delay_interval=10 message_expiry_interval=100
         s > SUBSCRIBE w qos=1
         s settle
         lamp barrier
         lamp cut",
    );
    sound(&will);
    catches("message_expiry", Mutant::WillExpiryIncludesDelay, &will);
}
