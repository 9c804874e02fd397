//! What a client sends, entered into the ledger.

use super::{
    Asked, AskedWill, Attempt, ConnectionNo, Early, Ledger, Message, Origin, Request, SessionNo, Subscription,
};
use core::time::Duration;
use mqtt_assay_codec::{Connect, Disconnect, Packet, Publish, Subscribe, Unsubscribe, Version, topic};
use std::sync::Arc;

impl Ledger {
    pub(super) fn sent(&mut self, no: ConnectionNo, event: usize, packet: &Packet<'_>, bytes: &[u8]) {
        let at = self.now;
        if let Packet::Connect(connect) = packet {
            return self.connect(no, connect);
        }
        if let Packet::Disconnect(disconnect) = packet {
            self.connections[no.0].client_disconnect.get_or_insert((at, disconnect.reason));
        }
        match self[no].session {
            Some(session) => self.sent_in(no, session, event, at, packet),
            None => self.early.entry(no).or_default().push(Early { event, at, bytes: bytes.to_vec() }),
        }
    }

    /// A packet of a client whose session is known.
    pub(super) fn sent_in(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        event: usize,
        at: Duration,
        packet: &Packet<'_>,
    ) {
        let connection = &mut self.connections[no.0];
        let inbound = &mut self.sessions[session.0].inbound;
        if matches!(packet, Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubcomp(_)) {
            connection.acknowledged = Some(at);
        }
        match packet {
            Packet::Publish(publish) => self.published(no, session, event, at, publish),
            Packet::Puback(ack) | Packet::Pubrec(ack) => {
                let refused = !ack.reason.is_success();
                if refused || matches!(packet, Packet::Puback(_)) {
                    connection.unanswered.remove(&ack.packet_id);
                }
                if let Some(inbound) = inbound.get_mut(&ack.packet_id) {
                    inbound.answered.get_or_insert(at);
                    inbound.refused |= refused;
                }
            }
            Packet::Pubcomp(ack) => {
                connection.unanswered.remove(&ack.packet_id);
                if let Some(inbound) = inbound.get_mut(&ack.packet_id) {
                    inbound.completed.get_or_insert(at);
                }
            }
            Packet::Subscribe(subscribe) => self.subscribe(no, session, at, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(no, session, at, unsubscribe),
            Packet::Pingreq => connection.pings.push_back(at),
            Packet::Disconnect(disconnect) => self.disconnect(session, disconnect),
            _ => {}
        }
    }

    fn connect(&mut self, no: ConnectionNo, connect: &Connect<'_>) {
        let at = self.now;
        if self[no].asked.is_some() {
            // [3.1.1/MQTT-3.1.0-2] [5.0/MQTT-3.1.0-2]
            self.connections[no.0].offended.get_or_insert(at);
            return;
        }
        let will = connect.will.as_ref().map(|will| {
            let topic = self.intern(will.topic);
            let message = self.enter(Message {
                topic,
                payload: will.payload.to_vec(),
                origin: Origin::Will(no),
                publisher: connect.client_id.into(),
                qos: will.qos,
                retain: will.retain,
                properties: will.properties.into(),
                expiry: will.properties.message_expiry_interval(),
                ambiguous: false,
                attempts: Vec::new(),
                possible: Some(at),
                accepted: None,
                completed: None,
                followed: None,
                seen: None,
                refused: false,
            });
            AskedWill { message, delay: will.properties.will_delay_interval().unwrap_or(0) }
        });
        // An older session of this Client Identifier may end now: discarded, or with the connection that is
        // taken over. [3.1.1/MQTT-3.1.2-6] [5.0/MQTT-3.1.2-4] [5.0/MQTT-3.1.4-3]
        if let Some(old) = self.session_of(connect.client_id) {
            let old = &mut self.sessions[old.0];
            if connect.clean_start || old.expiry == 0 {
                old.possibly_gone = Some(old.possibly_gone.map_or(at, |gone| gone.min(at)));
            }
        }
        self.connections[no.0].asked = Some(Asked::new(at, connect, will));
    }

    fn published(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        event: usize,
        at: Duration,
        publish: &Publish<'_>,
    ) {
        let topic = match publish.properties.topic_alias() {
            Some(alias) if publish.topic.is_empty() => {
                let Some(topic) = self[no].aliases_up.get(&alias).cloned() else {
                    // [5.0 §3.3.2.3.4]
                    self.connections[no.0].offended.get_or_insert(at);
                    return;
                };
                topic
            }
            alias => {
                let topic = self.intern(publish.topic);
                if let Some(alias) = alias {
                    self.connections[no.0].aliases_up.insert(alias, Arc::clone(&topic));
                }
                topic
            }
        };
        let attempt = Attempt { connection: no, at, event, id: publish.packet_id, dup: publish.dup };
        if let Some(id) = publish.packet_id
            && let Some(&unfinished) = self[session].outbound.get(&id)
            && self[unfinished].topic == topic
            && self[unfinished].payload == publish.payload
        {
            self.messages[unfinished.0].attempts.push(attempt);
            return;
        }
        let publisher = Arc::clone(&self[session].client_id);
        let message = self.enter(Message {
            topic,
            payload: publish.payload.to_vec(),
            origin: Origin::Published(no),
            publisher,
            qos: publish.qos,
            retain: publish.retain,
            properties: publish.properties.into(),
            expiry: publish.properties.message_expiry_interval(),
            ambiguous: false,
            attempts: vec![attempt],
            possible: Some(at),
            accepted: None,
            completed: None,
            followed: None,
            seen: None,
            refused: false,
        });
        match publish.packet_id {
            Some(id) => drop(self.sessions[session.0].outbound.insert(id, message)),
            None => self.connections[no.0].unfollowed.push_back(message),
        }
    }

    fn subscribe(&mut self, no: ConnectionNo, session: SessionNo, at: Duration, subscribe: &Subscribe<'_>) {
        let v5 = self[no].version == Version::V5;
        let identifier = subscribe.properties.subscription_identifier();
        let list = &mut self.sessions[session.0].subscriptions;
        let mut made = Vec::new();
        for (place, asked) in subscribe.subscriptions.iter().enumerate() {
            let share = if v5 { topic::shared(asked.filter) } else { None };
            let filter: Arc<str> = asked.filter.into();
            let replaces = list
                .iter()
                .rposition(|old| old.filter == filter && old.ended.is_none() && old.refused.is_none());
            if let Some(old) = replaces {
                list[old].ending.get_or_insert(at);
            }
            made.push(Some(list.len()));
            list.push(Subscription {
                matches: share.map_or_else(|| Arc::clone(&filter), |share| share.filter.into()),
                filter,
                shared: share.is_some(),
                options: asked.options,
                identifier,
                on: no,
                place,
                asked: at,
                replaces,
                granted: None,
                refused: None,
                ending: None,
                ended: None,
                unsubscribed: None,
            });
        }
        let request = Request { at, subscribes: true, subscriptions: made };
        self.connections[no.0].requests.insert(subscribe.packet_id, request);
    }

    fn unsubscribe(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        at: Duration,
        unsubscribe: &Unsubscribe<'_>,
    ) {
        let list = &mut self.sessions[session.0].subscriptions;
        let mut ends = Vec::new();
        for filter in unsubscribe.filters.iter() {
            let found = list
                .iter()
                .rposition(|old| *old.filter == *filter && old.ended.is_none() && old.refused.is_none());
            if let Some(place) = found {
                list[place].ending.get_or_insert(at);
            }
            ends.push(found);
        }
        let request = Request { at, subscribes: false, subscriptions: ends };
        self.connections[no.0].requests.insert(unsubscribe.packet_id, request);
    }

    /// DISCONNECT may change the Session Expiry Interval. [5.0 §3.14.2.2.2]
    fn disconnect(&mut self, session: SessionNo, disconnect: &Disconnect<'_>) {
        if let Some(interval) = disconnect.properties.session_expiry_interval() {
            self.sessions[session.0].expiry_asked = interval;
        }
    }
}
