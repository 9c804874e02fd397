//! The text form of scripts: what is written reads back, every text ends in a script or in errors, and packets look
//! as the codec shows them.

mod page;
mod strategy;

use mqtt_assay_broker_model::history::ClientNo;
use mqtt_assay_broker_model::script::text::{self, MAX_CLIENTS, MAX_STEPS, MAX_TEXT, parse, print};
use mqtt_assay_broker_model::script::{Action, Client, Connect, Pattern, Script, Send, Step};
use mqtt_assay_broker_model::workload::Workload;
use mqtt_assay_codec::generate::{self, Owned};
use mqtt_assay_codec::{Qos, Receiver, Version, describe, raw};
use proptest::prelude::*;
use proptest::sample::Index;
use std::path::Path;

proptest! {
    #[test]
    fn what_is_printed_reads_back(script in strategy::script()) {
        let printed = print(&script);
        match parse(&printed) {
            Ok(again) => {
                prop_assert_eq!(&again, &script, "{}", printed);
                prop_assert_eq!(print(&again), printed);
            }
            Err(errors) => prop_assert!(false, "{printed}\n{errors}"),
        }
    }

    #[test]
    fn any_text_ends_in_a_script_or_in_errors(text in "\\PC{0,40}(\n\\PC{0,40}){0,3}") {
        prop_assert!(text::laws_hold(&text));
    }

    #[test]
    fn any_words_end_in_a_script_or_in_errors(words in prop::collection::vec(word(), 0..40)) {
        prop_assert!(text::laws_hold(&words.join(" ")));
    }

    #[test]
    fn a_changed_script_ends_in_a_script_or_in_errors(
        script in strategy::script(),
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), word(), 0..4), 1..4),
    ) {
        let mut characters: Vec<char> = print(&script).chars().collect();
        for (at, other, word, kind) in changes {
            let at = at.index(characters.len() + 1);
            let other = other.index(characters.len() + 1);
            let range = at.min(other)..at.max(other).min(at.min(other) + 8);
            match kind {
                0 => drop(characters.splice(at..at, word.chars())),
                1 => drop(characters.drain(range)),
                2 => drop(characters.splice(range, word.chars())),
                _ => {
                    let copy = characters[range].to_vec();
                    drop(characters.splice(at..at, copy));
                }
            }
        }
        let text: String = characters.into_iter().collect();
        prop_assert!(text::laws_hold(&text));
        // Errors can be shown, whatever they are about.
        if let Err(errors) = parse(&text) {
            prop_assert!(!errors.to_string().is_empty());
        }
    }

    /// A script's packet is what the log of a run shows, unless that is cut or could be taken for something else.
    #[test]
    fn packets_look_as_the_codec_shows_them(
        packet in prop_oneof![Just(Version::V3_1_1), Just(Version::V5)]
            .prop_flat_map(|version| (Just(version), generate::packet(version, Receiver::Server)))
    ) {
        let (version, packet) = packet;
        let shown = describe::line(&packet.packet(), version);
        let id = match &packet {
            Owned::Publish(p) => p.packet_id,
            Owned::Ack { packet_id, .. } | Owned::Subscribe { packet_id, .. } | Owned::Unsubscribe { packet_id, .. } => {
                Some(*packet_id)
            }
            _ => None,
        };
        if matches!(packet, Owned::Connect(_)) || shown.contains('…') {
            return Ok(());
        }
        let client = Client { name: "c".into(), version, connect: Connect::default(), acknowledges: true };
        let send = Action::Send(strategy::sent(packet, id.map(Into::into), None), Vec::new());
        let steps = vec![Step::Client(ClientNo(0), send)];
        let printed = print(&Script { clients: vec![client], steps, ..Script::default() });
        let (_, printed) = printed.trim_end().split_once("c  > ").expect("the step");
        // What the log shows bare may need quotes here: then it is the same without them.
        let bare = |text: &str| text.replace(['"', '\\'], "");
        prop_assert_eq!(bare(printed), bare(&shown));
        let quotes = |text: &str| text.matches('"').count();
        prop_assert!(quotes(printed) >= quotes(&shown));
    }
}

/// A word of the language, or one that is nearly one.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "\n",
        "\n",
        "\n",
        "\n",
        "#",
        "mqtt",
        "5",
        "3.1.1",
        "seed",
        "7",
        "network",
        "delay=1..20ms",
        "split=20%",
        "client",
        "a",
        "a",
        "a",
        "b",
        "at",
        "1.5",
        "s",
        "ms",
        "2s",
        "wait",
        "until",
        "broker",
        "crash",
        "restart",
        "kept",
        ">",
        ">",
        "<",
        "<",
        "!",
        "|",
        ",",
        ", within 4 s",
        "PUBLISH",
        "SUBSCRIBE",
        "CONNECT",
        "PUBACK",
        "SUBACK",
        "AUTH",
        "DISCONNECT",
        "CONNACK",
        "raw",
        "c000",
        "c0",
        "broken",
        "connect",
        "cut",
        "hold",
        "open",
        "acknowledge",
        "t",
        "a/+",
        "\"x\"",
        "\"\"",
        "\"x\"*70",
        "\"k\":\"v\"",
        "\"",
        "\\",
        "qos=1",
        "qos=",
        "id=7",
        "retain=1",
        "dup=1",
        "0x00",
        "0x87",
        "(Not authorized)",
        "(",
        "will=t \"p\"",
        "delay=0",
        "session_expiry=9",
        "user_property=\"k\":\"v\"",
        "split=1,3",
        "mqtt=3.1.1",
        "acks=manual",
        "none",
        "*",
        "closed",
        "=",
        "é",
        "\u{200B}",
        "\t",
        "\r",
    ];
    prop_oneof![9 => prop::sample::select(words.to_vec()).prop_map(String::from), 1 => "\\PC{0,4}"]
}

/// Large texts, made of what the parser has to look at again and again if it is careless.
#[test]
fn large_texts_take_linear_time() {
    let fill = |head: &str, piece: &str, tail: &str| {
        let times = (MAX_TEXT / 16 - head.len() - tail.len()) / piece.len();
        format!("{head}{}{tail}", piece.repeat(times))
    };
    for (head, piece, tail) in [
        ("", "\n", ""),
        ("", " ", ""),
        ("", "\"", ""),
        ("", "(", ""),
        ("", "a=\"\" ", ""),
        ("client a\na > raw ", "c0 ", ""),
        ("client a\na > raw c0 split=", "1,", "1"),
        ("client a\na > UNSUBSCRIBE ", "a ", ""),
        ("client a\na > SUBSCRIBE ", "a qos=1 ", ""),
        ("client a\na > PUBLISH t \"\" ", "user_property=\"\":\"\" ", ""),
        ("client a\na > PUBLISH t \"", "\\u{200b}", "\""),
        ("client a\na > PUBLISH t \"", "\\", ""),
        ("client a\na < ", "closed | ", "closed"),
        ("client a\na < SUBACK ", "0x00 ", ""),
        ("client a\n", "a > broken nothing\n", ""),
        ("client a\n", "a open\n", ""),
        ("", "x\n", ""),
        ("", "client \"", ""),
    ] {
        let text = fill(head, piece, tail);
        if let Err(errors) = parse(&text) {
            assert!(errors.to_string().len() < 50_000, "{head}{piece}");
        }
    }
}

#[test]
fn limits_are_told() {
    let first = |text: &str| parse(text).unwrap_err().all()[0].message().to_owned();
    assert!(first(&" ".repeat(MAX_TEXT + 1)).contains("at most"));
    let clients: String = (0..=MAX_CLIENTS).map(|n| format!("client c{n}\n")).collect();
    assert!(first(&clients).contains("at most"));
    assert!(first(&format!("client a\n{}", "a open\n".repeat(MAX_STEPS + 1))).contains("at most"));
    assert!(first("client a\na > PUBLISH t \"x\"*16777217").contains("at most"));
    assert!(first("client a\na > PUBLISH t \"xx\"*99999999999999999999999").contains("number"));
    assert!(first("client a client_id=\"x\"*65536").contains("at most"));
    assert_eq!(parse("client a client_id=\"x\"*65535").map(|_| ()), Ok(()));
}

/// The sketch that the language was made from.
const LAMP: &str = r#"
# Will after a power cut, seen by a persistent subscriber.
mqtt 5
client watcher  clean_start=1 session_expiry=60
client lamp     clean_start=1 keep_alive=2 will="lamps/1/status" "gone" qos=1 delay=0

watcher  > SUBSCRIBE lamps/+/status qos=1
watcher  < SUBACK 0x01
lamp     cut silently              # half-open: nothing reaches the broker any more
wait     until watcher < PUBLISH lamps/1/status "gone" qos=1, within 4 s   # 1.5 x keep alive + 1 s
"#;

#[test]
fn the_sketch_reads_as_it_is_meant() {
    let script = parse(LAMP).unwrap();
    let will = script.clients[1].connect.will.as_ref().unwrap();
    assert_eq!(
        (will.topic.as_str(), will.payload.as_slice(), will.qos),
        ("lamps/1/status", &b"gone"[..], Qos::AtLeastOnce)
    );
    assert_eq!(will.properties.view().will_delay_interval(), Some(0));
    assert_eq!(script.clients[0].connect.properties.view().session_expiry_interval(), Some(60));
    let Step::Client(ClientNo(0), Action::Expect { any_of, within }) = &script.steps[3] else {
        panic!("{:?}", script.steps[3]);
    };
    assert_eq!(within.unwrap().as_secs(), 4);
    assert!(matches!(&any_of[..], [Pattern::Publish { qos: Some(Qos::AtLeastOnce), retain: None, .. }]));
    snapshot("script_lamp", &print(&script));
}

#[test]
fn generated_workloads_read_back() {
    for seed in 0..300 {
        let script = Workload::default().script(seed);
        let printed = print(&script);
        assert_eq!(parse(&printed).as_ref(), Ok(&script), "{printed}");
    }
}

#[test]
fn every_broken_packet_can_be_named() {
    for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
        let client = Client { name: "c".into(), version, connect: Connect::default(), acknowledges: true };
        let step =
            |case: raw::Case| Step::Client(ClientNo(0), Action::Send(Send::Broken(case.name), Vec::new()));
        let steps = raw::cases(version, Receiver::Server).into_iter().map(step).collect();
        let script = Script { clients: vec![client], steps, ..Script::default() };
        assert_eq!(parse(&print(&script)).unwrap(), script);
    }
}

/// A script that cannot be written is printed all the same, and does not read back.
#[test]
fn steps_of_nobody_are_printed() {
    let steps = vec![Step::Client(ClientNo(7), Action::Open)];
    let printed = print(&Script { steps, ..Script::default() });
    assert!(parse(&printed).is_err(), "{printed}");
}

/// One line with one flaw each, under clients that are right.
const FLAWS: &[&str] = &[
    "lamb > PINGREQ",
    "\"lamp\" > PINGREQ",
    "lamp",
    "lamp sends PINGREQ",
    "lamp > PUBLSH t \"x\"",
    "lamp > SUBACK 0x00",
    "lamp > PUBLISH t x",
    "lamp > PUBLISH t \"x\" qos=3",
    "lamp > PUBLISH t \"x\" qos=1 qos=1",
    "lamp > PUBLISH t \"x\" session_expiry=5",
    "lamp > PUBLISH t \"x\" topic_alias=65536",
    "lamp > PUBLISH t \"x\" user_property=k",
    "lamp > PUBLISH t \"x\" content_type=\"\\xff\"",
    "lamp > PUBLISH t \"x\" message_expiry_interval=5 message_expiry=6",
    "lamp > PUBLISH t \"x, qos=1",
    "lamp > PUBLISH t \"a\\qb\"",
    "lamp > PUBLISH t \"x\"qos=1",
    "lamp > PUBLISH a\"b \"x\"",
    "lamp > PUBLISH a\u{200B}b \"x\"",
    "lamp > PUBLISH (t \"x\"",
    "lamp > PUBLISH t \"x\" split=0",
    "lamp > PUBLISH t \"x\", within 4 s",
    "lamp > SUBSCRIBE # qos=1",
    "lamp > SUBSCRIBE qos=1 a",
    "lamp > PUBACK",
    "lamp > PUBACK id=7 0x1G",
    "lamp > PUBACK id=7 0x87 (Banned)",
    "lamp > AUTH",
    "lamp > raw c0 0",
    "lamp > broken packet-identifier-zero/publsh",
    "lamp < PUBLISH t \"x\" message_expiry_interval=3",
    "lamp < PUBREL | CONNECT",
    "lamp < SUBACK 0x00 within 4 s",
    "lamp < SUBACK 0x00, within 4",
    "lamp < SUBACK 0x00, within 4 h",
    "lamp < SUBACK 0x00, in 4 s",
    "lamp ! closed | PINGRESP",
    "lamp barrier now",
    "lamp cut hard",
    "lamp acknowledge twice",
    "lamp connect clean=1",
    "lamp connect will_qos=1",
    "lamp connect will=t qos=1",
    "old > AUTH 0x18",
    "old > PUBLISH t \"x\" message_expiry_interval=5",
    "old > SUBSCRIBE t qos=1 no_local=1",
    "old > DISCONNECT 0x04",
    "old acknowledge 0x83",
    "at 3 lamp hold",
    "at 3 s lamp crash",
    "at 3 s broker hold",
    "wait",
    "wait 1.0000000001 s",
    "wait 5000000000 s",
    "wait until lamp > PINGREQ",
    "broker restart forgetful",
    "seed 8",
];

/// Header and clients, wrong in themselves.
const WRONG_HEADERS: &[&str] = &[
    "mqtt 4",
    "mqtt 5 please",
    "seed -1",
    "seed 7\nseed 8",
    "network delay=20..1ms",
    "network split=120%",
    "network loss=5%",
    "client 1st",
    "client wait",
    "client lamp\nclient lamp",
    "client lamp\nlamp open\nclient watcher",
    "client lamp session_expiry=60 mqtt=3.1.1",
    "client lamp acks=never",
    "client lamp keep_alive=2s",
    "client lamp sesion_expiry=60",
    "clients lamp",
];

#[test]
fn errors_say_what_is_wrong_and_what_is_allowed() {
    let mut shown = String::new();
    let mut show = |text: &str| {
        let errors = parse(text).expect_err(text);
        assert_eq!(errors.all().len(), 1, "{text}: {errors}");
        shown += &format!("{errors}\n\n");
    };
    for flaw in FLAWS {
        show(&format!("client lamp\nclient old mqtt=3.1.1\n{flaw}"));
    }
    WRONG_HEADERS.iter().for_each(|text| show(text));
    snapshot("script_errors", &shown);
}

#[test]
fn all_errors_of_a_text_are_told() {
    let errors =
        parse("client lamp keep_alive=x\n\nlamp > PING\nlamp opens # really\nlamp open").unwrap_err();
    let places: Vec<_> = errors.all().iter().map(|error| (error.line(), error.column())).collect();
    assert_eq!(places, [(1, 24), (3, 8), (4, 6)]);
}

#[test]
fn an_error_in_a_long_line_shows_its_surroundings() {
    let long = "x".repeat(500);
    let errors =
        parse(&format!("client lamp\nlamp > PUBLISH t \"{long}\" qos=9 user_property=\"{long}\":\"\""));
    snapshot("script_error_in_long_line", &errors.unwrap_err().to_string());
}

/// Compares with the file of this name in the repository's `snapshots` folder.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
