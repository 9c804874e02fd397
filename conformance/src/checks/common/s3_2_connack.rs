//! CONNACK. [3.1.1 §3.2] [5.0 §3.2]

use crate::check;
use crate::check::Check;
use crate::story::{Attempt, Client, Stop, Story, WillMessage, World, connack, publish};
use mqtt_assay_codec::raw::Builder;
use mqtt_assay_codec::{Property, Qos, ReasonCode};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    VALID_CONNECT_IS_ACCEPTED,
    COMES_BEFORE_QUEUED_MESSAGES,
    SESSION_PRESENT_0_FOR_CLEAN_START,
    SESSION_PRESENT_1_FOR_STORED_SESSION,
    SESSION_PRESENT_0_WITHOUT_SESSION,
    REFUSAL_HAS_SESSION_PRESENT_0,
    REFUSAL_ENDS_CONNECTION,
];

check! {
    /// A CONNECT that is right is answered with a CONNACK that accepts, well-formed.
    ///
    /// Sends     CONNECT with nothing optional, then one with a Keep Alive of 0, then one with an empty Will.
    /// Demands   CONNACK with code 0x00, reserved flags of 0 and the properties of its table; no packet that is a
    ///           Client's.
    /// Leaves    nothing.
    VALID_CONNECT_IS_ACCEPTED "connack/valid_connect_is_accepted",
    covers: [
        V3_1_1 / "MQTT-3.1.4-4", V3_1_1 / "U3-CON-4", V3_1_1 / "MQTT-7.1.1-1",
        V5 / "MQTT-3.1.4-5", V5 / "MQTT-3.2.2-1", V5 / "MQTT-4.2.0-1", V5 / "U5-PROP-7", V5 / "U5-TYPE-3",
    ],
    needs: [],
    proved: ["connack_flags_set", "keep_alive_zero_refused", "connack_property_repeated", "pingreq_sent"],
    run: async |w| {
        let empty = WillMessage::new(&w.topic("will"), b"").qos(Qos::AtMostOnce);
        for (client, with) in [
            (w.client("a"), "a CONNECT with nothing optional"),
            (w.client("b").keep_alive(0), "a CONNECT with a Keep Alive of 0"),
            (w.client("c").will(empty), "a CONNECT with an empty Will"),
        ] {
            let mut client = client.hello(&[]).await?;
            let accepts = connack().reason(&[ReasonCode::SUCCESS]);
            client.expect(accepts).await.map_err(|stop| stop.answering(with))?;
            client.ping().await?;
            client.disconnect().await;
        }
        Ok(())
    }
}

check! {
    /// CONNACK comes before the messages that wait in a session.
    ///
    /// Sends     S subscribes in a session that lasts, and leaves; P publishes at QoS 1; S comes back.
    /// Demands   CONNACK before the message.
    /// Leaves    nothing.
    COMES_BEFORE_QUEUED_MESSAGES "connack/comes_before_queued_messages",
    covers: [V3_1_1 / "MQTT-3.2.0-1", V5 / "MQTT-3.2.0-1"],
    needs: [Qos1],
    proved: ["connack_after_queued_messages"],
    run: async |w| {
        let topic = w.topic("waiting");
        let mut s = w.client("s").persistent(60).connect().await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        s.disconnect().await;
        let mut p = w.connect("p").await?;
        p.publish(&topic, b"waited").qos1().acknowledged().await?;

        // A packet before CONNACK is accused wherever it is seen.
        let mut s = w.client("s").resume(60).connect().await?;
        s.await_message(publish(&topic)).await?;
        Ok(())
    }
}

check! {
    /// Session Present is 0 for a Client that starts afresh, whatever session it had.
    ///
    /// Sends     Clean Start 1 (3.1.1: Clean Session 1) with an identifier never used, and with one whose session
    ///           is stored.
    /// Demands   Session Present 0 both times.
    /// Leaves    nothing.
    SESSION_PRESENT_0_FOR_CLEAN_START "connack/session_present_0_for_clean_start",
    covers: [V3_1_1 / "MQTT-3.2.2-1", V5 / "MQTT-3.2.2-2"],
    needs: [],
    proved: ["session_present_always", "session_not_discarded_on_clean_start"],
    run: async |w| {
        let fresh = w.connect("a").await?;
        session_present(&fresh, false)?;

        w.client("b").persistent(60).connect().await?.disconnect().await;
        let again = w.client("b").clean_start(true).connect().await?;
        session_present(&again, false)
    }
}

check! {
    /// Session Present is 1 if the broker has the session that the Client asks for.
    ///
    /// Sends     A connects in a session that lasts and leaves with DISCONNECT; it comes back, loses its
    ///           connection, and comes back again. It has no subscriptions: the session itself is state.
    /// Demands   Session Present 1 both times.
    /// Leaves    nothing.
    SESSION_PRESENT_1_FOR_STORED_SESSION "connack/session_present_1_for_stored_session",
    covers: [V3_1_1 / "MQTT-3.2.2-2", V3_1_1 / "MQTT-3.1.2-4", V5 / "MQTT-3.2.2-3", V5 / "MQTT-3.1.2-5"],
    needs: [],
    proved: ["session_present_never", "session_not_resumed", "session_expires_at_once"],
    run: async |w| {
        w.client("a").persistent(60).connect().await?.disconnect().await;
        let mut a = w.client("a").resume(60).connect().await?;
        session_present(&a, true)?;
        a.cut();
        let a = w.client("a").resume(60).connect().await?;
        session_present(&a, true)
    }
}

check! {
    /// Session Present is 0 if there is no session to resume.
    ///
    /// Sends     Clean Start 0 (3.1.1: Clean Session 0) with an identifier never used, and with one whose session
    ///           a clean start has ended.
    /// Demands   Session Present 0 both times.
    /// Leaves    nothing.
    SESSION_PRESENT_0_WITHOUT_SESSION "connack/session_present_0_without_session",
    covers: [V3_1_1 / "MQTT-3.2.2-3", V3_1_1 / "MQTT-3.1.2-4", V5 / "MQTT-3.2.2-3", V5 / "MQTT-3.1.2-6"],
    needs: [],
    proved: ["session_present_always"],
    run: async |w| {
        let mut a = w.client("a").resume(60).connect().await?;
        session_present(&a, false)?;
        a.disconnect().await;
        w.client("a").clean_start(true).connect().await?.disconnect().await;
        let a = w.client("a").resume(60).connect().await?;
        session_present(&a, false)
    }
}

fn session_present(client: &Client<'_>, expected: bool) -> Story {
    if client.session_present() == expected {
        return Ok(());
    }
    let word = |present: bool| format!("CONNACK with Session Present {}", u8::from(present));
    Err(Stop::violates(word(expected), word(!expected)))
}

check! {
    /// A CONNACK that refuses has Session Present 0.
    ///
    /// Sends     A leaves a session, and connects again with a CONNECT that is refused: of level 127 in 3.1.1, with
    ///           an Authentication Method that does not exist in 5.0.
    /// Demands   Session Present 0 in the CONNACK, if there is one.
    /// Leaves    in 5.0, and in 3.1.1 for a broker that serves 5.0 too, no CONNACK is due.
    REFUSAL_HAS_SESSION_PRESENT_0 "connack/refusal_has_session_present_0",
    covers: [V3_1_1 / "MQTT-3.2.2-4", V5 / "MQTT-3.2.2-6"],
    needs: [],
    proved: ["connack_refusal_with_session_present"],
    run: async |w| {
        w.client("a").persistent(60).connect().await?.disconnect().await;
        if w.is_v5() {
            // The decoder knows the rule: a CONNACK that breaks it ends the story.
            return match refused_for_its_method(w).await? {
                Attempt::Refused(..) => Ok(()),
                _ => Err(Stop::not_tested("a CONNACK that refuses: the broker sent none")),
            };
        }
        let bytes = Builder::new(0x10)
            .string(b"MQTT")
            .bytes(&[127, 0, 0, 60])
            .string(w.client_id("a").as_bytes())
            .finish();
        let mut a = w.open("a").await?;
        a.send_bytes(&bytes).await?;
        match a.read_raw(Instant::now() + w.patience()).await?.0.as_slice() {
            [0x20, _, flags, code, ..] if *code != 0 && *flags != 0 => {
                let observed = format!("CONNACK {code:#04x} with the flags {flags:#04x}");
                Err(Stop::violates("Session Present 0 beside a code that refuses", observed))
            }
            [0x20, _, 0, code, ..] if *code != 0 => Ok(()),
            _ => Err(Stop::not_tested("a CONNACK that refuses: the broker sent none")),
        }
    }
}

check! {
    /// After a CONNACK that refuses the broker closes the connection, and its code is a listed one.
    ///
    /// Sends     a CONNECT that is refused: with an empty Client Identifier and Clean Session 0 in 3.1.1, with
    ///           an Authentication Method that does not exist in 5.0.
    /// Demands   a code of the specification's table; the end of the connection.
    /// Leaves    in 5.0 the CONNACK may be left out.
    REFUSAL_ENDS_CONNECTION "connack/refusal_ends_connection",
    covers: [
        V3_1_1 / "MQTT-3.2.2-5", V3_1_1 / "MQTT-3.2.2-6", V3_1_1 / "U3-CON-5",
        V5 / "MQTT-3.2.2-7", V5 / "MQTT-3.2.2-8", V5 / "MQTT-4.13.2-1",
    ],
    needs: [],
    proved: ["refused_connect_kept_open", "connack_code_unlisted"],
    run: async |w| {
        let attempt = if w.is_v5() {
            refused_for_its_method(w).await?
        } else {
            w.client("a").client_id("").clean_start(false).attempt().await?
        };
        match attempt {
            // A code that is not listed does not decode, and is accused there.
            Attempt::Refused(mut a, _) => a.expect_end().await.map_err(|stop| {
                stop.citing(w.cite(if w.is_v5() { "MQTT-3.2.2-7" } else { "MQTT-3.2.2-5" }))
            }),
            Attempt::Ended(..) => {
                w.note("closes without CONNACK");
                Ok(())
            }
            Attempt::Accepted(_) => Err(Stop::inconclusive(
                "the broker accepts the CONNECT that it was to refuse: another check answers for that",
            )),
        }
    }
}

/// A CONNECT with an Authentication Method that no broker has.
async fn refused_for_its_method(w: &World) -> Result<Attempt<'_>, Stop> {
    let method = Property::AuthenticationMethod("mqtt-assay-none-such");
    w.client("a").resume(60).property(method).attempt().await
}
