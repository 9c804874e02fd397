//! How much the broker takes. What has no bound is tried up to a bound of our own.

use super::trial::{Answer, Trial, Tried, answer_to_publish};
use crate::profile::{Item, Limits};
use crate::story::{Attempt, Client, Received, Refusal, Stop, World};
use mqtt_assay_codec::{Packet, Property, Qos, ReasonCode, raw};

/// So many unacknowledged PUBLISH packets are tried at most.
const RECEIVE_TRIED: u16 = 1_000;
/// An announced Maximum Packet Size up to this one is tried, and one byte more.
const MAXIMUM_TRIED: u32 = 16 << 20;
/// Packets of these sizes are tried where no smaller maximum is announced, the largest first.
const SIZES_TRIED: [u32; 6] = [1 << 20, 1 << 18, 1 << 16, 1 << 14, 1 << 12, 1 << 10];
/// Client Identifiers of these lengths are tried, up to the first that is refused.
const LENGTHS_TRIED: [u16; 9] = [1, 23, 64, 128, 256, 1_024, 4_096, 16_384, 65_535];
/// The Keep Alive that is asked for.
const KEEP_ALIVE: u16 = 60;
/// The Session Expiry Interval that is asked for: the longest that ends.
const EXPIRY: u32 = u32::MAX - 1;

/// Everything, in the order of the profile; PUBLISH packets are of this QoS at most.
pub(super) async fn all(trial: &mut Trial<'_>, qos: u8) -> Limits {
    let v5 = trial.is_v5();
    Limits {
        receive_maximum: if v5 && qos == 2 { Some(receive_maximum(trial).await) } else { None },
        maximum_packet_size: Some(maximum_packet_size(trial, qos).await),
        topic_alias_maximum: if v5 { Some(topic_alias_maximum(trial, qos).await) } else { None },
        server_keep_alive: v5.then(|| server_keep_alive(trial)),
        session_expiry: if v5 { Some(session_expiry(trial).await) } else { None },
        client_identifier: Some(client_identifier(trial).await),
    }
}

/// How many PUBREC of success have come.
fn received(client: &Client<'_>) -> u32 {
    let success = |packet: Packet<'_>| matches!(packet, Packet::Pubrec(ack) if ack.reason.is_success());
    u32::try_from(client.inbox().filter(|received| success(received.packet())).count()).unwrap_or(u32::MAX)
}

async fn receive_maximum(trial: &mut Trial<'_>) -> Item<u32> {
    let says = trial.says(
        "Receive Maximum",
        trial.announced.view().receive_maximum().map(u32::from),
        u32::from(u16::MAX),
    );
    let announced = says.0.unwrap_or(u32::from(u16::MAX));
    trial
        .run(says, async |w: &World| {
            let within = announced.min(u32::from(RECEIVE_TRIED));
            let topic = w.topic("flow");
            let mut client = w.connect("sender").await?;
            for _ in 0..within {
                client.publish(&topic, b"unreleased").qos2().send().await?;
            }
            let reaction = client.reaction().await?;
            let taken = received(&client);
            if let Refusal::Ended(_, farewell) = &reaction {
                let code = farewell.as_ref().and_then(|received| match received.packet() {
                    Packet::Disconnect(disconnect) => Some(disconnect.reason),
                    _ => None,
                });
                let words =
                    farewell.as_ref().map_or_else(|| "the end of the connection".to_owned(), Received::line);
                let how = format!(
                    "of {within} PUBLISH at QoS 2 without PUBREL {taken} are taken, and then comes {words}"
                );
                let contradicts = code == Some(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
                return Ok(Tried::new(taken, how).contradicting(contradicts, "U5-PUB-13"));
            }
            if taken < within {
                return Ok(Tried::new(
                    taken,
                    format!("of {within} PUBLISH at QoS 2 without PUBREL {taken} are taken"),
                ));
            }
            if announced > u32::from(RECEIVE_TRIED) {
                // Our own bound is no finding about theirs.
                let how =
                    format!("{taken} PUBLISH at QoS 2 without PUBREL are taken, and no more were tried");
                return Ok(Tried::new(None, how));
            }
            client.publish(&topic, b"one more").qos2().send().await?;
            let reaction = client.reaction().await?;
            let taken = received(&client);
            let how = match (&reaction, taken > within) {
                (_, true) => format!("{taken} PUBLISH at QoS 2 without PUBREL are taken"),
                (Refusal::Ended(_, Some(farewell)), _) => {
                    format!("one PUBLISH more than that gets {}", farewell.line())
                }
                (Refusal::Ended(_, None), _) => "one PUBLISH more than that ends the connection".to_owned(),
                _ => "one PUBLISH more than that is not taken".to_owned(),
            };
            Ok(Tried::new(taken, how).contradicting(taken > within, "U5-PUB-13"))
        })
        .await
}

/// Publishes a packet of just this size, or of the next one that there is.
async fn publish_sized(w: &World, name: &str, size: u32, qos: Qos) -> Result<Answer, Stop> {
    let first = 0x30 | qos.as_u8() << 1;
    let mut start = raw::Builder::new(first).string(w.topic("size").as_bytes());
    if qos > Qos::AtMostOnce {
        start = start.u16(1);
    }
    if w.is_v5() {
        start = start.properties(&[]);
    }
    let content = start.finish().len() - 2;
    let whole = |length: u32| 1 + raw::variable(length).len() + length as usize;
    let length =
        (size.saturating_sub(5)..=size).find(|length| whole(*length) >= size as usize).unwrap_or(size);
    let mut client = w.connect(name).await?;
    client.send_bytes(&start.remaining_length(&raw::variable(length)).finish()).await?;
    client.send_filling((length as usize).saturating_sub(content)).await?;
    let answer = answer_to_publish(&mut client, qos).await?;
    client.disconnect().await;
    Ok(answer)
}

async fn maximum_packet_size(trial: &mut Trial<'_>, qos: u8) -> Item<u32> {
    let qos = Qos::from_u8(qos).unwrap_or(Qos::AtMostOnce).min(Qos::AtLeastOnce);
    let announced = trial.announced.view().maximum_packet_size();
    let says = match announced {
        Some(maximum) => (Some(maximum), format!("CONNACK has Maximum Packet Size {maximum}")),
        None if trial.is_v5() => {
            (None, "CONNACK has no Maximum Packet Size, which means no limit".to_owned())
        }
        None => (None, String::new()),
    };
    trial
        .run(says, async |w: &World| {
            if let Some(maximum) = announced.filter(|maximum| *maximum <= MAXIMUM_TRIED) {
                let largest = publish_sized(w, "largest", maximum, qos).await?;
                if !largest.is_taken() {
                    let how = format!("a PUBLISH of {maximum} bytes gets {}", largest.words());
                    let contradicts = largest.says(ReasonCode::PACKET_TOO_LARGE);
                    return Ok(Tried::new(None, how).contradicting(contradicts, "U5-CON-9"));
                }
                let larger = publish_sized(w, "larger", maximum + 1, qos).await?;
                let how = format!("a PUBLISH of one byte more gets {}", larger.words());
                let found = if larger.is_taken() { maximum + 1 } else { maximum };
                return Ok(Tried::new(found, how).contradicting(larger.is_taken(), "U5-CON-9"));
            }
            let mut refusal: Option<(u32, String, bool)> = None;
            for (index, size) in SIZES_TRIED.into_iter().enumerate() {
                let answer = publish_sized(w, &format!("size{index}"), size, qos).await?;
                if answer.is_taken() {
                    let how = match &refusal {
                        None => format!("a PUBLISH of {size} bytes is taken, and no larger one was tried"),
                        Some((larger, words, _)) => {
                            format!(
                                "a PUBLISH of {size} bytes is taken, and one of {larger} bytes gets {words}"
                            )
                        }
                    };
                    let contradicts = matches!(refusal, Some((.., true)));
                    // Our own bound is no finding about one that lies above it.
                    let found = announced.is_none().then_some(size);
                    return Ok(Tried::new(found, how).contradicting(contradicts, "U5-CON-9"));
                }
                refusal = Some((size, answer.words().to_owned(), answer.says(ReasonCode::PACKET_TOO_LARGE)));
            }
            let words = refusal.map_or_else(String::new, |(_, words, _)| words);
            Ok(Tried::new(None, format!("a PUBLISH of 1024 bytes gets {words}")))
        })
        .await
}

async fn topic_alias_maximum(trial: &mut Trial<'_>, qos: u8) -> Item<u32> {
    let qos = Qos::from_u8(qos).unwrap_or(Qos::AtMostOnce).min(Qos::AtLeastOnce);
    let says =
        trial.says("Topic Alias Maximum", trial.announced.view().topic_alias_maximum().map(u32::from), 0);
    let announced = trial.announced.view().topic_alias_maximum().unwrap_or(0);
    trial
        .run(says, async |w: &World| {
            let mut found = 0;
            let mut how = String::new();
            for (name, alias) in [("highest", Some(announced)), ("higher", announced.checked_add(1))] {
                let Some(alias) = alias.filter(|alias| *alias > 0) else { continue };
                let mut client = w.connect(name).await?;
                let publish = client.publish(&w.topic("alias"), b"x").qos(qos);
                publish.property(Property::TopicAlias(alias)).send().await?;
                let answer = answer_to_publish(&mut client, qos).await?;
                how = format!("a PUBLISH with Topic Alias {alias} gets {}", answer.words());
                if answer.is_taken() {
                    client.disconnect().await;
                    found = u32::from(alias);
                    if alias > announced {
                        return Ok(Tried::new(found, how).contradicting(true, "MQTT-4.13.1-1"));
                    }
                } else if alias <= announced {
                    let contradicts = answer.says(ReasonCode::TOPIC_ALIAS_INVALID);
                    return Ok(Tried::new(None, how).contradicting(contradicts, "MQTT-3.3.2-12"));
                }
            }
            Ok(Tried::new(found, how))
        })
        .await
}

/// To try it, time would have to pass.
fn server_keep_alive(trial: &Trial<'_>) -> Item<u32> {
    let (announced, how) = match trial.announced.view().server_keep_alive() {
        Some(time) => (
            time,
            format!(
                "CONNACK has Server Keep Alive {time} for a Client that asks for {KEEP_ALIVE}; not tried"
            ),
        ),
        None => (
            KEEP_ALIVE,
            format!("CONNACK has no Server Keep Alive for a Client that asks for {KEEP_ALIVE}; not tried"),
        ),
    };
    Item { announced: Some(u32::from(announced)), found: None, how }
}

async fn session_expiry(trial: &mut Trial<'_>) -> Item<u32> {
    let world = trial.base;
    let (announced, said) = match world.client("lasting").persistent(EXPIRY).attempt().await {
        Ok(Attempt::Accepted(mut client)) => {
            let interval = client.connack().properties.session_expiry_interval();
            client.disconnect().await;
            match interval {
                Some(interval) => (
                    interval,
                    format!(
                        "CONNACK has Session Expiry Interval {interval} for a Client that asks for {EXPIRY}"
                    ),
                ),
                None => (EXPIRY, format!("CONNACK has no Session Expiry Interval, so {EXPIRY} is granted")),
            }
        }
        Ok(refused) => {
            let how = format!("a CONNECT with Session Expiry Interval {EXPIRY} gets {}", refused.line());
            return Item { announced: None, found: None, how };
        }
        Err(stop) => {
            return Item { announced: None, found: None, how: format!("not found out: {}", stop.0.observed) };
        }
    };
    trial
        .run((Some(announced), said), async |w: &World| {
            let mut client = w.client("lasting").resume(EXPIRY).connect().await?;
            let present = client.session_present();
            client.disconnect().await;
            Ok(match present {
                true => Tried::new(
                    None,
                    "the session is there at the next connection; its end was not waited for",
                ),
                false => Tried::new(0, "the session is gone at the next connection")
                    .contradicting(announced > 0, "MQTT-3.1.2-23"),
            })
        })
        .await
}

async fn client_identifier(trial: &mut Trial<'_>) -> Item<u32> {
    trial
        .run((None, String::new()), async |w: &World| {
            let mut found = None;
            for length in LENGTHS_TRIED {
                let mut id = w.client_id("id");
                id.extend(std::iter::repeat_n('x', usize::from(length)));
                id.truncate(usize::from(length));
                match w.client("long").client_id(&id).attempt().await? {
                    Attempt::Accepted(mut client) => client.disconnect().await,
                    refused => {
                        let how = format!("a Client Identifier of {length} bytes gets {}", refused.line());
                        // Whoever is not let in for another reason says so.
                        let says = matches!(&refused, Attempt::Refused(_, connack)
                            if matches!(connack.packet(), Packet::Connack(c) if says_identifier(w, c.code)));
                        let must = length <= 23 && says;
                        return Ok(Tried::new(found, how).contradicting(must, "MQTT-3.1.3-5"));
                    }
                }
                found = Some(u32::from(length));
            }
            Ok(Tried::new(found, "a Client Identifier of 65535 bytes is accepted, and there is none longer"))
        })
        .await
}

/// Whether a CONNACK refuses the Client Identifier as such.
fn says_identifier(w: &World, code: ReasonCode) -> bool {
    code.0 == if w.is_v5() { 0x85 } else { 0x02 }
}
