//! PUBLISH and PUBREL from a Client: taken in, answered, handed to every subscriber. [3.1.1 §3.3, §4.3] [5.0 §3.3, §4.3]

use crate::broker::{Broker, ConnectionId};
use crate::expiry;
use crate::inflight::Delivery;
use crate::message::{self, Message};
use crate::mutant::{Fault, Mutant};
use crate::policy::{DollarTopics, Overlap, Qos2Delivery};
use crate::router::{Filter, Subscription};
use crate::session::{Received, SessionId};
use crate::will::Ending;
use mqtt_assay_codec::{Ack, PacketId, PacketType, Publish, Qos, ReasonCode, Version, topic};
use std::sync::Arc;

/// What becomes of a PUBLISH that is well-formed.
enum Admission {
    Accepted,
    /// Acknowledged as if accepted. [3.1.1/MQTT-3.3.5-2]
    Dropped,
    /// 5.0: acknowledged with this code; a QoS 0 message is dropped.
    Refused(ReasonCode),
    /// The connection is closed.
    Closed(ReasonCode),
}

impl Broker {
    /// PUBLISH came.
    pub(crate) fn publish(&mut self, id: ConnectionId, session: SessionId, publish: &Publish<'_>) {
        let fault = self.fault;
        let (Some(connection), Some(state)) = (self.connections.get_mut(&id), self.sessions.get_mut(session))
        else {
            return;
        };
        let alias = publish.properties.topic_alias();
        let topic = match connection.incoming_aliases.resolve(alias, publish.topic, fault) {
            Ok(topic) => topic,
            Err(code) => return self.disconnect(id, code, Ending::Error),
        };
        if let Some(packet_id) = publish.packet_id {
            let in_time = match publish.qos {
                Qos::ExactlyOnce => connection.receiving.begin(packet_id),
                _ => connection.receiving.has_place(),
            };
            // [5.0/MQTT-3.3.4-7]
            if !in_time && !fault.is(Mutant::ServerReceiveMaximumNotEnforced) {
                return self.disconnect(id, ReasonCode::RECEIVE_MAXIMUM_EXCEEDED, Ending::Error);
            }
            // A repeated QoS 2 PUBLISH is answered again, and nothing else. [3.1.1/MQTT-4.3.3-2]
            // [5.0/MQTT-4.3.3-10]
            let mixed_up = fault.is(Mutant::PacketIdsSharedByDirections);
            let seen = state.received.contains_key(&packet_id)
                || mixed_up && state.inflight.get(packet_id).is_some();
            if publish.qos == Qos::ExactlyOnce && seen && !fault.is(Mutant::Qos2DuplicateDelivered) {
                if !fault.is(Mutant::Qos2DuplicateUnanswered) {
                    self.acknowledge(id, PacketType::Pubrec, packet_id, ReasonCode::SUCCESS);
                }
                return;
            }
            if fault.is(Mutant::Qos1DupTakenForDuplicate)
                && state.relics.used_ids.insert(packet_id, ()).is_some()
                && publish.dup
            {
                return self.acknowledge(id, PacketType::Puback, packet_id, ReasonCode::SUCCESS);
            }
        }
        let publisher = state.client_id.clone();
        match self.admit(id, &topic, publish) {
            Admission::Accepted => {
                let message = self.message(topic, publish, publisher);
                self.take_in(id, session, publish, message);
            }
            Admission::Dropped if fault.is(Mutant::DeniedPublishUnacknowledged) => {}
            Admission::Dropped => {
                // Its exchange goes on like any other.
                if let (Qos::ExactlyOnce, Some(packet_id)) = (publish.qos, publish.packet_id)
                    && let Some(state) = self.sessions.get_mut(session)
                {
                    state.received.insert(packet_id, Received { held: None, expires_at: None });
                }
                self.acknowledge_publish(id, session, publish, ReasonCode::SUCCESS);
            }
            Admission::Refused(code) if fault.is(Mutant::RefusedMessageDelivered) => {
                let message = self.message(topic, publish, publisher);
                self.distribute(message);
                self.acknowledge_publish(id, session, publish, code);
            }
            Admission::Refused(code) if fault.is(Mutant::RefusalDropsSubscriptions) => {
                self.forget_subscriptions(session);
                self.acknowledge_publish(id, session, publish, code);
            }
            Admission::Refused(code) => self.acknowledge_publish(id, session, publish, code),
            Admission::Closed(code) => self.disconnect(id, code, Ending::Error),
        }
    }

    fn admit(&mut self, id: ConnectionId, topic: &str, publish: &Publish<'_>) -> Admission {
        let version = self.connections.get(&id).map(|connection| connection.version);
        let v5 = version == Some(Version::V5);
        let policy = &self.policy;
        if publish.qos > policy.max_qos && !self.fault.is(Mutant::PublishAboveMaximumQosAccepted) {
            return Admission::Closed(ReasonCode::QOS_NOT_SUPPORTED);
        }
        let retain_refused = !policy.retain_available && !self.fault.is(Mutant::RetainUnavailableAccepted);
        if publish.retain && retain_refused && v5 {
            return Admission::Closed(ReasonCode::RETAIN_NOT_SUPPORTED);
        }
        if !self.may_publish(topic) {
            return match version {
                Some(Version::V5) => Admission::Refused(ReasonCode::NOT_AUTHORIZED),
                Some(Version::V3_1_1) if policy.close_on_denied_publish => {
                    Admission::Closed(ReasonCode::NOT_AUTHORIZED)
                }
                // 3.1 has no other way. [3.1 §3.3]
                _ => Admission::Dropped,
            };
        }
        let closed =
            policy.dollar_topics != DollarTopics::Accept && !self.fault.is(Mutant::DollarTopicsRouted);
        if topic.starts_with('$') && closed {
            return match policy.dollar_topics {
                DollarTopics::Refuse if v5 => Admission::Refused(ReasonCode::TOPIC_NAME_INVALID),
                _ => Admission::Dropped,
            };
        }
        if policy.check_payload_format
            && publish.properties.payload_format_indicator() == Some(1)
            && core::str::from_utf8(publish.payload).is_err()
        {
            return Admission::Refused(ReasonCode::PAYLOAD_FORMAT_INVALID);
        }
        let stored = publish.retain && policy.retain_available && !publish.payload.is_empty();
        if stored && v5 && !self.retained.has_room(topic, policy.max_retained_messages, self.now) {
            return Admission::Refused(ReasonCode::QUOTA_EXCEEDED);
        }
        Admission::Accepted
    }

    /// Whether anybody may publish to this topic.
    pub(crate) fn may_publish(&self, name: &str) -> bool {
        !self.policy.deny_publish.iter().any(|filter| topic::matches(filter, name))
    }

    fn message(&self, topic: Arc<str>, publish: &Publish<'_>, publisher: Arc<str>) -> Message {
        let topic = match self.fault.0 {
            Some(Mutant::ByteOrderMarkStripped) => topic.replace('\u{FEFF}', "").into(),
            Some(Mutant::ControlCharactersStripped) => topic.replace(char::is_control, "").into(),
            _ => topic,
        };
        let payload = match self.fault.0 {
            Some(Mutant::PayloadCutAtNul) => publish.payload.split(|byte| *byte == 0).next(),
            _ => Some(publish.payload),
        };
        let mut expiry = publish.properties.message_expiry_interval();
        if self.fault.is(Mutant::MessageExpiryByteOrder) {
            expiry = expiry.map(u32::swap_bytes);
        }
        Message {
            topic,
            payload: payload.unwrap_or_default().to_vec(),
            qos: publish.qos,
            retain: publish.retain,
            properties: message::forwarded(publish.properties, self.fault),
            expiry: expiry.map(|seconds| (seconds, expiry::at(self.now, seconds))),
            publisher,
            dup: publish.dup,
        }
    }

    /// Takes ownership of a message, passes it on now or at its PUBREL, and acknowledges it.
    fn take_in(&mut self, id: ConnectionId, session: SessionId, publish: &Publish<'_>, message: Message) {
        let expires_at = message.expiry.map(|(_, end)| end);
        let waits = publish.qos == Qos::ExactlyOnce && self.policy.qos2_delivery == Qos2Delivery::AtRelease;
        let (held, reached) = if waits {
            let held = self.sessions.get(session).map_or(0, |state| state.received.len());
            if held >= self.policy.max_queued_messages {
                return self.disconnect(id, ReasonCode::QUOTA_EXCEEDED, Ending::Error);
            }
            let reached = self.has_subscribers(&message.topic);
            (Some(message), reached)
        } else {
            (None, self.distribute(message))
        };
        if let (Qos::ExactlyOnce, Some(packet_id)) = (publish.qos, publish.packet_id)
            && let Some(state) = self.sessions.get_mut(session)
        {
            state.received.insert(packet_id, Received { held, expires_at });
        }
        let silent = reached && !self.fault.is(Mutant::NoMatchingSubscribersAlways);
        let code = if silent || !self.policy.report_no_matching_subscribers {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::NO_MATCHING_SUBSCRIBERS
        };
        self.acknowledge_publish(id, session, publish, code);
    }

    /// PUBACK for QoS 1, PUBREC for QoS 2. [3.1.1/MQTT-3.3.4-1] [5.0/MQTT-3.3.4-1]
    fn acknowledge_publish(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        publish: &Publish<'_>,
        code: ReasonCode,
    ) {
        let fault = self.fault;
        let Some(packet_id) = publish.packet_id else {
            if fault.is(Mutant::Qos0Acknowledged) {
                self.acknowledge(id, PacketType::Puback, PacketId::MIN, ReasonCode::SUCCESS);
            }
            return;
        };
        match publish.qos {
            Qos::ExactlyOnce if fault.is(Mutant::Qos2AnsweredWithPuback) => {
                self.acknowledge(id, PacketType::Puback, packet_id, code);
            }
            Qos::ExactlyOnce => {
                if !code.is_success() {
                    // The exchange is over, and the id free. [5.0/MQTT-4.3.3-9]
                    self.end_receiving(id, packet_id);
                    if fault.is(Mutant::RefusedQos2IdKept)
                        && let Some(state) = self.sessions.get_mut(session)
                    {
                        state.received.insert(packet_id, Received { held: None, expires_at: None });
                    }
                }
                if !fault.is(Mutant::PubrecMissing) {
                    self.acknowledge(id, PacketType::Pubrec, packet_id, code);
                }
            }
            _ if fault.is(Mutant::PubackMissing) => {}
            _ => self.acknowledge(id, PacketType::Puback, packet_id, code),
        }
    }

    fn end_receiving(&mut self, id: ConnectionId, packet_id: PacketId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.receiving.end(packet_id);
        }
    }

    /// PUBREL came: PUBCOMP is due even if the id is unknown. [3.1.1/MQTT-4.3.3-2] [5.0/MQTT-4.3.3-11]
    pub(crate) fn pubrel(&mut self, id: ConnectionId, session: SessionId, ack: &Ack<'_>) {
        let fault = self.fault;
        let Some(state) = self.sessions.get_mut(session) else {
            return;
        };
        let known = if fault.is(Mutant::Qos2IdNotReleased) {
            state.received.get_mut(&ack.packet_id).map(|r| Received { held: r.held.take(), expires_at: None })
        } else {
            state.received.remove(&ack.packet_id)
        };
        self.end_receiving(id, ack.packet_id);
        let code = match known {
            None if fault.is(Mutant::PubrelOfUnknownIdIgnored) => return,
            None => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
            Some(received) => {
                // Expired or not, the exchange goes on. [5.0/MQTT-4.3.3-13]
                let expired = received.expires_at.is_some_and(|end| end <= self.now);
                if expired && fault.is(Mutant::ExpiredQos2NotCompleted) {
                    return;
                }
                if let Some(message) = received.held {
                    self.distribute(message);
                }
                ReasonCode::SUCCESS
            }
        };
        if !fault.is(Mutant::PubcompMissing) {
            self.acknowledge(id, PacketType::Pubcomp, ack.packet_id, code);
        }
    }

    /// What faulty brokers take from a connection that has no session.
    pub(crate) fn distribute_unconnected(&mut self, publish: &Publish<'_>) {
        let message = self.message(publish.topic.into(), publish, "".into());
        self.distribute(message);
    }

    fn has_subscribers(&self, topic: &str) -> bool {
        let found = self.router.matches(topic, self.fault);
        !(found.plain.is_empty() && found.shared.is_empty())
    }

    /// Stores a message if it is to be retained, and hands it to every matching subscription
    /// [3.1.1/MQTT-4.5.0-1] [5.0/MQTT-4.5.0-1]. Tells whether there was one.
    pub(crate) fn distribute(&mut self, message: Message) -> bool {
        let fault = self.fault;
        self.distributed += 1;
        let lost = message.payload.is_empty() && fault.is(Mutant::EmptyPayloadDropped)
            || self.distributed.is_multiple_of(3) && fault.is(Mutant::EveryThirdMessageLost);
        if lost {
            return true;
        }
        let message = Arc::new(message);
        let limit = self.policy.max_retained_messages;
        if self.policy.retain_available
            && (message.payload.is_empty() || self.retained.has_room(&message.topic, limit, self.now))
        {
            self.retained.published(&message, self.policy.store_retained_qos0, fault);
            if message.retain && message.payload.is_empty() && fault.is(Mutant::EmptyRetainedNotDelivered) {
                return true;
            }
        }
        let mut found = self.router.matches(&message.topic, fault);
        // One group for each session, its subscriptions in their order.
        found.plain.sort_by_key(|(session, _)| *session);
        let mut reached = false;
        for group in found.plain.chunk_by(|a, b| a.0 == b.0) {
            reached |= self.deliver_to_session(&message, group);
        }
        for node in found.shared {
            reached |= self.deliver_to_shares(&message, node);
        }
        reached
    }

    fn deliver_to_session(&mut self, message: &Arc<Message>, group: &[(SessionId, Subscription)]) -> bool {
        let fault = self.fault;
        let Some(session) = group.first().and_then(|(id, _)| self.sessions.get(*id)) else {
            return false;
        };
        // [5.0/MQTT-3.8.3-3]
        let own = session.client_id == message.publisher && !fault.is(Mutant::NoLocalIgnored);
        let wanted: Vec<&Subscription> = group
            .iter()
            .map(|(_, subscription)| subscription)
            .filter(|wanted| !(own && (wanted.options.no_local || fault.is(Mutant::NoLocalAlways))))
            .collect();
        let to = group[0].0;
        let every_id = fault.is(Mutant::CopiesCarryEveryId);
        let adds = fault.is(Mutant::ResubscribeAdds);
        if wanted.len() > 1 && self.policy.overlap == Overlap::OneCopy && !every_id && !adds {
            let merged = merged(message, &wanted, fault);
            self.deliver(to, merged);
        } else {
            for subscription in &wanted {
                let mut copy = merged(message, &[subscription], fault);
                if every_id {
                    copy.identifiers = wanted.iter().filter_map(|s| s.identifier).collect();
                }
                self.deliver(to, copy);
            }
        }
        !wanted.is_empty()
    }

    /// One member of each share gets the message. [5.0 §4.8.2]
    fn deliver_to_shares(&mut self, message: &Arc<Message>, node: usize) -> bool {
        let fault = self.fault;
        let sessions = &self.sessions;
        let online = |id| sessions.get(id).is_some_and(|session| session.connection.is_some());
        let mut chosen = Vec::new();
        let served = if fault.is(Mutant::SharedGroupsMerged) { 1 } else { usize::MAX };
        for share in self.router.shares(node).take(served) {
            let first = share.members().first().map(|(_, subscription)| subscription.options.qos);
            if fault.is(Mutant::SharedDeliveredToAll) {
                chosen.extend(share.members().iter().map(|member| (*member, share.filter.clone())));
            } else if let Some((id, mut subscription)) = share.choose(online) {
                // The granted QoS of the member itself counts. [5.0/MQTT-4.8.2-3]
                if fault.is(Mutant::SharedAtQosOfFirstMember) {
                    subscription.options.qos = first.unwrap_or_default();
                }
                chosen.push(((id, subscription), share.filter.clone()));
            }
        }
        let reached = !chosen.is_empty();
        for ((to, subscription), filter) in chosen {
            let mut delivery = Delivery { share: Some(filter), ..merged(message, &[&subscription], fault) };
            if fault.is(Mutant::SharedIdsOfAllMembers) {
                let shares = self.router.shares(node);
                delivery.identifiers =
                    shares.flat_map(|share| share.members()).filter_map(|(_, own)| own.identifier).collect();
            }
            self.deliver(to, delivery);
        }
        reached
    }

    /// Gives a message that came by a Shared Subscription to another member, if there is one. [5.0 §4.8.2]
    pub(crate) fn share_again(&mut self, delivery: Delivery) {
        let sessions = &self.sessions;
        let online = |id| sessions.get(id).is_some_and(|session| session.connection.is_some());
        let Some(filter) = delivery.share else {
            return;
        };
        let share = self.router.share(Filter::new(&filter, Version::V5), self.fault);
        if let Some((to, subscription)) = share.and_then(|share| share.choose(online)) {
            let copy = merged(&delivery.message, &[&subscription], self.fault);
            self.deliver(to, Delivery { share: Some(filter), ..copy });
        }
    }
}

/// One copy of a message for these subscriptions of one session: the highest QoS among them, all their
/// Subscription Identifiers. [3.1.1/MQTT-3.3.5-1] [5.0/MQTT-3.3.4-2] [5.0/MQTT-3.3.4-3] [5.0/MQTT-3.3.4-4]
fn merged(message: &Arc<Message>, subscriptions: &[&Subscription], fault: Fault) -> Delivery {
    let granted = subscriptions.iter().map(|subscription| subscription.options.qos);
    let granted = if fault.is(Mutant::OverlapAtLowestQos) { granted.min() } else { granted.max() };
    // The flag goes on only where Retain As Published asks for it. [3.1.1/MQTT-3.3.1-9] [5.0/MQTT-3.3.1-12]
    // [5.0/MQTT-3.3.1-13]
    let as_published = subscriptions.iter().any(|s| s.options.retain_as_published)
        && !fault.is(Mutant::RetainAsPublishedIgnored)
        || fault.is(Mutant::RetainFlagOnLive);
    let mut identifiers: Vec<u32> = subscriptions.iter().filter_map(|s| s.identifier).collect();
    if fault.is(Mutant::SubscriptionIdsOnlyOne) {
        identifiers.truncate(1);
    }
    Delivery {
        message: message.clone(),
        qos: delivered_qos(message.qos, granted.unwrap_or_default(), fault),
        retain: message.retain && as_published,
        identifiers,
        share: None,
    }
}

/// The lower of the published and the granted QoS. [3.1.1/MQTT-3.8.4-6] [5.0/MQTT-3.8.4-8]
pub(crate) fn delivered_qos(published: Qos, granted: Qos, fault: Fault) -> Qos {
    match fault.0 {
        Some(Mutant::DeliveredAtGrantedQos) => granted,
        Some(Mutant::DeliveredAtPublishedQos) => published,
        Some(Mutant::DeliveredAtLowerQos) => match published.min(granted) {
            Qos::ExactlyOnce => Qos::AtLeastOnce,
            _ => Qos::AtMostOnce,
        },
        _ => published.min(granted),
    }
}
