//! Names that keep cases apart which a broker plays side by side, or one after the other.
//!
//! A case that is [placed](place) has [`NAME`] in each Client Identifier, Topic Name and Topic Filter, so that all of
//! them are its own. Each play puts its [`Mark`] there. Both are of one length: raw bytes, too, whose lengths were
//! counted, stay what they are.

use crate::case::Case;
use core::fmt;
use mqtt_assay_broker_model::history::Fault;
use mqtt_assay_broker_model::script::{Action, Connect, Pattern, Script, Send, Step, Timely};

/// Stands for the mark of a play.
pub const NAME: &str = "thiscase0";

/// A Topic Name or Topic Filter is at most this long. [3.1.1/MQTT-4.7.3-3] [5.0/MQTT-4.7.3-3]
const LONGEST: usize = 65_535;

/// What a play has in place of [`NAME`]: a letter that begins no name of a case, and eight letters and digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mark(String);

impl Mark {
    /// How many marks there are.
    pub const COUNT: u64 = 36_u64.pow(8);

    /// The mark of this number, of which the rest by [`Mark::COUNT`] counts.
    pub fn new(number: u64) -> Mark {
        const SIGNS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut rest = number % Mark::COUNT;
        let mut signs: Vec<char> = (0..8)
            .map(|_| {
                let sign = char::from(SIGNS[(rest % 36) as usize]);
                rest /= 36;
                sign
            })
            .collect();
        signs.push('m');
        Mark(signs.iter().rev().collect())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives a script names of its own, where it has them not yet, and takes out of it what nobody can do to a broker over
/// the network.
///
/// What begins with `$` keeps its first level, which may mean something; `$SYS` and what is no Shared Subscription stay
/// as they are.
pub fn place(script: &mut Script) {
    let crashes = |fault: &Fault| matches!(fault, Fault::Crash | Fault::Restart(_));
    script.steps.retain(|step| !matches!(step, Step::Broker(_)));
    script.schedule.retain(|timed| !matches!(&timed.fault, Timely::Fault(fault) if crashes(fault)));
    let names: Vec<String> = script.clients.iter().map(|client| client.name.clone()).collect();
    for (client, name) in script.clients.iter_mut().zip(&names) {
        identify(&mut client.connect, name);
    }
    for step in &mut script.steps {
        if let Step::Client(client, Action::Connect(Some(connect)) | Action::Send(Send::Connect(connect), _)) =
            step
            && let Some(name) = names.get(client.index())
        {
            identify(connect, name);
        }
    }
    names_of(script, &mut |kind, text| {
        if !text.contains(NAME) && text.len() <= LONGEST {
            *text = match kind {
                Kind::Identifier => client_identifier(text),
                Kind::Topic => topic(text),
                Kind::Filter => filter(text),
            };
        }
    });
}

/// The case, placed; the case itself if that cannot be written.
pub fn placed(case: &Case) -> Case {
    let mut script = case.script().clone();
    place(&mut script);
    if script == *case.script() { case.clone() } else { Case::new(script).unwrap_or_else(|| case.clone()) }
}

/// The script as this play plays it.
pub fn marked(script: &Script, mark: &Mark) -> Script {
    let mut script = script.clone();
    names_of(&mut script, &mut |_, text| {
        if text.contains(NAME) {
            *text = text.replace(NAME, &mark.0);
        }
    });
    mark_raw(&mut script, mark);
    script
}

/// The same in what a client sends as bytes: a name may begin in one step and end in the next.
fn mark_raw(script: &mut Script, mark: &Mark) {
    for client in 0..script.clients.len() {
        let raw = script.steps.iter_mut().filter_map(|step| match step {
            Step::Client(no, Action::Send(Send::Raw(bytes), _)) if no.index() == client => Some(bytes),
            _ => None,
        });
        let mut steps: Vec<&mut Vec<u8>> = raw.collect();
        let mut whole: Vec<u8> = steps.iter().flat_map(|bytes| bytes.iter().copied()).collect();
        replace(&mut whole, NAME.as_bytes(), mark.0.as_bytes());
        let mut rest = whole.as_slice();
        for bytes in &mut steps {
            let (own, behind) = rest.split_at(bytes.len());
            bytes.copy_from_slice(own);
            rest = behind;
        }
    }
}

/// Whether the script has names of its own.
pub fn is_placed(script: &Script) -> bool {
    let mut found = false;
    names_of(&mut script.clone(), &mut |_, text| found |= text.contains(NAME));
    found
}

/// What kind of name it is.
#[derive(Clone, Copy)]
enum Kind {
    Identifier,
    Topic,
    Filter,
}

/// Without a Client Identifier of its own a client goes by its name.
fn identify(connect: &mut Connect, name: &str) {
    connect.client_id.get_or_insert_with(|| name.to_owned());
}

fn names_of(script: &mut Script, edit: &mut dyn FnMut(Kind, &mut String)) {
    for client in &mut script.clients {
        of_connect(&mut client.connect, edit);
    }
    for step in &mut script.steps {
        let Step::Client(_, action) = step else { continue };
        match action {
            Action::Connect(Some(connect)) | Action::Send(Send::Connect(connect), _) => {
                of_connect(connect, edit);
            }
            Action::Send(Send::Publish { topic, .. }, _) => edit(Kind::Topic, topic),
            Action::Send(Send::Subscribe { filters, .. }, _) => {
                filters.iter_mut().for_each(|(filter, _)| edit(Kind::Filter, filter));
            }
            Action::Send(Send::Unsubscribe { filters, .. }, _) => {
                filters.iter_mut().for_each(|filter| edit(Kind::Filter, filter));
            }
            Action::Absent(pattern) => of_pattern(pattern, edit),
            Action::Expect { any_of, .. } => any_of.iter_mut().for_each(|pattern| of_pattern(pattern, edit)),
            _ => {}
        }
    }
}

fn of_connect(connect: &mut Connect, edit: &mut dyn FnMut(Kind, &mut String)) {
    if let Some(client_id) = &mut connect.client_id {
        edit(Kind::Identifier, client_id);
    }
    if let Some(will) = &mut connect.will {
        edit(Kind::Topic, &mut will.topic);
    }
}

fn of_pattern(pattern: &mut Pattern, edit: &mut dyn FnMut(Kind, &mut String)) {
    if let Pattern::Publish { topic: Some(topic), .. } = pattern {
        edit(Kind::Topic, topic);
    }
}

/// One that is empty asks the Server for one.
fn client_identifier(text: &str) -> String {
    if text.is_empty() { String::new() } else { shortened(format!("{NAME}{text}")) }
}

fn topic(text: &str) -> String {
    match text.strip_prefix('$').map(|rest| rest.split_once('/')) {
        Some(Some(("SYS", _))) => text.to_owned(),
        Some(Some((first, rest))) => shortened(format!("${first}/{NAME}/{rest}")),
        Some(None) => text.to_owned(),
        // In the place of a topic stands its alias.
        None if text.is_empty() => String::new(),
        None => shortened(format!("{NAME}/{text}")),
    }
}

fn filter(text: &str) -> String {
    let Some(shared) = text.strip_prefix("$share") else { return topic(text) };
    match shared.strip_prefix('/').and_then(|rest| rest.split_once('/')) {
        Some((name, filter)) if !name.is_empty() && !filter.is_empty() && !name.contains(['+', '#']) => {
            shortened(format!("$share/{name}/{}", topic(filter)))
        }
        _ => text.to_owned(),
    }
}

/// What was not too long does not become so.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// Puts one piece in the place of another of the same length, wherever it stands.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let mut at = 0;
    while at + from.len() <= bytes.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to);
            at += from.len();
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_the_cases_own_and_keep_their_meaning() {
        for (text, placed) in [
            ("a/b", "thiscase0/a/b"),
            ("#", "thiscase0/#"),
            ("/", "thiscase0//"),
            ("", ""),
            ("$own/a", "$own/thiscase0/a"),
            ("$SYS/#", "$SYS/#"),
            ("$share/g/a/+", "$share/g/thiscase0/a/+"),
            ("$share/g/$own/#", "$share/g/$own/thiscase0/#"),
            ("$share/g/", "$share/g/"),
            ("$share/+/a", "$share/+/a"),
            ("$share", "$share"),
        ] {
            assert_eq!(filter(text), placed);
        }
        assert_eq!(topic(&"x".repeat(LONGEST)).len(), LONGEST);
        assert_eq!(client_identifier(""), "");
    }

    #[test]
    fn a_name_that_is_cut_in_two_takes_the_mark() {
        let text = "client a\nclient b\na > raw 82 10 00 01 00 00 0a 74 68 69 73\nb > raw 63\na > raw 63 61 73 65 30 23 00\n";
        let mark = Mark::new(7);
        let marked = marked(&text.parse().expect("a script"), &mark);
        let sent = |of: u16| {
            let bytes = marked.steps.iter().filter_map(|step| match step {
                Step::Client(no, Action::Send(Send::Raw(bytes), _)) if no.0 == of => Some(bytes.clone()),
                _ => None,
            });
            bytes.collect::<Vec<_>>()
        };
        let sent = sent(0);
        assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [11, 7]);
        assert_eq!(&sent.concat()[7..16], mark.as_str().as_bytes());
    }

    #[test]
    fn a_placed_script_stays_as_it_is_and_takes_a_mark_of_the_same_length() {
        let text = "client a\nclient b client_id=a will=a/b \"x\"\nb connect\na > PUBLISH a/b \"1\" qos=1\n\
                    a > SUBSCRIBE a/# qos=1\nbroker crash\n";
        let mut script: Script = text.parse().expect("a script");
        place(&mut script);
        let again = script.clone();
        place(&mut script);
        assert_eq!(script, again);
        assert!(is_placed(&script) && !script.steps.iter().any(|step| matches!(step, Step::Broker(_))));
        let identifiers: Vec<&str> =
            script.clients.iter().map(mqtt_assay_broker_model::script::Client::identifier).collect();
        assert_eq!(identifiers, ["thiscase0a", "thiscase0a"]);
        let mark = Mark::new(37);
        assert_eq!((mark.as_str(), mark.as_str().len()), ("m00000011", NAME.len()));
        let bytes = b"\x30\x0b\x00\x09thiscase0".to_vec();
        script.steps = vec![Step::Client(
            mqtt_assay_broker_model::history::ClientNo(0),
            Action::Send(Send::Raw(bytes), Vec::new()),
        )];
        let played = marked(&script, &mark);
        assert_eq!(played.clients[0].identifier(), "m00000011a");
        let Step::Client(_, Action::Send(Send::Raw(bytes), _)) = &played.steps[0] else { panic!("raw") };
        assert_eq!(bytes, b"\x30\x0b\x00\x09m00000011");
    }
}
