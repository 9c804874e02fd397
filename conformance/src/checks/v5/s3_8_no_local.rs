//! No Local. [5.0 §3.8.3.1]

use crate::check;
use crate::check::Check;
use crate::story::publish;
use mqtt_assay_codec::{Offence, Qos, ReasonCode, SubscriptionOptions};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[OWN_MESSAGES_STAY_AWAY, SURVIVES_THE_CONNECTION, NOT_ON_SHARED_SUBSCRIPTIONS];

const NO_LOCAL: SubscriptionOptions =
    SubscriptionOptions { no_local: true, ..SubscriptionOptions::qos(Qos::AtLeastOnce) };

check! {
    /// With No Local a Client does not get back what it published itself, and gets everything else.
    ///
    /// Sends     A subscribes with No Local, publishes to the topic itself at each QoS, then B publishes to it.
    /// Demands   A receives B's message and none of its own.
    /// Leaves    nothing.
    OWN_MESSAGES_STAY_AWAY "no_local/own_messages_stay_away",
    covers: [V5 / "MQTT-3.8.3-3"],
    needs: [Qos1, Qos2],
    proved: ["no_local_ignored"],
    run: async |w| {
        let topic = w.topic("echo");
        let mut a = w.connect("a").await?;
        a.subscribe_with(&topic, NO_LOCAL).await?;
        for qos in Qos::ALL {
            a.publish(&topic, b"mine").qos(qos).acknowledged().await?;
        }
        let mut b = w.connect("b").await?;
        b.publish(&topic, b"yours").qos1().acknowledged().await?;
        a.expect(publish(&topic).payload(b"yours")).await?;
        a.expect_no_publish(&topic).await
    }
}

check! {
    /// No Local is part of the session: it holds after the connection is resumed.
    ///
    /// Sends     A subscribes with No Local, resumes its session, and publishes to the topic; then B does.
    /// Demands   A receives B's message and not its own.
    /// Leaves    nothing.
    SURVIVES_THE_CONNECTION "no_local/survives_the_connection",
    covers: [V5 / "MQTT-3.8.3-3", V5 / "MQTT-3.1.2-5"],
    needs: [Qos1],
    proved: ["no_local_lost_on_resume"],
    run: async |w| {
        let topic = w.topic("echo");
        let mut a = w.client("a").persistent(60).connect().await?;
        a.subscribe_with(&topic, NO_LOCAL).await?;
        a.disconnect().await;
        let mut a = w.client("a").resume(60).connect().await?;
        a.publish(&topic, b"mine").qos1().acknowledged().await?;
        let mut b = w.connect("b").await?;
        b.publish(&topic, b"yours").qos1().acknowledged().await?;
        a.expect(publish(&topic).payload(b"yours")).await?;
        a.expect_no_publish(&topic).await
    }
}

check! {
    /// No Local on a Shared Subscription is an error.
    ///
    /// Sends     SUBSCRIBE to shared filters with No Local, alone and with other options.
    /// Demands   the end of the connection, and no grant.
    /// Leaves    how strictly to check is left to the broker.
    NOT_ON_SHARED_SUBSCRIPTIONS "no_local/not_on_shared_subscriptions",
    covers: [V5 / "MQTT-3.8.3-4"],
    needs: [SharedSubscriptions],
    proved: ["no_local_on_shared_accepted"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::NoLocalOnShared)
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}
