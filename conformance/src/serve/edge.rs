//! Where and how the reference broker is served: the port, and what lies between TCP and MQTT.

use super::{EdgeFault, Fault};
use crate::net::layers::Layers;
use crate::net::tls::{self, FileTrouble};
use crate::net::websocket::Door;
use crate::target::{Tls, Transport};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where and how a broker is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Address and port; port 0 takes any free one.
    pub address: SocketAddr,
    /// The files of TLS, if it is spoken.
    pub tls: Option<ServerTls>,
    /// The path under which WebSocket is spoken, if it is.
    pub websocket: Option<String>,
}

/// The files that a served broker needs for TLS, in PEM form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerTls {
    /// The broker's certificate, and those that lead from it to an authority.
    pub cert: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// The authorities one of which must have signed a client's certificate, if clients need one.
    pub client_ca: Option<PathBuf>,
}

/// Why a broker cannot be served, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ServeTrouble {
    /// The port cannot be opened.
    #[error("cannot listen on {0}: {1}")]
    Port(SocketAddr, io::Error),
    /// Certificates or keys are missing or wrong.
    #[error(transparent)]
    Files(#[from] FileTrouble),
}

/// The path under which WebSocket is spoken unless told otherwise.
pub const WEBSOCKET_PATH: &str = "/mqtt";

impl Edge {
    /// A free loopback port, without TLS; with WebSocket if that is where the fault is.
    pub fn loopback(fault: Option<Fault>) -> Edge {
        Edge {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: None,
            // All faults of the transport are WebSocket's.
            websocket: matches!(fault, Some(Fault::Edge(_))).then(|| WEBSOCKET_PATH.to_owned()),
        }
    }

    /// What the connections go through.
    pub(super) fn layers(&self, fault: Option<EdgeFault>) -> Result<Layers, FileTrouble> {
        let tls = match &self.tls {
            Some(files) => Some(tls::server(&files.cert, &files.key, files.client_ca.as_deref())?),
            None => None,
        };
        Ok(Layers { tls, websocket: self.websocket.clone().map(|path| Door { path, fault }) })
    }
}

impl fmt::Display for Edge {
    /// As a target's URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport =
            Transport { tls: self.tls.is_some().then(Tls::default), websocket: self.websocket.clone() };
        write!(
            f,
            "{}://{}{}",
            transport.scheme(),
            self.address,
            self.websocket.as_deref().unwrap_or_default()
        )
    }
}
