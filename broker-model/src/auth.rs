//! Enhanced authentication and re-authentication, with one simple method. [5.0 §4.12]

use crate::broker::{Broker, ConnectionId};
use crate::connection::Phase;
use crate::mutant::Mutant;
use crate::will::Ending;
use mqtt_assay_codec::{
    Auth, Decoder, Frame, Packet, PacketType, Property, PropertyList, ReasonCode, Receiver, Split, Version,
    frame,
};

/// The Authentication Method that the broker knows.
pub const METHOD: &str = "MQTT-ASSAY-CHALLENGE";

/// The Server's challenge.
pub(crate) type Nonce = [u8; 8];

/// The answer to a challenge: each byte of the nonce XOR the byte of the secret at the same place, the secret
/// repeated. It protects nothing: it lets a test show that the Server looks at the answer.
pub fn answer(nonce: &[u8], secret: &[u8]) -> Vec<u8> {
    let secret = if secret.is_empty() { &[0] } else { secret };
    nonce.iter().zip(secret.iter().cycle()).map(|(nonce, secret)| nonce ^ secret).collect()
}

impl Broker {
    /// Asks the Client for an answer to a new nonce. [5.0/MQTT-4.12.0-2]
    pub(crate) fn challenge(&mut self, id: ConnectionId, method: &str) {
        let nonce = self.random.next().to_be_bytes();
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.nonce = Some(nonce);
        }
        let code = match self.fault.0 {
            Some(Mutant::AuthContinueWithWrongCode) => ReasonCode::SUCCESS,
            _ => ReasonCode::CONTINUE_AUTHENTICATION,
        };
        self.send_auth(id, code, method, Some(&nonce));
    }

    /// Sends AUTH, always with the method of the CONNECT. [5.0/MQTT-4.12.0-5]
    pub(crate) fn send_auth(
        &mut self,
        id: ConnectionId,
        mut reason: ReasonCode,
        method: &str,
        data: Option<&[u8]>,
    ) {
        if self.fault.is(Mutant::AuthCodeUnlisted) {
            reason = ReasonCode(0x01);
        }
        let mut properties = PropertyList::new().with(Property::AuthenticationMethod(method));
        if let Some(data) = data {
            properties.push(Property::AuthenticationData(data));
        }
        self.answer(id, PacketType::Auth, reason, &properties, |properties, version, to| {
            Packet::Auth(Auth { reason, properties }).encode(version, to)
        });
    }

    /// AUTH came, before CONNACK or later.
    pub(crate) fn auth(&mut self, id: ConnectionId, auth: &Auth<'_>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let nonce = connection.nonce;
        let method = connection.method.clone();
        let phase = connection.phase.clone();
        let Some(method) = method else {
            // [5.0/MQTT-4.12.0-7]
            if !self.fault.is(Mutant::AuthFromClientIgnored) {
                self.disconnect(id, ReasonCode::PROTOCOL_ERROR, Ending::Error);
            }
            return;
        };
        let same_method = auth.properties.authentication_method() == Some(&*method)
            || self.fault.is(Mutant::ReauthenticationMethodChanged);
        let may_continue = auth.reason == ReasonCode::CONTINUE_AUTHENTICATION
            || self.fault.is(Mutant::AuthWrongReasonAccepted);
        match (phase, nonce) {
            // [5.0/MQTT-4.12.0-3] [5.0/MQTT-4.12.0-5] [5.0/MQTT-4.12.1-1]
            _ if !same_method => self.authentication_failed(id, ReasonCode::PROTOCOL_ERROR),
            (Phase::Serving(_), None) if auth.reason == ReasonCode::RE_AUTHENTICATE => {
                self.challenge(id, &method);
            }
            (phase, Some(nonce)) if may_continue => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.nonce = None;
                }
                if !self.is_answer(auth.properties.authentication_data(), nonce) {
                    self.authentication_failed(id, ReasonCode::NOT_AUTHORIZED);
                } else if let Phase::Authenticating(connect) = phase {
                    self.authenticated(id, &connect);
                } else {
                    self.send_auth(id, ReasonCode::SUCCESS, &method, None);
                }
            }
            _ => self.authentication_failed(id, ReasonCode::PROTOCOL_ERROR),
        }
    }

    fn is_answer(&self, data: Option<&[u8]>, nonce: Nonce) -> bool {
        let expected = self.policy.challenge_secret.as_ref().map(|secret| answer(&nonce, secret));
        self.fault.is(Mutant::AuthWrongAnswerAccepted) || data == expected.as_deref()
    }

    /// Before CONNACK the answer is CONNACK [5.0/MQTT-4.12.0-4], later DISCONNECT [5.0/MQTT-4.12.1-2].
    pub(crate) fn authentication_failed(&mut self, id: ConnectionId, code: ReasonCode) {
        match self.connections.get(&id).map(|connection| &connection.phase) {
            Some(Phase::Serving(_)) if self.fault.is(Mutant::ReauthenticationFailureKeptOpen) => {}
            Some(Phase::Serving(_)) => self.disconnect(id, code, Ending::Error),
            _ => self.refuse(id, code),
        }
    }

    /// The CONNECT that waited for the authentication is accepted.
    fn authenticated(&mut self, id: ConnectionId, connect: &[u8]) {
        let decoder = Decoder::new(Version::V5, Receiver::Server);
        let whole = |bytes| match frame::split(bytes, u32::MAX, Version::V5) {
            Ok(Split::Whole(frame)) => Some::<Frame<'_>>(frame),
            _ => None,
        };
        // It was decoded before: it cannot fail now.
        match whole(connect).map(|frame| decoder.decode(frame)) {
            Some(Ok(Packet::Connect(connect))) => self.accept(id, &connect),
            _ => self.refuse(id, ReasonCode::UNSPECIFIED_ERROR),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_repeats_the_secret() {
        assert_eq!(answer(&[1, 2, 3], &[0xF0, 0x0F]), [0xF1, 0x0D, 0xF3]);
        assert_eq!(answer(&[1, 2], &[]), [1, 2]);
    }
}
