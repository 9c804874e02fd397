//! Scripts on a real network: the player decides, and its connections are driven by one future, without tasks or
//! channels in between: thousands of short plays a second are to cost little more than their system calls.
//!
//! What differs from the event heap: times are real ones; `hold` and `cut silently` are done on the client's side,
//! where nothing is read or written any more; what the script's `network` does of its own accord the real one does.

mod line;

use super::{Address, Caller};
use line::{Line, Seen};
use mqtt_assay_broker_model::history::{ClientNo, Fault, How};
use mqtt_assay_broker_model::script::{Order, PATIENCE, Played, Player, Script, Told};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// So much is read at once.
const CHUNK: usize = 16 << 10;

/// How long what does not come is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    /// How long a connection may take to open.
    pub(crate) opening: Duration,
    /// How long a step waits that does not say so itself.
    pub(crate) patience: Duration,
    /// The play ends after this time, wherever it is.
    pub(crate) whole: Duration,
    /// How long its connections may take to end then.
    pub(crate) farewell: Duration,
    /// Whether the play ends where the rest of it can show nothing, though the script would let time pass.
    pub(crate) hurries: bool,
}

impl Limits {
    /// Those of a single script, which may wait as long as it says.
    pub(crate) const GENEROUS: Limits = Limits {
        opening: Duration::from_secs(10),
        patience: PATIENCE,
        whole: Duration::MAX,
        farewell: Duration::from_secs(2),
        hurries: false,
    };
}

/// Plays a script to its end. Crashes and restarts of the broker are nobody's to do here: they are left out.
pub(crate) async fn play(script: Script, address: &Address, limits: Limits) -> Played {
    play_counted(script, address, limits, Written::default()).await
}

/// Tells, while a play goes on, when its clients have written last.
#[derive(Clone, Default, Debug)]
pub(crate) struct Written {
    /// How often anybody has written, when one of these clients did so last.
    pub(crate) last: Arc<AtomicU64>,
    /// How often the clients of all plays have written.
    pub(crate) all: Arc<AtomicU64>,
}

/// As [`play`], and tells when the clients have written.
pub(crate) async fn play_counted(
    script: Script,
    address: &Address,
    limits: Limits,
    written: Written,
) -> Played {
    let begun = Instant::now();
    let names = script.clients.iter().map(|client| client.name.clone()).collect();
    let mut stage = Stage {
        player: Player::new(script).with_patience(limits.patience),
        begun,
        address,
        written,
        opening: limits.opening,
        names,
        lines: Vec::new(),
    };
    let end = begun.checked_add(limits.whole);
    let mut timer = pin!(sleep_until(begun));
    let mut buffer = vec![0; CHUNK];
    stage.tell(Told::Time);
    while !stage.player.is_over() && end.is_none_or(|end| Instant::now() < end) {
        // Whoever waits for something waits for a time, too.
        let Some(due) = stage.player.deadline() else { break };
        let due = begun.checked_add(due).or(end).unwrap_or_else(|| begun + Duration::from_secs(86_400));
        timer.as_mut().reset(end.map_or(due, |end| end.min(due)));
        poll_fn(|context| stage.poll(context, timer.as_mut(), &mut buffer)).await;
        if limits.hurries && stage.player.nothing_can_come() {
            break;
        }
    }
    let Stage { player, lines, .. } = stage;
    let played = player.finish();
    part(lines, timer, &mut buffer, limits.farewell).await;
    played
}

/// Ends all connections in an orderly way, but those that nobody is to be told of.
async fn part(mut lines: Vec<Line>, mut timer: Pin<&mut Sleep>, buffer: &mut [u8], farewell: Duration) {
    lines.retain_mut(Line::part);
    timer.as_mut().reset(Instant::now() + farewell);
    poll_fn(|context| {
        lines.retain_mut(|line| {
            loop {
                match line.poll(context, buffer) {
                    Poll::Ready(Seen::Over) => return false,
                    Poll::Ready(_) => {}
                    Poll::Pending => return true,
                }
            }
        });
        if lines.is_empty() { Poll::Ready(()) } else { timer.as_mut().poll(context) }
    })
    .await;
}

struct Stage<'a> {
    player: Player,
    begun: Instant,
    address: &'a Address,
    written: Written,
    opening: Duration,
    names: Vec<String>,
    lines: Vec<Line>,
}

impl Stage<'_> {
    /// Takes in all that the connections have seen, or that the time has come.
    fn poll(&mut self, context: &mut Context<'_>, timer: Pin<&mut Sleep>, buffer: &mut [u8]) -> Poll<()> {
        let mut seen_any = false;
        let mut at = 0;
        while let Some(line) = self.lines.get_mut(at) {
            let Poll::Ready(seen) = line.poll(context, buffer) else {
                at += 1;
                continue;
            };
            let (client, connection) = (line.client, line.connection);
            match seen {
                Seen::Over => drop(self.lines.remove(at)),
                Seen::Opened => self.tell(Told::Opened(client, connection)),
                Seen::Failed => {
                    self.lines.remove(at);
                    self.tell(Told::Failed(client, connection));
                }
                Seen::Read(count) => self.tell(Told::Read(client, connection, &buffer[..count])),
                Seen::Ended(how) => {
                    self.lines.remove(at);
                    self.tell(Told::Ended(client, connection, how));
                }
            }
            seen_any = true;
            if self.player.is_over() {
                return Poll::Ready(());
            }
            // Others may have got orders.
            at = 0;
        }
        if timer.poll(context).is_ready() {
            self.tell(Told::Time);
            return Poll::Ready(());
        }
        // Another deadline may have come up.
        if seen_any { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Tells the player, and has its orders carried out.
    fn tell(&mut self, told: Told<'_>) {
        self.player.handle(self.begun.elapsed(), told);
        while let Some(order) = self.player.poll() {
            let (client, connection) = match order {
                Order::Open(client, connection) => {
                    self.open(client, connection);
                    continue;
                }
                Order::Write(client, connection, _)
                | Order::Close(client, connection, _)
                | Order::HalfClose(client, connection)
                | Order::Fault(client, connection, _) => (client, connection),
            };
            let found =
                self.lines.iter_mut().find(|line| (line.client, line.connection) == (client, connection));
            // One that has ended does nothing more.
            let Some(line) = found else { continue };
            match order {
                Order::Write(_, _, bytes) => {
                    let number = self.written.all.fetch_add(1, Ordering::Relaxed) + 1;
                    self.written.last.store(number, Ordering::Relaxed);
                    line.write(bytes);
                }
                Order::Close(_, _, How::Silently) => line.fall_silent(),
                Order::Close(_, _, how) => line.leave(how),
                Order::HalfClose(..) => line.leave(How::Fin),
                Order::Fault(_, _, Fault::Stall) => line.stalled = true,
                Order::Fault(_, _, Fault::Unstall) => line.stalled = false,
                Order::Fault(_, _, Fault::Hold) => line.held = true,
                Order::Fault(_, _, Fault::Release) => line.held = false,
                Order::Fault(_, _, Fault::Crash | Fault::Restart(_)) | Order::Open(..) => {}
            }
        }
    }

    fn open(&mut self, client: ClientNo, connection: u32) {
        let name = self.names.get(client.index()).cloned().unwrap_or_default();
        let (address, patience) = (self.address.clone(), self.opening);
        let opening = async move {
            let caller = Caller { client: &name, connection };
            address.open(caller, patience).await
        };
        self.lines.push(Line::new(client, connection, Box::pin(opening)));
    }
}
