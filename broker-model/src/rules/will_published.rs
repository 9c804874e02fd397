//! A Will is published when its connection ends without a DISCONNECT that removes it: the network connection was
//! lost, the Keep Alive ran out, the Server closed for an error, the Client connected again, or it said so itself.
//! [3.1.1/MQTT-3.1.2-8] [5.0/MQTT-3.1.2-8]; also when it tries to raise the Session Expiry Interval from 0
//! [5.0/U5-WILL-10]. With its delay, or at the session's end.
//!
//! Frees     Wills at QoS 0, and subscriptions at QoS 0; a Client that may have come back before the delay was over;
//!           a DISCONNECT that may have come, or is malformed; a broker that crashes, which may put Wills off.
//! Unknown   when another message has the same topic and payload; whether the Server knows of a silent death, without
//!           Keep Alive; when nobody who was subscribed was there long enough.

use super::doubt::came;
use super::ledger::{ConnectionNo, Ledger, SessionNo, Wait};
use super::{Cites, Fact, Findings, Rule, Seen};
use mqtt_assay_codec::{PacketType, Qos};
use std::collections::BTreeSet;

const PUBLISHED: Cites = Cites { v3_1_1: &["MQTT-3.1.2-8"], v5: &["MQTT-3.1.2-8"] };
const EXPIRY_RAISED: Cites = Cites { v3_1_1: &[], v5: &["U5-WILL-10"] };

/// See the module.
#[derive(Default, Debug)]
pub(super) struct WillPublished {
    /// Connections with a Will that have ended.
    owed: Vec<ConnectionNo>,
    /// The Will of which connection has come to which session, or need not.
    done: BTreeSet<(ConnectionNo, SessionNo)>,
    /// Connections on which a DISCONNECT was malformed.
    bad_goodbye: BTreeSet<ConnectionNo>,
}

impl Rule for WillPublished {
    fn name(&self) -> &'static str {
        "will_published"
    }

    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings) {
        match (seen.fact, seen.connection) {
            (Fact::SentMalformed(_, bytes), Some(no))
                if bytes.first().is_some_and(|first| first >> 4 == PacketType::Disconnect as u8) =>
            {
                self.bad_goodbye.insert(no);
            }
            (Fact::Ended(..), Some(no)) => {
                let connection = &ledger[no];
                let Some(session) = connection.session else { return };
                if connection.asked.as_ref().is_some_and(|asked| asked.will.is_some())
                    && !connection.says_goodbye()
                    && !self.bad_goodbye.contains(&no)
                {
                    self.owed.push(no);
                }
                self.settle(Some(session), ledger, found);
            }
            (Fact::Finished, _) => self.settle(None, ledger, found),
            _ => {}
        }
    }
}

impl WillPublished {
    fn settle(&mut self, of: Option<SessionNo>, ledger: &Ledger, found: &mut Findings) {
        for place in 0..self.owed.len() {
            let no = self.owed[place];
            let Some(due) = ledger.will_due(no) else {
                if of.is_none() {
                    found.unknown("the Will need not be published yet, or at all");
                }
                continue;
            };
            match of {
                Some(session) => self.settle_for(no, due, session, ledger, found),
                None => {
                    for (session, _) in ledger.sessions() {
                        self.settle_for(no, due, session, ledger, found);
                    }
                }
            }
        }
    }

    /// Whether a session has got the Will that it was subscribed to.
    fn settle_for(
        &mut self,
        no: ConnectionNo,
        due: super::ledger::WillDue,
        session: SessionNo,
        ledger: &Ledger,
        found: &mut Findings,
    ) {
        let connection = &ledger[no];
        let Some(will) = connection.asked.as_ref().and_then(|asked| asked.will) else { return };
        let message = &ledger[will.message];
        let until = due.by + ledger.bounds.promptness;
        if message.qos == Qos::AtMostOnce || until > ledger.now || self.done.contains(&(no, session)) {
            return;
        }
        let state = &ledger[session];
        let wanted = state.certain(&message.topic, due.from, until).any(|subscription| {
            let own = subscription.options.no_local && message.publisher == state.client_id;
            let granted = subscription.granted.is_some_and(|(_, qos)| qos > Qos::AtMostOnce);
            granted && !subscription.shared && !own
        });
        if !wanted || message.topic.starts_with('$') {
            return;
        }
        // Who was away might have got it if the Server had kept it.
        let there = ledger.last_connection(session);
        if ledger[there].answered.is_none_or(|answered| answered.at > due.from) {
            return;
        }
        let came = message.seen.is_some() || came(ledger, session, will.message, due.from);
        match ledger.overdue(session, will.message, due.from, due.by) {
            _ if came => found.decided(),
            _ if message.ambiguous => found.unknown("another message has the same topic and payload"),
            Wait::NotYet => return,
            Wait::Unknown(why) => found.unknown(why),
            Wait::Overdue => found.accuse_of(
                connection.client,
                if connection.raises_expiry() { EXPIRY_RAISED } else { PUBLISHED },
                connection.version,
                format!("the Will of {} on {}", message.publisher, message.topic),
                format!("it has not come to {}, which is subscribed", state.client_id),
            ),
        }
        self.done.insert((no, session));
    }
}
