//! What a client receives, entered into the ledger.

use super::{
    Answered, ConnectionNo, Delivery, DeliveryNo, Existed, Inbound, Ledger, NEVER, Session, SessionNo, Turn,
};
use core::time::Duration;
use mqtt_assay_codec::{Connack, Decoder, Packet, PacketId, Publish, Qos, ReasonCode, Receiver, Version};
use std::sync::Arc;

impl Ledger {
    /// Enters a packet; a PUBLISH in a session gives a delivery.
    pub(super) fn received(
        &mut self,
        no: ConnectionNo,
        event: usize,
        packet: &Packet<'_>,
    ) -> Option<DeliveryNo> {
        let at = self.now;
        match packet {
            Packet::Connack(connack) => self.connack(no, connack),
            Packet::Disconnect(disconnect) => {
                self.connections[no.0].server_disconnect.get_or_insert((at, disconnect.reason));
            }
            _ => {}
        }
        let session = self[no].session?;
        // On a connection that was taken over, an answer may be to what had its identifier before.
        let late = self.is_taken_over(no, session);
        match packet {
            Packet::Publish(publish) => return Some(self.delivered(no, session, event, publish)),
            Packet::Puback(ack) | Packet::Pubrec(ack) => {
                if let Some(&message) = self[session].outbound.get(&ack.packet_id).filter(|_| !late) {
                    self.answered = Some(message);
                    let sent = self[message].attempts.iter().find(|attempt| attempt.connection == no);
                    let sent = sent.map(|attempt| attempt.at);
                    // The refusal may be of another that had the identifier before, and no answer.
                    let several =
                        self[no].publishing.get(&ack.packet_id).is_some_and(|(_, answers)| *answers > 1);
                    let message = &mut self.messages[message.0];
                    match sent {
                        Some(_) if ack.reason.is_success() => drop(message.accepted.get_or_insert(at)),
                        Some(_) if several => message.ambiguous = true,
                        Some(_) => message.refused = true,
                        // Another client in the same session has used the identifier.
                        None => {}
                    }
                    if let Some(sent) = sent {
                        self.heard(no, sent);
                    }
                }
                if matches!(packet, Packet::Puback(_)) || !ack.reason.is_success() {
                    self.sessions[session.0].outbound.remove(&ack.packet_id);
                    self.connections[no.0].published(ack.packet_id);
                }
            }
            // It answers a PUBREL that was sent before the PUBLISH which has the identifier now.
            Packet::Pubcomp(ack) if self.is_unreleased(session, ack.packet_id) => {}
            Packet::Pubcomp(ack) => {
                self.connections[no.0].published(ack.packet_id);
                let message = self.sessions[session.0].outbound.remove(&ack.packet_id);
                if let Some(message) = message.filter(|_| !late) {
                    self.answered = Some(message);
                    let message = &mut self.messages[message.0];
                    if message.accepted.is_some() {
                        message.completed.get_or_insert(at);
                    }
                    if let Some((_, released)) = message.released.filter(|(on, _)| *on == no) {
                        self.heard(no, released);
                    }
                }
            }
            Packet::Pubrel(ack) => {
                if let Some(inbound) = self.sessions[session.0].inbound.get_mut(&ack.packet_id) {
                    inbound.released.get_or_insert(at);
                    inbound.released_on = Some(no);
                }
            }
            Packet::Suback(answer) => self.answered(no, session, true, answer.packet_id, answer.codes),
            Packet::Unsuback(answer) => self.answered(no, session, false, answer.packet_id, answer.codes),
            Packet::Pingresp => {
                let connection = &mut self.connections[no.0];
                connection.pongs.push(at);
                if let Some(sent) = connection.pings.pop_front() {
                    self.heard(no, sent);
                }
            }
            _ => {}
        }
        None
    }

    /// Whether another connection with the Client Identifier was accepted after this one.
    fn is_taken_over(&self, no: ConnectionNo, session: SessionNo) -> bool {
        let present = self.by_client_id.get(&self[session].client_id);
        present != Some(&session) || self[session].connections.last() != Some(&no)
    }

    /// Whether the client's message with this Packet Identifier waits for a PUBREL yet.
    fn is_unreleased(&self, session: SessionNo, id: PacketId) -> bool {
        self[session].outbound.get(&id).is_some_and(|message| self[*message].released.is_none())
    }

    fn connack(&mut self, no: ConnectionNo, connack: &Connack<'_>) {
        let at = self.now;
        let connection = &mut self.connections[no.0];
        let Some(asked) = &connection.asked else {
            if connection.offended.is_some() && Answered::new(at, connack).accepts() {
                self.stranger = true;
                self.sessions.iter_mut().for_each(|session| session.doubt(at));
            }
            return;
        };
        if connection.answered.is_some() {
            return;
        }
        let answered = Answered::new(at, connack);
        connection.answered = Some(answered);
        if !answered.accepts() {
            // Of what a refused client has sent nothing may be passed on. [3.1.1/MQTT-3.1.4-5] [5.0/MQTT-3.1.4-6]
            for message in self.early.remove(&no).into_iter().flatten().filter_map(|early| early.message) {
                self.disown(message);
            }
            return;
        }
        let (version, begun) = (connection.version, asked.at);
        let interval = answered.session_expiry.unwrap_or(asked.session_expiry);
        let client_id = match connack.properties.assigned_client_identifier() {
            Some(assigned) => assigned.into(),
            // 3.1.1 tells nobody which Client Identifier it has assigned: no other CONNECT can name it.
            None if asked.client_id.is_empty() => format!("\0{}", no.0).into(),
            None => Arc::clone(&asked.client_id),
        };
        let old = self.by_client_id.get(&client_id).copied();
        // 3.1 does not tell whether a session was there.
        let silent = connection.version == Version::V3_1 && !asked.clean_start && old.is_some();
        let contended = connection.contended || silent;
        let doubtful = answered.session_present && old.is_some_and(|old| self.may_be_another(no, old));
        let previous = old.map(|old| (old, self.existed(old, begun, contended)));
        self.connections[no.0].previous = previous;
        let session = match old {
            Some(old) if answered.session_present && !contended => old,
            _ => {
                if let Some(old) = old {
                    let old = &mut self.sessions[old.0];
                    old.possibly_gone = Some(old.possibly_gone.map_or(begun, |gone| gone.min(begun)));
                    if !contended {
                        old.certainly_gone = Some(old.certainly_gone.map_or(at, |gone| gone.min(at)));
                    }
                }
                let new = SessionNo(self.sessions.len());
                let foreign = answered.session_present || contended;
                self.sessions.push(Session::new(Arc::clone(&client_id), version, begun, foreign));
                self.by_client_id.insert(client_id, new);
                new
            }
        };
        let state = &mut self.sessions[session.0];
        state.connections.push(no);
        state.expiry = interval;
        state.expiry_asked = (interval, interval);
        state.possibly_gone = None;
        state.certainly_gone = None;
        // A CONNACK that was under way when the broker lost its memory.
        if let Some(forgotten) = self.forgotten.filter(|forgotten| *forgotten >= begun) {
            state.possibly_gone = Some(forgotten);
            state.doubt(forgotten);
        }
        if doubtful || answered.session_present && self.stranger {
            state.doubt(at);
        }
        self.connections[no.0].session = Some(session);
        self.heard(no, begun);
        // A Will is published in the name of an assigned Client Identifier.
        if let Some(will) = self[no].asked.as_ref().and_then(|asked| asked.will) {
            self.messages[will.message.0].publisher = Arc::clone(&self[session].client_id);
        }
        for early in self.early.remove(&no).unwrap_or_default() {
            let decoder = Decoder::new(version, Receiver::Server);
            let Ok(Some((packet, length))) = decoder.next(&early.bytes) else { continue };
            // [5.0/MQTT-3.2.2-15]
            if answered.maximum_packet_size.is_some_and(|limit| length > limit as usize) {
                self.offend(no);
            }
            if let (Packet::Publish(publish), Some(message)) = (&packet, early.message) {
                self.adopt(no, session, message, publish);
            } else {
                self.sent_in(no, session, early.event, early.at, &packet);
            }
        }
    }

    /// What is known of a session from a CONNECT's sending to the CONNACK, which is the present packet.
    fn existed(&self, no: SessionNo, asked: Duration, contended: bool) -> Existed {
        let (session, promptness) = (&self[no], self.bounds.promptness);
        // What began in a contention may not be what is left of it.
        if contended || session.foreign {
            return Existed::Possibly;
        }
        if session.certainly_gone.is_some_and(|at| at <= asked) {
            return Existed::No;
        }
        // Its client may be the last to learn that it is over.
        let last = &self[self.last_connection(no)];
        let unseen = last.unseen_since(self.now, promptness);
        let over = match session.expiry.min(session.expiry_asked.0) {
            NEVER => false,
            seconds => {
                let rest = Duration::from_secs(u64::from(seconds.saturating_sub(1)));
                last.is_open() && unseen + rest <= self.now
            }
        };
        if session.certainly(session.begun, self.now) && session.doubtful.is_none() && !over {
            Existed::Certainly
        } else {
            Existed::Possibly
        }
    }

    /// An answer shows that the Server has taken in what was sent on this connection up to `sent`.
    fn heard(&mut self, no: ConnectionNo, sent: Duration) {
        let at = self.now;
        let connection = &mut self.connections[no.0];
        connection.hear(sent);
        let before = |message: &super::Message| message.possible.is_some_and(|at| at < sent);
        while let Some(message) = connection.unfollowed.front().map(|message| &mut self.messages[message.0])
            && before(message)
        {
            message.followed = Some(at);
            connection.unfollowed.pop_front();
        }
    }

    /// Whether SUBSCRIBE or UNSUBSCRIBE was sent behind a CONNECT that has no answer.
    fn changes_subscriptions(&self, no: ConnectionNo) -> bool {
        let changes =
            |early: &super::Early| matches!(early.bytes.first().map(|first| first >> 4), Some(8 | 10));
        self.early.get(&no).is_some_and(|early| early.iter().any(changes))
    }

    /// Whether the session that the Server has resumed may be another than the one of this Client Identifier that
    /// is known: a CONNECT that had no answer may have ended that one and begun a new one.
    fn may_be_another(&self, no: ConnectionNo, known: SessionNo) -> bool {
        let session = &self[known];
        let last = self[self.last_connection(known)].asked.as_ref().map_or(self.now, |asked| asked.at);
        let gone = session.possibly_gone.is_some_and(|gone| gone <= self.now);
        self.connections.iter().enumerate().any(|(place, other)| {
            // It may come after what was sent later, if it was under way when its connection ended.
            let late = other.ended.is_none_or(|end| end.at + self.bounds.promptness > last);
            place != no.0
                && other.answered.is_none()
                && late
                && other.asked.as_ref().is_some_and(|asked| {
                    asked.client_id == session.client_id
                        && (gone
                            || asked.clean_start
                            || asked.session_expiry == 0
                            || self.changes_subscriptions(ConnectionNo(place)))
                })
        })
    }

    fn delivered(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        event: usize,
        publish: &Publish<'_>,
    ) -> DeliveryNo {
        let at = self.now;
        let alias = publish.properties.topic_alias();
        let topic = match alias {
            Some(alias) if publish.topic.is_empty() => {
                self[no].aliases_down.get(&alias).cloned().unwrap_or_else(|| "".into())
            }
            _ => self.intern(publish.topic),
        };
        if let Some(alias) = alias.filter(|_| !publish.topic.is_empty()) {
            self.connections[no.0].aliases_down.insert(alias, Arc::clone(&topic));
        }
        let message = self.marked(&topic, publish.payload);
        if let Some(message) = message.map(|message| &mut self.messages[message.0])
            && !message.ambiguous
        {
            message.seen.get_or_insert(at);
        }
        let number = DeliveryNo(self.deliveries.len());
        let mut turn = Turn::First;
        let late = self.is_taken_over(no, session);
        if let Some(id) = publish.packet_id {
            self.connections[no.0].delivers(id);
            if let Some(&own) = self[session].outbound.get(&id) {
                self.messages[own.0].crossed = true;
            }
            let before = self[session].inbound.get(&id).copied();
            let newer = late && before.is_some_and(|before| self[before.last].connection != no);
            let same = before.filter(|before| {
                let last = &self[before.last];
                before.qos == publish.qos
                    && last.topic == topic
                    && last.message == message
                    && (publish.dup || late || !before.is_over())
            });
            let inbound = match same {
                // It was sent before what has come on the newer connection.
                _ if newer => {
                    turn = same.map_or(Turn::First, |before| Turn::Again(before.last));
                    None
                }
                Some(before) => {
                    turn = Turn::Again(before.last);
                    Some(Inbound { last: number, ..before })
                }
                None => {
                    if let Some(before) = before.filter(|before| !before.is_over()) {
                        turn = Turn::Instead(before.last);
                    }
                    Some(Inbound {
                        first: number,
                        last: number,
                        qos: publish.qos,
                        answered: None,
                        refused: false,
                        released: None,
                        released_on: None,
                        completed: None,
                        ended: None,
                    })
                }
            };
            if let Some(inbound) = inbound {
                self.sessions[session.0].inbound.insert(id, inbound);
            }
        }
        let delivery = Delivery {
            event,
            at,
            connection: no,
            session,
            topic,
            message,
            stranger: message.is_none().then(|| publish.payload.to_vec()),
            qos: publish.qos,
            dup: publish.dup,
            retain: publish.retain,
            id: publish.packet_id,
            identifiers: publish.properties.subscription_identifiers().collect(),
            turn,
            late,
        };
        self.find_causes(&delivery);
        self.deliveries.push(delivery);
        number
    }

    /// SUBACK or UNSUBACK.
    fn answered(
        &mut self,
        no: ConnectionNo,
        session: SessionNo,
        subscribes: bool,
        id: PacketId,
        codes: &[u8],
    ) {
        let at = self.now;
        let connection = &mut self.connections[no.0];
        let version = connection.version;
        // An answer to the other kind answers nothing.
        if connection.requests.get(&id).is_none_or(|request| request.subscribes != subscribes) {
            return;
        }
        let Some(request) = connection.requests.remove(&id) else { return };
        self.heard(no, request.at);
        let session = &mut self.sessions[session.0];
        for (place, &subscription) in request.subscriptions.iter().enumerate() {
            let Some(subscription) = subscription else { continue };
            let code = codes.get(place).copied();
            if !request.subscribes {
                // Before 5.0 UNSUBACK carries no codes; 0x11 says that there was none.
                let gone = version != Version::V5 || code.is_some_and(|code| ReasonCode(code).is_success());
                if gone {
                    session.end(subscription, at);
                    session.subscriptions[subscription].unsubscribed = Some(place);
                }
                continue;
            }
            match code.map(|code| (Qos::from_u8(code), code)) {
                Some((Some(qos), _)) => {
                    session.subscriptions[subscription].granted = Some((at, qos));
                    if let Some(old) = session.subscriptions[subscription].replaces {
                        session.end(old, at);
                    }
                }
                Some(_) => session.subscriptions[subscription].refused = Some(at),
                // An answer that is too short says nothing of the rest.
                None => {}
            }
        }
        self.answered_request = Some(request);
    }
}
