//! Messages reach who is subscribed, once, and nobody else.

use super::support::*;
use super::told::{told, told_in_5};
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_broker_model::history::Fault;
use mqtt_assay_codec::{Qos, Version};

#[test]
fn every_message_comes() {
    let story = told(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a/# qos=1
         p > SUBSCRIBE a/b qos=2
         s settle
         p settle
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH a/b \"2\" qos=2
         p > PUBLISH a/b \"3\" qos=1
         p > PUBLISH a/b \"4\" qos=1
         p > PUBLISH a/b \"\" qos=1
         s > PUBLISH a/b \"own\" qos=1
         p settle
         s settle",
    );
    sound(&story);
    for mutant in [Mutant::EveryThirdMessageLost, Mutant::EmptyPayloadDropped, Mutant::NoLocalAlways] {
        catches("at_least_once", mutant, &story);
    }
}

#[test]
fn what_comes_while_a_client_is_away_waits_for_it() {
    let story = told(
        "client p {clean}
         client s {stays}
         s > SUBSCRIBE a/b qos=1
         p > SUBSCRIBE a/b qos=1
         s settle
         p settle
         s cut
         wait 1 s
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH a/b \"2\" qos=1
         p settle
         s connect {stays}",
    );
    sound(&story);
    for mutant in [Mutant::OfflineMessagesDropped, Mutant::QueuedMessagesLostOnResume] {
        catches("at_least_once", mutant, &story);
    }
}

#[test]
fn subscriptions_last() {
    let story = told(
        "client p {clean}
         client s {stays}
         p > SUBSCRIBE a/b qos=1
         s > SUBSCRIBE a/b qos=1
         p settle
         s settle
         p > PUBLISH a/b \"0\" qos=1
         p settle
         wait 1 s
         s cut
         wait 1 s
         s connect {stays}
         s settle
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH a/b \"2\" qos=1
         p settle",
    );
    sound(&story);
    catches("at_least_once", Mutant::SubscriptionsLostOnResume, &story);
    let story = told(
        "client p {clean}
         client s {clean}
         p > SUBSCRIBE a/b qos=1
         s > SUBSCRIBE a/b qos=1
         p settle
         s settle
         s barrier
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH a/b \"2\" qos=1
         p settle",
    );
    sound(&story);
    catches("at_least_once", Mutant::SessionExpiresWhileConnected, &story);
}

#[test]
fn every_filter_counts() {
    let story = told(
        "client p {clean}
         client s {clean}
         p > SUBSCRIBE a/b qos=1
         s > SUBSCRIBE x qos=1 a/b qos=1
         p settle
         s settle
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH a/b \"2\" qos=1
         p settle",
    );
    sound(&story);
    catches("at_least_once", Mutant::OnlyFirstFilterSubscribed, &story);
}

#[test]
fn wildcards_match() {
    for (filter, topic, mutant) in [
        ("a/+", "a/b", Mutant::WildcardsNeverMatch),
        ("a/#", "a", Mutant::HashExcludesParent),
        ("+/b", "/b", Mutant::PlusExcludesEmptyLevel),
    ] {
        let text = format!(
            "client p {{clean}}
             client s {{clean}}
             p > SUBSCRIBE \"{topic}\" qos=1
             s > SUBSCRIBE \"{filter}\" qos=1
             p settle
             s settle
             p > PUBLISH \"{topic}\" \"1\" qos=1
             p > PUBLISH \"{topic}\" \"2\" qos=1
             p settle"
        );
        let story = told(text.leak());
        sound(&story);
        catches("at_least_once", mutant, &story);
    }
}

#[test]
fn unsubscribing_leaves_other_filters_alone() {
    let story = told(
        "client p {clean}
         client s {clean}
         p > SUBSCRIBE a/b qos=1
         s > SUBSCRIBE a/b qos=1
         p settle
         s settle
         s > UNSUBSCRIBE a/#
         s settle
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH a/b \"2\" qos=1
         p settle",
    );
    sound(&story);
    catches("at_least_once", Mutant::UnsubscribeMatches, &story);
}

#[test]
fn identifiers_used_again_are_new_messages() {
    let story = told(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a/b qos=2
         s settle
         p > PUBLISH a/b \"1\" qos=1 id=5
         p settle
         p > PUBLISH a/b \"2\" qos=1 id=5 dup=1
         p settle
         p > PUBLISH a/b \"3\" qos=2 id=6
         p settle
         p > PUBLISH a/b \"4\" qos=2 id=6
         p settle",
    );
    sound(&story);
    catches("at_least_once", Mutant::Qos1DupTakenForDuplicate, &story);
    catches("at_least_once", Mutant::Qos2IdNotReleased, &story);
    let refused = told_in_5(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a/b qos=2
         s settle
         p > PUBLISH denied \"1\" qos=2 id=5
         p settle
         p > PUBLISH a/b \"2\" qos=2 id=5
         p settle",
    );
    let denied = |version| {
        let mut story = refused(version);
        story.policy.deny_publish = vec!["denied".into()];
        story
    };
    sound(denied);
    catches("at_least_once", Mutant::RefusedQos2IdKept, denied);
}

#[test]
fn acknowledgements_make_room() {
    let story = told_in_5(
        "client p {clean}
         client s {clean} receive_maximum=1
         s > SUBSCRIBE a/b qos=1
         s settle
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH a/b \"2\" qos=1
         p settle",
    );
    sound(&story);
    catches("at_least_once", Mutant::QuotaNotReturned, &story);
}

#[test]
fn replacing_a_subscription_loses_nothing() {
    let waiting = told(
        "client p {clean}
         client s {clean} acks=manual
         p > SUBSCRIBE a/b qos=1
         s > SUBSCRIBE a/b qos=1
         p settle
         s settle
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH a/b \"2\" qos=1
         p > PUBLISH a/b \"3\" qos=1
         p settle
         wait 1 s
         s > SUBSCRIBE a/b qos=1
         s settle
         s acknowledge
         wait 1 s
         s acknowledge
         wait 1 s
         s acknowledge",
    );
    let narrow = |version| {
        let mut story = waiting(version);
        story.policy.max_inflight = 1;
        story
    };
    sound(narrow);
    catches("at_least_once", Mutant::ResubscribeDropsQueue, narrow);
}

#[test]
fn the_message_that_removes_a_retained_one_is_delivered() {
    let story = told(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a/b qos=1
         s settle
         p > PUBLISH a/b \"1\" qos=1 retain=1
         p > PUBLISH a/b \"\" qos=1 retain=1
         p settle",
    );
    sound(&story);
    catches("at_least_once", Mutant::EmptyRetainedNotDelivered, &story);
}

#[test]
fn no_message_comes_twice() {
    let story = told(
        "client p {stays}
         client s {clean}
         s > SUBSCRIBE a/b qos=2
         s settle
         p > PUBLISH a/b \"1\" qos=2
         p settle
         wait 1 s
         p > PUBLISH a/b \"2\" qos=2
         p cut
         wait 1 s
         p connect {stays}
         p settle",
    );
    sound(&story);
    for mutant in [Mutant::Qos2DeliveredTwice, Mutant::Qos2ReceiptLostOnResume] {
        catches("exactly_once", mutant, &story);
    }
    let repeated = told(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a/b qos=2
         s settle
         p > PUBLISH a/b \"1\" qos=2 id=7
         p > PUBLISH a/b \"1\" qos=2 id=7 dup=1
         p settle",
    );
    sound(&repeated);
    catches("exactly_once", Mutant::Qos2DuplicateDelivered, &repeated);
}

#[test]
fn a_replaced_subscription_is_gone() {
    let story = told(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a/b qos=1
         s settle
         s > SUBSCRIBE a/b qos=1
         s settle
         p > PUBLISH a/b \"1\" qos=0
         p > PUBLISH a/b \"2\" qos=1
         p settle",
    );
    sound(&story);
    catches("exactly_once", Mutant::ResubscribeAdds, &story);
}

#[test]
fn nothing_comes_without_a_subscription() {
    for (filter, topic, mutant) in [
        ("a/+", "a/b/c", Mutant::PlusSpansLevels),
        ("#", "$own/a", Mutant::HashMatchesDollar),
        ("+/a", "$own/a", Mutant::PlusMatchesDollar),
        ("a/b", "A/b", Mutant::TopicsCaseFolded),
        ("a/b", "a/b/", Mutant::SlashesNormalised),
    ] {
        let text = format!(
            "client p {{clean}}
             client s {{clean}}
             s > SUBSCRIBE \"{filter}\" qos=1
             s settle
             p > PUBLISH \"{topic}\" \"1\" qos=1
             p settle"
        );
        let story = told(text.leak());
        sound(&story);
        catches("subscribed", mutant, &story);
    }
}

#[test]
fn what_is_refused_or_unsubscribed_counts_no_more() {
    let text = told(
        "client p {clean}
         client s {clean}
         s > SUBSCRIBE a/b qos=1 denied qos=1 x qos=1 y qos=1
         s settle
         s > UNSUBSCRIBE a/b
         s > UNSUBSCRIBE x y
         s settle
         p > PUBLISH a/b \"1\" qos=1
         p > PUBLISH x \"2\" qos=1
         p > PUBLISH y \"3\" qos=1
         p > PUBLISH denied \"4\" qos=1
         p settle",
    );
    let story = |version| {
        let mut story = text(version);
        story.policy.deny_subscribe = vec!["denied".into()];
        story
    };
    sound(story);
    for mutant in
        [Mutant::RefusedFilterSubscribed, Mutant::UnsubscribeIgnored, Mutant::UnsubscribeOnlyFirstFilter]
    {
        catches("subscribed", mutant, story);
    }
}

#[test]
fn what_is_delivered_was_published() {
    let story = told(
        "client p {clean}
         client s {clean}
         client lamp {clean} will=w \"gone\" will_qos=1
         s > SUBSCRIBE \"#\" qos=1
         s settle
         p > PUBLISH a/b \"one\\x00two\" qos=1
         p > PUBLISH \"\\u{feff}a\" \"mark\" qos=1
         p settle
         lamp cut",
    );
    sound(&story);
    for mutant in [
        Mutant::TopicAltered,
        Mutant::PayloadCutAtNul,
        Mutant::ByteOrderMarkStripped,
        Mutant::WillPayloadEmpty,
    ] {
        catches("published", mutant, &story);
    }
}

#[test]
fn what_must_be_refused_is_not_passed_on() {
    // PUBLISH a/# "wild".
    let story = |version| {
        let bytes = match version {
            Version::V5 => "30 0a 00 03 61 2f 23 00 77 69 6c 64",
            _ => "30 09 00 03 61 2f 23 77 69 6c 64",
        };
        let text = format!(
            "client p {{clean}}
             client s {{clean}}
             s > SUBSCRIBE \"#\" qos=1
             s settle
             p > raw {bytes}"
        );
        told(text.leak())(version)
    };
    sound(story);
    catches("published", Mutant::WildcardTopicDelivered, story);
    let early = |version| {
        let bytes = match version {
            Version::V5 => "30 09 00 01 61 00 65 61 72 6c 79",
            _ => "30 08 00 01 61 65 61 72 6c 79",
        };
        let text = format!(
            "client s {{clean}}
             client p {{clean}}
             s > SUBSCRIBE \"#\" qos=1
             s settle
             p open
             wait 1 s
             p > raw {bytes}"
        );
        told(text.leak())(version)
    };
    sound(early);
    catches("published", Mutant::PublishBeforeConnectDistributed, early);
}

#[test]
fn bad_filters_are_not_granted() {
    for (offence, mutant) in [
        ("a#", Mutant::BadFilterGranted),
        ("a+/b", Mutant::BadFilterGranted),
        ("", Mutant::EmptyFilterGranted),
        ("$share/g", Mutant::BadShareFilterGranted),
        ("$share//t", Mutant::BadShareFilterGranted),
        ("$share/+/t", Mutant::BadShareFilterGranted),
    ] {
        let story = |version| {
            // SUBSCRIBE t, and the other.
            let mut body = vec![0, 9];
            if version == Version::V5 {
                body.push(0);
            }
            for filter in ["t", offence] {
                body.extend_from_slice(&[0, filter.len() as u8]);
                body.extend_from_slice(filter.as_bytes());
                body.push(1);
            }
            let mut bytes = vec![0x82, body.len() as u8];
            bytes.extend(body);
            let mut story = Story::new(version);
            let a = story.client("a");
            story.raw(a, &bytes).patience();
            story
        };
        sound(story);
        catches("filter_granted", mutant, story);
    }
}

#[test]
fn unsubscribing_breaks_nothing_off() {
    let story = told(
        "client p {clean}
         client s {clean} acks=manual
         s > SUBSCRIBE a/b qos=2
         s settle
         p > PUBLISH a/b \"1\" qos=2
         p settle
         wait 1 s
         s > UNSUBSCRIBE a/b
         s settle
         s acknowledge
         wait 1 s
         s acknowledge",
    );
    sound(&story);
    catches("unsubscribe", Mutant::UnsubscribeAbortsDelivery, &story);
}

#[test]
fn a_stream_keeps_its_order_whatever_holds_it_up() {
    for unread_first in [false, true] {
        sound(|version| {
            let mut story = Story::new(version);
            let p = story.client("p");
            let s = story.client("s");
            story.subscribe(s, "t", Qos::AtLeastOnce).fault(s, Fault::Stall);
            story.publish(p, "t", "1", Qos::AtLeastOnce).settle(p).wait(1.0).fault(s, Fault::Hold);
            story.publish(p, "t", "2", Qos::AtLeastOnce).settle(p).wait(1.0);
            let (first, then) = if unread_first {
                (Fault::Unstall, Fault::Release)
            } else {
                (Fault::Release, Fault::Unstall)
            };
            story.fault(s, first).fault(s, then).patience();
            story
        });
    }
}
