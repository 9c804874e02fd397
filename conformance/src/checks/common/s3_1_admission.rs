//! Who is served: passwords, and Clients that never say CONNECT. [3.1.1 §3.1.4] [5.0 §3.1.4]

use crate::check;
use crate::check::Check;
use crate::story::{Attempt, Next, Received, Stop, World};
use mqtt_assay_codec::reason::return_code;
use mqtt_assay_codec::{Packet, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[WRONG_PASSWORD_IS_REFUSED, SILENT_CLIENT_IS_DISCONNECTED];

/// How much later than announced a connection may be closed: load, and the way there.
const SLACK: Duration = Duration::from_secs(1);

/// Clients with users and passwords that nobody is to be let in by: an unknown user, the run's user with a wrong password,
/// and the pair that the profile calls wrong.
pub(crate) fn wrong_credentials(w: &World) -> impl Iterator<Item = (&'static str, String, String)> {
    let users = [Some(w.client_id("nobody")), w.credentials.user_name.clone()];
    let invented = users.map(|user| Some((user?, "not this one".to_owned())));
    let told = w.abilities().profile.wrong_credentials.clone();
    let pairs = ["a", "b", "d"].into_iter().zip(invented.into_iter().chain([told]));
    pairs.filter_map(|(name, pair)| pair.map(|(user, password)| (name, user, password)))
}

check! {
    /// A Client that the broker does not let in is disconnected.
    ///
    /// Sends     CONNECT with an unknown user, with the run's user and a wrong password, and with the pair that the
    ///           profile calls wrong; then the run's own.
    /// Demands   the end of the connection, perhaps after a CONNACK that refuses; the last is accepted.
    /// Leaves    the CONNACK: 3.1.1 recommends 0x04 or 0x05; 5.0 allows a code of 0x80 or above, or none.
    WRONG_PASSWORD_IS_REFUSED "connect/wrong_password_is_refused",
    covers: [V3_1_1 / "U3-CON-1", V3_1_1 / "U3-CON-6", V5 / "MQTT-3.1.4-2", V5 / "U5-CON-14"],
    needs: [Passwords],
    setup: Guarded,
    proved: ["credentials_ignored", "bad_credentials_refused_silently"],
    run: async |w| {
        let fitting = if w.is_v5() {
            [ReasonCode::BAD_USER_NAME_OR_PASSWORD, ReasonCode::NOT_AUTHORIZED]
        } else {
            [return_code::BAD_USER_NAME_OR_PASSWORD, return_code::NOT_AUTHORIZED]
        };
        let codes = format!("CONNACK {} or {}", fitting[0], fitting[1]);
        for (name, user, password) in wrong_credentials(w) {
            match w.client(name).credentials(Some(&user), Some(password.as_bytes())).attempt().await? {
                Attempt::Ended(..) if w.is_v5() => {}
                Attempt::Ended(..) => {
                    w.deviates(Some(w.cite("U3-CON-6")), &codes, "the connection ended without CONNACK");
                }
                Attempt::Refused(mut client, connack) => {
                    if !matches!(connack.packet(), Packet::Connack(c) if fitting.contains(&c.code)) {
                        w.deviates(None, &codes, connack.line());
                    }
                    client.expect_end().await?;
                }
                Attempt::Accepted(client) => {
                    let connack = client.connack_received();
                    let observed = connack.map_or_else(String::new, Received::line);
                    let at = connack.and_then(|connack| connack.index);
                    return Err(Stop::violates("the end of the connection", observed).at(at));
                }
            }
        }
        // A broker that lets nobody in has not looked at the password.
        w.connect_alive("c").await?;
        Ok(())
    }
}

check! {
    /// A connection on which no CONNECT comes is closed in reasonable time.
    ///
    /// Sends     nothing on one connection, the beginning of a CONNECT on another.
    /// Demands   the end of both within the time that the user has told, and a second.
    /// Leaves    what time is reasonable: the specification recommends one, and names none.
    SILENT_CLIENT_IS_DISCONNECTED "connect/silent_client_is_disconnected",
    covers: [V3_1_1 / "U3-CON-2", V5 / "U5-CON-1"],
    needs: [ConnectTimeout],
    setup: Guarded,
    proved: ["connect_timeout_ignored"],
    run: async |w| {
        let limit = w.abilities().profile.connect_timeout.unwrap_or_default() + SLACK;
        let silent = w.open("silent").await?;
        let mut half = w.open("half").await?;
        let connect = w.client("half").to_bytes();
        half.send_bytes(&connect[..connect.len() / 2]).await?;
        let deadline = Instant::now() + limit;
        for mut client in [silent, half] {
            match client.next(deadline).await? {
                Next::End(_) => {}
                Next::Silence => w.deviates(
                    None,
                    format!("the end of the connection within {:.1} s", limit.as_secs_f64()),
                    format!("the connection of {} is still open", client.name()),
                ),
                Next::Packet(received) => {
                    let expected = "the end of the connection, and nothing before it";
                    return Err(Stop::violates(expected, received.line()).at(received.index));
                }
            }
        }
        Ok(())
    }
}
