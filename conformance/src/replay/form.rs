//! A replay as JSON. The schema is in `schema/replay-1.schema.json`.

use super::{Comparison, Replayed};
use crate::campaign::{Cited, cited};
use crate::outcome::LOGGED_BYTES;
use crate::report::hex;
use crate::report::json::{Logged, microseconds};
use crate::simulation::{self, Shown};
use mqtt_assay_broker_model::history::{History, What};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the form, with its version.
pub const REPLAY_SCHEMA: &str = "mqtt-assay/replay/1";

/// What came of one play of a script.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Report {
    /// Always `mqtt-assay/replay/1`. A change that could break a reader gets another number.
    #[schemars(extend("const" = REPLAY_SCHEMA))]
    pub schema: String,
    /// The version of mqtt-assay.
    pub tool: String,
    /// The file of the script.
    pub script: String,
    /// The broker, without a password.
    pub target: String,
    /// The command that does the same.
    pub replay: String,
    /// The exit code.
    pub exit: u8,
    /// What rules accuse.
    pub accusations: Vec<Accused>,
    /// Expectations of the script that were not met.
    pub unmet: Vec<Unmet>,
    /// How the broker that was started for it has died, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub death: Option<String>,
    /// How it compares with what was recorded with the script, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// How many packets the clients have sent and received.
    pub packets: usize,
    /// A fingerprint of all that the clients saw.
    pub history: String,
    /// All that the clients saw.
    pub log: Vec<Logged>,
}

/// A rule accuses.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Accused {
    /// The rule.
    pub rule: String,
    /// The MQTT version that the connection spoke.
    pub version: String,
    /// The statements that are broken, each of them sufficient.
    pub statements: Vec<Cited>,
    /// Whether only a recommendation is not followed.
    pub deviates: bool,
    /// To which client it happened.
    pub client: String,
    /// What the specification allows.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// The place in the log of what shows it, if the log has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_index: Option<usize>,
}

/// An expectation was not met.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Unmet {
    /// The number of the step, from 1; not there if it was before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// Microseconds since the play began.
    pub at_us: u64,
    /// What is wrong.
    pub text: String,
}

/// What is told with a play.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// The file of the script.
    pub script: String,
    /// The broker, without a password.
    pub target: String,
    /// The command that does the same.
    pub replay: String,
    /// The exit code.
    pub exit: u8,
}

/// The report of a play.
pub fn report(about: About, replayed: &Replayed, comparison: Option<Comparison>) -> Report {
    let Replayed { outcome, death, .. } = replayed;
    let history = &outcome.played.history;
    let events = simulation::shown(history);
    let accusations = outcome.verdicts.accusations.iter().map(|accusation| Accused {
        rule: accusation.rule.to_owned(),
        version: accusation.version.to_string(),
        statements: cited(accusation),
        deviates: accusation.deviates,
        client: history.name(accusation.client).to_owned(),
        expected: accusation.expected.clone(),
        observed: accusation.observed.clone(),
        log_index: events.iter().position(|event| event.index == accusation.event),
    });
    let unmet = outcome.played.failures.iter().map(|failure| Unmet {
        step: failure.step.map(|step| step + 1),
        at_us: microseconds(failure.at),
        text: failure.text.clone(),
    });
    Report {
        schema: REPLAY_SCHEMA.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        script: about.script,
        target: about.target,
        replay: about.replay,
        exit: about.exit,
        accusations: accusations.collect(),
        unmet: unmet.collect(),
        death: death.as_ref().map(ToString::to_string),
        comparison,
        packets: history.packets(),
        history: history.digest().to_string(),
        log: events.iter().filter_map(|event| logged(history, event)).collect(),
    }
}

fn logged(history: &History, shown: &Shown) -> Option<Logged> {
    let event = history.get(shown.index)?;
    let bytes = match event.what {
        What::Sent(bytes) | What::Received(bytes) | What::Unframed(bytes) => bytes,
        _ => &[],
    };
    Some(Logged {
        at_us: microseconds(event.at),
        client: history.name(event.client).to_owned(),
        connection: event.connection,
        direction: shown.way,
        text: shown.text.clone(),
        hex: hex(&bytes[..bytes.len().min(LOGGED_BYTES)]),
        length: bytes.len(),
    })
}

/// The schema, as the committed file has it.
pub fn replay_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Report)).unwrap_or_default();
    text.push('\n');
    text
}
