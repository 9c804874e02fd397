//! The clients' side of a log as a script: what `replay` plays to a broker.
//!
//! A packet stands there in words where the words make the same bytes, else byte by byte. What came from the broker is
//! waited for by its kind only: its identifiers may be others the next time, and what it sent wrongly is in question.
//! Not every log has such a form: some checks do what no script can say.

use super::json::{Entry, Logged, Way};
use super::log;
use super::view::version;
use mqtt_assay_broker_model::script::{Action, Send, Step, text};
use mqtt_assay_codec::{Decoder, Packet, PacketId, PacketType, Qos, ReasonCode, Receiver, Version};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

/// Longer scripts are none that anybody reads.
const MOST_STEPS: usize = 120;
/// How long an acknowledgement may take without the time being part of the story.
const PROMPT: Duration = Duration::from_millis(400);
/// What follows the point in question: time for whatever comes there.
const AFTERWARDS: &str = "wait 500 ms";

/// The script; `None` if the log cannot be put into one.
pub(crate) fn of(entry: &Entry) -> Option<String> {
    let log = entry.log.as_ref().filter(|log| !log.is_empty())?;
    let version = version(&entry.version)?;
    // What comes after the proof is not part of it.
    let marked = log::marked(entry);
    let end = marked.last().map_or(log.len(), |last| end(log, *last));
    let mut writer = Writer { version, clients: Vec::new(), lines: Vec::new(), last: Duration::ZERO };
    for (index, event) in log[..end].iter().enumerate() {
        writer.event(event, marked.contains(&index))?;
        if writer.lines.len() > MOST_STEPS {
            return None;
        }
    }
    let script = writer.finish(entry);
    // The language has the last word on what is a script.
    text::parse(&script).is_ok().then_some(script)
}

/// Where the story may end: behind the event in question, or, where a remark such as the beginning of a connection
/// stands for what follows on it, behind that.
fn end(log: &[Logged], last: usize) -> usize {
    let event = &log[last];
    let own = |other: &Logged| (&other.client, other.connection) == (&event.client, event.connection);
    let follows = event.direction == Way::Note && event.connection > 0;
    log.iter().rposition(own).filter(|_| follows).unwrap_or(last) + 1
}

struct Writer {
    version: Version,
    clients: Vec<Taking>,
    lines: Vec<String>,
    last: Duration,
}

/// A client that takes part.
struct Taking {
    name: String,
    /// The connection that its steps are about.
    connection: u32,
    /// Whether it has said DISCONNECT, and with it closed the connection.
    gone: bool,
    /// The Packet Identifiers of what it has received and not acknowledged.
    open: BTreeSet<PacketId>,
}

impl Writer {
    fn event(&mut self, event: &Logged, here: bool) -> Option<()> {
        let at = Duration::from_micros(event.at_us);
        if event.direction == Way::Note && pause(&event.text).is_some() {
            self.lines.push(format!("wait {}", pause(&event.text)?));
            self.last = at;
            return Some(());
        }
        if event.connection == 0 || !text::is_name(&event.client) {
            return None;
        }
        let place = self.client(event);
        let current = self.clients[place].connection;
        if event.connection < current {
            // An older connection of the client: no step can speak of it, and none needs to wait for it.
            return (event.direction != Way::Sent).then_some(());
        }
        let name = event.client.clone();
        let waited = at.saturating_sub(self.last);
        match event.direction {
            Way::Sent => {
                if waited > PROMPT {
                    self.lines.push(format!("wait {} ms", waited.as_millis()));
                }
                let step = self.sent(event, place)?;
                self.lines.push(format!("{name} {step}"));
                if PacketType::from_u8(bytes(event)?.first()? >> 4) == Some(PacketType::Disconnect) {
                    self.clients[place].gone = true;
                }
            }
            Way::Received if here => {
                self.lines.push(format!("# here {name} got: {}", event.text));
                // Whether it comes again is the question; a step that asks for it would be the wrong one.
                self.lines.push(AFTERWARDS.to_owned());
                self.received(event, place);
            }
            Way::Received => {
                let pattern = pattern(&event.text)?;
                self.lines.push(format!("{name} < {pattern}{}", patience(at)));
                self.received(event, place);
            }
            Way::Note => self.note(event, place, here)?,
        }
        self.last = at;
        Some(())
    }

    fn note(&mut self, event: &Logged, place: usize, here: bool) -> Option<()> {
        let name = &event.client;
        match event.text.as_str() {
            "opens a connection" => {
                self.clients[place].connection = event.connection;
                self.clients[place].gone = false;
                self.lines.push(format!("{name} open"));
            }
            "closes the connection without DISCONNECT" if self.clients[place].gone => {}
            "closes the connection without DISCONNECT" => self.lines.push(format!("{name} cut")),
            "resets the connection" => self.lines.push(format!("{name} cut reset")),
            ended if ended.starts_with("the broker ") => {
                if here {
                    self.lines.push(format!("# here {ended}"));
                    self.lines.push(AFTERWARDS.to_owned());
                } else if !self.clients[place].gone {
                    let patience = patience(Duration::from_micros(event.at_us));
                    self.lines.push(format!("{name} < closed{patience}"));
                }
                self.clients[place].gone = true;
            }
            // A remark on which wrong packet it is, by its name in the codec's table.
            remark if remark.starts_with("sends ") && remark.contains('/') => {
                self.lines.push(format!("# {remark}"));
            }
            _ => return None,
        }
        Some(())
    }

    fn client(&mut self, event: &Logged) -> usize {
        let known = self.clients.iter().position(|client| client.name == event.client);
        known.unwrap_or_else(|| {
            let name = event.client.clone();
            self.clients.push(Taking {
                name,
                connection: event.connection,
                gone: false,
                open: BTreeSet::new(),
            });
            self.clients.len() - 1
        })
    }

    /// Keeps in mind what is to be acknowledged.
    fn received(&mut self, event: &Logged, place: usize) {
        let bytes = bytes(event).unwrap_or_default();
        let id = match Decoder::new(self.version, Receiver::Client).next(&bytes) {
            Ok(Some((Packet::Publish(publish), _))) => publish.packet_id,
            Ok(Some((Packet::Pubrel(pubrel), _))) => Some(pubrel.packet_id),
            _ => None,
        };
        self.clients[place].open.extend(id);
    }

    /// Whether the packet acknowledges the one thing that its client has received. The Packet Identifier is the
    /// broker's, and it may be another one the next time.
    fn acknowledges(&mut self, bytes: &[u8], place: usize) -> bool {
        let id = match Decoder::new(self.version, Receiver::Server).next(bytes) {
            Ok(Some((Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack), length)))
                if ack.reason == ReasonCode::SUCCESS
                    && ack.properties.is_empty()
                    && length == bytes.len() =>
            {
                ack.packet_id
            }
            _ => return false,
        };
        let open = &mut self.clients[place].open;
        let only = open.len() == 1;
        open.remove(&id) && only
    }

    /// The step that sends what was sent.
    fn sent(&mut self, event: &Logged, place: usize) -> Option<String> {
        let bytes = bytes(event)?;
        if self.acknowledges(&bytes, place) {
            return Some("acknowledge".to_owned());
        }
        if self.in_words(&event.client, &event.text).is_some_and(|made| made == bytes) {
            return Some(format!("> {}", event.text));
        }
        let mut step = "> raw".to_owned();
        for byte in &bytes {
            let _ = write!(step, " {byte:02x}");
        }
        let _ = write!(step, "   # {}", event.text);
        Some(step)
    }

    /// The bytes that the words make, if a script may have them in the place of the bytes.
    fn in_words(&self, client: &str, words: &str) -> Option<Vec<u8>> {
        let script =
            text::parse(&format!("mqtt {}\nclient {client}\n{client} > {words}\n", flag(self.version)))
                .ok()?;
        let [Step::Client(_, Action::Send(send, cuts))] = script.steps.as_slice() else { return None };
        // A player ends an exchange of QoS 2 that it has begun; here each of its packets has a step.
        let exchange = matches!(send, Send::Publish { qos: Qos::ExactlyOnce, .. });
        if exchange || !cuts.is_empty() {
            return None;
        }
        send.encode(self.version, client, PacketId::MIN)
    }

    fn finish(self, entry: &Entry) -> String {
        let mut script = format!("# {}, MQTT {}\n", entry.check, entry.version);
        script.push_str("# This plays the exchange again. What was in question is told here; the rules of `replay` see it, too, where\n");
        script.push_str("# it is theirs to judge.\n");
        for finding in &entry.findings {
            if !finding.expected.is_empty() {
                let _ = writeln!(script, "# expected  {}", finding.expected);
            }
            let _ = writeln!(script, "# observed  {}", finding.observed);
        }
        let _ = writeln!(script, "\nmqtt {}", flag(self.version));
        for client in &self.clients {
            let _ = writeln!(script, "client {} clean_start=1 acks=manual", client.name);
        }
        script.push('\n');
        for line in &self.lines {
            let _ = writeln!(script, "{line}");
        }
        script
    }
}

/// How long an expectation waits: as long as the whole story took until then, where that is more than is usual.
fn patience(at: Duration) -> String {
    if at > Duration::from_secs(2) { format!(", within {} s", at.as_secs() + 5) } else { String::new() }
}

/// The version as scripts name it.
const fn flag(version: Version) -> &'static str {
    match version {
        Version::V3_1 | Version::V3_1_1 => version.as_str(),
        Version::V5 => "5",
    }
}

/// What is to come: the packet's kind, and of a PUBLISH the topic.
fn pattern(text: &str) -> Option<String> {
    let mut words = text.split(' ');
    let kind = words.next().filter(|kind| PacketType::ALL.iter().any(|packet| packet.name() == *kind))?;
    match (kind, words.next()) {
        ("PUBLISH", Some(topic)) if !topic.starts_with('"') => Some(format!("PUBLISH {topic}")),
        (kind, _) => Some(kind.to_owned()),
    }
}

/// How long a remark says that time passes: `1.5 s pass (keep alive)`.
fn pause(text: &str) -> Option<&str> {
    let (time, _) = text.split_once(" pass (")?;
    time.ends_with(" s").then_some(time)
}

/// All bytes of an event; `None` if the log has only their beginning.
fn bytes(event: &Logged) -> Option<Vec<u8>> {
    let bytes = super::bytes(&event.hex)?;
    (bytes.len() == event.length && !bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;
    use mqtt_assay_codec::describe;

    const NEW: Version = Version::V5;

    fn event(at: u64, direction: Way, text: &str, bytes: &[u8]) -> Logged {
        let (client, hex) = ("a".to_owned(), crate::report::hex(bytes));
        let (text, length) = (text.to_owned(), bytes.len());
        Logged { at_us: at * 1000, client, connection: 1, direction, text, hex, length }
    }

    fn packet(at: u64, direction: Way, bytes: &[u8]) -> Logged {
        let receiver = if direction == Way::Sent { Receiver::Server } else { Receiver::Client };
        let decoded = Decoder::new(NEW, receiver).next(bytes).expect("well-formed").expect("whole");
        event(at, direction, &describe::line(&decoded.0, NEW), bytes)
    }

    fn steps(log: Vec<Logged>) -> Option<Vec<String>> {
        let entry = Entry::example("qos_2/example", Verdict::Violates, log);
        let script = of(&entry)?;
        let (_, steps) = script.split_once("client a clean_start=1 acks=manual\n\n")?;
        Some(steps.lines().map(str::to_owned).collect())
    }

    #[test]
    fn an_exchange_of_qos_2_is_played_packet_by_packet() {
        let publish = b"\x34\x07\x00\x01t\x00\x05\x00!";
        let log = vec![
            event(0, Way::Note, "opens a connection", b""),
            packet(1, Way::Sent, publish),
            packet(2, Way::Received, b"\x50\x02\x00\x05"),
            packet(903, Way::Sent, b"\x62\x02\x00\x05"),
            event(904, Way::Note, "the broker closed the connection", b""),
        ];
        let expected = [
            "a open",
            "a > raw 34 07 00 01 74 00 05 00 21   # PUBLISH t \"!\" qos=2 id=5",
            "a < PUBREC",
            // The time that passed was not the broker's.
            "wait 901 ms",
            "a > PUBREL id=5",
            "a < closed",
        ];
        assert_eq!(steps(log).expect("it is a script"), expected);
    }

    #[test]
    fn only_what_answers_one_message_is_an_acknowledgement() {
        let puback = b"\x40\x02\x00\x09";
        let publish = |id: u8| [0x32, 0x06, 0x00, 0x01, b't', 0x00, id, 0x00];
        let played = |ids: &[u8]| {
            let mut log: Vec<Logged> = ids.iter().map(|id| packet(1, Way::Received, &publish(*id))).collect();
            log.push(packet(2, Way::Sent, puback));
            steps(log).expect("it is a script").pop().expect("it has a last step")
        };
        assert_eq!(played(&[9]), "a acknowledge");
        assert_eq!(played(&[8, 9]), "a > PUBACK id=9");
        assert_eq!(played(&[]), "a > PUBACK id=9");
    }

    #[test]
    fn what_no_script_can_say_makes_none() {
        let open = event(0, Way::Note, "opens a connection", b"");
        assert!(steps(vec![open.clone()]).is_some());
        let half = event(1, Way::Note, "sends 3 bytes of a packet, then the rest", b"");
        assert_eq!(steps(vec![open.clone(), half]), None);
        let mut cut = packet(1, Way::Sent, b"\xc0\x00");
        cut.length = 900;
        assert_eq!(steps(vec![open.clone(), cut]), None);
        let mut stranger = open;
        stranger.client = "wait".to_owned();
        assert_eq!(steps(vec![stranger]), None);
    }
}
