//! Hunting a broker over the network: cases from [`mqtt_assay_fuzz_engine`], played many at a time under names of their
//! own, and judges that see more than crashes.
//!
//! What a rule accuses, and what goes wrong with the broker's process, is looked into at once: it has to come again,
//! several times, and in the end with nothing else going on; its case is made small; and all that somebody needs who is
//! to believe it is written into a folder. What does not come again is kept, marked, and fails nothing.

mod bystander;
mod coverage;
mod folder;
mod form;
mod ground;
mod hunt;
mod inquiry;
mod lab;
mod leavings;
mod merge;
mod pace;
mod plain;
mod record;
mod stage;
mod store;
mod summary;
mod vitals;

pub use hunt::run;
pub use merge::merge;
pub use pace::{Pace, pace};
pub(crate) use record::cited;
pub use record::{Cited, FINDING_SCHEMA, Record, Trouble, finding_schema};
pub use store::StoreTrouble;
pub use summary::{Ended, Found, SUMMARY_SCHEMA, Shard, Summary, summary_schema};

use crate::process::Recipe;
use crate::run::SetUp;
use crate::target::Target;
use std::path::PathBuf;
use std::time::Duration;

/// How long an answer may take, unless told otherwise, before its lack accuses the broker.
pub const PROMPTNESS: Duration = Duration::from_secs(3);
/// How long a healthy client may go without an answer, unless told otherwise, before the broker hangs.
pub const HANG: Duration = Duration::from_secs(5);
/// How long it may take, unless told otherwise, to make the case of a finding small.
pub const MINIMISING: Duration = Duration::from_secs(20);
/// How many cases are played side by side, unless told otherwise.
pub const CONNECTIONS: usize = 128;

/// What to hunt, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The broker.
    pub target: Target,
    /// How it is started, if the campaign shall do so.
    pub process: Option<Recipe>,
    /// Its process, if it runs already on this machine.
    pub pid: Option<u32>,
    /// Whether the broker, compiled for that, shares the map of its coverage: only for one that the campaign starts.
    pub coverage: bool,
    /// For how long.
    pub time: Option<Duration>,
    /// How many cases.
    pub cases: Option<u64>,
    /// How many findings: when there are so many, no further case is played.
    pub findings: Option<usize>,
    /// Decides which cases are generated.
    pub seed: u64,
    /// How many cases are played side by side.
    pub connections: usize,
    /// Where the corpus is; `None`: among the results.
    pub corpus: Option<PathBuf>,
    /// Where the results go.
    pub out: PathBuf,
    /// Whether to go on with what is there.
    pub resume: bool,
    /// Which part of the campaign this is.
    pub shard: Shard,
    /// How long an answer may take.
    pub promptness: Duration,
    /// How long a healthy client may go without an answer.
    pub hang: Duration,
    /// How long it may take to make the case of a finding small.
    pub minimising: Duration,
    /// Whether a recommendation that is not followed is a finding, too.
    pub strict: bool,
    /// The arguments of `replay` that name the same broker.
    pub broker: String,
    /// Where the names begin by which this run's plays are told from those of others.
    pub nonce: u64,
}

impl Options {
    /// A campaign without an end of its own, as one is unless it is told otherwise, that writes into this folder. Its
    /// seed and nonce are 0.
    pub fn new(target: Target, out: PathBuf) -> Options {
        Options {
            target,
            process: None,
            pid: None,
            coverage: false,
            time: None,
            cases: None,
            findings: None,
            seed: 0,
            connections: CONNECTIONS,
            corpus: None,
            out,
            resume: false,
            shard: Shard { index: 1, of: 1 },
            promptness: PROMPTNESS,
            hang: HANG,
            minimising: MINIMISING,
            strict: false,
            broker: String::new(),
            nonce: 0,
        }
    }
}

/// How far a campaign is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Status {
    /// Cases played, by this run.
    pub cases: u64,
    /// Packets of their clients.
    pub packets: u64,
    /// Different answers of the broker that are known.
    pub signatures: usize,
    /// Edges of the broker's code that were taken, if it tells.
    pub edges: Option<u64>,
    /// Findings so far.
    pub findings: usize,
    /// Since when.
    pub elapsed: Duration,
    /// How long ago an answer came that was not known.
    pub last_new: Duration,
    /// How often the broker was started again.
    pub restarts: u64,
}

/// What happens during a campaign, for whoever shows it.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Time has passed.
    Status(Status),
    /// Something was found, or it has turned out whether it comes again.
    Finding(&'a Record),
    /// Something is to be known.
    Remark(&'a str),
}

/// Why there is no campaign, in a sentence.
#[derive(Debug, thiserror::Error)]
pub enum CampaignTrouble {
    /// The broker is not there.
    #[error(transparent)]
    Broker(#[from] SetUp),
    /// The folders are not.
    #[error(transparent)]
    Store(#[from] StoreTrouble),
}
