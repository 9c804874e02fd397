//! The Will Message: when it is published, and when not. [3.1.1 §3.1.2.5] [5.0 §3.1.2.5]

use crate::broker::Broker;
use crate::expiry;
use crate::message::{self, Message};
use crate::mutant::{Fault, Mutant};
use crate::session::{PendingWill, SessionId};
use mqtt_assay_codec::{self as codec, Property, PropertyList, Qos};
use std::sync::Arc;

/// How a connection came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// DISCONNECT 0x00: the Will is dropped. [3.1.1/MQTT-3.14.4-3] [5.0/MQTT-3.14.4-3]
    Normal,
    /// DISCONNECT with another Reason Code. [5.0 §3.14.2.1]
    Reason,
    /// The network connection was lost.
    Lost,
    /// No packet for one and a half times the Keep Alive.
    KeepAlive,
    /// A malformed packet, a protocol error, or a limit.
    Error,
    /// The Client has connected again.
    TakenOver,
}

/// A Will Message as its CONNECT gave it.
#[derive(Clone, Debug)]
pub(crate) struct Will {
    topic: Arc<str>,
    payload: Vec<u8>,
    qos: Qos,
    retain: bool,
    properties: PropertyList,
    /// Will Delay Interval in seconds.
    delay: u32,
    /// Message Expiry Interval in seconds: it starts with the publication. [5.0 §3.1.3.2.4]
    expiry: Option<u32>,
    client_id: Arc<str>,
}

impl Will {
    pub(crate) fn new(will: &codec::Will<'_>, client_id: Arc<str>, fault: Fault) -> Self {
        let mut properties = message::forwarded(will.properties, fault);
        if fault.is(Mutant::WillPropertiesLost) {
            properties = PropertyList::new();
        }
        if fault.is(Mutant::WillUserPropertiesReordered) {
            let (pairs, others): (Vec<_>, Vec<_>) =
                properties.view().iter().partition(|property| matches!(property, Property::UserProperty(_)));
            properties = others.into_iter().chain(pairs.into_iter().rev()).collect();
        }
        Will {
            topic: will.topic.into(),
            payload: if fault.is(Mutant::WillPayloadEmpty) { Vec::new() } else { will.payload.to_vec() },
            qos: if fault.is(Mutant::WillAtQos0) { Qos::AtMostOnce } else { will.qos },
            retain: (will.retain || fault.is(Mutant::WillAlwaysRetained))
                && !fault.is(Mutant::WillRetainIgnored),
            properties,
            delay: will.properties.will_delay_interval().unwrap_or(0),
            expiry: will.properties.message_expiry_interval(),
            client_id,
        }
    }
}

impl Broker {
    /// Decides what becomes of the Will of a connection that has ended.
    pub(crate) fn settle_will(&mut self, session: SessionId, will: Will, ending: Ending) {
        let fault = self.fault;
        let dropped = match ending {
            Ending::Normal => !fault.is(Mutant::WillPublishedOnNormalDisconnect),
            Ending::Reason => fault.is(Mutant::WillLostOnDisconnectWithReason),
            Ending::Lost => fault.is(Mutant::WillLostOnConnectionLoss),
            Ending::KeepAlive => fault.is(Mutant::WillLostOnKeepAliveTimeout),
            Ending::Error => fault.is(Mutant::WillLostOnProtocolError),
            Ending::TakenOver => fault.is(Mutant::WillLostOnTakeover),
        };
        if dropped || fault.is(Mutant::WillNeverPublished) {
            return;
        }
        let Some(state) = self.sessions.get_mut(session) else {
            return;
        };
        if fault.is(Mutant::WillKeptForNextConnection) {
            state.relics.last_will = Some(will.clone());
        }
        let late = if fault.is(Mutant::WillPublishedLate) { 7 } else { 0 };
        if will.delay.saturating_add(late) == 0 || fault.is(Mutant::WillDelayIgnored) {
            self.wills.push_back(will);
            return;
        }
        // The delay ends early with the session. [5.0/MQTT-3.1.2-8]
        let due = expiry::at(self.now, will.delay.saturating_add(late));
        state.will = Some(PendingWill { will, due });
    }

    /// The Client has come back before its Will was due. [5.0/MQTT-3.1.3-9]
    pub(crate) fn cancel_will(&mut self, session: SessionId) {
        if !self.fault.is(Mutant::WillNotCancelledByResume)
            && let Some(state) = self.sessions.get_mut(session)
        {
            state.will = None;
        }
    }

    /// Publishes the Wills that are due.
    pub(crate) fn publish_wills(&mut self) {
        while let Some(will) = self.wills.pop_front() {
            if !self.may_publish(&will.topic) {
                continue;
            }
            let now = self.now;
            let copies = if self.fault.is(Mutant::WillPublishedTwice) { 2 } else { 1 };
            // It has not begun to run before. [5.0 §3.1.3.2.4]
            let spent = if self.fault.is(Mutant::WillExpiryIncludesDelay) { will.delay } else { 0 };
            for _ in 0..copies {
                let will = will.clone();
                self.distribute(Message {
                    topic: will.topic,
                    payload: will.payload,
                    qos: will.qos,
                    retain: will.retain,
                    properties: will.properties,
                    expiry: will
                        .expiry
                        .map(|seconds| (seconds, expiry::at(now, seconds.saturating_sub(spent)))),
                    publisher: will.client_id,
                    dup: false,
                });
            }
        }
    }
}
