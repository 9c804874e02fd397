//! Small stories for the rules: built in a few lines, played against the reference broker or a mutant of it.

use core::time::Duration;
use mqtt_assay_broker_model::history::{ClientNo, Fault, History, How};
use mqtt_assay_broker_model::rules::{Accusation, Bounds, Verdicts, judge};
use mqtt_assay_broker_model::script::{Action, Client, Connect, Network, Script, Send, Step};
use mqtt_assay_broker_model::{Broker, DollarTopics, Mutant, Overlap, Policy, Qos2Delivery, direct};
use mqtt_assay_codec::{PacketType, PropertyList, Qos, ReasonCode, SubscriptionOptions, Version};

pub(crate) const BOTH: [Version; 2] = [Version::V3_1_1, Version::V5];

/// A script in the making. Clients connect in order before the first step, unless a step of theirs does.
pub(crate) struct Story {
    pub(crate) script: Script,
    pub(crate) policy: Policy,
    version: Version,
}

impl Story {
    pub(crate) fn new(version: Version) -> Story {
        Story { script: Script::default(), policy: Policy::default(), version }
    }

    /// A client that starts clean and has no Keep Alive.
    pub(crate) fn client(&mut self, name: &str) -> ClientNo {
        self.client_with(name, |_| {})
    }

    pub(crate) fn client_with(&mut self, name: &str, change: impl FnOnce(&mut Client)) -> ClientNo {
        let mut client = Client {
            name: name.into(),
            version: self.version,
            connect: Connect { clean_start: true, ..Connect::default() },
            acknowledges: true,
        };
        change(&mut client);
        self.script.clients.push(client);
        ClientNo(u16::try_from(self.script.clients.len() - 1).unwrap())
    }

    /// A client whose session stays when it leaves, and that resumes it when it comes back.
    pub(crate) fn resumer(&mut self, name: &str) -> ClientNo {
        let version = self.version;
        self.client_with(name, |client| client.connect = resuming(version))
    }

    /// The same, and it acknowledges nothing of its own accord.
    pub(crate) fn silent_resumer(&mut self, name: &str) -> ClientNo {
        let version = self.version;
        self.client_with(name, |client| {
            client.connect = resuming(version);
            client.acknowledges = false;
        })
    }

    pub(crate) fn act(&mut self, client: ClientNo, action: Action) -> &mut Self {
        self.script.steps.push(Step::Client(client, action));
        self
    }

    pub(crate) fn send(&mut self, client: ClientNo, send: Send) -> &mut Self {
        self.act(client, Action::Send(send, Vec::new()))
    }

    pub(crate) fn raw(&mut self, client: ClientNo, bytes: &[u8]) -> &mut Self {
        self.send(client, Send::Raw(bytes.to_vec()))
    }

    pub(crate) fn broken(&mut self, client: ClientNo, name: &str) -> &mut Self {
        self.send(client, Send::Broken(name.into()))
    }

    pub(crate) fn publish(&mut self, client: ClientNo, topic: &str, payload: &str, qos: Qos) -> &mut Self {
        self.publish_with(client, topic, payload, qos, PropertyList::new())
    }

    pub(crate) fn publish_with(
        &mut self,
        client: ClientNo,
        topic: &str,
        payload: &str,
        qos: Qos,
        properties: PropertyList,
    ) -> &mut Self {
        self.send(client, publish(topic, payload, qos, properties))
    }

    pub(crate) fn subscribe(&mut self, client: ClientNo, filter: &str, qos: Qos) -> &mut Self {
        self.subscribe_to(client, &[(filter, qos)])
    }

    pub(crate) fn subscribe_to(&mut self, client: ClientNo, filters: &[(&str, Qos)]) -> &mut Self {
        let filters =
            filters.iter().map(|&(filter, qos)| (filter.into(), SubscriptionOptions::qos(qos))).collect();
        self.send(client, Send::Subscribe { id: None, filters, properties: PropertyList::new() })
            .settle(client)
    }

    pub(crate) fn unsubscribe(&mut self, client: ClientNo, filters: &[&str]) -> &mut Self {
        let filters = filters.iter().map(|&filter| filter.into()).collect();
        self.send(client, Send::Unsubscribe { id: None, filters, properties: PropertyList::new() })
            .settle(client)
    }

    pub(crate) fn ack(
        &mut self,
        client: ClientNo,
        packet: PacketType,
        id: u16,
        reason: ReasonCode,
    ) -> &mut Self {
        self.send(client, Send::Ack { packet, id, reason, properties: PropertyList::new() })
    }

    pub(crate) fn settle(&mut self, client: ClientNo) -> &mut Self {
        self.act(client, Action::Settle)
    }

    pub(crate) fn ping(&mut self, client: ClientNo) -> &mut Self {
        self.act(client, Action::Barrier)
    }

    pub(crate) fn connect(&mut self, client: ClientNo) -> &mut Self {
        self.act(client, Action::Connect(None)).wait(0.5)
    }

    pub(crate) fn connect_with(&mut self, client: ClientNo, connect: Connect) -> &mut Self {
        self.act(client, Action::Connect(Some(connect))).wait(0.5)
    }

    pub(crate) fn disconnect(&mut self, client: ClientNo) -> &mut Self {
        let disconnect = Send::Disconnect { reason: ReasonCode::SUCCESS, properties: PropertyList::new() };
        self.send(client, disconnect).wait(0.5)
    }

    pub(crate) fn cut(&mut self, client: ClientNo, how: How) -> &mut Self {
        self.act(client, Action::Cut(how)).wait(0.5)
    }

    pub(crate) fn fault(&mut self, client: ClientNo, fault: Fault) -> &mut Self {
        self.act(client, Action::Fault(fault))
    }

    pub(crate) fn broker(&mut self, fault: Fault) -> &mut Self {
        self.script.steps.push(Step::Broker(fault));
        self
    }

    pub(crate) fn wait(&mut self, seconds: f64) -> &mut Self {
        self.script.steps.push(Step::Wait(Duration::from_secs_f64(seconds)));
        self
    }

    /// Time enough for everything that is due.
    pub(crate) fn patience(&mut self) -> &mut Self {
        self.wait(6.0)
    }
}

/// A CONNECT that resumes its session, which then stays for an hour.
pub(crate) fn resuming(version: Version) -> Connect {
    let mut properties = PropertyList::new();
    if version == Version::V5 {
        properties.push(mqtt_assay_codec::Property::SessionExpiryInterval(3600));
    }
    Connect { clean_start: false, properties, ..Connect::default() }
}

pub(crate) fn publish(topic: &str, payload: &str, qos: Qos, properties: PropertyList) -> Send {
    Send::Publish {
        topic: topic.into(),
        payload: payload.into(),
        qos,
        retain: false,
        dup: false,
        id: None,
        properties,
    }
}

pub(crate) fn play(story: &Story, mutant: Option<Mutant>, network: Network, seed: u64) -> History {
    let mut script = story.script.clone();
    script.network = network;
    script.seed = seed;
    let mut broker = Broker::new(story.policy.clone(), seed);
    if let Some(mutant) = mutant {
        broker = broker.with_mutant(mutant);
    }
    direct::play(script, broker).history
}

pub(crate) fn bounds() -> Bounds {
    Bounds { closed_world: true, ..Bounds::default() }
}

fn nasty() -> Network {
    Network {
        delay_min: Duration::from_millis(1),
        delay_max: Duration::from_millis(150),
        split_percent: 30,
        merge_percent: 40,
    }
}

/// The reference broker's other choices.
fn choices(policy: &Policy) -> Vec<Policy> {
    vec![
        policy.clone(),
        Policy {
            overlap: Overlap::CopyPerSubscription,
            qos2_delivery: Qos2Delivery::AtRelease,
            queue_qos0: true,
            report_no_matching_subscribers: false,
            ..policy.clone()
        },
        Policy {
            reason_strings: false,
            store_retained_qos0: false,
            outgoing_topic_aliases: 0,
            dollar_topics: DollarTopics::Refuse,
            ..policy.clone()
        },
    ]
}

fn shown(history: &History, accusations: &[Accusation]) -> String {
    let mut text = String::new();
    for accusation in accusations {
        text += &format!(
            "{} {:?} {:?} at {:?} of {}: expected {}; observed {}\n",
            accusation.rule,
            accusation.version,
            accusation.statements,
            accusation.at,
            history.name(accusation.client),
            accusation.expected,
            accusation.observed
        );
    }
    for event in history.iter() {
        use mqtt_assay_broker_model::history::What;
        if !matches!(event.what, What::Wrote(_) | What::Read(_)) {
            text += &format!("{:?} {} {:02x?}\n", event.at, history.name(event.client), event.what);
        }
    }
    text
}

/// Nobody accuses the reference broker, whatever it chooses and the network does.
pub(crate) fn sound(build: impl Fn(Version) -> Story) {
    for version in BOTH {
        let story = build(version);
        for policy in choices(&story.policy) {
            let story = Story { script: story.script.clone(), policy, version };
            for seed in 0..6 {
                let network = if seed == 0 { Network::default() } else { nasty() };
                let history = play(&story, None, network, seed);
                let found = judge(&history, bounds());
                assert!(found.accusations.is_empty(), "{}", shown(&history, &found.accusations));
            }
        }
    }
}

/// The rule accuses the mutant of one of its own statements, in each version in which it has one.
pub(crate) fn catches(rule: &str, mutant: Mutant, build: impl Fn(Version) -> Story) {
    let versions = BOTH.into_iter().filter(|version| breaks(mutant, *version).next().is_some());
    for version in versions {
        catches_in(version, rule, mutant, &build);
    }
}

pub(crate) fn catches_in(version: Version, rule: &str, mutant: Mutant, build: impl Fn(Version) -> Story) {
    let story = build(version);
    let history = play(&story, Some(mutant), Network::default(), 1);
    let found = judge(&history, bounds());
    let own = |accusation: &&Accusation| {
        accusation.rule == rule
            && accusation.statements.iter().any(|id| breaks(mutant, accusation.version).any(|own| own == *id))
    };
    assert!(
        found.accusations.iter().any(|accusation| own(&accusation)),
        "{mutant:?} {version:?} {:?}\n{}",
        found.unknown,
        shown(&history, &found.accusations)
    );
}

pub(crate) fn breaks(mutant: Mutant, version: Version) -> impl Iterator<Item = &'static str> {
    let prefix = match version {
        Version::V5 => "5.0/",
        _ => "3.1.1/",
    };
    mutant.breaks().iter().filter_map(move |id| id.strip_prefix(prefix))
}

/// What the rules say of a history made by hand.
pub(crate) fn judged(history: &History) -> Verdicts {
    judge(history, bounds())
}
