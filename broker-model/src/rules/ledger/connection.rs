//! Connections as their clients saw them.

use super::{MessageNo, SessionNo};
use crate::history::{ClientNo, How, Side};
use core::time::Duration;
use mqtt_assay_codec::{Connack, Connect, PacketId, Properties, Qos, ReasonCode, Version};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Session Expiry Interval of a session that never expires. [5.0 §3.1.2.11.2]
pub const NEVER: u32 = u32::MAX;

/// What a CONNECT asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When it was sent.
    pub at: Duration,
    /// Client Identifier; empty: the Server is to assign one.
    pub client_id: Arc<str>,
    /// Clean Start; Clean Session before 5.0.
    pub clean_start: bool,
    /// In seconds.
    pub keep_alive: u16,
    /// Session Expiry Interval in seconds; before 5.0 0 or [`NEVER`] by Clean Session.
    pub session_expiry: u32,
    /// 65,535 if it is absent.
    pub receive_maximum: u16,
    /// None: no limit.
    pub maximum_packet_size: Option<u32>,
    /// 0 if it is absent.
    pub topic_alias_maximum: u16,
    /// False only if the client wants none.
    pub problem_information: bool,
    /// Whether the client asks for Response Information.
    pub response_information: bool,
    /// Whether there is an Authentication Method.
    pub authenticates: bool,
    /// The Authentication Method.
    pub method: Option<Arc<str>>,
    /// Whether there is a Password without a User Name.
    pub password_alone: bool,
    /// Its Will.
    pub will: Option<AskedWill>,
}

/// The Will of a CONNECT.
#[derive(Clone, Copy, Debug)]
pub struct AskedWill {
    /// The message that it will be.
    pub message: MessageNo,
    /// Will Delay Interval in seconds.
    pub delay: u32,
}

impl Asked {
    pub(super) fn new(at: Duration, connect: &Connect<'_>, will: Option<AskedWill>) -> Self {
        let p: &Properties<'_> = &connect.properties;
        let kept = if connect.clean_start { 0 } else { NEVER };
        Asked {
            at,
            client_id: connect.client_id.into(),
            clean_start: connect.clean_start,
            keep_alive: connect.keep_alive,
            session_expiry: match connect.version {
                Version::V5 => p.session_expiry_interval().unwrap_or(0),
                _ => kept,
            },
            receive_maximum: p.receive_maximum().unwrap_or(u16::MAX),
            maximum_packet_size: p.maximum_packet_size(),
            topic_alias_maximum: p.topic_alias_maximum().unwrap_or(0),
            problem_information: p.request_problem_information().unwrap_or(true),
            response_information: p.request_response_information().unwrap_or(false),
            authenticates: p.authentication_method().is_some(),
            method: p.authentication_method().map(Into::into),
            password_alone: connect.password.is_some() && connect.user_name.is_none(),
            will,
        }
    }
}

/// What a CONNACK answered.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// When it came.
    pub at: Duration,
    /// Return Code or Reason Code.
    pub code: ReasonCode,
    /// Session Present.
    pub session_present: bool,
    /// Session Expiry Interval, if the Server overrides it.
    pub session_expiry: Option<u32>,
    /// Server Keep Alive, if the Server overrides it.
    pub keep_alive: Option<u16>,
    /// The Server's Receive Maximum.
    pub receive_maximum: u16,
    /// Whether retained messages are kept.
    pub retain_available: bool,
    /// The Server's Maximum QoS.
    pub maximum_qos: Qos,
    /// The Server's Maximum Packet Size; `None`: no limit.
    pub maximum_packet_size: Option<u32>,
    /// The Server's Topic Alias Maximum.
    pub topic_alias_maximum: u16,
    /// Whether filters with wildcards may be subscribed.
    pub wildcards_available: bool,
    /// Whether SUBSCRIBE may carry a Subscription Identifier.
    pub identifiers_available: bool,
    /// Whether there are Shared Subscriptions.
    pub shares_available: bool,
}

impl Answered {
    /// Whether it accepts the connection: before 5.0, too, only 0x00 does.
    pub fn accepts(&self) -> bool {
        self.code == ReasonCode::SUCCESS
    }

    pub(super) fn new(at: Duration, connack: &Connack<'_>) -> Self {
        let p = &connack.properties;
        Answered {
            at,
            code: connack.code,
            session_present: connack.session_present,
            session_expiry: p.session_expiry_interval(),
            keep_alive: p.server_keep_alive(),
            receive_maximum: p.receive_maximum().unwrap_or(u16::MAX),
            retain_available: p.retain_available().unwrap_or(true),
            maximum_qos: p.maximum_qos().and_then(Qos::from_u8).unwrap_or(Qos::ExactlyOnce),
            maximum_packet_size: p.maximum_packet_size(),
            topic_alias_maximum: p.topic_alias_maximum().unwrap_or(0),
            wildcards_available: p.wildcard_subscription_available().unwrap_or(true),
            identifiers_available: p.subscription_identifier_available().unwrap_or(true),
            shares_available: p.shared_subscription_available().unwrap_or(true),
        }
    }
}

/// How a connection came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// When the client saw it, or did it.
    pub at: Duration,
    /// Whose doing it was.
    pub side: Side,
    /// How.
    pub how: How,
}

/// A SUBSCRIBE or UNSUBSCRIBE without an answer yet.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it was sent.
    pub at: Duration,
    /// SUBSCRIBE, not UNSUBSCRIBE.
    pub subscribes: bool,
    /// The session's subscriptions that a SUBSCRIBE made, in the order of its filters; for an UNSUBSCRIBE those
    /// that each filter ends, if the client has one.
    pub subscriptions: Vec<Option<usize>>,
    /// On its connection two requests have had its Packet Identifier at once.
    pub doubled: bool,
}

/// What is known of the session that was there when a CONNECT came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existed {
    /// It was there all the time from the CONNECT's sending to the CONNACK.
    Certainly,
    /// It was gone, or there was none that anybody of this history could have begun.
    No,
    /// It may have been there.
    Possibly,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whose.
    pub client: ClientNo,
    /// The client's first is 1.
    pub number: u32,
    /// What it speaks.
    pub version: Version,
    /// When it was there.
    pub opened: Option<Duration>,
    /// The CONNECT, once it was sent.
    pub asked: Option<Asked>,
    /// The CONNACK, once it came.
    pub answered: Option<Answered>,
    /// The session, once CONNACK has accepted the connection.
    pub session: Option<SessionNo>,
    /// The session of this Client Identifier before it, and whether it was still there; once CONNACK has accepted.
    pub previous: Option<(SessionNo, Existed)>,
    /// Another connection said CONNECT with the same Client Identifier while this one waited for its CONNACK, or the
    /// other way round: nobody knows which of them the Server took first. Or two users have it: they may have sessions of
    /// their own.
    pub contended: bool,
    /// The client's DISCONNECT: when, and its Reason Code.
    pub client_disconnect: Option<(Duration, ReasonCode)>,
    /// The Session Expiry Interval that the client's DISCONNECT asks for; the least, if several do.
    pub disconnect_expiry: Option<u32>,
    /// The Server's DISCONNECT.
    pub server_disconnect: Option<(Duration, ReasonCode)>,
    /// Its end.
    pub ended: Option<End>,
    /// When the client sent its last packet.
    pub last_sent: Option<Duration>,
    /// The longest time in which the client, served, had sent no packet, up to one that it then sent.
    pub silence: Option<(Duration, Duration)>,
    /// What the client had sent up to this time, the Server has read: an answer shows it.
    pub heard: Option<Duration>,
    /// When each PINGRESP came.
    pub pongs: Vec<Duration>,
    /// When each PINGREQ without an answer was sent.
    pub pings: VecDeque<Duration>,
    /// The client's messages of which answers are to come on this connection, and how many, by Packet Identifier.
    pub publishing: BTreeMap<PacketId, (MessageNo, u32)>,
    /// When the client sent its last PUBLISH, SUBSCRIBE or UNSUBSCRIBE, for which a Server might end the connection.
    pub last_request: Option<Duration>,
    /// When the client received its last packet.
    pub last_received: Option<Duration>,
    /// The client has sent something that a Server must refuse, or may take for an offence: since then.
    pub offended: Option<Duration>,
    /// Since when nothing has been held back; `None` while something is.
    pub free_since: Option<Duration>,
    /// The network holds back.
    pub(super) held: bool,
    /// When it began to hold back, or the client not to read, the last time or before; what came after the end of that
    /// may have been sent then.
    pub(super) hindered_since: Option<Duration>,
    /// The client does not read.
    pub(super) stalled: bool,
    /// QoS 0 messages behind which nothing was answered yet.
    pub(super) unfollowed: VecDeque<MessageNo>,
    /// When the client last sent PUBACK, PUBREC or PUBCOMP.
    pub acknowledged: Option<Duration>,
    /// How many bytes the client has written of a packet that is not whole yet, and that a Server may refuse already.
    pub unfinished: usize,
    /// SUBSCRIBEs and UNSUBSCRIBEs without an answer.
    pub requests: BTreeMap<PacketId, Request>,
    /// Packet Identifiers that two requests have had at once: which one an answer is for nothing tells from then on.
    pub doubled: BTreeSet<PacketId>,
    /// The client's PUBACKs, PUBRECs and PUBCOMPs that answered nothing it had read, and when it sent the last one: the
    /// Server may have sent what they fit.
    pub astray: BTreeMap<PacketId, Duration>,
    /// Topics behind the Topic Aliases that the client has set.
    pub aliases_up: BTreeMap<u16, Arc<str>>,
    /// Topics behind the Topic Aliases that the Server has set.
    pub aliases_down: BTreeMap<u16, Arc<str>>,
    /// QoS 1 and 2 PUBLISHes that came on this connection and that the client has not yet answered with PUBACK,
    /// PUBCOMP or a PUBREC that refuses: at least these the Server counts against its send quota. [5.0 §4.9]
    pub unanswered: BTreeSet<PacketId>,
    /// Those of them that a PUBACK, PUBREC or PUBCOMP may have answered that the client sent before they came.
    pub answered_ahead: BTreeSet<PacketId>,
}

impl Connection {
    pub(super) fn new(client: ClientNo, number: u32, version: Version) -> Self {
        Connection {
            client,
            number,
            version,
            opened: None,
            asked: None,
            answered: None,
            session: None,
            previous: None,
            contended: false,
            client_disconnect: None,
            disconnect_expiry: None,
            server_disconnect: None,
            ended: None,
            last_sent: None,
            silence: None,
            heard: None,
            pongs: Vec::new(),
            pings: VecDeque::new(),
            publishing: BTreeMap::new(),
            last_request: None,
            last_received: None,
            offended: None,
            free_since: None,
            held: false,
            hindered_since: None,
            stalled: false,
            unfollowed: VecDeque::new(),
            acknowledged: None,
            unfinished: 0,
            requests: BTreeMap::new(),
            doubled: BTreeSet::new(),
            astray: BTreeMap::new(),
            aliases_up: BTreeMap::new(),
            aliases_down: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            answered_ahead: BTreeSet::new(),
        }
    }

    /// A PUBLISH above QoS 0 has come. What the client has sent astray the Server may have read behind it.
    pub(super) fn delivers(&mut self, id: PacketId) {
        self.unanswered.insert(id);
        if self.astray.get(&id).is_some_and(|sent| self.heard.is_none_or(|heard| heard <= *sent)) {
            self.answered_ahead.insert(id);
        } else {
            self.answered_ahead.remove(&id);
        }
    }

    /// The last answer to a PUBLISH of the client's has come.
    pub(super) fn published(&mut self, id: PacketId) {
        if let Some((_, answers)) = self.publishing.get_mut(&id) {
            *answers -= 1;
            if *answers == 0 {
                self.publishing.remove(&id);
            }
        }
    }

    /// Whether packets can pass: opened, and not ended.
    pub fn is_open(&self) -> bool {
        self.opened.is_some() && self.ended.is_none()
    }

    /// Whether CONNACK has accepted it, and it has not ended.
    pub fn is_served(&self) -> bool {
        self.session.is_some() && self.ended.is_none()
    }

    /// Since when the client has been served with nothing held back; `None` while it is not.
    pub fn served_since(&self) -> Option<Duration> {
        let answered = self.answered.filter(Answered::accepts)?;
        Some(self.free_since?.max(answered.at))
    }

    /// Whether what was due at `since` was waited for long enough, up to `now` or to the connection's end: it was
    /// served, and nothing was held back, for this long since.
    pub fn waited(&self, since: Duration, promptness: Duration, now: Duration) -> bool {
        let until = self.ended.map_or(now, |end| end.at.min(now));
        self.served_since().is_some_and(|free| until >= free.max(since) + promptness)
    }

    /// The same for what is due whether or not CONNACK has come.
    pub fn waited_open(&self, since: Duration, promptness: Duration, now: Duration) -> bool {
        let until = self.ended.map_or(now, |end| end.at.min(now));
        self.free_since.is_some_and(|free| until >= free.max(since) + promptness)
    }

    /// The same, counted only as long as nothing was wrong: up to a DISCONNECT of either side, or a breach of the rules
    /// by the client.
    pub fn waited_in_peace(&self, since: Duration, promptness: Duration, now: Duration) -> bool {
        let disconnects = [self.client_disconnect, self.server_disconnect];
        let disconnected = disconnects.into_iter().flatten().map(|(at, _)| at);
        let now = disconnected.chain(self.offended).fold(now, Duration::min);
        self.waited(since, promptness, now)
    }

    /// Since when the Server may have sent nothing: from its last packet on, or since something is, or was shortly
    /// before that, held back.
    pub(super) fn silent_since(&self, now: Duration, promptness: Duration) -> Duration {
        let last = self.last_received.or(self.opened).unwrap_or(now);
        match (self.hindered_since, self.free_since) {
            (Some(hindered), Some(free)) if last <= free + promptness => last.min(hindered),
            (Some(hindered), None) => last.min(hindered),
            _ => last,
        }
    }

    /// Since when the connection may have been ended by the Server without the client's knowledge.
    pub(super) fn unseen_since(&self, now: Duration, promptness: Duration) -> Duration {
        let seeing = now.saturating_sub(promptness);
        let silent = self.silent_since(now, promptness);
        if self.free_since.is_some_and(|free| free <= seeing) { silent.max(seeing) } else { silent }
    }

    /// What the client sent at this time, and all before it, the Server has read.
    pub(super) fn hear(&mut self, sent: Duration) {
        self.heard = self.heard.max(Some(sent));
    }

    /// Whether the Server has read what the client sent at this time.
    pub fn has_heard(&self, sent: Duration) -> bool {
        self.heard.is_some_and(|heard| heard >= sent)
    }

    /// The client sends a packet.
    pub(super) fn sends(&mut self, at: Duration) {
        if let (Some(last), Some(answered)) = (self.last_sent, self.answered) {
            let since = last.max(answered.at);
            if self.silence.is_none_or(|(from, to)| to - from < at - since) {
                self.silence = Some((since, at));
            }
        }
        self.last_sent = Some(at);
    }

    /// One and a half times the Keep Alive; `None` without one. [3.1.1/MQTT-3.1.2-24] [5.0/MQTT-3.1.2-22]
    pub fn patience(&self) -> Option<Duration> {
        let keep_alive = self.keep_alive();
        (keep_alive > 0).then(|| Duration::from_millis(1_500 * u64::from(keep_alive)))
    }

    /// Whether the client has left the Server without a packet for so long that it may have ended the connection, if it
    /// saw the silence last longer by `slack`.
    pub fn may_have_timed_out(&self, slack: Duration) -> bool {
        let silence = self.silence.map_or(Duration::ZERO, |(from, to)| to - from);
        self.patience().is_some_and(|patience| silence + slack >= patience)
    }

    /// Whether a PUBLISH with the message may exceed the client's Maximum Packet Size: what the Server adds to it is
    /// not known. [5.0/MQTT-3.1.2-25]
    pub fn may_be_too_large(&self, message: &super::Message) -> bool {
        const ADDED_MAX: usize = 64;
        let size = message.topic.len()
            + message.payload.len()
            + message.properties.view().as_bytes().len()
            + ADDED_MAX;
        let limit = self.asked.as_ref().and_then(|asked| asked.maximum_packet_size);
        limit.is_some_and(|limit| size > limit as usize)
    }

    /// Whether its DISCONNECT raises the Session Expiry Interval from 0: a Server does not take it for a valid one.
    /// [5.0 §3.14.2.2.2]
    pub fn raises_expiry(&self) -> bool {
        self.disconnect_expiry.is_some_and(|interval| interval > 0)
            && self.asked.as_ref().is_some_and(|asked| asked.session_expiry == 0)
    }

    /// The Keep Alive that is in force, in seconds; 0: none. [5.0/MQTT-3.1.2-21]
    pub fn keep_alive(&self) -> u16 {
        let asked = self.asked.as_ref().map_or(0, |asked| asked.keep_alive);
        self.answered.and_then(|answered| answered.keep_alive).unwrap_or(asked)
    }
}
