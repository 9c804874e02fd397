//! When a session is resumed, what is unacknowledged comes again.
//! PUBLISH and PUBREL [3.1.1/MQTT-4.4.0-1] [5.0/MQTT-4.4.0-1] [3.1.1/MQTT-4.3.2-1] [5.0/MQTT-4.3.2-3] [3.1.1/MQTT-4.3.3-1]
//! [5.0/MQTT-4.3.3-3] [5.0/MQTT-4.3.3-5]; though it has expired, at QoS 2 [5.0/MQTT-4.3.3-7]; though its subscription is over
//! [3.1.1/MQTT-3.10.4-3] [5.0/MQTT-3.10.4-3].
//!
//! Frees     PUBREL in place of a PUBLISH whose PUBREC may have come; at QoS 1 dropping what has expired, or giving the
//!           message of a Shared Subscription to another.
//! Unknown   when the connection did not last; while the Client leaves its Receive Maximum used up; what may be too large;
//!           in another version; after the broker has lost its memory.

use super::ledger::{Connection, ConnectionNo, Delivery, Inbound, Ledger, Session};
use super::{Cites, Fact, Findings, Rule, Seen, closing};
use core::time::Duration;
use mqtt_assay_codec::{PacketId, Qos};

const AT_QOS_1: Cites =
    Cites { v3_1_1: &["MQTT-4.4.0-1", "MQTT-4.3.2-1"], v5: &["MQTT-4.4.0-1", "MQTT-4.3.2-3"] };
const AT_QOS_2: Cites =
    Cites { v3_1_1: &["MQTT-4.4.0-1", "MQTT-4.3.3-1"], v5: &["MQTT-4.4.0-1", "MQTT-4.3.3-3"] };
const EXPIRED: Cites =
    Cites { v3_1_1: &["MQTT-4.4.0-1", "MQTT-4.3.3-1"], v5: &["MQTT-4.3.3-7", "MQTT-4.4.0-1"] };
const UNSUBSCRIBED: Cites =
    Cites { v3_1_1: &["MQTT-3.10.4-3", "MQTT-4.4.0-1"], v5: &["MQTT-3.10.4-3", "MQTT-4.4.0-1"] };
const PUBREL: Cites =
    Cites { v3_1_1: &["MQTT-4.4.0-1", "MQTT-4.3.3-1"], v5: &["MQTT-4.4.0-1", "MQTT-4.3.3-5"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Redelivery;

impl Rule for Redelivery {
    fn name(&self) -> &'static str {
        "redelivery"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        if !matches!(seen.fact, Fact::Ended(..) | Fact::Finished) {
            return;
        }
        for no in closing(seen, ledger) {
            let Some(session) = ledger[no].session.map(|session| &ledger[session]) else { continue };
            let resumed = session.connections.len() > 1 && session.connections.last() == Some(&no);
            if !resumed {
                continue;
            }
            for (id, inbound) in &session.inbound {
                let came = ledger[inbound.last].connection == no || inbound.released_on == Some(no);
                if !inbound.is_over() && !came {
                    missing(no, *id, inbound, session, ledger, found);
                }
            }
        }
    }
}

/// Nothing has come of an exchange on a connection that has resumed the session.
fn missing(
    no: ConnectionNo,
    id: PacketId,
    inbound: &Inbound,
    session: &Session,
    ledger: &Ledger,
    found: &mut Findings,
) {
    let connection = &ledger[no];
    let delivery = &ledger[inbound.last];
    let Some(served) = connection.served_since() else { return };
    if !session.is_clear() || ledger.forgotten().is_some_and(|at| at > delivery.at) {
        return found.unknown("the broker may have forgotten the message");
    }
    if ledger[delivery.connection].version != connection.version {
        return found.unknown("the session is resumed in another version");
    }
    if inbound.released.is_some() {
        if !ledger.waited_in_peace(no, served) {
            return found.unknown("the connection did not last");
        }
        let expected = format!("PUBREL {id} again, as no PUBCOMP has answered it");
        return found.accuse_of(connection.client, PUBREL, connection.version, expected, "nothing");
    }
    // What the client acknowledged last may have made room.
    let since = served.max(connection.acknowledged.unwrap_or_default());
    if !ledger.waited_in_peace(no, since) {
        return found.unknown("the connection did not last");
    }
    if !connection.unanswered.is_empty() {
        return found.unknown("the client has not acknowledged what came before");
    }
    // Also for a connection in between: what is too large for one is over.
    let since_then = session.connections.iter().rev().take_while(|no| **no != delivery.connection);
    if since_then.into_iter().any(|no| may_be_too_large(delivery, &ledger[*no], ledger)) {
        return found.unknown("the message may be too large for the client");
    }
    let qos_1 = delivery.qos == Qos::AtLeastOnce;
    let expired = expiry(delivery, ledger).is_some_and(|at| at <= since + ledger.bounds.promptness);
    if qos_1 && expired {
        return found.unknown("the message may have expired");
    }
    let shared = session.subscriptions.iter().any(|one| one.shared && one.matches(&delivery.topic));
    if qos_1 && shared {
        return found.unknown("another member of the Shared Subscription may have got the message");
    }
    let cites = if is_unsubscribed(delivery, session) {
        UNSUBSCRIBED
    } else if expired {
        EXPIRED
    } else if qos_1 {
        AT_QOS_1
    } else {
        AT_QOS_2
    };
    let expected = format!("PUBLISH {id} to {} again, as it is not acknowledged", delivery.topic);
    found.accuse_of(connection.client, cites, connection.version, expected, "nothing");
}

/// Whether a connection's Maximum Packet Size may keep the message from it.
fn may_be_too_large(delivery: &Delivery, connection: &Connection, ledger: &Ledger) -> bool {
    let limited = connection.asked.as_ref().is_some_and(|asked| asked.maximum_packet_size.is_some());
    let fits = |message| !connection.may_be_too_large(&ledger[message]);
    limited && !delivery.message.is_some_and(fits)
}

/// When the message's interval may be over.
fn expiry(delivery: &Delivery, ledger: &Ledger) -> Option<Duration> {
    ledger[delivery.message?].possibly_expired()
}

/// Whether every subscription that the message can have come for has been unsubscribed since.
fn is_unsubscribed(delivery: &Delivery, session: &Session) -> bool {
    let mut matching = session.subscriptions.iter().filter(|one| one.matches(&delivery.topic)).peekable();
    matching.peek().is_some() && matching.all(|one| one.unsubscribed.is_some() || one.refused.is_some())
}
