//! The targets that run the reference broker: whatever clients send, it does not panic, it says nothing that is
//! malformed, and no rule accuses it.

use arbitrary::Unstructured;
use core::time::Duration;
use mqtt_assay_broker_model::rules;
use mqtt_assay_broker_model::workload::{Draw, Workload};
use mqtt_assay_broker_model::{Broker, ConnectionId, Input, Output, Policy, direct};
use mqtt_assay_codec::{Connect, Decoder, Packet, Receiver, Version};
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::generate::Generator;
use mqtt_assay_fuzz_engine::mutate::{Level, mutate_on};

/// The versions of the connections, by their numbers; the last one has to say its CONNECT itself.
const VERSIONS: [Option<Version>; 4] = [Some(Version::V5), Some(Version::V3_1_1), Some(Version::V3_1), None];

/// One connection, and what the broker has said on it.
#[derive(Default)]
struct Line {
    id: Option<ConnectionId>,
    said: Vec<u8>,
}

/// A broker with four clients.
struct Stage {
    broker: Broker,
    now: Duration,
    last: u64,
    lines: [Line; 4],
}

impl Stage {
    fn give(&mut self, input: Input<'_>) {
        self.broker.handle(self.now, input);
        while let Some(output) = self.broker.poll() {
            let (id, bytes) = match output {
                Output::Send(id, bytes) => (id, Some(bytes)),
                Output::Close(id) => (id, None),
            };
            let place = self.lines.iter().position(|line| line.id == Some(id));
            let Some(place) = place else { panic!("an answer on a connection that is closed") };
            match bytes {
                Some(bytes) => self.lines[place].said.extend(bytes),
                None => self.close(place),
            }
        }
    }

    /// The connection is over: what was said on it is looked at.
    fn close(&mut self, place: usize) {
        let line = core::mem::take(&mut self.lines[place]);
        // Who says CONNECT itself may have said any version.
        let versions = VERSIONS[place].map_or(vec![Version::V5, Version::V3_1_1, Version::V3_1], |v| vec![v]);
        let strict = versions.iter().any(|version| is_strict(&line.said, *version));
        assert!(strict, "{versions:?}: {:02x?}", line.said);
    }

    /// The connection of this number, opened if it is not there.
    fn open(&mut self, place: usize) -> ConnectionId {
        if let Some(id) = self.lines[place].id {
            return id;
        }
        self.last += 1;
        let id = ConnectionId(self.last);
        self.lines[place].id = Some(id);
        self.give(Input::Opened(id));
        if let Some(version) = VERSIONS[place] {
            let mut bytes = Vec::new();
            let connect = Connect {
                clean_start: self.last.is_multiple_of(2),
                ..Connect::new(version, ["a", "b", "c", "d"][place])
            };
            Packet::Connect(connect).encode(version, &mut bytes).expect("a CONNECT");
            self.give(Input::Received(id, &bytes));
        }
        id
    }
}

/// Whether all of it is well-formed packets, whole ones.
fn is_strict(mut bytes: &[u8], version: Version) -> bool {
    let decoder = Decoder::new(version, Receiver::Client);
    while !bytes.is_empty() {
        match decoder.next(bytes) {
            Ok(Some((_, length))) => bytes = &bytes[length..],
            _ => return false,
        }
    }
    true
}

/// Four clients say anything. A byte chooses the client (`byte % 4`) and what comes (`byte / 4`): 0 the end of its
/// connection, 63 a second that passes, anything else so many bytes from it.
pub fn broker_bytes(data: &[u8]) {
    let mut stage = Stage {
        broker: Broker::new(Policy::default(), 1),
        now: Duration::ZERO,
        last: 0,
        lines: Default::default(),
    };
    let mut rest = data;
    while let Some((&choice, after)) = rest.split_first() {
        rest = after;
        let place = usize::from(choice % 4);
        match choice / 4 {
            0 => {
                if let Some(id) = stage.lines[place].id {
                    stage.close(place);
                    stage.broker.handle(stage.now, Input::Closed(id));
                    // What it does because of that is another's affair.
                    while let Some(output) = stage.broker.poll() {
                        if let Output::Send(to, bytes) = output
                            && let Some(line) = stage.lines.iter_mut().find(|line| line.id == Some(to))
                        {
                            line.said.extend(bytes);
                        }
                    }
                }
            }
            63 => {
                stage.now += Duration::from_secs(1);
                if stage.broker.deadline().is_some_and(|at| at <= stage.now) {
                    stage.give(Input::Timer);
                }
            }
            length => {
                let (bytes, after) = rest.split_at(usize::from(length).min(rest.len()));
                rest = after;
                let id = stage.open(place);
                if stage.lines[place].id == Some(id) {
                    stage.give(Input::Received(id, bytes));
                }
            }
        }
    }
    for place in 0..stage.lines.len() {
        stage.close(place);
    }
}

/// The case that an input stands for: the text of a script, as campaigns keep them; or a seed for a generated case,
/// and behind it pairs of a level and a seed for its mutations.
pub fn case(data: &[u8]) -> Option<Case> {
    if let Some(case) = core::str::from_utf8(data).ok().and_then(|text| text.parse().ok()) {
        return Some(case);
    }
    let mut input = Unstructured::new(data);
    let generator = Generator::default();
    let mut case = generator.case(&mut Draw::new(input.arbitrary().ok()?));
    while !input.is_empty() {
        let level = input.choose(&Level::ALL).ok()?;
        let mut draw = Draw::new(input.arbitrary::<u32>().ok()?.into());
        let other = generator.case(&mut draw);
        case = mutate_on(*level, &case, &other, &generator, &mut draw);
    }
    Some(case)
}

/// A script on the event heap, judged by all rules.
pub fn broker_script(data: &[u8]) {
    let Some(case) = case(data) else { return };
    let played = direct::play(case.script().clone(), Broker::new(Policy::default(), 1));
    let found = rules::judge(&played.history, Workload::BOUNDS).accusations;
    assert!(found.is_empty(), "{found:#?}\n{case}");
}
