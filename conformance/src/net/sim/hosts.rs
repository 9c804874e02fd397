//! A host per client, moved by commands from outside the simulation: for scripts, whose steps are decided outside,
//! and whose faults hit one client.
//!
//! ```text
//! loop {
//!     for told in simulation.step()? { … simulation.elapsed() … }
//!     simulation.command("a", Command::Open { connection: 1 });
//!     simulation.fault(&Fault::Hold("b".into()));
//! }
//! ```

use super::faults::Link;
use super::tcp::Simulated;
use super::{BROKER, Simulation, Trouble};
use crate::net::shape::{Shape, Shaped};
use crate::story::End;
use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use turmoil::net::TcpStream;

/// What a client's host is to do. Connections are numbered by whoever commands, each number used once per client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Opens a connection to the broker: [`Event::Opened`] or [`Event::Refused`] follows.
    Open {
        /// Its number from now on.
        connection: u64,
    },
    /// Writes bytes, as soon as the connection is open and takes them.
    Write {
        /// The connection.
        connection: u64,
        /// The bytes, as one write.
        bytes: Vec<u8>,
    },
    /// Ends the connection, or the attempt to open it. Nothing more is told about it.
    Close {
        /// The connection.
        connection: u64,
        /// In which way.
        how: Close,
    },
    /// Stops reading, or goes on.
    Stall {
        /// The connection.
        connection: u64,
        /// Whether nothing is read.
        stalled: bool,
    },
}

/// How a client ends its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// In order (FIN), behind everything that was written. What still comes is read and dropped.
    Fin,
    /// At once, over what is not written yet. It is a reset (RST) if something came and was not read, and for
    /// whatever the broker writes later; otherwise the broker sees an end like any other.
    Reset,
    /// Not at all: nothing is read or written any more, and the broker is not told.
    Silent,
}

/// What happened to a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is open.
    Opened,
    /// It could not be opened.
    Refused,
    /// Bytes came, cut anywhere.
    Received(Vec<u8>),
    /// The broker ended it. The client's side is closed by then, too.
    Ended(End),
}

/// An event, and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The client.
    pub client: Arc<str>,
    /// The connection, as numbered by whoever opened it.
    pub connection: u64,
    /// What happened.
    pub event: Event,
}

/// The hosts of the clients, seen from outside.
pub(super) struct Hosts {
    pub(super) clients: BTreeMap<Arc<str>, Host>,
    network: Simulated,
    shape: Shape,
    seed: u64,
    tell: std_mpsc::Sender<Told>,
    told: std_mpsc::Receiver<Told>,
}

pub(super) struct Host {
    /// Its name in the network, which is no address and not the broker's, whatever the client is called.
    pub(super) name: String,
    pub(super) link: Link,
    commands: mpsc::UnboundedSender<Command>,
}

impl Hosts {
    pub(super) fn new(shape: Shape, seed: u64) -> Self {
        let (tell, told) = std_mpsc::channel();
        Hosts { clients: BTreeMap::new(), network: Simulated::default(), shape, seed, tell, told }
    }
}

impl Simulation {
    /// Lets a client's host carry this out in the next step. A connection that is not open any more ignores it.
    pub fn command(&mut self, client: &str, command: Command) {
        // A host that has failed ends the simulation with the next step.
        let _ = self.client(client).commands.send(command);
    }

    /// Lets one tick of time pass; gives what the clients' hosts told in it, in order.
    ///
    /// # Errors
    ///
    /// The simulation cannot go on: a fault of ours.
    pub fn step(&mut self) -> Result<Vec<Told>, Trouble> {
        self.sim.step().map_err(|error| self.stopped(error.to_string()))?;
        Ok(self.hosts.told.try_iter().collect())
    }

    /// The host of a client, put into the network when it is first spoken of.
    fn client(&mut self, client: &str) -> &mut Host {
        let Hosts { clients, network, shape, seed, tell, .. } = &mut self.hosts;
        clients.entry(Arc::from(client)).or_insert_with_key(|client| {
            let (commands, commanded) = mpsc::unbounded_channel();
            let name = format!("client {client}");
            let actor = Actor {
                client: Arc::clone(client),
                network: network.clone(),
                shape: *shape,
                seed: *seed,
                tell: tell.clone(),
            };
            self.sim.client(name.as_str(), actor.run(commanded));
            Host { name, link: Link::Up, commands }
        })
    }

    /// Puts the link between a client and the broker into this state.
    pub(super) fn set_link(&mut self, client: &str, link: Link) {
        let host = self.client(client);
        let was = std::mem::replace(&mut host.link, link);
        let name = host.name.clone();
        match (was, link) {
            (Link::Held, Link::Up) => self.sim.release(name, BROKER),
            (_, Link::Up) => self.sim.repair(name, BROKER),
            (_, Link::Held) => self.sim.hold(name, BROKER),
            (_, Link::Partitioned) => self.sim.partition(name, BROKER),
        }
    }
}

/// The software of a client's host.
#[derive(Clone)]
struct Actor {
    client: Arc<str>,
    network: Simulated,
    shape: Shape,
    seed: u64,
    tell: std_mpsc::Sender<Told>,
}

/// What a connection is told to do.
enum Order {
    Write(Vec<u8>),
    Close(Close),
    Stall(bool),
}

impl Actor {
    async fn run(self, mut commands: mpsc::UnboundedReceiver<Command>) -> turmoil::Result {
        let mut lines = BTreeMap::new();
        while let Some(command) = commands.recv().await {
            let (connection, order) = match command {
                Command::Open { connection } => {
                    let (orders, ordered) = mpsc::unbounded_channel();
                    if lines.insert(connection, orders).is_some() {
                        return Err(
                            format!("{}: connection {connection} is opened twice", self.client).into()
                        );
                    }
                    let line = Line {
                        actor: self.clone(),
                        connection,
                        orders: ordered,
                        unsent: Unsent::default(),
                        stalled: false,
                    };
                    tokio::spawn(line.run());
                    continue;
                }
                Command::Write { connection, bytes } => (connection, Order::Write(bytes)),
                Command::Close { connection, how } => (connection, Order::Close(how)),
                Command::Stall { connection, stalled } => (connection, Order::Stall(stalled)),
            };
            match lines.get(&connection) {
                // One that has ended takes no more orders.
                Some(orders) => drop(orders.send(order)),
                None => {
                    return Err(format!("{}: connection {connection} was never opened", self.client).into());
                }
            }
        }
        Ok(())
    }
}

/// One connection of a client.
struct Line {
    actor: Actor,
    connection: u64,
    orders: mpsc::UnboundedReceiver<Order>,
    unsent: Unsent,
    stalled: bool,
}

type Reader = ReadHalf<Shaped<TcpStream>>;
type Writer = WriteHalf<Shaped<TcpStream>>;

impl Line {
    async fn run(mut self) {
        let network = self.actor.network.clone();
        let opening = network.connect();
        tokio::pin!(opening);
        let stream = loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match self.take(order) {
                    None => {}
                    Some(Close::Fin | Close::Reset) => return,
                    Some(Close::Silent) => {
                        let _kept = opening.await;
                        return pending().await;
                    }
                },
                stream = &mut opening => break stream,
            }
        };
        let Ok(stream) = stream else { return self.tell(Event::Refused) };
        self.tell(Event::Opened);
        let name = format!("{} {}", self.actor.client, self.connection);
        let stream = Shaped::new(stream, self.actor.shape, self.actor.seed, &name);
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut chunk = vec![0; 16 << 10];
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match self.take(order) {
                    None => {}
                    Some(Close::Fin) => return finish(reader, writer, self.unsent).await,
                    Some(Close::Reset) => return,
                    // The socket stays as it is, as long as the simulation lasts.
                    Some(Close::Silent) => return pending().await,
                },
                // How writing ends is told by reading.
                () = self.unsent.write(&mut writer), if self.unsent.is_any() => {}
                read = reader.read(&mut chunk), if !self.stalled => match read {
                    Ok(0) => return self.tell(Event::Ended(End::Closed)),
                    Ok(count) => self.tell(Event::Received(chunk[..count].to_vec())),
                    Err(_) => return self.tell(Event::Ended(End::Reset)),
                },
            }
        }
    }

    /// Takes an order in; gives how to close, if that is the order.
    fn take(&mut self, order: Option<Order>) -> Option<Close> {
        match order {
            Some(Order::Write(bytes)) => self.unsent.writes.push_back(bytes),
            Some(Order::Stall(stalled)) => self.stalled = stalled,
            Some(Order::Close(how)) => return Some(how),
            // The host's end, which is the simulation's.
            None => return Some(Close::Silent),
        }
        None
    }

    fn tell(&self, event: Event) {
        let told = Told { client: Arc::clone(&self.actor.client), connection: self.connection, event };
        // Nobody listens once the simulation is being dropped.
        let _ = self.actor.tell.send(told);
    }
}

/// What is to be written.
#[derive(Default)]
struct Unsent {
    writes: VecDeque<Vec<u8>>,
    /// Whether written bytes may still be held back on our side.
    unflushed: bool,
}

impl Unsent {
    fn is_any(&self) -> bool {
        !self.writes.is_empty() || self.unflushed
    }

    /// Writes what the connection takes of the first, or flushes behind the last. Nothing is left once it is broken.
    async fn write(&mut self, writer: &mut Writer) {
        let Some(bytes) = self.writes.front_mut() else {
            // A broken connection has nothing to flush.
            let _ = writer.flush().await;
            self.unflushed = false;
            return;
        };
        match writer.write(bytes).await {
            Ok(count) => {
                self.unflushed = true;
                bytes.drain(..count);
                if bytes.is_empty() {
                    self.writes.pop_front();
                }
            }
            Err(_) => *self = Unsent::default(),
        }
    }
}

/// Ends the connection behind everything that is unsent. What still comes is read, since closing over it would be a
/// reset.
async fn finish(mut reader: Reader, mut writer: Writer, mut unsent: Unsent) {
    let end = async {
        while unsent.is_any() {
            unsent.write(&mut writer).await;
        }
        // It is closed either way.
        let _ = writer.shutdown().await;
    };
    let drop_rest = async {
        let mut rest = [0; 4096];
        while let Ok(1..) = reader.read(&mut rest).await {}
    };
    tokio::join!(end, drop_rest);
}
