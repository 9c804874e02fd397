//! How several clients and their connections meet, and sessions that outlive them.

use super::{any_client, any_place};
use crate::case::MAX_CLIENTS;
use mqtt_assay_broker_model::history::{ClientNo, How};
use mqtt_assay_broker_model::script::{Action, Client, Script, Step};
use mqtt_assay_broker_model::workload::Draw;
use mqtt_assay_codec::{Property, Version};

/// Changes who meets whom, and when.
pub(super) fn change(script: &mut Script, other: &Script, draw: &mut Draw) {
    match draw.below(6) {
        0 => shuffle(script, draw),
        1 => share_identifier(script, draw),
        2 => outlive(script, draw),
        3 => double(script, draw),
        4 => merge(script, other, draw),
        _ => part(script, draw),
    }
}

/// Puts two sequences together, each in its own order.
fn weave(first: Vec<Step>, second: Vec<Step>, draw: &mut Draw) -> Vec<Step> {
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    let mut woven = Vec::new();
    loop {
        let next = match (first.peek(), second.peek()) {
            (Some(_), Some(_)) if draw.percent(50) => first.next(),
            (_, Some(_)) => second.next(),
            (Some(_), None) => first.next(),
            (None, None) => return woven,
        };
        woven.extend(next);
    }
}

/// Another interleaving of one client's steps with those of all others.
fn shuffle(script: &mut Script, draw: &mut Draw) {
    let client = any_client(script, draw);
    let is_own = |step: &Step| matches!(step, Step::Client(of, _) if *of == client);
    let (own, others) = core::mem::take(&mut script.steps).into_iter().partition(is_own);
    script.steps = weave(own, others, draw);
}

/// One client calls itself as another does: they take over from each other.
fn share_identifier(script: &mut Script, draw: &mut Draw) {
    let of = any_client(script, draw);
    let identifier = script.clients[of.index()].identifier().to_owned();
    let client = any_client(script, draw);
    if client != of {
        script.clients[client.index()].connect.client_id = Some(identifier);
    }
}

/// A client leaves and comes back to its session.
fn outlive(script: &mut Script, draw: &mut Draw) {
    let client = any_client(script, draw);
    let Client { connect, version, .. } = &mut script.clients[client.index()];
    let has_expiry = connect.properties.view().session_expiry_interval().is_some();
    connect.clean_start = *version == Version::V5 && draw.percent(50);
    if *version == Version::V5 && !has_expiry {
        connect.properties.push(Property::SessionExpiryInterval(*draw.one(&[1, 60, u32::MAX])));
    }
    let mut again = connect.clone();
    again.clean_start = draw.percent(15);
    let how = *draw.one(&[How::Fin, How::Reset, How::Silently]);
    let leaves = any_place(script, draw);
    script.steps.insert(leaves, Step::Client(client, Action::Cut(how)));
    let comes = leaves + 1 + draw.below(script.steps.len() - leaves);
    script.steps.insert(comes, Step::Client(client, Action::Connect(Some(again))));
}

/// A second client does what one does.
fn double(script: &mut Script, draw: &mut Draw) {
    let of = any_client(script, draw);
    let copy = script.clients[of.index()].clone();
    let Some(client) = add(script, copy) else { return };
    let own = script.steps.iter().filter_map(|step| match step {
        Step::Client(who, action) if *who == of => Some(Step::Client(client, action.clone())),
        _ => None,
    });
    let own = own.collect();
    let steps = core::mem::take(&mut script.steps);
    script.steps = weave(steps, own, draw);
}

/// The clients of another case do what they do there, at the same time.
fn merge(script: &mut Script, other: &Script, draw: &mut Draw) {
    if script.clients.len() + other.clients.len() > MAX_CLIENTS {
        return;
    }
    let numbers: Vec<_> = other.clients.iter().filter_map(|client| add(script, client.clone())).collect();
    let steps = other.steps.iter().map(|step| match step {
        Step::Client(client, action) => {
            Step::Client(numbers.get(client.index()).copied().unwrap_or(*client), action.clone())
        }
        step => step.clone(),
    });
    let steps = steps.collect();
    let own = core::mem::take(&mut script.steps);
    script.steps = weave(own, steps, draw);
}

/// A client goes, with all that it does.
fn part(script: &mut Script, draw: &mut Draw) {
    if script.clients.len() < 2 {
        return;
    }
    let gone = any_client(script, draw);
    script.clients.remove(gone.index());
    let keep = |of: ClientNo| {
        (of != gone).then_some(if of > gone && of != ClientNo::NOBODY { ClientNo(of.0 - 1) } else { of })
    };
    script.steps.retain(|step| !matches!(step, Step::Client(of, _) if *of == gone));
    for step in &mut script.steps {
        if let Step::Client(of, _) = step {
            *of = keep(*of).unwrap_or(*of);
        }
    }
    script.schedule = script
        .schedule
        .iter()
        .filter_map(|timed| {
            keep(timed.client).map(|client| mqtt_assay_broker_model::script::Timed { client, ..*timed })
        })
        .collect();
}

/// Adds a client, under a name that nobody has; it keeps its Client Identifier only if that is its own.
fn add(script: &mut Script, mut client: Client) -> Option<ClientNo> {
    if script.clients.len() >= MAX_CLIENTS {
        return None;
    }
    let number = ClientNo(script.clients.len() as u16);
    let free = |name: &String| script.client(name).is_none();
    client.name = (0..).map(|count| format!("c{}", script.clients.len() + count)).find(free)?;
    script.clients.push(client);
    Some(number)
}
