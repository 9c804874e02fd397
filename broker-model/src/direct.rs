//! The event heap: a script against the model, with seeded delays, cuts and stalls, in no real time at all.
//!
//! Order is kept within each direction of a connection and free between connections. The network is
//! [`Network`](crate::script::Network); one seed, the script's own, decides everything.

use crate::broker::{Broker, ConnectionId, Input, Output};
use crate::history::{ClientNo, Fault, How, Memory};
use crate::random::Random;
use crate::script::{Failure, Order, Played, Player, Script, Told};
use core::cmp::Reverse;
use core::time::Duration;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// Past so many arrivals a play is given up: no script of ours comes near.
const ARRIVALS_MAX: u64 = 5_000_000;

/// Plays a script against a broker to its end.
pub fn play(script: Script, broker: Broker) -> Played {
    Direct::new(script, broker).run()
}

/// Which way something travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    ToBroker,
    ToClient,
}

#[derive(Debug)]
enum Load {
    /// The client asks for the connection.
    Request,
    /// The answer to that.
    Answer(bool),
    Bytes(Vec<u8>),
    End(How),
}

/// Something under way.
#[derive(Debug)]
struct Parcel {
    link: usize,
    way: Way,
    load: Load,
}

/// One connection.
#[derive(Debug)]
struct Link {
    client: ClientNo,
    connection: u32,
    /// Nothing arrives earlier than this: what was sent before comes first.
    free: [Duration; 2],
    /// The parcel that was sent last, while it is under way.
    last: [Option<usize>; 2],
    /// What the network keeps back.
    held: Option<Vec<usize>>,
    /// What the client does not read.
    unread: Option<Vec<usize>>,
    /// Nothing passes any more.
    silent: bool,
    client_open: bool,
    broker_open: bool,
}

struct Direct {
    now: Duration,
    script_network: crate::script::Network,
    random: Random,
    broker: Option<Broker>,
    /// The broker that has crashed.
    crashed: Option<Broker>,
    player: Player,
    /// By time, then in the order of sending.
    heap: BinaryHeap<Reverse<(Duration, u64, usize)>>,
    /// What was kept back and is free now: it comes before all that is still under way.
    ready: VecDeque<usize>,
    sent: u64,
    parcels: Vec<Option<Parcel>>,
    spare: Vec<usize>,
    links: Vec<Link>,
    by_connection: BTreeMap<(ClientNo, u32), usize>,
}

impl Direct {
    fn new(script: Script, broker: Broker) -> Self {
        Direct {
            now: Duration::ZERO,
            script_network: script.network,
            random: Random::new(script.seed),
            broker: Some(broker),
            crashed: None,
            player: Player::new(script),
            heap: BinaryHeap::new(),
            ready: VecDeque::new(),
            sent: 0,
            parcels: Vec::new(),
            spare: Vec::new(),
            links: Vec::new(),
            by_connection: BTreeMap::new(),
        }
    }

    fn run(mut self) -> Played {
        self.tell(Told::Time);
        while !self.player.is_over() {
            if let Some(place) = self.ready.pop_front() {
                self.arrive(place);
                continue;
            }
            let arrival = self.heap.peek().map(|Reverse((at, _, _))| *at);
            let timer = self.broker.as_ref().and_then(Broker::deadline);
            let step = self.player.deadline();
            let Some(next) = [arrival, timer, step].into_iter().flatten().min() else { break };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                if let Some(Reverse((_, _, place))) = self.heap.pop() {
                    self.arrive(place);
                }
            } else if timer == Some(next) {
                self.give(Input::Timer);
            } else {
                self.tell(Told::Time);
            }
            if self.sent > ARRIVALS_MAX {
                break;
            }
        }
        let unfinished = !self.player.is_over();
        let mut played = self.player.finish();
        if unfinished {
            let text = "the play has come to no end".to_owned();
            played.failures.push(Failure { step: None, at: self.now, text });
        }
        played
    }

    /// A time from `min` to `max` of the network.
    fn delay(&mut self) -> Duration {
        let network = self.script_network;
        let range = network.delay_max.saturating_sub(network.delay_min).as_micros();
        let range = u64::try_from(range).unwrap_or(u64::MAX - 1) + 1;
        network.delay_min + Duration::from_micros(self.random.next() % range)
    }

    fn percent(&mut self, percent: u8) -> bool {
        percent > 0 && self.random.next() % 100 < u64::from(percent)
    }

    fn store(&mut self, parcel: Parcel) -> usize {
        match self.spare.pop() {
            Some(place) => {
                self.parcels[place] = Some(parcel);
                place
            }
            None => {
                self.parcels.push(Some(parcel));
                self.parcels.len() - 1
            }
        }
    }

    /// Lets a parcel travel behind those that were sent before it.
    fn send(&mut self, link: usize, way: Way, load: Load) {
        let delay = self.delay();
        // A reset overtakes what is under way.
        let overtakes = matches!(load, Load::End(How::Reset));
        let parcel = self.store(Parcel { link, way, load });
        let link = &mut self.links[link];
        let free = &mut link.free[way as usize];
        let at = if overtakes { self.now + delay } else { (self.now + delay).max(*free) };
        *free = at.max(*free);
        link.last[way as usize] = Some(parcel);
        self.sent += 1;
        self.heap.push(Reverse((at, self.sent, parcel)));
    }

    /// Sends bytes as TCP may: cut, or in one piece with those before.
    fn send_bytes(&mut self, link: usize, way: Way, mut bytes: Vec<u8>) {
        let network = self.script_network;
        if let Some(last) = self.links[link].last[way as usize]
            && self.percent(network.merge_percent)
            && let Some(Parcel { load: Load::Bytes(before), .. }) = &mut self.parcels[last]
        {
            before.append(&mut bytes);
            return;
        }
        if bytes.len() > 1 && self.percent(network.split_percent) {
            let cut = 1 + self.random.next() as usize % (bytes.len() - 1);
            let rest = bytes.split_off(cut);
            self.send(link, way, Load::Bytes(bytes));
            bytes = rest;
        }
        self.send(link, way, Load::Bytes(bytes));
    }

    /// A parcel has come to its end of the line, or to an obstacle.
    fn arrive(&mut self, place: usize) {
        let Some(parcel) = &self.parcels[place] else { return };
        let (number, way) = (parcel.link, parcel.way);
        let link = &mut self.links[number];
        if link.last[way as usize] == Some(place) {
            link.last[way as usize] = None;
        }
        if let Some(held) = &mut link.held {
            return held.push(place);
        }
        if let (Some(unread), Way::ToClient) = (&mut link.unread, way) {
            return unread.push(place);
        }
        self.spare.push(place);
        if let Some(parcel) = self.parcels[place].take() {
            self.deliver(parcel);
        }
    }

    fn deliver(&mut self, parcel: Parcel) {
        let Parcel { link: number, way, load } = parcel;
        let link = &mut self.links[number];
        if link.silent {
            return;
        }
        let (client, connection) = (link.client, link.connection);
        let id = ConnectionId(number as u64);
        match (way, load) {
            (Way::ToBroker, Load::Request) => {
                link.broker_open = self.broker.is_some();
                let answer = Load::Answer(link.broker_open);
                self.give(Input::Opened(id));
                self.send(number, Way::ToClient, answer);
            }
            (Way::ToBroker, Load::Bytes(bytes)) if link.broker_open => self.give(Input::Received(id, &bytes)),
            (Way::ToBroker, Load::End(_)) if link.broker_open => {
                link.broker_open = false;
                self.give(Input::Closed(id));
            }
            (Way::ToClient, Load::Answer(true)) if link.client_open => {
                self.tell(Told::Opened(client, connection));
            }
            (Way::ToClient, Load::Answer(false)) if link.client_open => {
                link.client_open = false;
                self.tell(Told::Failed(client, connection));
            }
            (Way::ToClient, Load::Bytes(bytes)) if link.client_open => {
                self.tell(Told::Read(client, connection, &bytes));
            }
            (Way::ToClient, Load::End(how)) if link.client_open => {
                link.client_open = false;
                self.tell(Told::Ended(client, connection, how));
            }
            _ => {}
        }
    }

    /// Gives the broker its input, and sends what it puts out.
    fn give(&mut self, input: Input<'_>) {
        let Some(broker) = &mut self.broker else { return };
        broker.handle(self.now, input);
        while let Some(output) = self.broker.as_mut().and_then(Broker::poll) {
            match output {
                Output::Send(id, bytes) => self.send_bytes(id.0 as usize, Way::ToClient, bytes),
                Output::Close(id) => {
                    self.links[id.0 as usize].broker_open = false;
                    self.send(id.0 as usize, Way::ToClient, Load::End(How::Fin));
                }
            }
        }
    }

    /// Tells the player, and does what it orders.
    fn tell(&mut self, told: Told<'_>) {
        self.player.handle(self.now, told);
        while let Some(order) = self.player.poll() {
            match order {
                Order::Open(client, connection) => self.open(client, connection),
                Order::Write(client, connection, bytes) => {
                    if let Some(&link) = self.by_connection.get(&(client, connection)) {
                        self.send_bytes(link, Way::ToBroker, bytes);
                    }
                }
                Order::Close(client, connection, how) => {
                    if let Some(&link) = self.by_connection.get(&(client, connection)) {
                        self.links[link].client_open = false;
                        self.links[link].silent |= how == How::Silently;
                        self.send(link, Way::ToBroker, Load::End(how));
                    }
                }
                Order::HalfClose(client, connection) => {
                    if let Some(&link) = self.by_connection.get(&(client, connection)) {
                        self.send(link, Way::ToBroker, Load::End(How::Fin));
                    }
                }
                Order::Fault(_, _, Fault::Crash) => self.crash(),
                Order::Fault(_, _, Fault::Restart(memory)) => self.restart(memory),
                Order::Fault(client, connection, fault) => {
                    if let Some(&link) = self.by_connection.get(&(client, connection)) {
                        self.obstruct(link, fault);
                    }
                }
            }
        }
    }

    fn open(&mut self, client: ClientNo, connection: u32) {
        let number = self.links.len();
        self.links.push(Link {
            client,
            connection,
            free: [self.now; 2],
            last: [None; 2],
            held: None,
            unread: None,
            silent: false,
            client_open: true,
            broker_open: false,
        });
        self.by_connection.insert((client, connection), number);
        self.send(number, Way::ToBroker, Load::Request);
    }

    fn obstruct(&mut self, number: usize, fault: Fault) {
        let link = &mut self.links[number];
        let freed = match fault {
            Fault::Hold => {
                link.held.get_or_insert_default();
                None
            }
            Fault::Stall => {
                link.unread.get_or_insert_default();
                None
            }
            Fault::Release => link.held.take(),
            Fault::Unstall => {
                // What the client had not read was there before all that is held back, or was until now.
                let unread = link.unread.take().unwrap_or_default();
                match &mut link.held {
                    Some(held) => drop(held.splice(..0, unread)),
                    None => unread.into_iter().rev().for_each(|place| self.ready.push_front(place)),
                }
                None
            }
            Fault::Crash | Fault::Restart(_) => None,
        };
        self.ready.extend(freed.unwrap_or_default());
    }

    fn crash(&mut self) {
        self.crashed = self.broker.take().or(self.crashed.take());
        for number in 0..self.links.len() {
            if core::mem::take(&mut self.links[number].broker_open) {
                self.send(number, Way::ToClient, Load::End(How::Reset));
            }
        }
    }

    fn restart(&mut self, memory: Memory) {
        if let (None, Some(crashed)) = (&self.broker, self.crashed.take()) {
            self.broker = Some(crashed.restarted(self.now, memory == Memory::Kept));
        }
    }
}
