//! Judges: each rule knows one promise of the specifications, watches a [`History`] and accuses.
//!
//! A rule accuses only what contradicts a statement under every freedom that the specification leaves. What a
//! history does not decide it counts as *unknown*, with the reason. All rules look at the same [`Ledger`], which
//! keeps what the clients saw in the specification's own terms: connections, sessions, subscriptions, messages,
//! deliveries. The observer does not see inside the Server: between the sending of a packet and its answer
//! everything is possible, and the ledger tells *possibly* from *certainly*.

mod acknowledgements;
mod announced;
mod answer_codes;
mod answers;
mod at_least_once;
mod authentication;
mod bystanders;
mod client_identifier;
mod closes_on_error;
mod connack_first;
mod doubt;
mod dup;
mod error_answered;
mod exactly_once;
mod filter_granted;
mod finding;
mod highest_qos;
mod keep_alive;
mod last_packet;
pub mod ledger;
mod loss;
mod maximum_packet_size;
mod message_expiry;
mod no_local;
mod no_matching_subscribers;
mod offences;
mod order;
mod packet_identifiers;
mod properties;
mod published;
mod qos;
mod receive_maximum;
mod redelivery;
mod refused_features;
mod release;
mod retain_flag;
mod retained_sent;
mod retained_stored;
mod sent_again;
mod session_present;
mod shared_once;
mod shared_reached;
mod subscribed;
mod subscription_identifiers;
mod takeover;
mod topic_alias;
mod unasked;
mod unsubscribe;
mod well_formed;
mod will_published;
mod will_withheld;

pub use finding::{Accusation, Cites, Findings, Unknown, Verdicts};
pub use ledger::Ledger;

use crate::history::{ClientNo, Event, Fault, History, How, Side, What};
use core::time::Duration;
use ledger::{ConnectionNo, DeliveryNo};
use mqtt_assay_codec::{Malformed, Packet};

/// What the judges hold a broker to where the specification names no bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// How long an answer, or a delivery, may take on a connection on which nothing is held back. Longer than any
    /// time that bytes are under way.
    pub promptness: Duration,
    /// How much longer than one and a half times the Keep Alive a silent client may stay connected.
    pub keep_alive_slack: Duration,
    /// How long a connection may be open without a CONNECT.
    pub connect_patience: Duration,
    /// No topic, session or retained message is anybody else's: what nobody of this history published, the broker
    /// has invented. Otherwise that is unknown.
    pub closed_world: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            promptness: Duration::from_secs(5),
            keep_alive_slack: Duration::from_secs(8),
            connect_patience: Duration::from_secs(60),
            closed_world: false,
        }
    }
}

/// An event, read.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its place in the history.
    pub event: usize,
    /// When.
    pub at: Duration,
    /// Whose.
    pub client: ClientNo,
    /// On which connection; `None` where there is none.
    pub connection: Option<ConnectionNo>,
    /// Length in bytes of the packet that was sent or received, fixed header included; otherwise 0.
    pub length: usize,
    /// What.
    pub fact: Fact<'a>,
}

/// What has happened. Chunks of bytes are no facts: packets are.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// The client asks for a network connection.
    Attempted,
    /// It is there.
    Opened,
    /// It cannot be had.
    Failed,
    /// A packet of the client's, whole and well-formed.
    Sent(&'a Packet<'a>),
    /// Bytes of the client's that a Server must refuse.
    SentMalformed(Malformed, &'a [u8]),
    /// A packet of the Server's, whole and well-formed, with its length in bytes.
    Received(&'a Packet<'a>, usize),
    /// A PUBLISH of the Server's, on a connection with a session.
    Delivered(&'a mqtt_assay_codec::Publish<'a>, DeliveryNo),
    /// A packet of the Server's that is malformed, or bytes that begin no packet.
    ReceivedMalformed(Malformed, &'a [u8]),
    /// The network connection has ended.
    Ended(Side, How),
    /// Something is done to the network or the broker.
    Fault(Fault),
    /// Time has passed.
    Waited,
    /// Nothing was seen after this.
    Finished,
}

/// One promise of the specifications.
pub trait Rule {
    /// Its name, in snake case.
    fn name(&self) -> &'static str;

    /// Takes in an event; the ledger has taken it in before.
    fn observe(&mut self, seen: &Seen<'_>, ledger: &Ledger, found: &mut Findings);
}

/// All rules over one history, event by event.
pub struct Judges {
    ledger: Ledger,
    rules: Vec<Box<dyn Rule>>,
    findings: Findings,
    events: usize,
}

impl Judges {
    /// Every rule.
    pub fn new(bounds: Bounds) -> Self {
        Judges::with(bounds, all())
    }

    /// These rules.
    pub fn with(bounds: Bounds, rules: Vec<Box<dyn Rule>>) -> Self {
        Judges { ledger: Ledger::new(bounds), rules, findings: Findings::default(), events: 0 }
    }

    /// Takes in the next event of the history.
    pub fn observe(&mut self, event: &Event<'_>) {
        let index = self.events;
        self.events += 1;
        match event.what {
            What::Wrote(bytes) => return self.ledger.wrote(event.client, event.connection, bytes.len()),
            What::Read(_) => return,
            _ => {}
        }
        let (rules, findings) = (&mut self.rules, &mut self.findings);
        self.ledger.observe(index, event, |seen, ledger| {
            for rule in rules.iter_mut() {
                findings.of(rule.name(), seen);
                rule.observe(seen, ledger, findings);
            }
        });
    }

    /// What was found.
    pub fn verdicts(self) -> Verdicts {
        self.findings.verdicts()
    }
}

/// The connections of which nothing more will be seen after this event: the one that has ended, or at the end of the
/// history all that are open.
fn closing<'a>(seen: &Seen<'_>, ledger: &'a Ledger) -> impl Iterator<Item = ConnectionNo> + use<'a> {
    let ended = seen.connection.filter(|_| matches!(seen.fact, Fact::Ended(..)));
    let open = matches!(seen.fact, Fact::Finished)
        .then(|| ledger.connections().filter(|(_, connection)| connection.is_open()).map(|(no, _)| no));
    ended.into_iter().chain(open.into_iter().flatten())
}

/// Judges a whole history by every rule.
pub fn judge(history: &History, bounds: Bounds) -> Verdicts {
    let mut judges = Judges::new(bounds);
    for event in history.iter() {
        judges.observe(&event);
    }
    judges.verdicts()
}

/// Every rule, in the order of their names.
pub fn all() -> Vec<Box<dyn Rule>> {
    vec![
        Box::<acknowledgements::Acknowledgements>::default(),
        Box::<announced::Announced>::default(),
        Box::<answer_codes::AnswerCodes>::default(),
        Box::<answers::Answers>::default(),
        Box::<at_least_once::AtLeastOnce>::default(),
        Box::<authentication::Authentication>::default(),
        Box::<bystanders::Bystanders>::default(),
        Box::<client_identifier::ClientIdentifier>::default(),
        Box::<closes_on_error::ClosesOnError>::default(),
        Box::<connack_first::ConnackFirst>::default(),
        Box::<dup::Dup>::default(),
        Box::<error_answered::ErrorAnswered>::default(),
        Box::<exactly_once::ExactlyOnce>::default(),
        Box::<filter_granted::FilterGranted>::default(),
        Box::<highest_qos::HighestQos>::default(),
        Box::<keep_alive::KeepAlive>::default(),
        Box::<last_packet::LastPacket>::default(),
        Box::<maximum_packet_size::MaximumPacketSize>::default(),
        Box::<message_expiry::MessageExpiry>::default(),
        Box::<no_local::NoLocal>::default(),
        Box::<no_matching_subscribers::NoMatchingSubscribers>::default(),
        Box::<order::Order>::default(),
        Box::<packet_identifiers::PacketIdentifiers>::default(),
        Box::<properties::ForwardedProperties>::default(),
        Box::<published::Published>::default(),
        Box::<qos::DeliveredQos>::default(),
        Box::<receive_maximum::ReceiveMaximum>::default(),
        Box::<redelivery::Redelivery>::default(),
        Box::<refused_features::RefusedFeatures>::default(),
        Box::<release::Release>::default(),
        Box::<retain_flag::RetainFlag>::default(),
        Box::<retained_sent::RetainedSent>::default(),
        Box::<retained_stored::RetainedStored>::default(),
        Box::<sent_again::SentAgain>::default(),
        Box::<session_present::SessionPresent>::default(),
        Box::<shared_once::SharedOnce>::default(),
        Box::<shared_reached::SharedReached>::default(),
        Box::<subscribed::Subscribed>::default(),
        Box::<subscription_identifiers::SubscriptionIdentifiers>::default(),
        Box::<takeover::Takeover>::default(),
        Box::<topic_alias::TopicAlias>::default(),
        Box::<unasked::Unasked>::default(),
        Box::<unsubscribe::Unsubscribe>::default(),
        Box::<well_formed::WellFormed>::default(),
        Box::<will_published::WillPublished>::default(),
        Box::<will_withheld::WillWithheld>::default(),
    ]
}
