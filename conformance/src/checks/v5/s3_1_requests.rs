//! Request Response Information and Request Problem Information. [5.0 §3.1.2.11.6, §3.1.2.11.7]

use crate::check;
use crate::check::Check;
use crate::story::{Received, Stop, puback, pubcomp, publish, pubrec, suback, unsuback};
use mqtt_assay_codec::{
    PacketId, Properties, Property, PropertyId, Qos, ReasonCode, SubscriptionList, SubscriptionOptions,
    TopicFilterList,
};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[NO_RESPONSE_INFORMATION_UNASKED, NO_PROBLEM_INFORMATION_UNASKED];

check! {
    /// The broker sends no Response Information to a Client that did not request it.
    ///
    /// Sends     CONNECT without Request Response Information, and with one of 0.
    /// Demands   CONNACK without Response Information.
    /// Leaves    whether a request is honoured.
    NO_RESPONSE_INFORMATION_UNASKED "request/no_response_information_unasked",
    covers: [V5 / "MQTT-3.1.2-28"],
    needs: [],
    proved: ["response_information_unasked"],
    run: async |w| {
        let unasked = w.connect("a").await?;
        let declined = w.client("b").property(Property::RequestResponseInformation(false)).connect().await?;
        for client in [unasked, declined] {
            if let (Some(_), Some(connack)) = (client.connack().properties.response_information(), client.connack_received())
            {
                let expected = "a CONNACK without Response Information";
                return Err(Stop::violates(expected, connack.line()).at(connack.index));
            }
        }
        Ok(())
    }
}

check! {
    /// With Request Problem Information 0 only CONNACK, PUBLISH and DISCONNECT may carry Reason Strings and User
    /// Properties.
    ///
    /// Sends     CONNECT with Request Problem Information 0; then what earns each acknowledgement, with something to
    ///           explain where the protocol has it; then a message with a User Property.
    /// Demands   acknowledgements without Reason String and User Property; the message keeps its own.
    /// Leaves    nothing.
    NO_PROBLEM_INFORMATION_UNASKED "request/no_problem_information_unasked",
    covers: [V5 / "MQTT-3.1.2-29"],
    needs: [Qos1, Qos2],
    proved: ["problem_information_unasked"],
    run: async |w| {
        let mut a = w.client("a").property(Property::RequestProblemInformation(false)).connect().await?;
        let own = w.topic("own");
        let mut answers: Vec<Received> = Vec::new();
        let list = SubscriptionList::one(&own, SubscriptionOptions::qos(Qos::AtLeastOnce));
        let id = a.send_subscribe(&list, Properties::NONE).await?;
        answers.push(a.await_message(suback(id)).await?);
        let id = a.send_unsubscribe(&TopicFilterList::one(&w.topic("never/subscribed"))).await?;
        answers.push(a.await_message(unsuback(id)).await?);
        if let Some(id) = a.publish(&w.topic("nobody"), b"1").qos1().send().await? {
            answers.push(a.await_message(puback(id)).await?);
        }
        if let Some(id) = a.publish(&w.topic("nobody"), b"2").qos2().send().await? {
            answers.push(a.await_message(pubrec(id)).await?);
            a.pubrel(id, ReasonCode::SUCCESS).await?;
            answers.push(a.await_message(pubcomp(id)).await?);
        }
        a.pubrel(PacketId::MAX, ReasonCode::SUCCESS).await?;
        answers.push(a.await_message(pubcomp(PacketId::MAX)).await?);
        for answer in answers {
            let told = answer.packet().properties().is_some_and(|list| {
                list.iter().any(|p| matches!(p.id(), PropertyId::ReasonString | PropertyId::UserProperty))
            });
            if told {
                let expected = "an acknowledgement without Reason String and User Property";
                return Err(Stop::violates(expected, answer.line()).at(answer.index));
            }
        }
        let pair = Property::UserProperty(("kept", "yes"));
        a.publish(&own, b"3").qos1().property(pair).acknowledged().await?;
        let kept = publish(&own).payload(b"3").property(pair);
        a.expect(kept).await.map_err(|stop| stop.citing(w.cite("MQTT-3.3.2-17")))?;
        Ok(())
    }
}
