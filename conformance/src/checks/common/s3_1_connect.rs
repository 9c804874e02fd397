//! CONNECT as the beginning of a connection: what comes first, what may follow, what is refused.
//! [3.1.1 §3.1] [5.0 §3.1]

use crate::check;
use crate::check::Check;
use crate::story::{
    Attempt, Client, Next, Severity, Stop, Story, World, bytes_of, connack, pingresp, puback, suback,
};
use mqtt_assay_codec::raw::Builder;
use mqtt_assay_codec::{
    Packet, PacketId, PacketType, Properties, Publish, Qos, ReasonCode, Subscribe, SubscriptionList,
    SubscriptionOptions, Version,
};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    FIRST_PACKET_IS_CONNECT,
    PUBLISH_BEFORE_CONNECT_IS_NOT_DISTRIBUTED,
    SECOND_CONNECT_ENDS_CONNECTION,
    SECOND_CONNECT_IN_ONE_SEGMENT,
    UNKNOWN_PROTOCOL_NAME_IS_REFUSED,
    UNKNOWN_PROTOCOL_LEVEL_IS_REFUSED,
    PACKETS_MAY_FOLLOW_AT_ONCE,
    NOTHING_BEHIND_A_REFUSED_CONNECT_COUNTS,
];

check! {
    /// A connection that begins with another packet than CONNECT is closed, and nothing is sent on it.
    ///
    /// Sends     PINGREQ, SUBSCRIBE, a QoS 1 PUBLISH, DISCONNECT, each as the first packet of a connection.
    /// Demands   no packet but, in 5.0, a CONNACK that refuses; the end of the connection.
    /// Leaves    5.0 does not oblige the broker to notice the error: a connection left open is a deviation there.
    FIRST_PACKET_IS_CONNECT "connect/first_packet_is_connect",
    covers: [
        V3_1_1 / "MQTT-3.1.0-1", V3_1_1 / "MQTT-3.2.0-1", V3_1_1 / "MQTT-4.8.0-1",
        V5 / "MQTT-3.1.0-1", V5 / "MQTT-3.2.0-1", V5 / "MQTT-4.13.1-1",
    ],
    needs: [],
    proved: ["pingreq_before_connect_answered"],
    run: async |w| {
        let topic = w.topic("early");
        let id = PacketId::MIN;
        let list = SubscriptionList::one(&topic, SubscriptionOptions::qos(Qos::AtMostOnce));
        let subscribe = Subscribe { packet_id: id, properties: Properties::NONE, subscriptions: list.view() };
        let publish = Publish { qos: Qos::AtLeastOnce, packet_id: Some(id), ..Publish::new(&topic, b"early") };
        for (name, packet) in [
            ("ping", Packet::Pingreq),
            ("subscribe", Packet::Subscribe(subscribe)),
            ("publish", Packet::Publish(publish)),
            ("disconnect", Packet::Disconnect(Default::default())),
        ] {
            let mut a = w.open(name).await?;
            a.send_first(&bytes_of(w.version(), &[packet])?).await?;
            nothing_and_end(w, &mut a).await?;
        }
        Ok(())
    }
}

/// Before a CONNECT nothing may come but the end of the connection.
async fn nothing_and_end(w: &World, client: &mut Client<'_>) -> Story {
    const EXPECTED: &str = "the end of the connection, and no packet before it";
    let deadline = Instant::now() + w.patience();
    loop {
        match client.next(deadline).await? {
            Next::End(_) => return Ok(()),
            Next::Packet(r) => match r.packet() {
                Packet::Connack(c) if w.is_v5() && !c.code.is_success() => {}
                _ => {
                    return Err(Stop::violates(EXPECTED, r.line())
                        .citing(w.cite("MQTT-3.2.0-1"))
                        .at(r.index));
                }
            },
            Next::Silence => {
                let observed = format!("still open after {:.0} s", w.patience().as_secs_f64());
                if w.is_v5() {
                    w.deviates(Some(w.cite("MQTT-4.13.1-1")), EXPECTED, observed);
                    return Ok(());
                }
                return Err(Stop::violates(EXPECTED, observed).citing(w.cite("MQTT-4.8.0-1")));
            }
        }
    }
}

check! {
    /// What is published on a connection before CONNECT reaches nobody.
    ///
    /// Sends     B subscribes; A opens a connection and sends a QoS 0 and a QoS 1 PUBLISH instead of CONNECT.
    /// Demands   B receives neither, though a later message of C comes.
    /// Leaves    whether and when A's connection is closed: another check answers for that.
    PUBLISH_BEFORE_CONNECT_IS_NOT_DISTRIBUTED "connect/publish_before_connect_is_not_distributed",
    covers: [
        V3_1_1 / "MQTT-3.1.0-1", V3_1_1 / "MQTT-4.8.0-1",
        V5 / "MQTT-3.1.0-1", V5 / "MQTT-4.13.1-1",
    ],
    needs: [],
    proved: ["publish_before_connect_distributed"],
    run: async |w| {
        let topic = w.topic("early");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtMostOnce).await?;

        let first = Publish::new(&topic, b"early");
        let second = Publish { qos: Qos::AtLeastOnce, packet_id: Some(PacketId::MIN), ..first };
        for (name, packet) in [("a0", first), ("a1", second)] {
            let mut a = w.open(name).await?;
            a.send(&Packet::Publish(packet)).await?;
            a.linger().await;
        }

        let mut c = w.connect("c").await?;
        b.settle(&mut c, Qos::AtMostOnce).await?;
        b.expect_no_publish(&topic).await
    }
}

check! {
    /// A second CONNECT on a connection is a protocol error: the broker ends the connection.
    ///
    /// Sends     CONNECT; after its CONNACK the same CONNECT once more, then one with another Client Identifier.
    /// Demands   the end of the connection, and no second CONNACK.
    /// Leaves    nothing.
    SECOND_CONNECT_ENDS_CONNECTION "connect/second_connect_ends_connection",
    covers: [V3_1_1 / "MQTT-3.1.0-2", V5 / "MQTT-3.1.0-2", V5 / "MQTT-3.2.0-2"],
    needs: [],
    proved: ["second_connect_accepted", "second_connect_ignored"],
    run: async |w| {
        for (first, second) in [("same", "same"), ("other", "another")] {
            let mut a = w.connect_alive(first).await?;
            let again = w.client(second).to_bytes();
            a.send_bytes(&again).await?;
            a.refuses(ReasonCode::PROTOCOL_ERROR, Severity::MustDetect).await?;
            no_connack_waits(w, &a)?;
        }
        Ok(())
    }
}

check! {
    /// A second CONNECT is refused too if it comes in one segment with the first.
    ///
    /// Sends     two equal CONNECT in one segment.
    /// Demands   one CONNACK at most; the end of the connection.
    /// Leaves    whether the CONNACK for the first is still written.
    SECOND_CONNECT_IN_ONE_SEGMENT "connect/second_connect_in_one_segment",
    covers: [V3_1_1 / "MQTT-3.1.0-2", V5 / "MQTT-3.1.0-2", V5 / "MQTT-3.2.0-2"],
    needs: [],
    proved: ["second_connect_accepted", "second_connect_ignored"],
    run: async |w| {
        w.connect_alive("control").await?;
        let again = w.client("a").to_bytes();
        match w.client("a").hello(&again).await?.answer_to_connect().await? {
            Attempt::Accepted(mut a) => {
                a.refuses(ReasonCode::PROTOCOL_ERROR, Severity::MustDetect).await?;
                no_connack_waits(w, &a)
            }
            Attempt::Refused(mut a, _) => a.expect_end().await,
            Attempt::Ended(..) => Ok(()),
        }
    }
}

fn no_connack_waits(w: &World, client: &Client<'_>) -> Story {
    match client.inbox().find(|r| r.packet_type() == PacketType::Connack) {
        Some(r) => {
            let stop = Stop::violates("no CONNACK for a second CONNECT", r.line()).at(r.index);
            Err(stop.citing(w.cite("MQTT-3.1.0-2")))
        }
        None => Ok(()),
    }
}

check! {
    /// A CONNECT whose protocol name is not MQTT's is not served as one of this version.
    ///
    /// Sends     CONNECT with the names `MQTX`, `mqtt`, `MQTTX` and the empty one, at this version's level.
    /// Demands   no CONNACK that accepts; in 5.0 the end of the connection.
    /// Leaves    in 3.1.1 the broker may go on by another specification; in 5.0 it may say CONNACK 0x84 first.
    UNKNOWN_PROTOCOL_NAME_IS_REFUSED "connect/unknown_protocol_name_is_refused",
    covers: [V3_1_1 / "MQTT-3.1.2-1", V5 / "MQTT-3.1.2-1"],
    needs: [],
    proved: ["protocol_name_ignored"],
    run: async |w| {
        let refuses = "no CONNACK that accepts";
        for (client, name) in [("a", "MQTX"), ("b", "mqtt"), ("c", "MQTTX"), ("d", "")] {
            let (bytes, ended) = answer(w, client, name, w.version().level()).await?;
            if accepts(&bytes) {
                return Err(Stop::violates(refuses, format!("CONNACK 0x00 for the protocol name \"{name}\"")));
            }
            if !ended && w.is_v5() {
                let observed = format!("the connection stays open after the protocol name \"{name}\"");
                return Err(Stop::violates("the end of the connection", observed));
            }
        }
        Ok(())
    }
}

check! {
    /// A CONNECT of a protocol level that does not exist is refused, and the connection is closed.
    ///
    /// Sends     CONNECT with the levels 0, 6 and 127.
    /// Demands   the end of the connection, after at most a CONNACK that says why; from a broker that does not serve
    ///           5.0, CONNACK 0x01 first.
    /// Leaves    5.0 allows CONNACK 0x84 in its own form, or none: a broker that serves both versions may answer a level
    ///           that neither has by either.
    UNKNOWN_PROTOCOL_LEVEL_IS_REFUSED "connect/unknown_protocol_level_is_refused",
    covers: [V3_1_1 / "MQTT-3.1.2-2", V5 / "MQTT-3.1.2-2"],
    needs: [],
    proved: ["protocol_level_ignored", "protocol_level_refused_with_wrong_code"],
    run: async |w| {
        let serves_5 = w.is_v5() || serves_5(w).await?;
        for (client, level) in [("a", 0), ("b", 6), ("c", 127)] {
            let (bytes, ended) = answer(w, client, "MQTT", level).await?;
            let expected = "the end of the connection, perhaps after CONNACK 0x01 (3.1.1) or 0x84 (5.0)";
            let said = match bytes.as_slice() {
                [] if !serves_5 => {
                    let observed = format!("for level {level}: nothing before the end of the connection");
                    return Err(Stop::violates("CONNACK 0x01, then the end of the connection", observed));
                }
                [] => "nothing",
                [0x20, 2, 0, 1] => "CONNACK 0x01 of 3.1.1",
                [0x20, length, 0, 0x84, ..] if bytes.len() == 2 + usize::from(*length) => "CONNACK 0x84 of 5.0",
                // A 5.0 CONNACK may name another reason.
                [0x20, length, 0, code, ..] if w.is_v5() && *length > 2 && *code >= 0x80 => "another CONNACK that refuses",
                _ => {
                    let observed = format!("for level {level}: {}", hex(&bytes));
                    return Err(Stop::violates(expected, observed));
                }
            };
            if !ended {
                let observed = format!("for level {level}: {said}, and the connection stays open");
                return Err(Stop::violates(expected, observed));
            }
            w.note(format!("answers protocol level {level} with {said} before it closes"));
        }
        Ok(())
    }
}

/// Whether the broker serves 5.0, too, here: whatever its answer to a CONNECT of 5.0 says, if it is one of 5.0.
async fn serves_5(w: &World) -> Result<bool, Stop> {
    let mut bytes = w.client("new").to_bytes_of(Version::V5);
    // Who serves it closes the connection then, so that nothing is waited for.
    bytes.extend_from_slice(&[0xE0, 0]);
    let mut client = w.open("new").await?;
    client.send_bytes(&bytes).await?;
    // A CONNACK of 5.0 has a Property Length, which one of 3.1.1 has not.
    let (bytes, _) = client.read_raw(Instant::now() + w.patience()).await?;
    Ok(matches!(bytes.as_slice(), [0x20, length, ..] if *length > 2))
}

/// Sends a CONNECT of this protocol name and level; gives the bytes that come, and whether the connection ends.
async fn answer(w: &World, client: &str, protocol: &str, level: u8) -> Result<(Vec<u8>, bool), Stop> {
    let bytes = Builder::new(0x10)
        .string(protocol.as_bytes())
        .u8(level)
        .bytes(&[0b10, 0, 60])
        .no_properties(w.version())
        .string(w.client_id(client).as_bytes())
        .finish();
    let mut client = w.open(client).await?;
    client.send_bytes(&bytes).await?;
    client.read_raw(Instant::now() + w.patience()).await
}

/// Whether the bytes begin with a CONNACK that accepts, in any version.
fn accepts(bytes: &[u8]) -> bool {
    matches!(bytes, [0x20, _, _, 0, ..])
}

fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(32).map(|b| format!("{b:02X}")).collect();
    shown.join(" ")
}

check! {
    /// A Client need not wait for CONNACK before it goes on.
    ///
    /// Sends     CONNECT, SUBSCRIBE, a QoS 1 PUBLISH, PINGREQ, all in one segment.
    /// Demands   CONNACK before everything else; SUBACK, PUBACK, PINGRESP.
    /// Leaves    the order of the others.
    PACKETS_MAY_FOLLOW_AT_ONCE "connect/packets_may_follow_at_once",
    covers: [
        V3_1_1 / "U3-CON-3", V3_1_1 / "MQTT-3.2.0-1", V3_1_1 / "MQTT-3.8.4-1",
        V5 / "U5-CON-2", V5 / "MQTT-3.2.0-1", V5 / "MQTT-3.8.4-1",
    ],
    needs: [Qos1],
    proved: ["pipelined_packets_dropped"],
    run: async |w| {
        let topic = w.topic("together");
        let id = PacketId::MIN;
        let list = SubscriptionList::one(&topic, SubscriptionOptions::qos(Qos::AtMostOnce));
        let subscribe = Subscribe { packet_id: id, properties: Properties::NONE, subscriptions: list.view() };
        let next = id.saturating_add(1);
        let message =
            Publish { qos: Qos::AtLeastOnce, packet_id: Some(next), ..Publish::new(&topic, b"hello") };
        let more =
            bytes_of(w.version(), &[Packet::Subscribe(subscribe), Packet::Publish(message), Packet::Pingreq])?;
        let mut a = w.client("a").hello(&more).await?;
        let first = Instant::now() + w.patience();
        match a.next(first).await? {
            Next::Packet(r) if matches!(r.packet(), Packet::Connack(c) if c.code == ReasonCode::SUCCESS) => {}
            Next::Packet(r) => return Err(Stop::violates("CONNACK 0x00 first", r.line()).at(r.index)),
            Next::End(_) => return Err(Stop::violates("CONNACK 0x00 first", "the end of the connection")),
            Next::Silence => return Err(Stop::inconclusive("no answer to CONNECT")),
        }
        a.expect(suback(id)).await?;
        a.expect(pingresp()).await?;
        a.expect(puback(next)).await?;
        Ok(())
    }
}

check! {
    /// What a Client sends behind a CONNECT that is refused has no effect.
    ///
    /// Sends     B subscribes. A sends, in one segment, a CONNECT that must be refused (3.1.1: empty Client
    ///           Identifier with Clean Session 0; 5.0: reserved flag set), a retained QoS 1 PUBLISH, a SUBSCRIBE.
    /// Demands   no PUBACK, no SUBACK; B gets no message; a later subscription gets no retained one.
    /// Leaves    how the CONNECT is refused.
    NOTHING_BEHIND_A_REFUSED_CONNECT_COUNTS "connect/nothing_behind_a_refused_connect_counts",
    covers: [V3_1_1 / "MQTT-3.1.4-5", V5 / "MQTT-3.1.4-6"],
    needs: [Retain, Qos1],
    proved: ["refused_connect_still_served"],
    run: async |w| {
        let topic = w.topic("behind");
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;

        let list = SubscriptionList::one(&topic, SubscriptionOptions::qos(Qos::AtMostOnce));
        let id = PacketId::MIN;
        let subscribe = Subscribe { packet_id: id, properties: Properties::NONE, subscriptions: list.view() };
        let behind = Publish {
            qos: Qos::AtLeastOnce,
            retain: true,
            packet_id: Some(id),
            ..Publish::new(&topic, b"behind")
        };
        let more = bytes_of(w.version(), &[Packet::Publish(behind), Packet::Subscribe(subscribe)])?;
        w.leave_retained(&topic);
        let (flags, client_id) = if w.is_v5() { (0b11, w.client_id("a")) } else { (0, String::new()) };
        let refused = Builder::new(0x10)
            .string(b"MQTT")
            .u8(w.version().level())
            .bytes(&[flags, 0, 60])
            .no_properties(w.version())
            .string(client_id.as_bytes());
        let mut a = w.open("a").await?;
        a.send_bytes(&[refused.finish(), more].concat()).await?;
        unheard(w, &mut a).await?;

        let mut c = w.connect("c").await?;
        b.settle(&mut c, Qos::AtLeastOnce).await?;
        b.expect_no_publish(&topic).await?;
        c.subscribe(&topic, Qos::AtLeastOnce).await?;
        c.settle(&mut b, Qos::AtLeastOnce).await?;
        c.expect_no_publish(&topic).await
    }
}

/// After a refused CONNECT nothing may come but a CONNACK that refuses, and the end.
async fn unheard(w: &World, client: &mut Client<'_>) -> Story {
    let deadline = Instant::now() + w.patience();
    loop {
        match client.next(deadline).await? {
            Next::End(_) | Next::Silence => return Ok(()),
            Next::Packet(r) => match r.packet() {
                Packet::Connack(c) if c.code != ReasonCode::SUCCESS => {}
                Packet::Connack(_) => {
                    return Err(Stop::inconclusive(
                        "the broker accepts a CONNECT that it must refuse: another \
                                                   check answers for that",
                    ));
                }
                _ => {
                    let expected = format!("nothing but {} that refuses", connack());
                    return Err(Stop::violates(expected, r.line()).at(r.index));
                }
            },
        }
    }
}
