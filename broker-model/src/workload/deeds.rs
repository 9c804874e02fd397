//! What happens in a generated script, deed by deed.

use super::theme::Theme;
use super::{Author, Profile, Workload};
use crate::history::{Fault, How, Memory};
use crate::script::{Action, Send, Step, broken_groups, broken_packets};
use core::time::Duration;
use mqtt_assay_codec::{
    Property, PropertyList, Qos, ReasonCode, RetainHandling, SubscriptionOptions, Version,
};

#[derive(Clone, Copy)]
enum Deed {
    Publish,
    Subscribe,
    Unsubscribe,
    Arrive,
    Disconnect,
    Cut,
    Acknowledge,
    Ping,
    Pass,
    PassSeconds,
    Hold,
    Stall,
    Crash,
    Break,
    Resend,
    Pipeline,
    KeepAlive,
    Misorder,
    Act,
}

const FILTERS: &[&str] = &["a/b", "a/+", "a/#", "#", "+/b", "x", "w/#", "w/1", "a/b/c", "a/b/#", "x/#"];
const ODD_FILTERS: &[&str] = &[
    "a/b",
    "+/b",
    "a/+/b",
    "a//b",
    "/+/b",
    "+/+",
    "a/#",
    "#",
    "+/a",
    "a/b/#",
    "$own/#",
    "a/b/+",
    "\u{FEFF}a/b",
];
const SHARED: &[&str] = &["$share/g/a/b", "$share/g/a/#", "$share/h/a/b", "$share/g/x", "$share/h/#"];

impl Author {
    /// Does something.
    pub(super) fn deed(&mut self) {
        let storm = self.profile == Profile::Storm;
        let lossy = self.profile >= Profile::Lossy;
        let has = |theme| self.themes.has(theme);
        let deeds = [
            (30, Deed::Publish),
            (if has(Theme::Retained) || has(Theme::Options) { 18 } else { 10 }, Deed::Subscribe),
            (4, Deed::Unsubscribe),
            (if has(Theme::Session) || has(Theme::Takeover) { 14 } else { 6 }, Deed::Arrive),
            (if has(Theme::Will) { 8 } else { 4 }, Deed::Disconnect),
            (if lossy { 7 } else { 3 }, Deed::Cut),
            (if has(Theme::Flow) { 12 } else { 2 }, Deed::Acknowledge),
            (3, Deed::Ping),
            (6, Deed::Pass),
            (
                if has(Theme::Expiry) || has(Theme::KeepAlive) || has(Theme::Will) { 6 } else { 1 },
                Deed::PassSeconds,
            ),
            (if storm { 5 } else { 0 }, Deed::Hold),
            (if storm { 4 } else { 0 }, Deed::Stall),
            (if has(Theme::Restart) { 5 } else { 0 }, Deed::Crash),
            (if has(Theme::Errors) { 20 } else { 0 }, Deed::Break),
            (if has(Theme::Flow) { 5 } else { 1 }, Deed::Resend),
            (if has(Theme::Identity) { 8 } else { 1 }, Deed::Pipeline),
            (if has(Theme::KeepAlive) { 10 } else { 0 }, Deed::KeepAlive),
            (if has(Theme::Errors) { 6 } else { 0 }, Deed::Misorder),
            (10, Deed::Act),
        ];
        let place = self.draw.below(self.roles.len());
        let here = self.roles[place].here;
        match self.draw.weighted(&deeds) {
            Deed::Arrive => {
                if here && self.draw.percent(70) {
                    self.push(place, Action::Cut(How::Fin));
                }
                self.arrive(place, false);
            }
            Deed::Pass => {
                let time = Duration::from_millis(1 + self.draw.below(300) as u64);
                self.pass(time);
            }
            Deed::PassSeconds => {
                let time = Duration::from_millis(1_000 + self.draw.below(4_000) as u64);
                self.pass(time);
            }
            Deed::Crash if self.broker_down => {
                let memory = if self.draw.percent(70) { Memory::Kept } else { Memory::Lost };
                self.script.steps.push(Step::Broker(Fault::Restart(memory)));
                self.broker_down = false;
            }
            Deed::Crash => {
                self.script.steps.push(Step::Broker(Fault::Crash));
                self.broker_down = true;
                for place in 0..self.roles.len() {
                    self.leave(place);
                }
            }
            Deed::Pipeline => self.pipeline(place),
            // There is nobody to do anything else.
            _ if !here => self.arrive(place, false),
            Deed::Publish => self.publish(place),
            Deed::Subscribe => self.subscribe(place),
            Deed::Unsubscribe => self.unsubscribe(place),
            Deed::Disconnect => self.disconnect(place),
            Deed::Cut => {
                let how = match self.draw.below(4) {
                    0 | 1 => How::Fin,
                    2 => How::Reset,
                    _ => How::Silently,
                };
                self.push(place, Action::Cut(if lossy { how } else { How::Fin }));
                self.leave(place);
            }
            Deed::Acknowledge => {
                let refuses = self.roles[place].version == Version::V5 && self.draw.percent(30);
                let code =
                    if refuses { ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR } else { ReasonCode::SUCCESS };
                self.push(place, Action::Acknowledge(code));
                // Whether it comes again is seen at the next resumption.
                if refuses && self.draw.percent(40) {
                    self.ask(place, 50);
                    self.push(place, Action::Cut(How::Fin));
                    self.arrive(place, false);
                }
            }
            Deed::Ping => self.send(place, Send::Pingreq),
            Deed::Hold => {
                let held = self.roles[place].held;
                self.roles[place].held = !held;
                self.push(place, Action::Fault(if held { Fault::Release } else { Fault::Hold }));
            }
            Deed::Stall => {
                let stalled = self.roles[place].stalled;
                self.roles[place].stalled = !stalled;
                self.push(place, Action::Fault(if stalled { Fault::Unstall } else { Fault::Stall }));
            }
            Deed::Break => self.break_a_rule(place),
            Deed::Resend => self.resend(place),
            Deed::KeepAlive => self.keep_alive(place),
            Deed::Misorder => self.misorder(place),
            Deed::Act => self.act(place),
        }
    }

    fn publish(&mut self, place: usize) {
        let v5 = self.roles[place].version == Version::V5;
        let mut topic = self.topic();
        let payload = self.payload(&topic);
        let qos = self.qos();
        let retain = self.draw.percent(if self.themes.has(Theme::Retained) { 60 } else { 5 });
        let mut properties = PropertyList::new();
        if v5 {
            self.add_message_properties(&mut properties);
            if self.themes.has(Theme::Aliases) && self.draw.percent(60) {
                topic = self.alias(place, topic, &mut properties);
            }
        }
        let send = Send::Publish { topic, payload, qos, retain, dup: false, id: None, properties };
        self.send(place, send);
        self.ask(place, 50);
    }

    /// Sets a Topic Alias, or uses one in place of the topic.
    fn alias(&mut self, place: usize, topic: String, properties: &mut PropertyList) -> String {
        // Now and then one that was set on an older connection only, or never. [5.0/MQTT-3.3.2-7]
        if self.themes.has(Theme::Errors) && self.draw.percent(10) {
            properties.push(Property::TopicAlias(1 + self.draw.below(3) as u16));
            return String::new();
        }
        let known = self.roles[place].aliases.iter().find(|(_, set)| *set == topic).map(|(alias, _)| *alias);
        if let Some(alias) = known.filter(|_| self.draw.percent(70)) {
            properties.push(Property::TopicAlias(alias));
            return String::new();
        }
        let alias = if self.draw.percent(20) { 16 } else { 1 + self.draw.below(3) as u16 };
        self.roles[place].aliases.retain(|(used, _)| *used != alias);
        self.roles[place].aliases.push((alias, topic.clone()));
        properties.push(Property::TopicAlias(alias));
        topic
    }

    /// A group to begin with: who joins later joins it.
    pub(super) fn share(&mut self, place: usize) {
        if self.roles[place].version != Version::V5
            || !self.themes.has(Theme::Shared)
            || self.draw.percent(30)
        {
            return;
        }
        self.request(place, "$share/g/a/b", Qos::ExactlyOnce, PropertyList::new());
        self.ask(place, 90);
    }

    fn subscribe(&mut self, place: usize) {
        let v5 = self.roles[place].version == Version::V5;
        let mut filters = Vec::new();
        for _ in 0..1 + self.draw.below(3) {
            let filter = match () {
                () if v5 && self.themes.has(Theme::Shared) && self.draw.percent(60) => *self.draw.one(SHARED),
                () if self.themes.has(Theme::Topics) && self.draw.percent(60) => *self.draw.one(ODD_FILTERS),
                () if self.themes.has(Theme::Will) && self.draw.percent(40) => "w/#",
                () => *self.draw.one(FILTERS),
            };
            let mut options = SubscriptionOptions::qos(self.qos());
            if v5 && self.themes.has(Theme::Options) {
                options.no_local = !filter.starts_with("$share/") && self.draw.percent(30);
                options.retain_as_published = self.draw.percent(40);
                options.retain_handling = *self.draw.one(&[
                    RetainHandling::Send,
                    RetainHandling::SendIfNew,
                    RetainHandling::SendIfNew,
                    RetainHandling::DoNotSend,
                ]);
            }
            if !filters.iter().any(|(other, _)| other == filter) {
                filters.push((filter.to_owned(), options));
            }
        }
        let mut properties = PropertyList::new();
        if v5 && self.themes.has(Theme::Options) && self.draw.percent(60) {
            properties.push(Property::SubscriptionIdentifier(1 + self.draw.below(200) as u32));
        }
        self.roles[place].filters.extend(filters.iter().map(|(filter, _)| filter.clone()));
        self.send(place, Send::Subscribe { id: None, filters, properties });
        self.ask(place, 80);
    }

    fn unsubscribe(&mut self, place: usize) {
        let mut filters = Vec::new();
        for _ in 0..1 + self.draw.below(2) {
            let known = &self.roles[place].filters;
            let filter = if known.is_empty() || self.draw.percent(20) {
                (*self.draw.one(FILTERS)).to_owned()
            } else {
                self.draw.one(&self.roles[place].filters).clone()
            };
            if !filters.contains(&filter) {
                filters.push(filter);
            }
        }
        self.roles[place].filters.retain(|filter| !filters.contains(filter));
        let send = Send::Unsubscribe { id: None, filters, properties: PropertyList::new() };
        self.send(place, send);
        self.ask(place, 80);
    }

    fn disconnect(&mut self, place: usize) {
        let mut reason = ReasonCode::SUCCESS;
        let mut properties = PropertyList::new();
        if self.roles[place].version == Version::V5 {
            if self.draw.percent(40) {
                reason = *self.draw.one(&[
                    ReasonCode::DISCONNECT_WITH_WILL_MESSAGE,
                    ReasonCode::UNSPECIFIED_ERROR,
                    ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
                ]);
            }
            let raises = self.roles[place].expiry == 0 && self.themes.has(Theme::Errors);
            if (self.roles[place].expiry > 0 || raises) && self.draw.percent(20) {
                properties.push(Property::SessionExpiryInterval(self.draw.below(3) as u32));
            }
        }
        self.send(place, Send::Disconnect { reason, properties });
        self.leave(place);
    }

    /// The client repeats the PUBLISH of an identifier of its own choice, as after a resumption.
    fn resend(&mut self, place: usize) {
        let topic = self.topic();
        let payload = self.payload(&topic);
        // Not one that is in use. [3.1.1/MQTT-2.3.1-2] [5.0/MQTT-2.2.1-3]
        let id = 1_000 + self.messages as u16;
        let qos = if self.draw.percent(70) { Qos::ExactlyOnce } else { Qos::AtLeastOnce };
        let publish = |dup| Send::Publish {
            topic: topic.clone(),
            payload: payload.clone(),
            qos,
            retain: false,
            dup,
            id: Some(id),
            properties: PropertyList::new(),
        };
        self.send(place, publish(false));
        // Before 5.0 a client may repeat at any time, after that at a resumption only. [5.0/MQTT-4.4.0-1]
        if self.roles[place].version != Version::V5 {
            self.send(place, publish(true));
        } else if self.roles[place].expiry > 0 {
            self.push(place, Action::Cut(How::Fin));
            self.arrive(place, false);
        }
        self.ask(place, 90);
    }

    fn break_a_rule(&mut self, place: usize) {
        let version = self.roles[place].version;
        // Each rule as often as any other, however many cases it has, or what is wrong with each packet.
        let groups = if self.draw.percent(50) { broken_groups(version) } else { broken_packets(version) };
        let group = self.draw.one(groups);
        let (opening, name) = self.draw.one(group).clone();
        // Somebody who would see what is passed on.
        let other = self.another(place, |_| true);
        if !opening && other != place && self.draw.percent(40) {
            self.join(other, "#", Qos::AtLeastOnce, PropertyList::new());
        }
        if opening {
            self.push(place, Action::Cut(How::Fin));
            self.leave(place);
            self.push(place, Action::Open);
            self.roles[place].here = false;
        }
        self.send(place, Send::Broken(name));
        if self.draw.percent(80) {
            self.outwait();
        }
        self.leave(place);
    }

    /// A new connection, whose CONNACK the client does not wait for. [3.1.1 §3.1.4] [5.0 §3.1.4]
    pub(super) fn greet(&mut self, place: usize) {
        if self.roles[place].here {
            self.push(place, Action::Cut(How::Fin));
        }
        self.leave(place);
        self.push(place, Action::Open);
        let connect = self.connect(place, false);
        if connect.clean_start {
            self.roles[place].filters.clear();
        }
        self.send(place, Send::Connect(connect));
        self.roles[place].here = true;
    }

    fn pipeline(&mut self, place: usize) {
        self.greet(place);
        if self.draw.percent(50) {
            self.subscribe(place);
        }
        self.publish(place);
        self.ask(place, 90);
    }

    /// A client with a Keep Alive keeps it, or does not. [3.1.1/MQTT-3.1.2-24] [5.0/MQTT-3.1.2-22]
    fn keep_alive(&mut self, place: usize) {
        let second = Duration::from_millis(1_000);
        match self.draw.below(3) {
            0 => {
                for _ in 0..3 {
                    self.pass(second);
                    if self.draw.percent(50) {
                        self.send(place, Send::Pingreq);
                    } else {
                        self.publish(place);
                    }
                }
            }
            // It only listens.
            1 => {
                for _ in 0..4 {
                    self.pass(second);
                    let other = self.draw.below(self.roles.len());
                    if other != place && self.roles[other].here {
                        self.publish(other);
                    }
                }
                self.pass(2 * second);
            }
            // The beginning of a packet is no packet.
            _ => {
                for byte in [0x30, 0x05] {
                    self.pass(2 * second);
                    self.send(place, Send::Raw(vec![byte]));
                }
                self.pass(3 * second);
                self.push(place, Action::Cut(How::Fin));
                self.leave(place);
            }
        }
    }

    /// Well-formed packets where they may not be, or none where one is due. [3.1.1/MQTT-3.1.0-1] [3.1.1/MQTT-3.1.0-2]
    /// [5.0/MQTT-3.1.0-1]
    fn misorder(&mut self, place: usize) {
        let mut time = Workload::BOUNDS.promptness;
        match self.draw.below(8) {
            0..3 => {
                let connect = self.connect(place, false);
                self.send(place, Send::Connect(connect));
            }
            // The client leaves it to the Server to close the connection. [3.1.1 §3.14.4] [5.0 §3.14.4]
            3 => self.send(place, Send::Raw(vec![0xE0, 0x00])),
            other => {
                self.push(place, Action::Cut(How::Fin));
                self.leave(place);
                self.push(place, Action::Open);
                match other {
                    4 => time = Workload::BOUNDS.connect_patience,
                    5 => self.send(place, Send::Pingreq),
                    _ => {
                        self.roles[place].here = true;
                        self.publish(place);
                    }
                }
            }
        }
        self.pass(time + Duration::from_millis(200));
        self.leave(place);
    }
}
