//! Short sequences in which a rule of a theme decides: what single deeds would bring together too seldom.

use super::Author;
use super::theme::Theme;
use crate::history::How;
use crate::script::{Action, Connect, Send, Will};
use core::time::Duration;
use mqtt_assay_codec::{Property, PropertyList, Qos, ReasonCode, SubscriptionOptions, Version};

/// The theme to which an act belongs, and the act.
type Act = (Theme, fn(&mut Author, usize));

/// Those that stand here twice are to come twice as often: several things have to meet in them.
const ACTS: &[Act] = &[
    (Theme::Aliases, Author::use_an_old_alias),
    (Theme::Flow, Author::refuse_and_resume),
    (Theme::Flow, Author::use_an_identifier_again),
    (Theme::Shared, Author::refuse_a_share),
    (Theme::Shared, Author::leave_a_share),
    (Theme::Shared, Author::name_shares),
    (Theme::Shared, Author::refuse_a_share),
    (Theme::Shared, Author::leave_a_share),
    (Theme::Identity, Author::publish_behind_a_refused_connect),
    (Theme::Limits, Author::resume_with_a_full_window),
    (Theme::Limits, Author::send_too_much),
    (Theme::Will, Author::leave_a_will),
    (Theme::Will, Author::lose_a_will),
    (Theme::Errors, Author::say_auth),
    (Theme::Expiry, Author::finish_after_expiry),
    (Theme::Expiry, Author::expire_in_the_queue),
    (Theme::Options, Author::overlap_with_identifiers),
    (Theme::Retained, Author::retain_and_go),
    (Theme::Retained, Author::clear),
    (Theme::Session, Author::change_the_expiry),
];

impl Author {
    /// Plays an act of one of the themes, if there is one, with a client that is here.
    pub(super) fn act(&mut self, place: usize) {
        let role = &self.roles[place];
        if role.held || role.stalled || self.broker_down {
            return;
        }
        let fitting: Vec<_> = ACTS.iter().filter(|(theme, _)| self.themes.has(*theme)).collect();
        if !fitting.is_empty() {
            let (_, act) = *self.draw.one(&fitting);
            act(self, place);
        }
    }

    fn is_v5(&self, place: usize) -> bool {
        self.roles[place].version == Version::V5
    }

    /// A message of its own.
    fn say(&mut self, place: usize, topic: &str, qos: Qos, retain: bool, properties: PropertyList) {
        let (topic, payload) = (topic.to_owned(), self.mark().into_bytes());
        self.send(place, Send::Publish { topic, payload, qos, retain, dup: false, id: None, properties });
    }

    /// A single subscription.
    pub(super) fn request(&mut self, place: usize, filter: &str, qos: Qos, properties: PropertyList) {
        let filters = vec![(filter.to_owned(), SubscriptionOptions::qos(qos))];
        self.roles[place].filters.push(filter.to_owned());
        self.send(place, Send::Subscribe { id: None, filters, properties });
    }

    /// The same, that is answered.
    pub(super) fn join(&mut self, place: usize, filter: &str, qos: Qos, properties: PropertyList) {
        self.request(place, filter, qos, properties);
        self.ask(place, 100);
    }

    /// Somebody else who is here, or the same.
    pub(super) fn another(&mut self, place: usize, fits: impl Fn(&super::Role) -> bool) -> usize {
        let others = (0..self.roles.len()).filter(|&other| {
            let role = &self.roles[other];
            other != place && role.here && !role.held && !role.stalled && fits(role)
        });
        let others: Vec<usize> = others.collect();
        if others.is_empty() { place } else { *self.draw.one(&others) }
    }

    /// A client of 5.0 that leaves its acknowledgements to the script.
    fn hesitant(&mut self, place: usize) -> Option<usize> {
        let fits = |role: &super::Role| role.version == Version::V5 && !role.acknowledges;
        if fits(&self.roles[place]) {
            return Some(place);
        }
        let other = self.another(place, fits);
        fits(&self.roles[other]).then_some(other)
    }

    fn travel(&mut self) {
        self.pass(4 * self.profile.network().delay_max);
    }

    /// Ends the connection and opens the next.
    fn come_back(&mut self, place: usize) {
        self.push(place, Action::Cut(How::Fin));
        self.arrive(place, false);
    }

    /// Topic Aliases of the connection before, beyond the maximum, or without a topic. [5.0/MQTT-3.3.2-7]
    /// [5.0/MQTT-3.3.2-9]
    fn use_an_old_alias(&mut self, place: usize) {
        if !self.is_v5(place) {
            return;
        }
        let alias = |alias| {
            let mut properties = PropertyList::new();
            properties.push(Property::TopicAlias(alias));
            properties
        };
        let beyond = self.draw.percent(30);
        if !beyond && self.draw.percent(80) {
            self.say(place, "a/b", Qos::AtLeastOnce, false, alias(1));
            self.ask(place, 100);
            self.come_back(place);
        }
        let topic = if beyond { "a/b" } else { "" };
        self.say(place, topic, Qos::AtMostOnce, false, alias(if beyond { 17 } else { 1 }));
        self.outwait();
        self.leave(place);
    }

    /// What a Client has refused is not sent again. [5.0/MQTT-4.4.0-2]
    fn refuse_and_resume(&mut self, place: usize) {
        let Some(place) = self.hesitant(place) else { return };
        let qos = *self.draw.one(&[Qos::AtLeastOnce, Qos::ExactlyOnce]);
        self.join(place, "a/b", Qos::ExactlyOnce, PropertyList::new());
        self.say(place, "a/b", qos, false, PropertyList::new());
        self.travel();
        self.push(place, Action::Acknowledge(ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR));
        self.ask(place, 100);
        self.come_back(place);
    }

    /// What the Server has refused has no claim to its Packet Identifier. [5.0/MQTT-4.3.3-9]
    fn use_an_identifier_again(&mut self, place: usize) {
        self.join(place, "a/b", Qos::AtLeastOnce, PropertyList::new());
        for topic in [super::policies::DENIED_TOPIC, "a/b"] {
            let (topic, payload) = (topic.to_owned(), self.mark().into_bytes());
            let (id, properties) = (Some(900), PropertyList::new());
            let qos = Qos::ExactlyOnce;
            self.send(
                place,
                Send::Publish { topic, payload, qos, retain: false, dup: false, id, properties },
            );
            self.push(place, Action::Settle);
        }
    }

    /// What a member has refused is not for another. [5.0/MQTT-4.8.2-6]
    fn refuse_a_share(&mut self, place: usize) {
        let Some(place) = self.hesitant(place) else { return };
        let other = self.another(place, |role| role.version == Version::V5);
        for member in [place, other] {
            self.join(member, "$share/g/a/b", Qos::ExactlyOnce, PropertyList::new());
        }
        let qos = *self.draw.one(&[Qos::AtLeastOnce, Qos::ExactlyOnce]);
        for _ in 0..3 {
            self.say(other, "a/b", qos, false, PropertyList::new());
        }
        self.travel();
        self.push(place, Action::Acknowledge(ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR));
        self.ask(place, 100);
    }

    /// A member is lost in the middle of QoS 2, and its session ends, or not. [5.0/MQTT-4.8.2-4] [5.0/MQTT-4.8.2-5]
    fn leave_a_share(&mut self, place: usize) {
        let Some(place) = self.hesitant(place) else { return };
        let other = self.another(place, |role| role.version == Version::V5);
        for member in [place, other] {
            self.join(member, "$share/g/a/b", Qos::ExactlyOnce, PropertyList::new());
        }
        for _ in 0..3 {
            self.say(other, "a/b", Qos::ExactlyOnce, false, PropertyList::new());
        }
        self.travel();
        self.push(place, Action::Cut(How::Fin));
        self.leave(place);
        let expiry = self.roles[place].expiry;
        if expiry > 0 && self.draw.percent(60) {
            let mut connect = self.connect(place, false);
            connect.clean_start = true;
            self.push(place, Action::Connect(Some(connect)));
            self.roles[place].here = true;
            self.roles[place].filters.clear();
            self.ask(place, 100);
        } else {
            self.pass(Duration::from_secs(u64::from(expiry.min(3))) + Duration::from_millis(100));
        }
    }

    /// Two groups of different names get a message each; the filter alone names none of them. [5.0 §4.8.2]
    fn name_shares(&mut self, place: usize) {
        if !self.is_v5(place) {
            return;
        }
        let other = self.another(place, |role| role.version == Version::V5);
        self.join(place, "$share/g/a/b", Qos::AtLeastOnce, PropertyList::new());
        if self.draw.percent(50) {
            self.join(other, "$share/h/a/b", Qos::AtLeastOnce, PropertyList::new());
        } else {
            let filters = vec!["a/b".to_owned()];
            self.send(place, Send::Unsubscribe { id: None, filters, properties: PropertyList::new() });
            self.ask(place, 100);
        }
        for _ in 0..2 {
            self.say(place, "a/b", Qos::AtLeastOnce, false, PropertyList::new());
        }
        self.ask(place, 100);
    }

    /// What comes behind a CONNECT that is refused is not processed. [5.0/MQTT-3.1.4-6]
    fn publish_behind_a_refused_connect(&mut self, place: usize) {
        let other = self.another(place, |_| true);
        if other != place {
            self.join(other, "a/b", Qos::AtLeastOnce, PropertyList::new());
        }
        self.push(place, Action::Cut(How::Fin));
        self.leave(place);
        self.push(place, Action::Open);
        let connect = Connect {
            client_id: Some("nobody".to_owned()),
            clean_start: true,
            user_name: Some(super::policies::USER.0.to_owned()),
            password: Some(b"wrong".to_vec()),
            ..Connect::default()
        };
        self.send(place, Send::Connect(connect));
        self.say(place, "a/b", Qos::AtMostOnce, false, PropertyList::new());
        self.outwait();
    }

    /// More messages wait for a session than its Receive Maximum lets through. [5.0/MQTT-3.3.4-9]
    fn resume_with_a_full_window(&mut self, place: usize) {
        let Some(place) = self.hesitant(place) else { return };
        let other = self.another(place, |_| true);
        if other == place || self.roles[place].expiry == 0 {
            return;
        }
        self.join(place, "a/b", Qos::ExactlyOnce, PropertyList::new());
        let mut connect = self.connect(place, false);
        connect.properties = PropertyList::new();
        connect.properties.push(Property::SessionExpiryInterval(self.roles[place].expiry));
        connect.properties.push(Property::ReceiveMaximum(2));
        connect.clean_start = false;
        self.say(other, "a/b", Qos::AtLeastOnce, false, PropertyList::new());
        self.push(place, Action::Cut(How::Fin));
        self.leave(place);
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::AtLeastOnce] {
            self.say(other, "a/b", qos, false, PropertyList::new());
        }
        self.ask(other, 100);
        self.push(place, Action::Connect(Some(connect)));
        self.roles[place].here = true;
        self.travel();
    }

    /// More than some brokers take, in one packet [5.0/MQTT-3.2.2-15] or at one time [5.0 §3.3.4].
    fn send_too_much(&mut self, place: usize) {
        if !self.is_v5(place) {
            return;
        }
        if self.draw.percent(50) {
            let payload = [self.mark().as_bytes(), &[b'.'; 250]].concat();
            let (topic, properties) = ("a/b".to_owned(), PropertyList::new());
            let qos = Qos::AtLeastOnce;
            self.send(
                place,
                Send::Publish { topic, payload, qos, retain: false, dup: false, id: None, properties },
            );
        } else {
            // The client does not know the limit yet.
            self.greet(place);
            for _ in 0..3 {
                self.say(place, "a/b", Qos::ExactlyOnce, false, PropertyList::new());
            }
        }
        self.outwait();
    }

    /// A client connects again, with a Will, while somebody else, who is returned, waits for it.
    fn make_a_will(&mut self, place: usize, change: impl Fn(&mut Will)) -> Option<usize> {
        let other = Some(self.another(place, |_| true)).filter(|other| *other != place)?;
        self.join(other, "w/#", Qos::ExactlyOnce, PropertyList::new());
        self.push(place, Action::Cut(How::Fin));
        self.leave(place);
        let mut connect = self.connect(place, false);
        let mut will = self.will(self.roles[place].version);
        change(&mut will);
        connect.will = Some(will);
        self.push(place, Action::Connect(Some(connect)));
        self.roles[place].here = true;
        self.ask(place, 100);
        Some(other)
    }

    /// A Will that is due as soon as its connection is lost.
    fn lose_a_will(&mut self, place: usize) {
        let at_once = |will: &mut Will| {
            (will.qos, will.properties) = (Qos::AtLeastOnce, PropertyList::new());
        };
        if self.make_a_will(place, at_once).is_some() {
            self.push(place, Action::Cut(How::Fin));
            self.leave(place);
            self.outwait();
        }
    }

    /// A Will with all that belongs to it, and an end of its connection that calls for it, or not.
    fn leave_a_will(&mut self, place: usize) {
        let Some(other) = self.make_a_will(place, |_| {}) else { return };
        let version = self.roles[place].version;
        let how = self.draw.below(if version == Version::V5 { 4 } else { 2 });
        if how == 0 {
            self.push(place, Action::Cut(How::Fin));
        } else {
            let mut properties = PropertyList::new();
            // From 0 it may not be raised. [5.0 §3.14.2.2.2]
            if how == 2 {
                properties.push(Property::SessionExpiryInterval(2));
            }
            let reason =
                if how == 3 { ReasonCode::DISCONNECT_WITH_WILL_MESSAGE } else { ReasonCode::SUCCESS };
            self.send(place, Send::Disconnect { reason, properties });
        }
        self.leave(place);
        self.pass(Duration::from_millis(5_500));
        self.join(other, "w/1", Qos::ExactlyOnce, PropertyList::new());
    }

    /// AUTH without an Authentication Method. [5.0 §4.12]
    fn say_auth(&mut self, place: usize) {
        if !self.is_v5(place) {
            return;
        }
        let (reason, mut properties) = (ReasonCode::RE_AUTHENTICATE, PropertyList::new());
        properties.push(Property::AuthenticationMethod("method"));
        self.send(place, Send::Auth { reason, properties });
        self.outwait();
        self.leave(place);
    }

    /// A message expires when its delivery has begun: that is ended all the same. [5.0/MQTT-4.3.3-7]
    /// [5.0/MQTT-4.3.3-13]
    fn finish_after_expiry(&mut self, place: usize) {
        let Some(place) = self.hesitant(place) else { return };
        self.join(place, "a/b", Qos::ExactlyOnce, PropertyList::new());
        let mut properties = PropertyList::new();
        properties.push(Property::MessageExpiryInterval(1));
        self.say(place, "a/b", Qos::ExactlyOnce, false, properties);
        self.travel();
        self.pass(Duration::from_millis(1_500));
        if self.draw.percent(50) {
            self.come_back(place);
            self.travel();
        }
        self.push(place, Action::Acknowledge(ReasonCode::SUCCESS));
        self.ask(place, 100);
    }

    /// A message expires while its subscriber is away. [5.0/MQTT-3.3.2-5]
    fn expire_in_the_queue(&mut self, place: usize) {
        let other = self.another(place, |role| role.version == Version::V5);
        if other == place || !self.is_v5(other) || self.roles[place].expiry < 3 {
            return;
        }
        self.join(place, "a/b", Qos::AtLeastOnce, PropertyList::new());
        self.push(place, Action::Cut(How::Fin));
        self.leave(place);
        for interval in [1, 100] {
            let mut properties = PropertyList::new();
            properties.push(Property::MessageExpiryInterval(interval));
            self.say(other, "a/b", Qos::AtLeastOnce, false, properties);
        }
        self.ask(other, 100);
        self.pass(Duration::from_millis(2_500));
        let mut connect = self.connect(place, false);
        connect.clean_start = false;
        self.push(place, Action::Connect(Some(connect)));
        self.roles[place].here = true;
        self.ask(place, 100);
    }

    /// Overlapping subscriptions with different Subscription Identifiers. [5.0/MQTT-3.3.4-4] [5.0/MQTT-3.3.4-5]
    fn overlap_with_identifiers(&mut self, place: usize) {
        if !self.is_v5(place) {
            return;
        }
        for (filter, id) in [("a/+", 1), ("a/#", 2)] {
            let mut properties = PropertyList::new();
            properties.push(Property::SubscriptionIdentifier(id));
            self.join(place, filter, Qos::AtLeastOnce, properties);
        }
        self.say(place, "a/b", Qos::AtLeastOnce, false, PropertyList::new());
        self.ask(place, 100);
    }

    /// A retained message outlives the session of its publisher. [5.0/MQTT-3.1.2-4]
    fn retain_and_go(&mut self, place: usize) {
        let other = self.another(place, |_| true);
        if other == place {
            return;
        }
        self.say(place, "a/b", Qos::AtLeastOnce, true, PropertyList::new());
        self.ask(place, 100);
        let mut connect = self.connect(place, false);
        connect.clean_start = true;
        self.push(place, Action::Cut(How::Fin));
        self.leave(place);
        self.push(place, Action::Connect(Some(connect)));
        self.roles[place].here = true;
        self.ask(place, 100);
        self.join(other, "a/b", Qos::AtLeastOnce, PropertyList::new());
    }

    /// An empty message without RETAIN removes nothing, one with RETAIN does. [3.1.1/MQTT-3.3.1-10]
    /// [3.1.1/MQTT-3.3.1-12] [5.0/MQTT-3.3.1-6] [5.0/MQTT-3.3.1-8]
    fn clear(&mut self, place: usize) {
        let topic = "a/b".to_owned();
        if self.emptied.contains(&topic) {
            return;
        }
        self.say(place, &topic, Qos::AtLeastOnce, true, PropertyList::new());
        self.emptied.push(topic.clone());
        let properties = PropertyList::new();
        let empty = Send::Publish {
            topic: topic.clone(),
            payload: Vec::new(),
            qos: Qos::AtLeastOnce,
            retain: self.draw.percent(50),
            dup: false,
            id: None,
            properties,
        };
        self.send(place, empty);
        self.ask(place, 100);
        self.join(place, &topic, Qos::AtLeastOnce, PropertyList::new());
    }

    /// A later connection sets another Session Expiry Interval. [5.0/MQTT-4.1.0-2]
    fn change_the_expiry(&mut self, place: usize) {
        if !self.is_v5(place) || self.roles[place].expiry == 0 {
            return;
        }
        self.roles[place].expiry = *self.draw.one(&[1, 2, 60]);
        self.come_back(place);
        self.ask(place, 100);
        if self.draw.percent(60) {
            self.push(place, Action::Cut(How::Fin));
            self.leave(place);
            self.pass(Duration::from_millis(3_500));
            self.arrive(place, false);
        }
    }
}
