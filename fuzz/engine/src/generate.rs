//! Cases that keep the specification's form: every packet in them is well-formed.
//!
//! Half of them are written by a grammar of the packets' own types, so that every property and option comes in every
//! packet that may carry it; half by the [`Workload`], which knows what the rules decide, and brings together what has
//! to meet for that.

use crate::case::Case;
use crate::dictionary;
use core::time::Duration;
use mqtt_assay_broker_model::history::{ClientNo, How};
use mqtt_assay_broker_model::script::{Action, Client, Connect, Script, Send, Step, Will};
use mqtt_assay_broker_model::workload::{Draw, Profile, Workload};
use mqtt_assay_codec::property::Place;
use mqtt_assay_codec::{
    PacketType, Property, PropertyId, PropertyList, Qos, ReasonCode, RetainHandling, SubscriptionOptions,
    Version,
};

/// What the clients are called.
const NAMES: [&str; 4] = ["ann", "bob", "cat", "dan"];

/// What is generated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Generator {
    /// The versions that clients may speak; not empty. Clients of several meet in one case.
    pub versions: Vec<Version>,
    /// In how many of 100 cases the [`Workload`] writes: its scripts wait for seconds.
    pub workload_percent: u8,
    /// How long a case of the grammar waits before its end, for what is due to come.
    pub closing: Duration,
}

impl Default for Generator {
    fn default() -> Self {
        Generator {
            versions: vec![Version::V5, Version::V3_1_1, Version::V3_1],
            workload_percent: 50,
            closing: Workload::BOUNDS.promptness + Duration::from_millis(500),
        }
    }
}

impl Generator {
    /// A case.
    pub fn case(&self, draw: &mut Draw) -> Case {
        loop {
            let script =
                if draw.percent(self.workload_percent) { self.work(draw) } else { self.script(draw) };
            if let Some(case) = Case::new(script) {
                return case;
            }
        }
    }

    fn work(&self, draw: &mut Draw) -> Script {
        let version = *draw.one(&self.versions);
        // The workload writes for 3.1 as for 3.1.1.
        Workload { profile: Some(*draw.one(&Profile::ALL)), version: Some(version) }.script(draw.any())
    }

    /// A script of the grammar.
    fn script(&self, draw: &mut Draw) -> Script {
        let mut script = Script { seed: draw.any(), ..Script::default() };
        for name in &NAMES[..1 + draw.below(NAMES.len())] {
            let version = *draw.one(&self.versions);
            let connect = connect(version, draw);
            let acknowledges = draw.percent(90);
            script.clients.push(Client { name: (*name).to_owned(), version, connect, acknowledges });
        }
        for _ in 0..3 + draw.below(15) {
            let client = ClientNo(draw.below(script.clients.len()) as u16);
            let marks = script.steps.len();
            deed(&mut script.steps, client, &script.clients[client.index()], marks, draw);
        }
        for place in 0..script.clients.len() {
            script.steps.push(Step::Client(ClientNo(place as u16), Action::Settle));
        }
        if !self.closing.is_zero() {
            script.steps.push(Step::Wait(self.closing));
        }
        for place in 0..script.clients.len() {
            script.steps.push(Step::Client(ClientNo(place as u16), Action::Barrier));
        }
        script
    }

    /// One or a few steps of this client.
    pub fn steps(&self, client: ClientNo, of: &Client, mark: usize, draw: &mut Draw) -> Vec<Step> {
        let mut steps = Vec::new();
        deed(&mut steps, client, of, mark, draw);
        steps
    }
}

/// Appends what a client does; `mark` tells its message from others.
fn deed(to: &mut Vec<Step>, client: ClientNo, of: &Client, mark: usize, draw: &mut Draw) {
    let mut push = |action| to.push(Step::Client(client, action));
    let send = |send| Action::Send(send, Vec::new());
    let version = of.version;
    match draw.below(100) {
        0..35 => push(send(publish(version, mark, draw))),
        35..55 => push(send(subscribe(version, draw))),
        55..60 => push(send(unsubscribe(version, draw))),
        60..63 => push(send(Send::Pingreq)),
        63..66 => push(send(ack(version, draw))),
        66..68 => push(send(disconnect(version, draw))),
        68..73 => {
            push(Action::Cut(*draw.one(&[How::Fin, How::Reset, How::Silently])));
            push(Action::Connect((!draw.percent(50)).then(|| connect(version, draw))));
        }
        73..76 => push(Action::Connect(None)),
        76..90 => push(Action::Settle),
        90..94 if !of.acknowledges => push(Action::Acknowledge(ReasonCode::SUCCESS)),
        _ => push(Action::Barrier),
    }
}

fn qos(draw: &mut Draw) -> Qos {
    *draw.one(&Qos::ALL)
}

/// Each of the properties that may stand there, in so many of 100 cases.
fn properties(version: Version, place: Place, percent: u8, draw: &mut Draw) -> PropertyList {
    let mut list = PropertyList::new();
    if version != Version::V5 {
        return list;
    }
    for id in dictionary::properties_of(place) {
        // These mean something only together with others: see `connect` and `publish`.
        let alone = !matches!(
            id,
            PropertyId::AuthenticationMethod | PropertyId::AuthenticationData | PropertyId::TopicAlias
        );
        if alone && draw.percent(percent) {
            dictionary::usual(id, draw, &mut list);
        }
    }
    list
}

/// A CONNECT.
pub fn connect(version: Version, draw: &mut Draw) -> Connect {
    let mut properties = properties(version, Place::Packet(PacketType::Connect), 12, draw);
    if version == Version::V5 && draw.percent(3) {
        dictionary::usual(PropertyId::AuthenticationMethod, draw, &mut properties);
    }
    let user_name = draw.percent(10).then(|| "user".to_owned());
    let password = (user_name.is_some() && draw.percent(70)).then(|| b"secret".to_vec());
    Connect {
        client_id: None,
        clean_start: draw.percent(50),
        keep_alive: *draw.one(&[0, 0, 60, 60, 10, u16::MAX]),
        user_name,
        password,
        will: draw.percent(25).then(|| will(version, draw)),
        properties,
    }
}

fn will(version: Version, draw: &mut Draw) -> Will {
    Will {
        topic: dictionary::topic(draw).to_owned(),
        payload: format!("gone{}", draw.below(1_000_000)).into_bytes(),
        qos: qos(draw),
        retain: draw.percent(30),
        properties: properties(version, Place::Will, 12, draw),
    }
}

fn publish(version: Version, mark: usize, draw: &mut Draw) -> Send {
    let mut properties = properties(version, Place::Packet(PacketType::Publish), 8, draw);
    let mut topic = dictionary::topic(draw);
    if version == Version::V5 && draw.percent(10) {
        dictionary::usual(PropertyId::TopicAlias, draw, &mut properties);
        // An alias that nobody has set is a Protocol Error, and well-formed.
        if draw.percent(40) {
            topic = "";
        }
    }
    let payload = if draw.percent(8) { String::new() } else { format!("m{mark}.{}", draw.below(1_000_000)) };
    Send::Publish {
        topic: topic.to_owned(),
        payload: payload.into_bytes(),
        qos: qos(draw),
        retain: draw.percent(25),
        dup: false,
        id: None,
        properties,
    }
}

fn subscribe(version: Version, draw: &mut Draw) -> Send {
    let v5 = version == Version::V5;
    let count = if draw.percent(75) { 1 } else { 1 + draw.below(3) };
    let filters = (0..count).map(|_| {
        let filter = dictionary::filter(draw, v5);
        let mut options = SubscriptionOptions::qos(qos(draw));
        if v5 {
            // [5.0/MQTT-3.8.3-4]
            options.no_local = !filter.starts_with("$share/") && draw.percent(20);
            options.retain_as_published = draw.percent(25);
            options.retain_handling =
                *draw.one(&[RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend]);
        }
        (filter.to_owned(), options)
    });
    let filters = filters.collect();
    Send::Subscribe {
        id: None,
        filters,
        properties: properties(version, Place::Packet(PacketType::Subscribe), 20, draw),
    }
}

fn unsubscribe(version: Version, draw: &mut Draw) -> Send {
    let filters =
        (0..1 + draw.below(2)).map(|_| dictionary::filter(draw, version == Version::V5).to_owned()).collect();
    let properties = properties(version, Place::Packet(PacketType::Unsubscribe), 10, draw);
    Send::Unsubscribe { id: None, filters, properties }
}

/// An acknowledgement that may belong to nothing.
fn ack(version: Version, draw: &mut Draw) -> Send {
    let packet =
        *draw.one(&[PacketType::Puback, PacketType::Pubrec, PacketType::Pubrel, PacketType::Pubcomp]);
    let released = matches!(packet, PacketType::Pubrel | PacketType::Pubcomp);
    let reason = match (version, draw.below(4)) {
        (Version::V5, 0) if released => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        (Version::V5, 0) => ReasonCode::UNSPECIFIED_ERROR,
        _ => ReasonCode::SUCCESS,
    };
    let properties = properties(version, Place::Packet(packet), 10, draw);
    Send::Ack { packet, id: 1 + draw.below(3) as u16, reason, properties }
}

fn disconnect(version: Version, draw: &mut Draw) -> Send {
    let with_will = version == Version::V5 && draw.percent(40);
    let reason = if with_will { ReasonCode::DISCONNECT_WITH_WILL_MESSAGE } else { ReasonCode::SUCCESS };
    let mut properties = PropertyList::new();
    if version == Version::V5 && draw.percent(20) {
        properties.push(Property::ReasonString("bye"));
    }
    Send::Disconnect { reason, properties }
}
