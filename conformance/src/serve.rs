//! The reference broker behind TCP: one task owns the state machine, one task per connection moves bytes.
//!
//! Limits keep it alive against hostile clients: connections, bytes waiting for a slow reader, packet sizes and
//! sessions (the last two are the model's policy).

use mqtt_assay_broker_model::{Broker, ConnectionId, Input, Mutant, Output, Policy};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
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
    address: SocketAddr,
    // Dropping the set ends its tasks.
    _tasks: JoinSet<()>,
}

impl Served {
    /// Serves the reference broker, or a mutant of it, on a free loopback port.
    ///
    /// # Errors
    ///
    /// The port cannot be opened.
    pub async fn start(mutant: Option<Mutant>) -> io::Result<Served> {
        Served::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), mutant).await
    }

    /// Serves on this address.
    ///
    /// # Errors
    ///
    /// The port cannot be opened.
    pub async fn listen(listen: SocketAddr, mutant: Option<Mutant>) -> io::Result<Served> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        // The broker uses its right to refuse long Client Identifiers, so that there is a refusal to be judged.
        // [3.1.1/MQTT-3.1.3-9] [5.0/MQTT-3.1.3-8]
        let policy = Policy { max_client_id_bytes: 100, ..Policy::default() };
        let mut broker = Broker::new(policy, 0);
        if let Some(mutant) = mutant {
            broker = broker.with_mutant(mutant);
        }
        let (events, received) = mpsc::channel(CHUNKS_WAITING);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, events));
        tasks.spawn(turn(broker, received));
        Ok(Served { address, _tasks: tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
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

async fn accept(listener: TcpListener, events: mpsc::Sender<Told>) {
    let mut connections = JoinSet::new();
    let mut next = 0;
    loop {
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
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
        next += 1;
        connections.spawn(connection(stream, ConnectionId(next), events.clone()));
    }
}

/// Moves the bytes of one connection both ways until either side ends it.
async fn connection(stream: TcpStream, id: ConnectionId, events: mpsc::Sender<Told>) {
    let _ = stream.set_nodelay(true);
    let (mut reader, mut writer) = stream.into_split();
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
                    let written = tokio::time::timeout(WRITE_PATIENCE, writer.write_all(&bytes)).await;
                    unread.fetch_sub(bytes.len(), Ordering::Relaxed);
                    if !matches!(written, Ok(Ok(()))) {
                        return;
                    }
                }
                Order::Close => return,
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
        () = kill.notified() => {}
    }
    // Closed by the client, by an error, or by the broker: FIN goes out behind what was written. Bytes that the
    // client still sends are read and dropped for a while, since closing over them would reset the connection
    // and take the last packets with it.
    let _ = events.send(Told::Closed(id)).await;
    let _ = writer.shutdown().await;
    let _ = tokio::time::timeout(FLUSH_PATIENCE, async {
        let mut rest = [0; 4096];
        while let Ok(1..) = reader.read(&mut rest).await {}
    })
    .await;
}

/// Gives the state machine its inputs and carries out its outputs.
async fn turn(mut broker: Broker, mut events: mpsc::Receiver<Told>) {
    let begun = Instant::now();
    let mut connections = BTreeMap::new();
    loop {
        let told = match broker.deadline() {
            Some(deadline) => match tokio::time::timeout_at(begun + deadline, events.recv()).await {
                Ok(told) => told,
                Err(_) => {
                    broker.handle(begun.elapsed(), Input::Timer);
                    carry_out(&mut broker, &mut connections);
                    continue;
                }
            },
            None => events.recv().await,
        };
        let now = begun.elapsed();
        match told {
            Some(Told::Opened(id, line)) => {
                connections.insert(id, line);
                broker.handle(now, Input::Opened(id));
            }
            Some(Told::Received(id, bytes)) => broker.handle(now, Input::Received(id, &bytes)),
            Some(Told::Closed(id)) => {
                connections.remove(&id);
                broker.handle(now, Input::Closed(id));
            }
            None => return,
        }
        carry_out(&mut broker, &mut connections);
    }
}

fn carry_out(broker: &mut Broker, connections: &mut BTreeMap<ConnectionId, Line>) {
    while let Some(output) = broker.poll() {
        match output {
            Output::Send(id, bytes) => {
                let Some(line) = connections.get(&id) else { continue };
                if line.unread.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len() > UNREAD_MAX {
                    // The connection's task tells that it ended.
                    line.kill.notify_one();
                } else {
                    // A connection that has ended meanwhile takes no more orders.
                    let _ = line.orders.send(Order::Send(bytes));
                }
            }
            Output::Close(id) => {
                if let Some(line) = connections.remove(&id) {
                    let _ = line.orders.send(Order::Close);
                }
            }
        }
    }
}
