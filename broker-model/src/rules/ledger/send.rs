//! What a client sends, entered into the ledger.

use super::{
    Asked, AskedWill, Attempt, ConnectionNo, Early, Inbound, Ledger, Message, MessageNo, Origin, Request,
    Session, SessionNo, Subscription,
};
use core::time::Duration;
use mqtt_assay_codec::{
    Connect, Disconnect, Packet, PacketId, Publish, Qos, Subscribe, Unsubscribe, Version, topic,
};
use std::sync::Arc;

impl Ledger {
    pub(super) fn sent(&mut self, no: ConnectionNo, event: usize, packet: &Packet<'_>, bytes: &[u8]) {
        let at = self.now;
        // Nothing may follow a DISCONNECT [5.0/MQTT-3.14.4-1] [3.1.1/MQTT-3.14.4-2], nor come before CONNECT
        // [3.1.1/MQTT-3.1.0-1] [5.0/MQTT-3.1.0-1].
        let connects = matches!(packet, Packet::Connect(_));
        if self[no].client_disconnect.is_some() || self[no].asked.is_none() && !connects {
            self.offend(no);
        }
        if let Packet::Connect(connect) = packet {
            return self.connect(no, connect);
        }
        if let Packet::Disconnect(disconnect) = packet {
            self.connections[no.0].client_disconnect.get_or_insert((at, disconnect.reason));
        }
        match self[no].session {
            Some(session) => self.sent_in(no, session, event, at, packet),
            None => {
                let message = match packet {
                    Packet::Publish(publish) if self[no].asked.is_some() => {
                        self.published_early(no, event, publish)
                    }
                    _ => None,
                };
                let bytes = bytes.to_vec();
                self.early.entry(no).or_default().push(Early { event, at, bytes, message });
            }
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
        match packet {
            Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubcomp(_) => connection.acknowledged = Some(at),
            Packet::Publish(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) => {
                connection.last_request = Some(at);
            }
            _ => {}
        }
        if let Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack) = packet
            && inbound.get(&ack.packet_id).is_none_or(Inbound::is_over)
        {
            connection.astray.insert(ack.packet_id, at);
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
                    let last = if inbound.qos == Qos::ExactlyOnce {
                        refused
                    } else {
                        matches!(packet, Packet::Puback(_))
                    };
                    if last {
                        inbound.ended.get_or_insert((no, at));
                    }
                }
            }
            Packet::Pubcomp(ack) => {
                connection.unanswered.remove(&ack.packet_id);
                if let Some(inbound) = inbound.get_mut(&ack.packet_id) {
                    inbound.completed.get_or_insert(at);
                    if inbound.qos == Qos::ExactlyOnce {
                        inbound.ended.get_or_insert((no, at));
                    }
                }
            }
            Packet::Pubrel(ack) => {
                if let Some(message) = self.sessions[session.0].outbound.get(&ack.packet_id) {
                    self.messages[message.0].released.get_or_insert((no, at));
                }
            }
            Packet::Pingreq => connection.pings.push_back(at),
            Packet::Subscribe(subscribe) => self.subscribe(no, session, at, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(no, session, at, unsubscribe),
            Packet::Disconnect(disconnect) => self.disconnect(no, session, disconnect),
            // [5.0/MQTT-4.12.0-7]
            Packet::Auth(_) if connection.asked.as_ref().is_some_and(|asked| !asked.authenticates) => {
                self.offend(no);
            }
            _ => {}
        }
    }

    fn connect(&mut self, no: ConnectionNo, connect: &Connect<'_>) {
        let at = self.now;
        if self[no].asked.is_some() {
            // [3.1.1/MQTT-3.1.0-2] [5.0/MQTT-3.1.0-2]
            return self.offend(no);
        }
        if connect.version != self[no].version {
            // Of an answer in another version this ledger would understand nothing.
            return self.offend(no);
        }
        self.contend(no, connect.client_id);
        self.tell_users_apart(no, connect);
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
                released: None,
                crossed: false,
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

    /// A Server may keep the sessions of several users apart, whatever Client Identifiers they have: which of them a CONNECT
    /// is about nothing tells.
    fn tell_users_apart(&mut self, no: ConnectionNo, connect: &Connect<'_>) {
        let Some(user) = connect.user_name.filter(|_| !connect.client_id.is_empty()) else { return };
        let (first, several) =
            self.users.entry(connect.client_id.into()).or_insert_with(|| (user.into(), false));
        *several |= **first != *user;
        self.connections[no.0].contended |= *several;
    }

    /// Two CONNECTs with one Client Identifier that are under way at one time contend for the session.
    fn contend(&mut self, no: ConnectionNo, client_id: &str) {
        let (now, promptness) = (self.now, self.bounds.promptness);
        let connections = &mut self.connections;
        self.greeting.retain(|other| {
            let other = &connections[other.0];
            let gone = other.ended.is_some_and(|end| !other.held && end.at + promptness < now);
            other.answered.is_none() && !gone
        });
        if client_id.is_empty() {
            return;
        }
        for &other in &self.greeting {
            if connections[other.0].asked.as_ref().is_some_and(|asked| *asked.client_id == *client_id) {
                connections[other.0].contended = true;
                connections[no.0].contended = true;
            }
        }
        self.greeting.push(no);
    }

    fn published(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        event: usize,
        at: Duration,
        publish: &Publish<'_>,
    ) {
        let Some(topic) = self.topic_of(no, publish) else { return };
        let attempt = Attempt { connection: no, at, event, id: publish.packet_id, dup: publish.dup };
        self.check_limits(no, session, publish);
        let mut crossed = false;
        if let Some(id) = publish.packet_id {
            if let Some(&unfinished) = self[session].outbound.get(&id) {
                if self[unfinished].is_repeated_by(&topic, publish) {
                    self.repeat(unfinished, attempt, publish);
                    self.publishes(no, id, unfinished);
                    return;
                }
                // [3.1.1/MQTT-2.3.1-2] [5.0/MQTT-2.2.1-3]
                self.offend(no);
            }
            crossed = self[session].inbound.get(&id).is_some_and(|inbound| !inbound.is_over());
        }
        let publisher = Arc::clone(&self[session].client_id);
        let message = self.enter_published(attempt, publisher, topic, publish);
        self.messages[message.0].crossed = crossed;
        self.take_up(no, session, message, publish.packet_id);
    }

    /// A message is sent again. The client may have altered it, as it must not: then the Server may have either.
    fn repeat(&mut self, no: MessageNo, attempt: Attempt, publish: &Publish<'_>) {
        let message = &mut self.messages[no.0];
        message.attempts.push(attempt);
        // Behind its PUBREL it may be a message of its own. [3.1.1/MQTT-4.3.3-1] [5.0/MQTT-4.3.3-6]
        message.ambiguous |= message.released.is_some() || !message.is_alike(publish);
        if publish.retain && !message.retain {
            message.retain = true;
            self.retained.entry(Arc::clone(&message.topic)).or_default().push(no);
        }
    }

    /// The topic of a client's PUBLISH, an alias resolved; `None` if there is no such alias.
    fn topic_of(&mut self, no: ConnectionNo, publish: &Publish<'_>) -> Option<Arc<str>> {
        match publish.properties.topic_alias() {
            Some(alias) if publish.topic.is_empty() => {
                let topic = self[no].aliases_up.get(&alias).cloned();
                if topic.is_none() {
                    // [5.0 §3.3.2.3.4]
                    self.offend(no);
                }
                topic
            }
            alias => {
                let topic = self.intern(publish.topic);
                if let Some(alias) = alias {
                    self.connections[no.0].aliases_up.insert(alias, Arc::clone(&topic));
                }
                Some(topic)
            }
        }
    }

    fn enter_published(
        &mut self,
        attempt: Attempt,
        publisher: Arc<str>,
        topic: Arc<str>,
        publish: &Publish<'_>,
    ) -> MessageNo {
        self.enter(Message {
            topic,
            payload: publish.payload.to_vec(),
            origin: Origin::Published(attempt.connection),
            publisher,
            qos: publish.qos,
            retain: publish.retain,
            properties: publish.properties.into(),
            expiry: publish.properties.message_expiry_interval(),
            ambiguous: false,
            possible: Some(attempt.at),
            attempts: vec![attempt],
            accepted: None,
            released: None,
            crossed: false,
            completed: None,
            followed: None,
            seen: None,
            refused: false,
        })
    }

    /// A message that was sent is now one of the session's.
    fn take_up(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        message: MessageNo,
        id: Option<mqtt_assay_codec::PacketId>,
    ) {
        match id {
            Some(id) => {
                self.sessions[session.0].outbound.insert(id, message);
                self.publishes(no, id, message);
            }
            None => self.connections[no.0].unfollowed.push_back(message),
        }
    }

    /// One more answer is to come. If there are some to come for another message, nobody knows which answer is whose.
    fn publishes(&mut self, no: ConnectionNo, id: PacketId, message: MessageNo) {
        let (of, answers) = self.connections[no.0].publishing.entry(id).or_insert((message, 0));
        let other = *of != message && *answers > 0;
        (*of, *answers) = (message, *answers + 1);
        if other {
            self.offend(no);
        }
    }

    /// A PUBLISH right behind CONNECT: nobody knows yet in which session. [3.1.1 §3.1.4] [5.0 §3.1.4]
    fn published_early(
        &mut self,
        no: ConnectionNo,
        event: usize,
        publish: &Publish<'_>,
    ) -> Option<MessageNo> {
        let topic = self.topic_of(no, publish)?;
        let attempt =
            Attempt { connection: no, at: self.now, event, id: publish.packet_id, dup: publish.dup };
        let asked = self[no].asked.as_ref()?;
        let publisher = Arc::clone(&asked.client_id);
        let resumed = if asked.clean_start { None } else { self.session_of(&publisher) };
        let unfinished =
            resumed.zip(publish.packet_id).and_then(|(session, id)| self[session].outbound.get(&id).copied());
        if let Some(unfinished) = unfinished.filter(|no| self[*no].is_repeated_by(&topic, publish)) {
            self.repeat(unfinished, attempt, publish);
            return Some(unfinished);
        }
        Some(self.enter_published(attempt, publisher, topic, publish))
    }

    /// CONNACK has told in which session an early message was sent.
    pub(super) fn adopt(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        message: MessageNo,
        publish: &Publish<'_>,
    ) {
        self.check_limits(no, session, publish);
        if let Some(id) = publish.packet_id {
            if self[session].outbound.get(&id).is_some_and(|other| *other != message) {
                // [3.1.1/MQTT-2.3.1-2] [5.0/MQTT-2.2.1-3]
                self.offend(no);
            }
            let crossed = self[session].inbound.get(&id).is_some_and(|inbound| !inbound.is_over());
            self.messages[message.0].crossed |= crossed;
        }
        self.messages[message.0].publisher = Arc::clone(&self[session].client_id);
        self.connections[no.0].last_request = Some(self.now);
        self.take_up(no, session, message, publish.packet_id);
    }

    /// What the Server's CONNACK has ruled out. [5.0 §3.2.2.3]
    fn check_limits(&mut self, no: ConnectionNo, session: SessionNo, publish: &Publish<'_>) {
        let connection = &self[no];
        let Some(answered) = connection.answered else { return };
        let alias = publish.properties.topic_alias();
        let id = publish.packet_id;
        if publish.qos > answered.maximum_qos
            || publish.retain && !answered.retain_available
            || alias.is_some_and(|alias| alias > answered.topic_alias_maximum)
            || id.is_some_and(|id| connection.requests.contains_key(&id))
            || id.is_some_and(|id| !self[session].outbound.contains_key(&id))
                && self[session].outbound.len() >= usize::from(answered.receive_maximum)
        {
            self.offend(no);
        }
    }

    fn subscribe(&mut self, no: ConnectionNo, session: SessionNo, at: Duration, subscribe: &Subscribe<'_>) {
        let v5 = self[no].version == Version::V5;
        let identifier = subscribe.properties.subscription_identifier();
        let doubled = self.check_request(no, session, subscribe.packet_id);
        if let Some(answered) = self[no].answered
            && (identifier.is_some() && !answered.identifiers_available
                || subscribe.subscriptions.iter().any(|asked| {
                    !answered.wildcards_available && topic::has_wildcard(asked.filter)
                        || !answered.shares_available && topic::shared(asked.filter).is_some()
                }))
        {
            self.offend(no);
        }
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
        let request = Request { at, subscribes: true, subscriptions: made, doubled };
        self.connections[no.0].requests.insert(subscribe.packet_id, request);
    }

    fn unsubscribe(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        at: Duration,
        unsubscribe: &Unsubscribe<'_>,
    ) {
        let doubled = self.check_request(no, session, unsubscribe.packet_id);
        let Session { subscriptions: list, unsubscribes, .. } = &mut self.sessions[session.0];
        let mut ends = Vec::new();
        for filter in unsubscribe.filters.iter() {
            unsubscribes.push((at, filter.into()));
            let found = list
                .iter()
                .rposition(|old| *old.filter == *filter && old.ended.is_none() && old.refused.is_none());
            if let Some(place) = found {
                list[place].ending.get_or_insert(at);
            }
            ends.push(found);
        }
        let request = Request { at, subscribes: false, subscriptions: ends, doubled };
        self.connections[no.0].requests.insert(unsubscribe.packet_id, request);
    }

    /// The Packet Identifier of a request must not be in use. [3.1.1/MQTT-2.3.1-2] [5.0/MQTT-2.2.1-3] Tells whether
    /// two requests have had it at once: then nobody knows what the session subscribes to.
    fn check_request(&mut self, no: ConnectionNo, session: SessionNo, id: PacketId) -> bool {
        let doubled = self[no].requests.contains_key(&id);
        if doubled {
            let now = self.now;
            self.sessions[session.0].doubt(now);
            self.connections[no.0].doubled.insert(id);
        }
        if doubled || self[session].outbound.contains_key(&id) {
            self.offend(no);
        }
        // The answers to the first two may be under way yet.
        self[no].doubled.contains(&id)
    }

    /// DISCONNECT may change the Session Expiry Interval. [5.0 §3.14.2.2.2] What comes behind it must not be sent
    /// [5.0/MQTT-3.14.4-1]: a Server may have read it, or not.
    fn disconnect(&mut self, no: ConnectionNo, session: SessionNo, disconnect: &Disconnect<'_>) {
        if let Some(interval) = disconnect.properties.session_expiry_interval() {
            let before = self[no].disconnect_expiry;
            let (least, most) = before.map_or((interval, interval), |_| self[session].expiry_asked);
            self.sessions[session.0].expiry_asked = (least.min(interval), most.max(interval));
            self.connections[no.0].disconnect_expiry = Some(least.min(interval));
            if self[no].raises_expiry() {
                self.offend(no);
            }
        }
    }
}
