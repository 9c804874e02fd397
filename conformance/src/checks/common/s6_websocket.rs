//! WebSocket as the network transport. [3.1.1 §6] [5.0 §6]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Refusal, Stop, World, pingresp, puback, publish, suback};
use mqtt_assay_codec::{Packet, Properties, Publish, Qos, Subscribe, SubscriptionList, SubscriptionOptions};

/// In the order of the specification.
pub const CHECKS: &[Check] =
    &[TEXT_FRAMES, BINARY_FRAMES, PACKETS_ACROSS_FRAMES, PACKETS_IN_ONE_FRAME, SUBPROTOCOL];

/// A packet's bytes, for stories that cut them.
fn bytes_of(w: &World, packet: &Packet<'_>) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    packet
        .encode(w.version(), &mut bytes)
        .map_err(|error| Stop::inconclusive(format!("the check wants to send the impossible: {error}")))?;
    Ok(bytes)
}

/// A SUBSCRIBE to one filter at QoS 1.
fn subscribe<'a>(a: &mut Client<'_>, list: &'a SubscriptionList) -> Subscribe<'a> {
    Subscribe { packet_id: a.fresh_id(), properties: Properties::NONE, subscriptions: list.view() }
}

fn to(filter: &str) -> SubscriptionList {
    SubscriptionList::one(filter, SubscriptionOptions::qos(Qos::AtLeastOnce))
}

check! {
    /// A text frame ends the connection, even if what is in it would be a good packet.
    ///
    /// Sends     a PUBLISH at QoS 0 in a text frame on a connection that is served, then a CONNECT in a text frame on
    ///           another one. Both packets are valid UTF-8: only the frame's type is wrong.
    /// Demands   the end of both connections.
    /// Leaves    with which Close code, or whether with a CONNACK or DISCONNECT before.
    TEXT_FRAMES "websocket/text_frame_ends_the_connection",
    covers: [V3_1_1 / "MQTT-6.0.0-1", V5 / "MQTT-6.0.0-1"],
    needs: [WebSocket],
    proved: ["websocket_text_taken", "websocket_text_ignored"],
    run: async |w| {
        let expected = "the end of the connection after a text frame";
        let mut a = w.connect_alive("a").await?;
        let topic = w.topic("text");
        a.send_text_frame(&bytes_of(w, &Packet::Publish(Publish::new(&topic, b"text")))?).await?;
        match a.reaction().await? {
            Refusal::Ended(..) => {}
            Refusal::WentOn => {
                return Err(Stop::violates(expected, "the connection goes on: PINGREQ is still answered"));
            }
            Refusal::HeldOpen => {
                return Err(Stop::violates(expected, "it stays open, and nothing is answered on it any more"));
            }
            Refusal::Stuck => return Err(Stop::inconclusive("the broker answers nothing any more")),
        }
        let mut b = w.open("b").await?;
        b.send_text_frame(&w.client("b").to_bytes()).await?;
        b.expect_end().await
    }
}

check! {
    /// What the broker sends comes in binary frames.
    ///
    /// Sends     CONNECT, SUBSCRIBE, a PUBLISH at QoS 1 to that subscription, PINGREQ.
    /// Demands   the answers to them, each in a binary frame. The same is demanded of every packet in every check.
    /// Leaves    how the packets are cut into frames.
    BINARY_FRAMES "websocket/packets_come_in_binary_frames",
    covers: [V3_1_1 / "MQTT-6.0.0-1", V5 / "MQTT-6.0.0-1"],
    needs: [WebSocket, Qos1],
    proved: ["websocket_text_sent"],
    run: async |w| {
        let topic = w.topic("binary");
        let mut a = w.connect("a").await?;
        a.subscribe(&topic, Qos::AtLeastOnce).await?;
        a.publish(&topic, b"binary").qos1().acknowledged().await?;
        a.expect(publish(&topic).payload(b"binary")).await?;
        a.ping().await
    }
}

check! {
    /// Packets need not be whole in their frames.
    ///
    /// Sends     a SUBSCRIBE byte by byte, each in a frame; a CONNECT in the same way; a PUBLISH at QoS 1 as a
    ///           fragmented message; a PINGREQ with the beginning of a PUBLISH, and its rest with a PINGREQ.
    /// Demands   that all of them are served.
    /// Leaves    nothing.
    PACKETS_ACROSS_FRAMES "websocket/packets_need_not_fit_frames",
    covers: [V3_1_1 / "MQTT-6.0.0-2", V5 / "MQTT-6.0.0-2"],
    needs: [WebSocket, Qos1],
    proved: ["websocket_partial_packets_dropped"],
    run: async |w| {
        let topic = w.topic("parts");
        let mut a = w.connect_alive("a").await?;
        let list = to(&topic);
        let request = subscribe(&mut a, &list);
        a.send_byte_by_byte(&bytes_of(w, &Packet::Subscribe(request))?).await?;
        a.expect(suback(request.packet_id)).await?;

        let mut b = w.open("b").await?;
        b.send_byte_by_byte(&w.client("b").to_bytes()).await?;
        let mut b = b.answer_to_connect().await?.accepted()?;
        let mut message = |payload| Publish {
            qos: Qos::AtLeastOnce,
            packet_id: Some(b.fresh_id()),
            ..Publish::new(&topic, payload)
        };
        let (fragmented, cut) = (message(b"fragmented"), message(b"cut"));
        b.send_fragmented(&bytes_of(w, &Packet::Publish(fragmented))?).await?;
        a.expect(publish(&topic).payload(b"fragmented")).await?;

        let ping = bytes_of(w, &Packet::Pingreq)?;
        let bytes = bytes_of(w, &Packet::Publish(cut))?;
        let (beginning, rest) = bytes.split_at(bytes.len() / 2);
        b.send_bytes(&[&ping, beginning].concat()).await?;
        b.send_bytes(&[rest, &ping].concat()).await?;
        a.expect(publish(&topic).payload(b"cut")).await?;
        b.expect(pingresp()).await?;
        b.expect(pingresp()).await?;
        Ok(())
    }
}

check! {
    /// A frame may hold several packets.
    ///
    /// Sends     PINGREQ, SUBSCRIBE, a PUBLISH at QoS 1 and PINGREQ in one frame.
    /// Demands   the answers to all of them.
    /// Leaves    nothing.
    PACKETS_IN_ONE_FRAME "websocket/packets_may_share_a_frame",
    covers: [V3_1_1 / "MQTT-6.0.0-2", V5 / "MQTT-6.0.0-2"],
    needs: [WebSocket, Qos1],
    proved: ["websocket_first_packet_only"],
    run: async |w| {
        let mut a = w.connect_alive("a").await?;
        let (asked, other) = (w.topic("together"), w.topic("beside"));
        let list = to(&asked);
        let request = subscribe(&mut a, &list);
        let id = a.fresh_id();
        let message =
            Publish { qos: Qos::AtLeastOnce, packet_id: Some(id), ..Publish::new(&other, b"together") };
        let packets =
            [Packet::Pingreq, Packet::Subscribe(request), Packet::Publish(message), Packet::Pingreq];
        a.send_together(&packets).await?;
        a.expect(suback(request.packet_id)).await?;
        // Whether the publishing is authorised is no matter here: an answer shows that the packet was read.
        a.expect(puback(id)).await?;
        a.expect(pingresp()).await?;
        a.expect(pingresp()).await?;
        Ok(())
    }
}

check! {
    /// The WebSocket subprotocol that the broker selects is mqtt.
    ///
    /// Sends     WebSocket handshakes that offer mqtt, alone and behind a subprotocol that does not exist.
    /// Demands   that mqtt is selected.
    /// Leaves    a broker may refuse a handshake that offers what it does not know. One that selects no subprotocol
    ///           at all has not selected a wrong one: that is a deviation.
    SUBPROTOCOL "websocket/subprotocol_is_mqtt",
    covers: [V3_1_1 / "MQTT-6.0.0-4", V5 / "MQTT-6.0.0-4"],
    needs: [WebSocket],
    proved: ["websocket_subprotocol_missing", "websocket_subprotocol_first", "websocket_subprotocol_mqttv31"],
    run: async |w| {
        for (name, offered) in [("a", &["mqtt"][..]), ("b", &["no-such-protocol.invalid", "mqtt"])] {
            let expected = format!("the subprotocol mqtt, of those offered: {}", offered.join(", "));
            match w.open_offering(name, offered).await? {
                Some(mut client) => match client.subprotocol().as_deref() {
                    Some("mqtt") => {}
                    Some(other) => {
                        return Err(Stop::violates(expected, format!("the subprotocol {other}")));
                    }
                    None => w.deviates(None, expected, "no subprotocol"),
                },
                None if offered.len() > 1 => {
                    w.note("a WebSocket handshake that offers an unknown subprotocol beside mqtt is refused");
                }
                None => return Err(Stop::inconclusive("the broker refused a WebSocket handshake like those before")),
            }
        }
        Ok(())
    }
}
