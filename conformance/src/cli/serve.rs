//! `serve`: the reference broker for real clients.

use super::{Trouble, mutant, say};
use crate::serve::{Edge, Effect, Fault, ServeTrouble, Served, ServerTls, WEBSOCKET_PATH};
use crate::setup::Setup;
use mqtt_assay_codec::PacketType;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve the reference broker on a real port until Ctrl-C
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    /// Address and port to listen on, as 127.0.0.1:1883, or with a transport as mqtts://ADDR, ws://ADDR[/PATH] or
    /// wss://ADDR[/PATH]; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1883", value_parser = listen)]
    listen: Listen,

    /// Serve a deliberately broken broker, to see what the checks make of it
    #[arg(long, value_name = "NAME", value_parser = mutant::parse_fault)]
    mutant: Option<Fault>,

    /// End the process, as a crash would, upon the first packet of this type: what `check --spawn` reports
    #[arg(long, value_name = "PACKET", value_parser = packet_type)]
    die_on: Option<PacketType>,

    /// Let the process go wrong when a client has sent packets of these types in this order: what `fuzz --spawn` is
    /// tried with. HOW is abort, spin, sleep, leak, busy, deaf or mute
    #[arg(long, value_name = "HOW:PACKET,…", value_parser = plant, hide = true, conflicts_with_all = ["mutant", "die_on"])]
    plant: Option<Plant>,

    /// The broker's certificate, with those that lead from it to its authority, in PEM form (mqtts:// and wss://)
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The key of the certificate, in PEM form
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Take only clients with a certificate of these authorities, in PEM form
    #[arg(long, value_name = "FILE", requires = "cert")]
    client_ca: Option<PathBuf>,
}

/// The types of packets that clients send.
const SENT_BY_CLIENTS: [PacketType; 10] = [
    PacketType::Connect,
    PacketType::Publish,
    PacketType::Puback,
    PacketType::Pubrec,
    PacketType::Pubrel,
    PacketType::Pubcomp,
    PacketType::Subscribe,
    PacketType::Unsubscribe,
    PacketType::Disconnect,
    PacketType::Auth,
];

/// The status of a broker that dies on purpose: that of software errors in BSD's sysexits.
const DEATH: i32 = 70;

fn packet_type(text: &str) -> Result<PacketType, String> {
    let found = SENT_BY_CLIENTS.into_iter().find(|known| known.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        let names: Vec<_> = SENT_BY_CLIENTS.iter().map(|known| known.name()).collect();
        format!("the packets are {}", names.join(", "))
    })
}

/// A fault of the process, and what leads to it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Plant {
    effect: Effect,
    sequence: Vec<PacketType>,
}

fn plant(text: &str) -> Result<Plant, String> {
    let (how, packets) = text.split_once(':').ok_or("write HOW:PACKET,PACKET")?;
    let effect = Effect::PLANTED.iter().find(|(name, _)| *name == how);
    let effect = effect.ok_or("HOW is abort, spin, sleep, leak, deaf or mute")?.1;
    let sequence = packets.split(',').map(packet_type).collect::<Result<_, _>>()?;
    Ok(Plant { effect, sequence })
}

/// Where to listen, and for what.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Listen {
    address: SocketAddr,
    tls: bool,
    websocket: Option<String>,
}

fn listen(text: &str) -> Result<Listen, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("mqtt", text));
    let (tls, speaks_websocket) = match scheme {
        "mqtt" => (false, false),
        "mqtts" => (true, false),
        "ws" => (false, true),
        "wss" => (true, true),
        _ => return Err("the transports are mqtt://, mqtts://, ws:// and wss://".to_owned()),
    };
    let (address, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let address = address.parse().map_err(|_| {
        "write an IP address and a port, such as 127.0.0.1:1883 or ws://127.0.0.1:8083/mqtt".to_owned()
    })?;
    let websocket = match (speaks_websocket, path) {
        (true, "") => Some(WEBSOCKET_PATH.to_owned()),
        (true, path) if path.contains(['?', '#']) => {
            return Err("the path has no query and no fragment".to_owned());
        }
        (true, path) => Some(path.to_owned()),
        (false, "" | "/") => None,
        (false, _) => return Err("only ws:// and wss:// have a path".to_owned()),
    };
    Ok(Listen { address, tls, websocket })
}

impl Arguments {
    fn edge(&self) -> Result<Edge, Trouble> {
        let tls = match (self.listen.tls, &self.cert, &self.key) {
            (true, Some(cert), Some(key)) => {
                Some(ServerTls { cert: cert.clone(), key: key.clone(), client_ca: self.client_ca.clone() })
            }
            (true, ..) => {
                return Err(Trouble::new(
                    "TLS needs the broker's certificate and its key; give --cert and --key",
                ));
            }
            (false, Some(_), _) => {
                return Err(Trouble::new("--cert is for TLS; listen on mqtts:// or wss://, or leave it out"));
            }
            (false, None, _) => None,
        };
        if let Some(Fault::Edge(fault)) = self.mutant
            && self.listen.websocket.is_none()
        {
            return Err(Trouble::new(format!(
                "the mutant {} is broken in its WebSocket; listen on ws:// or wss://",
                fault.name()
            )));
        }
        Ok(Edge { address: self.listen.address, tls, websocket: self.listen.websocket.clone() })
    }
}

/// Serves until the first Ctrl-C.
pub(super) fn run(arguments: &Arguments) -> Result<(), Trouble> {
    let edge = arguments.edge()?;
    let runtime = match &arguments.plant {
        // A thread that does not come back is to take all others with it.
        Some(_) => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        None => tokio::runtime::Runtime::new(),
    };
    let runtime =
        runtime.map_err(|error| Trouble::new(format!("cannot start the broker's threads: {error}")))?;
    runtime.block_on(async {
        let served = match (arguments.die_on, &arguments.plant) {
            (_, Some(plant)) => Served::listen_planted(edge, &plant.sequence, plant.effect).await,
            (Some(fatal), None) => Served::listen_until(edge, arguments.mutant, fatal).await,
            (None, None) => Served::listen(Setup::Full, edge, arguments.mutant).await,
        };
        let served = served.map_err(|error| match error {
            ServeTrouble::Port(..) => {
                Trouble::new(format!("{error}; choose another address or port with --listen"))
            }
            ServeTrouble::Files(_) => Trouble::new(error.to_string()),
        })?;
        if let Some(mutant) = arguments.mutant {
            say(&format!("Broken on purpose ({}): this broker {}.", mutant.name(), mutant.summary()));
        }
        say(&format!("The reference broker listens on {}; Ctrl-C ends it.", served.edge()));
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => {
                stopped.map_err(|error| Trouble::new(format!("cannot wait for Ctrl-C: {error}")))
            }
            () = served.dies() => {
                let fatal = arguments.die_on.map_or("packet", PacketType::name);
                say(&format!("The reference broker dies of {fatal}, as it was told to."));
                std::process::exit(DEATH);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_read() {
        let at = |port, tls, path: Option<&str>| {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            Ok(Listen { address, tls, websocket: path.map(str::to_owned) })
        };
        assert_eq!(listen("127.0.0.1:1883"), at(1883, false, None));
        assert_eq!(listen("mqtt://127.0.0.1:0/"), at(0, false, None));
        assert_eq!(listen("mqtts://127.0.0.1:8883"), at(8883, true, None));
        assert_eq!(listen("ws://127.0.0.1:8083"), at(8083, false, Some("/mqtt")));
        assert_eq!(listen("wss://127.0.0.1:8084/a/b"), at(8084, true, Some("/a/b")));
        for (text, hint) in [
            ("here", "IP address"),
            ("ws://localhost:1", "IP address"),
            ("http://127.0.0.1:1", "transports"),
            ("mqtts://127.0.0.1:1/mqtt", "path"),
            ("ws://127.0.0.1:1/mqtt?x", "query"),
        ] {
            let error = listen(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
