//! Which packets come, and in which order.

use super::{any_client, any_place, version_of};
use crate::generate::{self, Generator};
use mqtt_assay_broker_model::history::ClientNo;
use mqtt_assay_broker_model::script::{Action, Script, Send, Step, broken_groups};
use mqtt_assay_broker_model::workload::Draw;

/// Takes steps away, doubles, moves, adds or exchanges them.
pub(super) fn change(script: &mut Script, other: &Script, generator: &Generator, draw: &mut Draw) {
    let count = script.steps.len();
    let at = draw.below(count);
    let run = 1 + draw.below(count.saturating_sub(at).clamp(1, 5));
    let end = (at + run).min(count);
    match draw.below(10) {
        0 => drop(script.steps.drain(at..end)),
        1 => {
            let copy = script.steps[at..end].to_vec();
            let place = any_place(script, draw);
            drop(script.steps.splice(place..place, copy));
        }
        2 if count > 0 => {
            let again = vec![script.steps[at].clone(); 1 + draw.below(20)];
            drop(script.steps.splice(at..at, again));
        }
        3 if count > 1 => script.steps.swap(at, draw.below(count)),
        4 => {
            let moved: Vec<Step> = script.steps.drain(at..end).collect();
            let place = any_place(script, draw);
            drop(script.steps.splice(place..place, moved));
        }
        5 => break_rule(script, draw),
        6 => second_connect(script, draw),
        7 => exchange(script, other, draw),
        _ => {
            let client = any_client(script, draw);
            let steps = generator.steps(client, &script.clients[client.index()], count, draw);
            let place = any_place(script, draw);
            drop(script.steps.splice(place..place, steps));
        }
    }
}

/// Adds a packet that breaks one rule: as the first of a connection, or in its course.
fn break_rule(script: &mut Script, draw: &mut Draw) {
    let client = any_client(script, draw);
    // By the rule first: some are broken by hundreds of packets.
    let group = draw.one(broken_groups(version_of(script, client)));
    let (opening, name) = draw.one(group);
    let send = Step::Client(client, Action::Send(Send::Broken(name.clone()), Vec::new()));
    let place = any_place(script, draw);
    if *opening {
        script.steps.splice(place..place, [Step::Client(client, Action::Open), send]);
    } else {
        script.steps.insert(place, send);
    }
}

/// Adds a CONNECT on a connection that is there. [3.1.1/MQTT-3.1.0-2] [5.0/MQTT-3.1.0-2]
fn second_connect(script: &mut Script, draw: &mut Draw) {
    let client = any_client(script, draw);
    let connect = if draw.percent(50) {
        script.clients[client.index()].connect.clone()
    } else {
        generate::connect(version_of(script, client), draw)
    };
    let place = any_place(script, draw);
    script.steps.insert(place, Step::Client(client, Action::Send(Send::Connect(connect), Vec::new())));
}

/// Puts steps of another case in, for clients of the same version.
fn exchange(script: &mut Script, other: &Script, draw: &mut Draw) {
    if other.steps.is_empty() {
        return;
    }
    let from = draw.below(other.steps.len());
    let to = (from + 1 + draw.below(12)).min(other.steps.len());
    let mut steps = Vec::new();
    for step in &other.steps[from..to] {
        match step {
            Step::Client(client, action) => {
                let version = version_of(other, *client);
                let mine =
                    (0..script.clients.len()).filter(|place| script.clients[*place].version == version);
                let mine: Vec<usize> = mine.collect();
                if let Some(place) = mine.get(client.index() % mine.len().max(1)) {
                    steps.push(Step::Client(ClientNo(*place as u16), action.clone()));
                }
            }
            step => steps.push(step.clone()),
        }
    }
    let place = any_place(script, draw);
    script.steps.splice(place..place, steps);
}
