//! Fields of packets: to limits of their values, and just past them.
//!
//! What the form of a field cannot tell (a QoS of 3, reserved flags) is the business of the bytes and of the packets
//! that break one rule.

use super::any_client;
use crate::dictionary;
use mqtt_assay_broker_model::script::{Action, Connect, Script, Send, Step};
use mqtt_assay_broker_model::workload::Draw;
use mqtt_assay_codec::property::Place;
use mqtt_assay_codec::{PacketType, PropertyList, Qos, ReasonCode, RetainHandling, Version};

/// Changes one field of one packet.
pub(super) fn change(script: &mut Script, draw: &mut Draw) {
    let places: Vec<usize> = (0..script.steps.len())
        .filter(|place| {
            matches!(script.steps[*place], Step::Client(_, Action::Send(..) | Action::Connect(Some(_))))
        })
        .collect();
    // A client's own line is a packet, too.
    if places.is_empty() || draw.percent(25) {
        let client = any_client(script, draw);
        let client = &mut script.clients[client.index()];
        return connect(&mut client.connect, client.version, draw);
    }
    let place = *draw.one(&places);
    let Step::Client(client, _) = script.steps[place] else { return };
    let version = super::version_of(script, client);
    match &mut script.steps[place] {
        Step::Client(_, Action::Send(send, _)) => packet(send, version, draw),
        Step::Client(_, Action::Connect(Some(said))) => connect(said, version, draw),
        _ => {}
    }
}

fn packet(send: &mut Send, version: Version, draw: &mut Draw) {
    match send {
        Send::Publish { topic, payload, qos: level, retain, dup, id, properties } => match draw.below(8) {
            0 => *topic = dictionary::odd_topic(draw),
            1 => *payload = dictionary::data(draw),
            2 => *level = qos(draw),
            3 => *retain = !*retain,
            4 => *dup = !*dup,
            5 => *id = any_id(draw),
            _ => change_properties(properties, Place::Packet(PacketType::Publish), version, draw),
        },
        Send::Ack { packet, id, reason, properties } => match draw.below(4) {
            0 => {
                let all = [PacketType::Puback, PacketType::Pubrec, PacketType::Pubrel, PacketType::Pubcomp];
                *packet = *draw.one(&all);
            }
            1 => *id = *draw.one(dictionary::U16),
            2 => *reason = any_reason(version, draw),
            _ => change_properties(properties, Place::Packet(*packet), version, draw),
        },
        Send::Subscribe { id, filters, properties } => match draw.below(6) {
            0 => *id = any_id(draw),
            1 => change_properties(properties, Place::Packet(PacketType::Subscribe), version, draw),
            2 if filters.len() < 40 => {
                let again = draw.one(filters).clone();
                filters.extend(vec![again; 1 + draw.below(3)]);
            }
            kind => {
                let place = draw.below(filters.len());
                let Some((filter, options)) = filters.get_mut(place) else { return };
                match kind {
                    3 => *filter = dictionary::odd_topic(draw),
                    4 => options.qos = qos(draw),
                    _ if version != Version::V5 => options.qos = qos(draw),
                    _ => {
                        options.no_local = draw.percent(50);
                        options.retain_as_published = draw.percent(50);
                        let all =
                            [RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend];
                        options.retain_handling = *draw.one(&all);
                    }
                }
            }
        },
        Send::Unsubscribe { id, filters, properties } => match draw.below(4) {
            0 => *id = any_id(draw),
            1 => change_properties(properties, Place::Packet(PacketType::Unsubscribe), version, draw),
            2 if filters.len() < 40 => filters.push(dictionary::odd_topic(draw)),
            _ => {
                let place = draw.below(filters.len());
                if let Some(filter) = filters.get_mut(place) {
                    *filter = dictionary::odd_topic(draw);
                }
            }
        },
        Send::Disconnect { reason, properties } => {
            if draw.percent(50) {
                *reason = any_reason(version, draw);
            } else {
                change_properties(properties, Place::Packet(PacketType::Disconnect), version, draw);
            }
        }
        Send::Auth { reason, properties } => {
            if draw.percent(50) {
                *reason = any_reason(version, draw);
            } else {
                change_properties(properties, Place::Packet(PacketType::Auth), version, draw);
            }
        }
        Send::Connect(said) => connect(said, version, draw),
        Send::Pingreq | Send::Raw(_) | Send::Broken(_) => {}
    }
}

fn connect(said: &mut Connect, version: Version, draw: &mut Draw) {
    match draw.below(9) {
        0 => said.client_id = Some(dictionary::text(draw)),
        1 => said.clean_start = !said.clean_start,
        // A short Keep Alive makes a case wait.
        2 => said.keep_alive = *draw.one(dictionary::U16),
        3 => said.user_name = draw.percent(70).then(|| dictionary::text(draw)),
        4 => said.password = draw.percent(70).then(|| dictionary::data(draw)),
        5 => said.will = None,
        6 | 7 if said.will.is_some() => {
            let Some(will) = &mut said.will else { return };
            match draw.below(5) {
                0 => will.topic = dictionary::odd_topic(draw),
                1 => will.payload = dictionary::data(draw),
                2 => will.qos = qos(draw),
                3 => will.retain = !will.retain,
                _ => change_properties(&mut will.properties, Place::Will, version, draw),
            }
        }
        _ => change_properties(&mut said.properties, Place::Packet(PacketType::Connect), version, draw),
    }
}

fn qos(draw: &mut Draw) -> Qos {
    *draw.one(&Qos::ALL)
}

/// A Packet Identifier, one that is in use perhaps; or the client's own choice.
fn any_id(draw: &mut Draw) -> Option<u16> {
    // 0 stands for a packet that cannot be written.
    draw.percent(80).then(|| *draw.one(&dictionary::U16[1..]))
}

/// Any code: also those that stand in other packets only.
fn any_reason(version: Version, draw: &mut Draw) -> ReasonCode {
    if version == Version::V5 { *draw.one(ReasonCode::ALL) } else { ReasonCode::SUCCESS }
}

/// Takes a property away, adds one, repeats one, or gives one another value.
fn change_properties(list: &mut PropertyList, place: Place, version: Version, draw: &mut Draw) {
    if version != Version::V5 {
        return;
    }
    let count = list.view().iter().count();
    let chosen = draw.below(count);
    let kind = if count == 0 { 0 } else { draw.below(4) };
    let mut changed = PropertyList::new();
    for (number, property) in list.view().iter().enumerate() {
        match kind {
            1 if number == chosen => {}
            2 if number == chosen => dictionary::odd(property.id(), draw, &mut changed),
            3 if number == chosen => drop(changed.push(property).push(property)),
            _ => drop(changed.push(property)),
        }
    }
    if kind == 0 {
        let all: Vec<_> = dictionary::properties_of(place).collect();
        if let Some(id) = all.get(draw.below(all.len())) {
            dictionary::odd(*id, draw, &mut changed);
        }
    }
    *list = changed;
}
