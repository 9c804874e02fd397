//! Byte streams to a broker. Stories do not know which carrier moves their bytes.
//!
//! Carriers stack: TLS runs over what TCP opens, WebSocket over either.

pub(crate) mod layers;
pub(crate) mod play;
pub mod shape;
pub mod sim;
mod tcp;
pub(crate) mod tls;
pub(crate) mod websocket;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connected byte stream.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// Makes the connection end with a reset (RST) instead of an orderly close when the stream is dropped.
    fn reset_on_drop(&mut self);

    /// The WebSocket that carries the bytes, for stories about its frames.
    fn websocket(&mut self) -> Option<&mut websocket::WebSocket> {
        None
    }
}

impl Wire for Box<dyn Wire> {
    fn reset_on_drop(&mut self) {
        (**self).reset_on_drop();
    }

    fn websocket(&mut self) -> Option<&mut websocket::WebSocket> {
        (**self).websocket()
    }
}

/// Which connection is opened: whatever a carrier draws for it derives from the names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Caller<'a> {
    /// The client's name in the story.
    pub(crate) client: &'a str,
    /// The number of this client's connection, from 1.
    pub(crate) connection: u32,
}

/// A connection that is being opened.
pub(crate) type Opening<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Wire>>> + Send + 'a>>;

/// What opens connections to one broker.
pub(crate) trait Carrier: fmt::Debug + Send + Sync {
    fn open<'a>(&'a self, caller: Caller<'a>) -> Opening<'a>;

    /// The address that connections go to, if it is one of the network's.
    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    /// What may help if the broker ends the connections that were opened, in words.
    fn advice(&self) -> Option<&'static str> {
        None
    }

    /// The same broker, with these WebSocket subprotocols offered to it; `None` if it is not reached by WebSocket.
    fn offering(&self, _subprotocols: &'static [&'static str]) -> Option<Address> {
        None
    }
}

/// Why a layer over TCP could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the TLS handshake failed ({0})")]
    Tls(io::Error),
    #[error("the WebSocket handshake failed ({0})")]
    WebSocket(String),
}

impl Refused {
    /// What the user may look at.
    fn advice(&self) -> &'static str {
        match self {
            Refused::Tls(_) => {
                "does the broker speak TLS on this port, and do --ca and --server-name fit its certificate?"
            }
            Refused::WebSocket(_) => {
                "does the broker speak WebSocket on this port, and under the path of the URL?"
            }
        }
    }
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        io::Error::other(refused)
    }
}

/// Where a run's clients connect to: resolved once, so that every check reaches the same broker.
#[derive(Clone, Debug)]
pub(crate) struct Address(Arc<dyn Carrier>);

impl Address {
    pub(crate) fn new(carrier: impl Carrier + 'static) -> Self {
        Address(Arc::new(carrier))
    }

    /// A broker that listens on a TCP port.
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        Address::new(tcp::Tcp(address))
    }

    pub(crate) async fn open(&self, caller: Caller<'_>, patience: Duration) -> io::Result<Box<dyn Wire>> {
        tokio::time::timeout(patience, self.0.open(caller))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer to the connection request"))?
    }

    /// The address that connections go to, if it is one of the network's.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.0.peer()
    }

    /// What may help after this error, or after the broker ended a connection.
    pub(crate) fn advice(&self, error: Option<&io::Error>) -> Option<&'static str> {
        let refused = error.and_then(|error| error.get_ref()?.downcast_ref::<Refused>());
        self.0.advice().or(refused.map(Refused::advice))
    }

    /// The same broker, with these WebSocket subprotocols offered to it; `None` if it is not reached by WebSocket.
    pub(crate) fn offering(&self, subprotocols: &'static [&'static str]) -> Option<Address> {
        self.0.offering(subprotocols)
    }
}

/// The accepting side: where a served broker gets its connections from.
pub(crate) trait Listener: Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Whether what is written must be flushed to go out.
    const BUFFERS: bool = false;

    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}
