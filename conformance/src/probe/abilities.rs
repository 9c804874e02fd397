//! What the broker can do.

use super::trial::{Answer, Trial, Tried, answer_to_publish, ended};
use crate::profile::{Abilities, Item};
use crate::story::{Attempt, Client, Next, Stop, World, publish};
use mqtt_assay_codec::{
    PacketType, Property, PropertyList, Qos, ReasonCode, SubscriptionList, SubscriptionOptions,
};
use tokio::time::Instant;

/// An identifier that a broker must give back.
const IDENTIFIER: u32 = 7;

/// Everything, in the order of the profile.
pub(super) async fn all(trial: &mut Trial<'_>) -> Abilities {
    let maximum_qos = maximum_qos(trial).await;
    // QoS 0 if nothing better is there.
    let qos = maximum_qos.found.and_then(Qos::from_u8).unwrap_or(Qos::AtMostOnce).min(Qos::AtLeastOnce);
    let retain = retain(trial, qos).await;
    let says = trial.says(
        "Wildcard Subscription Available",
        trial.announced.view().wildcard_subscription_available(),
        true,
    );
    let wildcards = subscription(trial, says, &Way::WILDCARD).await;
    let says = trial.says(
        "Subscription Identifier Available",
        trial.announced.view().subscription_identifier_available(),
        true,
    );
    let shares = trial.says(
        "Shared Subscription Available",
        trial.announced.view().shared_subscription_available(),
        true,
    );
    let (identified, shared) = match trial.is_v5() {
        true => (
            Some(subscription(trial, says, &Way::IDENTIFIED).await),
            Some(subscription(trial, shares, &Way::SHARED).await),
        ),
        // Neither is there before 5.0.
        false => (None, None),
    };
    Abilities {
        maximum_qos: Some(maximum_qos),
        retain: Some(retain),
        wildcards: Some(wildcards),
        subscription_identifiers: identified,
        shared_subscriptions: shared,
        dollar_topics: Some(dollar_topics(trial, qos).await),
        assigned_client_identifiers: Some(assigned(trial).await),
    }
}

async fn maximum_qos(trial: &mut Trial<'_>) -> Item<u8> {
    let says = trial.says("Maximum QoS", trial.announced.view().maximum_qos(), 2);
    let announced = says.0;
    trial
        .run(says, async |w: &World| {
            let mut found = 0;
            for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
                let mut client = w.connect(&format!("qos{qos}")).await?;
                client.publish(&w.topic("qos"), b"x").qos(qos).send().await?;
                let answer = answer_to_publish(&mut client, qos).await?;
                let how = format!("a PUBLISH at QoS {qos} gets {}", answer.words());
                if !answer.is_taken() {
                    let less = announced.is_some_and(|announced| announced > found);
                    let contradicts = less && answer.says(ReasonCode::QOS_NOT_SUPPORTED);
                    return Ok(Tried::new(found, how).contradicting(contradicts, "MQTT-3.2.2-9"));
                }
                client.disconnect().await;
                found = qos.as_u8();
                if announced.is_some_and(|announced| announced < found) {
                    return Ok(Tried::new(found, how).contradicting(true, "U5-CON-10"));
                }
            }
            Ok(Tried::new(found, "a PUBLISH at QoS 2 is acknowledged"))
        })
        .await
}

async fn retain(trial: &mut Trial<'_>, qos: Qos) -> Item<bool> {
    let says = trial.says("Retain Available", trial.announced.view().retain_available(), true);
    let announced = says.0;
    trial
        .run(says, async |w: &World| {
            let topic = w.topic("retained");
            let mut a = w.connect("retainer").await?;
            a.publish(&topic, b"kept").qos(qos).retain().send().await?;
            let answer = answer_to_publish(&mut a, qos).await?;
            let how = format!("a PUBLISH with RETAIN gets {}", answer.words());
            if !answer.is_taken() {
                let contradicts = announced == Some(true) && answer.says(ReasonCode::RETAIN_NOT_SUPPORTED);
                return Ok(Tried::new(false, how).contradicting(contradicts, "U5-CON-13"));
            }
            let mut b = w.connect("reader").await?;
            b.subscribe(&topic, qos).await?;
            // What is published later comes: if the retained message does not, it is not for a lack of permission.
            a.publish(&topic, b"later").qos(qos).acknowledged().await?;
            let came = until(&mut b, &topic, b"later", Instant::now() + w.patience()).await?;
            if came.last().is_none_or(|payload| payload != b"later") {
                return Err(Stop::inconclusive("messages to the topic do not come, retained or not"));
            }
            b.ping().await?;
            let mut kept = came.iter().any(|payload| payload == b"kept")
                || b.inbox().any(|received| received.topic() == topic && received.payload() == b"kept");
            if !kept && announced == Some(true) && qos > Qos::AtMostOnce {
                let came = until(&mut b, &topic, b"kept", Instant::now() + w.patience()).await?;
                kept = came.last().is_some_and(|payload| payload == b"kept");
            }
            a.disconnect().await;
            b.disconnect().await;
            if announced == Some(false) {
                let what = if kept { "is kept" } else { "is not kept" };
                return Ok(Tried::new(kept, format!("{how}, and {what}")).contradicting(true, "U5-CON-11"));
            }
            Ok(match kept {
                true => Tried::new(true, "a retained message reaches a later subscription"),
                // One of QoS 0 may be dropped at any time. [3.1.1/MQTT-3.3.1-7]
                false => Tried::new(false, "a retained message does not reach a later subscription")
                    .contradicting(announced == Some(true) && qos > Qos::AtMostOnce, "U5-CON-13"),
            })
        })
        .await
}

/// The payloads that come on the topic, up to this one, the end of the connection, or the deadline.
async fn until(
    client: &mut Client<'_>,
    topic: &str,
    payload: &[u8],
    deadline: Instant,
) -> Result<Vec<Vec<u8>>, Stop> {
    let mut came = Vec::new();
    loop {
        match client.next(deadline).await? {
            Next::Packet(received) if received.topic() == topic => {
                came.push(received.payload().to_vec());
                if received.payload() == payload {
                    return Ok(came);
                }
            }
            Next::Packet(_) => {}
            Next::End(_) | Next::Silence => return Ok(came),
        }
    }
}

/// A way to subscribe that a broker may lack.
struct Way {
    name: &'static str,
    /// What stands before the topic in the filter.
    prefix: &'static str,
    /// What stands in the place of its last level.
    level: &'static str,
    identified: bool,
    refusal: ReasonCode,
}

impl Way {
    const WILDCARD: Way = Way {
        name: "a filter with a wildcard",
        prefix: "",
        level: "+",
        identified: false,
        refusal: ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
    };
    const IDENTIFIED: Way = Way {
        name: "a Subscription Identifier",
        prefix: "",
        level: "identified",
        identified: true,
        refusal: ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
    };
    const SHARED: Way = Way {
        name: "a Shared Subscription",
        prefix: "$share/group/",
        level: "shared",
        identified: false,
        refusal: ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
    };
}

async fn subscription(trial: &mut Trial<'_>, says: (Option<bool>, String), way: &Way) -> Item<bool> {
    let announced = says.0;
    trial
        .run(says, async |w: &World| {
            let topic = w.topic(if way.level == "+" { "wild" } else { way.level });
            let filter = format!("{}{}", way.prefix, w.topic(way.level));
            let mut client = w.connect("subscriber").await?;
            let list = SubscriptionList::one(&filter, SubscriptionOptions::default());
            let identifier = way.identified.then_some(Property::SubscriptionIdentifier(IDENTIFIER));
            let properties: PropertyList = identifier.into_iter().collect();
            let id = client.send_subscribe(&list, properties.view()).await?;
            let reaction = client.reaction().await?;
            let suback =
                client.inbox().find(|received| received.packet_type() == PacketType::Suback).cloned();
            let answer = match suback.filter(|suback| suback.packet().packet_id() == Some(id)) {
                Some(suback) => match suback.codes() {
                    [code] if *code < 0x80 => Answer::Taken(suback.line()),
                    codes => Answer::Refused(suback.line(), codes.first().copied()),
                },
                None => ended(reaction, "SUBSCRIBE")?,
            };
            let how = format!("SUBSCRIBE with {} gets {}", way.name, answer.words());
            if !answer.is_taken() {
                let contradicts = announced == Some(true) && answer.says(way.refusal);
                return Ok(Tried::new(false, how).contradicting(contradicts, "U5-CON-13"));
            }
            let mut other = w.connect("publisher").await?;
            other.publish(&topic, b"x").acknowledged().await?;
            let delivery = client.await_message(publish(&topic)).await?;
            client.disconnect().await;
            other.disconnect().await;
            let came = delivery.publish().is_some_and(|publish| {
                publish.properties.subscription_identifiers().any(|id| id == IDENTIFIER)
            });
            let works = !way.identified || came;
            let how = match works {
                true => format!("{how}, and a message comes of it"),
                false => format!("{how}, and a message comes without it"),
            };
            Ok(match announced {
                Some(false) => Tried::new(works, how).contradicting(true, "U5-CON-12"),
                _ => Tried::new(works, how).contradicting(!works && announced == Some(true), "U5-CON-13"),
            })
        })
        .await
}

async fn dollar_topics(trial: &mut Trial<'_>, qos: Qos) -> Item<bool> {
    trial
        .run((None, String::new()), async |w: &World| {
            let topic = format!("$assay/{}", w.topic("dollar"));
            let mut b = w.connect("dollars").await?;
            b.subscribe(&topic, qos).await?;
            let mut a = w.connect("dollar").await?;
            a.publish(&topic, b"x").qos(qos).send().await?;
            let answer = answer_to_publish(&mut a, qos).await?;
            if !answer.is_taken() {
                let how = format!("a PUBLISH to a topic that begins with $ gets {}", answer.words());
                return Ok(Tried::new(false, how));
            }
            b.settle(&mut a, qos).await?;
            let found = b.inbox().any(|received| received.topic() == topic);
            a.disconnect().await;
            b.disconnect().await;
            let reaches = if found { "reaches" } else { "does not reach" };
            Ok(Tried::new(found, format!("a message to a topic that begins with $ {reaches} its subscriber")))
        })
        .await
}

async fn assigned(trial: &mut Trial<'_>) -> Item<bool> {
    trial
        .run((None, String::new()), async |w: &World| {
            match w.client("nameless").client_id("").attempt().await? {
                Attempt::Accepted(mut client) => {
                    let given = client.connack().properties.assigned_client_identifier().map(str::to_owned);
                    client.disconnect().await;
                    Ok(match given {
                        _ if !w.is_v5() => Tried::new(true, "an empty Client Identifier is accepted"),
                        Some(_) => Tried::new(true, "an empty Client Identifier gets another one"),
                        None => {
                            Tried::new(true, "an empty Client Identifier is accepted, and none is assigned")
                                .contradicting(true, "MQTT-3.2.2-16")
                        }
                    })
                }
                refused => {
                    Ok(Tried::new(false, format!("an empty Client Identifier gets {}", refused.line())))
                }
            }
        })
        .await
}
