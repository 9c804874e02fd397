//! Packets that break one rule, each on a connection of its own: the broker must refuse them all.
//!
//! A check names the rule; its variants come from the codec's table of wrong packets and from the check itself.
//! 5.0 leaves to the broker how strictly it checks [5.0 §4.13.1]: an overlooked error is a deviation there, also if
//! it is answered with success or the message is passed on without what was wrong with it. It is a violation where
//! a statement obliges the broker to detect it, where a filter that must not exist is granted, and where what is
//! wrong is passed on: a witness looks for that. 3.1.1 leaves no such freedom [3.1.1/MQTT-4.8.0-1].

mod content;
mod lend;
mod names;
mod opening;
mod table;

use self::content::replace_field;
use self::opening::{Opening, lost_sight_of};
use super::history::What;
use super::refuse::{FLOOR, held_open_words, still_open_words};
use super::{Client, Received, Refusal, Severity, Stop, Story, World};
use mqtt_assay_codec::raw::{self, Case, Stage};
use mqtt_assay_codec::{Decoder, Offence, Packet, PacketType, Qos, ReasonCode, Receiver, Version};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

/// How many connections are open at the same time: each costs two sockets of one process with the embedded broker.
const AT_ONCE: usize = 8;
/// What is due to a wrong packet.
const END: &str = "the end of the connection";
/// How many variants a finding names.
const NAMED: usize = 5;

/// The topic of variants that publish: the witness subscribes to it and, if it can, to everything beside it.
const TOPIC: &str = "wrong";

struct Variant {
    name: String,
    bytes: Vec<u8>,
    stage: Stage,
}

/// The variants of one broken rule, and what the broker may do.
#[must_use]
pub struct WrongPackets<'w> {
    world: &'w World,
    variants: Vec<Variant>,
    specific: ReasonCode,
    severity: Severity,
    negative_answer: bool,
    grant_violates: bool,
    tolerated: bool,
}

/// What came of one variant.
enum Outcome {
    /// The connection ended, in 5.0 perhaps after a DISCONNECT with this code.
    Ended(Option<ReasonCode>),
    /// A negative acknowledgement, where one suffices.
    Refused,
    /// The connection goes on, perhaps after an answer that takes the packet for a good one.
    Unnoticed(Option<String>),
    /// The connection neither ends nor is served any more.
    HeldOpen,
    /// The connection began with the packet, and stays open without a word; this would be due.
    LeftOpen(&'static str),
    Violates(Stop),
}

impl World {
    /// Variants from the codec's table, with names of this story's own in place of the table's.
    pub fn wrong(&self, choose: impl Fn(&Case) -> bool) -> WrongPackets<'_> {
        let cases = raw::cases(self.version(), Receiver::Server);
        let variants = cases
            .into_iter()
            .filter(choose)
            .enumerate()
            .map(|(index, case)| Variant {
                bytes: self.with_own_names(&case, index, &self.wrong_topic()),
                name: case.name,
                stage: case.stage,
            })
            .collect();
        self.wrong_variants(variants)
    }

    fn wrong_variants(&self, variants: Vec<Variant>) -> WrongPackets<'_> {
        WrongPackets {
            world: self,
            variants,
            specific: ReasonCode::MALFORMED_PACKET,
            severity: Severity::MayOverlook,
            negative_answer: false,
            grant_violates: false,
            tolerated: false,
        }
    }

    /// Variants of the check's own making: see [`WrongPackets::and`].
    pub fn wrong_by_hand(&self) -> WrongPackets<'_> {
        self.wrong_variants(Vec::new())
    }

    /// The topic that a variant of the check's own publishes to, so that the witness sees it.
    pub fn wrong_topic(&self) -> String {
        self.topic(TOPIC)
    }

    /// The case with our own topic and Client Identifier, and with the user name and password of a CONNECT, as long as it
    /// breaks the same rule then.
    fn with_own_names(&self, case: &Case, index: usize, topic: &str) -> Vec<u8> {
        let own = [
            (&b"\x00\x01t"[..], topic.to_owned()),
            (b"\x00\x06client", self.client_id(&format!("wrong{index}"))),
            (b"\x00\x03a/b", self.topic("wrong/a/b")),
            (b"\x00\x01a", self.topic("wrong/a")),
            (b"\x00\x01w", self.topic("wrong/w")),
        ];
        let offence = |bytes: &[u8]| -> Option<Offence> {
            Decoder::new(case.version, Receiver::Server).next(bytes).err().map(|malformed| malformed.offence)
        };
        let mut bytes = case.bytes.clone();
        for (table, name) in own {
            if let Some(renamed) = replace_field(&bytes, table, &raw::string(name.as_bytes()))
                && offence(&renamed) == Some(case.offence)
            {
                bytes = renamed;
            }
        }
        if let Some(renamed) = names::renamed(&bytes, case.version, &self.client_id(&format!("wrong{index}")))
        {
            bytes = renamed;
        }
        match case.stage {
            Stage::Opening => lend::lent(&bytes, case.version, &self.credentials).unwrap_or(bytes),
            Stage::Connected => bytes,
        }
    }
}

impl WrongPackets<'_> {
    /// Adds a variant, to be sent on an accepted connection.
    pub fn and(mut self, name: impl Into<String>, bytes: Vec<u8>) -> Self {
        self.variants.push(Variant { name: name.into(), bytes, stage: Stage::Connected });
        self
    }

    /// The 5.0 Reason Code that names the error; 0x81, Malformed Packet, unless told otherwise.
    pub fn code(mut self, specific: ReasonCode) -> Self {
        self.specific = specific;
        self
    }

    /// A statement of 5.0 obliges the broker to detect the error.
    pub fn must_be_detected(mut self) -> Self {
        self.severity = Severity::MustDetect;
        self
    }

    /// A negative acknowledgement refuses as well as the end of the connection.
    pub fn or_negative_answer(mut self) -> Self {
        self.negative_answer = true;
        self
    }

    /// A negative acknowledgement refuses as well, but an answer of success violates in 5.0 too: the statement is
    /// about filters that exist, not about packets alone.
    pub fn must_not_be_granted(mut self) -> Self {
        self.negative_answer = true;
        self.grant_violates = true;
        self
    }

    /// The specification does not say what a receiver has to do: taking the packet as it is deviates.
    pub fn may_be_tolerated(mut self) -> Self {
        self.tolerated = true;
        self
    }

    /// Sends every variant on a connection of its own; each must be refused.
    pub async fn each_refused(self) -> Story {
        let world = self.world;
        let publishes = |v: &Variant| v.bytes.first().is_some_and(|first| first >> 4 == 3);
        let mut witness = None;
        if !self.tolerated && self.variants.iter().any(publishes) {
            let mut client = world.connect("witness").await?;
            let filter = if world.abilities().wildcards { world.topic("#") } else { world.wrong_topic() };
            client.subscribe(&filter, Qos::AtMostOnce).await?;
            witness = Some(client);
        }
        let mut outcomes = Vec::new();
        let mut waits = Waits::new(world);
        let this = &self;
        for (turn, variants) in this.variants.chunks(AT_ONCE).enumerate() {
            let running = variants.iter().enumerate().map(|(place, variant)| {
                let name = format!("v{}", turn * AT_ONCE + place);
                Box::pin(async move { this.send(&name, variant).await })
                    as Pin<Box<dyn Future<Output = _> + Send>>
            });
            let mut sent = waits.during(all(running.collect())).await;
            if let Some(place) = lost_sight_of(sent.iter()) {
                let name = format!("v{}again", turn * AT_ONCE + place);
                sent[place] = waits.during(this.send(&name, &variants[place])).await;
            }
            for (variant, outcome) in variants.iter().zip(sent) {
                outcomes.push((variant.name.as_str(), outcome?));
            }
            let accused = outcomes.iter().any(|(_, outcome)| match outcome {
                Outcome::Violates(_) | Outcome::LeftOpen(_) => true,
                Outcome::HeldOpen => !this.may_be_overlooked(),
                _ => false,
            });
            if accused && waits.are_enough() {
                break;
            }
        }
        let passed_on = match &mut witness {
            Some(witness) => self.nothing_passed_on(witness).await,
            None => Ok(()),
        };
        // What the broker did to the sender comes first: the statements are about that.
        match (self.judge(outcomes), passed_on) {
            (Err(stop), Err(passed_on)) => {
                if passed_on.verdict() == crate::verdict::Verdict::Violates {
                    world.find(*passed_on.0);
                }
                Err(stop)
            }
            (judged, passed_on) => judged.and(passed_on),
        }
    }

    async fn send(&self, name: &str, variant: &Variant) -> Result<Outcome, Stop> {
        let note = format!("sends the variant {}", variant.name);
        let reaction = match variant.stage {
            Stage::Opening => {
                let may_answer = self.world.is_v5();
                let opening = Opening { client: name, note, bytes: &variant.bytes, split: None, may_answer };
                opening.outcome(self.world).await
            }
            Stage::Connected => {
                let mut client = self.world.connect_alive(name).await?;
                client.record(What::Note(note))?;
                client.send_bytes(&variant.bytes).await?;
                let reaction = self.react(&mut client, &variant.bytes).await;
                client.cut();
                reaction
            }
        };
        match reaction {
            Err(stop) if stop.verdict() == crate::verdict::Verdict::Violates => Ok(Outcome::Violates(stop)),
            other => other,
        }
    }

    async fn react(&self, client: &mut Client<'_>, packet: &[u8]) -> Result<Outcome, Stop> {
        // SUBSCRIBE and UNSUBSCRIBE get an answer in each version.
        let is_request = packet.first().is_some_and(|first| matches!(first >> 4, 8 | 10));
        let reaction = if self.negative_answer && is_request {
            client.reaction_to_request().await?
        } else {
            client.reaction().await?
        };
        let answer = client.inbox().find(|received| is_success(received));
        if let Some(answer) = answer
            && (!self.may_be_overlooked() || self.grant_violates)
        {
            return Err(Stop::violates(self.expected(), answer.line()).at(answer.index));
        }
        Ok(match reaction {
            Refusal::Ended(_, farewell) => Outcome::Ended(farewell.and_then(|r| match r.packet() {
                Packet::Disconnect(d) => Some(d.reason),
                _ => None,
            })),
            Refusal::WentOn if self.negative_answer && client.inbox().any(is_refusal) => Outcome::Refused,
            Refusal::WentOn if self.may_be_overlooked() => Outcome::Unnoticed(answer.map(Received::line)),
            Refusal::WentOn => {
                let observed = "the connection goes on: PINGREQ is still answered";
                return Err(Stop::violates(self.expected(), observed));
            }
            Refusal::HeldOpen => Outcome::HeldOpen,
            Refusal::Stuck => {
                return Err(Stop::inconclusive(format!(
                    "the broker neither ended the connection of {} nor answered PINGREQ within {:.0} s",
                    client.name(),
                    self.world.patience().as_secs_f64()
                )));
            }
        })
    }

    /// Whether taking the packet for a good one is no more than a deviation.
    fn may_be_overlooked(&self) -> bool {
        self.tolerated || (self.world.is_v5() && self.severity == Severity::MayOverlook)
    }

    /// The accusation for [`Outcome::HeldOpen`], where the error may not be overlooked.
    fn held_open(&self) -> Stop {
        Stop::violates(self.expected(), held_open_words(self.world))
    }

    fn expected(&self) -> &'static str {
        if self.negative_answer { "the end of the connection, or an answer that refuses" } else { END }
    }

    /// The witness, who stayed connected beside all of this, has got none of the messages.
    async fn nothing_passed_on(&self, witness: &mut Client<'_>) -> Story {
        let mut publisher = self.world.connect("publisher").await?;
        witness.settle(&mut publisher, Qos::AtMostOnce).await?;
        let markers = self.world.topic("settled/");
        match witness.take_publishes().iter().find(|r| !r.topic().starts_with(&markers)) {
            // The passive rules have accused it already if it came with what is wrong.
            Some(passed) if self.may_be_overlooked() => {
                let observed = format!("without what was wrong with it: {}", passed.line());
                self.world.deviates(None, "the message is not passed on", observed);
                Ok(())
            }
            Some(passed) => {
                Err(Stop::violates("no wrong packet is passed on to a subscriber", passed.line())
                    .at(passed.index))
            }
            None => Ok(()),
        }
    }

    fn judge(&self, outcomes: Vec<(&str, Outcome)>) -> Story {
        const GENERAL: std::ops::RangeInclusive<u8> = 0x80..=0x83;
        let of = outcomes.len();
        let mut answered = None;
        let (mut violations, mut unnoticed, mut held, mut silent, mut odd) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, outcome) in outcomes {
            match outcome {
                Outcome::Violates(stop) => violations.push((name, stop)),
                Outcome::Unnoticed(answer) => {
                    unnoticed.push(name);
                    answered = answered.or(answer);
                }
                Outcome::HeldOpen if self.may_be_overlooked() => held.push(name),
                Outcome::HeldOpen => violations.push((name, self.held_open())),
                Outcome::Ended(None) => silent.push(name),
                Outcome::Ended(Some(code)) if code != self.specific && !GENERAL.contains(&code.0) => {
                    odd.push((name, code));
                }
                Outcome::LeftOpen(due) => {
                    violations.push((name, Stop::violates(due, still_open_words(self.world))));
                }
                Outcome::Ended(Some(_)) | Outcome::Refused => {}
            }
        }
        // CONNECT errors may be answered with CONNACK or with nothing.
        silent.retain(|name| self.variants.iter().any(|v| v.name == *name && v.stage == Stage::Connected));
        if !unnoticed.is_empty() {
            let answered =
                answered.map_or_else(String::new, |line| format!(", is even answered with {line}"));
            self.world.deviates(
                None,
                self.expected(),
                format!(
                    "the error goes unnoticed{answered}, and PINGREQ is still answered: {}",
                    listed(&unnoticed, of)
                ),
            );
        }
        if !held.is_empty() {
            let observed = format!("{}: {}", held_open_words(self.world), listed(&held, of));
            self.world.deviates(None, self.expected(), observed);
        }
        if !silent.is_empty() && self.world.version() == Version::V5 {
            self.world.deviates(
                Some(self.world.cite("MQTT-4.13.1-1")),
                "a DISCONNECT with a Reason Code before the connection ends",
                format!("the connection ended without one: {}", listed(&silent, of)),
            );
        }
        if let Some((_, code)) = odd.first() {
            let names: Vec<&str> = odd.iter().map(|(name, _)| *name).collect();
            self.world.deviates(
                None,
                format!("DISCONNECT {} or one of 0x80 to 0x83", self.specific),
                format!("DISCONNECT {code}: {}", listed(&names, of)),
            );
        }
        let names: Vec<&str> = violations.iter().map(|(name, _)| *name).collect();
        match violations.into_iter().next() {
            None => Ok(()),
            Some((name, mut stop)) => {
                stop.0.observed = match names.len() {
                    1 => format!("{name}: {}", stop.0.observed),
                    _ => format!("{name}: {} (in all: {})", stop.0.observed, listed(&names, of)),
                };
                Err(stop)
            }
        }
    }
}

/// How long the broker lets us wait for what does not come: at some time it has shown enough. A busy machine, on which
/// all takes its time, changes little about it.
struct Waits {
    patience: Duration,
    /// What the rounds so far had to wait for.
    idle: Duration,
    begun: Instant,
}

impl Waits {
    /// In so many rounds the broker may go on as if nothing were wrong.
    const ROUNDS: u32 = 16;
    /// Whatever it is that takes so many times the patience in all.
    const AT_MOST: u32 = 6;

    fn new(world: &World) -> Self {
        Waits { patience: world.patience(), idle: Duration::ZERO, begun: Instant::now() }
    }

    async fn during<T>(&mut self, round: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = round.await;
        let took = begun.elapsed();
        if took >= self.patience {
            self.idle += self.patience;
        } else if took >= FLOOR {
            self.idle += self.patience / Self::ROUNDS;
        }
        result
    }

    fn are_enough(&self) -> bool {
        self.idle >= self.patience || self.begun.elapsed() >= self.patience * Self::AT_MOST
    }
}

fn listed(names: &[&str], of: usize) -> String {
    let mut words = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        words.push_str(", …");
    }
    format!("{words} ({} of {of} variants)", names.len())
}

/// An acknowledgement that takes a packet for a good one. PUBREL and PUBCOMP are none: the Packet Identifiers of our
/// acknowledgements are unknown to the broker, and it may well say so in this way.
fn is_success(received: &Received) -> bool {
    match received.packet() {
        Packet::Puback(a) | Packet::Pubrec(a) => a.reason.is_success(),
        // What is wrong stands last in our packets. An UNSUBACK of 3.1.1 has no codes; 0x11 says that there was no
        // such subscription, which is true.
        Packet::Suback(a) => a.codes.last().is_some_and(|code| *code < 0x80),
        Packet::Unsuback(a) => a.codes.last().is_none_or(|code| *code == 0),
        _ => false,
    }
}

fn is_refusal(received: &Received) -> bool {
    matches!(
        received.packet_type(),
        PacketType::Puback | PacketType::Pubrec | PacketType::Suback | PacketType::Unsuback
    ) && !is_success(received)
}

/// Runs futures side by side to the end of the last one.
async fn all<T>(mut running: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, slot) in running.iter_mut().zip(&mut done).filter(|(_, slot)| slot.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
