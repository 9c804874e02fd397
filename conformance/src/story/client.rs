//! A client of a story: one network connection at a time, every byte of it in the History.

use super::history::What;
use super::passive::{FRAME_MAX, Passive};
use super::received::Received;
use super::{Stop, Story, World};
use crate::net::{Address, Caller, Wire};
use crate::report::pcapng;
use mqtt_assay_codec::{
    Ack, Connack, Decoder, Packet, PacketId, PacketType, Qos, ReasonCode, Receiver, Split, Version, frame,
};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// How a connection ended, as the client saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The broker closed the connection (FIN).
    Closed,
    /// The broker reset the connection (RST).
    Reset,
}

/// What came next on a connection.
#[derive(Debug)]
pub enum Next {
    /// A packet.
    Packet(Received),
    /// The end of the connection.
    End(End),
    /// Nothing until the deadline.
    Silence,
}

/// Why a story cannot go on without this connection.
pub(super) fn not_opened(name: &str, error: &io::Error) -> Stop {
    Stop::inconclusive(format!("client {name} could not open a connection: {error}"))
}

/// One client with its network connection.
pub struct Client<'w> {
    pub(super) world: &'w World,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) version: Version,
    pub(super) inbox: VecDeque<Received>,
    /// The CONNACK that accepted the connection.
    pub(super) connack: Option<Received>,
    /// How long that CONNACK was waited for.
    pub(super) connecting: Duration,
    pub(super) passive: Passive,
    connection: u32,
    pub(super) wire: Option<Box<dyn Wire>>,
    buffer: Vec<u8>,
    end: Option<End>,
    acknowledges: bool,
    next_id: u16,
}

impl std::fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

/// A connection ends with its client.
impl Drop for Client<'_> {
    fn drop(&mut self) {
        self.let_go(false, false);
    }
}

impl<'w> Client<'w> {
    pub(super) async fn open(world: &'w World, name: &str, id: String) -> Result<Client<'w>, Stop> {
        let opened = Client::open_at(world, &world.address, name, id).await;
        let client = opened.map_err(|error| not_opened(name, &error))?;
        client.record(What::Note("opens a connection".into()))?;
        Ok(client)
    }

    pub(super) async fn open_at(
        world: &'w World,
        address: &Address,
        name: &str,
        id: String,
    ) -> io::Result<Client<'w>> {
        let connection = world.next_connection(name);
        let caller = Caller { client: name, connection };
        let wire = address.open(caller, world.patience).await?;
        world.history.open(name, connection, address.peer());
        Ok(Client {
            world,
            name: name.to_owned(),
            id,
            version: world.version,
            inbox: VecDeque::new(),
            connack: None,
            connecting: Duration::ZERO,
            passive: Passive::new(world.version),
            connection,
            wire: Some(wire),
            buffer: Vec::new(),
            end: None,
            acknowledges: true,
            next_id: 0,
        })
    }

    /// The client's name in the story.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its Client Identifier: the Assigned Client Identifier if the broker chose one.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The CONNACK that accepted the connection.
    pub fn connack(&self) -> Connack<'_> {
        match self.connack.as_ref().map(Received::packet) {
            Some(Packet::Connack(connack)) => connack,
            // Clients reach a story only through an accepted CONNECT; one merely opened has no CONNACK yet.
            _ => Connack::new(false, ReasonCode::SUCCESS),
        }
    }

    /// The CONNACK that accepted the connection, as it came.
    pub fn connack_received(&self) -> Option<&Received> {
        self.connack.as_ref()
    }

    /// Session Present of the CONNACK.
    pub fn session_present(&self) -> bool {
        self.connack().session_present
    }

    /// From now on the story acknowledges PUBLISH and PUBREL itself.
    pub fn acknowledge_by_hand(&mut self) {
        self.acknowledges = false;
    }

    /// From now on PUBLISH and PUBREL are acknowledged as they come.
    pub fn acknowledge_at_once(&mut self) {
        self.acknowledges = true;
    }

    /// An unused Packet Identifier.
    pub fn fresh_id(&mut self) -> PacketId {
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        PacketId::new(self.next_id).unwrap_or(PacketId::MIN)
    }

    /// Whether the end of the connection has been seen.
    pub fn ended(&self) -> Option<End> {
        self.end
    }

    pub(super) fn record(&self, what: What) -> Result<Option<usize>, Stop> {
        match self.world.history.record(&self.name, self.connection, self.version, what) {
            Some(index) => Ok(Some(index)),
            None => Err(Stop::inconclusive(
                "the broker sent more than a check may record (5,000 events or 8 MiB): gave up",
            )),
        }
    }

    /// Writes bytes as they are, in one write.
    ///
    /// A connection that the broker has closed swallows them: its end is seen by reading.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Story {
        self.record(What::Sent(bytes.to_vec()))?;
        self.tell_passive(bytes);
        self.write(bytes).await
    }

    /// The passive rules need to know what was acknowledged, however it was written.
    fn tell_passive(&mut self, bytes: &[u8]) {
        let decoder = Decoder::new(self.version, Receiver::Server);
        let mut rest = bytes;
        loop {
            match decoder.next(rest) {
                Ok(Some((packet, length))) => {
                    self.passive.sent(&packet);
                    rest = &rest[length..];
                }
                Ok(None) => break,
                Err(malformed) => {
                    self.passive.sent_malformed(&malformed);
                    break;
                }
            }
        }
    }

    /// Writes bytes in two writes, the second after `between`: a barrier on another connection, by which the broker has
    /// most likely read the first.
    pub async fn send_in_two(&mut self, bytes: &[u8], at: usize, between: impl Future<Output = ()>) -> Story {
        self.record(What::Note(format!("sends {at} bytes of a packet, then the rest")))?;
        self.record(What::Sent(bytes.to_vec()))?;
        self.tell_passive(bytes);
        let (first, rest) = bytes.split_at(at.min(bytes.len()));
        self.write(first).await?;
        between.await;
        self.write(rest).await
    }

    /// Writes so many bytes of no meaning, the payload of a large packet, without keeping them in the log.
    pub async fn send_filling(&mut self, count: usize) -> Story {
        self.record(What::Note(format!("sends {count} bytes more of the packet")))?;
        let filling = vec![b'x'; count];
        self.world.history.tell_tape(&self.name, self.connection, || pcapng::What::Sent(filling.clone()));
        self.write(&filling).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Story {
        let Some(wire) = &mut self.wire else { return Ok(()) };
        let patience = self.world.patience;
        let written = tokio::time::timeout(patience, async {
            wire.write_all(bytes).await?;
            wire.flush().await
        });
        match written.await {
            Ok(_) => Ok(()),
            Err(_) => Err(Stop::inconclusive(format!(
                "the broker read nothing from client {} for {:.0} s",
                self.name,
                patience.as_secs_f64()
            ))),
        }
    }

    /// Writes a packet.
    pub async fn send(&mut self, packet: &Packet<'_>) -> Story {
        let bytes = self.encode(packet)?;
        self.send_bytes(&bytes).await
    }

    /// Writes several packets in one segment.
    pub async fn send_together(&mut self, packets: &[Packet<'_>]) -> Story {
        let mut bytes = Vec::new();
        for packet in packets {
            bytes.extend(self.encode(packet)?);
        }
        self.send_bytes(&bytes).await
    }

    fn encode(&mut self, packet: &Packet<'_>) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).map_err(|error| {
            Stop::inconclusive(format!("the check wants to send the impossible: {error}"))
        })?;
        self.passive.sent(packet);
        Ok(bytes)
    }

    /// The next packet, the connection's end, or silence until the deadline, inbox first.
    pub async fn next(&mut self, deadline: Instant) -> Result<Next, Stop> {
        match self.inbox.pop_front() {
            Some(received) => Ok(Next::Packet(received)),
            None => self.read(deadline).await,
        }
    }

    /// The next packet from the wire, past the inbox.
    pub(super) async fn read(&mut self, deadline: Instant) -> Result<Next, Stop> {
        loop {
            if let Some(received) = self.take_frame()? {
                self.acknowledge(&received).await?;
                return Ok(Next::Packet(received));
            }
            if let Some(end) = self.end {
                return Ok(Next::End(end));
            }
            let Some(wire) = &mut self.wire else { return Ok(Next::End(End::Closed)) };
            let mut chunk = [0; 16 << 10];
            match tokio::time::timeout_at(deadline, wire.read(&mut chunk)).await {
                Err(_) => return Ok(Next::Silence),
                Ok(Ok(0)) => self.note_end(End::Closed)?,
                Ok(Ok(count)) => self.buffer.extend_from_slice(&chunk[..count]),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => {
                    self.accuse_text(&error)?;
                    self.note_end(End::Reset)?;
                }
            }
        }
    }

    /// Reads whatever comes until the connection ends or the deadline, without taking it for packets of this
    /// version; gives the bytes, and whether the connection ended.
    pub async fn read_raw(&mut self, deadline: Instant) -> Result<(Vec<u8>, bool), Stop> {
        const RAW_MAX: usize = 64 << 10;
        let mut bytes = std::mem::take(&mut self.buffer);
        let mut chunk = [0; 4 << 10];
        while let Some(wire) = &mut self.wire {
            match tokio::time::timeout_at(deadline, wire.read(&mut chunk)).await {
                Err(_) => break,
                Ok(Ok(0)) => {
                    self.end = Some(End::Closed);
                    self.let_go(true, false);
                }
                Ok(Ok(count)) if bytes.len() < RAW_MAX => bytes.extend_from_slice(&chunk[..count]),
                Ok(Ok(_)) => break,
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => {
                    self.end = Some(End::Reset);
                    self.let_go(true, true);
                }
            }
        }
        if !bytes.is_empty() {
            self.record(What::Received(bytes.clone()))?;
        }
        if self.end.is_some() {
            self.record(What::Note("the broker ended the connection".into()))?;
        }
        Ok((bytes, self.end.is_some()))
    }

    fn note_end(&mut self, end: End) -> Story {
        if !self.buffer.is_empty() {
            let rest = std::mem::take(&mut self.buffer);
            self.record(What::Received(rest))?;
        }
        let how = match end {
            End::Closed => "the broker closed the connection",
            End::Reset => "the broker reset the connection",
        };
        self.record(What::Note(how.into()))?;
        self.end = Some(end);
        self.let_go(true, end == End::Reset);
        Ok(())
    }

    /// Drops the connection, and gives back what it was made of; the tape hears of its end.
    fn let_go(&mut self, by_broker: bool, reset: bool) -> Option<Box<dyn Wire>> {
        let wire = self.wire.take()?;
        self.world.history.tell_tape(&self.name, self.connection, || pcapng::What::End { by_broker, reset });
        Some(wire)
    }

    /// Takes a whole frame from the buffer; bytes that are no packet end the story with an accusation.
    fn take_frame(&mut self) -> Result<Option<Received>, Stop> {
        loop {
            let mut length = 0;
            let split = match frame::split(&self.buffer, FRAME_MAX, self.version) {
                Ok(Split::Missing(_)) => return Ok(None),
                Ok(Split::Whole(frame)) => {
                    length = frame.bytes().len();
                    Ok(frame)
                }
                Err(malformed) => Err(malformed),
            };
            let decoded = split.and_then(|frame| {
                let decoder = Decoder::new(self.version, Receiver::Client);
                decoder.decode(frame).map(|packet| packet.packet_type())
            });
            match decoded {
                Ok(packet_type) => {
                    let bytes: Vec<u8> = self.buffer.drain(..length).collect();
                    let index = self.record(What::Received(bytes.clone()))?;
                    let mut received = Received::new(bytes, self.version, packet_type, index);
                    received.set_topic(self.passive.received(self.world, &received)?);
                    return Ok(Some(received));
                }
                Err(malformed) if self.passive.answers_nothing(&malformed) => {
                    let bytes: Vec<u8> = self.buffer.drain(..length).collect();
                    self.record(What::Received(bytes))?;
                }
                Err(malformed) => {
                    let shown = self.buffer.len().min(64 << 10);
                    let bytes: Vec<u8> = self.buffer.drain(..).take(shown).collect();
                    let index = self.record(What::Received(bytes))?;
                    return Err(self.passive.malformed(malformed).at(index));
                }
            }
        }
    }

    /// Answers a delivery as the protocol wants it, unless the story does so itself.
    async fn acknowledge(&mut self, received: &Received) -> Story {
        if !self.acknowledges {
            return Ok(());
        }
        let answer = match received.packet() {
            Packet::Publish(publish) => match (publish.qos, publish.packet_id) {
                (Qos::AtLeastOnce, Some(id)) => Packet::Puback(Ack::new(id, ReasonCode::SUCCESS)),
                (Qos::ExactlyOnce, Some(id)) => Packet::Pubrec(Ack::new(id, ReasonCode::SUCCESS)),
                _ => return Ok(()),
            },
            Packet::Pubrel(release) => Packet::Pubcomp(Ack::new(release.packet_id, ReasonCode::SUCCESS)),
            _ => return Ok(()),
        };
        self.send(&answer).await
    }

    /// Ends the connection without a DISCONNECT, as a client that dies does.
    pub fn cut(&mut self) {
        let _ = self.record(What::Note("closes the connection without DISCONNECT".into()));
        self.let_go(false, false);
    }

    /// Ends the connection with a reset.
    pub fn reset(&mut self) {
        let _ = self.record(What::Note("resets the connection".into()));
        if let Some(mut wire) = self.let_go(false, true) {
            wire.reset_on_drop();
        }
    }

    /// Says DISCONNECT (normal disconnection) and closes the connection.
    pub async fn disconnect(&mut self) {
        // Whatever goes wrong here, the connection is gone afterwards, which is the point.
        let _ = self.send(&Packet::Disconnect(mqtt_assay_codec::Disconnect::default())).await;
        self.linger().await;
    }

    /// Half-closes and waits for the broker to see it, so that what was sent last is not lost with the socket.
    pub async fn linger(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(1);
        if let Some(wire) = &mut self.wire {
            // Layers over TCP say goodbye in bytes, which a broker need not take.
            let _ = tokio::time::timeout_at(deadline, wire.shutdown()).await;
        }
        while let Ok(Next::Packet(_)) = self.read(deadline).await {}
        self.let_go(false, false);
    }

    /// A deadline for what the specification sets no bound to.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.world.patience
    }

    /// The packets that are waiting, for messages.
    pub(super) fn waiting(&self) -> String {
        const SHOWN: usize = 3;
        let mut lines: Vec<String> = self.inbox.iter().take(SHOWN).map(Received::line).collect();
        if self.inbox.len() > SHOWN {
            lines.push(format!("{} packets more", self.inbox.len() - SHOWN));
        }
        lines.join("; ")
    }

    /// The packets that came and that no expectation has taken yet.
    pub fn inbox(&self) -> impl Iterator<Item = &Received> {
        self.inbox.iter()
    }

    /// Takes all PUBLISH packets that have come so far.
    pub fn take_publishes(&mut self) -> Vec<Received> {
        let (publishes, rest) = std::mem::take(&mut self.inbox)
            .into_iter()
            .partition(|received| received.packet_type() == PacketType::Publish);
        self.inbox = rest;
        publishes.into_iter().collect()
    }
}
