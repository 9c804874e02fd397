//! Acts a script out without I/O or clock: told what the carrier saw, it orders what is to be done.

use super::pilot::{Phase, Pilot, State};
use super::{Action, Client, Connect, PATIENCE, Pattern, Script, Step, Timely};
use crate::history::{ClientNo, Event, Fault, History, How, Recorder, Side, What};
use core::time::Duration;
use mqtt_assay_codec::{Packet, Version};
use std::collections::VecDeque;
use std::sync::Arc;

/// A broker may not fill our memory: past so many events the play is over.
const EVENTS_MAX: usize = 2_000_000;
/// A broker may not fill our memory: of one client so many packets wait to be expected, older ones are gone.
const INBOX_MAX: usize = 10_000;

/// What the carrier has seen; a client's connection goes by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told<'a> {
    /// The play begins, or the time that [`Player::deadline`] named has passed.
    Time,
    /// The connection is there.
    Opened(ClientNo, u32),
    /// The connection cannot be had.
    Failed(ClientNo, u32),
    /// Bytes came, cut anywhere.
    Read(ClientNo, u32, &'a [u8]),
    /// The Server, or the network, has ended the connection.
    Ended(ClientNo, u32, How),
}

/// What the carrier is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Open the client's connection of this number.
    Open(ClientNo, u32),
    /// Write these bytes as one segment, behind what was written before.
    Write(ClientNo, u32, Vec<u8>),
    /// End the connection; nothing is read from it any more.
    Close(ClientNo, u32, How),
    /// End the client's direction in an orderly way; what still comes from the Server is of no interest.
    HalfClose(ClientNo, u32),
    /// Do this to the client's connection; [`ClientNo::NOBODY`]: to the broker.
    Fault(ClientNo, u32, Fault),
}

/// An expectation that was not met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Place of the step in [`Script::steps`]; `None`: a client was not connected at the beginning.
    pub step: Option<usize>,
    /// When it was given up.
    pub at: Duration,
    /// What is wrong, as a sentence without a full stop.
    pub text: String,
}

/// What came of a play.
#[derive(Clone, Debug)]
pub struct Played {
    /// What everybody saw and did.
    pub history: History,
    /// Expectations that were not met, in the order of the steps.
    pub failures: Vec<Failure>,
}

/// What the present step waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waits {
    /// The time.
    Until(Duration),
    /// The client's CONNACK, or its end.
    Connected(ClientNo, Duration),
    /// The expectation of the step.
    Expected(ClientNo, Duration),
    /// All answers to what the client sent.
    Settled(ClientNo, Duration),
}

/// A packet that nobody has expected yet.
#[derive(Debug)]
struct Got {
    bytes: Vec<u8>,
    /// The topic behind an alias.
    topic: Option<String>,
}

/// Acts a script out.
#[derive(Debug)]
pub struct Player {
    script: Arc<Script>,
    pilots: Vec<Pilot>,
    states: Vec<State>,
    /// For each client, which state is its own.
    state_of: Vec<usize>,
    inboxes: Vec<VecDeque<Got>>,
    /// Clients whose packets a step expects: only theirs are kept.
    keeps: Vec<bool>,
    /// Clients whose connection the Server has ended, which no step has expected yet.
    ended: Vec<bool>,
    recorder: Recorder,
    now: Duration,
    /// Clients to be connected before the first step.
    first: VecDeque<ClientNo>,
    step: usize,
    waits: Option<Waits>,
    /// Index into [`Script::schedule`], which is kept sorted.
    scheduled: usize,
    orders: VecDeque<Order>,
    failures: Vec<Failure>,
    over: bool,
    /// How long a step waits that does not say so itself.
    patience: Duration,
}

impl Player {
    /// A play of this script, not begun: [`Told::Time`] begins it.
    pub fn new(mut script: Script) -> Self {
        script.schedule.sort_by_key(|timed| timed.at);
        let count = script.clients.len();
        let mut keeps = vec![false; count];
        for step in &script.steps {
            if let Step::Client(client, Action::Expect { .. } | Action::Absent(_)) = step
                && let Some(keeps) = keeps.get_mut(client.index())
            {
                *keeps = true;
            }
        }
        let numbers = (0..count).filter_map(|place| u16::try_from(place).ok()).map(ClientNo);
        let identifiers: Vec<&str> = script.clients.iter().map(Client::identifier).collect();
        // To whom the Server gives an identifier, it gives one of its own.
        let state_of = identifiers.iter().enumerate().map(|(place, own)| {
            let first = identifiers.iter().position(|other| other == own && !own.is_empty());
            first.unwrap_or(place)
        });
        Player {
            state_of: state_of.collect(),
            states: (0..count).map(|_| State::default()).collect(),
            pilots: script.clients.iter().map(Pilot::new).collect(),
            inboxes: (0..count).map(|_| VecDeque::new()).collect(),
            keeps,
            ended: vec![false; count],
            recorder: Recorder::new(script.clients.iter().map(|client| client.name.clone())),
            now: Duration::ZERO,
            first: numbers.filter(|client| script.connects_first(*client)).collect(),
            step: 0,
            waits: None,
            scheduled: 0,
            orders: VecDeque::new(),
            failures: Vec::new(),
            over: false,
            patience: PATIENCE,
            script: Arc::new(script),
        }
    }

    /// With another patience than [`PATIENCE`].
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Player { patience, ..self }
    }

    /// Takes in what the carrier saw at `now`, which never goes back. [`Player::poll`] until there are no orders.
    pub fn handle(&mut self, now: Duration, told: Told<'_>) {
        self.now = self.now.max(now);
        match told {
            Told::Time => {}
            Told::Opened(client, connection) => self.opened(client, connection),
            Told::Failed(client, connection) => {
                if self.present(client, connection) {
                    self.recorder.answered(self.now, client, connection, false);
                    self.gone(client);
                }
            }
            Told::Read(client, connection, bytes) => self.read(client, connection, bytes),
            Told::Ended(client, connection, how) => {
                if self.present(client, connection) {
                    self.recorder.ended(self.now, client, connection, Side::Server, how);
                    self.gone(client);
                }
            }
        }
        self.run_schedule();
        self.advance();
        if self.recorder.history().len() > EVENTS_MAX && !self.over {
            self.fail("the broker has sent more than the play can take");
            self.over = true;
        }
    }

    /// The next thing to do.
    #[must_use]
    pub fn poll(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// When [`Told::Time`] is due.
    pub fn deadline(&self) -> Option<Duration> {
        let scheduled = self.script.schedule.get(self.scheduled).map(|timed| timed.at);
        let waits = self.waits.map(|waits| match waits {
            Waits::Until(at) | Waits::Connected(_, at) | Waits::Expected(_, at) | Waits::Settled(_, at) => at,
        });
        if self.over { None } else { [scheduled, waits].into_iter().flatten().min() }
    }

    /// Whether all steps are done.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether the rest of the play can show nothing: nobody is connected, and no step will connect anybody or expects
    /// anything.
    pub fn nothing_can_come(&self) -> bool {
        let shows = |step: &Step| {
            matches!(
                step,
                Step::Client(
                    _,
                    Action::Connect(_) | Action::Open | Action::Expect { .. } | Action::Absent(_)
                )
            )
        };
        self.first.is_empty()
            && self.pilots.iter().all(|pilot| pilot.phase == Phase::Away)
            && !self.script.steps.iter().skip(self.step).any(shows)
    }

    /// What was recorded so far.
    pub fn history(&self) -> &History {
        self.recorder.history()
    }

    /// Ends the play, done or not.
    pub fn finish(self) -> Played {
        Played { history: self.recorder.finish(self.now), failures: self.failures }
    }

    fn present(&self, client: ClientNo, connection: u32) -> bool {
        self.pilots
            .get(client.index())
            .is_some_and(|pilot| pilot.connection == connection && pilot.phase != Phase::Away)
    }

    fn version(&self, client: ClientNo) -> Version {
        self.script.clients.get(client.index()).map_or(Version::V3_1_1, |client| client.version)
    }

    fn opened(&mut self, client: ClientNo, connection: u32) {
        if self.present(client, connection) {
            self.recorder.answered(self.now, client, connection, true);
            let name = &self.script.clients[client.index()].name;
            let state = &mut self.states[self.state_of[client.index()]];
            self.pilots[client.index()].opened(state, name);
            self.flush(client);
        }
    }

    fn gone(&mut self, client: ClientNo) {
        self.pilots[client.index()].leave();
        self.ended[client.index()] = true;
    }

    fn read(&mut self, client: ClientNo, connection: u32, bytes: &[u8]) {
        if !self.present(client, connection) {
            return;
        }
        let from = self.recorder.history().len();
        self.recorder.read(self.now, client, connection, bytes);
        let place = client.index();
        for index in from..self.recorder.history().len() {
            let pilot = &mut self.pilots[place];
            let Some(Event { what: What::Received(bytes), .. }) = self.recorder.history().get(index) else {
                continue;
            };
            // A malformed packet is left to the judges.
            let Some(packet) = pilot.read(bytes) else { continue };
            let topic = match &packet {
                Packet::Publish(publish) if publish.topic.is_empty() => {
                    publish.properties.topic_alias().and_then(|alias| pilot.aliases.get(&alias).cloned())
                }
                _ => None,
            };
            let state = &mut self.states[self.state_of[place]];
            pilot.receive(state, &packet, &self.script.clients[place].name);
            if self.keeps[place] {
                if self.inboxes[place].len() >= INBOX_MAX {
                    self.inboxes[place].pop_front();
                }
                self.inboxes[place].push_back(Got { bytes: bytes.to_vec(), topic });
            }
        }
        self.flush(client);
    }

    /// Orders what a client has to write.
    fn flush(&mut self, client: ClientNo) {
        let pilot = &mut self.pilots[client.index()];
        let connection = pilot.connection;
        while let Some((bytes, split)) = pilot.writes.pop_front() {
            let mut rest = &bytes[..];
            for size in split.iter().copied().map(Some).chain([None]) {
                let (segment, after) = rest.split_at(size.unwrap_or(rest.len()).min(rest.len()));
                rest = after;
                if !segment.is_empty() {
                    self.recorder.wrote(self.now, client, connection, segment);
                    self.orders.push_back(Order::Write(client, connection, segment.to_vec()));
                }
            }
        }
        if pilot.leaves {
            self.cut(client, How::Fin);
        }
    }

    /// The client ends its connection.
    fn cut(&mut self, client: ClientNo, how: How) {
        let pilot = &mut self.pilots[client.index()];
        if pilot.phase != Phase::Away {
            let connection = pilot.connection;
            pilot.leave();
            self.recorder.ended(self.now, client, connection, Side::Client, how);
            self.orders.push_back(Order::Close(client, connection, how));
        }
    }

    /// The client says no more.
    fn half_close(&mut self, client: ClientNo) {
        let pilot = &mut self.pilots[client.index()];
        if pilot.phase != Phase::Away {
            let connection = pilot.connection;
            pilot.leave();
            self.recorder.ended(self.now, client, connection, Side::Client, How::Silently);
            self.orders.push_back(Order::HalfClose(client, connection));
        }
    }

    fn fault(&mut self, client: ClientNo, fault: Fault) {
        let connection = self.pilots.get(client.index()).map_or(0, |pilot| pilot.connection);
        self.recorder.fault(self.now, client, connection, fault);
        self.orders.push_back(Order::Fault(client, connection, fault));
    }

    fn run_schedule(&mut self) {
        while let Some(timed) = self.script.schedule.get(self.scheduled).filter(|timed| timed.at <= self.now)
        {
            let (client, fault) = (timed.client, timed.fault);
            self.scheduled += 1;
            match fault {
                Timely::Fault(fault) => self.fault(client, fault),
                Timely::Cut(how) if client.index() < self.pilots.len() => self.cut(client, how),
                Timely::Cut(_) => {}
            }
        }
    }

    fn fail(&mut self, text: impl Into<String>) {
        let step = self.first.is_empty().then_some(self.step);
        self.failures.push(Failure { step, at: self.now, text: text.into() });
    }

    /// Does what can be done now.
    fn advance(&mut self) {
        while !self.over {
            let Some(waits) = self.waits else {
                self.begin();
                continue;
            };
            if !self.is_done(waits) {
                return;
            }
            self.waits = None;
            if self.first.pop_front().is_none() {
                self.step += 1;
            }
        }
    }

    /// Whether what is waited for has come, or was waited for long enough.
    fn is_done(&mut self, waits: Waits) -> bool {
        let now = self.now;
        let late = |until| now >= until;
        match waits {
            Waits::Until(until) => late(until),
            Waits::Connected(client, until) => match self.pilots[client.index()].phase {
                Phase::Served => true,
                _ if late(until) => self.give_up("no CONNACK that accepts the connection has come"),
                Phase::Away => self.give_up("the connection has ended without a CONNACK that accepts it"),
                _ => false,
            },
            Waits::Settled(client, until) => {
                let state = &self.states[self.state_of[client.index()]];
                let settled = self.pilots[client.index()].settled(state);
                settled || late(until) && self.give_up("not everything was answered")
            }
            Waits::Expected(client, until) => {
                let script = Arc::clone(&self.script);
                let patterns = match script.steps.get(self.step) {
                    Some(Step::Client(_, Action::Expect { any_of, .. })) => any_of.as_slice(),
                    _ => &[],
                };
                let place = client.index();
                let version = self.version(client);
                let fits = |got: &Got| {
                    patterns.iter().any(|pattern| pattern.fits(&got.bytes, got.topic.as_deref(), version))
                };
                if let Some(found) = self.inboxes[place].iter().position(fits) {
                    self.inboxes[place].remove(found);
                    return true;
                }
                if self.pilots[place].phase == Phase::Away {
                    let ended = core::mem::take(&mut self.ended[place]);
                    return ended && patterns.contains(&Pattern::Closed)
                        || self.give_up("the connection has ended before what is expected came");
                }
                late(until) && self.give_up("what is expected has not come")
            }
        }
    }

    fn give_up(&mut self, text: &str) -> bool {
        self.fail(text);
        true
    }

    /// Begins the next step.
    fn begin(&mut self) {
        if let Some(&client) = self.first.front() {
            self.connect(client, None);
            self.waits = Some(Waits::Connected(client, self.now + self.patience));
            return;
        }
        let script = Arc::clone(&self.script);
        let Some(step) = script.steps.get(self.step) else {
            self.over = true;
            return;
        };
        match *step {
            Step::Wait(time) => {
                self.recorder.waited(self.now, ClientNo::NOBODY, time);
                self.waits = Some(Waits::Until(self.now + time));
                return;
            }
            Step::Broker(fault) => self.fault(ClientNo::NOBODY, fault),
            Step::Client(client, _) if client.index() >= self.pilots.len() => {
                self.fail("the script has no such client");
            }
            Step::Client(client, ref action) => self.act(client, action),
        }
        if self.waits.is_none() {
            self.step += 1;
        }
    }

    fn act(&mut self, client: ClientNo, action: &Action) {
        let place = client.index();
        let name = &self.script.clients[place].name;
        let state = &mut self.states[self.state_of[place]];
        match action {
            Action::Connect(connect) => self.connect(client, connect.clone()),
            Action::Open => self.open(client, None),
            Action::Send(send, split) => {
                if !self.pilots[place].send(state, send, split, name) {
                    self.fail("the client is not connected");
                }
                self.flush(client);
            }
            Action::Expect { within, .. } => {
                let until = self.now + within.unwrap_or(self.patience);
                self.waits = Some(Waits::Expected(client, until));
            }
            Action::Absent(pattern) => {
                let version = self.version(client);
                let fits = |got: &Got| pattern.fits(&got.bytes, got.topic.as_deref(), version);
                if self.inboxes[place].iter().any(fits) {
                    self.fail("what must not come has come");
                }
            }
            Action::Barrier => {
                if self.pilots[place].send(state, &super::Send::Pingreq, &[], name) {
                    self.flush(client);
                    self.waits = Some(Waits::Settled(client, self.now + self.patience));
                } else {
                    self.fail("the client is not connected");
                }
            }
            Action::Settle => self.waits = Some(Waits::Settled(client, self.now + self.patience)),
            Action::Acknowledge(reason) => {
                self.pilots[place].acknowledge(*reason);
                self.flush(client);
            }
            Action::Fault(fault) => self.fault(client, *fault),
            Action::Cut(how) => self.cut(client, *how),
            Action::HalfClose => self.half_close(client),
        }
    }

    fn connect(&mut self, client: ClientNo, connect: Option<Connect>) {
        let connect = connect.unwrap_or_else(|| self.script.clients[client.index()].connect.clone());
        self.open(client, Some(connect));
    }

    fn open(&mut self, client: ClientNo, connect: Option<Connect>) {
        // The old connection stays with the broker, which learns of its end by the takeover at the latest.
        self.cut(client, How::Silently);
        self.ended[client.index()] = false;
        let version = self.version(client);
        let connection = self.pilots[client.index()].begin(connect);
        self.recorder.attempted(self.now, client, connection, version);
        self.orders.push_back(Order::Open(client, connection));
    }
}
