//! PUBLISH, as 3.1 has it. [3.1 §3.3]

use crate::check;
use crate::check::Check;
use crate::checks::refusals::{Denied, denied};
use crate::story::Stop;
use mqtt_assay_codec::Qos;

/// In the order of the document.
pub const CHECKS: &[Check] = &[RETAIN_TELLS_THE_OLD_FROM_THE_NEW, DENIED_IS_ACKNOWLEDGED];

check! {
    /// A retained message is sent to a new subscription with RETAIN 1, and to one that is there with RETAIN 0.
    ///
    /// Sends     S subscribes; A publishes a retained message at QoS 1; B subscribes.
    /// Demands   S receives it with RETAIN 0, B with RETAIN 1.
    /// Leaves    3.1 recommends all of it: what is missing or wrong deviates.
    RETAIN_TELLS_THE_OLD_FROM_THE_NEW "v3_1/retain_tells_the_old_from_the_new",
    covers: [V3_1 / "M31-PUB-2", V3_1 / "M31-PUB-3"],
    needs: [],
    proved: ["retained_lost", "retained_flag_cleared", "retain_flag_on_live"],
    run: async |w| {
        let topic = w.topic("state");
        let mut s = w.connect("s").await?;
        s.subscribe(&topic, Qos::AtLeastOnce).await?;
        s.has_its_retained().await?;
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        let mut b = w.connect("b").await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        for (client, statement, retain) in [(&mut s, "M31-PUB-3", false), (&mut b, "M31-PUB-2", true)] {
            client.settle(&mut a, Qos::AtLeastOnce).await?;
            let expected = format!("PUBLISH {topic} \"on\" retain={} for {}", u8::from(retain), client.name());
            let came = client.take_publishes().into_iter().find(|received| received.topic() == topic);
            match came {
                Some(came) if came.publish().is_some_and(|publish| publish.retain == retain) => {}
                Some(came) => w.deviates(Some(w.cite(statement)), expected, came.line()),
                None if retain => w.deviates(Some(w.cite(statement)), expected, "no such PUBLISH"),
                None => return Err(Stop::inconclusive("a message for a subscription that is there does not come")),
            }
        }
        Ok(())
    }
}

check! {
    /// A message that its publisher may not send is acknowledged like others.
    ///
    /// Sends     PUBLISH at QoS 1 and 2 to a topic that the Client may not publish to, each on a connection of its own.
    /// Demands   PUBACK, and PUBREC.
    /// Leaves    nothing: 3.1 knows no negative acknowledgement, and does not let the broker close instead.
    DENIED_IS_ACKNOWLEDGED "v3_1/denied_is_acknowledged",
    covers: [V3_1 / "M31-PUB-1"],
    needs: [DeniedTopic],
    setup: Guarded,
    proved: ["denied_publish_unacknowledged"],
    run: async |w| {
        for (name, qos) in [("a", Qos::AtLeastOnce), ("b", Qos::ExactlyOnce)] {
            let observed = match denied(w, name, qos).await? {
                Denied::Acknowledged => continue,
                Denied::Ended => "the end of the connection",
                Denied::Neither => "none, though PINGREQ is answered",
            };
            return Err(Stop::violates(format!("an acknowledgement of the PUBLISH at QoS {qos}"), observed));
        }
        Ok(())
    }
}
