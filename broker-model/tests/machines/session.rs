//! A session, from nothing to its end.

use super::common::*;
use super::{Machine, snapshot, word};
use mqtt_assay_codec::{
    Connect, Disconnect, Packet, Properties, Property, PropertyList, ReasonCode, Version,
};

/// One Client Identifier and its connections, the last of which is the present one.
struct Subject {
    version: Version,
    connections: Vec<Client>,
}

fn outputs(w: &mut World, subject: &mut Subject) -> Vec<String> {
    let mut words = Vec::new();
    for (place, &client) in subject.connections.iter().enumerate() {
        let old = if place + 1 < subject.connections.len() { "old connection: " } else { "" };
        words.extend(w.all(client).iter().map(|got| format!("{old}{}", word(got))));
    }
    if words.iter().any(|word| word == "closes") {
        subject.connections.clear();
    }
    words
}

/// Connects with Clean Start or without, to a session that ends with the connection or after 60 seconds.
fn connect(w: &mut World, subject: &mut Subject, clean_start: bool, outlives: bool) {
    let version = subject.version;
    let list = PropertyList::new().with(Property::SessionExpiryInterval(60));
    let properties = if outlives && version == Version::V5 { list.view() } else { Properties::NONE };
    let connect = Connect { clean_start, properties, ..Connect::new(version, "subject") };
    let client = w.try_connect(&connect);
    subject.connections.push(client);
}

fn cut(w: &mut World, subject: &mut Subject) {
    if let Some(client) = subject.connections.pop() {
        w.cut(client);
    }
}

fn disconnect(w: &mut World, subject: &mut Subject, reason: ReasonCode, expiry: Option<u32>) {
    if let Some(&client) = subject.connections.last() {
        let list: PropertyList = expiry.map(Property::SessionExpiryInterval).into_iter().collect();
        let disconnect = Disconnect { properties: list.view(), ..Disconnect::new(reason) };
        w.send(client, &Packet::Disconnect(disconnect));
    }
}

type Way = fn(&mut World, &mut Subject);

fn probe(w: &mut World, subject: &mut Subject) -> &'static str {
    outputs(w, subject);
    let here = !subject.connections.is_empty();
    cut(w, subject);
    connect(w, subject, false, true);
    let answer = outputs(w, subject);
    match (here, answer.iter().any(|word| word.ends_with("session_present=1"))) {
        (true, true) => "connected, outlives the connection",
        (true, false) => "connected, ends with the connection",
        (false, true) => "stored",
        (false, false) => "none",
    }
}

#[test]
fn in_5_0() {
    let machine = Machine {
        title: "5.0: a session (3.1.2.4, 3.1.2.11.2, 3.14.2.2.2, 4.1)",
        begin: || (World::new(), Subject { version: Version::V5, connections: Vec::new() }),
        states: vec![
            ("none", |_, _| {}),
            ("connected, ends with the connection", |w, s| connect(w, s, true, false)),
            ("connected, outlives the connection", |w, s| connect(w, s, true, true)),
            ("stored", |w, s| {
                connect(w, s, true, true);
                cut(w, s);
            }),
        ],
        inputs: vec![
            ("CONNECT clean_start=1", |w: &mut World, s: &mut Subject| connect(w, s, true, false)),
            ("CONNECT clean_start=1 expiry=60", |w, s| connect(w, s, true, true)),
            ("CONNECT clean_start=0", |w, s| connect(w, s, false, false)),
            ("CONNECT clean_start=0 expiry=60", |w, s| connect(w, s, false, true)),
            ("connection lost", cut as Way),
            ("DISCONNECT 0x00", |w, s| disconnect(w, s, ReasonCode::SUCCESS, None)),
            ("DISCONNECT 0x00 expiry=0", |w, s| disconnect(w, s, ReasonCode::SUCCESS, Some(0))),
            ("59 s pass", |w, _| w.wait(59.0)),
            ("61 s pass", |w, _| w.wait(61.0)),
        ],
        outputs,
        probe,
    };
    snapshot("machine_session_5", &[machine.picture()]);
}

#[test]
fn in_3_1_1() {
    let machine = Machine {
        title: "3.1.1: a session (3.1.2.4, 4.1)",
        begin: || (World::new(), Subject { version: Version::V3_1_1, connections: Vec::new() }),
        states: vec![
            ("none", |_, _| {}),
            ("connected, ends with the connection", |w, s| connect(w, s, true, false)),
            ("connected, outlives the connection", |w, s| connect(w, s, false, true)),
            ("stored", |w, s| {
                connect(w, s, false, true);
                cut(w, s);
            }),
        ],
        inputs: vec![
            ("CONNECT clean_session=1", |w: &mut World, s: &mut Subject| connect(w, s, true, false)),
            ("CONNECT clean_session=0", |w, s| connect(w, s, false, true)),
            ("connection lost", cut as Way),
            ("DISCONNECT", |w, s| disconnect(w, s, ReasonCode::SUCCESS, None)),
            ("a day passes", |w, _| w.wait(86_400.0)),
        ],
        outputs,
        probe,
    };
    snapshot("machine_session_3_1_1", &[machine.picture()]);
}
