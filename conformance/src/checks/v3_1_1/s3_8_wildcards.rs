//! Whether filters with wildcards are supported. [3.1.1 §3.8.3]

use crate::check;
use crate::check::Check;
use crate::story::{publish, suback};
use mqtt_assay_codec::{Properties, Qos, SubscriptionList, SubscriptionOptions};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[GRANTED_WILDCARDS_MATCH];

check! {
    /// A broker supports filters with wildcards or refuses them.
    ///
    /// Sends     SUBSCRIBE for `t/+` and for `t/#`; then A publishes to `t/a`.
    /// Demands   the message for each filter that was granted.
    /// Leaves    the code 0x80 for both: then wildcards should be supported, but need not be.
    GRANTED_WILDCARDS_MATCH "subscribe/granted_wildcards_match",
    covers: [V3_1_1 / "MQTT-3.8.3-2"],
    needs: [Qos1],
    proved: ["wildcards_never_match"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        for filter in ["+", "#"] {
            let mut b = w.connect("b").await?;
            let level = w.topic(if filter == "+" { "one" } else { "all" });
            let options = SubscriptionOptions::qos(Qos::AtLeastOnce);
            let list = SubscriptionList::one(&format!("{level}/{filter}"), options);
            let id = b.send_subscribe(&list, Properties::NONE).await?;
            let answer = b.await_message(suback(id)).await?;
            if answer.codes() == [0x80] {
                w.deviates(None, "support for filters with wildcards", answer.line());
                continue;
            }
            a.publish(&format!("{level}/a"), b"message").qos1().acknowledged().await?;
            b.expect(publish(&format!("{level}/a")).payload(b"message")).await?;
        }
        Ok(())
    }
}
