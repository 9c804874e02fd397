//! Strategies for scripts: every construct, and texts that may be taken for something else.

use core::time::Duration;
use mqtt_assay_broker_model::history::{ClientNo, Fault, How, Memory};
use mqtt_assay_broker_model::script::{
    Action, Client, Connect, Network, Pattern, Script, Send, Step, Timed, Timely, Will,
};
use mqtt_assay_codec::generate::{self, Owned, OwnedConnect};
use mqtt_assay_codec::{PacketType, Qos, ReasonCode, Receiver, Version, raw};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::LazyLock;

/// A script that can be written, with up to four clients.
pub(crate) fn script() -> impl Strategy<Value = Script> {
    let clients = vec(generate::version(), 0..5);
    (any::<u64>(), network(), clients, any::<bool>()).prop_flat_map(|(seed, network, versions, plain)| {
        let seed = if plain { 0 } else { seed };
        let clients: Vec<_> =
            versions.iter().enumerate().map(|(index, version)| client(index, *version)).collect();
        (Just(seed), Just(network), clients, vec(step(&versions), 0..12), vec(timed(versions.len()), 0..4))
            .prop_map(|(seed, network, clients, steps, schedule)| Script {
                seed,
                network,
                clients,
                steps,
                schedule,
            })
    })
}

fn network() -> impl Strategy<Value = Network> {
    let network = (duration(), duration(), 0..101u8, 0..101u8).prop_map(|(a, b, split, merge)| Network {
        delay_min: a.min(b),
        delay_max: a.max(b),
        split_percent: split,
        merge_percent: merge,
    });
    prop_oneof![Just(Network::default()), network]
}

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..5_000u64).prop_map(Duration::from_millis),
        (0..5u64).prop_map(Duration::from_secs),
        (0..=u64::from(u32::MAX) * 1_000_000_000).prop_map(Duration::from_nanos),
    ]
}

fn client(index: usize, version: Version) -> impl Strategy<Value = Client> {
    ("[a-zA-Z][a-zA-Z0-9_]{0,14}", connect(version), any::<bool>()).prop_map(
        move |(name, connect, acknowledges)| Client {
            name: format!("{name}_{index}"),
            version,
            connect,
            acknowledges,
        },
    )
}

/// A text, more often than not one that may be taken for something else.
fn text() -> impl Strategy<Value = String> {
    let tricky = [
        "",
        "#",
        "#x",
        "+",
        "*",
        "|",
        ",",
        "a,",
        ",a",
        "(a)",
        "(",
        "a=b",
        "qos=1",
        "=",
        "id=7",
        "0x00",
        "none",
        "closed",
        "within",
        "\"",
        "\\",
        "\\x00",
        "a b",
        "a\tb",
        "a\nb",
        "a\0b",
        "é",
        "e\u{301}",
        "\u{200B}",
        "\u{A0}",
        "\u{FEFF}",
        "!",
        ">",
        "<",
        "$share/g/#",
    ];
    let run =
        (select(&["x", "é", "/", "\0"][..]), 60..70usize).prop_map(|(piece, times)| piece.repeat(times));
    prop_oneof![3 => generate::topic_filter(true), 2 => generate::text(), 3 => select(tricky.to_vec()).prop_map(String::from), 1 => run]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        text().prop_map(String::into_bytes),
        vec(any::<u8>(), 0..12),
        (any::<u8>(), 60..70usize).prop_map(|(byte, length)| [byte].repeat(length)),
    ]
}

fn connect(version: Version) -> impl Strategy<Value = Connect> {
    let packet = generate::packet(version, Receiver::Server);
    (packet, option::of(text()), option::of(text()), option::of(data()), any::<bool>()).prop_map(
        |(packet, client_id, user_name, password, clean_start)| match packet {
            Owned::Connect(packet) => own(packet, client_id),
            // Most of the generator's packets are no CONNECT.
            _ => Connect { client_id, clean_start, user_name, password, ..Connect::default() },
        },
    )
}

fn own(packet: OwnedConnect, client_id: Option<String>) -> Connect {
    Connect {
        client_id,
        clean_start: packet.clean_start,
        keep_alive: packet.keep_alive,
        user_name: packet.user_name,
        password: packet.password,
        will: packet.will.map(|will| Will {
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties,
        }),
        properties: packet.properties,
    }
}

fn step(versions: &[Version]) -> impl Strategy<Value = Step> + use<> {
    let broker = prop_oneof![Just(Fault::Crash), memory().prop_map(Fault::Restart)].prop_map(Step::Broker);
    let wait = duration().prop_map(Step::Wait);
    if versions.is_empty() {
        return prop_oneof![wait, broker].boxed();
    }
    let actions: Vec<_> = versions
        .iter()
        .enumerate()
        .map(|(index, version)| {
            action(*version).prop_map(move |action| Step::Client(ClientNo(index as u16), action)).boxed()
        })
        .collect();
    prop_oneof![1 => wait, 1 => broker, 12 => select(actions).prop_flat_map(|action| action)].boxed()
}

fn memory() -> impl Strategy<Value = Memory> {
    select(&[Memory::Kept, Memory::Lost, Memory::Unknown][..])
}

fn how() -> impl Strategy<Value = How> {
    select(&[How::Fin, How::Reset, How::Silently][..])
}

fn fault() -> impl Strategy<Value = Fault> {
    select(&[Fault::Stall, Fault::Unstall, Fault::Hold, Fault::Release][..])
}

fn timed(clients: usize) -> impl Strategy<Value = Timed> {
    let broker = prop_oneof![Just(Fault::Crash), memory().prop_map(Fault::Restart)]
        .prop_map(|fault| (ClientNo::NOBODY, Timely::Fault(fault)));
    let hit = prop_oneof![fault().prop_map(Timely::Fault), how().prop_map(Timely::Cut)];
    let hit = (0..clients.max(1) as u16, hit).prop_map(|(client, fault)| (ClientNo(client), fault));
    let one = if clients == 0 { broker.boxed() } else { prop_oneof![broker, hit].boxed() };
    (duration(), one).prop_map(|(at, (client, fault))| Timed { at, client, fault })
}

/// A code that the version has.
fn reason(version: Version) -> impl Strategy<Value = ReasonCode> {
    let codes = if version == Version::V5 { ReasonCode::ALL } else { &[ReasonCode::SUCCESS] };
    select(codes)
}

fn action(version: Version) -> impl Strategy<Value = Action> {
    let plain = [Action::Connect(None), Action::Open, Action::Barrier, Action::Settle, Action::HalfClose];
    let expect = (vec(pattern(), 1..4), option::of(duration()))
        .prop_map(|(any_of, within)| Action::Expect { any_of, within });
    let segments = prop_oneof![3 => Just(Vec::new()), 1 => vec(1..300usize, 1..4)];
    prop_oneof![
        2 => select(plain.to_vec()),
        1 => connect(version).prop_map(|connect| Action::Connect(Some(connect))),
        6 => (send(version), segments).prop_map(|(send, segments)| Action::Send(send, segments)),
        4 => expect,
        1 => pattern().prop_map(Action::Absent),
        1 => reason(version).prop_map(Action::Acknowledge),
        1 => fault().prop_map(Action::Fault),
        1 => how().prop_map(Action::Cut),
    ]
}

/// The names of cases, for each version: making them takes longer than the rest of a script.
static BROKEN: LazyLock<[Vec<String>; 3]> = LazyLock::new(|| {
    [Version::V3_1, Version::V3_1_1, Version::V5]
        .map(|version| raw::cases(version, Receiver::Server).into_iter().map(|case| case.name).collect())
});

fn send(version: Version) -> impl Strategy<Value = Send> {
    let broken = BROKEN[version as usize].as_slice();
    let packet = (generate::packet(version, Receiver::Server), option::of(any::<u16>()), option::of(text()));
    prop_oneof![
        6 => packet.prop_map(|(packet, id, text)| sent(packet, id, text)),
        1 => vec(any::<u8>(), 0..20).prop_map(Send::Raw),
        1 => select(broken).prop_map(Send::Broken),
    ]
}

/// The packet as a script has it, with another identifier, and with another text where one fits.
pub(crate) fn sent(packet: Owned, id: Option<u16>, text: Option<String>) -> Send {
    match packet {
        Owned::Connect(connect) => Send::Connect(own(connect, text)),
        Owned::Publish(p) => Send::Publish {
            topic: text.unwrap_or(p.topic),
            payload: p.payload,
            qos: p.qos,
            retain: p.retain,
            dup: p.dup,
            id,
            properties: p.properties,
        },
        Owned::Ack { packet, reason, properties, .. } => {
            Send::Ack { packet, id: id.unwrap_or(0), reason, properties }
        }
        Owned::Subscribe { list, properties, .. } => {
            let mut filters: Vec<_> = list.view().iter().map(|s| (s.filter.to_owned(), s.options)).collect();
            if let (Some(text), Some(last)) = (text, filters.last_mut()) {
                last.0 = text;
            }
            Send::Subscribe { id, filters, properties }
        }
        Owned::Unsubscribe { list, properties, .. } => {
            let filters = list.view().iter().map(str::to_owned).chain(text).collect();
            Send::Unsubscribe { id, filters, properties }
        }
        Owned::Reason { packet: PacketType::Auth, reason, properties } => Send::Auth { reason, properties },
        Owned::Reason { reason, properties, .. } => Send::Disconnect { reason, properties },
        _ => Send::Pingreq,
    }
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let publish = (
        option::of(text()),
        option::of(data()),
        option::of(select(&Qos::ALL[..])),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        option::of(any::<u16>()),
    );
    let acks = [PacketType::Puback, PacketType::Pubrec, PacketType::Pubrel, PacketType::Pubcomp];
    let code = || option::of(any::<u8>());
    let codes = || (option::of(any::<u16>()), option::of(vec(any::<u8>(), 0..4)));
    prop_oneof![
        (code(), option::of(any::<bool>()))
            .prop_map(|(code, session_present)| Pattern::Connack { code, session_present }),
        publish.prop_map(|(topic, payload, qos, retain, dup, id)| Pattern::Publish {
            topic,
            payload,
            qos,
            retain,
            dup,
            id
        }),
        (select(acks.to_vec()), option::of(any::<u16>()), code())
            .prop_map(|(packet, id, reason)| Pattern::Ack { packet, id, reason }),
        codes().prop_map(|(id, codes)| Pattern::Suback { id, codes }),
        codes().prop_map(|(id, codes)| Pattern::Unsuback { id, codes }),
        Just(Pattern::Pingresp),
        code().prop_map(|reason| Pattern::Disconnect { reason }),
        code().prop_map(|reason| Pattern::Auth { reason }),
        Just(Pattern::Closed),
    ]
}
