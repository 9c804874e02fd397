//! DISCONNECT. [3.1.1 §3.14] [5.0 §3.14]

use super::s3_1_will::later_will;
use crate::check;
use crate::check::Check;
use crate::story::{Next, Severity, WillMessage};
use mqtt_assay_codec::{Disconnect, Packet, Qos, ReasonCode};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[RESERVED_FLAGS, SERVER_CLOSES];

/// So many Clients die later, one after the other, before a Will is missed.
const LATER_WILLS: usize = 4;

check! {
    /// A DISCONNECT with a reserved flag set is malformed: the broker ends the connection for that.
    ///
    /// Sends     C connects with a Will and sends DISCONNECT with the first bytes E1, E2, E4, E8.
    /// Demands   the end of the connection.
    /// Leaves    such a packet is no DISCONNECT, and so does not remove the Will; no statement says just that: a
    ///           missing Will is a deviation.
    RESERVED_FLAGS "disconnect/reserved_flags",
    covers: [V3_1_1 / "MQTT-3.14.1-1", V5 / "MQTT-3.14.1-1"],
    needs: [Qos1],
    proved: ["protocol_error_kept_open", "disconnect_flags_accepted"],
    run: async |w| {
        let topic = w.topic("will");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        let names = [("e1", 0xE1), ("e2", 0xE2), ("e4", 0xE4), ("e8", 0xE8)];
        for (name, first) in names {
            let mut c = w.client(name).will(WillMessage::new(&topic, name.as_bytes())).connect().await?;
            c.send_bytes(&[first, 0]).await?;
            c.refuses(ReasonCode::MALFORMED_PACKET, Severity::MustDetect).await?;
        }
        let mut wills = 0;
        // A Will may come behind that of a Client which died a moment later.
        for _ in 0..LATER_WILLS {
            later_will(w, &mut s).await?;
            wills = s.inbox().filter(|r| r.topic() == topic).count();
            if wills >= names.len() {
                return Ok(());
            }
        }
        let expected = "the Wills of 4 connections that ended without a valid DISCONNECT";
        w.deviates(None, expected, format!("{wills} of them"));
        Ok(())
    }
}

check! {
    /// After the Client's DISCONNECT the broker closes the connection, if the Client has not.
    ///
    /// Sends     DISCONNECT, and leaves the connection open.
    /// Demands   the end of the connection, which is a recommendation.
    /// Leaves    nothing.
    SERVER_CLOSES "disconnect/server_closes",
    covers: [V3_1_1 / "U3-DIS-1", V5 / "U5-DIS-1"],
    needs: [],
    proved: ["client_disconnect_kept_open"],
    run: async |w| {
        let mut a = w.connect_alive("a").await?;
        a.send(&Packet::Disconnect(Disconnect::default())).await?;
        let deadline = Instant::now() + w.patience();
        loop {
            match a.next(deadline).await? {
                Next::End(_) => return Ok(()),
                Next::Packet(_) => {}
                Next::Silence => {
                    let observed = format!("still open after {:.0} s", w.patience().as_secs_f64());
                    w.deviates(None, "the end of the connection", observed);
                    return Ok(());
                }
            }
        }
    }
}
