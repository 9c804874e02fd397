//! Steps of a story: subscribe, unsubscribe, acknowledge, settle.

use super::{Client, ConnectBuilder, Expect, Received, Stop, Story, publish, suback, unsuback};
use mqtt_assay_codec::{
    Ack, Disconnect, Packet, PacketId, PacketType, Properties, Property, PropertyList, Qos, ReasonCode,
    Subscribe, SubscriptionList, SubscriptionOptions, TopicFilterList, Unsubscribe, Version,
};

/// The bytes of packets that go out in one piece.
///
/// # Errors
///
/// A packet cannot be written in this version: the story is wrong.
pub fn bytes_of(version: Version, packets: &[Packet<'_>]) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    for packet in packets {
        packet.encode(version, &mut bytes).map_err(|error| {
            Stop::inconclusive(format!("the check wants to send the impossible: {error}"))
        })?;
    }
    Ok(bytes)
}

impl Client<'_> {
    /// Subscribes to one filter; the broker must grant this QoS, or the story ends as unsupported.
    pub async fn subscribe(&mut self, filter: &str, qos: Qos) -> Story {
        self.subscribe_with(filter, SubscriptionOptions::qos(qos)).await
    }

    /// Subscribes with options; the broker must grant the QoS, or the story ends as unsupported.
    pub async fn subscribe_with(&mut self, filter: &str, options: SubscriptionOptions) -> Story {
        self.subscribe_full(filter, options, Properties::NONE).await
    }

    /// 5.0: subscribes with a Subscription Identifier.
    pub async fn subscribe_identified(
        &mut self,
        filter: &str,
        options: SubscriptionOptions,
        id: u32,
    ) -> Story {
        let properties = PropertyList::new().with(Property::SubscriptionIdentifier(id));
        self.subscribe_full(filter, options, properties.view()).await
    }

    async fn subscribe_full(
        &mut self,
        filter: &str,
        options: SubscriptionOptions,
        properties: Properties<'_>,
    ) -> Story {
        let list = SubscriptionList::one(filter, options);
        let id = self.send_subscribe(&list, properties).await?;
        let answer = self.await_step(suback(id)).await?;
        match answer.packet() {
            Packet::Suback(ack) if ack.codes == [options.qos.as_u8()] => Ok(()),
            // A lower QoS, or a refusal, is the broker's right: the story has nothing to stand on then.
            Packet::Suback(ack) if ack.codes.len() == 1 => Err(Stop::unsupported(format!(
                "the broker does not grant {filter} at QoS {}: {}",
                options.qos,
                answer.line()
            ))),
            _ => Err(Stop::inconclusive(format!("a SUBACK for one filter was expected: {}", answer.line()))),
        }
    }

    /// Sends a SUBSCRIBE and gives its Packet Identifier; awaits no answer.
    pub async fn send_subscribe(
        &mut self,
        subscriptions: &SubscriptionList,
        properties: Properties<'_>,
    ) -> Result<PacketId, Stop> {
        let packet_id = self.fresh_id();
        let subscriptions = subscriptions.view();
        self.send(&Packet::Subscribe(Subscribe { packet_id, properties, subscriptions })).await?;
        Ok(packet_id)
    }

    /// Unsubscribes from one filter and awaits the UNSUBACK.
    pub async fn unsubscribe(&mut self, filter: &str) -> Result<Received, Stop> {
        let id = self.send_unsubscribe(&TopicFilterList::one(filter)).await?;
        self.await_step(unsuback(id)).await
    }

    /// Sends an UNSUBSCRIBE and gives its Packet Identifier; awaits no answer.
    pub async fn send_unsubscribe(&mut self, filters: &TopicFilterList) -> Result<PacketId, Stop> {
        let packet_id = self.fresh_id();
        let packet = Packet::Unsubscribe(Unsubscribe {
            packet_id,
            properties: Properties::NONE,
            filters: filters.view(),
        });
        self.send(&packet).await?;
        Ok(packet_id)
    }

    /// Sends PUBACK.
    pub async fn puback(&mut self, id: PacketId, reason: ReasonCode) -> Story {
        self.send(&Packet::Puback(Ack::new(id, reason))).await
    }

    /// Sends PUBREC.
    pub async fn pubrec(&mut self, id: PacketId, reason: ReasonCode) -> Story {
        self.send(&Packet::Pubrec(Ack::new(id, reason))).await
    }

    /// Sends PUBREL.
    pub async fn pubrel(&mut self, id: PacketId, reason: ReasonCode) -> Story {
        self.send(&Packet::Pubrel(Ack::new(id, reason))).await
    }

    /// Sends PUBCOMP.
    pub async fn pubcomp(&mut self, id: PacketId, reason: ReasonCode) -> Story {
        self.send(&Packet::Pubcomp(Ack::new(id, reason))).await
    }

    /// Says DISCONNECT with a Reason Code and properties (5.0) and closes the connection.
    pub async fn disconnect_with(&mut self, reason: ReasonCode, properties: Properties<'_>) -> Story {
        self.send(&Packet::Disconnect(Disconnect { reason, properties })).await?;
        self.linger().await;
        Ok(())
    }

    /// Demands a message that only leads to the point of the check: its absence is inconclusive here.
    pub async fn await_message(&mut self, expect: Expect) -> Result<Received, Stop> {
        self.await_step(expect).await
    }

    /// A barrier across connections: `publisher` sends a marker at this QoS to a topic that this client
    /// subscribes to, and the marker comes. What the broker had for this client from the publisher before has
    /// come by then, or will not: publisher and QoS are the same, and brokers deliver such messages in turn.
    ///
    /// A final PINGREQ covers brokers that answer the publisher before they route.
    pub async fn settle(&mut self, publisher: &mut Client<'_>, qos: Qos) -> Story {
        let topic = self.world.topic(&format!("settled/{}", self.name));
        self.subscribe(&topic, qos).await?;
        publisher.publish(&topic, b"settled").qos(qos).acknowledged().await?;
        self.await_step(publish(&topic)).await?;
        self.ping().await
    }

    /// A barrier behind SUBSCRIBE: a broker that looks for retained messages behind its SUBACK has done so before it answers
    /// this.
    pub async fn has_its_retained(&mut self) -> Story {
        self.ping().await
    }
}

impl<'w> ConnectBuilder<'w> {
    /// Resumes the session that an earlier connection left; without it the story has nothing to stand on.
    pub async fn resumed(self, seconds: u32) -> Result<Client<'w>, Stop> {
        let client = self.resume(seconds).connect().await?;
        if client.session_present() {
            return Ok(client);
        }
        Err(Stop::inconclusive(format!("the broker has not kept the session of client {}", client.name())))
    }
}

impl Client<'_> {
    /// No packet of this type may have come before a barrier, save those already taken.
    pub async fn expect_none(&mut self, packet_type: PacketType) -> Story {
        self.ping().await?;
        match self.inbox.iter().find(|received| received.packet_type() == packet_type) {
            Some(received) => Err(Stop::violates(
                format!("no {packet_type} before the barrier (PINGRESP)"),
                received.line(),
            )
            .at(received.index)),
            None => Ok(()),
        }
    }
}
