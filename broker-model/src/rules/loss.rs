//! Which statement a lost message breaks: every one that is lost breaks [3.1.1/MQTT-4.5.0-1] [5.0/MQTT-4.5.0-1]; if
//! the situation points to one reason and to no other, the statement that names it.

use super::Cites;
use super::doubt::came;
use super::ledger::{
    Attempt, Connection, ConnectionNo, Inbound, Ledger, Message, MessageNo, SessionNo, Subscription,
};
use core::time::Duration;
use mqtt_assay_codec::{Qos, Version, topic};

const LOST: Cites = Cites { v3_1_1: &["MQTT-4.5.0-1"], v5: &["MQTT-4.5.0-1"] };
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

/// A message that did not reach a session by a subscription that it had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub(super) session: SessionNo,
    pub(super) message: MessageNo,
    pub(super) subscription: usize,
    /// The connection on which the client was when the Server took the message on; `None`: it was away.
    pub(super) there: Option<ConnectionNo>,
}

/// The statement that the Server breaks, and the version in which it stands.
pub(super) fn cites(ledger: &Ledger, lost: Lost) -> (Cites, Version) {
    let (session, message) = (&ledger[lost.session], &ledger[lost.message]);
    let wanted = &session.subscriptions[lost.subscription];
    if let Some((cites, version)) = taken_for_repetition(ledger, lost.message) {
        return (cites, version);
    }
    let version = ledger.version_of(lost.session);
    if message.retain && message.payload.is_empty() {
        return (EMPTY_RETAINED, version);
    }
    let otherwise = if lost.there == Some(ledger.last_connection(lost.session)) { LOST } else { AWAY };
    // The message may have waited for an acknowledgement when its subscription was replaced.
    let passed = message.passed_on().unwrap_or_default();
    let waited = |new: &Subscription| {
        let open = |inbound: &Inbound| {
            ledger[inbound.first].at < new.asked && inbound.ended.is_none_or(|(_, at)| at > new.asked)
        };
        let blocked = session.inbound.values().any(open);
        new.asked > passed && lost.there == Some(new.on) && blocked
    };
    let mut new = session.subscriptions.iter().filter(|new| new.replaces == Some(lost.subscription));
    if new.any(waited) {
        return (REPLACED, version);
    }
    (subscription_lost(ledger, lost.session, wanted).unwrap_or(otherwise), version)
}

/// The publisher has used a Packet Identifier again, and the Server seems to have taken the message for a repetition:
/// nothing has come of what was sent in this way.
fn taken_for_repetition(ledger: &Ledger, number: MessageNo) -> Option<(Cites, Version)> {
    let cites = used_again(ledger, number)?;
    let mut same = ledger.messages().filter(|(no, _)| used_again(ledger, *no) == Some(cites));
    let version = ledger[ledger[number].attempts.last()?.connection].version;
    same.all(|(_, message)| message.seen.is_none()).then_some((cites, version))
}

/// In which way a message uses the Packet Identifier of an earlier one of the same session.
fn used_again(ledger: &Ledger, number: MessageNo) -> Option<Cites> {
    let message = &ledger[number];
    let last = message.attempts.last()?;
    let session = ledger[last.connection].session?;
    let same =
        |attempt: &Attempt| attempt.id == last.id && ledger[attempt.connection].session == Some(session);
    let before = (0..number.0).rev().map(|no| &ledger[MessageNo(no)]);
    let mut before = before.filter(|before| before.qos > Qos::AtMostOnce && before.attempts.iter().any(same));
    let before = before.next()?;
    match message.qos {
        Qos::AtLeastOnce if last.dup => Some(USED_AGAIN_AT_QOS_1),
        Qos::ExactlyOnce if before.refused => Some(USED_AGAIN_AFTER_REFUSAL),
        Qos::ExactlyOnce if before.completed.is_some() => Some(USED_AGAIN_AT_QOS_2),
        _ => None,
    }
}

/// What has become of the subscription, if it seems lost: since some time two messages or more were due by it, and
/// none of them has come.
fn subscription_lost(ledger: &Ledger, session: SessionNo, wanted: &Subscription) -> Option<Cites> {
    let (made, _) = wanted.granted?;
    let last = last_by(ledger, session, wanted);
    let since = last.unwrap_or(made).max(made);
    let mut due = due_by(ledger, session, wanted, since);
    let (first, second) = (due.next()?, due.next()?);
    let state = &ledger[session];
    // Perhaps it is the client's own messages that do not come.
    if [first, second].into_iter().chain(due).all(|message| message.publisher == state.client_id) {
        return None;
    }
    let sent = first.possible?;
    let between = |at: Duration| at > since && at < sent;
    let mut reasons = Vec::new();
    if last.is_none() && wanted.place > 0 {
        reasons.push(LATER_FILTER);
    }
    if !seen_to_match(ledger, wanted, &first.topic) {
        reasons.push(WILDCARD);
    }
    if state.unsubscribes.iter().any(|(at, filter)| between(*at) && takes_in(filter, wanted)) {
        reasons.push(UNSUBSCRIBED_ANOTHER);
    }
    let there = |no: &&ConnectionNo| ledger[**no].answered.is_some_and(|answered| answered.at < sent);
    let no = *state.connections.iter().rev().find(there)?;
    let connection: &Connection = &ledger[no];
    let resumed = connection.answered.is_some_and(|answered| answered.at > since);
    if no != wanted.on && resumed && connection.ended.is_none_or(|end| end.at > sent) {
        reasons.push(RESUMED);
    }
    if connection.pongs.iter().any(|pong| between(*pong)) {
        reasons.push(CONNECTED);
    }
    match reasons.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// The messages that were due by a subscription since some time and have not come.
fn due_by<'a>(
    ledger: &'a Ledger,
    session: SessionNo,
    wanted: &'a Subscription,
    since: Duration,
) -> impl Iterator<Item = &'a Message> {
    let granted = wanted.granted.is_some_and(|(_, qos)| qos > Qos::AtMostOnce);
    ledger.messages().filter_map(move |(no, message)| {
        let (sent, passed) = (message.possible?, message.passed_on()?);
        let own = wanted.options.no_local && message.publisher == ledger[session].client_id;
        let due = granted
            && sent > since
            && !own
            && !message.refused
            && !message.ambiguous
            && wanted.certainly(sent, passed)
            && wanted.matches(&message.topic);
        (due && !came(ledger, session, no, sent)).then_some(message)
    })
}

/// Whether an UNSUBSCRIBE of this filter might be taken to mean a subscription with another.
fn takes_in(filter: &str, wanted: &Subscription) -> bool {
    *filter != *wanted.filter && (topic::matches(filter, &wanted.filter) || *filter == *wanted.matches)
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

/// Whether something has come by a filter that matches in the way in which this one matches the topic.
fn seen_to_match(ledger: &Ledger, wanted: &Subscription, name: &str) -> bool {
    let kind = Match::of(&wanted.matches, name);
    kind == Match::Exact
        || ledger.deliveries().any(|(_, delivery)| {
            let subscriptions = &ledger[delivery.session].subscriptions;
            let matching = subscriptions.iter().filter(|other| other.matches(&delivery.topic));
            let mut kinds = matching.map(|other| Match::of(&other.matches, &delivery.topic)).peekable();
            kinds.peek().is_some() && kinds.all(|found| found == kind)
        })
}
