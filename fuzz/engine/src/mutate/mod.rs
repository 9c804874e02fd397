//! Changes to cases, on five levels. Whatever is changed, a case can still be written and read back.

mod bytes;
mod field;
mod interleave;
mod sequence;
mod timing;

use crate::case::Case;
use crate::generate::Generator;
use mqtt_assay_broker_model::history::ClientNo;
use mqtt_assay_broker_model::script::{Action, Script, Send, Step};
use mqtt_assay_broker_model::workload::Draw;
use mqtt_assay_codec::{PacketId, Version};

/// What is changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// A field of a packet: to a limit of its values, or just past it.
    Field,
    /// The bytes of a packet, its lengths among them.
    Bytes,
    /// Which packets come, and in which order.
    Sequence,
    /// How several clients and their connections meet, and sessions outlive them.
    Interleaving,
    /// When bytes come, in how many pieces, and how a connection ends.
    Timing,
}

impl Level {
    /// All levels.
    pub const ALL: [Level; 5] =
        [Level::Field, Level::Bytes, Level::Sequence, Level::Interleaving, Level::Timing];
}

/// So many mutations of one case are tried until one can be written.
const ATTEMPTS: usize = 8;

/// Changes a case on one to four levels; `other` gives what is spliced in.
///
/// Now and then the answer is the case itself: not everything can be changed.
pub fn mutate(case: &Case, other: &Case, generator: &Generator, draw: &mut Draw) -> Case {
    for _ in 0..ATTEMPTS {
        let mut script = case.script().clone();
        for _ in 0..1 + draw.below(4) {
            let level = *draw.one(&Level::ALL);
            change(level, &mut script, other.script(), generator, draw);
        }
        if script != *case.script()
            && let Some(mutated) = Case::new(script)
        {
            return mutated;
        }
    }
    case.clone()
}

/// Changes a case on this level only.
pub fn mutate_on(level: Level, case: &Case, other: &Case, generator: &Generator, draw: &mut Draw) -> Case {
    for _ in 0..ATTEMPTS {
        let mut script = case.script().clone();
        change(level, &mut script, other.script(), generator, draw);
        if script != *case.script()
            && let Some(mutated) = Case::new(script)
        {
            return mutated;
        }
    }
    case.clone()
}

fn change(level: Level, script: &mut Script, other: &Script, generator: &Generator, draw: &mut Draw) {
    // Without clients there is nothing to change.
    if script.clients.is_empty() {
        return;
    }
    match level {
        Level::Field => field::change(script, draw),
        Level::Bytes => bytes::change(script, draw),
        Level::Sequence => sequence::change(script, other, generator, draw),
        Level::Interleaving => interleave::change(script, other, draw),
        Level::Timing => timing::change(script, draw),
    }
}

/// A client of the script.
fn any_client(script: &Script, draw: &mut Draw) -> ClientNo {
    ClientNo(draw.below(script.clients.len()) as u16)
}

/// The places of the steps in which something is sent.
fn sends(script: &Script) -> Vec<usize> {
    let is_send = |place: &usize| matches!(script.steps[*place], Step::Client(_, Action::Send(..)));
    (0..script.steps.len()).filter(is_send).collect()
}

/// The bytes that a step sends: with the Packet Identifier `id`, where the script leaves it to the client.
fn sent_bytes(script: &Script, step: &Step, id: u16) -> Option<Vec<u8>> {
    let Step::Client(client, Action::Send(send, _)) = step else { return None };
    let of = script.clients.get(client.index())?;
    send.encode(of.version, of.identifier(), PacketId::new(id)?)
}

/// The place of some step, or the end.
fn any_place(script: &Script, draw: &mut Draw) -> usize {
    draw.below(script.steps.len() + 1)
}

/// The version that a step's client speaks.
fn version_of(script: &Script, client: ClientNo) -> Version {
    script.clients.get(client.index()).map_or(Version::V5, |client| client.version)
}

/// The step that sends these bytes.
fn raw(client: ClientNo, bytes: Vec<u8>) -> Step {
    Step::Client(client, Action::Send(Send::Raw(bytes), Vec::new()))
}

/// What a client says first: it opens a connection and sends these bytes as its CONNECT, before any step of its own.
fn open_raw(script: &mut Script, client: ClientNo, bytes: Vec<u8>) {
    let opening = [Step::Client(client, Action::Open), raw(client, bytes)];
    let first = script.steps.iter().position(|step| matches!(step, Step::Client(of, _) if *of == client));
    let place = first.unwrap_or(script.steps.len());
    script.steps.splice(place..place, opening);
}
