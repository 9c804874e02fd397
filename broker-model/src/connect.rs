//! CONNECT: checked, refused or accepted; takeover, and the Client's DISCONNECT. [3.1.1 §3.1, §3.14]
//! [5.0 §3.1, §3.14]

use crate::auth;
use crate::broker::{Broker, ConnectionId};
use crate::connection::Phase;
use crate::mutant::Mutant;
use crate::session::{Session, SessionId};
use crate::will::{Ending, Will};
use core::time::Duration;
use mqtt_assay_codec::reason::return_code;
use mqtt_assay_codec::{
    Connack, Connect, Disconnect, Frame, Malformed, Offence, Packet, PacketType, PropertyList, ReasonCode,
    Version, frame,
};
use std::sync::Arc;

/// 3.1 limits Client Identifiers to this many characters.
const MAX_CLIENT_ID_OF_3_1: usize = 23;

impl Broker {
    /// The CONNECT of a new connection.
    pub(crate) fn connect(&mut self, id: ConnectionId, connect: &Connect<'_>, whole: Frame<'_>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let version = connect.version;
        connection.version = version;
        let properties = &connect.properties;
        // What the Client can take binds the refusal, too.
        connection.maximum_packet_size = properties.maximum_packet_size().unwrap_or(u32::MAX);
        connection.problem_information = properties.request_problem_information().unwrap_or(true);
        connection.method = properties.authentication_method().map(str::to_owned);
        // The frame was split before its version was known. [5.0/MQTT-1.5.5-1]
        if let Err(malformed) = frame::split(whole.bytes(), u32::MAX, version)
            && !self.fault.is(Mutant::PaddedLengthAccepted)
        {
            return self.refuse(id, malformed.reason());
        }
        if !self.policy.versions.contains(&version) {
            return self.refuse_version(id);
        }
        if self.fault.is(Mutant::MissingUserNameRefused) && ends_before_user_name(connect, whole) {
            return self.close(id, Ending::Error);
        }
        if let Err(code) = self.check_client_id(connect).and_then(|()| self.check_abilities(connect)) {
            return self.refuse(id, code);
        }
        match properties.authentication_method() {
            Some(auth::METHOD) if self.policy.challenge_secret.is_some() => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.phase = Phase::Authenticating(whole.bytes().to_vec());
                }
                self.challenge(id, auth::METHOD);
            }
            // [5.0/MQTT-4.12.0-1]
            Some(_) if !self.fault.is(Mutant::UnknownMethodAccepted) => {
                self.refuse(id, ReasonCode::BAD_AUTHENTICATION_METHOD);
            }
            _ => match self.check_credentials(connect) {
                Ok(()) => self.accept(id, connect),
                Err(code) => self.refuse(id, code),
            },
        }
    }

    fn check_client_id(&self, connect: &Connect<'_>) -> Result<(), ReasonCode> {
        let length = connect.client_id.len();
        let acceptable = match (length, connect.version) {
            (0, Version::V3_1) => self.fault.is(Mutant::EmptyClientIdAcceptedIn31),
            // 3.1.1 asks for Clean Session 1, 5.0 does not. [3.1.1/MQTT-3.1.3-8] [5.0/MQTT-3.1.3-6]
            (0, Version::V3_1_1)
                if !connect.clean_start
                    && !self.fault.is(Mutant::EmptyClientIdAcceptedWithoutCleanSession) =>
            {
                false
            }
            (0, _) => self.policy.assign_client_ids,
            (_, Version::V3_1)
                if connect.client_id.chars().count() > MAX_CLIENT_ID_OF_3_1
                    && !self.fault.is(Mutant::LongClientIdAcceptedIn31) =>
            {
                false
            }
            (length, _) => length <= self.policy.max_client_id_bytes,
        };
        let refused = length > 22 && self.fault.is(Mutant::ClientIdOf23BytesRefused)
            || length > 23 && self.fault.is(Mutant::LongClientIdRefusedAndKeptOpen);
        if acceptable && !refused { Ok(()) } else { Err(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID) }
    }

    /// What this broker cannot do for the Client, and the limit of its sessions.
    fn check_abilities(&self, connect: &Connect<'_>) -> Result<(), ReasonCode> {
        if let Some(will) = &connect.will {
            // [5.0/MQTT-3.2.2-12] [5.0/MQTT-3.2.2-13]
            if will.qos > self.policy.max_qos && !self.fault.is(Mutant::WillQosAboveMaximumAccepted) {
                return Err(ReasonCode::QOS_NOT_SUPPORTED);
            }
            if will.retain
                && !self.policy.retain_available
                && !self.fault.is(Mutant::WillRetainUnavailableAccepted)
            {
                return Err(ReasonCode::RETAIN_NOT_SUPPORTED);
            }
        }
        let existing = self.sessions.of(&self.key(connect.client_id));
        if existing.is_none() && self.sessions.len() >= self.policy.max_sessions {
            return Err(ReasonCode::QUOTA_EXCEEDED);
        }
        let connected = existing.and_then(|id| self.sessions.get(id)).is_some_and(|s| s.connection.is_some());
        if connect.keep_alive == 0 && self.fault.is(Mutant::KeepAliveZeroRefused) {
            return Err(ReasonCode::SERVER_UNAVAILABLE);
        }
        if connected && self.fault.is(Mutant::TakeoverRefused) {
            return Err(ReasonCode::SERVER_UNAVAILABLE);
        }
        Ok(())
    }

    fn check_credentials(&self, connect: &Connect<'_>) -> Result<(), ReasonCode> {
        let known = || {
            self.policy.credentials.iter().any(|credential| {
                connect.user_name == Some(&*credential.user_name)
                    && connect.password == Some(&*credential.password)
            })
        };
        match (connect.user_name, connect.password) {
            _ if self.fault.is(Mutant::CredentialsIgnored) => Ok(()),
            (None, Some(_)) if self.fault.is(Mutant::PasswordAloneRefusedAsMalformed) => {
                Err(ReasonCode::MALFORMED_PACKET)
            }
            (None, None) if self.policy.anonymous => Ok(()),
            (None, None) => Err(ReasonCode::NOT_AUTHORIZED),
            // Without a list there is nothing to check them against.
            _ if self.policy.credentials.is_empty() && self.policy.anonymous => Ok(()),
            _ if known() => Ok(()),
            _ => Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD),
        }
    }

    /// What a Client Identifier is looked up by.
    fn key(&self, client_id: &str) -> Arc<str> {
        if self.fault.is(Mutant::ClientIdCaseFolded) {
            client_id.to_lowercase().into()
        } else if self.fault.is(Mutant::ClientIdWidthsFolded) {
            client_id.chars().map(of_ordinary_width).collect::<String>().into()
        } else {
            client_id.into()
        }
    }

    /// Refuses a CONNECT: CONNACK with the code, then the end. [3.1.1/MQTT-3.2.2-5] [5.0/MQTT-3.2.2-7]
    pub(crate) fn refuse(&mut self, id: ConnectionId, code: ReasonCode) {
        let fault = self.fault;
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let version = connection.version;
        let kept_open = fault.is(Mutant::RefusedConnectKeptOpen)
            || code == ReasonCode::CLIENT_IDENTIFIER_NOT_VALID
                && fault.is(Mutant::LongClientIdRefusedAndKeptOpen);
        if code == ReasonCode::BAD_USER_NAME_OR_PASSWORD && fault.is(Mutant::BadCredentialsRefusedSilently) {
            return self.close(id, Ending::Error);
        }
        let client_id_refused = code == ReasonCode::CLIENT_IDENTIFIER_NOT_VALID && version != Version::V5;
        let code = match version {
            _ if fault.is(Mutant::ConnackCodeUnlisted) => Some(ReasonCode(0x7E)),
            Version::V5 => Some(code),
            _ if client_id_refused && fault.is(Mutant::EmptyClientIdRefusedSilently) => None,
            _ if client_id_refused && fault.is(Mutant::ClientIdRefusedWithWrongCode) => {
                Some(return_code::SERVER_UNAVAILABLE)
            }
            _ => code_before_5(code),
        };
        if let Some(code) = code {
            self.send_refusal(id, code);
        }
        if kept_open {
            return self.end_connection(id, Ending::Error);
        }
        match self.connections.get_mut(&id) {
            // It is closed when the bytes that came with the CONNECT are used up.
            Some(connection) if fault.is(Mutant::RefusedConnectStillServed) => {
                connection.phase = Phase::Refused;
            }
            _ => self.close(id, Ending::Error),
        }
    }

    fn send_refusal(&mut self, id: ConnectionId, code: ReasonCode) {
        if self.fault.is(Mutant::DisconnectBeforeConnack)
            && self.connections.get(&id).is_some_and(|connection| connection.version == Version::V5)
        {
            return self.transmit(id, vec![0xE0, 1, 0x80]);
        }
        // [3.1.1/MQTT-3.2.2-4] [5.0/MQTT-3.2.2-6]
        let session_present = self.fault.is(Mutant::ConnackRefusalWithSessionPresent);
        self.answer(id, PacketType::Connack, code, &PropertyList::new(), |properties, version, to| {
            Packet::Connack(Connack { session_present, code, properties }).encode(version, to)
        });
    }

    /// A protocol level that is not served: CONNACK 0x01 if some 3.1.1 is spoken [3.1.1/MQTT-3.1.2-2], otherwise
    /// CONNACK 0x84 [5.0/MQTT-3.1.2-2]: the Client will know one of them.
    fn refuse_version(&mut self, id: ConnectionId) {
        if self.fault.is(Mutant::ProtocolLevelRefusedSilently) {
            return self.close(id, Ending::Error);
        }
        let only_5 = self.policy.versions.iter().all(|version| *version == Version::V5);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.version = if only_5 { Version::V5 } else { Version::V3_1_1 };
        }
        let wrong = self.fault.is(Mutant::ProtocolLevelRefusedWithWrongCode);
        let code = if wrong { ReasonCode::NOT_AUTHORIZED } else { ReasonCode::UNSUPPORTED_PROTOCOL_VERSION };
        self.refuse(id, code);
    }

    /// A CONNECT that breaks the rules of its form. [3.1.1/MQTT-3.1.4-1] [5.0/MQTT-3.1.4-1]
    pub(crate) fn refuse_malformed_connect(&mut self, id: ConnectionId, malformed: Malformed) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.version = malformed.version;
        if self.fault.is(Mutant::MalformedConnectKeptOpen) {
            return self.end_connection(id, Ending::Error);
        }
        match (malformed.offence, malformed.version) {
            (Offence::ProtocolLevel, _) => self.refuse_version(id),
            // 3.1.1 sends nothing; a stranger's protocol name is no reason to speak MQTT.
            (_, Version::V5) => self.refuse(id, malformed.reason()),
            _ if self.fault.is(Mutant::MalformedConnectAnswered) => {
                self.refuse(id, ReasonCode::NOT_AUTHORIZED);
            }
            _ => self.close(id, Ending::Error),
        }
    }

    /// A second CONNECT is a protocol error. [3.1.1/MQTT-3.1.0-2] [5.0/MQTT-3.1.0-2]
    pub(crate) fn second_connect(&mut self, id: ConnectionId, connect: &Connect<'_>) {
        match self.fault.0 {
            Some(Mutant::SecondConnectIgnored) => {}
            Some(Mutant::SecondConnectAccepted) => {
                let version = connect.version;
                self.send_connack(id, version, false, &PropertyList::new(), &PropertyList::new());
            }
            _ => self.disconnect(id, ReasonCode::PROTOCOL_ERROR, Ending::Error),
        }
    }

    /// Accepts a CONNECT that has passed every check.
    pub(crate) fn accept(&mut self, id: ConnectionId, connect: &Connect<'_>) {
        let assigned = connect.client_id.is_empty().then(|| self.new_client_id());
        let client_id = self.key(assigned.as_deref().unwrap_or(connect.client_id));
        self.take_over(&client_id);
        let (session, present) = self.begin_session(&client_id, connect);
        self.enter_session(id, session, &client_id, connect);
        if self.fault.is(Mutant::ConnackAfterQueuedMessages) {
            self.begin_resend(session);
        }
        self.welcome(id, session, present, connect, assigned.as_deref());
        self.schedule_connection(id);
        if present {
            self.resume(session);
        }
    }

    fn new_client_id(&mut self) -> String {
        if self.fault.is(Mutant::AssignedClientIdNotUnique) {
            return "assigned".into();
        }
        // Not that of any other session. [5.0/MQTT-3.2.2-16]
        loop {
            let client_id = format!("assigned-{:016x}", self.random.next());
            if self.sessions.of(&client_id).is_none() {
                return client_id;
            }
        }
    }

    /// Disconnects who is connected with this Client Identifier. [3.1.1/MQTT-3.1.4-2] [5.0/MQTT-3.1.4-3]
    fn take_over(&mut self, client_id: &str) {
        let existing = self.sessions.of(client_id).and_then(|session| self.sessions.get(session));
        if let Some(old) = existing.and_then(|session| session.connection)
            && !self.fault.is(Mutant::TakeoverLeavesOldConnection)
        {
            self.disconnect(old, ReasonCode::SESSION_TAKEN_OVER, Ending::TakenOver);
        }
    }

    /// Resumes the session, or ends it and starts a new one; tells whether it was resumed.
    /// [3.1.1/MQTT-3.1.2-4] [3.1.1/MQTT-3.1.2-6] [5.0/MQTT-3.1.2-4] [5.0/MQTT-3.1.2-5] [5.0/MQTT-3.1.2-6]
    fn begin_session(&mut self, client_id: &Arc<str>, connect: &Connect<'_>) -> (SessionId, bool) {
        let clean = connect.clean_start && !self.fault.is(Mutant::SessionNotDiscardedOnCleanStart);
        if let Some(session) = self.sessions.of(client_id) {
            if !clean && !self.fault.is(Mutant::SessionNotResumed) {
                self.cancel_will(session);
                return (session, true);
            }
            self.end_session(session);
        }
        (self.sessions.insert(Session::new(client_id.clone(), connect.version)), false)
    }

    /// Ties connection and session together.
    fn enter_session(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        client_id: &Arc<str>,
        connect: &Connect<'_>,
    ) {
        let properties = &connect.properties;
        let v5 = connect.version == Version::V5;
        let expiry = match connect.version {
            Version::V5 => {
                properties.session_expiry_interval().unwrap_or(0).min(self.policy.max_session_expiry)
            }
            _ if connect.clean_start => 0,
            _ => self.policy.session_expiry_before_5,
        };
        let (Some(connection), Some(state)) = (self.connections.get_mut(&id), self.sessions.get_mut(session))
        else {
            return;
        };
        state.connection = Some(id);
        state.version = connect.version;
        if state.expiry_interval == 0 || !self.fault.is(Mutant::SessionExpiryOfFirstConnectionKept) {
            state.expiry_interval = expiry;
        }
        state.expires_at = None;
        connection.phase = Phase::Serving(session);
        connection.connect_expiry = expiry;
        let keep_alive = self.policy.server_keep_alive.unwrap_or(connect.keep_alive);
        let halves = if self.fault.is(Mutant::KeepAliveTripled) { 6 } else { 3 };
        connection.patience =
            (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 500 * halves));
        let kept = state.relics.receive_maximum.filter(|_| self.fault.is(Mutant::ReceiveMaximumKept));
        connection.receive_maximum = properties.receive_maximum().or(kept).unwrap_or(u16::MAX);
        state.relics.receive_maximum = Some(connection.receive_maximum);
        let allowed = match self.fault.0 {
            Some(Mutant::TopicAliasBeyondMaximum) => {
                properties.topic_alias_maximum().map_or(0, |maximum| maximum.saturating_add(1))
            }
            Some(Mutant::TopicAliasUnasked) if v5 => u16::MAX,
            _ => properties.topic_alias_maximum().unwrap_or(0),
        };
        connection.outgoing_aliases = core::mem::take(&mut state.relics.own_aliases);
        // [5.0/MQTT-3.1.2-26] [5.0/MQTT-3.1.2-27]
        connection.outgoing_aliases.maximum = allowed.min(self.policy.outgoing_topic_aliases);
        if v5 {
            connection.incoming_aliases.maximum = self.policy.topic_alias_maximum;
            connection.receiving.maximum = self.policy.receive_maximum;
            // A new connection starts without aliases. [5.0/MQTT-3.3.2-7]
            connection.incoming_aliases.topics = core::mem::take(&mut state.relics.aliases);
        }
        connection.will = connect.will.map(|will| Will::new(&will, client_id.clone(), self.fault));
        if connection.will.is_none() {
            connection.will = state.relics.last_will.take();
        }
        self.schedule_session(session);
    }

    /// The Client says goodbye. [3.1.1 §3.14.4] [5.0 §3.14.4]
    pub(crate) fn client_disconnects(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        packet: &Disconnect<'_>,
    ) {
        let (Some(connection), Some(state)) = (self.connections.get(&id), self.sessions.get_mut(session))
        else {
            return;
        };
        if let Some(interval) = packet.properties.session_expiry_interval() {
            // A session that was to end with its connection cannot be prolonged. [5.0 §3.14.2.2.2]
            let raised = connection.connect_expiry == 0 && interval > 0;
            if raised && !self.fault.is(Mutant::SessionExpiryRaisedFromZero) {
                return self.disconnect(id, ReasonCode::PROTOCOL_ERROR, Ending::Error);
            }
            if !self.fault.is(Mutant::SessionExpiryInDisconnectIgnored) {
                state.expiry_interval = interval.min(self.policy.max_session_expiry);
            }
        }
        let normal = packet.reason == ReasonCode::SUCCESS;
        let ending = if normal { Ending::Normal } else { Ending::Reason };
        if self.fault.is(Mutant::ClientDisconnectKeptOpen) {
            self.end_connection(id, ending);
        } else {
            self.close(id, ending);
        }
    }
}

/// Whether the flags of a 3.1 CONNECT promise a user name that is not there, which 3.1 allows. [3.1 §3.1]
fn ends_before_user_name(connect: &Connect<'_>, whole: Frame<'_>) -> bool {
    const FLAGS_AT: usize = 2 + "MQIsdp".len() + 1;
    let flags = whole.body().get(FLAGS_AT).copied().unwrap_or(0);
    connect.version == Version::V3_1 && flags & 0x80 != 0 && connect.user_name.is_none()
}

/// The ASCII letter or sign for one of full width, as what normalises text to compare it makes of it.
fn of_ordinary_width(c: char) -> char {
    const WIDENED_BY: u32 = 0xFEE0;
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - WIDENED_BY).unwrap_or(c),
        _ => c,
    }
}

/// The return code that fits, if one does; otherwise nothing is sent. [3.1.1/MQTT-3.2.2-6]
fn code_before_5(code: ReasonCode) -> Option<ReasonCode> {
    match code {
        ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => Some(return_code::UNACCEPTABLE_PROTOCOL_VERSION),
        ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => Some(return_code::IDENTIFIER_REJECTED),
        ReasonCode::SERVER_UNAVAILABLE | ReasonCode::QUOTA_EXCEEDED => Some(return_code::SERVER_UNAVAILABLE),
        ReasonCode::BAD_USER_NAME_OR_PASSWORD => Some(return_code::BAD_USER_NAME_OR_PASSWORD),
        ReasonCode::NOT_AUTHORIZED => Some(return_code::NOT_AUTHORIZED),
        _ => None,
    }
}
