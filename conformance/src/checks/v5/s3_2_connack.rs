//! CONNACK, as 5.0 alone has it. [5.0 §3.2]

use crate::check;
use crate::check::Check;
use crate::story::{Attempt, Stop};
use mqtt_assay_codec::{Packet, Property, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[ONE_CONNACK, MAXIMUM_QOS_IS_ANNOUNCED, REFUSAL_FITS_MAXIMUM_PACKET_SIZE];

check! {
    /// There is one CONNACK on a connection.
    ///
    /// Sends     CONNECT, a SUBSCRIBE, a PINGREQ.
    /// Demands   one CONNACK.
    /// Leaves    nothing.
    ONE_CONNACK "connack/only_one",
    covers: [V5 / "MQTT-3.2.0-2"],
    needs: [],
    proved: ["connack_twice"],
    run: async |w| {
        // A second CONNACK is accused wherever it is seen.
        let mut a = w.connect("a").await?;
        a.subscribe(&w.topic("any"), Qos::AtMostOnce).await?;
        a.ping().await
    }
}

check! {
    /// A broker that does not take every QoS says so in CONNACK.
    ///
    /// Sends     PUBLISH at each QoS up to the announced Maximum QoS; without one, up to 2.
    /// Demands   the acknowledgement; neither DISCONNECT 0x9B nor a silent end.
    /// Leaves    a refusal for another reason.
    MAXIMUM_QOS_IS_ANNOUNCED "connack/maximum_qos_is_announced",
    covers: [V5 / "MQTT-3.2.2-9", V5 / "U5-CON-13"],
    needs: [],
    proved: ["maximum_qos_not_announced"],
    run: async |w| {
        let topic = w.topic("levels");
        for (name, qos) in [("a1", Qos::AtLeastOnce), ("a2", Qos::ExactlyOnce)] {
            if qos > w.abilities().maximum_qos {
                break;
            }
            let mut client = w.connect(name).await?;
            if client.publish(&topic, b"taken?").qos(qos).acknowledged().await.is_ok() {
                continue;
            }
            let unsupported = client.inbox().find(|r| {
                matches!(r.packet(), Packet::Disconnect(d) if d.reason == ReasonCode::QOS_NOT_SUPPORTED)
            });
            return Err(match unsupported {
                Some(r) => Stop::violates(format!("QoS {qos} is taken, or Maximum QoS announced"), r.line()),
                None => Stop::inconclusive(format!("no acknowledgement at QoS {qos}: another check answers for that")),
            });
        }
        Ok(())
    }
}

check! {
    /// A CONNACK that refuses is not made longer than the Client allows by a Reason String or User Property.
    ///
    /// Sends     CONNECT with an Authentication Method that does not exist, with a Maximum Packet Size of 5 and
    ///           of 20 bytes.
    /// Demands   no packet longer than that.
    /// Leaves    the CONNACK may be left out.
    REFUSAL_FITS_MAXIMUM_PACKET_SIZE "connack/refusal_fits_maximum_packet_size",
    covers: [V5 / "MQTT-3.1.2-24", V5 / "MQTT-3.2.2-19", V5 / "MQTT-3.2.2-20"],
    needs: [],
    proved: ["reason_string_exceeds_maximum", "user_property_exceeds_maximum"],
    run: async |w| {
        let mut refusals = 0;
        for (name, size) in [("a", 5), ("b", 20)] {
            let attempt = w
                .client(name)
                .property(Property::AuthenticationMethod("mqtt-assay-none-such"))
                .property(Property::MaximumPacketSize(size))
                .attempt()
                .await?;
            let Attempt::Refused(_, connack) = attempt else { continue };
            refusals += 1;
            if connack.bytes().len() <= size as usize {
                continue;
            }
            let properties = connack.packet().properties().unwrap_or_default();
            let statement = if properties.reason_string().is_some() {
                "MQTT-3.2.2-19"
            } else if properties.iter().any(|p| matches!(p, Property::UserProperty(..))) {
                "MQTT-3.2.2-20"
            } else {
                "MQTT-3.1.2-24"
            };
            let expected = format!("no CONNACK of more than {size} bytes");
            return Err(Stop::violates(expected, connack.line()).citing(w.cite(statement)).at(connack.index));
        }
        if refusals == 0 {
            return Err(Stop::not_tested("a CONNACK that refuses: the broker sent none"));
        }
        Ok(())
    }
}
