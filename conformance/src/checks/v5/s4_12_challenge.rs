//! Enhanced authentication by a method that the broker knows. [5.0 §3.15, §4.12]
//!
//! Methods are a matter between Client and Server. These checks speak one that is simple enough for every broker to
//! offer for its tests: see [`mqtt_assay_broker_model::auth`]. Of a broker without it they show nothing.

use crate::check;
use crate::check::Check;
use crate::story::{
    Attempt, Client, ConnectBuilder, Next, Received, Refusal, Severity, Stop, Story, World, auth, puback,
};
use mqtt_assay_broker_model::auth::{METHOD, answer};
use mqtt_assay_codec::{Auth, Packet, PacketType, Property, PropertyList, ReasonCode};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    CHALLENGE_SAYS_CONTINUE,
    WRONG_ANSWER_IS_REFUSED,
    METHOD_IS_REPEATED,
    REAUTHENTICATION_GOES_BESIDE_TRAFFIC,
    FAILED_REAUTHENTICATION_ENDS_CONNECTION,
];

/// The secret that the method is tried with.
pub(super) const SECRET: &[u8] = b"assay";

/// A client that has named the method, and the AUTH that came for it.
pub(super) async fn challenged<'w>(
    w: &World,
    client: ConnectBuilder<'w>,
) -> Result<(Client<'w>, Received), Stop> {
    let mut client = client.property(Property::AuthenticationMethod(METHOD)).hello(&[]).await?;
    match client.next(Instant::now() + w.patience()).await? {
        Next::Packet(received) if received.packet_type() == PacketType::Auth => Ok((client, received)),
        Next::Packet(_) | Next::End(_) => {
            Err(Stop::not_tested(format!("the Authentication Method {METHOD}")))
        }
        Next::Silence => Err(Stop::inconclusive(format!(
            "nothing comes for a CONNECT with the Authentication Method {METHOD} within {:.0} s",
            w.patience().as_secs_f64()
        ))),
    }
}

fn method(received: &Received) -> Option<String> {
    let packet = received.packet();
    packet.properties().and_then(|list| list.authentication_method()).map(str::to_owned)
}

fn code(received: &Received) -> Option<ReasonCode> {
    match received.packet() {
        Packet::Auth(auth) => Some(auth.reason),
        _ => None,
    }
}

/// Sends AUTH with this code; `secret` answers the challenge that came.
pub(super) async fn say(
    client: &mut Client<'_>,
    reason: ReasonCode,
    challenge: Option<(&Received, &[u8])>,
) -> Result<(), Stop> {
    let mut list = PropertyList::new().with(Property::AuthenticationMethod(METHOD));
    if let Some((challenge, secret)) = challenge {
        let packet = challenge.packet();
        let nonce = packet.properties().and_then(|list| list.authentication_data());
        let Some(nonce) = nonce else {
            return Err(Stop::inconclusive(format!(
                "a challenge without Authentication Data: {}",
                challenge.line()
            )));
        };
        list.push(Property::AuthenticationData(&answer(nonce, secret)));
    }
    client.send(&Packet::Auth(Auth { reason, properties: list.view() })).await
}

/// The client has answered in a way that must not be accepted.
pub(super) async fn not_accepted(client: Client<'_>) -> Story {
    match client.answer_to_connect().await? {
        Attempt::Ended(..) => Ok(()),
        Attempt::Refused(mut client, _) => client.expect_end().await,
        Attempt::Accepted(client) => {
            let connack = client.connack_received();
            let observed = connack.map_or_else(|| "CONNACK".to_owned(), Received::line);
            let expected = "the end of the connection, perhaps after a CONNACK of 0x80 or above";
            Err(Stop::violates(expected, observed).at(connack.and_then(|c| c.index)))
        }
    }
}

/// A client that has answered rightly and was accepted; whoever is not has nothing to go on with.
pub(super) async fn authenticated<'w>(
    w: &World,
    client: ConnectBuilder<'w>,
) -> Result<(Client<'w>, Received), Stop> {
    let (mut client, challenge) = challenged(w, client).await?;
    say(&mut client, ReasonCode::CONTINUE_AUTHENTICATION, Some((&challenge, SECRET))).await?;
    match client.answer_to_connect().await? {
        Attempt::Accepted(client) => Ok((client, challenge)),
        other => Err(Stop::not_tested(format!("a right answer to its challenge: {}", other.line()))),
    }
}

check! {
    /// A broker that needs more of the Client says so with AUTH 0x18.
    ///
    /// Sends     CONNECT with an Authentication Method that the broker knows.
    /// Demands   AUTH with Reason Code 0x18.
    /// Leaves    nothing.
    CHALLENGE_SAYS_CONTINUE "auth/challenge_says_continue",
    covers: [V5 / "MQTT-3.15.2-1", V5 / "MQTT-4.12.0-2"],
    needs: [],
    proved: ["auth_continue_with_wrong_code", "auth_code_unlisted"],
    run: async |w| {
        let (_client, challenge) = challenged(w, w.client("a")).await?;
        match code(&challenge) {
            Some(ReasonCode::CONTINUE_AUTHENTICATION) => Ok(()),
            _ => Err(Stop::violates("AUTH with Reason Code 0x18", challenge.line()).at(challenge.index)),
        }
    }
}

check! {
    /// A Client that answers wrongly is not served.
    ///
    /// Sends     a wrong answer to the broker's challenge; then the right one, on another connection.
    /// Demands   the end of the first connection, perhaps after a CONNACK of 0x80 or above.
    /// Leaves    whether a CONNACK comes, and with which of these codes.
    WRONG_ANSWER_IS_REFUSED "auth/wrong_answer_is_refused",
    covers: [V5 / "MQTT-4.12.0-4"],
    needs: [],
    proved: ["auth_wrong_answer_accepted"],
    run: async |w| {
        let (mut client, challenge) = challenged(w, w.client("a")).await?;
        say(&mut client, ReasonCode::CONTINUE_AUTHENTICATION, Some((&challenge, b"wrong"))).await?;
        not_accepted(client).await?;
        authenticated(w, w.client("b")).await?;
        Ok(())
    }
}

check! {
    /// Every AUTH and the CONNACK of success name the Authentication Method of the CONNECT.
    ///
    /// Sends     CONNECT with an Authentication Method that the broker knows, and the right answer; then a
    ///           re-authentication.
    /// Demands   the same method in each AUTH, and in CONNACK.
    /// Leaves    nothing.
    METHOD_IS_REPEATED "auth/method_is_repeated",
    covers: [V5 / "MQTT-4.12.0-5"],
    needs: [],
    proved: ["authentication_method_missing"],
    run: async |w| {
        let (mut client, challenge) = authenticated(w, w.client("a")).await?;
        let mut answers = vec![challenge];
        answers.extend(client.connack_received().cloned());
        say(&mut client, ReasonCode::RE_AUTHENTICATE, None).await?;
        let challenge = client.await_message(auth()).await?;
        say(&mut client, ReasonCode::CONTINUE_AUTHENTICATION, Some((&challenge, SECRET))).await?;
        answers.extend([challenge, client.await_message(auth()).await?]);
        match answers.iter().find(|answer| method(answer).as_deref() != Some(METHOD)) {
            Some(answer) => {
                let expected = format!("Authentication Method {METHOD}");
                Err(Stop::violates(expected, answer.line()).at(answer.index))
            }
            None => Ok(()),
        }
    }
}

check! {
    /// A connected Client may authenticate again while other packets go on.
    ///
    /// Sends     AUTH 0x19, then between the challenge and its answer a PUBLISH at QoS 1.
    /// Demands   AUTH 0x18, PUBACK, AUTH 0x00.
    /// Leaves    nothing.
    REAUTHENTICATION_GOES_BESIDE_TRAFFIC "auth/reauthentication_goes_beside_traffic",
    covers: [V5 / "U5-AUTH-4", V5 / "MQTT-4.12.0-2"],
    needs: [Qos1],
    proved: ["auth_continue_with_wrong_code"],
    run: async |w| {
        // Not the first challenge, but this one is looked at.
        let (mut client, _) = authenticated(w, w.client("a")).await?;
        say(&mut client, ReasonCode::RE_AUTHENTICATE, None).await?;
        let challenge = client.expect(auth()).await?;
        if code(&challenge) != Some(ReasonCode::CONTINUE_AUTHENTICATION) {
            return Err(Stop::violates("AUTH with Reason Code 0x18", challenge.line()).at(challenge.index));
        }
        if let Some(id) = client.publish(&w.topic("beside"), b"x").qos1().send().await? {
            client.expect(puback(id)).await?;
        }
        say(&mut client, ReasonCode::CONTINUE_AUTHENTICATION, Some((&challenge, SECRET))).await?;
        let done = client.expect(auth()).await?;
        match code(&done) {
            Some(ReasonCode::SUCCESS) => client.ping().await,
            _ => Err(Stop::violates("AUTH with Reason Code 0x00", done.line()).at(done.index)),
        }
    }
}

check! {
    /// A re-authentication that fails ends the connection.
    ///
    /// Sends     AUTH 0x19, and a wrong answer to the challenge.
    /// Demands   the end of the connection.
    /// Leaves    the DISCONNECT before it, which should come and say why.
    FAILED_REAUTHENTICATION_ENDS_CONNECTION "auth/failed_reauthentication_ends_connection",
    covers: [V5 / "MQTT-4.12.1-2"],
    needs: [],
    proved: ["reauthentication_failure_kept_open"],
    run: async |w| {
        let (mut client, _) = authenticated(w, w.client("a")).await?;
        say(&mut client, ReasonCode::RE_AUTHENTICATE, None).await?;
        let challenge = client.await_message(auth()).await?;
        say(&mut client, ReasonCode::CONTINUE_AUTHENTICATION, Some((&challenge, b"wrong"))).await?;
        let reaction = client.reaction().await?;
        if let Refusal::Ended(_, None) = reaction {
            w.deviates(None, "a DISCONNECT that says why", "the connection ended without one");
            return Ok(());
        }
        client.judge_refusal(reaction, ReasonCode::NOT_AUTHORIZED, Severity::MustDetect)
    }
}
