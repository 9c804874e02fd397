//! SUBSCRIBE and SUBACK, as 3.1 has them. [3.1 §3.8, §3.9]

use crate::check;
use crate::check::Check;
use crate::story::{Stop, suback};
use mqtt_assay_codec::{Properties, Qos, SubscriptionList, SubscriptionOptions};

/// In the order of the document.
pub const CHECKS: &[Check] = &[SUBACK_TELLS_THE_GRANTED_QOS];

check! {
    /// SUBACK tells the granted QoS of each filter, and has no code for a failure.
    ///
    /// Sends     a SUBSCRIBE for three topics at QoS 0, 1 and 2, and for three filters with wildcards, which not every
    ///           broker allows.
    /// Demands   a SUBACK with six codes, none above the QoS that was asked for.
    /// Leaves    which QoS is granted, and whether anything is delivered: a SUBSCRIBE that is not allowed is
    ///           acknowledged like others.
    SUBACK_TELLS_THE_GRANTED_QOS "v3_1/suback_tells_the_granted_qos",
    covers: [V3_1 / "M31-SUB-2", V3_1 / "M31-SUB-1"],
    needs: [],
    setup: Limited,
    proved: ["suback_failure_in_3_1", "suback_grants_more", "suback_codes_short"],
    run: async |w| {
        let asked = [
            ("one", Qos::AtMostOnce),
            ("two", Qos::AtLeastOnce),
            ("three", Qos::ExactlyOnce),
            ("+", Qos::AtMostOnce),
            ("+/four", Qos::AtLeastOnce),
            ("#", Qos::ExactlyOnce),
        ];
        let mut list = SubscriptionList::new();
        for (name, qos) in asked {
            list.push(&w.topic(name), SubscriptionOptions::qos(qos));
        }
        let mut a = w.connect("a").await?;
        let id = a.send_subscribe(&list, Properties::NONE).await?;
        let answer = a.expect(suback(id)).await?;
        let codes = answer.codes();
        let wrong = |expected: String, statement| {
            Err(Stop::violates(expected, answer.line()).citing(w.cite(statement)).at(answer.index))
        };
        if codes.len() != asked.len() {
            return wrong(format!("{} codes in SUBACK", asked.len()), "M31-SUB-2");
        }
        for (code, (name, qos)) in codes.iter().zip(asked) {
            if *code == 0x80 {
                return wrong(format!("a granted QoS for {}", w.topic(name)), "M31-SUB-1");
            }
            if *code > qos.as_u8() {
                return wrong(format!("at most QoS {qos} for {}", w.topic(name)), "M31-SUB-2");
            }
        }
        Ok(())
    }
}
