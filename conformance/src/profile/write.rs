//! Writes a profile: each entry with a comment that says how it was found.

use super::{Abilities, Addresses, BrokerProfile, Commands, Item, Limits};
use std::fmt::{Display, Write as _};
use std::time::Duration;

/// Comments are wrapped here.
const COLUMNS: usize = 110;

impl BrokerProfile {
    /// The text of the file. What is not known is left out.
    pub fn text(&self) -> String {
        let mut out = Writer::default();
        out.section("broker");
        out.words("name", self.broker.name.as_deref());
        out.words("version", self.broker.version.as_deref());
        out.words("note", self.broker.note.as_deref());
        out.words("denied_topic", self.broker.denied_topic.as_deref());
        out.seconds("connect_timeout", self.broker.connect_timeout);
        self.addresses.write(&mut out);
        out.section("tls");
        for (key, path) in [("ca", &self.tls.ca), ("cert", &self.tls.cert), ("key", &self.tls.key)] {
            out.words(key, path.as_deref().and_then(|path| path.to_str()));
        }
        out.words("server_name", self.tls.server_name.as_deref());
        out.flag("insecure", self.tls.insecure.then_some(true));
        out.section("credentials");
        out.words("user", self.credentials.user.as_deref());
        out.words("wrong_user", self.credentials.wrong_user.as_deref());
        out.words("wrong_password", self.credentials.wrong_password.as_deref());
        out.flag("checks_passwords", self.credentials.checks_passwords.then_some(true));
        out.flag("anonymous", self.credentials.anonymous);
        out.section("authentication");
        out.words("method", self.authentication.method.as_deref());
        out.words("note", self.authentication.note.as_deref());
        for (version, abilities) in &self.abilities {
            out.section(&format!("abilities.\"{version}\""));
            abilities.write(&mut out);
        }
        for (version, limits) in &self.limits {
            out.section(&format!("limits.\"{version}\""));
            limits.write(&mut out);
        }
        self.process.write(&mut out);
        out.text
    }
}

impl Addresses {
    fn write(&self, out: &mut Writer) {
        out.section("addresses");
        for (over, address) in self.all() {
            out.words(over.name(), Some(address));
        }
    }
}

impl Abilities {
    fn write(&self, out: &mut Writer) {
        out.item("maximum_qos", self.maximum_qos.as_ref());
        out.item("retain", self.retain.as_ref());
        out.item("wildcards", self.wildcards.as_ref());
        out.item("subscription_identifiers", self.subscription_identifiers.as_ref());
        out.item("shared_subscriptions", self.shared_subscriptions.as_ref());
        out.item("dollar_topics", self.dollar_topics.as_ref());
        out.item("assigned_client_identifiers", self.assigned_client_identifiers.as_ref());
    }
}

impl Limits {
    fn write(&self, out: &mut Writer) {
        out.item("receive_maximum", self.receive_maximum.as_ref());
        out.item("maximum_packet_size", self.maximum_packet_size.as_ref());
        out.item("topic_alias_maximum", self.topic_alias_maximum.as_ref());
        out.item("server_keep_alive", self.server_keep_alive.as_ref());
        out.item("session_expiry", self.session_expiry.as_ref());
        out.item("client_identifier", self.client_identifier.as_ref());
    }
}

impl Commands {
    fn write(&self, out: &mut Writer) {
        out.section("process");
        out.words("spawn", self.spawn.as_deref());
        out.words("stop", self.stop.as_deref());
        out.words("kill", self.kill.as_deref());
        out.words("restart", self.restart.as_deref());
        out.seconds("start_timeout", self.start_timeout);
    }
}

/// The text so far, and a heading that waits for its first entry.
#[derive(Default)]
struct Writer {
    text: String,
    heading: Option<String>,
}

impl Writer {
    fn section(&mut self, name: &str) {
        self.heading = Some(name.to_owned());
    }

    fn begin(&mut self) {
        if let Some(name) = self.heading.take() {
            let gap = if self.text.is_empty() { "" } else { "\n" };
            let _ = writeln!(self.text, "{gap}[{name}]");
        }
    }

    fn line(&mut self, key: &str, value: impl Display) {
        self.begin();
        let _ = writeln!(self.text, "{key} = {value}");
    }

    fn words(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(key, toml::Value::from(value));
        }
    }

    fn flag(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.line(key, value);
        }
    }

    fn seconds(&mut self, key: &str, value: Option<Duration>) {
        if let Some(value) = value {
            self.line(key, toml::Value::from(value.as_secs_f64()));
        }
    }

    fn item<T: Display>(&mut self, key: &str, item: Option<&Item<T>>) {
        let Some(item) = item else { return };
        let parts: Vec<String> = [("announced", &item.announced), ("found", &item.found)]
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name} = {}", value.as_ref()?)))
            .collect();
        self.begin();
        let comment = textwrap::Options::new(COLUMNS).initial_indent("# ").subsequent_indent("# ");
        for line in textwrap::wrap(&crate::report::printable(&item.how), comment) {
            let _ = writeln!(self.text, "{line}");
        }
        self.line(key, format!("{{ {} }}", parts.join(", ")));
    }
}
