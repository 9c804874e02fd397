//! The CONNACK that accepts, and what it announces. [3.1.1 §3.2] [5.0 §3.2]

use crate::auth;
use crate::broker::{Broker, ConnectionId};
use crate::mutant::Mutant;
use crate::session::SessionId;
use mqtt_assay_codec::{
    Connack, Connect, Packet, PacketType, Properties, Property, PropertyList, Qos, ReasonCode, Version,
};

impl Broker {
    /// Sends the CONNACK that accepts, with what the Client has to know. [5.0 §3.2.2.3]
    pub(crate) fn welcome(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        present: bool,
        connect: &Connect<'_>,
        assigned: Option<&str>,
    ) {
        let mut required = PropertyList::new();
        let mut wanted = PropertyList::new();
        if connect.version == Version::V5 {
            required = self.required_announcements(session, connect, assigned);
            wanted = required.clone();
            self.announce_limits(&mut wanted);
        }
        let session_present = match self.fault.0 {
            Some(Mutant::SessionPresentAlways) => true,
            Some(Mutant::SessionPresentNever) => false,
            // 3.1 has no such flag. [3.1.1/MQTT-3.2.2-2] [5.0/MQTT-3.2.2-3]
            _ => present && connect.version != Version::V3_1,
        };
        let copies = match self.fault.0 {
            Some(Mutant::ConnackMissing) => 0,
            Some(Mutant::ConnackTwice) if connect.version == Version::V5 => 2,
            _ => 1,
        };
        for _ in 0..copies {
            self.send_connack(id, connect.version, session_present, &wanted, &required);
        }
        if self.fault.is(Mutant::PingreqSent) && connect.version == Version::V5 {
            self.transmit(id, vec![0xC0, 0]);
        }
        if self.fault.is(Mutant::AuthUnsolicited) && connect.version == Version::V5 {
            self.send_auth(id, ReasonCode::CONTINUE_AUTHENTICATION, auth::METHOD, None);
        }
    }

    /// What a CONNACK must carry, however small the Client's Maximum Packet Size is.
    fn required_announcements(
        &self,
        session: SessionId,
        connect: &Connect<'_>,
        assigned: Option<&str>,
    ) -> PropertyList {
        let policy = &self.policy;
        let mut list = PropertyList::new();
        let asked = connect.properties.session_expiry_interval().unwrap_or(0);
        let granted = self.sessions.get(session).map_or(asked, |session| session.expiry_interval);
        if granted != asked && !self.fault.is(Mutant::SessionExpiryOfFirstConnectionKept) {
            list.push(Property::SessionExpiryInterval(granted));
        }
        // [5.0/MQTT-3.2.2-9]
        if policy.max_qos < Qos::ExactlyOnce && !self.fault.is(Mutant::MaximumQosNotAnnounced) {
            list.push(Property::MaximumQos(policy.max_qos.as_u8()));
        }
        if !policy.retain_available {
            list.push(Property::RetainAvailable(false));
        }
        // [5.0/MQTT-3.1.3-7] [5.0/MQTT-3.2.2-16]
        if let Some(assigned) = assigned.filter(|_| !self.fault.is(Mutant::AssignedClientIdNotReturned)) {
            list.push(Property::AssignedClientIdentifier(assigned));
        }
        if !policy.wildcard_subscription_available {
            list.push(Property::WildcardSubscriptionAvailable(false));
        }
        if !policy.subscription_identifier_available {
            list.push(Property::SubscriptionIdentifierAvailable(false));
        }
        if !policy.shared_subscription_available {
            list.push(Property::SharedSubscriptionAvailable(false));
        }
        if let Some(keep_alive) = policy.server_keep_alive {
            list.push(Property::ServerKeepAlive(keep_alive));
        }
        // [5.0/MQTT-4.12.0-5] [5.0/MQTT-4.12.0-6]
        match connect.properties.authentication_method() {
            Some(_) if self.fault.is(Mutant::AuthenticationMethodMissing) => {}
            // Only a faulty broker gets here with a method that is not its own.
            Some(method) if method == auth::METHOD => {
                list.push(Property::AuthenticationMethod(method));
            }
            None if self.fault.is(Mutant::AuthenticationMethodUnasked) => {
                list.push(Property::AuthenticationMethod(auth::METHOD));
            }
            _ => {}
        }
        // Only if it was requested. [5.0/MQTT-3.1.2-28]
        let requested = connect.properties.request_response_information() == Some(true);
        if requested || self.fault.is(Mutant::ResponseInformationUnasked) {
            let text = policy.response_information.as_deref().unwrap_or("response");
            if requested && policy.response_information.is_none() {
                return list;
            }
            list.push(Property::ResponseInformation(text));
        }
        list
    }

    /// The limits that need not be told if there is no room: then they do not hold.
    fn announce_limits(&self, list: &mut PropertyList) {
        let policy = &self.policy;
        if policy.receive_maximum < u16::MAX {
            list.push(Property::ReceiveMaximum(policy.receive_maximum.max(1)));
        }
        if policy.max_packet_size < u32::MAX {
            list.push(Property::MaximumPacketSize(policy.max_packet_size.max(1)));
        }
        if policy.topic_alias_maximum > 0 {
            list.push(Property::TopicAliasMaximum(policy.topic_alias_maximum));
        }
    }

    pub(crate) fn send_connack(
        &mut self,
        id: ConnectionId,
        version: Version,
        session_present: bool,
        wanted: &PropertyList,
        required: &PropertyList,
    ) {
        let code = ReasonCode::SUCCESS;
        let flags_set = self.fault.is(Mutant::ConnackFlagsSet);
        let repeated = self.fault.is(Mutant::ConnackPropertyRepeated);
        let encode = |properties: Properties<'_>, version: Version, to: &mut Vec<u8>| {
            Packet::Connack(Connack { session_present, code, properties }).encode(version, to)?;
            if repeated && version == Version::V5 {
                let maximum = [0x21, 0, 10];
                to.splice(
                    ..,
                    [&[0x20, 9, u8::from(session_present), code.0, 6], &maximum[..], &maximum].concat(),
                );
            }
            // The flags are the first byte behind the fixed header.
            let flags = to.iter().skip(1).position(|byte| *byte < 0x80).and_then(|at| to.get_mut(at + 2));
            if flags_set && let Some(flags) = flags {
                *flags |= 0b10;
            }
            Ok(())
        };
        let mut whole = Vec::new();
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let fits = encode(wanted.view(), version, &mut whole).is_ok()
            && whole.len() <= connection.maximum_packet_size as usize;
        if !fits {
            connection.incoming_aliases.maximum = 0;
            connection.receiving.maximum = u16::MAX;
        }
        self.answer(id, PacketType::Connack, code, if fits { wanted } else { required }, encode);
    }
}
