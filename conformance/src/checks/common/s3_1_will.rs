//! The Will: when it is published, and how. [3.1.1 §3.1.2.5 to §3.1.2.7] [5.0 §3.1.2.5 to §3.1.2.7]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Expect, Received, Severity, Stop, Story, WillMessage, World, publish};
use mqtt_assay_codec::{Qos, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    PUBLISHED_WHEN_CONNECTION_IS_LOST,
    PUBLISHED_AFTER_WEBSOCKET_CLOSE,
    PUBLISHED_AFTER_PROTOCOL_ERROR,
    PUBLISHED_AFTER_KEEP_ALIVE,
    PUBLISHED_ON_TAKEOVER,
    NOT_PUBLISHED_AFTER_DISCONNECT,
    PUBLISHED_ONCE,
    NOT_PUBLISHED_WITHOUT_WILL,
    PUBLISHED_AT_ITS_QOS,
    EMPTY_PAYLOAD,
    NOT_RETAINED,
    RETAINED,
];

/// A Client with a Will dies; the Will, which `watcher` subscribes to. No two are alike: that of an earlier one may be late.
async fn another_dies(w: &World, watcher: &mut Client<'_>) -> Result<Expect, Stop> {
    let topic = w.topic(&format!("later/{}", watcher.name()));
    let payload = format!("later {}", watcher.fresh_id());
    watcher.subscribe(&topic, Qos::AtLeastOnce).await?;
    let mut z = w.client("z").will(WillMessage::new(&topic, payload.as_bytes())).connect().await?;
    z.cut();
    Ok(publish(&topic).carrying(payload.as_bytes()))
}

/// A barrier: the Will of a Client that dies now reaches `watcher`. What an earlier death caused has come by then.
pub(crate) async fn later_will(w: &World, watcher: &mut Client<'_>) -> Story {
    let later = another_dies(w, watcher).await?;
    watcher.await_message(later).await?;
    watcher.ping().await
}

/// So many times the patience of the run the Will may take besides, as long as the later one has not come either.
const PATIENCES: u32 = 2;

/// The Will has to come to `watcher`. It is missed only behind a barrier, the Will of a Client that dies later: a broker that
/// is slow with all of them has lost none, and that PINGREQ is answered does not tell, for some do that beside their work.
/// How soon a Will comes is a recommendation. [3.1.1/U3-WILL-1] [5.0/U5-WILL-1]
pub(crate) async fn will_comes(w: &World, watcher: &mut Client<'_>, will: Expect) -> Result<Received, Stop> {
    let missing = match watcher.find(&will).await? {
        Ok(came) => return will.judge(came),
        Err(missing) if watcher.ended().is_some() => return Err(missing),
        Err(missing) => missing,
    };
    let later = another_dies(w, watcher).await?;
    for _ in 0..PATIENCES {
        if let Ok(came) = watcher.find(&will).await? {
            return will.judge(came);
        }
        if watcher.take_meant(&later).is_some() {
            break;
        }
    }
    Err(missing)
}

/// The Will should have come within the patience of the run.
fn promptly(w: &World, lost: Instant) {
    let took = lost.elapsed();
    if took > w.patience() {
        let statement = w.cite(if w.is_v5() { "U5-WILL-1" } else { "U3-WILL-1" });
        let expected = format!("the Will within {:.0} s", w.patience().as_secs_f64());
        w.deviates(Some(statement), expected, format!("the Will after {:.0} s", took.as_secs_f64()));
    }
}

check! {
    /// The Will is published when the connection is lost.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will and closes its connection without
    ///           DISCONNECT; D does the same with a reset.
    /// Demands   S receives both Wills with their payloads.
    /// Leaves    how soon: a Will that comes behind that of a Client that is lost later is missing; later than within
    ///           the patience of the run it deviates.
    PUBLISHED_WHEN_CONNECTION_IS_LOST "will/published_when_connection_is_lost",
    covers: [
        V3_1_1 / "MQTT-3.1.2-8", V3_1_1 / "U3-WILL-1",
        V5 / "MQTT-3.1.2-7", V5 / "MQTT-3.1.2-8", V5 / "U5-WILL-1",
    ],
    needs: [Qos1],
    proved: ["will_never_published", "will_lost_on_connection_loss", "will_payload_empty", "will_published_late"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").will(WillMessage::new(&topic, b"closed")).connect().await?;
        let lost = Instant::now();
        c.cut();
        will_comes(w, &mut s, publish(&topic).payload(b"closed")).await?;
        promptly(w, lost);
        let mut d = w.client("d").will(WillMessage::new(&topic, b"reset")).connect().await?;
        d.reset();
        will_comes(w, &mut s, publish(&topic).payload(b"reset")).await?;
        Ok(())
    }
}

check! {
    /// The Will is published when the Client ends its WebSocket without DISCONNECT.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will and says Close; when the broker has said so, too,
    ///           or has ended TCP, C ends TCP.
    /// Demands   S receives the Will: the Network Connection is the WebSocket, and that is closed.
    /// Leaves    whether the broker answers the Close with its own or ends TCP at once; one of both it has to do, so the
    ///           Will is due within the usual time also where it does neither.
    PUBLISHED_AFTER_WEBSOCKET_CLOSE "will/published_after_websocket_close",
    covers: [V3_1_1 / "MQTT-3.1.2-8", V5 / "MQTT-3.1.2-8"],
    needs: [WebSocket, Qos1],
    proved: ["websocket_close_ignored"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").will(WillMessage::new(&topic, b"closed")).connect().await?;
        c.say_close().await?;
        will_comes(w, &mut s, publish(&topic).payload(b"closed")).await?;
        c.cut();
        Ok(())
    }
}

check! {
    /// The Will is published when the broker ends the connection for a protocol error.
    ///
    /// Sends     C and D connect with a Will, to whose topic somebody subscribes; C sends a SUBSCRIBE with wrong fixed
    ///           header flags, D a packet of type 0: every broker must notice that.
    /// Demands   both Wills.
    /// Leaves    nothing.
    PUBLISHED_AFTER_PROTOCOL_ERROR "will/published_after_protocol_error",
    covers: [V3_1_1 / "MQTT-3.1.2-8", V5 / "MQTT-3.1.2-8", V5 / "U5-WILL-9"],
    needs: [Qos1],
    proved: ["will_never_published", "will_lost_on_protocol_error"],
    run: async |w| {
        let bad = mqtt_assay_codec::raw::Builder::new(0x80).u16(1).no_properties(w.version());
        for (name, bytes) in [("c", bad.string(b"a").u8(0).finish()), ("d", vec![0x00, 0])] {
            let topic = w.topic(&format!("will/{name}"));
            let mut s = w.connect(&format!("s{name}")).await?;
            s.subscribe(&topic, Qos::AtLeastOnce).await?;
            let mut c = w.client(name).will(WillMessage::new(&topic, b"thrown out")).connect().await?;
            c.send_bytes(&bytes).await?;
            if c.refuses(ReasonCode::MALFORMED_PACKET, Severity::MustDetect).await.is_err() {
                let open = "the broker does not end the connection: another check answers for that";
                return Err(Stop::inconclusive(open));
            }
            will_comes(w, &mut s, publish(&topic).payload(b"thrown out")).await?;
        }
        Ok(())
    }
}

check! {
    /// The Will is published when the Keep Alive runs out.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will and a Keep Alive of 1 s, and falls silent.
    /// Demands   S receives the Will.
    /// Leaves    when the connection ends: another check looks at the time.
    PUBLISHED_AFTER_KEEP_ALIVE "will/published_after_keep_alive",
    covers: [
        V3_1_1 / "MQTT-3.1.2-8", V3_1_1 / "MQTT-3.1.2-24",
        V5 / "MQTT-3.1.2-8", V5 / "MQTT-3.1.2-22",
    ],
    needs: [Qos1],
    proved: ["will_lost_on_keep_alive_timeout", "will_never_published"],
    waits: 1.5,
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").keep_alive(1).will(WillMessage::new(&topic, b"silent")).connect().await?;
        match c.connack().properties.server_keep_alive() {
            None | Some(1..=3) => {}
            Some(seconds) => {
                return Err(Stop::unsupported(format!("the broker imposes a Keep Alive of {seconds} s")));
            }
        }
        w.let_pass(Duration::from_millis(1500), "1.5 times the Keep Alive").await;
        // Some brokers look at their timers every few seconds only.
        if c.expect_end().await.is_err() && c.expect_end().await.is_err() {
            return Err(Stop::inconclusive("the silent connection stays open: another check answers for that"));
        }
        will_comes(w, &mut s, publish(&topic).payload(b"silent")).await?;
        Ok(())
    }
}

check! {
    /// The Will of a connection that is taken over is published.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will, its session ending with the connection,
    ///           and connects again with the same Client Identifier, without a Will.
    /// Demands   S receives the Will.
    /// Leaves    nothing: only a DISCONNECT removes a Will without delay.
    PUBLISHED_ON_TAKEOVER "will/published_on_takeover",
    covers: [V3_1_1 / "MQTT-3.1.2-8", V5 / "MQTT-3.1.2-8", V5 / "U5-WILL-7"],
    needs: [Qos1],
    proved: ["will_lost_on_takeover", "will_never_published"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let _old = w.client("c").will(WillMessage::new(&topic, b"taken over")).connect().await?;
        let _new = w.connect("c").await?;
        will_comes(w, &mut s, publish(&topic).payload(b"taken over")).await?;
        // A session that goes on makes no difference without a Will Delay Interval. [5.0 §3.1.4]
        let topic = w.topic("will of a session");
        let mut s = w.connect("s2").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let will = WillMessage::new(&topic, b"resumed");
        let _old = w.client("d").persistent(60).will(will).connect().await?;
        let _new = w.client("d").resume(60).connect().await?;
        will_comes(w, &mut s, publish(&topic).payload(b"resumed")).await?;
        Ok(())
    }
}

check! {
    /// A DISCONNECT removes the Will, which is not published then.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will and says DISCONNECT; it connects again
    ///           without a Will and loses its connection.
    /// Demands   S receives no Will, though that of a Client that dies later comes.
    /// Leaves    nothing.
    NOT_PUBLISHED_AFTER_DISCONNECT "will/not_published_after_disconnect",
    covers: [
        V3_1_1 / "MQTT-3.1.2-10", V3_1_1 / "MQTT-3.14.4-3",
        V5 / "MQTT-3.1.2-10", V5 / "MQTT-3.14.4-3",
    ],
    needs: [Qos1],
    proved: ["will_published_on_normal_disconnect"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").will(WillMessage::new(&topic, b"never")).connect().await?;
        c.disconnect().await;
        later_will(w, &mut s).await?;
        s.expect_no_publish(&topic).await?;

        let mut c = w.connect("c").await?;
        c.cut();
        later_will(w, &mut s).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// A Will is published once, and is gone then.
    ///
    /// Sends     S subscribes at QoS 2; C connects with a Will at QoS 2 in a session that lasts, and loses its
    ///           connection; S receives the Will; C resumes its session without a Will and loses its connection.
    /// Demands   S receives the Will once.
    /// Leaves    nothing.
    PUBLISHED_ONCE "will/published_once",
    covers: [V3_1_1 / "MQTT-3.1.2-10", V5 / "MQTT-3.1.2-10"],
    needs: [Qos2],
    proved: ["will_published_twice", "will_kept_for_next_connection"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::ExactlyOnce).await?;
        let will = WillMessage::new(&topic, b"once").qos(Qos::ExactlyOnce);
        let mut c = w.client("c").persistent(60).will(will).connect().await?;
        c.cut();
        s.await_message(publish(&topic)).await?;

        let mut c = w.client("c").resume(60).connect().await?;
        c.cut();
        later_will(w, &mut s).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// Without Will Flag nothing is published when the connection is lost.
    ///
    /// Sends     S subscribes to everything below a topic; C, whose earlier connection was lost and had a Will,
    ///           connects without a Will and loses its connection; so does D, which never had one.
    /// Demands   S receives nothing but the earlier Will, though the Will of a Client that dies later comes.
    /// Leaves    nothing.
    NOT_PUBLISHED_WITHOUT_WILL "will/not_published_without_will",
    covers: [V3_1_1 / "MQTT-3.1.2-12", V5 / "MQTT-3.1.2-10"],
    needs: [Qos1, Wildcards],
    proved: ["will_kept_for_next_connection"],
    run: async |w| {
        let (topic, filter) = (w.topic("wills/c"), w.topic("wills/#"));
        let mut s = w.connect("s").await?;
        s.subscribe(&filter, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").persistent(60).will(WillMessage::new(&topic, b"old")).connect().await?;
        c.cut();
        s.await_message(publish(&topic)).await?;
        for name in ["c", "d"] {
            let mut client = w.client(name).resume(60).connect().await?;
            client.cut();
        }
        later_will(w, &mut s).await?;
        s.expect_no_publishes().await
    }
}

check! {
    /// A Will is published at its Will QoS, to a subscription that allows it.
    ///
    /// Sends     S subscribes at QoS 2; clients with Wills of QoS 0, 1 and 2 lose their connections.
    /// Demands   S receives each Will at its QoS.
    /// Leaves    nothing.
    PUBLISHED_AT_ITS_QOS "will/published_at_its_qos",
    covers: [V3_1_1 / "MQTT-3.1.2-8", V3_1_1 / "MQTT-3.8.4-6", V5 / "MQTT-3.1.2-8", V5 / "MQTT-3.8.4-8"],
    needs: [Qos1, Qos2],
    proved: ["will_at_qos_0"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::ExactlyOnce).await?;
        for (name, qos) in [("c0", Qos::AtMostOnce), ("c1", Qos::AtLeastOnce), ("c2", Qos::ExactlyOnce)] {
            let will = WillMessage::new(&topic, name.as_bytes()).qos(qos);
            let mut c = w.client(name).will(will).connect().await?;
            c.cut();
            // Whether it comes is another check's matter; at QoS 0 it need not.
            let got = s.await_message(publish(&topic)).await?;
            if got.publish().is_none_or(|p| p.qos != qos) {
                let expected = format!("PUBLISH {topic} \"{name}\" qos={qos}");
                return Err(Stop::violates(expected, got.line()).at(got.index));
            }
        }
        Ok(())
    }
}

check! {
    /// A Will may be empty; its length bytes are no part of it.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will of zero bytes and loses its connection.
    /// Demands   S receives an empty message.
    /// Leaves    nothing.
    EMPTY_PAYLOAD "will/empty_payload",
    covers: [V3_1_1 / "U3-WILL-2", V3_1_1 / "MQTT-3.1.2-8", V5 / "MQTT-3.1.2-8"],
    needs: [Qos1],
    proved: ["will_never_published", "empty_payload_dropped"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").will(WillMessage::new(&topic, b"")).connect().await?;
        c.cut();
        will_comes(w, &mut s, publish(&topic).payload(b"")).await?;
        Ok(())
    }
}

check! {
    /// A Will without Will Retain is not stored.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will, Will Retain 0, and loses its connection;
    ///           when S has the Will, T subscribes.
    /// Demands   S receives the Will with RETAIN 0; T receives nothing.
    /// Leaves    nothing.
    NOT_RETAINED "will/not_retained",
    covers: [V3_1_1 / "MQTT-3.1.2-16", V5 / "MQTT-3.1.2-14"],
    needs: [Retain, Qos1],
    proved: ["will_always_retained"],
    run: async |w| {
        let topic = w.topic("will");
        w.leave_retained(&topic);
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").will(WillMessage::new(&topic, b"gone")).connect().await?;
        c.cut();
        will_comes(w, &mut s, publish(&topic).payload(b"gone").retain(false)).await?;

        let mut t = w.connect("t").await?;
        t.subscribe(&topic, Qos::AtLeastOnce).await?;
        t.settle(&mut s, Qos::AtLeastOnce).await?;
        t.expect_no_publish(&topic).await
    }
}

check! {
    /// A Will with Will Retain is stored as the topic's retained message.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will at QoS 1, Will Retain 1, and loses its
    ///           connection; when S has the Will, T subscribes, and if nothing comes of it, U.
    /// Demands   T or U receives the Will with RETAIN 1.
    /// Leaves    a retained message of QoS 0 might be discarded: the Will is of QoS 1. Whether it is stored first, or
    ///           passed on first.
    RETAINED "will/retained",
    covers: [V3_1_1 / "MQTT-3.1.2-17", V5 / "MQTT-3.1.2-15"],
    needs: [Retain, Qos1],
    proved: ["will_retain_ignored"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").will(WillMessage::new(&topic, b"gone").retain()).connect().await?;
        c.cut();
        s.await_message(publish(&topic)).await?;

        let mut t = w.connect("t").await?;
        t.subscribe(&topic, Qos::AtLeastOnce).await?;
        if t.expect(publish(&topic).payload(b"gone").retain(true)).await.is_err() {
            let mut u = w.connect("u").await?;
            u.subscribe(&topic, Qos::AtLeastOnce).await?;
            u.expect(publish(&topic).payload(b"gone").retain(true)).await?;
        }
        Ok(())
    }
}
