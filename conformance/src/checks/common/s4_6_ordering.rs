//! Message ordering. [3.1.1 §4.6] [5.0 §4.6]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Received, Stop, Story, publish};
use mqtt_assay_codec::{Property, Qos};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[LIVE_MESSAGES_KEEP_THEIR_ORDER, WAITING_MESSAGES_KEEP_THEIR_ORDER];

/// How many messages a row has: more than the unacknowledged deliveries that many brokers allow themselves.
const ROW: usize = 30;

/// Messages numbered from 0 arrive in their order. Those at QoS 0 may have gaps, those at QoS 1 may be
/// repeated.
async fn expect_row(client: &mut Client<'_>, topic: &str, qos: Qos) -> Story {
    let mut next = 0;
    if qos == Qos::AtMostOnce {
        for delivery in client.take_publishes().iter().filter(|delivery| delivery.topic() == topic) {
            match number(delivery) {
                Some(number) if number >= next => next = number + 1,
                _ => return Err(out_of_order(next, delivery)),
            }
        }
        return Ok(());
    }
    while next < ROW {
        let delivery = client.expect(publish(topic)).await?;
        let repeated = qos == Qos::AtLeastOnce && delivery.publish().is_some_and(|p| p.dup);
        match number(&delivery) {
            Some(number) if number == next => next += 1,
            Some(number) if number < next && repeated => {}
            _ => return Err(out_of_order(next, &delivery)),
        }
    }
    Ok(())
}

fn number(delivery: &Received) -> Option<usize> {
    std::str::from_utf8(delivery.payload()).ok()?.parse().ok()
}

fn out_of_order(next: usize, delivery: &Received) -> Stop {
    Stop::violates(format!("message {next} next"), delivery.line()).at(delivery.index)
}

check! {
    /// Messages of one publisher, topic and QoS come in the order in which they were published.
    ///
    /// Sends     A publishes 30 messages at each QoS; B is online and subscribed with a wildcard (5.0: at QoS
    ///           1 with a Receive Maximum of 2, so that messages have to wait).
    /// Demands   the messages of one QoS in their order.
    /// Leaves    the order across QoS levels; QoS 0 may get lost.
    LIVE_MESSAGES_KEEP_THEIR_ORDER "ordering/live_messages_keep_their_order",
    covers: [V3_1_1 / "MQTT-4.6.0-5", V3_1_1 / "MQTT-4.6.0-6", V5 / "MQTT-4.6.0-5", V5 / "MQTT-4.6.0-6"],
    needs: [Qos1, Qos2, Wildcards],
    proved: ["queue_order_reversed"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        for qos in Qos::ALL {
            let limit = if qos == Qos::AtLeastOnce { 2 } else { u16::MAX };
            let mut b = w.client("b").property(Property::ReceiveMaximum(limit)).connect().await?;
            b.subscribe(&w.topic("row/+"), Qos::ExactlyOnce).await?;
            let topic = w.topic(&format!("row/{qos}"));
            for number in 0..ROW {
                let message = a.publish(&topic, number.to_string().as_bytes()).qos(qos);
                if qos == Qos::AtMostOnce {
                    message.send().await?;
                } else {
                    message.acknowledged().await?;
                }
            }
            if qos == Qos::AtMostOnce {
                b.settle(&mut a, qos).await?;
            }
            expect_row(&mut b, &topic, qos).await?;
            b.disconnect().await;
        }
        Ok(())
    }
}

check! {
    /// Messages that waited for a subscriber come in the order in which they were published.
    ///
    /// Sends     B subscribes and leaves; A publishes 30 messages at QoS 1 and 30 at QoS 2; B resumes its
    ///           session.
    /// Demands   the messages of one QoS in their order.
    /// Leaves    the order across QoS levels.
    WAITING_MESSAGES_KEEP_THEIR_ORDER "ordering/waiting_messages_keep_their_order",
    covers: [V3_1_1 / "MQTT-4.6.0-5", V3_1_1 / "MQTT-4.6.0-6", V5 / "MQTT-4.6.0-5", V5 / "MQTT-4.6.0-6"],
    needs: [Qos1, Qos2],
    proved: ["queue_order_reversed"],
    run: async |w| {
        let rows = [Qos::AtLeastOnce, Qos::ExactlyOnce].map(|qos| (w.topic(&format!("row/{qos}")), qos));
        let mut b = w.client("b").persistent(60).connect().await?;
        for (topic, qos) in &rows {
            b.subscribe(topic, *qos).await?;
        }
        b.disconnect().await;
        let mut a = w.connect("a").await?;
        for number in 0..ROW {
            for (topic, qos) in &rows {
                a.publish(topic, number.to_string().as_bytes()).qos(*qos).acknowledged().await?;
            }
        }
        let mut b = w.client("b").resumed(60).await?;
        for (topic, qos) in &rows {
            expect_row(&mut b, topic, *qos).await?;
        }
        Ok(())
    }
}
