//! SUBSCRIBE and UNSUBSCRIBE. [3.1.1 §3.8–3.11] [5.0 §3.8–3.11]

use crate::broker::{Broker, ConnectionId};
use crate::deliver::confused;
use crate::inflight::Delivery;
use crate::mutant::Mutant;
use crate::publish::delivered_qos;
use crate::router::{Filter, Subscription};
use crate::session::SessionId;
use crate::will::Ending;
use mqtt_assay_codec as codec;
use mqtt_assay_codec::{
    Packet, PacketId, PacketType, PropertyList, Qos, ReasonCode, RetainHandling, Suback, Subscribe, Unsuback,
    Unsubscribe, Version, topic,
};
use std::sync::Arc;

impl Broker {
    /// SUBSCRIBE came: each filter is handled in turn, one SUBACK answers them all. [3.1.1/MQTT-3.8.4-4]
    /// [5.0/MQTT-3.8.4-5]
    pub(crate) fn subscribe(&mut self, id: ConnectionId, session: SessionId, packet: &Subscribe<'_>) {
        let Some(version) = self.connections.get(&id).map(|connection| connection.version) else {
            return;
        };
        if let Some(code) = self.unavailable(packet, version) {
            return self.disconnect(id, code, Ending::Error);
        }
        if self.fault.is(Mutant::SubscribeReleasesQos2Id)
            && let Some(state) = self.sessions.get_mut(session)
        {
            state.received.remove(&packet.packet_id);
        }
        let identifier = packet.properties.subscription_identifier();
        let mut codes = Vec::new();
        let mut retained = Vec::new();
        for (place, wanted) in packet.subscriptions.iter().enumerate() {
            let skipped = place > 0 && self.fault.is(Mutant::OnlyFirstFilterSubscribed);
            let granted = if skipped {
                Ok(wanted.options.qos)
            } else {
                self.subscribe_to(session, version, wanted, identifier, &mut retained)
            };
            codes.push(match granted {
                Ok(_) if self.fault.is(Mutant::SubackCodeUnlisted) => 0x03,
                Ok(_) if self.fault.is(Mutant::SubackCodeNotGranted) => 0x00,
                Ok(_) if self.fault.is(Mutant::SubackGrantsMore) => 0x02,
                Ok(qos) => qos.as_u8(),
                // 3.1 has no way to tell. [3.1 §3.8]
                Err(_) if version == Version::V3_1 && !self.fault.is(Mutant::SubackFailureIn31) => {
                    wanted.options.qos.min(self.policy.max_granted_qos).min(self.policy.max_qos).as_u8()
                }
                // Before 5.0 one code says that a filter is refused. [3.1.1/MQTT-3.9.3-2]
                Err(_) if version != Version::V5 => 0x80,
                Err(code) => code.0,
            });
        }
        self.send_suback(id, packet.packet_id, codes);
        for delivery in retained {
            self.deliver(session, delivery);
        }
    }

    /// What the CONNACK has said is not to be used. [5.0 §3.2.2.3.11] [5.0 §3.2.2.3.12] [5.0 §3.2.2.3.13]
    fn unavailable(&self, packet: &Subscribe<'_>, version: Version) -> Option<ReasonCode> {
        let policy = &self.policy;
        let max_qos = policy.max_qos;
        let any =
            |test: &dyn Fn(&codec::Subscription<'_>) -> bool| packet.subscriptions.iter().any(|s| test(&s));
        if self.fault.is(Mutant::SubscribeAboveMaximumQosRefused) && any(&|s| s.options.qos > max_qos) {
            return Some(ReasonCode::QOS_NOT_SUPPORTED);
        }
        if version != Version::V5 {
            return None;
        }
        let identified = packet.properties.subscription_identifier().is_some();
        if identified && !policy.subscription_identifier_available {
            return Some(ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED);
        }
        if !policy.shared_subscription_available && any(&|s| topic::shared(s.filter).is_some()) {
            return Some(ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
        let wild = !policy.wildcard_subscription_available && any(&|s| topic::has_wildcard(s.filter));
        (wild && !self.fault.is(Mutant::WildcardUnavailableGranted))
            .then_some(ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED)
    }

    /// Handles one filter; gives the granted QoS.
    fn subscribe_to(
        &mut self,
        id: SessionId,
        version: Version,
        wanted: codec::Subscription<'_>,
        identifier: Option<u32>,
        retained: &mut Vec<Delivery>,
    ) -> Result<Qos, ReasonCode> {
        let fault = self.fault;
        let policy = &self.policy;
        let text = wanted.filter;
        let filter = Filter::new(text, version);
        let refused = self.refusal(id, text);
        if let Some(code) = refused.filter(|_| !fault.is(Mutant::RefusedFilterSubscribed)) {
            return Err(code);
        }
        // Less than asked for may be granted, and a limit must not be a reason to refuse. [5.0/MQTT-3.2.2-10]
        let granted = wanted.options.qos.min(policy.max_granted_qos).min(policy.max_qos);
        let mut options = wanted.options;
        options.qos = granted;
        let subscription = Subscription { options, identifier };
        let old = self.router.subscribe(filter, id, subscription, fault);
        if let Some(session) = self.sessions.get_mut(id) {
            session.filters.insert(text.into(), version);
            if old.is_some() && fault.is(Mutant::ResubscribeDropsQueue) {
                session.queue.clear();
            }
        }
        if self.sends_retained(filter, options.retain_handling, old.is_some()) {
            self.collect_retained(id, filter, subscription, retained);
        }
        refused.map_or(Ok(granted), Err)
    }

    fn refusal(&self, id: SessionId, text: &str) -> Option<ReasonCode> {
        let policy = &self.policy;
        let filters = self.sessions.get(id).map(|session| &session.filters)?;
        if policy.deny_subscribe.iter().any(|denied| denied == text) {
            return Some(ReasonCode::NOT_AUTHORIZED);
        }
        // 3.1.1 has no other way to refuse wildcards. [3.1.1/MQTT-3.8.3-2]
        if !policy.wildcard_subscription_available
            && topic::has_wildcard(text)
            && !self.fault.is(Mutant::WildcardUnavailableGranted)
        {
            return Some(ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
        let new = !filters.contains_key(text);
        let levels = text.bytes().filter(|byte| *byte == b'/').count() + 1;
        (new && filters.len() >= policy.max_subscriptions || levels > policy.max_filter_levels)
            .then_some(ReasonCode::QUOTA_EXCEEDED)
    }

    /// Whether a subscription is sent the retained messages. [3.1.1/MQTT-3.8.4-3] [5.0/MQTT-3.3.1-9]
    /// [5.0/MQTT-3.3.1-10] [5.0/MQTT-3.3.1-11]
    fn sends_retained(&self, filter: Filter<'_>, handling: RetainHandling, existed: bool) -> bool {
        // Shared Subscriptions get none. [5.0 §4.8.2]
        if filter.share_name.is_some() && !self.fault.is(Mutant::RetainedSentToSharedSubscription) {
            return false;
        }
        match handling {
            RetainHandling::Send => !(existed && self.fault.is(Mutant::RetainedNotSentAgain)),
            RetainHandling::SendIfNew if self.fault.is(Mutant::RetainHandling1NeverSends) => false,
            RetainHandling::SendIfNew => !existed || self.fault.is(Mutant::RetainHandling1AlwaysSends),
            RetainHandling::DoNotSend => self.fault.is(Mutant::RetainHandling2Sends),
        }
    }

    fn collect_retained(
        &mut self,
        id: SessionId,
        filter: Filter<'_>,
        subscription: Subscription,
        to: &mut Vec<Delivery>,
    ) {
        let fault = self.fault;
        let client_id: Option<Arc<str>> = self.sessions.get(id).map(|session| session.client_id.clone());
        for message in self.retained.matching(filter.levels, self.now, fault) {
            let own = client_id.as_ref() == Some(&message.publisher) && !fault.is(Mutant::NoLocalIgnored);
            if own && subscription.options.no_local {
                continue;
            }
            to.push(Delivery {
                qos: delivered_qos(message.qos, subscription.options.qos, fault),
                message,
                // [3.1.1/MQTT-3.3.1-8] [5.0 §3.3.1.3]
                retain: !fault.is(Mutant::RetainedFlagCleared),
                identifiers: subscription.identifier.into_iter().collect(),
                share: None,
            });
        }
    }

    /// [3.1.1/MQTT-3.8.4-1] [3.1.1/MQTT-3.8.4-2] [3.1.1/MQTT-3.9.3-1] and the same in 5.0.
    fn send_suback(&mut self, id: ConnectionId, packet_id: PacketId, mut codes: Vec<u8>) {
        let packet_id = confused(packet_id, self.fault.is(Mutant::SubackWrongId));
        match self.fault.0 {
            Some(Mutant::SubackMissing) => return,
            Some(Mutant::SubackCodesReversed) => codes.reverse(),
            Some(Mutant::SubackCodesShort) => codes.truncate(1),
            Some(Mutant::SubackForEachFilter) => {
                for code in codes {
                    self.send_codes(id, PacketType::Suback, packet_id, &[code]);
                }
                return;
            }
            _ => {}
        }
        self.send_codes(id, PacketType::Suback, packet_id, &codes);
    }

    fn send_codes(&mut self, id: ConnectionId, packet: PacketType, packet_id: PacketId, codes: &[u8]) {
        let worst = ReasonCode(codes.iter().copied().max().unwrap_or(0));
        let bare = self.fault.is(Mutant::SubackWithoutPropertyLength);
        self.answer(id, packet, worst, &PropertyList::new(), |properties, version, to| {
            if bare && packet == PacketType::Suback {
                return Packet::Suback(Suback { packet_id, properties, codes }).encode(Version::V3_1_1, to);
            }
            match packet {
                PacketType::Suback => Packet::Suback(Suback { packet_id, properties, codes }),
                _ => Packet::Unsuback(Unsuback { packet_id, properties, codes }),
            }
            .encode(version, to)
        });
    }

    /// UNSUBSCRIBE came: each filter in turn, and one UNSUBACK, also if nothing was deleted.
    /// [3.1.1/MQTT-3.10.4-5] [3.1.1/MQTT-3.10.4-6] [5.0/MQTT-3.10.4-5] [5.0/MQTT-3.10.4-6]
    pub(crate) fn unsubscribe(&mut self, id: ConnectionId, session: SessionId, packet: &Unsubscribe<'_>) {
        let Some(version) = self.connections.get(&id).map(|connection| connection.version) else {
            return;
        };
        let mut codes = Vec::new();
        for (place, text) in packet.filters.iter().enumerate() {
            let skipped = place > 0 && self.fault.is(Mutant::UnsubscribeOnlyFirstFilter);
            let existed = !skipped && self.unsubscribe_from(session, text, version);
            codes.push(match existed {
                true if self.fault.is(Mutant::UnsubackCodeUnlisted) => 0x01,
                true => ReasonCode::SUCCESS.0,
                false => ReasonCode::NO_SUBSCRIPTION_EXISTED.0,
            });
        }
        self.send_unsuback(id, packet.packet_id, codes);
    }

    fn send_unsuback(&mut self, id: ConnectionId, packet_id: PacketId, mut codes: Vec<u8>) {
        let packet_id = confused(packet_id, self.fault.is(Mutant::UnsubackWrongId));
        let nothing = codes.iter().all(|code| *code == ReasonCode::NO_SUBSCRIPTION_EXISTED.0);
        match self.fault.0 {
            Some(Mutant::UnsubackMissing) => return,
            Some(Mutant::UnsubackMissingForUnknownFilter) if nothing => return,
            Some(Mutant::UnsubackCodesReversed) => codes.reverse(),
            Some(Mutant::UnsubackCodesShort) => codes.truncate(1),
            Some(Mutant::UnsubackForEachFilter) => {
                for code in codes {
                    self.send_codes(id, PacketType::Unsuback, packet_id, &[code]);
                }
                return;
            }
            _ => {}
        }
        self.send_codes(id, PacketType::Unsuback, packet_id, &codes);
    }

    /// Removes the subscription whose filter is identical, character by character. [3.1.1/MQTT-3.10.4-1]
    /// [5.0/MQTT-3.10.4-1]
    fn unsubscribe_from(&mut self, id: SessionId, text: &str, version: Version) -> bool {
        let fault = self.fault;
        let Some(session) = self.sessions.get_mut(id) else {
            return false;
        };
        let mut removed: Vec<Arc<str>> = Vec::new();
        for own in session.filters.keys() {
            let whole_share = fault.is(Mutant::SharedUnsubscribeByFilter)
                && topic::shared(own).is_some_and(|shared| shared.filter == text);
            let matched = fault.is(Mutant::UnsubscribeMatches) && topic::matches(text, own);
            if &**own == text || whole_share || matched {
                removed.push(own.clone());
            }
        }
        if fault.is(Mutant::UnsubscribeIgnored) {
            return !removed.is_empty();
        }
        if fault.is(Mutant::UnsubscribeAbortsDelivery) {
            // Deliveries that have started go on. [3.1.1/MQTT-3.10.4-3] [5.0/MQTT-3.10.4-3]
            session.inflight.drain();
        }
        for own in &removed {
            let subscribed = session.filters.remove(own).unwrap_or(version);
            self.router.unsubscribe(Filter::new(own, subscribed), id, fault);
        }
        !removed.is_empty()
    }
}
