//! Keep Alive. [3.1.1 §3.1.2.10] [5.0 §3.1.2.10, §3.2.2.3.14]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Next, Stop, Story, World};
use mqtt_assay_codec::{Packet, Qos, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    SILENT_CLIENT_IS_DISCONNECTED,
    SERVER_PACKETS_DO_NOT_COUNT,
    HALF_A_PACKET_DOES_NOT_COUNT,
    PACKETS_COUNT,
];

/// The Keep Alive of these stories, in seconds.
const KEEP_ALIVE: u16 = 2;

/// The specification says when the broker must disconnect a silent Client, after 1.5 times the Keep Alive, but not
/// how soon it must have done so. An end later than this is a deviation…
const SLACK: Duration = Duration::from_secs(1);

/// … and none by this time a violation: timers that are looked at every few seconds are late, no more.
const PATIENCE: Duration = Duration::from_secs(8);

/// A broker that takes longer than this to serve a new connection is too busy for that.
const PROMPT: Duration = Duration::from_secs(2);

/// A client with a short Keep Alive, and the moment at which its silence has lasted 1.5 times as long.
async fn short_lived<'w>(w: &'w World, name: &str) -> Result<(Client<'w>, Instant), Stop> {
    let mut client = w.client(name).keep_alive(KEEP_ALIVE).connect().await?;
    // A broker that ends every connection shows nothing about this one's silence.
    client.ping().await?;
    let limit = limit(&client)?;
    Ok((client, Instant::now() + limit))
}

/// 1.5 times the Keep Alive in force.
pub(crate) fn limit(client: &Client<'_>) -> Result<Duration, Stop> {
    match client.connack().properties.server_keep_alive() {
        None => Ok(Duration::from_millis(1500 * u64::from(KEEP_ALIVE))),
        Some(seconds @ 1..=KEEP_ALIVE) => Ok(Duration::from_millis(1500 * u64::from(seconds))),
        Some(seconds) => Err(Stop::unsupported(format!("the broker imposes a Keep Alive of {seconds} s"))),
    }
}

fn expected() -> String {
    format!("the end of the connection when 1.5 times the Keep Alive of {KEEP_ALIVE} s have passed")
}

/// The connection must end once the limit is reached; tells how late it did, and the Reason Code of a DISCONNECT.
async fn ends_after(client: &mut Client<'_>, limit: Instant) -> Result<(Duration, Option<ReasonCode>), Stop> {
    let mut farewell = None;
    loop {
        match client.next(limit + PATIENCE).await? {
            Next::End(_) => break,
            Next::Packet(r) => {
                if let Packet::Disconnect(d) = r.packet() {
                    farewell = Some(d.reason);
                }
            }
            Next::Silence => {
                let observed = format!("the connection is still open {} s later", PATIENCE.as_secs());
                // A broker that gets round to nothing in time has not forgotten this one in particular.
                return Err(match client.serves_another().await {
                    Some(took) if took <= PROMPT => Stop::violates(expected(), observed),
                    Some(took) => Stop::inconclusive(format!(
                        "{observed}, but the broker is busy: after {:.1} s a new one was served",
                        took.as_secs_f64()
                    )),
                    None => {
                        Stop::inconclusive(format!("{observed}, but the broker serves no new one, either"))
                    }
                });
            }
        }
    }
    Ok((Instant::now().saturating_duration_since(limit), farewell))
}

check! {
    /// A Client that is silent for 1.5 times its Keep Alive is disconnected.
    ///
    /// Sends     CONNECT with a Keep Alive of 2 s, then nothing; three clients, 0.7 s apart, so that a broker which
    ///           looks at its timers every few seconds is seen at different moments of that.
    /// Demands   the end of each connection after 3 s.
    /// Leaves    an earlier end. How late the end may be is not said: more than 1 s is a deviation, more than 8 s
    ///           a violation, unless the broker lets a new connection wait, too. In 5.0 a DISCONNECT with another code
    ///           than 0x8D is a deviation.
    SILENT_CLIENT_IS_DISCONNECTED "keep_alive/silent_client_is_disconnected",
    covers: [V3_1_1 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-22", V5 / "MQTT-3.2.2-22", V5 / "U5-DIS-4"],
    needs: [],
    proved: ["keep_alive_ignored"],
    waits: 4.4,
    run: async |w| {
        let mut clients = vec![short_lived(w, "a").await?];
        for name in ["b", "c"] {
            w.let_pass(Duration::from_millis(700), "the clients' distance").await;
            clients.push(short_lived(w, name).await?);
        }
        // One after the other is soon enough: their limits come in this order.
        let mut latest = Duration::ZERO;
        for (client, limit) in &mut clients {
            let (late, farewell) = ends_after(client, *limit).await?;
            latest = latest.max(late);
            if let Some(reason) = farewell.filter(|&reason| reason != ReasonCode::KEEP_ALIVE_TIMEOUT) {
                w.deviates(None, "DISCONNECT 0x8D", format!("DISCONNECT {reason}"));
            }
        }
        if latest > SLACK {
            w.deviates(None, expected(), format!("an end up to {:.1} s later", latest.as_secs_f64()));
        }
        Ok(())
    }
}

check! {
    /// What the broker sends does not restart the Keep Alive: the Client's silence counts.
    ///
    /// Sends     S subscribes at QoS 0 with a Keep Alive of 2 s and falls silent; P publishes to it twice a second.
    /// Demands   the end of S's connection after 3 s.
    /// Leaves    an earlier end; a later one, by 8 s at most, is another check's matter.
    SERVER_PACKETS_DO_NOT_COUNT "keep_alive/server_packets_do_not_count",
    covers: [V3_1_1 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-22", V5 / "MQTT-3.2.2-22"],
    needs: [],
    proved: ["keep_alive_renewed_by_server", "keep_alive_ignored"],
    waits: 3.0,
    run: async |w| {
        let topic = w.topic("news");
        let mut p = w.connect("p").await?;
        let (mut s, _) = short_lived(w, "s").await?;
        s.subscribe(&topic, Qos::AtMostOnce).await?;
        let limit = Instant::now() + limit(&s)?;
        // As long as a broker is given to notice the silence, so that each message may hide it.
        while Instant::now() < limit + PATIENCE {
            let soon = Instant::now() + Duration::from_millis(500);
            p.publish(&topic, b"news").send().await?;
            if let Next::End(_) = drained(&mut s, soon).await? {
                break;
            }
        }
        ends_after(&mut s, limit).await?;
        Ok(())
    }
}

/// Reads until then, whatever comes; tells whether the connection ended.
async fn drained(client: &mut Client<'_>, until: Instant) -> Result<Next, Stop> {
    loop {
        match client.next(until).await? {
            Next::Packet(_) => {}
            other => return Ok(other),
        }
    }
}

check! {
    /// The beginning of a packet does not restart the Keep Alive: only a whole one does.
    ///
    /// Sends     CONNECT with a Keep Alive of 2 s, then a PUBLISH byte by byte, one each second.
    /// Demands   the end of the connection after 3 s.
    /// Leaves    an earlier end; a later one, by 8 s at most, is another check's matter.
    HALF_A_PACKET_DOES_NOT_COUNT "keep_alive/half_a_packet_does_not_count",
    covers: [V3_1_1 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-22"],
    needs: [],
    proved: ["keep_alive_renewed_by_any_byte", "keep_alive_ignored"],
    waits: 3.0,
    run: async |w| {
        let (mut a, limit) = short_lived(w, "a").await?;
        // A QoS 0 PUBLISH of 100 bytes, which never ends.
        for byte in [0x30, 100, 0, 4].into_iter().chain([b'x'; 96]) {
            if Instant::now() > limit + PATIENCE {
                break;
            }
            a.send_bytes(&[byte]).await?;
            if let Next::End(_) = drained(&mut a, Instant::now() + Duration::from_secs(1)).await? {
                break;
            }
        }
        ends_after(&mut a, limit).await?;
        Ok(())
    }
}

check! {
    /// Every packet of the Client restarts the Keep Alive.
    ///
    /// Sends     CONNECT with a Keep Alive of 2 s, then three PUBLISH, 1.4 s apart, and a PINGREQ.
    /// Demands   the connection stays open.
    /// Leaves    a broker may end a connection at any time that it takes for dead: the end is a deviation.
    PACKETS_COUNT "keep_alive/packets_count",
    covers: [V3_1_1 / "MQTT-3.1.2-24", V5 / "MQTT-3.1.2-22"],
    needs: [],
    proved: ["keep_alive_renewed_by_pingreq_only"],
    waits: 4.2,
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
