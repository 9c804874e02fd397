//! The broker on the command line: its URL or its profile, and what flags say of it.

use super::{Trouble, quoted, target, tls};
use crate::process::Recipe;
use crate::profile::{BrokerProfile, Commands, Over, PORT, TlsFiles};
use crate::serve::Fault;
use crate::setup::Profile;
use crate::target::{Target, TcpTarget, url};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a password may wait that shall not be seen in the list of processes.
pub(super) const PASSWORD_VARIABLE: &str = "MQTT_ASSAY_PASSWORD";

/// How long a broker may take until it listens, unless told otherwise.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// What is said of the broker; it overrides the profile.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Broker")]
pub(super) struct BrokerArguments {
    /// The user name to connect with; overrides the one in the URL
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// The password; better put into the environment variable MQTT_ASSAY_PASSWORD
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,

    /// A topic that this user may not publish to, for the checks of what becomes of such messages
    #[arg(long, value_name = "TOPIC", value_parser = topic)]
    denied_topic: Option<String>,

    /// The broker refuses unknown users and wrong passwords: check how
    #[arg(long)]
    checks_passwords: bool,

    /// The broker closes a connection without CONNECT within this time: check it
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    connect_timeout: Option<Duration>,

    /// Which of the profile's addresses to use: tcp, tls, ws or wss [default: the first it has, in this order]
    #[arg(long, value_name = "TRANSPORT", hide_possible_values = true)]
    over: Option<Over>,

    /// Start the broker with this command, in which {port} is a free port, and watch it: its death is a finding, and
    /// it is started again. The target is then mqtt://127.0.0.1:{port}, unless it is given
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,

    /// How long the broker may take until it listens [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    spawn_timeout: Option<Duration>,

    /// The broker runs already: do not start it as the profile says
    #[arg(long, conflicts_with_all = ["spawn", "spawn_timeout"])]
    no_spawn: bool,

    #[command(flatten)]
    tls: tls::TlsArguments,
}

fn topic(text: &str) -> Result<String, String> {
    match mqtt_assay_codec::topic::check_name(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(_) => Err("a Topic Name is needed: not empty, without + and #".to_owned()),
    }
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.1..=86_400.0).contains(&number) => Ok(Duration::from_secs_f64(number)),
        _ => Err("a number of seconds from 0.1 to 86400 is needed".to_owned()),
    }
}

/// The broker that is meant.
#[derive(Debug)]
pub(super) struct Meant {
    /// Where it is; of a profile the address that is used.
    pub(super) target: Target,
    /// What no packet tells.
    pub(super) profile: Profile,
    /// How it is started, if the run shall do so.
    pub(super) recipe: Option<Recipe>,
    /// The whole profile, if the target is one.
    pub(super) file: Option<BrokerProfile>,
    /// All its addresses, the one in use first.
    pub(super) addresses: Vec<TcpTarget>,
}

impl BrokerArguments {
    /// Whether the command line itself starts a broker.
    pub(super) fn spawns(&self) -> bool {
        self.spawn.is_some()
    }

    /// Refuses what is for the checks alone, by name: nothing that was asked for is ignored.
    pub(super) fn refuse_for_checks(&self, command: &str) -> Result<(), Trouble> {
        let flags = [
            (self.denied_topic.is_some(), "--denied-topic"),
            (self.checks_passwords, "--checks-passwords"),
            (self.connect_timeout.is_some(), "--connect-timeout"),
        ];
        match flags.into_iter().find(|(given, _)| *given) {
            Some((_, flag)) => Err(Trouble::new(format!(
                "{flag} is for `check`; `{command}` has no use for it, leave it out"
            ))),
            None => Ok(()),
        }
    }

    /// Finds out which broker is meant: by its URL, by the path of its profile, or by what starts it.
    pub(super) fn meant(&self, text: Option<&str>, mutant: Option<Fault>) -> Result<Meant, Trouble> {
        let file = match text {
            Some(text) if is_profile(text) && mutant.is_none() => Some(Path::new(text)),
            _ => None,
        };
        match file {
            Some(path) => self.of_profile(path),
            None => self.of_url(text, mutant),
        }
    }

    fn of_profile(&self, path: &Path) -> Result<Meant, Trouble> {
        let file = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Trouble::new(format!("cannot read the profile {file}: {error}")))?;
        let mut profile = BrokerProfile::read(&text)
            .map_err(|wrong| Trouble::new(format!("the profile {file}, {wrong}")))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        profile.resolve_paths(folder.unwrap_or(Path::new("")));

        let over = match self.over {
            Some(over) if profile.addresses.get(over).is_none() => {
                return Err(Trouble::new(format!(
                    "the profile {file} has no address for --over {0}; give [addresses] a line {0} = \"…\"",
                    over.name()
                )));
            }
            Some(over) => over,
            None => profile.addresses.all().next().map(|(over, _)| over).ok_or_else(|| {
                Trouble::new(format!(
                    "the profile {file} has no address; give it a section [addresses] with tcp = \"mqtt://HOST:PORT\""
                ))
            })?,
        };
        let command = self.spawn.as_deref().or(profile.process.spawn.as_deref()).filter(|_| !self.no_spawn);
        let port = command.filter(|command| command.contains(PORT)).map(|_| free_port()).transpose()?;
        let mut addresses = Vec::new();
        let rest = Over::ALL.into_iter().filter(|other| *other != over);
        for over in std::iter::once(over).chain(rest) {
            let Some(address) = profile.addresses.get(over) else { continue };
            let address = with_port(address, port)?;
            let mut tcp = url::parse(&address).map_err(Trouble::new)?;
            if let Some(tls) = &mut tcp.transport.tls {
                *tls = self.tls.over(&profile.tls);
            }
            let users = &profile.credentials;
            self.credentials(&mut tcp, users.user.as_deref(), users.password.as_deref())?;
            addresses.push(tcp);
        }
        let Some(first) = addresses.first() else { return Err(Trouble::new("no address is left")) };
        if !over.speaks_tls() && addresses.iter().all(|tcp| tcp.transport.tls.is_none()) {
            self.tls.refuse()?;
        }
        let recipe = match command {
            Some(command) => {
                let commands = &profile.process;
                // What stops one command's broker need not stop another's.
                let own = self.spawn.is_none();
                let other = |text: &Option<String>| text.as_deref().filter(|_| own).map(words).transpose();
                Some(Recipe {
                    stop: other(&commands.stop)?,
                    kill: other(&commands.kill)?,
                    restart: other(&commands.restart)?,
                    folder: folder.filter(|_| own).map(PathBuf::from),
                    patience: self.spawn_timeout.or(commands.start_timeout).unwrap_or(START_TIMEOUT),
                    ..self.recipe(command, first, port)?
                })
            }
            None => self.without_spawn().map(|()| None)?,
        };
        Ok(Meant {
            target: Target::Tcp(first.clone()),
            profile: self.told(&profile),
            recipe,
            addresses,
            file: Some(profile),
        })
    }

    fn of_url(&self, text: Option<&str>, mutant: Option<Fault>) -> Result<Meant, Trouble> {
        if self.over.is_some() {
            return Err(Trouble::new(
                "--over chooses among the addresses of a profile; name one as the target",
            ));
        }
        if let Some(command) = &self.spawn {
            words(command)?;
        }
        let spawned = match &self.spawn {
            Some(command) if command.contains(PORT) => Some(free_port()?),
            Some(_) if text.is_none() => {
                return Err(Trouble::new(format!(
                    "where does the broker listen? Put {PORT} into the command of --spawn, or name the target, \
                     mqtt://HOST:PORT"
                )));
            }
            _ => None,
        };
        let text = match (text, &self.spawn) {
            (Some(text), Some(_)) if spawned.is_some() && !text.contains(PORT) => {
                return Err(Trouble::new(format!(
                    "the command of --spawn has {PORT}, and '{}' has not; write it as its port, or leave the target \
                     out",
                    url::shown(text)
                )));
            }
            (Some(text), _) => with_port(text, spawned)?,
            (None, Some(_)) => with_port(&format!("mqtt://127.0.0.1:{PORT}"), spawned)?,
            (None, None) => "reference".to_owned(),
        };
        let mut target = target::parse(&text, mutant)?;
        let mut addresses = Vec::new();
        let mut recipe = None;
        match &mut target {
            Target::Reference { .. } => self.refuse_for_reference()?,
            Target::Tcp(tcp) => {
                match &mut tcp.transport.tls {
                    Some(tls) => *tls = self.tls.tls(),
                    None => self.tls.refuse()?,
                }
                self.credentials(tcp, None, None)?;
                addresses.push(tcp.clone());
                match &self.spawn {
                    Some(command) => recipe = Some(self.recipe(command, tcp, spawned)?),
                    None => self.without_spawn()?,
                }
            }
        }
        let profile = self.told(&BrokerProfile::default());
        Ok(Meant { target, profile, recipe, file: None, addresses })
    }

    fn refuse_for_reference(&self) -> Result<(), Trouble> {
        if self.user.is_some() || self.password.is_some() {
            return Err(Trouble::new(
                "the embedded reference broker knows no users; leave out --user and --password, or name a broker",
            ));
        }
        if self.told(&BrokerProfile::default()) != Profile::default() {
            return Err(Trouble::new(
                "what the embedded reference broker is set up with is known; leave out --denied-topic, \
                 --checks-passwords and --connect-timeout, or name a broker",
            ));
        }
        if self.spawn.is_some() {
            return Err(Trouble::new(
                "the embedded reference broker needs no --spawn; leave it out, or leave out the target",
            ));
        }
        self.without_spawn()?;
        self.tls.refuse()
    }

    /// Nothing that was asked for is ignored.
    fn without_spawn(&self) -> Result<(), Trouble> {
        match self.spawn_timeout {
            Some(_) => {
                Err(Trouble::new("--spawn-timeout needs a broker to start; give its command with --spawn"))
            }
            None => Ok(()),
        }
    }

    fn credentials(
        &self,
        tcp: &mut TcpTarget,
        user: Option<&str>,
        password: Option<&str>,
    ) -> Result<(), Trouble> {
        let profiles = |text: Option<&str>| text.map(str::to_owned);
        // Another user than the profile's has another password.
        let password = password.filter(|_| self.user.is_none());
        tcp.user_name = self.user.clone().or_else(|| tcp.user_name.take()).or_else(|| profiles(user));
        tcp.password = self.password.clone().or_else(|| tcp.password.take()).or_else(|| profiles(password));
        if tcp.user_name.is_some() && tcp.password.is_none() {
            tcp.password = std::env::var(PASSWORD_VARIABLE).ok();
        }
        if tcp.user_name.is_none() && tcp.password.is_some() {
            return Err(Trouble::new("a password needs a user name; give it with --user"));
        }
        Ok(())
    }

    fn recipe(&self, command: &str, tcp: &TcpTarget, port: Option<u16>) -> Result<Recipe, Trouble> {
        Ok(Recipe {
            spawn: words(command)?,
            stop: None,
            kill: None,
            restart: None,
            environment: Vec::new(),
            folder: None,
            host: tcp.host.clone(),
            port: port.unwrap_or(tcp.port),
            patience: self.spawn_timeout.unwrap_or(START_TIMEOUT),
        })
    }

    /// What no packet tells, by flags and by the profile.
    fn told(&self, file: &BrokerProfile) -> Profile {
        let users = &file.credentials;
        Profile {
            denied_topic: self.denied_topic.clone().or_else(|| file.broker.denied_topic.clone()),
            checks_passwords: self.checks_passwords || users.checks_passwords || users.wrong_user.is_some(),
            wrong_credentials: users.wrong_user.clone().zip(users.wrong_password.clone()),
            connect_timeout: self.connect_timeout.or(file.broker.connect_timeout),
        }
    }

    /// What the command line and the profile know of the broker together, as a profile; without the password.
    pub(super) fn known(&self, meant: &Meant) -> BrokerProfile {
        let mut known = meant.file.clone().unwrap_or_default();
        if let (None, [tcp, ..]) = (&meant.file, meant.addresses.as_slice()) {
            let mut address = Target::Tcp(tcp.clone()).to_string();
            if self.spawn.as_deref().is_some_and(|command| command.contains(PORT)) {
                address = address.replace(&format!(":{}", tcp.port), &format!(":{PORT}"));
            }
            let place = match tcp.transport.scheme() {
                "mqtts" => &mut known.addresses.tls,
                "ws" => &mut known.addresses.ws,
                "wss" => &mut known.addresses.wss,
                _ => &mut known.addresses.tcp,
            };
            *place = Some(address);
        }
        if let Some(tcp) = meant.addresses.first() {
            known.credentials.user = tcp.user_name.clone();
        }
        known.credentials.password = None;
        if let Some(tls) = meant.addresses.iter().find_map(|tcp| tcp.transport.tls.clone()) {
            let (cert, key) = tls.identity.unzip();
            known.tls =
                TlsFiles { ca: tls.ca, cert, key, server_name: tls.server_name, insecure: tls.insecure };
        }
        known.broker.denied_topic = meant.profile.denied_topic.clone();
        known.broker.connect_timeout = meant.profile.connect_timeout;
        known.credentials.checks_passwords = meant.profile.checks_passwords;
        if self.spawn.is_some() {
            let start_timeout = self.spawn_timeout;
            known.process = Commands { spawn: self.spawn.clone(), start_timeout, ..Commands::default() };
        }
        known
    }

    /// The arguments that name the same broker in the same way, each with a space before it. A password is not among
    /// them.
    pub(super) fn command(&self, text: Option<&str>, meant: &Meant) -> String {
        let mut command = String::new();
        match (&meant.target, text) {
            (Target::Reference { mutant: None }, _) => command.push_str(" reference"),
            (Target::Reference { mutant: Some(mutant) }, _) => {
                command.push_str(&format!(" reference --mutant {}", mutant.name()));
            }
            (Target::Tcp(tcp), text) => {
                match text {
                    Some(text) if meant.file.is_some() => command.push_str(&format!(" {}", quoted(text))),
                    // The port will be another one.
                    Some(text) if text.contains(PORT) => {
                        command.push_str(&format!(" {}", quoted(&url::bare(text))));
                    }
                    None if meant.recipe.is_some() => {}
                    _ => command.push_str(&format!(" {}", quoted(&meant.target.to_string()))),
                }
                command.push_str(&self.tls.command());
                let user = if meant.file.is_some() { self.user.as_ref() } else { tcp.user_name.as_ref() };
                if let Some(user) = user {
                    command.push_str(&format!(" --user {}", quoted(user)));
                }
            }
        }
        if let Some(over) = self.over {
            command.push_str(&format!(" --over {}", over.name()));
        }
        if let Some(spawn) = &self.spawn {
            command.push_str(&format!(" --spawn {}", quoted(spawn)));
        }
        if let Some(time) = self.spawn_timeout {
            command.push_str(&format!(" --spawn-timeout {}", time.as_secs_f64()));
        }
        if self.no_spawn {
            command.push_str(" --no-spawn");
        }
        if let Some(topic) = &self.denied_topic {
            command.push_str(&format!(" --denied-topic {}", quoted(topic)));
        }
        if self.checks_passwords {
            command.push_str(" --checks-passwords");
        }
        if let Some(time) = self.connect_timeout {
            command.push_str(&format!(" --connect-timeout {}", time.as_secs_f64()));
        }
        command
    }
}

/// Whether the target is meant as the path of a profile.
fn is_profile(text: &str) -> bool {
    !text.contains("://") && (text.ends_with(".toml") || Path::new(text).is_file())
}

/// A loopback port that nobody listens on at the moment.
fn free_port() -> Result<u16, Trouble> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Trouble::new(format!("there is no free loopback port for the broker: {error}")))
}

fn with_port(text: &str, port: Option<u16>) -> Result<String, Trouble> {
    match port {
        Some(port) => Ok(text.replace(PORT, &port.to_string())),
        None if text.contains(PORT) => Err(Trouble::new(format!(
            "'{}' has {PORT}, which stands for a port only where a command to start the broker has it, too",
            url::shown(text)
        ))),
        None => Ok(text.to_owned()),
    }
}

/// The words of a command.
fn words(command: &str) -> Result<Vec<String>, Trouble> {
    match shell_words::split(command) {
        Ok(words) if words.is_empty() => Err(Trouble::new("the command to start the broker is empty")),
        Ok(words) => Ok(words),
        Err(_) => Err(Trouble::new(format!("the command {command:?} has a quotation mark without its pair"))),
    }
}
