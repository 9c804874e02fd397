//! What keeps a rule from naming the statement that is broken: something else may be the reason.

use super::ledger::{Delivery, Ledger, Message, MessageNo, SessionNo};
use core::time::Duration;
use mqtt_assay_codec::topic;

/// Why what is wrong with a delivery may be wrong for another reason than a rule's own: not all is known of the
/// session, or a subscription may be served that must not be.
pub(super) fn doubt(ledger: &Ledger, delivery: &Delivery) -> Option<&'static str> {
    let session = &ledger[delivery.session];
    if !ledger.is_clear(delivery.session) {
        return Some("not all is known of the session's subscriptions");
    }
    let list = &session.subscriptions;
    if list.iter().any(|old| old.unsubscribed.is_some() && old.matches(&delivery.topic)) {
        return Some("a subscription that was unsubscribed may still be served");
    }
    let near = |filter: &str| nearly_matches(filter, &delivery.topic);
    list.iter().any(|other| near(&other.matches)).then_some("a filter may be served that does not match")
}

/// Whether a careless Server might take a filter to match a topic that it does not match.
pub(super) fn nearly_matches(filter: &str, name: &str) -> bool {
    !topic::matches(filter, name)
        && (ignores_dollar(filter, name) || normalises(filter, name) || spans(filter, name))
}

/// Whether only the `$` at the front keeps them apart.
pub(super) fn ignores_dollar(filter: &str, name: &str) -> bool {
    name.strip_prefix('$').is_some_and(|rest| topic::matches(filter, &format!("x{rest}")))
}

/// Whether they match when case does not count, or empty levels do not, or dots separate levels.
pub(super) fn normalises(filter: &str, name: &str) -> bool {
    let filled = |text: &str| text.split('/').filter(|level| !level.is_empty()).collect::<Vec<_>>().join("/");
    let dotless = |text: &str| text.replace('.', "/");
    topic::matches(&filter.to_lowercase(), &name.to_lowercase())
        || topic::matches(&filled(filter), &filled(name))
        || topic::matches(&dotless(filter), &dotless(name))
}

/// Whether they match when `+` stands for several levels.
pub(super) fn spans(filter: &str, name: &str) -> bool {
    fn rest(filter: &[&str], name: &[&str]) -> bool {
        match filter.split_first() {
            None => name.is_empty(),
            Some((&"#", _)) => true,
            Some((&"+", filter)) => (1..=name.len()).any(|levels| rest(filter, &name[levels..])),
            Some((level, filter)) => {
                name.split_first().is_some_and(|(own, name)| own == level && rest(filter, name))
            }
        }
    }
    let (filter, name): (Vec<_>, Vec<_>) = (filter.split('/').collect(), name.split('/').collect());
    filter.len() <= 8 && name.len() <= 16 && rest(&filter, &name)
}

/// Whether a delivery hands a message over, be it distorted: that is another rule's.
pub(super) fn hands_over(delivery: &Delivery, number: MessageNo, message: &Message) -> bool {
    match (&delivery.stranger, delivery.message) {
        (Some(payload), _) => {
            !payload.is_empty() && *payload == message.payload
                || delivery.topic == message.topic && message.payload.starts_with(payload)
        }
        (None, found) => found == Some(number),
    }
}

/// Whether a message has come to a session since `since`, be it distorted.
pub(super) fn came(ledger: &Ledger, session: SessionNo, number: MessageNo, since: Duration) -> bool {
    let message = &ledger[number];
    ledger
        .deliveries()
        .skip(ledger.deliveries_before(since))
        .any(|(_, delivery)| delivery.session == session && hands_over(delivery, number, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_nearly_matches() {
        for (filter, name, expected) in [
            ("a/b", "A/b", true),
            ("a/b", "a//b", true),
            ("+/b", "a/c/b", true),
            ("#", "$own/a", true),
            ("+/a", "$own/a", true),
            ("a/+", "a/b", false),
            ("a/b", "x", false),
            ("a/#", "b/a", false),
        ] {
            assert_eq!(nearly_matches(filter, name), expected, "{filter} {name}");
        }
    }
}
