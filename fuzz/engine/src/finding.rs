//! What was found, each thing once.

use crate::case::Case;
use core::fmt;
use mqtt_assay_broker_model::rules::Accusation;
use mqtt_assay_codec::Version;
use std::collections::BTreeMap;

/// What two cases have in common that show the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// A rule accuses: the statement, and what was seen, without names and numbers.
    Statement {
        /// The version that the connection spoke.
        version: Version,
        /// Id of the statement; empty where the version numbers none.
        id: &'static str,
        /// The rule.
        rule: &'static str,
        /// What was seen.
        shape: String,
    },
    /// The broker's process has ended: why, and where in its own code.
    Crash {
        /// The signal, or what the sanitizer calls it.
        signal: String,
        /// The first frame that is the broker's own; empty if nothing tells.
        frame: String,
    },
    /// The broker does not answer any more.
    Hang,
    /// Something else is wrong with its process: what, in words.
    Process(&'static str),
}

impl Key {
    /// The key of what a rule accuses.
    pub fn of(accusation: &Accusation) -> Key {
        let (rule, version, id) = accusation.shape();
        Key::Statement { version, id, rule, shape: shape(&accusation.observed) }
    }

    /// The key of a process that has ended with this signal, and has printed this before.
    ///
    /// The reports of the sanitizers and of Rust's panics are known.
    pub fn of_crash(signal: &str, output: &str) -> Key {
        let sanitizer = output.lines().find_map(|line| {
            let (_, rest) = line.split_once("Sanitizer: ")?;
            rest.split_whitespace().next().map(str::to_owned)
        });
        let panic = output.lines().find_map(|line| {
            let (_, place) = line.split_once("panicked at ")?;
            // Not the column: it says no more.
            Some(place.trim_end_matches(':').rsplit_once(':').map_or(place, |(file, _)| file).to_owned())
        });
        let signal = sanitizer.unwrap_or_else(|| signal.to_owned());
        Key::Crash { signal, frame: panic.or_else(|| frame(output)).unwrap_or_default() }
    }
}

/// The name of the first function of a backtrace that is no part of a runtime.
fn frame(output: &str) -> Option<String> {
    const RUNTIME: &[&str] =
        &["__asan", "__interceptor", "__sanitizer", "__ubsan", "abort", "raise", "std::", "core::"];
    output.lines().find_map(|line| {
        // As in `#1 0x55d in packet__read (/usr/sbin/broker+0x1)`.
        let (_, rest) = line.trim_start().strip_prefix('#')?.split_once(" in ")?;
        let name = rest.split_whitespace().next()?;
        let own = !RUNTIME.iter().any(|prefix| name.starts_with(prefix));
        own.then(|| name.to_owned())
    })
}

/// A sentence without quoted texts, numbers and names: what is left is of what kind it is.
fn shape(observed: &str) -> String {
    let outside: Vec<&str> = observed.split('"').step_by(2).collect();
    let outside = outside.join(" ");
    let is_word = |word: &&str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        // Codes matter, other numbers do not.
        word.starts_with("0x") || !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic())
    };
    outside.split_whitespace().filter(is_word).collect::<Vec<_>>().join(" ")
}

/// As a name of a folder: letters, digits, `-` and `.`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Key::Statement { version, id, rule, shape } => format!("{version}-{id}-{rule}-{shape}"),
            Key::Crash { signal, frame } => format!("crash-{signal}-{frame}"),
            Key::Hang => "hang".to_owned(),
            Key::Process(what) => (*what).to_owned(),
        };
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let text: String = text.chars().map(plain).collect();
        let words: Vec<&str> = text.split('-').filter(|word| !word.is_empty()).collect();
        f.write_str(words.join("-").get(..100).unwrap_or(&words.join("-")))
    }
}

/// Something that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The smallest case that showed it.
    pub case: Case,
    /// How many cases have shown it.
    pub seen: u64,
    /// Whether a fresh broker showed it again; `None`: nobody has tried.
    pub reproduced: Option<bool>,
}

/// What was found, by what it is.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Findings {
    by_key: BTreeMap<Key, Finding>,
}

impl Findings {
    /// Takes note of what a case has shown; `true` if nothing has shown it before.
    pub fn add(&mut self, key: Key, case: &Case) -> bool {
        match self.by_key.get_mut(&key) {
            None => {
                self.by_key.insert(key, Finding { case: case.clone(), seen: 1, reproduced: None });
                true
            }
            Some(finding) => {
                finding.seen = finding.seen.saturating_add(1);
                if finding.reproduced != Some(true) && *case < finding.case {
                    finding.case = case.clone();
                }
                false
            }
        }
    }

    /// Takes note of what minimising came to.
    pub fn settle(&mut self, key: &Key, case: Case, reproduced: bool) {
        if let Some(finding) = self.by_key.get_mut(key) {
            finding.case = case;
            finding.reproduced = Some(reproduced);
        }
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Finding)> {
        self.by_key.iter()
    }

    /// What is known of this.
    pub fn get(&self, key: &Key) -> Option<&Finding> {
        self.by_key.get(key)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_known_by_its_signal_and_the_first_frame_of_its_own() {
        let output = "\
==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60
READ of size 1 at 0x60
    #0 0x49 in __interceptor_memcpy (/usr/sbin/broker+0x49)
    #1 0x55 in packet__read_string /src/packet.c:31
    #2 0x57 in main /src/main.c:1
";
        let key = Key::of_crash("SIGABRT", output);
        assert_eq!(key.to_string(), "crash-heap-buffer-overflow-packet-read-string");
        let other = output.replace("0x60", "0x70").replace(":31", ":32");
        assert_eq!(Key::of_crash("SIGABRT", &other), key);
        assert_ne!(Key::of_crash("SIGABRT", &output.replace("packet__", "property__")), key);
        let panic = "thread 'main' panicked at src/codec.rs:12:5:\nindex out of bounds";
        assert_eq!(Key::of_crash("SIGABRT", panic).to_string(), "crash-SIGABRT-src-codec.rs-12");
        assert_eq!(Key::of_crash("SIGSEGV", "").to_string(), "crash-SIGSEGV");
    }

    #[test]
    fn names_and_numbers_make_no_other_finding() {
        assert_eq!(
            shape("PUBLISH a/b \"m1\" qos=1 id=7"),
            shape("PUBLISH x \"m 2\" qos=1 id=8").replace(" x", "")
        );
        assert_eq!(shape("CONNACK 0x00, though"), "CONNACK 0x00, though");
        assert_ne!(shape("CONNACK 0x00"), shape("CONNACK 0x81"));
    }

    #[test]
    fn the_smallest_case_is_kept_until_one_is_confirmed() {
        let case = |text: &str| text.parse::<Case>().expect("a case");
        let (small, large) = (case("client a\n"), case("client a\nclient b\n"));
        let mut findings = Findings::default();
        assert!(findings.add(Key::Hang, &large));
        assert!(!findings.add(Key::Hang, &small));
        let kept =
            |findings: &Findings| findings.iter().next().map(|(_, finding)| finding.clone()).expect("one");
        assert_eq!(kept(&findings), Finding { case: small.clone(), seen: 2, reproduced: None });
        findings.settle(&Key::Hang, large.clone(), true);
        assert!(!findings.add(Key::Hang, &small));
        assert_eq!(kept(&findings), Finding { case: large, seen: 3, reproduced: Some(true) });
    }
}
