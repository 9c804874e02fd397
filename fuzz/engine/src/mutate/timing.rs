//! When bytes come, in how many pieces, and how a connection ends.

use super::{any_client, any_place, raw, sends, sent_bytes};
use core::time::Duration;
use mqtt_assay_broker_model::history::{Fault, How};
use mqtt_assay_broker_model::script::{Action, Network, Script, Step};
use mqtt_assay_broker_model::workload::Draw;

/// Pauses: short enough that thousands of cases can be played, long enough that a broker sees two arrivals.
const PAUSES_MS: [u64; 5] = [1, 5, 20, 50, 200];

/// Changes how what is sent comes to the broker, or how what the broker sends is taken.
pub(super) fn change(script: &mut Script, draw: &mut Draw) {
    match draw.below(10) {
        0 | 1 => split(script, draw),
        2 => merge(script, draw),
        3 => break_off(script, draw),
        4 => hesitate(script, draw),
        5 => around(script, Fault::Stall, Fault::Unstall, draw),
        6 => around(script, Fault::Hold, Fault::Release, draw),
        7 => {
            let end = match draw.below(4) {
                0 => Action::HalfClose,
                1 => Action::Cut(How::Fin),
                2 => Action::Cut(How::Reset),
                _ => Action::Cut(How::Silently),
            };
            let client = any_client(script, draw);
            let place = any_place(script, draw);
            script.steps.insert(place, Step::Client(client, end));
        }
        8 => {
            let pause = pause(draw);
            let place = any_place(script, draw);
            script.steps.insert(place, pause);
        }
        _ => {
            let longest = *draw.one(&PAUSES_MS);
            script.network = Network {
                delay_min: Duration::ZERO,
                delay_max: Duration::from_millis(longest),
                split_percent: *draw.one(&[0, 30, 100]),
                merge_percent: *draw.one(&[0, 30, 100]),
            };
        }
    }
}

fn pause(draw: &mut Draw) -> Step {
    Step::Wait(Duration::from_millis(*draw.one(&PAUSES_MS)))
}

/// A place where something is sent, and the bytes.
fn any_send(script: &Script, draw: &mut Draw) -> Option<(usize, Vec<u8>)> {
    let places = sends(script);
    if places.is_empty() {
        return None;
    }
    let place = *draw.one(&places);
    let bytes = sent_bytes(script, &script.steps[place], 1 + draw.below(3) as u16)?;
    Some((place, bytes))
}

/// A packet comes in several segments; byte by byte perhaps.
fn split(script: &mut Script, draw: &mut Draw) {
    let Some((place, bytes)) = any_send(script, draw) else { return };
    let Step::Client(_, Action::Send(_, segments)) = &mut script.steps[place] else { return };
    *segments = match draw.below(3) {
        0 => vec![1; bytes.len().clamp(1, 32)],
        1 => vec![1 + draw.below(bytes.len())],
        _ => (0..1 + draw.below(4)).map(|_| 1 + draw.below(bytes.len())).collect(),
    };
}

/// Two packets that a client sends one after the other come in one piece.
fn merge(script: &mut Script, draw: &mut Draw) {
    let Some((place, mut bytes)) = any_send(script, draw) else { return };
    let Step::Client(client, _) = script.steps[place] else { return };
    let is_next = |step: &Step| matches!(step, Step::Client(of, Action::Send(..)) if *of == client);
    let Some(next) = script.steps[place + 1..].iter().position(is_next) else { return };
    let next = place + 1 + next;
    let Some(more) = sent_bytes(script, &script.steps[next], 4) else { return };
    bytes.extend(more);
    script.steps.remove(next);
    script.steps[place] = raw(client, bytes);
}

/// The connection ends in the middle of a packet, at any byte.
fn break_off(script: &mut Script, draw: &mut Draw) {
    let Some((place, mut bytes)) = any_send(script, draw) else { return };
    let Step::Client(client, _) = script.steps[place] else { return };
    bytes.truncate(1 + draw.below(bytes.len()));
    let end = match draw.below(4) {
        0 => Action::Cut(How::Fin),
        1 => Action::HalfClose,
        _ => Action::Cut(How::Reset),
    };
    script.steps.splice(place..=place, [raw(client, bytes), Step::Client(client, end)]);
}

/// A pause in the middle of a packet.
fn hesitate(script: &mut Script, draw: &mut Draw) {
    let Some((place, bytes)) = any_send(script, draw) else { return };
    let Step::Client(client, _) = script.steps[place] else { return };
    let at = draw.below(bytes.len());
    let (head, tail) = bytes.split_at(at);
    script.steps.splice(place..=place, [raw(client, head.to_vec()), pause(draw), raw(client, tail.to_vec())]);
}

/// A client does not read for a while, or the network holds everything back; now and then for good.
fn around(script: &mut Script, begin: Fault, end: Fault, draw: &mut Draw) {
    let client = any_client(script, draw);
    let from = any_place(script, draw);
    script.steps.insert(from, Step::Client(client, Action::Fault(begin)));
    if draw.percent(85) {
        let to = from + 1 + draw.below(script.steps.len() - from);
        script.steps.insert(to, Step::Client(client, Action::Fault(end)));
    }
}
