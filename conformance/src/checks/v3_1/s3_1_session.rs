//! Sessions, Wills and takeover, as 3.1 has them. [3.1 §3.1]

use crate::check;
use crate::check::Check;
use crate::checks::common::s3_1_will::{later_will, will_comes};
use crate::story::{Stop, WillMessage, publish};
use mqtt_assay_codec::Qos;

/// In the order of the document.
pub const CHECKS: &[Check] = &[
    SUBSCRIPTIONS_AND_MESSAGES_WAIT,
    CLEAN_SESSION_DISCARDS,
    WILL_IS_PUBLISHED_ON_LOSS_ONLY,
    OLDER_CONNECTION_ENDS,
];

check! {
    /// With Clean Session 0 subscriptions and messages wait for the Client.
    ///
    /// Sends     S subscribes at QoS 2 with Clean Session 0 and leaves; P publishes at QoS 1 and 2; S comes back.
    /// Demands   S receives both messages.
    /// Leaves    their order, and at which QoS they come.
    SUBSCRIPTIONS_AND_MESSAGES_WAIT "v3_1/subscriptions_and_messages_wait",
    covers: [V3_1 / "M31-CON-8"],
    needs: [],
    proved: ["session_not_resumed", "subscriptions_lost_on_resume", "offline_messages_dropped"],
    run: async |w| {
        let topic = w.topic("news");
        let mut s = w.client("s").persistent(60).connect().await?;
        s.subscribe(&topic, Qos::ExactlyOnce).await?;
        s.disconnect().await;

        let mut p = w.connect("p").await?;
        p.publish(&topic, b"1").qos1().acknowledged().await?;
        p.publish(&topic, b"2").qos2().acknowledged().await?;

        let mut s = w.client("s").resume(60).connect().await?;
        let mut missing = vec!["1", "2"];
        while !missing.is_empty() {
            let got = s.expect(publish(&topic)).await?;
            let Some(place) = missing.iter().position(|payload| got.payload() == payload.as_bytes()) else {
                // At QoS 1 a message may come again; at QoS 2 it may not.
                if got.payload() == b"1" {
                    continue;
                }
                let expected = "the two messages, that of QoS 2 once";
                return Err(Stop::violates(expected, got.line()).at(got.index));
            };
            missing.remove(place);
        }
        // Subscribed still, not only remembered for what had come.
        p.publish(&topic, b"3").qos1().acknowledged().await?;
        loop {
            let got = s.expect(publish(&topic)).await?;
            match got.payload() {
                b"3" => return Ok(()),
                b"1" => {}
                _ => return Err(Stop::violates("the third message", got.line()).at(got.index)),
            }
        }
    }
}

check! {
    /// With Clean Session 1 what is known of the Client is discarded.
    ///
    /// Sends     S subscribes with Clean Session 0 and leaves; P publishes; S comes back with Clean Session 1, and P
    ///           publishes again.
    /// Demands   S receives neither message.
    /// Leaves    nothing.
    CLEAN_SESSION_DISCARDS "v3_1/clean_session_discards",
    covers: [V3_1 / "M31-CON-9"],
    needs: [],
    proved: ["session_not_discarded_on_clean_start"],
    run: async |w| {
        let topic = w.topic("news");
        let mut s = w.client("s").persistent(60).connect().await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        s.disconnect().await;
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"away").qos1().acknowledged().await?;

        let mut s = w.connect("s").await?;
        p.publish(&topic, b"back").qos1().acknowledged().await?;
        s.settle(&mut p, Qos::AtLeastOnce).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// The Will is published when the connection is lost, and not when the Client says DISCONNECT.
    ///
    /// Sends     S subscribes to the Will Topic; C connects with a Will and closes its connection without DISCONNECT;
    ///           D does the same with DISCONNECT.
    /// Demands   S receives C's Will and not D's.
    /// Leaves    how soon.
    WILL_IS_PUBLISHED_ON_LOSS_ONLY "v3_1/will_is_published_on_loss_only",
    covers: [V3_1 / "M31-CON-10"],
    needs: [],
    proved: ["will_never_published", "will_lost_on_connection_loss", "will_published_on_normal_disconnect"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut c = w.client("c").will(WillMessage::new(&topic, b"lost")).connect().await?;
        c.cut();
        will_comes(w, &mut s, publish(&topic).payload(b"lost")).await?;

        let mut d = w.client("d").will(WillMessage::new(&topic, b"left")).connect().await?;
        d.disconnect().await;
        d.expect_end().await?;
        later_will(w, &mut s).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// The older connection ends when a Client with the same identifier connects.
    ///
    /// Sends     C connects twice, with the same Client Identifier.
    /// Demands   the end of the first connection; the second is served.
    /// Leaves    nothing.
    OLDER_CONNECTION_ENDS "v3_1/older_connection_ends",
    covers: [V3_1 / "M31-CON-7"],
    needs: [],
    proved: ["takeover_leaves_old_connection"],
    run: async |w| {
        let mut old = w.connect_alive("c").await?;
        let mut new = w.connect("c").await?;
        new.ping().await?;
        old.expect_end().await
    }
}
