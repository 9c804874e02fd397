//! The canonical form of a script.

mod packet;

use super::connect;
use super::value::{Time, Times, version_word};
use crate::history::{ClientNo, Fault, How, Memory};
use crate::script::{Action, Client, Network, Script, Step, Timely};
use core::fmt::{self, Write};
use mqtt_assay_codec::{PacketType, ReasonCode, Version};
use packet::{write_code, write_pattern, write_sent};

/// Longer names do not widen the column of names.
const WIDEST: usize = 12;

pub(super) fn write(f: &mut fmt::Formatter<'_>, script: &Script) -> fmt::Result {
    let printer = Printer { script, version: usual_version(&script.clients) };
    let mut blank = false;
    blank |= printer.header(f)?;
    blank |= printer.clients(f, blank)?;
    blank |= printer.schedule(f, blank)?;
    printer.steps(f, blank)
}

/// The version of most clients, the newer one of two.
fn usual_version(clients: &[Client]) -> Version {
    let count = |version| clients.iter().filter(|client| client.version == version).count();
    [Version::V3_1, Version::V3_1_1, Version::V5]
        .into_iter()
        .max_by_key(|version| count(*version))
        .unwrap_or(Version::V5)
}

/// The width of the column of names.
fn names_width(clients: &[Client]) -> usize {
    clients.iter().map(|client| client.name.len()).max().unwrap_or(0).min(WIDEST)
}

/// The width of the steps' first column, where `wait` and `broker` stand, too.
fn steps_width(script: &Script) -> usize {
    let words = script.steps.iter().map(|step| match step {
        Step::Client(..) => 0,
        Step::Wait(_) => "wait".len(),
        Step::Broker(_) => "broker".len(),
    });
    words.max().unwrap_or(0).max(names_width(&script.clients))
}

struct Printer<'a> {
    script: &'a Script,
    /// Of clients whose lines do not say theirs.
    version: Version,
}

impl Printer<'_> {
    fn name(&self, client: ClientNo) -> &str {
        // Of a client that does not exist nothing true can be said; it does not read back.
        self.script.clients.get(client.index()).map_or("?", |client| &client.name)
    }

    fn version_of(&self, client: ClientNo) -> Version {
        self.script.clients.get(client.index()).map_or(self.version, |client| client.version)
    }

    /// Each part says whether it wrote anything; a blank line stands between two of them.
    fn header(&self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let Script { seed, network, clients, .. } = self.script;
        if !clients.is_empty() {
            writeln!(f, "mqtt {}", version_word(self.version))?;
        }
        if *seed != 0 {
            writeln!(f, "seed {seed}")?;
        }
        if *network != Network::default() {
            f.write_str("network")?;
            if !network.delay_max.is_zero() {
                write!(f, " delay={}", Times(network.delay_min, network.delay_max))?;
            }
            if network.split_percent > 0 {
                write!(f, " split={}%", network.split_percent)?;
            }
            if network.merge_percent > 0 {
                write!(f, " merge={}%", network.merge_percent)?;
            }
            f.write_char('\n')?;
        }
        Ok(!clients.is_empty() || *seed != 0 || *network != Network::default())
    }

    fn clients(&self, f: &mut fmt::Formatter<'_>, blank: bool) -> Result<bool, fmt::Error> {
        let clients = &self.script.clients;
        if blank
            && !clients.is_empty()
            && (self.script.seed != 0 || self.script.network != Network::default())
        {
            f.write_char('\n')?;
        }
        let width = names_width(clients);
        for client in clients {
            write!(f, "client {:width$} ", client.name)?;
            if client.version != self.version {
                write!(f, " mqtt={}", version_word(client.version))?;
            }
            connect::write(f, &client.connect)?;
            if !client.acknowledges {
                f.write_str(" acks=manual")?;
            }
            f.write_char('\n')?;
        }
        Ok(!clients.is_empty())
    }

    fn schedule(&self, f: &mut fmt::Formatter<'_>, blank: bool) -> Result<bool, fmt::Error> {
        let schedule = &self.script.schedule;
        if blank && !schedule.is_empty() {
            f.write_char('\n')?;
        }
        for timed in schedule {
            let name = if timed.client == ClientNo::NOBODY { "broker" } else { self.name(timed.client) };
            write!(f, "at {} {name} ", Time(timed.at))?;
            match timed.fault {
                Timely::Fault(fault) => write_fault(f, fault)?,
                Timely::Cut(how) => write_cut(f, how)?,
            }
            f.write_char('\n')?;
        }
        Ok(!schedule.is_empty())
    }

    fn steps(&self, f: &mut fmt::Formatter<'_>, blank: bool) -> fmt::Result {
        if blank && !self.script.steps.is_empty() {
            f.write_char('\n')?;
        }
        let width = steps_width(self.script);
        for step in &self.script.steps {
            match step {
                Step::Client(client, action) => {
                    write!(f, "{:width$} ", self.name(*client))?;
                    write_action(f, action, self.version_of(*client))?;
                }
                Step::Wait(time) => write!(f, "{:width$}  {}", "wait", Time(*time))?,
                Step::Broker(fault) => {
                    write!(f, "{:width$}  ", "broker")?;
                    write_fault(f, *fault)?;
                }
            }
            f.write_char('\n')?;
        }
        Ok(())
    }
}

fn write_fault(f: &mut fmt::Formatter<'_>, fault: Fault) -> fmt::Result {
    f.write_str(match fault {
        Fault::Stall => "stall",
        Fault::Unstall => "unstall",
        Fault::Hold => "hold",
        Fault::Release => "release",
        Fault::Crash => "crash",
        Fault::Restart(Memory::Kept) => "restart kept",
        Fault::Restart(Memory::Lost) => "restart lost",
        Fault::Restart(Memory::Unknown) => "restart",
    })
}

fn write_cut(f: &mut fmt::Formatter<'_>, how: How) -> fmt::Result {
    f.write_str(match how {
        How::Fin => "cut fin",
        How::Reset => "cut reset",
        How::Silently => "cut silently",
    })
}

/// Writes what a client does, a space before it.
fn write_action(f: &mut fmt::Formatter<'_>, action: &Action, version: Version) -> fmt::Result {
    f.write_char(' ')?;
    match action {
        Action::Connect(connect) => {
            f.write_str("connect")?;
            connect.as_ref().map_or(Ok(()), |connect| connect::write(f, connect))
        }
        Action::Open => f.write_str("open"),
        Action::Send(sent, segments) => {
            f.write_str("> ")?;
            write_sent(f, sent, version)?;
            for (index, size) in segments.iter().enumerate() {
                write!(f, "{}{size}", if index == 0 { " split=" } else { "," })?;
            }
            Ok(())
        }
        Action::Expect { any_of, within } => {
            for (index, pattern) in any_of.iter().enumerate() {
                f.write_str(if index == 0 { "< " } else { " | " })?;
                write_pattern(f, pattern, version)?;
            }
            within.map_or(Ok(()), |time| write!(f, ", within {}", Time(time)))
        }
        Action::Absent(pattern) => {
            f.write_str("! ")?;
            write_pattern(f, pattern, version)
        }
        Action::Barrier => f.write_str("barrier"),
        Action::Settle => f.write_str("settle"),
        Action::Acknowledge(ReasonCode::SUCCESS) => f.write_str("acknowledge"),
        Action::Acknowledge(reason) => {
            f.write_str("acknowledge")?;
            write_code(f, *reason, PacketType::Puback, version)
        }
        Action::Fault(fault) => write_fault(f, *fault),
        Action::Cut(how) => write_cut(f, *how),
        Action::HalfClose => f.write_str("half-close"),
    }
}
