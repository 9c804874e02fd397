//! A network connection, from its opening to its end.

use super::common::*;
use super::{Machine, snapshot, word};
use mqtt_assay_broker_model::auth;
use mqtt_assay_codec::{Auth, Connect, Disconnect, Packet, Property, PropertyList, ReasonCode, Version};

struct Subject {
    client: Client,
    /// Authentication Data of the last AUTH.
    nonce: Vec<u8>,
    /// The CONNECT has named a method.
    method: bool,
}

fn begin(version: Version) -> (World, Subject) {
    let mut w = World::new();
    let client = w.open(version);
    (w, Subject { client, nonce: Vec::new(), method: false })
}

fn outputs(w: &mut World, subject: &mut Subject) -> Vec<String> {
    let all = w.all(subject.client);
    for got in &all {
        if let Got::Auth(_, properties) = got {
            subject.nonce = properties.view().authentication_data().unwrap_or_default().to_vec();
        }
    }
    all.iter().map(word).collect()
}

type Way = fn(&mut World, &mut Subject);

fn connect(w: &mut World, subject: &mut Subject) {
    let connect = Connect { keep_alive: 10, ..Connect::new(subject.client.version, "subject") };
    w.send(subject.client, &Packet::Connect(connect));
}

fn connect_with_method(w: &mut World, subject: &mut Subject) {
    subject.method = true;
    let list = PropertyList::new().with(Property::AuthenticationMethod(auth::METHOD));
    let connect = Connect {
        keep_alive: 10,
        properties: list.view(),
        ..Connect::new(subject.client.version, "subject")
    };
    w.send(subject.client, &Packet::Connect(connect));
}

fn send_auth(w: &mut World, subject: &mut Subject, reason: ReasonCode, secret: &[u8]) {
    outputs(w, subject);
    let data = auth::answer(&subject.nonce, secret);
    let list = PropertyList::new()
        .with(Property::AuthenticationMethod(auth::METHOD))
        .with(Property::AuthenticationData(&data));
    w.send(subject.client, &Packet::Auth(Auth { reason, properties: list.view() }));
}

fn serve_with_method(w: &mut World, subject: &mut Subject) {
    connect_with_method(w, subject);
    send_auth(w, subject, ReasonCode::CONTINUE_AUTHENTICATION, b"assay");
}

fn probe(w: &mut World, subject: &mut Subject) -> &'static str {
    let mut asked = outputs(w, subject);
    w.send(subject.client, &Packet::Pingreq);
    asked.extend(outputs(w, subject));
    match asked.last().map(String::as_str) {
        Some("PINGRESP") => {}
        // Before CONNACK a PINGREQ ends the connection, with a CONNACK if there was a CONNECT.
        Some("closes") if asked.len() > 1 => return "authenticates",
        Some("closes") => return "awaits CONNECT",
        _ => return "closed",
    }
    if !subject.method {
        return "served";
    }
    // The answer to a challenge is expected only where there was one.
    send_auth(w, subject, ReasonCode::CONTINUE_AUTHENTICATION, b"assay");
    match outputs(w, subject).first().map(String::as_str) {
        Some("AUTH 0x00") => "authenticates again",
        Some("DISCONNECT 0x82") => "served, with a method",
        other => panic!("no answer to an answer: {other:?}"),
    }
}

fn common_inputs() -> Vec<(&'static str, Way)> {
    vec![
        ("CONNECT", connect),
        ("PINGREQ", |w, s| w.send(s.client, &Packet::Pingreq)),
        ("a malformed packet", |w, s| w.bytes(s.client, b"\x00\x00")),
        ("DISCONNECT", |w, s| w.send(s.client, &Packet::Disconnect(Disconnect::new(ReasonCode::SUCCESS)))),
        ("9 s pass", |w, _| w.wait(9.0)),
        ("16 s pass", |w, _| w.wait(16.0)),
    ]
}

#[test]
fn in_5_0() {
    let mut inputs = common_inputs();
    inputs.insert(1, ("CONNECT with a method", connect_with_method));
    inputs.insert(
        2,
        ("AUTH 0x18, right", |w, s| send_auth(w, s, ReasonCode::CONTINUE_AUTHENTICATION, b"assay")),
    );
    inputs.insert(
        3,
        ("AUTH 0x18, wrong", |w, s| send_auth(w, s, ReasonCode::CONTINUE_AUTHENTICATION, b"essay")),
    );
    inputs.insert(4, ("AUTH 0x19", |w, s| send_auth(w, s, ReasonCode::RE_AUTHENTICATE, b"assay")));
    let machine = Machine {
        title: "5.0: a connection (3.1, 3.14, 4.12, 4.13); Keep Alive 10",
        begin: || begin(Version::V5),
        states: vec![
            ("awaits CONNECT", |_, _| {}),
            ("authenticates", connect_with_method),
            ("served", connect),
            ("served, with a method", serve_with_method),
            ("authenticates again", |w, s| {
                serve_with_method(w, s);
                send_auth(w, s, ReasonCode::RE_AUTHENTICATE, b"assay");
            }),
            ("closed", |w, s| w.bytes(s.client, b"\x00\x00")),
        ],
        inputs,
        outputs,
        probe,
    };
    snapshot("machine_connection_5", &[machine.picture()]);
}

#[test]
fn in_3_1_1() {
    let machine = Machine {
        title: "3.1.1: a connection (3.1, 3.14, 4.8); Keep Alive 10",
        begin: || begin(Version::V3_1_1),
        states: vec![
            ("awaits CONNECT", |_, _| {}),
            ("served", connect),
            ("closed", |w, s| w.bytes(s.client, b"\x00\x00")),
        ],
        inputs: common_inputs(),
        outputs,
        probe,
    };
    snapshot("machine_connection_3_1_1", &[machine.picture()]);
}
