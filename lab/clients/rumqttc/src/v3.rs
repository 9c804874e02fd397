//! rumqttc for 3.1.1.

use crate::{Came, Outcome, PATIENCE, Run};
use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS, SubscribeReasonCode,
};
use std::collections::VecDeque;
use tokio::time::timeout;

/// A connected client; it moves only while something is waited for.
pub struct Connected {
    client: AsyncClient,
    events: EventLoop,
    received: VecDeque<Came>,
    pub session_present: bool,
}

fn qos(level: u8) -> QoS {
    rumqttc::qos(level).expect("a QoS is 0, 1 or 2")
}

impl Connected {
    pub async fn new(run: &Run, name: &str, lasting: bool, will: Option<&str>) -> Outcome<Connected> {
        let mut options = MqttOptions::new(run.topic(name), run.host(), run.port);
        options.set_clean_session(!lasting).set_transport(run.carrier());
        if let Some(topic) = will {
            options.set_last_will(LastWill::new(topic, "gone", QoS::AtLeastOnce, false));
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
                    self.received.push_back(Came {
                        payload: String::from_utf8_lossy(&publish.payload).into_owned(),
                        qos: publish.qos as u8,
                        retain: publish.retain,
                    });
                }
                if let Some(decided) = decides(&event) {
                    return decided;
                }
            }
        };
        timeout(PATIENCE, life).await.unwrap_or_else(|_| Err(format!("no {what} within 10 s")))
    }

    pub async fn subscribe(&mut self, topic: &str, level: u8) -> Outcome {
        self.client.subscribe(topic, qos(level)).await.map_err(|error| error.to_string())?;
        self.until("SUBACK", |event| match event {
            Event::Incoming(Packet::SubAck(suback)) => Some(match suback.return_codes.as_slice() {
                [SubscribeReasonCode::Success(granted)] if *granted as u8 == level => Ok(()),
                codes => Err(format!("SUBACK {codes:?}")),
            }),
            _ => None,
        })
        .await
    }

    pub async fn publish(&mut self, topic: &str, payload: &str, level: u8, retain: bool) -> Outcome {
        self.client.publish(topic, qos(level), retain, payload).await.map_err(|error| error.to_string())?;
        self.until("end of the publication", |event| match (level, event) {
            (0, Event::Outgoing(Outgoing::Publish(_)))
            | (1, Event::Incoming(Packet::PubAck(_)))
            | (2, Event::Incoming(Packet::PubComp(_))) => Some(Ok(())),
            _ => None,
        })
        .await
    }

    pub async fn next(&mut self) -> Outcome<Came> {
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
