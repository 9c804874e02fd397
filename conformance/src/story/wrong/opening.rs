//! How a wrong packet is written, and what becomes of a connection that begins with one.

use crate::story::first::lengthened;
use crate::story::history::What;
use crate::story::{Client, Stop, Story, World};
use tokio::sync::Mutex;

/// A connection in order, whose barriers come between the two writes of a packet: a broker that gets both at once is not
/// put to the test. It serves as long as it lives.
pub(super) struct Pacer<'w>(Mutex<Option<Client<'w>>>);

impl<'w> Pacer<'w> {
    pub(super) async fn new(world: &'w World) -> Result<Self, Stop> {
        Ok(Pacer(Mutex::new(Some(world.connect_alive("pacer").await?))))
    }

    async fn barrier(&self) {
        let mut pacer = self.0.lock().await;
        let alive = match &mut *pacer {
            Some(client) => matches!(client.alive().await, Ok(true)),
            None => false,
        };
        if !alive {
            *pacer = None;
        }
    }
}

/// Writes the bytes, at once or in two writes with a break in the middle.
pub(super) async fn write(client: &mut Client<'_>, bytes: &[u8], split: Option<&Pacer<'_>>) -> Story {
    match split {
        Some(pacer) if bytes.len() > 1 => client.send_in_two(bytes, bytes.len() / 2, pacer.barrier()).await,
        _ => client.send_bytes(bytes).await,
    }
}

/// A wrong packet in the place of the CONNECT.
pub(super) struct Opening<'a, 'p> {
    /// The name of its client.
    pub(super) client: &'a str,
    /// What the log says of it.
    pub(super) note: String,
    pub(super) bytes: &'a [u8],
    /// In two writes, with a barrier of this one between them.
    pub(super) split: Option<&'a Pacer<'p>>,
    /// Whether a CONNACK that refuses may come before the end.
    pub(super) may_answer: bool,
}

impl Opening<'_, '_> {
    /// Opens a connection and begins it with the packet.
    pub(super) async fn send<'w>(&self, w: &'w World, name: &str) -> Result<Client<'w>, Stop> {
        let mut client = w.open(name).await?;
        client.record(What::Note(self.note.clone()))?;
        write(&mut client, &lengthened(self.bytes), self.split).await?;
        Ok(client)
    }

    /// Whether the broker ends the connection; `false` if it leaves it open.
    pub(super) async fn is_ended(&self, w: &World) -> Result<bool, Stop> {
        let mut client = self.send(w, self.client).await?;
        let ended = client.is_ended_at_connect(self.may_answer).await;
        client.cut();
        ended
    }

    /// The broker must end the connection. If it leaves one open it has another try: some lose sight of a first packet now
    /// and then, right or wrong, which says nothing of what is wrong with this one.
    pub(super) async fn must_end(&self, w: &World) -> Story {
        if self.is_ended(w).await? {
            return Ok(());
        }
        let mut client = self.send(w, &format!("{}again", self.client)).await?;
        let (ended, expected) =
            (client.is_ended_at_connect(self.may_answer).await, client.end_due_at_connect(self.may_answer));
        client.cut();
        if ended? {
            return Ok(());
        }
        let patience = w.patience().as_secs_f64();
        Err(Stop::violates(expected, format!("still open after {patience:.0} s, on two connections")))
    }
}
