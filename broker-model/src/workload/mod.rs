//! Generated scripts: several clients, all features of their versions, and a network that misbehaves.
//!
//! A [`Workload`] and a seed give one script, always the same. A script picks a few themes, so that their features
//! meet often; it gives each message a payload of its own; it asks after most of what it does (`settle`), since only
//! what was answered is certain; and it ends by healing everything and waiting, so that what is due can come.

mod acts;
mod deeds;
mod draw;
mod messages;
mod policies;
mod theme;

pub use draw::Draw;
pub use policies::policy;

use crate::history::{ClientNo, Fault, How, Memory};
use crate::rules::Bounds;
use crate::script::{Action, Client, Connect, Network, Script, Send, Step};
use core::time::Duration;
use mqtt_assay_codec::{Property, PropertyList, ReasonCode, Version};
use theme::{Theme, Themes};

/// How badly the network behaves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Profile {
    /// Short delays; connections end in an orderly way.
    Calm,
    /// Delays, cut and merged chunks, connections that are reset or die in silence.
    Lossy,
    /// As lossy, and the network holds back, clients stop reading, the broker crashes.
    Storm,
}

impl Profile {
    /// All profiles, the gentlest first.
    pub const ALL: [Profile; 3] = [Profile::Calm, Profile::Lossy, Profile::Storm];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Calm => "calm",
            Profile::Lossy => "lossy",
            Profile::Storm => "storm",
        }
    }

    /// The profile of this name.
    pub fn from_name(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name() == name)
    }

    const fn network(self) -> Network {
        let (delay_max, split_percent, merge_percent) = match self {
            Profile::Calm => (2, 0, 0),
            Profile::Lossy => (20, 20, 20),
            Profile::Storm => (60, 30, 30),
        };
        Network {
            delay_min: Duration::from_micros(100),
            delay_max: Duration::from_millis(delay_max),
            split_percent,
            merge_percent,
        }
    }
}

/// What kind of scripts are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Workload {
    /// How badly the network behaves; `None`: the seed chooses.
    pub profile: Option<Profile>,
    /// The version that all clients speak; `None`: the seed chooses, now and then both in one script.
    pub version: Option<Version>,
}

impl Workload {
    /// What a broker is held to under generated scripts: every delay is far below the promptness, and everything in
    /// the broker comes from the script.
    pub const BOUNDS: Bounds = Bounds {
        promptness: Duration::from_secs(2),
        keep_alive_slack: Duration::from_secs(1),
        connect_patience: Duration::from_secs(15),
        closed_world: true,
    };

    /// The script of this seed.
    pub fn script(self, seed: u64) -> Script {
        let mut author = Author::new(self, seed);
        author.write();
        author.script
    }
}

/// What the clients are called.
const NAMES: [&str; 6] = ["ann", "bob", "cat", "dan", "eve", "fay"];

/// What the author believes of a client.
#[derive(Clone, Debug)]
struct Role {
    version: Version,
    /// Connected, as far as the script has it.
    here: bool,
    /// Session Expiry Interval, or Clean Session 0 before 5.0.
    expiry: u32,
    acknowledges: bool,
    held: bool,
    stalled: bool,
    /// Filters that it has subscribed to.
    filters: Vec<String>,
    /// It keeps a Keep Alive.
    keep_alive: u16,
    /// Topic Aliases that it has set on the present connection.
    aliases: Vec<(u16, String)>,
}

/// Writes one script.
struct Author {
    draw: Draw,
    profile: Profile,
    themes: Themes,
    roles: Vec<Role>,
    script: Script,
    /// Messages written so far: each payload names its own.
    messages: u32,
    /// Topics to which an empty message went: a second one could not be told from it.
    emptied: Vec<String>,
    broker_down: bool,
}

impl Author {
    fn new(workload: Workload, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let drawn = *draw.one(&Profile::ALL);
        let profile = workload.profile.unwrap_or(drawn);
        let versions = match workload.version {
            Some(version) => [version; 2],
            None => match draw.below(10) {
                0..5 => [Version::V5; 2],
                5..8 => [Version::V3_1_1; 2],
                _ => [Version::V5, Version::V3_1_1],
            },
        };
        let themes = Themes::draw(&mut draw, profile, versions);
        let count = 2 + draw.below(4);
        let script = Script { seed, network: profile.network(), ..Script::default() };
        let mut author = Author {
            draw,
            profile,
            themes,
            roles: Vec::new(),
            script,
            messages: 0,
            emptied: Vec::new(),
            broker_down: false,
        };
        for place in 0..count {
            let version = versions[author.draw.below(2)];
            author.cast(place, version);
        }
        author
    }

    /// Adds a client.
    fn cast(&mut self, place: usize, version: Version) {
        let expiry = match self.draw.below(6) {
            0 => 0,
            1 if version == Version::V5 => 1 + self.draw.below(3) as u32,
            2 => u32::MAX,
            _ if version == Version::V5 => 60,
            _ => u32::MAX,
        };
        let keep_alive = if self.themes.has(Theme::KeepAlive) && self.draw.percent(50) { 2 } else { 0 };
        let late = self.themes.has(Theme::Flow) || self.themes.has(Theme::Shared);
        let acknowledges = !self.draw.percent(if late { 35 } else { 5 });
        let role = Role {
            version,
            here: false,
            expiry,
            acknowledges,
            held: false,
            stalled: false,
            filters: Vec::new(),
            keep_alive,
            aliases: Vec::new(),
        };
        self.roles.push(role);
        let mut connect = self.connect(place, true);
        // Two clients that call themselves the same take each other's session over.
        if place > 0 && self.themes.has(Theme::Takeover) && self.draw.percent(40) {
            connect.client_id = Some(NAMES[place - 1].to_owned());
        }
        self.script.clients.push(Client { name: NAMES[place].to_owned(), version, connect, acknowledges });
    }

    /// What a client says in its CONNECT.
    fn connect(&mut self, place: usize, first: bool) -> Connect {
        let Role { version, expiry, keep_alive, .. } = self.roles[place].clone();
        let v5 = version == Version::V5;
        let clean = first || self.draw.percent(if self.themes.has(Theme::Session) { 15 } else { 5 });
        let mut properties = PropertyList::new();
        if v5 {
            if expiry > 0 {
                properties.push(Property::SessionExpiryInterval(expiry));
            }
            if self.themes.has(Theme::Limits) {
                if self.draw.percent(50) {
                    properties.push(Property::ReceiveMaximum(1 + self.draw.below(3) as u16));
                }
                if self.draw.percent(40) {
                    properties.push(Property::MaximumPacketSize(60 + self.draw.below(100) as u32));
                }
                if self.draw.percent(30) {
                    properties.push(Property::RequestProblemInformation(false));
                }
                if self.draw.percent(30) {
                    properties.push(Property::RequestResponseInformation(self.draw.percent(50)));
                }
            }
            if self.themes.has(Theme::Aliases) && self.draw.percent(70) {
                properties.push(Property::TopicAliasMaximum(self.draw.below(4) as u16));
            }
        }
        let will = self.themes.has(Theme::Will) && self.draw.percent(70);
        let will = will.then(|| self.will(version));
        let client_id = self.script.clients.get(place).and_then(|client| client.connect.client_id.clone());
        let clean_start = if v5 { clean } else { expiry == 0 || (clean && !first) };
        let mut connect =
            Connect { client_id, clean_start, keep_alive, will, properties, ..Connect::default() };
        if self.themes.has(Theme::Identity) {
            self.identify(place, first, &mut connect);
        }
        connect
    }

    /// Client Identifiers, user names and passwords of all sorts.
    fn identify(&mut self, place: usize, first: bool, connect: &mut Connect) {
        if first {
            connect.client_id = match self.draw.below(7) {
                // Before 5.0 only a Client without a session to come back to may leave it empty; one that does so all
                // the same is refused. [3.1.1/MQTT-3.1.3-7] [3.1.1/MQTT-3.1.3-8]
                0 => Some(String::new()),
                // Not the one of its neighbour. [3.1.1/MQTT-3.1.3-2] [5.0/MQTT-3.1.3-2]
                1 if place > 0 => Some(NAMES[place - 1].to_uppercase()),
                // 23 bytes, which every Server has to take. [3.1.1/MQTT-3.1.3-5] [5.0/MQTT-3.1.3-5]
                2 => Some(format!("{}ABCDEFGHIJKLMNOPQRST", NAMES[place])),
                // More, which a Server may refuse. [3.1.1/MQTT-3.1.3-9] [5.0/MQTT-3.1.3-8]
                3 => Some(format!("{}-abcdefghijklmnopqrstuvwxyz", NAMES[place])),
                _ => None,
            };
        }
        match self.draw.below(5) {
            0 => connect.user_name = Some(policies::USER.0.to_owned()),
            1 | 2 => {
                let right = self.draw.percent(60);
                connect.user_name = Some(policies::USER.0.to_owned());
                connect.password = Some(if right { policies::USER.1.into() } else { b"wrong".to_vec() });
            }
            _ => {}
        }
    }

    fn write(&mut self) {
        for place in 0..self.roles.len() {
            if self.draw.percent(85) {
                self.arrive(place, true);
                self.share(place);
            }
        }
        let length = 12 + self.draw.below(45);
        for _ in 0..length {
            self.deed();
        }
        self.heal();
    }

    fn push(&mut self, place: usize, action: Action) {
        self.script.steps.push(Step::Client(ClientNo(place as u16), action));
    }

    fn send(&mut self, place: usize, send: Send) {
        self.push(place, Action::Send(send, Vec::new()));
    }

    /// Waits until what the Server is to do must have been done, and seen.
    fn outwait(&mut self) {
        self.pass(Workload::BOUNDS.promptness + Duration::from_millis(200));
    }

    fn pass(&mut self, time: Duration) {
        self.script.steps.push(Step::Wait(time));
    }

    /// A client connects.
    fn arrive(&mut self, place: usize, first: bool) {
        let connect = if first { None } else { Some(self.connect(place, false)) };
        let clean = connect.as_ref().is_none_or(|connect| connect.clean_start);
        self.push(place, Action::Connect(connect));
        let role = &mut self.roles[place];
        (role.here, role.held, role.stalled) = (true, false, false);
        role.aliases.clear();
        if clean {
            role.filters.clear();
        }
        self.ask(place, 80);
    }

    /// Waits for all answers, in so many of 100 cases.
    fn ask(&mut self, place: usize, percent: u8) {
        let role = &self.roles[place];
        if role.here && !role.held && !role.stalled && !self.broker_down && self.draw.percent(percent) {
            self.push(place, Action::Settle);
        }
    }

    /// A client is gone, one way or another.
    fn leave(&mut self, place: usize) {
        let role = &mut self.roles[place];
        (role.here, role.held, role.stalled) = (false, false, false);
        role.aliases.clear();
        if role.expiry == 0 {
            role.filters.clear();
        }
    }

    /// Heals everything, and gives what is due the time to come.
    fn heal(&mut self) {
        if self.broker_down {
            self.script.steps.push(Step::Broker(Fault::Restart(Memory::Kept)));
            self.broker_down = false;
        }
        for place in 0..self.roles.len() {
            if core::mem::take(&mut self.roles[place].held) {
                self.push(place, Action::Fault(Fault::Release));
            }
            if core::mem::take(&mut self.roles[place].stalled) {
                self.push(place, Action::Fault(Fault::Unstall));
            }
        }
        self.pass(Workload::BOUNDS.promptness);
        // Those whose Keep Alive has run out meanwhile, too.
        for place in 0..self.roles.len() {
            let gone = !self.roles[place].here || self.roles[place].keep_alive > 0;
            if gone && !self.draw.percent(10) {
                self.push(place, Action::Cut(How::Fin));
                self.roles[place].keep_alive = 0;
                self.arrive(place, false);
            }
        }
        for _ in 0..12 {
            let mut owes = false;
            for place in 0..self.roles.len() {
                if !self.roles[place].acknowledges && self.roles[place].here {
                    self.push(place, Action::Acknowledge(ReasonCode::SUCCESS));
                    owes = true;
                }
            }
            if owes {
                self.pass(4 * self.profile.network().delay_max);
            }
        }
        self.pass(2 * Workload::BOUNDS.promptness + Duration::from_secs(3));
        for place in 0..self.roles.len() {
            if self.roles[place].here {
                self.push(place, Action::Barrier);
            }
        }
    }
}
