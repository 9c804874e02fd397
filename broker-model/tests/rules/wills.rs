//! Wills.

use super::support::*;
use super::told::{told, told_in_5};
use mqtt_assay_broker_model::Mutant;

/// A lamp with a Will, and its end.
fn lamp(end: &str) -> String {
    format!(
        "client s {{clean}}
         client lamp {{clean}} keep_alive=2 will=w \"gone\" will_qos=1
         s > SUBSCRIBE w qos=1
         s settle
         lamp barrier
         {end}"
    )
}

#[test]
fn wills_are_published() {
    for (end, mutant) in [
        ("lamp cut", Mutant::WillLostOnConnectionLoss),
        ("lamp cut reset", Mutant::WillNeverPublished),
        ("lamp cut silently", Mutant::WillLostOnKeepAliveTimeout),
        ("lamp > raw 36 05 00 01 61 00 01", Mutant::WillLostOnProtocolError),
        ("lamp connect {clean}", Mutant::WillLostOnTakeover),
    ] {
        let story = told(lamp(&format!("{end}\nwait 12 s")).leak());
        sound(&story);
        catches("will_published", mutant, &story);
    }
    let reason = told_in_5(lamp("lamp > DISCONNECT 0x04").leak());
    sound(&reason);
    catches("will_published", Mutant::WillLostOnDisconnectWithReason, &reason);
    let raised = told_in_5(lamp("lamp > DISCONNECT 0x00 session_expiry_interval=10").leak());
    sound(&raised);
    catches("will_published", Mutant::SessionExpiryRaisedFromZero, &raised);
}

#[test]
fn a_will_does_not_outlast_its_session() {
    let story = told_in_5(
        "client s {clean}
         client lamp clean_start=1 session_expiry_interval=2 will=w \"gone\" will_qos=1 will_delay_interval=1000
         s > SUBSCRIBE w qos=1
         s settle
         lamp barrier
         lamp cut
         wait 12 s",
    );
    sound(&story);
    catches("will_published", Mutant::WillDelayNotCutBySessionEnd, &story);
}

#[test]
fn wills_are_withheld() {
    let story = told(
        "client s {clean}
         client lamp {clean} will=w \"gone\" will_qos=1
         s > SUBSCRIBE w qos=1
         s settle
         lamp > DISCONNECT",
    );
    sound(&story);
    catches("will_withheld", Mutant::WillPublishedOnNormalDisconnect, &story);
    let delayed = told_in_5(
        "client s {clean}
         client lamp {stays} will=w \"gone\" will_qos=1 will_delay_interval=20
         s > SUBSCRIBE w qos=1
         s settle
         lamp barrier
         lamp cut
         wait 1 s
         lamp connect {stays}
         wait 30 s",
    );
    sound(&delayed);
    catches("will_withheld", Mutant::WillDelayIgnored, &delayed);
    catches("will_withheld", Mutant::WillNotCancelledByResume, &delayed);
}

#[test]
fn a_will_is_published_once() {
    let story = told(
        "client s {clean}
         client lamp {stays} will=w \"gone\" will_qos=1
         s > SUBSCRIBE w qos=1
         s settle
         lamp cut
         wait 1 s
         lamp connect {stays}
         wait 1 s
         lamp cut",
    );
    sound(&story);
    catches("exactly_once", Mutant::WillPublishedTwice, &story);
    catches("exactly_once", Mutant::WillKeptForNextConnection, &story);
}
