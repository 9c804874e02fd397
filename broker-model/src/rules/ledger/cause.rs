//! What may have caused a delivery: the subscriptions that explain it.

use super::{Delivery, Ledger, MessageNo, Subscription};
use core::time::Duration;

/// A subscription that may have caused the present delivery: it was asked for before, not refused, its filter
/// matches, and it was not over before the message was sent, or the message may have been retained for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cause {
    /// Its place among the session's.
    pub subscription: usize,
    /// It may have been in force when the Server passed the message on.
    pub live: bool,
    /// It is shared, and the message may have been given to it when another member was lost. [5.0 §4.8.2]
    pub moved: bool,
    /// The message may have been the retained message of its topic when the subscription was made.
    pub retained: bool,
}

impl Ledger {
    /// What may have caused the present delivery, if it begins an exchange with a message that is known.
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// The messages of the same topic and payload as this one, itself among them.
    pub fn same_as(&self, no: MessageNo) -> impl Iterator<Item = MessageNo> {
        let message = &self[no];
        let same = message.ambiguous.then(|| self.by_mark.get(&Self::mark(&message.topic, &message.payload)));
        let same = same.flatten().map_or(&[][..], Vec::as_slice);
        let others = same.iter().copied().filter(move |other| {
            *other != no && self[*other].topic == message.topic && self[*other].payload == message.payload
        });
        core::iter::once(no).chain(others)
    }

    /// Whether the session of a delivery can get the message only once: one subscription explains it, and it was
    /// published once.
    pub fn is_only_copy(&self, delivery: &Delivery) -> bool {
        let Some(message) = delivery.message else { return false };
        let causes =
            self[delivery.session].subscriptions.iter().enumerate().filter(|(place, subscription)| {
                subscription.asked <= delivery.at
                    && subscription.refused.is_none()
                    && subscription.matches(&delivery.topic)
                    && self.cause(*place, subscription, delivery, message).is_some()
            });
        let clear = self[delivery.session].is_clear();
        clear && !self[message].ambiguous && self[message].attempts.len() <= 1 && causes.count() == 1
    }

    pub(super) fn find_causes(&mut self, delivery: &Delivery) {
        let mut causes = core::mem::take(&mut self.causes);
        causes.clear();
        if let Some(message) = delivery.message {
            for (place, subscription) in self[delivery.session].subscriptions.iter().enumerate() {
                if subscription.asked > delivery.at || subscription.refused.is_some() {
                    continue;
                }
                if let Some(cause) = self.cause(place, subscription, delivery, message)
                    && subscription.matches(&delivery.topic)
                {
                    causes.push(cause);
                }
            }
        }
        self.causes = causes;
    }

    fn cause(
        &self,
        place: usize,
        subscription: &Subscription,
        delivery: &Delivery,
        message: MessageNo,
    ) -> Option<Cause> {
        let mut cause = Cause { subscription: place, live: false, moved: false, retained: false };
        let mut alive = false;
        let mut of = |message: MessageNo| {
            let Some(sent) = self[message].possible.filter(|sent| *sent <= delivery.at) else { return };
            alive |= subscription.ended.is_none_or(|at| at >= sent);
            let passed = self[message].done().map_or(delivery.at, |at| at.min(delivery.at));
            cause.live |= subscription.possibly(sent, passed);
            cause.moved |= subscription.shared && subscription.possibly(sent, delivery.at);
            cause.retained |= !subscription.shared
                && self.may_be_retained(message, subscription.asked, subscription.made(delivery.at));
        };
        if self[message].ambiguous {
            self.same_as(message).for_each(of);
        } else {
            of(message);
        }
        (alive || cause.retained).then_some(cause)
    }

    /// Whether a message may have been the retained message of its topic at some moment from `from` to `to`.
    pub fn may_be_retained(&self, no: MessageNo, from: Duration, to: Duration) -> bool {
        let message = &self[no];
        let stored = message.retain && !message.payload.is_empty() && !message.refused;
        stored && message.possible.is_some_and(|at| at <= to) && self.superseded(no, from).is_none()
    }

    /// The message that has taken the place of this one, as the retained message of its topic, for certain before
    /// `at`. The last, if there are several.
    pub fn superseded(&self, no: MessageNo, at: Duration) -> Option<MessageNo> {
        let message = &self[no];
        let forgotten = self.forgotten.unwrap_or_default();
        self.retained(&message.topic).iter().copied().rev().find(|&other| {
            let done = self[other].processed().filter(|done| *done <= at && *done >= forgotten);
            other != no
                && !self[other].refused
                && !self[other].ambiguous
                && done.is_some()
                && self.follows(other, no)
                && self.is_sound(other)
        })
    }

    /// Whether the Server has certainly processed a message after another.
    pub fn follows(&self, later: MessageNo, earlier: MessageNo) -> bool {
        let (later, earlier) = (&self[later], &self[earlier]);
        let Some(sent) = later.possible else { return false };
        if earlier.done().is_some_and(|done| done <= sent) {
            return true;
        }
        // What one connection carries is taken in in order; a QoS 2 message may wait for its PUBREL.
        match (later.attempts.as_slice(), earlier.attempts.as_slice()) {
            ([first, ..], [only]) => {
                earlier.qos < mqtt_assay_codec::Qos::ExactlyOnce
                    && first.connection == only.connection
                    && first.at > only.at
            }
            _ => false,
        }
    }
}
