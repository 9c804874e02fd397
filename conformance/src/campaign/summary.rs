//! What a campaign comes to, as JSON: `summary.json`. It is written again and again while the campaign goes on, and
//! says where to go on after it was stopped. The schema is in `schema/fuzz-1.schema.json`.

use super::record::{Record, Trouble};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the form, with its version.
pub const SUMMARY_SCHEMA: &str = "mqtt-assay/fuzz/1";

/// What a campaign of `mqtt-assay fuzz` comes to.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Summary {
    /// Always `mqtt-assay/fuzz/1`. A change that could break a reader gets another number.
    #[schemars(extend("const" = SUMMARY_SCHEMA))]
    pub schema: String,
    /// The version of mqtt-assay.
    pub tool: String,
    /// The broker, without a password.
    pub target: String,
    /// Decides which cases are generated.
    pub seed: u64,
    /// The part of the campaign that this is.
    pub shard: Shard,
    /// How it has ended.
    pub ended: Ended,
    /// The number of the case with which it would go on.
    pub next_case: u64,
    /// How many cases were played.
    pub cases: u64,
    /// How many packets the clients of the cases have sent or received.
    pub packets: u64,
    /// How many different answers of the broker are known.
    pub signatures: u64,
    /// How many edges of the broker's code were taken; not there without `--coverage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<u64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// How often the broker was started again.
    pub restarts: u64,
    /// How often the broker was ended from outside.
    pub ended_by_others: u64,
    /// What was found, in the order of the names.
    pub findings: Vec<Found>,
    /// What else is to be known.
    pub remarks: Vec<String>,
}

/// One part of a campaign that several programs share.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Shard {
    /// Its number, from 1.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

/// How a campaign has ended.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It has not; or it was killed.
    Running,
    /// Its time was over, or all its cases were played.
    Done,
    /// The user has stopped it.
    Stopped,
    /// The broker was not there any more.
    BrokerGone,
    /// It is what several campaigns come to together.
    Merged,
}

/// A finding, in short; the rest is in its folder.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Found {
    /// What tells it from others; the name of its folder in `findings`.
    pub name: String,
    /// What kind of trouble it is.
    pub kind: Trouble,
    /// Ids of the statements that are broken, with their version.
    pub statements: Vec<String>,
    /// What was seen.
    pub observed: String,
    /// How many cases have shown it.
    pub seen: u64,
    /// Whether it came again; not there as long as nobody has tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproduced: Option<bool>,
}

impl Found {
    /// The short form of a finding.
    pub fn of(record: &Record) -> Found {
        Found {
            name: record.name.clone(),
            kind: record.kind,
            statements: record.statements.iter().map(|cited| cited.id.clone()).collect(),
            observed: record.observed.clone(),
            seen: record.seen,
            reproduced: record.reproduced,
        }
    }

    /// Whether it fails the campaign. An accusation that does not come again shows nothing; that a process has ended
    /// of its own accord is a fact, whatever it was that it ended of.
    pub fn counts(&self) -> bool {
        self.reproduced == Some(true) || self.kind == Trouble::Crash
    }
}

/// The schema, as the committed file has it.
pub fn summary_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Summary)).unwrap_or_default();
    text.push('\n');
    text
}
