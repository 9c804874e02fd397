//! What a story demands of the next packet: a class of packets, and tests on the one that comes.

use super::received::Received;
use super::{Client, End, Next, Stop, Story};
use mqtt_assay_codec::{Packet, PacketId, PacketType, Property, Qos, ReasonCode};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

type Test = Box<dyn Fn(&Received) -> bool + Send + Sync>;

/// A demand on a packet: which one is meant, and what must hold of it.
///
/// It prints as the packet that was expected.
pub struct Expect {
    packet_type: PacketType,
    topic: Option<String>,
    id: Option<PacketId>,
    carried: Option<Vec<u8>>,
    tests: Vec<(String, Test)>,
}

/// A PUBLISH on this topic.
pub fn publish(topic: &str) -> Expect {
    Expect { topic: Some(topic.to_owned()), ..Expect::of(PacketType::Publish) }
}

/// The PUBACK for a PUBLISH.
pub fn puback(id: PacketId) -> Expect {
    Expect { id: Some(id), ..Expect::of(PacketType::Puback) }
}

/// The PUBREC for a PUBLISH.
pub fn pubrec(id: PacketId) -> Expect {
    Expect { id: Some(id), ..Expect::of(PacketType::Pubrec) }
}

/// The PUBREL for a PUBREC.
pub fn pubrel(id: PacketId) -> Expect {
    Expect { id: Some(id), ..Expect::of(PacketType::Pubrel) }
}

/// The PUBCOMP for a PUBREL.
pub fn pubcomp(id: PacketId) -> Expect {
    Expect { id: Some(id), ..Expect::of(PacketType::Pubcomp) }
}

/// The SUBACK for a SUBSCRIBE.
pub fn suback(id: PacketId) -> Expect {
    Expect { id: Some(id), ..Expect::of(PacketType::Suback) }
}

/// The UNSUBACK for an UNSUBSCRIBE.
pub fn unsuback(id: PacketId) -> Expect {
    Expect { id: Some(id), ..Expect::of(PacketType::Unsuback) }
}

/// A PINGRESP.
pub fn pingresp() -> Expect {
    Expect::of(PacketType::Pingresp)
}

/// A CONNACK.
pub fn connack() -> Expect {
    Expect::of(PacketType::Connack)
}

/// A DISCONNECT of the broker's.
pub fn disconnect() -> Expect {
    Expect::of(PacketType::Disconnect)
}

/// An AUTH of the broker's.
pub fn auth() -> Expect {
    Expect::of(PacketType::Auth)
}

impl Expect {
    fn of(packet_type: PacketType) -> Self {
        Expect { packet_type, topic: None, id: None, carried: None, tests: Vec::new() }
    }

    /// Adds a test, with its words for messages.
    #[must_use]
    pub fn that(
        mut self,
        words: impl Into<String>,
        test: impl Fn(&Received) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.tests.push((words.into(), Box::new(test)));
        self
    }

    /// The message with this payload is meant: others on its topic may come first.
    #[must_use]
    pub fn carrying(self, payload: &[u8]) -> Self {
        Expect { carried: Some(payload.to_vec()), ..self }
    }

    /// The payload is this.
    #[must_use]
    pub fn payload(self, payload: &[u8]) -> Self {
        let payload = payload.to_vec();
        self.that(format!("\"{}\"", payload.escape_ascii()), move |r| r.payload() == payload)
    }

    /// The QoS is this.
    #[must_use]
    pub fn qos(self, qos: Qos) -> Self {
        self.that(format!("qos={qos}"), move |r| r.publish().is_some_and(|p| p.qos == qos))
    }

    /// RETAIN is this.
    #[must_use]
    pub fn retain(self, retain: bool) -> Self {
        self.that(format!("retain={}", u8::from(retain)), move |r| {
            r.publish().is_some_and(|p| p.retain == retain)
        })
    }

    /// DUP is this.
    #[must_use]
    pub fn dup(self, dup: bool) -> Self {
        self.that(format!("dup={}", u8::from(dup)), move |r| r.publish().is_some_and(|p| p.dup == dup))
    }

    /// The Packet Identifier is this.
    #[must_use]
    pub fn packet_id(self, id: PacketId) -> Self {
        self.that(format!("id={id}"), move |r| r.packet().packet_id() == Some(id))
    }

    /// The Reason Code of an acknowledgement or a DISCONNECT is one of these; a 3.1.1 packet has none.
    #[must_use]
    pub fn reason(self, codes: &[ReasonCode]) -> Self {
        let codes = codes.to_vec();
        let words: Vec<String> = codes.iter().map(ToString::to_string).collect();
        self.that(words.join(" or "), move |r| match r.packet() {
            Packet::Puback(a) | Packet::Pubrec(a) | Packet::Pubrel(a) | Packet::Pubcomp(a) => {
                codes.contains(&a.reason)
            }
            Packet::Disconnect(d) => codes.contains(&d.reason),
            Packet::Connack(c) => codes.contains(&c.code),
            _ => false,
        })
    }

    /// The codes of a SUBACK or UNSUBACK are these, in this order.
    #[must_use]
    pub fn codes(self, codes: &[u8]) -> Self {
        let codes = codes.to_vec();
        let words: Vec<String> = codes.iter().map(|c| format!("0x{c:02X}")).collect();
        self.that(words.join(" "), move |r| match r.packet() {
            Packet::Suback(ack) => ack.codes == codes,
            Packet::Unsuback(ack) => ack.codes == codes,
            _ => false,
        })
    }

    /// The packet has this property with this value.
    #[must_use]
    pub fn property(self, property: Property<'_>) -> Self {
        let list: mqtt_assay_codec::PropertyList = std::iter::once(property).collect();
        self.that(format!("{property:?}"), move |r| {
            let wanted = list.view();
            r.packet().properties().is_some_and(|has| has.iter().any(|p| wanted.iter().any(|w| w == p)))
        })
    }

    /// The packet lacks this property.
    #[must_use]
    pub fn without(self, id: mqtt_assay_codec::PropertyId) -> Self {
        self.that(format!("without {}", id.name()), move |r| {
            r.packet().properties().is_none_or(|has| has.iter().all(|p| p.id() != id))
        })
    }

    /// Whether the packet is the one that is meant.
    pub(super) fn means(&self, received: &Received) -> bool {
        received.packet_type() == self.packet_type
            && self.topic.as_deref().is_none_or(|topic| received.topic() == topic)
            && self.id.is_none_or(|id| received.packet().packet_id() == Some(id))
            && self.carried.as_ref().is_none_or(|payload| received.payload() == payload)
    }

    /// Whether everything demanded holds.
    pub(super) fn holds(&self, received: &Received) -> bool {
        self.tests.iter().all(|(_, test)| test(received))
    }

    /// The packet, or the violation that it is if it fails a test.
    pub(crate) fn judge(&self, received: Received) -> Result<Received, Stop> {
        if self.holds(&received) {
            return Ok(received);
        }
        Err(Stop::violates(self.to_string(), received.line()).at(received.index))
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.packet_type)?;
        if let Some(topic) = &self.topic {
            write!(f, " {topic}")?;
        }
        if let Some(id) = self.id {
            write!(f, " id={id}")?;
        }
        if let Some(payload) = &self.carried {
            write!(f, " \"{}\"", payload.escape_ascii())?;
        }
        for (words, _) in &self.tests {
            write!(f, " {words}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Reasons in a DISCONNECT that speak of the broker's circumstances, not of its reading of the specification.
const CIRCUMSTANCES: [ReasonCode; 9] = [
    ReasonCode::SERVER_BUSY,
    ReasonCode::SERVER_SHUTTING_DOWN,
    ReasonCode::MESSAGE_RATE_TOO_HIGH,
    ReasonCode::QUOTA_EXCEEDED,
    ReasonCode::ADMINISTRATIVE_ACTION,
    ReasonCode::USE_ANOTHER_SERVER,
    ReasonCode::SERVER_MOVED,
    ReasonCode::CONNECTION_RATE_EXCEEDED,
    ReasonCode::MAXIMUM_CONNECT_TIME,
];

/// How long a packet is waited for: a broker that sends others meanwhile is at work, and gets more time, within bounds.
struct Waiting {
    patience: Duration,
    /// Until when, unless something comes.
    deadline: Instant,
    /// Until when at most.
    last: Instant,
}

impl Waiting {
    /// So many times the patience at most.
    const EXTENSIONS_MAX: u32 = 3;

    fn new(patience: Duration) -> Self {
        let now = Instant::now();
        Waiting { patience, deadline: now + patience, last: now + patience * Self::EXTENSIONS_MAX }
    }

    fn goes_on(&mut self) {
        self.deadline = (Instant::now() + self.patience).min(self.last);
    }
}

/// A broker that answers PINGREQ sooner than this has no more to do than it can.
const PROMPT: Duration = Duration::from_millis(100);
/// However slow the broker is, no packet is waited for any more after this time.
const SLOWEST: Duration = Duration::from_secs(25);

impl Client<'_> {
    /// Demands a packet. It is looked for in the inbox first; other packets stay there.
    ///
    /// A packet that is meant but fails a test is a violation; so is its absence while the connection still
    /// answers PINGREQ after the World's patience, or more of it if the broker is slow with that, too. A broker that
    /// answers nothing at all leaves it inconclusive.
    pub async fn expect(&mut self, expect: Expect) -> Result<Received, Stop> {
        let received = self.find(&expect).await??;
        expect.judge(received)
    }

    /// Awaits a packet that only leads to the point of the check: its absence is inconclusive here.
    pub(super) async fn await_step(&mut self, expect: Expect) -> Result<Received, Stop> {
        match self.find(&expect).await? {
            Ok(received) => Ok(received),
            Err(stop) => Err(Stop::inconclusive(format!(
                "a step before the point of the check failed: expected {expect}, observed {}",
                stop.0.observed
            ))
            .at(stop.0.at)),
        }
    }

    /// The packet that is meant, or the violation that its absence is.
    pub(crate) async fn find(&mut self, expect: &Expect) -> Result<Result<Received, Stop>, Stop> {
        if let Some(received) = self.take_meant(expect) {
            return Ok(Ok(received));
        }
        let begun = Instant::now();
        let mut patience = self.world.patience;
        loop {
            if let Some(came) = self.come(expect, patience).await? {
                return Ok(came);
            }
            // Silence: a broker that is alive should have spoken by now; one that is not cannot be judged.
            let asked = Instant::now();
            if !self.alive().await? {
                return Err(Stop::inconclusive(format!(
                    "expected {expect}, but the broker answers client {} no more",
                    self.name
                )));
            }
            if let Some(received) = self.take_meant(expect) {
                return Ok(Ok(received));
            }
            // One that takes its time even for PINGRESP has more to do than it can: nothing of it comes in time.
            let took = asked.elapsed();
            if took < PROMPT || begun.elapsed() >= SLOWEST {
                break;
            }
            patience = self.world.patience.max(took * 10);
        }
        let waited = begun.elapsed().as_secs_f64();
        Ok(Err(self.absent(
            expect,
            &format!("nothing of the kind within {waited:.0} s, though PINGREQ is answered"),
        )))
    }

    /// The packet that is meant, if it comes within this time, or the violation that the connection's end is.
    async fn come(
        &mut self,
        expect: &Expect,
        patience: Duration,
    ) -> Result<Option<Result<Received, Stop>>, Stop> {
        let mut waiting = Waiting::new(patience);
        loop {
            match self.read(waiting.deadline).await? {
                Next::Packet(received) if expect.means(&received) => return Ok(Some(Ok(received))),
                Next::Packet(received) => {
                    if let Some(why) = self.circumstance(&received) {
                        return Err(why);
                    }
                    self.inbox.push_back(received);
                    waiting.goes_on();
                }
                Next::End(end) => return Ok(Some(Err(self.absent(expect, end_words(end))))),
                Next::Silence => return Ok(None),
            }
        }
    }

    /// Takes the packet that is meant from the inbox.
    pub(crate) fn take_meant(&mut self, expect: &Expect) -> Option<Received> {
        let index = self.inbox.iter().position(|received| expect.means(received))?;
        self.inbox.remove(index)
    }

    fn absent(&self, expect: &Expect, observed: &str) -> Stop {
        let waiting = self.waiting();
        let observed = if waiting.is_empty() {
            observed.to_owned()
        } else {
            format!("{observed}; came instead: {waiting}")
        };
        Stop::violates(expect.to_string(), observed)
    }

    fn circumstance(&self, received: &Received) -> Option<Stop> {
        match received.packet() {
            Packet::Disconnect(d) if CIRCUMSTANCES.contains(&d.reason) => {
                Some(Stop::inconclusive(format!("the broker ended the connection: {}", received.line())))
            }
            _ => None,
        }
    }

    /// Whether a PINGREQ is answered; packets that come before the answer go to the inbox.
    pub(super) async fn alive(&mut self) -> Result<bool, Stop> {
        self.send(&Packet::Pingreq).await?;
        let mut waiting = Waiting::new(self.world.patience);
        loop {
            match self.read(waiting.deadline).await? {
                Next::Packet(received) if received.packet_type() == PacketType::Pingresp => return Ok(true),
                Next::Packet(received) => {
                    self.inbox.push_back(received);
                    waiting.goes_on();
                }
                Next::End(_) | Next::Silence => return Ok(false),
            }
        }
    }

    /// A barrier on this connection: PINGREQ and its PINGRESP. What came before goes to the inbox.
    ///
    /// No answer ends the story as inconclusive; a check answers for that.
    pub async fn ping(&mut self) -> Story {
        if self.alive().await? {
            return Ok(());
        }
        Err(Stop::inconclusive(match self.ended() {
            Some(end) => format!("client {} wanted to go on, but {}", self.name, end_words(end)),
            None => format!("client {} got no PINGRESP", self.name),
        }))
    }

    /// No PUBLISH on this topic may have come before a barrier.
    pub async fn expect_no_publish(&mut self, topic: &str) -> Story {
        self.ping().await?;
        match self.inbox.iter().find(|r| r.packet_type() == PacketType::Publish && r.topic() == topic) {
            Some(received) => Err(Stop::violates(
                format!("no PUBLISH on {topic} before the barrier (PINGRESP)"),
                received.line(),
            )
            .at(received.index)),
            None => Ok(()),
        }
    }

    /// No PUBLISH at all may have come before a barrier, save those already taken.
    pub async fn expect_no_publishes(&mut self) -> Story {
        self.ping().await?;
        match self.inbox.iter().find(|r| r.packet_type() == PacketType::Publish) {
            Some(received) => {
                Err(Stop::violates("no PUBLISH before the barrier (PINGRESP)", received.line())
                    .at(received.index))
            }
            None => Ok(()),
        }
    }

    /// The broker must end the connection; packets before the end go to the inbox.
    pub async fn expect_end(&mut self) -> Story {
        let deadline = self.deadline();
        loop {
            match self.read(deadline).await? {
                Next::End(_) => return Ok(()),
                Next::Packet(received) => self.inbox.push_back(received),
                Next::Silence => {
                    return Err(Stop::violates(
                        "the broker ends the connection",
                        format!("still open after {:.0} s", self.world.patience.as_secs_f64()),
                    ));
                }
            }
        }
    }
}

pub(super) fn end_words(end: End) -> &'static str {
    match end {
        End::Closed => "the broker closed the connection",
        End::Reset => "the broker reset the connection",
    }
}
