//! Keep Alive. [3.1.1 §3.1.2.10] [5.0 §3.1.2.10, §3.2.2.3.14]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Next, Stop, Story, World};
use mqtt_assay_codec::{Packet, Qos, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] =
    &[SILENT_CLIENT_IS_DISCONNECTED, SERVER_PACKETS_DO_NOT_COUNT, HALF_A_PACKET_DOES_NOT_COUNT, PACKETS_COUNT];

/// The specification's limit is 1.5 times the Keep Alive; it names no tolerance. Ours, for clocks of whole seconds
/// and busy machines.
const SLACK: Duration = Duration::from_secs(1);

/// The Keep Alive of these stories, in seconds.
const KEEP_ALIVE: u16 = 2;

/// A client with a short Keep Alive, and the moment by which its silence must have ended the connection.
async fn short_lived<'w>(w: &'w World, name: &str) -> Result<(Client<'w>, Instant), Stop> {
    let client = w.client(name).keep_alive(KEEP_ALIVE).connect().await?;
    let keep_alive = client.connack().properties.server_keep_alive().unwrap_or(KEEP_ALIVE);
    if keep_alive == 0 || keep_alive > KEEP_ALIVE {
        return Err(Stop::unsupported(format!("the broker imposes a Keep Alive of {keep_alive} s")));
    }
    let limit = Duration::from_millis(1500 * u64::from(keep_alive)) + SLACK;
    Ok((client, Instant::now() + limit))
}

/// The connection must end by then.
async fn ends_by(client: &mut Client<'_>, deadline: Instant) -> Result<Option<ReasonCode>, Stop> {
    let mut farewell = None;
    loop {
        match client.next(deadline).await? {
            Next::End(_) => return Ok(farewell),
            Next::Packet(r) => {
                if let Packet::Disconnect(d) = r.packet() {
                    farewell = Some(d.reason);
                }
            }
            Next::Silence => {
                let expected = format!(
                    "the end of the connection within 1.5 times the Keep Alive of {KEEP_ALIVE} s (and {} s of \
                     tolerance)",
                    SLACK.as_secs()
                );
                return Err(Stop::violates(expected, "the connection is still open"));
            }
        }
    }
}

check! {
    /// A Client that is silent for 1.5 times its Keep Alive is disconnected.
    ///
    /// Sends     CONNECT with a Keep Alive of 2 s, then nothing.
    /// Demands   the end of the connection within 3 s and one second of tolerance.
    /// Leaves    an earlier end; in 5.0 a DISCONNECT with another code than 0x8D is a deviation.
    SILENT_CLIENT_IS_DISCONNECTED "keep_alive/silent_client_is_disconnected",
    covers: [V3_1_1 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-22", V5 / "MQTT-3.2.2-22", V5 / "U5-DIS-4"],
    needs: [],
    proved: ["keep_alive_ignored", "keep_alive_tripled"],
    waits: 4,
    run: async |w| {
        let (mut a, deadline) = short_lived(w, "a").await?;
        let farewell = ends_by(&mut a, deadline).await?;
        if let Some(reason) = farewell.filter(|&reason| reason != ReasonCode::KEEP_ALIVE_TIMEOUT) {
            w.deviates(None, "DISCONNECT 0x8D", format!("DISCONNECT {reason}"));
        }
        Ok(())
    }
}

check! {
    /// What the broker sends does not restart the Keep Alive: the Client's silence counts.
    ///
    /// Sends     S subscribes at QoS 0 with a Keep Alive of 2 s and falls silent; P publishes to it twice a second.
    /// Demands   the end of S's connection within 3 s and one second of tolerance.
    /// Leaves    an earlier end.
    SERVER_PACKETS_DO_NOT_COUNT "keep_alive/server_packets_do_not_count",
    covers: [V3_1_1 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-22", V5 / "MQTT-3.2.2-22"],
    needs: [],
    proved: ["keep_alive_renewed_by_server", "keep_alive_ignored"],
    waits: 4,
    run: async |w| {
        let topic = w.topic("news");
        let mut p = w.connect("p").await?;
        let (mut s, _) = short_lived(w, "s").await?;
        s.subscribe(&topic, Qos::AtMostOnce).await?;
        let silent_since = Instant::now();
        for _ in 0..6 {
            w.let_pass(Duration::from_millis(500), "a quarter of the Keep Alive").await;
            p.publish(&topic, b"news").send().await?;
        }
        let limit = Duration::from_millis(1500 * u64::from(KEEP_ALIVE)) + SLACK;
        ends_by(&mut s, silent_since + limit).await?;
        Ok(())
    }
}

check! {
    /// The beginning of a packet does not restart the Keep Alive: only a whole one does.
    ///
    /// Sends     CONNECT with a Keep Alive of 2 s; 1.8 s later the first byte of a PINGREQ, then nothing.
    /// Demands   the end of the connection within 3 s of the CONNECT, and one second of tolerance.
    /// Leaves    an earlier end.
    HALF_A_PACKET_DOES_NOT_COUNT "keep_alive/half_a_packet_does_not_count",
    covers: [V3_1_1 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-22"],
    needs: [],
    proved: ["keep_alive_ignored", "keep_alive_tripled"],
    waits: 4,
    run: async |w| {
        let (mut a, deadline) = short_lived(w, "a").await?;
        w.let_pass(Duration::from_millis(1800), "most of the Keep Alive").await;
        a.send_bytes(&[0xC0]).await?;
        ends_by(&mut a, deadline).await?;
        Ok(())
    }
}

check! {
    /// Every packet of the Client restarts the Keep Alive.
    ///
    /// Sends     CONNECT with a Keep Alive of 2 s, then a PUBLISH, a PUBACK for nothing, a PINGREQ, 1.4 s apart.
    /// Demands   the connection stays open.
    /// Leaves    a broker may end a connection at any time that it takes for dead: the end is a deviation.
    PACKETS_COUNT "keep_alive/packets_count",
    covers: [V3_1_1 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-22"],
    needs: [],
    proved: [],
    waits: 5,
    run: async |w| {
        let topic = w.topic("alive");
        let (mut a, _) = short_lived(w, "a").await?;
        for _ in 0..3 {
            w.let_pass(Duration::from_millis(1400), "less than the Keep Alive").await;
            a.publish(&topic, b"alive").send().await?;
        }
        still_there(w, &mut a).await
    }
}

async fn still_there(w: &World, client: &mut Client<'_>) -> Story {
    if let Err(stop) = client.ping().await {
        if client.ended().is_none() {
            return Err(stop);
        }
        w.deviates(None, "the connection stays while the Client sends", "the broker ended it");
    }
    Ok(())
}
