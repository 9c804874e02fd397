//! What a broker must do with a packet that breaks a rule, and how its answer is judged.
//!
//! 3.1.1 obliges the broker to close the connection. 5.0 obliges it to close once it detects the error
//! [5.0/MQTT-4.13.1-1]; only some statements oblige it to detect. An error that goes undetected elsewhere is a
//! deviation, unless what is wrong is passed on, which the story looks at itself.

use super::{Client, End, Next, Received, Stop, Story, World};
use mqtt_assay_codec::{Packet, PacketType, ReasonCode};
use std::time::Duration;
use tokio::time::Instant;

/// How much an undetected error weighs in 5.0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// A statement obliges the broker to detect it: *violates*.
    MustDetect,
    /// Only the reaction to a detected error is obligatory: *deviates*.
    MayOverlook,
}

/// What the broker did with a bad packet.
#[derive(Debug)]
pub enum Refusal {
    /// It ended the connection; in 5.0 perhaps after this DISCONNECT.
    Ended(End, Option<Received>),
    /// It went on: PINGREQ is still answered.
    WentOn,
    /// It neither ended the connection nor answers on it, though it serves a new one.
    HeldOpen,
    /// It neither ended the connection nor answers, here or on a new one.
    Stuck,
}

/// How long the broker has the floor before a PINGREQ asks it whether it went on. Not a verdict's bound: only a
/// courtesy, so that our PINGREQ does not meet a socket that is being closed.
pub(super) const FLOOR: Duration = Duration::from_millis(150);

/// How many times the round trip of a PINGREQ the end of a connection may come behind its PINGRESP; and how many times as
/// long as a new connection takes PINGRESP may come later than it should.
const BUSY: u32 = 4;

impl Client<'_> {
    /// Awaits the broker's reaction to a bad packet just sent on an accepted connection.
    ///
    /// Packets other than the final DISCONNECT go to the inbox.
    pub async fn reaction(&mut self) -> Result<Refusal, Stop> {
        let mut farewell = None;
        let floor = Instant::now() + FLOOR;
        if let Some(end) = self.read_until_end(floor, &mut farewell).await? {
            return Ok(Refusal::Ended(end, farewell));
        }
        // Two round trips: a broker that handles packets side by side gets a second chance to close.
        let mut slowest = Duration::ZERO;
        for _ in 0..2 {
            if farewell.is_some() {
                break;
            }
            self.send(&Packet::Pingreq).await?;
            let asked = Instant::now();
            if let Some(refusal) = self.answer_to_pingreq(&mut farewell).await? {
                return Ok(refusal);
            }
            slowest = slowest.max(asked.elapsed());
        }
        // And a third one, as long as its answers tell that it is busy, CONNACK among them: what closes may not be what
        // answers PINGREQ.
        let busy = (slowest * BUSY).max(self.connecting);
        if farewell.is_none()
            && let Some(end) = self.read_until_end(Instant::now() + busy, &mut farewell).await?
        {
            return Ok(Refusal::Ended(end, farewell));
        }
        if farewell.is_none() {
            return Ok(Refusal::WentOn);
        }
        let deadline = self.deadline();
        match self.read_until_end(deadline, &mut farewell).await? {
            Some(end) => Ok(Refusal::Ended(end, farewell)),
            None => Err(Stop::violates("the end of the connection after DISCONNECT", "it stays open")),
        }
    }

    /// Awaits PINGRESP; `Some` if it does not come.
    ///
    /// A broker that serves others meanwhile may still be busy with this connection: it has the more time for that, the
    /// longer it takes to serve a new one.
    async fn answer_to_pingreq(&mut self, farewell: &mut Option<Received>) -> Result<Option<Refusal>, Stop> {
        let is_pingresp = |r: &Received| r.packet_type() == PacketType::Pingresp;
        let mut served = None;
        let mut next = self.read_until(self.deadline(), farewell, is_pingresp).await?;
        if matches!(next, Next::Silence) {
            served = self.serves_another().await;
            let busy = served.map_or(Duration::ZERO, |took| took.max(self.connecting) * BUSY);
            let deadline = Instant::now() + busy.min(self.world.patience()).max(FLOOR);
            next = self.read_until(deadline, farewell, is_pingresp).await?;
        }
        Ok(match next {
            Next::Packet(_) => None,
            Next::End(end) => Some(Refusal::Ended(end, farewell.take())),
            Next::Silence if served.is_some() => Some(Refusal::HeldOpen),
            Next::Silence => Some(Refusal::Stuck),
        })
    }

    /// Reads until what is awaited, the end, or the deadline; what else comes goes to the inbox, and DISCONNECT is the
    /// farewell.
    async fn read_until(
        &mut self,
        deadline: Instant,
        farewell: &mut Option<Received>,
        is_awaited: fn(&Received) -> bool,
    ) -> Result<Next, Stop> {
        loop {
            match self.read(deadline).await? {
                Next::Packet(r) if is_awaited(&r) => return Ok(Next::Packet(r)),
                Next::Packet(r) if r.packet_type() == PacketType::Disconnect => *farewell = Some(r),
                Next::Packet(r) => self.inbox.push_back(r),
                other => return Ok(other),
            }
        }
    }

    /// Tells a connection that the broker leaves hanging from a broker that serves nobody: how long a new one takes, with
    /// the answer to a PINGREQ.
    pub(crate) async fn serves_another(&mut self) -> Option<Duration> {
        let asked = Instant::now();
        let another = self.world.connect_alive(&format!("{}beside", self.name)).await;
        another.is_ok().then(|| asked.elapsed())
    }

    /// Awaits the reaction to a SUBSCRIBE or UNSUBSCRIBE just sent, which may also be refused by its answer.
    ///
    /// A broker that handles packets side by side may answer PINGREQ first: the answer that is still due is waited for.
    pub async fn reaction_to_request(&mut self) -> Result<Refusal, Stop> {
        let is_answer = |r: &Received| matches!(r.packet_type(), PacketType::Suback | PacketType::Unsuback);
        let reaction = self.reaction().await?;
        if !matches!(reaction, Refusal::WentOn) || self.inbox.iter().any(is_answer) {
            return Ok(reaction);
        }
        let mut farewell = None;
        match self.read_until(self.deadline(), &mut farewell, is_answer).await? {
            Next::Packet(answer) => self.inbox.push_back(answer),
            Next::End(end) => return Ok(Refusal::Ended(end, farewell)),
            Next::Silence => {}
        }
        Ok(reaction)
    }

    async fn read_until_end(
        &mut self,
        deadline: Instant,
        farewell: &mut Option<Received>,
    ) -> Result<Option<End>, Stop> {
        Ok(match self.read_until(deadline, farewell, |_| false).await? {
            Next::End(end) => Some(end),
            Next::Packet(_) | Next::Silence => None,
        })
    }

    /// The broker must end the connection for the bad packet just sent.
    ///
    /// `specific` is the 5.0 Reason Code that names the error; 0x80 to 0x83 are as good, since the border between
    /// them is not sharp. `severity` weighs an undetected error in 5.0.
    pub async fn refuses(&mut self, specific: ReasonCode, severity: Severity) -> Story {
        let reaction = self.reaction().await?;
        self.judge_refusal(reaction, specific, severity)
    }

    pub(crate) fn judge_refusal(
        &mut self,
        reaction: Refusal,
        specific: ReasonCode,
        severity: Severity,
    ) -> Story {
        let v5 = self.world.is_v5();
        match reaction {
            Refusal::Ended(_, None) if v5 => {
                self.world.deviates(
                    Some(self.world.cite("MQTT-4.13.1-1")),
                    "a DISCONNECT with a Reason Code before the connection ends",
                    "the connection ended without one",
                );
                Ok(())
            }
            Refusal::Ended(_, None) => Ok(()),
            Refusal::Ended(_, Some(farewell)) => {
                self.judge_code(&farewell, specific);
                Ok(())
            }
            Refusal::WentOn if v5 && severity == Severity::MayOverlook => {
                self.world.deviates(
                    None,
                    "the end of the connection",
                    "the error goes unnoticed: PINGREQ is still answered",
                );
                Ok(())
            }
            Refusal::WentOn => Err(Stop::violates(
                "the end of the connection",
                "the connection goes on: PINGREQ is still answered",
            )),
            Refusal::HeldOpen if v5 && severity == Severity::MayOverlook => {
                self.world.deviates(None, "the end of the connection", held_open_words(self.world));
                Ok(())
            }
            Refusal::HeldOpen => {
                Err(Stop::violates("the end of the connection", held_open_words(self.world)))
            }
            Refusal::Stuck => Err(Stop::inconclusive(format!(
                "the broker neither ended the connection nor answered PINGREQ within {:.0} s",
                self.world.patience().as_secs_f64()
            ))),
        }
    }

    fn judge_code(&self, farewell: &Received, specific: ReasonCode) {
        const GENERAL: [ReasonCode; 4] = [
            ReasonCode::UNSPECIFIED_ERROR,
            ReasonCode::MALFORMED_PACKET,
            ReasonCode::PROTOCOL_ERROR,
            ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
        ];
        if let Packet::Disconnect(d) = farewell.packet()
            && d.reason != specific
            && !GENERAL.contains(&d.reason)
        {
            self.world.deviates(
                None,
                format!("DISCONNECT {specific} or one of 0x80 to 0x83"),
                farewell.line(),
            );
        }
    }

    /// The broker must end the connection on whose beginning bad bytes were sent instead of a proper CONNECT.
    ///
    /// Nothing but, in 5.0, a CONNACK with a code of 0x80 or above may come first.
    pub async fn refuses_to_connect(&mut self) -> Story {
        let may_answer = self.world.is_v5();
        if self.is_ended_at_connect(may_answer).await? {
            return Ok(());
        }
        Err(Stop::violates(self.end_due_at_connect(may_answer), still_open_words(self.world)))
    }

    /// What has to follow a first packet that is wrong.
    pub(super) fn end_due_at_connect(&self, may_answer: bool) -> &'static str {
        match (may_answer, self.world.is_v5()) {
            (true, true) => "the end of the connection, perhaps after a CONNACK of 0x80 or above",
            (true, false) => "the end of the connection, perhaps after a CONNACK other than 0x00",
            (false, _) => "the end of the connection, and nothing before it",
        }
    }

    /// Whether the end of the connection comes, and before it at most a CONNACK that refuses, if there may be one: in
    /// 3.1.1, too, for what the section on CONNECT itself does not forbid [3.1.1/MQTT-3.1.4-2].
    ///
    /// `false` if the broker leaves it open, though it serves a new one.
    pub(super) async fn is_ended_at_connect(&mut self, may_answer: bool) -> Result<bool, Stop> {
        let expected = self.end_due_at_connect(may_answer);
        let deadline = self.deadline();
        loop {
            match self.read(deadline).await? {
                Next::End(_) => return Ok(true),
                Next::Packet(received) => match received.packet() {
                    Packet::Connack(c) if may_answer && c.code != ReasonCode::SUCCESS => {}
                    // The passive rules have accused anything but a CONNACK already.
                    Packet::Connack(_) => {
                        return Err(Stop::violates(expected, received.line()).at(received.index));
                    }
                    _ => {
                        return Err(Stop::violates(expected, received.line())
                            .citing(self.world.cite("MQTT-3.2.0-1"))
                            .at(received.index));
                    }
                },
                Next::Silence => break,
            }
        }
        let served = self.serves_another().await;
        // It had the time of that round trip, too.
        if self.read_until_end(Instant::now() + FLOOR, &mut None).await?.is_some() {
            return Ok(true);
        }
        if served.is_some() {
            return Ok(false);
        }
        // A broker that gets round to nobody has left nothing undone here in particular.
        Err(Stop::inconclusive(format!(
            "the broker neither ended the connection of {} within {:.0} s nor serves a new one",
            self.name,
            self.world.patience().as_secs_f64()
        )))
    }
}

/// What [`Refusal::HeldOpen`] looks like.
pub(super) fn held_open_words(world: &World) -> String {
    format!(
        "the connection is left open and PINGREQ unanswered for {:.0} s, while a new connection is served",
        world.patience().as_secs_f64()
    )
}

/// What a connection looks like that began with a wrong packet and does not end.
pub(super) fn still_open_words(world: &World) -> String {
    format!("still open after {:.0} s", world.patience().as_secs_f64())
}
