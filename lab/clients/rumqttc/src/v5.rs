//! rumqttc for 5.0.

use crate::{Came, Outcome, PATIENCE, Run};
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectProperties, LastWill, Packet, PublishProperties, SubscribeProperties, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use std::collections::VecDeque;
use tokio::time::timeout;

/// A connected client; it moves only while something is waited for.
pub struct Connected {
    client: AsyncClient,
    events: EventLoop,
    received: VecDeque<(Came, Option<PublishProperties>)>,
    pub session_present: bool,
}

fn qos(level: u8) -> QoS {
    match level {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

impl Connected {
    pub async fn new(run: &Run, name: &str, lasting: bool, will: Option<&str>) -> Outcome<Connected> {
        let mut options = MqttOptions::new(run.topic(name), run.host(), run.port);
        options.set_clean_start(!lasting).set_transport(run.carrier());
        let mut properties = ConnectProperties::new();
        properties.session_expiry_interval = Some(if lasting { 600 } else { 0 });
        options.set_connect_properties(properties);
        if let Some(topic) = will {
            options.set_last_will(LastWill::new(topic, "gone", QoS::AtLeastOnce, false, None));
        }
        let (client, events) = AsyncClient::new(options, 100);
        let mut connected = Connected { client, events, received: VecDeque::new(), session_present: false };
        connected.session_present = connected
            .until("CONNACK", |event| match event {
                Event::Incoming(Packet::ConnAck(connack)) => Some(Ok(connack.session_present)),
                _ => None,
            })
            .await?;
        Ok(connected)
    }

    /// Lets the connection live until an event decides.
    async fn until<T>(
        &mut self,
        what: &str,
        mut decides: impl FnMut(&Event) -> Option<Outcome<T>>,
    ) -> Outcome<T> {
        let life = async {
            loop {
                let event = self.events.poll().await.map_err(|error| error.to_string())?;
                if let Event::Incoming(Packet::Publish(publish)) = &event {
                    let came = Came {
                        payload: String::from_utf8_lossy(&publish.payload).into_owned(),
                        qos: publish.qos as u8,
                        retain: publish.retain,
                    };
                    self.received.push_back((came, publish.properties.clone()));
                }
                if let Some(decided) = decides(&event) {
                    return decided;
                }
            }
        };
        timeout(PATIENCE, life).await.unwrap_or_else(|_| Err(format!("no {what} within 10 s")))
    }

    pub async fn subscribe(&mut self, topic: &str, level: u8, identifier: Option<usize>) -> Outcome {
        let asked = match identifier {
            Some(id) => {
                let properties = SubscribeProperties { id: Some(id), user_properties: Vec::new() };
                self.client.subscribe_with_properties(topic, qos(level), properties).await
            }
            None => self.client.subscribe(topic, qos(level)).await,
        };
        asked.map_err(|error| error.to_string())?;
        self.until("SUBACK", |event| match event {
            Event::Incoming(Packet::SubAck(suback)) => Some(match suback.return_codes.as_slice() {
                [SubscribeReasonCode::Success(granted)] if *granted as u8 == level => Ok(()),
                codes => Err(format!("SUBACK {codes:?}")),
            }),
            _ => None,
        })
        .await
    }

    pub async fn publish(
        &mut self,
        topic: &str,
        payload: &str,
        level: u8,
        retain: bool,
        properties: Option<PublishProperties>,
    ) -> Outcome {
        let payload = payload.to_owned();
        let sent = match properties {
            Some(properties) => {
                self.client.publish_with_properties(topic, qos(level), retain, payload, properties).await
            }
            None => self.client.publish(topic, qos(level), retain, payload).await,
        };
        sent.map_err(|error| error.to_string())?;
        self.until("end of the publication", |event| match (level, event) {
            (0, Event::Outgoing(Outgoing::Publish(_)))
            | (1, Event::Incoming(Packet::PubAck(_)))
            | (2, Event::Incoming(Packet::PubComp(_))) => Some(Ok(())),
            _ => None,
        })
        .await
    }

    pub async fn next(&mut self) -> Outcome<(Came, Option<PublishProperties>)> {
        if self.received.is_empty() {
            let is_message =
                |event: &Event| matches!(event, Event::Incoming(Packet::Publish(_))).then_some(Ok(()));
            self.until("message", is_message).await?;
        }
        Ok(self.received.pop_front().expect("a message has come"))
    }

    pub async fn close(mut self) -> Outcome {
        self.client.disconnect().await.map_err(|error| error.to_string())?;
        let is_end = |event: &Event| matches!(event, Event::Outgoing(Outgoing::Disconnect)).then_some(Ok(()));
        self.until("DISCONNECT", is_end).await
    }
}

/// The properties of a message reach its subscriber, with the Subscription Identifier of the subscription.
pub async fn properties(run: &Run) -> Outcome {
    let topic = run.topic("properties");
    let mut client = Connected::new(run, "properties", false, None).await?;
    client.subscribe(&topic, 1, Some(7)).await?;
    let sent = PublishProperties {
        payload_format_indicator: Some(1),
        message_expiry_interval: Some(100),
        response_topic: Some(run.topic("answers")),
        correlation_data: Some(vec![0, 1].into()),
        user_properties: vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        content_type: Some("text/plain".to_owned()),
        ..PublishProperties::default()
    };
    client.publish(&topic, "told", 1, false, Some(sent.clone())).await?;
    let (message, came) = client.next().await?;
    let came = came.unwrap_or_default();
    if message.payload != "told" {
        return Err(format!("{:?} came instead of \"told\"", message.payload));
    }
    if came.message_expiry_interval.is_none_or(|left| left > 100) {
        return Err(format!("Message Expiry Interval {:?} came", came.message_expiry_interval));
    }
    let expected = PublishProperties {
        message_expiry_interval: came.message_expiry_interval,
        subscription_identifiers: vec![7],
        ..sent
    };
    if came != expected {
        return Err(format!("{came:?} came"));
    }
    client.close().await
}
