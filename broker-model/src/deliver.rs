//! Messages to the Clients: sent, queued, sent again, acknowledged. [3.1.1 §4.3, §4.4] [5.0 §4.3, §4.4, §4.9]

use crate::alias::Use;
use crate::broker::{Broker, ConnectionId};
use crate::expiry;
use crate::flow;
use crate::inflight::{Delivery, Inflight, Stage};
use crate::mutant::Mutant;
use crate::policy::QueueFull;
use crate::router::Filter;
use crate::send::other_id;
use crate::session::SessionId;
use mqtt_assay_codec::{
    Ack, Packet, PacketId, PacketType, Properties, Property, PropertyList, Publish, Qos, ReasonCode, Version,
};

impl Broker {
    /// Sends a message to a session's Client, or lets it wait.
    pub(crate) fn deliver(&mut self, to: SessionId, delivery: Delivery) {
        let fault = self.fault;
        let Some(session) = self.sessions.get_mut(to) else {
            return;
        };
        let copies =
            if delivery.qos == Qos::ExactlyOnce && fault.is(Mutant::Qos2DeliveredTwice) { 2 } else { 1 };
        let Some(connection) = session.connection else {
            // QoS 0 need not wait. [3.1.1/MQTT-3.1.2-5] [5.0 §4.1]
            let waits = delivery.qos > Qos::AtMostOnce || self.policy.queue_qos0;
            if waits && !fault.is(Mutant::OfflineMessagesDropped) {
                self.enqueue(to, delivery);
            }
            return;
        };
        if delivery.qos == Qos::AtMostOnce {
            self.send_publish(connection, &delivery, None, false);
            return;
        }
        for _ in 0..copies {
            self.enqueue(to, delivery.clone());
        }
        self.pump(to);
    }

    fn enqueue(&mut self, to: SessionId, delivery: Delivery) {
        let limit = self.policy.max_queued_messages;
        let Some(session) = self.sessions.get_mut(to) else {
            return;
        };
        if session.queue.len() >= limit {
            // What has expired makes room first.
            session.queue.retain(|waiting| !waiting.message.expired(self.now));
        }
        if session.queue.len() >= limit {
            match self.policy.queue_full {
                QueueFull::DropOldest if limit > 0 => session.queue.pop_front(),
                _ => return,
            };
        }
        if self.fault.is(Mutant::QueueOrderReversed) {
            session.queue.push_front(delivery);
        } else {
            session.queue.push_back(delivery);
        }
    }

    /// A resumed session goes on where it was. [3.1.1/MQTT-4.4.0-1] [5.0/MQTT-4.4.0-1]
    pub(crate) fn resume(&mut self, id: SessionId) {
        if self.fault.is(Mutant::SubscriptionsLostOnResume) {
            self.forget_subscriptions(id);
        }
        if self.fault.is(Mutant::SharedSubscriptionsLostOnResume) {
            self.forget_shared_subscriptions(id);
        }
        if self.fault.is(Mutant::SubscriptionIdsLostOnResume) || self.fault.is(Mutant::NoLocalLostOnResume) {
            self.amend_subscriptions(id);
        }
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        match self.fault.0 {
            Some(Mutant::QueuedMessagesLostOnResume) => session.queue.clear(),
            Some(Mutant::InflightLostOnResume) => drop(session.inflight.drain()),
            Some(Mutant::Qos2ReceiptLostOnResume) => session.received.clear(),
            Some(Mutant::ConnackAfterQueuedMessages) => return,
            _ => {}
        }
        self.begin_resend(id);
    }

    /// Sends what is unacknowledged again, with the ids it has.
    pub(crate) fn begin_resend(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.resend = session.inflight.unacknowledged().into();
            if self.fault.is(Mutant::OrderReversedOnResume) {
                session.resend.make_contiguous().reverse();
            }
            self.pump(id);
        }
    }

    /// Only a faulty broker forgets the subscriptions of a session that lives.
    pub(crate) fn forget_subscriptions(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            for (filter, version) in core::mem::take(&mut session.filters) {
                self.router.unsubscribe(Filter::new(&filter, version), id, self.fault);
            }
        }
    }

    fn forget_shared_subscriptions(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (router, fault) = (&mut self.router, self.fault);
        session.filters.retain(|filter, version| {
            let filter = Filter::new(filter, *version);
            let keeps = filter.share_name.is_none();
            if !keeps {
                router.unsubscribe(filter, id, fault);
            }
            keeps
        });
    }

    fn amend_subscriptions(&mut self, id: SessionId) {
        let fault = self.fault;
        if let Some(session) = self.sessions.get(id) {
            for (filter, version) in &session.filters {
                self.router.amend(Filter::new(filter, *version), id, fault, |subscription| {
                    if fault.is(Mutant::NoLocalLostOnResume) {
                        subscription.options.no_local = false;
                    } else {
                        subscription.identifier = None;
                    }
                });
            }
        }
    }

    /// Whether the send quota of a session's connection is used up.
    pub(crate) fn out_of_quota(&self, id: ConnectionId, session: SessionId) -> bool {
        match (self.connections.get(&id), self.sessions.get(session)) {
            (Some(connection), Some(session)) => !flow::has_quota(connection, session, self.fault),
            _ => true,
        }
    }

    /// Sends what may be sent: first again, then anew, in order.
    pub(crate) fn pump(&mut self, id: SessionId) {
        while let Some(session) = self.sessions.get_mut(id) {
            let Some(connection) = session.connection else {
                return;
            };
            if let Some(&packet_id) = session.resend.front() {
                if !self.resend(connection, id, packet_id) {
                    return;
                }
                if let Some(session) = self.sessions.get_mut(id) {
                    session.resend.pop_front();
                }
                continue;
            }
            let Some(next) = session.queue.front() else {
                return;
            };
            let qos = next.qos;
            let started = session.inflight.len() >= usize::from(self.policy.max_inflight.max(1));
            if qos > Qos::AtMostOnce && (started || self.out_of_quota(connection, id)) {
                return;
            }
            let Some(delivery) = self.sessions.get_mut(id).and_then(|session| session.queue.pop_front())
            else {
                return;
            };
            if qos == Qos::AtMostOnce {
                self.send_publish(connection, &delivery, None, false);
            } else {
                self.start(connection, id, delivery);
            }
        }
    }

    /// Starts the delivery of a QoS 1 or 2 message.
    fn start(&mut self, connection: ConnectionId, session: SessionId, delivery: Delivery) {
        let fault = self.fault;
        let Some(packet_id) = self.sessions.get_mut(session).and_then(|s| s.inflight.free_id(fault)) else {
            return;
        };
        let dup =
            fault.is(Mutant::DupOnFirstDelivery) || fault.is(Mutant::DupPropagated) && delivery.message.dup;
        let sent = self.send_publish(connection, &delivery, Some(packet_id), dup);
        // A message that is too large counts as delivered. [5.0/MQTT-3.1.2-25]
        let forgotten = match delivery.qos {
            Qos::ExactlyOnce => fault.is(Mutant::Qos2ForgottenWhenSent),
            _ => fault.is(Mutant::Qos1ForgottenWhenSent),
        };
        let kept = sent && !forgotten || !sent && fault.is(Mutant::OversizedMessageKeepsQuota);
        if kept && let Some(state) = self.sessions.get_mut(session) {
            state.inflight.start(packet_id, delivery);
        }
        if sent && let Some(connection) = self.connections.get_mut(&connection) {
            connection.publishes += 1;
        }
    }

    /// Sends one unacknowledged packet again; `false` if it has to wait for the send quota.
    fn resend(&mut self, connection: ConnectionId, session: SessionId, mut packet_id: PacketId) -> bool {
        let fault = self.fault;
        let Some(sent) = self.sessions.get(session).and_then(|state| state.inflight.get(packet_id)) else {
            return true;
        };
        let (stage, on_wire, delivery) = (sent.stage, sent.on_wire, sent.delivery.clone());
        if stage == Stage::Release {
            // The PUBLISH is done with. [3.1.1/MQTT-4.3.3-1] [5.0/MQTT-4.3.3-6]
            if fault.is(Mutant::PublishResentAfterPubrel) {
                self.send_publish(connection, &delivery, Some(packet_id), true);
            }
            if !fault.is(Mutant::PubrelNotResent) {
                self.acknowledge(connection, PacketType::Pubrel, packet_id, ReasonCode::SUCCESS);
            }
            return true;
        }
        let waits = !on_wire && self.out_of_quota(connection, session);
        if waits && !fault.is(Mutant::ReceiveMaximumIgnoredOnResume) {
            return false;
        }
        if fault.is(Mutant::PacketIdChangedOnRedelivery)
            && let Some(state) = self.sessions.get_mut(session)
            && let Some(new) = state.inflight.free_id(fault)
        {
            state.inflight.rename(packet_id, new);
            packet_id = new;
        }
        // Once sent, a message does not expire. [5.0/MQTT-4.3.3-7]
        let dropped = fault.is(Mutant::ExpiryAppliedAfterPublish) && delivery.message.expired(self.now);
        let dup = !fault.is(Mutant::DupMissingOnRedelivery);
        let sent = !dropped && self.send_publish_again(connection, &delivery, packet_id, dup);
        if let Some(state) = self.sessions.get_mut(session) {
            if sent {
                state.inflight.resent(packet_id);
            } else {
                state.inflight.finish(packet_id);
            }
        }
        true
    }

    fn send_publish_again(
        &mut self,
        to: ConnectionId,
        delivery: &Delivery,
        packet_id: PacketId,
        dup: bool,
    ) -> bool {
        self.encode_publish(to, delivery, Some(packet_id), dup)
    }

    /// Sends a PUBLISH for the first time; `false` if it is discarded: expired or too large.
    fn send_publish(
        &mut self,
        to: ConnectionId,
        delivery: &Delivery,
        packet_id: Option<PacketId>,
        dup: bool,
    ) -> bool {
        // [5.0/MQTT-3.3.2-5]
        let expired = delivery.message.expired(self.now);
        if expired && !self.fault.is(Mutant::MessageExpiryIgnored) && !self.stale_retained(delivery) {
            return false;
        }
        self.encode_publish(to, delivery, packet_id, dup)
    }

    fn stale_retained(&self, delivery: &Delivery) -> bool {
        delivery.retain && self.fault.is(Mutant::RetainedNotExpired)
    }

    /// `false` if the packet would exceed the Client's Maximum Packet Size: it is discarded as if it had been
    /// sent. [5.0/MQTT-3.1.2-24] [5.0/MQTT-3.1.2-25]
    fn encode_publish(
        &mut self,
        to: ConnectionId,
        delivery: &Delivery,
        packet_id: Option<PacketId>,
        dup: bool,
    ) -> bool {
        let fault = self.fault;
        let Some(connection) = self.connections.get(&to) else {
            return false;
        };
        let version = connection.version;
        let maximum = connection.maximum_packet_size as usize;
        let message = &delivery.message;
        let slashed = fault.is(Mutant::TopicAltered).then(|| format!("{}/", message.topic));
        let topic = slashed.as_deref().unwrap_or(&message.topic);
        let publish = Publish {
            dup,
            qos: delivery.qos,
            retain: delivery.retain,
            topic,
            packet_id,
            properties: Properties::NONE,
            payload: &message.payload,
        };
        let plan = match version {
            Version::V5 => connection.outgoing_aliases.plan(&message.topic),
            _ => Use::Name,
        };
        let mut bytes = Vec::new();
        let mut used = plan;
        let mut fits =
            self.encode_with(&publish, delivery, version, plan, &mut bytes) && bytes.len() <= maximum;
        if !fits && plan != Use::Name {
            bytes.clear();
            used = Use::Name;
            fits = self.encode_with(&publish, delivery, version, used, &mut bytes) && bytes.len() <= maximum;
        }
        if !fits && !fault.is(Mutant::MaximumPacketSizeIgnored) {
            if fault.is(Mutant::OversizedMessageDisconnects) {
                self.doomed.push_back(to);
            }
            return false;
        }
        if let (Use::Set(alias), Some(connection)) = (used, self.connections.get_mut(&to)) {
            connection.outgoing_aliases.set(&delivery.message.topic, alias);
        }
        self.spoil_publish(&mut bytes, delivery.qos);
        self.transmit(to, bytes);
        true
    }

    fn encode_with(
        &self,
        publish: &Publish<'_>,
        delivery: &Delivery,
        version: Version,
        alias: Use,
        to: &mut Vec<u8>,
    ) -> bool {
        let mut properties = PropertyList::new();
        if version == Version::V5 {
            properties = self.publish_properties(delivery, alias);
        }
        let topic = if matches!(alias, Use::Alias(_)) { "" } else { publish.topic };
        let mut publish = Publish { topic, properties: properties.view(), ..*publish };
        if self.fault.is(Mutant::PacketIdAtQos0) && publish.qos == Qos::AtMostOnce {
            publish = Publish { qos: Qos::AtLeastOnce, packet_id: Some(PacketId::MIN), ..publish };
        }
        Packet::Publish(publish).encode(version, to).is_ok()
    }

    /// What travels with the message, and what this delivery adds.
    fn publish_properties(&self, delivery: &Delivery, alias: Use) -> PropertyList {
        let message = &delivery.message;
        let mut list = message.properties.clone();
        // What is left of the interval. [5.0/MQTT-3.3.2-6]
        if let Some((received, end)) = message.expiry.filter(|_| !self.fault.is(Mutant::MessageExpiryLost)) {
            let left = match self.fault.0 {
                Some(Mutant::MessageExpiryNotDecremented) => received,
                _ => expiry::seconds_left(self.now, end),
            };
            list.push(Property::MessageExpiryInterval(left));
        } else if self.fault.is(Mutant::MessageExpiryInvented) {
            list.push(Property::MessageExpiryInterval(60));
        }
        if let Use::Set(alias) | Use::Alias(alias) = alias {
            list.push(Property::TopicAlias(alias));
        }
        if !self.fault.is(Mutant::SubscriptionIdsMissing) {
            for &identifier in &delivery.identifiers {
                list.push(Property::SubscriptionIdentifier(identifier));
            }
        }
        if self.fault.is(Mutant::SubscriptionIdInvented) {
            list.push(Property::SubscriptionIdentifier(99_999));
        }
        list
    }

    /// What the encoder does not write, faulty brokers write by hand.
    fn spoil_publish(&self, bytes: &mut [u8], qos: Qos) {
        let header = 1 + bytes.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
        match (self.fault.0, qos) {
            (Some(Mutant::DupAtQos0), Qos::AtMostOnce) => bytes[0] |= 0b1000,
            (Some(Mutant::PacketIdAtQos0), Qos::AtMostOnce) => bytes[0] &= !0b0110,
            (Some(Mutant::QosBitsBothSet), Qos::ExactlyOnce) => bytes[0] |= 0b0110,
            (Some(Mutant::PacketIdZero), Qos::AtLeastOnce | Qos::ExactlyOnce) => {
                let length = usize::from(u16::from_be_bytes([bytes[header], bytes[header + 1]]));
                bytes[header + 2 + length..header + 4 + length].fill(0);
            }
            _ => {}
        }
    }

    /// PUBACK came: the delivery is over, accepted or refused. [5.0/MQTT-4.3.2-3] [5.0/MQTT-4.4.0-2]
    pub(crate) fn puback(&mut self, session: SessionId, ack: &Ack<'_>) {
        let started = self.sessions.get(session).and_then(|state| state.inflight.get(ack.packet_id));
        if started.is_some_and(|sent| sent.delivery.qos == Qos::AtLeastOnce) {
            self.finish(session, ack);
        }
    }

    /// PUBREC came: PUBREL is due, unless the Client refuses. [3.1.1/MQTT-4.3.3-1] [5.0/MQTT-4.3.3-4]
    pub(crate) fn pubrec(&mut self, connection: ConnectionId, session: SessionId, ack: &Ack<'_>) {
        let Some(state) = self.sessions.get_mut(session) else {
            return;
        };
        let started = state.inflight.get(ack.packet_id);
        let known = started.is_some_and(|sent| sent.delivery.qos == Qos::ExactlyOnce);
        if known && !ack.reason.is_success() {
            if self.fault.is(Mutant::RefusedDeliveryReleased) {
                self.acknowledge(connection, PacketType::Pubrel, ack.packet_id, ReasonCode::SUCCESS);
            }
            self.finish(session, ack);
        } else if known {
            state.inflight.release(ack.packet_id);
            // A PUBREC leaves the quota as it is. [5.0 §4.9]
            if self.fault.is(Mutant::QuotaReturnedAtPubrec) {
                state.inflight.return_quota(ack.packet_id);
            }
            for id in self.due_pubrels(session, ack.packet_id) {
                self.acknowledge(connection, PacketType::Pubrel, id, ReasonCode::SUCCESS);
            }
            self.pump(session);
        } else if state.version == Version::V5
            && ack.reason.is_success()
            && !self.fault.is(Mutant::PubrecOfUnknownIdIgnored)
        {
            let code = ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
            self.acknowledge(connection, PacketType::Pubrel, ack.packet_id, code);
        }
    }

    /// The PUBRELs to be sent when this PUBREC has come: its own. [3.1.1/MQTT-4.6.0-6]
    fn due_pubrels(&self, session: SessionId, id: PacketId) -> Vec<PacketId> {
        let inflight = self.sessions.get(session).map(|state| &state.inflight);
        match self.fault.0 {
            Some(Mutant::PubrelMissing) => Vec::new(),
            Some(Mutant::PubrelsInOrderOfIds) => inflight.map_or_else(Vec::new, Inflight::all_released),
            _ => vec![id],
        }
    }

    /// PUBCOMP came: the delivery is over.
    pub(crate) fn pubcomp(&mut self, session: SessionId, ack: &Ack<'_>) {
        let started = self.sessions.get(session).and_then(|state| state.inflight.get(ack.packet_id));
        if started.is_some_and(|sent| sent.stage == Stage::Release) {
            self.finish(session, &Ack { reason: ReasonCode::SUCCESS, ..*ack });
        }
    }

    fn finish(&mut self, session: SessionId, ack: &Ack<'_>) {
        let refused = !ack.reason.is_success();
        let ignored = refused && self.fault.is(Mutant::RefusedDeliveryResent);
        if ignored || self.fault.is(Mutant::FinalAcknowledgementIgnored) {
            return;
        }
        let over = self.sessions.get_mut(session).and_then(|state| state.inflight.finish(ack.packet_id));
        // What a member of a share refuses is nobody else's. [5.0/MQTT-4.8.2-6]
        if let Some(sent) = over
            && refused
            && self.fault.is(Mutant::SharedRefusalMoved)
        {
            self.share_again(sent.delivery);
        }
        self.pump(session);
    }
}

/// Another id than the Client expects, where a faulty broker answers a SUBSCRIBE.
pub(crate) fn confused(id: PacketId, confused: bool) -> PacketId {
    if confused { other_id(id) } else { id }
}
