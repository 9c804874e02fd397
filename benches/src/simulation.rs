//! Scripts to measure the simulation with.

use core::time::Duration;
use mqtt_assay_broker_model::history::{ClientNo, History};
use mqtt_assay_broker_model::script::{Action, Client, Connect, Network, Script, Send, Step};
use mqtt_assay_broker_model::simulate::Setup;
use mqtt_assay_broker_model::workload::Workload;
use mqtt_assay_codec::{PropertyList, Qos, SubscriptionOptions, Version};

/// Four clients that publish to each other at every QoS, and ask after each ten messages: about 20,000 packets.
pub fn busy_script(version: Version) -> Script {
    let name = |place: usize| format!("c{place}");
    let client = |place| Client {
        name: name(place),
        version,
        connect: Connect { clean_start: true, ..Connect::default() },
        acknowledges: true,
    };
    let mut script = Script {
        seed: 1,
        network: Network {
            delay_min: Duration::from_micros(100),
            delay_max: Duration::from_millis(2),
            split_percent: 5,
            merge_percent: 5,
        },
        clients: (0..4).map(client).collect(),
        ..Script::default()
    };
    let mut act = |place: usize, action| script.steps.push(Step::Client(ClientNo(place as u16), action));
    for place in 0..4 {
        let filters = vec![(format!("a/{}/+", (place + 1) % 4), SubscriptionOptions::qos(Qos::ExactlyOnce))];
        act(
            place,
            Action::Send(Send::Subscribe { id: None, filters, properties: PropertyList::new() }, Vec::new()),
        );
        act(place, Action::Settle);
    }
    for number in 0..3_000 {
        let place = number % 4;
        let publish = Send::Publish {
            topic: format!("a/{place}/{}", number % 7),
            payload: format!("message number {number} of a busy day").into_bytes(),
            qos: Qos::ALL[number % 3],
            retain: false,
            dup: false,
            id: None,
            properties: PropertyList::new(),
        };
        act(place, Action::Send(publish, Vec::new()));
        if number % 40 >= 36 {
            act(place, Action::Settle);
        }
    }
    script
}

/// The generated scripts of the first seeds, as `simulate` plays them.
pub fn generated_scripts(count: u64) -> Vec<Script> {
    (0..count).map(|seed| Workload::default().script(seed)).collect()
}

/// Plays a script on the event heap, without judges.
pub fn play(script: &Script) -> History {
    let broker = Setup::default().broker(script.seed);
    mqtt_assay_broker_model::direct::play(script.clone(), broker).history
}

/// Plays a script on the event heap, and judges it by all rules; gives the number of packets.
pub fn play_and_judge(script: &Script) -> usize {
    let outcome = Setup::default().run_script(script.clone(), Workload::BOUNDS);
    assert_eq!(outcome.verdicts.accusations, []);
    outcome.played.history.packets()
}

/// The event heap alone: so many messages, each drawn a delay, pushed, popped, in the order of their times.
pub fn bare_heap(messages: usize) -> u64 {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;
    let mut heap = BinaryHeap::new();
    let mut random = 1_u64;
    let mut draw = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 44
    };
    for sender in 0..8_u64 {
        heap.push(Reverse((draw(), sender, vec![0_u8; 64])));
    }
    let mut sum = 0;
    for sent in 8..messages as u64 {
        let Some(Reverse((at, _, message))) = heap.pop() else { break };
        sum ^= at;
        heap.push(Reverse((at + draw(), sent, message)));
    }
    sum
}
