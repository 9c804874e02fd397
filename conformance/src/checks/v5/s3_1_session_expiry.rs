//! Session Expiry Interval. [5.0 §3.1.2.11.2, §3.2.2.3.2, §3.14.2.2.2, §4.1]

use crate::check;
use crate::check::Check;
use crate::checks::common::s3_1_will::will_comes;
use crate::story::{Client, Severity, Stop, Story, WillMessage, World, publish};
use mqtt_assay_codec::{Disconnect, Packet, Property, PropertyList, Qos, ReasonCode};
use std::time::Duration;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    ENDS_SESSION,
    LARGEST_NEVER_EXPIRES,
    EXPIRY_OF_THIS_CONNECTION_COUNTS,
    DISCONNECT_ENDS_SESSION_AT_ONCE,
    DISCONNECT_LENGTHENS_SESSION,
    DISCONNECT_MAY_NOT_RAISE_FROM_0,
];

/// The session must last as long as asked, or the story has nothing to measure.
fn granted(client: &Client<'_>, seconds: u32) -> Story {
    match client.connack().properties.session_expiry_interval() {
        Some(other) if other != seconds => Err(Stop::unsupported(format!(
            "the broker sets the Session Expiry Interval to {other} s, where {seconds} s were asked for"
        ))),
        _ => Ok(()),
    }
}

/// Comes back with Clean Start 0 and tells whether the session was there.
async fn comes_back<'w>(w: &'w World, expected: bool) -> Result<Client<'w>, Stop> {
    if !expected {
        // The session may end a moment behind its connection.
        w.connect("between").await?.ping().await?;
    }
    let client = w.client("s").resume(60).connect().await?;
    if client.session_present() == expected {
        return Ok(client);
    }
    let words = |present: bool| format!("CONNACK with Session Present {}", u8::from(present));
    Err(Stop::violates(words(expected), words(!expected)))
}

async fn leave_with_expiry(client: &mut Client<'_>, seconds: u32) -> Story {
    let properties = PropertyList::new().with(Property::SessionExpiryInterval(seconds));
    client.disconnect_with(ReasonCode::SUCCESS, properties.view()).await
}

check! {
    /// A session ends when its Session Expiry Interval has passed since the connection closed.
    ///
    /// Sends     S subscribes with Session Expiry Interval 2, leaves, comes back to its session, and leaves; P
    ///           publishes; S comes back 4 s later with Clean Start 0, and P publishes again.
    /// Demands   Session Present 0, and no message.
    /// Leaves    the rounding to whole seconds, for which there is a tolerance of 2 s.
    ENDS_SESSION "session_expiry/ends_session",
    covers: [V5 / "MQTT-4.1.0-2", V5 / "MQTT-3.2.2-3", V5 / "U5-CON-3", V5 / "U5-CON-4"],
    needs: [Qos1],
    proved: ["session_not_expired"],
    waits: 4.0,
    run: async |w| {
        let topic = w.topic("news");
        let mut s = w.client("s").persistent(2).connect().await?;
        granted(&s, 2)?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        s.disconnect().await;
        // A broker that keeps no session at all shows nothing about the end of one.
        w.client("s").resumed(2).await?.disconnect().await;
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"too late").qos1().acknowledged().await?;
        w.let_pass(Duration::from_secs(4), "Session Expiry Interval of 2 s").await;

        let mut s = comes_back(w, false).await?;
        p.publish(&topic, b"to nobody").qos1().acknowledged().await?;
        s.settle(&mut p, Qos::AtLeastOnce).await?;
        s.expect_no_publish(&topic).await
    }
}

check! {
    /// A Session Expiry Interval of 0xFFFFFFFF keeps the session.
    ///
    /// Sends     S subscribes with Session Expiry Interval 0xFFFFFFFF, loses its connection, and comes back 2 s
    ///           later with Clean Start 0; P publishes.
    /// Demands   Session Present 1; the message.
    /// Leaves    the broker may set another interval in CONNACK.
    LARGEST_NEVER_EXPIRES "session_expiry/largest_never_expires",
    covers: [V5 / "MQTT-3.1.2-5", V5 / "MQTT-3.1.2-23", V5 / "U5-CON-3"],
    needs: [Qos1],
    proved: ["session_expires_at_once", "subscriptions_lost_on_resume"],
    waits: 2.0,
    run: async |w| {
        let topic = w.topic("news");
        let mut s = w.client("s").persistent(u32::MAX).connect().await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        s.cut();
        w.let_pass(Duration::from_secs(2), "Session Expiry Interval without end").await;

        let mut s = comes_back(w, true).await?;
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"still here").qos1().acknowledged().await?;
        s.expect(publish(&topic).payload(b"still here")).await?;
        Ok(())
    }
}

check! {
    /// The Session Expiry Interval of the last connection counts, not that of an earlier one.
    ///
    /// Sends     S connects with Session Expiry Interval 60 and leaves; it resumes without one, so with 0, and
    ///           leaves; it comes back with Clean Start 0.
    /// Demands   Session Present 1, then 0.
    /// Leaves    nothing.
    EXPIRY_OF_THIS_CONNECTION_COUNTS "session_expiry/of_the_last_connection_counts",
    covers: [V5 / "MQTT-4.1.0-2", V5 / "U5-CON-3", V5 / "MQTT-3.2.2-3"],
    needs: [],
    proved: ["session_expiry_of_first_connection_kept", "clean_session_kept"],
    run: async |w| {
        w.client("s").persistent(60).connect().await?.disconnect().await;
        let mut s = w.client("s").clean_start(false).connect().await?;
        if !s.session_present() {
            return Err(Stop::inconclusive("the session was not resumed: another check answers for that"));
        }
        granted(&s, 0)?;
        s.disconnect().await;
        comes_back(w, false).await?;
        Ok(())
    }
}

check! {
    /// A Session Expiry Interval of 0 in DISCONNECT ends the session with the connection.
    ///
    /// Sends     S connects with Session Expiry Interval 60, leaves, comes back to its session, says DISCONNECT with
    ///           0, and comes back with Clean Start 0.
    /// Demands   Session Present 0.
    /// Leaves    nothing.
    DISCONNECT_ENDS_SESSION_AT_ONCE "session_expiry/disconnect_ends_session_at_once",
    covers: [V5 / "U5-DIS-2", V5 / "U5-CON-3", V5 / "MQTT-4.1.0-2", V5 / "MQTT-3.2.2-3"],
    needs: [],
    proved: ["session_expiry_in_disconnect_ignored"],
    run: async |w| {
        w.client("s").persistent(60).connect().await?.disconnect().await;
        let mut s = w.client("s").resumed(60).await?;
        leave_with_expiry(&mut s, 0).await?;
        comes_back(w, false).await?;
        Ok(())
    }
}

check! {
    /// A longer Session Expiry Interval in DISCONNECT keeps the session longer.
    ///
    /// Sends     S connects with Session Expiry Interval 1, says DISCONNECT with 60, and comes back 3 s later with
    ///           Clean Start 0.
    /// Demands   Session Present 1.
    /// Leaves    a broker that sets another interval in CONNACK is not judged.
    DISCONNECT_LENGTHENS_SESSION "session_expiry/disconnect_lengthens_session",
    covers: [V5 / "U5-DIS-2", V5 / "MQTT-3.1.2-23", V5 / "MQTT-3.2.2-3"],
    needs: [],
    proved: ["session_expiry_in_disconnect_ignored"],
    waits: 3.0,
    run: async |w| {
        let mut s = w.client("s").persistent(1).connect().await?;
        granted(&s, 1)?;
        leave_with_expiry(&mut s, 60).await?;
        w.let_pass(Duration::from_secs(3), "the Session Expiry Interval of CONNECT").await;
        comes_back(w, true).await?;
        Ok(())
    }
}

check! {
    /// A DISCONNECT may not raise the Session Expiry Interval from 0: it does not count as a DISCONNECT.
    ///
    /// Sends     S connects with Session Expiry Interval 0 and a Will, and says DISCONNECT with 60; it comes back
    ///           with Clean Start 0.
    /// Demands   the end of the connection; the Will; Session Present 0.
    /// Leaves    DISCONNECT 0x82 before the end is a recommendation.
    DISCONNECT_MAY_NOT_RAISE_FROM_0 "session_expiry/disconnect_may_not_raise_from_0",
    covers: [V5 / "U5-WILL-10", V5 / "MQTT-3.1.2-8", V5 / "MQTT-4.13.1-1"],
    needs: [Qos1],
    proved: ["session_expiry_raised_from_zero"],
    run: async |w| {
        let topic = w.topic("will");
        let mut t = w.connect("t").await?;
        t.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut s = w.client("s").will(WillMessage::new(&topic, b"not a goodbye")).connect().await?;
        w.leave_session(s.id());
        let properties = PropertyList::new().with(Property::SessionExpiryInterval(60));
        let goodbye = Disconnect { reason: ReasonCode::SUCCESS, properties: properties.view() };
        s.send(&Packet::Disconnect(goodbye)).await?;
        s.refuses(ReasonCode::PROTOCOL_ERROR, Severity::MayOverlook).await?;
        comes_back(w, false).await.map_err(|stop| stop.or_citing(w.cite("U5-WILL-10")))?;
        will_comes(w, &mut t, publish(&topic)).await.map_err(|stop| stop.citing(w.cite("U5-WILL-10")))?;
        Ok(())
    }
}
