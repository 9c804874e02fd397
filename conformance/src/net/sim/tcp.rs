//! turmoil's TCP as a carrier and as a listener.

use super::BROKER;
use crate::net::shape::{Shape, Shaped};
use crate::net::{Caller, Carrier, Listener, Opening, Wire};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio::sync::Semaphore;
use turmoil::net::{TcpListener, TcpStream};

const PORT: u16 = 1883;

/// So many connections may wait to be accepted: turmoil panics where a network would refuse or ask again, and every
/// request that was held on the way arrives at once when it is released.
const REQUESTS_MAX: usize = 64;

impl Wire for TcpStream {
    /// Nothing: turmoil cannot be asked for a reset. A stream that is dropped resets the connection by itself if bytes
    /// came that were not read; otherwise its end is an orderly one, and only what the peer writes later is answered
    /// with a reset.
    fn reset_on_drop(&mut self) {}
}

/// Connects to the broker from the host that is running.
#[derive(Clone, Debug)]
pub(super) struct Simulated(Arc<Semaphore>);

impl Default for Simulated {
    fn default() -> Self {
        Simulated(Arc::new(Semaphore::new(REQUESTS_MAX)))
    }
}

impl Simulated {
    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let waiting = Arc::clone(&self.0).acquire_owned().await.map_err(io::Error::other)?;
        // In a task of its own: a request remains in the broker's queue when nobody waits for the answer any more.
        let request = tokio::spawn(async move {
            let stream = TcpStream::connect((BROKER, PORT)).await;
            drop(waiting);
            stream
        });
        request.await.map_err(io::Error::other)?
    }
}

impl Carrier for Simulated {
    fn open<'a>(&'a self, _: Caller<'a>) -> Opening<'a> {
        Box::pin(async { Ok(Box::new(self.connect().await?) as Box<dyn Wire>) })
    }
}

/// The broker's port, and the shape of the streams that it accepts.
pub(super) struct Accepting {
    listener: TcpListener,
    shape: Shape,
    seed: u64,
}

impl Accepting {
    pub(super) async fn bind(shape: Shape, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT)).await?;
        Ok(Accepting { listener, shape, seed })
    }
}

impl Listener for Accepting {
    type Stream = Shaped<TcpStream>;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let (stream, client) = self.listener.accept().await?;
        Ok(Shaped::new(stream, self.shape, self.seed, &client.to_string()))
    }
}
