//! The whole table of wrong packets, each in every place of a connection's life where it can be sent.
//!
//! Each case is a story of its own: what it saw goes into the check's log only if it is not conforming, with its
//! finding pointing there. So thousands of cases leave no more behind than what is wrong.

use super::opening::{Opening, Pacer, lost_sight_of, write};
use super::{
    AT_ONCE, END, Outcome, TOPIC, Waits, WrongPackets, all, held_open_words, listed, still_open_words,
};
use crate::outcome::Finding;
use crate::story::history::What;
use crate::story::{Attempt, Client, Severity, Stop, Story, World, pubrec};
use crate::verdict::Verdict;
use mqtt_assay_codec::raw::{self, Case, Stage};
use mqtt_assay_codec::{Offence, PacketId, PacketType, Qos, Receiver};
use std::future::Future;
use std::pin::Pin;
use tokio::time::Instant;

/// So many cases of one check have their packets in its log.
const SHOWN: usize = 40;

/// The Packet Identifier of a message under way: the table's packets use it, too.
const UNDER_WAY: PacketId = PacketId::new(7).expect("it is not 0");

/// Where in the life of its connection a packet is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// As the first packet.
    First,
    /// As the first packet, in two writes.
    FirstSplit,
    /// In one write with the CONNECT before it.
    BehindConnect,
    /// After CONNACK.
    Connected,
    /// After the PUBREC of a QoS 2 message that is not released.
    InFlow,
    /// In one write with the PINGREQ before it.
    BehindPingreq,
    /// After CONNACK, in two writes.
    Split,
}

impl Place {
    /// A packet that has to stand for the CONNECT breaks another rule later on: it is a second one.
    const OPENING: [Place; 3] = [Place::First, Place::FirstSplit, Place::Connected];
    /// A broker that does not know what begins so may let us wait: that place is the last.
    const CONNECTED: [Place; 6] = [
        Place::Connected,
        Place::BehindConnect,
        Place::InFlow,
        Place::BehindPingreq,
        Place::Split,
        Place::First,
    ];

    fn of(stage: Stage) -> &'static [Place] {
        match stage {
            Stage::Opening => &Self::OPENING,
            Stage::Connected => &Self::CONNECTED,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Place::First => "as the first packet",
            Place::FirstSplit => "as the first packet, in two writes",
            Place::BehindConnect => "right behind CONNECT",
            Place::Connected => "after CONNACK",
            Place::InFlow => "within a QoS 2 exchange",
            Place::BehindPingreq => "right behind PINGREQ",
            Place::Split => "after CONNACK, in two writes",
        }
    }

    fn is_first(self) -> bool {
        matches!(self, Place::First | Place::FirstSplit)
    }
}

/// One case in one place.
struct Turn {
    name: String,
    client: String,
    case: Case,
    place: Place,
    topic: String,
}

/// Whether the specification calls the packet wrong at all.
fn is_said(case: &Case) -> bool {
    const OF_3_1: [&str; 2] = ["protocol-level/3", "protocol-level/name-of-another-version"];
    let repeated = ["publish-01", "publish-02"].iter().any(|id| case.name.contains(id));
    // The level byte stands behind the protocol name.
    let level = case.bytes.get(8).copied().unwrap_or_default();
    match case.offence {
        // Nothing says that to repeat Payload Format Indicator or Message Expiry Interval of PUBLISH is an error.
        Offence::PropertyRepeated => !repeated,
        // A Payload Format Indicator above 1 is not called an error.
        Offence::PropertyValue => !case.name.contains("-01-"),
        // Levels of 128 and above are in use between brokers, by agreement. A Server may also speak MQTT 3.1, and take
        // a mixture of name and level for it. [3.1.1/MQTT-3.1.2-1]
        Offence::ProtocolLevel => level < 0x80 && !OF_3_1.contains(&case.name.as_str()),
        _ => true,
    }
}

/// Whether taking the packet for a good one is no more than a deviation, in either version.
fn is_tolerated(case: &Case) -> bool {
    use Offence as O;
    match case.offence {
        O::RemainingLengthNotMinimal
        | O::VariableByteIntegerNotMinimal
        | O::PublishDupAtQos0
        | O::PubackCode
        | O::PubrecCode
        | O::PubrelCode
        | O::PubcompCode => true,
        // What a Will's Response Topic may be is not said.
        O::ResponseTopicWildcard => case.stage == Stage::Opening,
        // What does not exist may be unsubscribed from: the answer says so with a code of success.
        O::TopicFilterMultiLevel
        | O::TopicFilterSingleLevel
        | O::ShareNameEmpty
        | O::ShareNameWildcard
        | O::SharedFilterMissing => case.name.contains("unsubscribe"),
        _ => false,
    }
}

/// How this case is judged.
fn judge_of<'w>(world: &'w World, case: &Case, place: Place) -> WrongPackets<'w> {
    use Offence as O;
    let mut judge = world.wrong_by_hand().code(case.offence.reason());
    judge.negative_answer = matches!(
        case.offence,
        O::TopicNameWildcard
            | O::ResponseTopicWildcard
            | O::TopicFilterEmpty
            | O::TopicFilterMultiLevel
            | O::TopicFilterSingleLevel
            | O::ShareNameEmpty
            | O::ShareNameWildcard
            | O::SharedFilterMissing
    );
    // A second CONNECT is an error whatever is in it.
    let second = case.stage == Stage::Opening && !place.is_first();
    judge.tolerated = is_tolerated(case) && !second;
    judge.grant_violates = judge.negative_answer
        && !judge.tolerated
        && !matches!(case.offence, O::TopicNameWildcard | O::ResponseTopicWildcard);
    let must = matches!(
        case.offence,
        O::PubrelFlags
            | O::SubscribeFlags
            | O::UnsubscribeFlags
            | O::DisconnectFlags
            | O::AuthFlags
            | O::SubscriptionReservedBits
    );
    if must || case.stage == Stage::Opening {
        judge.severity = Severity::MustDetect;
    }
    judge
}

impl World {
    /// Sends every case of one offence in every place, each on a connection of its own; each must be refused.
    pub async fn table(&self, offence: Offence) -> Story {
        self.connect_alive("control").await?;
        let turns = self.turns(offence).await?;
        let mut witness = None;
        if self.abilities().wildcards && turns.iter().any(|turn| turn.case.bytes[0] >> 4 == 3) {
            let mut client = self.connect("witness").await?;
            client.subscribe(&self.topic(&format!("{TOPIC}/#")), Qos::AtMostOnce).await?;
            witness = Some(client);
        }
        let pacers = self.fork();
        let pacer = &Pacer::new(&pacers).await?;
        let mut waits = Waits::new(self);
        let mut found = Found { world: self, shown: 0, deviations: Vec::new() };
        let mut judged = 0;
        for some in turns.chunks(AT_ONCE) {
            let running = some.iter().map(|turn| {
                Box::pin(async move {
                    let fork = self.fork();
                    let outcome = play(&fork, turn, pacer).await;
                    (fork, outcome)
                }) as Pin<Box<dyn Future<Output = _> + Send>>
            });
            let mut played = waits.during(all(running.collect())).await;
            if let Some(index) = lost_sight_of(played.iter().map(|(_, outcome)| outcome)) {
                let turn = &some[index];
                // What else it saw stands.
                found.take(turn, &played[index].0, Outcome::Refused);
                let fork = self.fork();
                let outcome = waits.during(play(&fork, turn, pacer)).await;
                played[index] = (fork, outcome);
            }
            for (turn, (fork, outcome)) in some.iter().zip(played) {
                found.take(turn, &fork, outcome?);
                judged += 1;
            }
            if found.shown > 0 && waits.are_enough() {
                break;
            }
        }
        found.tell(judged);
        self.count_cases(judged);
        if judged < turns.len() {
            self.note(format!(
                "{judged} of {} cases judged: the broker lets the others wait, too",
                turns.len()
            ));
        }
        if let Some(mut witness) = witness {
            self.nothing_came(&mut witness, &turns).await?;
        }
        self.connect_alive("control").await?;
        Ok(())
    }

    /// Whether there can be a QoS 2 exchange to send a packet in: before 5.0 no broker can say that it lacks QoS 2.
    async fn completes_qos_2(&self) -> Result<bool, Stop> {
        if self.abilities().maximum_qos < Qos::ExactlyOnce {
            return Ok(false);
        }
        let mut client = self.connect("flow").await?;
        client.publish(&self.topic("flow"), b"under way").qos2().packet_id(UNDER_WAY).send().await?;
        client.ping().await?;
        // A broker that takes it for QoS 1 has said so by now.
        let lowered = client.inbox().any(|received| received.packet_type() == PacketType::Puback);
        let answered = !lowered && client.await_message(pubrec(UNDER_WAY)).await.is_ok();
        if !answered {
            self.note(format!("nothing is sent {}: there is no PUBREC", Place::InFlow.words()));
        }
        client.cut();
        Ok(answered)
    }

    async fn turns(&self, offence: Offence) -> Result<Vec<Turn>, Stop> {
        let mut turns = Vec::new();
        let mut cases = raw::cases(self.version(), Receiver::Server);
        cases.retain(|case| case.offence == offence && is_said(case));
        // What has to stand for the CONNECT is sent in no exchange.
        let flows = cases.iter().any(|case| case.stage == Stage::Connected);
        let can_flow = flows && self.completes_qos_2().await?;
        for case in cases {
            for &place in Place::of(case.stage).iter().filter(|place| can_flow || **place != Place::InFlow) {
                let number = turns.len();
                let topic = self.topic(&format!("{TOPIC}/{number}"));
                let bytes = self.with_own_names(&case, number, &topic);
                turns.push(Turn {
                    name: format!("{}, {}", case.name, place.words()),
                    client: format!("c{number}"),
                    case: Case { bytes, ..case.clone() },
                    place,
                    topic,
                });
            }
        }
        // Where not all are judged, each is in some place.
        turns.sort_by_key(|turn| Place::of(turn.case.stage).iter().position(|place| *place == turn.place));
        Ok(turns)
    }

    /// The witness has got none of the messages.
    async fn nothing_came(&self, witness: &mut Client<'_>, turns: &[Turn]) -> Story {
        let mut publisher = self.connect("publisher").await?;
        witness.settle(&mut publisher, Qos::AtMostOnce).await?;
        for came in witness.take_publishes() {
            let Some(turn) = turns.iter().find(|turn| turn.topic == came.topic()) else { continue };
            let overlooked = judge_of(self, &turn.case, turn.place).may_be_overlooked();
            self.find(Finding {
                verdict: if overlooked { Verdict::Deviates } else { Verdict::Violates },
                statement: None,
                expected: "no wrong packet is passed on to a subscriber".to_owned(),
                observed: format!("{}: {}", turn.name, came.line()),
                at: came.index,
            });
        }
        Ok(())
    }
}

/// Plays one case.
async fn play(w: &World, turn: &Turn, pacer: &Pacer<'_>) -> Result<Outcome, Stop> {
    let bytes = &turn.case.bytes;
    let judge = judge_of(w, &turn.case, turn.place);
    let what = || What::Note(format!("sends {}", turn.name));
    let split = Some(pacer).filter(|_| matches!(turn.place, Place::FirstSplit | Place::Split));
    let mut client = match turn.place {
        Place::First | Place::FirstSplit => return violation(first(w, turn, &judge, split).await),
        Place::BehindConnect => {
            let client = w.client(&turn.client).hello(bytes).await?;
            client.record(what())?;
            match client.answer_to_connect().await {
                Ok(Attempt::Accepted(client)) => client,
                Ok(Attempt::Refused(..) | Attempt::Ended(..)) => return Ok(Outcome::Refused),
                Err(stop) => return violation(Err(stop)),
            }
        }
        Place::Connected | Place::Split => {
            let mut client = w.connect(&turn.client).await?;
            client.record(what())?;
            write(&mut client, bytes, split).await?;
            client
        }
        Place::InFlow => {
            let mut client = w.connect(&turn.client).await?;
            client.publish(&w.topic("flow"), b"under way").qos2().packet_id(UNDER_WAY).send().await?;
            client.await_message(pubrec(UNDER_WAY)).await?;
            client.record(what())?;
            write(&mut client, bytes, None).await?;
            client
        }
        Place::BehindPingreq => {
            let mut client = w.connect(&turn.client).await?;
            client.record(what())?;
            write(&mut client, &[&[0xC0, 0][..], bytes].concat(), None).await?;
            client
        }
    };
    let outcome = judge.react(&mut client, bytes).await;
    client.cut();
    violation(outcome)
}

/// A violation is the case's own, and ends no other.
fn violation(outcome: Result<Outcome, Stop>) -> Result<Outcome, Stop> {
    match outcome {
        Err(stop) if stop.verdict() == Verdict::Violates => Ok(Outcome::Violates(stop)),
        other => other,
    }
}

/// What became of a connection that began with the packet.
async fn first(
    w: &World,
    turn: &Turn,
    judge: &WrongPackets<'_>,
    split: Option<&Pacer<'_>>,
) -> Result<Outcome, Stop> {
    let case = &turn.case;
    // What a topic may be is said elsewhere than in the section on CONNECT.
    let may_answer =
        w.is_v5() || matches!(case.offence, Offence::WillTopicEmpty | Offence::WillTopicWildcard);
    let opening = Opening {
        client: &turn.client,
        note: format!("sends {}", turn.name),
        bytes: &case.bytes,
        split,
        may_answer,
    };
    if matches!(case.offence, Offence::ProtocolName | Offence::ProtocolLevel) {
        // The answer may be a CONNACK of whatever version the broker takes it for.
        let mut client = opening.send(w).await?;
        let (bytes, ended) = client.read_raw(Instant::now() + w.patience()).await?;
        client.cut();
        return match bytes.as_slice() {
            [0x20, _, _, 0, ..] => Err(Stop::violates("no CONNACK that accepts", "CONNACK 0x00")),
            _ if ended => Ok(Outcome::Refused),
            _ => Ok(Outcome::LeftOpen(END)),
        };
    }
    match opening.outcome(w).await {
        Ok(Outcome::Ended(_)) => Ok(Outcome::Refused),
        Err(stop) if judge.tolerated && stop.verdict() == Verdict::Violates => {
            Ok(Outcome::Unnoticed(Some(stop.0.observed)))
        }
        other => other,
    }
}

/// Whether the broker may leave a connection open that begins with this packet.
fn may_be_left_open(w: &World, case: &Case) -> bool {
    // 5.0 leaves to the broker how strictly it checks, also whether CONNECT comes first.
    is_tolerated(case)
        || matches!(case.offence, Offence::ProtocolName | Offence::ProtocolLevel)
        || (w.is_v5() && case.stage == Stage::Connected)
}

/// What has been found so far.
struct Found<'w> {
    world: &'w World,
    /// How many cases have their packets in the log.
    shown: usize,
    /// Kind of deviation, the case, what was seen, where it is shown.
    deviations: Vec<(Deviation, String, String, Option<usize>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deviation {
    Unnoticed,
    HeldOpen,
    Silent,
    OddCode,
}

impl Deviation {
    const ALL: [Deviation; 4] =
        [Deviation::Unnoticed, Deviation::HeldOpen, Deviation::Silent, Deviation::OddCode];
}

impl Found<'_> {
    /// Keeps what is not conforming of one case.
    fn take(&mut self, turn: &Turn, fork: &World, outcome: Outcome) {
        let (findings, _) = fork.take_findings();
        let deviation = self.deviation(turn, fork, &outcome);
        let violation = match outcome {
            Outcome::Violates(stop) => Some(stop),
            Outcome::LeftOpen(due) if deviation.is_none() => {
                Some(Stop::violates(due, still_open_words(fork)))
            }
            Outcome::HeldOpen if deviation.is_none() => {
                Some(judge_of(fork, &turn.case, turn.place).held_open())
            }
            _ => None,
        };
        if findings.is_empty() && deviation.is_none() && violation.is_none() {
            return;
        }
        let from = if self.shown < SHOWN { self.world.history.absorb(&fork.history) } else { None };
        self.shown += 1;
        let at = |index: Option<usize>| Some(from? + index?);
        let first = from;
        for finding in findings {
            let observed = format!("{}: {}", turn.name, finding.observed);
            self.world.find(Finding { observed, at: at(finding.at), ..finding });
        }
        if let Some(stop) = violation {
            let finding = *stop.0;
            let statement = finding
                .statement
                .or_else(|| turn.case.offence.statement(fork.version()).map(|id| fork.cite(id)));
            let observed = format!("{}: {}", turn.name, finding.observed);
            self.world.find(Finding { observed, statement, at: at(finding.at).or(first), ..finding });
        }
        if let Some((kind, observed)) = deviation {
            self.deviations.push((kind, turn.name.clone(), observed, first));
        }
    }

    fn deviation(&self, turn: &Turn, fork: &World, outcome: &Outcome) -> Option<(Deviation, String)> {
        const GENERAL: std::ops::RangeInclusive<u8> = 0x80..=0x83;
        let v5 = fork.is_v5();
        match outcome {
            Outcome::Unnoticed(None) => Some((Deviation::Unnoticed, "the error goes unnoticed".into())),
            Outcome::Unnoticed(Some(answer)) => {
                Some((Deviation::Unnoticed, format!("the error goes unnoticed: {answer}")))
            }
            Outcome::LeftOpen(_) if may_be_left_open(fork, &turn.case) => {
                Some((Deviation::HeldOpen, still_open_words(fork)))
            }
            Outcome::HeldOpen if judge_of(fork, &turn.case, turn.place).may_be_overlooked() => {
                Some((Deviation::HeldOpen, held_open_words(fork)))
            }
            // DISCONNECT ends the connection anyway: nothing is left to be told.
            Outcome::Ended(None) if v5 && turn.case.bytes[0] >> 4 != 14 => {
                Some((Deviation::Silent, "the connection ended without DISCONNECT".into()))
            }
            Outcome::Ended(Some(code))
                if *code != turn.case.offence.reason() && !GENERAL.contains(&code.0) =>
            {
                Some((Deviation::OddCode, format!("DISCONNECT {code}")))
            }
            _ => None,
        }
    }

    /// Tells the deviations, one finding for each kind.
    fn tell(&self, judged: usize) {
        for kind in Deviation::ALL {
            let of_kind: Vec<_> = self.deviations.iter().filter(|(own, ..)| *own == kind).collect();
            let Some((_, _, observed, at)) = of_kind.first() else { continue };
            let names: Vec<&str> = of_kind.iter().map(|(_, name, ..)| name.as_str()).collect();
            let (statement, expected) = match kind {
                Deviation::Silent => {
                    (Some(self.world.cite("MQTT-4.13.1-1")), "a DISCONNECT with a Reason Code before the end")
                }
                Deviation::OddCode => (None, "a Reason Code that fits, or one of 0x80 to 0x83"),
                Deviation::Unnoticed | Deviation::HeldOpen => (None, END),
            };
            self.world.find(Finding {
                verdict: Verdict::Deviates,
                statement,
                expected: expected.to_owned(),
                observed: format!("{observed}: {}", listed(&names, judged)),
                at: *at,
            });
        }
    }
}
