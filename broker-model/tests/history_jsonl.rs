//! Histories as JSON lines: what is written reads back, and what is no history is told.

use core::time::Duration;
use mqtt_assay_broker_model::history::{
    ClientNo, Event, Fault, History, How, Memory, Recorder, Side, What, jsonl,
};
use mqtt_assay_broker_model::simulate::Setup;
use mqtt_assay_codec::{Version, generate};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What happens, owning its bytes.
#[derive(Clone, Debug)]
enum Happened {
    Other(What<'static>),
    Bytes(u8, Vec<u8>),
}

impl Happened {
    fn what(&self) -> What<'_> {
        match self {
            Happened::Other(what) => *what,
            Happened::Bytes(0, bytes) => What::Wrote(bytes),
            Happened::Bytes(1, bytes) => What::Read(bytes),
            Happened::Bytes(2, bytes) => What::Sent(bytes),
            Happened::Bytes(3, bytes) => What::Received(bytes),
            Happened::Bytes(_, bytes) => What::Unframed(bytes),
        }
    }
}

fn happened() -> impl Strategy<Value = Happened> {
    let faults = [Fault::Stall, Fault::Unstall, Fault::Hold, Fault::Release, Fault::Crash];
    let memories = [Memory::Kept, Memory::Lost, Memory::Unknown].map(Fault::Restart);
    let ended = (select(vec![Side::Client, Side::Server]), select(vec![How::Fin, How::Reset, How::Silently]));
    let packets = (generate::version(), generate::receiver())
        .prop_flat_map(|(version, receiver)| generate::near_miss(version, receiver));
    prop_oneof![
        generate::version().prop_map(|version| Happened::Other(What::Attempted(version))),
        select(vec![What::Opened, What::Failed, What::Finished]).prop_map(Happened::Other),
        ended.prop_map(|(side, how)| Happened::Other(What::Ended(side, how))),
        select([&faults[..], &memories].concat()).prop_map(|fault| Happened::Other(What::Fault(fault))),
        any::<Duration>().prop_map(|time| Happened::Other(What::Waited(time))),
        (0..5u8, vec(any::<u8>(), 0..20)).prop_map(|(kind, bytes)| Happened::Bytes(kind, bytes)),
        (2..4u8, packets).prop_map(|(kind, bytes)| Happened::Bytes(kind, bytes)),
    ]
}

prop_compose! {
    fn history()(
        clients in vec(".{0,6}", 0..4),
        events in vec((any::<Duration>(), prop_oneof![0..4u16, any::<u16>()], 0..3u32, happened()), 0..20),
    ) -> History {
        let mut history = History::new(clients);
        for (at, client, connection, happened) in &events {
            let (at, client, connection) = (*at, ClientNo(*client), *connection);
            history.record(Event { at, client, connection, what: happened.what() });
        }
        history
    }
}

#[track_caller]
fn reads_back(history: &History) {
    let text = jsonl::print(history);
    let again = jsonl::parse(&text).unwrap();
    assert_eq!(again.clients(), history.clients());
    assert!(again.iter().eq(history.iter()), "{text}");
    assert_eq!(again.digest(), history.digest());
    assert_eq!(jsonl::print(&again), text);
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(history in history()) {
        reads_back(&history);
    }

    #[test]
    fn any_text_ends_in_a_history_or_in_an_error(text in "\\PC{0,40}(\n\\PC{0,40}){0,3}") {
        drop(jsonl::parse(&text));
    }

    #[test]
    fn a_changed_history_is_no_history(history in history(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let text = jsonl::print(&history);
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        // What is for people only, and space, may change.
        if let Ok(again) = jsonl::parse(&String::from_utf8_lossy(&bytes)) {
            let same = again.digest() == history.digest();
            let undigested = String::from_utf8_lossy(&bytes).lines().next() != text.lines().next();
            prop_assert!(same || undigested);
        }
    }
}

#[test]
fn simulated_histories_read_back() {
    for seed in 0..20 {
        reads_back(&Setup::default().run(seed).played.history);
    }
}

/// One of each kind; the connection speaks 5.0.
fn sample() -> History {
    let mut recorder = Recorder::new(["lamp", "watcher"]);
    let lamp = ClientNo(0);
    let at = Duration::from_micros(1_500);
    recorder.attempted(at, lamp, 1, Version::V5);
    recorder.answered(at, lamp, 1, true);
    recorder.wrote(at, lamp, 1, b"\xC0\x00\x30\x07\x00\x01t\x00o");
    recorder.wrote(at, lamp, 1, b"nn");
    recorder.read(at, lamp, 1, b"\xD0\x00\x20\x03\x00\x87\x00\x30\xFF\xFF\xFF\xFF");
    recorder.fault(at, ClientNo::NOBODY, 0, Fault::Restart(Memory::Lost));
    recorder.ended(at, lamp, 1, Side::Server, How::Reset);
    recorder.attempted(at, ClientNo(1), 1, Version::V3_1_1);
    recorder.answered(at, ClientNo(1), 1, false);
    recorder.fault(at, ClientNo(1), 1, Fault::Hold);
    recorder.waited(at, ClientNo::NOBODY, Duration::from_secs(4));
    recorder.finish(Duration::from_secs(6))
}

#[test]
fn the_lines_of_a_history() {
    reads_back(&sample());
    snapshot("history_jsonl", &jsonl::print(&sample()));
}

#[test]
fn errors_name_the_line() {
    let text = jsonl::print(&sample());
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let shown: String = [
        String::new(),
        "{}".into(),
        "mqtt 5".into(),
        changed("history", "story"),
        changed("\"version\":1", "\"version\":2"),
        changed("{\"at_ns\":6000000000,\"what\":\"finished\"}\n", ""),
        changed("c000", "c00"),
        changed(",\"bytes\":\"c000\"", ""),
        changed("\"side\":\"server\"", "\"side\":\"broker\""),
        changed("\"how\":\"reset\"", "\"hoe\":\"reset\""),
        changed("\"memory\":\"lost\"", "\"memory\":\"none\""),
        changed("\"fault\":\"hold\"", "\"fault\":\"halt\""),
        changed("\"mqtt\":\"3.1.1\"", "\"mqtt\":\"4\""),
        changed("\"what\":\"waited\"", "\"what\":\"slept\""),
        changed("\"what\":\"waited\",", ""),
        changed("\"at_ns\":6000000000", "\"at_ns\":-1"),
        changed("\"at_ns\":6000000000,", ""),
        changed("\"client\":1", "\"client\":70000"),
        changed("finished\"}", "finished\""),
    ]
    .iter()
    .map(|text| format!("{}\n", jsonl::parse(text).expect_err(text)))
    .collect();
    snapshot("history_jsonl_errors", &shown);
}

/// Without its digest a history can be changed by hand; fields of later writers do no harm.
#[test]
fn a_history_changed_by_hand_is_read() {
    let text = "{\"format\":\"mqtt-assay history\",\"version\":1,\"clients\":[\"a\"]}\n\
                { \"what\": \"opened\", \"at_ns\": 7, \"client\": 0, \"connection\": 1, \"weather\": \"rain\" }\n";
    let history = jsonl::parse(text).unwrap();
    let event = Event { at: Duration::from_nanos(7), client: ClientNo(0), connection: 1, what: What::Opened };
    assert!(history.iter().eq([event]));
}

/// Compares with the file of this name in the repository's `snapshots` folder.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
