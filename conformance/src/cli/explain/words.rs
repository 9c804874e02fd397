//! The words of verdicts and of a broker's profile, explained.

use crate::check::Need;

/// One word.
pub(super) struct Word {
    /// The section of the profile that has it; `None` for a verdict.
    pub(super) section: Option<&'static str>,
    /// The word.
    pub(super) name: &'static str,
    /// What it means.
    pub(super) meaning: &'static str,
    /// What checks can need of it.
    pub(super) need: Option<Need>,
}

const fn verdict(name: &'static str, meaning: &'static str) -> Word {
    Word { section: None, name, meaning, need: None }
}

const fn key(section: &'static str, name: &'static str, meaning: &'static str) -> Word {
    Word { section: Some(section), name, meaning, need: None }
}

const fn needed(section: &'static str, name: &'static str, meaning: &'static str, need: Need) -> Word {
    Word { section: Some(section), name, meaning, need: Some(need) }
}

/// All words, verdicts first, then the profile's in the order of its page.
pub(super) const WORDS: &[Word] = &[
    verdict("conforms", "The exchange happened, and every answer is allowed."),
    verdict("violates", "A MUST is broken under every freedom that the specification leaves."),
    verdict(
        "deviates",
        "A SHOULD is not followed, or the right action has a wrong reason code. Fails with --strict.",
    ),
    verdict("choice", "The specification leaves it open: what the broker does is recorded."),
    verdict("unsupported", "The broker says that it lacks what the check needs."),
    verdict("not tested", "The run lacks what the check needs: the result names it."),
    verdict("inconclusive", "The harness could not tell, and says why. It makes the exit code 3."),
    key("broker", "name", "The broker's name, for people."),
    key("broker", "version", "The broker's version, for people."),
    key("broker", "note", "Anything else, for people."),
    needed(
        "broker",
        "denied_topic",
        "A topic that the user of the profile may not publish to.",
        Need::DeniedTopic,
    ),
    needed(
        "broker",
        "connect_timeout",
        "The broker closes a connection that has sent no CONNECT within so many seconds.",
        Need::ConnectTimeout,
    ),
    key(
        "addresses",
        "tcp",
        "The URL mqtt://HOST[:PORT]. {port} stands for a free port, if the broker is started.",
    ),
    key("addresses", "tls", "The URL mqtts://HOST[:PORT]; [tls] says how it is spoken."),
    needed("addresses", "ws", "The URL ws://HOST[:PORT][/PATH].", Need::WebSocket),
    needed(
        "addresses",
        "wss",
        "The URL wss://HOST[:PORT][/PATH]; [tls] says how TLS is spoken.",
        Need::WebSocket,
    ),
    key(
        "tls",
        "ca",
        "The file of the authorities to trust, in PEM form; without it those that the system trusts.",
    ),
    key("tls", "cert", "The file of the client's certificate, in PEM form."),
    key("tls", "key", "The file of the key of the client's certificate, in PEM form."),
    key("tls", "server_name", "The name to ask for and to expect in the broker's certificate."),
    key("tls", "insecure", "Whether every certificate of the broker is accepted."),
    key("credentials", "user", "The user name to connect with."),
    key(
        "credentials",
        "password",
        "The password of `user`; better put into the environment variable MQTT_ASSAY_PASSWORD.",
    ),
    key("credentials", "wrong_user", "A user name that must be refused with `wrong_password`."),
    key("credentials", "wrong_password", "The password with which `wrong_user` must be refused."),
    needed(
        "credentials",
        "checks_passwords",
        "Whether unknown users and wrong passwords are refused; a wrong pair says so, too.",
        Need::Passwords,
    ),
    key("credentials", "anonymous", "Whether clients without User Name are let in; recorded by `probe`."),
    key("authentication", "method", "The Authentication Method that the broker supports; recorded only."),
    key("abilities", "announced", "What CONNACK announced when `probe` wrote the profile; recorded only."),
    key("abilities", "found", "What came of trying it when `probe` wrote the profile; recorded only."),
    key("limits", "announced", "The limit in CONNACK when `probe` wrote the profile; recorded only."),
    key("limits", "found", "The limit that `probe` found by trying; recorded only."),
    key("process", "spawn", "The command that starts the broker in the foreground, as --spawn."),
    key(
        "process",
        "stop",
        "The command that ends the broker; without it SIGTERM does. {pid} stands for its process.",
    ),
    key(
        "process",
        "kill",
        "The command that ends a broker which `stop` does not end; without it SIGKILL does.",
    ),
    key(
        "process",
        "restart",
        "The command that starts the broker again after its death; without it `spawn` does.",
    ),
    key("process", "start_timeout", "The broker has so many seconds until its port accepts a connection."),
];

/// The words that are meant: `denied_topic`, `broker.denied_topic`, or a verdict.
pub(super) fn find(text: &str) -> Vec<&'static Word> {
    let text = text.trim().to_lowercase();
    let (section, name) = match text.split_once('.') {
        Some((section, name)) => (Some(section.trim_start_matches('[').trim_end_matches(']')), name),
        None => (None, text.as_str()),
    };
    let spaced = name.replace('_', " ");
    WORDS
        .iter()
        .filter(|word| section.is_none() || word.section == section)
        .filter(|word| word.name == name || word.section.is_none() && word.name == spaced)
        .collect()
}
