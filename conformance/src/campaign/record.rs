//! A finding as JSON: `finding.json` in its folder. The schema is in `schema/fuzz-finding-1.schema.json`.

use crate::check::Cite;
use crate::statement;
use mqtt_assay_broker_model::rules::Accusation;
use mqtt_assay_codec::Version;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the form, with its version.
pub const FINDING_SCHEMA: &str = "mqtt-assay/fuzz-finding/1";

/// Something that a campaign has found.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Record {
    /// Always `mqtt-assay/fuzz-finding/1`. A change that could break a reader gets another number.
    #[schemars(extend("const" = FINDING_SCHEMA))]
    pub schema: String,
    /// The version of mqtt-assay.
    pub tool: String,
    /// What tells it from others; the name of its folder.
    pub name: String,
    /// What kind of trouble it is.
    pub kind: Trouble,
    /// The statements that are broken, each of them sufficient; none if the trouble is with the process.
    pub statements: Vec<Cited>,
    /// The rule that accuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The MQTT version that the connection spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the specification allows.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// The number of the first case that showed it; of a broker that fell beside several, of the likeliest.
    pub case: u64,
    /// The campaign's seed.
    pub seed: u64,
    /// How many cases have shown it.
    pub seen: u64,
    /// Whether it came again when its case was played again; not there as long as nobody has tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproduced: Option<bool>,
    /// How many cases were tried on the way to this one.
    pub tries: u64,
    /// Whether the case is played with the patience that shows what does not come.
    pub patient: bool,
    /// How many clients its case has.
    pub clients: usize,
    /// How many steps its case has.
    pub steps: usize,
    /// The broker, without a password.
    pub target: String,
    /// The command that plays its case.
    pub replay: String,
    /// Whether `reproduce.sh` is there, which needs nothing but a shell and netcat.
    pub reproducer: bool,
    /// Whether `capture.pcapng` is there: the packets of its last play that showed it, for Wireshark.
    #[serde(default)]
    pub capture: bool,
    /// What the broker printed last; it is whole in `output.txt`.
    pub output: Vec<String>,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The process ended.
    Crash,
    /// A healthy client is not served any more, and the process does nothing.
    Hang,
    /// A healthy client is not served any more, and the process keeps a processor busy.
    Spin,
    /// Connections are not accepted any more.
    Deaf,
    /// The process takes more and more memory.
    Leak,
    /// The process goes on using a processor when nobody sends anything, and serves all the same.
    Busy,
    /// A requirement is broken.
    WrongAnswer,
    /// A recommendation is not followed.
    Deviation,
}

impl Trouble {
    /// Whether it is one of the process.
    pub const fn is_of_process(self) -> bool {
        !matches!(self, Trouble::WrongAnswer | Trouble::Deviation)
    }

    /// Whether the broker goes on serving.
    pub(super) const fn lets_it_serve(self) -> bool {
        matches!(self, Trouble::Leak | Trouble::Busy)
    }
}

/// A statement of a specification.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Clone, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Cited {
    /// The id with its version.
    pub id: String,
    /// The section that says it.
    pub section: String,
    /// What it says, in our words.
    pub summary: String,
    /// Where the specification is.
    pub link: String,
}

/// The statements of an accusation.
pub(crate) fn cited(accusation: &Accusation) -> Vec<Cited> {
    cited_as(accusation.version, accusation.statements)
}

fn cited_as(version: Version, ids: &'static [&'static str]) -> Vec<Cited> {
    ids.iter()
        .map(|id| {
            let cite = Cite { version, id };
            let known = statement::of(cite);
            Cited {
                id: cite.to_string(),
                section: known.map(|known| known.section().to_string()).unwrap_or_default(),
                summary: known.map(|known| crate::report::one_line(known.summary)).unwrap_or_default(),
                link: statement::document(version).to_owned(),
            }
        })
        .collect()
}

impl Record {
    /// What is wrong, in one line, for people.
    pub fn title(&self) -> String {
        let ids: Vec<&str> = self.statements.iter().map(|cited| cited.id.as_str()).collect();
        let what = match (self.rule.as_deref(), ids.as_slice()) {
            (Some(rule), []) => rule.to_owned(),
            (Some(rule), ids) => format!("{rule}   {}", ids.join(", ")),
            (None, _) => self.name.clone(),
        };
        format!("{what}   {}", crate::report::printable(&self.observed))
    }

    /// The same, and whether it has come again.
    pub fn line(&self) -> String {
        let doubt = match self.reproduced {
            Some(true) => "",
            Some(false) => "   (not reproduced)",
            None => "   (not tried again)",
        };
        self.title() + doubt
    }
}

/// The schema, as the committed file has it.
pub fn finding_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Record)).unwrap_or_default();
    text.push('\n');
    text
}
