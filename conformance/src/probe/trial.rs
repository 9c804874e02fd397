//! One trial: a story of its own, what it found, and what contradicts an announcement.

use super::Contradiction;
use crate::checks::refusals::{answer, positive};
use crate::profile::Item;
use crate::story::{Client, Refusal, Stop, World};
use crate::verdict::Verdict;
use mqtt_assay_codec::{Packet, PropertyList, Qos, ReasonCode};
use std::fmt::Display;
use std::time::Duration;

/// What is left behind is cleared away within this time, or stays.
const CLEARING: Duration = Duration::from_secs(10);

/// Where trials take place.
pub(super) struct Trial<'a> {
    /// The broker, and the version.
    pub(super) base: &'a World,
    /// The properties of its CONNACK; before 5.0 there are none.
    pub(super) announced: &'a PropertyList,
    /// The contradictions so far.
    pub(super) found: &'a mut Vec<Contradiction>,
}

/// What came of a trial.
pub(super) struct Tried<T> {
    pub(super) found: Option<T>,
    /// How it was found.
    pub(super) how: String,
    /// The statement that is concerned, and what was found in its place.
    pub(super) contradicts: Option<(&'static str, String)>,
}

impl<T> Tried<T> {
    pub(super) fn new(found: impl Into<Option<T>>, how: impl Into<String>) -> Tried<T> {
        Tried { found: found.into(), how: how.into(), contradicts: None }
    }

    /// The same finding contradicts the announcement if this holds.
    pub(super) fn contradicting(mut self, holds: bool, statement: &'static str) -> Tried<T> {
        if holds {
            self.contradicts = Some((statement, self.how.clone()));
        }
        self
    }
}

impl Trial<'_> {
    /// Whether the version announces anything.
    pub(super) fn is_v5(&self) -> bool {
        self.base.is_v5()
    }

    /// What CONNACK announces by a property, or by its absence; nothing before 5.0.
    pub(super) fn says<T: Display + Copy>(
        &self,
        name: &str,
        property: Option<T>,
        absent: T,
    ) -> (Option<T>, String) {
        if !self.is_v5() {
            return (None, String::new());
        }
        match property {
            Some(value) => (Some(value), format!("CONNACK has {name} {}", number(value))),
            None => (Some(absent), format!("CONNACK has no {name}, which means {}", number(absent))),
        }
    }

    /// Plays a story in a place of its own.
    pub(super) async fn run<T>(
        &mut self,
        (announced, said): (Option<T>, String),
        story: impl AsyncFnOnce(&World) -> Result<Tried<T>, Stop>,
    ) -> Item<T> {
        let world = self.base.fork();
        let (found, how) = match story(&world).await {
            Ok(tried) => {
                if let Some((id, found)) = tried.contradicts {
                    let (statement, log) = (self.base.cite(id), world.history.log());
                    self.found.push(Contradiction { statement, announced: said.clone(), found, log });
                }
                (tried.found, tried.how)
            }
            Err(stop) => {
                let how = format!("not found out: {}", stop.0.observed);
                world.find(*stop.0);
                (None, how)
            }
        };
        self.passive(&world);
        // Best effort, and bounded: what stays behind has names that no other run uses.
        let _ = tokio::time::timeout(CLEARING, world.clean_up()).await;
        Item {
            announced,
            found,
            how: [said, how].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; "),
        }
    }

    /// What was wrong in the broker's packets, whatever the trial was about.
    fn passive(&mut self, world: &World) {
        let (findings, _) = world.take_findings();
        for finding in findings.into_iter().filter(|finding| finding.verdict == Verdict::Violates) {
            let Some(statement) = finding.statement else { continue };
            let known =
                |known: &Contradiction| (known.statement, &known.found) == (statement, &finding.observed);
            if !self.found.iter().any(known) {
                let log = world.history.log();
                self.found.push(Contradiction {
                    statement,
                    announced: finding.expected,
                    found: finding.observed,
                    log,
                });
            }
        }
    }
}

/// A value as packets have it.
fn number(value: impl Display) -> String {
    match value.to_string().as_str() {
        "true" => "1".to_owned(),
        "false" => "0".to_owned(),
        other => other.to_owned(),
    }
}

/// What became of a PUBLISH or a SUBSCRIBE.
pub(super) enum Answer {
    /// It was taken; the packet that says so, in words.
    Taken(String),
    /// It was refused: in words, and with the code that says why.
    Refused(String, Option<u8>),
}

impl Answer {
    /// Whether it was refused with this code.
    pub(super) fn says(&self, reason: ReasonCode) -> bool {
        matches!(self, Answer::Refused(_, Some(code)) if *code == reason.0)
    }

    pub(super) fn is_taken(&self) -> bool {
        matches!(self, Answer::Taken(_))
    }

    pub(super) fn words(&self) -> &str {
        let (Answer::Taken(words) | Answer::Refused(words, _)) = self;
        words
    }
}

/// Awaits what becomes of the PUBLISH just sent.
pub(super) async fn answer_to_publish(client: &mut Client<'_>, qos: Qos) -> Result<Answer, Stop> {
    let reaction = client.reaction().await?;
    match (answer(client.inbox()), reaction) {
        (Some(answer), _) if positive(&answer) => Ok(Answer::Taken(answer.line())),
        (Some(answer), _) => Ok(Answer::Refused(answer.line(), Some(answer.reason().0))),
        (None, Refusal::WentOn) if qos == Qos::AtMostOnce => {
            Ok(Answer::Taken("no answer, as QoS 0 has none, and the connection goes on".to_owned()))
        }
        (None, reaction) => ended(reaction, "PUBLISH"),
    }
}

/// A refusal by the end of the connection; anything else leaves the question open.
pub(super) fn ended(reaction: Refusal, packet: &str) -> Result<Answer, Stop> {
    match reaction {
        Refusal::Ended(_, Some(farewell)) => {
            let code = match farewell.packet() {
                Packet::Disconnect(disconnect) => Some(disconnect.reason.0),
                _ => None,
            };
            Ok(Answer::Refused(farewell.line(), code))
        }
        Refusal::Ended(_, None) => Ok(Answer::Refused("the end of the connection".to_owned(), None)),
        Refusal::WentOn => {
            Err(Stop::inconclusive(format!("{packet} gets no acknowledgement, and PINGREQ does")))
        }
        Refusal::HeldOpen | Refusal::Stuck => {
            Err(Stop::inconclusive(format!("after {packet} the broker answers nothing on the connection")))
        }
    }
}
