//! Enhanced authentication, as far as it shows without being configured. [5.0 §4.12]

use crate::check;
use crate::check::Check;
use crate::story::{Attempt, Stop};
use mqtt_assay_codec::{Packet, PacketType, Property, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[UNSUPPORTED_METHOD_IS_REFUSED, NOTHING_UNASKED];

check! {
    /// A CONNECT with an Authentication Method that the broker does not support is refused.
    ///
    /// Sends     CONNECT with an Authentication Method of our invention, with and without Authentication Data.
    /// Demands   the end of the connection.
    /// Leaves    CONNACK 0x8C, 0x87 or none; another code of 0x80 or above is a deviation.
    UNSUPPORTED_METHOD_IS_REFUSED "auth/unsupported_method_is_refused",
    covers: [V5 / "MQTT-4.12.0-1"],
    needs: [],
    proved: ["unknown_method_accepted"],
    run: async |w| {
        for (name, data) in [("a", None), ("b", Some(&b"hello"[..]))] {
            let mut client = w.client(name).property(Property::AuthenticationMethod("x-mqtt-assay-unheard-of"));
            if let Some(data) = data {
                client = client.property(Property::AuthenticationData(data));
            }
            match client.attempt().await? {
                Attempt::Ended(..) => {}
                Attempt::Refused(mut client, connack) => {
                    let fitting = [ReasonCode::BAD_AUTHENTICATION_METHOD, ReasonCode::NOT_AUTHORIZED];
                    if !matches!(connack.packet(), Packet::Connack(c) if fitting.contains(&c.code)) {
                        let cite = Some(w.cite("MQTT-4.12.0-1"));
                        w.deviates(cite, "CONNACK 0x8C or 0x87, if any", connack.line());
                    }
                    client.expect_end().await?;
                }
                attempt @ Attempt::Accepted(_) => {
                    return Err(Stop::violates("the end of the connection, perhaps after CONNACK 0x8C", attempt.line()));
                }
            }
        }
        Ok(())
    }
}

check! {
    /// A Client that names no Authentication Method hears nothing of authentication.
    ///
    /// Sends     a plain CONNECT, then a message to itself.
    /// Demands   CONNACK without Authentication Method, and no AUTH.
    /// Leaves    nothing.
    NOTHING_UNASKED "auth/nothing_unasked",
    covers: [V5 / "MQTT-4.12.0-6", V5 / "U5-CON-15"],
    needs: [],
    proved: ["authentication_method_unasked", "auth_unsolicited"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        if let (Some(_), Some(connack)) = (a.connack().properties.authentication_method(), a.connack_received()) {
            let expected = "a CONNACK without Authentication Method";
            return Err(Stop::violates(expected, connack.line()).at(connack.index));
        }
        let topic = w.topic("own");
        a.subscribe(&topic, Qos::AtMostOnce).await?;
        a.publish(&topic, b"x").acknowledged().await?;
        a.ping().await?;
        match a.inbox().find(|received| received.packet_type() == PacketType::Auth) {
            Some(auth) => Err(Stop::violates("no AUTH", auth.line()).at(auth.index)),
            None => Ok(()),
        }
    }
}
