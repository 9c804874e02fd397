//! Scripts on a real network: the player decides, a task for each connection carries out.
//!
//! What differs from the event heap: times are real ones; `hold` and `cut silently` are done on the client's side,
//! where nothing is read or written any more; what the script's `network` does of its own accord the real one does.

use super::{Address, Caller, Wire};
use mqtt_assay_broker_model::history::{ClientNo, Fault, How};
use mqtt_assay_broker_model::script::{Order, Played, Player, Script, Told};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// Chunks that wait for the player: readers pause when there are more.
const CHUNKS_WAITING: usize = 256;
/// What is unsent when a connection is to end may take so long.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// What a connection is to do.
enum Command {
    Write(Vec<u8>),
    /// The client does not read, or does again.
    Stall(bool),
    /// Nothing passes, either way, or does again.
    Hold(bool),
    Close(How),
    HalfClose,
}

/// What a connection has seen.
enum Seen {
    Opened,
    Failed,
    Read(Vec<u8>),
    Ended(How),
}

type Event = (ClientNo, u32, Seen);

/// Plays a script to its end. Connections have so long to open. Crashes and restarts of the broker are nobody's to
/// do here: they are left out.
pub(crate) async fn play(script: Script, address: &Address, patience: Duration) -> Played {
    let names = script.clients.iter().map(|client| client.name.clone()).collect();
    let (sender, mut events) = mpsc::channel(CHUNKS_WAITING);
    let mut stage = Stage {
        player: Player::new(script),
        begun: Instant::now(),
        address,
        patience,
        names,
        sender,
        lines: BTreeMap::new(),
        tasks: JoinSet::new(),
    };
    stage.tell(Told::Time);
    while !stage.player.is_over() {
        let due = stage.player.deadline().map(|at| stage.begun + at);
        // Whoever waits for something waits for a time, too.
        let Some(due) = due else { break };
        tokio::select! {
            biased;
            event = events.recv() => {
                if let Some((client, connection, seen)) = event {
                    stage.tell(match &seen {
                        Seen::Opened => Told::Opened(client, connection),
                        Seen::Failed => Told::Failed(client, connection),
                        Seen::Read(bytes) => Told::Read(client, connection, bytes),
                        Seen::Ended(how) => Told::Ended(client, connection, *how),
                    });
                }
            }
            () = sleep_until(due) => stage.tell(Told::Time),
        }
    }
    let Stage { player, mut tasks, lines, .. } = stage;
    // The connections end with their orders.
    drop((lines, events));
    let _ = timeout(FLUSH_PATIENCE, async { while tasks.join_next().await.is_some() {} }).await;
    player.finish()
}

struct Stage<'a> {
    player: Player,
    begun: Instant,
    address: &'a Address,
    patience: Duration,
    names: Vec<String>,
    sender: mpsc::Sender<Event>,
    /// What the connections are told.
    lines: BTreeMap<(ClientNo, u32), mpsc::UnboundedSender<Command>>,
    tasks: JoinSet<()>,
}

impl Stage<'_> {
    /// Tells the player, and has its orders carried out.
    fn tell(&mut self, told: Told<'_>) {
        self.player.handle(self.begun.elapsed(), told);
        while let Some(order) = self.player.poll() {
            let (client, connection, command) = match order {
                Order::Open(client, connection) => {
                    self.open(client, connection);
                    continue;
                }
                Order::Write(client, connection, bytes) => (client, connection, Command::Write(bytes)),
                Order::Close(client, connection, how) => (client, connection, Command::Close(how)),
                Order::HalfClose(client, connection) => (client, connection, Command::HalfClose),
                Order::Fault(client, connection, fault) => match fault {
                    Fault::Stall => (client, connection, Command::Stall(true)),
                    Fault::Unstall => (client, connection, Command::Stall(false)),
                    Fault::Hold => (client, connection, Command::Hold(true)),
                    Fault::Release => (client, connection, Command::Hold(false)),
                    Fault::Crash | Fault::Restart(_) => continue,
                },
            };
            if let Some(line) = self.lines.get(&(client, connection)) {
                // One that has ended does nothing more.
                let _ = line.send(command);
            }
        }
    }

    fn open(&mut self, client: ClientNo, connection: u32) {
        let (orders, received) = mpsc::unbounded_channel();
        self.lines.insert((client, connection), orders);
        let line = Line { client, connection, events: self.sender.clone(), orders: received };
        let name = self.names.get(client.index()).cloned().unwrap_or_default();
        let (address, patience) = (self.address.clone(), self.patience);
        self.tasks.spawn(async move {
            let caller = Caller { client: &name, connection };
            match address.open(caller, patience).await {
                Ok(wire) => line.run(wire).await,
                Err(_) => line.tell(Seen::Failed).await,
            }
        });
    }
}

/// One connection.
struct Line {
    client: ClientNo,
    connection: u32,
    events: mpsc::Sender<Event>,
    orders: mpsc::UnboundedReceiver<Command>,
}

impl Line {
    async fn tell(&self, seen: Seen) {
        // When the play is over there is nobody to tell.
        let _ = self.events.send((self.client, self.connection, seen)).await;
    }

    async fn run(mut self, wire: Box<dyn Wire>) {
        let (mut reader, writer) = tokio::io::split(wire);
        let mut outbox = Outbox { writer, unsent: VecDeque::new(), written: 0, flushes: false };
        let (mut stalled, mut held) = (false, false);
        let mut buffer = vec![0; 16 << 10];
        self.tell(Seen::Opened).await;
        loop {
            tokio::select! {
                biased;
                command = self.orders.recv() => match command {
                    Some(Command::Write(bytes)) => outbox.unsent.push_back(bytes),
                    Some(Command::Stall(on)) => stalled = on,
                    Some(Command::Hold(on)) => held = on,
                    Some(Command::Close(How::Silently)) => {
                        // Half-open: the socket stays until the play is over.
                        while self.orders.recv().await.is_some() {}
                        return;
                    }
                    Some(Command::Close(How::Reset)) => return outbox.reset(reader, held).await,
                    Some(Command::Close(How::Fin)) | None => return outbox.finish(reader, held).await,
                    Some(Command::HalfClose) => {
                        outbox.half_close(held).await;
                        drain(&mut reader).await;
                        return;
                    }
                },
                written = outbox.step(), if outbox.is_due() && !held => {
                    if written.is_err() {
                        // The reading side will tell how it has ended.
                        outbox.unsent.clear();
                        outbox.flushes = false;
                    }
                }
                read = reader.read(&mut buffer), if !stalled && !held => match read {
                    Ok(0) => return self.tell(Seen::Ended(How::Fin)).await,
                    Ok(count) => self.tell(Seen::Read(buffer[..count].to_vec())).await,
                    Err(_) => return self.tell(Seen::Ended(How::Reset)).await,
                },
            }
        }
    }
}

/// Reads to the end, for nobody.
async fn drain(reader: &mut ReadHalf<Box<dyn Wire>>) {
    let mut rest = [0; 4096];
    while let Ok(1..) = reader.read(&mut rest).await {}
}

/// What is to be written, segment by segment.
struct Outbox {
    writer: WriteHalf<Box<dyn Wire>>,
    unsent: VecDeque<Vec<u8>>,
    /// How much of the first segment is written.
    written: usize,
    /// A layer may keep back what was written.
    flushes: bool,
}

impl Outbox {
    fn is_due(&self) -> bool {
        self.flushes || !self.unsent.is_empty()
    }

    /// Goes on by one write. Dropped before its end, it has done nothing.
    async fn step(&mut self) -> io::Result<()> {
        // A segment goes out before the next one is begun.
        if self.flushes {
            self.writer.flush().await?;
            self.flushes = false;
            return Ok(());
        }
        let Some(segment) = self.unsent.front() else { return Ok(()) };
        let count = self.writer.write(&segment[self.written..]).await?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.written += count;
        if self.written == segment.len() {
            self.unsent.pop_front();
            self.written = 0;
            self.flushes = true;
        }
        Ok(())
    }

    /// Writes what is unsent, unless the network holds it back, or the broker does not take it.
    async fn write_all(&mut self, held: bool) {
        let all = async {
            while self.is_due() && !held {
                if self.step().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(FLUSH_PATIENCE, all).await;
    }

    async fn half_close(&mut self, held: bool) {
        self.write_all(held).await;
        // It may be closed from the other side.
        let _ = timeout(FLUSH_PATIENCE, self.writer.shutdown()).await;
    }

    /// An orderly end. What still comes is read, since closing over it would be a reset.
    async fn finish(mut self, mut reader: ReadHalf<Box<dyn Wire>>, held: bool) {
        self.half_close(held).await;
        let _ = timeout(FLUSH_PATIENCE, drain(&mut reader)).await;
    }

    async fn reset(mut self, reader: ReadHalf<Box<dyn Wire>>, held: bool) {
        self.write_all(held).await;
        reader.unsplit(self.writer).reset_on_drop();
    }
}
