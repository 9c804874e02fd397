//! What a Client may not do within an authentication. [5.0 §3.15, §4.12]

use super::s4_12_challenge::{SECRET, authenticated, challenged, not_accepted, say};
use crate::check;
use crate::check::Check;
use crate::story::{Client, Next, Severity, Stop, Story, auth};
use mqtt_assay_codec::{Packet, PacketType, ReasonCode, raw};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] =
    &[NOTHING_ELSE_BEFORE_CONNACK, ONLY_CONTINUE_ANSWERS_A_CHALLENGE, REAUTHENTICATION_KEEPS_THE_METHOD];

/// AUTH 0x19 by this method, with these flags.
pub(super) fn reauthentication(flags: u8, method: &str) -> Vec<u8> {
    let method = raw::property(0x15, &raw::string(method.as_bytes()));
    raw::Builder::new(0xF0 | flags).u8(0x19).properties(&[&method]).finish()
}

/// Nothing may be granted for the error, whether the broker checks for it or not.
pub(super) async fn refused(client: &mut Client<'_>, code: ReasonCode, severity: Severity) -> Story {
    let reaction = client.reaction().await?;
    if let Some(answer) = client.inbox().find(|received| received.packet_type() == PacketType::Auth) {
        return Err(Stop::violates("no AUTH in answer", answer.line()).at(answer.index));
    }
    client.judge_refusal(reaction, code, severity)
}

check! {
    /// Until its CONNACK a Client that authenticates itself sends nothing but AUTH, and gets no other answer.
    ///
    /// Sends     PINGREQ in place of the answer to the challenge.
    /// Demands   no PINGRESP; the end of the connection, perhaps after a CONNACK of 0x80 or above.
    /// Leaves    how strictly to check is left to the broker: silence is a deviation.
    NOTHING_ELSE_BEFORE_CONNACK "auth/nothing_else_before_connack",
    covers: [V5 / "MQTT-3.1.2-30", V5 / "MQTT-3.2.0-1", V5 / "MQTT-4.12.0-3"],
    needs: [],
    proved: ["packet_during_authentication_served"],
    run: async |w| {
        let (mut client, _) = challenged(w, w.client("a")).await?;
        client.send(&Packet::Pingreq).await?;
        let expected = "the end of the connection, perhaps after a CONNACK of 0x80 or above";
        match client.next(Instant::now() + w.patience()).await? {
            Next::End(_) => Ok(()),
            Next::Packet(received) => match received.packet() {
                Packet::Connack(connack) if connack.code.0 >= 0x80 => client.expect_end().await,
                _ => Err(Stop::violates(expected, received.line()).at(received.index)),
            },
            Next::Silence => {
                w.deviates(None, expected, "the error goes unnoticed: nothing comes");
                Ok(())
            }
        }
    }
}

check! {
    /// A challenge is answered with AUTH 0x18, and with no other.
    ///
    /// Sends     the right answer to the broker's challenge, in an AUTH 0x19; then in an AUTH 0x18, on another connection.
    /// Demands   the first Client is not accepted: its connection ends, perhaps after a CONNACK of 0x80 or above.
    /// Leaves    which of these codes comes, if any.
    ONLY_CONTINUE_ANSWERS_A_CHALLENGE "auth/only_continue_answers_a_challenge",
    covers: [V5 / "MQTT-4.12.0-3", V5 / "MQTT-4.12.0-4"],
    needs: [],
    proved: ["auth_wrong_reason_accepted"],
    run: async |w| {
        let (mut client, challenge) = challenged(w, w.client("a")).await?;
        say(&mut client, ReasonCode::RE_AUTHENTICATE, Some((&challenge, SECRET))).await?;
        not_accepted(client).await?;
        authenticated(w, w.client("b")).await?;
        Ok(())
    }
}

check! {
    /// A re-authentication is made by the method of the CONNECT.
    ///
    /// Sends     AUTH 0x19 with another Authentication Method; then, on another connection, with the right one.
    /// Demands   no AUTH in answer to the first, and the end of its connection.
    /// Leaves    how strictly to check is left to the broker: a connection left open is a deviation.
    REAUTHENTICATION_KEEPS_THE_METHOD "auth/reauthentication_keeps_the_method",
    covers: [V5 / "MQTT-4.12.0-5", V5 / "MQTT-4.12.1-1"],
    needs: [],
    proved: ["reauthentication_method_changed"],
    run: async |w| {
        let (mut client, _) = authenticated(w, w.client("a")).await?;
        client.send_bytes(&reauthentication(0, "x-another-method")).await?;
        refused(&mut client, ReasonCode::PROTOCOL_ERROR, Severity::MayOverlook).await?;
        let (mut client, _) = authenticated(w, w.client("b")).await?;
        say(&mut client, ReasonCode::RE_AUTHENTICATE, None).await?;
        client.await_message(auth()).await?;
        Ok(())
    }
}
