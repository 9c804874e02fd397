//! The broker under test: where it listens, and as whom to connect.

use std::fmt;

/// A broker to check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// The embedded reference broker, served on a loopback port for the run.
    Reference {
        /// A mutant of it, for proofs.
        mutant: Option<mqtt_assay_broker_model::Mutant>,
    },
    /// A broker that listens somewhere.
    Tcp(TcpTarget),
}

/// A broker reached over plain TCP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TcpTarget {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User name, if the broker wants one.
    pub user_name: Option<String>,
    /// Password, if the broker wants one.
    pub password: Option<String>,
}

impl fmt::Display for Target {
    /// As reports and replay lines name it: never with a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Reference { mutant: None } => f.write_str("reference"),
            Target::Reference { mutant: Some(mutant) } => write!(f, "reference (mutant {})", mutant.name()),
            Target::Tcp(tcp) if tcp.host.contains(':') => write!(f, "mqtt://[{}]:{}", tcp.host, tcp.port),
            Target::Tcp(tcp) => write!(f, "mqtt://{}:{}", tcp.host, tcp.port),
        }
    }
}
