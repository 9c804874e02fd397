//! A client that keeps every rule: it tells whether the broker still serves others, and clears up behind the cases.

use super::leavings::Leavings;
use crate::net::{Address, Caller, Wire};
use crate::story::Credentials;
use mqtt_assay_codec::{
    Connect, Decoder, Disconnect, Packet, PacketId, PropertyList, Publish, Qos, ReasonCode, Receiver,
    Subscribe, SubscriptionList, SubscriptionOptions, Version,
};
use mqtt_assay_fuzz_engine::place::Mark;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a connection for clearing up may take.
const CLEARING: Duration = Duration::from_millis(500);

/// One connection of a client that keeps every rule.
pub(super) struct Plain {
    wire: Box<dyn Wire>,
    version: Version,
    unread: Vec<u8>,
}

fn bytes(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What this file sends has a form.
    let _ = packet.encode(version, &mut bytes);
    bytes
}

fn connect(version: Version, identifier: &str, credentials: &Credentials) -> Vec<u8> {
    let connect = Connect {
        clean_start: true,
        keep_alive: 0,
        user_name: credentials.user_name.as_deref(),
        password: credentials.password.as_deref().map(str::as_bytes),
        ..Connect::new(version, identifier)
    };
    bytes(&Packet::Connect(connect), version)
}

impl Plain {
    /// Connects; an error says why that could not be done.
    pub(super) async fn connect(
        address: &Address,
        version: Version,
        identifier: &str,
        credentials: &Credentials,
        patience: Duration,
    ) -> io::Result<Plain> {
        let caller = Caller { client: "bystander", connection: 1 };
        let wire = address.open(caller, patience).await?;
        let mut plain = Plain { wire, version, unread: Vec::new() };
        plain.write(&connect(version, identifier, credentials)).await?;
        let accepted = plain.expect(|packet| match packet {
            Packet::Connack(connack) => Some(connack.code == ReasonCode::SUCCESS),
            _ => None,
        });
        match tokio::time::timeout(patience, accepted).await {
            Ok(Ok(true)) => Ok(plain),
            Ok(Ok(false)) => Err(io::Error::new(io::ErrorKind::PermissionDenied, "CONNECT is refused")),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no CONNACK")),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write_all(bytes).await?;
        self.wire.flush().await
    }

    /// Reads up to the packet that is meant; others are passed over.
    async fn expect<T>(&mut self, mut meant: impl FnMut(&Packet<'_>) -> Option<T>) -> io::Result<T> {
        let mut chunk = [0; 2048];
        loop {
            let decoder = Decoder::new(self.version, Receiver::Client);
            match decoder.next(&self.unread) {
                Ok(Some((packet, length))) => {
                    let found = meant(&packet);
                    self.unread.drain(..length);
                    if let Some(found) = found {
                        return Ok(found);
                    }
                }
                Ok(None) => match self.wire.read(&mut chunk).await? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    count => self.unread.extend_from_slice(&chunk[..count]),
                },
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Subscribes with QoS 0; whether that is granted.
    pub(super) async fn subscribe(&mut self, filter: &str) -> io::Result<bool> {
        let mut list = SubscriptionList::new();
        list.push(filter, SubscriptionOptions::qos(Qos::AtMostOnce));
        let none = PropertyList::new();
        let subscribe =
            Subscribe { packet_id: PacketId::MIN, properties: none.view(), subscriptions: list.view() };
        let subscribe = bytes(&Packet::Subscribe(subscribe), self.version);
        self.write(&subscribe).await?;
        self.expect(|packet| match packet {
            Packet::Suback(answer) => Some(answer.codes.iter().all(|code| *code < 0x80)),
            _ => None,
        })
        .await
    }

    /// PINGREQ, and waits for PINGRESP; with a topic also for a message of its own to it.
    pub(super) async fn echo(&mut self, topic: Option<&str>, number: u64) -> io::Result<()> {
        let payload = number.to_string();
        let none = PropertyList::new();
        let mut said = Vec::new();
        if let Some(topic) = topic {
            let publish = Publish {
                dup: false,
                qos: Qos::AtMostOnce,
                retain: false,
                topic,
                packet_id: None,
                properties: none.view(),
                payload: payload.as_bytes(),
            };
            said.extend(bytes(&Packet::Publish(publish), self.version));
        }
        said.extend(bytes(&Packet::Pingreq, self.version));
        self.write(&said).await?;
        let (mut answered, mut came) = (false, topic.is_none());
        self.expect(|packet| {
            match packet {
                Packet::Pingresp => answered = true,
                Packet::Publish(publish) => came |= publish.payload == payload.as_bytes(),
                _ => {}
            }
            (answered && came).then_some(())
        })
        .await
    }

    /// Says goodbye.
    pub(super) async fn leave(mut self) {
        let goodbye = bytes(&Packet::Disconnect(Disconnect::new(ReasonCode::SUCCESS)), self.version);
        let _ = self.write(&goodbye).await;
    }
}

/// Takes retained messages and sessions out of the broker again. That it does not come to its end costs nothing but
/// the broker's memory.
pub(super) async fn clear(
    address: &Address,
    version: Version,
    credentials: &Credentials,
    mark: &Mark,
    left: &Leavings,
) {
    let goodbye = bytes(&Packet::Disconnect(Disconnect::new(ReasonCode::SUCCESS)), version);
    let visit = async |identifier: &str, said: Vec<u8>| -> io::Result<()> {
        let mut plain = Plain::connect(address, version, identifier, credentials, CLEARING).await?;
        plain.write(&said).await?;
        plain.wire.shutdown().await?;
        let mut rest = [0; 512];
        while plain.wire.read(&mut rest).await? > 0 {}
        Ok(())
    };
    // A session may have a Will yet, which is published when it ends, and may be retained.
    for identifier in &left.identifiers {
        let visit = visit(identifier, goodbye.clone());
        // Who does not take the first one does not take the others.
        if !matches!(tokio::time::timeout(CLEARING, visit).await, Ok(Ok(()))) {
            break;
        }
    }
    if !left.topics.is_empty() {
        let none = PropertyList::new();
        let mut said = Vec::new();
        // A broker may close on what begins with `$`, and not read on.
        let (special, usual): (Vec<_>, Vec<_>) = left.topics.iter().partition(|topic| topic.starts_with('$'));
        for topic in usual.into_iter().chain(special) {
            let empty = Publish {
                dup: false,
                qos: Qos::AtMostOnce,
                retain: true,
                topic,
                packet_id: None,
                properties: none.view(),
                payload: b"",
            };
            said.extend(bytes(&Packet::Publish(empty), version));
        }
        said.extend(&goodbye);
        let identifier = format!("{mark}clear");
        let _ = tokio::time::timeout(CLEARING, visit(&identifier, said)).await;
    }
}
