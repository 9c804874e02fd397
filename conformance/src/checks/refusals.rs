//! Refusals that may take several forms, as several checks need them.

use crate::story::{Client, Received, Refusal, Severity, Stop, Story, World};
use mqtt_assay_codec::{Packet, PacketType, Qos, ReasonCode};

/// The PUBACK or PUBREC of a PUBLISH, if one is there.
pub(crate) fn answer<'a>(inbox: impl Iterator<Item = &'a Received>) -> Option<Received> {
    let mut inbox = inbox;
    inbox.find(|r| matches!(r.packet_type(), PacketType::Puback | PacketType::Pubrec)).cloned()
}

/// Whether the answer is one of success.
pub(crate) fn positive(answer: &Received) -> bool {
    matches!(answer.packet(), Packet::Puback(ack) | Packet::Pubrec(ack) if ack.reason.is_success())
}

/// The broker must not take the bad PUBLISH just sent for a good one: it ends the connection, or in 5.0 answers
/// with a Reason Code of 0x80 or above.
pub(crate) async fn refuses_publish(w: &World, client: &mut Client<'_>, specific: ReasonCode) -> Story {
    let reaction = client.reaction().await?;
    if let Some(answer) = answer(client.inbox())
        && w.is_v5()
    {
        return match positive(&answer) {
            false => Ok(()),
            true => Err(Stop::violates("a refusal of the bad PUBLISH", answer.line()).at(answer.index)),
        };
    }
    client.judge_refusal(reaction, specific, Severity::MayOverlook)
}

/// The broker must not grant a bad Topic Filter: it ends the connection, or answers with a code that refuses.
pub(crate) async fn refuses_filter(w: &World, client: &mut Client<'_>, filter: &str) -> Story {
    let expected = format!("a refusal of the Topic Filter \"{filter}\"");
    let reaction = client.reaction_to_request().await?;
    if let Some(answer) = client.inbox().find(|received| received.packet_type() == PacketType::Suback) {
        if answer.codes().iter().any(|code| *code < 0x80) {
            return Err(Stop::violates(expected, answer.line()).at(answer.index));
        }
        w.note("a bad Topic Filter is refused in SUBACK");
        return Ok(());
    }
    match reaction {
        Refusal::Ended(..) => Ok(()),
        Refusal::WentOn | Refusal::HeldOpen => {
            client.judge_refusal(reaction, ReasonCode::TOPIC_FILTER_INVALID, Severity::MayOverlook)
        }
        Refusal::Stuck => Err(Stop::inconclusive(format!("{expected}: the broker answers nothing any more"))),
    }
}

/// What becomes of a PUBLISH to the topic that its Client may not publish to.
pub(super) enum Denied {
    /// It is acknowledged, if perhaps by a code that refuses, and whether or not the connection ends.
    Acknowledged,
    /// The connection ends without an acknowledgement.
    Ended,
    /// Neither, though PINGREQ is answered.
    Neither,
}

/// Publishes to the denied topic at this QoS, on a connection of its own.
pub(super) async fn denied(w: &World, name: &str, qos: Qos) -> Result<Denied, Stop> {
    let topic = w.abilities().profile.denied_topic.clone().unwrap_or_default();
    let mut client = w.connect_alive(name).await?;
    client.publish(&topic, b"x").qos(qos).send().await?;
    let reaction = client.reaction().await?;
    match (reaction, answer(client.inbox())) {
        (_, Some(_)) => Ok(Denied::Acknowledged),
        (Refusal::Ended(..), None) => Ok(Denied::Ended),
        (Refusal::WentOn, None) => Ok(Denied::Neither),
        (Refusal::HeldOpen | Refusal::Stuck, None) => {
            Err(Stop::inconclusive(format!("the broker answers client {name} no more")))
        }
    }
}
