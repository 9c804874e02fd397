//! The broker under test: where it listens, how it is reached, and as whom to connect.

pub(crate) mod url;

use crate::serve::Fault;
use std::fmt;
use std::path::PathBuf;

/// A broker to check.
#[expect(clippy::large_enum_variant, reason = "a run has one")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// The embedded reference broker, served on a loopback port for the run: over TCP, or over WebSocket if its fault
    /// is there.
    Reference {
        /// A deliberately broken one, for proofs.
        mutant: Option<Fault>,
    },
    /// A broker that listens somewhere.
    Tcp(TcpTarget),
}

/// A broker reached over TCP, plain or with what lies between TCP and MQTT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TcpTarget {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What lies between TCP and MQTT.
    pub transport: Transport,
    /// User name, if the broker wants one.
    pub user_name: Option<String>,
    /// Password, if the broker wants one.
    pub password: Option<String>,
}

/// What lies between TCP and MQTT: by default, nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Transport {
    /// TLS, if it is spoken.
    pub tls: Option<Tls>,
    /// The path under which WebSocket is spoken, with its query, if it is.
    pub websocket: Option<String>,
}

/// How TLS is spoken. Files are in PEM form.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tls {
    /// The authorities to trust; `None` for those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The client's certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name to ask for and to expect in the certificate; `None` for the target's host.
    pub server_name: Option<String>,
    /// Whether every certificate of the broker is accepted.
    pub insecure: bool,
}

impl Transport {
    /// The scheme of its URLs.
    pub const fn scheme(&self) -> &'static str {
        match (&self.tls, &self.websocket) {
            (None, None) => "mqtt",
            (Some(_), None) => "mqtts",
            (None, Some(_)) => "ws",
            (Some(_), Some(_)) => "wss",
        }
    }
}

impl TcpTarget {
    /// Host and port as URLs name them.
    pub fn authority(&self) -> String {
        let TcpTarget { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl fmt::Display for Target {
    /// As reports and replay lines name it: never with a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Reference { mutant: None } => f.write_str("reference"),
            Target::Reference { mutant: Some(mutant) } => write!(f, "reference (mutant {})", mutant.name()),
            Target::Tcp(tcp) => {
                let path = tcp.transport.websocket.as_deref().unwrap_or_default();
                write!(f, "{}://{}{path}", tcp.transport.scheme(), tcp.authority())
            }
        }
    }
}
