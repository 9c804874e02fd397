//! Shared Subscriptions, 5.0.

use super::support::*;
use super::told::told_in_5;
use mqtt_assay_broker_model::Mutant;

#[test]
fn each_message_goes_to_one_member() {
    let story = told_in_5(
        "client p {clean}
         client a {clean}
         client b {clean}
         a > SUBSCRIBE $share/g/t qos=1
         b > SUBSCRIBE $share/g/t qos=0
         a settle
         b settle
         p > PUBLISH t \"1\" qos=1
         p > PUBLISH t \"2\" qos=1
         p settle",
    );
    sound(&story);
    catches("shared_once", Mutant::SharedDeliveredToAll, &story);
    catches("qos", Mutant::SharedAtQosOfFirstMember, &story);
}

#[test]
fn a_started_qos_2_delivery_stays_with_its_client() {
    let begun = "
         client p {clean}
         client a {expiry} acks=manual
         client b {clean}
         a > SUBSCRIBE $share/g/t qos=2
         a settle
         p > PUBLISH t \"1\" qos=2
         p settle
         wait 1 s
         b > SUBSCRIBE $share/g/t qos=2
         b settle
         a cut
         wait 1 s";
    for (expiry, mutant) in [
        ("clean_start=1 session_expiry_interval=60", Mutant::SharedQos2MovedOnDisconnect),
        ("clean_start=1", Mutant::SharedQos2MovedOnSessionEnd),
    ] {
        let story = told_in_5(begun.replace("{expiry}", expiry).leak());
        sound(&story);
        catches("shared_once", mutant, &story);
    }
}

#[test]
fn what_a_member_refuses_is_nobody_elses() {
    let story = told_in_5(
        "client p {clean}
         client a {clean} acks=manual
         client b {clean}
         a > SUBSCRIBE $share/g/t qos=1
         a settle
         p > PUBLISH t \"1\" qos=1
         p settle
         wait 1 s
         b > SUBSCRIBE $share/g/t qos=1
         b settle
         a acknowledge 0x83
         wait 1 s",
    );
    sound(&story);
    catches("shared_once", Mutant::SharedRefusalMoved, &story);
}

#[test]
fn a_member_is_reached() {
    let left = told_in_5(
        "client p {clean}
         client a {clean}
         client b {clean}
         a > SUBSCRIBE $share/g/t qos=1
         a settle
         b > SUBSCRIBE $share/g/t qos=1
         b settle
         a > UNSUBSCRIBE $share/g/t
         a settle
         p > PUBLISH t \"1\" qos=1
         p settle",
    );
    sound(&left);
    catches("shared_reached", Mutant::SharedLostWhenFirstLeaves, &left);
    let groups = told_in_5(
        "client p {clean}
         client a {clean}
         client b {clean}
         a > SUBSCRIBE $share/g/t qos=1
         b > SUBSCRIBE $share/h/t qos=1
         a settle
         b settle
         p > PUBLISH t \"1\" qos=1
         p settle",
    );
    sound(&groups);
    catches("shared_reached", Mutant::SharedGroupsMerged, &groups);
    let filter = told_in_5(
        "client p {clean}
         client a {clean}
         a > SUBSCRIBE $share/g/t qos=1
         a settle
         a > UNSUBSCRIBE t
         a settle
         p > PUBLISH t \"1\" qos=1
         p settle",
    );
    sound(&filter);
    catches("shared_reached", Mutant::SharedUnsubscribeByFilter, &filter);
}

#[test]
fn who_joins_twice_leaves_once() {
    let story = told_in_5(
        "client p {clean}
         client a {clean}
         a > SUBSCRIBE $share/g/t qos=1
         a settle
         a > SUBSCRIBE $share/g/t qos=1
         a settle
         a > UNSUBSCRIBE $share/g/t
         a settle
         p > PUBLISH t \"1\" qos=1
         p settle",
    );
    sound(&story);
    catches("subscribed", Mutant::SharedJoinedTwice, &story);
}
