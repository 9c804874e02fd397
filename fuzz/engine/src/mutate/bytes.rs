//! Bytes of packets: flipped, lost, doubled; lengths that lie.

use super::{any_client, open_raw, raw, sends, sent_bytes};
use mqtt_assay_broker_model::script::{Action, Script, Send, Step};
use mqtt_assay_broker_model::workload::Draw;
use mqtt_assay_codec::raw as wire;

/// Bytes that are limits of something.
const INTERESTING: [u8; 12] = [0, 1, 2, 3, 4, 0x10, 0x7F, 0x80, 0xC0, 0xE0, 0xFE, 0xFF];

/// Changes the bytes of one packet, which is sent as it is from then on.
pub(super) fn change(script: &mut Script, draw: &mut Draw) {
    let places = sends(script);
    if places.is_empty() || draw.percent(20) {
        return change_connect(script, draw);
    }
    let place = *draw.one(&places);
    let id = 1 + draw.below(3) as u16;
    let Some(mut bytes) = sent_bytes(script, &script.steps[place], id) else { return };
    let donor = *draw.one(&places);
    let donor = sent_bytes(script, &script.steps[donor], id).unwrap_or_default();
    for _ in 0..1 + draw.below(3) {
        damage(&mut bytes, &donor, draw);
    }
    frame(&mut bytes, draw);
    if let Step::Client(_, Action::Send(send, _)) = &mut script.steps[place] {
        *send = Send::Raw(bytes);
    }
}

/// Changes the bytes of a CONNECT: of one that a step sends, or of a client's first.
fn change_connect(script: &mut Script, draw: &mut Draw) {
    let is_connect = |place: &usize| matches!(script.steps[*place], Step::Client(_, Action::Connect(_)));
    let places: Vec<usize> = (0..script.steps.len()).filter(is_connect).collect();
    let place = (!places.is_empty()).then(|| *draw.one(&places));
    let (client, said) = match place.map(|place| &script.steps[place]) {
        Some(Step::Client(client, Action::Connect(said))) => (*client, said.clone()),
        _ => (any_client(script, draw), None),
    };
    let of = &script.clients[client.index()];
    let said = said.unwrap_or_else(|| of.connect.clone());
    let Some(mut bytes) = said.encode(of.version, of.identifier()) else { return };
    for _ in 0..1 + draw.below(2) {
        damage(&mut bytes, &[], draw);
    }
    frame(&mut bytes, draw);
    match place {
        Some(place) => {
            script.steps.splice(place..=place, [Step::Client(client, Action::Open), raw(client, bytes)]);
        }
        None if script.connects_first(client) => open_raw(script, client, bytes),
        None => {}
    }
}

/// Does one thing to the bytes of a packet.
fn damage(bytes: &mut Vec<u8>, donor: &[u8], draw: &mut Draw) {
    if bytes.is_empty() {
        return bytes.extend((0..1 + draw.below(8)).map(|_| draw.any() as u8));
    }
    let at = draw.below(bytes.len());
    let length = 1 + draw.below((bytes.len() - at).min(16));
    match draw.below(13) {
        0 => bytes[at] ^= 1 << draw.below(8),
        1 => bytes[at] = *draw.one(&INTERESTING),
        2 => bytes[at] = draw.any() as u8,
        3 => bytes.insert(at, *draw.one(&INTERESTING)),
        4 => drop(bytes.drain(at..at + length)),
        5 => {
            let copy = bytes[at..at + length].to_vec();
            drop(bytes.splice(at..at, copy));
        }
        6 => bytes.truncate(at),
        7 => bytes.extend((0..length).map(|_| draw.any() as u8)),
        // The fixed header: another packet, other flags.
        8 => bytes[0] = bytes[0] & 0x0F | (draw.below(16) as u8) << 4,
        9 => bytes[0] = bytes[0] & 0xF0 | draw.below(16) as u8,
        10 => remaining_length(bytes, draw),
        11 => inner_length(bytes, at, draw),
        _ => {
            // The head of this packet and the tail of another.
            let from = draw.below(donor.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&donor[from..]);
        }
    }
}

/// Half of what was changed is a whole packet again: its Remaining Length tells how many bytes there are. Otherwise a
/// broker would see little but packets that do not end where they should.
fn frame(bytes: &mut Vec<u8>, draw: &mut Draw) {
    if bytes.len() > 1 && draw.percent(50) {
        tell_length(bytes, wire::variable);
    }
}

/// Gives a packet another Remaining Length, made from how many bytes there are.
fn tell_length(bytes: &mut Vec<u8>, told: impl FnOnce(u32) -> Vec<u8>) {
    let field = bytes[1..].iter().take(4).take_while(|byte| **byte >= 0x80).count() + 1;
    let body = bytes.len().saturating_sub(1 + field);
    let end = (1 + field).min(bytes.len());
    bytes.splice(1..end, told(body as u32));
}

/// Another Remaining Length: one off, none, as many bytes as there are or more, or more bytes than it may have.
fn remaining_length(bytes: &mut Vec<u8>, draw: &mut Draw) {
    tell_length(bytes, |body| match draw.below(8) {
        0 => wire::variable(body + 1),
        1 => wire::variable(body.saturating_sub(1)),
        2 => vec![0],
        3 => vec![0xFF, 0xFF, 0xFF, 0x7F],
        4 => vec![0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        // Not the shortest form.
        5 => vec![body as u8 | 0x80, 0x00],
        6 => vec![0x80, 0x80, 0x80, 0x80],
        _ => wire::variable(draw.below(300) as u32),
    });
}

/// Two bytes as a length: one off, nothing, or all that they can tell.
fn inner_length(bytes: &mut [u8], at: usize, draw: &mut Draw) {
    let Some(field) = bytes.get_mut(at..at + 2) else { return };
    let length = u16::from_be_bytes([field[0], field[1]]);
    let length = match draw.below(5) {
        0 => length.wrapping_add(1),
        1 => length.wrapping_sub(1),
        2 => 0,
        3 => u16::MAX,
        _ => 0x7FFF,
    };
    field.copy_from_slice(&length.to_be_bytes());
}
