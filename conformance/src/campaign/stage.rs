//! Plays a case to the broker, and judges what its clients saw.

use super::form::Form;
use super::leavings::Leavings;
use super::plain;
use crate::net::Address;
use crate::net::play::{self, Written};
use crate::replay::lend_credentials;
use crate::story::Credentials;
use mqtt_assay_broker_model::history::{ClientNo, History, What};
use mqtt_assay_broker_model::rules::{self, Accusation, Bounds};
use mqtt_assay_codec::{Decoder, Packet, PacketType, Receiver, Split, Version, frame};
use mqtt_assay_fuzz_engine::finding::Key;
use mqtt_assay_fuzz_engine::place::{Mark, NAME, marked};
use mqtt_assay_fuzz_engine::signature::Signature;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What all plays of a campaign have in common.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) address: Address,
    pub(super) credentials: Credentials,
    /// A version that the broker speaks.
    pub(super) version: Version,
    /// How long an answer may take before its lack accuses.
    pub(super) promptness: Duration,
    /// How long it may take to make a case small.
    pub(super) minimising: Duration,
    /// The number of the next mark.
    pub(super) marks: AtomicU64,
    /// Whether a recommendation that is not followed is a finding, too.
    pub(super) strict: bool,
}

/// What came of one play.
#[derive(Clone, Debug)]
pub(super) struct Play {
    pub(super) history: History,
    pub(super) accusations: Vec<Accusation>,
    /// What stood for the names of the play.
    pub(super) mark: Mark,
}

impl Play {
    pub(super) fn signature(&self) -> Signature {
        Signature::of(&self.history)
    }

    /// The accusation that is the finding of this name.
    pub(super) fn accusation(&self, name: &str) -> Option<&Accusation> {
        self.accusations.iter().find(|accusation| Key::of(accusation).to_string() == name)
    }

    pub(super) fn shows(&self, name: &str) -> bool {
        self.accusation(name).is_some()
    }
}

impl Stage {
    pub(super) fn mark(&self) -> Mark {
        Mark::new(self.marks.fetch_add(1, Ordering::Relaxed))
    }

    /// Plays a case under names of its own, judges it, and clears up behind it.
    pub(super) async fn play(&self, form: &Form) -> Play {
        self.play_counted(form, Written::default()).await
    }

    /// As [`Stage::play`], and tells when the clients have written.
    pub(super) async fn play_counted(&self, form: &Form, written: Written) -> Play {
        let mark = self.mark();
        let mut script = marked(&form.whole_script(self.promptness), &mark);
        lend_credentials(&mut script, &self.credentials);
        let played = play::play_counted(script, &self.address, form.limits(self.promptness), written).await;
        let mut accusations = self.judge(&played.history, form.promptness(self.promptness), &mark);
        if !accusations.is_empty() {
            drop_what_nobody_can_tell(&mut accusations, &played.history, &mark);
        }
        accusations.retain(|accusation| self.strict || !accusation.deviates);
        for accusation in &mut accusations {
            for text in [&mut accusation.expected, &mut accusation.observed] {
                *text = text.replace(mark.as_str(), NAME);
            }
        }
        let left = Leavings::of(&played.history, mark.as_str());
        plain::clear(&self.address, self.version, &self.credentials, &mark, &left).await;
        Play { history: played.history, accusations, mark }
    }

    /// Topics and sessions of the play are nobody else's. Once it has to do with others, what else comes from there is
    /// anybody's.
    fn judge(&self, history: &History, promptness: Duration, mark: &Mark) -> Vec<Accusation> {
        let bounds = Bounds { promptness, closed_world: true, ..Bounds::default() };
        let accusations = rules::judge(history, bounds).accusations;
        if accusations.is_empty() || !meets_others(history, mark) {
            return accusations;
        }
        rules::judge(history, Bounds { closed_world: false, ..bounds }).accusations
    }
}

/// Where a client's bytes begin no packet that there is, nothing tells where a broker that does not close, as it should,
/// takes the next one to begin: only that it does not close can be held against it. Nor is it known what becomes of a
/// session, and of its Will, whose Client Identifier another play may use, too.
fn drop_what_nobody_can_tell(accusations: &mut Vec<Accusation>, history: &History, mark: &Mark) {
    const STAND: [&str; 2] = ["closes_on_error", "well_formed"];
    let lost = [lost_framing(history), shared_identifier(history, mark)].into_iter().flatten().min();
    if let Some(lost) = lost {
        accusations.retain(|accusation| accusation.event < lost || STAND.contains(&accusation.rule));
    }
}

/// The first CONNECT whose Client Identifier is not the play's own: it was sent as raw bytes, which have lost the mark.
fn shared_identifier(history: &History, mark: &Mark) -> Option<usize> {
    let mut sent = history.versioned().enumerate();
    let found = sent.find(|(_, (event, version))| match event.what {
        What::Sent(bytes) => match Decoder::new(*version, Receiver::Server).next(bytes) {
            Ok(Some((Packet::Connect(connect), _))) => is_foreign(connect.client_id, mark),
            _ => false,
        },
        _ => false,
    });
    found.map(|(index, _)| index)
}

/// Whether a name that stands for something is not the play's own.
fn is_foreign(name: &str, mark: &Mark) -> bool {
    !name.is_empty() && !name.contains(mark.as_str())
}

/// The first event with which a client has begun what is no packet: of a type that there is not, or of a length without
/// an end.
fn lost_framing(history: &History) -> Option<usize> {
    let mut streams: BTreeMap<(ClientNo, u32), (Version, Vec<u8>)> = BTreeMap::new();
    history.iter().enumerate().find_map(|(index, event)| {
        let key = (event.client, event.connection);
        match event.what {
            What::Attempted(version) => drop(streams.insert(key, (version, Vec::new()))),
            What::Wrote(bytes) => {
                let (version, begun) = streams.get_mut(&key)?;
                begun.extend_from_slice(bytes);
                loop {
                    let kind = begun.first().map(|first| first >> 4);
                    if kind.is_some_and(|kind| kind == 0 || kind == 15 && *version != Version::V5) {
                        return Some(index);
                    }
                    match frame::split(begun, u32::MAX, *version) {
                        Ok(Split::Whole(frame)) => {
                            let length = frame.bytes().len();
                            begun.drain(..length);
                        }
                        Ok(Split::Missing(_)) => break,
                        Err(_) => return Some(index),
                    }
                }
            }
            _ => {}
        }
        None
    })
}

/// Whether a message has come on a topic that is not the play's, or a client goes by a name that is not: raw bytes may
/// have lost the mark, and have been played before.
fn meets_others(history: &History, mark: &Mark) -> bool {
    history.versioned().any(|(event, version)| {
        match event.what {
            What::Received(bytes) => match Decoder::new(version, Receiver::Client).next(bytes) {
                Ok(Some((Packet::Publish(publish), _))) => is_foreign(publish.topic, mark),
                _ => false,
            },
            // A CONNECT that is malformed may have been taken for another one.
            What::Sent(bytes)
                if bytes.first().is_some_and(|first| first >> 4 == PacketType::Connect as u8) =>
            {
                match Decoder::new(version, Receiver::Server).next(bytes) {
                    Ok(Some((Packet::Connect(connect), _))) => is_foreign(connect.client_id, mark),
                    _ => true,
                }
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_broker_model::{Broker, Mutant, Policy, direct};

    /// What is left of the accusations of a broker that publishes Wills after a normal DISCONNECT, where a client
    /// connects with this Client Identifier.
    fn accused(client_id: &str) -> Vec<&'static str> {
        let mark = Mark::new(0);
        let own = mark.as_str();
        let script = format!(
            "client a client_id={client_id} clean_start=1 will={own}/w \"x\" will_qos=0
             client b client_id={own}b clean_start=1
             b > SUBSCRIBE {own}/w qos=0
             b settle
             a connect
             a settle
             a > DISCONNECT
             b settle
             wait 1 s
             b barrier"
        );
        let script = script.parse().expect("a script");
        let broker = Broker::new(Policy::default(), 1).with_mutant(Mutant::WillPublishedOnNormalDisconnect);
        let history = direct::play(script, broker).history;
        let bounds = Bounds { closed_world: true, ..Bounds::default() };
        let mut accusations = rules::judge(&history, bounds).accusations;
        drop_what_nobody_can_tell(&mut accusations, &history, &mark);
        accusations.iter().map(|accusation| accusation.rule).collect()
    }

    #[test]
    fn a_client_identifier_that_others_may_have_says_nothing_of_its_session() {
        assert_eq!(accused(&format!("{}a", Mark::new(0))), ["will_withheld"]);
        assert_eq!(accused("anybody"), [""; 0]);
    }
}
