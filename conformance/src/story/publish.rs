//! PUBLISH: options, and the acknowledged round trip.

use super::{Client, Received, Stop, Story, puback, pubcomp, pubrec};
use mqtt_assay_codec::{Ack, Packet, PacketId, Property, PropertyList, Publish, Qos, ReasonCode};

/// A message to be published.
#[derive(Debug)]
#[must_use]
pub struct PublishBuilder<'c, 'w> {
    client: &'c mut Client<'w>,
    topic: String,
    payload: Vec<u8>,
    qos: Qos,
    retain: bool,
    dup: bool,
    packet_id: Option<PacketId>,
    properties: PropertyList,
}

impl<'w> Client<'w> {
    /// A message at QoS 0, not retained, to be published.
    pub fn publish<'c>(&'c mut self, topic: &str, payload: &[u8]) -> PublishBuilder<'c, 'w> {
        PublishBuilder {
            client: self,
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            qos: Qos::AtMostOnce,
            retain: false,
            dup: false,
            packet_id: None,
            properties: PropertyList::new(),
        }
    }
}

impl PublishBuilder<'_, '_> {
    /// Sets the QoS.
    pub fn qos(mut self, qos: Qos) -> Self {
        self.qos = qos;
        self
    }

    /// QoS 1.
    pub fn qos1(self) -> Self {
        self.qos(Qos::AtLeastOnce)
    }

    /// QoS 2.
    pub fn qos2(self) -> Self {
        self.qos(Qos::ExactlyOnce)
    }

    /// Sets RETAIN.
    pub fn retain(mut self) -> Self {
        self.retain = true;
        self
    }

    /// Sets DUP.
    pub fn dup(mut self) -> Self {
        self.dup = true;
        self
    }

    /// A Packet Identifier of the story's choice instead of a fresh one.
    pub fn packet_id(mut self, id: PacketId) -> Self {
        self.packet_id = Some(id);
        self
    }

    /// 5.0: adds a property; before 5.0 it is left out.
    pub fn property(mut self, property: Property<'_>) -> Self {
        self.properties.push(property);
        self
    }

    /// Writes the PUBLISH and gives its Packet Identifier; awaits no answer.
    pub async fn send(mut self) -> Result<Option<PacketId>, Stop> {
        self.write().await
    }

    /// Writes the PUBLISH and awaits that the broker has it: PUBACK, the whole exchange of QoS 2, or for QoS 0 a
    /// PINGRESP. So for a message to be retained, too: who acknowledges before it stores and passes on has done both by
    /// then. No answer, or a negative one, ends the story as inconclusive: other checks answer for that.
    pub async fn acknowledged(mut self) -> Story {
        let id = self.write().await?;
        let client = self.client;
        match (self.qos, id) {
            (Qos::AtLeastOnce, Some(id)) => positive(&client.await_step(puback(id)).await?)?,
            (Qos::ExactlyOnce, Some(id)) => {
                positive(&client.await_step(pubrec(id)).await?)?;
                client.send(&Packet::Pubrel(Ack::new(id, ReasonCode::SUCCESS))).await?;
                client.await_step(pubcomp(id)).await?;
            }
            _ => return client.ping().await,
        }
        if self.retain { client.ping().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<Option<PacketId>, Stop> {
        let packet_id = match self.qos {
            Qos::AtMostOnce => None,
            _ => Some(self.packet_id.unwrap_or_else(|| self.client.fresh_id())),
        };
        if self.retain && !self.payload.is_empty() {
            self.client.world.leave_retained(&self.topic);
        }
        let packet = Packet::Publish(Publish {
            dup: self.dup,
            qos: self.qos,
            retain: self.retain,
            topic: &self.topic,
            packet_id,
            properties: self.properties.view(),
            payload: &self.payload,
        });
        self.client.send(&packet).await?;
        Ok(packet_id)
    }
}

fn positive(answer: &Received) -> Story {
    match answer.packet() {
        Packet::Puback(ack) | Packet::Pubrec(ack) if !ack.reason.is_success() => Err(Stop::inconclusive(
            format!("the broker refused a PUBLISH that the check needs: {}", answer.line()),
        )),
        _ => Ok(()),
    }
}
