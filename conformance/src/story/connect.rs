//! CONNECT: options, and what the broker may answer.

use super::received::Received;
use super::{Client, End, Next, Stop, Story, World};
use mqtt_assay_codec::{
    Connack, Connect, Packet, PacketType, Property, PropertyList, Qos, ReasonCode, Version, Will,
};
use tokio::time::Instant;

/// A Will for a CONNECT.
#[derive(Clone, Debug)]
pub struct WillMessage {
    topic: String,
    payload: Vec<u8>,
    qos: Qos,
    retain: bool,
    properties: PropertyList,
}

impl WillMessage {
    /// A Will at QoS 1, not retained.
    pub fn new(topic: &str, payload: &[u8]) -> Self {
        WillMessage {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: PropertyList::new(),
        }
    }

    /// Sets the Will QoS.
    #[must_use]
    pub fn qos(mut self, qos: Qos) -> Self {
        self.qos = qos;
        self
    }

    /// Sets Will Retain.
    #[must_use]
    pub fn retain(mut self) -> Self {
        self.retain = true;
        self
    }

    /// 5.0: sets the Will Delay Interval, in seconds.
    #[must_use]
    pub fn delay(self, seconds: u32) -> Self {
        self.property(Property::WillDelayInterval(seconds))
    }

    /// 5.0: adds a Will Property; before 5.0 it is left out.
    #[must_use]
    pub fn property(mut self, property: Property<'_>) -> Self {
        self.properties.push(property);
        self
    }
}

/// A client to be connected.
#[derive(Debug)]
#[must_use]
pub struct ConnectBuilder<'w> {
    world: &'w World,
    name: String,
    id: String,
    clean_start: bool,
    keep_alive: u16,
    session_expiry: u32,
    properties: PropertyList,
    will: Option<WillMessage>,
    user_name: Option<String>,
    password: Option<Vec<u8>>,
    acknowledges: bool,
}

/// The broker's answer to a CONNECT.
#[derive(Debug)]
pub enum Attempt<'w> {
    /// CONNACK 0: the client is connected.
    Accepted(Client<'w>),
    /// A CONNACK with another code; the connection may still be open.
    Refused(Client<'w>, Received),
    /// The broker ended the connection without CONNACK.
    Ended(Client<'w>, End),
}

impl<'w> ConnectBuilder<'w> {
    pub(super) fn new(world: &'w World, name: &str) -> Self {
        ConnectBuilder {
            world,
            name: name.to_owned(),
            id: world.client_id(name),
            clean_start: true,
            keep_alive: 60,
            session_expiry: 0,
            properties: PropertyList::new(),
            will: None,
            user_name: world.credentials.user_name.clone(),
            password: world.credentials.password.clone().map(String::into_bytes),
            acknowledges: true,
        }
    }

    /// Another Client Identifier than the World's for this name; empty asks the broker for one.
    pub fn client_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Clean Start (5.0) or Clean Session (3.1.1); 1 unless told otherwise.
    pub fn clean_start(mut self, clean_start: bool) -> Self {
        self.clean_start = clean_start;
        self
    }

    /// A session that outlives the connection: Clean Session 0, or a Session Expiry Interval of so many seconds
    /// (5.0). Clean Start stays as it is in 5.0.
    pub fn persistent(mut self, seconds: u32) -> Self {
        if self.world.is_v5() {
            self.session_expiry = seconds;
        } else {
            self.clean_start = false;
        }
        self
    }

    /// Resumes the session that an earlier connection left: Clean Session 0, or Clean Start 0 with a Session
    /// Expiry Interval of so many seconds (5.0).
    pub fn resume(self, seconds: u32) -> Self {
        self.persistent(seconds).clean_start(false)
    }

    /// Keep Alive in seconds; 60 unless told otherwise.
    pub fn keep_alive(mut self, seconds: u16) -> Self {
        self.keep_alive = seconds;
        self
    }

    /// Sets the Will.
    pub fn will(mut self, will: WillMessage) -> Self {
        self.will = Some(will);
        self
    }

    /// 5.0: adds a property; before 5.0 it is left out.
    pub fn property(mut self, property: Property<'_>) -> Self {
        self.properties.push(property);
        self
    }

    /// Another user name and password than the run's.
    pub fn credentials(mut self, user_name: Option<&str>, password: Option<&[u8]>) -> Self {
        self.user_name = user_name.map(str::to_owned);
        self.password = password.map(<[u8]>::to_vec);
        self
    }

    /// The story acknowledges deliveries itself from the start, also those of a resumed session.
    pub fn acknowledge_by_hand(mut self) -> Self {
        self.acknowledges = false;
        self
    }

    /// Sends CONNECT and takes whatever answer comes.
    pub async fn attempt(self) -> Result<Attempt<'w>, Stop> {
        let client = self.hello(&[]).await?;
        client.answer_to_connect().await
    }

    /// Opens a connection and sends CONNECT with further bytes in the same segment, without reading the answer.
    pub async fn hello(self, more: &[u8]) -> Result<Client<'w>, Stop> {
        let mut client = Client::open(self.world, &self.name, self.id.clone()).await?;
        if !self.acknowledges {
            client.acknowledge_by_hand();
        }
        if self.session_expiry > 0 || (!self.world.is_v5() && !self.clean_start) {
            self.world.leave_session(&self.id);
        }
        if let Some(will) = &self.will
            && will.retain
        {
            self.world.leave_retained(&will.topic);
        }
        let bytes = self.encode(&mut client)?;
        client.send_bytes(&[&bytes, more].concat()).await?;
        Ok(client)
    }

    /// Sends CONNECT; anything but an accepting CONNACK ends the story as inconclusive.
    pub async fn connect(self) -> Result<Client<'w>, Stop> {
        let name = self.name.clone();
        match self.attempt().await? {
            Attempt::Accepted(client) => Ok(client),
            Attempt::Refused(_, connack) => {
                Err(Stop::inconclusive(format!("the broker refused client {name}: {}", connack.line())))
            }
            Attempt::Ended(..) => Err(Stop::inconclusive(format!(
                "the broker ended the connection of client {name} instead of accepting its CONNECT"
            ))),
        }
    }

    /// The bytes of the CONNECT, for stories that split or spoil them.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_bytes_of(self.world.version)
    }

    /// The same, in the form of a version that need not be the World's.
    pub fn to_bytes_of(&self, version: Version) -> Vec<u8> {
        let mut bytes = Vec::new();
        // The World's own names and options always fit a packet; a story's do unless it is wrong, and then the
        // empty packet makes it fail.
        let _ = self.packet(version, &mut |packet| packet.encode(version, &mut bytes));
        bytes
    }

    fn encode(&self, client: &mut Client<'_>) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        let version = self.world.version;
        self.packet(version, &mut |packet| {
            client.passive.sent(packet);
            packet.encode(version, &mut bytes)
        })
        .map_err(|error| Stop::inconclusive(format!("the check wants to send the impossible: {error}")))?;
        Ok(bytes)
    }

    fn packet<T>(&self, version: Version, then: &mut dyn FnMut(&Packet<'_>) -> T) -> T {
        let mut properties = PropertyList::new();
        if self.session_expiry > 0 {
            properties.push(Property::SessionExpiryInterval(self.session_expiry));
        }
        for property in &self.properties.view() {
            properties.push(property);
        }
        let will = self.will.as_ref().map(|will| Will {
            topic: &will.topic,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties.view(),
        });
        let connect = Connect {
            version,
            clean_start: self.clean_start,
            keep_alive: self.keep_alive,
            properties: if version == Version::V5 { properties.view() } else { Default::default() },
            client_id: &self.id,
            will,
            user_name: self.user_name.as_deref(),
            password: self.password.as_deref(),
        };
        then(&Packet::Connect(connect))
    }
}

impl<'w> Client<'w> {
    /// Reads the answer to a CONNECT that was sent.
    pub async fn answer_to_connect(mut self) -> Result<Attempt<'w>, Stop> {
        let (asked, deadline) = (Instant::now(), self.deadline());
        loop {
            match self.read(deadline).await? {
                Next::Packet(received) if received.packet_type() == PacketType::Connack => {
                    let code = match received.packet() {
                        Packet::Connack(connack) => connack.code,
                        _ => ReasonCode::UNSPECIFIED_ERROR,
                    };
                    if code != ReasonCode::SUCCESS {
                        return Ok(Attempt::Refused(self, received));
                    }
                    if let Packet::Connack(Connack { properties, .. }) = received.packet()
                        && let Some(id) = properties.assigned_client_identifier()
                    {
                        id.clone_into(&mut self.id);
                    }
                    self.connack = Some(received);
                    self.connecting = asked.elapsed();
                    return Ok(Attempt::Accepted(self));
                }
                // The passive rules accuse what comes before the CONNACK; it is kept for the story.
                Next::Packet(received) => self.inbox.push_back(received),
                Next::End(end) => return Ok(Attempt::Ended(self, end)),
                Next::Silence => {
                    return Err(Stop::inconclusive(format!(
                        "no answer to the CONNECT of client {} within {:.0} s",
                        self.name,
                        self.world.patience.as_secs_f64()
                    )));
                }
            }
        }
    }
}

impl Attempt<'_> {
    /// What the broker did, in words.
    pub fn line(&self) -> String {
        match self {
            Attempt::Accepted(client) => {
                client.connack.as_ref().map_or_else(|| "CONNACK".to_owned(), Received::line)
            }
            Attempt::Refused(_, connack) => connack.line(),
            Attempt::Ended(_, End::Closed) => "the connection closed without CONNACK".to_owned(),
            Attempt::Ended(_, End::Reset) => "the connection reset without CONNACK".to_owned(),
        }
    }
}

impl<'w> Attempt<'w> {
    /// The connected client; any other answer is a violation.
    pub fn accepted(self) -> Result<Client<'w>, Stop> {
        let observed = self.line();
        match self {
            Attempt::Accepted(client) => Ok(client),
            Attempt::Refused(_, connack) => {
                Err(Stop::violates("a CONNACK that accepts (0x00)", observed).at(connack.index))
            }
            Attempt::Ended(..) => Err(Stop::violates("a CONNACK that accepts (0x00)", observed)),
        }
    }

    /// The broker must refuse with one of these CONNACK codes and then close, or (`or_close`) close at once.
    pub async fn refused_with(self, codes: &[ReasonCode], or_close: bool) -> Story {
        let listed: Vec<String> = codes.iter().map(ToString::to_string).collect();
        let mut expected = format!("CONNACK {} and then the end of the connection", listed.join(" or "));
        if or_close {
            expected.push_str(", or its end at once");
        }
        let observed = self.line();
        match self {
            Attempt::Refused(mut client, connack) => {
                match connack.packet() {
                    Packet::Connack(c) if codes.contains(&c.code) => {}
                    _ => return Err(Stop::violates(expected, observed).at(connack.index)),
                }
                client.expect_end().await
            }
            Attempt::Ended(..) if or_close => Ok(()),
            Attempt::Ended(..) => Err(Stop::violates(expected, observed)),
            Attempt::Accepted(client) => {
                let index = client.connack.as_ref().and_then(|connack| connack.index);
                Err(Stop::violates(expected, observed).at(index))
            }
        }
    }
}
