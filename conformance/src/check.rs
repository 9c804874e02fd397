//! What a check is: a short story with named clients, the statements it can decide, and what proves it.

use crate::setup::{Profile, Setup};
use crate::story::{Story, World};
use mqtt_assay_codec::Version;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A statement of a specification, by id *and version*: the same id means different things in 3.1.1 and 5.0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cite {
    /// The version whose statement it is.
    pub version: Version,
    /// The id: `MQTT-3.3.1-6`, or our own (`U5-…`, `U3-…`, `M31-…`) for a rule that the specification does not number.
    pub id: &'static str,
}

impl fmt::Display for Cite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.version, self.id)
    }
}

/// What a check needs of a broker; a broker that says it lacks it is not judged by the check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Need {
    /// Retained messages. [5.0 §3.2.2.3.5]
    Retain,
    /// PUBLISH at QoS 1. [5.0 §3.2.2.3.4]
    Qos1,
    /// PUBLISH at QoS 2. [5.0 §3.2.2.3.4]
    Qos2,
    /// Topic Filters with wildcards. [5.0 §3.2.2.3.11]
    Wildcards,
    /// Subscription Identifiers. [5.0 §3.2.2.3.12]
    SubscriptionIdentifiers,
    /// Shared Subscriptions. [5.0 §3.2.2.3.13]
    SharedSubscriptions,
    /// Topic Aliases towards the broker. [5.0 §3.2.2.3.8]
    TopicAliases,
    /// A Maximum QoS below 2. [5.0 §3.2.2.3.4]
    LimitedQos,
    /// Retain Available 0. [5.0 §3.2.2.3.5]
    NoRetain,
    /// A topic that may not be published to.
    DeniedTopic,
    /// A broker that refuses wrong passwords.
    Passwords,
    /// A known time after which a connection without CONNECT is closed.
    ConnectTimeout,
    /// A target that is reached by WebSocket: what the run must have, not what the broker announces.
    WebSocket,
}

impl Need {
    /// The need as reports name it.
    pub const fn name(self) -> &'static str {
        match self {
            Need::Retain => "retained messages",
            Need::Qos1 => "QoS 1",
            Need::Qos2 => "QoS 2",
            Need::Wildcards => "wildcard subscriptions",
            Need::SubscriptionIdentifiers => "Subscription Identifiers",
            Need::SharedSubscriptions => "Shared Subscriptions",
            Need::TopicAliases => "Topic Aliases",
            Need::LimitedQos => "a broker that announces a Maximum QoS below 2",
            Need::NoRetain => "a broker that announces Retain Available 0",
            Need::DeniedTopic => "a topic that may not be published to (--denied-topic)",
            Need::Passwords => "a broker that refuses wrong passwords (--checks-passwords)",
            Need::ConnectTimeout => {
                "the time within which a connection without CONNECT is closed (--connect-timeout)"
            }
            Need::WebSocket => "WebSocket",
        }
    }

    /// Whether a broker with all abilities lacks it: it is a set-up, not an ability.
    pub const fn is_set_up(self) -> bool {
        match self {
            Need::Retain
            | Need::Qos1
            | Need::Qos2
            | Need::Wildcards
            | Need::SubscriptionIdentifiers
            | Need::SharedSubscriptions
            | Need::TopicAliases => false,
            Need::LimitedQos
            | Need::NoRetain
            | Need::DeniedTopic
            | Need::Passwords
            | Need::ConnectTimeout
            | Need::WebSocket => true,
        }
    }
}

/// A running story.
pub type Running<'w> = Pin<Box<dyn Future<Output = Story> + Send + 'w>>;

/// Whether a story runs when no other does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Alone {
    /// It does not mind the others.
    No,
    /// One that subscribes to everything would drown in the others' messages, and tell of them instead of its own.
    Yes,
    /// After all others: a broker that has long to do with one Client may keep everybody waiting, also for a while after.
    Last,
}

/// One check. Made by [`check!`](crate::check!), one per rule, in the file that its section leads to.
#[derive(Clone, Copy)]
pub struct Check {
    /// `area/what_must_hold`: unique, stable, the name in reports and on the command line.
    pub name: &'static str,
    /// The documentation: a sentence, then the headings *Sends*, *Demands*, *Leaves*.
    pub doc: &'static str,
    /// The statements that the check can decide, in all versions.
    pub covers: &'static [Cite],
    /// What the broker must offer.
    pub needs: &'static [Need],
    /// How the embedded broker is set up for it.
    pub setup: Setup,
    /// Mutants of the reference broker that the check catches.
    pub proved: &'static [&'static str],
    /// How long the specification's timers make the story wait; zero for most. What the user tells of a broker's own
    /// timers comes on top of it: see [`Check::timers`].
    pub waits: Duration,
    /// Whether the story runs when no other does.
    pub alone: Alone,
    /// The story.
    pub run: for<'w> fn(&'w World) -> Running<'w>,
    /// Source file, from the package's root.
    pub file: &'static str,
    /// Line in the source file.
    pub line: u32,
}

impl Check {
    /// The versions that the check runs in: those it cites a statement of.
    pub fn versions(&self) -> impl Iterator<Item = Version> + '_ {
        [Version::V3_1, Version::V3_1_1, Version::V5]
            .into_iter()
            .filter(|v| self.covers.iter().any(|cite| cite.version == *v))
    }

    /// Whether it plays the table of wrong packets: hundreds of connections, and hardly a wait.
    pub fn is_table(&self) -> bool {
        self.name.starts_with("table/")
    }

    /// The statements that the check decides in one version.
    pub fn cites(&self, version: Version) -> impl Iterator<Item = Cite> + '_ {
        self.covers.iter().copied().filter(move |cite| cite.version == version)
    }

    /// How long the story waits for timers in all: those of the specification, and that of a broker's own which it asks
    /// for. No answer, however quick, makes it shorter.
    pub fn timers(&self, profile: &Profile) -> Duration {
        let told = profile.connect_timeout.filter(|_| self.needs.contains(&Need::ConnectTimeout));
        self.waits + told.unwrap_or_default()
    }

    /// The first sentence of the documentation.
    pub fn summary(&self) -> &'static str {
        self.doc.split("\n\n").next().unwrap_or(self.doc).trim()
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Declares a [`Check`]: documentation, name, statements, needs, proof, story.
///
/// ```text
/// check! {
///     /// A PINGREQ is answered with a PINGRESP.
///     ///
///     /// Sends     PINGREQ three times in one segment.
///     /// Demands   three PINGRESP.
///     /// Leaves    nothing.
///     PINGREQ_IS_ANSWERED "ping/pingreq_is_answered",
///     covers: [V3_1_1 / "MQTT-3.12.4-1", V5 / "MQTT-3.12.4-1"],
///     needs: [],
///     proved: ["pingresp_missing"],
///     run: async |w| {
///         let mut a = w.connect("a").await?;
///         a.ping().await
///     }
/// }
/// ```
#[macro_export]
macro_rules! check {
    (@seconds) => { 0.0 };
    (@seconds $seconds:literal) => { $seconds };
    (@alone) => { $crate::check::Alone::No };
    (@alone $alone:ident) => { $crate::check::Alone::$alone };
    (@setup) => { $crate::setup::Setup::Full };
    (@setup $setup:ident) => { $crate::setup::Setup::$setup };
    (
        $(#[doc = $doc:literal])+
        $constant:ident $name:literal,
        covers: [$($version:ident / $id:literal),+ $(,)?],
        needs: [$($need:ident),* $(,)?],
        $(setup: $setup:ident,)?
        proved: [$($mutant:literal),* $(,)?],
        $(waits: $seconds:literal,)?
        $(alone: $alone:ident,)?
        run: async |$world:ident| $body:block $(,)?
    ) => {
        $(#[doc = $doc])+
        pub const $constant: $crate::check::Check = {
            fn story<'w>($world: &'w $crate::story::World) -> $crate::check::Running<'w> {
                Box::pin(async move { $body })
            }
            $crate::check::Check {
                name: $name,
                doc: concat!($($doc, "\n"),+),
                covers: &[$($crate::check::Cite { version: mqtt_assay_codec::Version::$version, id: $id }),+],
                needs: &[$($crate::check::Need::$need),*],
                setup: $crate::check!(@setup $($setup)?),
                proved: &[$($mutant),*],
                waits: std::time::Duration::from_millis(($crate::check!(@seconds $($seconds)?) * 1000.0) as u64),
                alone: $crate::check!(@alone $($alone)?),
                run: story,
                file: file!(),
                line: line!(),
            }
        };
    };
}
