//! Retained messages.

use super::support::*;
use super::told::{told, told_in_5};
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_codec::Version;

#[test]
fn retained_messages_are_sent_to_new_subscriptions() {
    let story = told(
        "client p {clean}
         client s {clean}
         client t {clean}
         p > PUBLISH a/b \"1\" qos=1 retain=1
         p > SUBSCRIBE a/b qos=1
         p settle
         s > SUBSCRIBE a/b qos=1
         s settle
         t > SUBSCRIBE a/+ qos=1
         t settle
         p > PUBLISH a/b \"live\" qos=1
         p settle",
    );
    sound(&story);
    // Before 5.0 nothing else shows that a Server retains anything.
    catches_in(Version::V5, "retained_sent", Mutant::RetainedLost, &story);
    catches("retained_sent", Mutant::RetainedNotSentForWildcards, &story);
    catches("retain_flag", Mutant::RetainedFlagCleared, &story);
    let mixed = told(
        "client new mqtt=5 {clean}
         client p mqtt=3.1.1 {clean}
         client s mqtt=3.1.1 {clean}
         new barrier
         p > SUBSCRIBE a qos=1
         p settle
         p > PUBLISH a \"1\" qos=1 retain=1
         p settle
         s > SUBSCRIBE a qos=1
         s settle",
    );
    sound(&mixed);
    catches_in(Version::V3_1_1, "retained_sent", Mutant::RetainedLost, mixed);
    let again = told(
        "client p {clean}
         client s {clean}
         p > SUBSCRIBE a qos=1
         p settle
         p > PUBLISH a \"1\" qos=1 retain=1
         p settle
         s > SUBSCRIBE a qos=1
         s settle
         wait 1 s
         s > SUBSCRIBE a qos=1
         s settle",
    );
    sound(&again);
    catches("retained_sent", Mutant::RetainedNotSentAgain, &again);
    catches("retain_flag", Mutant::RetainFlagOnLive, &again);
}

#[test]
fn the_last_retained_message_is_kept() {
    let story = told(
        "client p {clean}
         client s {clean}
         client w {clean}
         w > SUBSCRIBE \"#\" qos=1
         w settle
         p > PUBLISH a \"1\" qos=1 retain=1
         p > PUBLISH a \"2\" qos=1 retain=1
         p > PUBLISH b \"3\" qos=1 retain=1
         p > PUBLISH b \"\" qos=1 retain=1
         p > PUBLISH c \"\" qos=1 retain=1
         p > PUBLISH d \"4\" qos=1
         p > PUBLISH e \"5\" qos=1 retain=1
         p > PUBLISH e \"6\" qos=0 retain=1
         p barrier
         s > SUBSCRIBE \"#\" qos=1
         s settle",
    );
    sound(&story);
    for mutant in [
        Mutant::RetainedNotReplaced,
        Mutant::RetainedNotReplacedByQos0,
        Mutant::RetainedNotCleared,
        Mutant::EmptyRetainedStored,
        Mutant::StoredWithoutRetain,
    ] {
        catches("retained_stored", mutant, &story);
    }
    let will = told(
        "client w {clean}
         client s {clean}
         client lamp {clean} will=w \"gone\" will_qos=1
         w > SUBSCRIBE \"#\" qos=1
         w settle
         lamp cut
         wait 1 s
         s > SUBSCRIBE \"#\" qos=1
         s settle",
    );
    sound(&will);
    catches("retained_stored", Mutant::WillAlwaysRetained, &will);
}

#[test]
fn nothing_but_retain_removes_a_retained_message() {
    let story = told(
        "client p {clean}
         client s {clean}
         client w {clean}
         w > SUBSCRIBE \"#\" qos=1
         w settle
         p > PUBLISH a \"1\" qos=1 retain=1
         p settle
         w > SUBSCRIBE a qos=1
         w settle
         p > PUBLISH a \"2\" qos=1
         p settle
         s > SUBSCRIBE a qos=1
         s settle",
    );
    sound(&story);
    catches("retained_sent", Mutant::ClearedWithoutRetain, &story);
    let session = told(
        "client p {clean}
         client s {clean}
         client w {clean}
         w > SUBSCRIBE \"#\" qos=1
         w settle
         p > PUBLISH a \"1\" qos=1 retain=1
         p settle
         w > SUBSCRIBE a qos=1
         w settle
         p > DISCONNECT
         wait 6 s
         s > SUBSCRIBE a qos=1
         s settle",
    );
    sound(&session);
    catches("retained_sent", Mutant::RetainedDeletedWithSession, &session);
    let will = told(
        "client w {clean}
         client s {clean}
         client lamp {clean} will=w \"gone\" will_qos=1 will_retain=1
         w > PUBLISH r \"1\" qos=1 retain=1
         w settle
         w > SUBSCRIBE \"#\" qos=1
         w settle
         lamp cut
         wait 1 s
         s > SUBSCRIBE w qos=1
         s settle",
    );
    sound(&will);
    catches("retained_sent", Mutant::WillRetainIgnored, &will);
}

#[test]
fn retain_handling_is_heeded() {
    let story = told_in_5(
        "client p {clean}
         client s {clean}
         client t {clean}
         p > PUBLISH a \"1\" qos=1 retain=1
         p settle
         s > SUBSCRIBE a qos=1 retain_handling=1
         s settle
         wait 1 s
         s > SUBSCRIBE a qos=1 retain_handling=1
         s settle
         t > SUBSCRIBE a qos=1 retain_handling=2
         t settle",
    );
    sound(&story);
    catches("retained_stored", Mutant::RetainHandling1AlwaysSends, &story);
    catches("retained_sent", Mutant::RetainHandling1NeverSends, &story);
    catches("retained_stored", Mutant::RetainHandling2Sends, &story);
    // Together with a Shared Subscription it cannot be told which of them has brought it.
    sound(told_in_5(
        "client p {clean}
         client t {clean}
         p > PUBLISH a \"1\" qos=1 retain=1
         p settle
         t > SUBSCRIBE a qos=1 retain_handling=2 \"$share/g/a\" qos=1
         t settle",
    ));
    let shared = told_in_5(
        "client p {clean}
         client s {clean}
         p > PUBLISH a \"1\" qos=1 retain=1
         p settle
         s > SUBSCRIBE $share/g/a qos=1
         s settle",
    );
    sound(&shared);
    catches("retained_stored", Mutant::RetainedSentToSharedSubscription, &shared);
}

#[test]
fn retain_as_published_is_heeded() {
    let story = told_in_5(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a qos=1 retain_as_published=1
         s settle
         p > PUBLISH a \"1\" qos=1 retain=1
         p > PUBLISH a \"2\" qos=1
         p settle",
    );
    sound(&story);
    catches("retain_flag", Mutant::RetainAsPublishedIgnored, &story);
}
