//! The reference broker behind any listener: one task owns the state machine, one task per connection moves bytes.
//!
//! Time is tokio's and nothing is drawn by chance, so that a simulation can run it in virtual time.
//!
//! Limits keep it alive against hostile clients: connections, bytes waiting for a slow reader, packet sizes and
//! sessions (the last two are the model's policy).

mod edge;
mod fault;
mod fuse;
mod packets;

pub use crate::net::tls::FileTrouble;
pub use edge::{Edge, ServeTrouble, ServerTls, WEBSOCKET_PATH};
pub use fault::{EdgeFault, Fault};
pub use packets::PacketFault;

use crate::net::Listener;
use crate::net::layers::Layered;
use crate::setup::Setup;
pub use fuse::Effect;
use fuse::{Fuse, Fused};
use mqtt_assay_broker_model::{Broker, ConnectionId, Input, Output};
use mqtt_assay_codec::PacketType;
use packets::Tamper;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// More connections than this are closed as they come.
const CONNECTIONS_MAX: usize = 4096;
/// A client that lets so many bytes wait is dropped.
const UNREAD_MAX: usize = 64 << 20;
/// A client that takes nothing for so long is dropped.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);
/// A closed connection has so long to take its last bytes.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);
/// Chunks that wait for the state machine, per broker: readers pause when it is full.
const CHUNKS_WAITING: usize = 1024;

/// A running reference broker; it ends when dropped.
#[derive(Debug)]
pub struct Served {
    edge: Edge,
    fuse: Option<Fuse>,
    // Dropping the set ends its task, and with it all others.
    _tasks: JoinSet<()>,
}

impl Served {
    /// Serves the reference broker, or one with a fault, on a free loopback port: over TCP, or over WebSocket if the
    /// fault is there.
    ///
    /// # Errors
    ///
    /// The port cannot be opened.
    pub async fn start(fault: Option<Fault>) -> Result<Served, ServeTrouble> {
        Served::set_up(Setup::Full, fault).await
    }

    /// As [`Served::start`], with another set-up.
    ///
    /// # Errors
    ///
    /// The port cannot be opened.
    pub async fn set_up(setup: Setup, fault: Option<Fault>) -> Result<Served, ServeTrouble> {
        Served::serve(setup, Edge::loopback(fault), fault, None).await
    }

    /// Serves at this edge.
    ///
    /// # Errors
    ///
    /// The port cannot be opened, or the files of TLS are wrong.
    pub async fn listen(setup: Setup, edge: Edge, fault: Option<Fault>) -> Result<Served, ServeTrouble> {
        Served::serve(setup, edge, fault, None).await
    }

    /// As [`Served::listen`] with the full set-up, until a client sends a packet of this type: then nothing is answered any
    /// more on that connection, and [`Served::dies`] returns, whose caller is to end the process.
    ///
    /// # Errors
    ///
    /// The port cannot be opened, or the files of TLS are wrong.
    pub async fn listen_until(
        edge: Edge,
        fault: Option<Fault>,
        fatal: PacketType,
    ) -> Result<Served, ServeTrouble> {
        Served::serve(Setup::Full, edge, fault, Some(Fuse::new(&[fatal], Effect::Dies))).await
    }

    /// As [`Served::listen`] with the full set-up; when a client has sent packets of these types in this order, the
    /// process goes wrong.
    ///
    /// # Errors
    ///
    /// The port cannot be opened, or the files of TLS are wrong.
    pub async fn listen_planted(
        edge: Edge,
        sequence: &[PacketType],
        effect: Effect,
    ) -> Result<Served, ServeTrouble> {
        Served::serve(Setup::Full, edge, None, Some(Fuse::new(sequence, effect))).await
    }

    /// Waits for the packet that the broker dies of; for ever if there is none.
    pub async fn dies(&self) {
        match &self.fuse {
            Some(fuse) => fuse.dies().await,
            None => std::future::pending().await,
        }
    }

    async fn serve(
        setup: Setup,
        mut edge: Edge,
        fault: Option<Fault>,
        fuse: Option<Fuse>,
    ) -> Result<Served, ServeTrouble> {
        let edge_fault = match fault {
            Some(Fault::Edge(fault)) => Some(fault),
            Some(Fault::Model(_) | Fault::Packets(_)) | None => None,
        };
        let layers = edge.layers(edge_fault)?;
        let port = |error| ServeTrouble::Port(edge.address, error);
        let listener = TcpListener::bind(edge.address).await.map_err(port)?;
        edge.address = listener.local_addr().map_err(port)?;
        let machine = Machine::new(setup, fault, 0);
        let mut tasks = JoinSet::new();
        let layered = edge.tls.is_some() || edge.websocket.is_some();
        match (layered, fuse.clone()) {
            (false, None) => tasks.spawn(serve(listener, machine)),
            (true, None) => tasks.spawn(serve(Layered::new(listener, layers), machine)),
            (false, Some(fuse)) => tasks.spawn(serve(Fused::new(listener, fuse), machine)),
            (true, Some(fuse)) => {
                tasks.spawn(serve(Fused::new(Layered::new(listener, layers), fuse), machine))
            }
        };
        Ok(Served { edge, fuse, _tasks: tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.edge.address
    }

    /// Where and how it is served.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }
}

/// The state machine, with what must outlive the tasks around it if a crash is not to take its state.
#[derive(Clone, Debug)]
pub(crate) struct Machine(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    broker: Broker,
    /// What spoils the packets on their way, if something does.
    tamper: Option<Tamper>,
    /// The machine's time when its tasks began.
    begun: Duration,
    /// The number of the last connection.
    last: u64,
    open: BTreeSet<ConnectionId>,
}

impl Machine {
    /// The reference broker, or one with a fault, without sessions. A fault of the transport is not its business.
    pub(crate) fn new(setup: Setup, fault: Option<Fault>, seed: u64) -> Self {
        let mut broker = Broker::new(setup.policy(), seed);
        let mut tamper = None;
        match fault {
            Some(Fault::Model(mutant)) => broker = broker.with_mutant(mutant),
            Some(Fault::Packets(fault)) => tamper = Some(Tamper::new(fault)),
            Some(Fault::Edge(_)) | None => {}
        }
        let (begun, open) = (Duration::ZERO, BTreeSet::new());
        Machine(Arc::new(Mutex::new(State { broker, tamper, begun, last: 0, open })))
    }

    /// Prepares it to be served again, from this time on, after a crash that its state survived: the connections that
    /// it had are lost.
    pub(crate) fn restart(&self, now: Duration) {
        let mut state = self.state();
        for id in std::mem::take(&mut state.open) {
            state.broker.handle(now, Input::Closed(id));
            if let Some(tamper) = &mut state.tamper {
                tamper.closed(id);
            }
        }
        // Nobody is there to be sent anything.
        while state.broker.poll().is_some() {}
        state.begun = now;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves whomever the listener accepts, until dropped.
pub(crate) async fn serve(listener: impl Listener, machine: Machine) {
    let (events, received) = mpsc::channel(CHUNKS_WAITING);
    let last = machine.state().last;
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, last, events));
    tasks.spawn(turn(machine, received));
    while tasks.join_next().await.is_some() {}
}

/// What the connections tell the broker's task.
enum Told {
    Opened(ConnectionId, Line),
    Received(ConnectionId, Vec<u8>),
    Closed(ConnectionId),
}

/// The broker's end of a connection.
struct Line {
    orders: mpsc::UnboundedSender<Order>,
    /// Bytes ordered and not yet written.
    unread: Arc<AtomicUsize>,
    /// Ends the connection at once, whatever is unwritten.
    kill: Arc<Notify>,
}

/// What the broker's task tells a connection.
enum Order {
    Send(Vec<u8>),
    Close,
}

async fn accept<L: Listener>(mut listener: L, mut last: u64, events: mpsc::Sender<Told>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok(stream) => stream,
            // Out of file descriptors, or a connection that was gone already: let others end first.
            Err(_) => {
                if connections.join_next().await.is_none() {
                    tokio::task::yield_now().await;
                }
                continue;
            }
        };
        if connections.len() >= CONNECTIONS_MAX {
            drop(stream);
            continue;
        }
        last += 1;
        connections.spawn(connection(stream, L::BUFFERS, ConnectionId(last), events.clone()));
    }
}

/// Moves the bytes of one connection both ways until either side ends it; a stream that buffers is flushed.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send,
    buffers: bool,
    id: ConnectionId,
    events: mpsc::Sender<Told>,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (orders, mut ordered) = mpsc::unbounded_channel();
    let unread = Arc::new(AtomicUsize::new(0));
    let kill = Arc::new(Notify::new());
    let line = Line { orders, unread: Arc::clone(&unread), kill: Arc::clone(&kill) };
    if events.send(Told::Opened(id, line)).await.is_err() {
        return;
    }
    let read = async {
        let mut chunk = vec![0; 16 << 10];
        while let Ok(count @ 1..) = reader.read(&mut chunk).await {
            if events.send(Told::Received(id, chunk[..count].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let write = async {
        while let Some(order) = ordered.recv().await {
            match order {
                Order::Send(bytes) => {
                    let write = async {
                        writer.write_all(&bytes).await?;
                        if buffers { writer.flush().await } else { Ok(()) }
                    };
                    let written = tokio::time::timeout(WRITE_PATIENCE, write).await;
                    unread.fetch_sub(bytes.len(), Ordering::Relaxed);
                    if !matches!(written, Ok(Ok(()))) {
                        return;
                    }
                }
                Order::Close => return,
            }
        }
    };
    // In a fixed order: chance would make two runs of one seed differ.
    tokio::select! {
        biased;
        () = kill.notified() => {}
        () = write => {}
        () = read => {}
    }
    // Closed by the client, by an error, or by the broker: FIN goes out behind what was written. Bytes that the
    // client still sends are read and dropped for a while, since closing over them would reset the connection
    // and take the last packets with it.
    let _ = events.send(Told::Closed(id)).await;
    let _ = tokio::time::timeout(FLUSH_PATIENCE, async {
        let _ = writer.shutdown().await;
        let mut rest = [0; 4096];
        while let Ok(1..) = reader.read(&mut rest).await {}
    })
    .await;
}

/// Gives the state machine its inputs and carries out its outputs.
async fn turn(machine: Machine, mut events: mpsc::Receiver<Told>) {
    let begun = Instant::now();
    let since = machine.state().begun;
    let mut connections = BTreeMap::new();
    loop {
        let deadline = machine.state().broker.deadline();
        let told = match deadline {
            Some(deadline) => {
                let due = begun + deadline.saturating_sub(since);
                // Nobody told anything until then: the timer is due.
                tokio::time::timeout_at(due, events.recv()).await.ok()
            }
            None => Some(events.recv().await),
        };
        let now = since + begun.elapsed();
        let mut state = machine.state();
        let state = &mut *state;
        match told {
            None => state.broker.handle(now, Input::Timer),
            Some(Some(Told::Opened(id, line))) => {
                connections.insert(id, line);
                state.open.insert(id);
                state.last = id.0;
                state.broker.handle(now, Input::Opened(id));
            }
            Some(Some(Told::Received(id, bytes))) => {
                let bytes = match &mut state.tamper {
                    Some(tamper) => tamper.received(id, bytes),
                    None => bytes,
                };
                state.broker.handle(now, Input::Received(id, &bytes));
            }
            Some(Some(Told::Closed(id))) => {
                connections.remove(&id);
                state.open.remove(&id);
                state.broker.handle(now, Input::Closed(id));
                if let Some(tamper) = &mut state.tamper {
                    tamper.closed(id);
                }
            }
            Some(None) => return,
        }
        carry_out(state, &mut connections);
    }
}

fn carry_out(state: &mut State, connections: &mut BTreeMap<ConnectionId, Line>) {
    match state.tamper.take() {
        None => {
            while let Some(output) = state.broker.poll() {
                put_out(state, connections, output);
            }
        }
        Some(mut tamper) => {
            let outputs = std::iter::from_fn(|| state.broker.poll()).collect();
            for output in tamper.spoil(outputs) {
                put_out(state, connections, output);
            }
            state.tamper = Some(tamper);
        }
    }
}

fn put_out(state: &mut State, connections: &mut BTreeMap<ConnectionId, Line>, output: Output) {
    match output {
        Output::Send(id, bytes) => {
            let Some(line) = connections.get(&id) else { return };
            if line.unread.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len() > UNREAD_MAX {
                // The connection's task tells that it ended.
                line.kill.notify_one();
            } else {
                // A connection that has ended meanwhile takes no more orders.
                let _ = line.orders.send(Order::Send(bytes));
            }
        }
        Output::Close(id) => {
            state.open.remove(&id);
            if let Some(line) = connections.remove(&id) {
                let _ = line.orders.send(Order::Close);
            }
        }
    }
}
