//! DISCONNECT in 5.0, where the broker sends it as well. [5.0 §3.14]

use crate::check;
use crate::check::Check;
use crate::story::{Attempt, Client, Next, Severity, Stop, Story, World};
use crate::verdict::Verdict;
use mqtt_assay_codec::raw::Builder;
use mqtt_assay_codec::{Packet, PacketType, Property, ReasonCode};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    NONE_BEFORE_CONNACK,
    SERVER_DISCONNECT_IS_WELL_FORMED,
    SERVER_DISCONNECT_FITS_MAXIMUM_PACKET_SIZE,
    NOTHING_FOLLOWS,
];

/// A SUBSCRIBE with wrong fixed header flags, which every broker must notice.
fn bad_subscribe() -> Vec<u8> {
    Builder::new(0x80).u16(1).u8(0).string(b"a").u8(0).finish()
}

/// Whether the broker ends the connection; what it sends before is judged by the passive rules.
async fn ends(w: &World, client: &mut Client<'_>) -> Result<bool, Stop> {
    let deadline = Instant::now() + w.patience();
    loop {
        match client.next(deadline).await? {
            Next::Packet(_) => {}
            Next::End(_) => return Ok(true),
            Next::Silence => return Ok(false),
        }
    }
}

check! {
    /// The broker sends no DISCONNECT before a CONNACK that accepts.
    ///
    /// Sends     a CONNECT with its reserved flag set, one with an Authentication Method that does not exist, a
    ///           PINGREQ as the first packet.
    /// Demands   no DISCONNECT.
    /// Leaves    a CONNACK that refuses, or none.
    NONE_BEFORE_CONNACK "disconnect/none_before_connack",
    covers: [V5 / "MQTT-3.14.0-1", V5 / "MQTT-3.2.0-1"],
    needs: [],
    proved: ["disconnect_before_connack"],
    run: async |w| {
        // A DISCONNECT before CONNACK is accused wherever it is seen.
        let reserved = Builder::new(0x10).string(b"MQTT").bytes(&[5, 0b11, 0, 60, 0]);
        let reserved = reserved.string(w.client_id("a").as_bytes()).finish();
        let mut refusals = 0;
        for (name, bytes) in [("a", reserved), ("b", vec![0xC0, 0])] {
            let mut client = w.open(name).await?;
            client.send_first(&bytes).await?;
            refusals += usize::from(ends(w, &mut client).await?);
        }
        let method = Property::AuthenticationMethod("mqtt-assay-none-such");
        match w.client("c").property(method).attempt().await? {
            Attempt::Refused(mut c, _) => refusals += usize::from(ends(w, &mut c).await?),
            Attempt::Ended(..) => refusals += 1,
            Attempt::Accepted(_) => {}
        }
        if refusals == 0 {
            return Err(Stop::not_tested("a connection that the broker refuses: it refused none"));
        }
        Ok(())
    }
}

check! {
    /// A DISCONNECT of the broker has a listed code and no Session Expiry Interval, and the connection ends.
    ///
    /// Sends     a SUBSCRIBE with wrong fixed header flags; a second CONNECT; a takeover.
    /// Demands   DISCONNECT, if it comes, with a code that the broker may send, 0x80 or above for the errors, and
    ///           properties that it may have; the end of the connection.
    /// Leaves    whether DISCONNECT comes.
    SERVER_DISCONNECT_IS_WELL_FORMED "disconnect/server_disconnect_is_well_formed",
    covers: [
        V5 / "MQTT-3.14.2-1", V5 / "MQTT-3.14.2-2", V5 / "MQTT-3.14.4-2", V5 / "MQTT-4.13.1-1",
        V5 / "MQTT-4.13.2-1",
    ],
    needs: [],
    proved: ["disconnect_code_unlisted", "disconnect_with_session_expiry"],
    run: async |w| {
        // What is wrong with the packet itself is accused wherever it is seen.
        let mut a = w.client("a").persistent(60).connect().await?;
        a.send_bytes(&bad_subscribe()).await?;
        let refused = a.refuses(ReasonCode::MALFORMED_PACKET, Severity::MustDetect).await;
        refused.map_err(|stop| stop.or_citing(w.cite("MQTT-4.13.1-1")))?;

        let mut b = w.client("b").persistent(60).connect().await?;
        let again = w.client("b").to_bytes();
        b.send_bytes(&again).await?;
        let refused = b.refuses(ReasonCode::PROTOCOL_ERROR, Severity::MustDetect).await;
        refused.map_err(|stop| stop.or_citing(w.cite("MQTT-4.13.1-1")))?;

        let mut c = w.client("c").persistent(60).connect().await?;
        let _new = w.client("c").resume(60).connect().await?;
        match c.expect_end().await {
            Err(stop) if stop.verdict() == Verdict::Violates => {
                Err(Stop::inconclusive("the old connection goes on beside the new one: another check answers for that"))
            }
            other => other,
        }
    }
}

check! {
    /// A DISCONNECT is not made longer than the Client allows by a Reason String or User Property.
    ///
    /// Sends     CONNECT with a Maximum Packet Size of 20 bytes, then a SUBSCRIBE with wrong fixed header flags.
    /// Demands   no packet longer than that.
    /// Leaves    whether DISCONNECT comes.
    SERVER_DISCONNECT_FITS_MAXIMUM_PACKET_SIZE "disconnect/server_disconnect_fits_maximum_packet_size",
    covers: [V5 / "MQTT-3.1.2-24", V5 / "MQTT-3.14.2-3", V5 / "MQTT-3.14.2-4"],
    needs: [],
    proved: ["reason_string_exceeds_maximum", "user_property_exceeds_maximum"],
    run: async |w| {
        const SIZE: u32 = 20;
        // CONNACK may not fit: then there is no connection to speak of.
        let Attempt::Accepted(mut a) =
            w.client("a").property(Property::MaximumPacketSize(SIZE)).attempt().await?
        else {
            return Err(Stop::unsupported(format!("no connection with a Maximum Packet Size of {SIZE} bytes")));
        };
        a.send_bytes(&bad_subscribe()).await?;
        let mut disconnects = 0;
        let deadline = Instant::now() + w.patience();
        while let Next::Packet(r) = a.next(deadline).await? {
            disconnects += usize::from(r.packet_type() == PacketType::Disconnect);
            if r.bytes().len() <= SIZE as usize {
                continue;
            }
            let has = r.packet().properties().unwrap_or_default();
            let statement = match (has.reason_string(), has.user_property()) {
                (Some(_), _) => "MQTT-3.14.2-3",
                (None, Some(_)) => "MQTT-3.14.2-4",
                (None, None) => "MQTT-3.1.2-24",
            };
            let expected = format!("no packet of more than {SIZE} bytes");
            return Err(Stop::violates(expected, r.line()).citing(w.cite(statement)).at(r.index));
        }
        if disconnects == 0 {
            return Err(Stop::not_tested("a DISCONNECT of the broker's: it sent none"));
        }
        Ok(())
    }
}

check! {
    /// After its DISCONNECT the broker sends nothing, and closes the connection.
    ///
    /// Sends     a SUBSCRIBE with wrong fixed header flags and a PINGREQ in one segment.
    /// Demands   nothing behind DISCONNECT but the end of the connection.
    /// Leaves    whether DISCONNECT comes.
    NOTHING_FOLLOWS "disconnect/nothing_follows",
    covers: [V5 / "MQTT-3.14.4-1", V5 / "MQTT-3.14.4-2"],
    needs: [],
    proved: ["sends_after_disconnect"],
    run: async |w| {
        let mut a = w.connect_alive("a").await?;
        a.send_bytes(&[bad_subscribe(), vec![0xC0, 0]].concat()).await?;
        only_the_end_after_disconnect(w.patience(), &mut a).await
    }
}

async fn only_the_end_after_disconnect(
    patience: std::time::Duration,
    client: &mut crate::story::Client<'_>,
) -> Story {
    let expected = "nothing but the end of the connection after DISCONNECT";
    let deadline = Instant::now() + patience;
    let mut left = false;
    loop {
        match client.next(deadline).await? {
            Next::End(_) => return Ok(()),
            Next::Packet(r) if left => return Err(Stop::violates(expected, r.line()).at(r.index)),
            Next::Packet(r) => left = matches!(r.packet(), Packet::Disconnect(_)),
            Next::Silence if left => return Err(Stop::violates(expected, "the connection stays open")),
            Next::Silence => {
                return Err(Stop::inconclusive(
                    "the broker does not end the connection for a malformed packet: another check answers for that",
                ));
            }
        }
    }
}
