//! Byte streams to a broker. Stories do not know which carrier moves their bytes.

pub mod shape;
pub mod sim;
mod tcp;

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
}

impl Wire for Box<dyn Wire> {
    fn reset_on_drop(&mut self) {
        (**self).reset_on_drop();
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
}

/// The accepting side: where a served broker gets its connections from.
pub(crate) trait Listener: Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}
