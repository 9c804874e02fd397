//! Nothing is delivered without a subscription that matches it. [3.1.1/MQTT-3.3.2-3] [5.0/MQTT-3.3.2-3]
//! A wildcard at the front matches no topic that begins with `$` [3.1.1/MQTT-4.7.2-1] [5.0/MQTT-4.7.2-1]; topics are
//! compared as they are [3.1.1/MQTT-4.7.3-4] [5.0/MQTT-4.7.3-4]; a filter that was refused [3.1.1/MQTT-3.8.4-5]
//! [5.0/MQTT-3.8.4-7] or unsubscribed [3.1.1/MQTT-3.10.4-2] [3.1.1/MQTT-3.10.4-6] [5.0/MQTT-3.10.4-2]
//! [5.0/MQTT-3.10.4-6] [5.0/U5-SHR-5] counts no more, nor one of a session that is over [3.1.1/MQTT-3.1.2-6]
//! [5.0/MQTT-3.1.2-4] [5.0/MQTT-4.1.0-2].
//!
//! Frees     what was sent while the subscription may have been in force, however late it comes
//!           [3.1.1 §3.10.4] [5.0 §3.10.4]; requests without an answer, which may have been granted.
//! Unknown   in sessions that began before the history, or of which a crash has left an unknown part; in 3.1.1, where
//!           the filter looks like a Shared Subscription.

use super::doubt::{ignores_dollar, nearly_matches, normalises, spans};
use super::ledger::{Ledger, Session, SessionNo, Subscription, Turn};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{Version, topic};

const UNMATCHED: Cites = Cites { v3_1_1: &["MQTT-3.3.2-3"], v5: &["MQTT-3.3.2-3"] };
const DOLLAR: Cites = Cites { v3_1_1: &["MQTT-4.7.2-1"], v5: &["MQTT-4.7.2-1"] };
const NORMALISED: Cites = Cites { v3_1_1: &["MQTT-4.7.3-4"], v5: &["MQTT-4.7.3-4"] };
const REFUSED: Cites = Cites { v3_1_1: &["MQTT-3.8.4-5"], v5: &["MQTT-3.8.4-7"] };
const UNSUBSCRIBED: Cites = Cites { v3_1_1: &["MQTT-3.10.4-2"], v5: &["MQTT-3.10.4-2"] };
const UNSUBSCRIBED_WITH_OTHERS: Cites = Cites { v3_1_1: &["MQTT-3.10.4-6"], v5: &["MQTT-3.10.4-6"] };
const LEFT_SHARE: Cites = Cites { v3_1_1: &[], v5: &["U5-SHR-5"] };
const CLEAN: Cites = Cites { v3_1_1: &["MQTT-3.1.2-6"], v5: &["MQTT-3.1.2-4"] };
const EXPIRED: Cites = Cites { v3_1_1: &["MQTT-3.1.2-6"], v5: &["MQTT-4.1.0-2"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Subscribed {
    /// A filter was served that was unsubscribed first, or alone, in its packet: it is not for the others in it.
    first_ignored: bool,
}

impl Rule for Subscribed {
    fn name(&self) -> &'static str {
        "subscribed"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        let Fact::Delivered(_, no) = seen.fact else { return };
        let delivery = &ledger[no];
        if delivery.message.is_none() {
            return;
        }
        if !ledger.causes().is_empty() {
            return found.decided();
        }
        if matches!(delivery.turn, Turn::Again(_)) {
            return;
        }
        if !ledger.is_clear(delivery.session) {
            return found.unknown("nobody knows all subscriptions of the session");
        }
        if is_share_of_old(ledger, delivery.session, &delivery.topic) {
            return found.unknown("3.1.1 leaves to the Server what a filter that begins with $ is for");
        }
        let (mut cites, why) = reason(ledger, delivery.session, &delivery.topic);
        self.first_ignored |= cites == UNSUBSCRIBED;
        if self.first_ignored && cites == UNSUBSCRIBED_WITH_OTHERS {
            cites = UNSUBSCRIBED;
        }
        found.accuse(
            cites,
            ledger.version_of(delivery.session),
            "no PUBLISH but what a subscription of the session matches",
            format!("PUBLISH {} to {}: {why}", delivery.topic, ledger[delivery.session].client_id),
        );
    }
}

/// Whether a Server that has Shared Subscriptions in 3.1.1, too, sends it for one. [3.1.1 §4.7.2]
fn is_share_of_old(ledger: &Ledger, no: SessionNo, topic: &str) -> bool {
    let shared = |subscription: &Subscription| {
        let shared = subscription.filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        shared.is_some_and(|(_, filter)| topic::matches(filter, topic))
    };
    ledger.version_of(no) != Version::V5 && ledger[no].subscriptions.iter().any(shared)
}

/// What might have led the Server to send it.
fn reason(ledger: &Ledger, no: SessionNo, topic: &str) -> (Cites, &'static str) {
    let session = &ledger[no];
    let any = |matches: &dyn Fn(&str) -> bool| {
        let live =
            |subscription: &&Subscription| subscription.refused.is_none() && subscription.ended.is_none();
        session.subscriptions.iter().filter(live).any(|subscription| matches(&subscription.matches))
    };
    let near = any(&|filter| nearly_matches(filter, topic));
    let over = session.subscriptions.iter().filter(|subscription| {
        subscription.matches(topic) && (subscription.refused.is_some() || subscription.ended.is_some())
    });
    // Which of several it is, nobody knows: one that was treated in an unusual way is the likeliest.
    let latest = over.max_by_key(|subscription| subscription.unsubscribed);
    if let Some(subscription) = latest.filter(|_| !near) {
        return match subscription.unsubscribed {
            _ if subscription.refused.is_some() => (REFUSED, "the filter was refused"),
            Some(_) if subscription.shared && subscription.replaces.is_some() => {
                (LEFT_SHARE, "it was subscribed again, and unsubscribed once")
            }
            Some(place) if place > 0 => {
                (UNSUBSCRIBED_WITH_OTHERS, "it was unsubscribed behind others in one packet")
            }
            _ => (UNSUBSCRIBED, "it was unsubscribed before"),
        };
    }
    let earlier = |(place, other): &(SessionNo, &Session)| {
        *place < no && other.client_id == session.client_id && {
            other.subscriptions.iter().any(|old| old.matches(topic) && old.refused.is_none())
        }
    };
    let earlier = ledger.sessions().any(|other| earlier(&other));
    if !near && earlier {
        let first = session.connections.first().and_then(|no| ledger[*no].asked.as_ref());
        let clean = first.is_some_and(|asked| asked.clean_start);
        let cites = if clean { CLEAN } else { EXPIRED };
        return (cites, "it was subscribed in an earlier session");
    }
    // Where several things explain it, only the one is certain that no filter matches.
    if any(&|filter| ignores_dollar(filter, topic)) && latest.is_none() && !earlier {
        return (DOLLAR, "a leading wildcard does not match it");
    }
    let normalised = any(&|filter| normalises(filter, topic));
    if normalised && !any(&|filter| spans(filter, topic)) && latest.is_none() && !earlier {
        return (NORMALISED, "a filter matches it only if both are normalised");
    }
    (UNMATCHED, "no filter matches it")
}
