//! Which statement a lost message breaks: the one that its situation points to.

use super::Cites;
use super::ledger::{Ledger, Message, MessageNo, SessionNo, Subscription};
use core::time::Duration;
use mqtt_assay_codec::{Qos, Version, topic};

const HERE: Cites = Cites { v3_1_1: &["MQTT-4.5.0-1"], v5: &["MQTT-4.5.0-1"] };
const AWAY: Cites = Cites { v3_1_1: &["MQTT-3.1.2-5", "MQTT-4.5.0-1"], v5: &["MQTT-4.5.0-1"] };
const EMPTY_RETAINED: Cites =
    Cites { v3_1_1: &["MQTT-3.3.1-10", "MQTT-4.5.0-1"], v5: &["MQTT-3.3.1-6", "MQTT-4.5.0-1"] };
const USED_AGAIN_AT_QOS_1: Cites = Cites { v3_1_1: &["MQTT-4.3.2-2"], v5: &["MQTT-4.3.2-5"] };
const USED_AGAIN_AT_QOS_2: Cites = Cites { v3_1_1: &["MQTT-4.3.3-2"], v5: &["MQTT-4.3.3-12"] };
const USED_AGAIN_AFTER_REFUSAL: Cites = Cites { v3_1_1: &[], v5: &["MQTT-4.3.3-9"] };
const WILDCARD: Cites = Cites { v3_1_1: &["U3-TOP-1"], v5: &["U5-TOP-1"] };
const UNSUBSCRIBED_ANOTHER: Cites = Cites { v3_1_1: &["MQTT-3.10.4-1"], v5: &["MQTT-3.10.4-1"] };
const LATER_FILTER: Cites = Cites { v3_1_1: &["MQTT-3.8.4-4"], v5: &["MQTT-3.8.4-5"] };
const RESUMED: Cites = Cites { v3_1_1: &["MQTT-3.1.2-4"], v5: &["MQTT-3.1.2-5"] };
const REPLACED: Cites = Cites { v3_1_1: &["MQTT-3.8.4-3"], v5: &["MQTT-3.8.4-4"] };
const CONNECTED: Cites = Cites { v3_1_1: &["MQTT-4.1.0-1", "MQTT-4.1.0-2"], v5: &["MQTT-4.1.0-1"] };

/// The statement that the Server breaks if a message does not reach a session subscribed to it, and the version in
/// which it stands. `away`: the client was not there when the Server took the message on.
pub(super) fn cites(
    ledger: &Ledger,
    session: SessionNo,
    number: MessageNo,
    subscription: usize,
    away: bool,
) -> (Cites, Version) {
    let message = &ledger[number];
    if let Some(found) = publication(ledger, number) {
        return found;
    }
    let version = ledger.version_of(session);
    let found = if message.retain && message.payload.is_empty() {
        EMPTY_RETAINED
    } else if let Some(found) = subscription_lost(ledger, session, message, subscription) {
        found
    } else if away {
        AWAY
    } else {
        HERE
    };
    (found, version)
}

/// The publisher has used a Packet Identifier again, and the Server may have taken the message for a repetition.
fn publication(ledger: &Ledger, number: MessageNo) -> Option<(Cites, Version)> {
    let message = &ledger[number];
    let last = message.attempts.last()?;
    let version = ledger[last.connection].version;
    let session = ledger[last.connection].session?;
    let before = ledger.messages().take(number.0).map(|(_, before)| before).filter(|before| {
        let same = |attempt: &super::ledger::Attempt| {
            attempt.id == last.id && ledger[attempt.connection].session == Some(session)
        };
        before.qos > Qos::AtMostOnce && before.attempts.iter().any(same)
    });
    let before = before.last()?;
    let cites = match message.qos {
        Qos::AtLeastOnce if last.dup => USED_AGAIN_AT_QOS_1,
        Qos::ExactlyOnce if before.refused => USED_AGAIN_AFTER_REFUSAL,
        Qos::ExactlyOnce if before.completed.is_some() => USED_AGAIN_AT_QOS_2,
        _ => return None,
    };
    Some((cites, version))
}

/// What may have become of the subscription.
fn subscription_lost(
    ledger: &Ledger,
    session: SessionNo,
    message: &Message,
    subscription: usize,
) -> Option<Cites> {
    let state = &ledger[session];
    let wanted = &state.subscriptions[subscription];
    let sent = message.possible?;
    if let Some(cites) = wildcard(ledger, wanted, &message.topic) {
        return Some(cites);
    }
    let last = last_by(ledger, session, wanted);
    if last.is_none() && wanted.place > 0 {
        return Some(LATER_FILTER);
    }
    if last.is_some_and(|last| last > sent) {
        return None;
    }
    let (made, _) = wanted.granted?;
    let since = last.unwrap_or(made).max(made);
    if state
        .unsubscribes
        .iter()
        .any(|(at, filter)| *at > since && *at < sent && *filter != wanted.filter && takes_in(filter, wanted))
    {
        return Some(UNSUBSCRIBED_ANOTHER);
    }
    let replaced = state.subscriptions.iter().any(|new| new.replaces == Some(subscription));
    if replaced {
        return Some(REPLACED);
    }
    let there = state.connections.iter().rev().find(|no| {
        let connection = &ledger[**no];
        connection.answered.is_some_and(|answered| answered.at < sent)
    })?;
    let connection = &ledger[*there];
    let resumed = connection.answered.is_some_and(|answered| answered.at > since);
    if *there != wanted.on && resumed && connection.ended.is_none_or(|end| end.at > sent) {
        return Some(RESUMED);
    }
    connection.pongs.iter().any(|pong| *pong > since && *pong < sent).then_some(CONNECTED)
}

/// Whether an UNSUBSCRIBE of this filter might be taken to mean a subscription with another.
fn takes_in(filter: &str, wanted: &Subscription) -> bool {
    topic::matches(filter, &wanted.filter) || *filter == *wanted.matches
}

/// When a message that the subscription may have caused came last.
pub(super) fn last_by(ledger: &Ledger, session: SessionNo, wanted: &Subscription) -> Option<Duration> {
    let before = ledger.deliveries_before(wanted.asked);
    let since = ledger.deliveries().skip(before).map(|(_, delivery)| delivery);
    let by = since.filter(|delivery| delivery.session == session && wanted.matches(&delivery.topic));
    by.last().map(|delivery| delivery.at)
}

/// How a filter matches a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Match {
    Exact,
    /// `#` stands for nothing: the parent level.
    Parent,
    /// `+` stands for an empty level.
    EmptyLevel,
    Wild,
}

impl Match {
    fn of(filter: &str, name: &str) -> Match {
        if !topic::has_wildcard(filter) {
            return Match::Exact;
        }
        let (levels, names) = (filter.split('/'), name.split('/'));
        if filter.ends_with("/#") && levels.clone().count() == names.clone().count() + 1 {
            return Match::Parent;
        }
        if levels.zip(names).any(|(level, name)| level == "+" && name.is_empty()) {
            return Match::EmptyLevel;
        }
        Match::Wild
    }
}

/// Nothing has ever come by a wildcard like this one.
fn wildcard(ledger: &Ledger, wanted: &Subscription, name: &str) -> Option<Cites> {
    let kind = Match::of(&wanted.matches, name);
    if kind == Match::Exact {
        return None;
    }
    let seen = ledger.deliveries().any(|(_, delivery)| {
        let subscriptions = &ledger[delivery.session].subscriptions;
        let matching = subscriptions.iter().filter(|other| other.matches(&delivery.topic));
        let mut kinds = matching.map(|other| Match::of(&other.matches, &delivery.topic)).peekable();
        kinds.peek().is_some() && kinds.all(|found| found == kind)
    });
    (!seen).then_some(WILDCARD)
}
