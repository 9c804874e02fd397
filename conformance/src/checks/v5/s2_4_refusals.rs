//! What a Reason Code of 0x80 or above means, and for what. [5.0 §2.4, §4.13.2]

use crate::check;
use crate::check::Check;
use crate::checks::refusals::{answer, positive};
use crate::story::{Refusal, Stop, publish};
use mqtt_assay_codec::Qos;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[REFUSED_GOES_NOWHERE];

check! {
    /// A message that is refused reaches nobody, and its refusal concerns nothing else.
    ///
    /// Sends     A, who subscribes to a topic of its own, publishes at QoS 1 to a topic that it may not publish to; S
    ///           subscribes to that one. Then A publishes to its own.
    /// Demands   nothing for S after a code of 0x80 or above; A still receives what it subscribes to.
    /// Leaves    whether the broker ends the connection instead, or grants S its subscription.
    REFUSED_GOES_NOWHERE "denied/refused_goes_nowhere",
    covers: [V5 / "U5-RC-1", V5 / "U5-RC-6"],
    needs: [Qos1, DeniedTopic],
    setup: Guarded,
    proved: ["refused_message_delivered", "refusal_drops_subscriptions"],
    run: async |w| {
        let denied = w.abilities().profile.denied_topic.clone().unwrap_or_default();
        let (own, payload) = (w.topic("own"), w.topic("mine"));
        let mut s = w.connect("s").await?;
        s.subscribe(&denied, Qos::AtLeastOnce).await?;
        let mut a = w.connect_alive("a").await?;
        a.subscribe(&own, Qos::AtLeastOnce).await?;
        a.publish(&denied, payload.as_bytes()).qos1().send().await?;
        let reaction = a.reaction().await?;
        match (reaction, answer(a.inbox())) {
            (_, Some(answer)) if positive(&answer) => {
                let lacks = format!("a message that the broker refuses: to {denied} it answers {}", answer.line());
                return Err(Stop::not_tested(lacks));
            }
            (Refusal::WentOn, Some(_)) => {
                a.publish(&own, b"afterwards").qos1().acknowledged().await?;
                a.expect(publish(&own).payload(b"afterwards")).await.map_err(|s| s.citing(w.cite("U5-RC-6")))?;
            }
            (Refusal::Ended(..), _) => w.note("a denied PUBLISH ends the connection"),
            _ => return Err(Stop::inconclusive("a denied PUBLISH gets no answer")),
        }
        let mut other = w.connect("other").await?;
        s.settle(&mut other, Qos::AtLeastOnce).await?;
        match s.inbox().find(|r| r.topic() == denied && r.payload() == payload.as_bytes()) {
            Some(came) => Err(Stop::violates("a refused message reaches nobody", came.line())
                .citing(w.cite("U5-RC-1"))
                .at(came.index)),
            None => Ok(()),
        }
    }
}
